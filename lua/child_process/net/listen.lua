--- Lets servers listen: on a port, a path, or a socket that exists.

local arguments = require("child_process.net.arguments")
local compat = require("child_process.base.compat")
local core = require("child_process.core")
local errors = require("child_process.errors")
local check = require("child_process.base.check")
local loop = require("child_process.loop")
local tick = require("child_process.base.ticks").tick
local descriptor = require("child_process.base.descriptor")

---@class ListenOptions
---@field port? integer|string 0 for any that is free
---@field host? string default all addresses of the machine
---@field path? string of a Unix socket; one that begins with a zero byte is an abstract name
---@field fd? integer the descriptor of a socket, which the server takes over
---@field backlog? integer connections that may wait to be accepted; default 511
---@field ipv6Only? boolean
---@field reusePort? boolean other servers that set it, also of other processes, may listen on the
---same port; the kernel distributes connections among them

local BACKLOG = 511
local ANY_IPV4, ANY_IPV6 = "0.0.0.0", "::"

---@class Server
local listen = {
  _connectionKey = nil, ---@type string names the server in messages about its sockets, as in Node:
  -- "4:127.0.0.1:8080", "6::::8080", "-1:/path:-1", "-1:null:1"
  _lookup = false, ---@type userdata|false the request to core for the host's address
  _pending = false, ---@type table|false where to listen after that
}

local function fail(server, err)
  tick(function()
    server:emit("error", err)
  end, true)
end

local unnamed = 0

-- Servers that listen have different keys. The key contains a number instead of an address if the
-- socket was passed in, since other servers may listen on it, too, and if the path is not UTF-8,
-- since JSON cannot carry it.
local function connectionKey(handle, address, port)
  if not address or not core.encoding.utf8Length(address) then
    unnamed = unnamed + 1
    return "-1:null:" .. unnamed
  elseif port == -1 then
    return ("-1:%s:-1"):format(address)
  end
  local bound = handle:address()
  return ("%d:%s:%d"):format(arguments.isIP(address), address, bound and bound.port or port)
end

-- Listens on a bound handle. Returns the errno if that fails, or the given one without a handle.
local function begin(server, handle, errno, backlog, address, port)
  if not handle then
    return errno
  end
  server:_setHandle(handle) -- first, as all that follows may raise when out of memory
  errno = handle:listen(backlog)
  if errno then
    server._handle = nil
    handle:close()
    return errno
  end
  server._connectionKey = connectionKey(handle, address, port)
  server:_opened()
end

-- Listens on a bound handle. A failure is an event.
local function start(server, handle, errno, backlog, address, port)
  errno = begin(server, handle, errno, backlog, address, port)
  if errno then
    fail(server, errors.listen(errno, address, port))
  end
end

local function listenOnAddress(server, address, what)
  local handle, errno = core.bindListener(address, what.port, what.ipv6Only, what.reusePort)
  start(server, handle, errno, what.backlog, address, what.port)
end

-- Listens on all addresses of the machine, or on those of IPv4 where it has no others.
local function listenOnPort(server, what)
  local handle, errno = core.bindListener(ANY_IPV6, what.port, what.ipv6Only, what.reusePort)
  if handle or errno == -core.errno.EADDRINUSE then
    start(server, handle, errno, what.backlog, ANY_IPV6, what.port)
  else
    listenOnAddress(server, ANY_IPV4, what)
  end
end

local function listenOnHost(server, what)
  if not what.host then
    listenOnPort(server, what)
  elseif arguments.isIP(what.host) ~= 0 then
    listenOnAddress(server, what.host, what)
  else
    server._pending = what
    server._lookup = core.lookup(what.host, 0, server)
    loop.started()
  end
end

local function listenOnPath(server, path, backlog)
  local handle, errno = core.bindListener(path)
  if errno == -core.errno.ENOENT then
    errno = -core.errno.EACCES -- as in Node on every system
  end
  start(server, handle, errno, backlog, path, -1)
end

local function listenOnDescriptor(server, fd, backlog)
  local handle, errno = core.openListener(fd)
  start(server, handle, errno, backlog)
end

-- Takes over a handle of core that nobody uses yet, and one that has come with a message. Copies
-- the descriptor of any other object, since its owner will close it.
local function listenOnHandle(server, object, backlog)
  local fd = descriptor.fileno(object) or error(errors.invalidArgValue("options", object))
  if core.kindOf(object) == "child_process.ListenerHandle" and not object:isListening() then
    start(server, object, nil, backlog)
    return
  end
  local own, errno = descriptor.take(object), nil
  if not own then
    own, errno = core.copySocket(fd)
  end
  if own then
    listenOnDescriptor(server, own, backlog)
  else
    fail(server, errors.listen(errno))
  end
end

local function backlogOf(options, second, third)
  local backlog = type(options) == "table" and tonumber(options.backlog) or tonumber(second)
    or tonumber(third)
  backlog = compat.toInteger(backlog)
  return backlog and backlog > 0 and math.min(backlog, 0x7FFFFFFF) or BACKLOG
end

-- Returns the function for the options, and its argument. Raises if the options are wrong.
local function plan(options, backlog)
  local handle = options
  if type(options) == "table" then
    handle = options._handle or options.handle
  end
  if type(handle) == "userdata" then
    return listenOnHandle, handle
  elseif type(options.fd) == "number" and options.fd >= 0 then
    return listenOnDescriptor, arguments.fd("options.fd", options.fd)
  elseif type(options.port) == "number" or type(options.port) == "string" then
    check.optional("options.reusePort", "boolean", options.reusePort)
    return listenOnHost, {
      port = arguments.port("options.port", options.port),
      host = arguments.host("options.host", options.host), backlog = backlog,
      ipv6Only = options.ipv6Only, reusePort = options.reusePort,
    }
  elseif type(options.path) == "string" and options.path ~= "" then
    return listenOnPath, options.path
  elseif options.path == nil and options.port == nil then
    error(errors.invalidArgValue("options", options, 'must have the property "port" or "path"'))
  end
  error(errors.invalidArgValue("options", options))
end

-- Listens on a descriptor, which is taken over. Returns the errno if that fails.
function listen:_listenOn(fd)
  local handle, errno = core.openListener(fd)
  return begin(self, handle, errno, BACKLOG)
end

-- The name of the server in messages about its sockets.
function listen:_getConnectionKey()
  return self._connectionKey
end

-- Called by core.lookup's request.
---@param errno integer?
---@param addresses {address: string}[]? without errno
---@param code string? the name of errno
function listen:onlookup(errno, addresses, code)
  local what = self._pending
  self._lookup, self._pending = false, false
  if errno then
    fail(self, errors.lookup(errno, code, what.host))
  else
    listenOnAddress(self, addresses[1].address, what)
  end
end

-- Where the server is going to listen, in words.
function listen:_peerText()
  return ("%s:%d"):format(self._pending.host, self._pending.port)
end

-- Called when the server is closed.
function listen:_stopLookup()
  if self._lookup then
    self._lookup:cancel()
    self._lookup, self._pending = false, false
  end
end

-- Listens as the arguments of `listen` say.
function listen:_listen(...)
  local options, callback = arguments.normalize(...)
  if self._handle or self._lookup then
    error(errors.serverAlreadyListen())
  end
  local first, second, third = ...
  if not rawequal(options, first) and options.path == nil and options.port == nil then
    options.port = 0
  end
  local backlog = backlogOf(options, second, third)
  local listenOn, what = plan(options, backlog)
  if callback then
    self:once("listening", callback)
  end
  listenOn(self, what, backlog)
end

return listen
