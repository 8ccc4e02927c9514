--- Checks the options of the functions that start programs, each on its own.

local check = require("child_process.base.check")
local core = require("child_process.core")
local errors = require("child_process.errors")
local signals = require("child_process.spawn.signals")

local null = core.null

---@class child_process.options
local options = {}

--- True unless the value is nil or cp.null.
---@param value any
---@return boolean
function options.given(value)
  return value ~= nil and value ~= null
end

local given = options.given

-- By option, a function that takes the value, raises if it is invalid, and returns it in the form
-- that core takes; false for options that are checked elsewhere.
---@type table<string, false|fun(value: any): any>
local checks = {}
options.checks = checks

local function stringCheck(name)
  return function(value)
    if type(value) ~= "string" then
      error(errors.invalidArgType("options." .. name, "string", value))
    end
    check.noNul("options." .. name, value)
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

checks.cwd = stringCheck("cwd")
checks.argv0 = stringCheck("argv0")
checks.detached = booleanCheck("detached")
checks.setsid = booleanCheck("setsid")
checks.windowsHide = booleanCheck("windowsHide")
checks.windowsVerbatimArguments = booleanCheck("windowsVerbatimArguments")
checks.tree = booleanCheck("tree")
checks.disposeWaits = booleanCheck("disposeWaits")

function checks.uid(value)
  return require("child_process.spawn.ids").user("options.uid", value)
end

function checks.gid(value)
  return require("child_process.spawn.ids").group("options.gid", value)
end

function checks.host(value)
  if type(value) ~= "table" or not value._start then
    error(errors.invalidArgType("options.host", "Host", value))
  end
  return value
end

function checks.shell(shell)
  if type(shell) == "boolean" then
    return shell and "/bin/sh"
  elseif type(shell) ~= "string" then
    error(errors.invalidArgType("options.shell", {"boolean", "string"}, shell))
  end
  check.noNul("options.shell", shell)
  return shell ~= "" and shell
end

function checks.serialization(value)
  if value ~= "json" and value ~= "advanced" then
    error(errors.invalidArgValue("options.serialization", value,
      "must be one of: nil, 'json', 'advanced'"))
  end
  return value
end

function checks.maxMessageSize(value)
  return check.size("options.maxMessageSize", value)
end

function checks.signal(value)
  return check.signal("options.signal", value)
end

--- A time in milliseconds, a non-negative integer; math.huge means no limit.
---@param value any
---@return integer # 0: no limit
function checks.timeout(value)
  check.type("options.timeout", "number", value)
  return value == math.huge and 0
    or check.integer("timeout", value, 0, nil, "an unsigned integer")
end

--- Checks a delay in milliseconds, a non-negative integer; math.huge means that the time never
--- comes.
---@param name string
---@param value any
---@return integer? # nil: never
function options.checkDelay(name, value)
  return value ~= math.huge and check.integer(name, value, 0) or nil
end

function checks.forceKillAfterDelay(value)
  return options.checkDelay("options.forceKillAfterDelay", value)
end

function checks.waitDelay(value)
  return options.checkDelay("options.waitDelay", value)
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

--- Checks options.maxBuffer, the limit of captured output, which spawn does not have.
---@param value any options.maxBuffer
---@return integer bytes
function options.checkMaxBuffer(value)
  if not given(value) then
    return DEFAULT_MAX_BUFFER
  elseif type(value) ~= "number" then
    error(errors.invalidArgType("options.maxBuffer", "number", value))
  elseif value < 0 or value ~= value then
    error(errors.outOfRange("options.maxBuffer", "a positive number", value))
  end
  return check.toInteger(value)
end

--- Checks options.encoding, which spawn does not have. Words that name no encoding mean bytes.
---@param value any options.encoding
---@return string?
function options.checkEncoding(value)
  if not given(value) then
    return nil
  end
  return check.type("options.encoding", "string", value)
end

--- Returns options.input in bytes.
---@param all table
---@return string?
function options.readInput(all)
  local input = all.input
  if not given(input) then
    return nil
  end
  check.type("options.input", "string", input)
  local encoding = require("child_process.encoding")
  local name = options.checkEncoding(all.encoding)
  return encoding.normalize(name) and encoding.encode(input, name) or input
end

-- The environment as "NAME=value" strings.
function checks.env(env)
  return require("child_process.spawn.environment").list(env)
end

-- arguments.lua checks them.
checks.stdio, checks.customFds = false, false

--- The options that attributes.lua checks.
---@type table<string, true>
options.attributes = {
  processGroup = true, limits = true, nice = true, affinity = true, umask = true, groups = true,
  noNewPrivileges = true, killOnParentExit = true, terminalForeground = true, terminal = true,
}

--- The options for the Ending of a child.
---@type table<string, true>
options.ofEnding = {
  timeout = true, signal = true, tree = true, forceKillAfterDelay = true, waitDelay = true,
  disposeWaits = true,
}

for name in next, options.attributes do
  checks[name] = false
end

--- Checks one of the options that spawn takes.
---@param name string
---@param value any nil and null are absent
---@return any # in the form that core takes; nil if absent
function options.check(name, value)
  if given(value) then
    return checks[name](value)
  end
end

--- The options of a function, for the field `takes` of its kind.
---@param own string[] options that spawn does not have, or that the function checks by itself
---@param without string[] options of spawn that it does not have
---@return table<string, function|false>
function options.taking(own, without)
  local takes = {}
  for name, convert in next, checks do
    takes[name] = convert
  end
  for _, name in ipairs(own) do
    takes[name] = false
  end
  for _, name in ipairs(without) do
    takes[name] = nil
  end
  return takes
end

return options
