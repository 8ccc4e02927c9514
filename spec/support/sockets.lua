-- What specs of sockets need.

local cp = require("child_process")
local net = require("child_process.net")
local support = require("spec.support")

local sockets = {}

--- Does this machine have ::1?
---@return boolean
function sockets.hasIPv6()
  local server = net.createServer()
  local ok = false
  server:on("error", function() end)
  server:listen(0, "::1", function()
    ok = true
    server:close()
  end)
  support.run()
  return ok
end

--- A test that needs ::1; elsewhere it is skipped, with a message.
---@param test function
---@return function
function sockets.withIPv6(test)
  return function()
    if not sockets.hasIPv6() then support.skip("the machine has no ::1") end
    test()
  end
end

--- Listens on a free port of 127.0.0.1 and calls back with it.
---@param server Server
---@param callback fun(port: integer)
function sockets.listen(server, callback)
  server:listen(0, "127.0.0.1", function()
    callback(server:address().port)
  end)
  return server
end

--- Listens, with a client that leaves after its first data.
---@param server Server
function sockets.serveOneThatLeaves(server)
  sockets.listen(server, function(port)
    local client = net.connect(port, "127.0.0.1")
    client:once("data", function()
      client:destroy()
      server:close()
    end)
  end)
end

--- Makes a server that listens on a free port of 127.0.0.1. Calls back with it, and with where it
--- listens, as net.connect takes it.
---@param callback fun(server: Server, place: table)
function sockets.listening(callback)
  local server = net.createServer()
  sockets.listen(server, function(port) callback(server, {port = port, host = "127.0.0.1"}) end)
end

--- Makes a server that takes one connection, and connects to it. Once both ends are there, calls
--- back with them.
---@param callback fun(accepted: Socket, client: Socket)
---@param serverOptions? table
---@param clientOptions? table of connect
function sockets.pair(callback, serverOptions, clientOptions)
  local accepted, client
  local function both()
    if accepted and client then callback(accepted, client) end
  end
  local server = net.createServer(serverOptions)
  server:on("connection", function(socket)
    accepted = socket
    server:close()
    both()
  end)
  sockets.listen(server, function(port)
    local options = {port = port, host = "127.0.0.1"}
    for name, value in pairs(clientOptions or {}) do options[name] = value end
    local connecting
    connecting = net.connect(options, function()
      client = connecting
      both()
    end)
  end)
  return server
end

--- Everything that a socket reads, once it has ended.
function sockets.readAll(socket, callback)
  local text = support.collect(socket)
  socket:on("end", function() callback(text()) end)
end

--- What the kernel says of an option of a socket's, asked by a child that gets the socket; nil
--- where there is no Perl.
---@param socket Socket
---@param name string an expression of Perl's Socket module: "SOL_SOCKET, SO_KEEPALIVE"
---@return integer?
function sockets.option(socket, name)
  local result = cp.spawnSync("perl", {"-MSocket=:all", "-e", ([[
    open(my $socket, "+<&=", 3); print unpack("i", getsockopt($socket, %s));
  ]]):format(name)}, {stdio = {"ignore", "pipe", "inherit", socket}})
  return tonumber(result.stdout)
end

return sockets
