--- The class of UDP sockets: makes and closes sockets, and emits their events. Other files of the
--- folder add the methods that bind a socket, send, and set options.

local addresses = require("child_process.dgram.address")
local assign = require("child_process.base.assign")
local core = require("child_process.core")
local errors = require("child_process.errors")
local emitters = require("child_process.events.emitter")
local check = require("child_process.base.check")
local HandleOwner = require("child_process.loop.handle_owner")
local tick = require("child_process.base.ticks").tick

---@class DatagramSocket : EventEmitter
---@field type "udp4"|"udp6"
local Socket, metatable = emitters.inherit("Socket")

assign(Socket, HandleOwner, {
  _closing = false, -- `close` was called
  _emitted = nil, ---@type table<string, true?> "listening", "connect", "close", once emitted
  _lookups = nil, ---@type table<string, table>? by host; address.lua keeps its lookups here
  _options = nil, ---@type DatagramOptions the options of createSocket
})

---@alias child_process.rinfo {address: string, family: "IPv4"|"IPv6", port: integer, size: integer}

---@class DatagramOptions
---@field type "udp4"|"udp6"
---@field reuseAddr? boolean bind even where another socket is bound already
---@field reusePort? boolean other sockets that set it may be bound to the same port; the kernel
---distributes datagrams among them
---@field ipv6Only? boolean a "udp6" socket on "::" does not take IPv4
---@field recvBufferSize? integer bytes, see setRecvBufferSize
---@field sendBufferSize? integer

local KNOWN = {
  type = true, reuseAddr = true, reusePort = true, ipv6Only = true, recvBufferSize = true,
  sendBufferSize = true,
}

--- Makes a socket that is not bound yet.
---@param options "udp4"|"udp6"|DatagramOptions
---@param listener? fun(message: string, rinfo: child_process.rinfo) of "message"
---@return DatagramSocket
function Socket.new(options, listener)
  if type(options) ~= "table" then
    options = {type = options}
  else
    check.options("dgram.createSocket", options, KNOWN)
  end
  local family = addresses.families[options.type]
  if not family then
    error(errors.socketBadType())
  end
  Socket._checkBufferSizes(options)
  check.optional("options.reusePort", "boolean", options.reusePort)
  local socket = setmetatable({type = options.type, _emitted = {}, _options = options}, metatable)
  socket:_setHandle(core.datagram(family))
  if listener ~= nil then
    socket:on("message", listener)
  end
  return socket
end

--- Whether the value is a UDP socket.
---@param value any
---@return boolean
function Socket.isSocket(value)
  return getmetatable(value) == metatable
end

local checkThis = check.this("Socket", metatable)

--- Raises unless the method was called on a socket that is open.
---@param socket any
---@param method string
function Socket.checkOpen(socket, method)
  checkThis(socket, method)
  if not socket._handle or socket._closing then
    error(errors.socketDgramNotRunning())
  end
end

local checkOpen = Socket.checkOpen

-- An option of createSocket.
function Socket:_option(name)
  return self._options[name]
end

-- Emits an event in a tick, unless the socket is closed by then. "error" is emitted in any case.
function Socket:_emitLater(event, value)
  tick(function()
    if self._handle or event == "error" then
      self._emitted[event] = event ~= "error" or nil
      self:emit(event, value)
    end
  end, true)
end

local function emitClose(socket)
  socket._emitted.close = true
  socket:emit("close")
end

-- For events/wait.lua.
function Socket:_past(event)
  return event ~= nil and self._emitted[event] and {n = 0} or nil
end

-- Forgets that the event was emitted: a wait for it then waits for the next one.
function Socket:_forget(event)
  self._emitted[event] = nil
end

local function closeNow(socket)
  socket._closing = true
  socket._handle:close()
  socket._handle = nil
  addresses.cancel(socket)
  socket:_cancelSends()
  tick(emitClose, socket)
end

--- Closes the socket; "close" follows, and nothing after that. Datagrams that wait for the socket
--- to be bound are sent first. Those that wait for a name, or for room, are not sent: their
--- callbacks get ECANCELED.
---@param callback? fun() listener of "close"
---@return DatagramSocket self
function Socket:close(callback)
  checkOpen(self, "close")
  if callback ~= nil then
    self:once("close", callback)
  end
  if self:_hasWaiting() then
    self._closing = true
    self:_whenBound(function()
      closeNow(self)
    end)
  else
    closeNow(self)
  end
  return self
end

--- Where the socket is bound. Raises EBADF before it is.
---@return {address: string, family: "IPv4"|"IPv6", port: integer}
function Socket:address()
  checkOpen(self, "address")
  local address, errno = self._handle:address()
  return address or error(errors.system(errno, "getsockname"))
end

-- Called by the handle.

---@param message string
---@param rinfo {address: string, family: "IPv4"|"IPv6", port: integer}
function Socket:ondatagram(message, rinfo)
  rinfo.size = #message
  self:emit("message", message, rinfo)
end

---@param errno integer
function Socket:onreceiveerror(errno)
  self:emit("error", errors.system(errno, "recvmsg"))
end

-- Whether the socket keeps the loop alive while it is bound.
function Socket:_isReferenced()
  return HandleOwner._isReferenced(self) and not self._closing
end

--- Lets the socket keep the loop alive while it is bound, which is the default.
---@return DatagramSocket self
function Socket:ref()
  checkThis(self, "ref")
  self:_reference(true)
  return self
end

--- Lets the loop end although the socket is open.
---@return DatagramSocket self
function Socket:unref()
  checkThis(self, "unref")
  self:_reference(false)
  return self
end

return Socket
