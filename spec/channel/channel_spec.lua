-- The channel itself: how messages lie on the wire, what happens when they do not, and that nothing
-- which was sent or has come gets lost.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local messages = require("spec.support.messages")
local process = require("child_process.process")
local support = require("spec.support")
local timers = require("child_process.timers")

--- Writes bytes to a file that is removed after the test.
local function file(bytes)
  local path = support.tmpdir() .. "/bytes"
  support.writeFile(path, bytes)
  return path
end

--- Starts a shell that writes bytes to the channel, all at once where they are not too many.
local function sender(bytes, options)
  return messages.shell('cat "$0" >&3', options, file(bytes))
end

--- "1\n2\n3\n...": messages that are numbers.
local function numbered(first, last)
  local list = {}
  for n = first, last do list[#list + 1] = n .. "\n" end
  return table.concat(list)
end

--- Checks that a list is 1, 2, 3 and so on.
local function assertNumbered(count, list)
  assert.equal(count, #list)
  for n = 1, count do
    if list[n] ~= n then assert.equal(n, list[n], "in place " .. n) end
  end
end

describe("On the wire", function()
  it("a message is a line of JSON", function()
    local child = messages.shell("exec head -n 3 <&3")
    child:send({hello = "world"})
    child:send("line\nend")
    child:send(cp.null)
    local stdout = support.output(child)
    assert.equal('{"hello":"world"}\n"line\\nend"\nnull\n', stdout)
  end)

  it("a message from the child is a line of JSON, too", function()
    local child = messages.rawParent([[
      process:send({hello = "world"})
      process:send("line\nend")
      process:send(cp.null)
    ]])
    local received = support.collect(child.stdio[3])
    local _, stderr = support.output(child)
    assert.equal("", stderr)
    assert.equal('{"hello":"world"}\n"line\\nend"\nnull\n', received())
  end)

  it("a message may be cut into single bytes", function()
    local text = '{"a":"\195\188\226\130\172\240\159\152\128","b":[1.5,-2,true]}\n'
      .. '"\\u00e9\\ud83d\\ude00"\n12\n'
    local octal = {}
    for byte in text:gmatch(".") do octal[#octal + 1] = ("%03o"):format(byte:byte()) end
    -- The next byte comes when the one before has been read: ready at the same time as the line on
    -- stdout, and the answer is written an iteration later.
    local child = messages.shell([[
      for byte; do printf "\\$byte" >&3; echo; read -r go; done
    ]], nil, "sh", compat.unpack(octal))
    local answers = 0
    child.stdout:on("data", function()
      timers.setImmediate(function()
        answers = answers + 1
        child.stdin:write("go\n")
      end)
    end)
    local received = messages.received(child)
    support.run()
    assert.equal(#octal, answers)
    assert.same({
      {a = "\195\188\226\130\172\240\159\152\128", b = {1.5, -2, true}},
      "\195\169\240\159\152\128", 12,
    }, received)
  end)

  it("a message may come to the child in single bytes", function()
    -- As above: the child answers, an iteration later, a line that has been written after the byte.
    local script = support.script([[
      local cp = require("child_process")
      local process = require("child_process.process")
      local timers = require("child_process.timers")
      process:on("message", function(message)
        process:send(message)
        process:disconnect()
        process.stdin:destroy()
      end)
      process.stdin:on("data", function()
        timers.setImmediate(function() process.stdout:write("next\n") end)
      end)
      process.stdout:write("next\n")
      cp.run()
    ]])
    local child = cp.spawn(support.lua, {script}, {
      env = messages.environment({NODE_CHANNEL_FD = "3"}),
      stdio = {"pipe", "pipe", "inherit", "pipe"},
    })
    local text = '{"a":"\226\130\172"}\n'
    local sent = 0
    child.stdout:on("data", function()
      sent = sent + 1
      if sent <= #text then
        child.stdio[3]:write(text:sub(sent, sent))
        child.stdin:write("written\n")
      end
    end)
    child.stdin:on("error", function() end) -- the child has ended
    local received = support.collect(child.stdio[3])
    support.run()
    assert.equal(text, received())
    assert.is_true(sent >= #text)
    assert.equal(0, child.exitCode)
  end)

  it("thousands of messages may come in one piece", function()
    local child = sender(numbered(1, 10000))
    local received = messages.received(child)
    support.run()
    assertNumbered(10000, received)
  end)

  it("messages may end anywhere in what is read at once", function()
    -- Longer and longer ones, so that every boundary falls within one somewhere.
    local parts, expected = {}, {}
    for n = 1, 1500 do
      expected[n] = ("x"):rep(n)
      parts[n] = '"' .. expected[n] .. '"\n'
    end
    local child = sender(table.concat(parts))
    local received = messages.received(child)
    support.run()
    assert.equal(1500, #received)
    for n = 1, 1500 do
      if received[n] ~= expected[n] then error("message " .. n .. " differs") end
    end
  end)

  it("a message may be long", function()
    local long = ("0123456789abcdef"):rep(1024 * 1024)
    local child = messages.fork([[
      process:on("message", function(message)
        process:send({message, #message})
        process:disconnect()
      end)
    ]])
    local result
    child:on("message", function(message) result = message end)
    child:send(long)
    support.run()
    assert.equal(#long, result[2])
    assert.is_true(result[1] == long)
    assert.equal(0, child.exitCode)
  end)

  it("what a peer that dies in the middle of a message leaves behind is not a message", function()
    local child = messages.shell([[printf '1\n2\n{"half":' >&3; kill -KILL $$]])
    local seen = messages.events(child, {exit = true})
    support.run()
    assert.same({"message 1", "message 2", "disconnect", "close nil SIGKILL"}, seen)
    assert.is_false(child.connected)
  end)

  it("a parent that dies in the middle of a message is a disconnect for the child", function()
    local child = messages.rawParent([[
      process:on("message", function(message) print("message", message) end)
      process:on("disconnect", function() print("disconnect", process.connected) end)
    ]])
    child.stdio[3]:write('1\n{"half":')
    child.stdio[3]:finish()
    local stdout, stderr = support.output(child)
    assert.equal("", stderr)
    assert.equal("message\t1\ndisconnect\tfalse\n", stdout)
    assert.equal(0, child.exitCode)
  end)

  it("a child may close the channel and stay", function()
    local child = messages.shell("exec 3>&-; read -r line; exit 3")
    local seen = messages.events(child)
    child:on("disconnect", function() child.stdin:finish("end\n") end)
    support.run()
    assert.same({"disconnect", "exit 3 nil", "close 3 nil"}, seen)
  end)

  it("a child may be anything that never reads", function()
    local child = messages.shell("read -r line")
    local seen = messages.events(child, {exit = true})
    child:send("never read", function() child.stdin:finish("end\n") end)
    support.run()
    assert.same({"disconnect", "close 0 nil"}, seen)
  end)
end)

describe("Garbage", function()
  for name, bytes in pairs({
    ["no JSON"] = "nonsense\n", ["an empty line"] = "\n", ["half an object"] = '{"a":\n',
    ["two values"] = "1 2\n", ["a zero byte"] = "\0\n",
    ["more closed than opened"] = "{}}\n", ["a lone surrogate half written"] = '"\\ud8"\n',
    ["a number that is none"] = "01\n", ["NaN"] = "NaN\n", ["random bytes"] = "\255\254\128\n",
    ["nesting without end"] = ("["):rep(100000) .. "\n",
  }) do
    it("that is " .. name .. " is an error event, and the channel closes", function()
      local child = sender("1\n" .. bytes .. "2\n")
      local seen = messages.events(child, {exit = true})
      local err
      child:on("error", function(problem) err = problem end)
      support.run()
      assert.same({
        "message 1", "error ERR_IPC_INVALID_MESSAGE", "disconnect", "close 0 nil",
      }, seen)
      assert.equal("Error", err.name)
      assert.is_true(#err.message < 500, #err.message)
      assert.is_false(child.connected)
      assert.is_nil(child.channel)
    end)
  end

  it("shows in its error the text", function()
    local child = sender("nonsense\n")
    local err
    child:on("error", function(problem) err = problem end)
    support.run()
    assert.matches("nonsense", err.message, 1, true)
  end)

  it("that is long is shortened", function()
    local child = sender("nonsense" .. ("x"):rep(1000000) .. "\n")
    local err
    child:on("error", function(problem) err = problem end)
    support.run()
    assert.matches("nonsensexxx", err.message, 1, true)
    assert.is_true(#err.message < 500, #err.message)
  end)

  it("is raised where nobody listens for errors, and the loop goes on afterwards", function()
    local child = sender("nonsense\n")
    local seen = messages.events(child, {error = true})
    local err = support.error(support.run)
    assert.equal("ERR_IPC_INVALID_MESSAGE", err.code)
    support.run()
    table.sort(seen)
    assert.same({"close 0 nil", "disconnect", "exit 0 nil"}, seen)
  end)

  it("is an error in the child, which ends it with code 1 unless it listens", function()
    local child = messages.rawParent([[process:on("message", print)]])
    child.stdio[3]:write("1\nnonsense\n")
    local stdout, stderr = support.output(child)
    assert.equal("1\n", stdout)
    -- the interpreter of Lua 5.1 shows no errors but strings
    local text = support.isPuc51 and "error object is not a string" or "ERR_IPC_INVALID_MESSAGE"
    assert.matches(text, stderr, 1, true)
    assert.equal(1, child.exitCode)
  end)

  it("is an error event of process in the child", function()
    local child = messages.rawParent([[
      process:on("message", print)
      process:on("error", function(err) print(err.code) end)
      process:on("disconnect", function() print("disconnect", process.connected) end)
    ]])
    child.stdio[3]:write("1\nnonsense\n2\n")
    local stdout, stderr = support.output(child)
    assert.equal("", stderr)
    assert.equal("1\nERR_IPC_INVALID_MESSAGE\ndisconnect\tfalse\n", stdout)
    assert.equal(0, child.exitCode)
  end)
end)

describe("maxMessageSize", function()
  it("is 1 GiB by default", function()
    local child = messages.shell(":")
    assert.equal(2 ^ 30, child.channel.maxMessageSize)
    support.run()
  end)

  it("is an option of spawn and of fork", function()
    local child = messages.shell(":", {maxMessageSize = 100})
    assert.equal(100, child.channel.maxMessageSize)
    local forked = messages.fork("", {maxMessageSize = 200})
    assert.equal(200, forked.channel.maxMessageSize)
    support.run()
  end)

  it("lets a message of just that length pass", function()
    local child = sender('"12345678"\n1\n', {maxMessageSize = 10})
    local seen = messages.events(child, {exit = true})
    support.run()
    assert.same({"message 12345678", "message 1", "disconnect", "close 0 nil"}, seen)
  end)

  it("makes a longer message an error event, and the channel closes", function()
    local child = sender('1\n"123456789"\n2\n', {maxMessageSize = 10})
    local seen = messages.events(child, {exit = true})
    local err
    child:on("error", function(problem) err = problem end)
    support.run()
    assert.same({"message 1", "error EMSGSIZE", "disconnect", "close 0 nil"}, seen)
    assert.equal("read", err.syscall)
    assert.matches("maxMessageSize (10 bytes)", err.message, 1, true)
  end)

  it("is enforced before the message has ended", function()
    -- The child goes on until it cannot any more.
    local child = messages.shell("exec cat /dev/zero >&3 2>&-", {maxMessageSize = 1000000})
    local seen = messages.events(child)
    support.run()
    assert.equal("error EMSGSIZE", seen[1])
    assert.equal("disconnect", seen[2])
    assert.matches("^close ", seen[#seen])
    assert.not_equal(0, child.exitCode)
  end)

  it("is a field of the channel that may be set", function()
    local child = messages.shell([[
      printf '"123456789"\n' >&3; read -r line; printf '"123456789"\n' >&3
    ]])
    local seen = messages.events(child, {exit = true})
    child:once("message", function()
      child.channel.maxMessageSize = 10
      assert.equal(10, child.channel.maxMessageSize)
      child.stdin:finish("go on\n")
    end)
    support.run()
    assert.same({"message 123456789", "error EMSGSIZE", "disconnect", "close 0 nil"}, seen)
  end)

  it("holds for the messages that have come already when it is set", function()
    local child = sender('1\n"123456789"\n')
    local seen = messages.events(child, {exit = true})
    child:once("message", function() child.channel.maxMessageSize = 10 end)
    support.run()
    assert.same({"message 1", "error EMSGSIZE", "disconnect", "close 0 nil"}, seen)
  end)

  it("may be set in the child", function()
    local child = messages.rawParent([[
      process.channel.maxMessageSize = 10
      process:on("message", print)
      process:on("error", function(err) print(err.code) end)
      process:on("disconnect", function() print("disconnect") end)
    ]])
    child.stdio[3]:write('"12345678"\n"123456789"\n')
    local stdout, stderr = support.output(child)
    assert.equal("", stderr)
    assert.equal("12345678\nEMSGSIZE\ndisconnect\n", stdout)
  end)

  it("is a number of at least 1", function()
    for _, value in ipairs({0, -1, 0 / 0}) do
      assert.equal("ERR_OUT_OF_RANGE", support.error(messages.shell, ":",
        {maxMessageSize = value}).code)
    end
    for _, value in ipairs({"10", true, {}}) do
      assert.equal("ERR_INVALID_ARG_TYPE", support.error(messages.shell, ":",
        {maxMessageSize = value}).code)
    end
    local child = messages.shell(":")
    local channel = child.channel
    for value, code in pairs({
      [0] = "ERR_OUT_OF_RANGE", ["10"] = "ERR_INVALID_ARG_TYPE", [false] = "ERR_INVALID_ARG_TYPE",
    }) do
      local err = support.error(function() channel.maxMessageSize = value end)
      assert.equal(code, err.code)
      assert.matches('"channel.maxMessageSize"', err.message, 1, true)
      assert.equal(2 ^ 30, channel.maxMessageSize)
    end
    assert.equal("ERR_INVALID_ARG_TYPE",
      support.error(function() channel.maxMessageSize = nil end).code)
    support.run()
  end)

  it("may be without limit", function()
    local child = sender("1\n", {maxMessageSize = math.huge})
    local received = messages.received(child)
    support.run()
    assert.same({1}, received)
  end)
end)

-- More than the kernel keeps, in messages of all sizes.
local SEND = [[
  local function sendAll(target)
    for n = 1, 3000 do target:send({n, ("x"):rep(n % 50 == 0 and 50000 or 10)}) end
  end
]]

describe("What send has accepted arrives", function()
  local function assertAll(received)
    local list = {}
    for place, message in ipairs(received) do list[place] = message[1] end
    assertNumbered(3000, list)
    assert.equal(50000, #received[3000][2])
  end

  local endings = {
    ["by returning"] = {"", 0},
    ["by an error"] = {"error('the end')", 1},
    ["by os.exit"] = {"os.exit(4)", 4},
    ["by os.exit that closes the state"] = {"os.exit(4, true)", 4},
    ["by process:exit"] = {"process:exit(5)", 5},
    ["by process:exit in a tick"] = {"process:nextTick(function() process:exit(5) end)", 5},
    ["by process:disconnect"] = {"process:disconnect()", 0},
    ["by an error in a tick"] = {"process:nextTick(function() error('the end') end)", 1},
    ["without its loop being run"] = {"process:disconnect() os.exit(6)", 6},
  }

  for name, ending in pairs(endings) do
    it("although the child ends " .. name, function()
      local child = messages.fork(SEND .. "sendAll(process)\n" .. ending[1],
        {stdio = {"ignore", "pipe", "pipe", "ipc"}})
      local received = messages.received(child)
      local _, stderr = support.output(child)
      assertAll(received)
      assert.equal(ending[2], child.exitCode, stderr)
    end)

    it("although the parent ends " .. name, function()
      local reader = support.script([[
        process:on("message", function(message) print(message[1], #message[2]) end)
      ]])
      local parent = support.script(([[
        local cp = require("child_process")
        local process = require("child_process.process")
        %s
        local child = cp.fork(%q)
        sendAll(child)
        %s
      ]]):format(SEND, reader, (ending[1]:gsub("process:disconnect", "child:disconnect"))))
      local child = cp.spawn(support.lua, {parent})
      child.stdin:finish()
      local stdout, stderr = support.output(child)
      -- ticks are not run by a script that does not run the loop
      assert.equal(name:find("tick") and 0 or ending[2], child.exitCode, stderr)
      local list = support.lines(stdout)
      assert.equal(3000, #list)
      for n = 1, 3000 do
        if list[n] ~= ("%d\t%d"):format(n, n % 50 == 0 and 50000 or 10) then
          assert.equal(n, list[n])
        end
      end
    end)
  end

  it("although the child ends in a listener", function()
    local child = messages.fork(SEND .. [[
      process:on("message", function()
        sendAll(process)
        os.exit(7)
      end)
    ]])
    local received = messages.received(child)
    child:send("end")
    support.run()
    assertAll(received)
    assert.equal(7, child.exitCode)
  end)

  it("although it is sent in the listener of the exit event", function()
    local child = messages.fork(SEND .. [[
      process:on("exit", function() sendAll(process) end)
    ]])
    local received = messages.received(child)
    support.run()
    assertAll(received)
    assert.equal(0, child.exitCode)
  end)

  it("although the child object is not kept", function()
    local script = support.script([[
      process:on("message", function(message) print(message[1]) end)
    ]])
    local stdout = support.runScript(([[
      %s
      local function start() sendAll((cp.fork(%q))) end
      start()
      for _ = 1, 5 do collectgarbage() end
      os.exit(0)
    ]]):format(SEND, script))
    assert.equal(3000, #support.lines(stdout))
  end)

  -- An iteration that takes longer than two milliseconds writes earlier, so on a busy machine the
  -- first attempt may give several pieces.
  it("in one write for all that is sent in one iteration of the loop", function()
    -- Each read gives what one write has put there, as nothing is written in between.
    local function chunksOfOneIteration()
      local child = messages.rawParent([[
        process:on("message", function()
          for n = 1, 10 do process:send(n) end
          process:disconnect()
        end)
      ]])
      local chunks = {}
      child.stdio[3]:on("data", function(chunk) chunks[#chunks + 1] = chunk end)
      child.stdio[3]:write("1\n")
      support.run()
      assert.equal(numbered(1, 10), table.concat(chunks))
      return chunks
    end
    local attempts, chunks = 0
    repeat
      attempts, chunks = attempts + 1, chunksOfOneIteration()
    until #chunks == 1 or attempts == 50
    assert.equal(1, #chunks)
  end)
end)

describe("A sender that computes", function()
  it("does not keep messages back until it is through", function()
    local child = messages.fork([[
      process:send(1)
      local began = os.clock()
      repeat until os.clock() - began > 0.01
      process:send(2)
      process:send(3)
      io.read() -- what it is waiting for comes when the parent has got them
      process:send(4)
    ]], {silent = true})
    local received = {}
    child:on("message", function(message)
      received[#received + 1] = message
      if message == 3 then child.stdin:finish("go on\n") end
    end)
    support.run()
    assert.same({1, 2, 3, 4}, received)
  end)
end)

describe("A sender that ends", function()
  it("needs no reader where the other side is one that ends, too", function()
    local script = support.script(SEND .. "sendAll(process) os.exit(0)")
    local parent = support.script(([[
      local cp = require("child_process")
      %s
      local child = cp.fork(%q)
      sendAll(child)
      os.exit(0)
    ]]):format(SEND, script))
    -- both write to the pipe, so it is closed when both have ended
    local child = cp.spawn(support.lua, {parent}, {stdio = {"ignore", "pipe", "inherit"}})
    assert.equal("", (support.output(child)))
    assert.equal(0, child.exitCode)
  end)

  it("does not wait where the other side has gone", function()
    local parent = support.script(SEND .. [[
      local cp = require("child_process")
      local child = cp.spawn("true", {stdio = {"inherit", "inherit", "inherit", "ipc"}})
      child:on("error", function() end)
      sendAll(child)
      os.exit(3)
    ]])
    local child = cp.spawn(support.lua, {parent}, {stdio = "inherit"})
    support.run()
    assert.equal(3, child.exitCode)
  end)
end)

describe("Messages that have come", function()
  it("are delivered before the disconnect event", function()
    local child = messages.fork([[
      for n = 1, 5000 do process:send(n) end
      process:disconnect()
    ]])
    local received, connected = messages.received(child), nil
    local count
    child:on("disconnect", function()
      count = #received
      connected = child.connected
    end)
    support.run()
    assert.equal(5000, count)
    assert.is_false(connected)
    assertNumbered(5000, received)
  end)

  it("are delivered although the child has been killed since", function()
    local child = messages.fork([[
      local cp = require("child_process")
      for n = 1, 2000 do process:send(n) end
      process:on("disconnect", function() end)
      process:nextTick(function()
        process:send("end", function() process:kill(process.pid, "SIGKILL") end)
      end)
    ]])
    local received = messages.received(child)
    support.run()
    assert.equal("end", table.remove(received))
    assertNumbered(2000, received)
    assert.equal("SIGKILL", child.signalCode)
  end)

  it("are delivered after the parent's own disconnect, if their first byte was there", function()
    local child = sender(numbered(1, 1000) .. '{"half')
    local seen = messages.events(child, {exit = true, close = true})
    child:once("message", function()
      child:disconnect()
      assert.is_false(child.connected)
      assert.is_nil(child.channel)
    end)
    support.run()
    assert.equal("message 1000", seen[1000])
    assert.equal("disconnect", seen[1001])
    assert.equal(1001, #seen)
  end)

  it("only in part are waited for after the parent's own disconnect", function()
    local child = messages.shell([[
      printf '1\n{"half":' >&3; read -r line; printf '2}\n3\n' >&3; read -r line
    ]])
    local seen = messages.events(child, {exit = true, close = true})
    child:once("message", function()
      child:disconnect()
      timers.setImmediate(function()
        seen[#seen + 1] = "turn"
        child.stdin:write("go on\n")
      end)
    end)
    child:on("disconnect", function() child.stdin:finish("end\n") end)
    support.run()
    assert.same({"message 1", "turn", 'message {"half":2}', "disconnect"}, seen)
  end)

  it("are delivered after the child's own disconnect, if their first byte was there", function()
    local child = messages.rawParent([[
      local count = 0
      process:on("message", function(n)
        count = count + 1
        assert(n == count)
        if n == 1 then
          process:disconnect()
          assert(process.connected == false and process.channel == nil)
        end
      end)
      process:on("disconnect", function() print("disconnect", count) end)
    ]])
    child.stdio[3]:write(numbered(1, 1000))
    local stdout, stderr = support.output(child)
    assert.equal("", stderr)
    assert.equal("disconnect\t1000\n", stdout)
  end)

  it("and those that were sent are not lost when both sides disconnect in the middle", function()
    local child = messages.fork([[
      local count = 0
      for n = 1, 2000 do process:send(n) end
      process:on("message", function() count = count + 1 end)
      process:on("disconnect", function() print(count) end)
      process:disconnect()
    ]], {stdio = {"ignore", "pipe", "inherit", "ipc"}})
    local received = messages.received(child)
    local failed = 0
    child:on("error", function(err)
      assert.equal("EPIPE", err.code)
      failed = failed + 1
    end)
    for n = 1, 2000 do child:send(n) end
    child:disconnect()
    local disconnects = 0
    child:on("disconnect", function() disconnects = disconnects + 1 end)
    local stdout = support.output(child)
    -- neither side waits for messages of which it has not seen anything
    assertNumbered(#received, received)
    assert.is_true(tonumber(stdout) <= 2000)
    assert.equal(1, disconnects)
    assert.equal(0, child.exitCode)
    assert.is_true(failed <= 1)
  end)

  it("are not lost by an error that a listener raises: the next run goes on", function()
    local child = sender(numbered(1, 1000))
    local received = {}
    child:on("message", function(n)
      received[#received + 1] = n
      if n % 100 == 7 then error("at " .. n, 0) end
    end)
    for n = 7, 1000, 100 do
      assert.equal("at " .. n, support.error(support.run))
      assert.equal(n, #received)
    end
    support.run()
    assertNumbered(1000, received)
    assert.equal(0, child.exitCode)
  end)

  it("are not lost in the child by an error in a listener that has come late", function()
    local child = messages.rawParent([[
      local received = {}
      process:on("disconnect", function() print(table.concat(received, " ")) end)
      process:on("internalMessage", function()
        process:on("message", function(n)
          received[#received + 1] = n
          if n % 3 == 0 then error("at " .. n, 0) end
        end)
      end)
      for n = 3, 9, 3 do
        local ok, err = pcall(cp.run)
        assert(not ok and err == "at " .. n, tostring(err))
      end
    ]])
    child.stdio[3]:finish(numbered(1, 6) .. '{"cmd":"NODE_listen"}\n' .. numbered(7, 10))
    local stdout, stderr = support.output(child)
    assert.equal("", stderr)
    assert.equal("1 2 3 4 5 6 7 8 9 10\n", stdout)
  end)

  it("are not lost by an error in a tick, nor by one in a callback of send", function()
    local child = messages.shell('cat "$0" >&3; cat <&3 >/dev/null', nil, file(numbered(1, 300)))
    local received = {}
    child:on("message", function(n)
      received[#received + 1] = n
      if n == 10 then process:nextTick(error, "tick", 0) end
      if n == 20 then child:send("x", function() error("sent", 0) end) end
      if n == 300 then child:disconnect() end
    end)
    assert.equal("tick", support.error(support.run))
    assert.equal(10, #received)
    assert.equal("sent", support.error(support.run))
    support.run()
    assertNumbered(300, received)
  end)

  it("are not lost by stop() in a listener: the next run goes on", function()
    local child = sender(numbered(1, 1000))
    local received = {}
    child:on("message", function(n)
      received[#received + 1] = n
      if n % 100 == 7 then cp.stop() end
    end)
    for n = 7, 1000, 100 do
      assert.is_true(cp.run())
      assert.equal(n, #received)
    end
    support.run()
    assertNumbered(1000, received)
  end)

  it("are not lost by stop() followed by a disconnect", function()
    local child = sender(numbered(1, 100))
    local received = messages.received(child)
    child:on("message", function(n)
      if n == 10 then cp.stop() end
    end)
    local count
    child:on("disconnect", function() count = #received end)
    cp.run()
    child:disconnect()
    support.run()
    assert.equal(100, count)
    assertNumbered(100, received)
  end)

  it("are not lost by an error in the listener that has disconnected", function()
    local child = sender(numbered(1, 100))
    local seen = messages.events(child, {exit = true, close = true})
    child:on("message", function(n)
      if n == 10 then
        child:disconnect()
        error("at 10", 0)
      end
    end)
    assert.equal("at 10", support.error(support.run))
    support.run()
    assert.equal(101, #seen)
    assert.equal("disconnect", seen[101])
  end)

  it("come in one iteration after another with run('once') and run('nowait')", function()
    local child = sender(numbered(1, 1000))
    local received = messages.received(child)
    while cp.run("once") do cp.run("nowait") end
    assertNumbered(1000, received)
    assert.equal(0, child.exitCode)
  end)

  it("have ticks run between them", function()
    local child = sender(numbered(1, 3))
    local seen = {}
    child:on("message", function(n)
      seen[#seen + 1] = "message " .. n
      process:nextTick(function() seen[#seen + 1] = "tick " .. n end)
    end)
    support.run()
    assert.same({"message 1", "tick 1", "message 2", "tick 2", "message 3", "tick 3"}, seen)
  end)

  it("may kill the child in their listener", function()
    local child = messages.shell('cat "$0" >&3; exec sleep 60', nil, file(numbered(1, 10)))
    local received = messages.received(child)
    child:once("message", function() child:kill() end)
    support.run()
    assertNumbered(10, received)
    assert.equal("SIGTERM", child.signalCode)
  end)

  it("may have another channel closed in their listener", function()
    local first, second = sender(numbered(1, 100)), sender(numbered(1, 100))
    local seen = {}
    local function listen(child, other)
      child:on("message", function()
        seen[child] = (seen[child] or 0) + 1
        if other.connected then other:disconnect() end
      end)
    end
    listen(first, second)
    listen(second, first)
    support.run()
    -- the one that has been closed has lost what had not been read
    assert.is_true(seen[first] == 100 or seen[second] == 100)
    assert.is_false(first.connected or second.connected)
  end)

  it("may be answered in their listener, without one side starving", function()
    local child = messages.fork([[
      process:on("message", function(n)
        process:send(n + 1)
        if n >= 1000 then process:disconnect() end
      end)
    ]])
    local last
    child:on("message", function(n)
      last = n
      if child.connected then child:send(n + 1) end
    end)
    child:send(0)
    child:on("error", function() end)
    support.run()
    assert.equal(1001, last)
  end)

  it("do not starve timers and other children", function()
    local child = messages.shell("while :; do echo 1; done >&3")
    child:on("message", function() end)
    local other
    child:once("message", function()
      timers.setTimeout(function()
        other = cp.spawn("true")
        other:on("exit", function() child:kill() end)
      end, 1)
    end)
    support.run()
    assert.equal(0, other.exitCode)
    assert.equal("SIGTERM", child.signalCode)
  end)

  it("may add and remove listeners", function()
    local child = sender(numbered(1, 5))
    local seen = {}
    child:once("message", function(n)
      seen[#seen + 1] = "once " .. n
      child:on("message", function(m)
        seen[#seen + 1] = "on " .. m
        if m == 4 then child:removeAllListeners("message") end
      end)
    end)
    support.run()
    assert.same({"once 1", "on 2", "on 3", "on 4"}, seen)
  end)
end)

describe("__tojson", function()
  it("may send, and its message comes first", function()
    local child = messages.shell("exec head -n 4 <&3")
    local function value(n)
      return setmetatable({}, {
        __tojson = function()
          if n > 0 then child:send(value(n - 1)) end
          return n
        end,
      })
    end
    child:send(value(3))
    assert.equal("0\n1\n2\n3\n", (support.output(child)))
  end)

  it("may disconnect: then the message is not sent", function()
    for _, before in ipairs({"", "1\n"}) do
      local child = messages.shell("exec cat <&3")
      if before ~= "" then child:send(1) end
      local err
      local sent = child:send({setmetatable({}, {
        __tojson = function() child:disconnect() end,
      })}, function(problem) err = problem end)
      local stdout = support.output(child)
      assert.equal(before, stdout)
      assert.is_false(sent)
      assert.equal("ERR_IPC_CHANNEL_CLOSED", err.code)
    end
  end)

  it("may disconnect without a callback: an error event", function()
    local child = messages.shell("exec cat <&3")
    local seen = messages.events(child, {exit = true})
    child:send({setmetatable({}, {__tojson = function() child:disconnect() end})})
    assert.equal("", (support.output(child)))
    table.sort(seen)
    assert.same({"close 0 nil", "disconnect", "error ERR_IPC_CHANNEL_CLOSED"}, seen)
  end)

  it("may give nothing: then there is nothing to send", function()
    local child = messages.shell("exec cat <&3")
    local nothing = setmetatable({}, {__tojson = function() end})
    assert.equal("ERR_INVALID_ARG_VALUE", support.error(child.send, child, nothing).code)
    assert.equal("ERR_INVALID_ARG_VALUE",
      support.error(child.send, child, nothing, function() end).code)
    child:send(2)
    child:disconnect()
    assert.equal("2\n", (support.output(child)))
  end)

  it("may raise: then nothing is sent, and the channel stays", function()
    local child = messages.shell("exec head -n 2 <&3")
    child:send(1)
    local bad = {1, 2, setmetatable({}, {__tojson = function() error("no", 0) end})}
    assert.equal("no", support.error(child.send, child, bad))
    child:send(2)
    assert.equal("1\n2\n", (support.output(child)))
  end)

  it("may collect garbage", function()
    local child = messages.shell("exec head -n 1 <&3")
    child:send({1, setmetatable({}, {
      __tojson = function()
        collectgarbage()
        collectgarbage()
        return {"a", ("b"):rep(10)}
      end,
    }), 3})
    assert.equal('[1,["a","bbbbbbbbbb"],3]\n', (support.output(child)))
  end)
end)

describe("The collector", function()
  it("leaves a channel alone whose child nobody refers to", function()
    local received, ended = {}, 0
    local function start(text, message)
      local child = messages.fork(text)
      child:on("message", function(n) received[#received + 1] = n end)
      child:on("close", function() ended = ended + 1 end)
      if message then child:send(message) end
    end
    start("for n = 1, 100 do process:send(n) end")
    start("process:on('message', function() process:disconnect() end)", "end")
    messages.await(function()
      collectgarbage()
      return ended == 2
    end)
    support.run()
    assertNumbered(100, received)
  end)

  it("takes the child with its channel after the end", function()
    local weak = setmetatable({}, {__mode = "k"})
    local function start()
      local child = messages.fork([[process:send("hello")]])
      child:on("message", function() return child end)
      weak[child] = true
      weak[child.channel] = true
    end
    start()
    support.run()
    for _ = 1, 3 do collectgarbage() end
    assert.is_nil(next(weak))
  end)

  it("finds no descriptor left when channels have closed, on whichever side", function()
    messages.fork("")
    support.run()
    local before = support.openFds()
    for _, text in ipairs({
      "", "process:disconnect()", "os.exit(1)", "error('')",
      "process:on('message', function() end)", "process:send(1)",
    }) do
      local child = messages.fork(text, {silent = true})
      child:on("message", function() end)
      if text:find("message") then child:disconnect() end
    end
    sender("garbage\n"):on("error", function() end)
    sender(("x"):rep(100), {maxMessageSize = 10}):on("error", function() end)
    cp.fork("script", {execPath = "/does/not/exist"}):on("error", function() end)
    support.run()
    assert.same(before, support.openFds())
    assert.same({}, support.zombies())
  end)
end)
