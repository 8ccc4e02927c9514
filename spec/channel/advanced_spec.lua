-- Messages with serialization = "advanced" between a parent and its child, both in Lua, and what
-- lies on the wire then. What becomes of which value is in codec/clone_spec.lua, a real Node in
-- node/advanced_spec.lua.

local clone = require("child_process.clone")
local compat = require("child_process.base.compat")
local cp = require("child_process")
local errors = require("child_process.errors")
local messages = require("spec.support.messages")
local support = require("spec.support")

local function fork(text, options)
  options = options or {}
  options.serialization = "advanced"
  return messages.fork(text, options)
end

--- A shell whose descriptor 3 is the channel.
local function shell(script, ...)
  return messages.shell(script, {serialization = "advanced"}, ...)
end

--- stdio of a forked child whose output the test reads.
local CAPTURED = {"ignore", "pipe", "inherit", "ipc"}

local function echoed(...) return messages.echoed({serialization = "advanced"}, ...) end

local octal = support.octal

--- Bytes as a message on the wire: the length comes first.
local function framedBytes(bytes)
  local length = #bytes
  return string.char(math.floor(length / 2 ^ 24), math.floor(length / 2 ^ 16) % 256,
    math.floor(length / 2 ^ 8) % 256, length % 256) .. bytes
end

--- A message as it is on the wire.
local function framed(value) return framedBytes(clone.encode(value)) end

describe("options.serialization = 'advanced'", function()
  it("specifies the kind of serialization used for sending messages between processes: there and "
    .. "back, they are the same values", function()
    local values = {
      "text", "", "\255\0", ("\255"):rep(1000000), 0, 1, -1, 3.0, 1.5, -1 / math.huge, 1 / 0,
      true, false,
      compat.maxInteger, math.mininteger or -2 ^ 53, 0x20000000000001, cp.null, {}, {1, 2, {3}},
      {a = {b = {c = 1}}}, {[1] = "x", [5] = "y", [true] = "z"},
      {list = {cp.null, clone.undefined}},
    }
    local results = compat.pack(echoed(compat.unpack(values)))
    assert.equal(#values, results.n)
    for place, value in ipairs(values) do
      assert.same(value, results[place])
      assert.equal(compat.mathType(value), compat.mathType(results[place]))
    end
    assert.equal(-1 / 0, 1 / results[10])
  end)

  it("supports more types than JSON", function()
    local map = clone.Map({{{1}, clone.Set({1})}})
    local err = errors.RangeError("too far", {cause = {1}})
    local result, problem, date = echoed(map, err, {clone.Date(5), clone.RegExp("a", "g")})
    assert.equal("Map", debug.getmetatable(result).__name)
    assert.same({1}, result[1])
    assert.is_true(result[2]:has(1))
    assert.equal("RangeError: too far", tostring(problem))
    assert.same({1}, problem.cause)
    assert.same({clone.Date(5), clone.RegExp("a", "g")}, date)
  end)

  it("keeps cycles and shared tables", function()
    local root, shared = {}, {}
    root.self, root.a, root.b = root, shared, {shared}
    local result = echoed(root)
    assert.equal(result, result.self)
    assert.equal(result.a, result.b[1])
  end)

  it("does not pass on properties that are set on objects of built-in types", function()
    local map = clone.Map({{1, 2}})
    map.extra = "property"
    local result, err = echoed(map, errors.Error("m", {code = "X"}))
    assert.is_nil(rawget(result, "extra"))
    assert.is_nil(err.code)
  end)

  it("requires opting in: the default is 'json'", function()
    local child = messages.shell("cat <&3")
    child:send({1})
    child:disconnect()
    assert.equal("[1]\n", (support.output(child)))
  end)

  it("may be given to spawn with 'ipc', and is passed on to the child", function()
    local child = cp.spawn("sh", {"-c", 'echo "$NODE_CHANNEL_SERIALIZATION_MODE"; cat <&3'},
      {stdio = {"ignore", "pipe", "inherit", "ipc"}, serialization = "advanced"})
    child:send({a = 1})
    child:send("x")
    child:disconnect()
    assert.equal("advanced\n" .. framed({a = 1}) .. framed("x"), (support.output(child)))
  end)

  it("may be used in a program that a shell or another language has started", function()
    local child = cp.spawn(support.lua, {support.script([[
      local process = require("child_process.process")
      process:send({1})
      process:once("message", function(message) process:send({message}) end)
      require("child_process").run()
    ]])}, {
      env = messages.environment({
        NODE_CHANNEL_FD = "3", NODE_CHANNEL_SERIALIZATION_MODE = "advanced",
      }),
      stdio = {"ignore", "pipe", "inherit", "pipe"},
    })
    local bytes = support.collect(child.stdio[3])
    child.stdio[3]:write(framed("\255"))
    support.output(child)
    assert.equal(framed({1}) .. framed({"\255"}), bytes())
  end)

  describe("send", function()
    it("writes the length in four bytes, the highest first, then version and value", function()
      local child = shell("cat <&3")
      child:send(1)
      child:send(("x"):rep(300))
      child:disconnect()
      assert.equal("\0\0\0\4\255\015I\2" .. "\0\0\1\049\255\015\"\172\2" .. ("x"):rep(300),
        (support.output(child)))
    end)

    it("keeps the order of messages, and they may be of any length", function()
      local child = fork(messages.ECHO)
      local expected = 0
      child:on("message", function(message)
        expected = expected + 1
        assert.equal(expected, message[1])
        assert.equal(expected * 37 % 5000, #message[2])
        if expected == 2000 then child:disconnect() end
      end)
      for n = 1, 2000 do child:send({n, ("\255"):rep(n * 37 % 5000)}) end
      support.run()
      assert.equal(2000, expected)
    end)

    it("has its callback called, and returns false when the backlog is large", function()
      local child = shell("read -r line; exec cat <&3 >/dev/null")
      local sent
      assert.is_true(child:send({1}, function(...) sent = compat.pack(...) end))
      local accepted = 1
      while accepted < 10000 and child:send(("\255"):rep(10000)) do accepted = accepted + 1 end
      assert.is_true(accepted < 10000)
      child:disconnect()
      child.stdin:finish("go\n")
      support.run()
      assert.is_nil(sent[1])
    end)

    it("raises a DataCloneError for functions, and sends nothing of the message", function()
      local child = fork(messages.ECHO)
      local received = messages.received(child)
      local err = support.error(child.send, child, {list = {1, {fn = print}}})
      assert.equal("DataCloneError", err.name)
      assert.equal("message.list[2].fn could not be cloned: it is a function", err.message)
      child:send("after", function() end)
      child:once("message", function() child:disconnect() end)
      support.run()
      assert.same({"after"}, received)
    end)

    it("raises in the child, too", function()
      local child = fork([[
        local ok, err = pcall(process.send, process, {coroutine.create(function() end)})
        print(ok, err.name, err.message)
      ]], {stdio = CAPTURED})
      assert.equal("false\tDataCloneError\tmessage[1] could not be cloned: it is a coroutine\n",
        (support.output(child)))
    end)

    it("refuses the same arguments as with JSON", function()
      local child = shell("cat <&3 >/dev/null")
      assert.equal("ERR_MISSING_ARGS", support.error(child.send, child).code)
      for _, value in ipairs({print, io.stdout, clone.undefined}) do
        assert.equal("ERR_INVALID_ARG_TYPE", support.error(child.send, child, value).code)
      end
      child:disconnect()
      support.run()
    end)

    it("has everything written that it accepted when the process ends", function()
      local script = support.script([[
        local process = require("child_process.process")
        for n = 1, 500 do process:send({n, ("\255"):rep(1000)}) end
        os.exit(3)
      ]])
      local child = cp.fork(script, {}, {serialization = "advanced"})
      local received = messages.received(child)
      support.run()
      assert.equal(3, child.exitCode)
      assert.equal(500, #received)
      assert.same({500, ("\255"):rep(1000)}, received[500])
    end)
  end)

  describe("Event: 'message'", function()
    it("comes for messages in any pieces", function()
      local bytes = framed({1, "text"}) .. framed("\255") .. framed({a = {b = 1}})
      local commands = {}
      for i = 1, #bytes do commands[i] = ("printf '%s' >&3"):format(octal(bytes:sub(i, i))) end
      local child = shell(table.concat(commands, "\n"))
      local received = messages.received(child)
      support.run()
      assert.same({{1, "text"}, "\255", {a = {b = 1}}}, received)
    end)

    it("does not come for messages whose cmd begins with NODE_", function()
      local child = fork([[
        process:on("message", function(message) print("message", message.cmd) end)
        process:on("internalMessage", function(message) print("internal", message.cmd) end)
      ]], {stdio = CAPTURED})
      for _, cmd in ipairs({"NODE_foo", "NODE_", "node_foo", "NODE_x"}) do
        child:send({cmd = cmd})
      end
      child:disconnect()
      assert.equal("internal\tNODE_foo\nmessage\tNODE_\nmessage\tnode_foo\ninternal\tNODE_x\n",
        (support.output(child)))
    end)

    it("waits in a child until somebody listens", function()
      local child = fork([[
        process:on("disconnect", function() end)
        require("child_process.timers").setTimeout(function()
          process:on("message", function(message)
            print(message[1] == 2, math.type and math.type(message[1]), message[2])
            process:disconnect()
          end)
        end, 1)
      ]], {stdio = CAPTURED})
      child:send({2.0, 2.5})
      local kind = support.hasIntegers and "float" or "nil"
      assert.equal(("true\t%s\t2.5\n"):format(kind), (support.output(child)))
    end)

    it("comes for what is left when a listener raises", function()
      local child = fork("for n = 1, 3 do process:send({n}) end")
      local seen = {}
      child:on("message", function(message)
        seen[#seen + 1] = message[1]
        if message[1] == 1 then error("in listener", 0) end
      end)
      assert.equal("in listener", support.error(support.run))
      support.run()
      assert.same({1, 2, 3}, seen)
    end)

    it("may have a listener that disconnects and collects everything", function()
      local child = fork("for n = 1, 100 do process:send({n, {}, ('\\255'):rep(1000)}) end")
      local count = 0
      child:on("message", function()
        count = count + 1
        if count == 2 then child:disconnect() end
        collectgarbage()
      end)
      support.run()
      assert.is_true(count >= 2)
    end)
  end)

  describe("Event: 'error'", function()
    --- What a parent sees of a child that writes bytes.
    local function seenOf(bytes, options)
      local all = support.merge({serialization = "advanced"}, options or {})
      local child = messages.shell(("printf '%s' >&3"):format(octal(bytes)), all)
      local seen, errs = messages.events(child, {exit = true}), {}
      child:on("error", function(err) errs[#errs + 1] = err end)
      support.run()
      return seen, errs
    end

    it("comes for bytes that are not a value, after the messages before it, and the channel closes",
      function()
        for _, garbage in ipairs({
          framedBytes("\255\015\1"), framedBytes(""), framedBytes("{}"),
          framedBytes("\255\015A\255\255\255\255\015"), framedBytes("\255\016T"),
        }) do
          local seen, errs = seenOf(framed("first") .. garbage .. framed("after"))
          assert.same({"message first", "error ERR_IPC_INVALID_MESSAGE", "disconnect",
            "close 0 nil"}, seen)
          assert.equal(1, #errs)
        end
      end)

    it("says what was wrong", function()
      local _, errs = seenOf(framedBytes("\255\015^\5"))
      assert.matches("reference to an unknown object", errs[1].message, 1, true)
    end)

    it("comes for a message that is longer than maxMessageSize, without waiting for it", function()
      for _, length in ipairs({"\0\0\0\101", "\127\255\255\255", "\255\255\255\255"}) do
        local seen, errs = seenOf(framed("first") .. length .. "\255", {maxMessageSize = 100})
        assert.same({"message first", "error EMSGSIZE", "disconnect", "close 0 nil"}, seen)
        assert.matches("maxMessageSize (100 bytes)", errs[1].message, 1, true)
      end
    end)

    it("does not come for a message that is cut off by the end of the child", function()
      local seen = seenOf(framed("first") .. framed("second"):sub(1, -2))
      assert.same({"message first", "disconnect", "close 0 nil"}, seen)
    end)
  end)

  it("leaves no descriptor open, and no memory", function()
    local function round()
      local child = fork(messages.ECHO)
      child:on("message", function(message)
        if message.n == 100 then child:disconnect() end
      end)
      for n = 1, 100 do child:send({n = n, list = {1, {2}, "\255"}, date = clone.Date(n)}) end
      support.run()
    end
    round()
    local fds = support.openFds()
    collectgarbage()
    collectgarbage()
    local before = collectgarbage("count")
    for _ = 1, 5 do round() end
    collectgarbage()
    collectgarbage()
    assert.same(fds, support.openFds())
    assert.is_true(collectgarbage("count") < before + 50)
  end)
end)
