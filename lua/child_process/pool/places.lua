--- All places of a pool: which of them gets the next child, and which are lost.

local Place = require("child_process.pool.place")

---@class child_process.pool.Places
---@field package list child_process.pool.Place[]
---@field package next integer the position in the list from which room is looked for
---@field package isFull boolean there is no room until something changes
---@field package gone integer how many hosts have ended
---@field package size integer how many children there may be
---@field package watchers table<child_process.pool.Place, function>
local Places = {}
Places.__index = Places

local function update(self)
  self.isFull, self.gone, self.size = false, 0, 0
  for _, place in ipairs(self.list) do
    self.size = self.size + place:capacity()
    self.gone = self.gone + (place:isGone() and 1 or 0)
  end
end

---@param settings table of the pool
---@return child_process.pool.Places
function Places.new(settings)
  local self = setmetatable({
    list = {}, next = 1, isFull = false, gone = 0, size = 0, watchers = {},
  }, Places)
  for index, given in ipairs(settings.places) do
    self.list[index] = Place.new(given.host, given.size, settings.forkOptions)
  end
  update(self)
  return self
end

local function ignore() end

local function watch(self, place, onchange, onlost, argument)
  local function watcher()
    if self.watchers[place] ~= watcher then
      return
    end
    update(self)
    if place:isGone() then
      onlost(argument, place)
    elseif place:isOpen() then
      onchange(argument, place)
    end
  end
  self.watchers[place] = watcher
  place.host:_watch(watcher)
  place.host:on("error", ignore) -- it is reported as that of the pool
end

--- Watches the hosts until `release`.
---@param onchange fun(argument: any, place: child_process.pool.Place) a host is connected
---@param onlost fun(argument: any, place: child_process.pool.Place) a host has ended
---@param argument any
function Places:watch(onchange, onlost, argument)
  for _, place in ipairs(self.list) do
    if place.host and not place:isGone() then
      watch(self, place, onchange, onlost, argument)
    end
  end
end

--- Ends the watching, and all timers.
function Places:release()
  for place, watcher in pairs(self.watchers) do
    place.host:_unwatch(watcher)
    place.host:off("error", ignore)
  end
  self.watchers = {}
  for _, place in ipairs(self.list) do
    place:endBackoff()
  end
end

--- How many children there may be in all.
---@return integer
function Places:capacity()
  return self.size
end

--- To be called when a child has got ready or has ended, and after a backoff.
function Places:changed()
  self.isFull = false
end

--- Finds a place where a child may be started. The places take turns.
---@return child_process.pool.Place?
function Places:findRoom()
  if self.isFull then
    return nil
  end
  local count = #self.list
  for step = 0, count - 1 do
    local position = (self.next - 1 + step) % count + 1
    if self.list[position]:hasRoom() then
      self.next = position % count + 1
      return self.list[position]
    end
  end
  self.isFull = true
  return nil
end

--- Whether a child may still get ready somewhere.
---@return boolean
function Places:arePromising()
  for _, place in ipairs(self.list) do
    if place:isPromising() then
      return true
    end
  end
  return false
end

--- Whether no host is left, and there is no place on this machine.
---@return boolean
function Places:areGone()
  return self.gone == #self.list
end

--- Sets whether the loop runs until children may be started again.
---@param on boolean
function Places:referenceBackoffs(on)
  for _, place in ipairs(self.list) do
    place:referenceBackoff(on)
  end
end

--- The places, which the caller must not change.
---@return child_process.pool.Place[]
function Places:all()
  return self.list
end

return Places
