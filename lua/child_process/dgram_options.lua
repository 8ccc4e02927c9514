--- What can be set on UDP sockets. All of it raises EBADF before the socket is bound, EINVAL for
--- values that the system does not know.
local core = require("child_process.core")
local errors = require("child_process.errors")
local expect = require("child_process.expect")

local function fail(errno, syscall)
  if errno then
    error(errors.system(errno, syscall))
  end
end

local function integer(name, value)
  local number = math.tointeger(expect.type(name, "number", value))
  if not number or number < -0x80000000 or number > 0x7FFFFFFF then
    error(errors.outOfRange(name, "an int32", value))
  end
  return number
end

local function bufferError(errno, syscall)
  return errors.Error(("Could not get or set buffer size: %s returned %s")
    :format(syscall, core.errno[-errno]), {
    name = "SystemError", code = "ERR_SOCKET_BUFFER_SIZE", errno = errno, syscall = syscall,
  })
end

local function bufferSize(size)
  local number = type(size) == "number" and math.tointeger(size)
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

local function checkSize(options, name)
  local size = expect.optional("options." .. name, "number", options[name])
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
  expect.type("multicastAddress", "string", group)
  expect.optional("multicastInterface", "string", interface)
end

---@param Socket table the class that gets the methods
return function(Socket)
  --- May datagrams be sent to a broadcast address?
  ---@param on boolean
  function Socket:setBroadcast(on)
    Socket._check(self, "setBroadcast")
    fail(self._handle:set("broadcast", on and 1 or 0), "setBroadcast")
  end

  --- Over how many routers datagrams may go.
  ---@param ttl integer 1 to 255
  ---@return integer ttl
  function Socket:setTTL(ttl)
    Socket._check(self, "setTTL")
    fail(self._handle:set("ttl", integer("ttl", ttl)), "setTTL")
    return ttl
  end

  --- The same for datagrams to multicast groups.
  ---@param ttl integer 0 to 255
  ---@return integer ttl
  function Socket:setMulticastTTL(ttl)
    Socket._check(self, "setMulticastTTL")
    fail(self._handle:set("multicastTtl", integer("ttl", ttl)), "setMulticastTTL")
    return ttl
  end

  --- Do datagrams to multicast groups come back to this machine?
  ---@param on boolean
  ---@return boolean on
  function Socket:setMulticastLoopback(on)
    Socket._check(self, "setMulticastLoopback")
    fail(self._handle:set("multicastLoopback", on and 1 or 0), "setMulticastLoopback")
    return on
  end

  --- On which interface datagrams to multicast groups leave.
  ---@param address string of the interface; for "udp6" with its zone: "::%eth0"
  function Socket:setMulticastInterface(address)
    Socket._check(self, "setMulticastInterface")
    expect.type("interfaceAddress", "string", address)
    fail(self._handle:multicastInterface(address), "setMulticastInterface")
  end

  --- Joins a multicast group, binding the socket to a free port if it is not bound.
  ---@param group string
  ---@param interface? string an address of the interface; default: the kernel chooses
  function Socket:addMembership(group, interface)
    Socket._check(self, "addMembership")
    checkGroup(group, interface)
    if self._state == "unbound" then
      self:_bindTo(nil, 0)
    end
    fail(self._handle:membership(true, group, interface), "addMembership")
  end

  --- Leaves a multicast group. Closing the socket leaves all.
  ---@param group string
  ---@param interface? string as it was joined
  function Socket:dropMembership(group, interface)
    Socket._check(self, "dropMembership")
    checkGroup(group, interface)
    fail(self._handle:membership(false, group, interface), "dropMembership")
  end

  --- How much room the kernel has for what was not received yet.
  ---@return integer bytes
  function Socket:getRecvBufferSize()
    Socket._check(self, "getRecvBufferSize")
    return getBuffer(self, "recvBufferSize", "uv_recv_buffer_size")
  end

  --- Asks the kernel for more or less of it. Linux makes it twice the size.
  ---@param size integer bytes
  function Socket:setRecvBufferSize(size)
    Socket._check(self, "setRecvBufferSize")
    setBuffer(self, "recvBufferSize", size, "uv_recv_buffer_size")
  end

  --- How much room the kernel has for what was not sent yet.
  ---@return integer bytes
  function Socket:getSendBufferSize()
    Socket._check(self, "getSendBufferSize")
    return getBuffer(self, "sendBufferSize", "uv_send_buffer_size")
  end

  ---@param size integer bytes
  function Socket:setSendBufferSize(size)
    Socket._check(self, "setSendBufferSize")
    setBuffer(self, "sendBufferSize", size, "uv_send_buffer_size")
  end

  -- Raises unless the sizes among the options of createSocket can be used.
  function Socket._checkBufferSizes(options)
    checkSize(options, "recvBufferSize")
    checkSize(options, "sendBufferSize")
  end

  -- Makes them effective, now that there is a socket.
  function Socket:_setBufferSizes()
    for _, option in ipairs({"recvBufferSize", "sendBufferSize"}) do
      local size = self._options[option]
      local errno = size and self._handle:set(option, bufferSize(size))
      if errno then
        self:_emitLater("error", bufferError(errno, "setsockopt"))
      end
    end
  end
end
