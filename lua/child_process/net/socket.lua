--- Sockets: streams that connect to a server, or that a server has accepted.

local arguments = require("child_process.net.arguments")
local assign = require("child_process.base.assign")
local connect = require("child_process.net.connect")
local core = require("child_process.core")
local errors = require("child_process.errors")
local check = require("child_process.base.check")
local Stream = require("child_process.stream.stream")
local timers = require("child_process.timers")
local tick = require("child_process.base.ticks").tick

---@class SocketSettings
---@field allowHalfOpen? boolean keep the writing side open after the other end has finished
---@field noDelay? boolean as setNoDelay
---@field keepAlive? boolean as setKeepAlive
---@field keepAliveInitialDelay? number milliseconds

---@class SocketOptions : SocketSettings
---@field handle? userdata of core, or from a message; the socket takes it over
---@field fd? integer a descriptor, which the socket takes over
---@field readable? boolean default true; with handle or fd
---@field writable? boolean default true; with handle or fd
---@field pauseOnCreate? boolean read nothing before `resume`
---@field package _server? Server that has accepted the connection

---@class Socket : Stream
---@field connecting boolean
---@field pending boolean not connected yet, or no longer
---@field allowHalfOpen boolean
---@field remoteAddress? string nil before it is connected, and for Unix sockets, like the next five
---@field remoteFamily? "IPv4"|"IPv6"
---@field remotePort? integer
---@field localAddress? string
---@field localFamily? "IPv4"|"IPv6"
---@field localPort? integer
---@field timeout? number milliseconds
---@field server? Server that has accepted it
local Socket, metatable = Stream.inherit("Socket")

assign(Socket, connect, {
  connecting = false,
  pending = true,
  allowHalfOpen = false,
  _keepAlive = false, -- see setKeepAlive; this and the next two apply once it is connected
  _keepAliveSeconds = 0,
  _noDelay = false, -- see setNoDelay
  _server = false, ---@type Server|false the server that counts it as a connection
  _timer = false, ---@type Timeout|false see setTimeout
  _wasConnected = false, -- before it was destroyed
})

local LONGEST = 2 ^ 31 - 1 -- milliseconds that the system takes

local checkThis = check.this("Socket", metatable)

-- Nothing was read or written for as long as setTimeout allows.
local function timedOut(socket)
  socket:emit("timeout")
end

local function touch(socket)
  if socket._timer then
    socket._timer:refresh()
  end
end

local function stopTimer(socket)
  if socket._timer then
    socket._timer:close()
    socket._timer = false
  end
end

local function applyOptions(socket)
  local fd = socket._handle:fileno()
  if socket._noDelay then
    core.setNoDelay(fd, true)
  end
  if socket._keepAlive then
    core.setKeepAlive(fd, true, socket._keepAliveSeconds)
  end
end

local function seconds(milliseconds)
  return math.floor(math.min(math.max(tonumber(milliseconds) or 0, 0), LONGEST) / 1000)
end

-- Gives the socket a handle, which may not be connected yet.
function Socket:_attach(handle)
  self:_setHandle(handle)
  handle:hold()
end

-- Called when the handle is connected.
function Socket:_open()
  self.pending = false
  self.remoteAddress, self.remoteFamily, self.remotePort, self.localAddress, self.localFamily,
    self.localPort = core.socketNames(self._handle:fileno())
  applyOptions(self)
end

-- Reads ahead unless the socket is paused, to learn when the other end closes.
function Socket:_readAhead()
  if self._handle and self:_hasReadableSide() and not self:_isPausedByUser() then
    self:read(0)
  end
end

-- The handle that the options ask for, and whether it can be read and written.
local function openHandle(options)
  local handle, fd = options.handle, options.fd
  if handle ~= nil then
    local kind = core.kindOf(handle)
    if kind == "child_process.StreamHandle" then
      return handle, options.readable ~= false, options.writable ~= false
    elseif kind ~= "child_process.Descriptor" then
      error(errors.invalidArgType("options.handle", "StreamHandle", handle))
    end
    fd = handle:take() -- from a message
    if not fd then
      error(errors.invalidArgValue("options.handle", handle, "was taken or closed"))
    end
  elseif fd == nil then
    return nil, true, true
  end
  local opened, readable, writable = core.openSocket(arguments.fd("fd", fd))
  if not opened then
    error(errors.system(readable, "open")) -- `readable` is the errno here
  end
  return opened, readable and options.readable ~= false, writable and options.writable ~= false
end

--- Makes a socket on a handle or descriptor that exists, or one to be connected.
---@param options? SocketOptions|integer an integer is a descriptor
---@return Socket
function Socket.new(options)
  if type(options) == "number" then
    options = {fd = options}
  end
  options = check.optional("options", "table", options) or {}
  local handle, readable, writable = openHandle(options)
  local socket = Stream._create(metatable, nil, readable, writable)
  socket.allowHalfOpen = options.allowHalfOpen and true or false
  socket._noDelay = options.noDelay or false
  socket._keepAlive = options.keepAlive or false
  socket._keepAliveSeconds = seconds(options.keepAliveInitialDelay)
  if not handle then
    socket:_hold()
    return socket
  end
  socket:_setHandle(handle)
  socket:_open()
  if options._server then
    socket:_acceptedBy(options._server)
  end
  -- From here on the socket stays although nothing refers to it, so all that may raise, when out of
  -- memory, comes before.
  if options.pauseOnCreate then
    socket:_startPaused()
  elseif readable then
    socket:_readAhead()
  else
    handle:awaitHangup()
  end
  if socket._handle then
    handle:hold()
  end
  return socket
end

--- Connects: connect(port[, host][, callback]), connect(path[, callback]) or connect(options[,
--- callback]). Emits "lookup" for each address of a host (err, address, family, host), then
--- "connect" and "ready", or "error". If a host has several addresses they are tried in order. A
--- socket that was closed may be connected again.
---@param ... any
---@return Socket self
---@overload fun(self: Socket, port: integer|string, host?: string, callback?: fun()): Socket
---@overload fun(self: Socket, path: string, callback?: fun()): Socket
---@overload fun(self: Socket, options: ConnectOptions, callback?: fun()): Socket
function Socket:connect(...)
  checkThis(self, "connect")
  self:_connect(arguments.normalize(...))
  return self
end

function Socket:onread(chunk, errno)
  touch(self)
  Stream.onread(self, chunk, errno)
  if not chunk and not self.readableFlowing and self:_isExhausted() then
    self:read() -- ends the side although nobody has asked for data, since it is empty
  end
end

function Socket:onroom()
  touch(self)
  if self.connecting then
    self:_attemptEnded()
  else
    Stream.onroom(self)
  end
end

-- Data on its way to the socket arrives within one iteration of the loop.
local function endAfterIteration(socket)
  timers.setImmediate(timers.setImmediate, Stream._sideEnded, socket)
end

-- The writing side may outlive the reading side. If both have ended, but another stream is piped
-- into the socket, data from it must become an error, and must not be lost silently.
function Socket:_sideEnded()
  if self.readableEnded and self.writableFinished and self:_letSourcesWrite() then
    endAfterIteration(self)
  elseif not (self.allowHalfOpen and self.readableEnded and not self.writableEnded) then
    Stream._sideEnded(self)
  end
end

function Socket:_released()
  self:_stopConnecting()
  self._wasConnected = not self.pending
  self.pending = true
  stopTimer(self)
end

local function leaveServer(socket)
  local server = socket._server
  if server then
    socket._server = false
    server:_connectionClosed()
  end
end

-- The socket is one of the server's connections until it is closed or given away.
function Socket:_acceptedBy(server)
  self.server, self._server = server, server
  self:_setOnclose(leaveServer, self)
end

-- Forgets the former connection of a socket that is connected again.
function Socket:_reopen()
  Stream._reopen(self)
  self.remoteAddress, self.remoteFamily, self.remotePort = nil, nil, nil
  self.localAddress, self.localFamily, self.localPort = nil, nil, nil
  self.server, self._server, self._wasConnected = nil, false, false
end

-- A child that had the socket has ended. Unlike a pipe, the socket stays open here.
function Socket._leftByChild() end

-- Another process has got the socket: ends it here without any event, since it goes on there.
function Socket:_giveAway()
  self:_vanish()
  self:_unpipeSources()
end

-- For events/wait.lua. A socket that a server has accepted is connected from the start.
function Socket:_past(event)
  if event ~= "connect" and event ~= "ready" then
    return Stream._past(self, event)
  elseif not self.pending or self._wasConnected then
    return {n = 0}
  elseif self:_hasClosed() then
    error(self:_failure() or errors.socketClosedBeforeConnection(), 0)
  end
end

-- The reason why the socket takes no data, if it is one that other streams do not have.
local function refusal(socket)
  if socket.readableEnded and socket.writableEnded and not socket.allowHalfOpen then
    return errors.socketEndedByOther()
  elseif socket:_isHeld() and not socket.connecting and not socket.destroyed then
    return errors.socketClosed()
  end
end

-- Reports the error to the writer and to the listeners of "error".
local function refuse(socket, err, callback)
  if callback then
    tick(callback, err)
  end
  socket:destroy(err)
  return false
end

-- Sockets do not raise, unlike other streams.
function Socket:_refuseReadOnly(callback)
  return refuse(self, errors.system(core.errno.EPIPE, "write"), callback)
end

--- Like Stream's. While the socket is connecting, data is kept until it is connected.
---@param data string
---@param name? string encoding of the text; by default the string's bytes are written
---@param callback? fun(err?: Error) called when the kernel has taken the data, or never will
---@return boolean # false when it is time to wait for "drain"
function Socket:write(data, name, callback)
  checkThis(self, "write")
  touch(self)
  local err = (self.readableEnded or self.pending) and type(data) == "string" and refusal(self)
  if err then
    local done = type(name) == "function" and name or callback
    check.optional("callback", "function", done)
    return refuse(self, err, done)
  end
  return Stream.write(self, data, name, callback)
end

--- Where this end of the socket is.
---@return {address?: string, family?: "IPv4"|"IPv6", port?: integer} # empty before it is
---connected, when it is closed, and for Unix sockets
function Socket:address()
  checkThis(self, "address")
  if not self._handle then
    return {}
  end
  return {address = self.localAddress, family = self.localFamily, port = self.localPort}
end

--- Emits "timeout" whenever nothing was read or written for this time. The socket stays open.
---@param milliseconds number 0 and math.huge for no limit
---@param callback? function listens once
---@return Socket self
function Socket:setTimeout(milliseconds, callback)
  checkThis(self, "setTimeout")
  check.atLeast("msecs", milliseconds, 0)
  check.optional("callback", "function", callback)
  self.timeout = milliseconds
  stopTimer(self)
  if milliseconds > 0 and not self.destroyed then
    self._timer = timers.setTimeout(timedOut, milliseconds, self):unref()
  end
  if callback and milliseconds > 0 then
    self:once("timeout", callback)
  elseif callback then
    self:removeListener("timeout", callback)
  end
  return self
end

--- Sends small pieces of data at once, instead of gathering them. Affects only TCP.
---@param on? boolean default true
---@return Socket self
function Socket:setNoDelay(on)
  checkThis(self, "setNoDelay")
  self._noDelay = on == nil or on == true
  if self._handle and not self.connecting then
    core.setNoDelay(self._handle:fileno(), self._noDelay)
  end
  return self
end

--- Sends probes to the other end after a time of silence. Affects only TCP.
---@param on? boolean default false
---@param initialDelay? number milliseconds of silence before; 0, the default, leaves it as it is
---@return Socket self
function Socket:setKeepAlive(on, initialDelay)
  checkThis(self, "setKeepAlive")
  self._keepAlive = on and true or false
  self._keepAliveSeconds = seconds(initialDelay)
  if self._handle and not self.connecting then
    core.setKeepAlive(self._handle:fileno(), self._keepAlive, self._keepAliveSeconds)
  end
  return self
end

--- Destroys the socket after everything was written.
function Socket:destroySoon()
  checkThis(self, "destroySoon")
  if self.writable then
    self:finish()
  end
  if self.writableFinished or not self:_hasWritableSide() then
    self:destroy()
  else
    self:once("finish", function()
      self:destroy()
    end)
  end
end

local function reset(socket)
  if socket._handle then
    core.resetOnClose(socket._handle:fileno())
    socket:destroy()
  end
end

--- Destroys the socket so that the other end sees a reset. Only for TCP. A socket that is
--- connecting is destroyed once it is connected.
---@return Socket self
function Socket:resetAndDestroy()
  checkThis(self, "resetAndDestroy")
  if self.connecting then
    self:once("connect", function()
      reset(self)
    end)
  elseif self.pending then
    self:destroy(errors.socketClosed())
  elseif not self.localFamily then
    self:destroy(errors.invalidHandleType())
  else
    reset(self)
  end
  return self
end

return Socket
