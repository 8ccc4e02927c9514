--- dgram: UDP sockets.
-- This file makes the class and closes sockets; dgram_bind.lua binds them, dgram_send.lua sends and
-- connects, dgram_options.lua has what can be set, dgram_address.lua turns names into addresses.
-- Fields that begin with an underscore are for this project's files only; files tell of theirs.
--   _handle   of core, see ref.lua; nil when the socket is closed. It has a descriptor once it is
--             bound
--   _options  of createSocket
--   _closing  `close` was called, and waits for the binding
local core = require("child_process.core")
local errors = require("child_process.errors")
local events = require("child_process.events")
local expect = require("child_process.expect")
local addresses = require("child_process.dgram_address")

local tick = require("child_process.loop").tick

---@class child_process.dgram
local dgram = {}

---@class DatagramSocket : EventEmitter
---@field type "udp4"|"udp6"
---@field ref fun(self: DatagramSocket): DatagramSocket it keeps the loop alive, as at first,
---while it is bound
---@field unref fun(self: DatagramSocket): DatagramSocket the loop may end although it is open
local Socket, metatable = events.inherit("Socket")

---@alias child_process.rinfo {address: string, family: "IPv4"|"IPv6", port: integer, size: integer}

---@class DatagramOptions
---@field type "udp4"|"udp6"
---@field reuseAddr? boolean bind even where another socket is bound already
---@field ipv6Only? boolean a "udp6" socket on "::" does not take IPv4
---@field recvBufferSize? integer bytes, see setRecvBufferSize
---@field sendBufferSize? integer

--- Makes a socket that is not bound yet.
---@param options "udp4"|"udp6"|DatagramOptions
---@param listener? fun(message: string, rinfo: child_process.rinfo) of "message"
---@return DatagramSocket
function Socket.new(options, listener)
  if type(options) ~= "table" then
    options = {type = options}
  end
  local family = addresses.families[options.type]
  if not family then
    error(errors.socketBadType())
  end
  Socket._checkBufferSizes(options)
  local socket = setmetatable({
    type = options.type, _state = "unbound", _options = options,
  }, metatable)
  socket:_setHandle(core.datagram(family))
  if listener ~= nil then
    socket:on("message", listener)
  end
  return socket
end

--- Is the value a socket of this kind?
---@param value any
---@return boolean
function dgram.isSocket(value)
  return getmetatable(value) == metatable
end

local checkThis = expect.this("Socket", metatable)

-- Raises unless the method was called on a socket that is open.
function Socket:_check(method)
  checkThis(self, method)
  if not self._handle or self._closing then
    error(errors.socketDgramNotRunning())
  end
end

function Socket:_emitLater(event, value)
  tick(function()
    if self._handle or event == "error" then
      self:emit(event, value)
    end
  end, true)
end

local function emitClose(socket)
  socket:emit("close")
end

local function closeNow(socket)
  socket._closing = true
  socket._handle:close()
  socket._handle = nil
  addresses.cancel(socket)
  socket:_cancelSends()
  tick(emitClose, socket)
end

--- Closes the socket; "close" follows, and nothing after that. What waits for the socket to be
--- bound is sent first. What else waits, for a name or for room, is not sent; the callbacks get
--- ECANCELED.
---@param callback? fun() listener of "close"
---@return DatagramSocket self
function Socket:close(callback)
  Socket._check(self, "close")
  if callback ~= nil then
    self:once("close", callback)
  end
  if self._waiting then
    self._closing = true
    table.insert(self._waiting, function()
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
  Socket._check(self, "address")
  local address, errno = self._handle:address()
  return address or error(errors.system(errno, "getsockname"))
end

-- Called by core.

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

require("child_process.ref")(Socket, checkThis)
require("child_process.dgram_bind")(Socket)
require("child_process.dgram_send")(Socket)
require("child_process.dgram_options")(Socket)

dgram.Socket = Socket

--- Makes a socket. Events: "message" (message, rinfo) for each datagram, "listening", "connect",
--- "error" (err), "close".
---@param options "udp4"|"udp6"|DatagramOptions
---@param listener? fun(message: string, rinfo: child_process.rinfo) of "message"
---@return DatagramSocket
function dgram.createSocket(options, listener)
  return Socket.new(options, listener)
end

return dgram
