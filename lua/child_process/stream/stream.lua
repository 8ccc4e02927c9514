--- Streams: the pipes to a child, sockets, and the process's own standard streams.
-- This file makes the class, and destroys streams. Each file that it loads adds a part to the
-- class: methods, and the private fields that they use.

local assign = require("child_process.base.assign")
local errors = require("child_process.errors")
local emitters = require("child_process.events.emitter")
local flowing = require("child_process.stream.flowing")
local HandleOwner = require("child_process.loop.handle_owner")
local identity = require("child_process.stream.identity")
local intake = require("child_process.stream.intake")
local listeners = require("child_process.stream.listeners")
local pipe = require("child_process.stream.pipe")
local readable = require("child_process.stream.readable")
local sharing = require("child_process.stream.sharing")
local splice = require("child_process.stream.splice")
local stdioName = require("child_process.base.stdio_name")
local tick = require("child_process.base.ticks").tick
local writable = require("child_process.stream.writable")

local checkThis = identity.check

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
---@field isStandardStream boolean? it is a stream of process, which `pipe` does not finish
---@field end fun(self: Stream, data?: string, name?: string, callback?: function): Stream
---@field chunks fun(self: Stream, options?: WaitOptions): fun(options?: WaitOptions): string?
---@field lines fun(self: Stream, options?: LinesOptions): fun(options?: WaitOptions): string?
---@field readAll fun(self: Stream, options?: WaitOptions): string
---@field readLine fun(self: Stream, options?: LinesOptions): string?
---@field bytesRead integer
---@field bytesWritten integer including those that wait
local Stream, metatable = emitters.inherit("Stream")

identity.add(metatable)

--- Returns whether the value is a stream.
---@type fun(value: any): boolean
Stream.isStream = identity.isStream

assign(Stream, HandleOwner, readable, intake, flowing, listeners, writable, pipe, splice, sharing, {
  destroyed = false,
  _closing = false, -- "close" is about to be emitted
  _error = false, ---@type any the argument of `destroy`; false without one
  _closesWithReading = false, -- nobody reads what is written to it
  _held = false, -- it is connecting: nothing can be read or written; both sides read this field
})

-- Makes the object, with the metatable of the class or of one that inherits from it. The table has
-- room for the fields that most streams get.
local function create(meta, handle, canRead, canWrite, onclose, owner)
  return setmetatable({
    readable = canRead, writable = canWrite, destroyed = false, readableEnded = false,
    readableFlowing = nil, _handle = handle,
    _readableSide = canRead, -- it has one, which may have ended
    _writableSide = canWrite,
    _onclose = onclose, -- called when the stream is closed, before the listeners of "close"
    _owner = owner, -- the argument of _onclose
  }, meta)
end

Stream._create = create

--- Makes a stream on a handle of core. Without a handle the stream is destroyed from the start,
--- like the streams of a child that could not be started.
---@param handle userdata?
---@param canRead boolean
---@param canWrite boolean
---@param onclose? fun(owner: any) called before the listeners of "close"
---@param owner? any
---@return Stream
function Stream.new(handle, canRead, canWrite, onclose, owner)
  local stream = create(metatable, handle, canRead, canWrite, onclose, owner)
  if not handle then
    stream:_setEmpty()
    stream:destroy()
    return stream
  end
  handle:setOwner(stream)
  local errno = not canRead and handle:awaitHangup()
  if errno then
    stream:destroy(errors.system(errno, "write"))
  end
  return stream
end

-- Opens a destroyed stream again: it goes both ways, and is held until it is connected.
function Stream:_reopen()
  self.readable, self.writable, self.destroyed = true, true, false
  self._readableSide, self._writableSide = true, true
  self._onclose, self._owner, self._error = nil, nil, false
  self:_resetReading()
  self:_resetWriting()
  self:_hold()
end

-- Nothing is read or written before `_unhold`.
function Stream:_hold()
  self._held = true
end

-- The stream is connected: writes the data that was held until now.
function Stream:_unhold()
  self._held = false
  self:_writeHeld()
end

function Stream:_isHeld()
  return self._held
end

-- Whether the stream has the side, which may have ended.
function Stream:_hasReadableSide()
  return self._readableSide
end

function Stream:_hasWritableSide()
  return self._writableSide
end

-- Sets a function that is called when the stream is closed, before the listeners of "close".
function Stream:_setOnclose(onclose, owner)
  self._onclose, self._owner = onclose, owner
end

-- The pipe to a child in words, see active_handles.lua.
function Stream:_describe()
  local _, child = self._owner:_describe()
  for fd, stream in pairs(self._owner.stdio or {}) do
    if rawequal(stream, self) then
      return "pipe", ("%s of %s"):format(stdioName(fd), child)
    end
  end
  return "pipe", "a pipe of " .. child
end

-- Whether the child whose stream this is has ended.
function Stream:_ownerHasExited()
  local owner = self._owner
  return owner and (owner.exitCode ~= nil or owner.signalCode ~= nil)
end

-- The error that the stream was destroyed with; nil without one.
function Stream:_failure()
  return self._error or nil
end

-- Whether the stream was destroyed, and "close" was emitted.
function Stream:_hasClosed()
  return self.destroyed and not self._closing
end

--- Lets the stream keep the loop alive while it reads or waits to write, which is the default.
---@return Stream self
function Stream:ref()
  checkThis(self, "ref")
  self:_reference(true)
  return self
end

--- Lets the loop end although the stream is open.
---@return Stream self
function Stream:unref()
  checkThis(self, "unref")
  self:_reference(false)
  return self
end

local function emitError(stream)
  stream:emit("error", stream._error)
end

local function emitClose(stream)
  if stream._onclose then
    stream._onclose(stream._owner)
  end
  stream._closing = false
  stream:emit("close", stream._error ~= false)
end

local function closeLater(stream)
  stream._closing = true
  tick(emitClose, stream)
end

local function release(stream, err)
  stream.destroyed = true
  stream.readable = false
  stream.writable = false
  if stream._readableSide then
    stream:_closeReading()
  end
  if stream._writableSide then
    stream:_closeWriting(err)
  end
  local handle = stream._handle
  if handle then
    stream._handle = nil
    handle:close()
  end
  if stream._released then -- a class that inherits may have this method
    stream:_released()
  end
end

local function vanish(stream)
  release(stream)
  if stream._onclose then
    stream._onclose(stream._owner)
  end
end

--- Ends the stream now: stops reading, drops data that was not written yet, and closes the
--- descriptor. Emits "error" if there is an error, then "close" with whether there was one.
---@param err? any
---@return Stream self
function Stream:destroy(err)
  checkThis(self, "destroy")
  if not self.destroyed then
    release(self, err)
    if err then
      self._error = err
      tick(emitError, self)
    end
    closeLater(self)
  end
  return self
end

-- Drops what comes from now on.
Stream._dropRest = Stream.destroy

-- Another process has got the descriptor, and uses it from now on.
Stream._giveAway = Stream.destroy

-- Destroys the stream without any event.
function Stream:_vanish()
  if not self.destroyed then
    vanish(self)
  end
end

-- Destroys the stream when it has ended by itself. That takes no tick if "close" has no listener.
function Stream:_close()
  if self.destroyed then
    return
  elseif self:_hasListener("close") then
    release(self)
    closeLater(self)
  else
    vanish(self)
  end
end

-- Closes the descriptor and does nothing else, because the program may be out of memory.
function Stream:_discard()
  self.destroyed = true
  local handle = self._handle
  if handle then
    self._handle = nil
    handle:close()
  end
end

-- For events/wait.lua. Raises the reason if the event will not come.
function Stream:_past(event)
  if event == "end" and self.readableEnded or event == "finish" and self.writableFinished then
    return {n = 0}
  elseif event ~= "end" and event ~= "finish" and event ~= "close" then
    return nil
  elseif not self.destroyed or self._closing then
    return nil
  elseif self._error then
    error(self._error, 0)
  elseif event == "close" then
    return {false, n = 1}
  end
  error(errors.streamPrematureClose())
end

--- Called by the handle when the last reader has gone, although nothing is being written.
function Stream:onhangup()
  self:_close()
end

-- Closes the stream when everything was read, whatever is still to be written.
function Stream:_closeWithReading()
  self._closesWithReading = true
end

-- A side has ended: closes the stream after its last side.
function Stream:_sideEnded()
  local readingOver = not self._readableSide or self.readableEnded
  local writingOver = not self._writableSide or self.writableFinished
  if readingOver and writingOver then
    self:_close()
  elseif readingOver and self._closesWithReading then
    self:destroy()
  elseif readingOver and not self.writableEnded then
    -- The other end has closed a two-way pipe: it expects no answer.
    self:finish()
  else
    self:_abandonAgain()
  end
end

--- Makes a class of streams: a table that has the methods of Stream already (copied, so that
--- one lookup finds them). `Class(...)` calls `Class.new(...)`, which the class has to set.
---@param name string of the class in warnings and error messages
---@return table class
---@return table metatable for the class's objects
function Stream.inherit(name)
  local class, classMetatable = emitters.inherit(name)
  identity.add(classMetatable)
  return assign(class, Stream), classMetatable
end

-- Ways of reading in a loop: iterators.lua, which is loaded when they are first used.
for _, name in ipairs({"chunks", "lines", "readAll", "readLine"}) do
  Stream[name] = function(...)
    return require("child_process.stream.iterators")[name](...)
  end
end

return Stream
