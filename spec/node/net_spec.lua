-- net with a real Node at the other end, over TCP of both versions and Unix sockets.

local cp = require("child_process")
local messages = require("spec.support.messages")
local net = require("child_process.net")
local sockets = require("spec.support.sockets")
local support = require("spec.support")

local withNode = messages.withNode

-- Where to listen; the other side learns of the place from the server's own address.
local PLACES = {
  ["TCP over IPv4"] = function() return {port = 0, host = "127.0.0.1"} end,
  ["TCP over IPv6"] = function()
    if not sockets.hasIPv6() then pending("the machine has no ::1") end
    return {port = 0, host = "::1"}
  end,
  ["a Unix socket"] = function() return {path = support.tmpdir() .. "/socket"} end,
}

--- A program in Node; place() reads where to connect from process.argv.
local function node(text, ...)
  local script = messages.javascript([[
    const net = require('net')
    const [where, port] = process.argv.slice(2)
    const place = port ? { host: where, port: +port } : { path: where }
  ]] .. text)
  return cp.spawn("node", {script, ...}, {stdio = {"pipe", "pipe", "inherit"}})
end

--- The arguments for Node that say where a server listens.
local function where(server)
  local address = server:address()
  if type(address) == "string" then return address end
  return address.address, tostring(address.port)
end

--- Starts a server in Node and calls back with the options to connect to it.
local function nodeServer(text, options, callback)
  local child = node([[
    const server = net.createServer({ allowHalfOpen: true }, socket => {
      ]] .. text .. [[
    })
    server.listen(place, () => {
      const address = server.address()
      console.log(typeof address === 'string' ? address : address.address + ' ' + address.port)
    })
  ]], options.path or options.host, options.port and tostring(options.port))
  child.stdout:once("data", function(line)
    local host, port = line:match("^(%S+) (%d+)\n")
    callback(host and {host = host, port = tonumber(port)} or {path = line:match("[^\n]+")})
  end)
  return child
end

for name, place in pairs(PLACES) do
  describe("Over " .. name, function()
    it("a server in Lua answers a client in Node", withNode(function()
      local server = net.createServer(function(socket)
        local question = support.collect(socket)
        socket:on("end", function() socket:finish("Lua got " .. question()) end)
      end)
      server.allowHalfOpen = true
      local stdout
      server:listen(place(), function()
        local child = node([[
          const socket = net.connect({ ...place, allowHalfOpen: true })
          socket.end('a question')
          socket.on('data', data => console.log(String(data)))
          socket.on('close', hadError => console.log(hadError))
        ]], where(server))
        stdout = support.collect(child.stdout)
        child:on("close", function() server:close() end)
      end)
      support.run()
      assert.equal("Lua got a question\nfalse\n", stdout())
    end))

    it("a client in Lua is answered by a server in Node", withNode(function()
      local text, hadError
      nodeServer([[
        let question = ''
        socket.on('data', data => question += data)
        socket.on('end', () => {
          socket.end('Node got ' + question)
          server.close()
        })
      ]], place(), function(options)
        options.allowHalfOpen = true
        local socket = net.connect(options)
        socket:finish("a question")
        sockets.readAll(socket, function(all) text = all end)
        socket:on("close", function(had) hadError = had end)
      end)
      support.run()
      assert.equal("Node got a question", text)
      assert.is_false(hadError)
    end))

    it("megabytes come back from Node as they were sent", withNode(function()
      local sent = {}
      for index = 1, 40000 do sent[index] = ("line %d of many that are sent\n"):format(index) end
      local all = table.concat(sent)
      local text
      nodeServer("socket.pipe(socket).on('close', () => server.close())", place(),
        function(options)
          options.allowHalfOpen = true
          local socket = net.connect(options)
          for _, line in ipairs(sent) do socket:write(line) end
          socket:finish()
          sockets.readAll(socket, function(back) text = back end)
        end)
      support.run()
      support.assertSameText(all, text)
    end))
  end)
end

describe("A Node at the other end", function()
  it("that resets the connection is reported by ECONNRESET", withNode(function()
    local code
    nodeServer("socket.resetAndDestroy(); server.close()", {host = "127.0.0.1", port = 0},
      function(options)
        net.connect(options):on("error", function(err) code = err.code end)
      end)
    support.run()
    assert.equal("ECONNRESET", code)
  end))

  it("words its errors as we do", withNode(function()
    local server = net.createServer()
    local ours = {}
    local function try(emitter)
      emitter:on("error", function(err)
        ours[#ours + 1] = ("%s %s %s"):format(err.message, err.errno, err.syscall)
      end)
    end
    local theirs
    server:listen(0, "127.0.0.1", function()
      local port = server:address().port
      try(net.createServer():listen(port, "127.0.0.1"))
      try(net.connect("/does/not/exist"))
      try(net.connect({port = 1, host = "127.0.0.1", localAddress = "1.2.3.4"}))
      try(net.createServer():listen("/does/not/exist"))
      try(net.createServer():listen(0, "1.2.3.4"))
      local child = node([[
        const show = emitter => emitter.on('error', err => {
          console.log(err.message, err.errno, err.syscall)
        })
        show(net.createServer().listen(place))
        show(net.connect('/does/not/exist'))
        show(net.connect({ port: 1, host: '127.0.0.1', localAddress: '1.2.3.4' }))
        show(net.createServer().listen('/does/not/exist'))
        show(net.createServer().listen(0, '1.2.3.4'))
      ]], where(server))
      theirs = support.collect(child.stdout)
      child:on("close", function() server:close() end)
    end)
    support.run()
    local lines = {}
    for line in theirs():gmatch("[^\n]+") do lines[#lines + 1] = line end
    table.sort(lines)
    table.sort(ours)
    assert.same(lines, ours)
  end))
end)
