--- Reads a stream in a loop: chunks, lines, readAll; or a line at a time: readLine.
-- The stream is read when somebody asks for more, so no more than its high water mark is read
-- ahead, except for a longer line. Data that was not handed over stays in the stream, for its next
-- reader. Leaving a loop before the end of the stream destroys the stream.

local errors = require("child_process.errors")
local check = require("child_process.base.check")
local compat = require("child_process.base.compat")
local ticks = require("child_process.base.ticks")
local identity = require("child_process.stream.identity")
local Readers = require("child_process.stream.readers")

---@class child_process.iterators
local iterators = {}

-- One pass over a stream. It starts to listen with its first step, since listening keeps a stream
-- from being drained.
--   stream
--   readers  while it listens
--   waits    for an event of the stream
--   done     the stream has ended, or the pass was left
local Reader = {}
Reader.__index = Reader

local function newReader(stream, method)
  identity.check(stream, method)
  if not stream:_hasReadableSide() then
    error(errors.streamNotReadable())
  end
  return setmetatable({stream = stream, waits = false}, Reader)
end

function Reader:listen()
  self.readers = Readers.of(self.stream)
  self.readers:join()
end

function Reader:setWaiting(on)
  local readers = self.readers
  if self.waits ~= on and readers then
    self.waits = on
    readers:setWaiting(on)
  end
end

function Reader:release()
  local readers = self.readers
  if readers then
    self:setWaiting(false)
    self.readers = nil
    readers:leave()
  end
  return readers
end

-- Ends the pass, and wakes others that wait in it.
function Reader:finish()
  self.done = true
  local readers = self:release()
  if readers then
    readers:closeIfIdle()
    readers.condition:notify()
  end
end

-- The events that report why the stream was destroyed may still be waiting in ticks.
function Reader:awaitEvents()
  local condition = self.readers.condition
  ticks.tick(condition.notify, condition)
  condition:wait()
end

-- Raises if the stream was destroyed before its end and may have lost data.
function Reader:failIfCutShort()
  local stream, readers = self.stream, self.readers
  self:awaitEvents()
  local failure = readers.failure or stream:_failure() ~= nil and {stream:_failure()}
  self:finish()
  if failure then
    error(failure[1], 0)
  elseif not stream.readableEnded and not stream:_isEmpty() then
    error(errors.streamPrematureClose())
  end
end

local function failIfAborted(signal)
  if signal.aborted then
    error(errors.aborted(signal))
  end
end

-- Notifies when the signal is aborted, until the watch is closed.
local Watch = {}
Watch.__index = Watch

function Watch:__close()
  self.signal:_removeAction(self.number)
end

local function watch(signal, condition)
  return setmetatable({signal = signal, number = signal:_addAction(function()
    condition:notify()
  end)}, Watch)
end

-- Returns after the next event of the stream.
function Reader:await(signal)
  local condition = self.readers.condition
  self:setWaiting(true)
  if not signal then
    condition:wait()
  else
    compat.scope(watch(signal, condition), condition.wait, condition)
  end
  self:setWaiting(false)
  if signal then
    failIfAborted(signal)
  end
end

-- Returns the next piece, from `take(stream)`, or at the end of the stream from `last(stream)`.
-- Returns nil after that.
function Reader:take(take, last, signal)
  local stream = self.stream
  if signal then
    failIfAborted(signal)
  end
  if not self.readers and not self.done and not stream.readableEnded then
    self:listen()
  end
  if self.readers then
    self.readers:noteThread()
  end
  while not self.done do
    local piece = not stream.destroyed and take(stream)
    if piece then
      return piece
    elseif stream:_hasRest() then
      return last(stream)
    elseif stream.readableEnded then
      self:finish()
    elseif stream.destroyed then
      self:failIfCutShort()
    else
      stream:_readMore()
      self:await(signal)
    end
  end
  return nil
end

-- Called when the loop is left, even by an error.
function Reader:__close()
  if not self.done then
    self:finish()
    self.stream:destroy()
  end
end

local KNOWN = {signal = true, keepNewline = true}

local function readSignal(options)
  check.options("reading in a loop", options, KNOWN)
  return options and check.signalOption(options)
end

local function read(stream)
  return stream:read()
end

function Reader:takeAll(signal)
  local parts = {}
  local chunk
  repeat
    chunk = self:take(read, read, signal)
    parts[#parts + 1] = chunk
  until not chunk
  return table.concat(parts)
end

--- Iterates over the data of the stream, as it arrives: suspends the coroutine, or outside of
--- coroutines runs the loop. Raises errors of the stream. You may call the iterator yourself, with
--- options for that call.
---@param stream Stream
---@param options? WaitOptions
---@return fun(options?: WaitOptions): string?
function iterators.chunks(stream, options)
  local reader = newReader(stream, "chunks")
  local signal = readSignal(options)
  return function(now)
    return (reader:take(read, read, readSignal(now) or signal)) -- see compat.isYieldable
  end, nil, nil, reader
end

---@class LinesOptions : WaitOptions
---@field keepNewline? boolean lines keep their "\n" or "\r\n"

-- The functions that take lines out of the stream, and the buffer of the lines.
local function ways(stream, options)
  local lines = require("child_process.stream.lines")
  local buffer = stream:_getBuffer()
  local keepNewline = options and options.keepNewline
  local function take()
    return lines.take(stream, buffer, keepNewline)
  end
  local function last()
    return lines.takeLast(stream, buffer, keepNewline)
  end
  return take, last, buffer, keepNewline
end

--- Iterates over the lines, which end with "\n" or "\r\n". The last one may have no end. Data after
--- a line stays in the stream, so you may call the iterator yourself for a dialogue.
---@param stream Stream
---@param options? LinesOptions
---@return fun(options?: WaitOptions): string?
function iterators.lines(stream, options)
  local reader = newReader(stream, "lines")
  local signal = readSignal(options)
  local take, last, buffer, keepNewline = ways(stream, options)
  local step = buffer.step
  return function(now)
    if now == nil and not signal then
      local line = step(buffer, keepNewline)
      if line then
        return line
      end
    end
    return (reader:take(take, last, readSignal(now) or signal)) -- see compat.isYieldable
  end, nil, nil, reader
end

-- Stops listening, and leaves the stream as it is.
local Release = {}
Release.__index = Release

function Release:__close()
  self.reader:release()
end

--- The next line, without its end; nil at the end of the stream. Data after the line stays in the
--- stream, so you can ask a program again and again.
---@param stream Stream
---@param options? LinesOptions
---@return string?
function iterators.readLine(stream, options)
  local reader = newReader(stream, "readLine")
  local signal = readSignal(options)
  local take, last = ways(stream, options)
  local release = setmetatable({reader = reader}, Release)
  return compat.scope(release, reader.take, reader, take, last, signal)
end

--- Everything up to the end of the stream.
---@param stream Stream
---@param options? WaitOptions
---@return string
function iterators.readAll(stream, options)
  local reader = newReader(stream, "readAll")
  return compat.scope(reader, reader.takeAll, reader, readSignal(options))
end

return iterators
