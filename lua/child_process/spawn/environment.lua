--- Makes the environment of a child: a list of "NAME=value".

local check = require("child_process.base.check")
local core = require("child_process.core")
local errors = require("child_process.errors")
local debug = require("child_process.base.standard").debug

local getmetatable = debug.getmetatable -- also sees behind a __metatable field
local null = core.null

---@class child_process.environment
local environment = {}

local function pair(name, value)
  if type(name) ~= "string" then
    error(errors.invalidArgType("options.env", "table with string keys", name))
  end
  local place = ("options.env['%s']"):format(name)
  if name == "" or name:find("=", 1, true) then
    error(errors.invalidArgValue(place, name, "must have a name without '='"))
  end
  check.noNul(place, name)
  return name .. "=" .. check.text(place, value)
end

--- Checks options.env.
---@param env any
---@return string[]
function environment.list(env)
  if type(env) ~= "table" then
    error(errors.invalidArgType("options.env", "table", env))
  end
  if getmetatable(env) then
    env = require("child_process.base.flatten")("options.env", env)
  end
  local list = {}
  for name, value in next, env do
    if value ~= null then
      list[#list + 1] = pair(name, value)
    end
  end
  return list
end

--- Adds variables to our environment, over those of the same names.
---@param variables string[] from `list`
---@param unset? string[] names of variables to leave out
---@return string[]
function environment.overOurs(variables, unset)
  local isSet, list = {}, {}
  for _, name in ipairs(unset or {}) do
    isSet[name] = true
  end
  for index, variable in ipairs(variables) do
    isSet[variable:match("^[^=]*")] = true
    list[index] = variable
  end
  for _, variable in ipairs(core.environ()) do
    if not isSet[variable:match("^[^=]*")] then
      list[#list + 1] = variable
    end
  end
  return list
end

-- Variables that describe our terminal.
local OF_TERMINAL = {TERM = true, COLUMNS = true, LINES = true}

--- Sets the variable that names the kind of the child's terminal, unless options.env has it.
---@param env? string[] from `list`; nil for ours, which is about our terminal
---@param name string
---@return string[]
function environment.withTerminal(env, name)
  local list = {}
  for _, variable in ipairs(env or core.environ()) do
    local key = variable:match("^[^=]*")
    if env and key == "TERM" then
      return env
    elseif env or not OF_TERMINAL[key] then
      list[#list + 1] = variable
    end
  end
  list[#list + 1] = "TERM=" .. name
  return list
end

--- Adds the variables with which a child finds its channel.
---@param env? string[] from `list`; nil for ours
---@param fd integer of the channel in the child
---@param serialization? "json"|"advanced"
---@return string[]
function environment.withChannel(env, fd, serialization)
  local list = {}
  for _, variable in ipairs(env or core.environ()) do
    if not variable:find("^NODE_CHANNEL_") then
      list[#list + 1] = variable
    end
  end
  list[#list + 1] = "NODE_CHANNEL_FD=" .. fd
  list[#list + 1] = "NODE_CHANNEL_SERIALIZATION_MODE=" .. (serialization or "json")
  return list
end

return environment
