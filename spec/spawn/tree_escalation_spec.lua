-- SIGKILL for processes of a tree whose parents have ended by the signal before: those that have
-- left the process group, and all of a tree without a group.

local abort = require("child_process.abort")
local copies = require("spec.support.copies")
local cp = require("child_process")
local support = require("spec.support")
local trees = require("spec.support.trees")

local needList, SESSION = trees.needList, trees.STUBBORN_SESSION

-- Shell commands that print "ready". The shell ends by SIGTERM, the others do not.
local JOBS = "(trap '' TERM; echo ready; exec sleep 600) & wait"
-- What starts another process, in a session of its own, when the signal comes.
local STARTS = "setsid sh -c 'trap \"setsid sleep 600\" TERM; echo ready; while :; do "
  .. "sleep 0.01; done' & wait"
-- What leaves the group when the signal comes.
local LEAVES = "(trap 'exec setsid sleep 600' TERM; echo ready; while :; do sleep 0.01; done) "
  .. "& wait"

local function options(witness, changes)
  return support.merge({
    tree = true, forceKillAfterDelay = 50, stdio = {"ignore", "pipe", "pipe", witness.stream},
  }, changes)
end

--- Starts a command, ends it when it is ready, and proves that no process is left.
---@param command string
---@param finish fun(child: ChildProcess)
---@param changes? table of options
local function leaveNone(command, finish, changes)
  local witness = trees.witness()
  local child = cp.spawn("sh", {"-c", command}, options(witness, changes))
  child:on("error", function(err) assert.equal("AbortError", err.name) end)
  child.stdout:readLine()
  finish(child)
  witness:awaitEnd()
  assert.equal("SIGTERM", child.signalCode)
  assert.is_true(child.isForcefullyTerminated)
end

local function kill(child) assert.is_true(child:kill()) end

describe("SIGKILL for a tree reaches processes whose parents have ended", function()
  it("outside the group of the child", function()
    needList()
    leaveNone(SESSION, kill)
  end)

  it("in a tree without a group", function()
    needList()
    local function killTree(child)
      assert.is_true(child:kill("SIGTERM", {tree = true, forceKillAfterDelay = 50}))
    end
    leaveNone(JOBS, killTree, {tree = false})
    leaveNone(SESSION, killTree, {tree = false})
    leaveNone(JOBS, killTree, {tree = false, processGroup = 0})
  end)

  it("and what they have started since then", function()
    needList()
    leaveNone(STARTS, kill)
    leaveNone(STARTS, function(child)
      child:kill("SIGTERM", {tree = true, forceKillAfterDelay = 50})
    end, {tree = false})
  end)

  it("and those that have left the group since then", function()
    needList()
    leaveNone(LEAVES, kill)
  end)

  it("after an abort", function()
    needList()
    local controller = abort.AbortController()
    leaveNone(SESSION, function() controller:abort() end, {signal = controller.signal})
  end)

  it("after a timeout", function()
    needList()
    local witness, err = nil, nil
    support.onceReady(function(script, changes)
      witness = trees.witness()
      local result
      cp.exec(script, options(witness, changes), function(failure, stdout)
        err = failure
        result = {stdout = stdout}
      end)
      support.inTime(function()
        while not result do cp.run("once") end
      end)
      witness:awaitEnd()
      return result
    end, SESSION)
    assert.is_true(err.timedOut)
    assert.equal("SIGTERM", err.signal)
  end)

  it("after more output than maxBuffer", function()
    needList()
    local witness, err = trees.witness(), nil
    local child = cp.exec("setsid sh -c 'trap \"\" TERM PIPE; yes; exec sleep 600' & wait",
      options(witness, {maxBuffer = 1000}), function(failure) err = failure end)
    witness:awaitEnd()
    assert.equal("ERR_CHILD_PROCESS_STDIO_MAXBUFFER", err.code)
    assert.equal("SIGTERM", child.signalCode)
  end)

  it("in child:dispose", function()
    needList()
    for _, changes in ipairs({{}, {tree = false}}) do
      leaveNone(SESSION, function(child) child:dispose({grace = 50}):await() end, changes)
      leaveNone(JOBS, function(child) child:dispose({grace = 50}):await() end, changes)
    end
  end)

  it("at the end of a block", function()
    needList()
    support.needClosing()
    local function leave(child) support.closing(child, function() end) end
    leaveNone(SESSION, leave)
    leaveNone(SESSION, leave, {disposeWaits = true})
  end)

  it("but not before its time, and not without forceKillAfterDelay", function()
    needList()
    local witness = trees.witness()
    local child = cp.spawn("sh", {"-c", SESSION}, options(witness, {forceKillAfterDelay = 3600000}))
    child.stdout:readLine()
    child:kill()
    child:wait("exit")
    assert.is_true(child:kill(0, {tree = true}))
    assert.is_true(witness:isHeld())
    assert.is_true(child:kill("SIGKILL", {tree = true}))
    witness:awaitEnd()
    assert.is_false(child:kill(0, {tree = true}))
  end)

  it("from the process alone that has started the child", function()
    needList()
    assert.equal("copy\tfalse\noriginal\ttrue\n", (copies.run(([[
      local child = cp.spawn("sh", {"-c", %q}, {
        tree = true, forceKillAfterDelay = 3600000, stdio = {"ignore", "pipe", "inherit"},
      })
      child.stdout:readLine()
      child:kill()
      child:on("exit", function()
        assert(inCopy(function() say("copy", child:kill("SIGKILL", {tree = true})) end) == 0)
        say("original", child:kill("SIGKILL", {tree = true}))
      end)
      cp.run()
    ]]):format(SESSION))))
  end)

  it("without any descriptor for them", function()
    needList()
    assert.equal("true\nSIGTERM\ttrue\n",
      trees.killWithoutDescriptors(SESSION, "{tree = true, forceKillAfterDelay = 50}"))
  end)
end)
