--- Reports commands as lines on stderr, or to a function: options.verbose, and the environment
--- variable CHILD_PROCESS_VERBOSE.

local message = require("child_process.command.message")
local options = require("child_process.command.options")
local sinks = require("child_process.command.sinks")
local summary = require("child_process.command.summary")

---@class VerboseEvent
---@field type "start"|"output"|"end"
---@field time integer as os.time gives it
---@field command string as one would type it
---@field cwd string?
---@field stream? "stdout"|"stderr" of "output"
---@field line? string of "output"
---@field result? CommandResult of "end"

---@class VerboseReport
---@field package handle fun(event: VerboseEvent)
---@field package hasOutput boolean lines of the output are reported, too
local Report = {}
Report.__index = Report

---@class child_process.command.verbose
local verbose = {}

local CODES = {dim = "\27[2m", red = "\27[31m", green = "\27[32m"}

-- Text in a colour, if a terminal shows it and the user has not said otherwise.
local function colour(name, text)
  if (os.getenv("NO_COLOR") or "") == "" and os.getenv("TERM") ~= "dumb"
    and require("child_process.process").stderr.isTTY then
    return CODES[name] .. text .. "\27[0m"
  end
  return text
end

local function lineOf(event)
  local time = colour("dim", os.date("%H:%M:%S", event.time) --[[@as string]])
  local command = message.oneLine(event.command)
  if event.type == "start" then
    return ("%s $ %s"):format(time, command)
  elseif event.type == "output" then
    return ("%s %s %s"):format(time, event.stream == "stderr" and colour("red", "|") or "|",
      event.line)
  end
  local outcome = event.result --[[@as CommandResult]]
  return ("%s %s %s"):format(time, command,
    colour(outcome.failed and "red" or "green", summary.ending(outcome)))
end

local function write(event)
  io.stderr:write(lineOf(event) .. "\n") -- in one piece
end

local function writeEnd(event)
  if event.type == "end" then
    write(event)
  end
end

local function modeOf(merged)
  local mode = merged.verbose
  if not options.given(mode) then
    mode = os.getenv("CHILD_PROCESS_VERBOSE")
  end
  return (mode == true or mode == "1") and "short" or mode
end

local function emit(self, fields)
  fields.time, fields.command, fields.cwd = os.time(), self.command, self.cwd
  self.handle(fields)
end

--- Notes what the command is, and reports its start.
---@param command string as one would type it
---@param cwd string?
function Report:start(command, cwd)
  self.command, self.cwd = command, cwd
  emit(self, {type = "start"})
end

--- A sink that reports the lines of an output; nil if these are not reported.
---@param stream "stdout"|"stderr"
---@return Sink?
function Report:sink(stream)
  return self.hasOutput and sinks.lines(function(line)
    emit(self, {type = "output", stream = stream, line = line})
  end) or nil
end

--- Reports the end.
---@param outcome CommandResult
function Report:finish(outcome)
  emit(self, {type = "end", result = outcome})
end

--- Returns the report that the options ask for.
---@param merged table
---@return VerboseReport?
function verbose.report(merged)
  local mode = modeOf(merged)
  local handle = mode == "short" and writeEnd or mode == "full" and write
    or type(mode) == "function" and mode
  return handle and setmetatable({handle = handle, hasOutput = mode ~= "short"}, Report) or nil
end

return verbose
