--- Runs commands: one call, one result with everything that is to be known, and an error that says
--- which command has failed and how.
--
--   local command = require("child_process.command")
--   print(command.run("git", {"describe", "--tags"}).stdout)

local errors = require("child_process.errors")
local options = require("child_process.command.options")
local quote = require("child_process.command.quote")

local DEFAULTS = {} -- nobody changes it

---@class child_process.command
local command = {}

---@class CommandOptions : StartOptions
---@field argv0? string the child's argv[0]; default: the command
---@field detached? boolean leader of a new session and process group
---@field shell? boolean|string run the command with /bin/sh, or with this shell
---@field input? string|Stream|fun(): string? what the command reads; a function is called for each
---piece until it returns nil, and may wait
---@field inputFile? string path of a file that the command reads
---@field stdin? any an entry of options.stdio; default "ignore"
---@field stdout? any what becomes of the output: an entry of options.stdio ("pipe", the default,
---collects it), {file = path, append = boolean}, {fd = 2}, a function that gets each line, or a
---list of such targets
---@field stderr? any the same; {fd = 1} joins it to stdout
---@field all? boolean the result has both outputs in the order in which they came
---@field lines? boolean the outputs in the result are lists of lines
---@field stripFinalNewline? boolean default true
---@field encoding? string of the outputs; by default they are bytes
---@field maxBuffer? number bytes that are collected of each output, or that a line for a function
---may have; a command that writes more is ended; default 100 million, math.huge for no limit
---@field reject? boolean false: a failure is returned and not raised
---@field extendEnv? boolean false: `env` replaces our environment instead of adding to it
---@field verbose? boolean|"short"|"full"|fun(event: VerboseEvent) reports commands on stderr (true:
---"short"), or to a function; default: what the variable CHILD_PROCESS_VERBOSE says
---@field retry? CommandRetry starts the command again if it fails; not for `start`

---@class CommandPipelineOptions : CommandOptions
---@field pipefail? boolean false: only the last command counts

---@class CommandAllOptions : CommandOptions
---@field concurrency? integer how many run at a time; default 4

-- Runs a command with options that are complete, and targets that other commands have, too. Returns
-- the result, or the error.
local function execute(file, args, merged, shared)
  options.check(merged)
  local Run = require("child_process.command.run")
  local chain = require("child_process.command.chain")
  local fields = require("child_process.command.retry")(merged, function(attempt)
    return chain.awaitAll(Run.start(file, args, merged, {attempt = attempt, shared = shared}))
  end)
  return require("child_process.command.result").of(fields)
end

local function raiseFailure(outcome, merged)
  if outcome.failed and merged.reject ~= false then
    error(outcome, 0)
  end
  return outcome
end

-- The functions, with the options that `with` has set as their first argument ---------------------

local functions = {}

function functions.run(defaults, file, args, over)
  args, over = options.split(args, over)
  local merged = options.merge(defaults, over)
  return raiseFailure(execute(file, args, merged), merged)
end

function functions.start(defaults, file, args, over)
  args, over = options.split(args, over)
  local merged = options.merge(defaults, over)
  options.check(merged)
  if options.given(merged.retry) then
    error(errors.invalidArgValue("options.retry", merged.retry,
      "is not for start, which returns before the command has ended"))
  end
  local run = require("child_process.command.run").start(file, args, merged,
    {leavesStdin = true})
  require("child_process.process"):nextTick(run.read, run)
  return require("child_process.command.running_command")(run, defaults)
end

function functions.shell(defaults, format, ...)
  local values = {n = select("#", ...), ...}
  local text, used = require("child_process.command.shell_format")(format, values)
  local over = values[used + 1]
  if values.n > used + 1 or over ~= nil and type(over) ~= "table" then
    error(errors.invalidArgValue("format", format, ("has %d %%s, and there are more values")
      :format(used)))
  end
  local merged = options.merge(defaults, over)
  if type(merged.shell) ~= "string" then
    merged.shell = true
  end
  return raiseFailure(execute(text, nil, merged), merged)
end

function functions.pipeline(defaults, stages, over)
  local merged = options.merge(defaults, over)
  local pipefail = options.take(merged, "pipefail")
  options.check(merged)
  local attempt, finish = require("child_process.command.pipeline").prepare(stages, merged,
    pipefail)
  local fields = require("child_process.command.retry")(merged, attempt)
  finish()
  return raiseFailure(require("child_process.command.result").of(fields), merged)
end

function functions.all(defaults, commands, over)
  local merged = options.merge(defaults, over)
  local concurrency = options.take(merged, "concurrency")
  options.check(merged)
  local shared = require("child_process.command.shared").new(merged)
  return require("child_process.command.all")(commands, concurrency, merged.reject ~= false, shared,
    function(item)
      local args, own = options.split(item[2], item[3])
      local all = options.merge(merged, own)
      options.check(all)
      return function()
        return execute(item[1], args, all, shared)
      end
    end)
end

-- Makes the functions of a copy of the module.
local function copyWith(defaults)
  local copy = {quote = command.quote}
  for name, call in pairs(functions) do
    copy[name] = function(...)
      return call(defaults, ...)
    end
  end
  function copy.with(over)
    return copyWith(options.merge(defaults, over))
  end
  return copy
end

-- The module --------------------------------------------------------------------------------------

--- Runs a program without a shell, and waits until it has ended: in a coroutine this suspends,
--- outside it runs the loop.
---@param file string a path, or a name that is looked up in PATH
---@param args? (string|number|boolean)[]
---@param over? CommandOptions
---@return CommandResult # with `reject = false` also if it has failed; otherwise a CommandError is
---raised
---@overload fun(file: string, options: CommandOptions): CommandResult
function command.run(file, args, over)
  return functions.run(DEFAULTS, file, args, over)
end

--- Starts a program without a shell. `stdin = "pipe"` lets you write to its `child.stdin`.
---@param file string
---@param args? (string|number|boolean)[]
---@param over? CommandOptions
---@return RunningCommand
---@overload fun(file: string, options: CommandOptions): RunningCommand
function command.start(file, args, over)
  return functions.start(DEFAULTS, file, args, over)
end

--- Runs a line of a shell, and waits as `run` does. Each `%s` outside of quotes is replaced by a
--- value, quoted; by several words if the value is a list. `%%` is a percent sign.
---@param format string
---@param ... string|number|boolean|table the values, then perhaps a table of CommandOptions
---@return CommandResult
function command.shell(format, ...)
  return functions.shell(DEFAULTS, format, ...)
end

--- Quotes words for a shell.
---@param value string|number|boolean|table a list is several words
---@param ... string|number|boolean|table
---@return string # with spaces between the words
function command.quote(value, ...)
  local values, words = {n = select("#", ...) + 1, value, ...}, {}
  for index = 1, values.n do
    words[index] = quote.value(("value %d"):format(index), values[index])
  end
  return table.concat(words, " ")
end

--- Returns a copy of the module whose functions have these options as defaults.
---@param over CommandOptions
---@return child_process.command
function command.with(over)
  return copyWith(options.merge(DEFAULTS, over))
end

--- Runs commands of which each reads the output of the one before, and waits for all of them. If
--- any fails, the pipeline has failed, like the last one that did. A command that SIGPIPE has ended
--- has not failed if a later one has succeeded.
---@param stages table[] the arguments of `run`: {file, args, options}
---@param over? CommandPipelineOptions for all commands; input is for the first one, stdout for the
---last
---@return CommandResult # that of the last command, with `stages`
function command.pipeline(stages, over)
  return functions.pipeline(DEFAULTS, stages, over)
end

--- Runs many commands, a few at a time, and waits for them. After the first failure no more are
--- started, unless `reject` is false.
---@param commands table[] the arguments of `run`: {file, args, options}
---@param over? CommandAllOptions for all commands
---@return CommandResult[] # in the order of the commands
function command.all(commands, over)
  return functions.all(DEFAULTS, commands, over)
end

return command
