-- In Node: subprocess.send(message[, sendHandle[, options]][, callback]), "Example: sending a
-- server object", "Example: sending a socket object", and the remarks below them. What goes wrong
-- on the way is in channel/handles_robustness_spec.lua.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local datagrams = require("spec.support.datagrams")
local dgram = require("child_process.dgram")
local lfs = require("lfs")
local messages = require("spec.support.messages")
local net = require("child_process.net")
local passing = require("spec.support.passing")
local sockets = require("spec.support.sockets")
local support = require("spec.support")
local timers = require("child_process.timers")

local PASSING = ("local passing = dofile(%q)\n"):format(
  lfs.currentdir() .. "/spec/support/passing.lua")

local KINDS = {}
for name in pairs(passing.kinds) do KINDS[#KINDS + 1] = name end
table.sort(KINDS)

local function needs(name)
  if name:find("IPv6") and not sockets.hasIPv6() then pending("the machine has no ::1") end
end

--- Forks a script in which `passing`, `net` and `timers` are there.
local function fork(text, options, args)
  return messages.fork(PASSING .. [[
    local net = require("child_process.net")
    local timers = require("child_process.timers")
  ]] .. text, options, args)
end

--- A child that serves one handle as passing.receive does, and then ends.
local SERVER = [[
  passing.receive(process, "child")
  process:once("message", function() process:disconnect() end)
]]

--- A child that reports what its sockets read until their end.
local READER = [[
  process:once("message", function(_, socket)
    local text = {}
    socket:on("data", function(data) text[#text + 1] = data end)
    socket:on("end", function() process:send(table.concat(text)) end)
  end)
]]

--- A child that holds the sockets that it gets.
local HOLDER = [[
  local held = {}
  process:on("message", function(message, socket)
    if socket then
      held[#held + 1] = socket
      process:send("held")
    elseif message == "release" then
      for _, other in ipairs(held) do other:destroy() end
      process:send("released")
    else
      process:disconnect()
    end
  end)
  process:on("disconnect", function()
    for _, socket in ipairs(held) do socket:destroy() end
  end)
]]

local listening = sockets.listening

local function sentDown(name, native)
  needs(name)
  local child = fork(SERVER)
  local answer
  passing.send(child, name, native, function(place)
    passing.kinds[name].ask(place, function(text) answer = text end)
  end)
  support.run()
  assert.equal("handled by child", answer)
  assert.equal(0, child.exitCode)
end

local function sentUp(name, native)
  needs(name)
  local child = fork(("passing.send(process, %q, %s)"):format(name, tostring(native)))
  local answer
  passing.receive(child, "parent", function(text) answer = text end)
  support.run()
  assert.equal("handled by parent", answer)
end

describe("sendHandle", function()
  for _, name in ipairs(KINDS) do
    it("is for passing a " .. name .. " to the child process", function()
      sentDown(name, false)
    end)

    it("is for passing a " .. name .. " to the parent process", function()
      sentUp(name, false)
    end)

    it("may be the _handle of a " .. name, function()
      sentDown(name, true)
    end)
  end

  it("is taken over where it has come as a _handle", function()
    local child = fork([[
      local dgram = require("child_process.dgram")
      process:on("message", function(kind, handle)
        local object
        if kind == "server" then
          object = net.createServer():listen(handle)
        else
          object = dgram.createSocket("udp4"):bind(handle)
        end
        process:send({fileno = handle:fileno() or false, port = object:address().port})
        object:close()
        if kind == "datagrams" then process:disconnect() end
      end)
    ]])
    local received = messages.received(child)
    local socket, port = datagrams.boundSocket()
    local serverPort
    listening(function(server, place)
      serverPort = place.port
      child:send("server", server._handle)
      child:send("datagrams", socket._handle)
      server:close()
      socket:close()
    end)
    support.run()
    assert.same({{fileno = false, port = serverPort}, {fileno = false, port = port}}, received)
  end)

  it("makes one socket where it has come as the _handle of one", function()
    local child = fork([[
      process:once("message", function(_, handle)
        local socket = net.Socket({handle = handle})
        local ok, err = pcall(net.Socket, {handle = handle})
        process:send({socket.remotePort ~= nil, handle:fileno() == nil, ok, err.code})
        socket:destroy()
      end)
    ]])
    local received = messages.received(child)
    listening(function(server, place)
      server:once("connection", function(socket)
        child:send("socket", socket._handle)
        socket:destroy()
        server:close()
      end)
      net.connect(place):resume()
    end)
    support.run()
    assert.same({{true, true, false, "ERR_INVALID_ARG_VALUE"}}, received)
  end)

  it("may be a _handle that the child sends", function()
    for _, name in ipairs({"net.Server over IPv4", "net.Socket over IPv4"}) do
      sentUp(name, true)
    end
  end)

  it("may be one end of a pipe: the stream of a child", function()
    local printing = cp.spawn("cat")
    local child = fork([[
      process:once("message", function(_, stream)
        process:send(stream.remoteAddress == nil)
        stream:finish("written by the child")
      end)
    ]])
    local received = messages.received(child)
    child:send("stream", printing.stdin)
    local text = support.collect(printing.stdout)
    support.run()
    assert.same({true}, received)
    assert.equal("written by the child", text())
  end)

  it("is received as the second argument of the listeners of 'message'", function()
    local child = fork([[
      process:once("message", function(message, server, ...)
        process:send({message, net.Server.isServer(server), server.listening, select("#", ...)})
        server:close()
      end)
    ]])
    local received = messages.received(child)
    listening(function(server)
      child:send("server", server)
      server:close()
    end)
    support.run()
    assert.same({{"server", true, true, 0}}, received)
  end)

  it("must be a handle, or ERR_INVALID_HANDLE_TYPE is raised", function()
    local child = fork("process:once('message', print)", {stdio = {"ignore", "pipe", 2, "ipc"}})
    for _, value in ipairs({"text", 1, true, {}, {_handle = 1}, io.stdout, child}) do
      local err = support.error(child.send, child, "message", value)
      assert.equal("ERR_INVALID_HANDLE_TYPE", err.code)
    end
    child:disconnect()
    assert.equal("", (support.output(child)))
  end)

  it("is not a handle where it is a stream on a file", function()
    for _, path in ipairs({"/dev/null", "/etc/passwd"}) do
      local stdout = support.runScript(([[
        local process = require("child_process.process")
        local child = cp.fork(%q)
        print(select(2, pcall(child.send, child, "message", process.stdin)).code)
        child:disconnect()
        cp.run()
      ]]):format(support.script("process:once('message', print)")), "exec 0<" .. path)
      assert.equal("ERR_INVALID_HANDLE_TYPE\n", stdout)
    end
  end)

  it("may be the process's own stdin, where that is a pipe", function()
    local stdout = support.runScript(([[
      local process = require("child_process.process")
      local child = cp.fork(%q)
      child:send("message", process.stdin)
      cp.run()
    ]]):format(support.script([[
      process:once("message", function(_, stream)
        stream:on("data", function(data) print("read " .. data) end)
      end)
    ]])), 'printf text | "$0" "$1"; exit $?')
    assert.equal("read text\n", stdout)
  end)

  it("may be nil, with options and a callback behind it", function()
    local child = fork("process:once('message', function(m, h) process:send({m, h == nil}) end)")
    local received = messages.received(child)
    local called
    child:send("message", nil, {keepOpen = true}, function(...) called = compat.pack(...) end)
    support.run()
    assert.same({{"message", true}}, received)
    assert.same({n = 1}, called)
  end)

  it("arrives as nil when the socket was closed before", function()
    local child = fork([[
      process:on("message", function(message, handle) process:send({message, handle == nil}) end)
    ]])
    local received = messages.received(child)
    child:on("message", function() if #received == 3 then child:disconnect() end end)
    local closed = {net.Server(), dgram.createSocket("udp4"), net.Socket()}
    closed[2]:bind(0, "127.0.0.1"):close()
    closed[3]:destroy()
    for place, handle in ipairs(closed) do assert.is_true(child:send(place, handle)) end
    support.run()
    assert.same({{1, true}, {2, true}, {3, true}}, received)
  end)

  it("arrives as nil when the socket is not connected, not bound or not listening", function()
    local child = fork([[
      process:on("message", function(message, handle) process:send({message, handle == nil}) end)
    ]])
    local received = messages.received(child)
    child:on("message", function() if #received == 4 then child:disconnect() end end)
    local none = {net.Server(), dgram.createSocket("udp4"), net.Socket()}
    none[4] = none[2]._handle
    for place, handle in ipairs(none) do assert.is_true(child:send(place, handle)) end
    support.run()
    none[2]:close()
    assert.same({{1, true}, {2, true}, {3, true}, {4, true}}, received)
  end)

  it("arrives as nil when the _handle was closed before", function()
    local child = fork([[
      process:on("message", function(message, handle) process:send({message, handle == nil}) end)
    ]])
    local received = messages.received(child)
    child:on("message", function() if #received == 3 then child:disconnect() end end)
    listening(function(server)
      local socket = dgram.createSocket("udp4"):bind(0, "127.0.0.1")
      local closed = {server._handle, socket._handle, child.stdin or cp.spawn("true").stdin._handle}
      for _, handle in ipairs(closed) do handle:close() end
      for place, handle in ipairs(closed) do assert.is_true(child:send(place, handle)) end
      server:close()
      socket:close()
    end)
    support.run()
    assert.same({{1, true}, {2, true}, {3, true}}, received)
  end)

  it("takes none of the data along that was received and buffered in the socket", function()
    local child = fork(READER)
    local received = messages.received(child)
    listening(function(server, place)
      local client = net.connect(place)
      client:write("buffered, ")
      server:once("connection", function(socket)
        socket:once("readable", function() -- and nobody reads
          assert.equal(#"buffered, ", socket.readableLength)
          child:send("socket", socket)
          client:finish("not buffered")
        end)
      end)
      client:resume()
      server:once("connection", function() server:close() end)
    end)
    support.run()
    assert.same({"not buffered"}, received)
  end)

  it("goes with a callback that is called after the message is sent", function()
    local child = fork("process:once('message', function(_, h) h:close() end)")
    local called
    listening(function(server)
      child:send("server", server, function(...) called = compat.pack(...) end)
      assert.is_nil(called)
      server:close()
    end)
    support.run()
    assert.same({n = 1}, called)
  end)

  it("is refused by a closed channel: the callback gets the error, and the socket stays", function()
    local child = fork("")
    local code, alive
    child:on("close", function()
      sockets.pair(function(accepted, client)
        assert.is_false(child:send("socket", accepted, function(err)
          code, alive = err.code, not accepted.destroyed
          client:destroy()
          accepted:destroy()
        end))
      end)
    end)
    support.run()
    assert.equal("ERR_IPC_CHANNEL_CLOSED", code)
    assert.is_true(alive)
  end)

  it("has send return false when more than one message waits behind it", function()
    local child = fork([[
      process:on("message", function(message, handle)
        if handle then handle:close() end
        process:send(message)
      end)
    ]])
    local results, received = {}, messages.received(child)
    child:on("message", function(message)
      if message == 4 then results[5] = child:send("more") end
      if message == "more" then child:disconnect() end
    end)
    listening(function(server)
      results[1] = child:send(1, server)
      results[2] = child:send(2)
      results[3] = child:send(3)
      results[4] = child:send(4)
      server:close()
    end)
    support.run()
    assert.same({true, true, false, false, true}, results)
    assert.same({1, 2, 3, 4, "more"}, received)
  end)

  it("keeps its place among the messages, and so does its callback", function()
    local child = fork([[
      process:on("message", function(message, handle)
        process:send({message, handle ~= nil})
        if handle then handle:close() end
      end)
    ]])
    local received, expected, called, order = messages.received(child), {}, {}, {}
    child:on("message", function() if #received == 30 then child:disconnect() end end)
    listening(function(server)
      for n = 1, 30 do
        local withHandle = n % 3 == 0
        expected[n], order[n] = {n, withHandle}, n
        local function done() called[#called + 1] = n end
        if withHandle then child:send(n, server, done) else child:send(n, done) end
      end
      server:close()
    end)
    support.run()
    assert.same(expected, received)
    assert.same(order, called)
  end)

  it("may go both ways at once, with messages between", function()
    local TALK = [[
      local process, server, count = ...
      local seen = 0
      for n = 1, count do
        process:send(n, n % 2 == 0 and server or nil)
      end
      process:on("message", function(message, handle)
        seen = seen + 1
        if message ~= seen or (handle ~= nil) ~= (seen % 2 == 0) then error("message " .. seen) end
        if handle then handle:close() end
        if seen == count and process.channel then
          process.channel:unref()
          if process.pid and process.stdio then process:disconnect() end
        end
      end)
      return function() return seen end
    ]]
    local child = fork(([[
      local server = net.createServer()
      server:listen(0, "127.0.0.1", function()
        local seen = (loadstring or load)(%q)(process, server, 200)
        server:close()
        process:on("exit", function() process.exitCode = seen() == 200 and 7 or 1 end)
      end)
    ]]):format(TALK))
    local seen
    listening(function(server)
      seen = support.load(TALK)(child, server, 200)
      server:close()
    end)
    support.run()
    assert.equal(200, seen())
    assert.equal(7, child.exitCode)
  end)

  it("waits in a child until somebody listens", function()
    local child = fork([[
      process.channel:ref()
      process.stdin:once("data", function()
        process:once("message", function(message, server)
          process:send({message, server.listening})
          server:close()
          process:disconnect()
        end)
      end)
      process:once("internalMessage", function() process.stdout:write("it has come") end)
    ]], {silent = true})
    local received = messages.received(child)
    child.stdout:once("data", function() child.stdin:finish("listen") end)
    listening(function(server)
      child:send("server", server)
      server:close()
    end)
    support.run()
    assert.same({{"server", true}}, received)
  end)

  it("is closed in a parent where nobody listens", function()
    for _, name in ipairs({"net.Server over IPv4", "net.Socket over IPv4"}) do
      for _, message in ipairs({'"a message"', '{cmd = "NODE_nobody_listens"}'}) do
        local child = fork(([[
          local kind = passing.kinds[%q]
          kind.make(function(place) process:send({place = place}) end, function(handle)
            process:send(%s, handle)
            kind.close(handle)
          end)
        ]]):format(name, message))
        local place, ended
        local function connect()
          net.connect(place):on("error", function() end):on("close", function() ended = true end)
            :resume()
        end
        child:once("message", function(received)
          place = received.place
          if name:find("Socket") then connect() end
        end)
        child:on("close", function() if name:find("Server") then connect() end end)
        support.run()
        assert.is_true(ended)
      end
    end
  end)
end)

describe("What cannot be sent with a handle", function()
  local CASES = {
    json = {code = "ERR_INVALID_ARG_VALUE", text = "'message.list[2].again' closes a cycle"},
    advanced = {code = 25, text = "message.list[2].fn could not be cloned: it is a function"},
  }

  for serialization, expected in pairs(CASES) do
    it("is named by its place in the message, and the socket stays: " .. serialization, function()
      local child = fork("process:on('message', print)", {serialization = serialization})
      local message = {list = {1, {}}}
      if serialization == "json" then
        message.list[2].again = message
      else
        message.list[2].fn = print
      end
      sockets.pair(function(accepted, client)
        local err = support.error(child.send, child, message, accepted)
        assert.equal(expected.code, err.code)
        assert.truthy(err.message:find(expected.text, 1, true), err.message)
        assert.is_false(accepted.destroyed)
        accepted:destroy()
        client:destroy()
        child:disconnect()
      end)
      support.run()
      assert.equal(0, child.exitCode)
    end)
  end
end)

describe("options.keepOpen", function()
  local WRITER = [[
    process:once("message", function(_, socket) socket:write("child, ", function()
      socket:destroy()
      process:send("done")
    end) end)
  ]]

  it("is false by default: the socket is closed in the sending process", function()
    local child = fork(WRITER)
    local answer, destroyed
    sockets.pair(function(accepted, client)
      child:send("socket", accepted)
      destroyed = accepted.destroyed
      sockets.readAll(client, function(text) answer = text end)
    end)
    support.run()
    assert.is_true(destroyed)
    assert.equal("child, ", answer)
  end)

  it("keeps the socket open in the sending process when it is true", function()
    local child = fork(WRITER)
    local answer
    sockets.pair(function(accepted, client)
      child:send("socket", accepted, {keepOpen = true})
      child:on("message", function() accepted:finish("parent") end)
      sockets.readAll(client, function(text) answer = text end)
    end)
    support.run()
    assert.equal("child, parent", answer)
  end)

  it("is for sockets alone: a server and a socket for datagrams stay open", function()
    local child = fork("process:on('message', function(_, h) h:close() end)")
    listening(function(server)
      local socket = dgram.createSocket("udp4"):bind(0, "127.0.0.1")
      child:send("server", server)
      child:send("dgram", socket, function()
        assert.is_true(server.listening)
        assert.truthy(socket:address().port)
        server:close()
        socket:close()
        child:disconnect()
      end)
    end)
    support.run()
    assert.equal(0, child.exitCode)
  end)
end)

describe("A server that was sent", function()
  it("is shared between the parent and the child: some connections are handled by the parent and "
    .. "some by the child", function()
    local child = fork([[
      process:once("message", function(_, server)
        server:on("connection", function(socket) socket:finish("child"):resume() end)
        process:once("message", function() server:close() end)
        process:send("ready")
      end)
    ]])
    local answers = {parent = 0, child = 0}
    listening(function(server, place)
      server:on("connection", function(socket) socket:finish("parent"):resume() end)
      child:send("server", server)
      local function ask()
        local left = 10
        local function answered(who)
          answers[who] = answers[who] + 1
          left = left - 1
          if left == 0 and answers.parent > 0 and answers.child > 0 then
            child:send("close")
            server:close()
          elseif left == 0 then
            ask()
          end
        end
        for _ = 1, left do passing.ask(place, answered) end
      end
      child:on("message", ask)
    end)
    support.run()
    assert.equal(0, (answers.parent + answers.child) % 10)
    assert.equal(0, child.exitCode)
  end)

  it("goes on in the child when the parent closes its own", function()
    local child = fork(SERVER)
    local answer, refused
    listening(function(server, place)
      child:send({serve = "net.Server over IPv4"}, server)
      server:close(function()
        passing.ask(place, function(text) answer = text end)
      end)
      child:on("close", function()
        net.connect(place):on("error", function(err) refused = err.code end)
      end)
    end)
    support.run()
    assert.equal("handled by child", answer)
    assert.equal("ECONNREFUSED", refused)
  end)
end)

describe("A socket that was sent", function()
  it("may be sent to one child or another, by its remoteAddress", function()
    local PRIORITY = [[
      process:on("message", function(message, socket)
        if message == "socket" and socket then
          socket:finish("Request handled with " .. process.argv[2] .. " priority")
        end
      end)
    ]]
    local normal, special = fork(PRIORITY, nil, {"normal"}), fork(PRIORITY, nil, {"special"})
    local answers = {}
    local server = net.createServer({pauseOnConnect = true})
    server:on("connection", function(socket)
      (socket.remoteAddress == "127.0.0.2" and special or normal):send("socket", socket)
    end)
    sockets.listen(server, function(port)
      for _, from in ipairs({"127.0.0.1", "127.0.0.2"}) do
        passing.ask({port = port, host = "127.0.0.1", localAddress = from}, function(text)
          answers[from] = text
          if answers["127.0.0.1"] and answers["127.0.0.2"] then
            server:close()
            normal:disconnect()
            special:disconnect()
          end
        end)
      end
    end)
    support.run()
    assert.same({
      ["127.0.0.1"] = "Request handled with normal priority",
      ["127.0.0.2"] = "Request handled with special priority",
    }, answers)
  end)

  it("is not read before it is sent when the server has pauseOnConnect", function()
    local child = fork(READER)
    local received = messages.received(child)
    local server = net.createServer({pauseOnConnect = true})
    sockets.listen(server, function(port)
      local client, waiting
      local function send()
        child:send("socket", waiting)
        client:finish("second")
        server:close()
      end
      local written = 0
      local function ready()
        written = written + 1
        if written == 2 then timers.setImmediate(timers.setImmediate, send) end
      end
      server:once("connection", function(socket)
        waiting = socket
        ready()
      end)
      client = net.connect(port, "127.0.0.1")
      client:write("first, ", ready)
      client:resume()
    end)
    support.run()
    assert.same({"first, second"}, received)
  end)

  it("does not count for the server's maxConnections", function()
    local child = fork(HOLDER)
    local server = net.createServer({pauseOnConnect = true})
    server.maxConnections = 1
    local dropped = support.names(server, "drop")
    sockets.listen(server, function(port)
      local clients = {}
      server:on("connection", function(socket)
        child:send("hold", socket)
        if #clients == 3 then
          server:close()
          child:send("end")
        else
          clients[#clients + 1] = net.connect(port, "127.0.0.1"):resume()
        end
      end)
      clients[1] = net.connect(port, "127.0.0.1"):resume()
    end)
    support.run()
    assert.same({}, dropped)
  end)

  it("may be sent on, and back", function()
    local child = fork([[
      process:on("message", function(message, socket) process:send(message, socket) end)
    ]])
    local answer, closed
    local server = net.createServer()
    server:on("connection", function(socket) child:send("there", socket) end)
    server:on("close", function() closed = true end)
    child:on("message", function(_, socket)
      server:close() -- which does not wait for the child: it has no socket any more
      server:on("close", function()
        socket:finish("and back")
        socket:resume()
        child:disconnect()
      end)
    end)
    sockets.listen(server, function(port)
      passing.ask({port = port, host = "127.0.0.1"}, function(text) answer = text end)
    end)
    support.run()
    assert.is_true(closed)
    assert.equal("and back", answer)
  end)
end)

describe("A socket that is closed here because it was sent", function()
  --- Sends a connection to a child that ends it at once. `before` gets the connection, the client
  --- and the function that sends it, which it calls itself if it returns true; `after` gets it when
  --- it was sent.
  local function send(before, after)
    local child = fork([[
      process:on("message", function(_, socket)
        if not socket then return end
        socket:on("error", function() end)
        socket:finish()
        socket:resume()
        process:disconnect()
      end)
    ]])
    sockets.pair(function(accepted, client)
      client:on("error", function() end) -- a reset, where not everything was read
      client:resume()
      local function sendIt()
        child:send("socket", accepted, function() if after then after(accepted) end end)
      end
      if not before(accepted, client, sendIt) then sendIt() end
    end, {pauseOnConnect = true})
    support.run()
    assert.equal(0, child.exitCode)
  end

  local function noted(socket)
    local seen = {}
    for _, event in ipairs({"close", "error", "end", "finish", "drain", "timeout", "pause"}) do
      socket:on(event, function() seen[#seen + 1] = event end)
    end
    return seen
  end

  it("emits nothing, whenever listeners were added, and keeps them", function()
    local seen, later, socket
    local called
    send(function(accepted)
      socket = accepted
      seen = noted(accepted)
      accepted:setTimeout(20)
    end, function(accepted)
      later = noted(accepted)
      accepted:write("lost", function(err) called = err.code end)
      accepted:finish()
      accepted:destroy()
    end)
    assert.same({}, seen)
    assert.same({}, later)
    assert.equal(2, socket:listenerCount("close"))
    assert.equal("ERR_STREAM_DESTROYED", called)
    assert.is_true(socket.destroyed)
    assert.is_true(socket.pending)
    assert.same({}, socket:address())
  end)

  it("may be connected again, with the listeners that it has", function()
    local seen = {}
    local server
    send(function(accepted)
      accepted:on("data", function(data) seen[#seen + 1] = data end)
      accepted:on("end", function() seen[#seen + 1] = "end" end)
      accepted:on("close", function()
        seen[#seen + 1] = "close"
        server:close()
      end)
    end, function(accepted)
      server = net.createServer(function(socket) socket:finish("hello") end)
      sockets.listen(server, function(port)
        accepted:connect(port, "127.0.0.1")
        accepted:resume()
      end)
    end)
    assert.same({"hello", "end", "close"}, seen)
  end)

  it("has those unpiped that are piped into it, though they wait for room", function()
    local seen = {}
    local source = cp.spawn("yes")
    source.stdout:on("error", function() end)
    source:on("close", function(_, signal) seen[#seen + 1] = signal end)
    send(function(accepted, client, sendIt)
      accepted:on("unpipe", function(from)
        seen[#seen + 1] = from == source.stdout and "unpipe"
        source:kill("SIGKILL")
      end)
      client:pause()
      source.stdout:once("pause", function()
        client:resume()
        sendIt()
      end)
      source.stdout:pipe(accepted)
      return true
    end)
    assert.same({"unpipe", "SIGKILL"}, seen)
  end)

  it("is left by those that are piped into it afterwards", function()
    local unpiped, ended
    local source = cp.spawn("cat")
    source:on("close", function(code) ended = code end)
    send(function() end, function(accepted)
      accepted:on("unpipe", function(from)
        unpiped = from == source.stdout
        source.stdin:finish()
      end)
      source.stdout:pipe(accepted)
      source.stdin:write("to be lost")
    end)
    assert.is_true(unpiped)
    assert.equal(0, ended)
  end)
end)

describe("server:getConnections", function()
  it("counts on a Unix path of any bytes, and close waits", function()
    for _, serialization in ipairs({"json", "advanced"}) do
      local child = fork(HOLDER, {serialization = serialization})
      local seen = {}
      local server = net.createServer(function(socket) child:send("hold", socket) end)
      child:on("message", function(message)
        if message ~= "held" then return end
        server:getConnections(function(_, count)
          seen[#seen + 1] = count
          child:send("release")
          server:close(function()
            seen[#seen + 1] = "close"
            child:send("end")
          end)
        end)
      end)
      local path = os.tmpname()
      os.remove(path)
      path = path .. "\255.sock"
      server:listen(path, function() net.connect(path):resume() end)
      support.run()
      assert.same({1, "close"}, seen)
    end
  end)

  it("counts the sockets that children hold", function()
    local children = {fork(HOLDER), fork(HOLDER)}
    local counts, held = {}, 0
    local server = net.createServer()
    local clients = {}
    local function finish()
      server:getConnections(function(err, count)
        assert.is_nil(err)
        counts[2] = count
        server:close()
        for _, child in ipairs(children) do child:send("end") end
        clients[3]:destroy()
      end)
    end
    for _, child in ipairs(children) do
      child:on("message", function(message)
        held = held + (message == "held" and 1 or 0)
        if held == 2 and #counts == 0 then
          server:getConnections(function(err, count)
            assert.is_nil(err)
            counts[1] = count
            children[1]:send("release")
          end)
        elseif message == "released" and #counts == 1 then
          finish()
        end
      end)
    end
    server:on("connection", function(socket)
      local number = server.accepted or 1
      server.accepted = number + 1
      if children[number] then children[number]:send("hold", socket) else socket:resume() end
    end)
    sockets.listen(server, function(port)
      for n = 1, 3 do clients[n] = net.connect(port, "127.0.0.1"):resume() end
    end)
    support.run()
    assert.same({3, 2}, counts)
  end)

  it("does not count those of a child that has died", function()
    local child = fork(HOLDER)
    local counted
    local server = net.createServer(function(socket) child:send("hold", socket) end)
    child:on("message", function() child:kill("SIGKILL") end)
    child:on("close", function()
      server:getConnections(function(err, count)
        assert.is_nil(err)
        counted = count
        server:close()
      end)
    end)
    sockets.listen(server, function(port) net.connect(port, "127.0.0.1"):resume() end)
    support.run()
    assert.equal(0, counted)
  end)

  it("gets ERR_CHILD_CLOSED_BEFORE_REPLY from a child that dies instead of answering", function()
    local child = fork(HOLDER)
    local code
    local server = net.createServer(function(socket) child:send("hold", socket) end)
    child:on("message", function()
      child:kill("SIGSTOP")
      server:getConnections(function(err)
        code = err.code
        server:close()
      end)
      child:kill("SIGKILL")
    end)
    sockets.listen(server, function(port) net.connect(port, "127.0.0.1"):resume() end)
    support.run()
    assert.equal("ERR_CHILD_CLOSED_BEFORE_REPLY", code)
  end)
end)

describe("server:close", function()
  --- A server whose only connection is held by a child; once it is, `act` is called.
  local function holding(act)
    local child = fork(HOLDER)
    local server = net.createServer(function(socket) child:send("hold", socket) end)
    local seen = {}
    server:on("close", function() seen[#seen + 1] = "close" end)
    child:on("message", function(message)
      seen[#seen + 1] = message
      if message == "held" then act(server, child, seen) end
    end)
    sockets.listen(server, function(port) net.connect(port, "127.0.0.1"):resume() end)
    support.run()
    return seen
  end

  it("waits for the sockets that children hold", function()
    local seen = holding(function(server, child)
      server:close()
      child:send("release")
      child:send("end")
    end)
    assert.same({"held", "released", "close"}, seen)
  end)

  it("does not wait for the sockets of a child that dies", function()
    local seen = holding(function(server, child, seen)
      server:close()
      child:on("exit", function() seen[#seen + 1] = "exit" end)
      child:kill("SIGKILL")
    end)
    assert.equal(3, #seen)
    assert.equal("held", seen[1])
  end)

  it("does not wait for the sockets of a child that disconnects", function()
    local seen = holding(function(server, child)
      server:close()
      child:disconnect()
    end)
    assert.same({"held", "close"}, seen)
  end)

  it("is not held up by a child whose sockets have closed before", function()
    local seen = holding(function(server, child, seen)
      child:send("release")
      child:on("message", function()
        child:send("end")
        server:close(function() seen[#seen + 1] = "callback" end)
      end)
    end)
    assert.same({"held", "released", "close", "callback"}, seen)
  end)
end)

describe("options.stdio", function()
  it("takes servers, sockets and sockets for datagrams", function()
    listening(function(server)
      local fds
      sockets.pair(function(accepted, client)
        local udp = dgram.createSocket("udp4"):bind(0, "127.0.0.1")
        fds = support.childFds(function(file, args)
          local stdio = {"ignore", "pipe", "pipe", server, accepted, udp}
          return cp.spawnSync(file, args, {stdio = stdio})
        end)
        assert.same({"socket", "socket", "socket"}, {fds[3], fds[4], fds[5]})
        assert.is_nil(fds[6])
        for _, handle in ipairs({client, accepted}) do handle:destroy() end
        udp:close()
        server:close()
      end)
    end)
    support.run()
  end)

  it("gives a connection to a program that knows nothing of sockets", function()
    local server = net.createServer({pauseOnConnect = true})
    server:on("connection", function(socket)
      cp.spawn("tr", {"a-z", "A-Z"}, {stdio = {socket, socket, "inherit"}})
      socket:destroy()
      server:close()
    end)
    local answer
    sockets.listen(server, function(port)
      local client = net.connect({port = port, host = "127.0.0.1", allowHalfOpen = true})
      client:finish("hello")
      sockets.readAll(client, function(text) answer = text end)
    end)
    support.run()
    assert.equal("HELLO", answer)
  end)

  it("gives a listening socket to a child, by the convention of LISTEN_FDS", function()
    local script = support.script([[
      local cp = require("child_process")
      local net = require("child_process.net")
      local process = require("child_process.process")
      local server = net.createServer()
      server:on("connection", function(socket)
        socket:finish("fds: " .. process.env.LISTEN_FDS):resume()
        server:close()
      end)
      server:listen({fd = 3})
      cp.run()
    ]])
    local answer
    listening(function(server, place)
      cp.spawn(support.lua, {script}, {
        stdio = {"ignore", "inherit", "inherit", server},
        env = messages.environment({LISTEN_FDS = "1"}),
      })
      server:close()
      passing.ask(place, function(text) answer = text end)
    end)
    support.run()
    assert.equal("fds: 1", answer)
  end)
end)

describe("A handle of luv", function()
  local MAKERS = {
    tcp = [[
      local handle = uv.new_tcp()
      handle:bind("127.0.0.1", 0)
      handle:listen(16, function() end)
      return handle, {port = handle:getsockname().port, host = "127.0.0.1"},
        "net.Server over IPv4"
    ]],
    pipe = [[
      local handle = uv.new_pipe(false)
      local path = os.tmpname()
      os.remove(path)
      handle:bind(path)
      handle:listen(16, function() end)
      os.rename(path, path .. ".moved") -- libuv removes what it has bound
      path = path .. ".moved"
      return handle, {path = path}, "net.Server on a Unix socket"
    ]],
    udp = [[
      local handle = uv.new_udp()
      handle:bind("127.0.0.1", 0)
      return handle, {port = handle:getsockname().port, host = "127.0.0.1", type = "udp4"},
        "dgram.Socket over IPv4"
    ]],
  }

  for name, maker in pairs(MAKERS) do
    it("may be sent: " .. name, function()
      -- not loaded here, where its loop would drive ours from then on
      if not compat.searchPath("luv", package.cpath) then pending("luv is not installed") end
      local stdout = support.runScript(PASSING .. ([[
        local uv = require("luv")
        local child = cp.fork(%q)
        local handle, place, kind = (function() %s end)()
        child:send({serve = kind, native = true}, handle)
        handle:close()
        passing.kinds[kind].ask(place, print)
        cp.run()
        os.remove(place.path or "")
      ]]):format(support.script(PASSING .. SERVER), maker))
      assert.equal("handled by child\n", stdout)
    end)
  end

  it("may be one that is closed or has no descriptor yet, and arrives as nil", function()
    if not compat.searchPath("luv", package.cpath) then pending("luv is not installed") end
    local stdout = support.runScript(([[
      local uv = require("luv")
      local child = cp.fork(%q)
      local closed = uv.new_tcp()
      closed:close()
      local handles = {
        closed = closed, tcp = uv.new_tcp(), udp = uv.new_udp(), pipe = uv.new_pipe(false),
        timer = uv.new_timer(), async = uv.new_async(function() end),
      }
      for _, name in ipairs({"closed", "tcp", "udp", "pipe", "timer", "async"}) do
        local ok, err = pcall(child.send, child, name, handles[name])
        if not ok then print(name, err.code) end
        if name ~= "closed" then handles[name]:close() end
      end
      local left = 4
      child:on("message", function(message)
        print(message)
        left = left - 1
        if left == 0 then child:disconnect() end
      end)
      cp.run()
    ]]):format(support.script([[
      process:on("message", function(message, handle)
        process:send(message .. " " .. tostring(handle))
      end)
    ]])))
    assert.equal("timer\tERR_INVALID_HANDLE_TYPE\nasync\tERR_INVALID_HANDLE_TYPE\n"
      .. "closed nil\ntcp nil\nudp nil\npipe nil\n", stdout)
  end)
end)
