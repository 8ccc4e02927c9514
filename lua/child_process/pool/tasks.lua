--- Tasks that wait for a child: one queue, in which those that are tried again come first.

local errors = require("child_process.errors")
local Queue = require("child_process.base.queue")

---@class child_process.pool.Task
---@field value any
---@field timeout? integer milliseconds
---@field deaths integer how many children have ended at it
---@field worker? child_process.pool.Worker that does it
---@field isOver boolean it has an outcome
---@field onfinished fun(argument: any, isDone: boolean, outcome: any)
---@field argument any
---@field package signal? AbortSignal
---@field package action? integer
local Task = {}
Task.__index = Task

--- Gives the task its outcome, the first time only.
---@param isDone boolean
---@param outcome any the reply, or an error
function Task:finish(isDone, outcome)
  if self.isOver then
    return
  end
  self.isOver = true
  self.value = nil
  if self.action then
    self.signal:_removeAction(self.action)
    self.action = nil
  end
  self.onfinished(self.argument, isDone, outcome)
end

---@class child_process.pool.Tasks
---@field package first child_process.Queue those that are tried again
---@field package others child_process.Queue
---@field package count integer without those that were given up. A task is counted once it is in a
---queue: adding it may run out of memory, and the pool would start children for it without end
local Tasks = {}
Tasks.__index = Tasks

---@return child_process.pool.Tasks
function Tasks.new()
  return setmetatable({first = Queue.new(), others = Queue.new(), count = 0}, Tasks)
end

--- Makes a task.
---@param value any
---@param onfinished fun(argument: any, isDone: boolean, outcome: any)
---@param argument any
---@param timeout? integer
---@return child_process.pool.Task
function Tasks.newTask(value, onfinished, argument, timeout)
  return setmetatable({
    value = value, timeout = timeout, deaths = 0, worker = nil, isOver = false,
    onfinished = onfinished, argument = argument,
  }, Task)
end

--- Adds a task at the end.
---@param task child_process.pool.Task
function Tasks:add(task)
  self.others:push(task)
  self.count = self.count + 1
end

--- Adds a task that is tried again.
---@param task child_process.pool.Task
function Tasks:addAgain(task)
  self.first:push(task)
  self.count = self.count + 1
end

--- Takes the next task.
---@return child_process.pool.Task?
function Tasks:take()
  local task
  repeat
    task = self.first:pop() or self.others:pop()
  until not task or not task.isOver
  if task then
    self.count = self.count - 1
  end
  return task
end

--- Gives up a task that waits, with an error.
---@param task child_process.pool.Task
---@param err any
function Tasks:drop(task, err)
  if not task.isOver then
    self.count = self.count - 1
    task:finish(false, err)
  end
end

--- Gives up all that wait.
---@param err Error
function Tasks:dropAll(err)
  local task = self:take()
  while task do
    task:finish(false, err)
    task = self:take()
  end
end

--- Calls `giveUp(task, err)` when the signal is aborted.
---@param task child_process.pool.Task
---@param signal AbortSignal
---@param giveUp fun(task: child_process.pool.Task, err: Error)
function Tasks.follow(task, signal, giveUp)
  task.signal = signal
  task.action = signal:_addAction(function()
    task.action = nil
    giveUp(task, errors.aborted(signal))
  end)
end

return Tasks
