--- Checks options.limits, the limits on what a child may use.

local check = require("child_process.base.check")
local core = require("child_process.core")
local errors = require("child_process.errors")
local debug = require("child_process.base.standard").debug

local null = core.null
local UNLIMITED = math.huge
local END = 2 ^ 63 -- numbers from this on could not be told from "no limit" on every system
local UNITS = {[""] = 1, K = 2 ^ 10, M = 2 ^ 20, G = 2 ^ 30, T = 2 ^ 40}

local function parseText(name, text)
  local digits, unit = text:upper():match("^(%d+)([KMGT]?)$")
  if text == "unlimited" then
    return UNLIMITED
  elseif not digits then
    error(errors.invalidArgValue(name, text,
      "must be a whole number, one with K, M, G or T after it, or 'unlimited'"))
  end
  local number = tonumber(digits) * UNITS[unit]
  if number >= END then
    error(errors.outOfRange(name, "less than 2^63, or 'unlimited'", text))
  end
  return number
end

-- Returns a number, which is UNLIMITED for no limit. `types` are those of the value, for errors.
local function parse(name, value, types)
  if type(value) == "string" then
    return parseText(name, value)
  elseif type(value) ~= "number" then
    error(errors.invalidArgType(name, types, value))
  end
  return value == UNLIMITED and value or check.integer(name, value, 0)
end

local ONE, ANY = {"number", "string"}, {"number", "string", "table"}

-- Returns the soft and the hard limit of a table.
local function parsePair(name, value, resource)
  for key in next, value do
    if key ~= 1 and key ~= 2 then
      error(errors.invalidArgValue(name, value,
        ("has the key %s, but must be {soft, hard}"):format(tostring(key))))
    end
  end
  local soft = parse(name .. "[1]", value[1], ONE)
  if value[2] == nil then
    return soft, select(2, core.limit(resource)) or UNLIMITED
  end
  local hard = parse(name .. "[2]", value[2], ONE)
  if soft > hard then
    error(errors.invalidArgValue(name, value, "must not have a soft limit above the hard one"))
  end
  return soft, hard
end

-- The kernel sends SIGXCPU at the soft limit and SIGKILL at the hard one. If these are the same,
-- only SIGKILL comes, which nobody can tell from others.
local function parseTime(name, value, resource)
  local soft = parse(name, value, ANY)
  local hard = select(2, core.limit(resource)) or UNLIMITED
  return soft, math.max(soft, math.min(soft + 1, hard))
end

local function forCore(value)
  return value == UNLIMITED and -1 or value
end

-- Returns a limit in the form that core takes, with fields for errors.
local function limitOf(key, value, resource)
  local name = "options.limits." .. key
  local soft, hard
  if type(value) == "table" then
    soft, hard = parsePair(name, value, resource)
  elseif key == "cpu" then
    soft, hard = parseTime(name, value, resource)
  else
    soft = parse(name, value, ANY)
    hard = soft
  end
  return {resource, forCore(soft), forCore(hard), name = key, value = value}
end

-- "Did you mean", also for the names of getrlimit(2), such as RLIMIT_CPU.
local function suggest(key, resources)
  local word = type(key) == "string" and key:gsub("^RLIMIT_", "") or key
  return require("child_process.base.suggestion")(word, resources)
end

local function unknown(key, resources)
  local names = {}
  for name in pairs(resources) do
    names[#names + 1] = name
  end
  table.sort(names)
  error(errors.invalidArgValue("options.limits", key,
    ("has a name that is no limit of this system%s; it has %s"):format(
      suggest(key, resources), table.concat(names, ", "))))
end

local function byName(a, b)
  return a.name < b.name
end

--- Checks options.limits.
---@param limits any
---@return table[] # for core, sorted by name
return function(limits)
  check.type("options.limits", "table", limits)
  if debug.getmetatable(limits) then
    limits = require("child_process.base.flatten")("options.limits", limits)
  end
  local resources = core.limits()
  local list = {}
  for key, value in next, limits do
    if not resources[key] then
      unknown(key, resources)
    elseif value ~= null then
      list[#list + 1] = limitOf(key, value, resources[key])
    end
  end
  table.sort(list, byName)
  return list
end
