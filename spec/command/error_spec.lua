-- CommandError: what a person reads when a command has failed.

local abort = require("child_process.abort")
local command = require("child_process.command")
local process = require("child_process.process")
local support = require("spec.support")
local timers = require("child_process.timers")

local run = command.run

local function shell(script, options)
  return support.error(run, "sh", {"-c", script}, options)
end

--- The error of a script that is ended by a timeout, after it has printed "ready".
local function shellInTime(script, options)
  local err
  options.timeout = 100
  repeat
    options.timeout = 2 * options.timeout
    err = shell(script, options)
  until err.stdout == "ready"
  return err
end

describe("CommandError", function()
  it("has a line with the command and how it ended, then what is on its stderr", function()
    local err = support.error(run, "ls", {"/no such"}, {env = {LC_ALL = "C"}})
    assert.equal("CommandError", err.name)
    assert.equal("ls '/no such': failed with exit code 2", err.shortMessage)
    assert.equal(err.shortMessage .. "\n" .. err.stderr, err.message)
    assert.matches("No such file", err.stderr)
    assert.equal("CommandError: " .. err.message, tostring(err))
  end)

  it("has the fields of a result", function()
    local err = shell("echo out; echo err >&2; exit 3")
    assert.is_true(err.failed)
    assert.equal("out", err.stdout)
    assert.equal("err", err.stderr)
    assert.equal(3, err.exitCode)
    assert.is_nil(err.signalCode)
    assert.is_nil(err.code)
    assert.equal("sh -c echo out; echo err >&2; exit 3", err.command)
    assert.equal(process:cwd(), err.cwd)
    assert.is_true(err.durationMs > 0)
    assert.is_table(err.resourceUsage)
  end)

  it("is returned instead of raised with reject = false", function()
    local result = run("false", {reject = false})
    assert.is_true(result.failed)
    assert.equal(1, result.exitCode)
    assert.equal("CommandError", result.name)
  end)

  it("says where, if that is not where we are", function()
    assert.equal("false: failed with exit code 1 (in /usr)",
      support.error(run, "false", {cwd = "/usr"}).message)
    assert.equal("false: failed with exit code 1",
      support.error(run, "false", {cwd = process:cwd()}).message)
  end)

  it("has the standard output where a command has explained itself there", function()
    assert.equal("sh -c 'echo wrong; exit 1': failed with exit code 1\nwrong",
      shell("echo wrong; exit 1").message)
    assert.equal("sh -c 'echo out; echo err >&2; exit 1': failed with exit code 1\nerr",
      shell("echo out; echo err >&2; exit 1").message)
    assert.equal("sh -c 'echo out; kill -9 $$': was killed by SIGKILL",
      shell("echo out; kill -9 $$").message)
  end)

  it("has the standard output where stderr goes there", function()
    for _, options in ipairs({{terminal = true}, {stderr = {fd = 1}}}) do
      assert.matches("^sh .*: was killed by SIGKILL\nno paper$",
        shell("echo no paper >&2; kill -9 $$", options).message)
    end
    assert.matches("^sh .*: timed out after %d+ ms, killed by SIGTERM\nready$",
      shellInTime("echo ready >&2; exec sleep 600", {stderr = {fd = 1}}).message)
    local err = shell("yes >&2", {stderr = {fd = 1}, maxBuffer = 10})
    assert.equal(err.shortMessage, err.message)
  end)

  it("names the signal that has ended it", function()
    local err = shell("kill -SEGV $$")
    assert.equal("sh -c 'kill -SEGV $$': was killed by SIGSEGV", err.message)
    assert.equal("SIGSEGV", err.signalCode)
    assert.is_true(err.isTerminated)
    err = support.error(command.shell, "sh -c 'kill -9 $$'; exit $?")
    assert.matches("failed with exit code 137 %(SIGKILL in the shell%)$", err.shortMessage)
  end)

  it("says after how long it has timed out", function()
    local err = support.error(run, "sleep", {"60"}, {timeout = 50})
    assert.equal("sleep 60: timed out after 50 ms, killed by SIGTERM", err.message)
    assert.is_true(err.timedOut)
    err = shellInTime("trap 'exit 7' TERM; echo ready; while :; do sleep 0.05; done", {})
    assert.matches("timed out after %d+ ms, exit code 7$", err.shortMessage)
  end)

  it("says that SIGKILL had to follow", function()
    local err = shellInTime("trap '' TERM; echo ready; while :; do sleep 0.1; done",
      {forceKillAfterDelay = 50})
    assert.matches("timed out after %d+ ms, killed by SIGKILL, which had to follow SIGTERM$",
      err.shortMessage)
  end)

  it("says that it was canceled, and why", function()
    local controller = abort.AbortController()
    timers.setTimeout(function() controller:abort() end, 50)
    local err = support.error(run, "sleep", {"60"}, {signal = controller.signal})
    assert.equal("sleep 60: was canceled, killed by SIGTERM", err.message)
    assert.is_true(err.isCanceled)
    assert.equal("AbortError", err.cause.name)
    err = support.error(run, "sleep", {"60"}, {signal = abort.AbortSignal.timeout(50)})
    assert.equal("sleep 60: was canceled by a deadline, killed by SIGTERM", err.message)
    err = support.error(run, "sleep", {"60"}, {signal = abort.AbortSignal.abort("no time")})
    assert.equal("sleep 60: was canceled (no time), killed by SIGTERM", err.message)
  end)

  it("says that it has printed too much, and has what fits", function()
    local err = support.error(run, "yes", {maxBuffer = 1000})
    assert.equal("yes: printed more than 1000 bytes to stdout (options.maxBuffer), "
      .. "killed by SIGTERM", err.message)
    assert.is_true(err.isMaxBuffer)
    assert.equal(1000, #run("yes", {maxBuffer = 1000, reject = false, stripFinalNewline = false})
      .stdout)
    assert.matches("to stderr", shell("yes >&2", {maxBuffer = 1000}).shortMessage)
    assert.equal(10, #run("printf", {"0123456789"}, {maxBuffer = 10}).stdout)
  end)

  it("says why a program could not be started, and has the code of the system", function()
    local err = support.error(run, "no-such-program", {"x"})
    assert.equal("no-such-program x: could not be started: no such program in PATH (ENOENT)",
      err.message)
    assert.equal("ENOENT", err.code)
    assert.is_nil(err.exitCode)
    assert.equal("spawn no-such-program", err.syscall)
    assert.equal("no-such-program", err.path)
    assert.equal("/no/such: could not be started: no such file (ENOENT)",
      support.error(run, "/no/such").message)
    assert.equal("pwd: could not be started: no such directory '/no/such' (options.cwd) (ENOENT)",
      support.error(run, "pwd", {cwd = "/no/such"}).message)
    assert.matches("could not be started: '/usr' is a directory %(EACCES%)",
      support.error(run, "/usr").message)
    assert.matches(": could not be started: its arguments and environment are too long (E2BIG)",
      support.error(run, "true", {("x"):rep(2 ^ 24)}).message, 1, true)
    assert.matches("a command line is for exec or command.shell (ENOENT)",
      support.error(run, "ls -l").message, 1, true)
  end)

  it("names the limit that the system has enforced", function()
    local err = support.error(run, "sh", {"-c", "kill -XCPU $$"}, {limits = {cpu = 100}})
    assert.matches("was killed by SIGXCPU (options.limits.cpu)", err.message, 1, true)
    err = support.error(run, "sh", {"-c", "kill -XCPU $$"})
    assert.matches("was killed by SIGXCPU$", err.message)
  end)

  it("is one line for a command of several, and shortens a long one", function()
    local err = shell("exit 1\n#\ttab")
    assert.equal("sh -c 'exit 1\\n#\\ttab': failed with exit code 1", err.shortMessage)
    err = support.error(run, "false", {("x"):rep(10000)})
    assert.is_true(#err.message < 300)
    assert.equal(10006, #err.command)
  end)

  it("has the end of a long stderr", function()
    local err = shell("i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i + 1)); done >&2; exit 1")
    assert.matches("\nline 4999$", err.message)
    assert.matches("^[^\n]*\n%[%d+ bytes before this are in the error's fields%]\nline %d+\n",
      err.message)
    assert.is_true(#err.message < 9000)
    assert.matches("^line 0\n", err.stderr)
  end)

  it("is made of much empty output in time", function()
    local blank = "head -c 300000 /dev/zero | tr '\\0' '\\n' >&2; echo x >&2; exit 1"
    local path = support.script(([[
      local cp = require("child_process")
      local ok, err = pcall(cp.command.run, "sh", {"-c", %q})
      print(#err.message < 9000, err.message:match("x$"))
      cp.execSync(%q, {stdio = "pipe"})
    ]]):format(blank, blank))
    local result = command.run(support.lua, {path}, {reject = false})
    assert.equal("true\tx", result.stdout)
    if not support.isPuc51 then assert.matches("\nx\n", result.stderr, 1, true) end
  end)

  it("shows the line of the program that did not catch it", function()
    if support.isPuc51 then support.skip("Lua 5.1 prints no error objects") end
    local path = support.script('local cp = require("child_process")\ncp.command.run("false")\n')
    local result = command.run(support.lua, {path}, {reject = false})
    assert.matches("script.lua:2: CommandError: false: failed with exit code 1", result.stderr,
      1, true)
  end)

  it("comes out of a coroutine, too", function()
    local err = support.error(function()
      require("child_process").async(run, "false"):await()
    end)
    assert.equal("false: failed with exit code 1", err.message)
  end)
end)
