-- child_process.exec(command[, options][, callback]); maxBuffer and Unicode; Shell requirements

local compat = require("child_process.base.compat")
local cp = require("child_process")
local lfs = require("lfs")
local process = require("child_process.process")
local support = require("spec.support")
local timers = require("child_process.timers")

--- Runs a command to its end. The callback has to be called exactly once.
---@param prepare? fun(child: table) is called before the loop runs
---@return table|nil err
---@return string stdout
---@return string stderr
---@return table child
local function exec(command, options, prepare)
  local calls = {}
  local child = cp.exec(command, options, function(...)
    calls[#calls + 1] = compat.pack(...)
  end)
  if prepare then prepare(child) end
  support.run()
  assert.equal(1, #calls)
  assert.equal(3, calls[1].n)
  return calls[1][1], calls[1][2], calls[1][3], child
end

describe("child_process.exec(command[, options][, callback])", function()
  it("spawns a shell then executes the command within that shell", function()
    local err, stdout, _, child = exec("echo $0; echo $((6 * 7))")
    assert.is_nil(err)
    assert.equal("/bin/sh\n42\n", stdout)
    assert.equal("/bin/sh", child.spawnfile)
  end)

  it("buffers any generated output", function()
    local err, stdout, stderr = exec("echo a; echo 1 >&2; echo b; echo 2 >&2; printf c")
    assert.is_nil(err)
    assert.equal("a\nb\nc", stdout)
    assert.equal("1\n2\n", stderr)
  end)

  it("hands over two empty strings when nothing was generated", function()
    local err, stdout, stderr = exec("true")
    assert.is_nil(err)
    assert.equal("", stdout)
    assert.equal("", stderr)
  end)

  it("takes double quotes so that a space in the path is not a delimiter of arguments", function()
    local folder = support.tmpdir()
    local path = folder .. "/test file.sh"
    support.writeFile(path, 'echo "$# $1 $2"\n')
    local err, stdout = exec(('sh "%s" arg1 arg2'):format(path))
    assert.is_nil(err)
    assert.equal("2 arg1 arg2\n", stdout)
  end)

  it("processes special characters by the shell: an escaped $HOME and one that is not", function()
    local _, stdout = exec([[echo "The \$HOME variable is $HOME"]], {env = {HOME = "/nowhere"}})
    assert.equal("The $HOME variable is /nowhere\n", stdout)
  end)

  it("returns a ChildProcess", function()
    local child
    local seen = {}
    child = cp.exec("exit 3", function() end)
    assert.equal("integer", compat.mathType(child.pid))
    child:on("exit", function(code) seen[#seen + 1] = "exit " .. code end)
    child:on("close", function(code) seen[#seen + 1] = "close " .. code end)
    support.run()
    assert.same({"exit 3", "close 3"}, seen)
    assert.equal(3, child.exitCode)
  end)

  it("returns a ChildProcess whose spawnargs are the shell, -c and the command", function()
    local _, _, _, child = exec("true || false")
    assert.same({"/bin/sh", "-c", "true || false"}, child.spawnargs)
  end)

  it("returns a ChildProcess whose stdin can be written", function()
    local output
    local child = cp.exec("tr a-z A-Z", function(_, stdout) output = stdout end)
    child.stdin:write("some ")
    child.stdin:finish("text")
    support.run()
    assert.equal("SOME TEXT", output)
  end)

  it("lets further listeners have the output too", function()
    local output
    local child = cp.exec("printf abc; printf def >&2", function(_, ...) output = {...} end)
    local stdout, stderr = support.collect(child.stdout), support.collect(child.stderr)
    support.run()
    assert.same({"abc", "def"}, output)
    assert.equal("abc", stdout())
    assert.equal("def", stderr())
  end)

  it("does not replace the existing process", function()
    local err, stdout = exec("echo $PPID")
    assert.is_nil(err)
    assert.equal(process.pid .. "\n", stdout)
  end)

  it("leaves the options as they were given", function()
    local options = {cwd = "/"}
    exec("true", options)
    assert.same({cwd = "/"}, options)
  end)

  it("takes nil for the options", function()
    local output
    cp.exec("echo x", nil, function(_, stdout) output = stdout end)
    support.run()
    assert.equal("x\n", output)
  end)

  it("takes the callback instead of the options", function()
    local output
    cp.exec("echo x", function(_, stdout) output = stdout end)
    support.run()
    assert.equal("x\n", output)
  end)

  describe("callback", function()
    it("is optional: the command runs, its output is read and dropped", function()
      local child = cp.exec("head -c 500000 /dev/zero; exit 5")
      support.run()
      assert.equal(5, child.exitCode)
    end)

    it("is optional: a command that cannot be started raises nothing", function()
      local child = cp.exec("true", {cwd = "/does/not/exist"})
      support.run()
      assert.is_nil(child.pid)
    end)

    it("gets nil for error on success", function()
      local err, stdout = exec("echo fine")
      assert.is_nil(err)
      assert.equal("fine\n", stdout)
    end)

    it("is called when the process terminates: its exit code is known by then", function()
      local exitCode, child
      child = cp.exec("true", function() exitCode = child.exitCode end)
      support.run()
      assert.equal(0, exitCode)
    end)

    it("is called when all output has come, though the shell ended before", function()
      local err, stdout = exec("{ cat; echo late; } <&0 & exit 0")
      assert.is_nil(err)
      assert.equal("late\n", stdout)
    end)

    it("gets an Error whose code is the exit code of the process", function()
      local err, stdout, stderr = exec("echo out; echo reason >&2; exit 42")
      assert.equal("Error", err.name)
      assert.equal(42, err.code)
      assert.is_nil(err.signal)
      assert.is_false(err.killed)
      assert.equal("echo out; echo reason >&2; exit 42", err.cmd)
      assert.equal("Command failed: echo out; echo reason >&2; exit 42 (exit code 42)\nreason\n",
        err.message)
      assert.equal("Error: " .. err.message, tostring(err))
      assert.equal("out\n", stdout)
      assert.equal("reason\n", stderr)
    end)

    it("gets an Error for any exit code other than 0", function()
      for _, code in ipairs({1, 2, 127, 128, 255}) do
        assert.equal(code, exec("exit " .. code).code)
      end
    end)

    it("gets an Error whose signal is the one that terminated the process", function()
      local err, stdout = exec("echo before; kill -KILL $$")
      assert.equal("SIGKILL", err.signal)
      assert.is_nil(err.code)
      assert.is_false(err.killed)
      assert.equal("before\n", stdout)
    end)

    it("gets an Error with killed set where kill() was used", function()
      local err = exec("exec cat", nil, function(child)
        child:on("spawn", function() child:kill() end)
      end)
      assert.is_true(err.killed)
      assert.equal("SIGTERM", err.signal)
      assert.is_nil(err.code)
      assert.equal("Command failed: exec cat (killed by SIGTERM)\n", err.message)
    end)

    it("gets the error of a shell that cannot be started, and two empty strings", function()
      local err, stdout, stderr = exec("true", {shell = "/does/not/exist"})
      assert.equal("ENOENT", err.code)
      assert.equal("spawn /does/not/exist", err.syscall)
      assert.equal("/does/not/exist", err.path)
      assert.same({"-c", "true"}, err.spawnargs)
      assert.equal("true", err.cmd)
      assert.is_true(err.errno < 0)
      assert.equal("Error: spawn /does/not/exist ENOENT", tostring(err))
      assert.equal("", stdout)
      assert.equal("", stderr)
    end)

    it("gets the error of a cwd that does not exist, and two empty strings", function()
      local err, stdout, stderr = exec("true", {cwd = "/does/not/exist"})
      assert.equal("ENOENT", err.code)
      assert.equal("", stdout)
      assert.equal("", stderr)
    end)

    it("gets exit code 127 for a command that the shell does not find", function()
      local err, _, stderr = exec("a_command_that_does_not_exist")
      assert.equal(127, err.code)
      assert.truthy(stderr:find("a_command_that_does_not_exist", 1, true))
    end)

    it("raises through run(), and is not called again", function()
      local calls = 0
      cp.exec("true", function()
        calls = calls + 1
        error("from the callback", 0)
      end)
      local err = support.error(support.run)
      assert.equal("from the callback", tostring(err))
      support.run()
      assert.equal(1, calls)
    end)
  end)

  describe("options.cwd", function()
    it("is the current working directory of the child process", function()
      local folder = support.tmpdir()
      assert(io.open(folder .. "/here", "w")):close()
      local _, stdout = exec("ls", {cwd = folder})
      assert.equal("here\n", stdout)
    end)

    it("is process.cwd() by default", function()
      local before = process:cwd()
      local folder = support.tmpdir()
      assert(io.open(folder .. "/there", "w")):close()
      process:chdir(folder)
      local ok, _, stdout = pcall(exec, "ls")
      process:chdir(before)
      assert.is_true(ok)
      assert.equal("there\n", stdout)
    end)
  end)

  describe("options.env", function()
    it("holds the environment key-value pairs", function()
      local _, stdout = exec("echo $ONE-$TWO", {env = {ONE = "1", TWO = "2 b"}})
      assert.equal("1-2 b\n", stdout)
    end)

    it("is process.env by default", function()
      process.env.CHILD_PROCESS_SPEC = "inherited"
      local ok, _, stdout = pcall(exec, "echo $CHILD_PROCESS_SPEC")
      process.env.CHILD_PROCESS_SPEC = nil
      assert.is_true(ok)
      assert.equal("inherited\n", stdout)
    end)
  end)

  describe("options.encoding", function()
    it("by default leaves the bytes as they are", function()
      local _, stdout, stderr = exec([[printf '\377\000\303'; printf '\351' >&2]])
      assert.equal("\255\0\195", stdout)
      assert.equal("\233", stderr)
    end)

    it("decodes stdout and stderr as UTF-8 when that is named", function()
      local _, stdout, stderr = exec([[printf 'gr\303\274n\377'; printf '\303' >&2]], {
        encoding = "utf8",
      })
      assert.equal("gr\195\188n\239\191\189", stdout)
      assert.equal("\239\191\189", stderr)
    end)

    it("can be used to specify the character encoding", function()
      local cases = {
        latin1 = "h\195\169\0",
        hex = "68e900",
        base64 = "aOkA",
        base64url = "aOkA",
        utf16le = "\238\165\168",
      }
      for encoding, expected in pairs(cases) do
        local _, stdout = exec([[printf 'h\351\000']], {encoding = encoding})
        assert.equal(expected, stdout, encoding)
      end
    end)

    it("is bytes if it is 'buffer', or an unrecognized character encoding", function()
      for _, encoding in ipairs({"buffer", "klingon"}) do
        local _, stdout = exec([[printf '\377\303']], {encoding = encoding})
        assert.equal("\255\195", stdout)
      end
    end)
  end)

  describe("options.shell", function()
    it("is the shell to execute the command with", function()
      local shell = support.executable(support.tmpdir() .. "/shell",
        '#!/bin/sh\necho "this shell got $# arguments: $1 $2"\n')
      local err, stdout, _, child = exec("some command", {shell = shell})
      assert.is_nil(err)
      assert.equal("this shell got 2 arguments: -c some command\n", stdout)
      assert.equal(shell, child.spawnfile)
    end)

    it("is looked up in PATH", function()
      local err, stdout, _, child = exec("echo found", {shell = "sh"})
      assert.is_nil(err)
      assert.equal("found\n", stdout)
      assert.equal("sh", child.spawnfile)
    end)
  end)

  describe("options.timeout", function()
    it("if greater than 0, sends the signal if the child runs longer", function()
      local err, _, _, child = exec("exec sleep 60", {timeout = 20})
      assert.is_true(err.killed)
      assert.equal("SIGTERM", err.signal)
      assert.is_nil(err.code)
      assert.equal("Command failed: exec sleep 60 (timed out after 20 ms, killed by SIGTERM)\n",
        err.message)
      assert.is_true(err.timedOut)
      assert.is_true(child.killed)
    end)

    it("is 0 by default, which is no limit", function()
      for _, options in ipairs({{}, {timeout = 0}}) do
        local output
        local child = cp.exec("cat", options, function(err, stdout)
          assert.is_nil(err)
          output = stdout
        end)
        timers.setTimeout(function() child.stdin:finish("still there") end, 30)
        support.run()
        assert.equal("still there", output)
      end
    end)

    it("does nothing to a child that ended before", function()
      local err, stdout = exec("echo quick", {timeout = 60000})
      assert.is_nil(err)
      assert.equal("quick\n", stdout)
    end)

    it("does not wait for processes that still hold the output", function()
      local folder = support.tmpdir()
      local err = exec("(sleep 10; touch ended); true", {timeout = 100, cwd = folder})
      assert.is_nil(lfs.attributes(folder .. "/ended"))
      assert.is_true(err.killed)
      assert.equal("SIGTERM", err.signal)
    end)
  end)

  describe("options.killSignal", function()
    it("identifies the signal by name or by number", function()
      for _, killSignal in ipairs({"SIGKILL", 9}) do
        local err = exec("exec sleep 60", {timeout = 20, killSignal = killSignal})
        assert.equal("SIGKILL", err.signal)
      end
    end)

    it("is sent too when maxBuffer is exceeded", function()
      local options = {maxBuffer = 3, killSignal = "SIGKILL"}
      local _, _, _, child = exec("echo 12345; exec sleep 60", options)
      assert.equal("SIGKILL", child.signalCode)
    end)
  end)

  describe("options.uid and options.gid", function()
    it("set the user and group identity of the process", function()
      if support.isRoot then
        local err, stdout = exec("id -u; id -g; id -G", {uid = 65534, gid = 65533})
        assert.is_nil(err)
        assert.equal("65534\n65533\n65533\n", stdout)
      else
        assert.equal("EPERM", exec("true", {uid = 0}).code)
      end
    end)
  end)

  describe("options.windowsHide", function()
    it("is without effect", function()
      for _, windowsHide in ipairs({true, false}) do
        local err, stdout = exec("echo x", {windowsHide = windowsHide})
        assert.is_nil(err)
        assert.equal("x\n", stdout)
      end
    end)
  end)

  describe("options.maxBuffer", function()
    it("is the largest amount of data in bytes allowed on stdout or stderr", function()
      local err, stdout, stderr = exec("printf abcde; printf fghij >&2", {maxBuffer = 5})
      assert.is_nil(err)
      assert.equal("abcde", stdout)
      assert.equal("fghij", stderr)
    end)

    it("if exceeded, the child process is terminated and any output is truncated", function()
      local command = "printf err >&2; read x; printf abcdef; exec sleep 60"
      local err, stdout, stderr, child = exec(command, {maxBuffer = 5}, function(child)
        child.stderr:once("data", function() child.stdin:write("\n") end)
      end)
      assert.equal("ERR_CHILD_PROCESS_STDIO_MAXBUFFER", err.code)
      assert.equal("RangeError", err.name)
      assert.equal("stdout maxBuffer length exceeded (5 bytes)", err.message)
      assert.equal(
        "RangeError [ERR_CHILD_PROCESS_STDIO_MAXBUFFER]: " .. err.message,
        tostring(err)
      )
      assert.equal(command, err.cmd)
      assert.equal("abcde", stdout)
      assert.equal("err", stderr)
      assert.equal("SIGTERM", child.signalCode)
    end)

    it("if exceeded, truncates the output too where further listeners have it", function()
      local command = "printf abcdef; exec sleep 60"
      local err, stdout, _, child = exec(command, {maxBuffer = 5}, function(c)
        c.stdout:on("data", function() end)
      end)
      assert.equal("ERR_CHILD_PROCESS_STDIO_MAXBUFFER", err.code)
      assert.equal("abcde", stdout)
      assert.equal("SIGTERM", child.signalCode)
    end)

    it("holds for stderr on its own", function()
      local command = "printf abcde; read x; printf 123456 >&2; exec sleep 60"
      local err, stdout, stderr = exec(command, {maxBuffer = 5}, function(child)
        child.stdout:once("data", function() child.stdin:write("\n") end)
      end)
      assert.equal("stderr maxBuffer length exceeded (5 bytes)", err.message)
      assert.equal("abcde", stdout)
      assert.equal("12345", stderr)
    end)

    it("is 1024 * 1024 by default", function()
      local err, stdout = exec("head -c 1048576 /dev/zero")
      assert.is_nil(err)
      assert.equal(1048576, #stdout)
      err, stdout = exec("head -c 1048577 /dev/zero")
      assert.equal("ERR_CHILD_PROCESS_STDIO_MAXBUFFER", err.code)
      assert.equal(1048576, #stdout)
      assert.is_nil(stdout:find("%Z"))
    end)

    it("terminates a child that writes without end", function()
      local err, stdout, _, child = exec("exec yes", {maxBuffer = 100000})
      assert.equal("ERR_CHILD_PROCESS_STDIO_MAXBUFFER", err.code)
      assert.equal(("y\n"):rep(50000), stdout)
      assert.truthy(child.signalCode)
    end)

    it("terminates without a callback too", function()
      local child = cp.exec("head -c 1048577 /dev/zero; exec sleep 60")
      support.run()
      assert.truthy(child.killed)
      assert.equal("SIGTERM", child.signalCode)
    end)

    it("may be 0, or without limit", function()
      assert.is_nil(exec("true", {maxBuffer = 0}))
      local err, stdout = exec("printf x; exec sleep 60", {maxBuffer = 0})
      assert.equal("ERR_CHILD_PROCESS_STDIO_MAXBUFFER", err.code)
      assert.equal("", stdout)
      err, stdout = exec("head -c 3000000 /dev/zero", {maxBuffer = math.huge})
      assert.is_nil(err)
      assert.equal(3000000, #stdout)
    end)
  end)

  describe("arguments", function()
    local cases = {
      {"ERR_INVALID_ARG_TYPE", "TypeError", nil},
      {"ERR_INVALID_ARG_TYPE", "TypeError", 5},
      {"ERR_INVALID_ARG_TYPE", "TypeError", {}},
      {"ERR_INVALID_ARG_VALUE", "TypeError", ""},
      {"ERR_INVALID_ARG_VALUE", "TypeError", "true\0x"},
      {"ERR_INVALID_ARG_TYPE", "TypeError", "true", {}, 5},
      {"ERR_INVALID_ARG_TYPE", "TypeError", "true", {cwd = 5}},
      {"ERR_INVALID_ARG_TYPE", "TypeError", "true", {env = 5}},
      {"ERR_INVALID_ARG_VALUE", "TypeError", "true", {shell = "/bin/sh\0"}},
      {"ERR_OUT_OF_RANGE", "RangeError", "true", {timeout = -1}},
      {"ERR_OUT_OF_RANGE", "RangeError", "true", {timeout = 1.5}},
      {"ERR_OUT_OF_RANGE", "RangeError", "true", {maxBuffer = -1}},
      {"ERR_OUT_OF_RANGE", "RangeError", "true", {maxBuffer = 0 / 0}},
      {"ERR_UNKNOWN_SIGNAL", "TypeError", "true", {killSignal = "SIGNOTHING"}},
      {"ERR_UNKNOWN_SIGNAL", "TypeError", "true", {killSignal = 500}},
      {"ERR_INVALID_ARG_TYPE", "TypeError", "true", {killSignal = true}},
    }

    for i, case in ipairs(cases) do
      it(("of the wrong kind are raised at once (%d: %s)"):format(i, case[1]), function()
        local err = support.error(cp.exec, case[3], case[4], case[5])
        assert.equal(case[1], err.code)
        assert.equal(case[2], err.name)
        assert.equal(("%s [%s]: %s"):format(case[2], case[1], err.message), tostring(err))
      end)
    end

    it("of the wrong kind start nothing", function()
      local folder = support.tmpdir()
      support.error(cp.exec, "touch started", {cwd = folder, timeout = -1})
      support.error(cp.exec, "touch started", {cwd = folder, killSignal = "SIGNOTHING"})
      support.error(cp.exec, "touch started", {cwd = folder}, 5)
      support.run()
      assert.is_nil(lfs.attributes(folder .. "/started"))
    end)
  end)
end)

describe("maxBuffer and Unicode", function()
  -- 13 bytes in UTF-8, with the newline, though there are 4 characters
  local text = "\228\184\173\230\150\135\230\181\139\232\175\149"

  it("specifies the largest number of bytes: 13 for four characters and a newline", function()
    local err, stdout = exec("echo " .. text, {maxBuffer = 13})
    assert.is_nil(err)
    assert.equal(text .. "\n", stdout)
  end)

  it("terminates the child process if this value is exceeded", function()
    local err, stdout = exec("echo " .. text, {maxBuffer = 12})
    assert.equal("ERR_CHILD_PROCESS_STDIO_MAXBUFFER", err.code)
    assert.equal(text, stdout)
  end)

  it("counts bytes, not characters, where an encoding is named", function()
    assert.is_nil(exec("echo " .. text, {maxBuffer = 13, encoding = "utf8"}))
    local err, stdout = exec("echo " .. text, {maxBuffer = 12, encoding = "utf8"})
    assert.equal("ERR_CHILD_PROCESS_STDIO_MAXBUFFER", err.code)
    assert.equal(text, stdout)
  end)

  it("cuts in the middle of a character where bytes are handed over", function()
    local _, stdout = exec("echo " .. text, {maxBuffer = 4})
    assert.equal(text:sub(1, 4), stdout)
  end)
end)

describe("Shell requirements", function()
  it("the shell should understand the -c switch: it gets that and the command", function()
    local shell = support.executable(support.tmpdir() .. "/shell",
      '#!/bin/sh\n[ "$1" = -c ] && [ $# = 2 ] && eval "$2"\n')
    local err, stdout = exec("echo 'a  b'; echo c", {shell = shell})
    assert.is_nil(err)
    assert.equal("a  b\nc\n", stdout)
  end)
end)
