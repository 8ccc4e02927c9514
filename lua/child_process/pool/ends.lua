--- A part of Pool: what follows from the end of a child, for its task and for other children.

local cgroup = require("child_process.process.cgroup")
local failure = require("child_process.pool.failure")
local growth = require("child_process.pool.growth")

local MOST_DEATHS = 3 -- of children at one task

local function noteMemory(self, ending)
  local kills = ending.signalCode == "SIGKILL" and cgroup.oomKills()
  if kills then
    ending.ranOutOfMemory = kills > self._oomKills
    self._oomKills = kills
  end
end

-- A child has ended at a task.
local function retryOrFail(self, task, ending)
  task.deaths = task.deaths + 1
  task.worker = nil
  local err = failure.ended(ending, task.deaths)
  if task.deaths > self._settings.retries or task.deaths >= MOST_DEATHS or task.isOver then
    self:_taskFailed(task, err)
    return
  end
  self._counts.retried = self._counts.retried + 1
  self._tasks:addAgain(task)
  return err
end

-- A child has ended before it was ready. If none can get ready any more, here or elsewhere, the
-- tasks that wait have failed.
local function startFailed(self, place, ending)
  place.failedStarts = place.failedStarts + 1
  if self._count == 0 and not self._places:arePromising() then
    growth.failWaiting(self, failure.notStarted(self._settings.script, place.failedStarts, ending))
  end
  growth.backOff(self, place, place.failedStarts + 1)
end

--- Keeps the numbers, and has the task of a child that has ended done by another one. That a host
--- is lost is not the fault of its children.
---@param self Pool
---@param worker child_process.pool.Worker
---@param task? child_process.pool.Task
---@return Error? # the task is tried again because of it
return function(self, worker, task)
  local ending, place = worker:getEnd(), worker.place
  if not place.host then
    noteMemory(self, ending)
  end
  if not worker.hasLeft then
    growth.countOut(self, worker)
    self._counts.ended = self._counts.ended + 1
  end
  if not worker.wasReady then
    self._starting, place.starting = self._starting - 1, place.starting - 1
    if not worker.wasStopped and place:isOpen() then
      startFailed(self, place, ending)
    end
  elseif task then
    place.deaths = place.deaths + 1
    if place.deaths > 1 and place:isOpen() then
      growth.backOff(self, place, place.deaths - 1)
    end
    return retryOrFail(self, task, ending)
  end
end
