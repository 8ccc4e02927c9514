--- The class Error, and its constructors.

local compat = require("child_process.base.compat")
local debug = require("child_process.base.standard").debug

---@class child_process.errors
local errors = {}

local getmetatable = debug.getmetatable -- also sees behind a __metatable field

-- Loaded when the first traceback is needed.
local function userTrace()
  return require("child_process.errors.user_trace")
end

local Error = {__name = "Error"}

local function describe(self)
  local head = tostring(self.name)
  local code = self.code
  if type(code) == "string" and code:find("^ERR_") then
    head = ("%s [%s]"):format(head, code)
  end
  local message = tostring(self.message)
  return message == "" and head or head .. ": " .. message
end

-- The text that an interpreter writes for an error that ends the program. `here` is the traceback
-- to use if that of the error shows no line of the user's.
local function uncaughtText(self, here)
  local own = self.traceback
  local text, position = userTrace().trim(type(own) == "string" and own or here)
  if not position then
    text, position = userTrace().trim(here)
  end
  local description = describe(self):match("^.*[^\n]") or "" -- in linear time, unlike "\n+$"
  return (position and position .. " " or "") .. description .. "\n" .. text
end

-- Functions with which a program converts a value to text.
local converters = {[tostring] = true, [print] = true, [string.format] = true}

-- Whether the interpreter's message handler has called __tostring. It is a C function, and the C
-- function that raised the error has called it.
local function isUncaught()
  local caller = debug.getinfo(3, "Sf") -- of __tostring
  if not caller or caller.what ~= "C" or converters[caller.func] then
    return false
  end
  local raiser = debug.getinfo(4, "Sf")
  return raiser ~= nil and raiser.what == "C" and raiser.func ~= pcall and raiser.func ~= xpcall
end

--- The text that Node prints. For an interpreter that the error ends, the position of the user's
--- line comes before it, and the traceback after it.
function Error:__tostring()
  if isUncaught() then
    return uncaughtText(self, compat.traceback(3))
  end
  return describe(self)
end

local function asText(value)
  local kind = type(value)
  if getmetatable(value) == Error then
    return describe(value)
  elseif kind ~= "string" and kind ~= "number" then
    error(("attempt to concatenate a %s value"):format(kind), 3)
  end
  return value
end

--- "failed: " .. err appends the text that Node prints.
function Error.__concat(left, right)
  local leftText, rightText = asText(left), asText(right)
  return leftText .. rightText
end

--- Makes an error.
---@param name string
---@param message? string
---@param fields? table copied into the error
---@return Error
function errors.make(name, message, fields)
  local err = {name = name, message = message or ""}
  for key, value in pairs(fields or {}) do
    err[key] = value
  end
  return setmetatable(err, Error)
end

--- Makes an error with a code.
---@param name string
---@param code string|integer
---@param message string
---@return Error
function errors.withCode(name, code, message)
  return setmetatable({name = name, code = code, message = message}, Error)
end

--- Notes the traceback in an error, unless it has one.
---@param err Error
---@return Error err
function errors.traced(err)
  err.traceback = err.traceback or userTrace().here()
  return err
end

--- Makes an error with a code and with the traceback, to be raised at once.
---@param name string
---@param code string|integer
---@param message string
---@return Error
function errors.misuse(name, code, message)
  return errors.traced(errors.withCode(name, code, message))
end

--- Returns the text that an interpreter writes for an error that ends the program: the position of
--- the user's line, the error, and the traceback.
---@param err Error
---@param traceback string used unless the error has one that shows a line of the user's
---@return string
function errors.uncaughtText(err, traceback)
  return uncaughtText(err, traceback)
end

---@param message? string
---@param fields? table copied into the error
---@return Error
function errors.Error(message, fields)
  return errors.make("Error", message, fields)
end

---@param message? string
---@param fields? table copied into the error
---@return Error
function errors.TypeError(message, fields)
  return errors.make("TypeError", message, fields)
end

---@param message? string
---@param fields? table copied into the error
---@return Error
function errors.RangeError(message, fields)
  return errors.make("RangeError", message, fields)
end

---@param message? string default "The operation was aborted"
---@param fields? table copied into the error
---@return Error # its code is "ABORT_ERR"
function errors.AbortError(message, fields)
  local err = errors.make("AbortError", message or "The operation was aborted", fields)
  err.code = err.code or "ABORT_ERR"
  return err
end

--- Makes the AbortError of an operation that a signal has ended.
---@param signal AbortSignal
---@return Error
function errors.aborted(signal)
  return errors.AbortError(nil, {cause = signal.reason})
end

--- Combines several errors into one.
---@param message string
---@param list any[]
---@return Error
function errors.aggregate(message, list)
  return errors.make("AggregateError", message, {errors = list})
end

-- The codes of DOMExceptions, from the web's standards.
local domCodes = {AbortError = 20, TimeoutError = 23}

--- Makes a DOMException: the reason of a signal that was aborted without one.
---@param name string "AbortError" or "TimeoutError"
---@param message string
---@return Error
function errors.domException(name, message)
  return errors.withCode(name, domCodes[name], message)
end

--- Whether the value is an Error.
---@param value any
---@return boolean
function errors.isError(value)
  return getmetatable(value) == Error
end

return errors
