--- A part of Pool: which child does which task, and when children start and end.

local cgroup = require("child_process.pool.cgroup")
local failure = require("child_process.pool.failure")
local Promise = require("child_process.promise.promise")
local setTimeout = require("child_process.timers").setTimeout
local Tasks = require("child_process.pool.tasks")
local Worker = require("child_process.pool.worker")

-- Children in a row that may end before they are ready; and children that may end at a task.
local MOST_FAILED_STARTS = 3
local MOST_DEATHS = 3

local SHORTEST_DELAY, LONGEST_DELAY = 50, 5000 -- milliseconds before a child is replaced

---@class Pool
local methods = {}

--- Sets the fields of this part.
function methods:_initScheduling()
  self._tasks = Tasks.new()     -- that wait
  self._workers = {}            -- as keys, until they have ended
  self._idle = {}               -- a list; the last one to become idle is used first
  self._count = 0               -- of the workers that neither leave nor end
  self._starting = 0            -- of those, how many are not ready
  self._deaths = 0              -- of children in a row, while no task was done
  self._failedStarts = 0        -- in a row
  self._wasReady = false        -- a child has been ready
  self._backoff = nil           -- a timer, while no child may be started
  self._emptyPromise = nil      -- of `close` and `terminate`
  self._oomKills = nil          -- of the cgroup, when we looked last
  self._counts = {completed = 0, failed = 0, retried = 0, started = 0, ended = 0}
end

---@return PoolStats
function methods:_getStats()
  local busy, children, counts = 0, 0, self._counts
  for worker in pairs(self._workers) do
    children = children + 1
    busy = busy + (worker.state == "busy" and 1 or 0)
  end
  return {
    size = self._settings.size, children = children, idle = #self._idle, busy = busy,
    waiting = self._tasks.count, completed = counts.completed, failed = counts.failed,
    retried = counts.retried, started = counts.started, ended = counts.ended,
  }
end

-- Starting children -------------------------------------------------------------------------------

-- How many children may be starting at a time. A script that never gets ready is not started by as
-- many as the pool may have.
local function mostStarting(self)
  if self._failedStarts > 0 then
    return 1
  end
  return self._wasReady and self._settings.size or MOST_FAILED_STARTS
end

local function startWorker(self)
  if not self._oomKills then
    self._oomKills = cgroup.oomKills() or 0
  end
  local worker = Worker.new(self, self._settings)
  self._workers[worker] = true
  local ok, err = pcall(worker.start, worker)
  if not ok then -- the options of fork are wrong
    self._workers[worker] = nil
    self._counts.failed = self._counts.failed + self._tasks.count
    self._tasks:dropAll(err)
    return
  end
  self._count, self._starting = self._count + 1, self._starting + 1
  self._counts.started = self._counts.started + 1
end

-- Starts children for the tasks that wait.
local function grow(self)
  if self._backoff then
    if self._tasks.count > 0 then
      self._backoff:ref()
    end
    return
  end
  while self._count < self._settings.size and self._starting < self._tasks.count
    and self._starting < mostStarting(self) do
    startWorker(self)
  end
end

-- Starts no child for a time.
local function backOff(self, count)
  local delay = math.min(SHORTEST_DELAY * 2 ^ (count - 1), LONGEST_DELAY)
  if self._backoff then
    self._backoff:close()
  end
  self._backoff = setTimeout(function()
    self._backoff = nil
    grow(self)
  end, delay)
  if self._tasks.count == 0 then
    self._backoff:unref()
  end
end

-- Giving out tasks --------------------------------------------------------------------------------

-- Finishes a task, and counts it.
local function finish(self, task, isDone, outcome)
  local counts = self._counts
  local kind = isDone and "completed" or "failed"
  counts[kind] = counts[kind] + 1
  task:finish(isDone, outcome)
end

local function leave(self, worker)
  self._count = self._count - 1
  worker:leave()
end

-- Gives a worker the next task whose value can be sent. Returns false if there is none.
local function giveNext(self, worker)
  local task = self._tasks:take()
  while task do
    local ok, err = pcall(worker.give, worker, task)
    if ok then
      return true
    end
    finish(self, task, false, err)
    task = self._tasks:take()
  end
  return false
end

-- A worker is free.
local function serve(self, worker)
  if worker:isWorn() then
    leave(self, worker)
    grow(self)
  elseif not giveNext(self, worker) then
    if self._isClosing then
      leave(self, worker)
    else
      worker:rest()
      self._idle[#self._idle + 1] = worker
    end
  end
end

-- Takes the worker that has become idle last. One whose end was noticed is none.
local function takeIdle(self)
  local worker
  repeat
    worker = table.remove(self._idle)
  until not worker or worker.state == "idle"
  return worker
end

--- Adds a task.
---@param task child_process.pool.Task
function methods:_add(task)
  self._tasks:add(task)
  local worker = takeIdle(self)
  if worker then
    serve(self, worker)
  else
    grow(self)
  end
end

--- A child has answered for the first time.
---@param worker child_process.pool.Worker
function methods:_workerReady(worker)
  self._starting = self._starting - 1
  self._failedStarts, self._wasReady = 0, true
  serve(self, worker)
  grow(self)
  self:emit("online", worker.child)
end

--- A task was answered.
---@param worker child_process.pool.Worker
---@param task child_process.pool.Task
---@param isDone boolean
---@param outcome any
function methods:_taskDone(worker, task, isDone, outcome)
  self._deaths = 0
  serve(self, worker) -- first, so that the child is busy while we look at the outcome
  finish(self, task, isDone, outcome)
end

--- A task has failed, and is not tried again.
---@param task child_process.pool.Task
---@param err any
function methods:_taskFailed(task, err)
  self._counts.failed = self._counts.failed + 1
  task:finish(false, err)
end

local function removeIdle(self, worker)
  for index, idle in ipairs(self._idle) do
    if idle == worker then
      table.remove(self._idle, index)
      return
    end
  end
end

--- A child has had no task for options.idleTimeout.
---@param worker child_process.pool.Worker
function methods:_idleTooLong(worker)
  removeIdle(self, worker)
  leave(self, worker)
end

--- Gives up a task, and ends the child that works on it.
---@param task child_process.pool.Task
---@param err any
function methods:_giveUp(task, err)
  local worker = task.worker
  if task.isOver then
    return
  end
  self._counts.failed = self._counts.failed + 1
  if worker then
    worker.task = nil
    worker:stop()
    task:finish(false, err)
  else
    self._tasks:drop(task, err)
  end
end

-- The end of children -----------------------------------------------------------------------------

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
    finish(self, task, false, err)
    return
  end
  self._counts.retried = self._counts.retried + 1
  self._tasks:addAgain(task)
  return err
end

-- A child has ended before it was ready. If no other is ready, and it is the third in a row, the
-- tasks that wait have failed.
local function startFailed(self, ending)
  self._failedStarts = self._failedStarts + 1
  if self._failedStarts >= MOST_FAILED_STARTS and self._count == 0 then
    local err = failure.notStarted(self._settings.script, self._failedStarts, ending)
    self._counts.failed = self._counts.failed + self._tasks.count
    self._tasks:dropAll(err)
  end
  backOff(self, self._failedStarts + 1)
end

local function resolveIfEmpty(self)
  local promise = self._emptyPromise
  if promise and promise:_isPending() and next(self._workers) == nil
    and self._tasks.count == 0 then
    if self._backoff then
      self._backoff:close()
    end
    promise:_fulfill()
  end
end

-- Keeps the numbers, and has the task of a child that has ended done by another one.
local function account(self, worker, task)
  local ending = worker:getEnd()
  noteMemory(self, ending)
  if not worker.hasLeft then
    self._count = self._count - 1
    self._counts.ended = self._counts.ended + 1
  end
  if not worker.wasReady then
    self._starting = self._starting - 1
    if not worker.wasStopped then
      startFailed(self, ending)
    end
  elseif task then
    self._deaths = self._deaths + 1
    if self._deaths > 1 then
      backOff(self, self._deaths - 1)
    end
    return retryOrFail(self, task, ending)
  end
end

--- A child has ended, and its streams are closed.
---@param worker child_process.pool.Worker
function methods:_workerEnded(worker)
  local child, task = worker.child, worker.task
  self._workers[worker] = nil
  worker.task = nil
  removeIdle(self, worker)
  local err = account(self, worker, task)
  grow(self)
  resolveIfEmpty(self)
  if err then
    self:emit("retry", err, task.value, task.deaths + 1)
  end
  self:emit("exit", child, child.exitCode, child.signalCode)
end

-- The end of the pool -----------------------------------------------------------------------------

--- Lets the children go that have nothing to do.
function methods:_letIdleGo()
  local idle = self._idle
  self._idle = {}
  for _, worker in ipairs(idle) do
    leave(self, worker)
  end
end

--- Ends all children, and gives up all tasks.
---@param err Error
function methods:_stopAll(err)
  local running = {}
  self._idle = {}
  for worker in pairs(self._workers) do
    running[#running + 1] = worker.task
    worker.task = nil
    worker:stop()
  end
  self._counts.failed = self._counts.failed + #running + self._tasks.count
  self._tasks:dropAll(err)
  for _, task in ipairs(running) do
    task:finish(false, err)
  end
end

--- A promise that is fulfilled when nothing is left.
---@return Promise
function methods:_untilEmpty()
  self._emptyPromise = self._emptyPromise or Promise._pending()
  resolveIfEmpty(self)
  return self._emptyPromise
end

return methods
