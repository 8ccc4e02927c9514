--- The reading side of streams: hands data to listeners, or keeps it until somebody asks for it.

local assign = require("child_process.base.assign")
local compat = require("child_process.base.compat")
local errors = require("child_process.errors")
local identity = require("child_process.stream.identity")
local loop = require("child_process.loop")
local ReadBuffer = require("child_process.stream.read_buffer")
local tick = require("child_process.base.ticks").tick

local checkThis = identity.check

-- The state of a side that has read nothing yet. A socket that is connected again returns to it.
local unread = {
  bytesRead = 0,
  readableEnded = false,
  _eof = false, -- the last byte was read
  _needReadable = false, -- somebody waits for "readable"
  _emittedReadable = false, -- "readable" is about to be emitted
}

---@class Stream
local readable = assign({
  readable = false,
  readableHighWaterMark = 64 * 1024,
  readableLength = 0,
  _buffer = false, ---@type ReadBuffer|false data read ahead; false before there was any
}, unread)

function readable:_resetReading()
  assign(self, unread)
end

-- From the kernel --------------------------------------------------------------------------------

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

readable._stopReading = stopReading

-- The buffer -------------------------------------------------------------------------------------

function readable:_getBuffer()
  self._buffer = self._buffer or ReadBuffer.new()
  return self._buffer
end

local function push(self, chunk)
  local buffer = self._buffer or self:_getBuffer()
  buffer:push(chunk)
  self.readableLength = self.readableLength + #chunk
end

local function take(self, count)
  self.readableLength = self.readableLength - count
  return self._buffer:take(count)
end

-- Removes the lines that a loop has taken from the data.
local function settle(self)
  local buffer = self._buffer
  if buffer and buffer.piece then
    self.readableLength = self.readableLength - buffer:settle()
  end
end

readable._settle = settle

-- Drops all data.
function readable:_dropBuffered()
  self._buffer:clear()
  self.readableLength = 0
end

-- Takes all data; "" if there is none.
function readable:_takeAll()
  return self.readableLength > 0 and take(self, self.readableLength) or ""
end

-- Adds data to the data read ahead, although nothing has arrived now.
function readable:_putAhead(data)
  push(self, data)
  if self.readableFlowing then
    tick(self._flow, self)
  elseif self._needReadable then
    self:_emitReadable()
  end
end

-- Handing data over ------------------------------------------------------------------------------

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
    if self:_hasListener("end") then
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

local function afterReadable(self)
  self._needReadable = not self.readableFlowing and not self._eof
    and self.readableLength <= self.readableHighWaterMark
  self:_flow()
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

readable._emitReadable = emitReadable

-- Data has arrived.
local function arrived(self, chunk)
  if self.readableFlowing and self.readableLength == 0 then
    deliver(self, chunk)
    return
  end
  push(self, chunk)
  if self.readableLength >= self.readableHighWaterMark or self.readableFlowing == false
    and not self:_isListenedForReadable() then
    stopReading(self)
  end
  if self._needReadable then
    emitReadable(self)
  end
end

readable._arrived = arrived

-- Nothing more arrives after `rest`.
function readable:_arrivedAtEnd(rest)
  self._eof = true
  if rest ~= "" then
    arrived(self, rest)
  end
  if self.readableFlowing and self.readableLength == 0 then
    endNow(self)
  else
    emitReadable(self)
  end
end

-- Asking for data --------------------------------------------------------------------------------

-- The number of bytes that read(n) returns.
local function available(self, count)
  if self.readableLength == 0 then
    return 0
  elseif count == nil then
    return self.readableFlowing and #self._buffer:peek() or self.readableLength
  elseif count <= self.readableLength then
    return count
  end
  return self._eof and self.readableLength or 0
end

-- Takes `wanted` bytes of the data read ahead, reads on if there is room, and hands them over.
function readable:_handOver(wanted, wantsMore)
  local chunk = wanted > 0 and take(self, wanted) or nil
  if self.readableLength < self.readableHighWaterMark or (not chunk and wantsMore) then
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

-- Returns the number as an integer, or nil.
local function checkCount(count)
  local integer = compat.toInteger(count)
  if count ~= nil and not integer then
    local err = errors.invalidArgType("n", "integer", count)
    if type(count) == "string" then -- a format, as for the files of io
      err.message = err.message .. ". Use readLine() for a line, readAll() for everything"
    end
    error(err)
  end
  return integer
end

-- Announces the data read ahead, or the end, if read(0) need not read more. Returns whether it did.
local function announce(self)
  if not self._needReadable
    or self.readableLength < self.readableHighWaterMark and not self._eof then
    return false
  elseif self.readableLength == 0 and self._eof then
    endReadable(self)
  else
    emitReadable(self)
  end
  return true
end

--- Takes bytes of the data read ahead, and reads more.
---@param count? integer exactly this number, fewer only at the end of the stream; all by default
---@return string? # nil if there are not enough yet, or never will be
function readable:read(count)
  checkThis(self, "read")
  count = checkCount(count)
  settle(self)
  if count and count > self.readableHighWaterMark then
    self.readableHighWaterMark = count
  end
  if count ~= 0 then
    self._emittedReadable = false
  elseif announce(self) then
    return nil
  end

  local wanted = count and count < 0 and 0 or available(self, count)
  if wanted == 0 and self._eof and count ~= 0 then
    if self.readableLength == 0 then
      endReadable(self)
    end
    return nil
  end
  return self:_handOver(wanted, count ~= 0)
end

--- Reads more, whatever the high water mark is. "readable" follows, or "end" if nothing more
--- arrives.
function readable:_readMore()
  if not self._eof then
    self._needReadable = true
    startReading(self)
  elseif self.readableLength == 0 then
    endReadable(self)
  end
end

-- Marks a stream from which nothing can ever be read.
function readable:_setEmpty()
  self._eof = true
end

-- Whether nothing has arrived, and nothing will.
function readable:_isEmpty()
  return self._eof and self.bytesRead == 0
end

-- Whether everything has arrived, and a part of it was not handed over.
function readable:_hasRest()
  return self._eof and (self.readableLength > 0 or self._buffer and self._buffer:hasBegun())
end

-- Whether everything was handed over.
function readable:_isExhausted()
  return self._eof and self.readableLength == 0
end

-- The number of bytes that were handed over.
function readable:_bytesHandedOver()
  local buffer = self._buffer
  return self.bytesRead - self.readableLength + (buffer and buffer:stepped() or 0)
end

-- Whether more may arrive.
function readable:_awaitsMore()
  return not self._eof
end

-- Asks for "readable". Returns whether it will be emitted for data that has arrived already.
function readable:_requestReadable()
  self._needReadable = true
  self._emittedReadable = false
  if self.readableLength == 0 and not self._eof then
    return false
  end
  emitReadable(self)
  return true
end

-- Reads and hands over after the stream was resumed.
function readable:_readOn()
  if self.readableLength > 0 then
    tick(self._flow, self)
  elseif self._eof then
    endReadable(self)
  end
  if self.readableFlowing then
    startReading(self)
  end
end

-- Goes on reading, through Lua or in the kernel.
function readable:_continueReading()
  if self.readableFlowing then
    startReading(self)
  end
end

return readable
