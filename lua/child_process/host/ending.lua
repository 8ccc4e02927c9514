--- A part of Host: how a connection ends, wanted or not. The error waits for the launcher, whose
--- exit code and last words it tells.

local core = require("child_process.core")
local errors = require("child_process.errors")
local failure = require("child_process.host.failure")
local tick = require("child_process.base.ticks").tick

local EPROTO = -core.errno.EPROTO
local MOST_NOISE = 64 * 1024 -- bytes, see CP_LINK_NOISE in src/core/link/frame_reader.h

---@class Host
local methods = {}

local TIMERS = {"_connectTimer", "_closeTimer", "_pingTimer", "_lastWords"}

function methods:_stopTimers()
  for _, name in ipairs(TIMERS) do
    if self[name] then
      self[name]:close()
      self[name] = nil
    end
  end
end

--- Called by core when nothing more arrives.
---@param errno? integer
function methods:onend(errno)
  self._hasEnded = true
  if self.state == "closing" and not errno then
    self._link:cut()
    if self._launcherClosed then
      self:_finish()
    else
      self:_endLauncher()
    end
  elseif errno == EPROTO and not self._wasConnected and #self._link:noise() > MOST_NOISE then
    self:_fail("more than 64 KiB came before its answer")
  elseif errno == EPROTO then
    self:_fail("the agent has sent what is not a frame")
  elseif errno then
    self:_fail(errors.system(errno, "read").message)
  else
    self:_fail("the connection was closed")
  end
end

-- A tick: ends the connection of a host that is failing.
local function giveUp(self)
  if self._hasGivenUp then
    return
  end
  tick(giveUp, self) -- does the rest, should this call run out of memory
  self:_updateReference()
  self:_stopTimers()
  if self._launcherClosed or not self._launcher.pid then
    tick(self._finish, self)
  else
    self:_endLauncher()
  end
  self._hasGivenUp = true
  self._link:cut()
end

--- Gives the connection up. The error is reported when the launcher has ended, with what it has
--- printed.
---@param reason? string nil if the launcher has ended, and that is all
---@param code? string
function methods:_fail(reason, code)
  if self.state ~= "failing" and self.state ~= "closed" then
    tick(giveUp, self) -- first, as it may raise
    self._reason, self._code = reason, code
    self:_enter("failing")
  end
end

local function describeFailure(self)
  return failure.make({
    name = self.name, connected = self._wasConnected, reason = self._reason, code = self._code,
    launcher = self._launcher, lua = self._lua, stderr = self._stderr, noise = self._link:noise(),
    cause = self._launcherError,
  })
end

local function emitError(self)
  self:emit("error", self._error)
end

local function emitClose(self)
  self:emit("close")
end

--- Called by core when the streams have got what had arrived for them.
function methods:onidle()
  self._link:close()
end

--- Reports the end, once the launcher has ended, too.
function methods:_finish()
  if self.state == "closed" then
    return
  end
  tick(self._finish, self) -- does the rest, should this call run out of memory
  local hasFailed = self.state == "failing"
  self:_stopTimers()
  local err = hasFailed and describeFailure(self) or failure.closed(self.name)
  self._error = err
  local children = self._children
  local hasChildren = next(children) ~= nil
  for _, remote in pairs(children) do
    tick(function() remote:onlost(err) end)
  end
  self._link:awaitIdle() -- then it is closed
  self:_enter("closed")
  if hasFailed and (self:listenerCount("error") > 0 or not hasChildren and not self._closing) then
    tick(emitError, self)
  end
  tick(emitClose, self)
  if self._closing and hasFailed and not hasChildren then
    self._closing:_reject(err)
  elseif self._closing then
    self._closing:_fulfill()
  end
end

return methods
