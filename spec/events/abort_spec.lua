-- AbortController and AbortSignal, and the option `signal` of spawn, exec, execFile and fork.

local abort = require("child_process.abort")
local compat = require("child_process.base.compat")
local cp = require("child_process")
local loop = require("child_process.loop")
local process = require("child_process.process")
local promises = require("spec.support.promises")
local steps = require("spec.support.steps")
local support = require("spec.support")
local timers = require("child_process.timers")

local AbortController, AbortSignal = abort.AbortController, abort.AbortSignal

local SLEEP = {"-c", "exec sleep 60"}

local recorder = promises.recorder

--- Is the signal still known to anything that it would abort?
local function isUsed(signal)
  return signal._actions ~= nil or signal:listenerCount("abort") > 0
end

local isSlow = support.isSlow

--- Is a signal aborted that nobody keeps, only listens to? It gets three seconds for that.
local function isAborted(makeSignal)
  local aborted = false
  local limit = timers.setTimeout(function() end, 3000)
  makeSignal():on("abort", function()
    aborted = true
    limit:close()
  end)
  collectgarbage()
  collectgarbage()
  support.run()
  return aborted
end

local function assertAbortError(err, cause)
  assert.equal("AbortError", err.name)
  assert.equal("ABORT_ERR", err.code)
  assert.equal("The operation was aborted", err.message)
  assert.equal(cause, err.cause)
end

describe("An AbortController", function()
  it("has a signal that is not aborted at first", function()
    local controller = AbortController()
    assert.is_false(controller.signal.aborted)
    assert.is_nil(controller.signal.reason)
    assert.is_false(AbortController.new().signal.aborted)
  end)

  it("aborts its signal with a reason, once", function()
    local controller = AbortController()
    local listener, calls = recorder()
    controller.signal:on("abort", listener)
    controller:abort("why")
    controller:abort("again")
    assert.is_true(controller.signal.aborted)
    assert.equal("why", controller.signal.reason)
    assert.equal(1, #calls)
  end)

  it("gives an AbortError as reason where none is given", function()
    local controller = AbortController()
    controller:abort()
    assert.equal("AbortError: This operation was aborted", tostring(controller.signal.reason))
  end)

  it("says so when a method is called with a dot", function()
    local controller = AbortController()
    assert.equal("ERR_INVALID_THIS", support.error(controller.abort).code)
    assert.equal("ERR_INVALID_THIS", support.error(controller.signal.throwIfAborted).code)
    assert.equal("ERR_INVALID_THIS", support.error(controller.signal.on, "abort", print).code)
  end)
end)

describe("An AbortSignal", function()
  it("gives listeners an event with type and target", function()
    local controller = AbortController()
    local listener, calls = recorder()
    controller.signal:addEventListener("abort", listener)
    controller:abort()
    assert.equal("abort", calls[1][1].type)
    assert.equal(controller.signal, calls[1][1].target)
  end)

  it("calls listeners in their order, whatever way they were added", function()
    local controller = AbortController()
    local signal, order = controller.signal, {}
    local function note(name) return function() order[#order + 1] = name end end
    signal:on("abort", note("on"))
    signal.onabort = note("replaced")
    signal:once("abort", note("once"))
    signal:addEventListener("abort", note("event listener"), {once = true})
    signal:prependListener("abort", note("prepended"))
    signal.onabort = note("onabort")
    controller:abort()
    assert.same({"prepended", "on", "onabort", "once", "event listener"}, order)
  end)

  it("gives its onabort back, which may be taken away", function()
    local controller = AbortController()
    local signal = controller.signal
    local listener, calls = recorder()
    assert.is_nil(signal.onabort)
    signal.onabort = listener
    assert.equal(listener, signal.onabort)
    signal.onabort = nil
    assert.is_nil(signal.onabort)
    assert.is_false(isUsed(signal))
    controller:abort()
    assert.equal(0, #calls)
  end)

  it("takes the same event listener once, and gives it up", function()
    local controller = AbortController()
    local listener, calls = recorder()
    controller.signal:addEventListener("abort", listener)
    controller.signal:addEventListener("abort", listener)
    assert.equal(1, controller.signal:listenerCount("abort"))
    controller.signal:removeEventListener("abort", listener)
    controller:abort()
    assert.equal(0, #calls)
  end)

  it("calls all listeners when one raises, whose error comes out of run", function()
    local controller = AbortController()
    local listener, calls = recorder()
    controller.signal:on("abort", function() error("first", 0) end)
    controller.signal:on("abort", function() error("second", 0) end)
    controller.signal:on("abort", listener)
    controller:abort()
    assert.equal(1, #calls)
    assert.equal("first", support.error(cp.run))
    assert.matches("abort_spec", loop.traceback())
    assert.equal("second", support.error(cp.run))
    support.run()
  end)

  it("does not call a listener that an earlier one has removed", function()
    local controller = AbortController()
    local signal = controller.signal
    local removed, calls = recorder()
    local kept, keptCalls = recorder()
    signal:once("abort", function() signal:off("abort", removed) end)
    signal:on("abort", removed)
    signal:once("abort", kept)
    controller:abort()
    assert.same({}, calls)
    assert.equal(1, #keptCalls)
    local another = AbortController()
    another.signal:on("abort", function() another.signal:removeAllListeners() end)
    another.signal:on("abort", removed)
    another:abort()
    assert.same({}, calls)
  end)

  it("takes onabort again after all listeners were removed", function()
    for _, event in ipairs({"abort", false}) do
      local controller = AbortController()
      local first, firstCalls = recorder()
      local second, secondCalls = recorder()
      controller.signal.onabort = first
      controller.signal:removeAllListeners(event or nil)
      assert.is_nil(controller.signal.onabort)
      controller.signal.onabort = second
      controller:abort()
      assert.equal(0, #firstCalls)
      assert.equal(1, #secondCalls)
    end
  end)

  it("takes a boolean instead of addEventListener's options", function()
    local controller = AbortController()
    local listener, calls = recorder()
    controller.signal:addEventListener("abort", listener, true)
    controller:abort()
    assert.equal(1, #calls)
  end)

  it("raises its reason by throwIfAborted", function()
    local controller = AbortController()
    controller.signal:throwIfAborted()
    local reason = {}
    controller:abort(reason)
    assert.equal(reason, support.error(controller.signal.throwIfAborted, controller.signal))
  end)

  it("has no constructor", function()
    assert.equal("ERR_ILLEGAL_CONSTRUCTOR", support.error(AbortSignal).code)
    assert.equal("ERR_ILLEGAL_CONSTRUCTOR", support.error(AbortSignal.new).code)
  end)

  it("has no limit of listeners", function()
    local warnings, warn = recorder()
    local events = require("child_process.events")
    local original = events.warn
    finally(function() events.warn = original end)
    events.warn = warnings
    local signal = AbortController().signal
    for _ = 1, 20 do signal:on("abort", function() end) end
    assert.same({}, warn)
  end)
end)

describe("AbortSignal.abort", function()
  it("gives a signal that is aborted already", function()
    local signal = AbortSignal.abort("why")
    assert.is_true(signal.aborted)
    assert.equal("why", signal.reason)
    assert.equal("AbortError", AbortSignal.abort().reason.name)
  end)
end)

describe("AbortSignal.timeout", function()
  it("aborts after the time, with a TimeoutError", function()
    local signal = AbortSignal.timeout(1)
    local keepsAlive = timers.setTimeout(function() end, 10000)
    signal:on("abort", function() keepsAlive:close() end)
    support.run()
    assert.is_true(signal.aborted)
    assert.equal("TimeoutError: The operation was aborted due to timeout",
      tostring(signal.reason))
    assert.equal(23, signal.reason.code)
  end)

  it("does not keep the loop alive", function()
    local signal = AbortSignal.timeout(100000)
    support.run()
    assert.is_false(signal.aborted)
  end)

  it("aborts also when nobody but its listener knows it", function()
    assert.is_true(isAborted(function() return AbortSignal.timeout(1) end))
  end)

  it("leaves nothing behind when it is not needed any more", function()
    local seen = setmetatable({}, {__mode = "k"})
    for _ = 1, 3 do
      local signal = AbortSignal.timeout(100000)
      local function listener() end
      signal:on("abort", listener)
      signal:off("abort", listener)
      seen[signal], seen[signal._timer] = true, true
    end
    collectgarbage()
    collectgarbage() -- a timer is let go by the finalizer of its signal
    collectgarbage()
    assert.is_nil(next(seen))
  end)

  it("takes a number of milliseconds", function()
    for _, value in ipairs({"x", {}, true}) do
      assert.equal("ERR_INVALID_ARG_TYPE", support.error(AbortSignal.timeout, value).code)
    end
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(AbortSignal.timeout).code)
    for _, value in ipairs({-1, 1.5, 0 / 0, -math.huge}) do
      assert.equal("ERR_OUT_OF_RANGE", support.error(AbortSignal.timeout, value).code)
    end
  end)
end)

describe("AbortSignal.any", function()
  it("takes no list with a hole", function()
    local one, other = AbortController().signal, AbortController().signal
    local err = support.error(AbortSignal.any, {one, nil, other})
    assert.equal("ERR_INVALID_ARG_TYPE", err.code)
    assert.matches("signals[2]", err.message, 1, true)
  end)

  it("asks each source once where several signals share it", function()
    local source = AbortSignal.any({AbortController().signal})
    local asked = 0
    function source:listenerCount(...)
      asked = asked + 1
      return AbortSignal.listenerCount(self, ...)
    end
    local signal = source
    for _ = 1, 12 do signal = AbortSignal.any({signal, signal}) end
    local added = AbortSignal.any({source})
    added:on("abort", function() end)
    signal:on("abort", function() end)
    signal:on("abort", function() end)
    signal:removeAllListeners()
    added:removeAllListeners()
    assert.is_true(asked < 100, asked)
  end)

  it("aborts with the first of its signals, and that one's reason", function()
    local one, other = AbortController(), AbortController()
    local signal = AbortSignal.any({one.signal, other.signal})
    local order = {}
    signal:on("abort", function() order[#order + 1] = "any" end)
    other.signal:on("abort", function() order[#order + 1] = "other" end)
    assert.is_false(signal.aborted)
    other:abort("b")
    one:abort("a")
    assert.is_true(signal.aborted)
    assert.equal("b", signal.reason)
    assert.same({"other", "any"}, order)
  end)

  it("is aborted in the order in which several were made", function()
    local controller, order, signals = AbortController(), {}, {}
    for index = 1, 20 do
      signals[index] = AbortSignal.any({controller.signal})
      signals[index]:on("abort", function() order[#order + 1] = index end)
    end
    controller:abort()
    for index = 1, 20 do assert.equal(index, order[index]) end
  end)

  it("has marked all signals as aborted before a listener is called", function()
    local controller = AbortController()
    local signal = AbortSignal.any({AbortSignal.any({controller.signal})})
    local seen
    controller.signal:on("abort", function() seen = signal.aborted end)
    controller:abort()
    assert.is_true(seen)
  end)

  it("is aborted at once where one of them is", function()
    local signal = AbortSignal.any({AbortController().signal, AbortSignal.abort("x")})
    assert.is_true(signal.aborted)
    assert.equal("x", signal.reason)
  end)

  it("aborts also when nobody but its listener knows it and its time limit", function()
    assert.is_true(isAborted(function()
      return AbortSignal.any({AbortSignal.any({AbortSignal.timeout(1)})})
    end))
  end)

  it("leaves nothing at a signal that lives on", function()
    local controller = AbortController()
    local seen = setmetatable({}, {__mode = "k"})
    for _ = 1, 3 do
      local signal = AbortSignal.any({controller.signal, AbortSignal.timeout(100000)})
      local function listener() end
      signal:once("abort", listener)
      signal:off("abort", listener)
      seen[signal] = true
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(seen))
    assert.is_nil(next(controller.signal._followers))
  end)

  it("takes a list of signals, which may be empty", function()
    assert.is_false(AbortSignal.any({}).aborted)
    for _, value in ipairs({1, "x", AbortController().signal}) do
      assert.equal("ERR_INVALID_ARG_TYPE", support.error(AbortSignal.any, value).code)
    end
    local err = support.error(AbortSignal.any, {AbortController()})
    assert.equal('The "signals[1]" argument must be an instance of AbortSignal. '
      .. "Received an instance of AbortController", err.message)
  end)
end)

-- What the four functions have in common: each starts a program that sleeps.
local starts = {
  spawn = function(options) return cp.spawn("sh", SLEEP, options) end,
  execFile = function(options) return cp.execFile("sh", SLEEP, options) end,
  exec = function(options) return cp.exec("exec sleep 60", options) end,
  fork = function(options)
    return cp.fork(support.script("require('child_process.timers').setTimeout(print, 60000)"),
      options)
  end,
}

for name, start in pairs(starts) do
  describe("options.signal of " .. name, function()
    it("allows aborting the child process using an AbortSignal", function()
      local controller = AbortController()
      local child = start({signal = controller.signal})
      local seen = support.events(child)
      child:on("spawn", function() controller:abort("why") end)
      local failure
      child:on("error", function(err) failure = err end)
      support.run()
      assertAbortError(failure, "why")
      assert.is_true(child.killed)
      assert.same({"spawn", "error AbortError: The operation was aborted", "exit nil SIGTERM",
        "close nil SIGTERM"}, seen)
      assert.is_false(isUsed(controller.signal))
    end)

    it("that is aborted already kills the child on the next tick", function()
      local reason = {}
      local child = start({signal = AbortSignal.abort(reason)})
      local seen, failure = support.events(child), nil
      child:on("error", function(err) failure = err end)
      assert.same({}, seen)
      support.run()
      assertAbortError(failure, reason)
      assert.same({"spawn", "error AbortError: The operation was aborted", "exit nil SIGTERM",
        "close nil SIGTERM"}, seen)
    end)

    it("sends killSignal", function()
      for _, killSignal in ipairs({"SIGKILL", 9}) do
        local controller = AbortController()
        local child = start({signal = controller.signal, killSignal = killSignal})
        child:on("error", function() end)
        child:on("spawn", function() controller:abort() end)
        support.run()
        assert.equal("SIGKILL", child.signalCode)
      end
    end)

    it("must be an AbortSignal", function()
      for _, value in ipairs({1, "x", {}, {aborted = true}, true, AbortController()}) do
        local err = support.error(start, {signal = value})
        assert.equal("ERR_INVALID_ARG_TYPE", err.code)
        assert.matches('"options.signal" property must be an instance of AbortSignal', err.message)
      end
    end)

    it("may be absent: nil and cp.null", function()
      local child = start({signal = cp.null})
      child:kill()
      support.run()
      assert.equal("SIGTERM", child.signalCode)
    end)
  end)
end

describe("Aborting a child", function()
  it("at once has the error come from within abort", function()
    local controller = AbortController()
    local child = cp.spawn("sleep", {"60"}, {signal = controller.signal})
    local seen = support.events(child)
    controller:abort()
    assert.same({"error AbortError: The operation was aborted"}, seen)
    support.run()
    assert.same({"error AbortError: The operation was aborted", "spawn", "exit nil SIGTERM",
      "close nil SIGTERM"}, seen)
  end)

  it("sends nothing between exit and close, and does nothing after", function()
    local controller, late = AbortController(), AbortController()
    local child = cp.spawn("sh", {"-c", "(sleep 60) & echo $!; exit 3"},
      {signal = controller.signal})
    local other = cp.spawn("true", {signal = late.signal})
    local seen, others = support.events(child), support.events(other)
    local output = support.collect(child.stdout)
    child:on("exit", function()
      controller:abort()
    end)
    other:on("close", function()
      assert.is_false(isUsed(late.signal))
      late:abort()
    end)
    support.run()
    process:kill(tonumber(output()), "SIGKILL")
    assert.same({"spawn", "exit 3 nil", "close 3 nil"}, seen)
    assert.is_false(isUsed(controller.signal))
    assert.same({"spawn", "exit 0 nil", "close 0 nil"}, others)
    assert.is_false(child.killed or other.killed)
  end)

  it("does nothing to one that could not be started", function()
    local controller = AbortController()
    local child = cp.spawn("/nonexistent/command", {signal = controller.signal})
    local aborted = cp.spawn("/nonexistent/command", {signal = AbortSignal.abort()})
    local seen, others = support.events(child), support.events(aborted)
    assert.is_false(isUsed(controller.signal))
    controller:abort()
    support.run()
    local expected = {"error Error: spawn /nonexistent/command ENOENT", "close -2 nil"}
    assert.same(expected, seen)
    assert.same(expected, others)
  end)

  it("kills the others too when one has no listener for the error", function()
    local controller = AbortController()
    local children = {}
    for index = 1, 3 do
      children[index] = cp.spawn("sleep", {"60"}, {signal = controller.signal})
    end
    children[1]:on("error", function() end)
    children[3]:on("error", function() end)
    controller:abort()
    assert.equal("AbortError", support.error(cp.run).name)
    support.run()
    for _, child in ipairs(children) do assert.equal("SIGTERM", child.signalCode) end
  end)

  it("may come from a listener that ends, aborts and removes", function()
    local controller = AbortController()
    local signal = controller.signal
    local one = cp.spawn("sleep", {"60"}, {signal = signal})
    local other = cp.spawn("sleep", {"60"}, {signal = signal})
    one:on("error", function()
      other:kill("SIGKILL")
      controller:abort()
      signal:removeAllListeners()
    end)
    other:on("error", function() end)
    controller:abort()
    support.run()
    assert.equal("SIGTERM", one.signalCode)
    assert.is_not_nil(other.signalCode)
  end)

  it("is not an error of a child that no signal was sent to", function()
    local controller = AbortController()
    local child = cp.spawn("cat", {signal = controller.signal})
    local seen = support.events(child)
    function child.kill() return false end
    controller:abort()
    child.stdin:finish()
    support.run()
    assert.same({"spawn", "exit 0 nil", "close 0 nil"}, seen)
  end)

  it("leaves nothing at a signal that thousands of children had", function()
    local controller = AbortController()
    local children = setmetatable({}, {__mode = "k"})
    local left = isSlow and 100 or 2000
    local function start()
      left = left - 1
      local child = cp.spawn("true", {stdio = "ignore", signal = controller.signal})
      children[child] = true
      child:on("exit", function()
        if left > 0 then start() end
      end)
    end
    for _ = 1, 50 do start() end
    assert.is_true(isUsed(controller.signal))
    support.run()
    assert.equal(0, left)
    assert.is_false(isUsed(controller.signal))
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(children))
  end)

  it("leaves a signal with thousands of listeners, each for the same work", function()
    steps.assertProportional(function(amount)
      local controller = AbortController()
      local signal = controller.signal
      local function add(number) -- otherwise Lua 5.3 has one listener for all numbers
        signal:addEventListener("abort", function() return number end)
      end
      return function()
        for number = 1, amount do add(number) end
        for _ = 1, amount do signal:once("abort", function() end) end
        controller:abort()
        assert.equal(amount, signal:listenerCount("abort"))
      end
    end)
  end)

  it("leaves nothing at the sources of the signal either", function()
    local controller = AbortController()
    local signals = setmetatable({}, {__mode = "k"})
    for _ = 1, 3 do
      local signal = AbortSignal.any({controller.signal, AbortSignal.timeout(60000)})
      signals[signal] = true
      cp.spawn("true", {signal = signal})
    end
    collectgarbage()
    assert.is_not_nil(next(controller.signal._awaited))
    support.run()
    assert.is_nil(next(controller.signal._awaited))
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(signals))
  end)

  it("comes to the children in the order of their starts", function()
    local controller, order = AbortController(), {}
    for index = 1, 20 do
      local child = cp.spawn("sleep", {"60"}, {signal = controller.signal})
      child:on("error", function() order[#order + 1] = index end)
    end
    controller:abort()
    assert.equal(20, #order)
    for index = 1, 20 do assert.equal(index, order[index]) end
    support.run()
  end)

  it("does not reach a wait that the end of another one has ended", function()
    local controller = AbortController()
    local emitter = require("child_process.events").EventEmitter()
    local child = cp.spawn("sleep", {"60"}, {signal = controller.signal})
    child:on("error", function() emitter:emit("x", "before") end)
    local promise = cp.async(emitter.wait, emitter, "x", {signal = controller.signal})
    controller:abort()
    assert.equal("before", promise:await())
    support.run()
  end)

  it("reaches a child in the middle of all of them", function()
    local controller = AbortController()
    local children = {}
    for index = 1, 6 do
      children[index] = cp.spawn("cat", {signal = controller.signal})
      children[index]:on("error", function() end)
    end
    children[3].stdin:finish() -- has ended before
    children[3]:on("close", function() controller:abort() end)
    support.run()
    for index, child in ipairs(children) do
      assert.equal(index ~= 3 and "SIGTERM" or nil, child.signalCode)
    end
  end)

  it("is what a signal with a time limit does", function()
    local child = cp.spawn("sleep", {"60"}, {signal = AbortSignal.timeout(1)})
    local failure
    child:on("error", function(err) failure = err end)
    collectgarbage()
    support.run()
    assert.equal("TimeoutError", failure.cause.name)
    assert.equal("SIGTERM", child.signalCode)
  end)

  it("goes together with a timeout", function()
    local controller = AbortController()
    local child = cp.spawn("sleep", {"60"}, {signal = controller.signal, timeout = 60000})
    child:on("error", function() end)
    controller:abort()
    support.run()
    assert.equal("SIGTERM", child.signalCode)
    local late = cp.spawn("sleep", {"60"},
      {signal = AbortController().signal, timeout = 1, killSignal = "SIGINT"})
    local seen = support.events(late)
    support.run()
    assert.same({"spawn", "exit nil SIGINT", "close nil SIGINT"}, seen)
  end)
end)

for _, name in ipairs({"exec", "execFile"}) do
  describe("Aborting " .. name, function()
    local start = name == "exec"
      and function(script, ...) return cp.exec(script, ...) end
      or function(script, ...) return cp.execFile("sh", {"-c", script}, ...) end

    it("is similar to calling kill except the error passed to the callback will be an AbortError",
      function()
        local controller = AbortController()
        local callback, calls = recorder()
        local child = start("printf out; printf err >&2; exec sleep 60",
          {signal = controller.signal}, callback)
        local got = 0
        local function count(data)
          got = got + #data
          if got == 6 then controller:abort("why") end
        end
        child.stdout:on("data", count)
        child.stderr:on("data", count)
        support.run()
        assert.equal(1, #calls)
        local err, stdout, stderr = compat.unpack(calls[1], 1, 3)
        assertAbortError(err, "why")
        assert.matches("exec sleep 60", err.cmd)
        assert.is_nil(err.killed)
        assert.is_nil(err.signal)
        assert.equal("out", stdout)
        assert.equal("err", stderr)
        assert.equal("SIGTERM", child.signalCode)
      end)

    it("before the start calls back with an AbortError, later", function()
      local callback, calls = recorder()
      start("sleep 60", {signal = AbortSignal.abort("why")}, callback)
      assert.same({}, calls)
      support.run()
      assert.equal(1, #calls)
      assertAbortError(calls[1][1], "why")
    end)

    it("after the end changes nothing", function()
      local controller = AbortController()
      local callback, calls = recorder()
      local child = start("exit 3", {signal = controller.signal}, callback)
      child:on("exit", function() controller:abort() end)
      child:on("close", function() controller:abort() end)
      support.run()
      assert.equal(1, #calls)
      assert.equal(3, calls[1][1].code)
    end)

    it("calls back although the child ignores the signal", function()
      local controller = AbortController()
      local child
      local seen
      child = start("trap '' TERM; echo ready; exec cat", {signal = controller.signal},
        function(err)
          seen = err
          assert.is_nil(child.exitCode)
          child:kill("SIGKILL")
        end)
      child.stdout:once("data", function() controller:abort() end)
      support.run()
      assertAbortError(seen, controller.signal.reason)
      assert.equal("SIGKILL", child.signalCode)
    end)

    it("has an error of the callback come out of run", function()
      local controller = AbortController()
      start("sleep 60", {signal = controller.signal}, function() error("mine", 0) end)
      controller:abort()
      assert.equal("mine", support.error(cp.run))
      support.run()
    end)
  end)
end
