--- A part of Pool: when children start, and how many there are.

local cgroup = require("child_process.process.cgroup")
local failure = require("child_process.pool.failure")
local Worker = require("child_process.pool.worker")

---@class child_process.pool.growth
local growth = {}

--- Gives up the tasks that wait.
---@param self Pool
---@param err Error
function growth.failWaiting(self, err)
  self._counts.failed = self._counts.failed + self._tasks.count
  self._tasks:dropAll(err)
end

local function startWorker(self, place)
  if not self._oomKills then
    self._oomKills = cgroup.oomKills() or 0
  end
  local worker = Worker.new(self, self._settings, place)
  self._workers[worker] = true
  local ok, err = pcall(worker.start, worker)
  if not ok then -- the options of fork are wrong
    self._workers[worker] = nil
    growth.failWaiting(self, err)
    return
  end
  self._count, self._starting = self._count + 1, self._starting + 1
  place.count, place.starting = place.count + 1, place.starting + 1
  self._counts.started = self._counts.started + 1
end

--- Starts children for the tasks that wait, or gives these up where none can be started any more.
---@param self Pool
function growth.grow(self)
  if self._tasks.count == 0 then
    return
  elseif self._places:areGone() then
    growth.failWaiting(self, failure.noHost(self._places:all()))
    return
  elseif self._backoffs > 0 then
    self._places:referenceBackoffs(true)
  end
  while self._starting < self._tasks.count do
    local place = self._places:findRoom()
    if not place then
      return
    end
    startWorker(self, place)
  end
end

--- Starts no child at a place for a time, which grows with each call in a row.
---@param self Pool
---@param place child_process.pool.Place
---@param count integer of these calls
function growth.backOff(self, place, count)
  self._backoffs = self._backoffs + (place.backoff and 0 or 1)
  place:backOff(count, function()
    self._backoffs = self._backoffs - 1
    self._places:changed()
    growth.grow(self)
  end)
  place:referenceBackoff(self._tasks.count > 0)
end

-- A host is connected, so that children can be started there.
local function onConnected(self)
  local mappings = {}
  for mapping in pairs(self._mappings) do
    mappings[#mappings + 1] = mapping
  end
  for _, mapping in ipairs(mappings) do
    mapping:fill() -- its source may begin another one
  end
  growth.grow(self)
end

-- A host has ended.
local function onLost(self, place)
  growth.grow(self)
  self:emit("lost", place.host:_getError(), place.host)
end

--- Watches the hosts.
---@param self Pool
function growth.watch(self)
  self._places:watch(onConnected, onLost, self)
end

--- Counts out a child that does no more tasks.
---@param self Pool
---@param worker child_process.pool.Worker
function growth.countOut(self, worker)
  self._count = self._count - 1
  worker.place.count = worker.place.count - 1
  self._places:changed()
end

return growth
