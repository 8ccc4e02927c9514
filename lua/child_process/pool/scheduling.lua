--- A part of Pool: which child does which task, and the end of the pool.

local noteEnd = require("child_process.pool.ends")
local growth = require("child_process.pool.growth")
local Places = require("child_process.pool.places")
local Promise = require("child_process.promise.promise")
local Tasks = require("child_process.pool.tasks")

local countOut, grow = growth.countOut, growth.grow

---@class Pool
local methods = {}

--- Sets the fields of this part.
function methods:_initScheduling()
  self._tasks = Tasks.new()     -- that wait
  self._workers = {}            -- as keys, until they have ended
  self._idle = {}               -- a list; the last one to become idle is used first
  self._count = 0               -- of the workers that neither leave nor end
  self._starting = 0            -- of those, how many are not ready
  self._backoffs = 0            -- of the places, how many start no child for a time
  self._mappings = setmetatable({}, {__mode = "k"}) -- those of `map` that take tasks
  self._emptyPromise = nil      -- of `close` and `terminate`
  self._oomKills = nil          -- of the cgroup, when we looked last
  self._counts = {completed = 0, failed = 0, retried = 0, started = 0, ended = 0}
  self._places = Places.new(self._settings)
  growth.watch(self)
end

--- Begins anew, without the children and the tasks.
function methods:_forget()
  for worker in pairs(self._workers) do
    worker:forget()
  end
  self._places:release()
  self:_initScheduling()
end

--- How many tasks can be done at a time, or wait for the first host.
---@return integer # at least 1
function methods:_capacity()
  return math.max(1, self._places:capacity())
end

-- How many children run and are busy: in all, and by place.
local function countChildren(self)
  local all, byPlace = {children = 0, busy = 0}, {}
  for worker in pairs(self._workers) do
    local there = byPlace[worker.place] or {children = 0, busy = 0}
    byPlace[worker.place] = there
    for _, counts in ipairs({all, there}) do
      counts.children = counts.children + 1
      counts.busy = counts.busy + (worker.state == "busy" and 1 or 0)
    end
  end
  return all, byPlace
end

---@return PoolStats
function methods:_getStats()
  local all, byPlace = countChildren(self)
  local counts, hosts = self._counts, self._settings.hasHosts and {} or nil
  for index, place in ipairs(hosts and self._places:all() or {}) do
    local there = byPlace[place] or {children = 0, busy = 0}
    hosts[index] = {
      host = place.host or "local", size = place:capacity(), children = there.children,
      busy = there.busy,
    }
  end
  return {
    size = self._places:capacity(), children = all.children, idle = #self._idle, busy = all.busy,
    waiting = self._tasks.count, completed = counts.completed, failed = counts.failed,
    retried = counts.retried, started = counts.started, ended = counts.ended, hosts = hosts,
  }
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
  countOut(self, worker)
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
  if not worker.place:isOpen() then
    worker:rest() -- until its end comes
  elseif worker:isWorn() then
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

-- Takes the worker that has become idle last. One whose end was noticed is none, nor is one whose
-- host is about to end.
local function takeIdle(self)
  local worker
  repeat
    worker = table.remove(self._idle)
  until not worker or worker.state == "idle" and worker.place:isOpen()
  return worker
end

-- Gives the tasks that wait to children that are idle, and starts others for the rest.
local function dispatch(self)
  local worker = self._tasks.count > 0 and takeIdle(self)
  while worker do
    serve(self, worker)
    worker = self._tasks.count > 0 and takeIdle(self)
  end
  grow(self)
end

--- Adds a task.
---@param task child_process.pool.Task
function methods:_add(task)
  self._tasks:add(task)
  dispatch(self)
end

--- A child has answered for the first time.
---@param worker child_process.pool.Worker
function methods:_workerReady(worker)
  local place = worker.place
  self._starting, place.starting = self._starting - 1, place.starting - 1
  place.failedStarts, place.wasReady = 0, true
  self._places:changed()
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
  worker.place.deaths = 0
  serve(self, worker) -- first, so that the child is busy while we look at the outcome
  finish(self, task, isDone, outcome)
end

--- A task has failed, and is not tried again.
---@param task child_process.pool.Task
---@param err any
function methods:_taskFailed(task, err)
  finish(self, task, false, err)
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

local function resolveIfEmpty(self)
  local promise = self._emptyPromise
  if promise and promise:_isPending() and next(self._workers) == nil
    and self._tasks.count == 0 then
    self._places:release()
    promise:_fulfill()
  end
end

--- A child has ended, and its streams are closed.
---@param worker child_process.pool.Worker
function methods:_workerEnded(worker)
  local child, task = worker.child, worker.task
  self._workers[worker] = nil
  worker.task = nil
  removeIdle(self, worker)
  local err = noteEnd(self, worker, task)
  dispatch(self)
  resolveIfEmpty(self)
  if err and not task.isOver then
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
  growth.failWaiting(self, err)
  for _, task in ipairs(running) do
    finish(self, task, false, err)
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
