--- The sending side of UDP sockets: send, connect, disconnect.
--   _peer   nil, "connecting", or "connected"
--   _queue  datagrams that the kernel had no room for, in order; nil while there are none
local arguments = require("child_process.socket_arguments")
local core = require("child_process.core")
local errors = require("child_process.errors")
local expect = require("child_process.expect")
local loop = require("child_process.loop")
local addresses = require("child_process.dgram_address")

local EAGAIN = -core.errno.EAGAIN
local tick = loop.tick

-- A datagram on its way, which is its own record in queues and ticks.
---@class child_process.Datagram
---@field socket DatagramSocket
---@field bytes string
---@field host? string as it was given
---@field address? string in digits
---@field port? integer
---@field callback? fun(err: Error?, bytes: integer?)
---@field err? Error
---@field sent? integer

local function callBack(datagram)
  datagram.callback(datagram.err, datagram.sent)
end

-- The datagram is sent, or cannot be.
local function finish(datagram, err, sent)
  if datagram.callback then
    datagram.err, datagram.sent = err, sent
    tick(callBack, datagram)
  elseif err and datagram.socket._handle then
    datagram.socket:_emitLater("error", err)
  end
end

-- Returns false when the kernel has no room.
local function try(datagram)
  local handle, port = datagram.socket._handle, datagram.port
  local sent, errno = handle:send(datagram.bytes, datagram.address, port)
  if sent then
    finish(datagram, nil, sent)
  elseif errno == EAGAIN then
    return false
  else
    finish(datagram, errors.address(errno, "send", datagram.address, port))
  end
  return true
end

local function failQueue(socket, err)
  local queue = socket._queue
  socket._queue = nil
  for index = queue.first, queue.last do
    finish(queue[index], err)
  end
end

local function awaitRoom(socket)
  local errno = socket._handle:awaitRoom()
  if errno then
    failQueue(socket, errors.system(errno, "send"))
  end
end

local function transmit(datagram)
  local socket = datagram.socket
  local queue = socket._queue
  if queue then
    queue.last = queue.last + 1
    queue[queue.last] = datagram
  elseif not try(datagram) then
    socket._queue = {first = 1, last = 1, datagram}
    awaitRoom(socket)
  end
end

local function deliver(datagram)
  local host = datagram.host
  if not host or core.addressFamily(host) ~= 0 then -- the usual cases, which make no function
    datagram.address = host
    transmit(datagram)
    return
  end
  addresses.resolve(datagram.socket, host, function(err, address)
    datagram.address = address
    if err then
      finish(datagram, err)
    else
      transmit(datagram)
    end
  end)
end

-- The bytes from `offset` (a count) on, `length` of them.
local function slice(message, offset, length)
  expect.type("buffer", "string", message)
  offset = math.tointeger(expect.type("offset", "number", offset))
  length = math.tointeger(expect.type("length", "number", length))
  if not offset or offset < 0 or offset > #message then
    error(errors.bufferOutOfBounds("offset"))
  elseif not length or length < 0 or length > #message - offset then
    error(errors.bufferOutOfBounds("length"))
  end
  return message:sub(offset + 1, offset + length)
end

local function join(message)
  if type(message) == "string" then
    return message
  elseif type(message) ~= "table" then
    error(errors.invalidArgType("buffer", {"string", "table"}, message))
  end
  for index = 1, #message do
    expect.type("buffer list arguments", "string", message[index])
  end
  return table.concat(message)
end

-- The arguments of send for a socket with a peer: ([offset, length][, callback]).
local function connectedArguments(message, offset, length, port, address, callback)
  if type(length) == "number" then
    message = slice(message, offset, length)
    if type(port) == "function" then
      port, callback = nil, port
    end
  elseif type(offset) == "function" or offset == nil then
    callback = offset
  else
    port = offset
  end
  if port ~= nil or address ~= nil then
    error(errors.socketDgramIsConnected())
  end
  return message, callback
end

-- And without one: ([offset, length, ]port[, address][, callback]).
local function freeArguments(message, offset, length, port, address, callback)
  if address ~= nil or (port ~= nil and type(port) ~= "function") then
    message = slice(message, offset, length)
  else
    port, address, callback = offset, length, port
  end
  if type(address) == "function" then
    address, callback = nil, address
  end
  return message, callback, arguments.port("Port", port, 1), address
end

---@param Socket table the class that gets the methods
return function(Socket)
  --- Sends a datagram, binding the socket to a free port if it is not bound. The callback comes
  --- when the kernel has taken it, or with the error; without a callback that is an "error" event.
  --- A socket that is connected takes neither port nor address.
  ---@param message string|string[] may be empty; the strings of a list are put together
  ---@param offset integer with `length`, and only of a single string: so many bytes are left out
  ---@param length integer
  ---@param port integer
  ---@param address? string in digits or a name; default: this machine
  ---@param callback? fun(err: Error?, bytes: integer?)
  ---@overload fun(self: DatagramSocket, message: string|string[], port: integer, address?: string,
  ---callback?: function)
  ---@overload fun(self: DatagramSocket, message: string|string[], port: integer,
  ---callback: function)
  ---@overload fun(self: DatagramSocket, message: string|string[], callback?: function)
  function Socket:send(message, offset, length, port, address, callback)
    Socket._check(self, "send")
    if self._peer == "connected" then
      message, callback = connectedArguments(message, offset, length, port, address, callback)
      port, address = nil, nil
    else
      message, callback, port, address =
        freeArguments(message, offset, length, port, address, callback)
      address = arguments.host("address", address) or addresses.loopback[self.type]
    end
    expect.optional("callback", "function", callback)
    local datagram = {
      socket = self, bytes = join(message), host = address, port = port, callback = callback,
    }
    if self._state == "bound" then
      deliver(datagram)
      return
    end
    self:_whenBound(function(err)
      if not err then
        deliver(datagram)
      elseif callback then
        finish(datagram, err)
      end
    end)
  end

  -- Called by core.
  function Socket:onroom()
    local queue = self._queue
    while queue.first <= queue.last do
      if not try(queue[queue.first]) then
        awaitRoom(self)
        return
      end
      queue[queue.first] = nil
      queue.first = queue.first + 1
    end
    self._queue = nil
  end

  -- The socket is closed.
  function Socket:_cancelSends()
    if self._queue then
      failQueue(self, errors.system(core.errno.ECANCELED, "send"))
    end
  end

  local function connectFailed(socket, err, callback)
    socket._peer = nil
    if callback then
      socket:removeListener("connect", callback)
      tick(callback, err)
    elseif socket._handle then
      socket:_emitLater("error", err)
    end
  end

  local function connectTo(socket, host, port, callback)
    local later = addresses.resolve(socket, host, function(err, address)
      if not err then
        local errno = socket._handle:connect(address, port)
        err = errno and errors.address(errno, "connect", address, port)
      end
      if err then
        connectFailed(socket, err, callback)
      else
        socket._peer = "connected"
        socket:_emitLater("connect")
      end
    end)
    if later then
      socket._peer = "connecting"
    end
  end

  --- Gives the socket a peer: what it sends goes there, and only what comes from there is received.
  --- "connect" follows; a failure goes to the callback, or is an "error" event. Raises
  --- ERR_SOCKET_DGRAM_IS_CONNECTED.
  ---@param port integer
  ---@param address? string in digits or a name; default: this machine
  ---@param callback? fun(err: Error?)
  ---@overload fun(self: DatagramSocket, port: integer, callback: function)
  function Socket:connect(port, address, callback)
    Socket._check(self, "connect")
    port = arguments.port("Port", port, 1)
    if type(address) == "function" then
      address, callback = nil, address
    end
    address = arguments.host("address", address) or addresses.loopback[self.type]
    expect.optional("callback", "function", callback)
    if self._peer then
      error(errors.socketDgramIsConnected())
    end
    if callback then
      self:once("connect", callback)
    end
    local later = self:_whenBound(function(err)
      if not err then
        connectTo(self, address, port, callback)
      elseif callback then
        connectFailed(self, err, callback)
      else
        self._peer = nil
      end
    end)
    if later then
      self._peer = "connecting"
    end
  end

  local function checkConnected(self, method)
    Socket._check(self, method)
    if self._peer ~= "connected" then
      error(errors.socketDgramNotConnected())
    end
  end

  --- Takes the peer away. Raises ERR_SOCKET_DGRAM_NOT_CONNECTED if there is none.
  function Socket:disconnect()
    checkConnected(self, "disconnect")
    local errno = self._handle:connect()
    if errno then
      error(errors.system(errno, "connect"))
    end
    self._peer = nil
  end

  --- Where the peer is. Raises ERR_SOCKET_DGRAM_NOT_CONNECTED if there is none.
  ---@return {address: string, family: "IPv4"|"IPv6", port: integer}
  function Socket:remoteAddress()
    checkConnected(self, "remoteAddress")
    local address, errno = self._handle:peer()
    return address or error(errors.system(errno, "getpeername"))
  end
end
