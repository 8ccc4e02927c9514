--- The writing side of streams: write, cork, finish.

local assign = require("child_process.base.assign")
local core = require("child_process.core")
local errors = require("child_process.errors")
local check = require("child_process.base.check")
local identity = require("child_process.stream.identity")
local loop = require("child_process.loop")
local tick = require("child_process.base.ticks").tick
local WriteQueue = require("child_process.stream.write_queue")

local checkThis, addToQueue, callBack = identity.check, WriteQueue.add, WriteQueue.callBack

-- The state of a side that has written nothing yet. A socket that is connected again returns to it.
local unwritten = {
  bytesWritten = 0,
  writableCorked = 0,
  writableEnded = false,
  writableFinished = false,
  writableNeedDrain = false,
  _finishCallback = false, ---@type function|false of `finish`
}

---@class Stream
local writable = assign({
  writable = false,
  writableHighWaterMark = 16 * 1024,
  writableLength = 0,
  _feeder = false, ---@type Stream|false the source whose data the kernel writes to the stream
  _queue = false, ---@type WriteQueue|false data that the kernel has not taken; false without any
}, unwritten)

function writable:_resetWriting()
  assign(self, unwritten)
end

local function toBytes(data, name)
  if data == nil then
    error(errors.streamNullValues())
  end
  check.type("chunk", "string", data)
  if name == nil or name == "buffer" then
    return data
  end
  local encoding = require("child_process.encoding") -- few programs need it
  if not encoding.normalize(name) then
    error(errors.unknownEncoding(name))
  end
  return encoding.encode(data, name)
end

-- Drops data that was queued before the process was forked, since the original writes it.
local function dropCopied(self)
  if self._queue and self._queue:isCopied() then
    self._queue = false
    self.writableLength = 0
    return true
  end
  return false
end

local function enqueue(self, data, offset, callback)
  local queue = addToQueue(self._queue, data, offset, callback)
  if queue ~= self._queue then
    self._queue = queue
    self.writableLength = 0
  end
  self.writableLength = self.writableLength + #data - offset
end

local function emitDrain(self)
  if not self.destroyed then
    self:emit("drain")
  end
end

local function emitFinish(self)
  tick(self._sideEnded, self) -- before the listeners, which may raise
  self:emit("finish")
end

-- Called when everything was written after `finish`. The callback comes before the event.
local function finishNow(self)
  if self.destroyed then
    return
  end
  self.writableFinished = true
  if not self._finishCallback then
    emitFinish(self)
    return
  end
  callBack(self._finishCallback)
  self._finishCallback = false
  tick(emitFinish, self)
end

-- The reader sees the end at once; "finish" is emitted in the next tick.
local function endWriting(self)
  self.writable = false
  if self:_hasReadableSide() then
    local errno = self._handle:shutdown()
    -- ENOTCONN: the other end has gone, which reading will report.
    if errno and errno ~= -core.errno.ENOTCONN then
      self:destroy(errors.system(errno, "shutdown"))
      return
    end
  else
    self._handle:close()
    self._handle = nil
  end
  tick(finishNow, self)
end

local function awaitRoom(self)
  local errno = self._handle:awaitRoom()
  if errno then
    self:destroy(errors.system(errno, "write"))
  end
  loop.started()
end

local function flush(self)
  if self._held then
    return
  end
  if dropCopied(self) and self.writableEnded then
    self:destroy() -- the original ends the connection, too
    return
  end
  while self._queue do
    local count, complete = self._queue:write(self._handle)
    if not count then
      self:destroy(errors.system(complete, "write"))
      return
    end
    self.writableLength = self.writableLength - count
    if self._queue:remove(count) then
      self._queue = false
    end
    if not complete then
      awaitRoom(self)
      return
    end
  end
  if self.writableEnded then
    endWriting(self)
  elseif self.writableNeedDrain then
    self.writableNeedDrain = false
    tick(emitDrain, self)
  end
end

-- Writes the data that was held while the stream connected.
function writable:_writeHeld()
  if self.writableEnded or self._queue and self.writableCorked == 0 then
    flush(self)
  end
end

--- Called by the handle: there is room again.
function writable:onroom()
  if self._queue and self.writableCorked == 0 then
    flush(self)
  end
end

-- Calls back all writers that wait, for a stream that is being destroyed.
function writable:_closeWriting(err)
  if self._feeder then
    self._feeder:_stopSplicing()
  end
  if self._queue then
    self._queue:fail(err or self._held and errors.socketClosedBeforeConnection()
      or errors.streamDestroyed("write"))
    self._queue = false
    self.writableLength = 0
  end
  if self._finishCallback then
    callBack(self._finishCallback, err or errors.streamDestroyed("end"))
    self._finishCallback = false
  end
end

local function refuse(self, err, callback)
  if callback then
    callBack(callback, err)
  end
  if not self.destroyed then
    self:destroy(err)
  end
  return false
end

-- Refuses to write to a stream that can only be read.
function writable._refuseReadOnly()
  error(errors.streamNotWritable())
end

-- Refuses data for a stream that is not writable any more, or never was.
local function refuseWrite(self, data, name, callback)
  if not self:_hasWritableSide() then
    return self:_refuseReadOnly(callback)
  end
  toBytes(data, name)
  if self.writableEnded then
    return refuse(self, errors.streamWriteAfterEnd(), callback)
  end
  return refuse(self, errors.streamDestroyed("write"), callback)
end

--- Writes bytes, or text in an encoding. Data that the kernel does not take at once is kept, and
--- written when there is room.
---@param data string
---@param name? string encoding of the text; by default the string's bytes are written
---@param callback? fun(err?: Error) called when the kernel has taken the data, or never will
---@return boolean # false when it is time to wait for "drain"
function writable:write(data, name, callback)
  checkThis(self, "write")
  if type(name) == "function" then
    name, callback = nil, name
  end
  check.optional("callback", "function", callback)
  if not self.writable or self.writableEnded then
    return refuseWrite(self, data, name, callback)
  end
  data = toBytes(data, name)
  if self._feeder then
    self._feeder:_throughLua()
    if self.destroyed then -- writing what other destinations have already has failed
      return refuse(self, self._error or errors.streamDestroyed("write"), callback)
    end
  end
  self.bytesWritten = self.bytesWritten + #data
  if not self._queue and self.writableCorked == 0 and not self._held then
    local count, complete = self._handle:write(data)
    if not count then
      return refuse(self, errors.system(complete, "write"), callback)
    elseif complete then
      if callback then
        callBack(callback)
      end
      return true
    end
    enqueue(self, data, count, callback)
    awaitRoom(self)
  else
    enqueue(self, data, 0, callback)
  end
  if self.writableLength >= self.writableHighWaterMark then
    self.writableNeedDrain = true
  end
  return not self.writableNeedDrain
end

--- Keeps data until `uncork`, so that small pieces leave together.
function writable:cork()
  checkThis(self, "cork")
  self.writableCorked = self.writableCorked + 1
  if self._feeder then
    self._feeder:_throughLua()
  end
end

--- Undoes one `cork`.
function writable:uncork()
  checkThis(self, "uncork")
  if self.writableCorked > 0 then
    self.writableCorked = self.writableCorked - 1
    if self.writableCorked == 0 and self._queue and not self.destroyed then
      flush(self)
    end
  end
end

-- Writes what a kind of stream has at its end.
function writable._writeEnd() end

--- Ends the stream after everything was written; the child then reads its end. In Node: `end`.
---@param data? string written before
---@param name? string encoding of the text
---@param callback? fun(err?: Error) called before "finish", or when that will not come
---@return Stream self
function writable:finish(data, name, callback)
  checkThis(self, "finish")
  if type(data) == "function" then
    data, name, callback = nil, nil, data
  elseif type(name) == "function" then
    name, callback = nil, name
  end
  check.optional("callback", "function", callback)
  if data ~= nil then
    self:write(data, name)
  end
  if self._feeder then
    self._feeder:_throughLua()
  end
  if self.writableEnded or self.destroyed or not self:_hasWritableSide() then
    if callback then
      callBack(callback, self.destroyed and not self.writableFinished
        and errors.streamDestroyed("end") or errors.streamAlreadyFinished("end"))
    end
    return self
  end
  self:_writeEnd()
  self.writableEnded = true
  self.writableCorked = 0
  self._finishCallback = callback or false
  flush(self)
  return self
end

--- The same as finish.
writable["end"] = writable.finish

--- Like `close` of a Lua file: finishes writing, and ends reading.
---@return Stream self
function writable:close()
  checkThis(self, "close")
  if not self:_hasWritableSide() or self.writableFinished then
    return self:destroy()
  elseif self:_hasReadableSide() then
    self:once("finish", function()
      self:destroy()
    end)
  end
  return self:finish()
end

-- Whether the kernel can write to the stream by itself, because nothing else does.
function writable:_acceptsSplice()
  return self.writable and self._handle and not self._queue and not self._feeder
    and self.writableCorked == 0 and not self.isStandardStream and not self:_hasReadableSide()
end

function writable:_setFeeder(source)
  self._feeder = source or false
end

return writable
