--- Streams: the pipes to a child, sockets, and the process's own standard streams.
-- This file makes the class and ends streams; readable.lua, writable.lua and pipe.lua hold the
-- methods of the three sides, and tell of their own fields. A stream keeps its state in ordinary
-- fields. Those that begin with an underscore are for this project's files only.
--   _handle          of core; nil when the descriptor is closed
--   _readableSide, _writableSide  whether it has one, at an end or not
--   _onclose, _owner called when the stream is closed, before the listeners of "close"
--   _error           what it was destroyed with
--   _sharedWithChild the descriptor was given to a child, which now reads or writes it
local errors = require("child_process.errors")
local events = require("child_process.events")
local loop = require("child_process.loop")

local tick = loop.tick

---@class Stream : EventEmitter
---@field readable boolean more may be read
---@field writable boolean more may be written
---@field destroyed boolean
---@field readableEnded boolean "end" was emitted
---@field readableFlowing boolean? nil while nobody has asked for data
---@field readableLength integer bytes that were read but not handed over yet
---@field readableHighWaterMark integer reading ahead stops at this many bytes
---@field readableEncoding string?
---@field writableEnded boolean `finish` was called
---@field writableFinished boolean "finish" was emitted
---@field writableLength integer bytes that the kernel has not taken yet
---@field writableHighWaterMark integer from this many on `write` returns false
---@field writableNeedDrain boolean "drain" will be emitted
---@field writableCorked integer how often `cork` was called
---@field isStandardStream boolean? one of process: `pipe` does not finish it
---@field end fun(self: Stream, data?: string, name?: string, callback?: function): Stream
---@field chunks fun(self: Stream): fun(): string?
---@field lines fun(self: Stream, options?: LinesOptions): fun(): string?
---@field readAll fun(self: Stream): string
---@field bytesRead integer
---@field bytesWritten integer with those that wait
---@field ref fun(self: Stream): Stream it keeps the loop alive while it reads or waits to write, as
---at first
---@field unref fun(self: Stream): Stream the loop may end although it is open
local Stream, metatable = events.inherit("Stream")

-- The metatables of streams: of this class, and of those that inherit from it.
local metatables = {[metatable] = true}

Stream.readable = false
Stream.writable = false
Stream.destroyed = false
Stream.readableEnded = false
Stream.readableLength = 0
Stream.readableHighWaterMark = 64 * 1024
Stream.writableEnded = false
Stream.writableFinished = false
Stream.writableLength = 0
Stream.writableHighWaterMark = 16 * 1024
Stream.writableNeedDrain = false
Stream.writableCorked = 0
Stream.bytesRead = 0
Stream.bytesWritten = 0

--- Makes a stream on a handle of core; without one the stream is destroyed from the start, as are
--- the streams of a child that could not be started.
---@param handle userdata?
---@param readable boolean
---@param writable boolean
---@param onclose? fun(owner: any) called before the listeners of "close"
---@param owner? any
---@return Stream
function Stream.new(handle, readable, writable, onclose, owner)
  -- With room for the fields that most streams get.
  local stream = setmetatable({
    readable = readable, writable = writable, destroyed = false, _events = nil,
    _readableSide = readable, _writableSide = writable, _handle = handle, _onclose = onclose,
    _owner = owner,
    readableFlowing = nil, _resumeScheduled = nil, _paused = nil, _eof = nil, readableEnded = false,
  }, metatable)
  if not handle then
    stream._eof = true
    stream:destroy()
    return stream
  end
  handle:setOwner(stream)
  local errno = not readable and handle:awaitHangup()
  if errno then
    stream:destroy(errors.system(errno, "write"))
  end
  return stream
end

--- Raises if a method was called with a dot.
---@param stream any
---@param method string
function Stream.check(stream, method)
  if not metatables[getmetatable(stream)] then
    error(errors.invalidThis("Stream:" .. method))
  end
end

require("child_process.ref")(Stream, Stream.check)

local function emitError(stream)
  stream:emit("error", stream._error)
end

local function emitClose(stream)
  if stream._onclose then
    stream._onclose(stream._owner)
  end
  stream:emit("close", stream._error ~= nil)
end

-- For classes that inherit: the stream was destroyed just now.
function Stream._released()
end

local function release(stream, err)
  stream.destroyed = true
  stream.readable = false
  stream.writable = false
  if stream._splicing or stream._splicedFrom then
    stream:_stopSplicing()
  end
  local handle = stream._handle
  if handle then
    if stream._collector then
      stream._collector:throughLua()
    end
    stream._handle = nil
    handle:close()
  end
  if stream._readableSide then
    stream:_dropBuffered()
  end
  if stream._writableSide then
    stream:_failWrites(err)
  end
  stream:_released()
end

--- Ends the stream now: nothing more is read, what was not written yet is dropped, the descriptor
--- is closed. Emits "error" if there is an error, then "close", with whether there was one.
---@param err? any
---@return Stream self
function Stream:destroy(err)
  Stream.check(self, "destroy")
  if not self.destroyed then
    release(self, err)
    if err then
      self._error = err
      tick(emitError, self)
    end
    tick(emitClose, self)
  end
  return self
end

-- Another process has got the descriptor, and goes on with it.
Stream._giveAway = Stream.destroy

-- The same without any event.
function Stream:_vanish()
  if not self.destroyed then
    release(self)
    if self._onclose then
      self._onclose(self._owner)
    end
  end
end

-- The same at the stream's own end. Where nobody listens, no tick is spent on it.
function Stream:_close()
  if not self:_isHeard("close") then
    self:_vanish()
  elseif not self.destroyed then
    release(self)
    tick(emitClose, self)
  end
end

-- Has the event a listener?
function Stream:_isHeard(event)
  local handlers = self._events
  return handlers ~= nil and handlers[event] ~= nil
end

--- The write side has to know that nobody reads any more, although nothing is written.
function Stream:onhangup()
  self:_close()
end

-- A child has got the descriptor: from now on that one reads it, or writes to it.
function Stream:_shareWithChild()
  self:pause()
  self._sharedWithChild = true
  self._handle:share()
end

-- A side has come to its end: the stream is closed after its last side.
function Stream:_sideEnded()
  local readingOver = not self._readableSide or self.readableEnded
  local writingOver = not self._writableSide or self.writableFinished
  if readingOver and writingOver then
    self:_close()
  elseif readingOver and not self.writableEnded then
    -- The other end has closed a two-way pipe: it does not expect an answer.
    self:finish()
  end
end

--- Makes a class of streams: a table that holds the methods of Stream already (copied, so that they
--- are found at the first look). `Class(...)` calls `Class.new(...)`, which the class has to set.
---@param name string as warnings and error messages call it
---@return table class
---@return table metatable for the class's objects
function Stream.inherit(name)
  local class, classMetatable = events.inherit(name)
  for key, value in pairs(Stream) do
    class[key] = value
  end
  metatables[classMetatable] = true
  return class, classMetatable
end

--- Is the value a stream?
---@param value any
---@return boolean
function Stream.isStream(value)
  return metatables[getmetatable(value)] == true
end

-- Ways of reading in a loop, loaded when they are first used: see iterators.lua.
for _, name in ipairs({"chunks", "lines", "readAll"}) do
  Stream[name] = function(...)
    return require("child_process.iterators")[name](...)
  end
end

require("child_process.readable")(Stream)
require("child_process.writable")(Stream)
require("child_process.pipe")(Stream)

return Stream
