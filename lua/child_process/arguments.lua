--- The arguments of spawn, exec and execFile: checked, and in the form that ChildProcess takes.
local core = require("child_process.core")
local errors = require("child_process.errors")
local signals = require("child_process.signals")
local stdio = require("child_process.stdio")

local null = core.null

---@class child_process.arguments
local arguments = {}

-- Tables with any string key are options, others are sequences of arguments.
local function hasNames(value)
  for key in pairs(value) do
    if type(key) == "string" then
      return true
    end
  end
  return false
end

-- What is given as null counts as not given.
local function withoutNulls(options)
  for _, value in pairs(options) do
    if value == null then
      local given = {}
      for key, kept in pairs(options) do
        if kept ~= null then
          given[key] = kept
        end
      end
      return given
    end
  end
  return options
end

--- Tells (args, options) apart where either may be left out.
---@param args? table
---@param options? table
---@return table args
---@return table options
function arguments.split(args, options)
  if args ~= nil and type(args) ~= "table" then
    error(errors.invalidArgType("args", "table", args))
  end
  if args and options == nil and hasNames(args) then
    args, options = nil, args
  end
  if options ~= nil and type(options) ~= "table" then
    error(errors.invalidArgType("options", "table", options))
  end
  return args or {}, options and withoutNulls(options) or {}
end

local function checkText(name, value)
  if value:find("\0", 1, true) then
    error(errors.invalidArgValue(name, value, "must be a string without null bytes"))
  end
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
  checkText(name, value)
end

local function checkArgs(args)
  local highest = 0
  for key in pairs(args) do
    if math.type(key) ~= "integer" or key < 1 then
      error(errors.invalidArgValue("args", key, "has a key that is no position"))
    end
    highest = math.max(highest, key)
  end
  for index = 1, highest do
    local name = ("args[%d]"):format(index)
    if type(args[index]) ~= "string" then
      error(errors.invalidArgType(name, "string", args[index]))
    end
    checkText(name, args[index])
  end
end

local function checkString(options, name)
  local value = options[name]
  if value ~= nil then
    if type(value) ~= "string" then
      error(errors.invalidArgType("options." .. name, "string", value))
    end
    checkText("options." .. name, value)
  end
end

local function checkBoolean(options, name)
  local value = options[name]
  if value ~= nil and type(value) ~= "boolean" then
    error(errors.invalidArgType("options." .. name, "boolean", value))
  end
end

local function checkId(options, name)
  local value = options[name]
  if value == nil then
    return nil
  end
  if type(value) ~= "number" then
    error(errors.invalidArgType("options." .. name, "int32", value))
  end
  local id = math.tointeger(value)
  if not id or id < 0 or id > 0x7FFFFFFF then
    error(errors.outOfRange("options." .. name, ">= 0 and <= 2147483647", value))
  end
  return id
end

--- A time in milliseconds: a non-negative integer, or nil.
---@param value any
---@return integer?
function arguments.checkTimeout(value)
  if value == nil then
    return nil
  end
  local timeout = type(value) == "number" and math.tointeger(value)
  if not timeout or timeout < 0 then
    error(errors.outOfRange("timeout", "an unsigned integer", value))
  end
  return timeout
end

local function environmentPair(key, value)
  if type(key) ~= "string" then
    error(errors.invalidArgType("options.env", "table with string keys", key))
  end
  local name = ("options.env['%s']"):format(key)
  if key == "" or key:find("=", 1, true) then
    error(errors.invalidArgValue(name, key, "must have a name without '='"))
  end
  checkText(name, key)
  local kind = type(value)
  if kind ~= "string" and kind ~= "number" and kind ~= "boolean" then
    error(errors.invalidArgType("options.env." .. key, {"string", "number", "boolean"}, value))
  end
  value = tostring(value)
  checkText(name, value)
  return key .. "=" .. value
end

-- The environment as "KEY=value" strings, nil to inherit ours.
local function environment(options)
  local env = options.env
  if env == nil then
    return nil
  elseif type(env) ~= "table" then
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
local function stdioOption(options)
  local custom = options.customFds
  if options.stdio ~= nil or custom == nil then
    return options.stdio
  end
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

local function isDetached(options)
  checkBoolean(options, "detached")
  checkBoolean(options, "setsid")
  if options.setsid ~= nil then
    deprecated("setsid", "detached")
  end
  return options.detached or options.setsid or false
end

local function checkShell(options)
  local shell = options.shell
  if shell == nil or type(shell) == "boolean" then
    return shell and "/bin/sh"
  elseif type(shell) ~= "string" then
    error(errors.invalidArgType("options.shell", {"boolean", "string"}, shell))
  end
  checkText("options.shell", shell)
  return shell ~= "" and shell
end

local function checkSerialization(value)
  if value ~= nil and value ~= "json" and value ~= "advanced" then
    error(errors.invalidArgValue("options.serialization", value,
      "must be one of: nil, 'json', 'advanced'"))
  end
end

--- The number of a kill signal, SIGTERM by default.
---@param value any
---@return integer
function arguments.checkKillSignal(value)
  if value == nil then
    return signals.number("SIGTERM")
  elseif type(value) ~= "string" and type(value) ~= "number" then
    error(errors.invalidArgType("options.killSignal", {"string", "number"}, value))
  end
  return signals.number(value)
end

--- Checks everything that spawn takes.
---@param file any
---@param args any
---@param options any
---@return table # for ChildProcess:spawn
function arguments.normalize(file, args, options)
  arguments.checkCommand("file", file)
  args, options = arguments.split(args, options)
  checkArgs(args)
  checkString(options, "cwd")
  checkString(options, "argv0")
  checkBoolean(options, "windowsHide")
  checkBoolean(options, "windowsVerbatimArguments")
  checkSerialization(options.serialization)
  local shell = checkShell(options)
  local command, argv = file, nil
  if shell then
    command = shell
    argv = {options.argv0 or shell, "-c",
      #args == 0 and file or file .. " " .. table.concat(args, " ")}
  else
    argv = table.move(args, 1, #args, 2, {options.argv0 or file})
  end
  return {
    file = command,
    args = argv,
    cwd = options.cwd,
    detached = isDetached(options),
    uid = checkId(options, "uid"),
    gid = checkId(options, "gid"),
    timeout = arguments.checkTimeout(options.timeout),
    killSignal = arguments.checkKillSignal(options.killSignal),
    envPairs = environment(options),
    -- Last, since it may take streams away from us.
    stdio = stdio.parse(stdioOption(options)),
  }
end

return arguments
