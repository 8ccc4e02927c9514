-- Requests: child:request and process:handle, in both directions, in both serializations, and what
-- becomes of them when the other side ends in any state.

local AbortController = require("child_process.abort").AbortController
local cp = require("child_process")
local messages = require("spec.support.messages")
local net = require("child_process.net")
local process = require("child_process.process")
local support = require("spec.support")

local function quiet() end

--- What a promise is rejected with.
local function reason(promise)
  local ok, err = pcall(support.inTime, function() return promise:await() end)
  assert.is_false(ok, "the promise is fulfilled")
  return err
end

local function value(promise)
  return support.inTime(function() return promise:await() end)
end

--- Lets a child end, and runs the loop to its end.
local function finish(child)
  if child.connected then child:disconnect() end
  support.run()
  assert.equal(0, child.exitCode)
end

local DOUBLE = "process:handle(function(value) return value * 2 end)"

--- A script whose function of `handle` has `value`, `handle` and `request`.
local function handling(body)
  return "local function stop() end process:handle(function(value, handle, request) stop() "
    .. body .. " end)"
end

for _, serialization in ipairs({"json", "advanced"}) do
  local options = {serialization = serialization}

  describe(("A request (%s)"):format(serialization), function()
    it("is answered with what the function of process:handle returns", function()
      local child = messages.fork(DOUBLE, options)
      assert.equal(14, value(child:request(7)))
      finish(child)
    end)

    it("takes and gives every kind of value", function()
      local child = messages.fork(handling("return value"), options)
      for _, sent in ipairs({"text", 1, 1.5, true, false, {}, {1, {a = 2}}, cp.null}) do
        assert.same(sent, value(child:request(sent)))
      end
      finish(child)
    end)

    it("is answered with nil where nothing is returned", function()
      local child = messages.fork(handling(""), options)
      assert.is_nil(value(child:request("anything")))
      finish(child)
    end)

    it("may be answered later, and others meanwhile", function()
      local child = messages.fork([[
        local release
        process:handle(function(value)
          if value == "release" then
            release()
            return "released"
          end
          return require("child_process.promise").new(function(resolve)
            release = function() resolve("late") end
          end)
        end)
      ]], options)
      local late = child:request("wait")
      assert.equal("released", value(child:request("release")))
      assert.equal("late", value(late))
      finish(child)
    end)

    it("is rejected with the name, message and code of what is raised", function()
      local child = messages.fork(handling([[
        error(require("child_process.errors").TypeError("no such thing", {code = "E_THING"}))
      ]]), options)
      local err = reason(child:request("x"))
      assert.equal("TypeError", err.name)
      assert.equal("no such thing", err.message)
      assert.equal("E_THING", err.code)
      finish(child)
    end)

    it("has both tracebacks in an error", function()
      local child = messages.fork(handling('error("out of paper")'), options)
      local err = reason(child:request("x"))
      assert.matches("script.lua:1: out of paper", err.message, 1, true)
      local theirs, ours = err.traceback:match("^(.-)\nawaited in:(.*)$")
      assert.matches("script.lua:1", theirs, 1, true)
      assert.matches("requests_spec.lua", ours, 1, true)
      finish(child)
    end)

    it("goes from the child to the parent, too", function()
      local child = messages.fork([[
        process:request({20, 22}):andThen(function(sum)
          process:send(sum)
          process:disconnect()
        end)
      ]], options)
      child:handle(function(pair) return pair[1] + pair[2] end)
      local received = messages.received(child)
      support.run()
      assert.same({42}, received)
    end)

    it("may be made while another is answered, back and forth", function()
      local child = messages.fork(handling([[
        return value == 0 and "down" or process:request(value - 1):await()
      ]]), options)
      child:handle(function(n) return child:request(n):await() end)
      assert.equal("down", value(child:request(5)))
      finish(child)
    end)

    it("cannot have a value that cannot be sent", function()
      local child = messages.fork(DOUBLE, options)
      local cycle = {}
      cycle.fn = serialization == "json" and cycle or print
      assert.has_error(function() child:request(cycle) end)
      for _, unsendable in ipairs({print, coroutine.create(quiet), io.stdout}) do
        local err = support.error(child.request, child, unsendable)
        assert.equal("ERR_INVALID_ARG_TYPE", err.code)
        assert.matches('The "value" argument must be one of type string', err.message, 1, true)
      end
      assert.equal(2, value(child:request(1)))
      finish(child)
    end)

    it("is rejected if the reply is none that a message can be", function()
      local child = messages.fork(handling("return value == 1 and print or io.stdout"), options)
      for sent = 1, 2 do
        assert.equal("ERR_INVALID_RETURN_VALUE", reason(child:request(sent)).code)
      end
      finish(child)
    end)

    it("is rejected if the reply cannot be sent", function()
      local child = messages.fork(handling([[
        local cycle = {}
        cycle.cycle = value == "json" and cycle or print
        return cycle
      ]]), options)
      local err = reason(child:request(serialization))
      assert.matches(serialization == "json" and "cycle" or "could not be cloned", err.message)
      finish(child)
    end)
  end)
end

describe("A request", function()
  it("waits in the child until process:handle is called", function()
    local child = messages.fork([[
      process:once("message", function()
        process:handle(function(value) return "handled " .. value end)
      end)
    ]])
    child:send("go")
    local promise = child:request("soon")
    assert.equal("handled soon", value(promise))
    finish(child)
  end)

  it("waits in a child that listens to nothing, with the messages around it in order", function()
    local child = messages.fork([[
      require("child_process.timers").setTimeout(function()
        local log = {}
        process:handle(function(value) return value .. " after " .. #log end)
        process:on("message", function(message) log[#log + 1] = message process:send(#log) end)
      end, 20)
    ]])
    local received = messages.received(child)
    child:send("one")
    local promise = child:request("request")
    child:send("two")
    assert.matches("^request after %d$", value(promise))
    messages.await(function() return #received == 2 end)
    finish(child)
  end)

  it("reaches a function that was set by a message before it", function()
    local child = messages.fork([[
      process:on("message", function(message)
        if message == "on" then process:handle(function(value) return value end) end
        if type(message) == "table" then process:send("leaked") end
      end)
    ]])
    child:on("message", function(message) error(message, 0) end)
    child:send("on")
    local all = {}
    for n = 1, 20 do all[n] = child:request(n) end
    for n = 1, 20 do assert.equal(n, value(all[n])) end
    finish(child)
  end)

  it("does not reach listeners for messages where a function handles requests", function()
    local child = messages.fork([[
      process:on("message", function(message) process:send(message) end)
    ]] .. DOUBLE)
    local received = messages.received(child)
    child:send("plain")
    assert.equal(4, value(child:request(2)))
    messages.await(function() return received[1] end)
    assert.same({"plain"}, received)
    finish(child)
  end)

  it("is an ordinary message for a child that handles no requests", function()
    local child = messages.fork([[
      process:on("message", function(message)
        process:send({child_process = "reply", id = message.id, value = message})
      end)
    ]])
    assert.same({child_process = "request", id = 1, value = {a = 1}},
      value(child:request({a = 1})))
    finish(child)
  end)

  it("is refused by a parent that neither handles requests nor listens", function()
    local child = messages.fork([[
      process:request("anybody?"):catch(function(err)
        print(err.code)
        process:disconnect()
      end)
    ]], {silent = true})
    assert.equal("ERR_REQUEST_UNHEARD\n", (support.output(child)))
  end)

  it("keeps a child alive until the reply has come", function()
    local child = messages.fork([[
      process:request("late"):andThen(function(text) print(text) process:disconnect() end)
    ]], {silent = true})
    child:handle(function(text)
      require("child_process.promise").new(function(resolve)
        require("child_process.timers").setTimeout(resolve, 30)
      end):await()
      return text
    end)
    assert.equal("late\n", (support.output(child)))
  end)

  it("lets a child end whose function for requests is removed", function()
    local child = messages.fork([[
      process:handle(function() process:handle(nil) return "bye" end)
    ]])
    assert.equal("bye", value(child:request("x")))
    support.run()
    assert.equal(0, child.exitCode)
  end)

  it("may take a handle along", function()
    local child = messages.fork([[
      process:handle(function(value, server)
        local port = server:address().port
        server:close()
        return {value = value, port = port}
      end)
    ]])
    local server = net.createServer()
    server:listen(0, "127.0.0.1")
    server:wait("listening")
    local port = server:address().port
    local reply = value(child:request("server", {handle = server}))
    server:close()
    assert.same({value = "server", port = port}, reply)
    finish(child)
  end)

  it("has no field and no file where nobody makes requests", function()
    local stdout = support.runScript([[
      local child = cp.spawn("cat", {"/dev/fd/3"}, {stdio = {"ignore", "ignore", "ignore", "ipc"}})
      child:send("message")
      child:disconnect()
      cp.run()
      for name in pairs(package.loaded) do
        if name:find("request") or name:find("answers") then print(name) end
      end
    ]])
    assert.equal("", stdout)
  end)

  it("checks its arguments", function()
    local child = messages.fork(DOUBLE)
    local function code(fn, ...)
      return select(2, pcall(fn, ...)).code
    end
    assert.equal("ERR_MISSING_ARGS", code(child.request, child))
    assert.equal("ERR_INVALID_ARG_TYPE", code(child.request, child, 1, "options"))
    assert.equal("ERR_INVALID_ARG_TYPE", code(child.request, child, 1, {timeout = "1"}))
    assert.equal("ERR_OUT_OF_RANGE", code(child.request, child, 1, {timeout = -1}))
    assert.equal("ERR_INVALID_ARG_TYPE", code(child.request, child, 1, {signal = {}}))
    assert.equal("ERR_INVALID_HANDLE_TYPE", code(child.request, child, 1, {handle = {}}))
    assert.equal("ERR_INVALID_ARG_TYPE", code(child.handle, child, "fn"))
    assert.equal("ERR_INVALID_ARG_TYPE", code(child.messages, child, "fn"))
    assert.equal("ERR_INVALID_THIS", code(child.request, {}, 1))
    finish(child)
  end)
end)

describe("The end of a wait for a reply", function()
  local HANG = handling([[
    process:send("started")
    request.signal:wait("abort")
    process:send("cancelled")
    return "too late"
  ]])

  it("comes with options.timeout, and the function gets to know it", function()
    local child = messages.fork(HANG)
    local received = messages.received(child)
    local err = reason(child:request("x", {timeout = 30}))
    assert.equal("TimeoutError", err.name)
    assert.equal("ETIMEDOUT", err.code)
    assert.equal("The request was not answered within 30 ms", err.message)
    messages.await(function() return received[2] end)
    assert.same({"started", "cancelled"}, received)
    finish(child)
  end)

  it("comes with options.signal", function()
    local child = messages.fork(HANG)
    local controller = AbortController()
    local received = messages.received(child)
    local promise = child:request("x", {signal = controller.signal})
    child:once("message", function() controller:abort("changed my mind") end)
    local err = reason(promise)
    assert.equal("AbortError", err.name)
    assert.equal("changed my mind", err.cause)
    messages.await(function() return received[2] end)
    finish(child)
  end)

  it("comes at once with a signal that is aborted already", function()
    local child = messages.fork(handling("process:send('never')"))
    child:on("message", function(message) error(message, 0) end)
    local controller = AbortController()
    controller:abort()
    assert.equal("AbortError", reason(child:request("x", {signal = controller.signal})).name)
    finish(child)
  end)

  it("leaves the signal alone after the reply", function()
    local child = messages.fork(DOUBLE)
    local controller = AbortController()
    assert.equal(2, value(child:request(1, {signal = controller.signal, timeout = 60000})))
    assert.is_false(controller.signal:_hasActions())
    controller:abort()
    finish(child)
  end)
end)

describe("The end of a child", function()
  --- Expects that a request is rejected because the child has ended.
  local function assertEnded(promise, exitCode, signalCode, text)
    local err = reason(promise)
    assert.equal("ERR_CHILD_ENDED", err.code, tostring(err))
    assert.equal(exitCode, err.exitCode)
    assert.equal(signalCode, err.signalCode)
    assert.matches(text, err.message, 1, true)
  end

  it("that could not be started rejects requests, before and after the error", function()
    local child = cp.fork("none.lua", {execPath = "/nowhere/lua"})
    child:on("error", quiet)
    local promise = child:request("x")
    assertEnded(promise, nil, nil, "could not be started: spawn /nowhere/lua ENOENT")
    support.run()
    local err = reason(child:request("y"))
    assert.equal("ENOENT", err.cause.code)
  end)

  it("before it has read the request", function()
    local child = cp.spawn("sh", {"-c", "exit 3"}, {stdio = {"ignore", "ignore", "ignore", "ipc"}})
    assertEnded(child:request("x"), 3, nil, "exit code 3")
    support.run()
  end)

  it("while a long request is being written", function()
    local child = cp.spawn("sh", {"-c", "head -c 10000 <&3 >/dev/null; exit 4"},
      {stdio = {"ignore", "ignore", "ignore", "ipc"}})
    assertEnded(child:request(("x"):rep(4000000)), 4, nil, "exit code 4")
    support.run()
  end)

  it("by os.exit in the function", function()
    local child = messages.fork(handling("os.exit(5)"))
    assertEnded(child:request("x"), 5, nil, "exit code 5")
    support.run()
  end)

  it("by a signal", function()
    local child = messages.fork(handling("process:kill(process.pid, 'SIGKILL')"))
    assertEnded(child:request("x"), nil, "SIGKILL", "killed by SIGKILL")
    support.run()
  end)

  it("after a reply that nobody has read yet", function()
    local child = messages.fork(handling([[
      require("child_process.timers").setImmediate(function() os.exit(6) end)
      return "reply"
    ]]))
    local promise = child:request("x")
    child:wait("spawn")
    -- Nothing is read while this process waits for the end of the other one.
    cp.execFileSync("sh", {"-c", "while [ -e /proc/$0/exe ]; do sleep 0.01; done", child.pid})
    assert.equal("reply", value(promise))
    support.run()
    assert.equal(6, child.exitCode)
  end)

  it("rejects all that are open, in order, and those that come later", function()
    local child = messages.fork(handling("if value == 3 then os.exit(7) end "
      .. "require('child_process.promise').new(function() end):await()"))
    local order = {}
    for n = 1, 3 do
      child:request(n):catch(function(err) order[#order + 1] = n .. err.code end)
    end
    support.run()
    assert.same({"1ERR_CHILD_ENDED", "2ERR_CHILD_ENDED", "3ERR_CHILD_ENDED"}, order)
    assertEnded(child:request("later"), 7, nil, "exit code 7")
  end)

  it("is not waited for when it has only closed the channel", function()
    local child = messages.fork(handling("process:disconnect() "
      .. "require('child_process.timers').setInterval(function() end, 1000)"))
    assertEnded(child:request("x"), nil, nil, "closed its channel")
    child:kill()
    support.run()
  end)

  it("with its exit code, when it ends after it has closed the channel", function()
    local child = messages.fork(handling("process:disconnect()"))
    assertEnded(child:request("x"), 0, nil, "exit code 0")
    support.run()
  end)

  it("by our disconnect rejects what is open", function()
    local child = messages.fork(handling("request.signal:wait('abort')"))
    local promise = child:request("x")
    child:disconnect()
    local err = reason(promise)
    assert.equal("ERR_IPC_CHANNEL_CLOSED", err.code)
    support.run()
  end)

  it("emits no error of the channel for requests and replies that cannot be written", function()
    local child = messages.fork("os.exit(0)")
    child:on("error", function(err) error("an error of the channel: " .. tostring(err)) end)
    local codes = {}
    for _ = 1, 50 do
      child:request(("x"):rep(100000)):catch(function(err) codes[err.code] = true end)
    end
    support.run()
    assert.same({ERR_CHILD_ENDED = true}, codes)
  end)

  it("that others survive with its channel rejects requests when they close that", function()
    local child = cp.spawn("sh", {"-c", "sleep 600 >/dev/null 2>&1 & echo $!; exit 5"}, {
      stdio = {"ignore", "pipe", "inherit", "ipc"},
    })
    local pid, order = nil, {}
    child.stdout:once("data", function(data) pid = tonumber(data) end)
    support.inTime(function() child:wait("exit") end)
    child:request("anything"):catch(function(err)
      order[#order + 1] = ("%s %d"):format(err.code, err.exitCode)
    end)
    child:once("close", function() order[#order + 1] = "close" end)
    process:kill(pid, "SIGKILL")
    support.run()
    assert.same({"ERR_CHILD_ENDED 5", "close"}, order)
  end)
end)

describe("The end of the parent", function()
  it("rejects the child's requests, and cancels those that it answers", function()
    local child = support.script([[
      local function note(text)
        io.write(text, "\n")
        io.flush()
      end
      process:handle(function(value, handle, request)
        process:send("started")
        request.signal:wait("abort")
        note("cancelled")
        return "nobody gets that"
      end)
      process:request("x"):catch(function(err) note(err.code) end)
      process:on("disconnect", function() note("disconnect") end)
    ]])
    local parent = support.script(([[
      local cp = require("child_process")
      local process = require("child_process.process")
      local child = cp.fork(%q)
      local function never() require("child_process.promise").new(function() end):await() end
      child:handle(never)
      child:request("y"):catch(never)
      child:on("message", function() process:kill(process.pid, "SIGKILL") end)
      cp.run()
    ]]):format(child))
    -- Its standard output is that of the child, too, and ends with it.
    local started = cp.spawn(support.lua, {parent}, {stdio = {"ignore", "pipe", "inherit"}})
    local seen = support.lines((support.output(started)))
    assert.equal("SIGKILL", started.signalCode)
    table.sort(seen)
    assert.same({"ERR_IPC_CHANNEL_CLOSED", "cancelled", "disconnect"}, seen)
  end)
end)

describe("child:messages([filter])", function()
  it("iterates over the messages until the channel closes", function()
    local child = messages.fork("for i = 1, 5 do process:send(i) end")
    local got = {}
    for message in child:messages() do got[#got + 1] = message end
    assert.same({1, 2, 3, 4, 5}, got)
    support.run()
  end)

  it("gives only those for which the filter returns true", function()
    local child = messages.fork("for i = 1, 5 do process:send(i) end")
    local got = {}
    for message in child:messages(function(n) return n % 2 == 1 end) do
      got[#got + 1] = message
    end
    assert.same({1, 3, 5}, got)
    support.run()
  end)
end)

describe("A message that looks like part of a request", function()
  it("reaches the listeners if its kind is unknown", function()
    local values = {
      {child_process = "other"}, {child_process = 1}, {id = 1, value = 2}, {child_process = true},
    }
    local child = messages.fork("process:handle(function(value) return value end)\n"
      .. messages.ECHO)
    local answers = messages.received(child)
    assert.equal(1, value(child:request(1)))
    for _, sent in ipairs(values) do child:send(sent) end
    messages.await(function() return #answers == #values end)
    assert.same(values, answers)
    finish(child)
  end)

  it("does no harm as the reply to, or the cancel of, something unknown", function()
    local child = messages.fork(DOUBLE)
    assert.equal(2, value(child:request(1)))
    for _, id in ipairs({99, "text", {}, 1}) do
      child:send({child_process = "reply", id = id, value = 1})
      child:send({child_process = "cancel", id = id})
    end
    child:send({child_process = "cancel"})
    child:send({child_process = "reply"})
    assert.equal(4, value(child:request(2)))
    finish(child)
  end)
end)

describe("A request of another program", function()
  it("is answered even without an id", function()
    local child = messages.fork(DOUBLE)
    local answers = messages.received(child)
    child:send({child_process = "request", value = 4})
    messages.await(function() return answers[1] end)
    assert.same({child_process = "reply", value = 8}, answers[1])
    finish(child)
  end)

  it("is answered even if its id is nan", function()
    local child = messages.fork(DOUBLE, {serialization = "advanced"})
    local answers = messages.received(child)
    child:send({child_process = "request", id = 0 / 0, value = 4})
    messages.await(function() return answers[1] end)
    assert.equal(8, answers[1].value)
    finish(child)
  end)
end)

describe("Errors of a reply", function()
  it("may be anything", function()
    local child = messages.shell([[
      n=0
      while read -r line <&3; do
        n=$((n + 1))
        case $n in
          1) e='"text"';; 2) e=7;; 3) e='{"message":"m","stack":"at x"}';;
          4) e='{"name":"RangeError","code":3,"message":null}';; *) exit 0;;
        esac
        printf '{"child_process":"reply","id":%d,"error":%s}\n' $n "$e" >&3
      done
    ]])
    local all = {}
    for n = 1, 4 do all[n] = reason(child:request(n)) end
    assert.equal("text", all[1].message)
    assert.equal("7", all[2].message)
    assert.equal("m", all[3].message)
    assert.matches("at x", all[3].traceback, 1, true)
    assert.equal("RangeError", all[4].name)
    assert.equal(3, all[4].code)
    child:request(5):catch(quiet)
    support.run()
  end)

  it("may be raised as anything", function()
    local child = messages.fork(handling([[
      local raised = {nil, 12, {message = "in a table", code = "E"}, {1, 2}, false}
      error(raised[value], 0)
    ]]), {serialization = "advanced"})
    local texts = {}
    for n = 2, 5 do texts[n - 1] = reason(child:request(n)).message end
    assert.same({"12", "in a table", texts[3], "false"}, texts)
    assert.matches("1, 2", texts[3], 1, true)
    finish(child)
  end)
end)
