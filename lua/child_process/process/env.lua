--- process.env: a table that reads and writes the environment. Both `process.env()` and, from
--- Lua 5.2 on, `pairs(process.env)` iterate over it.

local check = require("child_process.base.check")
local core = require("child_process.core")
local errors = require("child_process.errors")

local environment = {__name = "process.env"}

function environment.__index(_, name)
  return type(name) == "string" and core.getenv(name) or nil
end

function environment.__newindex(_, name, value)
  if type(name) ~= "string" then
    error(errors.invalidArgType("env", "table with string keys", name))
  end
  check.noNul("env", name)
  if value ~= nil then
    value = check.text("env." .. name, value)
  end
  local errno = core.setenv(name, value)
  if errno then
    error(errors.system(errno, "setenv"))
  end
end

-- Iterates over a copy, so that the body of the loop may set and remove variables. If the
-- environment has a name twice, the first one counts, as for getenv.
function environment.__pairs()
  local values, names = {}, {}
  for _, entry in ipairs(core.environ()) do
    local name, value = entry:match("^(.[^=]*)=(.*)$")
    if name and values[name] == nil then
      values[name] = value
      names[#names + 1] = name
    end
  end
  local index = 0
  return function()
    index = index + 1
    local name = names[index]
    return name, values[name]
  end
end

-- In Lua 5.1 pairs does not call __pairs.
environment.__call = environment.__pairs

return {
  env = function()
    return setmetatable({}, environment)
  end,
}
