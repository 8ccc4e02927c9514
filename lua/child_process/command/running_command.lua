--- RunningCommand: what command.start returns.

local chain = require("child_process.command.chain")
local errors = require("child_process.errors")
local LineReader = require("child_process.command.line_reader")
local options = require("child_process.command.options")
local result = require("child_process.command.result")
local Run = require("child_process.command.run")
local sinks = require("child_process.command.sinks")

---@class RunningCommand
---@field child ChildProcess? nil if a file that the options name could not be opened
---@field package _run Run
---@field package _defaults table the options of commands that it is piped into
---@field package _pipefail? boolean
local RunningCommand = {}
local metatable = {__name = "RunningCommand", __index = RunningCommand}

---@param run Run
---@param defaults table
---@return RunningCommand
local function new(run, defaults)
  return setmetatable({child = run.child, _run = run, _defaults = defaults}, metatable)
end

local function checkThis(self, method)
  if getmetatable(self) ~= metatable then
    error(errors.invalidThis("RunningCommand:" .. method))
  end
end

--- Waits until the command has ended, and with it all that it is piped from. In a coroutine this
--- suspends, outside it runs the loop.
---@return CommandResult # with `reject = false` also if it has failed; otherwise a CommandError is
---raised
function RunningCommand:await()
  checkThis(self, "await")
  local outcome = result.of(chain.await(self._run))
  if outcome.failed and self._run.options.reject ~= false then
    error(outcome, 0)
  end
  return outcome
end

--- Sends a signal to the command, as ChildProcess:kill does.
---@param signal? string|integer default "SIGTERM"
---@param killOptions? KillOptions
---@return boolean # whether it was sent
function RunningCommand:kill(signal, killOptions)
  checkThis(self, "kill")
  return self._run:isStarted() and self.child:kill(signal, killOptions)
end

---@class CommandLinesOptions
---@field from? "stdout"|"stderr"|"all" default "stdout"; "all" needs options.all
---@field keepNewline? boolean lines keep their "\n" or "\r\n"

local LINES = {from = true, keepNewline = true}

local function readLinesOptions(given)
  for name, value in pairs(given or {}) do
    if not LINES[name] then
      error(errors.invalidArgValue(("options.%s"):format(tostring(name)), value,
        "is not an option of lines, which has `from` and `keepNewline`"))
    end
  end
  local from = given and given.from or "stdout"
  if from ~= "stdout" and from ~= "stderr" and from ~= "all" then
    error(errors.invalidArgValue("options.from", from, "must be 'stdout', 'stderr' or 'all'"))
  end
  return from, given and given.keepNewline
end

local function closeOutputs(run, from)
  for name, output in pairs(run.outputs) do
    if from == "all" or from == name then
      output:close()
    end
  end
end

--- Iterates over the lines of its output, while it runs. They are no part of the result then. After
--- the last line a CommandError is raised if the command has failed, unless `reject` is false.
--- Leaving the loop early closes the output, in Lua 5.4 and later.
---@param linesOptions? CommandLinesOptions
---@return fun(): string?
function RunningCommand:lines(linesOptions)
  checkThis(self, "lines")
  local run = self._run
  local from, keepNewline = readLinesOptions(linesOptions)
  run:read()
  local collector = run.collectors[from]
  if not collector or collector:isRead() then
    error(errors.invalidArgValue("options.from", from, collector and "has been read by another loop"
      or ("is not collected (options.%s)"):format(from)))
  end
  local reader = LineReader.new(function()
    closeOutputs(run, from)
  end, keepNewline)
  collector:readWith(reader)
  if run.isOver then
    reader:finish()
  end
  return function()
    local line = reader:next()
    if line == nil and not reader:isComplete() then
      reader:complete()
      self:await()
    end
    return line
  end, nil, nil, reader
end

-- Lets a command that is already being read write to another one.
local function feed(run, target)
  local collector = run.collectors.stdout
  local sink = sinks.stream(target, {mayEndEarly = true})
  local text = collector:text()
  if text ~= "" then
    target:write(text)
  end
  if run.outputs.stdout:isFinished() then
    sink:finish()
  else
    run.outputs.stdout:add(sink, function(err)
      run:fail(err)
    end)
  end
end

local function refusePipe()
  error(errors.invalidArgValue("options.stdout", nil, "must be 'pipe', or a list with it, as "
    .. "another command reads the output, and no loop may have read it"))
end

--- Starts another command, which reads the output of this one. If nothing was read yet, it gets the
--- pipe itself.
---@param file string
---@param args? (string|number|boolean)[]
---@param over? CommandOptions
---@return RunningCommand # awaiting it awaits this one, too
---@overload fun(self: RunningCommand, file: string, options: CommandOptions): RunningCommand
function RunningCommand:pipe(file, args, over)
  checkThis(self, "pipe")
  local run = self._run
  args, over = options.split(args, over)
  local merged = options.merge(self._defaults, over)
  options.check(merged)
  local isStarted = run:isStarted()
  local isHandedOn = isStarted and run:canHandOn() and not options.given(merged.host)
  local wiring = {group = run.group}
  if isHandedOn then
    wiring.stdin = run.plan:stream("stdout", run.child)
  elseif isStarted then
    run:read()
    if not run.collectors.stdout or run.collectors.stdout:isRead() then
      refusePipe()
    end
    wiring.isFed, wiring.leavesStdin = true, true
  end
  local nextRun = Run.start(file, args, merged, wiring)
  nextRun.before = run
  if isHandedOn then
    run:handedOn()
  elseif isStarted and nextRun:isStarted() then
    feed(run, nextRun.child.stdin)
  end
  return new(nextRun, self._defaults)
end

local function endNow(run)
  local child = run.child
  if run:isStarted() and run.options.disposeWaits == true then
    pcall(function() -- where nothing can wait it is only ended
      child:dispose():await()
    end)
  else
    run:stop()
  end
end

-- Called when a to-be-closed variable with the command goes out of scope.
function metatable.__close(self)
  for _, run in ipairs(self._run.group) do
    if not run.isOver then
      endNow(run)
    end
  end
end

return new
