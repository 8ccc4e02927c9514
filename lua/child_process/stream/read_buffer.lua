--- Data that a stream has read ahead: pieces in order, from which bytes or lines are taken.

local assign = require("child_process.base.assign")
local Queue = require("child_process.base.queue")

local byte, find, sub = string.byte, string.find, string.sub
local concat = table.concat
local CR = 13

---@class ReadBuffer : child_process.Queue of strings
---@field piece string? the first piece, while lines are taken out of it by `step`
---@field private at integer? where the next line starts in the piece. The lines before it count as
---data of the buffer until `settle` removes them
---@field private searched integer? the pieces up to this position contain no end of a line
---@field private searchedLength integer? their length
---@field private begun string[]? parts of a line that were handed over before its end came
local ReadBuffer = assign({}, Queue)
ReadBuffer.__index = ReadBuffer

---@return ReadBuffer
function ReadBuffer.new()
  -- The table has room for the fields of lines.
  return setmetatable({first = 1, last = 0, piece = nil, at = nil, searched = nil}, ReadBuffer)
end

--- Takes bytes.
---@param count integer at least 1, and no more than there are
---@return string
function ReadBuffer:take(count)
  local from = self.first
  local first = from
  while count > 0 and #self[first] <= count do
    count = count - #self[first]
    first = first + 1
  end
  local bytes = first == from + 1 and self[from] or concat(self, "", from, first - 1)
  for index = from, first - 1 do
    self[index] = nil
  end
  if count > 0 then
    bytes = bytes .. sub(self[first], 1, count)
    self[first] = sub(self[first], count + 1)
  elseif first > self.last then
    first, self.last = 1, 0
  end
  self.first, self.searched = first, nil
  return bytes
end

--- Drops all data.
function ReadBuffer:clear()
  Queue.clear(self)
  self.piece, self.searched = nil, nil
end

-- Lines -----------------------------------------------------------------------------------------

--- Takes the next line out of the first piece, unless it is the last line there. This is the usual
--- step of a loop over lines.
---@param keepNewline? boolean with its end
---@return string?
function ReadBuffer:step(keepNewline)
  local piece, at = self.piece, self.at
  local newline = piece and find(piece, "\n", at, true)
  if not newline or newline == #piece then
    return nil
  end
  self.at = newline + 1
  if keepNewline then
    return sub(piece, at, newline)
  end
  local last = newline - 1
  return sub(piece, at, last >= at and byte(piece, last) == CR and last - 1 or last)
end

--- Takes the first line, with its end, out of a first piece that has more data. Afterwards `step`
--- takes the next lines.
---@param length integer the line's
---@return string
function ReadBuffer:firstStep(length)
  local piece = self[self.first]
  self.piece, self.at = piece, length + 1
  return sub(piece, 1, length)
end

--- The length of the lines that steps have taken, and that `settle` has yet to remove.
---@return integer
function ReadBuffer:stepped()
  return self.piece and self.at - 1 or 0
end

--- Removes the lines that steps have taken. To be called before `take`, while there is a `piece`.
---@return integer # their length
function ReadBuffer:settle()
  local piece = self.piece
  self.piece = nil
  self[self.first] = sub(piece, self.at)
  return self.at - 1
end

--- The length of the first line, with its end.
---@return integer? # nil if the end is missing
---@return boolean? # whether `firstStep` can take the line
function ReadBuffer:lineLength()
  local from, length = self.first, 0
  if self.searched then
    from, length = self.searched + 1, self.searchedLength
  end
  for index = from, self.last do
    local newline = find(self[index], "\n", 1, true)
    if newline then
      return length + newline, index == self.first and newline < #self[index] and not self.begun
    end
    length = length + #self[index]
  end
  self.searched, self.searchedLength = self.last, length
  return nil
end

--- Notes a part of a line that was handed over before its end came.
---@param part string
function ReadBuffer:begin(part)
  self.begun = self.begun or {}
  self.begun[#self.begun + 1] = part
end

---@return boolean
function ReadBuffer:hasBegun()
  return self.begun ~= nil
end

--- Returns the whole line.
---@param rest string what follows the parts that `begin` has noted
---@return string
function ReadBuffer:complete(rest)
  local begun = self.begun
  if not begun then
    return rest
  end
  self.begun = nil
  begun[#begun + 1] = rest
  return concat(begun)
end

return ReadBuffer
