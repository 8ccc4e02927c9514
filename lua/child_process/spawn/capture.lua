--- Captures everything that a stream reads, up to a limit, for exec and execFile.

local encoding = require("child_process.encoding")

-- Core captures the bytes, without a Lua string for each piece, until the program listens to the
-- stream, too: then the stream calls `throughLua`.
---@class Capture
---@field package stream Stream
---@field package limit integer bytes
---@field package length integer bytes in `parts`
---@field package parts string[] captured in Lua, or taken from core
---@field package inCore boolean core captures
---@field package full boolean? there were more bytes than the limit allows
---@field package overflow fun()
local Capture = {}
Capture.__index = Capture

--- Lets the stream flow, and captures what it reads.
---@param stream Stream
---@param limit integer bytes
---@param onoverflow fun() called once, when there are more
---@return Capture
function Capture.new(stream, limit, onoverflow)
  local capture = setmetatable({
    stream = stream, limit = limit, length = 0, parts = {}, overflow = onoverflow,
  }, Capture)
  capture.inCore = stream:_setCapture(capture, limit)
  stream:resume()
  return capture
end

--- Lets the stream call `add` for every piece from now on.
function Capture:throughLua()
  if self.inCore then
    self.inCore = false
    local bytes = self.stream:_takeCaptured()
    self.parts[1] = bytes
    self.length = #bytes
  end
end

--- Called by the stream when core has read more bytes than the limit allows.
function Capture:onoverflow()
  self:throughLua()
  self.full = true
  self.overflow()
end

--- Adds a piece, as far as the limit allows.
---@param chunk string
function Capture:add(chunk)
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

--- Returns all bytes, or the text if an encoding is named, without a character that the limit
--- has cut.
---@param name? string
---@return string
function Capture:result(name)
  self:throughLua()
  -- A single part is not copied.
  local bytes = #self.parts == 1 and self.parts[1] or table.concat(self.parts)
  return encoding.decodeOutput(bytes, name, self.full)
end

return Capture
