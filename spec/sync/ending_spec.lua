-- How synchronous calls end what takes too long: options.tree, forceKillAfterDelay and waitDelay.

local cp = require("child_process")
local refusing = require("spec.support.refusing")
local support = require("spec.support")
local trees = require("spec.support.trees")

-- The shell waits for a background job, whatever signals come.
local STUBBORN = "trap '' TERM; sleep 600 & echo ready; wait; wait"
local JOBS = "sleep 600 & (sleep 600; :) & echo ready; wait"
local SESSION = "setsid sh -c 'setsid sleep 600 & echo ready; wait' & wait"
-- It ends at SIGTERM, but a process that it has started does not.
local SURVIVOR = "(trap '' TERM; echo ready; sleep 600; sleep 600; :) & wait"

--- Runs a shell command that prints "ready", with a timeout that leaves it the time to do so.
---@return table result
local function runTooLong(command, options)
  return support.onceReady(function(script, all)
    return cp.spawnSync("sh", {"-c", script}, all)
  end, command, options)
end

--- The same, and proves that no process is left.
local function leaveNone(command, options)
  local witness = trees.witness()
  options.stdio = {"pipe", "pipe", "pipe", witness.stream}
  local result = runTooLong(command, options)
  witness:awaitEnd()
  return result
end

describe("options.tree of a synchronous call", function()
  it("ends all descendants, too, when the timeout is exceeded", function()
    local result = leaveNone(JOBS, {tree = true})
    assert.equal("SIGTERM", result.signal)
    assert.equal("ETIMEDOUT", result.error.code)
    assert.is_nil(result.isForcefullyTerminated)
    assert.equal("SIGKILL", leaveNone(JOBS, {tree = true, killSignal = "SIGKILL"}).signal)
  end)

  it("ends descendants that have left the process group", function()
    trees.needList()
    assert.equal("SIGTERM", leaveNone(SESSION, {tree = true}).signal)
    assert.equal("SIGKILL", leaveNone(SESSION, {tree = true, killSignal = "SIGKILL"}).signal)
  end)

  it("ends them when the output is longer than maxBuffer", function()
    local witness = trees.witness()
    local result = cp.spawnSync("sh", {"-c", "sleep 600 & yes & wait"}, {
      tree = true, stdio = {"pipe", "pipe", "pipe", witness.stream},
    })
    assert.equal("ENOBUFS", result.error.code)
    assert.equal("SIGTERM", result.signal)
    witness:awaitEnd()
  end)

  it("ends what a program has left behind that has ended before the timeout", function()
    local witness = trees.witness()
    local result = runTooLong("sleep 600 & echo ready", {
      tree = true, stdio = {"pipe", "pipe", "pipe", witness.stream},
    })
    assert.equal("ETIMEDOUT", result.error.code)
    assert.equal(0, result.status)
    witness:awaitEnd()
  end)

  it("has no effect on a program that ends in time", function()
    assert.equal("out\n", cp.execSync("echo out", {tree = true}))
    local witness = trees.witness()
    local result = cp.spawnSync("sh", {"-c", "sleep 600 >/dev/null 2>&1 4>&- & echo $! >&4"}, {
      tree = true, timeout = 600000, stdio = {"pipe", "pipe", "pipe", witness.stream, "pipe"},
    })
    support.assertSucceeded(result)
    assert.is_true(witness:isHeld())
    assert(os.execute("kill -KILL " .. result.output[4]))
    witness:awaitEnd()
  end)
end)

describe("options.forceKillAfterDelay of a synchronous call", function()
  it("lets SIGKILL follow if the program has not ended", function()
    local result = runTooLong("trap '' TERM; echo ready; while :; do sleep 1; done",
      {forceKillAfterDelay = 10})
    assert.equal("SIGKILL", result.signal)
    assert.is_true(result.isForcefullyTerminated)
    assert.is_true(result.timedOut)
    assert.equal("ETIMEDOUT", result.error.code)
    assert.truthy(result.error.message:find(
      "%(options.timeout%); SIGKILL had to follow SIGTERM %(options.forceKillAfterDelay%)$"))
  end)

  it("may be 0", function()
    local result = runTooLong("trap '' TERM; echo ready; while :; do sleep 1; done",
      {forceKillAfterDelay = 0})
    assert.equal("SIGKILL", result.signal)
    assert.is_true(result.isForcefullyTerminated)
  end)

  it("does nothing if the program ends by the signal", function()
    local result = runTooLong("echo ready; exec sleep 600", {forceKillAfterDelay = 600000})
    assert.equal("SIGTERM", result.signal)
    assert.is_nil(result.isForcefullyTerminated)
    result = runTooLong("echo ready; exec sleep 600",
      {forceKillAfterDelay = 0, killSignal = "SIGKILL"})
    assert.equal("SIGKILL", result.signal)
    assert.is_nil(result.isForcefullyTerminated)
  end)

  it("lets SIGKILL follow a killSignal that ends no program", function()
    for _, signal in ipairs({"SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGCONT", "SIGCHLD"}) do
      for _, tree in ipairs({false, true}) do
        local result = runTooLong("echo ready; exec sleep 600",
          {killSignal = signal, forceKillAfterDelay = 10, tree = tree})
        assert.equal("SIGKILL", result.signal, signal)
        assert.is_true(result.isForcefullyTerminated)
      end
    end
  end)

  it("ends a program that is stopped", function()
    for _, tree in ipairs({false, true}) do
      local result = runTooLong("echo ready; kill -STOP $$; exit 3",
        {forceKillAfterDelay = 10, tree = tree})
      assert.equal("SIGKILL", result.signal)
      assert.is_true(result.isForcefullyTerminated)
    end
  end)

  it("lets SIGKILL follow after more output than maxBuffer", function()
    local err = support.error(cp.execSync,
      "trap '' TERM PIPE; while :; do echo line; done 2>/dev/null",
      {maxBuffer = 100, forceKillAfterDelay = 0})
    assert.equal("ENOBUFS", err.code)
    assert.equal("SIGKILL", err.signal)
    assert.is_true(err.isForcefullyTerminated)
  end)

  it("kills the tree if any of it is left", function()
    local result = leaveNone(SURVIVOR, {tree = true, forceKillAfterDelay = 10})
    assert.equal("SIGTERM", result.signal)
    assert.is_true(result.isForcefullyTerminated)
    result = leaveNone(STUBBORN, {tree = true, forceKillAfterDelay = 10})
    assert.equal("SIGKILL", result.signal)
    assert.is_true(result.isForcefullyTerminated)
  end)

  it("kills descendants that have left the group and whose parents have ended", function()
    trees.needList()
    local result = leaveNone(trees.STUBBORN_SESSION, {tree = true, forceKillAfterDelay = 10})
    assert.equal("SIGTERM", result.signal)
    assert.is_true(result.isForcefullyTerminated)
  end)

  it("leaves descendants alone without tree", function()
    local witness = trees.witness()
    local result = runTooLong("(trap '' TERM; exec sleep 600) & echo $! ready; wait", {
      forceKillAfterDelay = 0, stdio = {"pipe", "pipe", "pipe", witness.stream},
    })
    assert.is_true(witness:isHeld())
    assert(os.execute("kill -KILL " .. result.stdout:match("%d+")))
    witness:awaitEnd()
  end)

  it("returns as soon as the tree has gone", function()
    trees.needList() -- otherwise ended processes count until somebody reaps them
    local result = leaveNone(JOBS, {tree = true, forceKillAfterDelay = 600000})
    assert.equal("SIGTERM", result.signal)
    assert.is_nil(result.isForcefullyTerminated)
  end)
end)

describe("a synchronous call that may not signal its program", function()
  -- The program is root when it has written too much.
  local function refuse(options)
    return refusing.run(([[
      local options = %s
      options.maxBuffer = 1
      local command = "exec " .. ROOT .. "sh -c 'echo much; exec sleep 2'"
      local result = cp.spawnSync("sh", {"-c", command}, options)
      print(result.status, result.signal, result.isForcefullyTerminated)
      print((result.error.message:gsub(tostring(result.pid), "PID")))
    ]]):format(options))
  end

  local FULL = "0\tnil\tnil\n"
    .. "spawnSync sh ENOBUFS: stdout is longer than 1 bytes (options.maxBuffer); "

  it("says so", function()
    assert.equal(FULL .. "SIGTERM was refused for process PID, which runs as another user and went "
      .. "on (EPERM)\n", refuse("{}"))
  end)

  it("does not say that SIGKILL had to follow", function()
    assert.equal(FULL .. "SIGKILL was refused for process PID, which runs as another user and went "
      .. "on (EPERM)\n", refuse("{forceKillAfterDelay = 0}"))
    trees.needList()
    assert.equal(FULL .. "SIGKILL was refused for the tree of process PID, whose processes run as "
      .. "another user and went on (EPERM)\n", refuse("{forceKillAfterDelay = 0, tree = true}"))
  end)

  it("says it of what is left of a tree that took the first signal", function()
    trees.needList()
    local stdout = refusing.run([[
      local result = cp.spawnSync("sh", {"-c", ROOT .. "sh -c 'echo much; exec sleep 2'; true"},
        {maxBuffer = 1, tree = true, forceKillAfterDelay = 10})
      print(result.signal, result.isForcefullyTerminated)
      print((result.error.message:gsub(tostring(result.pid), "PID")))
    ]])
    assert.equal("SIGTERM\tnil\nspawnSync sh ENOBUFS: stdout is longer than 1 bytes "
      .. "(options.maxBuffer); SIGKILL was refused for the tree of process PID, whose processes "
      .. "run as another user and went on (EPERM)\n", stdout)
  end)
end)

describe("options.waitDelay of a synchronous call", function()
  local HOLDS = "echo out; echo err >&2; sleep 600 & "

  --- Runs a shell that leaves a process behind, and ends that.
  local function run(command, options)
    local witness = trees.witness()
    options.stdio = {"pipe", "pipe", "pipe", witness.stream, "pipe"}
    options.env = {PATH = os.getenv("PATH")}
    local result = cp.spawnSync("sh", {"-c", command .. "echo $! >&4; exit ${CODE:-0}"}, options)
    local pid = result.output[4]:match("%d+")
    assert.is_true(witness:isHeld())
    assert(os.execute("kill -KILL " .. pid))
    witness:awaitEnd()
    return result
  end

  it("ends the call although other processes hold the outputs", function()
    for _, delay in ipairs({0, 1, 20}) do
      local result = run(HOLDS, {waitDelay = delay})
      assert.equal("out\n", result.stdout)
      assert.equal("err\n", result.stderr)
      assert.equal(0, result.status)
      assert.equal("ERR_WAIT_DELAY", result.error.code)
      assert.truthy(result.error.message:find("stdout, stderr and stdio%[4%] stayed open"))
      assert.truthy(result.error.message:find(("than %d ms"):format(delay), 1, true))
      assert.is_nil(result.timedOut)
    end
  end)

  it("names the outputs that were held", function()
    local result = run("echo out; exec >/dev/null; sleep 600 & ", {waitDelay = 0})
    assert.equal("out\n", result.stdout)
    assert.truthy(result.error.message:find("its stderr and stdio[4] stayed open", 1, true))
  end)

  it("is no error for a program that has failed", function()
    local result = run("CODE=3; " .. HOLDS, {waitDelay = 0})
    assert.equal(3, result.status)
    assert.is_nil(result.error)
    assert.equal("out\n", result.stdout)
  end)

  it("raises the error from execSync and execFileSync, with what was read", function()
    local script = "sleep 600 & echo $!"
    for _, call in ipairs({
      function(options) return cp.execSync(script, options) end,
      function(options) return cp.execFileSync("sh", {"-c", script}, options) end,
    }) do
      local err = support.error(call, {waitDelay = 0})
      support.killPrinted(err.stdout)
      assert.equal("ERR_WAIT_DELAY", err.code)
      assert.matches("^%d+\n$", err.stdout)
      assert.equal(0, err.status)
    end
  end)

  it("keeps all that the program has written", function()
    local size = 64 * 1024 - 1
    local result = run(("head -c %d /dev/zero; "):format(size) .. HOLDS, {waitDelay = 0})
    assert.equal(size + 4, #result.stdout)
  end)

  it("does not end before the program itself", function()
    local result = cp.spawnSync("sh", {"-c", "sleep 0.1; echo out"}, {waitDelay = 0})
    assert.equal("out\n", result.stdout)
    support.assertSucceeded(result)
    assert.equal("out\n", cp.execSync("echo out", {waitDelay = 600000}))
  end)

  it("closes the input that nobody takes", function()
    local result = run("exec 5<&0 >/dev/null 2>&1; sleep 600 & ",
      {waitDelay = 0, input = ("x"):rep(1000000)})
    assert.equal(0, result.status)
  end)

  it("gives way to the limits", function()
    local result = support.leaveBehind(function(script, options)
      return cp.spawnSync("sh", {"-c", script}, options)
    end, "sleep 600 & echo $!", {waitDelay = 600000})
    assert.equal("ETIMEDOUT", result.error.code)
    result = cp.spawnSync("sh", {"-c", "(sleep 0.1; yes) & exit 0"},
      {waitDelay = 600000, maxBuffer = 100, tree = true})
    assert.equal("ENOBUFS", result.error.code)
    assert.equal(0, result.status)
  end)

  it("cuts a process that never stops writing", function()
    local witness = trees.witness()
    local result = cp.spawnSync("sh", {"-c", "yes & exit 0"}, {
      waitDelay = 0, maxBuffer = math.huge, stdio = {"pipe", "pipe", "pipe", witness.stream},
    })
    assert.equal("ERR_WAIT_DELAY", result.error.code)
    witness:awaitEnd() -- by SIGPIPE
  end)
end)

describe("the options of a synchronous call that end it", function()
  it("raise errors for values of the wrong type or range", function()
    for name, values in pairs({
      tree = {1, "true"}, forceKillAfterDelay = {"1", -1, 0.5}, waitDelay = {true, -1, 0 / 0},
    }) do
      for _, value in ipairs(values) do
        local err = support.error(cp.spawnSync, "true", {[name] = value})
        assert.truthy(err.code == "ERR_INVALID_ARG_TYPE" or err.code == "ERR_OUT_OF_RANGE")
        assert.truthy(err.message:find(name, 1, true))
      end
    end
  end)

  it("leave no descriptor and no zombie", function()
    local before = support.settledFds()
    for _ = 1, 3 do
      leaveNone(SURVIVOR, {tree = true, forceKillAfterDelay = 1})
      cp.spawnSync("sh", {"-c", "sleep 0.01 & exit 0"}, {waitDelay = 0})
      cp.spawnSync("sh", {"-c", "sleep 0.01 & exit 0"}, {waitDelay = 0, tree = true})
    end
    assert.same(before, support.settledFds())
    assert.same({}, support.zombies())
  end)
end)
