--- Options of UDP sockets. All methods raise EBADF before the socket is bound, and EINVAL for
--- values that the system does not know.

local compat = require("child_process.base.compat")
local core = require("child_process.core")
local errors = require("child_process.errors")
local check = require("child_process.base.check")
local Socket = require("child_process.dgram.socket")

local checkOpen = Socket.checkOpen

local function fail(errno, syscall)
  if errno then
    error(errors.system(errno, syscall))
  end
end

local function int32(name, value)
  return check.integer(name, value, -0x80000000, 0x7FFFFFFF)
end

local function bufferError(errno, syscall)
  return errors.Error(("Could not get or set buffer size: %s returned %s")
    :format(syscall, core.errno[-errno]), {
    name = "SystemError", code = "ERR_SOCKET_BUFFER_SIZE", errno = errno, syscall = syscall,
  })
end

local function bufferSize(size)
  local number = type(size) == "number" and compat.toInteger(size)
  if not number or number < 1 or number > 0x7FFFFFFF then
    error(errors.socketBadBufferSize())
  end
  return number
end

local function setBuffer(socket, option, size, syscall)
  local errno = socket._handle:set(option, bufferSize(size))
  if errno then
    error(bufferError(errno, syscall))
  end
end

local function checkSize(given, name)
  local size = check.optional("options." .. name, "number", given[name])
  if size then
    bufferSize(size)
  end
end

local function getBuffer(socket, option, syscall)
  local size, errno = socket._handle:get(option)
  return size or error(bufferError(errno, syscall))
end

local function checkGroup(group, interface)
  if group == nil then
    error(errors.missingArgs("multicastAddress"))
  end
  check.type("multicastAddress", "string", group)
  check.optional("multicastInterface", "string", interface)
end

---@class DatagramSocket
local options = {}

--- Sets whether datagrams may be sent to a broadcast address.
---@param on boolean
function options:setBroadcast(on)
  checkOpen(self, "setBroadcast")
  fail(self._handle:set("broadcast", on and 1 or 0), "setBroadcast")
end

--- Sets how many routers datagrams may pass.
---@param ttl integer 1 to 255
---@return integer ttl
function options:setTTL(ttl)
  checkOpen(self, "setTTL")
  fail(self._handle:set("ttl", int32("ttl", ttl)), "setTTL")
  return ttl
end

--- Sets how many routers datagrams to multicast groups may pass.
---@param ttl integer 0 to 255
---@return integer ttl
function options:setMulticastTTL(ttl)
  checkOpen(self, "setMulticastTTL")
  fail(self._handle:set("multicastTtl", int32("ttl", ttl)), "setMulticastTTL")
  return ttl
end

--- Sets whether datagrams to multicast groups come back to this machine.
---@param on boolean
---@return boolean on
function options:setMulticastLoopback(on)
  checkOpen(self, "setMulticastLoopback")
  fail(self._handle:set("multicastLoopback", on and 1 or 0), "setMulticastLoopback")
  return on
end

--- Sets the interface on which datagrams to multicast groups leave.
---@param address string of the interface; for "udp6" with its zone: "::%eth0"
function options:setMulticastInterface(address)
  checkOpen(self, "setMulticastInterface")
  check.type("interfaceAddress", "string", address)
  fail(self._handle:multicastInterface(address), "setMulticastInterface")
end

--- Joins a multicast group, binding the socket to a free port if it is not bound.
---@param group string
---@param interface? string an address of the interface; default: the kernel chooses
function options:addMembership(group, interface)
  checkOpen(self, "addMembership")
  checkGroup(group, interface)
  self:_bindToAny()
  fail(self._handle:membership(true, group, interface), "addMembership")
end

--- Leaves a multicast group. Closing the socket leaves all.
---@param group string
---@param interface? string as it was joined
function options:dropMembership(group, interface)
  checkOpen(self, "dropMembership")
  checkGroup(group, interface)
  fail(self._handle:membership(false, group, interface), "dropMembership")
end

--- The size of the kernel's buffer for datagrams that were not received yet.
---@return integer bytes
function options:getRecvBufferSize()
  checkOpen(self, "getRecvBufferSize")
  return getBuffer(self, "recvBufferSize", "uv_recv_buffer_size")
end

--- Sets the size of the kernel's buffer for datagrams that were not received yet. Linux doubles it.
---@param size integer bytes
function options:setRecvBufferSize(size)
  checkOpen(self, "setRecvBufferSize")
  setBuffer(self, "recvBufferSize", size, "uv_recv_buffer_size")
end

--- The size of the kernel's buffer for datagrams that were not sent yet.
---@return integer bytes
function options:getSendBufferSize()
  checkOpen(self, "getSendBufferSize")
  return getBuffer(self, "sendBufferSize", "uv_send_buffer_size")
end

--- Sets the size of the kernel's buffer for datagrams that were not sent yet. Linux doubles it.
---@param size integer bytes
function options:setSendBufferSize(size)
  checkOpen(self, "setSendBufferSize")
  setBuffer(self, "sendBufferSize", size, "uv_send_buffer_size")
end

-- Raises if the sizes in the options of createSocket are wrong.
function options._checkBufferSizes(given)
  checkSize(given, "recvBufferSize")
  checkSize(given, "sendBufferSize")
end

-- Sets the sizes from the options of createSocket. A failure is an event.
function options:_setBufferSizes()
  for _, option in ipairs({"recvBufferSize", "sendBufferSize"}) do
    local size = self:_option(option)
    local errno = size and self._handle:set(option, bufferSize(size))
    if errno then
      self:_emitLater("error", bufferError(errno, "setsockopt"))
    end
  end
end

return options
