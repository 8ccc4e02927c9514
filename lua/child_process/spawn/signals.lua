--- Names and numbers of signals.

local compat = require("child_process.base.compat")
local core = require("child_process.core")
local errors = require("child_process.errors")

local names = core.signals

---@class child_process.signals
local signals = {}

local function raiseUnknown(signal)
  error(errors.unknownSignal(signal, require("child_process.base.suggestion")(signal, names)))
end

--- The number of a signal that is given by name ("SIGTERM", in any case) or number.
---@param signal string|integer|any
---@return integer
function signals.number(signal)
  local number
  if type(signal) == "string" then
    number = names[signal:upper()]
  elseif type(signal) == "number" and names[signal] then
    number = compat.toInteger(signal)
  end
  if not number then
    raiseUnknown(signal)
  end
  return number
end

--- The name of a signal; for a signal without a name "SIG" and its number.
---@param number integer
---@return string
function signals.name(number)
  return names[number] or "SIG" .. number
end

return signals
