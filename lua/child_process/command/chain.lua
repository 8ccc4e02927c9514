--- Commands that read each other's output: waits for all of them, and judges how they have ended.

local guard = require("child_process.command.guard")
local result = require("child_process.command.result")

---@class child_process.command.chain
local chain = {}

--- The commands up to one, in order.
---@param last Run
---@return Run[]
local function listOf(last)
  local list = {}
  local run = last ---@type Run?
  while run do
    table.insert(list, 1, run)
    run = run.before
  end
  return list
end

-- A command that was only ended because another one has failed.
local function isCollateral(run)
  local fields = run.fields
  return fields.wasNotStarted or run.isStopped and fields.failure == nil and not fields.isMaxBuffer
    and not fields.timedOut
end

-- Whether a command was ended because a later one, which has succeeded, had read enough.
local function isSatisfied(list, index)
  if list[index].fields.signalCode ~= "SIGPIPE" then
    return false
  end
  for later = index + 1, #list do
    if list[later].fields.exitCode == 0 and not list[later].fields.failed then
      return true
    end
  end
  return false
end

-- The position of the last command that has failed by itself; nil if none has.
local function findFailure(list, pipefail)
  local first = pipefail == false and #list or 1
  local collateral
  for index = #list, first, -1 do
    if list[index].fields.failed and not isSatisfied(list, index) then
      if not isCollateral(list[index]) then
        return index
      end
      collateral = collateral or index
    end
  end
  return collateral
end

-- The commands before one that have failed by themselves: perhaps it failed because of them.
local function failuresBefore(list, index)
  local before = {}
  for earlier = 1, index - 1 do
    local run = list[earlier]
    local hasFailed = run.fields.failed and not isCollateral(run) and not run.isStopped
    if hasFailed and run.fields.signalCode ~= "SIGPIPE" then
      before[#before + 1] = run.fields
    end
  end
  return before
end

local function copy(fields)
  local new = {}
  for name, value in pairs(fields) do
    new[name] = value
  end
  new.made = nil
  return new
end

-- All commands in a line, without one of them.
local function textOf(list, without)
  local texts = {}
  for index, run in ipairs(list) do
    texts[index] = index == without and "..." or run.fields.escapedCommand
  end
  return table.concat(texts, " | ")
end

local function durationOf(list)
  local first, last = math.huge, 0
  for _, run in ipairs(list) do
    first = math.min(first, run.startedAt)
    last = math.max(last, run.startedAt + run.fields.durationMs)
  end
  return last - first
end

local function stagesOf(list)
  local stages = {}
  for index, run in ipairs(list) do
    local fields = run.fields
    fields.pipeline, fields.stage, fields.made = textOf(list, index), index, nil
    fields.pipedFrom = {stages[index - 1]}
    stages[index] = result.of(fields)
  end
  return stages
end

local function judge(list, pipefail)
  local last = list[#list].fields
  if not list[2] then
    return last
  end
  local stages = stagesOf(list)
  local index = findFailure(list, pipefail)
  local fields = copy(index and list[index].fields or last)
  fields.failed = index ~= nil
  fields.stdout, fields.all = last.stdout, last.all
  fields.stages, fields.durationMs = stages, durationOf(list)
  fields.before = index and pipefail ~= false and failuresBefore(list, index) or nil
  return fields
end

--- Waits for a command and those whose output it reads. Returns the fields of the result.
---@param last Run
---@param pipefail? boolean false: only the last command counts
---@return table
function chain.await(last, pipefail)
  local list = listOf(last)
  for _, run in ipairs(list) do
    run:read()
  end
  for _, run in ipairs(list) do
    run.ended:await()
  end
  return judge(list, pipefail)
end

--- The same, and ends the commands if the waiting ends early.
---@param last Run
---@param pipefail? boolean
---@return table
function chain.awaitAll(last, pipefail)
  return guard(last, function()
    return chain.await(last, pipefail)
  end, last.stopGroup)
end

--- Returns the text of the commands up to one, and where they run.
---@param last Run
---@return string
---@return string?
function chain.describe(last)
  return textOf(listOf(last)), last.fields.cwd
end

return chain
