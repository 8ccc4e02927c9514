--- Runs many commands, a few at a time.

local cp = require("child_process")
local errors = require("child_process.errors")
local options = require("child_process.command.options")
local Promise = require("child_process.promise")

local DEFAULT_CONCURRENCY = 4

-- The work that is shared by all coroutines.
---@class CommandBatch
---@field package list (fun(): CommandResult)[] each runs a command
---@field package stopsEarly boolean
---@field package last integer the position of the last command that was started
---@field package results table<integer, CommandResult>
---@field package failure? CommandError the first one
local Batch = {}
Batch.__index = Batch

-- Runs commands until none is left to start.
function Batch:work()
  while self.last < #self.list and not (self.failure and self.stopsEarly) do
    self.last = self.last + 1
    local index = self.last
    local outcome = self.list[index]()
    self.results[index] = outcome
    if outcome.failed and not self.failure then
      self.failure = outcome
    end
  end
end

local function fail(batch)
  batch.failure.results = batch.results
  error(batch.failure, 0)
end

-- An argument was wrong.
local function raiseFirst(settled)
  for _, outcome in ipairs(settled) do
    if outcome.status == "rejected" then
      error(outcome.reason, 0)
    end
  end
end

--- Runs the commands, and waits for all that were started.
---@param list any
---@param concurrency? integer
---@param stopsEarly boolean no more are started after the first failure, which is raised
---@param shared SharedTargets
---@param prepare fun(item: table): fun(): CommandResult checks one; the result runs it and waits
---@return table<integer, CommandResult>
return function(list, concurrency, stopsEarly, shared, prepare)
  if type(list) ~= "table" then
    error(errors.invalidArgType("commands", "table", list))
  end
  local prepared = {}
  for index = 1, #list do
    options.checkItem(("commands[%d]"):format(index), list[index])
    prepared[index] = prepare(list[index])
  end
  shared:empty()
  local batch = setmetatable({
    list = prepared, stopsEarly = stopsEarly, last = 0, results = {},
  }, Batch)
  local workers = {}
  for index = 1, math.min(concurrency or DEFAULT_CONCURRENCY, #list) do
    workers[index] = cp.async(batch.work, batch)
  end
  local settled = Promise.allSettled(workers):await()
  shared:finish()
  raiseFirst(settled)
  if batch.failure and stopsEarly then
    fail(batch)
  end
  return batch.results
end
