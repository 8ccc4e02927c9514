--- Recognises streams by their metatables.

local errors = require("child_process.errors")

local getmetatable = getmetatable

---@class child_process.stream_identity
local identity = {}

-- The metatables of Stream and of the classes that inherit from it.
local metatables = {}

--- Makes objects with this metatable streams.
---@param metatable table
function identity.add(metatable)
  metatables[metatable] = true
end

---@param value any
---@return boolean
function identity.isStream(value)
  return metatables[getmetatable(value)] == true
end

--- Raises ERR_INVALID_THIS if a method was called with a dot.
---@param stream any
---@param method string
function identity.check(stream, method)
  if not metatables[getmetatable(stream)] then
    error(errors.invalidThis("Stream:" .. method))
  end
end

return identity
