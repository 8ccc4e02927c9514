--- Plans the descriptors of a command: what spawn gets as options.stdio, and what we read.

local errors = require("child_process.errors")
local files = require("child_process.command.files")
local options = require("child_process.command.options")
local Shared = require("child_process.command.shared")
local sinks = require("child_process.command.sinks")
local stdin = require("child_process.command.stdin")
local targets = require("child_process.command.targets")

local given = options.given

---@class CommandWiring how a command is connected to others
---@field stdin? Stream its standard input
---@field stdout? Stream the standard input of the command that reads its output
---@field isFed? boolean another command will write to its standard input
---@field leavesStdin? boolean its standard input is left open
---@field report? VerboseReport that of a group
---@field group? Run[] the commands that end together
---@field shared? SharedTargets what other commands write to, too
---@field attempt? integer of options.retry

---@class CommandPlan
---@field stdin CommandInput
---@field stdout Target
---@field stderr Target
---@field atTerminal? "stdout"|"stderr"|"none" with a terminal of its own: the output that is what
---comes from there
---@field hasErrorsInOutput? boolean what is written to stderr is part of stdout
---@field failure? Error a file that cannot be opened
local Plan = {}
Plan.__index = Plan

-- The entries of options.stdio by descriptor.
local function entriesOf(option)
  if not given(option) then
    return {}
  elseif type(option) ~= "table" then
    return {[0] = option, option, option}
  end
  local entries, shift = {}, option[0] == nil and 1 or 0
  for key, value in pairs(option) do
    if type(key) ~= "number" then
      error(errors.invalidArgValue("options.stdio", key,
        "has a key that is not a file descriptor"))
    end
    entries[key - shift] = value
  end
  return entries
end

-- options.stdout and so on come before options.stdio.
local function chooseOne(option, entry)
  if given(option) then
    return option
  end
  return entry
end

local function choose(merged)
  local entries = entriesOf(merged.stdio)
  local chosen = {
    stdin = chooseOne(merged.stdin, entries[0]),
    stdout = chooseOne(merged.stdout, entries[1]),
    stderr = chooseOne(merged.stderr, entries[2]),
  }
  chosen.input, chosen.inputFile = merged.input, merged.inputFile
  chosen.host = given(merged.host) and merged.host or nil
  chosen.hasTerminal = given(merged.terminal) and merged.terminal ~= false
  chosen.isOthersTerminal = chosen.hasTerminal and options.isStream(merged.terminal)
  return chosen, entries
end

-- Leaves outputs at the terminal that are not to go elsewhere.
local function useTerminal(plan, chosen)
  local stdout, stderr = plan.stdout, plan.stderr
  local hasErrors = not given(chosen.stderr) or chosen.stderr == false
  local hasOutput = stdout.entry == nil and not stdout.merged
  if hasErrors then
    stderr.entry = false
  end
  if hasOutput then
    stdout.entry = false
  end
  if not chosen.isOthersTerminal then
    plan.atTerminal = hasOutput and "stdout" or hasErrors and "stderr" or "none"
    plan.hasErrorsInOutput = hasOutput and hasErrors
  end
end

-- Connects the standard output to the command that reads it.
local function pipeOn(target, stream)
  if target.entry or target.merged or not target.isCollected then
    error(errors.invalidArgValue("options.stdout", target.entry or {fd = target.merged},
      "must be 'pipe', or a list with it, as another command reads the output"))
  end
  target.isCollected = false
  if #target.sinks == 0 then
    target.entry = stream
  else
    target.sinks[#target.sinks + 1] = sinks.stream(stream, {mayEndEarly = true})
  end
end

-- Joins an output to the other one.
local function merge(from, to, fd)
  if to.merged then
    error(errors.invalidArgValue("options.stderr", {fd = 1},
      "cannot be joined to an output that is joined to it"))
  end
  from.entry = {childFd = fd}
end

---@param merged table
---@param wiring CommandWiring
---@return CommandPlan
function Plan.new(merged, wiring)
  local chosen, entries = choose(merged)
  local self = setmetatable({entries = entries}, Plan)
  self.stdin = stdin.read(chosen, wiring)
  local streams = {}
  if Shared.haveCommonFile(chosen) then
    Shared.new(chosen):empty()
  end
  self.stdout = targets.read("stdout", chosen.stdout, streams, wiring.shared)
  self.stderr = targets.read("stderr", chosen.stderr, streams, wiring.shared)
  if wiring.stdout then
    pipeOn(self.stdout, wiring.stdout)
  end
  if chosen.hasTerminal then
    useTerminal(self, chosen)
  end
  if self.stderr.merged then
    merge(self.stderr, self.stdout, 1)
    self.hasErrorsInOutput = true
  elseif self.stdout.merged then
    merge(self.stdout, self.stderr, 2)
  end
  self.failure = self.stdin.failure or self.stdout.failure or self.stderr.failure
  return self
end

--- The stdio of spawn.
---@return table
function Plan:stdio()
  local entries = self.entries
  entries[0] = self.stdin.entry
  entries[1] = self.stdout.entry == nil and "pipe" or self.stdout.entry
  entries[2] = self.stderr.entry == nil and "pipe" or self.stderr.entry
  return entries
end

--- Closes what the child has now, or will never need.
function Plan:release()
  files.close(self.stdin)
  files.close(self.stdout)
  files.close(self.stderr)
end

--- Finishes the streams that the command has written to by itself.
function Plan:finish()
  targets.finish(self.stdout)
  targets.finish(self.stderr)
end

--- The stream that we read for an output; nil if we do not.
---@param name "stdout"|"stderr"
---@param child ChildProcess
---@return Stream?
function Plan:stream(name, child)
  if self.atTerminal == name then
    return child.terminal
  end
  return self[name].entry == nil and child[name] or nil
end

--- Reads what comes from the terminal and is no output.
---@param child ChildProcess
function Plan:drainTerminal(child)
  if self.atTerminal == "none" then
    child.terminal:resume()
  end
end

return Plan
