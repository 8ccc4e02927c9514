--- Connects sockets: looks up the host, and tries its addresses one after the other.

local arguments = require("child_process.net.arguments")
local core = require("child_process.core")
local errors = require("child_process.errors")
local check = require("child_process.base.check")
local loop = require("child_process.loop")
local tick = require("child_process.base.ticks").tick

---@class ConnectOptions : SocketSettings
---@field port? integer|string
---@field host? string default "localhost"
---@field path? string of a Unix socket; one that begins with a zero byte is an abstract name
---@field family? 0|4|6 which addresses of the host count; default 0, all
---@field localAddress? string in digits
---@field localPort? integer
---@field timeout? number as for setTimeout; only in net.connect

---@class child_process.ConnectTarget
---@field addresses string[]? in digits, or the path; absent before the host was looked up
---@field index integer the address that is being tried
---@field host? string
---@field port? integer
---@field family? 0|4|6
---@field localAddress? string
---@field localPort? integer
---@field error? Error from the last attempt

---@class Socket
local connect = {
  _lookup = false, ---@type userdata|false the request to core for the host's addresses
  _target = false, ---@type child_process.ConnectTarget|false while it connects
}

local ANY = {[4] = "0.0.0.0", [6] = "::"}

local function localPlace(target, address)
  if not target.localAddress and not target.localPort then
    return nil
  end
  return target.localAddress or ANY[arguments.isIP(address)], target.localPort or 0
end

-- The target of connect's options. Raises if they are wrong.
local function parse(options)
  if options.path ~= nil then
    check.type("options.path", "string", options.path)
    return {addresses = {options.path}, index = 1}
  elseif options.port == nil then
    error(errors.missingArgs("options", "port", "path"))
  end
  local port = options.port
  if type(port) ~= "number" and type(port) ~= "string" then
    error(errors.invalidArgType("options.port", {"number", "string"}, port))
  end
  local localAddress = options.localAddress
  check.optional("options.localAddress", "string", localAddress)
  if localAddress and arguments.isIP(localAddress) == 0 then
    error(errors.invalidIpAddress(localAddress))
  end
  check.optional("options.localPort", "number", options.localPort)
  local host = arguments.host("options.host", options.host) or "localhost"
  return {
    addresses = arguments.isIP(host) ~= 0 and {host} or nil, index = 1, host = host,
    port = arguments.port("Port", port), localAddress = localAddress,
    family = arguments.family("options.family", options.family),
    localPort = options.localPort and arguments.port("options.localPort", options.localPort),
  }
end

local function giveUp(self)
  if self.connecting and self._target.error then
    self:destroy(self._target.error)
  end
end

local function fail(self, err)
  self._target.error = err
  tick(giveUp, self)
end

-- The error of the current address.
local function failure(target, errno, call)
  local address = target.addresses[target.index]
  local localAddress, localPort = localPlace(target, address)
  if call == "bind" then
    return errors.address(errno, call, localAddress, localPort)
  end
  return errors.address(errno, "connect", address, target.port, localAddress, localPort)
end

local function detach(self)
  if self._handle then
    self._handle:close()
    self._handle = nil
  end
end

-- Starts to connect to the current address or, if that fails at once, to the next one.
local function begin(self)
  local target = self._target
  while true do
    local address = target.addresses[target.index]
    local handle, errno, call = core.connect(address, target.port, localPlace(target, address))
    if handle then
      self:_attach(handle)
      errno = handle:awaitRoom()
    end
    if not errno then
      return
    end
    detach(self)
    if target.index == #target.addresses then
      fail(self, failure(target, errno, call))
      return
    end
    target.index = target.index + 1
  end
end

-- Called by core.lookup's request.
---@param errno integer?
---@param addresses {address: string, family: "IPv4"|"IPv6"}[]? without errno
---@param code string? the name of errno
function connect:onlookup(errno, addresses, code)
  local target = self._target
  self._lookup = false
  if errno then
    local err = errors.lookup(errno, code, target.host)
    fail(self, err)
    self:emit("lookup", err, nil, nil, target.host)
    return
  end
  target.addresses = {}
  for index, found in ipairs(addresses) do
    target.addresses[index] = found.address
  end
  -- Before the listeners, which may raise or destroy the socket.
  begin(self)
  for _, found in ipairs(addresses) do
    self:emit("lookup", nil, found.address, found.family == "IPv6" and 6 or 4, target.host)
  end
end

local function afterConnect(self)
  if not self.destroyed then
    self:_readAhead()
    self:emit("ready")
  end
end

-- The handle has connected, or has failed to.
function connect:_attemptEnded()
  local target = self._target
  local errno = core.socketError(self._handle:fileno())
  if not errno then
    self.connecting = false
    self._target = false
    self:_open()
    tick(afterConnect, self)
    self:_unhold()
    self:emit("connect")
    return
  end
  detach(self)
  if target.index == #target.addresses then
    fail(self, failure(target, errno))
  else
    target.index = target.index + 1
    begin(self)
  end
end

-- The socket is destroyed.
function connect:_stopConnecting()
  self.connecting = false
  self._target = false
  if self._lookup then
    self._lookup:cancel()
    self._lookup = false
  end
end

-- Where the socket is connecting to, in words.
function connect:_peerText()
  local target = self._target
  local name = target.host or target.addresses[target.index]
  return target.port and ("%s:%d"):format(name, target.port) or name
end

-- The socket in words, see active_handles.lua.
function connect:_describe()
  if self.connecting then
    return "socket", "connects to " .. self:_peerText()
  elseif self.remoteAddress then
    return "socket", "connected with " .. require("child_process.base.address_text")(
      self.remoteAddress, self.remoteFamily, self.remotePort)
  end
  return "socket", self.pending and "not connected" or "connected on a path"
end

-- Refuses a second `connect` as the kernel would.
local function refuse(self, target)
  local errno = core.errno[self.connecting and "EALREADY" or "EISCONN"]
  local address = target.addresses and target.addresses[1] or target.host
  local _, localAddress, localPort
  if self._handle then
    _, _, _, localAddress, _, localPort = core.socketNames(self._handle:fileno())
  end
  self:destroy(errors.address(errno, "connect", address, target.port, localAddress, localPort))
end

-- Starts to connect. The socket may have been closed before.
---@param options ConnectOptions
---@param callback? fun() listener of "connect"
function connect:_connect(options, callback)
  local target = parse(options)
  if callback then
    self:once("connect", callback)
  end
  if self._handle or self.connecting then
    tick(function()
      refuse(self, target)
    end, true)
    return
  elseif self.destroyed then
    self:_reopen()
  end
  self.connecting = true
  self._target = target
  if target.addresses then
    begin(self)
  else
    self._lookup = core.lookup(target.host, target.family, self)
  end
  loop.started(self)
end

return connect
