--- Reading a stream in a loop: chunks, lines, readAll.
-- The stream is read when the loop asks for more, so that no more than its high water mark is ever
-- read ahead. A loop that is left before the end of the stream destroys it.
local errors = require("child_process.errors")
local expect = require("child_process.expect")
local loop = require("child_process.loop")
local Stream = require("child_process.stream")
local suspend = require("child_process.suspend")

---@class child_process.iterators
local iterators = {}

-- One pass over a stream. It begins to listen with the first step, since a stream that nobody reads
-- must not be held up.
local Reader = {}
Reader.__index = Reader

local EVENTS = {"readable", "end", "close"}

local function newReader(stream, method)
  Stream.check(stream, method)
  if not stream._readableSide then
    error(errors.streamNotReadable())
  end
  return setmetatable({stream = stream, bell = suspend.newBell()}, Reader)
end

function Reader:listen()
  self.listening = true
  function self.ring()
    self.bell:ring()
  end
  function self.onError(err)
    self.failure = {err}
    self.bell:ring()
  end
  self.stream:on("error", self.onError)
  for _, event in ipairs(EVENTS) do
    self.stream:on(event, self.ring)
  end
end

function Reader:finish()
  self.done = true
  if self.listening then
    self.listening = false
    self.stream:off("error", self.onError)
    for _, event in ipairs(EVENTS) do
      self.stream:off(event, self.ring)
    end
  end
  self.bell:ring()
end

-- Events that tell why it was destroyed may still be on their way.
function Reader:awaitEvents()
  loop.tick(self.bell.ring, self.bell)
  self.bell:wait()
end

-- The stream was destroyed before its end; one that held nothing has lost nothing.
function Reader:failIfCutShort()
  local stream = self.stream
  self:awaitEvents()
  local failure = self.failure or stream._error and {stream._error}
  self:finish()
  if failure then
    error(failure[1], 0)
  elseif not stream.readableEnded and not (stream._eof and stream.bytesRead == 0) then
    error(errors.streamPrematureClose())
  end
end

-- The next piece, nil at the end.
function Reader:next()
  local stream = self.stream
  if not self.listening and not self.done then
    self:listen()
  end
  while not self.done do
    local chunk = not stream.destroyed and stream:read()
    if chunk then
      return chunk
    elseif stream.destroyed then
      self:failIfCutShort()
    elseif stream.readableEnded then
      self:finish()
    else
      self.bell:wait()
    end
  end
  return nil
end

-- Leaving a loop, by an error too.
function Reader:__close()
  if not self.done then
    self:finish()
    self.stream:destroy()
  end
end

--- Iterates over what the stream brings, as it comes: in a coroutine by suspending it, elsewhere by
--- turning the loop. Errors of the stream are raised.
---@param stream Stream
---@return fun(): string?
function iterators.chunks(stream)
  local reader = newReader(stream, "chunks")
  return function()
    return reader:next()
  end, nil, nil, reader
end

---@class LinesOptions
---@field keepNewline? boolean lines end as they do in the stream

--- Iterates over the lines, which end with "\n" or "\r\n". The last one may have no end.
---@param stream Stream
---@param options? LinesOptions
---@return fun(): string?
function iterators.lines(stream, options)
  local reader = newReader(stream, "lines")
  expect.optional("options", "table", options)
  local keepNewline = options and options.keepNewline
  local chunk, at = "", 1

  local function finished(parts, line)
    if parts then
      parts[#parts + 1] = line
      line = table.concat(parts)
    end
    if not keepNewline and line:byte(-1) == 13 then
      line = line:sub(1, -2)
    end
    return line
  end

  return function()
    local parts -- of a line that began in earlier chunks
    while chunk do
      local newline = chunk:find("\n", at, true)
      if newline then
        local line = chunk:sub(at, keepNewline and newline or newline - 1)
        at = newline + 1
        return finished(parts, line)
      elseif at <= #chunk then
        parts = parts or {}
        parts[#parts + 1] = chunk:sub(at)
      end
      chunk = nil -- so that it does not come again after an error
      chunk, at = reader:next(), 1
    end
    return parts and table.concat(parts) or nil
  end, nil, nil, reader
end

--- Everything up to the end of the stream.
---@param stream Stream
---@return string
function iterators.readAll(stream)
  local reader <close> = newReader(stream, "readAll")
  local parts = {}
  for chunk in reader.next, reader do
    parts[#parts + 1] = chunk
  end
  return table.concat(parts)
end

return iterators
