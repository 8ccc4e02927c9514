--- Checks the options of ChildProcess:spawn: those of spawn, the command, and its arguments.

local arguments = require("child_process.spawn.arguments")
local environment = require("child_process.spawn.environment")
local errors = require("child_process.errors")
local known = require("child_process.spawn.options")

---@class ChildOptions : StartOptions
---@field file string the command
---@field args? (string|number|boolean)[] with argv[0]; default: the command alone
---@field envPairs? string[] the environment as "NAME=value", instead of `env`
---@field detached? boolean leader of a new session and process group
---@field customFds? integer[] deprecated; use stdio

---@type CallKind
local CHILD = {
  name = "ChildProcess:spawn",
  takes = known.taking({"file", "args", "envPairs"}, {"argv0", "shell"}),
}

-- The list with argv[0], which may differ from the command.
local function argumentsOf(options)
  if not known.given(options.args) then
    return {options.file}
  elseif type(options.args) ~= "table" then
    error(errors.invalidArgType("options.args", "table", options.args))
  end
  local list = arguments.append({}, "options.args", options.args)
  list[1] = list[1] or options.file
  return list
end

local function environmentOf(list, call)
  if type(list) ~= "table" then
    error(errors.invalidArgType("options.envPairs", "table", list))
  end
  list = arguments.append({}, "options.envPairs", list)
  local terminal = call.attributes and call.attributes.terminal
  if terminal then
    list = environment.withTerminal(list, terminal.name)
  end
  if call.ipc and not call.host then -- otherwise the agent adds them
    list = environment.withChannel(list, call.ipc, call.serialization)
  end
  return list
end

---@param options any
---@return table # for ChildProcess:_start
return function(options)
  if type(options) ~= "table" then
    error(errors.invalidArgType("options", "table", options))
  end
  arguments.checkCommand("options.file", options.file)
  local call = arguments.normalize(options.file, nil, options, CHILD)
  call.args = argumentsOf(options)
  if known.given(options.envPairs) then
    call.env = environmentOf(options.envPairs, call)
  end
  return call
end
