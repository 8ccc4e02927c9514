-- A number of places, as a program would write it: those that take one wait until one is
-- free, in the order in which they came.

local Promise = require("child_process.promise")

local Places = {}
Places.__index = Places

--- Makes `count` places.
---@param count integer
---@return table # free, how many are; most, how many were taken at once
function Places.new(count)
  return setmetatable({free = count, first = 1, last = 0, most = 0, total = count}, Places)
end

--- Takes a place, in a coroutine.
function Places:take()
  if self.free == 0 then
    local promise, resolve = Promise.withResolvers()
    self.last = self.last + 1
    self[self.last] = resolve
    promise:await()
  else
    self.free = self.free - 1
  end
  self.most = math.max(self.most, self.total - self.free)
end

--- Gives it back.
function Places:give()
  local resolve = self[self.first]
  if resolve then
    self[self.first] = nil
    self.first = self.first + 1
    resolve()
  else
    self.free = self.free + 1
  end
end

return Places
