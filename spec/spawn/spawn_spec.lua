-- child_process.spawn(command[, args][, options]) and the introduction of the documentation.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local lfs = require("lfs")
local process = require("child_process.process")
local support = require("spec.support")
local timers = require("child_process.timers")

--- The text of a file in /proc, or nil when it is not there any more.
local function procfile(pid, name)
  local file = io.open(("/proc/%d/%s"):format(pid, name))
  if not file then return nil end
  local text = file:read("*a")
  file:close()
  return text
end

--- The events of a child that a script spawns. Valgrind, which may run us, does not survive when
--- the kernel refuses an execve late; it does not run our children.
---@param spawn string an expression
local function eventsOfScript(spawn)
  local script = support.script(([[
    local cp = require("child_process")
    local child = %s
    child:on("spawn", function() print("spawn") end)
    child:on("error", function(err) print("error " .. err.code) end)
    child:on("close", function(code) print("close " .. code) end)
    cp.run()
  ]]):format(spawn))
  return (support.output(cp.spawn(support.lua, {script})))
end

describe("child_process", function()
  it("provides the ability to spawn subprocesses", function()
    local ls = cp.spawn("ls", {"-lh", "/usr"})
    local events = support.events(ls)
    local stdout, stderr = support.output(ls)
    assert.matches("%sbin\n", stdout)
    assert.equal("", stderr)
    assert.same({"spawn", "exit 0 nil", "close 0 nil"}, events)
  end)

  it("establishes pipes for stdin, stdout, and stderr by default", function()
    local child = cp.spawn("sh", {"-c", "cat; echo problem >&2"})
    child.stdin:finish("through three pipes")
    local stdout, stderr = support.output(child)
    assert.equal("through three pipes", stdout)
    assert.equal("problem\n", stderr)
  end)

  it("blocks a subprocess that writes in excess of a pipe's capacity until output is captured",
    function()
      local child = cp.spawn("head", {"-c", "1000000", "/dev/zero"})
      local received, blocked = 0, nil
      local poll
      poll = timers.setInterval(function()
        local state = procfile(child.pid, "stat"):match("%) (%a)")
        if state ~= "S" and child.exitCode == nil then return end
        blocked = state == "S"
        timers.clearInterval(poll)
        child.stdout:on("data", function(chunk) received = received + #chunk end)
      end, 1)
      support.run()
      assert.is_true(blocked)
      assert.equal(1000000, received)
      assert.equal(0, child.exitCode)
    end)

  it("does not block a subprocess whose output is not consumed with { stdio = 'ignore' "
    .. "}", function()
    local child = cp.spawn("head", {"-c", "1000000", "/dev/zero"}, {stdio = "ignore"})
    support.run()
    assert.equal(0, child.exitCode)
  end)

  it("performs the command lookup using options.env.PATH if it is in the options object", function()
    local folder = support.tmpdir()
    support.executable(folder .. "/spec-greeting", "#!/bin/sh\necho from options.env.PATH\n")
    local child = cp.spawn("spec-greeting", {env = {PATH = "/nonexistent:" .. folder}})
    assert.equal("from options.env.PATH\n", (support.output(child)))
  end)

  it("does not look into process.env.PATH when options.env.PATH is given", function()
    local child = cp.spawn("ls", {env = {PATH = "/nonexistent"}})
    local events = support.events(child)
    support.run()
    assert.same({"error Error: spawn ls ENOENT", "close -2 nil"}, events)
  end)

  it("uses process.env.PATH for the command lookup otherwise", function()
    local folder = support.tmpdir()
    support.executable(folder .. "/spec-greeting", "#!/bin/sh\necho from process.env.PATH\n")
    local before = process.env.PATH
    process.env.PATH = folder .. ":" .. before
    finally(function() process.env.PATH = before end)
    assert.equal("from process.env.PATH\n", (support.output(cp.spawn("spec-greeting"))))
  end)

  it("does not search PATH for a command with a slash in it", function()
    local folder = support.tmpdir()
    support.executable(folder .. "/spec-greeting", "#!/bin/sh\necho by path\n")
    local child = cp.spawn("./spec-greeting", {cwd = folder})
    assert.equal("by path\n", (support.output(child)))
  end)

  it("skips entries of PATH that do not hold the command or may not be executed", function()
    local first, second = support.tmpdir(), support.tmpdir()
    assert(io.open(first .. "/spec-greeting", "w")):close()
    support.executable(second .. "/spec-greeting", "#!/bin/sh\necho the second\n")
    local child = cp.spawn("spec-greeting", {env = {PATH = first .. ":" .. second}})
    assert.equal("the second\n", (support.output(child)))
  end)

  it("runs an executable text file without an interpreter line by /bin/sh, as a shell "
    .. "does", function()
    local path = support.executable(support.tmpdir() .. "/plain", 'echo "plain $1"\n')
    assert.equal("plain text\n", (support.output(cp.spawn(path, {"text"}))))
  end)

  it("spawns the child process asynchronously, without blocking the event loop", function()
    local child = cp.spawn("cat")
    local aliveAtTimer
    timers.setTimeout(function()
      aliveAtTimer = child.exitCode == nil
      child.stdin:finish()
    end, 1)
    support.run()
    assert.is_true(aliveAtTimer)
    assert.equal(0, child.exitCode)
  end)

  it("implements exec and execFile on top of spawn", function()
    local viaShell = cp.exec("true a")
    local direct = cp.execFile("true", {"a"})
    support.run()
    assert.same({"/bin/sh", "-c", "true a"}, viaShell.spawnargs)
    assert.same({"true", "a"}, direct.spawnargs)
  end)
end)

describe("asynchronous process creation", function()
  it("follows the asynchronous programming pattern: no event comes before spawn has returned",
    function()
      local child = cp.spawn("true")
      local events = support.events(child)
      assert.same({}, events)
      support.run()
      assert.same({"spawn", "exit 0 nil", "close 0 nil"}, events)
    end)

  it("returns a ChildProcess instance from each of the methods", function()
    for _, child in ipairs({cp.spawn("true"), cp.exec("true"), cp.execFile("true")}) do
      assert.equal("userdata", type(child))
      assert.equal(cp.ChildProcess.kill, child.kill)
      assert.is_true(compat.mathType(child.pid) == "integer" and child.pid > 0)
    end
    support.run()
  end)

  it("implements the EventEmitter API, allowing the parent to register listener "
    .. "functions", function()
    local child = cp.spawn("sh", {"-c", "exit 7"})
    local codes = {}
    local function never() codes[#codes + 1] = "never" end
    assert.equal(child, child:on("exit", function(code) codes[#codes + 1] = code end))
    child:once("close", function(code) codes[#codes + 1] = code end)
    child:on("exit", never):off("exit", never)
    assert.equal(1, child:listenerCount("exit"))
    support.run()
    assert.same({7, 7}, codes)
  end)

  it("lets exec and execFile specify a callback that is invoked when the child process terminates",
    function()
      local calls = {}
      cp.exec("echo one", function(err, stdout) calls.exec = {err == nil, stdout} end)
      cp.execFile("echo", {"two"}, function(err, stdout) calls.execFile = {err == nil, stdout} end)
      assert.same({}, calls)
      support.run()
      assert.same({exec = {true, "one\n"}, execFile = {true, "two\n"}}, calls)
    end)
end)

describe("child_process.spawn", function()
  it("spawns a new process using the given command, with command-line arguments in args", function()
    local child = cp.spawn("printf", {"<%s>", "one", "two words", "", "*", "$HOME", "ä\n"})
    assert.equal("<one><two words><><*><$HOME><ä\n>", (support.output(child)))
  end)

  it("defaults args to an empty array if omitted", function()
    local child = cp.spawn("echo")
    assert.equal("\n", (support.output(child)))
    assert.same({"echo"}, child.spawnargs)
  end)

  it("accepts options instead of args", function()
    assert.equal("/\n", (support.output(cp.spawn("pwd", {cwd = "/"}))))
  end)

  it("takes nil for args or options as not given", function()
    assert.equal("/\n", (support.output(cp.spawn("pwd", nil, {cwd = "/"}))))
    assert.equal("a\n", (support.output(cp.spawn("echo", {"a"}, nil))))
  end)

  it("takes an empty table in second place as args", function()
    assert.equal("/\n", (support.output(cp.spawn("pwd", {}, {cwd = "/"}))))
  end)

  it("keeps the caller's tables as they are", function()
    local args, env = {"-c", "echo $A"}, {A = "1"}
    local options = {env = env, stdio = {"pipe", "pipe"}}
    support.output(cp.spawn("sh", args, options))
    assert.same({"-c", "echo $A"}, args)
    assert.same({env = {A = "1"}, stdio = {"pipe", "pipe"}}, options)
  end)

  it("returns a ChildProcess", function()
    local child = cp.spawn("true")
    assert.equal(cp.ChildProcess.kill, child.kill)
    support.run()
  end)

  describe("option cwd", function()
    it("specifies the working directory from which the process is spawned", function()
      local folder = support.tmpdir()
      assert.equal(folder .. "\n", (support.output(cp.spawn("pwd", {cwd = folder}))))
    end)

    it("is by default the current working directory", function()
      local child = cp.spawn("pwd")
      assert.equal(lfs.currentdir() .. "\n", (support.output(child)))
    end)

    it("emits an ENOENT error if the path does not exist", function()
      local child = cp.spawn("true", {"a"}, {cwd = "/nonexistent"})
      local events = support.events(child)
      local failure
      child:on("error", function(err) failure = err end)
      support.run()
      assert.same({
        "error Error: spawn true ENOENT: no such directory '/nonexistent' (options.cwd)",
        "close -2 nil",
      }, events)
      assert.equal("ENOENT", failure.code)
      assert.equal("spawn true", failure.syscall)
      assert.equal("/nonexistent", failure.path)
    end)

    it("emits an ENOTDIR error if the path is not a directory", function()
      local child = cp.spawn("true", {cwd = "/etc/passwd"})
      local events = support.events(child)
      support.run()
      assert.same({
        "error Error: spawn true ENOTDIR: not a directory '/etc/passwd' (options.cwd)",
        "close -20 nil",
      }, events)
    end)

    it("is where a relative command is looked for", function()
      local folder = support.tmpdir()
      assert(lfs.mkdir(folder .. "/bin"))
      support.executable(folder .. "/bin/spec-greeting", "#!/bin/sh\npwd\n")
      local child = cp.spawn("bin/spec-greeting", {cwd = folder})
      assert.equal(folder .. "\n", (support.output(child)))
    end)
  end)

  describe("option env", function()
    it("specifies environment variables that will be visible to the new process", function()
      local child = cp.spawn("/usr/bin/env", {env = {GREETING = "hello", EMPTY = "", U = "ä\n"}})
      local lines = {}
      for line in (support.output(child)):gmatch("[^\n]+") do lines[#lines + 1] = line end
      table.sort(lines)
      assert.same({"EMPTY=", "GREETING=hello", "U=ä"}, lines)
    end)

    it("is by default process.env", function()
      process.env.SPEC_INHERITED = "yes"
      finally(function() process.env.SPEC_INHERITED = nil end)
      assert.equal("yes\n", (support.output(cp.spawn("sh", {"-c", "echo $SPEC_INHERITED"}))))
    end)

    it("may be empty", function()
      assert.equal("", (support.output(cp.spawn("/usr/bin/env", {env = {}}))))
    end)

    it("ignores undefined values", function()
      local child = cp.spawn("/usr/bin/env", {env = {A = cp.null, B = nil, C = "c"}})
      assert.equal("C=c\n", (support.output(child)))
    end)

    it("converts numbers and booleans to strings", function()
      local child = cp.spawn("/bin/sh", {"-c", "echo $A $B $C"}, {env = {A = 1, B = 2.5, C = true}})
      assert.equal("1 2.5 true\n", (support.output(child)))
    end)

    it("may have variables of any name", function()
      local env = {pairs = "1", __pairs = "2", __index = "3", n = "4", PATH = process.env.PATH}
      for _, call in ipairs({cp.spawnSync, cp.execFileSync}) do
        local result = call("env", {env = env})
        local output = type(result) == "table" and result.stdout or result
        for name, value in pairs(env) do
          assert.matches(("\n%s=%s\n"):format(name, value), "\n" .. output, 1, true)
        end
      end
    end)

    it("may inherit variables from another table", function()
      process.env.SPEC_INHERITED = "ours"
      process.env.SPEC_LEFT_OUT = "ours"
      finally(function()
        process.env.SPEC_INHERITED = nil
        process.env.SPEC_LEFT_OUT = nil
      end)
      local env = setmetatable({SPEC_OWN = 1.0, SPEC_LEFT_OUT = cp.null}, {__index = process.env})
      local child = cp.spawn("sh", {"-c", "echo $SPEC_OWN $SPEC_INHERITED ${SPEC_LEFT_OUT-none}"},
        {env = env})
      assert.equal("1 ours none\n", (support.output(child)))
    end)

    it("is refused where it inherits what cannot be listed", function()
      local env = setmetatable({A = "1"}, {__index = function() return "x" end})
      local err = support.error(cp.spawn, "true", {env = env})
      assert.equal("ERR_INVALID_ARG_VALUE", err.code)
      assert.matches("__index function", err.message, 1, true)
      env = setmetatable({}, {})
      getmetatable(env).__index = env
      assert.equal("ERR_INVALID_ARG_VALUE", support.error(cp.spawn, "true", {env = env}).code)
    end)

    it("may be an object with methods, which are not variables", function()
      local class = {get = print}
      class.__index = class
      local child = cp.spawn("/usr/bin/env", {env = setmetatable({A = "1"}, class)})
      assert.equal("A=1\n", (support.output(child)))
    end)

    it("may be the object process.env itself", function()
      process.env.SPEC_INHERITED = "by object"
      finally(function() process.env.SPEC_INHERITED = nil end)
      local child = cp.spawn("sh", {"-c", "echo $SPEC_INHERITED"}, {env = process.env})
      assert.equal("by object\n", (support.output(child)))
    end)

    it("emits an E2BIG error if it is larger than the system allows", function()
      local output = eventsOfScript('cp.spawn("true", {env = {BIG = ("x"):rep(10 * 1024 * 1024)}})')
      assert.equal("error E2BIG\nclose -7\n", output)
    end)
  end)

  describe("option argv0", function()
    it("explicitly sets the value of argv[0] sent to the child process", function()
      local child = cp.spawn("sh", {"-c", "echo $0"}, {argv0 = "renamed"})
      assert.equal("renamed\n", (support.output(child)))
    end)

    it("will be set to command if not specified", function()
      assert.equal("sh\n", (support.output(cp.spawn("sh", {"-c", "echo $0"}))))
      assert.equal("/bin/sh\n", (support.output(cp.spawn("/bin/sh", {"-c", "echo $0"}))))
    end)

    it("is used for the process title", function()
      if support.isEmulated() then pending("the process is that of an emulator") end
      local child = cp.spawn("cat", {argv0 = "a title"})
      local title
      child.stdin:write("anything")
      child.stdout:on("data", function()
        title = procfile(child.pid, "cmdline")
        child.stdin:finish()
      end)
      support.run()
      assert.equal("a title\0", title)
    end)

    it("does not match process.argv[0] in a child process of our own, but process.argv0", function()
      local script = support.script([[
        local process = require("child_process.process")
        print(process.argv[0] == process.execPath, process.argv0)
      ]])
      local child = cp.spawn(support.lua, {script}, {argv0 = "renamed"})
      assert.equal("true\trenamed\n", (support.output(child)))
    end)
  end)

  describe("options uid and gid", function()
    local describeIdentity = {"-c", "id -u; id -g; id -G; id -ru; id -rg"}

    it("set the user and group identity of the process", function()
      support.needRoot()
      local child = cp.spawn("sh", describeIdentity, {uid = 65534, gid = 65533})
      assert.equal("65534\n65533\n65533\n65534\n65533\n", (support.output(child)))
    end)

    it("drop supplementary groups", function()
      support.needRoot()
      local script = support.script([[
        local cp = require("child_process")
        cp.spawn("id", {"-G"}, {uid = 65534, gid = 65533, stdio = "inherit"})
        cp.run()
      ]])
      -- setpriv starts the script with supplementary groups, which the child must not keep
      local child = cp.spawn("setpriv", {"--groups", "1,2,3", support.lua, script})
      assert.equal("65533\n", (support.output(child)))
    end)
  end)

  describe("option shell", function()
    it("runs command inside of a shell if true", function()
      local child = cp.spawn("echo one && echo two | cat", {shell = true})
      assert.equal("one\ntwo\n", (support.output(child)))
    end)

    it("uses '/bin/sh' on Unix", function()
      local child = cp.spawn("true", {shell = true})
      support.run()
      assert.equal("/bin/sh", child.spawnfile)
      assert.same({"/bin/sh", "-c", "true"}, child.spawnargs)
    end)

    it("can be a different shell, specified as a string", function()
      local child = cp.spawn("echo $0 ${BASH_VERSION:+is bash}", {shell = "/bin/bash"})
      assert.equal("/bin/bash is bash\n", (support.output(child)))
      assert.equal("/bin/bash", child.spawnfile)
    end)

    it("is by default false: no shell interprets the arguments", function()
      local child = cp.spawn("echo", {"$HOME", ";", "echo", "*"})
      assert.equal("$HOME ; echo *\n", (support.output(child)))
      local plain = cp.spawn("echo", {"$HOME"}, {shell = false})
      assert.equal("$HOME\n", (support.output(plain)))
    end)

    it("passes input containing shell metacharacters to the shell", function()
      local child = cp.spawn("echo", {"safe; echo injected"}, {shell = true})
      assert.equal("safe\ninjected\n", (support.output(child)))
      assert.same({"/bin/sh", "-c", "echo safe; echo injected"}, child.spawnargs)
    end)

    it("gives argv0 to the shell", function()
      if support.isEmulated() then pending("the process is that of an emulator") end
      local child = cp.spawn("cat /proc/$$/cmdline", {shell = true, argv0 = "renamed"})
      assert.equal("renamed\0-c\0cat /proc/$$/cmdline\0", (support.output(child)))
    end)

    it("emits an ENOENT error if the shell does not exist", function()
      local child = cp.spawn("true", {shell = "/nonexistent/shell"})
      local events = support.events(child)
      support.run()
      assert.same({"error Error: spawn /nonexistent/shell ENOENT", "close -2 nil"}, events)
    end)
  end)

  it("accepts windowsHide and windowsVerbatimArguments, which are ignored on Unix", function()
    local child = cp.spawn("echo", {'a "b"'}, {windowsHide = true, windowsVerbatimArguments = true})
    assert.equal('a "b"\n', (support.output(child)))
  end)

  describe("option timeout", function()
    it("is in milliseconds the maximum amount of time the process is allowed to run", function()
      local child = cp.spawn("cat", {timeout = 20})
      local events = support.events(child)
      support.run()
      assert.same({"spawn", "exit nil SIGTERM", "close nil SIGTERM"}, events)
      assert.is_true(child.killed)
    end)

    it("is by default undefined, and 0 means the same: no limit", function()
      local child = cp.spawn("cat", {timeout = 0})
      timers.setTimeout(function() child.stdin:finish() end, 5)
      support.run()
      assert.equal(0, child.exitCode)
    end)

    it("does not keep the loop alive after the process has ended", function()
      local child = cp.spawn("true", {timeout = 1000000})
      support.run()
      assert.equal(0, child.exitCode)
      assert.is_false(child.killed)
    end)
  end)

  describe("option killSignal", function()
    it("is the signal value to be used when the process is killed by timeout", function()
      local child = cp.spawn("cat", {timeout = 20, killSignal = "SIGKILL"})
      support.run()
      assert.equal("SIGKILL", child.signalCode)
    end)

    it("may be a number", function()
      local child = cp.spawn("cat", {timeout = 20, killSignal = 15})
      support.run()
      assert.equal("SIGTERM", child.signalCode)
    end)

    it("is by default 'SIGTERM'", function()
      local child = cp.spawn("cat", {timeout = 20})
      support.run()
      assert.equal("SIGTERM", child.signalCode)
    end)
  end)

  it("starts the program with no signal blocked or ignored", function()
    local script = support.script([[
      local cp = require("child_process")
      cp.spawn("grep", {"-E", "^Sig(Blk|Ign):", "/proc/self/status"}, {stdio = "inherit"})
      cp.run()
    ]])
    local command = 'trap "" INT HUP PIPE; exec "$0" "$1"'
    local stdout = support.output(cp.spawn("sh", {"-c", command, support.lua, script}))
    assert.same({}, support.signals(stdout:match("SigBlk:%s*(%x+)")))
    assert.same({}, support.signals(stdout:match("SigIgn:%s*(%x+)")))
  end)
end)

describe("examples of child_process.spawn", function()
  it("runs ls -lh /usr, capturing stdout, stderr, and the exit code", function()
    local ls = cp.spawn("ls", {"-lh", "/usr", "/nonexistent"})
    local code
    ls:on("close", function(exitCode) code = exitCode end)
    local stdout, stderr = support.output(ls)
    assert.matches("/usr:\n", stdout, 1, true)
    assert.matches("/nonexistent", stderr, 1, true)
    assert.equal(2, code)
  end)

  it("runs a very elaborate way to run ps ax | grep ssh", function()
    local ps = cp.spawn("printf", {"1 sshd\n2 cron\n3 ssh-agent\n"})
    local grep = cp.spawn("grep", {"ssh"})
    ps.stdout:on("data", function(data) grep.stdin:write(data) end)
    ps:on("close", function() grep.stdin:finish() end)
    assert.equal("1 sshd\n3 ssh-agent\n", (support.output(grep)))
    assert.equal(0, grep.exitCode)
  end)

  it("checks for failed spawn", function()
    local failed
    cp.spawn("bad_command", {env = {PATH = "/nonexistent"}}):on("error", function(err)
      failed = err.code
    end)
    support.run()
    assert.equal("ENOENT", failed)
  end)
end)

describe("a command that cannot be started", function()
  --- Spawns what cannot be started and checks all that the failure promises.
  local function check(command, code, errno, why)
    local child = cp.spawn(command, {"a", "b"})
    local failure
    child:on("error", function(err) failure = err end)
    local events = support.events(child)
    assert.is_nil(child.pid)
    assert.is_nil(failure, "the error has to come after spawn has returned")
    support.run()
    local message = ("spawn %s %s%s"):format(command, code, why or "")
    assert.same({"error Error: " .. message, ("close %d nil"):format(errno)}, events)
    assert.equal("Error", failure.name)
    assert.equal(message, failure.message)
    assert.equal(code, failure.code)
    assert.equal(errno, failure.errno)
    assert.equal("spawn " .. command, failure.syscall)
    assert.equal(command, failure.path)
    assert.same({"a", "b"}, failure.spawnargs)
    assert.same({}, support.zombies())
  end

  it("emits ENOENT when the command does not exist", function()
    check("/nonexistent/command", "ENOENT", -2)
  end)

  it("emits EACCES when the command is not executable", function()
    check("/etc/passwd", "EACCES", -13, ": '/etc/passwd' is not executable")
  end)

  it("emits EACCES when the command is found in PATH but not executable", function()
    local folder = support.tmpdir()
    assert(io.open(folder .. "/spec-greeting", "w")):close()
    local child = cp.spawn("spec-greeting", {env = {PATH = folder .. ":/nonexistent"}})
    local events = support.events(child)
    support.run()
    assert.same({
      ("error Error: spawn spec-greeting EACCES: '%s/spec-greeting' is not executable")
        :format(folder),
      "close -13 nil",
    }, events)
  end)

  it("emits EACCES when the command is a directory", function()
    check("/tmp", "EACCES", -13, ": '/tmp' is a directory")
  end)

  it("emits ENOTDIR when a part of the command's path is not a directory", function()
    check("/etc/passwd/command", "ENOTDIR", -20)
  end)

  it("emits ENAMETOOLONG when the command is longer than a name may be", function()
    check("/" .. ("x"):rep(300), "ENAMETOOLONG", -36)
  end)

  it("emits E2BIG when the arguments are larger than the system allows", function()
    local output = eventsOfScript('cp.spawn("true", {("x"):rep(10 * 1024 * 1024)})')
    assert.equal("error E2BIG\nclose -7\n", output)
  end)

  it("comes as an error event before timers and after nextTick callbacks queued earlier", function()
    local order = {}
    timers.setTimeout(function() order[#order + 1] = "timer" end, 1)
    process:nextTick(function() order[#order + 1] = "tick" end)
    cp.spawn("/nonexistent/command"):on("error", function() order[#order + 1] = "error" end)
    support.run()
    assert.same({"tick", "error", "timer"}, order)
  end)

  it("raises the error out of run when nobody listens to it", function()
    cp.spawn("/nonexistent/command", {"a"})
    local err = support.error(cp.run)
    assert.equal("ENOENT", err.code)
    assert.equal("Error: spawn /nonexistent/command ENOENT", tostring(err))
    support.run()
  end)

  it("has streams, which are destroyed", function()
    local child = cp.spawn("/nonexistent/command")
    local closed = {}
    for _, name in ipairs({"stdin", "stdout", "stderr"}) do
      child[name]:on("close", function() closed[#closed + 1] = name end)
    end
    child:on("error", function() end)
    support.run()
    assert.is_true(child.stdin.destroyed)
    assert.is_true(child.stdout.destroyed)
    assert.is_true(child.stderr.destroyed)
    table.sort(closed)
    assert.same({"stderr", "stdin", "stdout"}, closed)
  end)

  it("leaves no descriptor open", function()
    collectgarbage() -- objects of earlier tests close theirs
    collectgarbage()
    local before = support.openFds()
    for _ = 1, 10 do
      cp.spawn("/nonexistent/command", {stdio = {"pipe", "pipe", "pipe", "pipe", "ignore"}})
        :on("error", function() end)
    end
    support.run()
    assert.same(before, support.openFds())
  end)

  it("does not hinder the next spawn", function()
    cp.spawn("/nonexistent/command"):on("error", function() end)
    local child = cp.spawn("echo", {"next"})
    assert.equal("next\n", (support.output(child)))
  end)

  it("answers kill with false", function()
    local child = cp.spawn("/nonexistent/command")
    child:on("error", function() end)
    assert.is_false(child:kill())
    support.run()
    assert.is_false(child:kill())
    assert.is_false(child.killed)
  end)
end)

describe("where Node surprises", function()
  it("starting a program does not copy the parent's memory", function()
    if not support.sharesMemory then pending("the fork path does copy") end
    -- after a fork, the first write to each page of the parent is a page fault; after vfork none is
    local script = support.script([[
      local cp = require("child_process")
      local function faults()
        local file = assert(io.open("/proc/self/stat"))
        local stat = file:read("*a")
        file:close()
        return tonumber(stat:match("%) %a" .. (" %-?%d+"):rep(6) .. " (%d+)"))
      end
      local count = 2 ^ 21
      local heap = {string.byte(("x"):rep(1000), 1, -1)}
      for i = 1, count do heap[i] = i end
      collectgarbage()
      collectgarbage("stop")
      local function touch()
        local before = faults()
        for i = 1, count do heap[i] = -i end
        return faults() - before
      end
      touch()
      local without = touch()
      local child = cp.spawn("cat", {stdio = {"pipe", "ignore", "ignore"}})
      local with = touch()
      child.stdin:finish()
      cp.run()
      print(with - without < 8 or ("%d page faults, %d without a child"):format(with, without))
    ]])
    assert.equal("true\n", (support.output(cp.spawn(support.lua, {script}))))
  end)
end)
