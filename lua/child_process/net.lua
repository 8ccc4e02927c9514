--- TCP and Unix sockets: servers and connections.
-- In Node: the module net.

local arguments = require("child_process.net.arguments")
local check = require("child_process.base.check")
local Server = require("child_process.net.server")
local Socket = require("child_process.net.socket")

---@class child_process.net
---@field Server Server the class of the objects that createServer returns
---@field Socket Socket the class of the objects that connect returns
local net = {Server = Server, Socket = Socket}

--- Returns the kind of an address in digits: 4, 6, or 0 for anything else.
---@type fun(value: any): 0|4|6
net.isIP = arguments.isIP

--- Makes a server that does not listen yet. Events: "listening", "connection" (socket), "drop"
--- (data about a connection above maxConnections), "error" (err), "close".
---@param options? ServerOptions|fun(socket: Socket)
---@param listener? fun(socket: Socket) for "connection"
---@return Server
function net.createServer(options, listener)
  check.dot(options, net, "net.createServer")
  return Server.new(options, listener)
end

--- Makes a socket and connects it: connect(port[, host][, callback]), connect(path[, callback]), or
--- connect(options[, callback]) with the options of Socket:connect and those of Socket.new, and
--- `timeout`, as for Socket:setTimeout. Events besides those of streams: "lookup" (err,
--- address, family, host), "connect", "ready", "timeout".
---@param ... any
---@return Socket
---@overload fun(port: integer|string, host?: string, callback?: fun()): Socket
---@overload fun(path: string, callback?: fun()): Socket
---@overload fun(options: ConnectOptions, callback?: fun()): Socket
function net.connect(...)
  check.dot((...), net, "net.connect")
  local options = arguments.normalize(...)
  local socket = Socket.new({
    allowHalfOpen = options.allowHalfOpen, noDelay = options.noDelay,
    keepAlive = options.keepAlive, keepAliveInitialDelay = options.keepAliveInitialDelay,
  })
  if options.timeout then
    socket:setTimeout(options.timeout)
  end
  return socket:connect(...)
end

--- The same as connect.
net.createConnection = net.connect

---@param value any
---@return boolean
function net.isIPv4(value)
  return arguments.isIP(value) == 4
end

---@param value any
---@return boolean
function net.isIPv6(value)
  return arguments.isIP(value) == 6
end

return net
