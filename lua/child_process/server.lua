--- Servers: they make a socket of each connection. server_listen.lua lets them listen.
--   _handle        of core, see ref.lua; nil while it does not listen
--   _connections   sockets that it has accepted and that are open
--   _remotes       those that other processes have got, see socket_lists.lua
local core = require("child_process.core")
local errors = require("child_process.errors")
local events = require("child_process.events")
local expect = require("child_process.expect")
local Socket = require("child_process.socket")
local tick = require("child_process.loop").tick

---@class ServerOptions
---@field allowHalfOpen? boolean of its sockets, as the others; see SocketOptions
---@field pauseOnConnect? boolean read nothing from a connection before `resume`
---@field noDelay? boolean
---@field keepAlive? boolean
---@field keepAliveInitialDelay? number milliseconds

---@class Server : EventEmitter
---@field listening boolean
---@field maxConnections? integer further connections are closed at once, and "drop" is emitted
---@field allowHalfOpen boolean
---@field pauseOnConnect boolean
---@field ref fun(self: Server): Server it keeps the loop alive while it listens, as at first
---@field unref fun(self: Server): Server the loop may end although it listens
local Server, metatable = events.inherit("Server")

Server.listening = false
Server._connections = 0

local check = expect.this("Server", metatable)
Server._check = check

--- Is the value a server?
---@param value any
---@return boolean
function Server.isServer(value)
  return getmetatable(value) == metatable
end

--- Makes a server that does not listen yet.
---@param options? ServerOptions|fun(socket: Socket)
---@param listener? fun(socket: Socket) for "connection"
---@return Server
function Server.new(options, listener)
  if type(options) == "function" then
    options, listener = nil, options
  end
  options = expect.optional("options", "table", options) or {}
  expect.optional("connectionListener", "function", listener)
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

-- Connections.

local function socketClosed(socket)
  local server = socket._server
  if server then
    socket._server = nil
    server:_connectionClosed()
  end
end

-- The socket counts as one of the server's connections until it is closed or given away.
function Server:_connectionOpened(socket)
  self._connections = self._connections + 1
  socket.server, socket._server = self, self
  socket._onclose, socket._owner = socketClosed, socket
end

function Server:_connectionClosed()
  self._connections = self._connections - 1
  self:_emitCloseIfDrained()
end

-- What counts the server's sockets in other processes; made with the first of them.
function Server:_remoteSockets()
  if not self._remotes then
    self._remotes = require("child_process.socket_lists").newRemotes()
  end
  return self._remotes
end

-- Until all of them have been closed there they count as one connection here.
local function closeRemotes(server)
  if server._remotes then
    server._connections = server._connections + 1
    server._remotes:close(function()
      server:_connectionClosed()
    end)
  end
end

local function emitClose(server)
  server:emit("close")
end

-- The server is closed when it does not listen and has no connections.
function Server:_emitCloseIfDrained()
  if not self._handle and self._connections == 0 then
    tick(emitClose, self)
  end
end

-- What is no number is no limit.
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

-- Called by the handle: a connection was accepted, or something is wrong with the listening socket.
---@param handle userdata? of the connection
---@param errno integer? where there is none
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
    keepAliveInitialDelay = self.keepAliveInitialDelay,
  })
  self:_connectionOpened(socket)
  self:emit("connection", socket)
end

--- How many connections are open, with those that were sent to other processes.
---@param callback fun(err: Error?, count: integer?) called in the next tick
---@return Server self
function Server:getConnections(callback)
  check(self, "getConnections")
  expect.type("callback", "function", callback)
  if self._remotes then
    self._remotes:count(self._connections, callback)
  else
    tick(function()
      callback(nil, self._connections)
    end, true)
  end
  return self
end

-- The rest.

--- Accepts no more connections. Emits "close" when those that there are have ended.
---@param callback? fun(err?: Error) for "close"; gets an error if the server did not listen
---@return Server self
function Server:close(callback)
  check(self, "close")
  expect.optional("callback", "function", callback)
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
  check(self, "address")
  if not self._handle then
    return nil
  end
  local address, errno = self._handle:address()
  return address or error(errors.system(errno, "address"))
end

require("child_process.ref")(Server, check)
require("child_process.server_listen")(Server)

return Server
