-- emitter:wait and events.on for what has come already: events that come only once.

local abort = require("child_process.abort")
local cp = require("child_process")
local dgram = require("child_process.dgram")
local events = require("child_process.events")
local net = require("child_process.net")
local sockets = require("spec.support.sockets")
local support = require("spec.support")

local listen = sockets.listen

local function values(...) return {n = select("#", ...), ...} end

--- The result of a wait that needs no iteration of the loop: its coroutine must not be suspended.
local function atOnce(emitter, event)
  local result
  local thread = coroutine.create(function() result = values(emitter:wait(event)) end)
  local ok, err = coroutine.resume(thread)
  if not ok then error(err, 0) end
  assert(coroutine.status(thread) == "dead", "has waited for " .. tostring(event))
  return result
end

local function errorAtOnce(emitter, event)
  return support.error(atOnce, emitter, event)
end

--- Whether a coroutine waits for the event. Then the waiting is given up.
local function waits(emitter, event)
  local controller = abort.AbortController()
  local promise = cp.async(emitter.wait, emitter, event, {signal = controller.signal})
  promise:catch(function() end)
  local isWaiting = tostring(promise) == "Promise (pending)"
  controller:abort()
  return isWaiting
end

describe("Waiting for an event of a child that has come", function()
  it("returns its values at once", function()
    local child = cp.spawn("sh", {"-c", "exit 4"})
    assert.is_true(waits(child, "spawn"))
    assert.is_true(waits(child, "exit"))
    assert.is_true(waits(child, "close"))
    support.run()
    assert.same({n = 0}, atOnce(child, "spawn"))
    assert.same({n = 2, 4, nil}, atOnce(child, "exit"))
    assert.same({n = 2, 4, nil}, atOnce(child, "close"))
    assert.same({4, nil}, {events.once(child, "close")})
  end)

  it("returns a signal, too", function()
    local child = cp.spawn("sleep", {"60"})
    child:kill()
    support.run()
    assert.same({n = 2, nil, "SIGTERM"}, atOnce(child, "exit"))
  end)

  it("works in each listener of that event, and not in earlier ones", function()
    local child, seen = cp.spawn("true"), {}
    child:on("exit", function()
      seen.exit = atOnce(child, "exit")
      seen.close = waits(child, "close")
    end)
    child:on("close", function() seen.closed = atOnce(child, "close") end)
    support.run()
    assert.same({exit = {n = 2, 0}, close = true, closed = {n = 2, 0}}, seen)
  end)

  it("lets several be awaited in any order", function()
    local went
    cp.async(function()
      local slow, fast = cp.spawn("sh", {"-c", "read x"}), cp.spawn("true")
      fast:on("close", function() slow.stdin:finish() end)
      assert.equal(1, slow:wait("close"))
      assert.equal(0, fast:wait("close"))
      went = true
    end)
    support.run()
    assert.is_true(went)
  end)

  it("lets the output be read first", function()
    for _ = 1, 20 do
      -- of a second pipe what came may have flowed away when the child has ended meanwhile
      local child = cp.spawn("sh", {"-c", "echo out; exit 3"})
      assert.equal("out\n", child.stdout:readAll())
      assert.equal(3, child:wait("close"))
    end
  end)

  it("raises the error of a start that has failed, whatever is awaited", function()
    local child = cp.spawn("/nonexistent/command")
    local first = support.error(child.wait, child, "close")
    assert.equal("ENOENT", first.code)
    support.run()
    for _, event in ipairs({"spawn", "exit", "close", "message"}) do
      assert.equal(first, errorAtOnce(child, event))
    end
    assert.equal(first, atOnce(child, "error")[1])
  end)

  it("knows of the end of a channel, at both of its ends", function()
    local script = support.script([[
      require("child_process").async(function()
        process:wait("message")
        process:disconnect()
        process:wait("disconnect")
        process:wait("disconnect")
        process:exit(7)
      end)
    ]])
    local child = cp.fork(script)
    child:send("go")
    assert.is_true(waits(child, "disconnect"))
    support.run()
    assert.equal(7, child.exitCode)
    assert.same({n = 0}, atOnce(child, "disconnect"))
    for _ in events.on(child, "message", {close = {"disconnect"}}) do error("is over") end
  end)

  it("waits for what comes again and again", function()
    local child = cp.spawn("true")
    support.run()
    assert.is_true(waits(child, "message"))
    assert.is_true(waits(child, "an event of my own"))
  end)
end)

describe("Waiting for an event of a stream that has come", function()
  it("returns at once", function()
    local child = cp.spawn("cat")
    assert.is_true(waits(child.stdin, "finish"))
    child.stdin:finish("x")
    assert.is_true(waits(child.stdout, "end"))
    assert.equal("x", child.stdout:readAll())
    support.run()
    assert.same({n = 0}, atOnce(child.stdin, "finish"))
    assert.same({n = 0}, atOnce(child.stdout, "end"))
    for fd = 0, 2 do
      assert.same({n = 1, false}, atOnce(child.stdio[fd], "close"))
    end
  end)

  it("waits for a close that is about to be emitted", function()
    local child = cp.spawn("cat")
    child.stdout:destroy()
    assert.is_true(waits(child.stdout, "close"))
    child.stdin:finish()
    support.run()
    assert.same({n = 1, false}, atOnce(child.stdout, "close"))
  end)

  it("raises why its end does not come", function()
    local child = cp.spawn("sh", {"-c", "cat; exit 0"})
    local reason = {}
    child.stdout:on("error", function() end)
    child.stdout:destroy(reason)
    child.stdin:destroy()
    support.run()
    assert.equal(reason, errorAtOnce(child.stdout, "end"))
    assert.equal(reason, errorAtOnce(child.stdout, "close"))
    assert.equal("ERR_STREAM_PREMATURE_CLOSE", errorAtOnce(child.stdin, "finish").code)
  end)
end)

describe("Waiting for what a stream's end keeps from coming", function()
  local function reasonOf(stream, event, destroy)
    local reason
    cp.async(stream.wait, stream, event):catch(function(err) reason = err end)
    destroy()
    support.run()
    return reason
  end

  it("raises the reason when the stream closes", function()
    local child = cp.spawn("cat")
    local code = reasonOf(child.stdout, "end", function()
      child.stdout:destroy()
      child.stdin:finish()
    end).code
    assert.equal("ERR_STREAM_PREMATURE_CLOSE", code)
    child = cp.spawn("cat")
    code = reasonOf(child.stdin, "finish", function() child.stdin:destroy() end).code
    assert.equal("ERR_STREAM_PREMATURE_CLOSE", code)
  end)

  it("raises it where the close is about to come", function()
    local child = cp.spawn("cat")
    child.stdout:destroy()
    local code = reasonOf(child.stdout, "end", function() child.stdin:finish() end).code
    assert.equal("ERR_STREAM_PREMATURE_CLOSE", code)
  end)

  it("raises it for a socket that is not connected in time", function()
    local server = net.createServer():listen(0, "127.0.0.1")
    server:wait("listening")
    local socket = net.connect(server:address().port, "127.0.0.1")
    local code = reasonOf(socket, "connect", function() socket:destroy() server:close() end).code
    assert.equal("ERR_SOCKET_CLOSED_BEFORE_CONNECTION", code)
  end)
end)

describe("Waiting for an event of a socket or server that has come", function()
  it("returns at once", function()
    local server, accepted = net.createServer(), nil
    server:on("connection", function(socket)
      accepted = atOnce(socket, "connect")
      socket:finish()
    end)
    local client
    listen(server, function(port)
      assert.same({n = 0}, atOnce(server, "listening"))
      client = net.connect(port, "127.0.0.1")
      assert.is_true(waits(client, "connect"))
      client:resume()
      client:on("connect", function() atOnce(client, "connect") end)
      client:on("close", function() server:close() end)
    end)
    assert.is_true(waits(server, "listening"))
    support.run()
    assert.same({n = 0}, accepted)
    assert.same({n = 0}, atOnce(client, "connect"))
    assert.same({n = 0}, atOnce(client, "ready"))
    assert.same({n = 0}, atOnce(server, "close"))
  end)

  it("goes by what the server did last", function()
    local server = net.createServer()
    assert.is_true(waits(server, "close"))
    server:listen(0)
    server:wait("listening")
    assert.is_true(waits(server, "close"))
    server:close()
    assert.is_true(waits(server, "listening"))
    server:wait("close")
    assert.is_true(waits(server, "listening"))
    server:listen(0)
    assert.is_true(waits(server, "close"))
    server:wait("listening")
    server:wait("listening")
    server:close()
    support.run()
    assert.same({n = 0}, atOnce(server, "close"))
  end)

  it("raises the error of a connection that was refused", function()
    local client = net.connect(support.tmpdir() .. "/nobody")
    client:on("error", function() end)
    support.run()
    assert.equal("ENOENT", errorAtOnce(client, "connect").code)
  end)

  it("counts of a UDP socket until it is disconnected", function()
    local socket = dgram.createSocket("udp4")
    assert.is_true(waits(socket, "listening"))
    socket:bind(0, "127.0.0.1")
    socket:wait("listening")
    assert.same({n = 0}, atOnce(socket, "listening"))
    assert.is_true(waits(socket, "connect"))
    socket:connect(socket:address().port, "127.0.0.1")
    socket:wait("connect")
    assert.same({n = 0}, atOnce(socket, "connect"))
    socket:disconnect()
    assert.is_true(waits(socket, "connect"))
    assert.is_true(waits(socket, "close"))
    socket:close()
    support.run()
    assert.same({n = 0}, atOnce(socket, "close"))
  end)
end)

describe("Waiting for a signal that was aborted", function()
  it("returns the event at once", function()
    local signal = abort.AbortSignal.abort("why")
    assert.equal(signal, atOnce(signal, "abort")[1].target)
  end)
end)
