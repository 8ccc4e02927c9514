--- A loop over the lines of a running command. What it has not taken yet is bounded: the command
--- waits while there is enough.

local Promise = require("child_process.promise")
local stripNewline = require("child_process.command.outcome").stripNewline

local ENOUGH = 64 * 1024 -- bytes

---@class LineReader
---@field package text string the lines are taken out of it, from `position` on
---@field package position integer
---@field package pieces string[] what has come since
---@field package hasLine boolean there is an end of a line in `pieces`
---@field package size integer bytes that were not taken
---@field package keepNewline boolean
---@field package held table<CommandOutput, true> the outputs that wait for room
---@field package promise? Promise of more, while somebody waits
---@field package wake? fun() resolves it
---@field package ended? boolean no more will come
---@field package isOver? boolean the loop has ended
---@field package onleave fun() called when the loop is left early
local LineReader = {}
LineReader.__index = LineReader

---@param onleave fun()
---@param keepNewline? boolean
---@return LineReader
function LineReader.new(onleave, keepNewline)
  return setmetatable({
    text = "", position = 1, pieces = {}, hasLine = false, size = 0, held = {}, onleave = onleave,
    keepNewline = keepNewline or false,
  }, LineReader)
end

local function notify(self)
  if self.wake then
    local wake = self.wake
    self.wake, self.promise = nil, nil
    wake()
  end
end

--- Adds a piece.
---@param chunk string
---@param output? CommandOutput that has read it
function LineReader:push(chunk, output)
  if self.ended then
    return
  end
  self.pieces[#self.pieces + 1] = chunk
  self.hasLine = self.hasLine or chunk:find("\n", 1, true) ~= nil
  self.size = self.size + #chunk
  if output and self.size >= ENOUGH and not self.held[output] then
    self.held[output] = true
    output:hold()
  end
  notify(self)
end

--- Whether the line that has not ended yet has more bytes than the limit.
---@param limit number
---@return boolean
function LineReader:isLonger(limit)
  return not self.hasLine and self.size > limit and not self.text:find("\n", self.position, true)
end

--- No more will come.
function LineReader:finish()
  self.ended = true
  notify(self)
end

local function release(self)
  for output in pairs(self.held) do
    self.held[output] = nil
    output:release()
  end
end

local function await(self)
  if not self.promise then
    self.promise, self.wake = Promise.withResolvers()
  end
  self.promise:await()
end

-- Appends the pieces to the text.
local function join(self)
  self.text = self.text:sub(self.position) .. table.concat(self.pieces)
  self.position, self.pieces, self.hasLine = 1, {}, false
end

-- Takes a line out of the text; nil if there is no complete one. A long line may come in many
-- pieces, which are joined once.
local function take(self)
  local stop = self.text:find("\n", self.position, true)
  if not stop and self.hasLine then
    join(self)
    stop = self.text:find("\n", 1, true)
  end
  if not stop then
    return nil
  end
  local line = self.text:sub(self.position, stop)
  self.position = stop + 1
  self.size = self.size - #line
  return line
end

-- Takes what follows the last end of a line.
local function takeRest(self)
  join(self)
  local rest = self.text
  self.text, self.size = "", 0
  return rest ~= "" and rest or nil
end

--- Returns the next line; nil after the last one.
---@return string?
function LineReader:next()
  local line = take(self)
  while not line and not self.ended do
    release(self) -- even if a long line has filled it
    await(self)
    line = take(self)
  end
  line = line or takeRest(self)
  if self.size < ENOUGH then
    release(self)
  end
  return line and not self.keepNewline and stripNewline(line) or line
end

--- Notes that the loop has ended by itself.
function LineReader:complete()
  self.isOver = true
end

---@return boolean?
function LineReader:isComplete()
  return self.isOver
end

--- Called when the loop is left, even by an error.
function LineReader:__close()
  if not self.isOver then
    self.isOver, self.ended = true, true
    release(self)
    self.onleave()
  end
end

return LineReader
