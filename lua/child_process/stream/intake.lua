--- Takes bytes from the kernel into a stream: gives them to a capture, and to a decoder.

local errors = require("child_process.errors")
local identity = require("child_process.stream.identity")
local readable = require("child_process.stream.readable")

local arrived, arrivedAtEnd = readable._arrived, readable._arrivedAtEnd

---@class Stream
local intake = {
  _capture = false, ---@type Capture|false takes all bytes
  _decoder = false, ---@type userdata|false turns bytes into text; false without an encoding
}

-- Called by the handle with bytes, with nil at the end, or with nil and an errno.
function intake:onread(chunk, errno)
  if chunk then
    self.bytesRead = self.bytesRead + #chunk
    if self._capture then
      self._capture:add(chunk)
    end
    if self._decoder then
      chunk = self._decoder:write(chunk)
      if chunk == "" then
        return
      end
    end
    arrived(self, chunk)
  elseif errno then
    self:destroy(errors.system(errno, "read"))
  else
    arrivedAtEnd(self, self._decoder and self._decoder:finish() or "")
  end
end

-- Ends the stream after the data that has arrived by now, although other processes may hold the
-- other end open.
function intake:_endAfterRest()
  if not self:_hasReadableSide() or not self:_awaitsMore() or not self._handle then
    return
  end
  self:_throughLua()
  self:_continueReading()
  if (self._handle:endAfterRest() or 0) == 0 then
    self:_stopReading()
    intake.onread(self, nil)
  end
end

-- Ends the stream of a child that has ended, as `_endAfterRest` does. Does nothing if its end comes
-- by itself, because no process holds the other end. Returns whether one does.
function intake:_cut()
  if not self:_hasReadableSide() or not self._handle then
    return false
  end
  local isHeld = self._handle:isHeld()
  if isHeld and self.readableEnded then
    self:destroy()
  elseif isHeld then
    self:_closeWithReading()
    self:_endAfterRest()
  end
  return isHeld
end

-- Ends the stream of a child that has ended and that nobody reads; destroys it if data is left.
function intake:_endUnread()
  if not self:_hasReadableSide() or not self._handle then
    return
  end
  self:_closeWithReading()
  self:_endAfterRest()
  if self.readableEnded or not self:_isExhausted() then
    self:destroy()
  else
    self:_readMore()
  end
end

-- Stops reading for a stream that is being destroyed.
function intake:_closeReading()
  if self._pipes then
    self:_stopSplicing()
    self:_leavePipes()
  end
  if self._capture then
    self._capture:throughLua()
  end
  if self.readableLength > 0 then
    self:_dropBuffered()
  end
end

--- From now on listeners get text, in which no character is split (see encoding.lua). With an
--- unknown name, such as "buffer", they get bytes. The bytes of an incomplete character are
--- decoded in the new encoding.
---@param name? string default "utf8"
---@return Stream self
function intake:setEncoding(name)
  identity.check(self, "setEncoding")
  if name == nil then
    name = "utf8"
  end
  self:_throughLua()
  self:_settle()
  local encoding = require("child_process.encoding") -- few programs need it
  local former = self._decoder
  self.readableEncoding = encoding.normalize(name)
  self._decoder = encoding.decoder(name) or false

  -- A former decoder has decoded the data read ahead, except for an incomplete character.
  local bytes = former and former:take() or self._decoder and self:_takeAll() or ""
  local text = self._decoder and self._decoder:write(bytes) or bytes
  if text ~= "" then
    self:_putAhead(text)
  end
  return self
end

-- Gives the data to a capture, too. Until `_takeCaptured`, core collects it, up to the limit.
-- Returns false if the stream has no handle to collect from.
function intake:_setCapture(capture, limit)
  self._capture = capture
  if not self._handle then
    return false
  end
  self._handle:collect(limit)
  return true
end

-- Ends collecting in core. Returns the bytes.
function intake:_takeCaptured()
  local bytes = self._handle:collected()
  self._handle:collect(nil)
  self.bytesRead = self.bytesRead + #bytes
  return bytes
end

function intake:_isCollected()
  return self._capture ~= false
end

-- Called by the handle when the limit is exceeded.
function intake:onoverflow()
  self._capture:onoverflow()
end

-- Ends collecting in core, because somebody wants to see the data.
function intake:_captureInLua()
  if self._capture then
    self._capture:throughLua()
  end
end

-- Ends collecting in core and moving data in the kernel.
function intake:_throughLua()
  self:_captureInLua()
  if self:_stopSplicing() then
    self:_refuseSplicing()
  end
end

-- Whether nobody but a pipe sees the data, so that it need not come to Lua.
function intake:_allowsSplice()
  return self.readableFlowing and not self._decoder and not self._capture
    and self.readableLength == 0 and not self.isStandardStream
    and not self:_hasWritableSide() and self:listenerCount("data") == 0
end

return intake
