--- Checks that many functions make of what they are given. Each raises if it does not hold.
local errors = require("child_process.lazy_errors")

---@class child_process.expect
local expect = {}

--- Makes the check that methods of a class are called with a colon, and not with a dot.
---@param name string of the class
---@param metatable any what `getmetatable` gives for its objects
---@return fun(object: any, method: string) raises ERR_INVALID_THIS
function expect.this(name, metatable)
  return function(object, method)
    if getmetatable(object) ~= metatable then
      error(errors.invalidThis(name .. ":" .. method))
    end
  end
end

--- A value of this type. Raises ERR_INVALID_ARG_TYPE.
---@param name string of the argument; one with a dot ("options.cwd") is called a property
---@param expected "boolean"|"function"|"number"|"string"|"table"
---@param value any
---@return any value
function expect.type(name, expected, value)
  if type(value) ~= expected then
    error(errors.invalidArgType(name, expected, value))
  end
  return value
end

--- The same of a value that may be missing.
---@param name string
---@param expected "boolean"|"function"|"number"|"string"|"table"
---@param value any
---@return any value
function expect.optional(name, expected, value)
  if value ~= nil then
    expect.type(name, expected, value)
  end
  return value
end

--- A string that C can take. Raises ERR_INVALID_ARG_VALUE if a NUL byte would end it early.
---@param name string
---@param text string
function expect.noNul(name, text)
  if text:find("\0", 1, true) then
    error(errors.invalidArgValue(name, text, "must be a string without null bytes"))
  end
end

return expect
