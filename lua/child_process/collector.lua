--- Takes everything that a stream reads, up to a limit; exec's buffers.
-- As long as nobody else listens, core does it without making a Lua string of every piece. The
-- stream has it in its field _collector, and calls `throughLua` when somebody wants to see data.
local encoding = require("child_process.encoding")

---@class Collector
local Collector = {}
Collector.__index = Collector

--- Lets the stream flow into a new collector.
---@param stream Stream
---@param limit integer bytes
---@param onoverflow fun() called once, when there are more
function Collector.new(stream, limit, onoverflow)
  local collector = setmetatable({
    stream = stream, limit = limit, length = 0, parts = {}, overflow = onoverflow,
  }, Collector)
  stream._collector = collector
  if stream._handle then
    collector.inCore = true
    stream._handle:collect(limit)
  end
  stream:resume()
  return collector
end

--- From now on every piece comes to `add`.
function Collector:throughLua()
  if self.inCore then
    self.inCore = false
    local handle = self.stream._handle
    local bytes = handle:collected()
    handle:collect(nil)
    self.stream.bytesRead = self.stream.bytesRead + #bytes
    self.parts[1] = bytes
    self.length = #bytes
  end
end

--- Core has read past the limit, and kept what is within.
function Collector:onoverflow()
  self:throughLua()
  self.full = true
  self.overflow()
end

--- Takes a piece, as far as the limit allows.
---@param chunk string
function Collector:add(chunk)
  if self.full then
    return
  end
  local room = self.limit - self.length
  self.full = #chunk > room
  self.parts[#self.parts + 1] = self.full and chunk:sub(1, room) or chunk
  self.length = self.length + #chunk
  if self.full then
    self.overflow()
  end
end

--- Everything, as text where an encoding was named. A character that the limit cut is left out.
---@param name? string
---@return string
function Collector:result(name)
  self:throughLua()
  -- A single part is not copied.
  local bytes = #self.parts == 1 and self.parts[1] or table.concat(self.parts)
  return encoding.decodeOutput(bytes, name, self.full)
end

return Collector
