--- Moves data inside the kernel where a stream is piped into others and nobody else reads it. With
--- several destinations all of the streams have to be pipes.

local compat = require("child_process.base.compat")
local errors = require("child_process.errors")

---@class Stream
local splice = {
  _splicing = false, ---@type Stream[]|false the destinations that the kernel moves everything to
}

-- The most destinations that the kernel moves data to: CP_SPLICE_TARGETS.
local MOST = 16

-- Lets the kernel move the data if nobody else reads it. Returns whether the kernel does.
function splice:_splice()
  if self._splicing then
    return true
  end
  local destinations = self:_allowsSplice() and self:_spliceDestinations()
  if not destinations or not destinations[1] or destinations[MOST + 1] then
    return false
  end
  self._handle:read(false)
  local handles = {}
  for index, destination in ipairs(destinations) do
    handles[index] = destination._handle
  end
  if self._handle:splice(compat.unpack(handles)) then
    return false
  end
  self._splicing = destinations
  for _, destination in ipairs(destinations) do
    destination:_setFeeder(self)
  end
  return true
end

-- Writes the bytes that the kernel has moved to some destinations to the others. `ahead` is how
-- many of the first of them each destination has.
local function writeRest(self, destinations, rest, ...)
  if not rest then
    return
  end
  local ahead = {...}
  self.bytesRead = self.bytesRead + #rest
  for index, destination in ipairs(destinations) do
    destination.bytesWritten = destination.bytesWritten + ahead[index]
    if ahead[index] < #rest and destination.writable then
      destination:write(rest:sub(ahead[index] + 1))
    end
  end
end

-- Ends the transfer, if there is one. Returns whether there was. Then every destination has got, or
-- will get, the same bytes; the next byte is the first that was not read from the stream.
function splice:_stopSplicing()
  local destinations = self._splicing
  if not destinations then
    return false
  end
  self._splicing = false
  for _, destination in ipairs(destinations) do
    destination:_setFeeder(nil)
  end
  writeRest(self, destinations, self._handle:unsplice())
  return true
end

-- From now on the data goes through Lua.
function splice:_refuseSplicing()
  self:_pipeThroughLua()
  self:_continueReading()
end

-- Called by the handle when it has moved bytes, and with a state when the transfer has ended: a
-- number is the index of a destination that could not be written to.
function splice:onsplice(moved, state, errno)
  local destinations = self._splicing
  self.bytesRead = self.bytesRead + moved
  for _, destination in ipairs(destinations) do
    destination.bytesWritten = destination.bytesWritten + moved
  end
  if not state then
    return
  end
  self:_stopSplicing()
  if state == "end" then
    self:onread(nil)
  elseif state == "read" then
    self:destroy(errors.system(errno, "read"))
  elseif state == "refused" then
    self:_refuseSplicing()
  else
    destinations[state]:destroy(errors.system(errno, "write"))
  end
end

return splice
