--- process.env: the environment, read and written where it is.
local core = require("child_process.core")
local errors = require("child_process.lazy_errors")

local environment = {__name = "process.env"}

local function checkText(name, value)
  if value:find("\0", 1, true) then
    error(errors.invalidArgValue(name, value, "must be a string without null bytes"))
  end
end

function environment.__index(_, name)
  return type(name) == "string" and core.getenv(name) or nil
end

function environment.__newindex(_, name, value)
  if type(name) ~= "string" then
    error(errors.invalidArgType("env", "table with string keys", name))
  end
  checkText("env", name)
  value = value ~= nil and tostring(value) or nil
  checkText("env." .. name, value or "")
  local errno = core.setenv(name, value)
  if errno then
    error(errors.system(errno, "setenv"))
  end
end

local function nextVariable(list, name)
  local index = list[name] or 0
  local entry = list.pairs[index + 1]
  if entry then
    local key, value = entry:match("^(.[^=]*)=(.*)$")
    list[key] = index + 1
    return key, value
  end
end

function environment.__pairs()
  local list = {}
  for _, entry in ipairs(core.environ()) do
    if entry:find("^.[^=]*=") then
      list[#list + 1] = entry
    end
  end
  return nextVariable, {pairs = list}, nil
end

return {
  env = function()
    return setmetatable({}, environment)
  end,
}
