--- Pools: children of fork that share the work. The script of the children answers by
--- process:handle.
--
--   local pool = require("child_process.pool")
--   local p = pool("worker.lua")
--   for result in p:map({1, 2, 3}) do print(result) end
--   p:close()

local assign = require("child_process.base.assign")
local check = require("child_process.base.check")
local core = require("child_process.core")
local emitters = require("child_process.events.emitter")
local errors = require("child_process.errors")
local failure = require("child_process.pool.failure")
local options = require("child_process.pool.options")
local Promise = require("child_process.promise.promise")
local scheduling = require("child_process.pool.scheduling")
local Tasks = require("child_process.pool.tasks")
local ticks = require("child_process.base.ticks")

--- Events: "online" (child) when a child is ready for tasks; "exit" (child, code, signal) when it
--- has ended; "retry" (error, value, attempt) when a task is tried again whose child has ended;
--- "lost" (error, host) when a host of options.hosts has ended.
---@class Pool : EventEmitter
---@field stats PoolStats
local Pool, metatable = emitters.inherit("Pool")

assign(Pool, scheduling)

local checkPool = check.this("Pool", metatable)

-- Lua learns of a copy of the process when it uses core.
local function noticeCopy()
  core.isAlive()
end

local function checkThis(pool, method)
  checkPool(pool, method)
  noticeCopy()
end

---@class PoolStats
---@field size integer how many children at most, as far as hosts are connected
---@field children integer that run now
---@field idle integer of them, how many wait for tasks
---@field busy integer of them, how many work on tasks
---@field waiting integer tasks that no child works on
---@field completed integer tasks that were done
---@field failed integer tasks that were given up, or whose error was the reply
---@field retried integer how often a task was tried again
---@field started integer children since the start of the pool
---@field ended integer children that have ended before the pool let them go
---@field hosts? PoolHostStats[] in the order of options.hosts

---@class PoolHostStats
---@field host Host|"local"
---@field size integer how many children at most; 0 if it has ended, or is not connected yet
---@field children integer that run now
---@field busy integer of them, how many work on tasks

function metatable.__index(pool, key)
  if key == "stats" then
    noticeCopy()
    return Pool._getStats(pool)
  end
  return Pool[key]
end

function metatable.__newindex(pool, key, value)
  if key == "stats" then
    error(errors.invalidArgValue("pool.stats", value, "cannot be set"))
  end
  rawset(pool, key, value)
end

local function settle(promise, isDone, outcome)
  if isDone then
    promise:_fulfill(outcome)
  else
    promise:_reject(outcome, errors.isError(outcome) and outcome.traceback or nil)
  end
end

--- Has a child do a task, as soon as one is free.
---@param value any what can be sent as a message, but not nil
---@param given? PoolRunOptions
---@return Promise # of what the function of `process:handle` returns
function Pool:run(value, given)
  checkThis(self, "run")
  if value == nil then
    error(errors.missingArgs("value"))
  end
  local timeout, signal = options.ofRun(given, self._settings.taskTimeout)
  if self._isClosing then
    return Promise.reject(failure.closed())
  elseif signal and signal.aborted then
    return Promise.reject(errors.aborted(signal))
  end
  local promise = Promise._pending()
  local task = Tasks.newTask(value, settle, promise, timeout)
  if signal then
    Tasks.follow(task, signal, function(followed, err)
      self:_giveUp(followed, err)
    end)
  end
  self:_add(task)
  return promise
end

--- Has the children do many tasks, and iterates over the results. Takes no more tasks than are
--- being worked on, so the source may be endless. An error of a task is raised, and ends the loop,
--- unless `reject` is false. The tasks of a loop that is left are given up.
---@param source any[]|fun(): any a list of values, or a function that returns the next value; it
---may wait; nil ends it
---@param given? PoolMapOptions
---@return fun(): any, integer? # returns the next result, cp.null for nil, and its task's number
function Pool:map(source, given)
  checkThis(self, "map")
  local take, mayWait = options.source(source)
  local ordered, window, rejects = options.ofMap(given)
  if self._isClosing then
    error(failure.closed(), 0)
  end
  return require("child_process.pool.map")(self, {
    take = take, mayWait = mayWait, ordered = ordered, window = window, rejects = rejects,
    timeout = self._settings.taskTimeout,
  })
end

--- Takes no more tasks, finishes those that were given, and lets the children end.
---@return Promise # fulfilled when the last child has ended
function Pool:close()
  checkThis(self, "close")
  self._isClosing = true
  self:_letIdleGo()
  return self:_untilEmpty()
end

--- Gives up all tasks, with ERR_POOL_TERMINATED, and ends the children with all that they have
--- started.
---@return Promise # fulfilled when the last child has ended
function Pool:terminate()
  checkThis(self, "terminate")
  self._isClosing = true
  self:_stopAll(failure.terminated())
  return self:_untilEmpty()
end

metatable.__close = Pool.terminate

local all = setmetatable({}, {__mode = "k"}) -- pools

-- The module --------------------------------------------------------------------------------------

---@class child_process.pool
---@overload fun(script: string, options?: PoolOptions): Pool
local pool = {}

--- Makes a pool of children that run a script. A child is started when a task waits and no child is
--- free, up to `size`.
---@param script string
---@param given? PoolOptions
---@return Pool
function pool.new(script, given)
  require("child_process.spawn.arguments").checkCommand("script", script)
  local settings = options.ofPool(given)
  settings.script = script
  local self = setmetatable({
    _settings = settings,
    _isClosing = false, -- it takes no more tasks
  }, metatable)
  self:_initScheduling()
  all[self] = true
  return self
end

-- In a copy of the process: the children are the original's, and so are the tasks that it was given
-- before. The pool starts children of its own for tasks of the copy.
ticks.onCopied(function()
  for self in pairs(all) do
    self:_forget()
  end
end)

--- How many processors the affinity mask and the cgroup's quota of this process allow.
---@return integer # at least 1
function pool.cpus()
  return require("child_process.process.cpus")()
end

return setmetatable(pool, {
  __call = function(_, ...)
    return pool.new(...)
  end,
})
