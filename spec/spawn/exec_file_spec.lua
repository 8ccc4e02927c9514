-- child_process.execFile(file[, args][, options][, callback])

local compat = require("child_process.base.compat")
local cp = require("child_process")
local support = require("spec.support")
local timers = require("child_process.timers")

--- Runs a program to its end. The callback has to be called exactly once.
---@return table|nil err
---@return string stdout
---@return string stderr
---@return table child
local function execFile(file, args, options)
  local calls = {}
  local child = cp.execFile(file, args, options, function(...)
    calls[#calls + 1] = compat.pack(...)
  end)
  support.run()
  assert.equal(1, #calls)
  assert.equal(3, calls[1].n)
  return calls[1][1], calls[1][2], calls[1][3], child
end

describe("child_process.execFile(file[, args][, options][, callback])", function()
  it("spawns the specified executable file directly as a new process", function()
    local err, stdout, stderr, child = execFile("sh", {"-c", "echo $$; echo e >&2"})
    assert.is_nil(err)
    assert.equal(child.pid .. "\n", stdout)
    assert.equal("e\n", stderr)
    assert.equal("sh", child.spawnfile)
    assert.same({"sh", "-c", "echo $$; echo e >&2"}, child.spawnargs)
  end)

  it("runs the example of `node --version`: here, the version of the interpreter", function()
    local err, stdout = execFile(support.lua, {support.script("print(_VERSION)")})
    assert.is_nil(err)
    assert.equal(_VERSION .. "\n", stdout)
  end)

  it("takes the name or the path of the executable file", function()
    local folder = support.tmpdir()
    local path = support.executable(folder .. "/prog", "#!/bin/sh\necho ran $0\n")
    local _, stdout = execFile(path)
    assert.equal("ran " .. path .. "\n", stdout)
    _, stdout = execFile("./prog", {}, {cwd = folder})
    assert.equal("ran ./prog\n", stdout)
    _, stdout = execFile("prog", {}, {env = {PATH = "/nowhere:" .. folder}})
    assert.equal("ran " .. path .. "\n", stdout)
  end)

  it("since a shell is not spawned, does not support I/O redirection and file globbing", function()
    local _, stdout = execFile("echo", {"*", ">", "file", "$HOME", "a  b", '"', ""})
    assert.equal('* > file $HOME a  b " \n', stdout)
  end)

  it("hands over every argument as it is", function()
    local args = {"-c", 'for a in "$@"; do printf "%s\\0" "$a"; done', "sh"}
    local odd = {"", " ", "\n", "\255\254", "-n", "\\", "'", '"', "a=b", ("x"):rep(100000)}
    local _, stdout = execFile("sh", compat.move(odd, 1, #odd, #args + 1, {compat.unpack(args)}))
    local seen = {}
    for a in stdout:gmatch("(%Z*)%z") do seen[#seen + 1] = a end
    assert.same(odd, seen)
  end)

  describe("takes its arguments", function()
    local function output(...)
      local result
      local args = compat.pack(...)
      args[args.n + 1] = function(err, stdout) result = err or stdout end
      cp.execFile(compat.unpack(args, 1, args.n + 1))
      support.run()
      return result
    end

    it("file, callback", function() assert.equal("\n", output("echo")) end)
    it("file, args, callback", function() assert.equal("a\n", output("echo", {"a"})) end)
    it("file, options, callback", function()
      assert.equal("/\n", output("pwd", {cwd = "/"}))
    end)
    it("file, args, options, callback", function()
      assert.equal("/\n", output("sh", {"-c", "pwd"}, {cwd = "/"}))
    end)
    it("file, nil, nil, callback", function() assert.equal("\n", output("echo", nil, nil)) end)
    it("file, nil, options, callback", function()
      assert.equal("/\n", output("pwd", nil, {cwd = "/"}))
    end)
    it("file, empty args, options, callback", function()
      assert.equal("/\n", output("pwd", {}, {cwd = "/"}))
    end)

    it("file alone", function()
      local child = cp.execFile("true")
      support.run()
      assert.equal(0, child.exitCode)
    end)

    it("file, args, options without a callback", function()
      local child = cp.execFile("sh", {"-c", "exit 7"}, {cwd = "/"})
      support.run()
      assert.equal(7, child.exitCode)
    end)
  end)

  it("leaves args and options as they were given", function()
    local args, options = {"a", "b"}, {shell = true, timeout = 10000}
    execFile("echo", args, options)
    assert.same({"a", "b"}, args)
    assert.same({shell = true, timeout = 10000}, options)
  end)

  it("returns a ChildProcess", function()
    local output
    local child = cp.execFile("cat", function(_, stdout) output = stdout end)
    assert.equal("integer", compat.mathType(child.pid))
    child.stdin:finish("through")
    support.run()
    assert.equal("through", output)
  end)

  describe("callback", function()
    it("gets nil, stdout and stderr on success", function()
      local err, stdout, stderr = execFile("sh", {"-c", "echo out; echo err >&2"})
      assert.is_nil(err)
      assert.equal("out\n", stdout)
      assert.equal("err\n", stderr)
    end)

    it("gets an Error with code and cmd: the file and the arguments joined by spaces", function()
      local err, stdout, stderr = execFile("sh", {"-c", "echo out; echo why >&2; exit 9"})
      assert.equal(9, err.code)
      assert.is_nil(err.signal)
      assert.is_false(err.killed)
      assert.equal("sh -c echo out; echo why >&2; exit 9", err.cmd)
      assert.equal("Command failed: " .. err.cmd .. " (exit code 9)\nwhy\n", err.message)
      assert.equal("out\n", stdout)
      assert.equal("why\n", stderr)
    end)

    it("gets an Error with the signal that terminated the process", function()
      local err = execFile("sh", {"-c", "kill -TERM $$"})
      assert.equal("SIGTERM", err.signal)
      assert.is_nil(err.code)
      assert.is_false(err.killed)
    end)

    it("gets ENOENT and two empty strings for a file that does not exist", function()
      local err, stdout, stderr = execFile("does_not_exist", {"a", "b"})
      assert.equal("ENOENT", err.code)
      assert.equal("spawn does_not_exist", err.syscall)
      assert.equal("does_not_exist", err.path)
      assert.same({"a", "b"}, err.spawnargs)
      assert.equal("does_not_exist a b", err.cmd)
      assert.equal("Error: spawn does_not_exist ENOENT", tostring(err))
      assert.equal("", stdout)
      assert.equal("", stderr)
    end)

    it("gets EACCES for a file that is not executable, or is a directory", function()
      local folder = support.tmpdir()
      assert(io.open(folder .. "/plain", "w")):close()
      assert.equal("EACCES", execFile(folder .. "/plain").code)
      assert.equal("EACCES", execFile(folder).code)
    end)

    it("is not the only one to get the error: there is the event too", function()
      local callbackError, eventError
      local child = cp.execFile("does_not_exist", function(err) callbackError = err end)
      child:on("error", function(err) eventError = err end)
      support.run()
      assert.equal("ENOENT", eventError.code)
      assert.equal(eventError, callbackError)
    end)

    it("is called on a later tick, never from within execFile", function()
      local within = true
      cp.execFile("does_not_exist", function() assert.is_false(within) end)
      cp.execFile("true", function() assert.is_false(within) end)
      within = false
      support.run()
    end)
  end)

  describe("options", function()
    it("cwd", function()
      local folder = support.tmpdir()
      assert(io.open(folder .. "/here", "w")):close()
      local _, stdout = execFile("ls", {}, {cwd = folder})
      assert.equal("here\n", stdout)
    end)

    it("env", function()
      local _, stdout = execFile("env", {}, {env = {A = "1"}})
      assert.equal("A=1\n", stdout)
    end)

    it("encoding: bytes by default, with 'buffer' and with an unrecognized one", function()
      for _, encoding in ipairs({false, "buffer", "unheard-of"}) do
        local options = {encoding = encoding or nil}
        local _, stdout = execFile("printf", {"\\377\\303\\251"}, options)
        assert.equal("\255\195\169", stdout)
      end
    end)

    it("encoding: decodes stdout and stderr", function()
      local _, stdout, stderr = execFile("sh", {"-c", [[printf '\351'; printf '\350' >&2]]}, {
        encoding = "latin1",
      })
      assert.equal("\195\169", stdout)
      assert.equal("\195\168", stderr)
    end)

    it("timeout and killSignal", function()
      local err = execFile("sleep", {"60"}, {timeout = 20})
      assert.is_true(err.killed)
      assert.equal("SIGTERM", err.signal)
      err = execFile("sleep", {"60"}, {timeout = 20, killSignal = "SIGINT"})
      assert.is_true(err.killed)
      assert.equal("SIGINT", err.signal)
    end)

    it("timeout: a child that ignores the signal is waited for", function()
      local failure
      local child = cp.execFile("sh", {"-c", "cat; exit 6"}, {
        timeout = 20, killSignal = "SIGURG", -- does nothing to those who do not ask for it
      }, function(err) failure = err end)
      local poll
      poll = timers.setInterval(function()
        if not child.killed then return end
        timers.clearInterval(poll)
        child.stdin:finish()
      end, 5)
      support.run()
      assert.is_true(failure.killed)
      assert.equal(6, failure.code)
      assert.is_nil(failure.signal)
    end)

    it("maxBuffer", function()
      local err, stdout, _, child = execFile("sh", {"-c", "printf abcdef; exec sleep 60"}, {
        maxBuffer = 4,
      })
      assert.equal("ERR_CHILD_PROCESS_STDIO_MAXBUFFER", err.code)
      assert.equal("sh -c printf abcdef; exec sleep 60", err.cmd)
      assert.equal("abcd", stdout)
      assert.equal("SIGTERM", child.signalCode)
    end)

    it("maxBuffer: 1024 * 1024 by default", function()
      assert.is_nil(execFile("head", {"-c", "1048576", "/dev/zero"}))
      local err, stdout = execFile("head", {"-c", "1048577", "/dev/zero"})
      assert.equal("ERR_CHILD_PROCESS_STDIO_MAXBUFFER", err.code)
      assert.equal(1048576, #stdout)
    end)

    it("uid and gid", function()
      if support.isRoot then
        local _, stdout = execFile("id", {"-u"}, {uid = 65534})
        assert.equal("65534\n", stdout)
        _, stdout = execFile("id", {"-g"}, {gid = 65533})
        assert.equal("65533\n", stdout)
      else
        assert.equal("EPERM", execFile("true", {}, {gid = 0, uid = 0}).code)
      end
    end)

    it("windowsHide and windowsVerbatimArguments are without effect", function()
      local _, stdout = execFile("echo", {"a b"}, {
        windowsHide = true, windowsVerbatimArguments = true,
      })
      assert.equal("a b\n", stdout)
    end)

    it("shell: false by default, which is no shell", function()
      local _, stdout, _, child = execFile("echo", {"$HOME"}, {shell = false})
      assert.equal("$HOME\n", stdout)
      assert.equal("echo", child.spawnfile)
    end)

    it("shell: true runs the command inside of a shell", function()
      local _, stdout, _, child = execFile("echo", {"$WORD", "|", "tr", "a-z", "A-Z"}, {
        shell = true, env = {WORD = "loud", PATH = os.getenv("PATH")},
      })
      assert.equal("LOUD\n", stdout)
      assert.equal("/bin/sh", child.spawnfile)
      assert.same({"/bin/sh", "-c", "echo $WORD | tr a-z A-Z"}, child.spawnargs)
    end)

    it("shell: a different shell can be specified as a string", function()
      local _, stdout, _, child = execFile("echo", {"$0"}, {shell = "sh"})
      assert.equal("sh\n", stdout)
      assert.equal("sh", child.spawnfile)
    end)
  end)

  it("names an argument that is not a string, counted from 1", function()
    local err = support.error(cp.execFile, "true", {{}, "x"})
    assert.equal("ERR_INVALID_ARG_TYPE", err.code)
    assert.matches("args[1]", err.message, 1, true)
  end)

  it("gives E2BIG to the callback for more arguments than Lua has room for on a stack", function()
    -- in a script: valgrind, which may run us, does not survive when executing is refused
    local script = support.script([[
      -- the collector has nothing to find here, and would look at all of them again and again
      collectgarbage("stop")
      local cp = require("child_process")
      local args = {}
      for index = 1, 2 ^ 21 do args[index] = "x" end
      cp.execFile("true", args, function(err, stdout) print(err.code, #stdout) end)
      cp.run()
    ]])
    local parent = cp.spawn(support.lua, {script}, {stdio = {"ignore", "pipe", "inherit"}})
    assert.equal("E2BIG\t0\n", (support.output(parent)))
  end)

  describe("arguments", function()
    local function callback() end
    local cases = {
      {"ERR_INVALID_ARG_TYPE", nil},
      {"ERR_INVALID_ARG_TYPE", 5},
      {"ERR_INVALID_ARG_VALUE", ""},
      {"ERR_INVALID_ARG_VALUE", "tr\0ue"},
      {"ERR_INVALID_ARG_TYPE", "true", "text"},
      {"ERR_INVALID_ARG_TYPE", "true", 5},
      {"ERR_INVALID_ARG_TYPE", "true", {}, 5},
      {"ERR_INVALID_ARG_TYPE", "true", {}, "text"},
      {"ERR_INVALID_ARG_TYPE", "true", {}, {}, 5},
      {"ERR_INVALID_ARG_VALUE", "true", {"a\0b"}},
      {"ERR_INVALID_ARG_TYPE", "true", {{}}},
      {"ERR_INVALID_ARG_TYPE", "true", {"a", print}},
      {"ERR_INVALID_ARG_TYPE", "true", {}, {shell = 5}},
      {"ERR_OUT_OF_RANGE", "true", {}, {timeout = -1}},
      {"ERR_OUT_OF_RANGE", "true", {}, {maxBuffer = -1}, callback},
      {"ERR_UNKNOWN_SIGNAL", "true", {}, {killSignal = "SIGNOTHING"}, callback},
    }
    for i, case in ipairs(cases) do
      it(("of the wrong kind are raised at once (%d: %s)"):format(i, case[1]), function()
        local err = support.error(cp.execFile, case[2], case[3], case[4], case[5])
        assert.equal(case[1], err.code)
      end)
    end
  end)
end)
