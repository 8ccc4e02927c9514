--- A part of Host: how a connection ends, wanted or not. The error waits for the launcher, whose
--- exit code and last words it tells.

local core = require("child_process.core")
local errors = require("child_process.errors")
local failure = require("child_process.host.failure")
local tick = require("child_process.base.ticks").tick

local EPROTO = -core.errno.EPROTO

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

-- What has ended the connection.
local function reasonOf(self, errno, syscall)
  if errno == EPROTO and not self._wasConnected and #self._link:noise() > core.MOST_NOISE then
    return ("more than %d KiB came before its answer"):format(core.MOST_NOISE / 1024)
  elseif errno == EPROTO then
    return "the agent has sent what is not a frame"
  elseif syscall then
    return errors.system(errno, syscall).message
  elseif errno then
    return "there was not enough memory"
  end
  return "the connection was closed"
end

--- Called by core when nothing more arrives.
---@param errno? integer
---@param syscall? string that has failed
function methods:onend(errno, syscall)
  self._hasEnded = true
  if self.state == "closing" and not errno then
    self._link:cut()
    if self._launcherClosed then
      self:_finish()
    else
      self:_endLauncher()
    end
  else
    self:_fail(reasonOf(self, errno, syscall))
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

--- The error with which the host has ended.
---@return Error? # nil before the end; ERR_HOST_CLOSED if `close` was called
function methods:_getError()
  return self._error
end

return methods
