--- Handles as libuv has them, ours and luv's: userdata that stand for an open descriptor.
local core = require("child_process.core")

---@class child_process.native
local native = {}

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

--- What a handle is called on a channel.
---@param value any
---@return "net.Native"|"dgram.Native"|nil # nil if it is no handle that can be sent
function native.typeOf(value)
  local fd = native.fileno(value)
  return fd and (core.datagramFamily(fd) and "dgram.Native" or "net.Native")
end

return native
