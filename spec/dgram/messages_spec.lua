-- UDP sockets: sending, receiving, and having a peer.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local datagrams = require("spec.support.datagrams")
local dgram = require("child_process.dgram")
local sockets = require("spec.support.sockets")
local support = require("spec.support")
local timers = require("child_process.timers")

local HERE = datagrams.HERE
local assertError = datagrams.assertError
local boundSocket = datagrams.boundSocket
local closeAll = datagrams.closeAll
local runThrough = support.runThrough
local withIPv6 = sockets.withIPv6

describe("socket:send", function()
  --- Sends with the arguments and gives what comes: message and number of bytes in the callback.
  local function sent(...)
    local received, count
    local server, port = boundSocket()
    local client = dgram.createSocket("udp4")
    server:on("message", function(message)
      received = message
      closeAll(server, client)
    end)
    local arguments = compat.pack(...)
    for place = 1, arguments.n do
      if arguments[place] == "PORT" then arguments[place] = port end
    end
    arguments.n = arguments.n + 1
    arguments[arguments.n] = function(err, bytes)
      assert.is_nil(err)
      count = bytes
    end
    client:send(compat.unpack(arguments, 1, arguments.n))
    support.run()
    assert.equal(#received, count)
    return received
  end

  it("sends to a port and an address", function()
    assert.equal("hello", sent("hello", "PORT", HERE))
    assert.equal("hello", sent("hello", "PORT"))
  end)

  it("sends a part of the message", function()
    assert.equal("ell", sent("hello", 1, 3, "PORT", HERE))
    assert.equal("hello", sent("hello", 0, 5, "PORT"))
    assert.equal("", sent("hello", 5, 0, "PORT", HERE))
  end)

  it("sends a list of strings as one datagram", function()
    assert.equal("one, two", sent({"one", ", ", "two"}, "PORT", HERE))
    local parts = {}
    for i = 1, 3000 do parts[i] = string.char(i % 256) end
    assert.equal(table.concat(parts), sent(parts, "PORT", HERE))
  end)

  it("sends empty datagrams", function()
    assert.equal("", sent("", "PORT", HERE))
    assert.equal("", sent({}, "PORT"))
  end)

  it("sends any bytes, and the largest datagram there is", function()
    assert.equal("\0\255\n\0", sent("\0\255\n\0", "PORT", HERE))
    local large = ("0123456789"):rep(6551):sub(1, 65507)
    support.assertSameText(large, sent(large, "PORT", HERE))
  end)

  it("sends to a name, in order", function()
    local received = {}
    local server, port = boundSocket(function(message)
      received[#received + 1] = message
    end)
    local client = dgram.createSocket("udp4")
    for n = 1, 20 do client:send(tostring(n), port, "localhost") end
    server:on("message", function()
      if #received == 20 then closeAll(server, client) end
    end)
    support.run()
    for n = 1, 20 do assert.equal(tostring(n), received[n]) end
  end)

  it("reports a host name that does not exist", function()
    local seen = {}
    local socket = boundSocket()
    socket:on("error", function(err) seen.event = err end)
    socket:send("x", 9, "no.such.host.invalid", function(err)
      seen.callback = err
      socket:send("x", 9, "no.such.host.invalid")
    end)
    socket:on("error", function() socket:close() end)
    support.run()
    assert.equal("getaddrinfo", seen.callback.syscall)
    assert.equal("no.such.host.invalid", seen.callback.hostname)
    assert.equal(seen.callback.code, seen.event.code)
  end)

  it("cancels what waits for a name when the socket is closed", function()
    local seen = {}
    local socket = boundSocket()
    socket:send("x", 9, "localhost", function(err) seen[#seen + 1] = err.code end)
    socket:send("x", 9, "localhost")
    socket:on("error", function() seen[#seen + 1] = "error" end)
    socket:close(function() seen[#seen + 1] = "close" end)
    support.run()
    assert.same({"ECANCELED", "close"}, seen)
  end)

  it("binds the socket to a free port", function()
    local from
    local server, port = boundSocket(function(_, rinfo) from = rinfo.port end)
    local client = dgram.createSocket("udp4")
    client:send("x", port, HERE)
    assert.equal("0.0.0.0", client:address().address)
    local own = client:address().port
    server:on("message", function() closeAll(server, client) end)
    support.run()
    assert.equal(own, from)
  end)

  it("waits until a socket is bound that is bound to a name", function()
    local seen = {}
    local server, port = boundSocket(function(message) seen[#seen + 1] = message end)
    local client = dgram.createSocket("udp4")
    client:bind(0, "localhost")
    client:send("one", port, HERE)
    client:send("two", port, HERE, function() seen[#seen + 1] = "sent" end)
    client:close(function() seen[#seen + 1] = "close" end)
    assertError({code = "ERR_SOCKET_DGRAM_NOT_RUNNING"}, client.close, client)
    server:on("message", function(message)
      if message == "two" then server:close() end
    end)
    support.run()
    assert.same({"sent", "close", "one", "two"}, seen)
  end)

  it("fails with the name that the socket was to be bound to", function()
    local seen = {}
    local socket = dgram.createSocket("udp4")
    socket:on("error", function(err) seen[#seen + 1] = "error " .. err.hostname end)
    socket:bind(0, "no.such.host.invalid")
    socket:send("x", 9, HERE, function(err) seen[#seen + 1] = "send " .. err.hostname end)
    socket:connect(9, HERE, function(err) seen[#seen + 1] = "connect " .. err.hostname end)
    socket:close(function() seen[#seen + 1] = "close" end)
    support.run()
    assert.same({
      "error no.such.host.invalid", "send no.such.host.invalid", "connect no.such.host.invalid",
      "close",
    }, seen)
  end)

  it("gives EMSGSIZE to the callback for what is too long", function()
    local failure
    local socket, port = boundSocket()
    socket:send(("x"):rep(65508), port, HERE, function(err, bytes)
      failure = err
      assert.is_nil(bytes)
      socket:close()
    end)
    assert.is_nil(failure)
    support.run()
    datagrams.assertAddressError("send", "EMSGSIZE", port, failure)
  end)

  it("emits 'error' where there is no callback", function()
    local failure
    local socket, port = boundSocket()
    socket:on("error", function(err)
      failure = err.code
      socket:close()
    end)
    socket:send(("x"):rep(65508), port, HERE)
    support.run()
    assert.equal("EMSGSIZE", failure)
  end)

  it("gives EINVAL for an address of the other kind", function()
    local failure
    local socket = boundSocket()
    socket:send("x", 9, "::1", function(err)
      failure = err.message
      socket:close()
    end)
    support.run()
    assert.equal("send EINVAL ::1:9", failure)
  end)

  it("raises for what cannot be sent", function()
    local socket = dgram.createSocket("udp4")
    local function fails(code, ...) assertError({code = code}, socket.send, socket, ...) end
    fails("ERR_SOCKET_BAD_PORT", "x")
    fails("ERR_SOCKET_BAD_PORT", "x", 0)
    fails("ERR_SOCKET_BAD_PORT", "x", 65536, HERE)
    fails("ERR_SOCKET_BAD_PORT", "x", "port", HERE)
    fails("ERR_INVALID_ARG_TYPE", nil, 9)
    fails("ERR_INVALID_ARG_TYPE", 5, 9)
    fails("ERR_INVALID_ARG_TYPE", {"x", 5}, 9)
    fails("ERR_INVALID_ARG_TYPE", {"x"}, 0, 1, 9)
    fails("ERR_INVALID_ARG_TYPE", "x", 9, 5)
    fails("ERR_INVALID_ARG_TYPE", "x", "0", 1, 9)
    fails("ERR_INVALID_ARG_TYPE", "x", 0, nil, 9)
    fails("ERR_INVALID_ARG_TYPE", "x", 0, 1, 9, HERE, "callback")
    fails("ERR_BUFFER_OUT_OF_BOUNDS", "abc", 4, 0, 9)
    fails("ERR_BUFFER_OUT_OF_BOUNDS", "abc", -1, 1, 9)
    fails("ERR_BUFFER_OUT_OF_BOUNDS", "abc", 1, 3, 9)
    fails("ERR_BUFFER_OUT_OF_BOUNDS", "abc", 1, -1, 9)
    assertError({
      message = "Port should be > 0 and < 65536. Received type number (0).",
    }, socket.send, socket, "x", 0)
    assertError({message = '"length" is outside of buffer bounds'}, socket.send, socket, "abc", 1,
      3, 9)
    -- none of them has bound the socket
    assertError({code = "EBADF"}, socket.address, socket)
  end)

  it("reports to callback and 'error' listeners that the socket cannot be bound", function()
    local out = support.runScript([[
      local dgram = require("child_process.dgram")
      local socket = dgram.createSocket("udp4")
      socket:on("error", function(err) print("error", err.message) end)
      local opened = {}
      repeat opened[#opened + 1] = io.open("/dev/null") or false until not opened[#opened]
      socket:send("x", 9, function(err) print("callback", err.message) end)
      socket:send("x", 9)
      cp.run()
    ]], "ulimit -n 40")
    assert.equal("error\tbind EMFILE 0.0.0.0\ncallback\tbind EMFILE 0.0.0.0\n"
      .. "error\tbind EMFILE 0.0.0.0\n", out)
  end)
end)

-- A network of its own, in which little goes over the wire at a time: what is sent has to wait.
local SLOW_NETWORK = [[
  ip link set lo up
  ip link add v0 type veth peer name v1
  ip addr add 10.99.0.1/24 dev v0
  ip link set v0 up
  ip link set v1 up
  ip neigh add 10.99.0.2 lladdr 02:00:00:00:00:01 dev v0
  tc qdisc add dev v0 root tbf rate 8mbit burst 4kb limit 1mb
]]

--- Runs a script in such a network; nil where the machine does not let us have one.
local function runOnSlowNetwork(text)
  local start = {"-rn", "sh", "-ec", SLOW_NETWORK .. '[ -z "$1" ] || exec "$0" "$1"', support.lua}
  if cp.spawnSync("unshare", start).status ~= 0 then return nil end
  start[#start + 1] = support.script([[
    local cp = require("child_process")
    local dgram = require("child_process.dgram")
  ]] .. text)
  local result = cp.spawnSync("unshare", start)
  assert.equal("", result.stderr)
  return result.stdout
end

describe("What the kernel has no room for", function()
  it("is sent later, in order, each with its callback", function()
    local out = runOnSlowNetwork([[
      local socket = dgram.createSocket({type = "udp4", sendBufferSize = 5000})
      local order, waited = {}, 0
      for n = 1, 200 do
        socket:send(("x"):rep(1000), 1000, "10.99.0.2", function(err, bytes)
          assert(not err, err)
          assert(bytes == 1000)
          order[#order + 1] = n
          if n == 200 then socket:close() end
        end)
        if socket._queue then waited = waited + 1 end
      end
      cp.run()
      for n = 1, 200 do assert(order[n] == n) end
      local counts
      repeat counts = cp.spawnSync("tc", {"-s", "qdisc", "show", "dev", "v0"}).stdout
      until counts:find("backlog 0b")
      print(waited > 100, counts)
    ]])
    if not out then return pending("a network of our own cannot be made") end
    local waited, packets, dropped = out:match("^(%a+).*Sent %d+ bytes (%d+) pkt %(dropped (%d+)")
    assert.equal("true", waited)
    assert.is_true(tonumber(packets) >= 200)
    assert.equal("0", dropped)
  end)

  it("is given up when the socket is closed: the callbacks get ECANCELED, then comes 'close'",
    function()
      local out = runOnSlowNetwork([[
        local socket = dgram.createSocket({type = "udp4", sendBufferSize = 5000})
        local codes = {}
        for n = 1, 100 do
          socket:send(("x"):rep(1000), 1000, "10.99.0.2", function(err)
            if err then codes[#codes + 1] = err.code end
          end)
        end
        socket:on("error", error)
        socket:send("x", 1000, "10.99.0.2")
        socket:close(function()
          print(#codes > 50 and codes[1], #codes)
          codes = nil
        end)
        cp.run()
      ]])
      if not out then return pending("a network of our own cannot be made") end
      assert.truthy(out:find("^ECANCELED\t"), out)
    end)

  it("keeps the loop alive, unless the socket is unreferenced", function()
    local out = runOnSlowNetwork([[
      for _, method in ipairs({"ref", "unref"}) do
        local socket = dgram.createSocket({type = "udp4", sendBufferSize = 5000})
        local left = 50
        for n = 1, 50 do
          socket:send(("x"):rep(1000), 1000, "10.99.0.2", function(err)
            left = left - 1
            if left == 0 then socket:unref() end
          end)
        end
        socket[method](socket)
        cp.run()
        print(left > 0)
      end
    ]])
    if not out then return pending("a network of our own cannot be made") end
    assert.equal("false\ntrue\n", out)
  end)
end)

describe("The event 'message'", function()
  it("has the bytes, and where they came from", function()
    local seen
    local server, port = boundSocket()
    local client, own = boundSocket()
    server:on("message", function(message, rinfo)
      seen = {message, rinfo}
      closeAll(server, client)
    end)
    client:send("hello", port, HERE)
    support.run()
    assert.same({"hello", {address = HERE, family = "IPv4", port = own, size = 5}}, seen)
  end)

  it("comes over IPv6 as well", withIPv6(function()
    local seen
    local server, port = boundSocket(nil, "udp6")
    local client = dgram.createSocket("udp6")
    server:on("message", function(message, rinfo)
      seen = {message, rinfo.address, rinfo.family}
      closeAll(server, client)
    end)
    client:send("hello", port)
    support.run()
    assert.same({"hello", "::1", "IPv6"}, seen)
  end))

  it("comes once for each of thousands of datagrams, in order", function()
    local COUNT, WINDOW = support.isSlow and 2000 or 20000, 50
    local received = 0
    local client, server, port
    local function sendWindow(first)
      for n = first, first + WINDOW - 1 do client:send(("n%d"):format(n), port, HERE) end
    end
    client = dgram.createSocket("udp4", function(message)
      sendWindow(tonumber(message))
    end)
    server, port = boundSocket(function(message, rinfo)
      received = received + 1
      assert.equal("n" .. received, message)
      if received == COUNT then
        closeAll(server, client)
      elseif received % WINDOW == 0 then
        server:send(tostring(received + 1), rinfo.port, rinfo.address)
      end
    end)
    sendWindow(1)
    support.run()
    assert.equal(COUNT, received)
  end)

  it("does not come after the socket was closed in a listener", function()
    local received = 0
    local server, port
    server, port = boundSocket(function()
      received = received + 1
      server:close()
    end)
    local client = dgram.createSocket("udp4")
    for _ = 1, 10 do client:send("x", port, HERE) end
    client:close()
    support.run()
    assert.equal(1, received)
  end)

  it("loses nothing when listeners raise", function()
    local received = {}
    local server, port
    server, port = boundSocket(function(message)
      received[#received + 1] = message
      if #received == 3 then server:close() end
      error("raised by " .. message, 0)
    end)
    local client = dgram.createSocket("udp4")
    for n = 1, 3 do client:send("m" .. n, port, HERE) end
    client:close()
    assert.same({"raised by m1", "raised by m2", "raised by m3"}, runThrough())
    assert.same({"m1", "m2", "m3"}, received)
  end)

  it("does not starve other handles while datagrams keep coming", function()
    local socket, port
    local count = 0
    socket, port = boundSocket(function(message)
      count = count + 1
      if count == 1 then timers.setTimeout(function() socket:close() end, 20) end
      socket:send(message, port, HERE)
    end)
    socket:send("round", port, HERE)
    support.run()
    assert.is_true(count > 0)
  end)

  it("stops with a listener that calls stop, and goes on in the next run", function()
    local received = {}
    local server, port
    server, port = boundSocket(function(message)
      received[#received + 1] = message
      cp.stop()
    end)
    local client = dgram.createSocket("udp4")
    client:send("one", port, HERE)
    client:send("two", port, HERE, function() client:close() end)
    support.run()
    assert.same({"one"}, received)
    server:on("message", function() server:close() end)
    support.run()
    assert.same({"one", "two"}, received)
  end)

  it("may be listened to once, or by nobody", function()
    local seen = {}
    local server, port = boundSocket()
    local client = dgram.createSocket("udp4")
    server:once("message", function(message) seen[#seen + 1] = message end)
    local function listenAgain()
      server:once("message", function(message)
        seen[#seen + 1] = message
        closeAll(server, client)
      end)
      client:send("4", port, HERE)
    end
    client:send("1", port, HERE)
    client:send("2", port, HERE)
    -- what was sent has arrived, and is read within the next iterations
    client:send("3", port, HERE, function() support.afterTurns(3, listenAgain) end)
    support.run()
    assert.same({"1", "4"}, seen)
  end)
end)

describe("socket:connect", function()
  it("gives the socket a peer, and emits 'connect' later", function()
    local seen = {}
    local server, port = boundSocket(function(message)
      seen[#seen + 1] = message
    end)
    local client = dgram.createSocket("udp4")
    client:on("connect", function() seen[#seen + 1] = "event" end)
    client:connect(port, HERE, function(err)
      assert.is_nil(err)
      seen[#seen + 1] = "callback"
      assert.same({address = HERE, family = "IPv4", port = port}, client:remoteAddress())
      client:send("one")
      client:send({"t", "wo"}, function(_, bytes) seen[#seen + 1] = bytes end)
      client:send("--three", 2, 5)
      client:send("--four--", 2, 4, function(_, bytes) seen[#seen + 1] = bytes end)
    end)
    assert.same({}, seen)
    server:on("message", function(message)
      if message == "four" then closeAll(server, client) end
    end)
    support.run()
    assert.same({"event", "callback", 3, 4, "one", "two", "three", "four"}, seen)
  end)

  it("needs no address, and no callback", function()
    local client = dgram.createSocket("udp4")
    local seen
    client:connect(9)
    client:once("connect", function()
      seen = client:remoteAddress().address
      client:close()
    end)
    support.run()
    assert.equal(HERE, seen)
  end)

  it("has only the peer's datagrams received", function()
    local seen = {}
    local client, own = boundSocket(function(message) seen[#seen + 1] = message end)
    local peer, port = boundSocket()
    local stranger = boundSocket()
    client:connect(port, HERE)
    stranger:send("strange", own, HERE)
    peer:send("familiar", own, HERE)
    client:on("message", function() closeAll(client, peer, stranger) end)
    support.run()
    assert.same({"familiar"}, seen)
  end)

  it("lets the socket know that nobody is there: ECONNREFUSED", function()
    local gone, port = boundSocket()
    gone:close()
    local client = dgram.createSocket("udp4")
    local seen = {}
    client:on("error", function(err)
      seen[#seen + 1] = err.syscall .. " " .. err.code
      client:close()
    end)
    client:connect(port, HERE, function() client:send("x") end)
    support.run()
    assert.same({"recvmsg ECONNREFUSED"}, seen)
  end)

  it("raises ERR_SOCKET_DGRAM_IS_CONNECTED the second time, and for a send with a port", function()
    local client = dgram.createSocket("udp4")
    client:connect(9, HERE)
    local connected = {code = "ERR_SOCKET_DGRAM_IS_CONNECTED", message = "Already connected"}
    assertError(connected, client.connect, client, 9)
    assertError(connected, client.send, client, "x", 9)
    assertError(connected, client.send, client, "x", 9, HERE)
    assertError(connected, client.send, client, "x", 0, 1, 9, HERE)
    client:close()
    support.run()
  end)

  it("raises for an invalid port or address", function()
    local socket = dgram.createSocket("udp4")
    for _, port in ipairs({0, -1, 65536, "x"}) do
      assertError({code = "ERR_SOCKET_BAD_PORT"}, socket.connect, socket, port)
    end
    assertError({code = "ERR_INVALID_ARG_TYPE"}, socket.connect, socket, 9, 5)
    assertError({code = "ERR_INVALID_ARG_TYPE"}, socket.connect, socket, 9, HERE, 5)
  end)

  it("gives what goes wrong to the callback, or emits it", function()
    local seen = {}
    local one, two = dgram.createSocket("udp4"), dgram.createSocket("udp4")
    one:connect(9, "::1", function(err)
      seen.callback = err.message
      assert.equal(0, one:listenerCount("connect"))
      one:connect(9, HERE, function() one:close() end) -- it may be tried again
    end)
    two:on("error", function(err)
      seen.event = err.message
      two:close()
    end)
    two:connect(9, "::1")
    support.run()
    assert.same({callback = "connect EINVAL ::1:9", event = "connect EINVAL ::1:9"}, seen)
  end)

  it("may be done again after a name that cannot be one", function()
    local client = dgram.createSocket("udp4")
    assertError({code = "ERR_INVALID_ARG_VALUE"}, client.connect, client, 9, "a\0b")
    client:connect(9, HERE, function() client:close() end)
    support.run()
  end)

  it("takes a name", function()
    local seen
    local client = dgram.createSocket("udp4")
    client:connect(9, "localhost", function()
      seen = client:remoteAddress().address
      client:close()
    end)
    assertError({code = "ERR_SOCKET_DGRAM_IS_CONNECTED"}, client.connect, client, 9)
    assertError({code = "ERR_SOCKET_DGRAM_NOT_CONNECTED"}, client.remoteAddress, client)
    support.run()
    assert.equal(HERE, seen)
  end)
end)

describe("socket:disconnect", function()
  it("takes the peer away", function()
    local seen
    local server, port = boundSocket(function(message) seen = message end)
    local client = dgram.createSocket("udp4")
    client:connect(9, HERE, function()
      client:disconnect()
      assertError({code = "ERR_SOCKET_DGRAM_NOT_CONNECTED"}, client.remoteAddress, client)
      client:send("free", port, HERE)
    end)
    server:on("message", function() closeAll(server, client) end)
    support.run()
    assert.equal("free", seen)
  end)

  it("raises ERR_SOCKET_DGRAM_NOT_CONNECTED without a peer, as does remoteAddress", function()
    local socket = dgram.createSocket("udp4")
    local expected = {code = "ERR_SOCKET_DGRAM_NOT_CONNECTED", message = "Not connected"}
    assertError(expected, socket.disconnect, socket)
    assertError(expected, socket.remoteAddress, socket)
  end)
end)
