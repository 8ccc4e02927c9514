-- UDP between Lua and a real Node, both ways, and the same things done by both.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local dgram = require("child_process.dgram")
local messages = require("spec.support.messages")
local support = require("spec.support")

local withNode = messages.withNode

local HERE = "127.0.0.1"

--- Starts a program in Node, in which `dgram` is there.
local function node(text, args, stdio)
  return cp.spawn("node", {
    messages.javascript("const dgram = require('dgram');\n" .. text), compat.unpack(args or {}),
  }, {stdio = stdio or {"ignore", "pipe", "inherit"}})
end

--- The lines that a program prints, each given to the function.
local function eachLine(child, fn)
  local rest = ""
  child.stdout:on("data", function(data)
    rest = (rest .. data):gsub("([^\n]*)\n", function(line)
      fn(line)
      return ""
    end)
  end)
end

describe("A socket in Lua", function()
  it("sends to one in Node, and gets the answers", withNode(function()
    local child = node([[
      const server = dgram.createSocket('udp4');
      server.on('message', (message, rinfo) => {
        if (message.toString() === 'end') return server.close();
        server.send(Buffer.concat([message, Buffer.from([0, 255])]), rinfo.port, rinfo.address);
        console.log(rinfo.address, rinfo.family, rinfo.port, rinfo.size);
      });
      server.bind(0, '127.0.0.1', () => console.log(server.address().port));
    ]])
    local seen = {}
    local client, port
    client = dgram.createSocket("udp4", function(message, rinfo)
      seen[#seen + 1] = message
      assert.equal(port, rinfo.port)
      if #seen == 3 then
        client:send("end", port, HERE)
      end
    end)
    client:bind(0, HERE)
    local own = client:address().port
    local described = {}
    eachLine(child, function(line)
      if port then
        described[#described + 1] = line
        return
      end
      port = tonumber(line)
      client:send("one", port, HERE)
      client:send({"t", "wo"}, port, HERE)
      client:send("", port, HERE)
    end)
    child:on("exit", function() client:close() end)
    support.run()
    assert.same({"one\0\255", "two\0\255", "\0\255"}, seen)
    local from = ("%s IPv4 %d "):format(HERE, own)
    assert.same({from .. "3", from .. "3", from .. "0"}, described)
  end))

  it("answers one in Node, the largest datagram included", withNode(function()
    local server = dgram.createSocket("udp4"):bind(0, HERE)
    local lengths = {}
    server:on("message", function(message, rinfo)
      lengths[#lengths + 1] = #message
      server:send(message:reverse(), rinfo.port, rinfo.address)
    end)
    local child = node([[
      const client = dgram.createSocket('udp4');
      const port = Number(process.argv[2]);
      let count = 0;
      client.on('message', message => {
        console.log(message.length, message[0]);
        if (++count === 3) return client.close();
        client.send(Buffer.alloc([2, 65507][count - 1], count), port, '127.0.0.1');
      });
      client.send('ab', port, '127.0.0.1');
    ]], {tostring(server:address().port)})
    child:on("exit", function() server:close() end)
    assert.equal("2 98\n2 1\n65507 2\n", (support.output(child)))
    assert.same({2, 2, 65507}, lengths)
  end))

  it("is connected to one in Node that is connected to it", withNode(function()
    local socket = dgram.createSocket("udp4"):bind(0, HERE)
    local child = node([[
      const socket = dgram.createSocket('udp4');
      socket.bind(0, '127.0.0.1', () => socket.connect(Number(process.argv[2]), '127.0.0.1', () => {
        console.log(socket.address().port);
      }));
      socket.on('message', message => { socket.send(message + ' too'); socket.close(); });
    ]], {tostring(socket:address().port)})
    local seen
    eachLine(child, function(line)
      socket:connect(tonumber(line), HERE, function() socket:send("connected") end)
    end)
    socket:on("message", function(message)
      seen = message
      socket:close()
    end)
    support.run()
    assert.equal("connected too", seen)
  end))

  it("may be given to a Node as a descriptor", withNode(function()
    local socket = dgram.createSocket("udp4"):bind(0, HERE)
    local port = socket:address().port
    local child = node([[
      const socket = dgram.createSocket('udp4');
      socket.on('message', message => { console.log(message.toString()); socket.close(); });
      socket.bind({fd: 3}, () => console.log(socket.address().port));
    ]], {}, {"ignore", "pipe", "inherit", socket._handle:fileno()})
    socket:close()
    local client = dgram.createSocket("udp4")
    client:send("for Node", port, HERE, function() client:close() end)
    assert.equal(port .. "\nfor Node\n", (support.output(child)))
  end))

  it("counts thousands of datagrams from Node in order", withNode(function()
    local COUNT, WINDOW = 5000, 50
    local received = 0
    local socket = dgram.createSocket("udp4"):bind(0, HERE)
    socket:on("message", function(message, rinfo)
      received = received + 1
      assert.equal(tostring(received), message)
      if received % WINDOW == 0 then socket:send("go on", rinfo.port, rinfo.address) end
      if received == COUNT then socket:close() end
    end)
    local child = node([[
      const [port, count, window] = process.argv.slice(2).map(Number);
      const socket = dgram.createSocket('udp4');
      let sent = 0;
      const send = () => {
        if (sent === count) return socket.close();
        for (let i = 0; i < window; i++) socket.send(String(++sent), port, '127.0.0.1');
      };
      socket.on('message', send);
      send();
    ]], {tostring(socket:address().port), tostring(COUNT), tostring(WINDOW)})
    support.output(child)
    assert.equal(COUNT, received)
  end))
end)

-- Each call in both languages, where `s` is a socket that is not bound, `b` one that is.
local CALLS = {
  {"dgram.createSocket('udp5')"},
  {"dgram.createSocket()"},
  {"s:address()", "s.address()"},
  {"s:remoteAddress()", "s.remoteAddress()"},
  {"s:disconnect()", "s.disconnect()"},
  {"s:setBroadcast(true)", "s.setBroadcast(true)"},
  {"s:setTTL(3)", "s.setTTL(3)"},
  {"s:setTTL('a')", "s.setTTL('a')"},
  {"s:setMulticastTTL(3)", "s.setMulticastTTL(3)"},
  {"s:setMulticastLoopback(true)", "s.setMulticastLoopback(true)"},
  {"s:setMulticastInterface('127.0.0.1')", "s.setMulticastInterface('127.0.0.1')"},
  {"s:setMulticastInterface(1)", "s.setMulticastInterface(1)"},
  {"s:addMembership()", "s.addMembership()"},
  {"b:addMembership('127.0.0.1')", "b.addMembership('127.0.0.1')"},
  {"b:dropMembership('224.0.0.114')", "b.dropMembership('224.0.0.114')"},
  {"s:setRecvBufferSize(-1)", "s.setRecvBufferSize(-1)"},
  {"s:setSendBufferSize('x')", "s.setSendBufferSize('x')"},
  {"s:send('x', 0)", "s.send('x', 0)"},
  {"s:send('x', 70000)", "s.send('x', 70000)"},
  {"s:send('x', 'abc')", "s.send('x', 'abc')"},
  {"s:send('x', 1234, 5)", "s.send('x', 1234, 5)"},
  {"s:send('abc', 4, 1, 1234)", "s.send('abc', 4, 1, 1234)"},
  {"s:send('abc', 1, 3, 1234)", "s.send('abc', 1, 3, 1234)"},
  {"s:connect(0)", "s.connect(0)"},
  {"s:connect(1, 5)", "s.connect(1, 5)"},
  {"b:bind(0)", "b.bind(0)"},
  {"b:setTTL(0)", "b.setTTL(0)"},
  {"b:setTTL(256)", "b.setTTL(256)"},
  {"b:setMulticastTTL(300)", "b.setMulticastTTL(300)"},
  {"c:bind(0)", "c.bind(0)"},
  {"c:close()", "c.close()"},
}

describe("Misuse", function()
  it("raises what Node raises", withNode(function()
    local inNode = {}
    for place, call in ipairs(CALLS) do inNode[place] = call[2] or call[1] end
    local child = node([[
      const s = dgram.createSocket('udp4'), c = dgram.createSocket('udp4');
      const b = dgram.createSocket('udp4');
      c.close();
      b.bind(0, () => {
        for (const call of process.argv.slice(2)) {
          try { eval(call); console.log('nothing'); }
          catch (e) { console.log(e.name, e.code, e.errno, e.syscall, e.message); }
        }
        b.close();
      });
    ]], inNode)
    local expected = support.output(child):gsub("undefined", "nil")

    local closed, bound = dgram.createSocket("udp4"), dgram.createSocket("udp4")
    local scope = {dgram = dgram, s = dgram.createSocket("udp4"), b = bound, c = closed}
    closed:close()
    bound:bind(0)
    local lines = {}
    for place, call in ipairs(CALLS) do
      local err = support.error(support.load(call[1], call[1], scope))
      lines[place] = table.concat({
        err.name, err.code, tostring(err.errno), tostring(err.syscall), err.message,
      }, " ") .. "\n"
    end
    bound:close()
    support.run()
    assert.equal(expected, table.concat(lines))
  end))

  it("is reported as Node reports it where it comes later", withNode(function()
    local taken = dgram.createSocket("udp4"):bind(0, HERE):unref()
    local port = taken:address().port
    local child = node([[
      const port = Number(process.argv[2]);
      const tell = e => console.log(e.message, e.code, e.errno, e.syscall, e.address, e.port);
      const a = dgram.createSocket('udp4');
      a.on('error', e => { tell(e); next(); });
      a.bind(port, '127.0.0.1');
      const next = () => a.send(Buffer.alloc(70000), port, '127.0.0.1', e => {
        tell(e);
        a.send('x', port, '::1', e => {
          tell(e);
          a.connect(9, '::1', e => { tell(e); a.close(); });
        });
      });
    ]], {tostring(port)})
    local expected = support.output(child)

    local lines = {}
    local function tell(err)
      lines[#lines + 1] = ("%s %s %d %s %s %s\n"):format(err.message, err.code, err.errno,
        err.syscall, err.address, err.port)
    end
    local socket = dgram.createSocket("udp4")
    socket:on("error", function(raised)
      tell(raised)
      socket:send(("\0"):rep(70000), port, HERE, function(err)
        tell(err)
        socket:send("x", port, "::1", function(wrong)
          tell(wrong)
          socket:connect(9, "::1", function(refused)
            tell(refused)
            socket:close()
            taken:close()
          end)
        end)
      end)
    end)
    socket:bind(port, HERE)
    support.run()
    assert.equal(expected, table.concat(lines))
  end))
end)
