--- What a command has printed: kept for the result, or handed to a loop over its lines.

---@class Collector
---@field package parts string[]
---@field package size integer bytes in `parts`
---@field package limit number bytes; more are dropped
---@field package onfull fun() called once, when there are more
---@field package reader? LineReader takes everything from now on
local Collector = {}
Collector.__index = Collector

---@param limit number bytes
---@param onfull fun()
---@return Collector
function Collector.new(limit, onfull)
  return setmetatable({parts = {}, size = 0, limit = limit, onfull = onfull}, Collector)
end

--- Adds a piece.
---@param chunk string
---@param output CommandOutput that has read it
function Collector:add(chunk, output)
  if self.isFull then
    return
  elseif self.reader then
    self.reader:push(chunk, output)
    self.isFull = self.reader:isLonger(self.limit)
    if self.isFull then
      self.onfull()
    end
    return
  end
  local room = self.limit - self.size
  self.isFull = #chunk > room
  chunk = self.isFull and chunk:sub(1, room) or chunk
  self.parts[#self.parts + 1] = chunk
  self.size = self.size + #chunk
  if self.isFull then
    self.onfull()
  end
end

--- Hands everything to a reader, also what was collected before.
---@param reader LineReader
function Collector:readWith(reader)
  self.reader = reader
  for _, part in ipairs(self.parts) do
    reader:push(part)
  end
  self.parts = {}
end

--- Whether a reader has the data.
---@return boolean
function Collector:isRead()
  return self.reader ~= nil
end

--- No more will come.
function Collector:finish()
  if self.reader then
    self.reader:finish()
  end
end

--- Everything that was collected.
---@return string
function Collector:text()
  if #self.parts > 1 then
    self.parts = {table.concat(self.parts)}
  end
  return self.parts[1] or ""
end

return Collector
