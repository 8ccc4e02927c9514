-- What execSync and execFileSync have in common: their results, errors and options

local compat = require("child_process.base.compat")
local cp = require("child_process")
local errors = require("child_process.errors")
local lfs = require("lfs")
local process = require("child_process.process")
local support = require("spec.support")

---@class SyncCall
---@field name string
---@field definition string of a Lua function `call` that has the function run a script of sh
---@field file string the program that it starts
---@field command string what it calls the command, around the script

---@type SyncCall[]
local CALLS = {
  {
    name = "execSync",
    definition = [[
      local function call(script, options) return cp.execSync(script, options) end
    ]],
    file = "/bin/sh",
    command = "%s",
  },
  {
    name = "execFileSync",
    definition = [[
      local function call(script, options)
        return cp.execFileSync("sh", {"-c", script}, options)
      end
    ]],
    file = "sh",
    command = "sh -c %s",
  },
}

---@param case SyncCall
local function testCall(case)
  local call = support.load('local cp = require("child_process")\n' .. case.definition
    .. "return call")()

  --- Makes a call that has to raise an error.
  local function failure(script, options) return support.error(call, script, options) end

  --- Runs a Lua script that has the function `call`.
  local function runScript(text, before)
    return support.runScript(case.definition .. text, before)
  end

  it("returns the stdout from the command", function()
    assert.equal("a\nb\n", call("echo a; echo b"))
    assert.equal("", call("true"))
    assert.equal("\255\0\195", call([[printf '\377\000\303']]))
    assert.equal(1, select("#", call("true")))
  end)

  it("returns nil where stdout is not a pipe", function()
    assert.is_nil(call("echo a", {stdio = "ignore"}))
    assert.is_nil(call("echo a", {stdio = {"pipe", "ignore", "pipe"}}))
  end)

  it("will not return until the child process has fully closed", function()
    assert.equal("late\n", call("{ sleep 0.1; echo late; } & exit 0"))
    local folder = support.tmpdir()
    assert.equal("", call("exec >&- 2>&-; sleep 0.1; echo x > done", {cwd = folder}))
    assert.equal("x\n", support.readFile(folder .. "/done"))
  end)

  it("when a timeout has been encountered and killSignal is sent, won't return until the process "
    .. "has completely exited", function()
    local folder = support.tmpdir()
    local err = support.onceReady(failure, [[
      trap 'sleep 0.1; echo x > done; exit 7' TERM
      echo ready
      while :; do sleep 0.01; done
    ]], {cwd = folder})
    assert.equal("ETIMEDOUT", err.code)
    assert.equal(7, err.status)
    assert.equal("x\n", support.readFile(folder .. "/done"))
  end)

  it("if the child process intercepts and handles the SIGTERM signal and doesn't exit, the parent "
    .. "process will wait until the child process has exited", function()
    -- It goes on until the call has given up reading.
    local err = support.onceReady(failure, [[
      trap '' TERM PIPE
      echo ready
      while echo more; do sleep 0.01; done 2>/dev/null
      exit 6
    ]])
    assert.equal("ETIMEDOUT", err.code)
    assert.equal(6, err.status)
  end)

  describe("will throw", function()
    it("if the process times out", function()
      local err = support.onceReady(failure, "echo ready; exec sleep 60")
      assert.is_true(errors.isError(err))
      local message = ("^Error: spawnSync %s ETIMEDOUT: timed out after %%d+ ms "):format(case.file)
      assert.matches(message, tostring(err))
      assert.is_true(err.timedOut)
      assert.is_true(err.killed)
      assert.equal("ETIMEDOUT", err.code)
      assert.equal("SIGTERM", err.signal)
      assert.is_nil(err.status)
      assert.equal("ready\n", err.stdout)
      assert.equal(err, err.error)
    end)

    it("if the process has a non-zero exit code", function()
      for _, code in ipairs({1, 2, 127, 255}) do
        local err = failure("exit " .. code)
        assert.is_true(errors.isError(err))
        assert.equal(code, err.status)
        assert.is_nil(err.signal)
        assert.is_nil(err.error)
      end
    end)

    it("if the process was terminated by a signal", function()
      local err = failure("kill -KILL $$")
      assert.equal("SIGKILL", err.signal)
      assert.is_nil(err.status)
      assert.is_nil(err.error)
      assert.equal(("Command failed: %s (killed by SIGKILL)"):format(
        case.command:format("kill -KILL $$")), err.message)
    end)

    it("if the output was too much, or the process could not be started", function()
      local prefix = ("Error: spawnSync %s "):format(case.file)
      assert.equal(prefix .. "ENOBUFS: stdout is longer than 9 bytes (options.maxBuffer)",
        tostring(failure("yes", {maxBuffer = 9})))
      local err = failure("yes >&2", {maxBuffer = 9, stdio = "pipe"})
      assert.equal(prefix .. "ENOBUFS: stderr is longer than 9 bytes (options.maxBuffer)",
        tostring(err))
      err = failure("true", {cwd = "/does/not/exist"})
      assert.equal(prefix .. "ENOENT: no such directory '/does/not/exist' (options.cwd)",
        tostring(err))
    end)

    it("nothing if the process did not take its input", function()
      assert.equal("out\n", call("exec <&-; echo out", {input = ("x"):rep(2000000)}))
    end)

    it("an Error object that contains the entire result from spawnSync", function()
      local script = "echo out; echo err >&2; echo more >&3; exit 3"
      local options = {stdio = {"pipe", "pipe", "pipe", "pipe"}}
      local err = failure(script, options)
      local result = cp.spawnSync("sh", {"-c", script}, options)
      assert.equal("integer", compat.mathType(err.pid))
      assert.are_not.equal(result.pid, err.pid)
      err.pid = result.pid
      for name, value in pairs(result) do assert.same(value, err[name], name) end
      assert.same({"out\n", "err\n", "more\n"}, err.output)
      assert.equal("out\n", err.stdout)
      assert.equal("err\n", err.stderr)
      assert.equal(3, err.status)
    end)

    it("an Error object with the fields of the failure, where the process could not be run",
      function()
        local err = failure("true", {cwd = "/does/not/exist"})
        assert.equal("ENOENT", err.code)
        assert.is_true(err.errno < 0)
        assert.equal("spawnSync " .. case.file, err.syscall)
        assert.equal("/does/not/exist", err.path)
        assert.same({"-c", "true"}, err.spawnargs)
        assert.equal(err, err.error)
        assert.equal(0, err.pid)
        for _, name in ipairs({"status", "signal", "output", "stdout", "stderr"}) do
          assert.is_nil(err[name], name)
        end
      end)

    it("an Error object whose message has the command and what it said on stderr", function()
      local script = "echo out; echo why >&2; exit 3"
      local message = ("Command failed: %s (exit code 3)"):format(case.command:format(script))
      local err = failure(script, {stdio = "pipe"})
      assert.equal(message .. "\nwhy\n", err.message)
      assert.equal("Error: " .. err.message, tostring(err))
      assert.is_nil(err.code)
      assert.equal(message, failure(script, {stdio = "ignore"}).message)
      assert.equal(("Command failed: %s (exit code 3)"):format(case.command:format("exit 3")),
        failure("exit 3").message)
    end)
  end)

  it("leaves the options as they were given, which may be nil", function()
    local options = {input = "x", cwd = "/", timeout = 10000}
    assert.equal("x", call("cat", options))
    assert.same({input = "x", cwd = "/", timeout = 10000}, options)
    assert.equal("x\n", call("echo x", nil))
    assert.equal("x\n", call("echo x", {}))
  end)

  describe("options.cwd", function()
    it("is the current working directory of the child process", function()
      local folder = support.tmpdir()
      support.writeFile(folder .. "/here", "")
      assert.equal("here\n", call("ls", {cwd = folder}))
    end)
  end)

  describe("options.input", function()
    it("is the value which will be passed as stdin to the spawned process", function()
      assert.equal("SOME TEXT", call("tr a-z A-Z", {input = "some text"}))
      assert.equal("", call("cat", {input = ""}))
      local large = ("0123456789abcde\n"):rep(200000)
      support.assertSameText(large, call("cat | cat", {input = large, maxBuffer = math.huge}))
    end)

    it("if supplied, will override stdio[0]", function()
      for _, stdin in ipairs({"ignore", "inherit", "pipe", io.stdin}) do
        local options = {input = "text", stdio = {stdin, "pipe", "inherit"}}
        assert.equal("text", call("cat", options))
      end
    end)

    it("if absent, leaves a stdin that ends at once", function()
      assert.equal("end\n", call("cat; echo end"))
    end)
  end)

  describe("options.stdio", function()
    it("is by default 'pipe', but stderr will be output to the parent process' stderr", function()
      local stdout, stderr = runScript([[
        io.write(call("echo out; echo err >&2"))
        local ok, err = pcall(call, "echo out2; printf 'err2\\377' >&2; exit 1")
        io.write(err.stdout)
        assert(not ok and err.stderr == "err2\255")
        local timeout = 50
        repeat -- until the child was fast enough
          timeout = timeout * 2
          ok, err = pcall(call, "echo ready >&2; exec sleep 60", {timeout = timeout})
        until err.stderr ~= ""
        assert(not ok)
        assert(not pcall(call, "printf 123456 >&2; exec sleep 60", {maxBuffer = 3}))
      ]])
      assert.equal("out\nout2\n", stdout)
      assert.equal("err\nerr2\255ready\n123", stderr)
    end)

    it("by default outputs stderr as bytes, whatever the encoding", function()
      local _, stderr = runScript([[
        call("printf '\\351' >&2", {encoding = "latin1"})
        call("printf '\\351' >&2", {encoding = "hex"})
        call("printf '\\351' >&2", {encoding = "utf8"})
      ]])
      assert.equal("\233\233\233", stderr)
    end)

    it("by default outputs stderr after what the parent process wrote there before", function()
      local _, stderr = runScript([[
        io.stderr:setvbuf("full")
        io.stderr:write("first ")
        call("printf 'second ' >&2")
        io.stderr:write("third")
      ]])
      assert.equal("first second third", stderr)
    end)

    it("by default outputs all of a large stderr", function()
      local _, stderr = runScript([[call("head -c 500000 /dev/zero | tr '\\0' e >&2")]])
      support.assertSameText(("e"):rep(500000), stderr)
    end)

    it("by default outputs stderr, which need not succeed", function()
      local text = [[io.write(call("echo out; echo err >&2"))]]
      assert.equal("out\n", (runScript(text, "exec 2>&-")))

      -- nobody reads our stderr any more
      local script = support.script('local cp = require("child_process")\n' .. case.definition
        .. "io.read()\n" .. text)
      local host = cp.spawn(support.lua, {script})
      host.stderr:destroy()
      host.stdin:finish("go\n")
      assert.equal("out\n", (support.output(host)))
      assert.equal(0, host.exitCode)
    end)

    it("by default outputs stderr, also to a reader that closes before its end", function()
      local script = support.script('local cp = require("child_process")\n' .. case.definition
        .. [[call("head -c 1000000 /dev/zero >&2")]])
      local host = cp.spawnSync("sh", {
        "-c", [[{ "$0" "$1" 2>&1 >/dev/null; echo $? >&3; } | head -c 1]], support.lua, script,
      }, {stdio = {"ignore", "ignore", "inherit", "pipe"}})
      assert.equal("0\n", host.output[3])
    end)

    it("if specified, keeps stderr from the parent process' stderr", function()
      local _, stderr = runScript([[
        for _, stdio in ipairs({
          "pipe", "ignore", "overlapped", {}, {"pipe", "pipe", "pipe"}, {"pipe", "pipe", "ignore"},
        }) do
          call("echo err >&2", {stdio = stdio})
          local err = select(2, pcall(call, "echo err >&2; exit 1", {stdio = stdio}))
          assert(err.status == 1)
        end
      ]])
      assert.equal("", stderr)
    end)

    it("may be null, which is not specified", function()
      local _, stderr = runScript([[call("echo err >&2", {stdio = cp.null})]])
      assert.equal("err\n", stderr)
    end)

    it("may be 'inherit'", function()
      local stdout, stderr = runScript([[
        io.write("before ")
        assert(call("echo out; echo err >&2", {stdio = "inherit"}) == nil)
      ]])
      assert.equal("before out\n", stdout)
      assert.equal("err\n", stderr)
    end)

    it("may have files, and further pipes", function()
      local folder = support.tmpdir()
      local file = assert(io.open(folder .. "/log", "w"))
      local script = "echo out; echo err >&2; echo three >&3; exit 1"
      local err = failure(script, {stdio = {"ignore", file, file, "pipe"}})
      file:close()
      assert.equal("out\nerr\n", support.readFile(folder .. "/log"))
      assert.same({[3] = "three\n"}, err.output)
      assert.is_nil(err.stdout)
      assert.is_nil(err.stderr)
      assert.equal(("Command failed: %s (exit code 1)"):format(case.command:format(script)),
        err.message)
    end)
  end)

  describe("options.env", function()
    it("holds the environment key-value pairs", function()
      assert.equal("1-2 b\n", call("echo $ONE-$TWO", {env = {ONE = "1", TWO = "2 b"}}))
    end)

    it("is process.env by default", function()
      process.env.CHILD_PROCESS_SPEC = "inherited"
      local ok, output = pcall(call, "echo $CHILD_PROCESS_SPEC")
      process.env.CHILD_PROCESS_SPEC = nil
      assert.is_true(ok)
      assert.equal("inherited\n", output)
    end)
  end)

  describe("options.uid and options.gid", function()
    it("set the user and group identity of the process", function()
      if support.isRoot then
        local output = call("id -u; id -g; id -G", {uid = 65534, gid = 65533})
        assert.equal("65534\n65533\n65533\n", output)
      else
        assert.equal("EPERM", failure("true", {uid = 0}).code)
      end
    end)
  end)

  describe("options.timeout", function()
    it("is in milliseconds the maximum amount of time the process is allowed to run", function()
      assert.equal("ETIMEDOUT", failure("exec sleep 60", {timeout = 20}).code)
      assert.equal("quick\n", call("echo quick", {timeout = 60000}))
    end)

    it("is by default undefined, and 0 means the same: no limit", function()
      assert.equal("there\n", call("sleep 0.05; echo there"))
      assert.equal("there\n", call("sleep 0.05; echo there", {timeout = 0}))
    end)

    it("ends the waiting for another process that holds the output", function()
      local err = support.leaveBehind(failure, "sleep 60 & echo $!")
      assert.equal("ETIMEDOUT", err.code)
      assert.equal(0, err.status)
    end)
  end)

  describe("options.killSignal", function()
    it("is the signal value to be used when the spawned process will be killed", function()
      for _, killSignal in ipairs({"SIGKILL", 9}) do
        local options = {timeout = 20, killSignal = killSignal}
        assert.equal("SIGKILL", failure("exec sleep 60", options).signal)
        options = {maxBuffer = 1, killSignal = killSignal}
        assert.equal("SIGKILL", failure("printf 123; exec sleep 60", options).signal)
      end
    end)

    it("is by default 'SIGTERM'", function()
      assert.equal("SIGTERM", failure("exec sleep 60", {timeout = 20}).signal)
    end)
  end)

  describe("options.maxBuffer", function()
    it("is the largest amount of data in bytes allowed on stdout or stderr", function()
      local options = {maxBuffer = 5, stdio = "pipe"}
      assert.equal("abcde", call("printf abcde; printf fghij >&2", options))
    end)

    it("if exceeded, the child process is terminated and any output is truncated", function()
      local err = failure("printf abcdef; exec sleep 60", {maxBuffer = 5})
      assert.equal("ENOBUFS", err.code)
      assert.equal("abcde", err.stdout)
      assert.equal("SIGTERM", err.signal)
      err = failure("printf abcdef >&2; exec sleep 60", {maxBuffer = 5, stdio = "pipe"})
      assert.equal("ENOBUFS", err.code)
      assert.equal("abcde", err.stderr)
    end)

    it("is 1024 * 1024 by default", function()
      assert.equal(1048576, #call("head -c 1048576 /dev/zero"))
      local err = failure("head -c 1048577 /dev/zero")
      assert.equal("ENOBUFS", err.code)
      assert.equal(1048576, #err.stdout)
    end)

    it("counts bytes, not characters: 13 for four characters and a newline", function()
      local command = "echo \228\184\173\230\150\135\230\181\139\232\175\149"
      assert.equal(13, #call(command, {maxBuffer = 13, encoding = "utf8"}))
      local err = failure(command, {maxBuffer = 11, encoding = "utf8"})
      assert.equal("ENOBUFS", err.code)
      assert.equal("\228\184\173\230\150\135\230\181\139", err.stdout)
    end)
  end)

  describe("options.encoding", function()
    it("is the encoding used for all stdio inputs and outputs", function()
      assert.equal("68e900", call([[printf 'h\351\000']], {encoding = "hex"}))
      assert.equal("h\195\169\0", call([[printf 'h\351\000']], {encoding = "latin1"}))
      assert.equal("gr\195\188n\239\191\189",
        call([[printf 'gr\303\274n\377']], {encoding = "utf8"}))
      assert.equal("1\n", call("wc -c", {encoding = "latin1", input = "\195\169"}))
      local script = [[printf '\350' >&2; exit 1]]
      local err = failure(script, {encoding = "latin1", stdio = "pipe"})
      assert.equal("\195\168", err.stderr)
      assert.equal(("Command failed: %s (exit code 1)\n\195\168"):format(
        case.command:format(script)), err.message)
    end)

    it("is by default 'buffer': the bytes as they are", function()
      for _, encoding in ipairs({"buffer", "klingon", cp.null}) do
        assert.equal("\255\195", call([[printf '\377\303']], {encoding = encoding}))
      end
    end)
  end)

  describe("options.windowsHide", function()
    it("is without effect", function()
      for _, windowsHide in ipairs({true, false}) do
        assert.equal("x\n", call("echo x", {windowsHide = windowsHide}))
      end
    end)
  end)

  describe("options", function()
    local invalid = {
      {"ERR_INVALID_ARG_TYPE", 5},
      {"ERR_INVALID_ARG_TYPE", "text"},
      {"ERR_INVALID_ARG_TYPE", {cwd = 5}},
      {"ERR_INVALID_ARG_TYPE", {env = 5}},
      {"ERR_INVALID_ARG_TYPE", {input = 5}},
      {"ERR_INVALID_ARG_VALUE", {shell = "/bin/sh\0"}},
      {"ERR_INVALID_ARG_VALUE", {stdio = "nonsense"}},
      {"ERR_INVALID_SYNC_FORK_INPUT", {stdio = {"nonsense"}}},
      {"ERR_IPC_SYNC_FORK", {stdio = {"pipe", "pipe", "pipe", "ipc"}}},
      {"ERR_OUT_OF_RANGE", {timeout = -1}},
      {"ERR_OUT_OF_RANGE", {timeout = 1.5}},
      {"ERR_OUT_OF_RANGE", {maxBuffer = -1}},
      {"ERR_OUT_OF_RANGE", {uid = -1}},
      {"ERR_OUT_OF_RANGE", {gid = -1}},
      {"ERR_UNKNOWN_SIGNAL", {killSignal = "SIGNOTHING"}},
      {"ERR_INVALID_ARG_TYPE", {killSignal = true}},
      {"ERR_INVALID_ARG_TYPE", {windowsHide = 5}},
    }
    for i, entry in ipairs(invalid) do
      it(("of the wrong kind are raised at once (%d: %s)"):format(i, entry[1]), function()
        local err = failure("true", entry[2])
        assert.equal(entry[1], err.code)
        assert.is_nil(err.status)
        assert.equal(("%s [%s]: %s"):format(err.name, err.code, err.message), tostring(err))
      end)
    end

    it("of the wrong kind start nothing", function()
      local folder = support.tmpdir()
      failure("touch started", {cwd = folder, timeout = -1})
      failure("touch started", {cwd = folder, input = 5})
      failure("touch started", {cwd = folder, stdio = {"ipc"}})
      assert.is_nil(lfs.attributes(folder .. "/started"))
    end)
  end)
end

for _, case in ipairs(CALLS) do
  describe(case.name, function() testCall(case) end)
end
