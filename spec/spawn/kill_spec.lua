-- child:kill with options, and what counts as a signal that ends a child.

local cp = require("child_process")
local loop = require("child_process.loop")
local support = require("spec.support")
local trees = require("spec.support.trees")

local whenReady = trees.whenReady

-- Says that it is ready, and goes on when it is asked to end. Writes a line for SIGUSR1.
local STUBBORN = "trap '' TERM HUP INT; trap 'echo usr1' USR1; echo ready; while :; do read line; "
  .. "done"

-- Counts the timers that keep the loop alive.
local function countTimers()
  local count = 0
  for _, name in ipairs(loop.handles()) do count = count + (name == "timer" and 1 or 0) end
  return count
end

describe("child:kill(signal, {forceKillAfterDelay = ms})", function()
  it("sends SIGKILL to a child that goes on", function()
    for _, name in ipairs({"SIGTERM", "SIGINT", "SIGHUP"}) do
      local child = whenReady(STUBBORN, nil, function(child)
        assert.is_true(child:kill(name, {forceKillAfterDelay = 20}))
        assert.is_true(child.killed)
        assert.is_false(child.isForcefullyTerminated)
      end)
      local seen = support.events(child)
      support.run()
      assert.same({"spawn", "exit nil SIGKILL", "close nil SIGKILL"}, seen)
      assert.is_true(child.isForcefullyTerminated)
    end
  end)

  it("sends it at once with a delay of 0", function()
    local child = whenReady(STUBBORN, nil, function(child)
      child:kill("SIGTERM", {forceKillAfterDelay = 0})
    end)
    support.run()
    assert.equal("SIGKILL", child.signalCode)
  end)

  it("sends nothing else to a child that ends, and keeps the loop no longer", function()
    local child = whenReady("trap 'exit 3' TERM; echo ready; while :; do read line; done", nil,
      function(child) child:kill("SIGTERM", {forceKillAfterDelay = 3600000}) end)
    support.run()
    assert.equal(3, child.exitCode)
    assert.is_false(child.isForcefullyTerminated)
  end)

  it("sends nothing else after a signal that ends no program", function()
    local child
    child = whenReady(STUBBORN, nil, function()
      for _, signal in ipairs({0, "SIGCHLD", "SIGCONT", "SIGURG", "SIGWINCH", "SIGSTOP", "SIGCONT",
        "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGCONT"}) do
        assert.is_true(child:kill(signal, {forceKillAfterDelay = 0}))
        assert.equal(0, countTimers())
      end
      child.stdout:once("data", function() child:kill("SIGKILL", {forceKillAfterDelay = 5000}) end)
      child:kill("SIGUSR1")
    end)
    support.run()
    assert.equal("SIGKILL", child.signalCode)
    assert.is_false(child.isForcefullyTerminated)
  end)

  it("takes the earliest time of several calls, with one timer", function()
    local child = whenReady(STUBBORN, nil, function(child)
      child:kill("SIGTERM", {forceKillAfterDelay = 3600000})
      assert.equal(1, countTimers())
      child:kill("SIGTERM", {forceKillAfterDelay = 30})
      child:kill("SIGTERM", {forceKillAfterDelay = 3600000})
      child:kill("SIGTERM")
      assert.equal(1, countTimers())
    end)
    support.run()
    assert.equal("SIGKILL", child.signalCode)
    assert.is_true(child.isForcefullyTerminated)
  end)

  it("is not put off by calls that come again and again", function()
    local child = whenReady(STUBBORN, {forceKillAfterDelay = 50}, function(child)
      local timer
      timer = require("child_process.timers").setInterval(function()
        if not child:kill() then timer:close() end
      end, 1)
    end)
    support.run()
    assert.equal("SIGKILL", child.signalCode)
  end)

  it("never sends it with math.huge", function()
    local child
    child = whenReady("trap 'echo asked' TERM; echo ready; while :; do read line; done",
      {forceKillAfterDelay = 1}, function()
        child:kill("SIGTERM", {forceKillAfterDelay = math.huge})
        assert.equal(0, countTimers())
        child.stdout:once("data", function() child:kill("SIGHUP") end)
      end)
    support.run()
    assert.equal("SIGHUP", child.signalCode)
  end)

  it("does nothing for a child that has ended, or could not be started", function()
    local child = cp.spawn("true")
    support.run()
    assert.is_false(child:kill("SIGTERM", {forceKillAfterDelay = 3600000, tree = true}))
    assert.is_false(child.killed)
    local failed = cp.spawn("/nonexistent/command"):on("error", function() end)
    assert.is_false(failed:kill("SIGTERM", {forceKillAfterDelay = 3600000}))
    assert.is_false(cp.ChildProcess():kill("SIGTERM", {forceKillAfterDelay = 3600000}))
    support.run()
  end)

  it("keeps the loop alive, unless the child was unreferenced", function()
    local child = whenReady(STUBBORN, nil, function(child)
      child:kill("SIGTERM", {forceKillAfterDelay = 3600000})
      child.stdout:pause()
      child.stdin:destroy()
      child.stderr:unref()
      assert.is_true(loop.alive())
      child:unref()
    end)
    support.run()
    assert.is_nil(child.signalCode) -- it still runs
    child:ref():kill("SIGTERM", {forceKillAfterDelay = 0})
    child.stdout:resume()
    support.run()
    assert.equal("SIGKILL", child.signalCode)
    assert.is_true(child.isForcefullyTerminated)
  end)

  it("is for all signals that the child's own options name", function()
    local child
    child = whenReady(STUBBORN, {killSignal = "SIGHUP", forceKillAfterDelay = 30}, function()
      child:kill("SIGINT")
      assert.equal(0, countTimers())
      child:kill("SIGHUP")
      assert.equal(1, countTimers())
    end)
    support.run()
    assert.equal("SIGKILL", child.signalCode)
  end)

  it("raises an error for invalid options, and sends nothing", function()
    local child = cp.spawn("cat")
    for wrong, code in pairs({
      [{forceKillAfterDelay = -1}] = "ERR_OUT_OF_RANGE",
      [{forceKillAfterDelay = 1.5}] = "ERR_OUT_OF_RANGE",
      [{forceKillAfterDelay = 0 / 0}] = "ERR_OUT_OF_RANGE",
      [{forceKillAfterDelay = "5"}] = "ERR_INVALID_ARG_TYPE",
      [{tree = 1}] = "ERR_INVALID_ARG_TYPE",
      [true] = "ERR_INVALID_ARG_TYPE",
    }) do
      assert.equal(code, support.error(child.kill, child, "SIGTERM", wrong).code)
    end
    assert.is_false(child.killed)
    child:kill("SIGTERM", {tree = cp.null, forceKillAfterDelay = cp.null})
    support.run()
    assert.equal("SIGTERM", child.signalCode)
  end)

  it("warns of options that it does not have", function()
    local _, stderr = support.runScript([[
      local child = cp.spawn("cat")
      child:kill("SIGTERM", {forcekillAfterDelay = 1})
      cp.run()
    ]])
    assert.matches("options.forcekillAfterDelay is not an option of ChildProcess:kill %(did you "
      .. "mean 'forceKillAfterDelay'%?%)", stderr)
  end)
end)

describe("child:kill with a tree", function()
  -- The leader ends, and leaves a process that holds its output.
  local LEAVING = "sleep 600 & echo ready; exit 4"

  it("works in a listener of \"exit\", while others of the tree live", function()
    local sent
    local child = cp.spawn("sh", {"-c", LEAVING}, {tree = true})
    child:on("exit", function() sent = child:kill() end)
    support.run()
    assert.is_true(sent)
    assert.is_true(child.killed)
    assert.equal(4, child.exitCode)
    if support.forLinux then assert.is_false(child:kill()) end -- others count ended ones, too
  end)

  it("works after \"close\", and ends an escalation when the last one has ended", function()
    if not support.forLinux then support.skip("the POSIX build counts ended processes") end
    local witness = cp.spawn("cat")
    local child = cp.spawn("sh", {"-c", "sleep 600 & exit 4"},
      {tree = true, stdio = {"ignore", "ignore", "ignore", witness.stdin}})
    witness.stdin:destroy()
    local seen = support.events(child)
    child:wait("close")
    assert.is_true(child:kill("SIGTERM", {forceKillAfterDelay = 3600000}))
    support.run()
    assert.equal(0, witness.exitCode)
    assert.is_false(child.isForcefullyTerminated)
    assert.same({"spawn", "exit 4 nil", "close 4 nil"}, seen)
    assert.is_false(child:kill())
  end)

  it("takes the child alone with {tree = false}", function()
    local child = cp.spawn("sh", {"-c", "sleep 600 & echo ready; wait"}, {tree = true})
    local alive
    child.stdout:once("data", function() child:kill("SIGTERM", {tree = false}) end)
    child:on("exit", function()
      alive = child:kill(0)
      child:kill()
    end)
    support.run()
    assert.equal("SIGTERM", child.signalCode)
    assert.is_true(alive)
  end)

  it("reaches those that its leader has left, once for each call", function()
    local child = cp.spawn("sh", {"-c", [[
      (trap 'echo got it' TERM; echo ready; while :; do sleep 0.01; done) & exit 4
    ]]}, {tree = true, stdio = {"ignore", "pipe", "inherit"}})
    local output, count = support.collect(child.stdout), 0
    child.stdout:on("data", function()
      count = count + 1
      child:kill(count < 3 and "SIGTERM" or "SIGKILL")
    end)
    support.run()
    assert.equal("ready\ngot it\ngot it\n", output())
  end)

  -- The system sends SIGHUP to a group with stopped processes when it loses its last parent.
  it("sends nothing else to the others when their leader is ending", function()
    for _ = 1, 10 do
      local child = cp.spawn("sh", {"-c", [[
        (trap 'echo hangup' HUP; trap 'echo term; exit' TERM; echo ready
          while :; do sleep 0.01; done) &
        exec cat
      ]]}, {tree = true, stdio = {"pipe", "pipe", "inherit"}})
      local output = support.collect(child.stdout)
      child.stdout:once("data", function()
        child:kill("SIGKILL", {tree = false})
        child:kill("SIGTERM")
      end)
      support.run()
      assert.equal("ready\nterm\n", output())
    end
  end)
end)
