-- child_process.execFileSync(file[, args][, options])

local cp = require("child_process")
local errors = require("child_process.errors")
local lfs = require("lfs")
local process = require("child_process.process")
local support = require("spec.support")

--- Calls execFileSync, which has to raise an error.
local function failure(file, args, options)
  return support.error(cp.execFileSync, file, args, options)
end

local function sh(script, options) return cp.execFileSync("sh", {"-c", script}, options) end

local function shFailure(script, options) return failure("sh", {"-c", script}, options) end

--- The error of a script that is given the time to print "ready" before its timeout.
local function shFailureOnceReady(script, options)
  return support.withTimeout(function(timeout)
    options.timeout = timeout
    local err = shFailure(script, options)
    return err.stdout:find("ready", 1, true) and err or nil
  end)
end

local function writeFile(path, text)
  local file <close> = assert(io.open(path, "w"))
  assert(file:write(text))
end

local function readFile(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

describe("child_process.execFileSync(file[, args][, options])", function()
  it("is a synchronous version of execFile", function()
    local args = {"-c", "echo $0 \"$1\"; printf 'no newline'", "a", "*"}
    local err, stdout
    cp.execFile("sh", args, function(e, out) err, stdout = e, out end)
    support.run()
    assert.is_nil(err)
    assert.equal(stdout, cp.execFileSync("sh", args))
    assert.equal("a *\nno newline", stdout)
  end)

  it("is implemented on top of spawnSync: its errors are those of spawnSync", function()
    local err = failure("does_not_exist", {"a", "b"})
    local result = cp.spawnSync("does_not_exist", {"a", "b"})
    assert.equal(tostring(result.error), tostring(err))
    for name, value in pairs(result.error) do assert.same(value, err[name], name) end
  end)

  it("returns the stdout from the command", function()
    assert.equal("a\nb\n", sh("echo a; echo b"))
    assert.equal("", cp.execFileSync("true"))
    assert.equal("\xff\0\xc3", cp.execFileSync("printf", {[[\377\000\303]]}))
    assert.equal(1, select("#", cp.execFileSync("true")))
  end)

  it("returns nil where stdout is no pipe", function()
    assert.is_nil(cp.execFileSync("echo", {"a"}, {stdio = "ignore"}))
    assert.is_nil(cp.execFileSync("echo", {"a"}, {stdio = {"pipe", "ignore", "pipe"}}))
  end)

  it("will not return until the child process has fully closed", function()
    assert.equal("late\n", sh("{ sleep 0.1; echo late; } & exit 0"))
    local folder = support.tmpdir()
    assert.equal("", sh("exec >&- 2>&-; sleep 0.1; echo x > done", {cwd = folder}))
    assert.equal("x\n", readFile(folder .. "/done"))
  end)

  it("when a timeout has been encountered and killSignal is sent, won't return until the process "
    .. "has completely exited", function()
    local folder = support.tmpdir()
    local err = shFailureOnceReady([[
      trap 'sleep 0.1; echo x > done; exit 7' TERM
      echo ready
      while :; do sleep 0.01; done
    ]], {cwd = folder})
    assert.equal("ETIMEDOUT", err.code)
    assert.equal(7, err.status)
    assert.equal("x\n", readFile(folder .. "/done"))
  end)

  it("if the child process intercepts and handles the SIGTERM signal and does not exit, the parent "
    .. "process will still wait until the child process has exited", function()
    -- It goes on until the call has given up reading.
    local err = shFailureOnceReady([[
      trap '' TERM PIPE
      echo ready
      while echo more; do sleep 0.01; done 2>/dev/null
      exit 6
    ]], {})
    assert.equal("ETIMEDOUT", err.code)
    assert.equal(6, err.status)
  end)

  it("if the shell option is enabled, lets input containing shell metacharacters trigger arbitrary "
    .. "command execution", function()
    local input = "file; echo executed"
    assert.equal("file; echo executed\n", cp.execFileSync("echo", {input}))
    assert.equal("file\nexecuted\n", cp.execFileSync("echo", {input}, {shell = true}))
  end)

  describe("will throw", function()
    it("an Error if the process times out", function()
      local err = shFailureOnceReady("echo ready; exec sleep 60", {})
      assert.is_true(errors.isError(err))
      assert.equal("Error: spawnSync sh ETIMEDOUT", tostring(err))
      assert.equal("ETIMEDOUT", err.code)
      assert.equal("SIGTERM", err.signal)
      assert.is_nil(err.status)
      assert.equal("ready\n", err.stdout)
      assert.equal(err, err.error)
    end)

    it("an Error if the process has a non-zero exit code", function()
      for _, code in ipairs({1, 2, 127, 255}) do
        local err = shFailure("exit " .. code)
        assert.is_true(errors.isError(err))
        assert.equal(code, err.status)
        assert.is_nil(err.signal)
        assert.is_nil(err.error)
      end
    end)

    it("an Error if the process was terminated by a signal", function()
      local err = shFailure("kill -KILL $$")
      assert.equal("SIGKILL", err.signal)
      assert.is_nil(err.status)
      assert.equal("Command failed: sh -c kill -KILL $$", err.message)
    end)

    it("an Error that will include the full result of the underlying spawnSync", function()
      local args = {"-c", "echo out; echo err >&2; echo more >&3; exit 3"}
      local options = {stdio = {"pipe", "pipe", "pipe", "pipe"}}
      local err = failure("sh", args, options)
      local result = cp.spawnSync("sh", args, options)
      assert.equal("integer", math.type(err.pid))
      assert.are_not.equal(result.pid, err.pid)
      err.pid = result.pid
      for name, value in pairs(result) do assert.same(value, err[name], name) end
      assert.same({"out\n", "err\n", "more\n"}, err.output)
      assert.equal("out\n", err.stdout)
      assert.equal("err\n", err.stderr)
      assert.equal(3, err.status)
    end)

    it("an Error whose message has the file, its arguments, and what it said on stderr", function()
      local err = shFailure("echo out; echo why >&2; exit 3", {stdio = "pipe"})
      assert.equal("Command failed: sh -c echo out; echo why >&2; exit 3\nwhy\n", err.message)
      assert.equal("Error: " .. err.message, tostring(err))
      assert.is_nil(err.code)
      assert.equal("Command failed: false", failure("false").message)
      assert.equal("Command failed: sh -c echo x >&2; exit 3",
        shFailure("echo x >&2; exit 3", {stdio = "ignore"}).message)
    end)

    it("an Error if the file cannot be run", function()
      local err = failure("does_not_exist", {"a", "b"})
      assert.equal("Error: spawnSync does_not_exist ENOENT", tostring(err))
      assert.equal("ENOENT", err.code)
      assert.equal("spawnSync does_not_exist", err.syscall)
      assert.equal("does_not_exist", err.path)
      assert.same({"a", "b"}, err.spawnargs)
      assert.equal(err, err.error)
      assert.equal(0, err.pid)
      for _, name in ipairs({"status", "signal", "output", "stdout", "stderr"}) do
        assert.is_nil(err[name], name)
      end
      assert.equal("EACCES", failure("/").code)
    end)
  end)

  describe("file", function()
    it("is the name or path of the executable file to run", function()
      local folder = support.tmpdir()
      local path = folder .. "/prog"
      writeFile(path, "#!/bin/sh\necho ran $0\n")
      assert(os.execute("chmod +x " .. path))
      assert.equal("ran " .. path .. "\n", cp.execFileSync(path))
      assert.equal("ran ./prog\n", cp.execFileSync("./prog", {}, {cwd = folder}))
      local env = {PATH = "/nowhere:" .. folder}
      assert.equal("ran " .. path .. "\n", cp.execFileSync("prog", {env = env}))
    end)
  end)

  describe("args", function()
    it("is a list of string arguments, which no shell reads", function()
      assert.equal('* > file $HOME a  b " \n',
        cp.execFileSync("echo", {"*", ">", "file", "$HOME", "a  b", '"', ""}))
    end)

    it("may be left out, and so may the options", function()
      assert.equal("\n", cp.execFileSync("echo"))
      assert.equal("a\n", cp.execFileSync("echo", {"a"}))
      assert.equal("/\n", cp.execFileSync("pwd", {cwd = "/"}))
      assert.equal("/\n", cp.execFileSync("sh", {"-c", "pwd"}, {cwd = "/"}))
      assert.equal("/\n", cp.execFileSync("pwd", nil, {cwd = "/"}))
      assert.equal("/\n", cp.execFileSync("pwd", {}, {cwd = "/"}))
    end)

    it("and the options are left as they were given", function()
      local args, options = {"a"}, {shell = true, timeout = 10000}
      cp.execFileSync("echo", args, options)
      assert.same({"a"}, args)
      assert.same({shell = true, timeout = 10000}, options)
    end)
  end)

  describe("options.cwd", function()
    it("is the current working directory of the child process", function()
      local folder = support.tmpdir()
      writeFile(folder .. "/here", "")
      assert.equal("here\n", cp.execFileSync("ls", {cwd = folder}))
      assert.equal("ENOENT", failure("ls", {cwd = folder .. "/not"}).code)
    end)
  end)

  describe("options.input", function()
    it("is the value which will be passed as stdin to the spawned process", function()
      assert.equal("SOME TEXT", cp.execFileSync("tr", {"a-z", "A-Z"}, {input = "some text"}))
      assert.equal("", cp.execFileSync("cat", {input = ""}))
      local large = ("0123456789abcde\n"):rep(200000)
      assert.is_true(large == cp.execFileSync("cat", {input = large, maxBuffer = math.huge}))
    end)

    it("if supplied, will override stdio[0]", function()
      for _, stdin in ipairs({"ignore", "inherit", "pipe", io.stdin}) do
        local options = {input = "text", stdio = {stdin, "pipe", "inherit"}}
        assert.equal("text", cp.execFileSync("cat", options))
      end
    end)

    it("if absent, leaves a stdin that ends at once", function()
      assert.equal("", cp.execFileSync("cat"))
    end)
  end)

  describe("options.stdio", function()
    it("is by default 'pipe', but stderr will be output to the parent process' stderr", function()
      local stdout, stderr = support.runScript([[
        io.write(cp.execFileSync("sh", {"-c", "echo out; printf 'err\\377' >&2"}))
        local ok, err = pcall(cp.execFileSync, "sh", {"-c", "echo out2; echo err2 >&2; exit 1"})
        assert(not ok and err.stderr == "err2\n")
        io.write(err.stdout)
        cp.execFileSync("sh", {"-c", "printf '\\351' >&2"}, {encoding = "latin1"})
      ]])
      assert.equal("out\nout2\n", stdout)
      assert.equal("err\xfferr2\n\xe9", stderr)
    end)

    it("if specified, keeps stderr from the parent process' stderr", function()
      local _, stderr = support.runScript([[
        for _, stdio in ipairs({"pipe", "ignore", {}, {"pipe", "pipe", "pipe"}}) do
          cp.execFileSync("sh", {"-c", "echo err >&2"}, {stdio = stdio})
          assert(not pcall(cp.execFileSync, "sh", {"-c", "echo err >&2; exit 1"}, {stdio = stdio}))
        end
      ]])
      assert.equal("", stderr)
    end)

    it("may be 'inherit'", function()
      local stdout, stderr = support.runScript([[
        io.write("before ")
        assert(cp.execFileSync("sh", {"-c", "echo out; echo err >&2"}, {stdio = "inherit"}) == nil)
      ]])
      assert.equal("before out\n", stdout)
      assert.equal("err\n", stderr)
    end)

    it("may have files, and further pipes", function()
      local folder = support.tmpdir()
      local file = assert(io.open(folder .. "/log", "w"))
      local err = shFailure("echo out; echo err >&2; echo three >&3; exit 1", {
        stdio = {"ignore", file, file, "pipe"},
      })
      file:close()
      assert.equal("out\nerr\n", readFile(folder .. "/log"))
      assert.same({[3] = "three\n"}, err.output)
    end)
  end)

  describe("options.env", function()
    it("holds the environment key-value pairs", function()
      assert.equal("A=1\n", cp.execFileSync("env", {env = {A = "1"}}))
    end)

    it("is process.env by default", function()
      process.env.CHILD_PROCESS_SPEC = "inherited"
      local ok, output = pcall(sh, "echo $CHILD_PROCESS_SPEC")
      process.env.CHILD_PROCESS_SPEC = nil
      assert.is_true(ok)
      assert.equal("inherited\n", output)
    end)
  end)

  describe("options.uid and options.gid", function()
    it("set the user and group identity of the process", function()
      if lfs.attributes("/proc/self", "uid") == 0 then
        assert.equal("65534\n", cp.execFileSync("id", {"-u"}, {uid = 65534}))
        assert.equal("65533\n", cp.execFileSync("id", {"-g"}, {gid = 65533}))
      else
        assert.equal("EPERM", failure("true", {uid = 0}).code)
      end
    end)
  end)

  describe("options.timeout", function()
    it("is in milliseconds the maximum amount of time the process is allowed to run", function()
      assert.equal("ETIMEDOUT", failure("sleep", {"60"}, {timeout = 20}).code)
      assert.equal("quick\n", cp.execFileSync("echo", {"quick"}, {timeout = 60000}))
    end)

    it("is by default undefined, and 0 means the same: no limit", function()
      assert.equal("there\n", sh("sleep 0.05; echo there"))
      assert.equal("there\n", sh("sleep 0.05; echo there", {timeout = 0}))
    end)
  end)

  describe("options.killSignal", function()
    it("is the signal value to be used when the spawned process will be killed", function()
      for _, killSignal in ipairs({"SIGKILL", 9}) do
        local options = {timeout = 20, killSignal = killSignal}
        assert.equal("SIGKILL", failure("sleep", {"60"}, options).signal)
        options = {maxBuffer = 1, killSignal = killSignal}
        assert.equal("SIGKILL", shFailure("printf 123; exec sleep 60", options).signal)
      end
    end)

    it("is by default 'SIGTERM'", function()
      assert.equal("SIGTERM", failure("sleep", {"60"}, {timeout = 20}).signal)
    end)
  end)

  describe("options.maxBuffer", function()
    it("is the largest amount of data in bytes allowed on stdout or stderr", function()
      local options = {maxBuffer = 5, stdio = "pipe"}
      assert.equal("abcde", sh("printf abcde; printf fghij >&2", options))
    end)

    it("if exceeded, the child process is terminated", function()
      local err = shFailure("printf abcdef; exec sleep 60", {maxBuffer = 5})
      assert.equal("ENOBUFS", err.code)
      assert.equal("Error: spawnSync sh ENOBUFS", tostring(err))
      assert.equal("abcde", err.stdout)
      assert.equal("SIGTERM", err.signal)
      err = shFailure("printf abcdef >&2; exec sleep 60", {maxBuffer = 5, stdio = "pipe"})
      assert.equal("ENOBUFS", err.code)
      assert.equal("abcde", err.stderr)
    end)

    it("is 1024 * 1024 by default", function()
      assert.equal(1048576, #cp.execFileSync("head", {"-c", "1048576", "/dev/zero"}))
      local err = failure("head", {"-c", "1048577", "/dev/zero"})
      assert.equal("ENOBUFS", err.code)
      assert.equal(1048576, #err.stdout)
    end)

    it("counts bytes, not characters: 13 for four characters and a newline", function()
      local text = "\u{4e2d}\u{6587}\u{6d4b}\u{8bd5}"
      local options = {maxBuffer = 13, encoding = "utf8"}
      assert.equal(text .. "\n", cp.execFileSync("echo", {text}, options))
      options.maxBuffer = 12
      assert.equal("ENOBUFS", failure("echo", {text}, options).code)
    end)
  end)

  describe("options.encoding", function()
    it("is the encoding used for all stdio inputs and outputs", function()
      local args = {[[h\351\000]]}
      assert.equal("68e900", cp.execFileSync("printf", args, {encoding = "hex"}))
      assert.equal("h\u{e9}\0", cp.execFileSync("printf", args, {encoding = "latin1"}))
      assert.equal("h\u{fffd}\0", cp.execFileSync("printf", args, {encoding = "utf8"}))
      local options = {encoding = "latin1", input = "\u{e9}"}
      assert.equal("1\n", cp.execFileSync("wc", {"-c"}, options))
      options = {encoding = "latin1", stdio = "pipe"}
      assert.equal("\u{e8}", shFailure([[printf '\350' >&2; exit 1]], options).stderr)
    end)

    it("is by default 'buffer': the bytes as they are", function()
      for _, encoding in ipairs({"buffer", "klingon", cp.null}) do
        local options = {encoding = encoding}
        assert.equal("\xff\xc3", cp.execFileSync("printf", {[[\377\303]]}, options))
      end
    end)
  end)

  describe("options.windowsHide", function()
    it("is without effect", function()
      for _, windowsHide in ipairs({true, false}) do
        assert.equal("a b\n", cp.execFileSync("echo", {"a b"}, {windowsHide = windowsHide}))
      end
    end)
  end)

  describe("options.shell", function()
    it("if true, runs command inside of a shell: '/bin/sh' on Unix", function()
      local options = {shell = true, env = {WORD = "loud", PATH = os.getenv("PATH")}}
      assert.equal("LOUD /BIN/SH\n",
        cp.execFileSync("echo", {"$WORD", "$0", "|", "tr", "a-z", "A-Z"}, options))
      local err = failure("exit", {"4"}, options)
      assert.equal("Command failed: exit 4", err.message)
      assert.equal(4, err.status)
    end)

    it("can be a different shell, specified as a string", function()
      assert.equal("sh\n", cp.execFileSync("echo", {"$0"}, {shell = "sh"}))
      local err = failure("echo", {"a"}, {shell = "/does/not/exist"})
      assert.equal("spawnSync /does/not/exist", err.syscall)
      assert.same({"-c", "echo a"}, err.spawnargs)
    end)

    it("is by default false: no shell", function()
      assert.equal("$HOME\n", cp.execFileSync("echo", {"$HOME"}))
      assert.equal("$HOME\n", cp.execFileSync("echo", {"$HOME"}, {shell = false}))
    end)
  end)

  describe("arguments", function()
    local cases = {
      {"ERR_INVALID_ARG_TYPE", nil},
      {"ERR_INVALID_ARG_TYPE", 5},
      {"ERR_INVALID_ARG_VALUE", ""},
      {"ERR_INVALID_ARG_VALUE", "tr\0ue"},
      {"ERR_INVALID_ARG_TYPE", "true", "text"},
      {"ERR_INVALID_ARG_TYPE", "true", 5},
      {"ERR_INVALID_ARG_TYPE", "true", {}, 5},
      {"ERR_INVALID_ARG_TYPE", "true", {}, "text"},
      {"ERR_INVALID_ARG_VALUE", "true", {"a\0b"}},
      {"ERR_INVALID_ARG_TYPE", "true", {{}}},
      {"ERR_INVALID_ARG_TYPE", "true", {cwd = 5}},
      {"ERR_INVALID_ARG_TYPE", "true", {env = 5}},
      {"ERR_INVALID_ARG_TYPE", "true", {input = 5}},
      {"ERR_INVALID_ARG_TYPE", "true", {shell = 5}},
      {"ERR_INVALID_ARG_VALUE", "true", {stdio = "nonsense"}},
      {"ERR_INVALID_SYNC_FORK_INPUT", "true", {stdio = {"nonsense"}}},
      {"ERR_IPC_SYNC_FORK", "true", {stdio = {"pipe", "pipe", "pipe", "ipc"}}},
      {"ERR_OUT_OF_RANGE", "true", {timeout = -1}},
      {"ERR_OUT_OF_RANGE", "true", {maxBuffer = -1}},
      {"ERR_OUT_OF_RANGE", "true", {gid = -1}},
      {"ERR_UNKNOWN_SIGNAL", "true", {killSignal = "SIGNOTHING"}},
      {"ERR_INVALID_ARG_TYPE", "true", {killSignal = true}},
      {"ERR_INVALID_ARG_TYPE", "true", {windowsHide = 5}},
    }
    for i, case in ipairs(cases) do
      it(("of the wrong kind are raised at once (%d: %s)"):format(i, case[1]), function()
        local err = failure(case[2], case[3], case[4])
        assert.equal(case[1], err.code)
        assert.is_nil(err.status)
      end)
    end

    it("of the wrong kind start nothing", function()
      local folder = support.tmpdir()
      failure("touch", {"started"}, {cwd = folder, timeout = -1})
      failure("touch", {"started"}, {cwd = folder, input = 5})
      assert.is_nil(lfs.attributes(folder .. "/started"))
    end)
  end)
end)
