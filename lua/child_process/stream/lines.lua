--- Takes lines out of the data that a stream has read ahead. Loaded when somebody reads lines.

local byte, sub = string.byte, string.sub
local LF, CR = 10, 13

---@class child_process.lines
local lines = {}

-- Returns the line without its end.
local function trim(line)
  local last = #line
  last = byte(line, last) == LF and last - 1 or last
  last = byte(line, last) == CR and last - 1 or last
  return sub(line, 1, last)
end

-- Whether others get the data, too, when it is handed over.
local function isReadByOthers(stream)
  return stream:_hasPipes() or stream:_hasListener("data")
end

--- Takes a line. The buffer's `step` takes the next lines, if the same piece of data has more.
---@param stream Stream
---@param buffer ReadBuffer the stream's
---@param keepNewline? boolean with its end
---@return string? # nil if no line is complete
function lines.take(stream, buffer, keepNewline)
  local line = buffer:step(keepNewline)
  if line then
    return line
  end
  stream:_settle()
  if stream.readableLength == 0 then
    return nil
  end
  local length, canStep = buffer:lineLength()
  if not length then
    if isReadByOthers(stream) then
      buffer:begin(stream:_handOver(stream.readableLength, true))
    end
    return nil
  elseif canStep and not isReadByOthers(stream) then
    line = buffer:firstStep(length)
  else
    line = buffer:complete(stream:_handOver(length, true))
  end
  return keepNewline and line or trim(line)
end

--- Takes the data after the last end of a line, when no more will arrive.
---@param stream Stream
---@param buffer ReadBuffer
---@param keepNewline? boolean
---@return string
function lines.takeLast(stream, buffer, keepNewline)
  stream:_settle()
  local line = buffer:complete(stream:_handOver(stream.readableLength, true) or "")
  return keepNewline and line or trim(line)
end

return lines
