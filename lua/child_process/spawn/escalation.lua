--- SIGKILL for a child that another signal has not ended in time, or for its tree.

local core = require("child_process.core")
local errors = require("child_process.errors")
local loop = require("child_process.loop")
local ticks = require("child_process.base.ticks")

local fieldsOf, hrtime, signal = core.child.fields, core.hrtime, core.child.signal

local KILL = core.signals.SIGKILL
local EPERM, ESRCH = -core.errno.EPERM, -core.errno.ESRCH

-- Nothing reports the end of a process that is not a child of ours. So after the end of the child
-- its tree is looked at again and again, with pauses that grow. After SIGKILL this ends soon: a
-- process that is still there cannot be killed, because it waits for a device for instance.
local SHORTEST, LONGEST = 1, 200 -- milliseconds
local LAST_PROBES = 12

---@class Escalation
---@field package child ChildProcess
---@field package onend fun(owner: any, isRefused?: boolean) called once
---@field package owner any its argument
---@field package handle child_process.TimerHandle
---@field package tree boolean all processes of the tree have to end
---@field package time? number of SIGKILL, in milliseconds
---@field package step? "probe"|"time"|"force" what the timer is for
---@field package childHasEnded boolean
---@field package pause? integer milliseconds before the next probe of the tree
---@field package probesLeft? integer how many may follow; nil before SIGKILL was sent
---@field package ended? boolean
local Escalation = {}
Escalation.__index = Escalation

-- Those that have not ended.
local running = {}

-- Milliseconds of a monotonic clock.
local function now()
  local seconds, nanoseconds = hrtime()
  return seconds * 1000 + nanoseconds / 1000000
end

local function stop(self)
  self.ended = true
  running[self] = nil
  self.handle:stop()
  core.child.forgetTree(self.child)
end

local function finish(self, isRefused)
  stop(self)
  self.onend(self.owner, isRefused)
end

local function setTimer(self, step, delay)
  self.step = step
  self.handle:start(delay)
  loop.started()
end

-- Sets the timer for the next probe, or for SIGKILL.
local function schedule(self)
  local left = self.probesLeft and math.huge or math.max(math.ceil(self.time - now()), 0)
  if self.pause and self.pause < left then
    setTimer(self, "probe", self.pause)
  else
    setTimer(self, "time", left)
  end
end

-- Looks whether anything of the tree is left. After SIGKILL it is sent once more: meanwhile another
-- process may have been started.
local function probe(self)
  local errno = signal(self.child, self.probesLeft and KILL or 0, true)
  local isRefused = errno == EPERM and self.probesLeft ~= nil
  if errno == ESRCH or isRefused or self.probesLeft == 0 then
    finish(self, isRefused)
    return
  end
  self.probesLeft = self.probesLeft and self.probesLeft - 1
  self.pause = math.min(2 * self.pause, LONGEST)
  schedule(self)
end

local function startProbing(self)
  self.pause = SHORTEST
  probe(self)
end

local function force(self)
  local child = self.child
  local errno = signal(child, KILL, self.tree)
  if errno == ESRCH then
    finish(self)
    return
  elseif errno == EPERM then
    finish(self, true)
    -- Otherwise the first signal has reached a part of the tree, which is no error.
    if not self.childHasEnded then
      child:emit("error", errors.kill(errno, "SIGKILL", child.pid, self.tree))
    end
    return
  end
  -- After any other error it was sent to a part of the tree, and will be sent again.
  child.isForcefullyTerminated = true
  self.probesLeft = LAST_PROBES
  if self.tree and self.childHasEnded then
    startProbing(self)
  end
end

--- Called by the timer. The loop may have been busy for long: what has ended meanwhile is noticed
--- before SIGKILL is sent in the next iteration.
function Escalation:ontimeout()
  if self.step == "probe" then
    probe(self)
  elseif self.step == "time" then
    setTimer(self, "force", 1)
  else
    force(self)
  end
end

--- Makes the escalation of a child. It starts with `within`.
---@param child ChildProcess
---@param onend fun(owner: any, isRefused?: boolean) called once: when nothing is left to be killed,
---or SIGKILL was sent and has had the time to act, or was refused for all that is left
---@param owner any its argument
---@return Escalation
function Escalation.new(child, onend, owner)
  local fields = fieldsOf(child)
  local self = setmetatable({
    child = child, onend = onend, owner = owner, tree = false,
    childHasEnded = fields._exited or false,
  }, Escalation)
  self.handle = core.timer(self)
  self.handle:reference(not fields._unreferenced)
  running[self] = true
  return self
end

--- Ends one that was not started.
function Escalation:cancel()
  stop(self)
end

--- Lets SIGKILL follow after a time, unless it will come earlier anyway.
---@param delay integer milliseconds
---@param tree boolean it is for the tree
function Escalation:within(delay, tree)
  local time = now() + delay
  self.tree = self.tree or tree
  if self.probesLeft or self.time and self.time <= time then
    return
  end
  self.time = time
  if self.childHasEnded then
    startProbing(self)
  else
    schedule(self)
  end
end

--- To be called when the child has ended.
function Escalation:childEnded()
  if self.ended or self.childHasEnded then
    return
  end
  self.childHasEnded = true
  if self.tree then
    startProbing(self)
    return
  elseif self.probesLeft and self.child.signalCode ~= "SIGKILL" then
    self.child.isForcefullyTerminated = false -- it had ended by itself just before
  end
  finish(self)
end

--- Sets whether it keeps the loop alive.
---@param on boolean
function Escalation:reference(on)
  self.handle:reference(on)
end

-- What it waits for, in words, see active_handles.lua.
function Escalation:_describe()
  return "timer", "SIGKILL for " .. select(2, self.child:_describe())
end

-- In a copy of the process: the children are the original's.
ticks.onCopied(function()
  for escalation in pairs(running) do
    escalation.ended = true
    escalation.handle:stop()
  end
  running = {}
end)

return Escalation
