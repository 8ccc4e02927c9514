--- Binds UDP sockets, to an address or to a descriptor that exists.

local arguments = require("child_process.net.arguments")
local core = require("child_process.core")
local errors = require("child_process.errors")
local loop = require("child_process.loop")
local descriptor = require("child_process.base.descriptor")
local addresses = require("child_process.dgram.address")
local Socket = require("child_process.dgram.socket")

local checkOpen = Socket.checkOpen

---@class DatagramBindOptions
---@field port? integer
---@field address? string
---@field fd? integer a UDP socket that is bound; the socket takes it over
---@field exclusive? boolean without effect

---@class DatagramSocket
local bind = {
  _onlistening = false, ---@type function|false the callback of `bind`, until the socket is bound
  _state = "unbound", ---@type "unbound"|"binding"|"bound" it is binding while a name is looked up
  _waiting = false, ---@type function[]|false called after binding, with the error if that failed
}

local function callWaiting(socket, err)
  local waiting = socket._waiting
  socket._waiting = false
  for _, callback in ipairs(waiting or {}) do
    callback(err)
  end
end

local function bindFailed(socket, err)
  local callback = socket._onlistening
  socket._state, socket._onlistening = "unbound", false
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

-- Called when the handle is bound. Starts to receive. Returns an error, or nothing.
local function bound(socket)
  local errno = socket._handle:receive()
  if errno then
    replaceHandle(socket, core.datagram(addresses.families[socket.type]))
    return bindFailed(socket, errors.system(errno, "bind"))
  end
  socket._state = "bound"
  socket._onlistening = false
  loop.started(socket)
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

-- The handle that the argument of `bind` refers to in some way; nil if the argument is an address.
-- The socket gets a copy of a descriptor that another object owns. A handle from a message has no
-- owner.
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
  local fd = checkType(descriptor.fileno(value) or error(errors.invalidHandleType()))
  local taken = descriptor.take(value)
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

function bind:_isBound()
  return self._state == "bound"
end

-- Whether anybody waits for the socket to be bound.
function bind:_hasWaiting()
  return self._waiting ~= false
end

-- Binds the socket. Returns the error if that has failed already; it is an event, too.
function bind:_bindTo(host, port)
  local result
  local later = addresses.resolve(self, host or addresses.any[self.type], function(err, address)
    if not self._handle then
      return
    elseif err then
      result = bindFailed(self, err)
      return
    end
    local errno = self._handle:bind(address, port, self:_option("reuseAddr"),
      self:_option("ipv6Only"), self:_option("reusePort"))
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

-- Binds the socket to a free port unless it is bound already. Returns the error if that has failed.
function bind:_bindToAny()
  return self._state == "unbound" and self:_bindTo(nil, 0) or nil
end

-- Calls a function when the socket is bound or could not be bound; at once if it is bound already.
-- Returns whether the call comes later.
function bind:_whenBound(callback)
  local err = self:_bindToAny()
  if err or self._state == "bound" then
    callback(err)
    return false
  end
  self._waiting = self._waiting or {}
  table.insert(self._waiting, callback)
  return true
end

--- Binds the socket. "listening" follows, and then "message" for each datagram. If binding fails,
--- "error" follows, and the socket may be bound again. By default the socket gets a free port on
--- all interfaces. Instead of port and address, a handle or a descriptor may be given: `{fd = n}`
--- and a handle from a message are taken over; a socket, or another handle, such as one of luv, is
--- shared. Raises ERR_SOCKET_ALREADY_BOUND.
---@param port? integer
---@param address? string in digits, or a name
---@param callback? fun() listener of "listening"
---@return DatagramSocket self
---@overload fun(self: DatagramSocket, callback: function): DatagramSocket
---@overload fun(self: DatagramSocket, port: integer, callback: function): DatagramSocket
---@overload fun(self: DatagramSocket, options: DatagramBindOptions|table|userdata,
---callback?: function): DatagramSocket
function bind:bind(port, address, callback)
  checkOpen(self, "bind")
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

return bind
