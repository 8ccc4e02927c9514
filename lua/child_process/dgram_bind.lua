--- Binding UDP sockets, to an address or to a descriptor that exists.
--   _state        "unbound", "binding" while a name is looked up, "bound"
--   _waiting      what is to be called after binding, with the error if that failed; nil while
--                 there is nothing
--   _onlistening  the callback of `bind`, until the socket is bound
local arguments = require("child_process.socket_arguments")
local core = require("child_process.core")
local errors = require("child_process.errors")
local loop = require("child_process.loop")
local native = require("child_process.native")
local addresses = require("child_process.dgram_address")

---@class DatagramBindOptions
---@field port? integer
---@field address? string
---@field fd? integer a UDP socket that is bound; the socket takes it over
---@field exclusive? boolean without effect

local function callWaiting(socket, err)
  local waiting = socket._waiting
  socket._waiting = nil
  for _, callback in ipairs(waiting or {}) do
    callback(err)
  end
end

local function bindFailed(socket, err)
  local callback = socket._onlistening
  socket._state, socket._onlistening = "unbound", nil
  socket:_emitLater("error", err)
  callWaiting(socket, err)
  if callback then
    socket:removeListener("listening", callback)
  end
  return err
end

local function replaceHandle(socket, handle)
  socket._handle:close()
  socket:_setHandle(handle)
end

-- The socket has its descriptor. Returns an error, or nothing.
local function bound(socket)
  local errno = socket._handle:receive()
  if errno then
    replaceHandle(socket, core.datagram(addresses.families[socket.type]))
    return bindFailed(socket, errors.system(errno, "bind"))
  end
  socket._state = "bound"
  socket._onlistening = nil
  loop.started()
  socket:_setBufferSizes()
  socket:_emitLater("listening")
  callWaiting(socket)
end

local function checkType(fd)
  if not core.datagramFamily(fd) then
    error(errors.invalidFdType("UNKNOWN"))
  end
  return fd
end

local function open(fd, copy)
  local handle, errno = core.openDatagram(fd, copy)
  if not handle then
    error(errors.system(errno, "open"))
  end
  return handle
end

-- The handle that was given, one way or the other; nil for options that name none. What belongs to
-- somebody else is shared: the socket gets a descriptor of its own. What has come with a message
-- belongs to nobody.
local function handleOf(value)
  if core.isFreeDatagram(value) then
    return value
  elseif type(value) == "table" then
    if value.fd ~= nil then
      return open(checkType(arguments.fd("options.fd", value.fd)), false)
    elseif value._handle == nil then
      return nil
    end
    value = value._handle
  end
  local fd = checkType(native.fileno(value) or error(errors.invalidHandleType()))
  local taken = native.take(value)
  return open(taken or fd, not taken)
end

-- The arguments of bind, checked: port, address and callback; or nil, nil, callback and a handle.
local function sortArguments(port, address, callback)
  if type(port) == "function" then
    port, address, callback = nil, nil, port
  elseif type(address) == "function" then
    address, callback = nil, address
  end
  if type(port) == "table" or type(port) == "userdata" then
    local handle = handleOf(port)
    if handle then
      return nil, nil, callback, handle
    end
    port, address = port.port, port.address
  end
  port = port == nil and 0 or arguments.port("Port", port)
  return port, arguments.host("address", address), callback
end

---@param Socket table the class that gets the methods
return function(Socket)
  -- Has a function called when the socket is bound, or could not be: at once if it is already.
  -- Returns whether it will be called later.
  function Socket:_whenBound(callback)
    if self._state == "unbound" then
      local err = self:_bindTo(nil, 0)
      if err then
        callback(err)
        return false
      end
    end
    if self._state == "bound" then
      callback()
      return false
    end
    self._waiting = self._waiting or {}
    table.insert(self._waiting, callback)
    return true
  end

  -- Returns the error if it failed already; it has been told of as an event, too.
  function Socket:_bindTo(host, port)
    local result
    local later = addresses.resolve(self, host or addresses.any[self.type], function(err, address)
      if not self._handle then
        return
      elseif err then
        result = bindFailed(self, err)
        return
      end
      local options = self._options
      local errno = self._handle:bind(address, port, options.reuseAddr, options.ipv6Only)
      if errno then
        result = bindFailed(self, errors.address(errno, "bind", address, port))
      else
        result = bound(self)
      end
    end)
    if later then
      self._state = "binding"
    end
    return result
  end

  --- Binds the socket: "listening" follows, and then "message" for each datagram; or "error", and
  --- it may be tried again. Without a port it gets one that is free, without an address those of
  --- all interfaces. A handle or a descriptor takes the place of port and address: `{fd = n}` is
  --- taken over, as is a handle that came with a message; a socket, or another handle, of luv for
  --- instance, is shared. Raises ERR_SOCKET_ALREADY_BOUND.
  ---@param port? integer
  ---@param address? string in digits, or a name
  ---@param callback? fun() listener of "listening"
  ---@return DatagramSocket self
  ---@overload fun(self: DatagramSocket, callback: function): DatagramSocket
  ---@overload fun(self: DatagramSocket, port: integer, callback: function): DatagramSocket
  ---@overload fun(self: DatagramSocket, options: DatagramBindOptions|table|userdata,
  ---callback?: function): DatagramSocket
  function Socket:bind(port, address, callback)
    Socket._check(self, "bind")
    if self._state ~= "unbound" then
      error(errors.socketAlreadyBound())
    end
    local handle
    port, address, callback, handle = sortArguments(port, address, callback)
    if callback ~= nil then
      self:once("listening", callback)
      self._onlistening = callback
    end
    if handle then
      replaceHandle(self, handle)
      self.type = addresses.types[handle:family()]
      bound(self)
    else
      self:_bindTo(address, port)
    end
    return self
  end
end
