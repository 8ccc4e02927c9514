-- Messages between a parent and its child: send, disconnect, connected, channel and the events, at
-- both ends. What lies on the wire is in channel/channel_spec.lua.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local messages = require("spec.support.messages")
local process = require("child_process.process")
local support = require("spec.support")
local timers = require("child_process.timers")

--- stdio of a forked child whose output the test reads.
local CAPTURED = {"ignore", "pipe", "inherit", "ipc"}

local function echoed(...) return messages.echoed(nil, ...) end

describe("child:send(message[, sendHandle[, options]][, callback])", function()
  it("can be used to send messages to the child process, when an IPC channel has been "
    .. "established", function()
    assert.equal("hello", echoed("hello"))
  end)

  it("has messages received via the 'message' event", function()
    local child = messages.fork([[
      process:on("message", function(message)
        print("got", message)
        process:disconnect()
      end)
    ]], {stdio = CAPTURED})
    child:send("hello")
    assert.equal("got\thello\n", (support.output(child)))
    assert.equal(0, child.exitCode)
  end)

  it("sends a message through serialization and parsing: it might not be the same as what is "
    .. "originally sent", function()
    local message = echoed({
      nan = 0 / 0, infinity = 1 / 0, fn = print, [5] = "number", list = {1, print, 2},
      metatable = setmetatable({1}, {__tojson = function() return "another" end}),
    })
    assert.same({
      nan = cp.null, infinity = cp.null, ["5"] = "number", list = {1, cp.null, 2},
      metatable = "another",
    }, message)
  end)

  it("sends every kind of value that JSON has", function()
    local values = {
      "text", "", "\195\188\0\n\240\159\152\128", 0, 1, -1, 1.5, 1e300, 5e-324, true, false,
      cp.null, compat.maxInteger, math.mininteger or -2 ^ 53, {}, cp.array(), {1, 2, 3},
      {a = {b = {c = {}}}},
    }
    local results = compat.pack(echoed(compat.unpack(values)))
    assert.same(values, {compat.unpack(results, 1, #values)})
    for place, value in ipairs(values) do
      assert.equal(compat.mathType(value), compat.mathType(results[place]))
    end
  end)

  it("keeps a decoded array an array when it is sent on", function()
    local child = messages.shell([[printf '{"list":[],"object":{}}\n' >&3; exec head -n 1 <&3]])
    child:on("message", function(message) child:send(message) end)
    local stdout = support.output(child)
    assert.matches('"list":[]', stdout, 1, true)
    assert.matches('"object":{}', stdout, 1, true)
  end)

  it("keeps the order of messages", function()
    local child = messages.fork(messages.ECHO)
    local expected, last = 0, nil
    child:on("message", function(message)
      expected = expected + 1
      assert.equal(expected, message)
      if message == 5000 then child:disconnect() end
      last = message
    end)
    for n = 1, 5000 do child:send(n) end
    support.run()
    assert.equal(5000, last)
  end)

  describe("with the example of the documentation", function()
    it("causes the child to print and the parent to print", function()
      local folder = support.tmpdir()
      -- Printing a table is not what print is for in Lua.
      support.writeFile(folder .. "/sub.lua", [[
        local json = require("child_process.json")
        process:on("message", function(m)
          print("CHILD got message:", json.encode(m))
          process:disconnect()
        end)

        -- Causes the parent to print: PARENT got message: {"foo":"bar","baz":null}
        process:send({foo = "bar", baz = 0 / 0})
      ]])
      support.writeFile(folder .. "/parent.lua", [[
        local cp = require("child_process")
        local dirname = arg[0]:match("^(.*)/")
        local n = cp.fork(dirname .. "/sub.lua")

        n:on("message", function(m)
          print("PARENT got message:", m.foo, m.baz == cp.null)
        end)

        -- Causes the child to print: CHILD got message: {"hello":"world"}
        n:send({hello = "world"})
        cp.run()
      ]])
      local parent = cp.spawn(support.lua, {folder .. "/parent.lua"})
      parent.stdin:finish()
      local stdout, stderr = support.output(parent)
      assert.equal("", stderr)
      assert.equal(0, parent.exitCode)
      assert.matches("PARENT got message:\tbar\ttrue\n", stdout, 1, true)
      assert.matches('CHILD got message:\t{"hello":"world"}\n', stdout, 1, true)
    end)
  end)

  it("is there in the child as process:send(), which sends messages back to the parent", function()
    local child = messages.fork([[process:send({from = "child"})]])
    local received = messages.received(child)
    support.run()
    assert.same({{from = "child"}}, received)
  end)

  it("does not exist without a channel", function()
    local stdout = support.runScript([[
      local process = require("child_process.process")
      print(process.send, process.disconnect, process.connected, process.channel)
    ]])
    assert.equal("nil\tnil\tnil\tnil\n", stdout)
  end)

  describe("with a NODE_ prefix in the cmd property", function()
    it("is not emitted in the 'message' event, but in 'internalMessage'", function()
      local child = messages.fork([[
        process:on("message", function(message) print("message", message.cmd) end)
        process:on("internalMessage", function(message) print("internal", message.cmd) end)
      ]], {stdio = CAPTURED})
      for _, cmd in ipairs({"NODE_foo", "NODE_", "NODE", "node_foo", "xNODE_foo", "NODE_x"}) do
        child:send({cmd = cmd})
      end
      child:disconnect()
      assert.equal("internal\tNODE_foo\nmessage\tNODE_\nmessage\tNODE\nmessage\tnode_foo\n"
        .. "message\txNODE_foo\ninternal\tNODE_x\n", (support.output(child)))
    end)

    it("is not emitted in the parent's 'message' event either", function()
      local child = messages.fork([[
        process:send({cmd = "NODE_foo", value = 1})
        process:send({cmd = 5})
        process:send({"NODE_foo"})
        process:send("NODE_foo")
      ]])
      local seen = messages.events(child, {exit = true, close = true})
      support.run()
      assert.equal(5, #seen)
      assert.matches("^internalMessage ", seen[1])
      assert.same({'message {"cmd":5}', 'message ["NODE_foo"]', "message NODE_foo", "disconnect"},
        compat.move(seen, 2, 5, 1, {}))
    end)

    it("does not end a channel that nobody listens to", function()
      local child = messages.fork([[
        process:send({cmd = "NODE_HANDLE", type = "nonsense"})
        process:send({cmd = "NODE_unknown"})
        process:send("last")
      ]])
      local received = messages.received(child)
      support.run()
      assert.same({"last"}, received)
    end)
  end)

  describe("callback", function()
    it("is invoked after the message is sent but before the child may have received it",
      function()
        local child = messages.shell("read -r line; exec head -n 1 <&3")
        local sent, during
        assert.is_true(child:send("hello", function(...) sent = compat.pack(...) end))
        during = sent
        local received = support.collect(child.stdout)
        messages.await(function() return sent end)
        assert.is_nil(during)
        assert.equal("", received()) -- the child still waits for its stdin
        child.stdin:finish("go\n")
        support.run()
        assert.equal('"hello"\n', received())
      end)

    it("is called with a single argument: nil on success", function()
      local child = messages.shell("exec head -n 3 <&3")
      local results = {}
      local function callback(...) results[#results + 1] = compat.pack(...) end
      child:send(1, callback)
      child:send(2, nil, callback)
      child:send(3, nil, {keepOpen = true}, callback)
      support.run()
      assert.equal(3, #results)
      for i = 1, 3 do
        assert.is_nil(results[i][1])
        assert.is_true(results[i].n <= 1)
      end
    end)

    it("is called with an Error object on failure", function()
      local child = messages.shell("exec 3<&-; echo; read -r line")
      local err
      child.stdout:once("data", function()
        -- the other end is closed: this is known when it is written at the latest
        child:send("hello", function(problem) err = problem end)
        child.stdin:finish("\n")
      end)
      support.run()
      assert.is_true(err.code == "EPIPE" or err.code == "ERR_IPC_CHANNEL_CLOSED", err.code)
      assert.equal("Error", err.name)
    end)

    it("is called with ERR_IPC_CHANNEL_CLOSED when the channel is closed, not at once", function()
      local child = messages.shell("")
      child:disconnect()
      local err
      assert.is_false(child:send("hello", function(problem) err = problem end))
      assert.is_nil(err)
      support.run()
      assert.equal("ERR_IPC_CHANNEL_CLOSED", err.code)
      assert.equal("Channel closed", err.message)
    end)

    it("is called for each message, in order, and not before its bytes are written", function()
      -- Nobody reads until the first callbacks have come.
      local child = messages.shell("read -r line; cat <&3 >/dev/null")
      local called = {}
      for n = 1, 100 do
        child:send(("x"):rep(10000), function(err)
          assert.is_nil(err)
          called[#called + 1] = n
          if n == 1 then child.stdin:finish("go\n") end
          if n == 100 then child:disconnect() end
        end)
      end
      support.run()
      assert.equal(100, #called)
      for n = 1, 100 do assert.equal(n, called[n]) end
    end)

    it("is called with an error for each message that was not written when the child dies",
      function()
        local child = messages.shell("read -r line; kill -KILL $$")
        local results = {}
        for n = 1, 100 do
          child:send(("x"):rep(10000), function(err)
            results[n] = err and err.code or "sent"
            if n == 1 then child.stdin:finish("go\n") end
          end)
        end
        local seen = messages.events(child, {exit = true})
        support.run()
        assert.equal(100, #results)
        assert.equal("sent", results[1])
        assert.not_equal("sent", results[100])
        local failed
        for n = 1, 100 do
          if failed then assert.not_equal("sent", results[n]) end
          failed = failed or results[n] ~= "sent"
        end
        -- who has a callback needs no event
        assert.same({"disconnect", "close nil SIGKILL"}, seen)
      end)

    it("can be used to implement flow control", function()
      local child = messages.fork([[
        local count = 0
        process:on("message", function() count = count + 1 end)
        process:on("disconnect", function() print(count) end)
      ]], {stdio = CAPTURED})
      local n = 0
      local function more()
        n = n + 1
        if n <= 200 then child:send(("x"):rep(10000), more) else child:disconnect() end
      end
      more()
      assert.equal("200\n", (support.output(child)))
    end)

    it("may raise: the error comes out of run, and the others are still called", function()
      local child = messages.shell("exec cat <&3 >/dev/null")
      local called = {}
      for n = 1, 3 do
        child:send(n, function()
          called[#called + 1] = n
          if n == 2 then error("in callback", 0) end
          if n == 3 then child:disconnect() end
        end)
      end
      assert.equal("in callback", support.error(support.run))
      support.run()
      assert.same({1, 2, 3}, called)
    end)

    it("may send and disconnect", function()
      local child = messages.shell("exec cat <&3")
      child:send(1, function()
        child:send(2, function() child:disconnect() end)
      end)
      assert.equal("1\n2\n", (support.output(child)))
    end)
  end)

  describe("without a callback", function()
    it("has an 'error' event emitted if the message cannot be sent", function()
      local child = messages.shell("")
      child:disconnect()
      local seen = messages.events(child, {exit = true, close = true})
      assert.is_false(child:send("hello"))
      assert.same({}, seen) -- not at once
      support.run()
      table.sort(seen)
      assert.same({"disconnect", "error ERR_IPC_CHANNEL_CLOSED"}, seen)
    end)

    it("has an 'error' event emitted when the child process has already exited", function()
      local child = messages.fork("")
      local seen = messages.events(child)
      child:on("close", function() child:send("too late") end)
      support.run()
      assert.equal("error ERR_IPC_CHANNEL_CLOSED", seen[#seen])
    end)

    it("raises the error where nobody listens for it", function()
      local child = messages.shell("")
      child:disconnect()
      child:send("hello")
      assert.equal("ERR_IPC_CHANNEL_CLOSED", support.error(support.run).code)
      support.run()
    end)

    it("is an 'error' event of process in the child", function()
      local child = messages.fork([[
        process:disconnect()
        process:on("error", function(err) print(err.code) end)
        print(process:send("hello"))
      ]], {stdio = CAPTURED})
      assert.equal("false\nERR_IPC_CHANNEL_CLOSED\n", (support.output(child)))
      assert.equal(0, child.exitCode)
    end)
  end)

  describe("returns", function()
    it("true while the backlog of unsent messages is small", function()
      local child = messages.shell("exec cat <&3 >/dev/null")
      assert.is_true(child:send("hello"))
      child:disconnect()
      support.run()
    end)

    it("false when the channel has closed", function()
      local child = messages.shell("")
      child:disconnect()
      assert.is_false(child:send("hello", function() end))
      support.run()
      assert.is_false(child:send("hello", function() end))
      support.run()
    end)

    it("false when the backlog of unsent messages exceeds a threshold that makes it unwise to "
      .. "send more", function()
      local child = messages.shell("read -r line; cat <&3 | wc -l")
      local count = 0
      repeat
        count = count + 1
        assert.is_true(count < 10000)
      until not child:send(("x"):rep(1000))
      assert.is_true(count > 100)
      -- it was accepted all the same
      child.stdin:finish("go\n")
      child:disconnect()
      assert.equal(count, tonumber((support.output(child))))
    end)

    it("true again when the backlog has gone", function()
      local child = messages.shell("read -r line; exec cat <&3 >/dev/null")
      while child:send(("x"):rep(1000)) do end
      child.stdin:finish("go\n")
      local again
      child:send("last", function()
        again = child:send("more")
        child:disconnect()
      end)
      support.run()
      assert.is_true(again)
    end)
  end)

  describe("raises", function()
    local child

    before_each(function() child = messages.shell("exec cat <&3 >/dev/null") end)
    after_each(function()
      -- after a failure nothing is left of the child
      if child.connected then child:disconnect() end
      support.run()
    end)

    it("ERR_INVALID_THIS where it is not called with its object", function()
      for _, method in ipairs({child.send, child.disconnect}) do
        for _, value in ipairs({io.stdout, 5, {}}) do
          assert.equal("ERR_INVALID_THIS", support.error(method, value, {}).code)
        end
      end
    end)

    it("ERR_MISSING_ARGS without a message", function()
      assert.equal("ERR_MISSING_ARGS", support.error(child.send, child).code)
      assert.equal("ERR_MISSING_ARGS", support.error(child.send, child, nil, print).code)
    end)

    it("ERR_INVALID_ARG_TYPE for a value that is not a message", function()
      for _, value in ipairs({print, coroutine.create(function() end), io.stdout, child}) do
        local err = support.error(child.send, child, value)
        assert.equal("ERR_INVALID_ARG_TYPE", err.code)
        assert.equal("TypeError", err.name)
      end
    end)

    it("ERR_INVALID_ARG_TYPE for options that are not a table, and for an invalid callback",
      function()
        assert.equal("ERR_INVALID_ARG_TYPE", support.error(child.send, child, 1, nil, 5).code)
        assert.equal("ERR_INVALID_ARG_TYPE", support.error(child.send, child, 1, nil, {}, 5).code)
      end)

    it("ERR_INVALID_HANDLE_TYPE for a value that is not a handle", function()
      for _, value in ipairs({"text", 5, true, {}, io.stdout}) do
        assert.equal("ERR_INVALID_HANDLE_TYPE", support.error(child.send, child, 1, value).code)
      end
    end)

    it("for a cycle, and for a table in too many tables", function()
      local cycle = {}
      cycle.self = {cycle}
      assert.equal("ERR_INVALID_ARG_VALUE", support.error(child.send, child, cycle).code)
      local deep = {}
      for _ = 1, 2000 do deep = {deep} end
      assert.equal("ERR_INVALID_ARG_VALUE", support.error(child.send, child, deep).code)
    end)

    it("when it is called with a dot", function()
      local err = support.error(child.send, "hello")
      assert.matches("child:send", tostring(err), 1, true)
      assert.matches("disconnect", tostring(support.error(child.disconnect)), 1, true)
    end)
  end)

  it("is for a child without a channel the same as for a closed channel", function()
    local child = cp.spawn("true")
    local err
    assert.is_false(child:send("hello", function(problem) err = problem end))
    assert.is_false(child.connected)
    assert.is_nil(child.channel)
    support.run()
    assert.equal("ERR_IPC_CHANNEL_CLOSED", err.code)
  end)
end)

describe("child:disconnect()", function()
  it("closes the IPC channel, allowing the child to exit gracefully once there are no other "
    .. "connections keeping it alive", function()
    local child = messages.fork(messages.ECHO)
    child:disconnect()
    support.run()
    assert.equal(0, child.exitCode)
    assert.is_nil(child.signalCode)
  end)

  it("lets a child go on that something else keeps alive", function()
    local child = messages.fork([[
      local timers = require("child_process.timers")
      process:on("disconnect", function()
        timers.setTimeout(function() print("later") end, 1)
      end)
    ]], {stdio = CAPTURED})
    child:disconnect()
    assert.equal("later\n", (support.output(child)))
  end)

  it("sets connected to false, in the parent at once", function()
    local child = messages.fork("")
    assert.is_true(child.connected)
    child:disconnect()
    assert.is_false(child.connected)
    assert.is_nil(child.channel)
    support.run()
    assert.is_false(child.connected)
  end)

  it("sets process.connected to false in the child", function()
    local child = messages.fork([[
      print(process.connected)
      process:on("disconnect", function() print(process.connected, process.channel) end)
    ]], {stdio = CAPTURED})
    child:disconnect()
    assert.equal("true\nfalse\tnil\n", (support.output(child)))
  end)

  it("makes it no longer possible to pass messages between the processes", function()
    local child = messages.fork([[
      process:on("disconnect", function()
        print(process:send("back", function(err) print(err.code) end))
      end)
    ]], {stdio = CAPTURED})
    local received = messages.received(child)
    child:disconnect()
    assert.is_false(child:send("there", function() end))
    assert.equal("false\nERR_IPC_CHANNEL_CLOSED\n", (support.output(child)))
    assert.same({}, received)
  end)

  it("has the 'disconnect' event emitted right after, not within it, when there are no messages "
    .. "in the process of being received", function()
    local child = messages.fork("")
    local seen = {}
    child:on("disconnect", function() seen[#seen + 1] = "disconnect" end)
    child:disconnect()
    seen[#seen + 1] = "returned"
    process:nextTick(function() seen[#seen + 1] = "tick" end)
    timers.setImmediate(function() seen[#seen + 1] = "immediate" end)
    support.run()
    assert.same({"returned", "disconnect", "tick", "immediate"}, seen)
  end)

  it("can be invoked within the child process as process:disconnect()", function()
    local child = messages.fork([[
      process:on("disconnect", function() print("disconnect", process.connected) end)
      process:disconnect()
      print(process.connected, process.channel)
    ]], {stdio = CAPTURED})
    local seen = messages.events(child, {exit = true})
    assert.equal("false\tnil\ndisconnect\tfalse\n", (support.output(child)))
    assert.same({"disconnect", "close 0 nil"}, seen)
  end)

  it("is an 'error' event when there is no channel any more", function()
    local child = messages.fork("")
    child:disconnect()
    local err
    child:on("error", function(problem) err = problem end)
    child:disconnect()
    support.run()
    assert.equal("ERR_IPC_DISCONNECTED", err.code)
    assert.equal("IPC channel is already disconnected", err.message)
  end)

  it("raises that error where nobody listens", function()
    local child = messages.fork("")
    child:disconnect()
    assert.equal("ERR_IPC_DISCONNECTED", support.error(child.disconnect, child).code)
    support.run()
    assert.equal("ERR_IPC_DISCONNECTED", support.error(child.disconnect, child).code)
  end)

  it("has messages written that were sent before", function()
    local child = messages.shell("read -r line; cat <&3 | wc -l")
    for _ = 1, 100 do child:send(("x"):rep(10000)) end
    child:disconnect()
    child.stdin:finish("go\n")
    assert.equal(100, tonumber((support.output(child))))
  end)

  it("has callbacks of messages called before the 'disconnect' event", function()
    -- Short ones are gathered, longer ones written at once, and what is longer still has to wait.
    for _, size in ipairs({10, 100000, 1000000}) do
      local child = messages.shell("exec cat <&3 >/dev/null")
      local seen = {}
      for n = 1, 3 do
        child:send(("x"):rep(size), function(err) seen[#seen + 1] = err and err.code or n end)
      end
      child:on("disconnect", function() seen[#seen + 1] = "disconnect" end)
      child:disconnect()
      support.run()
      assert.same({1, 2, 3, "disconnect"}, seen)
    end
  end)

  it("has the callback called without an error of a message that has been written already",
    function()
      local child = messages.shell("read -r line; exec cat <&3 >/dev/null")
      local result = "not called"
      child:send(("x"):rep(70000), function(err) result = err end)
      child:disconnect()
      child.stdin:finish("go\n")
      support.run()
      assert.is_nil(result)
    end)

  it("leaves the end of the child and 'close' to come", function()
    local child = messages.fork("", {stdio = CAPTURED})
    local seen = messages.events(child)
    child:disconnect()
    support.output(child)
    assert.same({"disconnect", "exit 0 nil", "close 0 nil"}, seen)
  end)

  it("may be called in the listener of any event", function()
    for _, event in ipairs({"spawn", "message", "exit", "disconnect"}) do
      local child = messages.fork("process:on('error', function() end) process:send(1)",
        {stdio = CAPTURED})
      local seen = messages.events(child, {message = true})
      child:once(event, function()
        if child.connected then child:disconnect() end
      end)
      support.output(child)
      table.sort(seen)
      assert.same({"close 0 nil", "disconnect", "exit 0 nil"}, seen, event)
    end
  end)
end)

describe("Event: 'disconnect'", function()
  it("is emitted once, after calling child:disconnect() in the parent", function()
    local child = messages.fork(messages.ECHO)
    local count = 0
    child:on("disconnect", function() count = count + 1 end)
    child:disconnect()
    support.run()
    assert.equal(1, count)
  end)

  it("is emitted once, after calling process:disconnect() in the child", function()
    local child = messages.fork("process:disconnect()")
    local count = 0
    child:on("disconnect", function() count = count + 1 end)
    support.run()
    assert.equal(1, count)
  end)

  it("is emitted, too, when the child ends in whichever way", function()
    for _, text in ipairs({"", "os.exit(3)", "process:kill(process.pid, 'SIGKILL')"}) do
      local child = messages.fork(text)
      local seen = messages.events(child, {exit = true})
      support.run()
      assert.equal("disconnect", seen[1])
      assert.matches("^close ", seen[2])
      assert.equal(2, #seen)
    end
  end)

  it("is emitted in the child when the parent ends", function()
    local script = support.script([[
      process:on("disconnect", function() print("disconnect", process.connected) end)
      process:send("ready")
    ]])
    local stdout = support.runScript(([[
      local child = cp.fork(%q)
      child:on("message", function() os.exit(0) end)
      cp.run()
    ]]):format(script))
    assert.equal("disconnect\tfalse\n", stdout)
  end)

  it("finds that it is no longer possible to send or receive messages, and connected is false",
    function()
      local child = messages.fork("process:disconnect()")
      local seen
      child:on("disconnect", function()
        seen = {child.connected, child:send("hello", function() end), child.channel}
      end)
      support.run()
      assert.same({false, false}, seen)
    end)

  it("comes before 'close', which waits for the channel", function()
    -- What holds the channel is not the child; it ends when our end of stdin does, after the exit.
    local child = messages.shell("exec 4<&0; read -r line <&4 & exit 0")
    local seen = messages.events(child)
    support.run()
    assert.same({"exit 0 nil", "disconnect", "close 0 nil"}, seen)
  end)

  it("and 'close' come when a descendant keeps the channel, once the parent disconnects",
    function()
      local child = messages.shell("sleep 60 <&- >&- 2>&- & echo $!")
      local pid = support.collect(child.stdout)
      local seen = messages.events(child)
      child:on("exit", function() child:disconnect() end)
      support.run()
      process:kill(tonumber(pid()), "SIGKILL")
      assert.same({"exit 0 nil", "disconnect", "close 0 nil"}, seen)
    end)
end)

describe("Event: 'message'", function()
  it("is triggered when a child process uses process:send() to send messages", function()
    local child = messages.fork("process:send('one') process:send('two')")
    local received = messages.received(child)
    support.run()
    assert.same({"one", "two"}, received)
  end)

  it("has as message a parsed JSON object or primitive value", function()
    local child = messages.shell([[
      printf '%s\n' '{"a":[1,2.5,{"b":null}]}' '"text"' '12' '1.0' 'true' 'null' '[]' >&3
    ]])
    local received = messages.received(child)
    support.run()
    assert.same({{a = {1, 2.5, {b = cp.null}}}, "text", 12, 1.0, true, cp.null, {}}, received)
    if support.hasIntegers then
      assert.equal("integer", math.type(received[3]))
      assert.equal("float", math.type(received[4]))
    end
  end)

  it("has a handle that is nil when none was sent", function()
    local child = messages.fork("process:send('one')")
    local handle = "unset"
    child:on("message", function(_, sent) handle = sent end)
    support.run()
    assert.is_nil(handle)
  end)

  it("goes through serialization and parsing: the message might not be the same as what is "
    .. "originally sent", function()
    local child = messages.fork("process:send({a = 0 / 0, b = print, [1.5] = 'x'})")
    local received = messages.received(child)
    support.run()
    assert.same({{a = cp.null, ["1.5"] = "x"}}, received)
  end)

  it("may have several listeners, and one for once", function()
    local child = messages.fork("process:send(1) process:send(2)")
    local seen = {}
    child:on("message", function(n) seen[#seen + 1] = "a" .. n end)
    child:once("message", function(n) seen[#seen + 1] = "once" .. n end)
    child:on("message", function(n) seen[#seen + 1] = "b" .. n end)
    support.run()
    assert.same({"a1", "once1", "b1", "a2", "b2"}, seen)
  end)

  it("is lost in a parent where nobody listens", function()
    local child = messages.shell("printf '1\\n2\\n' >&3; echo; read -r line; printf '3\\n' >&3")
    local received
    child.stdout:on("data", function()
      timers.setImmediate(function()
        received = messages.received(child)
        child.stdin:finish("go\n")
      end)
    end)
    support.run()
    assert.same({3}, received)
  end)

  it("waits in a child until somebody listens, in order with those that come then",
    function()
      local child = messages.fork([[
        local seen = {}
        process:on("internalMessage", function()
          process:on("message", function(message)
            seen[#seen + 1] = message
            if message == "end" then
              print(table.concat(seen, " "))
              process:disconnect()
            end
          end)
        end)
        process:on("disconnect", function() end)
      ]], {stdio = CAPTURED})
      for n = 1, 3 do child:send(n) end
      child:send({cmd = "NODE_listen"})
      for n = 4, 6 do child:send(n) end
      child:send("end")
      assert.equal("1 2 3 4 5 6 end\n", (support.output(child)))
    end)

  it("waits again when the listener has gone, as between two once", function()
    local child = messages.fork([[
      process:on("disconnect", function() end)
      process:once("message", function(first)
        process:nextTick(function()
          process:once("message", function(second)
            print(first, second)
            process:on("message", function(third)
              print(third)
              process:disconnect()
            end)
          end)
        end)
      end)
    ]], {stdio = CAPTURED})
    for n = 1, 3 do child:send(n) end
    assert.equal("1\t2\n3\n", (support.output(child)))
  end)
end)

describe("connected", function()
  it("indicates whether it is still possible to send and receive messages", function()
    local child = messages.fork("")
    assert.is_true(child.connected)
    support.run()
    assert.is_false(child.connected)
  end)

  it("is set to false after child:disconnect() is called", function()
    local child = messages.fork("")
    child:disconnect()
    assert.is_false(child.connected)
    support.run()
  end)

  it("is false for a child without a channel", function()
    local child = cp.spawn("true")
    assert.is_false(child.connected)
    support.run()
  end)

  it("is false for a child that could not be started", function()
    local child = cp.fork("script", {execPath = "/does/not/exist"})
    local seen = messages.events(child)
    local err
    child:send("hello", function(problem) err = problem end)
    support.run()
    assert.is_false(child.connected)
    assert.is_not_nil(err)
    assert.equal("error ENOENT", seen[1])
    assert.matches("^close %-", seen[#seen])
  end)
end)

describe("channel", function()
  it("is a reference to the child's IPC channel", function()
    local child = messages.fork("")
    assert.is_not_nil(child.channel)
    assert.is_function(child.channel.ref)
    assert.is_function(child.channel.unref)
    support.run()
  end)

  it("has methods that must be called with a colon", function()
    local child = messages.fork("")
    for _, method in ipairs({"ref", "unref"}) do
      for _, wrong in ipairs({false, child, {}}) do
        assert.equal("ERR_INVALID_THIS",
          support.error(function() child.channel[method](wrong) end).code)
      end
    end
    support.run()
  end)

  it("is nil if no IPC channel currently exists", function()
    local child = messages.fork("")
    support.run()
    assert.is_nil(child.channel)
    local plain = cp.spawn("true")
    assert.is_nil(plain.channel)
    support.run()
  end)

  it("is not among child.stdio", function()
    local child = messages.fork("", {silent = true})
    assert.is_nil(child.stdio[3])
    assert.is_not_nil(child.stdio[2])
    support.output(child)
  end)

  it("unref() makes it not keep the event loop of the parent running, even while it is open",
    function()
      local child = messages.fork(messages.ECHO)
      child:unref()
      assert.is_true(cp.run("nowait"))
      child.channel:unref()
      support.run()
      assert.is_true(child.connected)
      child:ref()
      child:disconnect()
      support.run()
      assert.equal(0, child.exitCode)
    end)

  it("ref() makes it keep the event loop of the parent running if unref() has been called before",
    function()
      local child = messages.fork("process:on('message', function() process:disconnect() end)")
      child:unref()
      child.channel:unref()
      support.run()
      child.channel:ref()
      local disconnected
      child:on("disconnect", function() disconnected = true end)
      child:send("end")
      support.run()
      assert.is_true(disconnected)
      child:ref()
      support.run()
    end)

  it("keeps the parent from exiting independently of the child, in spite of child:unref()",
    function()
      local child = messages.fork(messages.ECHO)
      child:unref()
      local ended = false
      timers.setTimeout(function() child:disconnect() end, 20):unref()
      child:on("disconnect", function() ended = true end)
      support.run()
      assert.is_true(ended)
      child:ref()
      support.run()
    end)

  it("delivers messages while it is not referenced, if something else keeps the loop alive",
    function()
      local child = messages.fork("process:send('hello')")
      child.channel:unref()
      local received = messages.received(child)
      support.run()
      assert.same({"hello"}, received)
    end)

  it("can be referenced after it has closed, without effect", function()
    local child = messages.fork("")
    local channel = child.channel
    child:disconnect()
    channel:ref()
    channel:unref()
    channel.maxMessageSize = 100
    support.run()
    assert.equal(0, child.exitCode)
  end)
end)

describe("The channel in the child", function()
  --- Expects of a script that its channel keeps it: a timer that does not is called nevertheless.
  local function assertStays(text)
    local child = messages.fork(text .. [[
      local timer = require("child_process.timers").setTimeout(function()
        process:send("still here")
      end, 20)
      timer:unref()
    ]])
    local received = messages.received(child)
    child:on("message", function() child:disconnect() end)
    support.run()
    assert.same({"still here"}, received)
    assert.equal(0, child.exitCode)
  end

  for _, event in ipairs({"message", "disconnect"}) do
    it("is referenced when the child registers a handler for '" .. event .. "'", function()
      assertStays(("process:on(%q, function() end)\n"):format(event))
    end)

    it("is unreferenced again when the handler for '" .. event .. "' has gone", function()
      for _, how in ipairs({
        "process:off(%q, listener)", "process:removeAllListeners(%q)",
        "process:removeAllListeners() -- %s",
      }) do
        local child = messages.fork(([[
          local function listener() end
          process:on(%q, listener)
          %s
        ]]):format(event, how:format(event)))
        support.run()
        assert.equal(0, child.exitCode)
      end
    end)
  end

  it("is not referenced for other events", function()
    local child = messages.fork("process:on('internalMessage', print) process:on('exit', print)",
      {stdio = CAPTURED})
    support.output(child)
    assert.equal(0, child.exitCode)
  end)

  it("is unreferenced after a handler for one message", function()
    local child = messages.fork("process:once('message', print)", {stdio = CAPTURED})
    child:send("hello")
    assert.equal("hello\n", (support.output(child)))
    assert.equal(0, child.exitCode)
  end)

  it("stays unreferenced after process.channel:unref(), even with listeners", function()
    local child = messages.fork("process.channel:unref() process:on('message', print)")
    support.run()
    assert.equal(0, child.exitCode)
  end)

  it("stays referenced after process.channel:ref(), though nobody listens", function()
    assertStays("process.channel:ref()\n")
  end)
end)
