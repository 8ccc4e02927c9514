--- The reading side of streams.
--   _chunks, _first, _last  what was read but not handed over, in order
--   _eof                    the last byte was read
--   _decoder                turns bytes into text, where an encoding was set
--   _needReadable           somebody waits for "readable"
--   _emittedReadable        "readable" is about to be emitted
--   _readableListening      "readable" has listeners, so that data does not flow by itself
--   _resumeScheduled        the tick that makes it flow is on its way
--   _paused                 pause was called, and resume was not since
--   _collector              see collector.lua: takes the bytes in the place of listeners
local encoding = require("child_process.encoding")
local errors = require("child_process.errors")
local loop = require("child_process.loop")

local tick = loop.tick

---@param Stream Stream the class, which gets the methods
return function(Stream)
  local check = Stream.check
  local baseOn, baseOff = Stream.on, Stream.off
  local baseRemoveAll = Stream.removeAllListeners

  -- Reading from the kernel.

  local function startReading(self)
    if self._eof or not self._handle or self._held or (self._pipes and self:_splice()) then
      return
    end
    local errno = self._handle:read(true)
    if errno then
      self:destroy(errors.system(errno, "read"))
    end
    loop.started()
  end

  local function stopReading(self)
    self:_stopSplicing()
    if self._handle then
      self._handle:read(false)
    end
  end

  -- What was read.

  local function push(self, chunk)
    local last = (self._last or 0) + 1
    if not self._chunks then
      self._chunks = {}
      self._first = 1
    end
    self._chunks[last] = chunk
    self._last = last
    self.readableLength = self.readableLength + #chunk
  end

  local function shift(self)
    local first = self._first
    local chunk = self._chunks[first]
    self._chunks[first] = nil
    self._first = first + 1
    self.readableLength = self.readableLength - #chunk
    return chunk
  end

  -- The first `count` bytes of what is there.
  local function take(self, count)
    local parts = {}
    while count > 0 do
      local chunk = shift(self)
      if #chunk > count then
        self._first = self._first - 1
        self._chunks[self._first] = chunk:sub(count + 1)
        self.readableLength = self.readableLength + #chunk - count
        chunk = chunk:sub(1, count)
      end
      parts[#parts + 1] = chunk
      count = count - #chunk
    end
    return table.concat(parts)
  end

  function Stream:_dropBuffered()
    if self._chunks then
      self._chunks, self._last = nil, nil
      self.readableLength = 0
    end
  end

  -- Handing it over.

  local function deliver(self, chunk)
    if self._pipes then
      self:_writeToPipes(chunk)
    end
    self:emit("data", chunk)
  end

  local function endNow(self)
    if not self.readableEnded and not self.destroyed and self.readableLength == 0 then
      self.readableEnded = true
      self.readable = false
      if self:_isHeard("end") then
        tick(self._sideEnded, self) -- before the listeners, which may raise
        self:emit("end")
      else
        self:_sideEnded()
      end
    end
  end

  local function endReadable(self)
    if not self.readableEnded then
      tick(endNow, self)
    end
  end

  local flow

  -- Hands over what was read ahead, a piece in each tick: a listener that raises stops nothing.
  function flow(self)
    if self.readableFlowing and self.readableLength > 0 then
      tick(flow, self)
      self:read()
    end
  end

  local function afterReadable(self)
    self._needReadable = not self.readableFlowing and not self._eof
      and self.readableLength <= self.readableHighWaterMark
    flow(self)
  end

  local function emitReadableNow(self)
    self._emittedReadable = false
    tick(afterReadable, self)
    if not self.destroyed and (self.readableLength > 0 or self._eof) then
      self:emit("readable")
    end
  end

  local function emitReadable(self)
    self._needReadable = false
    if not self._emittedReadable then
      self._emittedReadable = true
      tick(emitReadableNow, self)
    end
  end

  local function arrived(self, chunk)
    if self.readableFlowing and self.readableLength == 0 then
      deliver(self, chunk)
      return
    end
    push(self, chunk)
    if self.readableLength >= self.readableHighWaterMark or self.readableFlowing == false
      and not self._readableListening then
      stopReading(self)
    end
    if self._needReadable then
      emitReadable(self)
    end
  end

  local function onEof(self)
    self._eof = true
    local rest = self._decoder and self._decoder:finish() or ""
    if rest ~= "" then
      arrived(self, rest)
    end
    if self.readableFlowing and self.readableLength == 0 then
      endNow(self)
    else
      emitReadable(self)
    end
  end

  -- Called by the handle: bytes, or nil at the end, or nil and what failed.
  function Stream:onread(chunk, errno)
    if chunk then
      self.bytesRead = self.bytesRead + #chunk
      if self._collector then
        self._collector:add(chunk)
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
      onEof(self)
    end
  end

  -- Called by the handle when it has collected as much as it may; see collector.lua.
  function Stream:onoverflow()
    self._collector:onoverflow()
  end

  -- How many bytes read(n) returns, 0 for none.
  local function available(self, count)
    if self.readableLength == 0 then
      return 0
    elseif count == nil then
      return self.readableFlowing and #self._chunks[self._first] or self.readableLength
    elseif count <= self.readableLength then
      return count
    end
    return self._eof and self.readableLength or 0
  end

  --- Takes bytes out of what was read ahead, and sees to it that more is read.
  ---@param count? integer exactly so many, or fewer only at the end of the stream; all by default
  ---@return string? # nil if there is not as much yet, or never will be
  function Stream:read(count)
    check(self, "read")
    if count ~= nil and math.type(count) ~= "integer" then
      error(errors.invalidArgType("n", "integer", count))
    end
    if count and count > self.readableHighWaterMark then
      self.readableHighWaterMark = count
    end
    if count ~= 0 then
      self._emittedReadable = false
    end
    if count == 0 and self._needReadable
      and (self.readableLength >= self.readableHighWaterMark or self._eof) then
      if self.readableLength == 0 and self._eof then
        endReadable(self)
      else
        emitReadable(self)
      end
      return nil
    end

    local wanted = count and count < 0 and 0 or available(self, count)
    if wanted == 0 and self._eof and count ~= 0 then
      if self.readableLength == 0 then
        endReadable(self)
      end
      return nil
    end
    local chunk = wanted > 0 and take(self, wanted) or nil
    if self.readableLength < self.readableHighWaterMark or (not chunk and count ~= 0) then
      startReading(self)
    end
    if not chunk or self.readableLength == 0 then
      self._needReadable = not self._eof
    end
    if chunk then
      if self.readableLength == 0 and self._eof then
        endReadable(self)
      end
      deliver(self, chunk)
    end
    return chunk
  end

  -- Flowing and paused.

  local function resumeNow(self)
    self._resumeScheduled = false
    if self.destroyed then
      return
    end
    if self.readableLength > 0 then
      tick(flow, self)
    elseif self._eof then
      endReadable(self)
    end
    if self.readableFlowing then
      startReading(self)
    end
    if self._events then
      self:emit("resume")
    end
  end

  local function scheduleResume(self)
    if not self._resumeScheduled then
      self._resumeScheduled = true
      tick(resumeNow, self)
    end
  end

  --- Hands data over as it comes, as long as no "readable" listener asks for it instead.
  ---@return Stream self
  function Stream:resume()
    check(self, "resume")
    self._paused = false
    self._sharedWithChild = nil
    if not self.readableFlowing then
      self.readableFlowing = not self._readableListening
      scheduleResume(self)
    end
    return self
  end

  --- Stops reading: the child that writes to the stream has to wait when the pipe is full.
  ---@return Stream self
  function Stream:pause()
    check(self, "pause")
    self._paused = true
    if self.readableFlowing ~= false then
      self.readableFlowing = false
      stopReading(self)
      self:emit("pause")
    end
    return self
  end

  --- Was the stream paused, by its user or by a destination that is full?
  ---@return boolean
  function Stream:isPaused()
    check(self, "isPaused")
    return self._paused == true or self.readableFlowing == false
  end

  --- From now on listeners get text, in which no character is split (see encoding.lua). With a name
  --- that is none, "buffer" for instance, they get the bytes.
  ---@param name? string default "utf8"
  ---@return Stream self
  function Stream:setEncoding(name)
    check(self, "setEncoding")
    if name == nil then
      name = "utf8"
    end
    self:_throughLua()
    self.readableEncoding = encoding.normalize(name)
    self._decoder = encoding.decoder(name)
    if self._decoder and self.readableLength > 0 then
      local text = self._decoder:write(take(self, self.readableLength))
      if text ~= "" then
        push(self, text)
      end
    end
    return self
  end

  -- Whatever was arranged in the kernel or in C ends here: somebody wants to see the data.
  function Stream:_throughLua()
    if self._collector then
      self._collector:throughLua()
    end
    if self:_stopSplicing() then
      self:_refuseSplicing()
    end
  end

  -- Goes on reading, in whatever way fits now.
  function Stream:_continueReading()
    if self.readableFlowing then
      startReading(self)
    end
  end

  -- Listeners.

  local function needsReading(self)
    return self.readableFlowing or self._readableListening
  end

  local function startReadingAhead(self)
    if self._readableListening then
      self:read(0)
    end
  end

  local function listenForReadable(self)
    if self._readableListening or self.readableEnded then
      return
    end
    self._readableListening = true
    self._needReadable = true
    self.readableFlowing = false
    self._emittedReadable = false
    if self.readableLength > 0 or self._eof then
      emitReadable(self)
    else
      tick(startReadingAhead, self)
    end
  end

  local function updateReadableListening(self)
    self._readableListening = self:listenerCount("readable") > 0
    if self._readableListening then
      return
    end
    if self:listenerCount("data") > 0 and not self._paused then
      self:resume()
    elseif not self._paused then
      self.readableFlowing = nil
    end
    if not needsReading(self) then
      stopReading(self)
    end
  end

  local function added(self, event)
    if event == "data" then
      self:_throughLua()
      if self.readableFlowing ~= false then
        self:resume()
      end
    elseif event == "readable" then
      self:_throughLua()
      listenForReadable(self)
    end
    return self
  end

  --- As EventEmitter's; a "data" listener makes the stream flow unless it was paused, a "readable"
  --- listener makes it read ahead.
  ---@param event any
  ---@param listener function
  ---@return Stream self
  function Stream:on(event, listener)
    check(self, "on")
    baseOn(self, event, listener)
    return added(self, event)
  end

  Stream.addListener = Stream.on

  --- As EventEmitter's.
  ---@param event any
  ---@param listener function
  ---@return Stream self
  function Stream:off(event, listener)
    check(self, "off")
    baseOff(self, event, listener)
    if event == "readable" then
      tick(updateReadableListening, self)
    end
    return self
  end

  Stream.removeListener = Stream.off

  --- As EventEmitter's.
  ---@param event? any
  ---@return Stream self
  function Stream:removeAllListeners(event)
    check(self, "removeAllListeners")
    baseRemoveAll(self, event)
    if event == "readable" or event == nil then
      tick(updateReadableListening, self)
    end
    return self
  end

  --- Lets what nobody reads flow away, so that the stream comes to its end. A stream that somebody
  --- listens to, or has paused while listening, is left to them.
  function Stream:_drainUnread()
    if self.readable and not self._readableListening and not self:_hasPipes()
      and self:listenerCount("data") == 0 then
      self:resume()
    end
  end
end
