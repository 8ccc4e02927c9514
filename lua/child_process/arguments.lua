--- The arguments of the functions that start programs: checked, and in the form that core takes.
local core = require("child_process.core")
local errors = require("child_process.errors")
local expect = require("child_process.expect")
local signals = require("child_process.signals")
local stdio = require("child_process.stdio")

local null = core.null
local NONE = {} -- nobody adds to it

---@class child_process.arguments
local arguments = {}

--- Is it something else than nil and null, which stand for what is absent?
---@param value any
---@return boolean
function arguments.given(value)
  return value ~= nil and value ~= null
end

local given = arguments.given

-- Tables with any string key are options, others are sequences of arguments.
local function hasNames(value)
  for key in next, value do
    if type(key) == "string" then
      return true
    end
  end
  return false
end

--- Tells (args, options) apart where either may be left out.
---@param args? table
---@param options? table
---@return table args
---@return table options
function arguments.split(args, options)
  if args ~= nil then
    if type(args) ~= "table" then
      error(errors.invalidArgType("args", "table", args))
    elseif options == nil and hasNames(args) then
      args, options = nil, args
    end
  end
  if options ~= nil and type(options) ~= "table" then
    error(errors.invalidArgType("options", "table", options))
  end
  return args or NONE, options or NONE
end

--- The options of exec and execSync, whose commands a shell runs.
---@param command any
---@param options any
---@return table # a copy
function arguments.withShell(command, options)
  if type(command) ~= "string" then
    error(errors.invalidArgType("command", "string", command))
  elseif options ~= nil and type(options) ~= "table" then
    error(errors.invalidArgType("options", "table", options))
  end
  local copy = {}
  for name, value in pairs(options or NONE) do
    copy[name] = value
  end
  if type(copy.shell) ~= "string" then
    copy.shell = true
  end
  return copy
end

--- File and arguments joined with spaces, unquoted: what a shell is given, and what errors show.
---@param file string
---@param args string[]
---@return string
function arguments.commandLine(file, args)
  return #args == 0 and file or file .. " " .. table.concat(args, " ")
end

--- A non-empty string without NUL bytes.
---@param name string
---@param value any
function arguments.checkCommand(name, value)
  if type(value) ~= "string" then
    error(errors.invalidArgType(name, "string", value))
  elseif value == "" then
    error(errors.invalidArgValue(name, value, "cannot be empty"))
  end
  expect.noNul(name, value)
end

--- Arguments of a program: a sequence of strings without NUL bytes.
---@param name string of the list
---@param args table
function arguments.checkArgs(name, args)
  local highest = 0
  for key in next, args do
    if math.type(key) ~= "integer" or key < 1 then
      error(errors.invalidArgValue(name, key, "has a key that is no position"))
    end
    highest = math.max(highest, key)
  end
  for index = 1, highest do
    local entry = ("%s[%d]"):format(name, index)
    if type(args[index]) ~= "string" then
      error(errors.invalidArgType(entry, "string", args[index]))
    end
    expect.noNul(entry, args[index])
  end
end

-- The checks of single options: each takes the value, raises if it cannot be used, and returns it
-- in the form that core takes.
local checks = {}

local function stringCheck(name)
  return function(value)
    if type(value) ~= "string" then
      error(errors.invalidArgType("options." .. name, "string", value))
    end
    expect.noNul("options." .. name, value)
    return value
  end
end

local function booleanCheck(name)
  return function(value)
    if type(value) ~= "boolean" then
      error(errors.invalidArgType("options." .. name, "boolean", value))
    end
    return value
  end
end

local function idCheck(name)
  return function(value)
    if type(value) ~= "number" then
      error(errors.invalidArgType("options." .. name, "int32", value))
    end
    local id = math.tointeger(value)
    if not id or id < 0 or id > 0x7FFFFFFF then
      error(errors.outOfRange("options." .. name, ">= 0 and <= 2147483647", value))
    end
    return id
  end
end

checks.cwd = stringCheck("cwd")
checks.argv0 = stringCheck("argv0")
checks.detached = booleanCheck("detached")
checks.setsid = booleanCheck("setsid")
checks.windowsHide = booleanCheck("windowsHide")
checks.windowsVerbatimArguments = booleanCheck("windowsVerbatimArguments")
checks.uid = idCheck("uid")
checks.gid = idCheck("gid")

function checks.shell(shell)
  if type(shell) == "boolean" then
    return shell and "/bin/sh"
  elseif type(shell) ~= "string" then
    error(errors.invalidArgType("options.shell", {"boolean", "string"}, shell))
  end
  expect.noNul("options.shell", shell)
  return shell ~= "" and shell
end

-- A number of bytes that was given as any number; math.huge is no limit.
local function toBytes(value)
  return value >= math.maxinteger and math.maxinteger or math.floor(value)
end

function checks.serialization(value)
  if value ~= "json" and value ~= "advanced" then
    error(errors.invalidArgValue("options.serialization", value,
      "must be one of: nil, 'json', 'advanced'"))
  end
  return value
end

--- The size of a message, in bytes.
---@param name string of the option or field
---@param value any
---@return integer
function arguments.checkMaxMessageSize(name, value)
  if type(value) ~= "number" then
    error(errors.invalidArgType(name, "number", value))
  elseif value < 1 or value ~= value then
    error(errors.outOfRange(name, ">= 1", value))
  end
  return toBytes(value)
end

function checks.maxMessageSize(value)
  return arguments.checkMaxMessageSize("options.maxMessageSize", value)
end

function checks.signal(value)
  return require("child_process.abort").check("options.signal", value)
end

--- A time in milliseconds, a non-negative integer.
---@param value any
---@return integer
function checks.timeout(value)
  local timeout = type(value) == "number" and math.tointeger(value)
  if not timeout or timeout < 0 then
    error(errors.outOfRange("timeout", "an unsigned integer", value))
  end
  return timeout
end

--- The number of a kill signal.
---@param value any
---@return integer
function checks.killSignal(value)
  if type(value) ~= "string" and type(value) ~= "number" then
    error(errors.invalidArgType("options.killSignal", {"string", "number"}, value))
  end
  return signals.number(value)
end

local DEFAULT_MAX_BUFFER = 1024 * 1024

--- How much output is collected. Not among the checks, as spawn does not look at it.
---@param value any options.maxBuffer
---@return integer bytes
function arguments.checkMaxBuffer(value)
  if not given(value) then
    return DEFAULT_MAX_BUFFER
  elseif type(value) ~= "number" or value < 0 or value ~= value then
    error(errors.outOfRange("options.maxBuffer", "a positive number", value))
  end
  return toBytes(value)
end

local function environmentPair(key, value)
  if type(key) ~= "string" then
    error(errors.invalidArgType("options.env", "table with string keys", key))
  end
  local name = ("options.env['%s']"):format(key)
  if key == "" or key:find("=", 1, true) then
    error(errors.invalidArgValue(name, key, "must have a name without '='"))
  end
  expect.noNul(name, key)
  local kind = type(value)
  if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
    error(errors.invalidArgType(name, {"string", "number", "boolean"}, value))
  end
  value = tostring(value)
  expect.noNul(name, value)
  return key .. "=" .. value
end

-- The environment as "KEY=value" strings.
function checks.env(env)
  if type(env) ~= "table" then
    error(errors.invalidArgType("options.env", "table", env))
  end
  local list = {}
  for key, value in pairs(env) do
    if value ~= null then
      list[#list + 1] = environmentPair(key, value)
    end
  end
  return list
end

local warned = {}

local function deprecated(option, replacement)
  if not warned[option] then
    warned[option] = true
    require("child_process.events").warn(
      ("options.%s is deprecated, use options.%s"):format(option, replacement),
      "DeprecationWarning")
  end
end

-- customFds of old editions: -1 is a new pipe, anything else a descriptor.
local function fromCustomFds(custom)
  deprecated("customFds", "stdio")
  if type(custom) ~= "table" then
    error(errors.invalidArgType("options.customFds", "table", custom))
  end
  local list = {}
  for key, value in pairs(custom) do
    list[key] = value == -1 and "pipe" or value
  end
  return list
end

local function parseStdio(options, ignored)
  local option, custom = options.stdio, options.customFds
  if ignored and ignored.stdio then
    option = nil
  end
  if option == nil and given(custom) then
    option = fromCustomFds(custom)
  end
  return stdio.parse(given(option) and option or nil)
end

--- Checks one option of those that spawn takes.
---@param name string
---@param value any nil and null are not given
---@return any # in the form that core takes; nil if it was not given
function arguments.check(name, value)
  if given(value) then
    return checks[name](value)
  end
end

local DEFAULT_SIGNAL = signals.number("SIGTERM")

-- The environment with what tells a child about its channel.
local function withChannel(env, fd, serialization)
  local list = {}
  for _, pair in ipairs(env or core.environ()) do
    if not pair:find("^NODE_CHANNEL_") then
      list[#list + 1] = pair
    end
  end
  list[#list + 1] = "NODE_CHANNEL_FD=" .. fd
  list[#list + 1] = "NODE_CHANNEL_SERIALIZATION_MODE=" .. (serialization or "json")
  return list
end

--- Checks everything that spawn takes.
---@param file any
---@param args any
---@param options any
---@param ignored? table<string, boolean> options that are not looked at
---@return table # for core.runSync, and for ChildProcess:spawn
function arguments.normalize(file, args, options, ignored)
  arguments.checkCommand("file", file)
  args, options = arguments.split(args, options)
  if args ~= NONE then
    arguments.checkArgs("args", args)
  end
  -- With room for the fields that most children need.
  local result = {
    file = file, args = nil, stdio = nil, killSignal = DEFAULT_SIGNAL, shell = nil, cwd = nil,
    env = nil, argv0 = nil,
  }
  for name, value in next, options do
    local check = checks[name]
    if check and value ~= null and not (ignored and ignored[name]) then
      result[name] = check(value)
    end
  end
  if result.setsid ~= nil then
    deprecated("setsid", "detached")
    result.detached = result.detached or result.setsid
  end
  local shell = result.shell
  if shell then
    result.file = shell
    result.args = {result.argv0 or shell, "-c", arguments.commandLine(file, args)}
  else
    local argv = {result.argv0 or file}
    for index = 1, #args do
      argv[index + 1] = args[index]
    end
    result.args = argv
  end
  result.stdio, result.sharedStreams, result.ipc = parseStdio(options, ignored)
  if result.ipc then
    result.env = withChannel(result.env, result.ipc, result.serialization)
  end
  return result
end

return arguments
