-- What specs need: a loop that cannot hang, temporary files, and a look at what the process holds.

local assert = require("luassert")
local busted = require("busted")
local cp = require("child_process")
local lfs = require("lfs")
local loop = require("child_process.loop")
local process = require("child_process.process")
local timers = require("child_process.timers")

local support = {}

--- The interpreter that child scripts are started with.
---@type string
support.lua = os.getenv("CHILD_PROCESS_LUA") or "lua5.4"

--- Whether this process has the rights of root.
---@type boolean
support.isRoot = lfs.attributes("/proc/self", "uid") == 0

--- Whether the garbage collector is always at work: what is done often takes ten times as long.
---@type boolean
support.collecting = os.getenv("CHILD_PROCESS_SPEC_GC") == "1"

local nodeFound

--- Whether a real Node is there to be asked.
---@return boolean
function support.hasNode()
  if nodeFound == nil then nodeFound = cp.spawnSync("node", {"--version"}).status == 0 end
  return nodeFound
end

--- A copy of a table in which the fields of another one are set.
---@param fields? table
---@param changes? table
---@return table
function support.merge(fields, changes)
  local all = {}
  for name, value in pairs(fields or {}) do all[name] = value end
  for name, value in pairs(changes or {}) do all[name] = value end
  return all
end

--- Bytes the way printf in a shell takes them.
---@param bytes string
---@return string
function support.octal(bytes)
  return (bytes:gsub(".", function(byte) return ("\\%03o"):format(byte:byte()) end))
end

local temporary = {}

--- Removes a file, or a folder with all it contains.
local function remove(path)
  if lfs.symlinkattributes(path, "mode") == "directory" then
    for name in lfs.dir(path) do
      if name ~= "." and name ~= ".." then remove(path .. "/" .. name) end
    end
  end
  os.remove(path)
end

--- Makes an empty folder that is removed, with its contents, after the test.
---@return string path absolute
function support.tmpdir()
  local path = os.tmpname()
  os.remove(path)
  assert(lfs.mkdir(path))
  temporary[#temporary + 1] = path
  return path
end

--- Writes a file, in the place of one that is there already.
---@param path string
---@param text string
function support.writeFile(path, text)
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(text))
end

--- Reads a file to its end.
---@param path string
---@return string
function support.readFile(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

--- Writes a Lua script that is removed after the test.
---@param text string the whole script
---@return string path absolute
function support.script(text)
  local path = support.tmpdir() .. "/script.lua"
  support.writeFile(path, text)
  return path
end

--- Writes a script that can be executed.
---@param path string
---@param text string the whole script, with the line that names its interpreter
---@return string path
function support.executable(path, text)
  support.writeFile(path, text)
  assert(os.execute(("chmod +x '%s'"):format(path)))
  return path
end

--- Calls a function that runs the loop. Fails, naming what is still alive, when it has not returned
--- in time.
---@generic T
---@param fn fun(): T
---@param seconds? number how long it may take at most (default 30)
---@return T
function support.inTime(fn, seconds)
  seconds = seconds or 30
  local watchdog = timers.setTimeout(function()
    local alive = table.concat(loop.handles(), "\n  ")
    error(("the loop did not end within %g s; still alive:\n  %s"):format(seconds, alive), 0)
  end, seconds * 1000)
  watchdog:unref()
  local ok, result = pcall(fn)
  timers.clearTimeout(watchdog)
  if not ok then error(result, 0) end
  return result
end

--- Runs the loop to its end, as inTime.
---@param seconds? number how long it may take at most (default 30)
---@return any # what `cp.run()` returned
function support.run(seconds)
  return support.inTime(cp.run, seconds)
end

--- Runs a Lua script in an interpreter of its own, to its end. Fails with what the script said of
--- itself when its exit code is not 0.
---@param text string in which `cp` is the module
---@param before? string shell commands that come first, "ulimit -n 20" for instance
---@param options? table of spawn
---@return string stdout
---@return string stderr
function support.runScript(text, before, options)
  local script = support.script('local cp = require("child_process")\n' .. text)
  local command = (before or ":") .. '; exec "$0" "$1"'
  local child = cp.spawn("sh", {"-c", command, support.lua, script}, options)
  child.stdin:finish()
  local stdout, stderr = support.output(child)
  if child.exitCode ~= 0 then
    error(("the script ended with %s: %s"):format(child.exitCode or child.signalCode, stderr), 2)
  end
  return stdout, stderr
end

--- Repeats a call with doubled timeouts until its child was fast enough.
local function untilFast(wasFast, call, script, options)
  options = options or {}
  local timeout = 50
  repeat
    timeout = timeout * 2
    options.timeout = timeout
    local result = call(script, options)
    if wasFast(result) then return result end
  until timeout > 20000
  error("the child did not get there in time", 2)
end

local function isReady(result) return result.stdout:find("ready", 1, true) end

--- Makes a synchronous call with a timeout that leaves the script the time to print "ready".
---@param call fun(script: string, options: table): table gives its result, or its error
---@param script string
---@param options? table of the call; `timeout` is set in them
---@return table # the result or error
function support.onceReady(call, script, options)
  return untilFast(isReady, call, script, options)
end

local function endedByItself(result) return result.signal == nil end

--- Makes a synchronous call of a script that leaves a process behind and prints its pid, with a
--- timeout that leaves the script the time to end by itself. Then ends that process.
---@param call fun(script: string, options: table): table gives its result, or its error
---@param script string
---@param options? table of the call; `timeout` is set in them
---@return table # the result or error
function support.leaveBehind(call, script, options)
  return untilFast(endedByItself, function(...)
    local result = call(...)
    local pid = (result.stdout .. result.stderr):match("%d+")
    if pid then process:kill(math.tointeger(pid), "SIGKILL") end
    return result
  end, script, options)
end

--- Expects of a result of spawnSync that the program ran and exited with 0.
---@param result table
function support.assertSucceeded(result)
  assert.is_nil(result.error)
  assert.is_nil(result.signal)
  assert.equal(0, result.status)
end

--- Compares texts that are too long to be shown.
---@param expected string
---@param actual string
function support.assertSameText(expected, actual)
  assert.equal(#expected, #actual)
  assert.is_true(expected == actual, "the texts have the same length, and differ")
end

--- Has a program started that lists its descriptors.
---@generic T
---@param start fun(file: string, args: string[]): T starts it, and waits until it has ended
---@return table<integer, string> targets by descriptor: "pipe", "socket" or the path of a file
---@return T # what `start` returned
function support.childFds(start)
  local report = support.tmpdir() .. "/report"
  -- ls runs in a shell of its own, so that the one that is looked at keeps what it was given
  local started = start("sh", {"-c", '(ls -l /proc/$$/fd > "$0"); exit 0', report})
  local found = {}
  for line in io.lines(report) do
    local fd, target = line:match("(%d+) %-> (.*)$")
    if fd then found[math.tointeger(fd)] = target:match("^(%a+):%[") or target end
  end
  return found, started
end

--- Gathers everything that a stream emits as `data`.
---@return fun(): string # gives what has come so far
function support.collect(stream)
  local chunks = {}
  stream:on("data", function(chunk) chunks[#chunks + 1] = chunk end)
  return function() return table.concat(chunks) end
end

--- Runs the loop to its end and gives what a child wrote meanwhile.
---@return string? stdout nil where it is no pipe
---@return string? stderr the same
function support.output(child)
  local stdout = child.stdout and support.collect(child.stdout)
  local stderr = child.stderr and support.collect(child.stderr)
  support.run()
  return stdout and stdout(), stderr and stderr()
end

--- Notes events from now on, each with its arguments: "exit 0 nil".
---@param emitter EventEmitter
---@param counts table<string, integer> for each event, how many of its arguments are noted
---@param describe? fun(value: any): string default: tostring
---@return string[] # grows as they come
function support.note(emitter, counts, describe)
  local seen = {}
  for name, count in pairs(counts) do
    emitter:on(name, function(...)
      local words = {name}
      for i = 1, count do words[i + 1] = (describe or tostring)((select(i, ...))) end
      seen[#seen + 1] = table.concat(words, " ")
    end)
  end
  return seen
end

--- Notes the events that a child emits from now on.
---@return string[] # grows as they come
function support.events(child)
  return support.note(child, {spawn = 0, error = 1, exit = 2, close = 2})
end

--- Notes the names of events as they come.
---@param emitter EventEmitter
---@param ... string
---@return string[] # grows as they come
function support.names(emitter, ...)
  local counts = {}
  for _, name in ipairs({...}) do counts[name] = 0 end
  return support.note(emitter, counts)
end

--- Calls back after so many turns of the loop.
---@param count integer
---@param fn function
function support.afterTurns(count, fn)
  if count == 0 then fn() else timers.setImmediate(support.afterTurns, count - 1, fn) end
end

--- Runs the loop until it ends without raising.
---@return any[] what was raised
function support.runThrough()
  local raised = {}
  while true do
    local ok, err = pcall(support.run)
    if ok then return raised end
    raised[#raised + 1] = err
    assert(#raised < 100, err)
  end
end

--- The lines of a text, but for empty ones.
---@param text string
---@return string[]
function support.lines(text)
  local list = {}
  for line in text:gmatch("[^\n]+") do list[#list + 1] = line end
  return list
end

--- Calls a function that has to raise an error.
---@return any # the error as it was raised
function support.error(fn, ...)
  local ok, err = pcall(fn, ...)
  if ok then error("an error was expected, none was raised", 2) end
  return err
end

--- Compiles the module `host`, which lets scripts behave like a host program (spec/support/host.c).
---@return string folder of the module, for package.cpath
function support.hostModule()
  local folder = lfs.currentdir() .. "/build/spec"
  local compiler = cp.spawn("sh", {"-ec", [[
    mkdir -p "$0"
    if [ -n "$LUA_INCDIR" ]; then
      cflags="-I$LUA_INCDIR"
    else
      cflags=$(pkg-config --cflags lua5.4 || pkg-config --cflags lua-5.4 || pkg-config --cflags lua)
    fi
    cflags="$cflags ${UV_CFLAGS-$(pkg-config --cflags libuv)}"
    libs=${UV_LIBS-$(pkg-config --libs libuv)}
    # moved into its place, as a run at the same time may be loading the one that is there
    ${CC:-cc} -shared -fPIC $cflags -o "$0/host.so.$$" spec/support/host.c $libs
    mv "$0/host.so.$$" "$0/host.so"
  ]], folder}, {stdio = {"ignore", "inherit", "inherit"}})
  support.run()
  assert(compiler.exitCode == 0, "spec/support/host.c could not be compiled")
  return folder
end

local hostFolder

--- Runs a Lua script as runScript does, in which also `host`, the module of support.hostModule, and
--- `process` are there. Fails when the script writes to stderr.
---@param text string
---@return string stdout
function support.runHost(text)
  hostFolder = hostFolder or support.hostModule()
  local stdout, stderr = support.runScript(([[
    package.cpath = "%s/?.so;" .. package.cpath
    local host = require("host")
    local process = require("child_process.process")
    %s
  ]]):format(hostFolder, text))
  assert.equal("", stderr)
  return stdout
end

--- Does the kernel tell the status of a child that somebody else has waited for?
---@return boolean
function support.keepsStatus()
  if process.env.CHILD_PROCESS_NO_PIDFD then return false end
  local major, minor = support.readFile("/proc/sys/kernel/osrelease"):match("^(%d+)%.(%d+)")
  major, minor = math.tointeger(major), math.tointeger(minor)
  return major > 6 or major == 6 and minor >= 15
end

--- The descriptors that this process has open, each as "NUMBER TARGET", sorted by name.
---@return string[]
function support.openFds()
  local fds = {}
  for name in lfs.dir("/proc/self/fd") do
    local target = lfs.symlinkattributes("/proc/self/fd/" .. name, "target")
    -- the folder that is being listed holds a descriptor of its own
    if target and not target:find("^/proc/%d+/fd$") then fds[#fds + 1] = name .. " " .. target end
  end
  table.sort(fds)
  return fds
end

--- Number, state and parent of a process, as the kernel tells them.
local function status(pid)
  local file = io.open("/proc/" .. pid .. "/stat")
  if not file then return end
  local own, state, parent = (file:read("a") or ""):match("^(%d+) %(.*%) (%a) (%d+)")
  file:close()
  return own, state, parent
end

--- Calls a function with number and state of each child of this process.
local function eachChild(fn)
  local self = status("self")
  for name in lfs.dir("/proc") do
    if name:find("^%d+$") then
      local pid, state, parent = status(name)
      if parent == self then fn(pid, state) end
    end
  end
end

--- The children of this process that have ended and were not waited for.
---@return string[] pids
function support.zombies()
  local pids = {}
  eachChild(function(pid, state)
    if state == "Z" then pids[#pids + 1] = pid end
  end)
  return pids
end

local function afterTest(_, _, result)
  while #temporary > 0 do remove(table.remove(temporary)) end
  if result == "failure" or result == "error" then
    -- what a failed test has left running must not let the next ones fail as well
    eachChild(function(pid) process:kill(math.tointeger(pid), "SIGKILL") end)
    pcall(support.run, 1)
  end
  return nil, true
end

-- The programs of spec/stress run without busted: they have no tests that end.
if busted.subscribe then busted.subscribe({"test", "end"}, afterTest) end

return support
