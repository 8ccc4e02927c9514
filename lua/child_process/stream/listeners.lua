--- Adds and removes listeners of streams, and starts and stops reading for them.

local base = require("child_process.events.emitter").methods
local identity = require("child_process.stream.identity")
local tick = require("child_process.base.ticks").tick

local checkThis = identity.check

---@class Stream
local listeners = {
  _readableListening = false, -- "readable" has listeners, so data does not flow by itself
}

function listeners:_isListenedForReadable()
  return self._readableListening
end

-- Whether anybody other than pipes reads the stream.
function listeners:_isListenedTo()
  return self._readableListening or self:_isCollected() or self:listenerCount("data") > 0
end

function listeners:_isRead()
  return self:_hasPipes() or self:_isListenedTo()
end

-- Whether data that arrives is taken, now or later: nobody has paused the stream, except for a
-- destination that has no room, or a loop over the stream was not left.
function listeners:_isBeingRead()
  local readers = self:_getReaders()
  if readers then
    return readers:mayTakeMore()
  end
  return self.readableFlowing or self._readableListening or self:_isWaiting()
end

local function startReadingAhead(self)
  if self._readableListening then
    self:read(0)
  end
end

local function startListening(self)
  if self._readableListening or self.readableEnded then
    return
  end
  self._readableListening = true
  self.readableFlowing = false
  if not self:_requestReadable() then
    tick(startReadingAhead, self)
  end
end

-- Listeners of "readable" were removed. If none is left the data may flow again.
local function updateListening(self)
  self._readableListening = self:listenerCount("readable") > 0
  if self._readableListening then
    return
  end
  if not self:_isPausedByUser() then
    if self:_isRead() then
      self:resume()
    else
      self.readableFlowing = nil
    end
  end
  if not self.readableFlowing then
    self:_stopReading()
  end
end

local function added(self, event)
  if event == "data" then
    self:_settle()
    self:_throughLua()
    self:_closeIdleReaders()
    if self.readableFlowing ~= false then
      self:resume()
    end
  elseif event == "readable" then
    self:_throughLua()
    startListening(self)
  end
  return self
end

-- The other methods that add a listener call `on` or `prependListener`.

--- Like EventEmitter's. A "data" listener makes the stream flow unless it was paused; a "readable"
--- listener makes it read ahead.
---@param event any
---@param listener function
---@return Stream self
function listeners:on(event, listener)
  checkThis(self, "on")
  base.on(self, event, listener)
  return added(self, event)
end

--- The same as on.
listeners.addListener = listeners.on

--- Like `on`, but the listener is called before those that the event has already.
---@param event any
---@param listener function
---@return Stream self
function listeners:prependListener(event, listener)
  checkThis(self, "prependListener")
  base.prependListener(self, event, listener)
  return added(self, event)
end

--- Like EventEmitter's.
---@param event any
---@param listener function
---@return Stream self
function listeners:off(event, listener)
  checkThis(self, "off")
  base.off(self, event, listener)
  if event == "readable" then
    tick(updateListening, self)
  end
  return self
end

--- The same as off.
listeners.removeListener = listeners.off

--- Like EventEmitter's.
---@param event? any
---@return Stream self
function listeners:removeAllListeners(event)
  checkThis(self, "removeAllListeners")
  base.removeAllListeners(self, event)
  if event == "readable" or event == nil then
    tick(updateListening, self)
  end
  return self
end

return listeners
