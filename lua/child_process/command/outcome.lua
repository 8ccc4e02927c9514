--- What the result of a command is made of: fields from the child, and what it has printed.

local options = require("child_process.command.options")

---@class child_process.command.outcome
local outcome = {}

--- The fields at the start.
---@param merged table
---@param attempt? integer
---@return table
function outcome.new(merged, attempt)
  return {
    failed = false, timedOut = false, isCanceled = false, isMaxBuffer = false, isTerminated = false,
    isForcefullyTerminated = false, pipedFrom = {}, attempts = attempt,
    timeout = merged.timeout, limits = merged.limits, waitDelay = merged.waitDelay,
    maxBuffer = options.maxBuffer(merged),
    killSignal = options.given(merged.killSignal) and merged.killSignal or "SIGTERM",
  }
end

--- Returns a text without its last end of a line.
---@param text string
---@return string
function outcome.stripNewline(text)
  if text:sub(-1) ~= "\n" then
    return text
  end
  return text:sub(1, text:sub(-2, -2) == "\r" and -3 or -2)
end

local stripNewline = outcome.stripNewline

local function splitLines(text)
  local list, position = {}, 1
  while position <= #text do
    local stop = text:find("\n", position, true) or #text
    list[#list + 1] = stripNewline(text:sub(position, stop))
    position = stop + 1
  end
  return list
end

--- What was printed, in the form that the options ask for.
---@param collector Collector
---@param merged table
---@return string|string[]|nil # nil if a loop has read it
function outcome.text(collector, merged)
  if collector:isRead() then
    return nil
  elseif merged.lines == true then
    return splitLines(collector:text())
  end
  local text = collector:text()
  return merged.stripFinalNewline == false and text or stripNewline(text)
end

--- Notes how the command has ended.
---@param fields table
---@param child? ChildProcess
function outcome.noteEnd(fields, child)
  if child and not fields.couldNotStart then
    fields.exitCode = child.exitCode and child.exitCode >= 0 and child.exitCode or nil
    fields.signalCode = child.signalCode
    fields.timedOut = child.timedOut
    fields.isForcefullyTerminated = child.isForcefullyTerminated
    fields.held = child.heldStreams
    fields.resourceUsage = child:resourceUsage()
  end
  fields.isTerminated = fields.signalCode ~= nil
  fields.failed = fields.failure ~= nil or fields.timedOut or fields.isMaxBuffer
    or fields.exitCode ~= 0 or fields.held ~= nil
end

return outcome
