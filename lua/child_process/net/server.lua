--- Servers: make a socket of each connection.

local assign = require("child_process.base.assign")
local core = require("child_process.core")
local errors = require("child_process.errors")
local emitters = require("child_process.events.emitter")
local check = require("child_process.base.check")
local HandleOwner = require("child_process.loop.handle_owner")
local listen = require("child_process.net.listen")
local loop = require("child_process.loop")
local Socket = require("child_process.net.socket")
local tick = require("child_process.base.ticks").tick

---@class ServerOptions
---@field allowHalfOpen? boolean for its sockets, like the others; see SocketOptions
---@field pauseOnConnect? boolean read nothing from a connection before `resume`
---@field noDelay? boolean
---@field keepAlive? boolean
---@field keepAliveInitialDelay? number milliseconds

---@class Server : EventEmitter
---@field listening boolean
---@field maxConnections? integer further connections are closed at once, and "drop" is emitted
---@field allowHalfOpen boolean
---@field pauseOnConnect boolean
---@field noDelay? boolean
---@field keepAlive? boolean
---@field keepAliveInitialDelay? number milliseconds
local Server, metatable = emitters.inherit("Server")

assign(Server, HandleOwner, listen, {
  listening = false,
  _connections = 0, -- sockets that it has accepted and that are open
  _lastEvent = false, -- "listening" or "close", emitted last; false while the other one is due
  _remotes = false, ---@type child_process.RemoteSockets|false its sockets in other processes
})

local checkThis = check.this("Server", metatable)

--- Whether the value is a server.
---@param value any
---@return boolean
function Server.isServer(value)
  return getmetatable(value) == metatable
end

local KNOWN = {
  allowHalfOpen = true, pauseOnConnect = true, noDelay = true, keepAlive = true,
  keepAliveInitialDelay = true,
}

--- Makes a server that does not listen yet.
---@param options? ServerOptions|fun(socket: Socket)
---@param listener? fun(socket: Socket) for "connection"
---@return Server
function Server.new(options, listener)
  if type(options) == "function" then
    options, listener = nil, options
  end
  options = check.options("net.createServer", options, KNOWN) or {}
  check.optional("connectionListener", "function", listener)
  local server = setmetatable({
    allowHalfOpen = options.allowHalfOpen and true or false,
    pauseOnConnect = options.pauseOnConnect and true or false,
    noDelay = options.noDelay, keepAlive = options.keepAlive,
    keepAliveInitialDelay = options.keepAliveInitialDelay,
  }, metatable)
  if listener then
    server:on("connection", listener)
  end
  return server
end

--- Listens: listen([port[, host]][, backlog][, callback]), listen(path[, backlog][, callback]),
--- listen(options[, callback]), or listen(handle[, backlog][, callback]), where the handle is
--- another server or socket, the `_handle` of either, a table with the field fd, or a handle of
--- luv. Emits "listening", or "error".
---@param ... any
---@return Server self
---@overload fun(self: Server, port?: integer|string, host?: string, backlog?: integer,
---callback?: fun()): Server
---@overload fun(self: Server, path: string, backlog?: integer, callback?: fun()): Server
---@overload fun(self: Server, options: ListenOptions, callback?: fun()): Server
function Server:listen(...)
  checkThis(self, "listen")
  self:_listen(...)
  return self
end

-- Connections ------------------------------------------------------------------------------------

function Server:_connectionClosed()
  self._connections = self._connections - 1
  self:_emitCloseIfDrained()
end

-- The server's sockets in other processes; false before the first was sent.
function Server:_getRemotes()
  return self._remotes
end

function Server:_setRemotes(remotes)
  self._remotes = remotes
end

-- The sockets in other processes count as one connection until all of them are closed.
local function closeRemotes(server)
  if server._remotes then
    server._connections = server._connections + 1
    server._remotes:close(function()
      server:_connectionClosed()
    end)
  end
end

local function emitListening(server)
  if server._handle then
    server._lastEvent = "listening"
    server:emit("listening")
  end
end

local function emitClose(server)
  server._lastEvent = "close"
  server:emit("close")
end

-- For events/wait.lua. A server may listen again, so its latest state counts.
function Server:_past(event)
  return self._lastEvent and event == self._lastEvent and {n = 0} or nil
end

-- The server's handle listens.
function Server:_opened()
  self.listening = true
  self._lastEvent = false
  loop.started(self)
  tick(emitListening, self)
end

-- Emits "close" if the server does not listen and has no connections.
function Server:_emitCloseIfDrained()
  if not self._handle and self._connections == 0 then
    tick(emitClose, self)
  end
end

-- Anything but a number is no limit.
local function isFull(server)
  local limit = tonumber(server.maxConnections)
  return limit ~= nil and server._connections >= limit
end

local function drop(server, handle)
  local data = {}
  data.remoteAddress, data.remoteFamily, data.remotePort, data.localAddress, data.localFamily,
    data.localPort = core.socketNames(handle:fileno())
  handle:close()
  server:emit("drop", data)
end

-- Called by the handle: a connection was accepted, or accepting has failed.
---@param handle userdata? of the connection
---@param errno integer? instead of a connection
function Server:onconnection(handle, errno)
  if not handle then
    self:emit("error", errors.system(errno, "accept"))
    return
  elseif self.maxConnections and isFull(self) then
    drop(self, handle)
    return
  end
  local socket = Socket.new({
    handle = handle, allowHalfOpen = self.allowHalfOpen, pauseOnCreate = self.pauseOnConnect,
    noDelay = self.noDelay, keepAlive = self.keepAlive,
    keepAliveInitialDelay = self.keepAliveInitialDelay, _server = self,
  })
  self._connections = self._connections + 1
  self:emit("connection", socket)
end

--- Counts the open connections, including those that were sent to other processes.
---@param callback fun(err: Error?, count: integer?) called in a later tick
---@return Server self
function Server:getConnections(callback)
  checkThis(self, "getConnections")
  check.type("callback", "function", callback)
  if self._remotes then
    self._remotes:count(self._connections, callback)
  else
    tick(function()
      callback(nil, self._connections)
    end, true)
  end
  return self
end

--- Stops accepting connections. Emits "close" when all connections have ended.
---@param callback? fun(err?: Error) for "close"; gets an error if the server did not listen
---@return Server self
function Server:close(callback)
  checkThis(self, "close")
  check.optional("callback", "function", callback)
  if callback and self._handle then
    self:once("close", callback)
  elseif callback then
    self:once("close", function()
      callback(errors.serverNotRunning())
    end)
  end
  self:_stopLookup()
  if self._handle then
    self._handle:close()
    self._handle = nil
    self._lastEvent = false
    self.listening = false
    closeRemotes(self)
  end
  self:_emitCloseIfDrained()
  return self
end

--- Where the server listens.
---@return {address: string, family: "IPv4"|"IPv6", port: integer}|string? # for a Unix socket its
---path; nil while it does not listen
function Server:address()
  checkThis(self, "address")
  if not self._handle then
    return nil
  end
  local address, errno = self._handle:address()
  return address or error(errors.system(errno, "address"))
end

--- Lets the server keep the loop alive while it listens, which is the default.
---@return Server self
function Server:ref()
  checkThis(self, "ref")
  self:_reference(true)
  return self
end

--- Lets the loop end although the server listens.
---@return Server self
function Server:unref()
  checkThis(self, "unref")
  self:_reference(false)
  return self
end

return Server
