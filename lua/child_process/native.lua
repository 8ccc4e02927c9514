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

-- What is sent as what, by its class: ours, and those of luv.
local types = {
  ["child_process.StreamHandle"] = "net.Native", ["child_process.ListenerHandle"] = "net.Native",
  ["child_process.DatagramHandle"] = "dgram.Native",
  uv_tcp = "net.Native", uv_pipe = "net.Native", uv_tty = "net.Native", uv_udp = "dgram.Native",
}

-- The class of a handle; nil for what is none.
local function classOf(value)
  local class = core.kindOf(value)
  if not class and type(value) == "userdata" then
    local meta = debug.getmetatable(value)
    local name = meta and meta.__name
    class = type(name) == "string" and name:find(LUVS) and name or nil
  end
  return class
end

--- The descriptor of a handle.
---@param value any
---@return integer? # nil if the value is no handle, or a closed one
function native.fileno(value)
  if not classOf(value) then
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

--- What a handle is called on a channel, whether it is open or not.
---@param value any
---@return "net.Native"|"dgram.Native"|nil # nil if it is no handle that can be sent
function native.typeOf(value)
  local class = classOf(value)
  if class ~= "child_process.Descriptor" then
    return types[class]
  end
  local fd = value:fileno()
  return fd and core.datagramFamily(fd) and "dgram.Native" or "net.Native"
end

return native
