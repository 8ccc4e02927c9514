--- Userdata that have a descriptor: handles of core, and handles of luv.

local compat = require("child_process.base.compat")
local core = require("child_process.core")
local debug = require("child_process.base.standard").debug

---@class child_process.descriptor
local descriptor = {}

--- A listener of "message" gets this if the other side has sent a bare handle, not a server or a
--- socket. It can be passed to server:listen, net.Socket, socket:bind, and `stdio`. If unused, it
--- is closed when collected.
---@class NativeHandle : userdata
---@field fileno fun(self: NativeHandle): integer? nil when it was taken or closed
---@field take fun(self: NativeHandle): integer? the same; the caller owns it from then on
---@field close fun(self: NativeHandle)

-- The pattern of luv's class names.
local LUV_CLASS = "^uv_"

--- The class of a handle, as "child_process.StreamHandle" or "uv_tcp".
---@param value any
---@return string? # nil if the value is not a handle
function descriptor.classOf(value)
  local class = core.kindOf(value)
  if not class and type(value) == "userdata" then
    local meta = debug.getmetatable(value)
    local name = meta and meta.__name
    class = type(name) == "string" and name:find(LUV_CLASS) and name or nil
  end
  return class
end

local classOf = descriptor.classOf

local function callFileno(handle)
  return handle:fileno()
end

--- The descriptor of a handle.
---@param value any
---@return integer? # nil if the value is not a handle, or is closed
function descriptor.fileno(value)
  if not classOf(value) then
    return nil
  end
  local ok, fileno = pcall(callFileno, value)
  fileno = ok and compat.toInteger(fileno)
  return fileno and fileno >= 0 and fileno or nil -- -1: a socket that has none yet
end

--- Takes the descriptor out of a NativeHandle. The caller owns it from now on.
---@param value any
---@return integer? # nil if the value is something else
function descriptor.take(value)
  return core.kindOf(value) == "child_process.Descriptor" and value:take() or nil
end

return descriptor
