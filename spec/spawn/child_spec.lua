-- Class ChildProcess: events, properties, methods, and what becomes of one that nobody holds.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local process = require("child_process.process")
local support = require("spec.support")
local timers = require("child_process.timers")


describe("class ChildProcess", function()
  it("extends EventEmitter", function()
    local child = cp.spawn("true")
    for _, name in ipairs({"on", "addListener", "once", "prependListener", "prependOnceListener",
      "off", "removeListener", "removeAllListeners", "emit", "listeners", "rawListeners",
      "listenerCount", "eventNames", "setMaxListeners", "getMaxListeners"}) do
      assert.equal("function", type(child[name]), name)
    end
    local seen
    child:on("an event of my own", function(...) seen = {...} end)
    assert.is_true(child:emit("an event of my own", 1, "two"))
    assert.same({1, "two"}, seen)
    support.run()
  end)

  it("has instances that represent spawned child processes", function()
    local child = cp.spawn("cat")
    assert.equal("userdata", type(child))
    assert.matches("ChildProcess", tostring(child), 1, true)
    assert.is_true(process:kill(child.pid, 0))
    child.stdin:finish()
    support.run()
  end)

  it("has instances on which any field may be set, as on a table", function()
    local child = cp.spawn("true")
    child.note = "mine"
    child[1] = child
    child.on = nil
    assert.equal("mine", child.note)
    assert.equal(child, child[1])
    assert.is_nil(child.nothing)
    assert.equal("function", type(child.on))
    support.run()
    assert.equal("mine", child.note)
  end)

  it("has instances that do not hand out their metatable", function()
    local child = cp.spawn("true")
    assert.are_not.equal("table", type(getmetatable(child)))
    assert.is_false((pcall(setmetatable, child, {})))
    support.run()
  end)
end)

describe("event 'close'", function()
  it("is emitted when the stdio streams of a child process have been closed", function()
    local child = cp.spawn("sh", {"-c", "echo out; echo err >&2"})
    local open = {stdout = true, stderr = true}
    child.stdout:on("close", function() open.stdout = nil end):resume()
    child.stderr:on("close", function() open.stderr = nil end):resume()
    local left
    child:on("close", function() left = next(open) or "none" end)
    support.run()
    assert.equal("none", left)
    assert.is_true(child.stdin.destroyed)
    assert.is_true(child.stdout.destroyed)
    assert.is_true(child.stderr.destroyed)
  end)

  it("has as code the exit code if the child exited on its own", function()
    local child = cp.spawn("sh", {"-c", "exit 3"})
    local events = support.events(child)
    support.run()
    assert.equal("close 3 nil", events[#events])
  end)

  it("has as signal the signal by which the child process was terminated", function()
    local child = cp.spawn("cat")
    local events = support.events(child)
    child:kill("SIGINT")
    support.run()
    assert.equal("close nil SIGINT", events[#events])
  end)

  it("is distinct from 'exit', since multiple processes might share the same stdio "
    .. "streams", function()
    local child = cp.spawn("sh", {"-c", '(read line; echo "late $line") <&3 & exit 3'},
      {stdio = {"pipe", "pipe", "pipe", "pipe"}})
    local order = {}
    child.stdout:on("data", function(data) order[#order + 1] = data end)
    child:on("exit", function(code)
      order[#order + 1] = "exit " .. code
      child.stdio[3]:write("news\n")
    end)
    child:on("close", function(code) order[#order + 1] = "close " .. code end)
    support.run()
    assert.same({"exit 3", "late news\n", "close 3"}, order)
  end)

  it("comes after 'exit' also when the streams were closed long before", function()
    local child = cp.spawn("sh", {"-c", "exec 1>&- 2>&-; read line <&3; exit 4"},
      {stdio = {"ignore", "pipe", "pipe", "pipe"}})
    local events = support.events(child)
    child.stderr:resume()
    child.stdout:resume():on("close", function()
      assert.same({"spawn"}, events)
      child.stdio[3]:finish()
    end)
    support.run()
    assert.same({"spawn", "exit 4 nil", "close 4 nil"}, events)
  end)

  it("comes after 'exit' without any stdio stream", function()
    local child = cp.spawn("true", {stdio = "ignore"})
    local events = support.events(child)
    support.run()
    assert.same({"spawn", "exit 0 nil", "close 0 nil"}, events)
  end)

  it("comes after all data, as in the example of ls", function()
    local ls = cp.spawn("ls", {"-lh", "/usr"})
    local size, sizeAtClose = 0, nil
    ls.stdout:on("data", function(data) size = size + #data end)
    ls:on("close", function() sizeAtClose = size end)
    support.run()
    assert.is_true(size > 0)
    assert.equal(size, sizeAtClose)
  end)
end)

describe("event 'error'", function()
  it("is emitted when the process could not be spawned", function()
    local child = cp.spawn("/nonexistent/command")
    local failure
    child:on("error", function(err) failure = err end)
    support.run()
    assert.equal("ENOENT", failure.code)
  end)

  it("may be followed by no 'exit' event", function()
    local child = cp.spawn("/nonexistent/command")
    local events = support.events(child)
    support.run()
    assert.same({"error Error: spawn /nonexistent/command ENOENT", "close -2 nil"}, events)
  end)
end)

describe("event 'exit'", function()
  it("is emitted after the child process ends", function()
    local child = cp.spawn("true")
    local alive
    child:on("exit", function() alive = pcall(process.kill, process, child.pid, 0) end)
    support.run()
    assert.is_false(alive)
    assert.same({}, support.zombies())
  end)

  it("has as code the final exit code of the process if it exited, otherwise nil", function()
    for _, code in ipairs({0, 1, 42, 255}) do
      local child = cp.spawn("sh", {"-c", "exit " .. code}, {stdio = "ignore"})
      local events = support.events(child)
      support.run()
      assert.equal(("exit %d nil"):format(code), events[2])
    end
  end)

  it("has as signal the string name of the signal that terminated the process, otherwise "
    .. "nil", function()
    for _, name in ipairs({"HUP", "KILL", "TERM", "USR1", "PIPE", "ALRM", "SEGV"}) do
      local child = cp.spawn("sh", {"-c", "ulimit -c 0; kill -" .. name .. " $$"},
        {stdio = "ignore"})
      local events = support.events(child)
      support.run()
      assert.equal("exit nil SIG" .. name, events[2])
    end
  end)

  it("has one of the two always non-null", function()
    for _, command in ipairs({"exit 0", "kill -KILL $$"}) do
      local child = cp.spawn("sh", {"-c", command})
      local code, signal
      child:on("exit", function(...) code, signal = ... end)
      support.run()
      assert.is_true((code == nil) ~= (signal == nil))
    end
  end)

  it("is emitted once, also when the child is killed several times", function()
    local child = cp.spawn("cat")
    local events = support.events(child)
    child:kill()
    child:kill()
    support.run()
    assert.same({"spawn", "exit nil SIGTERM", "close nil SIGTERM"}, events)
  end)

  it("is triggered while child process stdio streams might still be open", function()
    local child = cp.spawn("sh", {"-c", "cat <&3 & exit 0"},
      {stdio = {"ignore", "pipe", "pipe", "pipe"}})
    local destroyedAtExit
    local stdout = support.collect(child.stdout)
    child:on("exit", function()
      destroyedAtExit = child.stdout.destroyed
      child.stdio[3]:finish("after exit")
    end)
    support.run()
    assert.is_false(destroyedAtExit)
    assert.equal("after exit", stdout())
  end)

  it("comes from a script of ours that receives SIGTERM as from any program: it is terminated "
    .. "by it", function()
    local child = cp.spawn(support.lua, {support.script([[
      local cp = require("child_process")
      cp.spawn("cat", {stdio = {0, "ignore", "inherit"}})
        :on("spawn", function() io.write("ready") io.stdout:flush() end)
      cp.run()
    ]])})
    local problems = support.collect(child.stderr)
    child.stdout:on("data", function() child:kill("SIGTERM") end)
    support.run()
    assert.same({nil, "SIGTERM", ""}, {child.exitCode, child.signalCode, problems()})
  end)
end)

describe("event 'spawn'", function()
  it("is emitted once the child process has spawned successfully", function()
    local child = cp.spawn("cat")
    local alive
    child:on("spawn", function()
      alive = process:kill(child.pid, 0)
      child.stdin:finish()
    end)
    support.run()
    assert.is_true(alive)
  end)

  it("is not emitted, and 'error' instead, if the child process does not spawn "
    .. "successfully", function()
    local events = support.events(cp.spawn("/nonexistent/command"))
    support.run()
    assert.equal("error Error: spawn /nonexistent/command ENOENT", events[1])
    for _, event in ipairs(events) do assert.are_not.equal("spawn", event) end
  end)

  it("comes before all other events and before any data is received via stdout or "
    .. "stderr", function()
    local child = cp.spawn("sh", {"-c", "echo out; echo err >&2"})
    local order = {}
    local function note(name) return function() order[#order + 1] = name end end
    child.stdout:on("data", note("stdout data")):on("end", note("stdout end"))
    child.stderr:on("data", note("stderr data")):on("end", note("stderr end"))
    child.stdin:on("close", note("stdin close"))
    child:on("exit", note("exit")):on("close", note("close")):on("spawn", note("spawn"))
    support.run()
    assert.equal("spawn", order[1])
    assert.equal("close", order[#order])
    assert.equal(8, #order)
  end)

  it("will fire regardless of whether an error occurs within the spawned process", function()
    local events = support.events(cp.spawn("sh", {"-c", "/nonexistent/command 2>&-"}))
    support.run()
    assert.same({"spawn", "exit 127 nil", "close 127 nil"}, events)
  end)

  it("also fires when the command that a shell = true should run does not exist", function()
    local child = cp.spawn("/nonexistent/command", {shell = true})
    local events = support.events(child)
    support.run()
    assert.same({"spawn", "exit 127 nil", "close 127 nil"}, events)
  end)
end)

describe("child.channel and child.connected", function()
  it("are nil and false as no IPC channel currently exists", function()
    local child = cp.spawn("true")
    assert.is_nil(child.channel)
    assert.is_false(child.connected)
    support.run()
  end)
end)

describe("child.exitCode", function()
  it("indicates the exit code of the child process", function()
    local child = cp.spawn("sh", {"-c", "exit 9"})
    local atExit
    child:on("exit", function() atExit = child.exitCode end)
    support.run()
    assert.equal(9, atExit)
    assert.equal(9, child.exitCode)
  end)

  it("is nil if the child process is still running", function()
    local child = cp.spawn("cat")
    assert.is_nil(child.exitCode)
    child:on("spawn", function()
      assert.is_nil(child.exitCode)
      child.stdin:finish()
    end)
    support.run()
    assert.equal(0, child.exitCode)
  end)

  it("is nil if the child process was terminated by a signal", function()
    local child = cp.spawn("cat")
    child:kill()
    support.run()
    assert.is_nil(child.exitCode)
  end)
end)

describe("child:kill([signal])", function()
  it("sends a signal to the child process", function()
    for _, signal in ipairs({"SIGHUP", "SIGINT", "SIGKILL", "SIGUSR2"}) do
      local child = cp.spawn("cat")
      child:kill(signal)
      support.run()
      assert.equal(signal, child.signalCode)
    end
  end)

  it("sends the 'SIGTERM' signal if no argument is given", function()
    local child = cp.spawn("cat")
    child:kill()
    support.run()
    assert.equal("SIGTERM", child.signalCode)
  end)

  it("takes any signal of signal(7), by name or number", function()
    for number, name in pairs({[1] = "SIGHUP", [2] = "SIGINT", [9] = "SIGKILL"}) do
      local byName, byNumber = cp.spawn("cat"), cp.spawn("cat")
      assert.is_true(byName:kill(name))
      assert.is_true(byNumber:kill(number))
      support.run()
      assert.equal(name, byName.signalCode)
      assert.equal(name, byNumber.signalCode)
    end
  end)

  it("returns true if kill(2) succeeds, and false otherwise", function()
    local child = cp.spawn("cat")
    assert.is_true(child:kill())
    support.run()
    assert.is_false(child:kill())
  end)

  it("probes with the signal 0 and returns a boolean", function()
    local child = cp.spawn("cat")
    assert.is_true(child:kill(0))
    child.stdin:finish()
    support.run()
    assert.equal(0, child.exitCode)
    assert.is_false(child:kill(0))
  end)

  it("sends SIGHUP in the example of grep, which 'close' reports", function()
    local grep = cp.spawn("grep", {"ssh"})
    local text
    grep:on("close", function(_, signal)
      text = "child process terminated due to receipt of signal " .. signal
    end)
    grep:kill("SIGHUP")
    support.run()
    assert.equal("child process terminated due to receipt of signal SIGHUP", text)
  end)

  it("is not an error for a child process that has already exited", function()
    local child = cp.spawn("true")
    local failure
    child:on("error", function(err) failure = err end)
    support.run()
    assert.is_false(child:kill("SIGKILL"))
    support.run()
    assert.is_nil(failure)
    assert.is_false(child.killed)
    assert.equal(0, child.exitCode)
  end)

  it("may not actually terminate the process", function()
    local child = cp.spawn("sh", {"-c", 'trap "" TERM; echo ready; exec cat'})
    local sent
    child.stdout:once("data", function()
      sent = child:kill("SIGTERM")
      child.stdin:finish()
    end)
    support.run()
    assert.is_true(sent)
    assert.is_true(child.killed)
    assert.equal(0, child.exitCode)
    assert.is_nil(child.signalCode)
  end)

  it("does not terminate child processes of the child process", function()
    local child = cp.spawn("sh", {"-c", "sleep 1000 & echo $!; wait"})
    local grandchild, alive
    child.stdout:on("data", function(data)
      grandchild = tonumber(data:match("%d+"))
      child:kill()
    end)
    child:on("exit", function()
      alive = process:kill(grandchild, 0)
      process:kill(grandchild, "SIGKILL")
    end)
    support.run()
    assert.is_true(alive)
    assert.equal("SIGTERM", child.signalCode)
  end)

  it("works in a listener of 'spawn' and of 'exit'", function()
    local child = cp.spawn("cat")
    child:on("spawn", function() child:kill() end)
    child:on("exit", function() assert.is_false(child:kill()) end)
    support.run()
    assert.equal("SIGTERM", child.signalCode)
  end)
end)

describe("child.killed", function()
  it("is set to true after kill is used to successfully send a signal to the child "
    .. "process", function()
    local child = cp.spawn("cat")
    assert.is_false(child.killed)
    child:kill()
    assert.is_true(child.killed)
    support.run()
    assert.is_true(child.killed)
  end)

  it("indicates also that the signal 0 was sent", function()
    local child = cp.spawn("cat")
    child:kill(0)
    assert.is_true(child.killed)
    child.stdin:finish()
    support.run()
  end)

  it("stays false when the child ended in another way", function()
    local child = cp.spawn("sh", {"-c", "kill -TERM $$"})
    support.run()
    assert.equal("SIGTERM", child.signalCode)
    assert.is_false(child.killed)
  end)

  it("does not indicate that the child process has been terminated", function()
    local child = cp.spawn("cat")
    child:kill(0)
    assert.is_true(child.killed)
    assert.is_nil(child.exitCode)
    child.stdin:finish("still working")
    assert.equal("still working", (support.output(child)))
  end)
end)

describe("child.pid", function()
  it("returns the process identifier (PID) of the child process", function()
    local child = cp.spawn("sh", {"-c", "echo $$"})
    local pid = child.pid
    assert.equal("integer", compat.mathType(pid))
    assert.equal(pid .. "\n", (support.output(child)))
    assert.equal(pid, child.pid)
  end)

  it("is nil if the child process fails to spawn due to errors, and error is emitted", function()
    local child = cp.spawn("/nonexistent/command")
    local events = support.events(child)
    assert.is_nil(child.pid)
    support.run()
    assert.is_nil(child.pid)
    assert.matches("^error ", events[1])
  end)

  it("is there at once, as in the example of grep", function()
    local grep = cp.spawn("grep", {"ssh"})
    assert.matches("^Spawned child pid: %d+$", "Spawned child pid: " .. grep.pid)
    grep.stdin:finish()
    support.run()
    assert.equal(1, grep.exitCode)
  end)
end)

describe("child:ref() and child:unref()", function()
  it("by default, the parent will wait for the child to exit", function()
    local child = cp.spawn("sh", {"-c", "exit 5"}, {stdio = "ignore"})
    support.run()
    assert.equal(5, child.exitCode)
  end)

  it("unref causes the event loop to not include the child in its reference count", function()
    local child = cp.spawn("cat", {stdio = {"pipe", "ignore", "ignore"}})
    child:unref()
    support.run()
    assert.is_nil(child.exitCode)
    child:ref()
    child.stdin:finish()
    support.run()
    assert.equal(0, child.exitCode)
  end)

  it("an unref'd child still emits its events while something else keeps the loop alive", function()
    local child = cp.spawn("true", {stdio = "ignore"})
    local events = support.events(child)
    local guard = timers.setTimeout(function() error("the child did not end") end, 20000)
    child:on("close", function() timers.clearTimeout(guard) end)
    child:unref()
    support.run()
    assert.same({"spawn", "exit 0 nil", "close 0 nil"}, events)
  end)

  it("ref after unref restores the removed reference count, forcing the parent to wait", function()
    local child = cp.spawn("sh", {"-c", "exit 6"}, {stdio = "ignore"})
    child:unref()
    child:ref()
    support.run()
    assert.equal(6, child.exitCode)
  end)

  it("may be called any number of times and after the end", function()
    local child = cp.spawn("sh", {"-c", "exit 6"}, {stdio = "ignore"})
    child:unref()
    child:unref()
    child:ref()
    support.run()
    assert.equal(6, child.exitCode)
    child:ref()
    child:unref()
    support.run()
  end)

  it("may be called on a child that could not be spawned", function()
    local child = cp.spawn("/nonexistent/command")
    child:unref()
    local events = support.events(child)
    support.run()
    assert.same({"error Error: spawn /nonexistent/command ENOENT", "close -2 nil"}, events)
    child:ref()
    support.run()
  end)
end)

describe("child.signalCode", function()
  it("indicates the signal received by the child process if any, else nil", function()
    local killed, ended = cp.spawn("cat"), cp.spawn("true")
    killed:kill("SIGQUIT")
    assert.is_nil(killed.signalCode)
    support.run()
    assert.equal("SIGQUIT", killed.signalCode)
    assert.is_nil(ended.signalCode)
  end)
end)

describe("child.spawnargs", function()
  it("represents the full list of command-line arguments the child process was launched "
    .. "with", function()
    local child = cp.spawn("printf", {"%s", "text"})
    assert.same({"printf", "%s", "text"}, child.spawnargs)
    support.run()
    local renamed = cp.spawn("true", {"a"}, {argv0 = "renamed"})
    assert.same({"renamed", "a"}, renamed.spawnargs)
    support.run()
  end)
end)

describe("child.spawnfile", function()
  it("is for spawn the name of the executable file", function()
    local child = cp.spawn("true", {"a"}, {argv0 = "renamed"})
    assert.equal("true", child.spawnfile)
    support.run()
    assert.equal("true", child.spawnfile)
  end)

  it("is for exec the name of the shell in which the child process is launched", function()
    local child = cp.exec("true")
    local other = cp.exec("true", {shell = "/bin/bash"})
    support.run()
    assert.equal("/bin/sh", child.spawnfile)
    assert.equal("/bin/bash", other.spawnfile)
  end)
end)

describe("child.stderr", function()
  it("is a Readable Stream that represents the child process's stderr", function()
    local child = cp.spawn("sh", {"-c", "echo problem >&2"})
    local stderr = support.collect(child.stderr)
    assert.is_true(child.stderr.readable)
    support.run()
    assert.equal("problem\n", stderr())
  end)

  it("is nil if the child was spawned with stdio[2] set to anything other than 'pipe'", function()
    for _, entry in ipairs({"ignore", 2, "inherit"}) do
      local child = cp.spawn("true", {stdio = {"pipe", "pipe", entry}})
      assert.is_nil(child.stderr)
      assert.is_nil(child.stdio[2])
    end
    support.run()
  end)

  it("is an alias for child.stdio[2]", function()
    local child = cp.spawn("true")
    assert.equal(child.stdio[2], child.stderr)
    support.run()
    assert.equal(child.stdio[2], child.stderr)
  end)
end)

describe("child.stdin", function()
  it("is a Writable Stream that represents the child process's stdin", function()
    local child = cp.spawn("cat")
    assert.is_true(child.stdin.writable)
    child.stdin:write("one ")
    child.stdin:finish("two")
    assert.equal("one two", (support.output(child)))
  end)

  it("has to be closed via finish() for a child process that waits to read all of its "
    .. "input", function()
    local child = cp.spawn("sort")
    local stdout = support.collect(child.stdout)
    child.stdin:write("b\na\n")
    local before
    timers.setTimeout(function()
      before = stdout()
      child.stdin:finish()
    end, 5)
    support.run()
    assert.equal("", before)
    assert.equal("a\nb\n", stdout())
  end)

  it("is nil if the child was spawned with stdio[0] set to anything other than 'pipe'", function()
    for _, entry in ipairs({"ignore", 0, "inherit"}) do
      local child = cp.spawn("true", {stdio = {entry}})
      assert.is_nil(child.stdin)
      assert.is_nil(child.stdio[0])
    end
    support.run()
  end)

  it("is an alias for child.stdio[0]", function()
    local child = cp.spawn("true")
    assert.equal(child.stdio[0], child.stdin)
    support.run()
    assert.equal(child.stdio[0], child.stdin)
  end)
end)

describe("child.stdout", function()
  it("is a Readable Stream that represents the child process's stdout", function()
    local chunks = {}
    local ls = cp.spawn("ls", {"/"})
    ls.stdout:on("data", function(data) chunks[#chunks + 1] = "Received chunk " .. data end)
    support.run()
    assert.matches("^Received chunk .*usr\n", table.concat(chunks))
  end)

  it("is nil if the child was spawned with stdio[1] set to anything other than 'pipe'", function()
    local null = assert(io.open("/dev/null", "w"))
    for _, entry in ipairs({"ignore", 1, "inherit", null}) do
      local child = cp.spawn("true", {stdio = {"pipe", entry}})
      assert.is_nil(child.stdout)
      assert.is_nil(child.stdio[1])
    end
    support.run()
    null:close()
  end)

  it("is an alias for child.stdio[1]", function()
    local child = cp.spawn("true")
    assert.equal(child.stdio[1], child.stdout)
    support.run()
    assert.equal(child.stdio[1], child.stdout)
  end)
end)

describe("child.stdio", function()
  it("is a sparse array of pipes, corresponding with positions in the stdio option set to "
    .. "'pipe'", function()
    local child = cp.spawn("true", {stdio = {"pipe", "ignore", 2, "pipe", "ignore", "pipe"}})
    local positions = {}
    for fd in pairs(child.stdio) do positions[#positions + 1] = fd end
    table.sort(positions)
    assert.same({0, 3, 5}, positions)
    support.run()
  end)

  it("has its first three also available as child.stdin, child.stdout, and child.stderr", function()
    local child = cp.spawn("true")
    assert.equal(child.stdin, child.stdio[0])
    assert.equal(child.stdout, child.stdio[1])
    assert.equal(child.stderr, child.stdio[2])
    support.run()
  end)

  it("has only child.stdio[1] in the example where only the child's fd 1 is configured as a "
    .. "pipe", function()
    local file = assert(io.open(support.tmpdir() .. "/err.out", "w"))
    local child = cp.spawn("ls", {stdio = {
      0, -- Use parent's stdin for child.
      "pipe", -- Pipe child's stdout to parent.
      file, -- Direct child's stderr to a file.
    }})
    assert.is_nil(child.stdio[0])
    assert.equal(child.stdio[0], child.stdin)
    assert.is_not_nil(child.stdout)
    assert.equal(child.stdio[1], child.stdout)
    assert.is_nil(child.stdio[2])
    assert.equal(child.stdio[2], child.stderr)
    support.run()
    file:close()
  end)
end)

describe("local child <close> = cp.spawn(...)", function()
  --- Calls a function in a block that has the child in such a variable, or does what stands for
  --- that in Lua before 5.4.
  local inBlock = support.closesVariables
    and load("local value, fn = ... local child <close> = value fn()")
    or function(child, fn)
      local ok, err = pcall(fn)
      child:dispose()
      if not ok then error(err, 0) end
    end

  it("kills the child when the block is left", function()
    local child = cp.spawn("cat")
    inBlock(child, function() assert.is_false(child.killed) end)
    support.run()
    assert.equal("SIGTERM", child.signalCode)
    assert.is_true(child.killed)
  end)

  it("kills the child when the block is left by an error", function()
    local child = cp.spawn("cat")
    local err = support.error(inBlock, child, function() error("on the way", 0) end)
    assert.equal("on the way", err)
    support.run()
    assert.equal("SIGTERM", child.signalCode)
  end)

  it("leaves a child alone that has ended or was never started", function()
    local ended = cp.spawn("true")
    inBlock(ended, support.run)
    local failed = cp.spawn("/nonexistent/command")
    inBlock(failed, function() failed:on("error", function() end) end)
    support.run()
    assert.equal(0, ended.exitCode)
    assert.is_false(ended.killed)
    assert.is_false(failed.killed)
  end)
end)

describe("the garbage collector", function()
  it("leaves a running child alone that only its listeners know", function()
    local code
    do
      local child = cp.spawn("sh", {"-c", "cat; exit 8"})
      child:on("exit", function(value) code = value end)
      child.stdin:finish()
    end
    collectgarbage()
    collectgarbage()
    support.run()
    assert.equal(8, code)
    assert.same({}, support.zombies())
  end)

  it("takes a child that has ended, with its streams", function()
    collectgarbage() -- what earlier tests have left
    local before = support.openFds()
    local weak = setmetatable({}, {__mode = "v"})
    do
      local child = cp.spawn("cat", {stdio = {"pipe", "pipe", "pipe", "pipe"}})
      child:on("exit", function() child.seen = true end)
      weak[1], weak[2], weak[3] = child, child.stdin, child.stdio[3]
      child.stdin:finish()
    end
    support.run()
    collectgarbage()
    collectgarbage()
    assert.same({}, weak)
    assert.same(before, support.openFds())
  end)

  it("leaves streams alone that somebody still reads", function()
    local text = {}
    do
      local child = cp.spawn("sh", {"-c", "cat; echo end"})
      child.stdout:on("data", function(data) text[#text + 1] = data end)
      child.stdin:finish("begin ")
    end
    collectgarbage()
    collectgarbage()
    support.run()
    assert.equal("begin end\n", table.concat(text))
  end)
end)

describe("where Node surprises", function()
  local lastPid = "/proc/sys/kernel/ns_last_pid"

  --- Starts a program under a given pid, where the system lets us choose; nil where it does not.
  local function spawnWithPid(pid)
    for _ = 1, 100 do
      local file = io.open(lastPid, "w")
      if not (file and file:write(pid - 1) and file:close()) then return nil end
      local child = cp.spawn("cat")
      if child.pid == pid then return child end
      child.stdin:finish()
      support.run()
    end
  end

  it("kill never hits another process that got the same pid", function()
    local first = cp.spawn("true")
    support.run()
    local second = spawnWithPid(first.pid)
    if not second then pending("needs the right to choose pids") end
    assert.is_false(first:kill())
    assert.is_false(first:kill("SIGKILL"))
    second.stdin:finish()
    support.run()
    assert.equal(0, second.exitCode)
    assert.is_nil(second.signalCode)
  end)
end)

describe("a host program with its own ways", function()
  --- Runs a script that has the module `host` and gives what it prints.
  local function outputOfHost(text)
    return support.runHost([[
      local function noteExit(child)
        child:on("exit", function(code, signal) print("exit", code, signal) end)
        child:on("close", function(code, signal) print("close", code, signal) end)
      end
    ]] .. text)
  end

  local function exitAndClose(code)
    return ("exit\t%d\tnil\nclose\t%d\tnil\n"):format(code, code)
  end

  it("that ignores SIGCHLD does not break us", function()
    local output = outputOfHost([[
      host.ignoreSigchld()
      noteExit(cp.spawn("sh", {"-c", "exit 7"}))
      cp.run()
    ]])
    if support.hasPidfds() and not support.keepsStatus() then
      assert.equal(exitAndClose(-10), output)
    else
      assert.equal(exitAndClose(7), output)
    end
  end)

  it("that reaps with waitpid(-1) does not break us", function()
    local output = outputOfHost([[
      local child = cp.spawn("sh", {"-c", "exit 7"}, {stdio = "ignore"})
      noteExit(child)
      print(host.reapAll())
      cp.run()
      print(child:kill())
    ]])
    assert.equal("1\n" .. exitAndClose(support.keepsStatus() and 7 or -10) .. "false\n", output)
  end)

  it("that reaps a killed child with waitpid(-1) does not break us", function()
    if not support.keepsStatus() then pending("the kernel forgets the status") end
    local output = outputOfHost([[
      local child = cp.spawn("cat", {stdio = {"pipe", "ignore", "ignore"}})
      noteExit(child)
      child:kill("SIGKILL")
      host.reapAll()
      cp.run()
    ]])
    assert.equal("exit\tnil\tSIGKILL\nclose\tnil\tSIGKILL\n", output)
  end)

  it("that has its own SIGCHLD handler is not broken by us", function()
    local output = outputOfHost([[
      host.handleSigchld()
      noteExit(cp.spawn("sh", {"-c", "exit 7"}))
      cp.run()
      local handler, calls = host.sigchld()
      print(handler, calls > 0)
    ]])
    assert.equal(exitAndClose(7) .. "host\ttrue\n", output)
  end)

  it("that sets its own SIGCHLD handler later keeps it", function()
    local output = outputOfHost([[
      local child = cp.spawn("sh", {"-c", "read line; exit 7"})
      noteExit(child)
      host.handleSigchld()
      child.stdin:finish("x\n")
      cp.run()
      collectgarbage()
      print((host.sigchld()))
    ]])
    assert.equal(exitAndClose(7) .. "host\n", output)
  end)

  it("that has its own SIGCHLD handler does not break us", function()
    local output = outputOfHost([[
      host.handleSigchld()
      noteExit(cp.spawn("sh", {"-c", "exit 7"}))
      cp.run()
    ]])
    assert.equal(exitAndClose(7), output)
  end)

  it("gets no signal handler from us where the kernel has pidfds", function()
    if not support.hasPidfds() then pending("without pidfds the signal handler is ours") end
    local output = outputOfHost([[
      noteExit(cp.spawn("true"))
      print((host.sigchld()))
      cp.run()
      print((host.sigchld()))
    ]])
    assert.equal("default\n" .. exitAndClose(0) .. "default\n", output)
  end)

  it("whose child could not be killed gets an 'error' event, and 'exit' when it has "
    .. "ended", function()
    support.needRoot()
    local output = outputOfHost([[
      require("child_process.errors")
      local child = cp.spawn("cat", {stdio = {"pipe", "ignore", "inherit"}})
      noteExit(child)
      child:on("error", function(err)
        print((tostring(err):gsub(tostring(child.pid), "PID")))
        print(err.code, err.errno, err.syscall)
      end)
      host.setUid(65534)
      print(child:kill(), child.killed)
      child.stdin:finish()
      cp.run()
    ]])
    assert.equal("Error: kill EPERM: SIGTERM was refused for process PID, which runs as another "
      .. "user\nEPERM\t-1\tkill\nfalse\tfalse\n" .. exitAndClose(0), output)
  end)

  it("whose child is killed before it could execute anything gets its 'exit'", function()
    local output = outputOfHost([[
      if not host.killAtExec() then return print("no filters") end
      local child = cp.spawn("true", {stdio = "ignore"})
      noteExit(child)
      cp.run()
      local there, err = pcall(process.kill, process, child.pid, 0)
      print("zombie", there or err.code ~= "ESRCH")
    ]])
    if output == "no filters\n" then pending("the system has no filters for system calls") end
    assert.equal("exit\tnil\tSIGSYS\nclose\tnil\tSIGSYS\nzombie\tfalse\n", output)
  end)

  it("that may not change identity gets an EPERM error event for options.uid", function()
    support.needRoot()
    local output = outputOfHost([[
      cp.spawn("/nonexistent/command"):on("error", function() end)
      cp.run()
      host.setUid(65534)
      local child = cp.spawn("true", {uid = 0})
      noteExit(child)
      child:on("error", function(err) print(tostring(err), err.syscall) end)
      cp.run()
    ]])
    assert.equal("Error: spawn true EPERM: cannot switch to the user 0 (options.uid)\t"
      .. "spawn true\nclose\t-1\tnil\n", output)
  end)
end)
