--- pool:map: takes tasks from a source as children are free, and hands out the results.

local compat = require("child_process.base.compat")
local core = require("child_process.core")
local failure = require("child_process.pool.failure")
local Queue = require("child_process.base.queue")
local Tasks = require("child_process.pool.tasks")
local wait = require("child_process.loop.wait")

local WINDOW = 4 -- the default of options.window, times the size of the pool

---@class child_process.pool.Mapping
---@field package pool Pool
---@field package settings table see Pool:map
---@field package taken integer tasks that were taken from the source
---@field package working integer of them, how many have no outcome
---@field package consumed integer outcomes that the loop has got
---@field package outcomes table by the number of the task, if ordered
---@field package arrived child_process.Queue outcomes in the order in which they came, if not
---@field package open table<integer, child_process.pool.Task> by number
---@field package isExhausted boolean the source has ended
---@field package isLeft boolean the loop was left
---@field package failure? table {the error that the source has raised}
---@field package isTaking boolean the source is being asked
---@field package feeder? thread the coroutine of a source that may wait
---@field package news Condition for the loop: there is an outcome, or the end
local Mapping = {}
Mapping.__index = Mapping

local function onFinished(origin, isDone, outcome)
  local self, number = origin[1], origin[2]
  self.open[number] = nil
  self.working = self.working - 1
  local entry = {isDone = isDone, value = outcome, number = number}
  if self.settings.ordered then
    self.outcomes[number] = entry
  else
    self.arrived:push(entry)
  end
  self:fill()
  self.news:notify()
end

-- Whether a task may be taken from the source.
local function hasRoom(self)
  local size = self.pool:_capacity()
  return self.working < size
    and self.taken - self.consumed < (self.settings.window or WINDOW * size)
end

-- Takes a task from the source, and has it done. Returns false at the end.
local function takeOne(self)
  local value = self.settings.take()
  if value == nil or self.isLeft then
    self.isExhausted = true
    self.news:notify()
    return false
  end
  self.taken = self.taken + 1
  self.working = self.working + 1
  local task = Tasks.newTask(value, onFinished, {self, self.taken}, self.settings.timeout)
  self.open[self.taken] = task
  if self.pool._isClosing then
    task:finish(false, failure.closed())
  else
    self.pool:_add(task)
  end
  return true
end

-- Takes tasks, as many as there is room for. A task that fails at once calls `fill` meanwhile.
local function takeAll(self)
  self.isTaking = true
  while not self.isLeft and not self.isExhausted and hasRoom(self) and takeOne(self) do
    -- the next one
  end
  self.isTaking = false
end

-- The coroutine in which a source that may wait runs. `fill` resumes it when there is room.
local function feed(self)
  takeAll(self)
  while not self.isLeft and not self.isExhausted do
    compat.yield()
    takeAll(self)
  end
end

--- Takes tasks from the source, as many as there is room for.
function Mapping:fill()
  if self.isTaking or self.isLeft or self.isExhausted or not hasRoom(self) then
    return
  elseif self.feeder then
    wait.resume(self.feeder)
  else
    takeAll(self)
  end
end

local function start(self)
  self.pool._mappings[self] = true
  if not self.settings.mayWait then
    self:fill()
    return
  end
  self.feeder = wait.create(feed, function(err)
    self.isExhausted, self.failure = true, {err}
    self.news:notify()
  end)
  wait.resume(self.feeder, self)
end

-- The next outcome, if it has come.
local function take(self)
  if not self.settings.ordered then
    return self.arrived:pop()
  end
  local number = self.consumed + 1
  local entry = self.outcomes[number]
  self.outcomes[number] = nil
  return entry
end

-- Raises the error of a task, or of the source.
local function raise(self, err)
  self:__close()
  error(err, 0)
end

--- Waits for the next outcome.
---@return any result nil at the end
---@return integer? number of the task
function Mapping:next()
  local entry = take(self)
  while not entry do
    if self.isLeft then
      return nil
    elseif self.failure and self.working == 0 then
      raise(self, self.failure[1])
    elseif self.isExhausted and self.working == 0 then
      return nil
    end
    self.news:wait()
    entry = take(self)
  end
  self.consumed = self.consumed + 1
  if not entry.isDone and self.settings.rejects then
    raise(self, entry.value)
  end
  self:fill()
  local value = entry.value
  if value == nil then
    value = core.null
  end
  return value, entry.number
end

--- Gives up what is left. Called when the loop is left, too.
function Mapping:__close()
  if self.isLeft then
    return
  end
  self.isLeft = true
  for _, task in pairs(self.open) do
    task.onfinished = function() end
    if not task.worker then
      self.pool:_giveUp(task, failure.terminated())
    end
  end
  self.open = {}
end

---@param pool Pool
---@param settings table see Pool:map
return function(pool, settings)
  local self = setmetatable({
    pool = pool, settings = settings, taken = 0, working = 0, consumed = 0, outcomes = {},
    arrived = Queue.new(), open = {}, isExhausted = false, isLeft = false, isTaking = false,
    failure = nil, feeder = nil, news = wait.newCondition("a result of a pool"),
  }, Mapping)
  start(self)
  return function()
    local value, number = self:next()
    return value, number
  end, nil, nil, self
end
