--- Limits of options.limits in messages: as they were given, and which of them a child has reached.

local core = require("child_process.core")

---@class child_process.errors.limits
local limits = {}

--- The value of a limit as a script has written it.
---@param limit table from spawn/resource_limits.lua
---@return string
function limits.text(limit)
  local value = limit.value
  if type(value) ~= "table" then
    return tostring(value)
  elseif value[2] == nil then
    return ("{%s}"):format(tostring(value[1]))
  end
  return ("{%s, %s}"):format(tostring(value[1]), tostring(value[2]))
end

--- All limits as a list: "as = 2G, stack = 1M".
---@param list table[]
---@return string
function limits.list(list)
  local texts = {}
  for index, limit in ipairs(list) do
    texts[index] = ("%s = %s"):format(limit.name, limits.text(limit))
  end
  return table.concat(texts, ", ")
end

--- Returns the limits with some of the names.
---@param list table[]?
---@param names string[]
---@return table[]
function limits.among(list, names)
  local found = {}
  for _, limit in ipairs(list or {}) do
    for _, name in ipairs(names) do
      found[#found + 1] = limit.name == name and limit or nil
    end
  end
  return found
end

-- The limits after which the system sends a signal, and those that can be the reason of one that
-- has many reasons.
local certain = {SIGXCPU = {"cpu", "rttime"}, SIGXFSZ = {"fsize"}}
local possible = {
  SIGKILL = {"as", "cpu", "data", "rttime", "stack"}, SIGSEGV = {"as", "data", "stack"},
  SIGBUS = {"as", "data", "stack"}, SIGABRT = {"as", "data"},
}

local function certainly(signal, list)
  local limit = limits.among(list, certain[signal] or {})[1]
  return limit and (", options.limits.%s is %s"):format(limit.name, limits.text(limit))
end

-- A shell returns 128 plus the number of the signal that has ended its command.
local function inShell(code, list)
  local signal = code and code > 128 and core.signals[code - 128]
  local text = signal and certainly(signal, list)
  return text and (", perhaps for %s in a shell%s"):format(signal, text)
end

--- What to add to "killed by SIGXCPU" or to "exit code 152" if that is due to a limit.
---@param code integer?
---@param signal string?
---@param list table[] the limits of the child
---@return string # empty if it is not
function limits.reached(code, signal, list)
  local text = certainly(signal, list) or inShell(code, list)
  local others = limits.among(list, possible[signal] or {})
  return text or #others > 0 and (", perhaps for options.limits (%s)"):format(limits.list(others))
    or ""
end

return limits
