-- child_process.spawnSync(command[, args][, options]); Synchronous process creation; maxBuffer and
-- Unicode where a call is synchronous

local compat = require("child_process.base.compat")
local cp = require("child_process")
local errors = require("child_process.errors")
local lfs = require("lfs")
local process = require("child_process.process")
local support = require("spec.support")
local timers = require("child_process.timers")

local MB = 1024 * 1024

local function sh(script, options) return cp.spawnSync("sh", {"-c", script}, options) end

--- A text in which each byte is followed by each other one.
local function allBytes()
  local parts = {}
  for a = 0, 255 do
    for b = 0, 255 do parts[#parts + 1] = string.char(a, b) end
  end
  return table.concat(parts)
end

describe("Synchronous process creation:", function()
  local calls = {
    spawnSync = function(script) return sh(script).stdout end,
    execSync = function(script) return cp.execSync(script) end,
    execFileSync = function(script) return cp.execFileSync("sh", {"-c", script}) end,
  }
  for name, call in pairs(calls) do
    it(name .. " blocks the event loop until the spawned process exits", function()
      local ran = {}
      local other = cp.spawn("sh", {"-c", "echo data; exit 4"})
      other.stdout:on("data", function() ran[#ran + 1] = "data" end)
      other:on("spawn", function() ran[#ran + 1] = "spawn" end)
      other:on("exit", function(code) ran[#ran + 1] = "exit " .. code end)
      timers.setTimeout(function() ran[#ran + 1] = "timeout" end, 1)
      timers.setImmediate(function() ran[#ran + 1] = "immediate" end)
      process:nextTick(function() ran[#ran + 1] = "tick" end)
      assert.equal("late\n", call("sleep 0.1; echo late"))
      assert.same({}, ran)
      support.run()
      table.sort(ran)
      assert.same({"data", "exit 4", "immediate", "spawn", "tick", "timeout"}, ran)
    end)

    it(name .. " pauses execution of any additional code until the spawned process exits",
      function()
        local folder = support.tmpdir()
        call(("sleep 0.1; echo x > %s/done"):format(folder))
        assert.equal("x\n", support.readFile(folder .. "/done"))
      end)
  end
end)

describe("child_process.spawnSync(command[, args][, options])", function()
  it("provides equivalent functionality in a synchronous manner", function()
    local script = "echo out; cat; echo err >&2; exit 3"
    local child = cp.spawn("sh", {"-c", script})
    child.stdin:finish("input")
    local stdout, stderr = support.output(child)
    local result = sh(script, {input = "input"})
    assert.equal(stdout, result.stdout)
    assert.equal(stderr, result.stderr)
    assert.equal(child.exitCode, result.status)
  end)

  it("blocks the event loop until the spawned process is terminated", function()
    local fired = false
    timers.setTimeout(function() fired = true end, 1)
    local result = sh("sleep 0.05; kill -KILL $$")
    assert.equal("SIGKILL", result.signal)
    assert.is_false(fired)
    support.run()
    assert.is_true(fired)
  end)

  it("will not return until the child process has fully closed: another process may still hold "
    .. "its stdio", function()
    local result = sh("{ sleep 0.1; echo late; } & exit 3")
    assert.equal("late\n", result.stdout)
    assert.equal(3, result.status)
    result = sh("{ sleep 0.1; echo late >&2; } >&- & exit 0")
    assert.equal("late\n", result.stderr)
  end)

  it("will not return before the child has exited, though it closed all its stdio", function()
    local folder = support.tmpdir()
    local result = sh("exec 0<&- 1>&- 2>&-; sleep 0.1; echo x > done; exit 5", {cwd = folder})
    assert.equal(5, result.status)
    assert.equal("x\n", support.readFile(folder .. "/done"))
    result = sh("sleep 0.1; echo y > done; exit 6", {cwd = folder, stdio = "ignore"})
    assert.equal(6, result.status)
    assert.equal("y\n", support.readFile(folder .. "/done"))
  end)

  it("when a timeout has been encountered and killSignal is sent, won't return until the process "
    .. "has completely exited", function()
    local folder = support.tmpdir()
    local result = support.onceReady(sh, [[
      trap 'sleep 0.1; echo x > done; exit 7' TERM
      echo ready
      while :; do sleep 0.01; done
    ]], {cwd = folder})
    assert.equal("ETIMEDOUT", result.error.code)
    assert.equal(7, result.status)
    assert.equal("x\n", support.readFile(folder .. "/done"))
  end)

  it("if the process intercepts and handles the SIGTERM signal and doesn't exit, will wait until "
    .. "the child process has exited", function()
    -- It goes on until the call has given up reading.
    local result = support.onceReady(sh, [[
      trap '' TERM PIPE
      echo ready
      while echo more; do sleep 0.01; done 2>/dev/null
      sleep 0.1
      exit 6
    ]])
    assert.equal("ETIMEDOUT", result.error.code)
    assert.equal(6, result.status)
    assert.is_nil(result.signal)
  end)

  it("if the shell option is enabled, lets input containing shell metacharacters trigger arbitrary "
    .. "command execution", function()
    local input = "file; echo executed"
    assert.equal("file; echo executed\n", cp.spawnSync("echo", {input}).stdout)
    assert.equal("file\nexecuted\n", cp.spawnSync("echo", {input}, {shell = true}).stdout)
  end)

  describe("command", function()
    it("is the command to run: a path, or a name that is looked up in options.env.PATH", function()
      local folder = support.tmpdir()
      local path = support.executable(folder .. "/prog", "#!/bin/sh\necho ran $0\n")
      assert.equal("ran " .. path .. "\n", cp.spawnSync(path).stdout)
      assert.equal("ran ./prog\n", cp.spawnSync("./prog", {cwd = folder}).stdout)
      local env = {PATH = "/nowhere:" .. folder}
      assert.equal("ran " .. path .. "\n", cp.spawnSync("prog", {env = env}).stdout)
      assert.equal("ENOENT", cp.spawnSync("prog").error.code)
    end)

    it("may be a script without a first line that names its interpreter", function()
      local path = support.executable(support.tmpdir() .. "/script", "echo by the shell\n")
      assert.equal("by the shell\n", cp.spawnSync(path).stdout)
    end)
  end)

  describe("args", function()
    it("is a list of string arguments, which are handed over as they are", function()
      local args = {"-c", 'for a in "$@"; do printf "%s\\0" "$a"; done', "sh"}
      local odd = {"", " ", "\n", "\255\254", "-n", "\\", "'", '"', "$HOME", "*", ("x"):rep(100000)}
      local result = cp.spawnSync("sh", compat.move(odd, 1, #odd, #args + 1, {compat.unpack(args)}))
      local seen = {}
      for a in result.stdout:gmatch("(%Z*)%z") do seen[#seen + 1] = a end
      assert.same(odd, seen)
    end)

    it("may be left out, and so may the options", function()
      assert.equal("\n", cp.spawnSync("echo").stdout)
      assert.equal("a\n", cp.spawnSync("echo", {"a"}).stdout)
      assert.equal("/\n", cp.spawnSync("pwd", {cwd = "/"}).stdout)
      assert.equal("/\n", cp.spawnSync("sh", {"-c", "pwd"}, {cwd = "/"}).stdout)
      assert.equal("/\n", cp.spawnSync("pwd", nil, {cwd = "/"}).stdout)
      assert.equal("/\n", cp.spawnSync("pwd", {}, {cwd = "/"}).stdout)
      assert.equal("\n", cp.spawnSync("echo", {}, nil).stdout)
    end)

    it("and the options are left as they were given", function()
      local args = {"-c", "cat"}
      local stdio = {"ignore", "pipe", "inherit"}
      local options = {input = "x", timeout = 10000, stdio = stdio, encoding = "hex"}
      cp.spawnSync("sh", args, options)
      assert.same({"-c", "cat"}, args)
      assert.same({input = "x", timeout = 10000, stdio = stdio, encoding = "hex"}, options)
      assert.same({"ignore", "pipe", "inherit"}, stdio)
    end)
  end)

  describe("returns an object", function()
    it("with pid, the pid of the child process", function()
      local result = sh("echo $$")
      assert.equal("integer", compat.mathType(result.pid))
      assert.equal(result.pid .. "\n", result.stdout)
    end)

    it("with output, the results from stdio output by fd", function()
      local result = sh("echo one; echo two >&2; echo five >&5", {
        stdio = {"pipe", "pipe", "pipe", "ignore", "pipe", "pipe"},
      })
      assert.same({[1] = "one\n", [2] = "two\n", [4] = "", [5] = "five\n"}, result.output)
    end)

    it("with stdout, the contents of output[1], and stderr, the contents of output[2]", function()
      local result = sh("echo one; echo two >&2")
      assert.equal("one\n", result.stdout)
      assert.equal("one\n", result.output[1])
      assert.equal("two\n", result.stderr)
      assert.equal("two\n", result.output[2])
      assert.is_nil(result.output[0])
    end)

    it("with empty strings where the child wrote nothing", function()
      local result = cp.spawnSync("true")
      assert.same({"", ""}, result.output)
      assert.equal("", result.stdout)
      assert.equal("", result.stderr)
    end)

    it("with status, the exit code of the subprocess", function()
      for _, code in ipairs({0, 1, 2, 3, 127, 128, 255}) do
        local result = sh("exit " .. code)
        assert.equal(code, result.status)
        assert.is_nil(result.signal)
        assert.is_nil(result.error)
      end
    end)

    it("with a status that is nil if the subprocess terminated due to a signal", function()
      local result = sh("echo before; kill -TERM $$")
      assert.is_nil(result.status)
      assert.equal("before\n", result.stdout)
    end)

    it("with signal, the signal used to kill the subprocess", function()
      for _, name in ipairs({"KILL", "TERM", "SEGV", "HUP", "USR1", "ABRT", "PIPE"}) do
        local result = sh(("ulimit -c 0; kill -%s $$"):format(name))
        assert.equal("SIG" .. name, result.signal)
        assert.is_nil(result.status)
        assert.is_nil(result.error)
      end
    end)

    it("with a signal that is nil if the subprocess did not terminate due to a signal", function()
      assert.is_nil(sh("trap 'exit 143' TERM; kill -TERM $$").signal)
    end)

    it("with error, the error object if the child process timed out", function()
      local result = cp.spawnSync("sleep", {"60"}, {timeout = 20})
      assert.is_true(errors.isError(result.error))
      assert.equal("Error: spawnSync sleep ETIMEDOUT: timed out after 20 ms (options.timeout)",
        tostring(result.error))
      assert.is_true(result.timedOut)
      assert.is_true(result.error.timedOut)
      assert.is_true(result.error.killed)
      assert.equal("ETIMEDOUT", result.error.code)
      assert.equal(-110, result.error.errno)
      assert.equal("spawnSync sleep", result.error.syscall)
      assert.equal("sleep", result.error.path)
      assert.same({"60"}, result.error.spawnargs)
      assert.is_nil(result.status)
      assert.equal("SIGTERM", result.signal)
      assert.same({"", ""}, result.output)
    end)

    describe("with error, the error object if the child process failed:", function()
      --- What everything that cannot be started has in common.
      local function assertNotStarted(code, file, args, result, why, path)
        assert.is_true(errors.isError(result.error))
        assert.equal(("Error: spawnSync %s %s%s"):format(file, code, why or ""),
          tostring(result.error))
        assert.equal(code, result.error.code)
        assert.is_true(result.error.errno < 0)
        assert.equal("spawnSync " .. file, result.error.syscall)
        assert.equal(path or file, result.error.path)
        assert.same(args, result.error.spawnargs)
        assert.equal(0, result.pid)
        for _, name in ipairs({"status", "signal", "output", "stdout", "stderr"}) do
          assert.is_nil(result[name], name)
        end
      end

      it("ENOENT for a command that does not exist", function()
        assertNotStarted("ENOENT", "does_not_exist", {"a", "b"},
          cp.spawnSync("does_not_exist", {"a", "b"}))
        assertNotStarted("ENOENT", "/does/not/exist", {}, cp.spawnSync("/does/not/exist"))
      end)

      it("ENOENT for a cwd that does not exist", function()
        assertNotStarted("ENOENT", "true", {"x"},
          cp.spawnSync("true", {"x"}, {cwd = "/does/not/exist"}),
          ": no such directory '/does/not/exist' (options.cwd)", "/does/not/exist")
      end)

      it("ENOENT for a shell that does not exist", function()
        assertNotStarted("ENOENT", "/does/not/exist", {"-c", "echo a b"},
          cp.spawnSync("echo", {"a", "b"}, {shell = "/does/not/exist"}))
      end)

      it("EACCES for a file that is not executable, or is a directory", function()
        local path = support.tmpdir() .. "/plain"
        support.writeFile(path, "")
        assertNotStarted("EACCES", path, {}, cp.spawnSync(path),
          (": '%s' is not executable"):format(path))
        assertNotStarted("EACCES", "/", {}, cp.spawnSync("/"), ": '/' is a directory")
      end)

      it("ENOTDIR for a path or a cwd that leads through a file", function()
        local path = support.tmpdir() .. "/plain"
        support.writeFile(path, "")
        assertNotStarted("ENOTDIR", path .. "/x", {}, cp.spawnSync(path .. "/x"))
        assertNotStarted("ENOTDIR", "true", {}, cp.spawnSync("true", {cwd = path}),
          (": not a directory '%s' (options.cwd)"):format(path), path)
      end)

      it("EBADF for a descriptor that is not open", function()
        assertNotStarted("EBADF", "true", {}, cp.spawnSync("true", {stdio = {"pipe", 999}}),
          ": descriptor 999 is not open (options.stdio, for the child's 1)")
      end)

      it("E2BIG for more arguments than the system takes", function()
        -- in a script: valgrind, which may run us, does not survive when executing is refused
        local stdout = support.runScript([[
          local args = {}
          for i = 1, 100 do args[i] = ("x"):rep(100000) end
          local result = cp.spawnSync("true", args)
          print(result.error, result.pid, result.status, #result.error.spawnargs)
        ]])
        assert.equal("Error: spawnSync true E2BIG\t0\tnil\t100\n", stdout)
      end)
    end)

    it("without an error where the child ran to its end, however that was", function()
      assert.is_nil(sh("exit 1").error)
      assert.is_nil(sh("kill -KILL $$").error)
    end)
  end)

  describe("options.cwd", function()
    it("is the current working directory of the child process", function()
      local folder = support.tmpdir()
      support.writeFile(folder .. "/here", "")
      assert.equal("here\n", cp.spawnSync("ls", {cwd = folder}).stdout)
    end)

    it("is by default the one of this process", function()
      local before = process:cwd()
      local folder = support.tmpdir()
      support.writeFile(folder .. "/there", "")
      process:chdir(folder)
      local ok, result = pcall(cp.spawnSync, "ls")
      process:chdir(before)
      assert.is_true(ok)
      assert.equal("there\n", result.stdout)
    end)
  end)

  describe("options.input", function()
    it("is the value which will be passed as stdin to the spawned process", function()
      local result = cp.spawnSync("cat", {input = "some\ntext"})
      support.assertSucceeded(result)
      assert.equal("some\ntext", result.stdout)
    end)

    for _, bytes in ipairs({0, 1, 4096, 65535, 65536, 65537, 65538, 65539, 3 * MB}) do
      it(("may have %d bytes"):format(bytes), function()
        local input = ("0123456789abcde\n"):rep(math.ceil(bytes / 15)):sub(1, bytes)
        local result = cp.spawnSync("cat", {input = input, maxBuffer = math.huge})
        support.assertSucceeded(result)
        support.assertSameText(input, result.stdout)
      end)
    end

    it("may have 100 MB, through cat", function()
      local part = allBytes()
      local input = part:rep((support.collecting and 80 or 800))
      local result = cp.spawnSync("cat", {input = input, maxBuffer = math.huge})
      support.assertSucceeded(result)
      support.assertSameText(input, result.stdout)
      assert.equal("", result.stderr)
    end)

    it("may have all bytes", function()
      local input = allBytes()
      local result = cp.spawnSync("cat", {input = input})
      support.assertSucceeded(result)
      support.assertSameText(input, result.stdout)
    end)

    it("of any size and output of any size cannot deadlock each other", function()
      local input = ("0123456789abcde\n"):rep(MB / 8)
      local options = {input = input, maxBuffer = math.huge}
      -- a child that writes both outputs while it reads
      local result = sh("tee /dev/stderr | cat", options)
      support.assertSucceeded(result)
      support.assertSameText(input, result.stdout)
      support.assertSameText(input, result.stderr)
      -- one that writes before it reads
      result = sh("head -c 2000000 /dev/zero; head -c 2000000 /dev/zero >&2; cksum", options)
      support.assertSucceeded(result)
      local sum = cp.spawnSync("cksum", options).stdout
      support.assertSameText(("\0"):rep(2000000) .. sum, result.stdout)
      support.assertSameText(("\0"):rep(2000000), result.stderr)
      -- one that closes its outputs before it reads
      support.assertSucceeded(sh("exec >&- 2>&-; cat >/dev/null", options))
    end)

    it("is written as the child takes it", function()
      local input = ("x"):rep(300000)
      local result = sh("head -c 100000 | wc -c; sleep 0.05; head -c 100000 | wc -c; cat | wc -c", {
        input = input,
      })
      local sum = 0
      for count in result.stdout:gmatch("%d+") do sum = sum + tonumber(count) end
      support.assertSucceeded(result)
      -- head may read more than it prints
      assert.is_true(sum > 200000 and sum <= 300000, result.stdout)
    end)

    it("if supplied, will override stdio[0], whatever that is", function()
      local file = assert(io.open("/dev/zero"))
      for _, entry in ipairs({
        "ignore", "inherit", "pipe", "overlapped", false, cp.null, file, 0, process.stdin,
      }) do
        local stdio = {[0] = entry, [1] = "pipe", [2] = "inherit"}
        for _, input in ipairs({"", "text"}) do
          local result = cp.spawnSync("cat", {input = input, stdio = stdio})
          support.assertSucceeded(result)
          assert.equal(input, result.stdout)
        end
      end
      file:close()
    end)

    it("overrides stdin with stdio = 'pipe', 'inherit' and 'ignore', too", function()
      local folder = support.tmpdir()
      for _, stdio in ipairs({"pipe", "overlapped", "ignore"}) do
        local result = sh("cat > got", {input = stdio .. "!", stdio = stdio, cwd = folder})
        support.assertSucceeded(result)
        assert.equal(stdio .. "!", support.readFile(folder .. "/got"))
      end
      local stdout = support.runScript([[
        local result = cp.spawnSync("cat", {input = "overridden", stdio = "inherit"})
        assert(result.status == 0 and result.stdout == nil)
      ]])
      assert.equal("overridden", stdout)
    end)

    it("leaves the file alone in whose place it came", function()
      local path = support.tmpdir() .. "/file"
      support.writeFile(path, "first\nsecond\n")
      local file = assert(io.open(path))
      assert.equal("x", cp.spawnSync("cat", {input = "x", stdio = {file}}).stdout)
      assert.equal("first", file:read())
      file:close()
    end)

    it("if nil or cp.null, is not given: the child's stdin ends at once", function()
      for _, options in ipairs({{}, {input = cp.null}, {stdio = "pipe"}}) do
        local result = sh("cat; ls -l /proc/self/fd/0", options)
        assert.matches("pipe:", result.stdout, 1, true)
        support.assertSucceeded(result)
      end
    end)

    it("that the child does not take to its end is not an error, and kills nobody", function()
      local input = ("x"):rep(MB)
      local result = sh("exec 0<&-; echo out; exit 3", {input = input})
      assert.is_nil(result.error)
      assert.equal(3, result.status)
      assert.equal("out\n", result.stdout)
      support.assertSucceeded(cp.spawnSync("true", {input = input}))
      result = cp.spawnSync("head", {"-n1"}, {input = ("x\n"):rep(MB)})
      support.assertSucceeded(result)
      assert.equal("x\n", result.stdout)
    end)

    it("that the child does not take to its end does not end the reading of its output", function()
      local result = sh("exec 0<&-; sleep 0.05; head -c 200000 /dev/zero; exit 3", {
        input = ("x"):rep(MB),
      })
      assert.equal(3, result.status)
      assert.is_nil(result.error)
      support.assertSameText(("\0"):rep(200000), result.stdout)
    end)

    it("that the child does not take to its end matters less than a limit that was exceeded",
      function()
        local input = ("x"):rep(4 * MB)
        local script = "exec 0<&-; echo ready; exec sleep 60"
        local result = support.onceReady(sh, script, {input = input})
        assert.equal("ETIMEDOUT", result.error.code)
        assert.equal("SIGTERM", result.signal)
        result = sh("exec 0<&-; sleep 0.05; printf 123456; exec sleep 60", {
          input = input, maxBuffer = 5,
        })
        assert.equal("ENOBUFS", result.error.code)
        assert.equal("12345", result.stdout)
      end)

    it("is encoded with options.encoding, where that is named", function()
      local cases = {
        {"hex", "6869", "hi"},
        {"base64", "aGk=", "hi"},
        {"latin1", "\195\169", "\233"},
        {"utf16le", "\195\169", "\233\0"},
        {"utf8", "\195\169", "\195\169"},
        {"buffer", "\255\195\169", "\255\195\169"},
        {nil, "\255\195\169", "\255\195\169"},
      }
      local folder = support.tmpdir()
      for _, case in ipairs(cases) do
        local encoding, input, seen = case[1], case[2], case[3]
        support.assertSucceeded(sh("cat > got", {input = input, encoding = encoding, cwd = folder}))
        assert.equal(seen, support.readFile(folder .. "/got"))
        -- and back again
        assert.equal(input, cp.spawnSync("cat", {input = input, encoding = encoding}).stdout)
      end
    end)
  end)

  describe("options.argv0", function()
    it("explicitly sets the value of argv[0] sent to the child process", function()
      assert.equal("another name\n", sh("echo $0", {argv0 = "another name"}).stdout)
    end)

    it("will be set to command if not specified", function()
      assert.equal("sh\n", sh("echo $0").stdout)
    end)
  end)

  describe("options.env", function()
    it("holds the environment key-value pairs", function()
      local result = cp.spawnSync("env", {env = {ONE = "1", TWO = "2 b"}})
      local lines = {}
      for line in result.stdout:gmatch("[^\n]+") do lines[#lines + 1] = line end
      table.sort(lines)
      assert.same({"ONE=1", "TWO=2 b"}, lines)
    end)

    it("is process.env by default", function()
      process.env.CHILD_PROCESS_SPEC = "inherited"
      local ok, result = pcall(sh, "echo $CHILD_PROCESS_SPEC")
      process.env.CHILD_PROCESS_SPEC = nil
      assert.is_true(ok)
      assert.equal("inherited\n", result.stdout)
    end)
  end)

  describe("options.uid and options.gid", function()
    it("set the user and group identity of the process", function()
      if support.isRoot then
        local result = sh("id -u; id -g; id -G", {uid = 65534, gid = 65533})
        assert.equal("65534\n65533\n65533\n", result.stdout)
      else
        assert.equal("EPERM", cp.spawnSync("true", {uid = 0}).error.code)
      end
    end)
  end)

  describe("options.timeout", function()
    it("is in milliseconds the maximum amount of time the process is allowed to run", function()
      local result = support.onceReady(sh, "echo ready; echo err >&2; exec sleep 60")
      assert.equal("ETIMEDOUT", result.error.code)
      assert.equal("SIGTERM", result.signal)
      assert.equal("ready\n", result.stdout)
    end)

    it("is by default undefined, and 0 means the same: no limit", function()
      for _, timeout in ipairs({0, 0.0, cp.null}) do
        local result = sh("sleep 0.1; echo still there", {timeout = timeout})
        support.assertSucceeded(result)
        assert.equal("still there\n", result.stdout)
      end
      support.assertSucceeded(sh("sleep 0.1"))
    end)

    it("does nothing to a child that ended before", function()
      local result = sh("echo quick; exit 2", {timeout = 60000})
      assert.is_nil(result.error)
      assert.equal(2, result.status)
      assert.equal("quick\n", result.stdout)
    end)

    it("may be longer than any timer of the system takes", function()
      for _, timeout in ipairs({
        0x7fffffff, 0x80000000, 0x100000001, 2 ^ 53,
        9223372036854, -- about 2^63 ns, and then 2^63 us
        math.min(9223372036854775, compat.maxInteger), compat.maxInteger - 1, compat.maxInteger,
      }) do
        local result = sh("sleep 0.02; echo in time", {timeout = timeout})
        support.assertSucceeded(result)
        assert.equal("in time\n", result.stdout)
      end
    end)

    local function leaveBehind(script)
      return support.leaveBehind(sh, script, {stdio = {"pipe", "pipe", "pipe", "pipe"}})
    end

    it("ends a call that waits for processes that still hold the output of a child that has exited",
      function()
        local result = leaveBehind("sleep 60 & echo $!; exit 4")
        assert.equal("ETIMEDOUT", result.error.code)
        assert.equal(4, result.status)
        assert.matches("^%d+\n$", result.stdout)
        result = leaveBehind("sleep 60 >&- 3>&- & echo $! >&2; exit 0")
        assert.equal("ETIMEDOUT", result.error.code)
        assert.equal(0, result.status)
        assert.matches("^%d+\n$", result.stderr)
      end)

    it("ends a call that waits for processes that still hold a further pipe", function()
      local result = leaveBehind("sleep 60 >&- 2>&- & echo $!; exit 4")
      assert.equal("ETIMEDOUT", result.error.code)
      assert.equal(4, result.status)
      assert.equal("", result.output[3])
    end)

    it("does not matter to a process that was left behind and holds nothing", function()
      local result = leaveBehind("sleep 60 >&- 2>&- 3>&- & echo $!; exit 4")
      assert.is_nil(result.error)
      assert.equal(4, result.status)
    end)

    it("ends a call whose child takes no input", function()
      local result = cp.spawnSync("sleep", {"60"}, {timeout = 20, input = ("x"):rep(MB)})
      assert.equal("ETIMEDOUT", result.error.code)
      assert.equal("SIGTERM", result.signal)
    end)

    it("ends a call whose child has no pipes", function()
      local result = cp.spawnSync("sleep", {"60"}, {timeout = 20, stdio = "ignore"})
      assert.equal("ETIMEDOUT", result.error.code)
      assert.equal("SIGTERM", result.signal)
      assert.same({}, result.output)
    end)

    it("holds for a child that writes without end, too", function()
      local result = cp.spawnSync("yes", {timeout = 20, maxBuffer = math.huge})
      assert.equal("ETIMEDOUT", result.error.code)
      assert.is_nil(result.status)
      assert.is_nil(result.stdout:find("[^y\n]"))
    end)
  end)

  describe("options.killSignal", function()
    it("is the signal value to be used when the spawned process will be killed", function()
      for _, killSignal in ipairs({"SIGKILL", 9, "SIGINT", "sigkill"}) do
        local result = cp.spawnSync("sleep", {"60"}, {timeout = 20, killSignal = killSignal})
        assert.equal("ETIMEDOUT", result.error.code)
        assert.equal(killSignal == "SIGINT" and "SIGINT" or "SIGKILL", result.signal)
      end
    end)

    it("is by default 'SIGTERM'", function()
      for _, killSignal in ipairs({false, cp.null}) do
        local options = {timeout = 20, killSignal = killSignal or nil}
        assert.equal("SIGTERM", cp.spawnSync("sleep", {"60"}, options).signal)
      end
    end)

    it("is used too where maxBuffer is exceeded", function()
      local result = sh("printf 123456; exec sleep 60", {maxBuffer = 3, killSignal = "SIGKILL"})
      assert.equal("ENOBUFS", result.error.code)
      assert.equal("SIGKILL", result.signal)
    end)
  end)

  describe("options.maxBuffer", function()
    it("is the largest amount of data in bytes allowed on stdout or stderr", function()
      local result = sh("printf abcde; printf fghij >&2", {maxBuffer = 5})
      support.assertSucceeded(result)
      assert.equal("abcde", result.stdout)
      assert.equal("fghij", result.stderr)
    end)

    it("if exceeded, the child process is terminated and any output is truncated", function()
      local result = sh("printf abcdef; exec sleep 60", {maxBuffer = 5})
      assert.equal("ENOBUFS", result.error.code)
      assert.equal(-105, result.error.errno)
      assert.equal("Error: spawnSync sh ENOBUFS: stdout is longer than 5 bytes (options.maxBuffer)",
        tostring(result.error))
      assert.is_true(result.error.killed)
      assert.is_nil(result.timedOut)
      assert.equal("spawnSync sh", result.error.syscall)
      assert.equal("sh", result.error.path)
      assert.same({"-c", "printf abcdef; exec sleep 60"}, result.error.spawnargs)
      assert.equal("SIGTERM", result.signal)
      assert.is_nil(result.status)
      assert.equal("abcde", result.stdout)
      assert.equal("", result.stderr)
    end)

    it("holds for stderr on its own", function()
      local result = sh("printf abcde; printf 123456 >&2; exec sleep 60", {maxBuffer = 5})
      assert.equal("ENOBUFS", result.error.code)
      assert.equal("abcde", result.stdout)
      assert.equal("12345", result.stderr)
      assert.equal("SIGTERM", result.signal)
    end)

    it("holds for a further pipe on its own", function()
      local stdio = {"pipe", "pipe", "pipe", "pipe"}
      local result = sh("printf a; printf 123456 >&3; exec sleep 60", {
        maxBuffer = 5, stdio = stdio,
      })
      assert.equal("ENOBUFS", result.error.code)
      assert.equal("a", result.stdout)
      assert.equal("12345", result.output[3])
    end)

    it("is 1024 * 1024 by default", function()
      local result = cp.spawnSync("head", {"-c", "1048576", "/dev/zero"})
      support.assertSucceeded(result)
      support.assertSameText(("\0"):rep(MB), result.stdout)
      for _, options in ipairs({{}, {maxBuffer = cp.null}}) do
        result = cp.spawnSync("head", {"-c", "1048577", "/dev/zero"}, options)
        assert.equal("ENOBUFS", result.error.code)
        support.assertSameText(("\0"):rep(MB), result.stdout)
      end
    end)

    it("terminates a child that writes without end", function()
      local result = cp.spawnSync("yes", {maxBuffer = 100000})
      assert.equal("ENOBUFS", result.error.code)
      support.assertSameText(("y\n"):rep(50000), result.stdout)
      assert.truthy(result.signal)
    end)

    it("if exceeded by a child that does not exit, keeps the call waiting until it has", function()
      local folder = support.tmpdir()
      local result = sh("trap '' TERM PIPE; printf abcdef; sleep 0.1; echo x > done; exit 7", {
        maxBuffer = 5, cwd = folder,
      })
      assert.equal("ENOBUFS", result.error.code)
      assert.equal("abcde", result.stdout)
      assert.equal(7, result.status)
      assert.equal("x\n", support.readFile(folder .. "/done"))
    end)

    it("if exceeded by another process that holds the pipe, ends the call", function()
      local result = sh("{ sleep 0.05; exec yes; } & exit 3", {maxBuffer = 5})
      assert.equal("ENOBUFS", result.error.code)
      assert.equal("y\ny\ny", result.stdout)
      assert.equal(3, result.status)
    end)

    it("may be 0: nothing at all", function()
      support.assertSucceeded(cp.spawnSync("true", {maxBuffer = 0}))
      local result = sh("printf x; exec sleep 60", {maxBuffer = 0})
      assert.equal("ENOBUFS", result.error.code)
      assert.equal("", result.stdout)
      assert.equal("SIGTERM", result.signal)
    end)

    it("may be without limit", function()
      for _, maxBuffer in ipairs({math.huge, compat.maxInteger, 2.0 ^ 60}) do
        local result = cp.spawnSync("head", {"-c", "3000000", "/dev/zero"}, {maxBuffer = maxBuffer})
        support.assertSucceeded(result)
        support.assertSameText(("\0"):rep(3000000), result.stdout)
      end
    end)

    it("at its limit, or beyond it by one byte, whatever the size", function()
      for _, size in ipairs({1, 2, 4095, 4096, 65535, 65536, 65537, 200000}) do
        local function head(bytes)
          return cp.spawnSync("head", {"-c", tostring(bytes), "/dev/zero"}, {maxBuffer = size})
        end
        local result = head(size)
        support.assertSucceeded(result)
        assert.equal(size, #result.stdout)
        result = head(size + 1)
        assert.equal("ENOBUFS", result.error.code)
        assert.equal(size, #result.stdout)
      end
    end)
  end)

  describe("options.encoding", function()
    it("is the encoding used for all stdio inputs and outputs", function()
      local cases = {
        latin1 = "h\195\169\0",
        binary = "h\195\169\0",
        ascii = "hi\0",
        hex = "68e900",
        base64 = "aOkA",
        base64url = "aOkA",
        utf8 = "h\239\191\189\0",
        ["UTF-8"] = "h\239\191\189\0",
        utf16le = "\238\165\168",
      }
      local print3 = [[printf 'h\351\000'; printf 'h\351\000' >&2; printf 'h\351\000' >&3]]
      for encoding, expected in pairs(cases) do
        local result = sh(print3, {encoding = encoding, stdio = {"pipe", "pipe", "pipe", "pipe"}})
        for fd = 1, 3 do assert.equal(expected, result.output[fd], encoding) end
        assert.equal(expected, result.stdout)
        assert.equal(expected, result.stderr)
      end
      local input = cp.spawnSync("cat", {encoding = "latin1", input = "\195\169"})
      assert.equal("\195\169", input.stdout)
    end)

    it("is by default 'buffer': the bytes as they are", function()
      for _, encoding in ipairs({false, "buffer", "klingon", cp.null}) do
        local result = sh([[printf '\377\000\303'; printf '\351' >&2]], {
          encoding = encoding or nil,
        })
        assert.equal("\255\0\195", result.stdout)
        assert.equal("\233", result.stderr)
      end
    end)

    it("gives what stands for half a character that the child left at the end", function()
      local result = sh([[printf 'a\303'; printf '\342\202' >&2]], {encoding = "utf8"})
      assert.equal("a\239\191\189", result.stdout)
      assert.equal("\239\191\189", result.stderr)
    end)

    it("leaves out half a character where the timeout cut it", function()
      local script = [[printf 'ready\303'; exec sleep 60]]
      local result = support.onceReady(sh, script, {encoding = "utf8"})
      assert.equal("ready", result.stdout)
    end)

    it("decodes much text as one piece", function()
      local text = ("\226\130\172"):rep(100000)
      local result = cp.spawnSync("cat", {input = text, encoding = "utf8"})
      support.assertSameText(text, result.stdout)
    end)
  end)

  describe("options.shell", function()
    it("if true, runs command inside of a shell", function()
      local result = cp.spawnSync("echo $WORD | tr a-z A-Z; exit 3", {
        shell = true, env = {WORD = "loud", PATH = os.getenv("PATH")},
      })
      assert.equal("LOUD\n", result.stdout)
      assert.equal(3, result.status)
    end)

    it("takes the command and its arguments as one line, which the shell reads", function()
      local function lines(command, args)
        return cp.spawnSync(command, args, {shell = true}).stdout
      end
      assert.equal("a b\n", lines("echo", {"a  b"}))
      assert.equal("a  b\n", lines("echo", {'"a  b"'}))
      assert.equal("a  b $HOME\n", lines("echo 'a  b'", {"'$HOME'"}))
      assert.equal("it's\n", lines([[echo "it's"]]))
      assert.equal('"\\\n', lines([[printf '%s\n' '"\']]))
    end)

    it("uses '/bin/sh' on Unix", function()
      assert.equal("/bin/sh\n", cp.spawnSync("echo $0", {shell = true}).stdout)
    end)

    it("can be a different shell, specified as a string", function()
      local path = support.executable(support.tmpdir() .. "/shell", '#!/bin/sh\necho "$# $1 $2"\n')
      assert.equal("2 -c some command\n", cp.spawnSync("some", {"command"}, {shell = path}).stdout)
      assert.equal("sh\n", cp.spawnSync("echo $0", {shell = "sh"}).stdout)
    end)

    it("is by default false: no shell", function()
      for _, shell in ipairs({false, cp.null}) do
        assert.equal("$HOME\n", cp.spawnSync("echo", {"$HOME"}, {shell = shell}).stdout)
      end
      assert.equal("$HOME\n", cp.spawnSync("echo", {"$HOME"}).stdout)
    end)
  end)

  describe("options.windowsVerbatimArguments and options.windowsHide", function()
    it("are ignored on Unix", function()
      for _, value in ipairs({true, false}) do
        local options = {windowsHide = value, windowsVerbatimArguments = value}
        assert.equal("a b\n", cp.spawnSync("echo", {"a b"}, options).stdout)
      end
    end)
  end)

  describe("options.detached", function()
    it("makes the child the leader of a session of its own", function()
      local script = "read -r stat < /proc/$$/stat; set -- $stat; echo $1 $6"
      local pid, session = sh(script, {detached = true}).stdout:match("(%d+) (%d+)")
      assert.equal(pid, session)
      pid, session = sh(script).stdout:match("(%d+) (%d+)")
      assert.are_not.equal(pid, session)
    end)
  end)

  describe("options.signal", function()
    it("is not an option of a call that nobody could abort", function()
      support.assertSucceeded(cp.spawnSync("true", {signal = {}}))
    end)
  end)

  it("reads large stdout and stderr at once", function()
    local result = sh("head -c 3000000 /dev/zero & head -c 3000000 /dev/zero >&2; wait; exit 2", {
      maxBuffer = math.huge,
    })
    assert.equal(2, result.status)
    support.assertSameText(("\0"):rep(3000000), result.stdout)
    support.assertSameText(("\0"):rep(3000000), result.stderr)
  end)

  it("reads what comes in many small pieces", function()
    local result = sh("i=0; while [ $i -lt 2000 ]; do echo $i; i=$((i+1)); done")
    local count = 0
    for line in result.stdout:gmatch("[^\n]+") do
      assert.equal(tostring(count), line)
      count = count + 1
    end
    assert.equal(2000, count)
  end)

  describe("arguments", function()
    local cases = {
      {"ERR_INVALID_ARG_TYPE", nil},
      {"ERR_INVALID_ARG_TYPE", 5},
      {"ERR_INVALID_ARG_TYPE", cp},
      {"ERR_INVALID_ARG_VALUE", ""},
      {"ERR_INVALID_ARG_VALUE", "tr\0ue"},
      {"ERR_INVALID_ARG_TYPE", "true", "text"},
      {"ERR_INVALID_ARG_TYPE", "true", 5},
      {"ERR_INVALID_ARG_TYPE", "true", {}, 5},
      {"ERR_INVALID_ARG_TYPE", "true", {}, "text"},
      {"ERR_INVALID_ARG_VALUE", "true", {"a\0b"}},
      {"ERR_INVALID_ARG_TYPE", "true", {{}}},
      {"ERR_INVALID_ARG_TYPE", "true", {print}},
      {"ERR_INVALID_ARG_TYPE", "true", {cwd = 5}},
      {"ERR_INVALID_ARG_VALUE", "true", {cwd = "/\0"}},
      {"ERR_INVALID_ARG_TYPE", "true", {env = 5}},
      {"ERR_INVALID_ARG_TYPE", "true", {argv0 = 5}},
      {"ERR_INVALID_ARG_TYPE", "true", {shell = 5}},
      {"ERR_INVALID_ARG_VALUE", "true", {shell = "/bin/sh\0"}},
      {"ERR_INVALID_ARG_TYPE", "true", {input = 5}},
      {"ERR_INVALID_ARG_TYPE", "true", {input = {}}},
      {"ERR_INVALID_ARG_TYPE", "true", {input = false}},
      {"ERR_INVALID_ARG_TYPE", "true", {uid = true}},
      {"ERR_OUT_OF_RANGE", "true", {uid = -1}},
      {"ERR_OUT_OF_RANGE", "true", {gid = 1.5}},
      {"ERR_OUT_OF_RANGE", "true", {timeout = -1}},
      {"ERR_OUT_OF_RANGE", "true", {timeout = 1.5}},
      {"ERR_INVALID_ARG_TYPE", "true", {timeout = "1"}},
      {"ERR_OUT_OF_RANGE", "true", {maxBuffer = -1}},
      {"ERR_INVALID_ARG_TYPE", "true", {maxBuffer = "1"}},
      {"ERR_OUT_OF_RANGE", "true", {maxBuffer = 0 / 0}},
      {"ERR_UNKNOWN_SIGNAL", "true", {killSignal = "SIGNOTHING"}},
      {"ERR_UNKNOWN_SIGNAL", "true", {killSignal = 0}},
      {"ERR_UNKNOWN_SIGNAL", "true", {killSignal = 500}},
      {"ERR_INVALID_ARG_TYPE", "true", {killSignal = true}},
      {"ERR_INVALID_ARG_TYPE", "true", {windowsHide = 5}},
      {"ERR_INVALID_ARG_TYPE", "true", {windowsVerbatimArguments = 5}},
      {"ERR_INVALID_ARG_TYPE", "true", {detached = 5}},
      {"ERR_INVALID_ARG_VALUE", "true", {stdio = "ipc"}},
      {"ERR_INVALID_ARG_VALUE", "true", {stdio = "nonsense"}},
      {"ERR_INVALID_ARG_VALUE", "true", {stdio = 5}},
      {"ERR_INVALID_ARG_VALUE", "true", {stdio = {-1}}},
      {"ERR_INVALID_ARG_VALUE", "true", {stdio = {{}}}},
      {"ERR_INVALID_SYNC_FORK_INPUT", "true", {stdio = {"nonsense"}}},
      {"ERR_IPC_ONE_PIPE", "true", {stdio = {"ipc", "ipc"}}},
    }
    for i, case in ipairs(cases) do
      it(("of the wrong kind are raised at once (%d: %s)"):format(i, case[1]), function()
        local err = support.error(cp.spawnSync, case[2], case[3], case[4])
        assert.equal(case[1], err.code)
        assert.equal(("%s [%s]: %s"):format(err.name, err.code, err.message), tostring(err))
      end)
    end

    it("are called by their names", function()
      local function message(...) return support.error(cp.spawnSync, ...).message end
      assert.matches('"file"', message(5), 1, true)
      assert.matches("args[1]", message("true", {{}}), 1, true)
      assert.matches('"options.input"', message("true", {input = 5}), 1, true)
      assert.matches('"options.maxBuffer"', message("true", {maxBuffer = -1}), 1, true)
      assert.matches('"timeout"', message("true", {timeout = -1}), 1, true)
    end)

    it("of the wrong kind start nothing", function()
      local folder = support.tmpdir()
      for _, options in ipairs({
        {timeout = -1}, {maxBuffer = -1}, {input = 5}, {killSignal = "x"}, {stdio = {"ipc"}},
      }) do
        options.cwd = folder
        support.error(cp.spawnSync, "touch", {"started"}, options)
      end
      assert.is_nil(lfs.attributes(folder .. "/started"))
    end)
  end)
end)

describe("maxBuffer and Unicode, synchronously:", function()
  it("loses no byte where the encoding has no characters", function()
    for name, text in pairs({base64 = "YWJjZA==", base64url = "YWJjZA", hex = "61626364"}) do
      local result = cp.spawnSync("printf", {"abcdef"}, {encoding = name, maxBuffer = 4})
      assert.equal(text, result.stdout)
    end
  end)

  -- 13 bytes in UTF-8, with the newline, though there are 4 characters
  local text = "\228\184\173\230\150\135\230\181\139\232\175\149"

  local function echo(maxBuffer, encoding)
    return cp.spawnSync("echo", {text}, {maxBuffer = maxBuffer, encoding = encoding})
  end

  it("maxBuffer specifies the largest number of bytes: 13 for four characters and a newline",
    function()
      for _, encoding in ipairs({"buffer", "utf8"}) do
        local result = echo(13, encoding)
        support.assertSucceeded(result)
        assert.equal(text .. "\n", result.stdout)
      end
    end)

  it("if this value is exceeded, the child process is terminated", function()
    for _, encoding in ipairs({"buffer", "utf8"}) do
      local result = echo(12, encoding)
      assert.equal("ENOBUFS", result.error.code)
      assert.equal(text, result.stdout)
    end
  end)

  it("bytes are cut in the middle of a character, text before it", function()
    for bytes = 0, 12 do
      local result = echo(bytes)
      assert.equal("ENOBUFS", result.error.code)
      assert.equal(text:sub(1, bytes), result.stdout)
      result = echo(bytes, "utf8")
      assert.equal("ENOBUFS", result.error.code)
      assert.equal(text:sub(1, bytes - bytes % 3), result.stdout)
    end
  end)
end)
