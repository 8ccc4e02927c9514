--- Checks of arguments. Each raises an error if it fails.

local compat = require("child_process.base.compat")
local errors = require("child_process.errors")

---@class child_process.check
local check = {}

--- Makes the check that a method of a class was called with a colon, and not with a dot.
---@param name string of the class
---@param metatable any what `getmetatable` gives for its objects
---@return fun(object: any, method: string) raises ERR_INVALID_THIS
function check.this(name, metatable)
  return function(object, method)
    if getmetatable(object) ~= metatable then
      error(errors.invalidThis(name .. ":" .. method))
    end
  end
end

--- Checks that a function was called with a dot: its first argument is not the module itself.
--- Raises ERR_INVALID_THIS.
---@param first any
---@param module table
---@param call string how to write the call: "net.connect"
function check.dot(first, module, call)
  if rawequal(first, module) then
    error(errors.invalidColon(call))
  end
end

--- Checks the type of a value. Raises ERR_INVALID_ARG_TYPE.
---@param name string of the argument; one with a dot ("options.cwd") is called a property
---@param expected "boolean"|"function"|"number"|"string"|"table"
---@param value any
---@return any value
function check.type(name, expected, value)
  if type(value) ~= expected then
    error(errors.invalidArgType(name, expected, value))
  end
  return value
end

--- The same for a value that may be missing.
---@param name string
---@param expected "boolean"|"function"|"number"|"string"|"table"
---@param value any
---@return any value
function check.optional(name, expected, value)
  if value ~= nil then
    check.type(name, expected, value)
  end
  return value
end

--- Returns the length of a list, of which entries may be nil: `#` may end it before any of these,
--- depending on the version of Lua. If most entries would be nil, the result is that of `#`.
---@param list table
---@return integer
function check.length(list)
  local count, last = 0, 0
  for key in next, list do
    if compat.mathType(key) == "integer" and key > 0 then
      count = count + 1
      last = key > last and key or last
    end
  end
  return last <= 2 * count + 8 and last or #list
end

--- Checks that C can take a string: a NUL byte would end it early. Raises ERR_INVALID_ARG_VALUE.
---@param name string
---@param text string
function check.noNul(name, text)
  if text:find("\0", 1, true) then
    error(errors.invalidArgValue(name, text, "must be a string without null bytes"))
  end
end

--- Checks a table of options, which may be missing. Raises ERR_INVALID_ARG_TYPE. Unknown names
--- cause a warning, or raise ERR_INVALID_ARG_VALUE: see strict.lua.
---@param caller string the name of the function in the warning
---@param options any
---@param known table<string, true>
---@return table? options
function check.options(caller, options, known)
  if options == nil then
    return nil
  end
  check.type("options", "table", options)
  for name, value in next, options do
    if not known[name] and type(name) == "string" then
      require("child_process.base.strict").unknownOption(caller, name, value, known)
    end
  end
  return options
end

local signalClass -- nil until abort/signal.lua is loaded; before that there are no signals

--- Sets the metatable of signals.
---@param metatable table
function check.setSignalClass(metatable)
  signalClass = metatable
end

--- Checks an AbortSignal. Raises ERR_INVALID_ARG_TYPE.
---@param name string
---@param value any
---@return AbortSignal
function check.signal(name, value)
  if not signalClass or getmetatable(value) ~= signalClass then
    error(errors.invalidArgType(name, "AbortSignal", value))
  end
  return value
end

--- Checks options.signal, which may be missing. Raises ERR_INVALID_ARG_TYPE.
---@param options table
---@return AbortSignal?
function check.signalOption(options)
  local signal = options.signal
  if signal ~= nil then
    check.signal("options.signal", signal)
  end
  return signal
end

--- Converts a number to an integer; math.huge means no limit.
---@param value number
---@return integer
function check.toInteger(value)
  return value >= compat.maxInteger and compat.maxInteger or math.floor(value)
end

--- Checks a number that is at least `least`, which nan is not. Raises ERR_INVALID_ARG_TYPE or
--- ERR_OUT_OF_RANGE.
---@param name string
---@param value any
---@param least number
---@return number value
function check.atLeast(name, value, least)
  check.type(name, "number", value)
  if value < least or value ~= value then
    error(errors.outOfRange(name, ">= " .. least, value))
  end
  return value
end

--- Checks a number of bytes, at least 1. Raises ERR_INVALID_ARG_TYPE or ERR_OUT_OF_RANGE.
---@param name string
---@param value any
---@return integer
function check.size(name, value)
  return check.toInteger(check.atLeast(name, value, 1))
end

--- Checks an integer. Raises ERR_INVALID_ARG_TYPE or ERR_OUT_OF_RANGE.
---@param name string
---@param value any
---@param least integer
---@param most? integer default: no limit
---@param allowed? string the range in other words, for the error
---@return integer # of the type that Lua has for integers
function check.integer(name, value, least, most, allowed)
  local number = compat.toInteger(check.type(name, "number", value))
  if not number or number < least or most and number > most then
    most = most or value > compat.maxInteger and compat.maxInteger
    allowed = allowed or most and (">= %d and <= %d"):format(least, most)
      or ("an integer >= %d"):format(least)
    error(errors.outOfRange(name, allowed, value))
  end
  return number
end

-- Between 2^53 and 2^63 a whole number is a float if Lua has no integers.
local function numberText(value)
  if compat.toInteger(value) then
    return ("%d"):format(value)
  elseif value % 1 == 0 and math.abs(value) < 2 ^ 63 then
    return ("%.0f"):format(value)
  end
  return tostring(value)
end

--- Converts a value to the text that a program gets. Numbers are written as by `tostring`, without
--- the ".0" of floats that are integers. Raises ERR_INVALID_ARG_TYPE or ERR_INVALID_ARG_VALUE.
---@param name string
---@param value any a string without NUL bytes, a number that is not nan, or a boolean
---@return string
function check.text(name, value)
  local kind = type(value)
  if kind == "number" then
    if value ~= value then
      error(errors.invalidArgValue(name, value, "must be a number other than nan"))
    end
    return numberText(value)
  elseif kind == "boolean" then
    return tostring(value)
  elseif kind ~= "string" then
    error(errors.invalidArgType(name, {"string", "number", "boolean"}, value))
  end
  check.noNul(name, value)
  return value
end

return check
