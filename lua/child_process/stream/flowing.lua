--- Flowing and paused streams: decides when listeners get data, and whether a child reads it.

local identity = require("child_process.stream.identity")
local tick = require("child_process.base.ticks").tick

local checkThis = identity.check

---@class Stream
local flowing = {
  _paused = false, -- `pause` was called, and `resume` was not called since
  _readByChild = false, -- a child got the descriptor, and `resume` was not called since
  _readers = false, ---@type Readers|false shared by the loops over the stream
  _resumeScheduled = false, -- a tick will make it flow
}

-- Hands over the data read ahead, one piece per tick, so that a listener that raises does not stop
-- the rest.
function flowing:_flow()
  if self.readableFlowing and self.readableLength > 0 then
    tick(self._flow, self)
    self:read()
  end
end

local function resumeNow(self)
  self._resumeScheduled = false
  if self.destroyed then
    return
  end
  self:_readOn()
  if self:_hasListener("resume") then
    self:emit("resume")
  end
end

--- Hands data over as it arrives, unless a "readable" listener asks for it.
---@return Stream self
function flowing:resume()
  checkThis(self, "resume")
  self:_closeIdleReaders()
  self._paused = false
  if self._readByChild then
    self._readByChild = false
  end
  if not self.readableFlowing then
    self.readableFlowing = not self:_isListenedForReadable()
    if not self._resumeScheduled then
      self._resumeScheduled = true
      tick(resumeNow, self)
    end
  end
  return self
end

--- Stops reading: the child that writes to the stream has to wait when the pipe is full.
---@return Stream self
function flowing:pause()
  checkThis(self, "pause")
  self._paused = true
  if self.readableFlowing ~= false then
    self.readableFlowing = false
    self:_stopReading()
    self:emit("pause")
  end
  return self
end

--- Whether the stream was paused, by its user or by a full destination.
---@return boolean
function flowing:isPaused()
  checkThis(self, "isPaused")
  return self._paused or self.readableFlowing == false
end

-- Whether `pause` was called, by the user or by a pipe, and `resume` was not called since.
function flowing:_isPausedByUser()
  return self._paused
end

-- Makes a new stream read nothing before it is resumed.
function flowing:_startPaused()
  self._paused, self.readableFlowing = true, false
end

-- Leaves the data to a child that got the descriptor.
function flowing:_leaveToChild()
  self:_closeIdleReaders()
  self:pause()
  self._handle:read(false) -- even if "readable" has a listener, for which `pause` reads on
  self._readByChild = true
end

function flowing:_isReadByChild()
  return self._readByChild
end

-- The running coroutine stops reading, perhaps in the body of a loop over the stream.
function flowing:_callerStopsReading()
  if self._readers then
    self._readers:callerStops()
  end
end

function flowing:_getReaders()
  return self._readers
end

-- Sets the table that the loops over the stream share; nil when the last one has ended.
function flowing:_setReaders(readers)
  self._readers = readers or false
end

-- Ends the listening of `readLine`, if nothing else has read the stream so far.
function flowing:_closeIdleReaders()
  if self._readers then
    self._readers:closeIfIdle()
  end
end

return flowing
