--- Sockets: streams that connect to a server, or were accepted by one. socket_connect.lua connects
-- them. A socket keeps its state in ordinary fields, as streams do; its own are:
--   _server          the server that counts it as a connection
--   _timer           of setTimeout
--   _noDelay, _keepAlive, _keepAliveSeconds  what is set once it is connected
local arguments = require("child_process.socket_arguments")
local core = require("child_process.core")
local errors = require("child_process.errors")
local expect = require("child_process.expect")
local Stream = require("child_process.stream")
local timers = require("child_process.timers")
local tick = require("child_process.loop").tick

---@class SocketSettings
---@field allowHalfOpen? boolean keep the writing side open after the other end has finished
---@field noDelay? boolean as setNoDelay
---@field keepAlive? boolean as setKeepAlive
---@field keepAliveInitialDelay? number milliseconds

---@class SocketOptions : SocketSettings
---@field handle? userdata of core, or one that has come with a message; taken over
---@field fd? integer a descriptor, which the socket takes over
---@field readable? boolean default true; with handle or fd
---@field writable? boolean default true; with handle or fd
---@field pauseOnCreate? boolean read nothing before `resume`

---@class Socket : Stream
---@field connecting boolean
---@field pending boolean not connected yet, or no longer
---@field allowHalfOpen boolean
---@field remoteAddress? string nil before it is connected, and for Unix sockets, as the next five
---@field remoteFamily? "IPv4"|"IPv6"
---@field remotePort? integer
---@field localAddress? string
---@field localFamily? "IPv4"|"IPv6"
---@field localPort? integer
---@field timeout? number milliseconds
---@field server? Server that has accepted it
---@field ref fun(self: Socket): Socket as Stream's; before the socket has connected, too
---@field unref fun(self: Socket): Socket as Stream's; before the socket has connected, too
local Socket, metatable = Stream.inherit("Socket")

Socket.connecting = false
Socket.pending = true
Socket.allowHalfOpen = false

local LONGEST = 2 ^ 31 - 1

local check = expect.this("Socket", metatable)
Socket._check = check

-- Nothing has happened to the socket for as long as setTimeout allows.
local function timedOut(socket)
  socket:emit("timeout")
end

local function touch(socket)
  if socket._timer then
    socket._timer:refresh()
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

-- From now on this is what the socket reads and writes.
function Socket:_attach(handle)
  self:_setHandle(handle)
  handle:hold()
end

-- The handle is connected.
function Socket:_open()
  self.pending = false
  self.remoteAddress, self.remoteFamily, self.remotePort, self.localAddress, self.localFamily,
    self.localPort = core.socketNames(self._handle:fileno())
  applyOptions(self)
end

-- A socket reads ahead, to learn that the other end has closed, unless it is paused.
function Socket:_readAhead()
  if self._readableSide and not self._paused and self._handle then
    self:read(0)
  end
end

-- What the socket is to be on, and whether that can be read and written.
local function openHandle(options)
  local handle, fd = options.handle, options.fd
  if handle ~= nil then
    local kind = core.kindOf(handle)
    if kind == "child_process.StreamHandle" then
      return handle, options.readable ~= false, options.writable ~= false
    elseif kind ~= "child_process.Descriptor" then
      error(errors.invalidArgType("options.handle", "StreamHandle", handle))
    end
    fd = handle:take() -- it has come with a message
    if not fd then
      error(errors.invalidArgValue("options.handle", handle, "was taken or closed"))
    end
  elseif fd == nil then
    return nil, true, true
  end
  local opened, readable, writable = core.openSocket(arguments.fd("fd", fd))
  if not opened then
    error(errors.system(readable, "open")) -- which is the errno then
  end
  return opened, readable and options.readable ~= false, writable and options.writable ~= false
end

--- Makes a socket: on a handle or descriptor that is there, or one to be connected.
---@param options? SocketOptions|integer an integer is a descriptor
---@return Socket
function Socket.new(options)
  if type(options) == "number" then
    options = {fd = options}
  end
  options = expect.optional("options", "table", options) or {}
  local handle, readable, writable = openHandle(options)
  local socket = setmetatable({
    readable = readable, writable = writable, destroyed = false, _events = nil,
    _readableSide = readable, _writableSide = writable, _handle = nil,
    _held = not handle or nil, allowHalfOpen = options.allowHalfOpen and true or false,
    _noDelay = options.noDelay, _keepAlive = options.keepAlive,
    _keepAliveSeconds = seconds(options.keepAliveInitialDelay),
  }, metatable)
  if not handle then
    return socket
  end
  socket:_attach(handle)
  socket:_open()
  if options.pauseOnCreate then
    socket._paused, socket.readableFlowing = true, false
  elseif readable then
    socket:_readAhead()
  else
    handle:awaitHangup()
  end
  return socket
end

-- What streams do differently here.

function Socket:onread(chunk, errno)
  touch(self)
  Stream.onread(self, chunk, errno)
  if self._eof and self.readableLength == 0 and not self.readableFlowing then
    self:read() -- nobody has asked for data, and there is none: that is the end, too
  end
end

function Socket:onroom()
  touch(self)
  if self.connecting then
    self:_onConnect()
  else
    Stream.onroom(self)
  end
end

-- What is on its way to the socket comes within a turn.
local function endAfterTurn(socket)
  timers.setImmediate(timers.setImmediate, Stream._sideEnded, socket)
end

-- The writing side may outlive the reading one. Where both are over, and another stream is piped
-- into the socket, what that still brings is an error, and is not lost in silence.
function Socket:_sideEnded()
  if self.readableEnded and self.writableFinished and self:_letSourcesWrite() then
    endAfterTurn(self)
  elseif not (self.allowHalfOpen and self.readableEnded and not self.writableEnded) then
    Stream._sideEnded(self)
  end
end

function Socket:_released()
  self:_stopConnecting()
  self.pending = true
  if self._timer then
    self._timer:close()
    self._timer = nil
  end
end

-- Another process has got the socket: here it has an end without any event, since it goes on there.
function Socket:_giveAway()
  self:_vanish()
  self:_unpipeSources()
end

-- Why the socket takes nothing, for reasons that other streams do not have; nil if it does.
local function refusal(socket)
  if socket.readableEnded and socket.writableEnded and not socket.allowHalfOpen then
    return errors.socketEndedByOther()
  elseif socket._held and not socket.connecting and not socket.destroyed then
    return errors.socketClosed()
  end
end

-- Whoever writes now learns of it at once, and the listeners of "error".
local function refuse(socket, err, callback)
  if callback then
    tick(callback, err)
  end
  socket:destroy(err)
  return false
end

-- What other streams raise.
function Socket:_refuseReadOnly(callback)
  return refuse(self, errors.system(core.errno.EPIPE, "write"), callback)
end

--- As Stream's. What is written while the socket connects is kept until then.
---@param data string
---@param name? string encoding of the text; by default the string's bytes are written
---@param callback? fun(err?: Error) called when the kernel has taken the data, or never will
---@return boolean # false when it is time to wait for "drain"
function Socket:write(data, name, callback)
  check(self, "write")
  touch(self)
  local err = (self.readableEnded or self._held) and type(data) == "string" and refusal(self)
  if err then
    local done = type(name) == "function" and name or callback
    expect.optional("callback", "function", done)
    return refuse(self, err, done)
  end
  return Stream.write(self, data, name, callback)
end

-- What sockets have besides.

--- Where this end of the socket is.
---@return {address?: string, family?: "IPv4"|"IPv6", port?: integer} # empty before it is
---connected, when it is closed, and for Unix sockets
function Socket:address()
  check(self, "address")
  if not self._handle then
    return {}
  end
  return {address = self.localAddress, family = self.localFamily, port = self.localPort}
end

--- Emits "timeout" whenever nothing was read or written for so long. The socket stays as it is.
---@param milliseconds number 0 for no limit
---@param callback? function listens once
---@return Socket self
function Socket:setTimeout(milliseconds, callback)
  check(self, "setTimeout")
  expect.type("msecs", "number", milliseconds)
  if not (milliseconds >= 0 and milliseconds < math.huge) then
    error(errors.outOfRange("msecs", "a non-negative finite number", milliseconds))
  end
  expect.optional("callback", "function", callback)
  self.timeout = milliseconds
  if self._timer then
    self._timer:close()
    self._timer = nil
  end
  if milliseconds > 0 and not self.destroyed then
    self._timer = timers.setTimeout(timedOut, math.min(milliseconds, LONGEST), self):unref()
  end
  if callback and milliseconds > 0 then
    self:once("timeout", callback)
  elseif callback then
    self:removeListener("timeout", callback)
  end
  return self
end

--- Small pieces are sent at once, instead of being gathered. Has an effect on TCP alone.
---@param on? boolean default true
---@return Socket self
function Socket:setNoDelay(on)
  check(self, "setNoDelay")
  self._noDelay = on == nil or on == true
  if self._handle and not self.connecting then
    core.setNoDelay(self._handle:fileno(), self._noDelay)
  end
  return self
end

--- Asks the other end for a sign of life when nothing has come for a while. Has an effect on TCP
--- alone.
---@param on? boolean default false
---@param initialDelay? number milliseconds of silence before; 0, the default, leaves it as it is
---@return Socket self
function Socket:setKeepAlive(on, initialDelay)
  check(self, "setKeepAlive")
  self._keepAlive = on and true or false
  self._keepAliveSeconds = seconds(initialDelay)
  if self._handle and not self.connecting then
    core.setKeepAlive(self._handle:fileno(), self._keepAlive, self._keepAliveSeconds)
  end
  return self
end

--- Destroys the socket after everything was written.
function Socket:destroySoon()
  check(self, "destroySoon")
  if self.writable then
    self:finish()
  end
  if self.writableFinished or not self._writableSide then
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

--- Destroys the socket so that the other end sees a reset. Only for TCP; one that connects is
--- destroyed after that.
---@return Socket self
function Socket:resetAndDestroy()
  check(self, "resetAndDestroy")
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

require("child_process.socket_connect")(Socket)

return Socket
