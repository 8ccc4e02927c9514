--- A command that has ended in a line, for reports and for results that are printed:
--- "make -j4 test", "(exit code 0, 2.1 s)".

local message = require("child_process.command.message")

---@class child_process.command.summary
local summary = {}

local function duration(ms)
  if ms < 1000 then
    return ("%.0f ms"):format(ms)
  elseif ms < 60000 then
    return ("%.1f s"):format(ms / 1000)
  end
  local seconds = math.floor(ms / 1000 + 0.5)
  return ("%d min %d s"):format(math.floor(seconds / 60), seconds % 60)
end

-- How the command has ended, in few words.
local function ending(outcome)
  local how = outcome.timedOut and "timed out" or outcome.isCanceled and "canceled"
    or outcome.isMaxBuffer and "too much output" or outcome.code
  local code = outcome.signalCode or outcome.exitCode and ("exit code %d"):format(outcome.exitCode)
  if how and code then
    return how .. ", " .. code
  end
  return how or code or "exit code unknown"
end

--- How a command has ended, and how long it took.
---@param outcome CommandResult
---@return string
function summary.ending(outcome)
  return ("(%s, %s)"):format(ending(outcome), duration(outcome.durationMs))
end

--- The whole line. That of a pipeline has all its commands.
---@param outcome CommandResult
---@return string
function summary.line(outcome)
  local texts = {}
  for index, stage in ipairs(outcome.stages or {outcome}) do
    texts[index] = stage.escapedCommand
  end
  return message.oneLine(table.concat(texts, " | ")) .. " " .. summary.ending(outcome)
end

return summary
