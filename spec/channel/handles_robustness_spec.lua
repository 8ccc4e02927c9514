-- Handles on a channel when something is wrong: descriptors that nobody has asked for, that get
-- lost, or that cannot be had; ends that die or leave with one on its way.

local cp = require("child_process")
local dgram = require("child_process.dgram")
local messages = require("spec.support.messages")
local net = require("child_process.net")
local sockets = require("spec.support.sockets")
local support = require("spec.support")

local folder

--- A script without this module. It has the channel at descriptor 3, with
--- send(line[, descriptor...]) and receive(), which gives a line and the descriptor that came with
--- it.
local function peerScript(text)
  folder = folder or support.hostModule()
  return support.script(([[
    package.cpath = "%s/?.so;" .. package.cpath
    local host = require("host")
    local function send(line, ...) host.send(3, line .. "\n", ...) end
    local buffer, descriptor = ""
    local function receive()
      while not buffer:find("\n") do
        local more, fd = host.receive(3)
        if not more then return nil end
        buffer, descriptor = buffer .. more, fd or descriptor
      end
      local line = buffer:match("[^\n]*")
      buffer = buffer:sub(#line + 2)
      local fd
      if buffer == "" then fd, descriptor = descriptor, nil end -- it came with the last line
      return line, fd
    end
    local ACK, NACK = '{"cmd":"NODE_HANDLE_ACK"}', '{"cmd":"NODE_HANDLE_NACK"}'
    local function name(line) return line and (line:match('"cmd":"([%%w_]*)"') or line) or "end" end
  ]]):format(folder) .. text)
end

--- Starts such a script instead of a child that keeps to the protocol.
local function peer(text)
  return cp.spawn(support.lua, {peerScript(text)}, {stdio = {"pipe", "pipe", "inherit", "ipc"}})
end

--- Does the same twice, and expects the second time to leave no descriptor.
local function assertLeavesNothing(act)
  act()
  collectgarbage()
  local before = support.openFds()
  act()
  assert.same(before, support.openFds())
end

local listening = sockets.listening

local function handleOf(type)
  return ('{"cmd":"NODE_HANDLE","type":%s,"msg":"handle"}'):format(type)
end

describe("A descriptor that comes", function()
  -- what the other side does, and what is received: messages, and whether a handle was there
  local CASES = {
    ["with a message that has no handle"] = {
      "send('\"one\"', 0) send('\"two\"')", {{"one", false}, {"two", false}},
    },
    ["with several others and a message that has no handle"] = {
      "send('\"one\"', 0, 1, 2) send('\"two\"')", {{"one", false}, {"two", false}},
    },
    ["with several others"] = {
      ("send('%s', 0, 1, 0, 1) send('\"two\"')"):format(handleOf('"net.Native"')),
      {{"handle", true}, {"two", false}},
    },
    ["with an unknown type"] = {
      ("send('%s', 0) send('\"two\"')"):format(handleOf('"net.Nonsense"')),
      {{"handle", false}, {"two", false}},
    },
    ["with a type that is no string"] = {
      ("send('%s', 0) send('%s', 0)"):format(handleOf("1"), handleOf('{"type":null}')),
      {{"handle", false}, {"handle", false}},
    },
    ["with half a message, and nothing more"] = {
      "send('\"one\"') host.send(3, '{\"cmd\":\"NODE_HANDLE\"', 0)", {{"one", false}},
    },
    ["with the next messages, before the first is acknowledged"] = {
      ("for _ = 1, 6 do send('%s', 0) end"):format(handleOf('"net.Native"')),
      {
        {"handle", true}, {"handle", true}, {"handle", true}, {"handle", true}, {"handle", true},
        {"handle", true},
      },
    },
    ["with replies that nobody awaits"] = {
      "send(ACK, 0) send(NACK, 0) send(ACK) send(NACK) send('\"two\"')", {{"two", false}},
    },
    ["with questions and answers about sockets that nobody knows"] = {
      [[
        for _, cmd in ipairs({"NOTIFY_CLOSE", "ALL_CLOSED", "GET_COUNT", "COUNT", "NONSENSE"}) do
          send('{"cmd":"NODE_SOCKET_' .. cmd .. '"}', 0)
          send('{"cmd":"NODE_SOCKET_' .. cmd .. '","key":"nonsense"}', 0)
        end
        send('"two"')
      ]], {{"two", false}},
    },
  }

  for how, case in pairs(CASES) do
    it(how .. " is closed", function()
      assertLeavesNothing(function()
        local child = peer(case[1])
        local received = {}
        child:on("message", function(message, handle)
          received[#received + 1] = {message, handle ~= nil}
          if handle then handle:close() end
        end)
        support.run()
        assert.same(case[2], received)
        assert.equal(0, child.exitCode)
      end)
    end)
  end

  -- descriptors that are not what the type says, by the types: a number, or what gives one
  local FILE, DEVICE, PATH, PIPE, DATAGRAMS = 4, 5, "host.openPath('/')", 0, 6
  local WRONG = {
    ["net.Socket"] = {FILE, DEVICE, PATH, DATAGRAMS},
    ["net.Server"] = {FILE, DEVICE, PATH, DATAGRAMS, PIPE},
    ["dgram.Socket"] = {FILE, DEVICE, PATH, PIPE},
  }

  for type, descriptors in pairs(WRONG) do
    it("as a " .. type .. " that it is not is closed, and the message comes without it", function()
      local texts, expected = {}, {}
      for index, fd in ipairs(descriptors) do
        local message = ('{"cmd":"NODE_HANDLE","type":%q,"msg":%d}'):format(type, index)
        texts[index] = ("send('%s', %s) receive()"):format(message, fd)
        expected[index] = {index, false}
      end
      local text = table.concat(texts, "\n")
      assertLeavesNothing(function()
        local file = assert(io.open("/etc/passwd"))
        local device = assert(io.open("/dev/null"))
        local socket = dgram.createSocket("udp4"):bind(0, "127.0.0.1")
        local child = cp.spawn(support.lua, {peerScript(text)}, {
          stdio = {"pipe", "pipe", "inherit", "ipc", file, device, socket},
        })
        local received = {}
        child:on("message", function(message, handle)
          received[#received + 1] = {message, handle ~= nil}
        end)
        socket:close()
        file:close()
        device:close()
        support.run()
        assert.same(expected, received)
        assert.equal(0, child.exitCode)
      end)
    end)

    it("as a " .. type .. " that it is not is closed where nobody listens", function()
      local message = ('{"cmd":"NODE_HANDLE","type":%q,"msg":1}'):format(type)
      assertLeavesNothing(function()
        local child = peer(("send('%s', host.openPath('/')) receive()"):format(message))
        support.run()
        assert.equal(0, child.exitCode)
      end)
    end)
  end
end)

describe("NODE_HANDLE without a descriptor", function()
  it("is answered with NODE_HANDLE_NACK, and again until the descriptor is there", function()
    assertLeavesNothing(function()
      local child = peer(([[
        local heard = {}
        for n = 1, 3 do
          if n < 3 then send('%s') else send('%s', 0) end
          heard[n] = name(receive())
        end
        print(table.concat(heard, " "))
      ]]):format(handleOf('"net.Native"'), handleOf('"net.Native"')))
      local received = {}
      child:on("message", function(message, handle)
        received[#received + 1] = message
        handle:close()
      end)
      assert.equal("NODE_HANDLE_NACK NODE_HANDLE_NACK NODE_HANDLE_ACK\n", (support.output(child)))
      assert.same({"handle"}, received)
    end)
  end)
end)

describe("A handle that does not arrive", function()
  it("is sent again before anything else", function()
    assertLeavesNothing(function()
      local child = peer([[
        local heard = {}
        for n = 1, 5 do
          local line, fd = receive()
          heard[n] = name(line) .. (fd and "+" or "")
          if n == 1 then send(NACK) elseif n == 2 or n == 4 then send(ACK) end
        end
        print(table.concat(heard, " "))
      ]])
      listening(function(server)
        child:send(1, server)
        child:send(2)
        child:send(3, server)
        child:send(4)
        server:close()
      end)
      assert.equal("NODE_HANDLE+ NODE_HANDLE+ 2 NODE_HANDLE+ 4\n", (support.output(child)))
    end)
  end)

  it("is sent again three times, then there is a warning and the next message", function()
    local stdout, stderr = support.runScript(([[
      local net = require("child_process.net")
      local process = require("child_process.process")
      process:on("warning", function(warning) print(warning.name) end)
      local child = cp.spawn(%q, {%q}, {stdio = {"ignore", "inherit", "inherit", "ipc"}})
      local server = net.createServer():listen(0)
      child:send(1, server)
      child:send("next")
      server:close()
      cp.run()
      print("done")
    ]]):format(support.lua, peerScript([[
      local count, line = 0
      repeat
        line = receive()
        if name(line) == "NODE_HANDLE" then
          count = count + 1
          send(NACK)
        end
      until name(line) ~= "NODE_HANDLE"
      io.write(count, " ", line, "\n")
    ]])))
    local lines = {}
    for line in stdout:gmatch("[^\n]+") do lines[#lines + 1] = line end
    table.sort(lines)
    assert.same({'4 "next"', "SentHandleNotReceivedWarning", "done"}, lines)
    assert.truthy(stderr:find("Handle did not reach the receiving process correctly", 1, true))
  end)

  it("for lack of descriptors is sent again when there are some", function()
    local script = support.script([[
      local cp = require("child_process")
      local net = require("child_process.net")
      local process = require("child_process.process")
      require("child_process.channel.handles") -- cannot be loaded without descriptors
      net.createServer():listen(0):close()
      local files = {}
      local refused = 0
      process:on("internalMessage", function(message)
        refused = refused + (message.cmd == "NODE_HANDLE" and 1 or 0)
        for _, file in ipairs(files) do file:close() end
        files = {}
      end)
      process:on("message", function(message, server)
        process:send({message, server and server.listening or false, refused})
        if server then server:close() else process:disconnect() end
      end)
      repeat
        local file = io.open("/dev/null")
        files[#files + 1] = file
      until not file
      process:send("full")
      cp.run()
    ]])
    local child = cp.spawn("sh", {"-c", 'ulimit -n 40; exec "$0" "$1"', support.lua, script},
      {stdio = {"ignore", "inherit", "inherit", "ipc"}})
    local received = messages.received(child)
    child:once("message", function()
      listening(function(server)
        child:send("server", server)
        child:send("behind")
        server:close()
      end)
    end)
    support.run()
    assert.same({"full", {"server", true, 1}, {"behind", false, 2}}, received)
  end)
end)

describe("A handle that cannot be sent for lack of descriptors", function()
  it("is an error, and the socket stays open here", function()
    local stdout = support.runScript(([[
      local net = require("child_process.net")
      local child = cp.fork(%q)
      require("child_process.channel.handles")
      require("child_process.errors").system(-24, "write")
      local answer = ""
      local server = net.createServer({pauseOnConnect = true})
      server:on("connection", function(socket)
        local files = {}
        repeat
          local file = io.open("/dev/null")
          files[#files + 1] = file
        until not file
        print(child:send("socket", socket, function(err)
          for _, file in ipairs(files) do file:close() end
          print(err.code, socket.destroyed)
          server:getConnections(function(_, count)
            print(count)
            child:send("socket", socket)
            child:disconnect()
            server:close()
          end)
        end))
      end)
      server:listen(0, function()
        local client = net.connect(server:address().port, "127.0.0.1")
        client:on("data", print)
      end)
      cp.run()
    ]]):format(support.script([[
      process:once("message", function(message, socket) socket:finish(message) end)
    ]])), "ulimit -n 40")
    assert.equal("false\nEMFILE\tfalse\n1\nsocket\n", stdout)
  end)
end)

describe("A handle on its way", function()
  it("arrives although the sender disconnects, as does what was sent behind it", function()
    assertLeavesNothing(function()
      local child = peer([[
        local heard = {}
        repeat
          local line, fd = receive()
          heard[#heard + 1] = name(line) .. (fd and "+" or "")
          if fd then send(#heard == 1 and NACK or ACK) end
        until not line
        print(table.concat(heard, " "))
      ]])
      local seen = messages.events(child, {internalMessage = true})
      listening(function(server)
        child:send("server", server)
        child:send("behind")
        child:disconnect()
        assert.is_false(child.connected)
        server:close()
      end)
      assert.equal('NODE_HANDLE+ NODE_HANDLE+ "behind" end\n', (support.output(child)))
      assert.same({"disconnect", "exit 0 nil", "close 0 nil"}, seen)
    end)
  end)

  it("is closed when the receiver dies, and callbacks get an error", function()
    assertLeavesNothing(function()
      local child = peer("io.read()")
      local called = {}
      local function noted(name)
        return function(err) called[#called + 1] = name .. " " .. tostring(err and err.code) end
      end
      listening(function(server)
        child:send("server", server, function(...)
          noted("first")(...)
          child:kill("SIGKILL")
        end)
        child:send("second", noted("second"))
        child:send("third", server, noted("third"))
        server:close()
      end)
      support.output(child)
      assert.same({"first nil", "second ERR_IPC_CHANNEL_CLOSED", "third ERR_IPC_CHANNEL_CLOSED"},
        called)
    end)
  end)

  it("is closed when the receiver closes the channel without reading it", function()
    assertLeavesNothing(function()
      local child = messages.shell("read -r line; exec 3<&-; read -r line; true")
      listening(function(server)
        child.stdin:write("close\n")
        child:send("server", server)
        child:send("behind", function() end)
        server:close()
      end)
      child:on("disconnect", function() child.stdin:finish() end)
      child:on("error", function() end)
      support.output(child)
      assert.equal(0, child.exitCode)
    end)
  end)

  it("loses nothing when the listener that gets it raises", function()
    local child = messages.fork([[
      local server = require("child_process.net").createServer()
      server:listen(0, function()
        for n = 1, 3 do process:send(n, server) end
        server:close()
      end)
    ]])
    local received, raised = {}, 0
    child:on("message", function(message, server)
      received[#received + 1] = message
      server:close()
      error("raised")
    end)
    for _ = 1, 10 do
      if not pcall(support.run) then raised = raised + 1 end
    end
    assert.same({1, 2, 3}, received)
    assert.equal(3, raised)
    assert.equal(0, child.exitCode)
  end)
end)

describe("What was sent arrives behind a handle", function()
  local SENDER = [[
    local net = require("child_process.net")
    local process = require("child_process.process")
    local function sendTo(target, done)
      local server = net.createServer()
      server:listen(0, function()
        target:send(1, server)
        for n = 2, 50 do target:send(n, n % 10 == 0 and server or nil) end
        done()
      end)
    end
  ]]
  local ENDS = {
    ["by os.exit"] = "os.exit(0)",
    ["by os.exit, which closes the Lua state"] = "os.exit(0, true)",
    ["by process:exit"] = "process:exit(0)",
  }

  local function expected()
    local list = {}
    for n = 1, 50 do list[n] = {n, n == 1 or n % 10 == 0} end
    return list
  end

  for how, statement in pairs(ENDS) do
    it("although the child ends right after, " .. how, function()
      local child = messages.fork(SENDER .. "sendTo(process, function() " .. statement .. " end)")
      local received = {}
      child:on("message", function(message, handle)
        received[#received + 1] = {message, handle ~= nil}
        if handle then handle:close() end
      end)
      support.run()
      assert.same(expected(), received)
      assert.equal(0, child.exitCode)
    end)

    it("although the parent ends right after, " .. how, function()
      local stdout = support.runScript(SENDER .. ([[
        local child = cp.fork(%q)
        sendTo(child, function() %s end)
        cp.run()
      ]]):format(support.script([[
        local seen = 0
        process:on("message", function(message, handle)
          seen = seen + 1
          if message ~= seen or (handle ~= nil) ~= (seen == 1 or seen % 10 == 0) then
            error("message " .. seen)
          end
          if handle then handle:close() end
          if seen == 50 then print("all") end
        end)
      ]]), statement))
      assert.equal("all\n", stdout)
    end)
  end

  it("although the parent's script returns without an iteration of the loop", function()
    local stdout = support.runScript(([[
      local dgram = require("child_process.dgram")
      local child = cp.fork(%q)
      local socket = dgram.createSocket("udp4"):bind(0, "127.0.0.1")
      for n = 1, 5 do child:send(n, socket) end
    ]]):format(support.script([[
      process:on("message", function(message, socket)
        print(message, socket.type)
        socket:close()
      end)
    ]])))
    assert.equal("1\tudp4\n2\tudp4\n3\tudp4\n4\tudp4\n5\tudp4\n", stdout)
  end)
end)

describe("A socket that a child holds", function()
  it("is reported as closed although all its listeners are removed", function()
    local child = messages.fork([[
      process:once("message", function(_, socket)
        socket:removeAllListeners()
        socket:destroy()
        process:send("destroyed")
        process:once("message", function() end)
      end)
    ]])
    local server = net.createServer(function(socket) child:send("socket", socket) end)
    local closed = false
    child:on("message", function()
      server:close(function()
        closed = true
        child:disconnect()
      end)
    end)
    sockets.listen(server, function(port) net.connect(port, "127.0.0.1"):resume() end)
    support.run()
    assert.is_true(closed)
  end)
end)

describe("A Lua state", function()
  it("may be closed with handles on their way both ways", function()
    local stdout = support.runScript(([[
      local net = require("child_process.net")
      local child = cp.fork(%q)
      local server = net.createServer()
      server:listen(0, "127.0.0.1", function()
        for n = 1, 20 do child:send(n, server) end
      end)
      child:once("message", function() cp.stop() end)
      cp.run()
      print("stopped")
    ]]):format(support.script([[
      local net = require("child_process.net")
      local server = net.createServer()
      server:listen(0, "127.0.0.1", function()
        for n = 1, 20 do process:send(n, server) end
      end)
      process:once("message", function() os.exit(0, true) end)
    ]])))
    assert.equal("stopped\n", stdout)
  end)
end)
