--- Handles as libuv has them, ours and luv's: userdata that stand for an open descriptor.
local core = require("child_process.core")

---@class child_process.native
local native = {}

--- What a listener of "message" gets where the other side has sent a handle by itself, and no
--- server or socket: the descriptor, for server:listen, net.Socket, socket:bind or `stdio`. It is
--- closed when it is collected.
---@class NativeHandle : userdata
---@field fileno fun(self: NativeHandle): integer? nil when it was taken or closed
---@field take fun(self: NativeHandle): integer? the same, which is the caller's from then on
---@field close fun(self: NativeHandle)

-- What the classes of luv's are called.
local LUVS = "^uv_"

local function isHandle(value)
  if core.kindOf(value) then
    return true
  end
  local meta = type(value) == "userdata" and debug.getmetatable(value)
  local name = meta and meta.__name
  return type(name) == "string" and name:find(LUVS) ~= nil
end

--- The descriptor of a handle.
---@param value any
---@return integer? # nil if the value is no handle, or a closed one
function native.fileno(value)
  if not isHandle(value) then
    return nil
  end
  local ok, fileno = pcall(function()
    return value:fileno()
  end)
  fileno = ok and math.tointeger(fileno)
  return fileno and fileno >= 0 and fileno or nil -- -1: a socket that has none yet
end

--- The descriptor of a NativeHandle, which is the caller's from now on.
---@param value any
---@return integer? # nil if the value is something else
function native.take(value)
  return core.kindOf(value) == "child_process.Descriptor" and value:take() or nil
end

--- What a handle is called on a channel.
---@param value any
---@return "net.Native"|"dgram.Native"|nil # nil if it is no handle that can be sent
function native.typeOf(value)
  local fd = native.fileno(value)
  return fd and (core.datagramFamily(fd) and "dgram.Native" or "net.Native")
end

return native
