--- Checks the arguments of the functions that start programs, and converts them to the form that
--- core takes.

local check = require("child_process.base.check")
local compat = require("child_process.base.compat")
local core = require("child_process.core")
local errors = require("child_process.errors")
local known = require("child_process.spawn.options")
local stdio = require("child_process.spawn.stdio")
local debug = require("child_process.base.standard").debug

local given = known.given
local getmetatable = debug.getmetatable -- also sees behind a __metatable field
local null = core.null
local NONE = {} -- stays empty

---@class child_process.arguments
local arguments = {}

-- Whether a table without fields of its own inherits options. Lists may inherit the functions of
-- `table`.
local function inheritsOptions(value)
  local meta = getmetatable(value)
  local parent = meta and rawget(meta, "__index")
  if type(parent) ~= "table" or parent == meta or parent == table or rawget(meta, "__len") then
    return false
  end
  local name = next(require("child_process.base.flatten")("options", value))
  return type(name) == "string"
end

-- Whether a table is options, which have names only. A table with positions, or an empty one, is a
-- list of arguments. The `n` of table.pack counts as a position.
local function isOptions(value)
  local named = false
  for key in next, value do
    if type(key) ~= "string" then
      return false
    end
    named = named or key ~= "n"
  end
  return named or inheritsOptions(value)
end

-- Returns the options, in a copy if they inherit from others.
local function checkOptions(options)
  if options == nil then
    return NONE
  elseif type(options) ~= "table" then
    error(errors.invalidArgType("options", "table", options))
  elseif getmetatable(options) then
    return require("child_process.base.flatten")("options", options)
  end
  return options
end

--- Sorts the arguments (args, options), either of which may be omitted.
---@param args? table
---@param options? table
---@return table args
---@return table options
function arguments.split(args, options)
  if args ~= nil then
    if type(args) ~= "table" then
      error(errors.invalidArgType("args", "table", args))
    elseif options == nil and isOptions(args) then
      args, options = nil, args
    end
  end
  return args or NONE, checkOptions(options)
end

--- Returns the options of exec and execSync, with the shell that runs the command.
---@param command any
---@param options any
---@return table # a copy
function arguments.withShell(command, options)
  if type(command) ~= "string" then
    error(errors.invalidArgType("command", "string", command))
  end
  local copy = {}
  for name, value in next, checkOptions(options) do
    copy[name] = value
  end
  if type(copy.shell) ~= "string" then
    copy.shell = true
  end
  return copy
end

--- Checks a command: a string that is not empty and has no NUL bytes.
---@param name string
---@param value any
function arguments.checkCommand(name, value)
  if type(value) ~= "string" then
    error(errors.invalidArgType(name, "string", value))
  elseif value == "" then
    error(errors.invalidArgValue(name, value, "cannot be empty"))
  end
  check.noNul(name, value)
end

local function refuseKey(name, list, key)
  local shown = type(key) == "string" and ("'%s'"):format(key) or tostring(key)
  error(errors.invalidArgValue(name, list, ("has the key %s, which is not a position: arguments "
    .. "are a list, and options a table of their own after it"):format(shown)))
end

-- Returns the number of arguments: the highest of the last position of the list, the `n` of
-- table.pack, and the length that the metatable gives.
local function lengthOf(name, list)
  local meta = getmetatable(list)
  local lengthMethod = meta and rawget(meta, "__len") -- Lua 5.1 does not call it for tables
  local length = lengthMethod and lengthMethod(list) or 0
  for key, value in next, list do
    if compat.mathType(key) == "integer" and key > 0 then
      length = key > length and key or length
    elseif key == "n" and compat.toInteger(value) and value >= 0 then
      length = value > length and compat.toInteger(value) or length
    else
      refuseKey(name, list, key)
    end
  end
  return length
end

--- Appends the arguments of a program to a list, as strings.
---@param list string[]
---@param name string of the arguments in errors
---@param args table a sequence of strings, numbers and booleans, or the result of table.pack
---@return string[] list
function arguments.append(list, name, args)
  local before = #list
  for index = 1, lengthOf(name, args) do
    local value = args[index]
    if type(value) ~= "string" or value:find("\0", 1, true) then
      value = check.text(("%s[%d]"):format(name, index), value)
    end
    list[before + index] = value
  end
  return list
end

local warned = {}

-- Warns once for each text.
local function deprecated(text, code)
  if not warned[text] then
    warned[text] = true
    require("child_process.base.warnings").warn(text, "DeprecationWarning", {code = code})
  end
end

local function replaced(option, replacement)
  deprecated(("options.%s is deprecated, use options.%s"):format(option, replacement))
end

-- Node's name of the deprecation, and what it is about.
local UNQUOTED = "DEP0190"
local UNQUOTED_TEXT = "arguments together with options.shell are joined with spaces and not "
  .. "quoted, so that the shell interprets what they contain: do without the shell, or pass one "
  .. "string, as command.shell and command.quote of child_process.command make it"

-- Returns options.stdio for the customFds of old editions: -1 is a new pipe, all others are
-- descriptors.
local function fromCustomFds(custom)
  replaced("customFds", "stdio")
  if type(custom) ~= "table" then
    error(errors.invalidArgType("options.customFds", "table", custom))
  end
  local list = {}
  for key, value in pairs(custom) do
    list[key] = value == -1 and "pipe" or value
  end
  return list
end

local function parseStdio(options, kind, hasTerminal)
  local option, custom = options.stdio, options.customFds
  option = given(option) and option or nil
  if option == nil and given(custom) and kind.takes.customFds ~= nil then
    option = fromCustomFds(custom)
  elseif kind.stdio then
    option = kind.stdio(option, options, hasTerminal)
  end
  return stdio.parse(option, hasTerminal)
end

---@class CallKind the differences between the functions that start programs
---@field name string of the function, for errors
---@field takes table<string, function|false> its options, with the checks of those that `normalize`
---checks
---@field stdio? fun(option: any, options: table, hasTerminal: boolean): any changes options.stdio

---@type CallKind
local SPAWN = {name = "spawn", takes = known.checks}

local isAttribute, isOfEnding = known.attributes, known.ofEnding

-- Called for an option without a check: attributes.lua or the function itself checks it, or it is
-- unknown.
local function unchecked(kind, result, name, value)
  if type(name) ~= "string" then
    error(errors.invalidArgValue("options", name, "has a key that is not the name of an option"))
  elseif kind.takes[name] == nil then
    require("child_process.base.strict").unknownOption(kind.name, name, value, kind.takes)
  elseif isAttribute[name] and value ~= null then
    require("child_process.spawn.attributes").add(result, name, value)
  end
end

-- Notes whether an option is for the Ending of the child.
local function noteEnding(result, name)
  local value = result[name]
  if value and not (name == "timeout" and value == 0) then
    result.needsEnding = true
  end
end

local DEFAULT_SIGNAL = core.signals.SIGTERM

--- Checks all arguments.
---@param file any
---@param args any
---@param options any
---@param kind? CallKind default: that of spawn
---@return table # for core.runSync and ChildProcess:_start
function arguments.normalize(file, args, options, kind)
  kind = kind or SPAWN
  arguments.checkCommand("file", file)
  args, options = arguments.split(args, options)
  -- The table has room for the fields that most children need.
  local result = {
    file = file, args = nil, stdio = nil, killSignal = DEFAULT_SIGNAL, shell = nil, cwd = nil,
    env = nil, argv0 = nil,
  }
  local takes = kind.takes
  for name, value in next, options do
    local convert = takes[name]
    if convert and value ~= null then
      result[name] = convert(value)
      if isOfEnding[name] then
        noteEnding(result, name)
      end
    elseif not convert and name ~= "stdio" then
      unchecked(kind, result, name, value)
    end
  end
  if result.setsid ~= nil then
    replaced("setsid", "detached")
    result.detached = result.detached or result.setsid
  end
  local attributes = result.attributes
  if attributes then
    require("child_process.spawn.attributes").check(result)
  end
  local argv = {result.argv0 or file}
  if args ~= NONE then
    arguments.append(argv, "args", args)
  end
  local shell = result.shell
  result.args = argv
  if shell then
    if argv[2] then
      deprecated(UNQUOTED_TEXT, UNQUOTED)
    end
    result.file = shell
    result.words = argv
    result.args = {result.argv0 or shell, "-c", arguments.commandLine(result, file)}
  end
  if result.host then
    require("child_process.spawn.elsewhere").check(options, attributes)
  end
  local terminal = attributes and attributes.terminal
  if terminal then
    result.env = require("child_process.spawn.environment").withTerminal(result.env, terminal.name)
  end
  result.stdio, result.sharedStreams, result.ipc = parseStdio(options, kind, terminal ~= nil)
  if result.ipc then
    result.env = not result.host and require("child_process.spawn.environment").withChannel(
      result.env, result.ipc, result.serialization) or result.env
  end
  result.given = result.host and options or nil
  return result
end

--- Joins the command and its arguments with spaces and without quotes, for a shell and for errors.
---@param call table that `normalize` has made
---@param command string
---@return string
function arguments.commandLine(call, command)
  local words = call.words or call.args
  return #words == 1 and command or command .. " " .. table.concat(words, " ", 2)
end

return arguments
