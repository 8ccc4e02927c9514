--- Connecting a socket: looking up the host, and trying its addresses one after the other.
--   _target     what it connects to: {addresses, index, port, localAddress, localPort, host}
--   _lookup     the request that is being answered
local arguments = require("child_process.socket_arguments")
local core = require("child_process.core")
local errors = require("child_process.errors")
local expect = require("child_process.expect")
local loop = require("child_process.loop")

local tick = loop.tick

---@class ConnectOptions : SocketSettings
---@field port? integer|string
---@field host? string default "localhost"
---@field path? string of a Unix socket; one that begins with a zero byte is an abstract name
---@field family? 0|4|6 which addresses of the host count; default 0, all
---@field localAddress? string in digits
---@field localPort? integer
---@field timeout? number as setTimeout; net.connect alone

-- What a socket that is connected again must have forgotten.
local INITIAL = {
  readable = true, writable = true, destroyed = false, readableEnded = false,
  writableEnded = false, writableFinished = false, writableNeedDrain = false, writableCorked = 0,
  bytesRead = 0, bytesWritten = 0, _readableSide = true, _writableSide = true, _held = true,
}
local ABSENT = {
  "_error", "_eof", "_needReadable", "_emittedReadable", "_finishCallback", "remoteAddress",
  "remoteFamily", "remotePort", "localAddress", "localFamily", "localPort", "_server", "_onclose",
  "_owner", "server",
}

local function startOver(socket)
  for _, name in ipairs(ABSENT) do
    socket[name] = nil
  end
  for name, value in pairs(INITIAL) do
    socket[name] = value
  end
end

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
    expect.type("options.path", "string", options.path)
    return {addresses = {options.path}, index = 1}
  elseif options.port == nil then
    error(errors.missingArgs("options", "port", "path"))
  end
  local port = options.port
  if type(port) ~= "number" and type(port) ~= "string" then
    error(errors.invalidArgType("options.port", {"number", "string"}, port))
  end
  local localAddress = options.localAddress
  expect.optional("options.localAddress", "string", localAddress)
  if localAddress and arguments.isIP(localAddress) == 0 then
    error(errors.invalidIpAddress(localAddress))
  end
  expect.optional("options.localPort", "number", options.localPort)
  local host = arguments.host("options.host", options.host) or "localhost"
  return {
    addresses = arguments.isIP(host) ~= 0 and {host} or nil, index = 1, host = host,
    port = arguments.port("Port", port), localAddress = localAddress,
    family = arguments.family("options.family", options.family),
    localPort = options.localPort and arguments.port("options.localPort", options.localPort),
  }
end

return function(Socket)
  local check = Socket._check

  local function giveUp(self)
    if self.connecting and self._target.error then
      self:destroy(self._target.error)
    end
  end

  local function fail(self, err)
    self._target.error = err
    tick(giveUp, self)
  end

  -- The error of the present address.
  local function failure(target, errno, call)
    local address = target.addresses[target.index]
    local localAddress, localPort = localPlace(target, address)
    if call == "bind" then
      return errors.address(errno, call, localAddress, localPort)
    end
    return errors.address(errno, "connect", address, target.port, localAddress, localPort)
  end

  -- Begins to connect to the present address, or to the first after it with which that is possible.
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
      self:_detach()
      if target.index == #target.addresses then
        fail(self, failure(target, errno, call))
        return
      end
      target.index = target.index + 1
    end
  end

  function Socket:_detach()
    if self._handle then
      self._handle:close()
      self._handle = nil
    end
  end

  -- Called by core.lookup's request.
  ---@param errno integer?
  ---@param addresses {address: string, family: "IPv4"|"IPv6"}[]? without errno
  ---@param code string? the name of errno
  function Socket:onlookup(errno, addresses, code)
    local target = self._target
    self._lookup = nil
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

  -- The attempt has come to an end.
  function Socket:_onConnect()
    local target = self._target
    local errno = core.socketError(self._handle:fileno())
    if not errno then
      self.connecting = false
      self._target = nil
      self:_open()
      tick(afterConnect, self)
      self:_unhold()
      self:emit("connect")
      return
    end
    self:_detach()
    if target.index == #target.addresses then
      fail(self, failure(target, errno))
    else
      target.index = target.index + 1
      begin(self)
    end
  end

  function Socket:_stopConnecting()
    self.connecting = false
    self._target = nil
    if self._lookup then
      self._lookup:cancel()
      self._lookup = nil
    end
  end

  -- As the kernel refuses it.
  local function refuse(self, target)
    local errno = core.errno[self.connecting and "EALREADY" or "EISCONN"]
    local address = target.addresses and target.addresses[1] or target.host
    local _, localAddress, localPort
    if self._handle then
      _, _, _, localAddress, _, localPort = core.socketNames(self._handle:fileno())
    end
    self:destroy(errors.address(errno, "connect", address, target.port, localAddress, localPort))
  end

  --- Connects: connect(port[, host][, callback]), connect(path[, callback]) or connect(options[,
  --- callback]). Emits "lookup" for each address of a host (err, address, family, host), then
  --- "connect" and "ready", or "error". If a host has several addresses they are tried in order.
  --- A socket that was closed may be connected again.
  ---@param ... any
  ---@return Socket self
  function Socket:connect(...)
    check(self, "connect")
    local options, callback = arguments.normalize(...)
    local target = parse(options)
    if callback then
      self:once("connect", callback)
    end
    if self._handle or self.connecting then
      tick(function()
        refuse(self, target)
      end, true)
      return self
    elseif self.destroyed then
      startOver(self)
    end
    self.connecting = true
    self._target = target
    if target.addresses then
      begin(self)
    else
      self._lookup = core.lookup(target.host, target.family, self)
    end
    loop.started()
    return self
  end
end
