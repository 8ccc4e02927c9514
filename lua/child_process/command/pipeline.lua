--- Runs commands of which each reads the output of the one before. The pipes go from child to
--- child, and we keep no end of them.

local chain = require("child_process.command.chain")
local errors = require("child_process.errors")
local options = require("child_process.command.options")
local result = require("child_process.command.result")
local Run = require("child_process.command.run")
local Shared = require("child_process.command.shared")
local verbose = require("child_process.command.verbose")

local given = options.given

-- Options of the whole that are for one end of it.
local OF_FIRST = {"stdin", "input", "inputFile"}
local OF_LAST = {"stdout"}
-- Options of the whole that a command cannot have.
local OF_ALL = {"retry", "pipefail", "reject", "verbose"}

local function refuse(index, name, value, reason)
  error(errors.invalidArgValue(("stages[%d].options.%s"):format(index, name), value, reason))
end

local function without(merged, names)
  for _, name in ipairs(names) do
    merged[name] = nil
  end
end

-- The options of one command.
local function optionsOf(base, own, index, count)
  local shared = options.merge(base)
  if index > 1 then
    without(shared, OF_FIRST)
  end
  if index < count then
    without(shared, OF_LAST)
  end
  for _, name in ipairs(OF_ALL) do
    if given(own) and type(own) == "table" and given(own[name]) then
      refuse(index, name, own[name], "is an option of the whole pipeline")
    end
  end
  local merged = options.merge(shared, own)
  for _, name in ipairs(OF_FIRST) do
    if index > 1 and given(merged[name]) then
      refuse(index, name, merged[name], "is for the first command of a pipeline alone")
    end
  end
  options.check(merged)
  return merged
end

-- Checks all stages before any is started.
local function read(stages, base)
  if type(stages) ~= "table" then
    error(errors.invalidArgType("stages", "table", stages))
  elseif #stages == 0 then
    error(errors.invalidArgValue("stages", stages, "must have a command"))
  elseif given(base.stdio) then
    error(errors.invalidArgValue("options.stdio", base.stdio,
      "is not for a pipeline, which has stdin, stdout and stderr"))
  end
  local list = {}
  for index = 1, #stages do
    local stage = stages[index]
    options.checkItem(("stages[%d]"):format(index), stage)
    local args, over = options.split(stage[2], stage[3])
    list[index] = {
      file = stage[1], args = args, options = optionsOf(base, over, index, #stages),
    }
  end
  return list
end

-- Our end of the pipe to a command that has got a writer, or will not get one.
local function closeStdin(run)
  if run and run.child and run.child.stdin then
    run.child.stdin:destroy()
  end
end

local function startStage(list, index, nextRun, wiring)
  local stage = list[index]
  wiring.stdout = nextRun and nextRun.child.stdin
  wiring.isFed, wiring.leavesStdin = index > 1, index > 1
  local run = Run.start(stage.file, stage.args, stage.options, wiring)
  if nextRun and run.plan.stdout.entry == nextRun.child.stdin then
    closeStdin(nextRun)
  end
  return run
end

-- The last command is started first: its standard input is the standard output of the one before.
-- If a command cannot be started, those before it are not started either.
local function start(list, shared, report, attempt)
  local group = {}
  local runs, nextRun = {}, nil
  for index = #list, 1, -1 do
    if nextRun and not nextRun:isStarted() then
      runs[index] = Run.unstarted(list[index].file, list[index].args, list[index].options)
    else
      local wiring = {
        group = group, shared = shared, report = report, attempt = attempt,
      }
      local ok, run = pcall(startStage, list, index, nextRun, wiring)
      if not ok then
        closeStdin(nextRun)
        for _, started in ipairs(group) do
          started:stop()
        end
        error(run, 0)
      end
      nextRun, runs[index] = run, run
    end
  end
  for index = 2, #runs do
    runs[index].before = runs[index - 1]
  end
  return runs[#runs]
end

---@class child_process.command.pipeline
local pipeline = {}

--- Prepares a pipeline. Returns a function that runs it once, and returns the fields of its result,
--- and one that is to be called after the last run.
---@param stages any
---@param base table options
---@param pipefail? boolean
---@return fun(attempt?: integer): table
---@return fun()
function pipeline.prepare(stages, base, pipefail)
  local shared = Shared.new(base)
  local list = read(stages, base)
  return function(attempt)
    shared:empty()
    local report = verbose.report(base)
    local last = start(list, shared, report, attempt)
    if report then
      last:reportStart(chain.describe(last))
    end
    local fields = chain.awaitAll(last, pipefail)
    if report then
      report:finish(result.of(fields))
    end
    return fields
  end, function()
    shared:finish()
  end
end

return pipeline
