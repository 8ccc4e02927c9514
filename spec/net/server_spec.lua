-- net.Server: listening in all ways, accepting, closing.

local compat = require("child_process.base.compat")
local core = require("child_process.core")
local cp = require("child_process")
local lfs = require("lfs")
local net = require("child_process.net")
local sockets = require("spec.support.sockets")
local support = require("spec.support")

local listen, pair, withIPv6 = sockets.listen, sockets.pair, sockets.withIPv6

--- Connects to a place and gives what the server says until the end, by a callback.
local function ask(callback, ...)
  sockets.readAll(net.connect(...), callback)
end

-- Where to connect to reach a server. Nobody can connect to "::" where IPv6 is turned off, though a
-- server can listen on it.
local function placeOf(server)
  local address = server:address()
  if type(address) == "string" then return {path = address} end
  return {port = address.port, host = address.address == "::" and "127.0.0.1" or address.address}
end

--- Listens, has one connection answered and gives the answer.
local function answerOf(server, ...)
  local answer
  server:on("connection", function(socket) socket:finish("answer") end)
  server:listen(...)
  server:on("listening", function()
    ask(function(text)
      answer = text
      server:close()
    end, placeOf(server))
  end)
  support.run()
  return answer
end

describe("net.createServer", function()
  it("takes options and a listener of 'connection', each of which may be left out", function()
    local function listener() end
    local server = net.createServer({allowHalfOpen = true, pauseOnConnect = true}, listener)
    assert.is_true(server.allowHalfOpen)
    assert.is_true(server.pauseOnConnect)
    assert.same({listener}, server:listeners("connection"))
    assert.same({listener}, net.createServer(listener):listeners("connection"))
    assert.same({}, net.Server():listeners("connection"))
    assert.is_false(net.Server.new().allowHalfOpen)
  end)

  it("raises a TypeError for arguments of other types", function()
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(net.createServer, 5).code)
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(net.createServer, {}, "x").code)
  end)
end)

describe("server:listen", function()
  it("listens on a free port for no arguments, and emits 'listening'", function()
    local server = net.createServer()
    local listening = 0
    assert.equal(server, server:listen())
    server:on("listening", function()
      listening = listening + 1
      assert.is_true(server.listening)
      assert.is_true(server:address().port > 0)
      server:close()
    end)
    support.run()
    assert.equal(1, listening)
  end)

  it("adds its last argument as a listener of 'listening' for one time", function()
    local server, calls = net.createServer(), 0
    local function listener()
      calls = calls + 1
      server:close()
    end
    for _, place in ipairs({
      {0, "127.0.0.1"}, {0}, {}, {{port = 0}}, {0, "localhost", 5}, {core.null},
    }) do
      place[#place + 1] = listener
      server:listen(compat.unpack(place))
      support.run()
    end
    assert.equal(6, calls)
  end)

  it("takes a port, a host and a backlog in order", function()
    assert.equal("answer", answerOf(net.createServer(), 0, "127.0.0.1", 5, function() end))
    assert.equal("answer", answerOf(net.createServer(), "0", nil, 5))
    assert.equal("answer", answerOf(net.createServer(), 0, 5))
  end)

  it("takes the name of a host", function()
    assert.equal("answer", answerOf(net.createServer(), 0, "localhost"))
  end)

  it("takes options", function()
    assert.equal("answer", answerOf(net.createServer(), {port = 0, host = "127.0.0.1",
      backlog = 1}))
  end)

  it("takes the path of a Unix socket, which is removed when the server is closed", function()
    local path = support.tmpdir() .. "/socket"
    local server = net.createServer()
    server:on("listening", function()
      assert.equal("socket", lfs.attributes(path, "mode"))
      assert.equal(path, server:address())
      assert.equal("-1:" .. path .. ":-1", server._connectionKey)
    end)
    assert.equal("answer", answerOf(server, path))
    assert.is_nil(lfs.attributes(path, "mode"))
    assert.equal("answer", answerOf(net.createServer(), {path = path}))
  end)

  it("takes an abstract name, which is no file", function()
    local name = "\0child_process." .. support.tmpdir()
    assert.equal("answer", answerOf(net.createServer(), name))
  end)

  it("listens on all addresses, of IPv6 and IPv4, where no host is given", withIPv6(function()
    local server, answers = net.createServer(function(socket) socket:finish("answer") end), {}
    server:listen(0, function()
      local port = server:address().port
      assert.equal("::", server:address().address)
      assert.equal("IPv6", server:address().family)
      local function note(text)
        answers[#answers + 1] = text
        if #answers == 2 then server:close() end
      end
      ask(note, port, "127.0.0.1")
      ask(note, port, "::1")
    end)
    support.run()
    assert.same({"answer", "answer"}, answers)
  end))

  it("leaves out IPv4 with the option ipv6Only", withIPv6(function()
    local server, code = net.createServer(), nil
    server:listen({port = 0, host = "::", ipv6Only = true}, function()
      net.connect(server:address().port, "127.0.0.1"):on("error", function(err)
        code = err.code
        server:close()
      end)
    end)
    support.run()
    assert.equal("ECONNREFUSED", code)
  end))

  it("shares its port with servers that have the option reusePort, too", function()
    local answered, failed = 0, nil
    local first, second, third
    local function answer(socket)
      answered = answered + 1
      socket:finish()
      if answered == 2 then
        first:close()
        second:close()
      end
    end
    first, second, third = net.createServer(answer), net.createServer(answer), net.createServer()
    third:on("error", function(err) failed = err.code end)
    first:listen({port = 0, host = "127.0.0.1", reusePort = true}, function()
      local port = first:address().port
      second:listen({port = port, host = "127.0.0.1", reusePort = true}, function()
        third:listen({port = port, host = "127.0.0.1"})
        for _ = 1, 2 do net.connect(port, "127.0.0.1"):resume() end
      end)
    end)
    support.run()
    assert.equal(2, answered)
    assert.equal("EADDRINUSE", failed)
    assert.equal("ERR_INVALID_ARG_TYPE",
      support.error(first.listen, first, {port = 0, reusePort = "yes"}).code)
  end)

  it("names what it listens on in the key that messages about it use", function()
    local server, key, expected = net.createServer(), nil, nil
    listen(server, function(port)
      key, expected = server._connectionKey, "4:127.0.0.1:" .. port
      server:close()
    end)
    support.run()
    assert.equal(expected, key)
  end)

  it("has a key of its own, which is text, on a path that is not text", function()
    local base, keys = os.tmpname(), {}
    os.remove(base)
    for index, ending in ipairs({"\254", "\255", "é"}) do
      local server = net.createServer()
      server:listen(base .. ending, function()
        keys[index] = server._connectionKey
        server:close()
      end)
    end
    support.run()
    assert.is_true(support.isText(keys[1]) and support.isText(keys[2]))
    assert.not_equal(keys[1], keys[2])
    assert.equal("-1:" .. base .. "é:-1", keys[3])
  end)

  it("has a key of its own on a socket that another server listens on", function()
    local first, second, third = net.createServer(), net.createServer(), net.createServer()
    local keys = {}
    listen(first, function()
      second:listen(first)
      third:listen(first, function()
        for _, server in ipairs({first, second, third}) do
          keys[server._connectionKey] = true
          server:close()
        end
      end)
    end)
    support.run()
    local count = 0
    for _ in pairs(keys) do count = count + 1 end
    assert.equal(3, count)
  end)

  it("counts sockets in a child apart from those of other servers", function()
    local child = cp.fork(support.script([[
      local kept = {}
      process:on("message", function(message, socket)
        if message == "end" then
          for _, one in ipairs(kept) do one:destroy() end
          process:disconnect()
        else
          kept[#kept + 1] = socket
          process:send("kept")
        end
      end)
    ]]))
    local servers, counts, arrived = {}, {}, 0
    for index = 1, 2 do
      servers[index] = net.createServer(function(socket) child:send("socket", socket) end)
      listen(servers[index], function(port) net.connect(port, "127.0.0.1"):resume() end)
    end
    child:on("message", function()
      arrived = arrived + 1
      if arrived < 2 then return end
      for index, server in ipairs(servers) do
        server:getConnections(function(_, count)
          counts[index] = count
          if counts[1] and counts[2] then child:send("end") end
        end)
        server:close()
      end
    end)
    support.run()
    assert.same({1, 1}, counts)
  end)

  it("raises for a descriptor that cannot be one", function()
    local server = net.createServer()
    assert.equal("ERR_OUT_OF_RANGE", support.error(server.listen, server, {fd = 2 ^ 40}).code)
    assert.is_nil(server:address())
  end)

  it("takes another server, which may be closed meanwhile", function()
    local first, second = net.createServer(), net.createServer()
    local answer
    second:on("connection", function(socket) socket:finish("second") end)
    listen(first, function(port)
      second:listen(first, function()
        assert.are_not.equal(first._handle:fileno(), second._handle:fileno())
        assert.equal(port, second:address().port)
        first:close()
        ask(function(text)
          answer = text
          second:close()
        end, port, "127.0.0.1")
      end)
    end)
    support.run()
    assert.equal("second", answer)
  end)

  it("takes a server's _handle, and a table that has a handle", function()
    for _, wrap in ipairs({
      function(server) return server._handle end,
      function(server) return {handle = server._handle} end,
      function(server) return {_handle = server._handle} end,
    }) do
      local first, second = net.createServer(), net.createServer()
      local same
      listen(first, function(port)
        second:listen(wrap(first), function()
          same = second:address().port == port
          first:close()
          second:close()
        end)
      end)
      support.run()
      assert.is_true(same)
    end
  end)

  it("takes over a handle that nobody uses yet", function()
    local before = #support.settledFds()
    local handle = core.bindListener("127.0.0.1", 0)
    local server = net.createServer()
    assert.equal("answer", answerOf(server, handle))
    assert.equal(before, #support.settledFds())
  end)

  it("takes over a descriptor", function()
    local handle = core.bindListener("127.0.0.1", 0)
    local fd = core.copySocket(handle:fileno())
    handle:close()
    assert.equal("answer", answerOf(net.createServer(), {fd = fd}))
    for _, open in ipairs(support.openFds()) do assert.is_nil(open:match("^" .. fd .. " ")) end
  end)

  it("raises a RangeError for an invalid port", function()
    for _, port in ipairs({70000, -1, 80.5}) do
      local server = net.createServer()
      local err = support.error(server.listen, server, port)
      assert.equal("RangeError", err.name)
      assert.equal("ERR_SOCKET_BAD_PORT", err.code)
    end
    for _, blank in ipairs({"", " ", "\t"}) do
      local server = net.createServer()
      assert.equal("ERR_SOCKET_BAD_PORT", support.error(server.listen, server, blank).code)
      assert.equal("ERR_SOCKET_BAD_PORT", support.error(net.connect, blank).code)
    end
    local server = net.createServer()
    assert.equal("options.port should be >= 0 and < 65536. Received type string ('abc').",
      support.error(server.listen, server, {port = "abc"}).message)
  end)

  it("raises a TypeError for options that say nothing of where", function()
    local server = net.createServer()
    for _, options in ipairs({
      {}, {backlog = 3}, {path = ""}, {path = 5}, {fd = "3"}, true, io.stdout,
    }) do
      assert.equal("ERR_INVALID_ARG_VALUE", support.error(server.listen, server, options).code)
    end
    assert.equal("ERR_INVALID_ARG_TYPE",
      support.error(server.listen, server, {port = 0, host = 5}).code)
    assert.equal("ERR_INVALID_ARG_VALUE",
      support.error(server.listen, server, 0, "127.0.0.1\0x").code)
    assert.is_false(server.listening)
  end)

  it("raises an error while the server listens, or is about to", function()
    local server = net.createServer()
    server:listen(0, "localhost")
    assert.equal("ERR_SERVER_ALREADY_LISTEN", support.error(server.listen, server, 0).code)
    server:on("listening", function()
      assert.equal("ERR_SERVER_ALREADY_LISTEN", support.error(server.listen, server, 0).code)
      server:close()
    end)
    support.run()
  end)

  it("emits 'error' where the address is in use, and may be called again", function()
    local first, second, err, port = net.createServer(), net.createServer(), nil, nil
    second:on("error", function(e)
      err = e
      assert.is_false(second.listening)
      listen(second, function()
        first:close()
        second:close()
      end)
    end)
    listen(first, function(taken)
      port = taken
      second:listen(port, "127.0.0.1")
    end)
    support.run()
    assert.equal("listen EADDRINUSE: address already in use 127.0.0.1:" .. port, err.message)
    assert.equal("EADDRINUSE", err.code)
    assert.equal(-core.errno.EADDRINUSE, err.errno)
    assert.equal("listen", err.syscall)
    assert.equal("127.0.0.1", err.address)
    assert.equal(port, err.port)
  end)

  it("emits 'error' for a path, a host or a descriptor that cannot be listened on", function()
    local messages = {}
    local function try(...)
      local server = net.createServer()
      server:on("error", function(err) messages[#messages + 1] = err.message end)
      server:listen(...)
      support.run()
      assert.is_false(server.listening)
    end
    try("/does/not/exist/socket")
    try(0, "nosuch.invalid")
    try({fd = 9999})
    try(("x"):rep(200))
    assert.equal("listen EACCES: permission denied /does/not/exist/socket", messages[1])
    assert.matches("^getaddrinfo E[%w_]+ nosuch%.invalid$", messages[2])
    assert.equal("listen EBADF: bad file descriptor", messages[3])
    assert.matches("^listen ENAMETOOLONG", messages[4])
  end)
end)

describe("A server", function()
  it("emits 'connection' with a socket whose server it is", function()
    local seen
    pair(function(accepted, client)
      seen = accepted
      accepted:finish()
      client:resume()
    end)
    support.run()
    assert.is_true(require("child_process.stream.stream").isStream(seen))
    assert.equal("Server", getmetatable(seen.server).__name)
  end)

  it("answers many connections", function()
    local COUNT = 300
    local answered = 0
    local before = #support.settledFds()
    local server
    server = net.createServer(function(socket)
      socket:pipe(socket)
    end)
    listen(server, function(port)
      for index = 1, COUNT do
        local client = net.connect(port, "127.0.0.1")
        client:finish("number " .. index)
        sockets.readAll(client, function(text)
          assert.equal("number " .. index, text)
          answered = answered + 1
          if answered == COUNT then server:close() end
        end)
      end
    end)
    support.run()
    assert.equal(COUNT, answered)
    assert.equal(before, #support.settledFds())
  end)

  it("counts its connections, and reports their number in the next tick", function()
    local counts, server = {}, nil
    server = pair(function(accepted, client)
      local told = false
      assert.equal(server, server:getConnections(function(err, count)
        told = true
        assert.is_nil(err)
        counts[1] = count
        client:finish()
        accepted:resume()
      end))
      assert.is_false(told)
      accepted:on("close", function()
        server:getConnections(function(_, count) counts[2] = count end)
      end)
      client:resume()
    end)
    support.run()
    assert.same({1, 0}, counts)
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(server.getConnections, server).code)
  end)

  it("stops accepting with close(), and emits 'close' when its connections have ended", function()
    local order = {}
    local server
    server = net.createServer(function(socket)
      assert.equal(server, server:close(function(err)
        order[#order + 1] = "callback " .. tostring(err)
      end))
      assert.is_false(server.listening)
      assert.is_nil(server:address())
      socket:on("close", function() order[#order + 1] = "socket" end)
      socket:on("data", function(data)
        order[#order + 1] = data
        socket:finish()
      end)
    end)
    server:on("close", function() order[#order + 1] = "close" end)
    listen(server, function(port)
      local client = net.connect(port, "127.0.0.1")
      client:on("connect", function() client:write("data") end)
      client:resume()
    end)
    support.run()
    assert.equal("data", order[1])
    assert.equal("socket", order[2])
    table.sort(order)
    assert.same({"callback nil", "close", "data", "socket"}, order)
  end)

  it("reports to the callback of close() that it did not listen", function()
    local server, err = net.createServer(), nil
    server:close(function(e) err = e end)
    support.run()
    assert.equal("ERR_SERVER_NOT_RUNNING", err.code)
    assert.equal("Server is not running.", err.message)
  end)

  it("may be closed before its host was found, and right after listen", function()
    local server = net.createServer()
    server:listen(0, "localhost")
    server:close()
    server:on("listening", function() error("it is closed") end)
    support.run()
    server:listen(0)
    server:close()
    support.run()
    assert.is_nil(server:address())
  end)

  it("closes connections above maxConnections and emits 'drop'", function()
    local server, dropped, open = net.createServer(), nil, nil
    server.maxConnections = 1
    server:on("drop", function(data) dropped = data end)
    listen(server, function(port)
      local first = net.connect(port, "127.0.0.1")
      first:resume()
      server:once("connection", function()
        local second = net.connect(port, "127.0.0.1")
        second:resume()
        second:on("close", function()
          server:getConnections(function(_, count) open = count end)
          assert.equal(port, dropped.localPort)
          first:finish()
          server:close()
        end)
      end)
    end)
    server:on("connection", function(socket) socket:resume() end)
    support.run()
    assert.equal(1, open)
    assert.equal("127.0.0.1", dropped.remoteAddress)
    assert.equal("IPv4", dropped.remoteFamily)
    assert.equal("number", type(dropped.remotePort))
    assert.equal("127.0.0.1", dropped.localAddress)
    assert.equal("IPv4", dropped.localFamily)
  end)

  it("drops all connections where maxConnections is 0, none where it is not a number", function()
    for _, case in ipairs({{0, "drop"}, {"0", "drop"}, {"x", "connection"}, {{}, "connection"}}) do
      local server, seen = net.createServer(), {}
      server.maxConnections = case[1]
      for _, event in ipairs({"drop", "connection"}) do
        server:on(event, function(socket)
          seen[#seen + 1] = event
          if event == "connection" then socket:destroy() end
          server:close()
        end)
      end
      listen(server, function(port) net.connect(port, "127.0.0.1"):resume() end)
      support.run()
      assert.same({case[2]}, seen)
    end
  end)

  it("does not count a connection that was given away, which ends without events", function()
    local server, open, closed = net.createServer(), nil, false
    server:on("connection", function(socket)
      socket:on("close", function() error("it goes on elsewhere") end)
      socket:_giveAway()
      server:getConnections(function(_, count) open = count end)
      server:close(function() closed = true end)
    end)
    listen(server, function(port) net.connect(port, "127.0.0.1"):resume() end)
    support.run()
    assert.equal(0, open)
    assert.is_true(closed)
  end)

  it("reads nothing from a connection before resume() with the option pauseOnConnect", function()
    local text
    pair(function(accepted, client)
      client:finish("kept")
      assert.is_true(accepted:isPaused())
      assert.equal(0, accepted.bytesRead)
      sockets.readAll(accepted, function(all) text = all end)
      client:on("finish", function()
        assert.equal(0, accepted.bytesRead)
        accepted:resume()
      end)
      client:resume()
    end, {pauseOnConnect = true})
    support.run()
    assert.equal("kept", text)
  end)

  it("keeps a paused connection that nobody refers to", function()
    local closed = false
    local server
    server = net.createServer({pauseOnConnect = true}, function(socket)
      socket:on("close", function() closed = true end)
    end)
    listen(server, function(port)
      local client = net.connect(port, "127.0.0.1", function() end)
      client:on("close", function() error("the server has closed the connection") end)
      client:resume()
      server:once("connection", function()
        cp.spawn("true"):on("close", function()
          collectgarbage()
          collectgarbage()
          cp.spawn("true"):on("close", function()
            assert.is_false(closed)
            client:removeAllListeners("close")
            client:destroy()
            server:unref():close()
            cp.stop()
          end)
        end)
      end)
    end)
    support.run()
    local open
    server:getConnections(function(_, count) open = count end)
    support.run()
    assert.equal(1, open)
  end)

  it("sets options on its connections", function()
    local noDelay, keepAlive
    pair(function(accepted, client)
      noDelay = sockets.option(accepted, "IPPROTO_TCP, TCP_NODELAY")
      keepAlive = sockets.option(accepted, "SOL_SOCKET, SO_KEEPALIVE")
      accepted:destroy()
      client:destroy()
    end, {noDelay = true, keepAlive = true, keepAliveInitialDelay = 5000})
    support.run()
    if not noDelay then pending("Perl is not installed") end
    assert.equal(1, noDelay)
    assert.equal(1, keepAlive)
  end)

  it("lets the loop end after unref(), before and while it listens, and not after ref()", function()
    local server = net.createServer()
    assert.equal(server, server:unref())
    server:listen(0, "127.0.0.1")
    support.run()
    assert.is_true(server.listening)
    local connected = false
    assert.equal(server, server:ref())
    server:on("connection", function(socket)
      connected = true
      socket:destroy()
      server:unref()
    end)
    local client = net.connect(server:address().port, "127.0.0.1")
    client:resume():on("error", function() end)
    client:unref()
    support.run()
    assert.is_true(connected)
    server:close()
    support.run()
  end)

  it("goes on accepting after a listener has raised", function()
    local server, served = net.createServer(), 0
    server:on("connection", function(socket)
      served = served + 1
      socket:finish()
      socket:resume()
      if served == 3 then server:close() end
      error("listener " .. served, 0)
    end)
    listen(server, function(port)
      for _ = 1, 3 do net.connect(port, "127.0.0.1"):resume() end
    end)
    for index = 1, 3 do
      assert.equal("listener " .. index, support.error(support.run))
    end
    support.run()
    assert.equal(3, served)
    assert.equal(0, server._connections)
  end)

  it("may be closed by a listener of 'connection' while more connections wait", function()
    local server, accepted, refused = net.createServer(), 0, 0
    server:on("connection", function(socket)
      accepted = accepted + 1
      socket:destroy()
      server:close()
    end)
    listen(server, function(port)
      for _ = 1, 20 do
        local client = net.connect(port, "127.0.0.1")
        client:resume()
        client:on("error", function() end)
        client:on("close", function() refused = refused + 1 end)
      end
    end)
    support.run()
    assert.equal(1, accepted)
    assert.equal(20, refused)
  end)

  it("raises an error where a method is called with a dot", function()
    for _, method in ipairs({"listen", "close", "address", "getConnections", "ref", "unref"}) do
      assert.equal("ERR_INVALID_THIS", support.error(net.Server[method]).code)
    end
  end)

  it("drops nothing where there is no descriptor for a connection, and goes on later", function()
    -- The server may have a few connections at a time; those that have to wait are served when
    -- others have gone.
    local CLIENTS = 60
    local child = cp.spawn("sh", {"-c", 'ulimit -n 20; exec "$0" "$1"', support.lua,
      support.script([[
        local cp = require("child_process")
        local net = require("child_process.net")
        local process = require("child_process.process")
        local most, server = 0, nil
        server = net.createServer(function(socket)
          most = math.max(most, server._connections)
          socket:on("data", function() socket:finish("served") end)
        end)
        server:listen(0, "127.0.0.1", function() print(server:address().port) end)
        io.stdout:setvbuf("no")
        process.stdin:on("end", function() server:close() end)
        process.stdin:resume()
        cp.run()
        print(most < 20 and most > 1)
      ]])}, {stdio = {"pipe", "pipe", "inherit"}})
    local output = support.collect(child.stdout)
    local served, closed = 0, 0
    child.stdout:once("data", function(line)
      -- all connect before the first asks for anything
      local clients, connected = {}, 0
      for index = 1, CLIENTS do
        clients[index] = net.connect(tonumber(line), "127.0.0.1", function()
          connected = connected + 1
          if connected == CLIENTS then
            for _, client in ipairs(clients) do client:write("please") end
          end
        end)
        sockets.readAll(clients[index], function(text)
          served = served + (text == "served" and 1 or 0)
        end)
        clients[index]:on("close", function()
          closed = closed + 1
          if closed == CLIENTS then child.stdin:finish() end
        end)
      end
    end)
    support.run()
    assert.equal(CLIENTS, served)
    assert.matches("true", output())
  end)
end)
