--- Checks the options about what a child may use and who it is, which few starts have. Loaded for
--- the first of them.

local check = require("child_process.base.check")
local compat = require("child_process.base.compat")
local core = require("child_process.core")
local errors = require("child_process.errors")
local ids = require("child_process.spawn.ids")

---@class child_process.attributes
local attributes = {}

-- By option, a function that takes the value, raises if it is invalid, and returns it in the form
-- that core takes (src/binding/spawn_attributes.h).
---@type table<string, fun(value: any): any>
local checks = {}

-- Returns the list with each item converted.
local function list(name, value, convert)
  check.type(name, "table", value)
  local result = {}
  for key in compat.pairs(value) do
    if compat.mathType(key) ~= "integer" or key < 1 then
      error(errors.invalidArgValue(name, value,
        ("has the key %s, but must be a list"):format(tostring(key))))
    end
  end
  for index = 1, check.length(value) do
    result[index] = convert(("%s[%d]"):format(name, index), value[index])
  end
  return result
end

local function boolean(name)
  return function(value)
    return check.type(name, "boolean", value)
  end
end

function checks.processGroup(value)
  return check.integer("options.processGroup", value, 0, 0x7FFFFFFF)
end

function checks.limits(value)
  return require("child_process.spawn.resource_limits")(value)
end

function checks.nice(value)
  return check.integer("options.nice", value, -20, 19)
end

local function cpu(name, value)
  return check.integer(name, value, 0, core.MOST_CPUS - 1)
end

function checks.affinity(value)
  local cpus = list("options.affinity", value, cpu)
  if #cpus == 0 then
    error(errors.invalidArgValue("options.affinity", value, "must name at least one CPU"))
  end
  return cpus
end

local MOST_UMASK = 0x1FF -- 0777

function checks.umask(value)
  if type(value) == "string" then
    local number = value:find("^[0-7]+$") and tonumber(value, 8)
    if not number or number > MOST_UMASK then
      error(errors.invalidArgValue("options.umask", value,
        "must be octal digits from '000' to '777'"))
    end
    return number
  elseif type(value) ~= "number" then
    error(errors.invalidArgType("options.umask", {"string", "number"}, value))
  end
  return check.integer("options.umask", value, 0, MOST_UMASK)
end

function checks.groups(value)
  return list("options.groups", value, ids.group)
end

function checks.terminal(value)
  return require("child_process.spawn.terminal")(value)
end

checks.noNewPrivileges = boolean("options.noNewPrivileges")
checks.killOnParentExit = boolean("options.killOnParentExit")
checks.terminalForeground = boolean("options.terminalForeground")

--- Checks one of the options, and adds it to a call.
---@param call table that `normalize` makes
---@param name string
---@param value any
function attributes.add(call, name, value)
  call.attributes = call.attributes or {}
  call.attributes[name] = checks[name](value)
end

--- Checks what the options of a call mean together.
---@param call table with `attributes`
function attributes.check(call)
  local group = call.attributes.processGroup
  if group and group ~= 0 and call.tree then
    error(errors.invalidArgValue("options.processGroup", group,
      "cannot be combined with options.tree: a tree has a group of its own"))
  end
  if group and call.detached then
    error(errors.invalidArgValue("options.processGroup", group,
      "cannot be combined with options.detached, which makes a group of its own"))
  end
  if group and call.attributes.terminal then
    error(errors.invalidArgValue("options.processGroup", group,
      "cannot be combined with options.terminal, which makes a session of its own"))
  end
end

return attributes
