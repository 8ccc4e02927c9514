-- The process object, as far as it needs no channel. What a script that was forked has besides is
-- in fork/launch_spec.lua.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local lfs = require("lfs")
local process = require("child_process.process")
local support = require("spec.support")

--- Spawns a script that has the module and the process object.
local function spawnScript(text, args, options)
  local script = support.script(([[
    local compat = require("child_process.base.compat")
    local cp = require("child_process")
    local process = require("child_process.process")
    %s
  ]]):format(text))
  return cp.spawn(support.lua, {script, compat.unpack(args or {})}, options), script
end

describe("process.env", function()
  it("reads the real environment", function()
    assert.equal(os.getenv("PATH"), process.env.PATH)
    assert.is_nil(process.env.SPEC_NOT_SET)
  end)

  it("writes the real environment", function()
    process.env.SPEC_WRITTEN = "by process.env"
    assert.equal("by process.env", os.getenv("SPEC_WRITTEN"))
    assert.equal("by process.env", process.env.SPEC_WRITTEN)
    process.env.SPEC_WRITTEN = nil
    assert.is_nil(os.getenv("SPEC_WRITTEN"))
    assert.is_nil(process.env.SPEC_WRITTEN)
  end)

  it("converts what is written to a string", function()
    process.env.SPEC_WRITTEN = 12
    assert.equal("12", process.env.SPEC_WRITTEN)
    process.env.SPEC_WRITTEN = true
    assert.equal("true", process.env.SPEC_WRITTEN)
    process.env.SPEC_WRITTEN = nil
  end)

  local function findsWritten(...)
    local found = {}
    for key, value in ... do found[key] = value end
    assert.equal("a=b", found.SPEC_WRITTEN)
    assert.equal(os.getenv("PATH"), found.PATH)
  end

  it("can be walked", function()
    process.env.SPEC_WRITTEN = "a=b"
    findsWritten(process.env())
    process.env.SPEC_WRITTEN = nil
  end)

  it("can be walked with pairs", function()
    if support.luaVersion == "5.1" then pending("pairs does not call __pairs in Lua 5.1") end
    process.env.SPEC_WRITTEN = "a=b"
    findsWritten(pairs(process.env))
    process.env.SPEC_WRITTEN = nil
  end)

  it("can be walked whatever the variables are called", function()
    local names = {"pairs", "__pairs", "__index", "n", "next", "1"}
    for _, name in ipairs(names) do process.env[name] = "of " .. name end
    local found = {}
    for key, value in process.env() do found[key] = value end
    for _, name in ipairs(names) do process.env[name] = nil end
    for _, name in ipairs(names) do assert.equal("of " .. name, found[name]) end
    assert.equal(os.getenv("PATH"), found.PATH)
  end)

  it("can be changed while it is walked", function()
    for index = 1, 9 do process.env["SPEC_" .. index] = "x" end
    for key in process.env() do
      if key:find("^SPEC_%d$") then process.env[key] = nil end
    end
    for index = 1, 9 do assert.is_nil(os.getenv("SPEC_" .. index)) end
  end)

  it("writes numbers as arguments are written, and takes nothing but text", function()
    process.env.SPEC_WRITTEN = 2.0
    assert.equal("2", os.getenv("SPEC_WRITTEN"))
    for _, value in ipairs({{}, print, 0 / 0}) do
      local err = support.error(function() process.env.SPEC_WRITTEN = value end)
      assert.matches("^ERR_INVALID_ARG_", err.code)
      assert.matches("env.SPEC_WRITTEN", err.message, 1, true)
    end
    assert.equal("2", os.getenv("SPEC_WRITTEN"))
    process.env.SPEC_WRITTEN = nil
  end)

  it("raises a TypeError for a name that is not a string", function()
    for _, name in ipairs({true, 1, print}) do
      local err = support.error(function() process.env[name] = "x" end)
      assert.equal("TypeError", err.name)
      assert.equal("ERR_INVALID_ARG_TYPE", err.code)
    end
  end)

  it("raises ERR_INVALID_ARG_VALUE for NUL bytes in a name or value, and sets nothing", function()
    local err = support.error(function() process.env.SPEC_WRITTEN = "a\0b" end)
    assert.equal("ERR_INVALID_ARG_VALUE", err.code)
    assert.matches("env.SPEC_WRITTEN", err.message, 1, true)
    err = support.error(function() process.env["SPEC_WRITTEN\0x"] = "a" end)
    assert.equal("ERR_INVALID_ARG_VALUE", err.code)
    assert.is_nil(process.env.SPEC_WRITTEN)
  end)
end)

--- Runs the interpreter with the arguments, one of which may be a script that it reads from stdin.
local function outputOf(args, stdin)
  local child = cp.spawn(support.lua, args)
  child.stdin:finish(stdin)
  return (support.output(child))
end

-- Whether the interpreter makes the table `arg` without a script.
local tellsArguments = support.luaVersion ~= "5.1" or support.isLuaJIT

-- The interpreter that `make test-asan` makes knows -e and -l alone.
local function needFlags()
  if cp.spawnSync(support.lua, {"-W", "-e", ""}).status ~= 0 then
    pending("this interpreter does not know the flags")
  end
end

describe("process.argv", function()
  it("has the interpreter at 0, the script at 1 and the script's first argument at 2", function()
    local child, script = spawnScript([[
      print(process.argv[0] == process.execPath)
      for i = 1, 4 do print(process.argv[i]) end
    ]], {"first", "second word"})
    assert.equal(("true\n%s\nfirst\nsecond word\nnil\n"):format(script), (support.output(child)))
  end)
end)

describe("process.argv without a script", function()
  it("has the interpreter alone", function()
    local code = [[
      local process = require("child_process.process")
      print(process.argv0, process.argv[0] == process.execPath, process.argv[1], #process.argv)
    ]]
    -- Lua 5.1 tells its arguments only to a script
    local name = tellsArguments and support.lua or process.execPath
    local expected = ("%s\ttrue\tnil\t0\n"):format(name)
    assert.equal(expected, outputOf({"-l", "os", "-e", code}))
    assert.equal(expected, outputOf({}, code))
  end)
end)

describe("process.execArgv", function()
  local SHOW = [[print(table.concat(require("child_process.process").execArgv, " "))]]

  it("is what stands between the interpreter and the script", function()
    local script = support.script(SHOW)
    assert.equal("\n", outputOf({script, "-l", "io"}))
    assert.equal("-l os -l io\n", outputOf({"-l", "os", "-l", "io", script, "-l", "x"}))
    needFlags()
    assert.equal("-W -los\n", outputOf({"-W", "-los", script}))
  end)

  it("has -e with its code, but no - and no --", function()
    local script = support.script(SHOW)
    assert.equal("-e x = 1 -l os\n", outputOf({"-e", "x = 1", "-l", "os", script}))
    assert.equal("-l os\n", outputOf({"-l", "os", "-"}, SHOW))
    needFlags()
    assert.equal("-ex=1 -W\n", outputOf({"-ex=1", "-W", "--", script}))
    assert.matches("^[^\n]*\n%-i %-W\n", outputOf({"-i", "-W", script}))
  end)

  it("is found where there is no script, too", function()
    assert.equal("\n", outputOf({}, SHOW))
    if not tellsArguments then pending("Lua 5.1 tells its arguments only to a script") end
    assert.equal("-l os -e " .. SHOW .. "\n", outputOf({"-l", "os", "-e", SHOW}))
    needFlags()
    assert.equal("-W\n", outputOf({"-W"}, SHOW))
  end)

end)

describe("process.execPath", function()
  it("is the absolute path of the interpreter that is running", function()
    local child = spawnScript("print(process.execPath)")
    local path = (support.output(child)):match("^(/[^\n]+)\n$")
    assert.is_not_nil(path)
    local again = cp.spawn(path, {"-e", "print(_VERSION)"})
    assert.equal(_VERSION .. "\n", (support.output(again)))
  end)
end)

describe("process.argv0", function()
  it("is the original argv[0] of the process", function()
    local child = spawnScript("print(process.argv0)", {}, {argv0 = "a name"})
    assert.equal("a name\n", (support.output(child)))
  end)
end)

describe("process.pid and process.ppid", function()
  it("are the ids of the process and of its parent", function()
    local child = spawnScript("print(process.pid, process.ppid)")
    assert.equal(("%d\t%d\n"):format(child.pid, process.pid), (support.output(child)))
    assert.equal("integer", compat.mathType(process.pid))
  end)
end)

describe("What the system says about the process", function()
  it("cannot be set", function()
    for _, name in ipairs({"pid", "ppid", "platform"}) do
      local before = process[name]
      local err = support.error(function() process[name] = 1 end)
      assert.equal("ERR_INVALID_ARG_VALUE", err.code)
      assert.matches(("'process.%s' cannot be set"):format(name), err.message, 1, true)
      assert.equal(before, process[name])
    end
  end)
end)

describe("process.platform", function()
  it("is the name of the operating system", function()
    local uname = support.output(cp.spawn("uname"))
    assert.equal(uname:lower():match("%a+"), process.platform)
  end)
end)

describe("process.title", function()
  it("is what ps calls the process, and may be set", function()
    if not support.forLinux then pending("POSIX does not tell") return end
    local child = spawnScript([[
      local function ps()
        local columns = {"-o", "comm=", "-p", tostring(process.pid)}
        return cp.execFileSync("ps", columns):match("^(.-)%s*$")
      end
      print(process.title == ps())
      process.title = "new title"
      print(process.title, ps())
    ]])
    assert.equal("true\nnew title\tnew title\n", (support.output(child)))
  end)

  it("is cut off after the 15 bytes that Linux keeps", function()
    if not support.forLinux then pending("POSIX does not tell") return end
    local child = spawnScript([[
      process.title = "0123456789abcdefghi"
      print(process.title)
    ]])
    assert.equal("0123456789abcde\n", (support.output(child)))
  end)

  it("may be empty, and other values than strings are converted", function()
    if not support.forLinux then pending("POSIX does not tell") return end
    local child = spawnScript([[
      process.title = ""
      io.write("[", process.title, "]")
      process.title = true
      io.write("[", process.title, "]")
    ]])
    assert.equal("[][true]", (support.output(child)))
  end)
end)

describe("process:uptime()", function()
  it("is the seconds since the process was started", function()
    local before = process:hrtime()
    local child = spawnScript([[
      print(compat.mathType(process:uptime()), process:uptime(), process:uptime())
    ]])
    local kind, first, second = (support.output(child)):match("(%a+)\t(%S+)\t(%S+)")
    local passed = process:hrtime(before)
    assert.equal("float", kind)
    assert.is_true(0 < tonumber(first) and tonumber(first) < tonumber(second))
    -- the system notes the start to the hundredth of a second
    assert.is_true(tonumber(second) <= passed[1] + passed[2] / 1e9 + 0.01)
  end)

  it("counts from before the module was loaded", function()
    if not support.forLinux then pending("POSIX does not tell") return end
    local child = cp.spawn(support.lua, {support.script([[
      while os.clock() < 0.1 do end
      print(require("child_process.process"):uptime())
    ]])})
    assert.is_true(tonumber((support.output(child))) >= 0.1)
  end)
end)

describe("process:memoryUsage()", function()
  it("has the bytes that are resident, and those that the Lua state holds", function()
    local child = spawnScript([[
      local before = process:memoryUsage()
      local list = {}
      for index = 1, 2 ^ 22 do list[index] = index end
      local after = process:memoryUsage()
      local function grown(field)
        return compat.mathType(after[field]), after[field] - before[field] > 4 * #list
      end
      print(grown("rss"))
      print(grown("heapUsed"))
    ]])
    assert.equal("integer\ttrue\ninteger\ttrue\n", (support.output(child)))
  end)
end)

describe("process.exitCode", function()
  it("is nil at first, and what was assigned then", function()
    local child = spawnScript([[
      print(process.exitCode)
      for _, code in ipairs({0, 255, 3.0, "7"}) do
        process.exitCode = code
        print(process.exitCode)
      end
      process.exitCode = nil
      print(process.exitCode)
    ]])
    assert.equal("nil\n0\n255\n3\n7\nnil\n", (support.output(child)))
    assert.equal(0, child.exitCode)
  end)

  it("cannot be anything but an integer", function()
    for value, code in pairs({
      abc = "ERR_INVALID_ARG_TYPE", [print] = "ERR_INVALID_ARG_TYPE", [1.5] = "ERR_OUT_OF_RANGE",
    }) do
      local err = support.error(function() process.exitCode = value end)
      assert.equal(code, err.code)
      assert.matches('"code"', err.message, 1, true)
      assert.equal(code, support.error(process.exit, process, value).code)
    end
    assert.is_nil(process.exitCode)
  end)
end)

describe("process:cwd() and process:chdir(directory)", function()
  it("give and change the current working directory", function()
    local before = process:cwd()
    assert.equal(lfs.currentdir(), before)
    process:chdir("/usr")
    local within = process:cwd()
    local child = cp.spawn("pwd")
    process:chdir(before)
    assert.equal("/usr", within)
    assert.equal("/usr\n", (support.output(child)))
    assert.equal(before, process:cwd())
  end)

  it("raise an error when the directory does not exist", function()
    local err = support.error(process.chdir, process, "/nonexistent")
    assert.equal("ENOENT", err.code)
    assert.equal("chdir", err.syscall)
    assert.equal(-2, err.errno)
    assert.matches("/nonexistent", err.message, 1, true)
  end)

  it("raise a TypeError when the directory is not a string", function()
    local err = support.error(process.chdir, process, 1)
    assert.equal("ERR_INVALID_ARG_TYPE", err.code)
    assert.matches('"directory"', err.message, 1, true)
  end)

  it("raise ERR_INVALID_ARG_VALUE when the directory has a NUL byte, and change nothing", function()
    local before = process:cwd()
    local err = support.error(process.chdir, process, "/usr\0/bin")
    assert.equal("ERR_INVALID_ARG_VALUE", err.code)
    assert.matches("'directory'", err.message, 1, true)
    assert.equal(before, process:cwd())
  end)
end)

describe("process:exit([code])", function()
  it("ends the process at once with the code", function()
    local child = spawnScript([[
      local options = {stdio = "ignore", killOnParentExit = true}
      cp.spawn("sleep", {"1000"}, options):on("spawn", function(_)
        process:exit(7)
        print("never")
      end)
      cp.run()
    ]])
    assert.equal("", (support.output(child)))
    assert.equal(7, child.exitCode)
  end)

  it("uses process.exitCode, or 0, if no code is given", function()
    local plain = spawnScript("process:exit()")
    local given = spawnScript("process.exitCode = 5; process:exit()")
    support.run()
    assert.equal(0, plain.exitCode)
    assert.equal(5, given.exitCode)
  end)

  it("emits 'exit' with the code first", function()
    local child = spawnScript([[
      process:on("exit", function(code) io.write("exit ", code, "\n") end)
      process:exit(3)
    ]])
    assert.equal("exit 3\n", (support.output(child)))
    assert.equal(3, child.exitCode)
  end)

  it("ends the process with a new code when it is called in a listener of 'exit', which is not "
    .. "emitted again", function()
    local child = spawnScript([[
      process:on("exit", function(code)
        io.write("exit ", code, "\n")
        process:exit(3)
      end)
      process:exit(1)
    ]])
    local stdout, stderr = support.output(child)
    assert.equal("exit 1\n", stdout)
    assert.equal("", stderr)
    assert.equal(3, child.exitCode)
  end)

  it("loses nothing that was written to process.stdout", function()
    local child = spawnScript([[
      for _ = 1, 10 do process.stdout:write(("x"):rep(100000)) end
      process:exit(0)
    ]])
    assert.equal(1000000, #(support.output(child)))
  end)
end)

describe("process:kill(pid[, signal])", function()
  it("sends the signal to the process identified by pid, by default 'SIGTERM'", function()
    local first, second, third = cp.spawn("cat"), cp.spawn("cat"), cp.spawn("cat")
    assert.is_true(process:kill(first.pid))
    assert.is_true(process:kill(second.pid, "SIGINT"))
    assert.is_true(process:kill(third.pid, 9))
    support.run()
    assert.equal("SIGTERM", first.signalCode)
    assert.equal("SIGINT", second.signalCode)
    assert.equal("SIGKILL", third.signalCode)
    assert.is_false(first.killed)
  end)

  it("raises an error if the target does not exist, also with the signal 0, which tests just "
    .. "that", function()
    local child = cp.spawn("cat")
    assert.is_true(process:kill(child.pid, 0))
    child.stdin:finish()
    support.run()
    local err = support.error(process.kill, process, child.pid, 0)
    assert.equal("ESRCH", err.code)
    assert.equal("kill", err.syscall)
    assert.equal("kill ESRCH", err.message)
  end)

  it("raises an error for an unknown signal or a pid that is not a number", function()
    local err = support.error(process.kill, process, process.pid, "SIGNONE")
    assert.equal("ERR_UNKNOWN_SIGNAL", err.code)
    err = support.error(process.kill, process, "x")
    assert.equal("ERR_INVALID_ARG_TYPE", err.code)
    assert.matches('"pid"', err.message, 1, true)
  end)

  it("raises an error for a pid that does not fit into 32 bits, and signals nobody else", function()
    for _, pid in ipairs({0x100000000, 0x100000000 + process.pid, -0x80000001}) do
      local err = support.error(process.kill, process, pid, 0)
      assert.equal("ERR_INVALID_ARG_TYPE", err.code)
      assert.matches('"pid"', err.message, 1, true)
    end
  end)
end)

describe("process:hrtime([time])", function()
  it("returns the time as seconds and nanoseconds, or the difference to an earlier one", function()
    local time = process:hrtime()
    assert.equal("integer", compat.mathType(time[1]))
    assert.equal("integer", compat.mathType(time[2]))
    local child = cp.spawn("true")
    support.run()
    assert.equal(0, child.exitCode)
    local elapsed = process:hrtime(time)
    assert.is_true(elapsed[1] > 0 or elapsed[1] == 0 and elapsed[2] > 0)
    assert.is_true(elapsed[2] < 1000000000)
  end)

  it("raises an error when time is not the seconds and nanoseconds of an earlier one", function()
    for _, case in ipairs({
      {1, "ERR_INVALID_ARG_TYPE", 'The "time" argument must be of type table.'},
      {{}, "ERR_OUT_OF_RANGE", 'The value of "time" is out of range. It must be 2 entries long. '
        .. "Received 0"},
      {{1}, "ERR_OUT_OF_RANGE", "Received 1"},
      {{1, "b"}, "ERR_INVALID_ARG_TYPE", 'The "time[2]" argument must be integer.'},
    }) do
      local err = support.error(process.hrtime, process, case[1])
      assert.equal(case[2], err.code)
      assert.matches(case[3], err.message, 1, true)
    end
  end)
end)

describe("process:nextTick(callback[, ...args])", function()
  it("calls the callback with the args once the current operation is over, before the loop "
    .. "goes on", function()
    local order = {}
    process:nextTick(function(...) order[#order + 1] = table.concat({"tick", ...}, " ") end, "a", 2)
    order[1] = "operation"
    support.run()
    assert.same({"operation", "tick a 2"}, order)
  end)

  it("raises a TypeError when the callback is not a function", function()
    local err = support.error(process.nextTick, process, 1)
    assert.equal("ERR_INVALID_ARG_TYPE", err.code)
    assert.matches('"callback"', err.message, 1, true)
  end)
end)

describe("process.stdin, process.stdout and process.stderr", function()
  it("are streams", function()
    local child = spawnScript([[
      process.stdin:setEncoding("utf8")
      process.stdin:on("data", function(data) process.stdout:write(data:upper()) end)
      process.stdin:on("end", function() process.stderr:write("end of input\n") end)
      cp.run()
    ]])
    child.stdin:write("one ")
    child.stdin:finish("two")
    local stdout, stderr = support.output(child)
    assert.equal("ONE TWO", stdout)
    assert.equal("end of input\n", stderr)
    assert.equal(0, child.exitCode)
  end)

  it("are the same object each time", function()
    assert.equal(process.stdin, process.stdin)
    assert.equal(process.stdout, process.stdout)
    assert.are_not.equal(process.stdout, process.stderr)
  end)

  it("write after what was written through Lua's own files before", function()
    local child = spawnScript([[
      io.write("first ")
      process.stdout:write("second ")
      io.write("third")
    ]])
    assert.equal("first second third", (support.output(child)))
  end)

  it("are still ours after a child had them", function()
    local child = spawnScript([[
      cp.spawn("echo", {"the child"}, {stdio = {"ignore", process.stdout, process.stderr}})
        :on("close", function()
          process.stdout:write("the parent\n")
          process.stdin:on("data", function(data) process.stdout:write(data) end)
        end)
      cp.run()
    ]])
    child.stdin:finish("the input\n")
    assert.equal("the child\nthe parent\nthe input\n", (support.output(child)))
  end)

  it("can be the ends of pipe", function()
    local child = spawnScript([[
      process.stdin:pipe(process.stdout)
      cp.run()
    ]])
    child.stdin:finish(("line\n"):rep(50000))
    assert.equal(250000, #(support.output(child)))
  end)

  it("read and write files", function()
    local folder = support.tmpdir()
    local input = assert(io.open(folder .. "/input", "w"))
    input:write(("line\n"):rep(50000))
    input:close()
    input = assert(io.open(folder .. "/input"))
    local output = assert(io.open(folder .. "/output", "w"))
    local child = spawnScript([[
      process.stdin:on("data", function(data) process.stdout:write(data) end)
      cp.run()
    ]], {}, {stdio = {input, output, "inherit"}})
    input:close()
    output:close()
    support.run()
    assert.equal(0, child.exitCode)
    assert.equal(250000, lfs.attributes(folder .. "/output", "size"))
  end)

  it("do not keep the loop alive while nobody reads", function()
    local child = spawnScript([[
      assert(process.stdin and process.stdout and process.stderr)
      cp.run()
      print("done")
    ]])
    local stdout = support.collect(child.stdout)
    child.stdout:on("data", function() child.stdin:finish() end)
    support.run()
    assert.equal("done\n", stdout())
  end)

  it("leave the terminal or pipe that other programs share in blocking mode", function()
    local child = spawnScript([[
      process.stdin:on("data", function() end)
      process.stdout:write("written ")
      cp.spawn("sh", {"-c", "grep -h flags: /proc/self/fdinfo/0 /proc/self/fdinfo/1"},
        {stdio = "inherit"})
        :on("exit", function() process.stdin:destroy() end)
      cp.run()
    ]])
    local nonblocking = {}
    for octal in (support.output(child)):gmatch("flags:%s*(%d+)") do
      nonblocking[#nonblocking + 1] = octal:find("[4-7]...$") ~= nil
    end
    assert.same({false, false}, nonblocking)
  end)
end)

describe("signals by name", function()
  it("call the listener instead of terminating the process", function()
    local child = spawnScript([[
      process:on("SIGTERM", function(name, number)
        print(name, number)
        process.stdin:destroy()
      end)
      process.stdin:resume()
      print("ready")
      io.stdout:flush()
      cp.run()
    ]])
    local stdout = support.collect(child.stdout)
    child.stdout:once("data", function() child:kill("SIGTERM") end)
    support.run()
    assert.equal("ready\nSIGTERM\t15\n", stdout())
    assert.equal(0, child.exitCode)
  end)

  it("do not keep the loop alive", function()
    local child = spawnScript([[
      process:on("SIGUSR1", function() end)
      cp.run()
      print("done")
    ]])
    assert.equal("done\n", (support.output(child)))
  end)

  it("are delivered to ourselves by process:kill", function()
    local received
    local timers = require("child_process.timers")
    local guard = timers.setTimeout(function() end, 20000)
    process:once("SIGUSR2", function(name)
      received = name
      timers.clearTimeout(guard)
    end)
    process:kill(process.pid, "SIGUSR2")
    support.run()
    assert.equal("SIGUSR2", received)
  end)

  it("have their default effect again when the last listener is removed", function()
    local child = spawnScript([[
      local function listener() print("caught") end
      process:on("SIGTERM", listener)
      process:off("SIGTERM", listener)
      process.stdin:resume()
      process.stdout:write("ready\n")
      cp.run()
    ]])
    child.stdout:on("data", function() child:kill("SIGTERM") end)
    support.run()
    assert.equal("SIGTERM", child.signalCode)
  end)

  it("are handled as long as one listener is left", function()
    local child = spawnScript([[
      process:on("SIGTERM", function()
        process.stdout:write("caught\n")
        process.stdin:destroy()
      end)
      for _, name in ipairs({"SIGTERM", "SIGUSR1"}) do
        process:on(name, print)
        process:off(name, print)
      end
      process.stdin:resume()
      process.stdout:write("ready\n")
      cp.run()
    ]])
    local stdout = support.collect(child.stdout)
    child.stdout:once("data", function() child:kill("SIGTERM") end)
    support.run()
    assert.equal("ready\ncaught\n", stdout())
    assert.equal(0, child.exitCode)
  end)

  it("may be any number of listeners", function()
    local child = spawnScript([[
      process:on("SIGINT", function() print("first") end)
      process:on("SIGINT", function() print("second") process.stdin:destroy() end)
      process.stdin:resume()
      process.stdout:write("ready\n")
      cp.run()
    ]])
    local stdout = support.collect(child.stdout)
    child.stdout:once("data", function() child:kill("SIGINT") end)
    support.run()
    assert.equal("ready\nfirst\nsecond\n", stdout())
  end)

  for _, method in ipairs({"once", "prependListener", "prependOnceListener"}) do
    it("call a listener that was added by " .. method, function()
      local child = spawnScript(([[
        process:%s("SIGTERM", function(name)
          print(name)
          process.stdin:destroy()
        end)
        process.stdin:resume()
        process.stdout:write("ready\n")
        cp.run()
      ]]):format(method))
      local stdout = support.collect(child.stdout)
      child.stdout:once("data", function() child:kill("SIGTERM") end)
      support.run()
      assert.equal("ready\nSIGTERM\n", stdout())
      assert.equal(0, child.exitCode)
    end)
  end

  it("have their default effect again after the only call of a once listener", function()
    local child = spawnScript([[
      process:once("SIGTERM", function() process.stdout:write("once\n") end)
      process.stdin:resume()
      process.stdout:write("ready\n")
      cp.run()
    ]])
    local stdout = support.collect(child.stdout)
    child.stdout:on("data", function() child:kill("SIGTERM") end)
    support.run()
    assert.equal("ready\nonce\n", stdout())
    assert.equal("SIGTERM", child.signalCode)
  end)

  it("keep their default effect where a listener is refused, since it is not a function", function()
    local child = spawnScript([[
      local ok, err = pcall(process.on, process, "SIGTERM", 42)
      io.write(tostring(ok), " ", err.code, "\n")
      io.stdout:flush()
      process:kill(process.pid, "SIGTERM")
      cp.run("nowait")
    ]])
    assert.equal("false ERR_INVALID_ARG_TYPE\n", (support.output(child)))
    assert.equal("SIGTERM", child.signalCode)
  end)
end)

describe("'uncaughtException'", function()
  it("has an error that was raised in a listener or callback, instead of the caller of run; "
    .. "the loop goes on", function()
    local child = spawnScript([[
      local timers = require("child_process.timers")
      process:on("uncaughtException", function(err, origin) print(err, origin) end)
      timers.setImmediate(function()
        process:nextTick(print, "tick")
        timers.setTimeout(function()
          print("timer")
          error(nil)
        end, 1)
        error("in an immediate", 0)
      end)
      print(cp.run())
    ]])
    local stdout, stderr = support.output(child)
    assert.equal("", stderr)
    local none = tostring(support.error(error)) -- Lua 5.5 has a text for it
    assert.equal(("in an immediate\tuncaughtException\ntick\ntimer\n%s\tuncaughtException\nfalse\n")
      :format(none), stdout)
    assert.equal(0, child.exitCode)
  end)

  it("has an error of a child's listener, and the child's other events come", function()
    local child = spawnScript([[
      process:on("uncaughtException", function(err) print("caught", err[1]) end)
      cp.spawn("true")
        :on("exit", function() error({"any value"}) end)
        :on("close", function(code) print("close", code) end)
      cp.run()
    ]])
    assert.equal("caught\tany value\nclose\t0\n", (support.output(child)))
    assert.equal(0, child.exitCode)
  end)

  it("shows by loop.traceback() where the error came from", function()
    local child = spawnScript([[
      process:on("uncaughtException", function()
        print(require("child_process.loop").traceback())
      end)
      local function culprit() error("traced") end
      require("child_process.timers").setImmediate(function() culprit() end)
      cp.run()
    ]])
    assert.matches("culprit", support.output(child), 1, true)
  end)

  it("lets run('once') and a run that was stopped return", function()
    local child = spawnScript([[
      local timers = require("child_process.timers")
      process:on("uncaughtException", print)
      local guard = timers.setTimeout(print, 1000000)
      timers.setImmediate(function() error("first", 0) end)
      print(cp.run("once"))
      timers.setImmediate(function()
        cp.stop()
        error("second", 0)
      end)
      print(cp.run())
      timers.setImmediate(function()
        timers.clearTimeout(guard)
        timers.setImmediate(print, "later")
        error("third", 0)
      end)
      print(cp.run())
    ]])
    assert.equal(table.concat({
      "first\tuncaughtException", "true", "second\tuncaughtException", "true",
      "third\tuncaughtException", "later", "false\n",
    }, "\n"), (support.output(child)))
  end)

  it("does not have what run itself raises", function()
    local child = spawnScript([[
      process:on("uncaughtException", print)
      print((pcall(cp.run, "always")))
      require("child_process.timers").setImmediate(function() print((pcall(cp.run))) end)
      cp.run()
    ]])
    assert.equal("false\nfalse\n", (support.output(child)))
  end)

  it("has errors that come while uv.run drives the loop", function()
    if not compat.searchPath("luv", package.cpath) then pending("luv is not installed") end
    local child = spawnScript([[
      local uv = require("luv")
      process:on("uncaughtException", print)
      local timers = require("child_process.timers")
      timers.setImmediate(function()
        timers.setTimeout(print, 1, "timer")
        error("in an immediate", 0)
      end)
      uv.run()
    ]])
    assert.equal("in an immediate\tuncaughtException\ntimer\n", (support.output(child)))
  end)

  it("lets an error of one of its listeners come out of run", function()
    local child = spawnScript([[
      local timers = require("child_process.timers")
      process:once("uncaughtException", function() error("second", 0) end)
      timers.setImmediate(function() error("first", 0) end)
      print(pcall(cp.run))
      process:on("uncaughtException", function(err) print("caught", err) end)
      timers.setImmediate(function() error("third", 0) end)
      print(pcall(cp.run))
    ]])
    assert.equal("false\tsecond\ncaught\tthird\ntrue\tfalse\n", (support.output(child)))
  end)
end)

describe("'warning'", function()
  it("has each warning on the next tick, after it was written to stderr", function()
    local child = spawnScript([[
      local emitter = require("child_process.events").EventEmitter()
      for _ = 1, 11 do emitter:on("event", print) end
      process:on("warning", function(warning)
        print(warning.name)
        print(warning.message)
        print(require("child_process.errors").isError(warning))
      end)
      process:nextTick(print, "tick")
      print("script")
      cp.run()
    ]])
    local stdout, stderr = support.output(child)
    local message = "Possible EventEmitter memory leak detected. 11 event listeners added to "
      .. "[EventEmitter]. Use emitter:setMaxListeners() to increase limit"
    assert.equal(("script\nMaxListenersExceededWarning\n%s\ntrue\ntick\n"):format(message), stdout)
    assert.equal(("(lua) MaxListenersExceededWarning: %s\n"):format(message), stderr)
  end)
end)

describe("'exit' and 'beforeExit'", function()
  it("do not come at the end of a script that was not forked", function()
    local child = spawnScript([[
      process:on("exit", print)
      process:on("beforeExit", print)
      cp.run()
    ]])
    assert.equal("", (support.output(child)))
  end)
end)

describe("What a process needs", function()
  it("is loaded when it is first used", function()
    local child = spawnScript([[
      process:on("exit", print)
      process.exitCode = process.pid * 0
      local names = {}
      for name in pairs(package.loaded) do
        if name:find("^child_process") then names[#names + 1] = name end
      end
      table.sort(names)
      print(table.concat(names, " "))
    ]])
    assert.equal("child_process child_process.base.assign child_process.base.compat "
      .. "child_process.base.locate child_process.base.standard child_process.base.ticks "
      .. "child_process.core child_process.errors child_process.events.emitter "
      .. "child_process.events.listeners child_process.loop child_process.process\n",
      (support.output(child)))
  end)
end)
