--- Sends a child the signals that are to end it, and lets SIGKILL follow where that was asked for.

local check = require("child_process.base.check")
local core = require("child_process.core")
local known = require("child_process.spawn.options")
local signals = require("child_process.spawn.signals")

local fieldsOf, sendSignal = core.child.fields, core.child.signal
local given, names = known.given, core.signals
local EPERM, ESRCH = -core.errno.EPERM, -core.errno.ESRCH

---@class Termination
---@field package child ChildProcess
---@field package killSignal integer
---@field package tree boolean whatever ends the child ends its tree
---@field package forceKillAfterDelay? integer milliseconds
---@field package escalation? Escalation while SIGKILL may have to follow
---@field package signalBefore? string the signal that SIGKILL may have to follow
---@field package refused? string the last signal, if we may signal none of those it was for
---@field package delaysClose? boolean "close" waits for the escalation
---@field package onsettled fun(owner: any)
---@field package owner any its argument
local Termination = {}
Termination.__index = Termination

---@param child ChildProcess
---@param onsettled fun(owner: any) called when nothing is left for SIGKILL, or it was sent and has
---had the time to act
---@param owner any its argument
---@return Termination
function Termination.new(child, onsettled, owner)
  return setmetatable({
    child = child, killSignal = names.SIGTERM, tree = false, onsettled = onsettled, owner = owner,
  }, Termination)
end

--- Sets what the options say.
---@param options table that arguments.lua has checked
function Termination:setOptions(options)
  self.killSignal = options.killSignal
  self.tree = options.tree or false
  self.forceKillAfterDelay = options.forceKillAfterDelay
end

-- SIGKILL -----------------------------------------------------------------------------------------

-- Signals that end no program unless it decides otherwise.
local LEAVES_ALIVE = {[0] = true}
for _, name in ipairs({
  "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGWINCH",
}) do
  LEAVES_ALIVE[names[name]] = true
end

-- Whether SIGKILL may follow a signal. The killSignal is meant to end the child, whichever it is.
local function mayBeFollowed(self, signum)
  return signum ~= names.SIGKILL and (signum == self.killSignal or not LEAVES_ALIVE[signum])
end

local function onSettled(self, isRefused)
  self.escalation = nil
  self.refused = isRefused and "SIGKILL" or self.refused
  self.onsettled(self.owner)
  if self.delaysClose then
    self.delaysClose = nil
    self.child:_allowClose()
  end
end

local function newEscalation(self)
  return require("child_process.spawn.escalation").new(self.child, onSettled, self)
end

-- Lets SIGKILL follow the signal.
local function escalate(self, escalation, signum, delay, tree)
  if not self.escalation then
    self.escalation = escalation
    self.signalBefore = signals.name(signum)
  end
  -- The child alone delays "close" anyway.
  if tree and not self.delaysClose then
    self.delaysClose = self.child:_delayClose()
  end
  escalation:within(delay, tree)
end

-- Signals -----------------------------------------------------------------------------------------

--- Sends a signal, which SIGKILL may follow.
---@param signum integer
---@param tree boolean to the child and all its descendants
---@param delay? integer milliseconds until SIGKILL; nil: never
---@return boolean # whether it was sent
function Termination:send(signum, tree, delay)
  local remote = fieldsOf(self.child)._remote
  if remote then -- the other host sees to what follows
    return self.child:_signalled(remote:signal(signum, tree, delay), signum, tree)
  end
  local escalates = delay and mayBeFollowed(self, signum)
  -- Made before the signal is sent, since that may raise when out of memory.
  local escalation = escalates and (self.escalation or newEscalation(self))
  local errno = sendSignal(self.child, signum, tree, escalates)
  if errno ~= ESRCH then
    self.refused = errno == EPERM and signals.name(signum) or nil
  end
  if not escalation then
    return self.child:_signalled(errno, signum, tree)
  end
  -- After any other error some of the tree may have got the signal.
  if errno ~= ESRCH and errno ~= EPERM then
    escalate(self, escalation, signum, delay, tree)
  elseif not self.escalation then
    escalation:cancel()
  end
  return self.child:_signalled(errno, signum, tree)
end

local KILL_OPTIONS = {tree = true, forceKillAfterDelay = true}

---@class KillOptions
---@field tree? boolean the signal goes to the child and all its descendants; default options.tree
---@field forceKillAfterDelay? number milliseconds, an integer, after which SIGKILL follows;
---math.huge: never; default options.forceKillAfterDelay, for SIGTERM and killSignal

--- Sends a signal to the child, or to its tree.
---@param signum integer
---@param options? KillOptions
---@return boolean # whether it was sent
function Termination:kill(signum, options)
  check.options("ChildProcess:kill", options, KILL_OPTIONS)
  local tree, delay = self.tree, nil
  if signum == names.SIGTERM or signum == self.killSignal then
    delay = self.forceKillAfterDelay
  end
  if options and given(options.tree) then
    tree = check.type("options.tree", "boolean", options.tree)
  end
  if options and given(options.forceKillAfterDelay) then
    delay = known.check("forceKillAfterDelay", options.forceKillAfterDelay)
  end
  return self:send(signum, tree, delay)
end

--- To be called when the child has ended.
function Termination:childEnded()
  if self.escalation then
    self.escalation:childEnded()
  end
end

--- Sets whether the time until SIGKILL keeps the loop alive.
---@param on boolean
function Termination:reference(on)
  if self.escalation then
    self.escalation:reference(on)
  end
end

-- What others ask ---------------------------------------------------------------------------------

--- Whether SIGKILL may have to follow.
---@return boolean
function Termination:isEscalating()
  return self.escalation ~= nil
end

--- The signal that was not enough, so that SIGKILL had to follow.
---@return string? # its name; nil if SIGKILL did not have to follow
function Termination:forcedAfter()
  return self.child.isForcefullyTerminated and self.signalBefore or nil
end

--- The last signal, if it reached nobody because all that was left runs as another user.
---@return string? # its name; nil if the last signal was not refused
function Termination:getRefused()
  return self.refused
end

---@return integer # options.killSignal
function Termination:getKillSignal()
  return self.killSignal
end

---@return boolean # options.tree
function Termination:takesTree()
  return self.tree
end

---@return integer? # options.forceKillAfterDelay
function Termination:getForceKillAfterDelay()
  return self.forceKillAfterDelay
end

return Termination
