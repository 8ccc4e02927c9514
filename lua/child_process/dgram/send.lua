--- The sending side of UDP sockets: send, connect, disconnect.

local arguments = require("child_process.net.arguments")
local compat = require("child_process.base.compat")
local core = require("child_process.core")
local errors = require("child_process.errors")
local check = require("child_process.base.check")
local Queue = require("child_process.base.queue")
local tick = require("child_process.base.ticks").tick
local addresses = require("child_process.dgram.address")
local Socket = require("child_process.dgram.socket")

local checkOpen = Socket.checkOpen
local EAGAIN = -core.errno.EAGAIN

---@class DatagramSocket
local send = {
  _peer = false, ---@type "connecting"|"connected"|false state of the connection to a peer
  _queue = false, ---@type child_process.Queue|false datagrams that the kernel had no room for
}

-- A datagram that the kernel has not taken yet. Queues and ticks contain the table itself.
---@class child_process.Datagram
---@field socket DatagramSocket
---@field bytes string
---@field host? string as it was given
---@field address? string in digits
---@field port? integer
---@field callback? fun(err: Error?, bytes: integer?)
---@field err? Error
---@field sent? integer bytes

local function callBack(datagram)
  datagram.callback(datagram.err, datagram.sent)
end

-- Called when the datagram is sent, or cannot be sent.
local function finish(datagram, err, sent)
  if datagram.callback then
    datagram.err, datagram.sent = err, sent
    tick(callBack, datagram)
  elseif err and datagram.socket._handle then
    datagram.socket:_emitLater("error", err)
  end
end

-- Sends the datagram. Returns false if the kernel has no room for it.
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
  socket._queue = false
  while not queue:isEmpty() do
    finish(queue:pop(), err)
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
  if socket._queue then
    socket._queue:push(datagram)
  elseif not try(datagram) then
    socket._queue = Queue.new()
    socket._queue:push(datagram)
    awaitRoom(socket)
  end
end

local function deliver(datagram)
  local host = datagram.host
  if not host or core.addressFamily(host) ~= 0 then -- the usual cases, without a closure
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

-- The part of the message after the first `offset` bytes, `length` bytes long.
local function slice(message, offset, length)
  check.type("buffer", "string", message)
  offset = compat.toInteger(check.type("offset", "number", offset))
  length = compat.toInteger(check.type("length", "number", length))
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
  for index = 1, check.length(message) do
    check.type("buffer list arguments", "string", message[index])
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

-- The arguments for a socket without a peer: ([offset, length, ]port[, address][, callback]).
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

--- Sends a datagram, after binding the socket to a free port if it is not bound. Calls back when
--- the kernel has taken it, or with an error. Without a callback the error is an "error" event. For
--- a socket that is connected, port and address must be omitted.
---@param message string|string[] may be empty; the strings of a list are put together
---@param offset integer with `length`, and only of a single string: bytes to skip
---@param length integer
---@param port integer
---@param address? string in digits or a name; default: this machine
---@param callback? fun(err: Error?, bytes: integer?)
---@overload fun(self: DatagramSocket, message: string|string[], port: integer, address?: string,
---callback?: function)
---@overload fun(self: DatagramSocket, message: string|string[], port: integer,
---callback: function)
---@overload fun(self: DatagramSocket, message: string|string[], callback?: function)
function send:send(message, offset, length, port, address, callback)
  checkOpen(self, "send")
  if self._peer == "connected" then
    message, callback = connectedArguments(message, offset, length, port, address, callback)
    port, address = nil, nil
  else
    message, callback, port, address =
      freeArguments(message, offset, length, port, address, callback)
    address = arguments.host("address", address) or addresses.loopback[self.type]
  end
  check.optional("callback", "function", callback)
  local datagram = {
    socket = self, bytes = join(message), host = address, port = port, callback = callback,
  }
  if self:_isBound() then
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

-- Called by the handle: there is room again.
function send:onroom()
  local queue = self._queue
  while not queue:isEmpty() do
    if not try(queue:peek()) then
      awaitRoom(self)
      return
    end
    queue:pop()
  end
  self._queue = false
end

-- Called when the socket is closed.
function send:_cancelSends()
  if self._queue then
    failQueue(self, errors.system(core.errno.ECANCELED, "send"))
  end
end

local function connectFailed(socket, err, callback)
  socket._peer = false
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

--- Gives the socket a peer: it sends to this address, and receives only from it. "connect" follows;
--- a failure goes to the callback, or is an "error" event. Raises ERR_SOCKET_DGRAM_IS_CONNECTED.
---@param port integer
---@param address? string in digits or a name; default: this machine
---@param callback? fun(err: Error?)
---@overload fun(self: DatagramSocket, port: integer, callback: function)
function send:connect(port, address, callback)
  checkOpen(self, "connect")
  port = arguments.port("Port", port, 1)
  if type(address) == "function" then
    address, callback = nil, address
  end
  address = arguments.host("address", address) or addresses.loopback[self.type]
  check.optional("callback", "function", callback)
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
      self._peer = false
    end
  end)
  if later then
    self._peer = "connecting"
  end
end

local function checkConnected(self, method)
  checkOpen(self, method)
  if self._peer ~= "connected" then
    error(errors.socketDgramNotConnected())
  end
end

--- Removes the peer. Raises ERR_SOCKET_DGRAM_NOT_CONNECTED without one.
function send:disconnect()
  checkConnected(self, "disconnect")
  local errno = self._handle:connect()
  if errno then
    error(errors.system(errno, "connect"))
  end
  self._peer = false
  self:_forget("connect")
end

--- The address of the peer. Raises ERR_SOCKET_DGRAM_NOT_CONNECTED without one.
---@return {address: string, family: "IPv4"|"IPv6", port: integer}
function send:remoteAddress()
  checkConnected(self, "remoteAddress")
  local address, errno = self._handle:peer()
  return address or error(errors.system(errno, "getpeername"))
end

return send
