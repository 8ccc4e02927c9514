-- Every option of the functions that start programs, together with options.host: it works as it
-- does here, or an error names it. An option that is only ignored would have a program run in the
-- wrong way, or on the wrong host.

local abort = require("child_process.abort")
local agents = require("spec.support.agents")
local cp = require("child_process")
local known = require("child_process.spawn.options")
local support = require("spec.support")
local unknownOptions = require("child_process.command.unknown_options")

local h

local function spawn(script, options)
  return cp.spawn("sh", {"-c", script}, support.merge({host = h}, options))
end

--- What a script prints with options.
local function printed(script, options)
  return (support.output(spawn(script, options)):gsub("\n$", ""))
end

local function refused(options, text)
  local err = support.error(spawn, "true", options)
  assert.equal("ERR_INVALID_ARG_VALUE", err.code)
  assert.match(text, err.message, 1, true)
end

local function field(name)
  if not support.forLinux then support.skip("there is no /proc") end
  return ("grep '^%s:' /proc/self/status | tr -d '[:blank:]'"):format(name)
end

-- By option, how it is tried.
local tries = {}

function tries.cwd() assert.equal("/", printed("pwd", {cwd = "/"})) end

function tries.argv0() assert.equal("other name", printed("echo $0", {argv0 = "other name"})) end

function tries.shell()
  assert.equal("a b", (support.output(cp.spawn("echo a; echo b", {host = h, shell = true}))
    :gsub("\n", " "):gsub(" $", "")))
end

function tries.env()
  assert.equal("1 []", printed("/bin/echo $A [$HOME]", {env = {A = 1}}))
  local adding = setmetatable({A = 1}, {__index = h.env})
  assert.equal("1 " .. os.getenv("PATH"), printed("echo $A $PATH", {env = adding}))
end

function tries.detached()
  assert.equal("yes", printed("[ $$ = $(ps -o sid= -p $$) ] && echo yes", {detached = true}))
end

function tries.setsid()
  assert.equal("yes", printed("[ $$ = $(ps -o sid= -p $$) ] && echo yes", {setsid = true}))
end

function tries.processGroup()
  assert.equal("yes", printed("[ $$ = $(ps -o pgid= -p $$) ] && echo yes", {processGroup = 0}))
end

function tries.umask() assert.equal("0027", printed("umask", {umask = "027"})) end
function tries.limits() assert.equal("77", printed("ulimit -n", {limits = {nofile = 77}})) end
function tries.nice() assert.equal("19", printed("nice", {nice = 19})) end

function tries.affinity()
  assert.equal("Cpus_allowed_list:0", printed(field("Cpus_allowed_list"), {affinity = {0}}))
end

function tries.noNewPrivileges()
  assert.equal("NoNewPrivs:1", printed(field("NoNewPrivs"), {noNewPrivileges = true}))
end

function tries.uid()
  support.needRoot()
  assert.equal("12345", printed("id -u", {uid = 12345, gid = 12345}))
end

function tries.gid()
  support.needRoot()
  assert.equal("12345", printed("id -g", {gid = 12345}))
end

function tries.groups()
  support.needRoot()
  assert.equal("12346 12347", printed("id -G", {gid = 12346, groups = {12347}}))
end

function tries.stdio()
  assert.equal("out err", (printed("echo out; echo err >&2", {
    stdio = {"ignore", "pipe", {childFd = 1}},
  }):gsub("\n", " ")))
  local file = assert(io.open("/dev/null"))
  for fd, list in pairs({[0] = {file}, [3] = {"pipe", "pipe", "pipe", file}}) do
    refused({stdio = list}, ("options.stdio[%d]"):format(fd))
    refused({stdio = list}, "cannot go to another host")
  end
  file:close()
end

function tries.customFds()
  local path = support.tmpdir() .. "/out"
  local file = assert(io.open(path, "w"))
  local fd = require("child_process.core").fileOf(file)
  support.output(spawn("echo there", {customFds = {-1, fd, -1}}))
  file:close()
  assert.equal("there\n", support.readFile(path))
end

function tries.serialization()
  local script = support.script(
    "process:on('message', function(m) process:send(m) process:disconnect() end)")
  local child = cp.fork(script, {host = h, serialization = "advanced"})
  local got
  child:on("message", function(message) got = message end)
  child:send("\255\0")
  support.run()
  assert.equal("\255\0", got)
end

function tries.maxMessageSize()
  local script = support.script("process:send(('x'):rep(1000))")
  local child = cp.fork(script, {host = h, maxMessageSize = 100})
  local err
  child:on("error", function(e) err = e end)
  support.run()
  assert.is_not_nil(err)
end

function tries.timeout()
  local child = spawn("exec sleep 600", {timeout = 20})
  support.run()
  assert.equal("SIGTERM", child.signalCode)
  assert.is_true(child.timedOut)
end

function tries.killSignal()
  local child = spawn("exec sleep 600", {timeout = 20, killSignal = "SIGINT"})
  support.run()
  assert.equal("SIGINT", child.signalCode)
end

function tries.signal()
  local controller = abort.AbortController()
  local child = spawn("exec sleep 600", {signal = controller.signal})
  local err
  child:on("error", function(e) err = e end)
  child:on("spawn", function() controller:abort() end)
  support.run()
  assert.equal("AbortError", err.name)
  assert.equal("SIGTERM", child.signalCode)
end

function tries.tree()
  local child = spawn("sleep 600 & echo $!; wait", {tree = true})
  local pid
  child.stdout:once("data", function(data)
    pid = tonumber(data)
    child:kill()
  end)
  support.run()
  require("spec.support.trees").awaitEnd(pid)
end

function tries.forceKillAfterDelay()
  local child = spawn("trap '' TERM; echo ready; while :; do sleep 0.01; done",
    {forceKillAfterDelay = 20})
  child.stdout:once("data", function() child:kill() end)
  support.run()
  assert.equal("SIGKILL", child.signalCode)
  assert.is_true(child.isForcefullyTerminated)
end

function tries.waitDelay()
  local child = spawn("sleep 600 & echo $!", {waitDelay = 10})
  local pid = tonumber((support.output(child)))
  assert.equal(0, child.exitCode)
  assert.is_true(require("child_process.process"):kill(pid, "SIGKILL"))
end

function tries.disposeWaits()
  support.needClosing()
  local child = spawn("echo ready; exec sleep 600", {disposeWaits = true})
  support.inTime(function() return child.stdout:readLine() end)
  support.inTime(function() support.closing(child, function() end) end)
  assert.equal("SIGTERM", child.signalCode)
end

function tries.killOnParentExit()
  assert.equal("fine", printed("echo fine", {killOnParentExit = true}))
  refused({killOnParentExit = false}, "options.killOnParentExit")
end

function tries.terminalForeground()
  assert.equal("fine", printed("echo fine", {terminalForeground = false, tree = true}))
  refused({terminalForeground = true}, "options.terminalForeground")
end

function tries.terminal()
  assert.equal("fine", printed("echo fine", {terminal = false}))
  refused({terminal = true}, "options.terminal")
end

function tries.windowsHide() assert.equal("x", printed("echo x", {windowsHide = true})) end

function tries.windowsVerbatimArguments()
  assert.equal("x", printed("echo x", {windowsVerbatimArguments = true}))
end

function tries.host()
  local err = support.error(spawn, "true", {host = "n1"})
  assert.equal("ERR_INVALID_ARG_TYPE", err.code)
  assert.match("options.host", err.message, 1, true)
end

describe("Together with options.host", function()
  setup(function() h = agents.connect() end)
  teardown(function() agents.close(h) end)

  for name in pairs(known.checks) do
    it("options." .. name .. " works, or is refused", function()
      assert.is_not_nil(tries[name], "nobody has tried it")
      tries[name]()
    end)
  end

  it("commands know the options that spawn has", function()
    for name in pairs(known.checks) do assert.is_true(unknownOptions.ofSpawn[name], name) end
    for name in pairs(unknownOptions.ofSpawn) do assert.is_not_nil(known.checks[name], name) end
  end)

  it("ChildProcess:spawn works", function()
    local child = cp.ChildProcess()
    child:spawn({file = "sh", args = {"sh", "-c", "echo $A $PPID"}, envPairs = {"A=1"}, host = h,
      stdio = "pipe"})
    assert.equal(("1 %d\n"):format(h.pid), support.output(child))
  end)

  it("the promises of exec and execFile work", function()
    assert.equal(h.pid .. "\n", support.inTime(function()
      return cp.promises.exec("echo $PPID", {host = h}):await().stdout
    end))
  end)

  it("functions that cannot use another host refuse it", function()
    for name, call in pairs({
      spawnSync = function() cp.spawnSync("true", {host = h}) end,
      execFileSync = function() cp.execFileSync("true", {host = h}) end,
      execSync = function() cp.execSync("true", {host = h}) end,
      system = function() cp.system({"true"}, {host = h}) end,
    }) do
      local err = support.error(call)
      assert.equal("ERR_INVALID_ARG_VALUE", err.code, name)
      assert.match("options.host", err.message, 1, true)
    end
  end)

  it("an output may be any descriptor of ours", function()
    local path = support.tmpdir() .. "/out"
    local file = assert(io.open(path, "w"))
    support.output(spawn("head -c 1000000 /dev/zero; echo end >&2",
      {stdio = {"ignore", file, file}}))
    file:close()
    local text = support.readFile(path)
    assert.equal(1000004, #text)
    local to = cp.spawn("wc", {"-c"})
    local counted = support.collect(to.stdout)
    local from = spawn("head -c 500000 /dev/zero", {stdio = {"ignore", to.stdin, "inherit"}})
    from:on("close", function() to.stdin:destroy() end)
    support.run()
    assert.equal("500000", counted():match("%d+"))
  end)

  it("an output that cannot be written is an error of the child alone", function()
    local file = io.open("/dev/full", "w")
    if not file then support.skip("there is no /dev/full") end
    local child = spawn("exec yes", {stdio = {"ignore", file, "inherit"}})
    local codes = {}
    child:on("error", function(err) codes[#codes + 1] = err.code .. " " .. err.syscall end)
    support.run()
    file:close()
    assert.same({"ENOSPC write"}, codes)
    assert.equal("SIGPIPE", child.signalCode)
    assert.equal("fine", printed("echo fine"))
  end)

  it("child:stats waits for the numbers", function()
    if not support.forLinux then support.skip("other systems do not report it") end
    local child = spawn("exec sleep 600")
    assert.is_nil(child:stats())
    support.inTime(function() return child:wait("spawn") end)
    local stats = support.inTime(function() return child:stats() end)
    assert.equal(1, stats.processes)
    assert.equal("number", type(stats.rss)) -- the kernel counts small ones late
    local tree = support.inTime(function() return child:stats({tree = true}) end)
    assert.is_true(tree.processes >= 1)
    child:kill()
    -- The question is older than the news of the end.
    support.inTime(function() return child:stats() end)
    support.run()
    assert.is_nil(child:stats())
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(child.stats, child, {tree = 1}).code)
  end)

  it("child:stats raises the error from there, also one that is only a text", function()
    local failing = agents.connect(nil, {lua = {support.lua, "-e",
      [[package.preload["child_process.spawn.stats"] = function() error("no memory", 0) end]]}})
    local child = cp.spawn("sleep", {"600"}, {host = failing})
    local err = support.inTime(function()
      child:wait("spawn")
      return support.error(child.stats, child)
    end)
    assert.equal("no memory", err.message)
    agents.close(failing)
    support.run()
  end)
end)
