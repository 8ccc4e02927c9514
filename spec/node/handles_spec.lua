-- Handles that go between Lua and a real Node: a Lua parent with a child in Node, and a parent in
-- Node with a child in Lua.

local cp = require("child_process")
local lfs = require("lfs")
local messages = require("spec.support.messages")
local net = require("child_process.net")
local passing = require("spec.support.passing")
local sockets = require("spec.support.sockets")
local support = require("spec.support")

local withNode = messages.withNode

local PASSING = ("local passing = dofile(%q)\n"):format(
  lfs.currentdir() .. "/spec/support/passing.lua")

--- What passing.lua does, in Node.
local NODE = [[
  const net = require('net'), dgram = require('dgram')
  const answer = (socket, who) => socket.on('error', () => {}).resume().end('handled by ' + who)
  function serve(type, handle, who) {
    if (type.startsWith('net.Server')) {
      handle.on('connection', socket => { answer(socket, who); handle.close() })
    } else if (type.startsWith('net.Socket')) {
      answer(handle, who)
    } else {
      handle.on('message', (_, rinfo) => {
        handle.send('handled by ' + who, rinfo.port, rinfo.address, () => handle.close())
      })
    }
  }
  function make(type, onPlace, onHandle) {
    const host = '127.0.0.1'
    if (type.startsWith('dgram')) {
      const socket = dgram.createSocket('udp4')
      socket.bind(0, host, () => {
        onPlace({ port: socket.address().port, host, type: 'udp4' })
        onHandle(socket, () => socket.close())
      })
      return
    }
    const server = net.createServer({ pauseOnConnect: true })
    if (type.startsWith('net.Socket')) {
      server.on('connection', socket => { onHandle(socket, () => {}); server.close() })
    }
    const listening = () => {
      onPlace({ port: server.address().port, host })
      if (type.startsWith('net.Server')) onHandle(server, () => server.close())
    }
    server.listen(0, host, listening)
  }
  function ask(place, callback) {
    if (place.type) {
      const socket = dgram.createSocket(place.type)
      socket.on('message', message => { socket.close(); callback(String(message)) })
      socket.send('question', place.port, place.host)
      return
    }
    let text = ''
    net.connect(place).on('data', data => { text += data }).on('close', () => callback(text))
  }
]]

local function forkNode(text)
  return messages.forkNode(NODE .. text, {stdio = {"ignore", "pipe", "inherit", "ipc"}})
end

--- Runs a parent in Node, which starts a child in Lua with child(), and gives what it prints.
local function nodeParent(text, childText)
  local script = support.script([[
    local cp = require("child_process")
    local net = require("child_process.net")
    local process = require("child_process.process")
  ]] .. PASSING .. childText .. "\ncp.run()\n")
  local env = messages.environment({LUA = support.lua})
  local parent = cp.spawn("node", {messages.javascript(NODE .. [[
    const child = require('child_process').fork(process.argv[2], [], { execPath: process.env.LUA })
  ]] .. text), script}, {env = env, stdio = {"ignore", "pipe", "inherit"}})
  local stdout = support.output(parent)
  assert.equal(0, parent.exitCode)
  return stdout
end

-- Unix sockets are left out: libuv has not always meant the same by an abstract name as the kernel,
-- and a file would be removed with the sender's own server.
local KINDS = {"net.Server over IPv4", "net.Socket over IPv4", "dgram.Socket over IPv4"}

for _, name in ipairs(KINDS) do
  describe("A " .. name, function()
    it("is sent from a parent in Lua to a child in Node", withNode(function()
      local child = forkNode([[
        process.once('message', (message, handle) => {
          serve(message.serve, handle, 'Node')
          process.disconnect()
        })
      ]])
      local answer
      passing.send(child, name, false, function(place)
        passing.kinds[name].ask(place, function(text) answer = text end)
      end)
      support.output(child)
      assert.equal("handled by Node", answer)
      assert.equal(0, child.exitCode)
    end))

    it("is sent from a child in Node to a parent in Lua", withNode(function()
      local child = forkNode(([[
        make('%s', place => process.send({ place }), (handle, close) => {
          process.send({ serve: '%s' }, handle, close)
        })
      ]]):format(name, name))
      local answer
      passing.receive(child, "Lua", function(text) answer = text end)
      support.output(child)
      assert.equal("handled by Lua", answer)
      assert.equal(0, child.exitCode)
    end))

    it("is sent from a parent in Node to a child in Lua", withNode(function()
      assert.equal("handled by Lua\n", nodeParent(([[
        make('%s', place => ask(place, console.log), (handle, close) => {
          child.send({ serve: '%s' }, handle, close)
        })
      ]]):format(name, name), [[
        passing.receive(process, "Lua")
        process:once("message", function() process:disconnect() end)
      ]]))
    end))

    it("is sent from a child in Lua to a parent in Node", withNode(function()
      assert.equal("handled by Node\n", nodeParent([[
        child.on('message', (message, handle) => {
          if (message.place) ask(message.place, console.log)
          else serve(message.serve, handle, 'Node')
        })
      ]], ("passing.send(process, %q)"):format(name)))
    end))
  end)
end

-- Requests and answers over and over on one connection, as HTTP with keep-alive has them.
local REQUESTS = 200

local NODE_SERVICE = [[
  function service(socket, who) {
    let text = ''
    socket.on('data', data => {
      text += data
      let end
      while ((end = text.indexOf('\r\n\r\n')) >= 0) {
        const path = text.slice(0, end).split(' ')[1]
        text = text.slice(end + 4)
        const body = who + path
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
      }
    })
    socket.on('end', () => socket.end())
  }
]]

local LUA_SERVICE = [[
  local function service(socket, who)
    local text = ""
    socket:on("data", function(data)
      text = text .. data
      for head in text:gmatch("(.-)\r\n\r\n") do
        local body = who .. head:match("GET (%S+)")
        socket:write(("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s"):format(#body, body))
      end
      text = text:match(".*\r\n\r\n(.*)$") or text
    end)
    socket:on("end", function() socket:finish() end)
  end
]]

--- Sends the requests, each when the one before is answered; gives how many answers were right.
local function traffic(place, who, callback)
  local socket = net.connect(place)
  local sent, right, text = 0, 0, ""
  local function request()
    sent = sent + 1
    if sent > REQUESTS then
      socket:finish()
    else
      socket:write(("GET /%d HTTP/1.1\r\nHost: here\r\n\r\n"):format(sent))
    end
  end
  socket:on("data", function(data)
    text = text .. data
    local head, rest = text:match("^(.-\r\n\r\n)(.*)$")
    local length = head and tonumber(head:match("Content%-Length: (%d+)"))
    if length and #rest >= length then
      right = right + (rest == ("%s/%d"):format(who, sent) and 1 or 0)
      text = ""
      request()
    end
  end)
  socket:on("close", function() callback(right) end)
  request()
end

describe("Traffic like HTTP's", function()
  for _, what in ipairs({"server", "socket"}) do
    it("is served by a child in Node on a " .. what .. " from Lua", withNode(function()
      local child = forkNode(NODE_SERVICE .. [[
        process.once('message', (message, handle) => {
          if (message === 'server') {
            handle.on('connection', socket => { service(socket, 'Node'); handle.close() })
          } else {
            service(handle, 'Node')
          }
        })
      ]])
      local server = net.createServer({pauseOnConnect = true})
      local right
      sockets.listen(server, function(port)
        if what == "server" then
          child:send("server", server)
          server:close()
        else
          server:on("connection", function(socket)
            child:send("socket", socket)
            server:close()
          end)
        end
        traffic({port = port, host = "127.0.0.1"}, "Node", function(count) right = count end)
      end)
      support.output(child)
      assert.equal(REQUESTS, right)
      assert.equal(0, child.exitCode)
    end))

    it("is served by a parent in Lua on a " .. what .. " from Node", withNode(function()
      local child = forkNode(([[
        make('%s', place => process.send({ place }), (handle, close) => {
          process.send('handle', handle, close)
        })
      ]]):format(what == "server" and "net.Server over IPv4" or "net.Socket over IPv4"))
      local service = support.load(LUA_SERVICE .. "return service")()
      local right
      child:on("message", function(message, handle)
        if message.place then
          traffic(message.place, "Lua", function(count) right = count end)
        elseif what == "server" then
          handle:on("connection", function(socket)
            service(socket, "Lua")
            handle:close()
          end)
        else
          service(handle, "Lua")
        end
      end)
      support.output(child)
      assert.equal(REQUESTS, right)
      assert.equal(0, child.exitCode)
    end))
  end
end)

describe("Connections in the other process", function()
  it("are counted by a server in Lua that has sent them to Node, and awaited by close",
    withNode(function()
      local child = forkNode([[
        const held = []
        process.on('message', (message, socket) => {
          if (socket) {
            held.push(socket)
            socket.resume()
            process.send('held')
          } else {
            held.pop().on('close', () => {
              process.send('released')
              if (held.length === 0) process.disconnect()
            }).destroy()
          }
        })
      ]])
      local server = net.createServer(function(socket) child:send("hold", socket) end)
      local seen, held = {}, 0
      child:on("message", function(message)
        held = held + (message == "held" and 1 or -1)
        if held < 2 and message == "held" then return end
        server:getConnections(function(err, count)
          assert.is_nil(err)
          seen[#seen + 1] = count
          if message == "released" then
            server:close(function() seen[#seen + 1] = "close" end)
          end
          child:send("release")
        end)
        if held == 1 then child:removeAllListeners("message") end
      end)
      sockets.listen(server, function(port)
        for _ = 1, 2 do net.connect(port, "127.0.0.1"):on("error", function() end):resume() end
      end)
      support.output(child)
      assert.same({2, 1, "close"}, seen)
      assert.equal(0, child.exitCode)
    end))

  it("are counted by a server in Node that has sent them to Lua, and awaited by close",
    withNode(function()
      assert.equal("2\n1\nclose\n", nodeParent([[
        const server = net.createServer(socket => child.send('hold', socket))
        let held = 0
        child.on('message', message => {
          held += message === 'held' ? 1 : -1
          if (message === 'held' && held < 2) return
          if (held === 0) return
          server.getConnections((err, count) => {
            console.log(err || count)
            if (held === 1) server.close(() => console.log('close'))
            child.send('release')
          })
        })
        server.listen(0, '127.0.0.1', () => {
          for (let i = 0; i < 2; i++) {
            net.connect(server.address().port, '127.0.0.1').on('error', () => {}).resume()
          }
        })
      ]], [[
        local held = {}
        process:on("message", function(_, socket)
          if socket then
            held[#held + 1] = socket
            socket:resume()
            process:send("held")
          else
            table.remove(held):on("close", function()
              process:send("released")
              if #held == 0 then process:disconnect() end
            end):destroy()
          end
        end)
      ]]))
    end))
end)
