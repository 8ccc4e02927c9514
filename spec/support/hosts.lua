-- Starts programs that have Lua inside, with the module as LuaRocks installs it, and asks them over
-- HTTP.

local cp = require("child_process")
local lfs = require("lfs")
local net = require("child_process.net")
local process = require("child_process.process")
local support = require("spec.support")

local hosts = {}

--- Whether a program is installed.
---@param name string
---@return boolean
function hosts.has(name)
  return cp.spawnSync("sh", {"-c", 'command -v "$0"', name}).status == 0
end

-- The modes of testing that make a difference for programs that load the installed module.
local MODES = {["test"] = true, ["test-hosts"] = true, ["test-no-pidfd"] = true}

--- Skips the test unless the programs are installed. Hosts bring a Lua of their own, so they are
--- tested beside one Lua, and only in modes that make a difference for them.
---@param ... string
function hosts.need(...)
  if _VERSION ~= "Lua 5.4" or not MODES[os.getenv("CHILD_PROCESS_SPEC_MODE") or "test"] then
    support.skip("hosts have a Lua of their own, for which this mode is no different")
  end
  for _, name in ipairs({"luarocks", "pkg-config", ...}) do
    if not hosts.has(name) then support.skip(name .. " is not installed") end
  end
end

--- The environment of a program that knows nothing of this checkout.
local function foreignEnvironment(changes)
  local env = {}
  for _, name in ipairs({"PATH", "CC", "CHILD_PROCESS_NO_PIDFD", "CHILD_PROCESS_NO_VFORK"}) do
    env[name] = os.getenv(name)
  end
  return support.merge(env, changes)
end

-- Installs the module into the folder $0 for the version $1, unless what is there is newer than the
-- sources. Several runs of the spec may do this at the same time.
local INSTALL = [[
  mkdir -p "$0"
  exec 9>"$0/lock"
  flock 9
  if [ -e "$0/stamp" ] && [ -z "$(find lua src include rockspec Makefile -newer "$0/stamp")" ]; then
    exit 0
  fi
  touch "$0/started"
  luarocks --lua-version "$1" make --tree "$0" rockspec/child_process-scm-1.rockspec
  mv "$0/started" "$0/stamp"
]]

--- Installs the module for a version of Lua into a folder of its own. Gives the environment of a
--- program that finds it there. Programs with LuaJIT load what was built for Lua 5.1.
---@param version "5.1"|"5.4"
---@param changes? table<string, string> further variables
---@return table<string, string>
function hosts.environment(version, changes)
  if cp.spawnSync("pkg-config", {"--exists", "lua" .. version}).status ~= 0 then
    support.skip(("the headers of Lua %s are not installed"):format(version))
  end
  local tree = ("%s/build/hosts/%s"):format(lfs.currentdir(), version)
  cp.execFileSync("sh", {"-ec", INSTALL, tree, version}, {
    env = foreignEnvironment({HOME = os.getenv("HOME")}), stdio = "pipe",
  })
  local env = foreignEnvironment(changes)
  env.LUA_PATH = ("%s/share/lua/%s/?.lua;;"):format(tree, version)
  env.LUA_CPATH = ("%s/lib/lua/%s/?.so;;"):format(tree, version)
  return env
end

--- Runs the loop until the condition holds.
---@param condition fun(): any
function hosts.runUntil(condition)
  support.inTime(function()
    while not condition() do cp.run("once") end
  end)
end

local running = {}

---@class Host a running host
---@field child ChildProcess
---@field log string what it has written so far
local Host = {}
Host.__index = Host

--- Starts a host. It has to stay in the foreground, and write its log to stdout or stderr.
---@param file string
---@param args string[]
---@param options? table of spawn
---@return Host
function hosts.start(file, args, options)
  local child = cp.spawn(file, args, support.merge({
    stdio = {"ignore", "pipe", "pipe"}, detached = true,
  }, options))
  local host = setmetatable({child = child, log = "", seen = 1}, Host)
  local function note(data) host.log = host.log .. data end
  child.stdout:on("data", note)
  child.stderr:on("data", note)
  child:on("close", function() host.closed = true end)
  running[#running + 1] = host
  return host
end

--- Waits until the host has written the text, after what was found by an earlier call.
---@param text string
---@return string # from the text on
function Host:waitFor(text)
  local first, last
  hosts.runUntil(function()
    first, last = self.log:find(text, self.seen, true)
    if not first and self.closed then
      error(("the host has ended without writing %q:\n%s"):format(text, self.log), 0)
    end
    return first
  end)
  self.seen = last + 1
  return self.log:sub(first)
end

--- Sends a signal.
---@param signal string
function Host:kill(signal)
  self.child:kill(signal)
end

--- Waits until the host has ended.
---@return integer? code
---@return string? signal
function Host:wait()
  hosts.runUntil(function() return self.closed end)
  return self.child.exitCode, self.child.signalCode
end

--- Ends all hosts that still run, with their processes.
function hosts.stop()
  for _, host in ipairs(running) do
    if not host.closed then
      process:kill(-host.child.pid, "SIGKILL")
      host:wait()
    end
  end
  running = {}
end

--- A port of 127.0.0.1 that nobody listens on.
---@return integer
function hosts.port()
  local port
  local server = net.createServer()
  server:listen(0, "127.0.0.1", function()
    port = server:address().port
    server:close()
  end)
  support.run()
  return port
end

---@class HttpAnswer
---@field status? integer nil if there was no answer
---@field body? string

--- Asks over HTTP.
---@param port integer
---@param path string
---@param callback fun(answer: HttpAnswer)
function hosts.ask(port, path, callback)
  local socket = net.connect(port, "127.0.0.1")
  local text = support.collect(socket)
  socket:on("close", function()
    local status, body = text():match("^HTTP/1%.[01] (%d+).-\r\n\r\n(.*)$")
    callback({status = tonumber(status), body = body})
  end)
  socket:write(("GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n"):format(path))
end

--- Asks for several paths at once, and waits for the answers.
---@param port integer
---@param paths string[]
---@return HttpAnswer[]
function hosts.getAll(port, paths)
  local answers, count = {}, 0
  for index, path in ipairs(paths) do
    hosts.ask(port, path, function(answer)
      answers[index] = answer
      count = count + 1
    end)
  end
  hosts.runUntil(function() return count == #paths end)
  return answers
end

--- Asks, and waits for the answer.
---@param port integer
---@param path string
---@return integer status
---@return string body
function hosts.get(port, path)
  local answer = hosts.getAll(port, {path})[1]
  return answer.status, answer.body
end

--- Waits until a file is there and has a whole line.
---@param path string
---@return string line
function hosts.lineOf(path)
  local line
  hosts.runUntil(function()
    local file = io.open(path)
    line = file and file:read("*a"):match("^([^\n]*)\n")
    if file then file:close() end
    if not line then cp.spawnSync("sleep", {"0.01"}) end
    return line
  end)
  return line
end

return hosts
