--- The result of a command: a table if it has succeeded, an Error with the same fields if not.

local errors = require("child_process.errors")
local message = require("child_process.command.message")

---@class CommandResult
---@field command string the program and its arguments with spaces between them, or the line of the
---shell
---@field escapedCommand string the same as one would type it
---@field cwd string? where it ran
---@field host Host? options.host
---@field durationMs number
---@field exitCode integer? nil if a signal has ended it, or it could not be started
---@field signalCode string?
---@field failed boolean
---@field timedOut boolean options.timeout was exceeded
---@field isCanceled boolean options.signal was aborted
---@field isMaxBuffer boolean an output was longer than options.maxBuffer
---@field isTerminated boolean a signal has ended it
---@field isForcefullyTerminated boolean SIGKILL had to follow another signal
---@field stdout string|string[]|nil nil if it was not collected; a list with options.lines
---@field stderr string|string[]|nil
---@field all string|string[]|nil both in the order in which they came, with options.all
---@field resourceUsage ResourceUsage?
---@field pipedFrom CommandResult[] of the commands whose output it has read
---@field stages? CommandResult[] of a pipeline, all of its commands
---@field attempts integer? which attempt this was, with options.retry

---@class CommandError : CommandResult, Error
---@field name string "CommandError"
---@field message string a line that says which command failed and how, then the end of its stderr
---@field shortMessage string the first line
---@field code string? that of the system, if the command could not be started; "ERR_WAIT_DELAY" if
---other processes held its outputs for longer than options.waitDelay
---@field cause any what else has gone wrong
---@field results? table<integer, CommandResult> of command.all: those of the commands that ended

---@class child_process.command.result
local result = {}

-- The fields that programs get to see. The others are for the message.
local PUBLIC = {
  "command", "escapedCommand", "cwd", "host", "durationMs", "exitCode", "signalCode", "failed",
  "timedOut",
  "isCanceled", "isMaxBuffer", "isTerminated", "isForcefullyTerminated", "stdout", "stderr", "all",
  "resourceUsage", "pipedFrom", "stages", "attempts",
}

local function public(fields)
  local copy = {}
  for _, name in ipairs(PUBLIC) do
    copy[name] = fields[name]
  end
  return copy
end

-- Many programs report on their standard output what is wrong. Of a command that was ended, that is
-- of interest only where stderr goes there, too.
local function printed(fields)
  local text = message.output(fields.stderr)
  local isOwnFailure = fields.exitCode and not fields.timedOut and not fields.isMaxBuffer
    and fields.failure == nil
  local hasErrors = fields.hasErrorsInOutput and not fields.isMaxBuffer
  return text == "" and (isOwnFailure or hasErrors) and message.output(fields.stdout) or text
end

-- The other commands of a pipeline that have failed.
local function othersOf(fields)
  local text = ""
  for _, stage in ipairs(fields.before or {}) do
    text = ("%s\n%s%s"):format(text, message.lineOfStage(stage), message.output(stage.stderr))
  end
  return text
end

-- Makes an error of the fields, which message.lua describes.
local function fail(fields)
  local err = errors.Error("", public(fields))
  local failure = fields.failure
  err.name = "CommandError"
  err.shortMessage = message.line(fields)
  err.message = err.shortMessage .. printed(fields) .. othersOf(fields)
  err.cause = failure
  if fields.couldNotStart then
    err.code, err.errno, err.syscall = failure.code, failure.errno, failure.syscall
    err.path = failure.path
  elseif fields.held and fields.exitCode == 0 and failure == nil then
    err.code = "ERR_WAIT_DELAY"
  end
  return err
end

-- Of results. Errors have their own.
local metatable = {__name = "CommandResult"}

function metatable.__tostring(outcome)
  return require("child_process.command.summary").line(outcome)
end

--- Returns the result, or the error if `failed` is set. It is made once.
---@param fields table
---@return CommandResult
function result.of(fields)
  fields.made = fields.made or fields.failed and fail(fields)
    or setmetatable(public(fields), metatable)
  return fields.made
end

return result
