--- Ends a child before its time when a limit is reached, and its streams where others hold them.
--- termination.lua sends the signals. Loaded for the first child that needs it.

local core = require("child_process.core")
local errors = require("child_process.errors")
local heldStreams = require("child_process.spawn.held_streams")
local Termination = require("child_process.spawn.termination")
local ticks = require("child_process.base.ticks")

local fieldsOf = core.child.fields

-- Other processes may hold the child's streams open. Once a limit is reached the streams end
-- nevertheless: after the data that had arrived when the child ended, or at once if it had ended
-- before.
---@class Ending
---@field package child ChildProcess
---@field package termination Termination
---@field package waitDelay? integer milliseconds
---@field package disposeWaits boolean
---@field package destroysOutput? boolean when the timeout is exceeded
---@field package signal? AbortSignal
---@field package abortAction integer|false number of the action that `signal` runs when aborted
---@field package timer Timeout|false of options.timeout
---@field package waitTimer Timeout|false of options.waitDelay
---@field package hasReachedLimit boolean
---@field package childHasEnded boolean the listeners of its "exit" were called
---@field package disposal? Disposal
local Ending = {}
Ending.__index = Ending

local function onSettled(self)
  if self.disposal then
    self.disposal:update()
  end
end

--- Returns the ending of a child, which may have been made without any option for it.
---@param child ChildProcess
---@return Ending
function Ending.of(child)
  local fields = fieldsOf(child)
  if not fields._ending then
    local self = setmetatable({
      child = child, disposeWaits = false, childHasEnded = fields._exited or false,
      -- Room for them: what runs already is lost if there is no memory to store it, and the end of
      -- the child comes once.
      timer = false, waitTimer = false, abortAction = false, hasReachedLimit = false,
    }, Ending)
    self.termination = Termination.new(child, onSettled, self)
    fields._ending = self
  end
  return fields._ending
end

--- Returns what sends the signals.
---@return Termination
function Ending:getTermination()
  return self.termination
end

-- Limits ------------------------------------------------------------------------------------------

--- Kills the child because a limit was reached, or ends its streams if it has ended already, and
--- kills what is left of its tree.
---@param signum integer
---@return boolean # whether the child itself was killed
function Ending:reach(signum)
  self.hasReachedLimit = true
  -- A program may have replaced the method.
  local isSent = (self.termination:takesTree() or not self.childHasEnded)
    and self.child:kill(signum)
  if self.childHasEnded then
    heldStreams.cut(self.child)
  end
  return isSent and not fieldsOf(self.child)._exited
end

local function timeOut(ending)
  local child, killSignal = ending.child, ending.termination:getKillSignal()
  child.timedOut = true -- first, for listeners of "error"
  if ending.destroysOutput then
    heldStreams.destroy(child)
    child:kill(killSignal)
  elseif not ending:reach(killSignal) and not ending.childHasEnded then
    child.timedOut = ending.termination:getRefused() ~= nil
  end
end

local function abort(ending)
  ending.abortAction = false
  if ending:reach(ending.termination:getKillSignal()) then
    ending.child:emit("error", errors.aborted(ending.signal))
  end
end

--- Starts the limits of a child that was started. A signal that is aborted already kills the child
--- on the next tick.
---@param child ChildProcess
---@param options table that arguments.lua has checked
function Ending.start(child, options)
  local self = Ending.of(child)
  self.termination:setOptions(options)
  self.waitDelay = options.waitDelay
  self.disposeWaits = options.disposeWaits or false
  self.destroysOutput = options.destroysOutput
  self.signal = options.signal
  if options.timeout and options.timeout > 0 then
    self.timer = require("child_process.timers").setTimeout(timeOut, options.timeout, self)
    self.timer:_standsFor("options.timeout", child)
  end
  if self.signal and self.signal.aborted then
    ticks.tick(abort, self)
  elseif self.signal then
    self.abortAction = self.signal:_addAction(function()
      abort(self)
    end)
  end
end

--- Ends the timeout.
function Ending:stopTimeout()
  if self.timer then
    self.timer:close()
    self.timer = false
  end
end

-- The end of the child ----------------------------------------------------------------------------

local function cutHeld(ending)
  local held = heldStreams.cut(ending.child)
  if held[1] then
    ending.child.heldStreams = held
  end
end

local function startWaiting(ending)
  if ending.waitDelay == 0 then
    cutHeld(ending)
  elseif not ending.waitTimer then
    local setTimeout = require("child_process.timers").setTimeout
    local hasMemory, timer = pcall(setTimeout, cutHeld, ending.waitDelay, ending)
    if not hasMemory then
      cutHeld(ending) -- rather than never
      error(timer, 0)
    end
    ending.waitTimer = timer
    ending.waitTimer:_standsFor("options.waitDelay", ending.child)
    if fieldsOf(ending.child)._unreferenced then
      ending.waitTimer:unref()
    end
  end
end

local function afterExit(ending)
  ending.childHasEnded = true
  if ending.hasReachedLimit then
    heldStreams.cut(ending.child)
  end
  if ending.disposal then
    ending.disposal:update()
  end
  if ending.waitDelay then
    startWaiting(ending)
  end
end

--- To be called when the child has ended; its streams may still be open.
function Ending:childEnded()
  -- What it would end are streams, and these keep the loop alive.
  if self.timer and not self.destroysOutput then
    self.timer:unref()
  end
  self.termination:childEnded()
  ticks.tick(afterExit, self)
end

--- Sets whether SIGKILL, and the end of the streams after options.waitDelay, keep the loop alive.
---@param on boolean
function Ending:reference(on)
  self.termination:reference(on)
  if self.waitTimer and on then
    self.waitTimer:ref()
  elseif self.waitTimer then
    self.waitTimer:unref()
  end
end

--- To be called when the child and all its streams have ended.
function Ending:release()
  self:stopTimeout()
  if self.waitTimer then
    self.waitTimer:close()
  end
  if self.abortAction then
    self.signal:_removeAction(self.abortAction)
    self.abortAction = false
  end
  if self.disposal then
    self.disposal:update()
  end
end

--- Whether the listeners of the child's "exit" were called.
---@return boolean?
function Ending:hasChildEnded()
  return self.childHasEnded
end

-- Disposal ----------------------------------------------------------------------------------------

--- Updates the disposal of the child from now on.
---@param disposal Disposal
function Ending:setDisposal(disposal)
  self.disposal = disposal
end

---@return Disposal?
function Ending:getDisposal()
  return self.disposal
end

--- Whether blocks that end the child wait until it has ended.
---@return boolean
function Ending:makesBlocksWait()
  return self.disposeWaits
end

return Ending
