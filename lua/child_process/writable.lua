--- The writing side of streams.
--   _queue                pieces that the kernel has not taken; absent while there are none
--   _queueFirst, _queueLast
--   _queueOffset          how much of the first piece it has taken
--   _queueCallbacks       position in the queue -> callback
--   _finishCallback       that of finish
--   _held                 true while nothing can be written or read yet: a socket connects
local encoding = require("child_process.encoding")
local errors = require("child_process.errors")
local expect = require("child_process.expect")
local loop = require("child_process.loop")

local tick = loop.tick

---@param Stream Stream the class, which gets the methods
return function(Stream)
  local check = Stream.check

  local function toBytes(data, name)
    if data == nil then
      error(errors.streamNullValues())
    end
    expect.type("chunk", "string", data)
    if name == nil or name == "buffer" then
      return data
    elseif not encoding.normalize(name) then
      error(errors.unknownEncoding(name))
    end
    return encoding.encode(data, name)
  end

  local function enqueue(self, data, offset, callback)
    if not self._queue then
      self._queue, self._queueCallbacks = {}, {}
      self._queueFirst, self._queueLast, self._queueOffset = 1, 0, offset
    end
    local last = self._queueLast + 1
    self._queueLast = last
    self._queue[last] = data
    self._queueCallbacks[last] = callback
    self.writableLength = self.writableLength + #data - offset
  end

  -- Calls back in the next tick, with an error or without.
  local function callBack(callback, err)
    tick(function()
      callback(err)
    end, true)
  end

  local function emitDrain(self)
    if not self.destroyed then
      self:emit("drain")
    end
  end

  -- The kernel has taken so many bytes of the queue.
  local function dequeue(self, count)
    self.writableLength = self.writableLength - count
    local queue, callbacks = self._queue, self._queueCallbacks
    local first = self._queueFirst
    count = count + self._queueOffset
    while first <= self._queueLast and count >= #queue[first] do
      count = count - #queue[first]
      if callbacks[first] then
        callBack(callbacks[first])
      end
      queue[first], callbacks[first] = nil, nil
      first = first + 1
    end
    self._queueFirst, self._queueOffset = first, count
    if first > self._queueLast then
      self._queue, self._queueCallbacks = nil, nil
    end
  end

  -- Everything was written after `finish`.
  local function finishNow(self)
    if self.destroyed then
      return
    end
    self.writableFinished = true
    if self._finishCallback then
      callBack(self._finishCallback)
      self._finishCallback = nil
    end
    tick(self._sideEnded, self) -- before the listeners, which may raise
    self:emit("finish")
  end

  -- The reader learns of the end at once, we tell about it in the next tick.
  local function endWriting(self)
    self.writable = false
    if self._readableSide then
      self._handle:shutdown()
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
    while self._queue do
      local count, complete = self._handle:writev(self._queue, self._queueFirst, self._queueLast,
        self._queueOffset)
      if not count then
        self:destroy(errors.system(complete, "write"))
        return
      end
      dequeue(self, count)
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

  -- The stream is connected: what was kept until now is written.
  function Stream:_unhold()
    self._held = nil
    if self.writableEnded or self._queue and self.writableCorked == 0 then
      flush(self)
    end
  end

  -- Called by the handle: there is room again.
  function Stream:onroom()
    if self._queue and self.writableCorked == 0 then
      flush(self)
    end
  end

  -- Whoever waits for something to be written learns that it never will be.
  function Stream:_failWrites(err)
    local callbacks = self._queueCallbacks
    if callbacks then
      local reason = err or self._held and errors.socketClosedBeforeConnection()
        or errors.streamDestroyed("write")
      for index = self._queueFirst, self._queueLast do
        if callbacks[index] then
          callBack(callbacks[index], reason)
        end
      end
      self._queue, self._queueCallbacks = nil, nil
      self.writableLength = 0
    end
    if self._finishCallback then
      callBack(self._finishCallback, err or errors.streamDestroyed("end"))
      self._finishCallback = nil
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

  -- The stream can only be read, which its user knows.
  function Stream._refuseReadOnly()
    error(errors.streamNotWritable())
  end

  --- Writes bytes, or text that is turned into bytes. What the kernel does not take at once is kept
  --- and written when there is room.
  ---@param data string
  ---@param name? string encoding of the text; by default the string's bytes are written
  ---@param callback? fun(err?: Error) called when the kernel has taken the data, or never will
  ---@return boolean # false when it is time to wait for "drain"
  function Stream:write(data, name, callback)
    check(self, "write")
    if type(name) == "function" then
      name, callback = nil, name
    end
    expect.optional("callback", "function", callback)
    if not self._writableSide then
      return self:_refuseReadOnly(callback)
    end
    data = toBytes(data, name)
    if self.writableEnded then
      return refuse(self, errors.streamWriteAfterEnd(), callback)
    elseif self.destroyed then
      return refuse(self, errors.streamDestroyed("write"), callback)
    end

    if self._splicedFrom then
      self._splicedFrom:_throughLua()
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

  --- Keeps what is written until `uncork`, so that many small pieces leave together.
  function Stream:cork()
    check(self, "cork")
    self.writableCorked = self.writableCorked + 1
    if self._splicedFrom then
      self._splicedFrom:_throughLua()
    end
  end

  --- Takes back one `cork`.
  function Stream:uncork()
    check(self, "uncork")
    if self.writableCorked > 0 then
      self.writableCorked = self.writableCorked - 1
      if self.writableCorked == 0 and self._queue and not self.destroyed then
        flush(self)
      end
    end
  end

  --- Ends the stream after everything was written; the child then reads its end. In Node: `end`.
  ---@param data? string written before
  ---@param name? string encoding of the text
  ---@param callback? fun(err?: Error) called after "finish", or when that will not come
  ---@return Stream self
  function Stream:finish(data, name, callback)
    check(self, "finish")
    if type(data) == "function" then
      data, name, callback = nil, nil, data
    elseif type(name) == "function" then
      name, callback = nil, name
    end
    expect.optional("callback", "function", callback)
    if data ~= nil then
      self:write(data, name)
    end
    if self.writableEnded or self.destroyed or not self._writableSide then
      if callback then
        callBack(callback, self.destroyed and not self.writableFinished
          and errors.streamDestroyed("end") or errors.streamAlreadyFinished("end"))
      end
      return self
    end
    self.writableEnded = true
    self.writableCorked = 0
    self._finishCallback = callback
    if self._splicedFrom then
      self._splicedFrom:_throughLua()
    end
    flush(self)
    return self
  end

  --- The same as finish.
  Stream["end"] = Stream.finish
end
