--- Listening: on a port, a path, or a socket that is there.
--   _lookup         the request for the host's address
--   _pending        what is listened on when that is answered: {port, host, backlog, ipv6Only}
--   _connectionKey  what messages about its sockets call it: "4:127.0.0.1:8080", "6::::8080",
--                   "-1:/path:-1", "-1:null:1"
local arguments = require("child_process.socket_arguments")
local core = require("child_process.core")
local errors = require("child_process.errors")
local loop = require("child_process.loop")
local native = require("child_process.native")

local tick = loop.tick

---@class ListenOptions
---@field port? integer|string 0 for any that is free
---@field host? string default all addresses of the machine
---@field path? string of a Unix socket; one that begins with a zero byte is an abstract name
---@field fd? integer a socket from elsewhere, which the server takes over
---@field backlog? integer connections that may wait to be accepted; default 511
---@field ipv6Only? boolean

local BACKLOG = 511
local ANY_IPV4, ANY_IPV6 = "0.0.0.0", "::"

local function emitListening(server)
  if server._handle then
    server:emit("listening")
  end
end

local function fail(server, err)
  tick(function()
    server:emit("error", err)
  end, true)
end

local unnamed = 0

-- No two servers that listen have the same. A socket from elsewhere others may listen on, too. JSON
-- could not keep a path that is no text.
local function connectionKey(handle, address, port)
  if not address or not utf8.len(address) then
    unnamed = unnamed + 1
    return "-1:null:" .. unnamed
  elseif port == -1 then
    return ("-1:%s:-1"):format(address)
  end
  local bound = handle:address()
  return ("%d:%s:%d"):format(arguments.isIP(address), address, bound and bound.port or port)
end

-- Listens on what was bound: a handle, or nil and why there is none. Returns the errno if it fails.
local function begin(server, handle, errno, backlog, address, port)
  if not handle then
    return errno
  end
  errno = handle:listen(backlog)
  if errno then
    handle:close()
    return errno
  end
  server:_setHandle(handle)
  server._connectionKey = connectionKey(handle, address, port)
  server.listening = true
  loop.started()
  tick(emitListening, server)
end

-- The same; what fails is an event.
local function start(server, handle, errno, backlog, address, port)
  errno = begin(server, handle, errno, backlog, address, port)
  if errno then
    fail(server, errors.listen(errno, address, port))
  end
end

local function listenOnAddress(server, address, what)
  local handle, errno = core.bindListener(address, what.port, what.ipv6Only)
  start(server, handle, errno, what.backlog, address, what.port)
end

-- All addresses of the machine, or those of IPv4 where it has no others.
local function listenOnPort(server, what)
  local handle, errno = core.bindListener(ANY_IPV6, what.port, what.ipv6Only)
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
    errno = -core.errno.EACCES -- as Node says it on every system
  end
  start(server, handle, errno, backlog, path, -1)
end

local function listenOnDescriptor(server, fd, backlog)
  local handle, errno = core.openListener(fd)
  start(server, handle, errno, backlog)
end

-- A handle of core that nobody uses yet is taken over, and one that has come with a message. Of
-- what others use the server gets a descriptor of its own, since they will close theirs.
local function listenOnHandle(server, object, backlog)
  local fd = native.fileno(object) or error(errors.invalidArgValue("options", object))
  if core.kindOf(object) == "child_process.ListenerHandle" and not object:isListening() then
    start(server, object, nil, backlog)
    return
  end
  local own, errno = native.take(object), nil
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
  backlog = math.tointeger(backlog)
  return backlog and backlog > 0 and math.min(backlog, 0x7FFFFFFF) or BACKLOG
end

-- What `listen` has to do: a function, and what that is to listen on. Raises if the options are
-- wrong.
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
    return listenOnHost, {
      port = arguments.port("options.port", options.port),
      host = arguments.host("options.host", options.host), backlog = backlog,
      ipv6Only = options.ipv6Only,
    }
  elseif type(options.path) == "string" and options.path ~= "" then
    return listenOnPath, options.path
  elseif options.path == nil and options.port == nil then
    error(errors.invalidArgValue("options", options, 'must have the property "port" or "path"'))
  end
  error(errors.invalidArgValue("options", options))
end

return function(Server)
  -- Listens on a descriptor, which is taken over. Returns the errno if that fails.
  function Server:_listenOn(fd)
    local handle, errno = core.openListener(fd)
    return begin(self, handle, errno, BACKLOG)
  end

  -- Called by core.lookup's request.
  ---@param errno integer?
  ---@param addresses {address: string}[]? without errno
  ---@param code string? the name of errno
  function Server:onlookup(errno, addresses, code)
    local what = self._pending
    self._lookup, self._pending = nil, nil
    if errno then
      fail(self, errors.lookup(errno, code, what.host))
    else
      listenOnAddress(self, addresses[1].address, what)
    end
  end

  -- The server is closed, and does not need the host's address any more.
  function Server:_stopLookup()
    if self._lookup then
      self._lookup:cancel()
      self._lookup, self._pending = nil, nil
    end
  end

  --- Listens: listen([port[, host]][, backlog][, callback]), listen(path[, backlog][, callback]),
  --- listen(options[, callback]), or listen(handle[, backlog][, callback]), where the handle is
  --- another server or socket, what either has as `_handle`, a table with the field fd, or a handle
  --- of luv. Emits "listening", or "error".
  ---@param ... any
  ---@return Server self
  function Server:listen(...)
    Server._check(self, "listen")
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
    return self
  end
end
