-- Coroutines: cp.async, await within them, coroutines of the program's own and their schedulers,
-- waiting for events, many at once.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local errors = require("child_process.errors")
local events = require("child_process.events")
local loop = require("child_process.loop")
local settling = require("spec.support.promises")
local support = require("spec.support")
local timers = require("child_process.timers")
local abort = require("child_process.abort")
local Places = require("spec.support.places")
local Promise = require("child_process.promise")

local failing, later = settling.failing, settling.later

describe("cp.async", function()
  it("runs a function in a coroutine, at once, with its arguments", function()
    local got
    cp.async(function(...) got = compat.pack(compat.isYieldable(), ...) end, 1, nil)
    assert.same({true, 1, nil, n = 3}, got)
  end)

  it("returns a promise of its results", function()
    assert.same({1, nil, 3, n = 3}, compat.pack(cp.async(function() return 1, nil, 3 end):await()))
  end)

  it("returns a promise that is rejected with what it raises", function()
    local reason = {}
    local promise = cp.async(function() error(reason) end)
    assert.equal(reason, support.error(promise.await, promise))
  end)

  it("suspends it while it waits, and others run", function()
    local order = {}
    local function task(name)
      order[#order + 1] = name .. " begins"
      local value = later(name):await()
      order[#order + 1] = value .. " ends"
    end
    cp.async(task, "a")
    cp.async(task, "b")
    order[#order + 1] = "main"
    support.run()
    assert.same({"a begins", "b begins", "main", "a ends", "b ends"}, order)
  end)

  it("raises errors where it waits, to be caught there", function()
    local caught
    cp.async(function()
      local ok, err = pcall(function() failing("x"):await() end)
      caught = {ok, err}
    end)
    support.run()
    assert.same({false, "x"}, caught)
  end)

  it("closes what is to be closed when a wait fails", function()
    support.needClosing()
    local child = cp.spawn("sleep", {"60"})
    local promise = cp.async(support.closing, child, function() failing("x"):await() end)
    assert.equal("x", support.error(promise.await, promise))
    support.run()
    assert.equal("SIGTERM", child.signalCode)
  end)

  it("can be nested without end", function()
    local function count(depth)
      return depth == 0 and 0 or 1 + cp.async(count, depth - 1):await()
    end
    assert.equal(500, cp.async(count, 500):await())
  end)

  it("takes what can be called", function()
    local callable = setmetatable({}, {__call = function(_, value) return value end})
    assert.equal(1, cp.async(callable, 1):await())
    for _, value in ipairs({1, "x", {}}) do
      assert.equal("ERR_INVALID_ARG_TYPE", support.error(cp.async, value).code)
    end
  end)

  it("gives an error a traceback that shows both sides", function()
    local function culprit() error(errors.Error("deep")) end
    local function worker()
      later():await()
      culprit()
    end
    local function waiter() cp.async(worker):await() end
    local promise = cp.async(waiter)
    local err = support.error(promise.await, promise)
    local bothSides = "in %a+ 'culprit'.*\nawaited in:\n\tspec/promise/async_spec.lua"
    assert.matches(bothSides .. ".*\nawaited in:\n", err.traceback)
    cp.async(waiter)
    err = support.error(cp.run)
    assert.matches(bothSides, err.traceback)
    assert.equal(err.traceback, loop.traceback())
  end)

  it("has a traceback for errors that are not objects, too", function()
    local function culprit() error("text", 0) end
    cp.async(function() cp.async(function() culprit() end):await() end)
    assert.equal("text", support.error(cp.run))
    assert.matches("culprit.*\nawaited in:\n\tspec/promise/async_spec.lua", loop.traceback())
  end)

  it("is rejected when it yields values, which nobody would take", function()
    local promise = cp.async(coroutine.yield, "value")
    local err = support.error(promise.await, promise)
    assert.equal("ERR_STRAY_YIELD", err.code)
  end)

  it("is closed when it yields values", function()
    support.needClosing()
    local closed = false
    local guard = setmetatable({}, {__close = function() closed = true end})
    local promise = cp.async(support.closing, guard, function() coroutine.yield("value") end)
    local err = support.error(promise.await, promise)
    assert.equal("ERR_STRAY_YIELD", err.code)
    assert.is_true(closed)
  end)

  it("may yield to a callback that resumes it", function()
    local promise = cp.async(function()
      local thread = coroutine.running()
      timers.setTimeout(function() coroutine.resume(thread, "resumed") end, 1)
      return coroutine.yield()
    end)
    assert.equal("resumed", promise:await())
  end)

  it("works with luv's loop, whichever loop is run", function()
    if cp.spawnSync(support.lua, {"-e", "require('luv')"}).status ~= 0 then
      pending("luv is not installed")
    end
    for _, run in ipairs({"uv.run()", "cp.run()", "promise:await()"}) do
      assert.equal("hello\n", support.runScript([[
        local uv = require("luv")
        local promise = cp.async(function()
          io.write(cp.promises.exec("echo hello"):await().stdout)
        end)
      ]] .. run))
    end
    assert.equal("a\nb\n", support.runScript([[
      local uv = require("luv")
      for line in cp.spawn("printf", {"a\\nb\\n"}).stdout:lines() do print(line) end
    ]]))
  end)
end)

describe("A coroutine of the program's own", function()
  it("is resumed when what it waits for is there", function()
    local got
    coroutine.wrap(function() got = later(1):await() end)()
    assert.is_nil(got)
    support.run()
    assert.equal(1, got)
  end)

  it("yields without values, and again if somebody resumes it too early", function()
    local promise, resolve = Promise.withResolvers()
    local thread = coroutine.create(function() return promise:await() end)
    for _ = 1, 3 do
      assert.same({true, n = 1}, compat.pack(coroutine.resume(thread, "too early")))
    end
    resolve("there")
    assert.same({true, "there"}, {coroutine.resume(thread)})
    assert.equal("dead", coroutine.status(thread))
    support.run()
  end)

  it("that its scheduler resumed first is left to the scheduler", function()
    local promise, resolve = Promise.withResolvers()
    local thread = coroutine.create(function()
      promise:await()
      coroutine.yield()
    end)
    coroutine.resume(thread)
    resolve()
    coroutine.resume(thread)
    support.run()
    assert.equal("suspended", coroutine.status(thread))
  end)

  it("may be resumed round and round by a scheduler", function()
    local ready, results = {}, {}
    for index = 1, 3 do
      ready[index] = coroutine.create(function()
        results[index] = cp.promises.exec("echo " .. index):await().stdout
        coroutine.yield()
        results[index] = results[index] .. "again"
      end)
    end
    repeat
      local alive = false
      cp.run("nowait")
      for _, thread in ipairs(ready) do
        if coroutine.status(thread) == "suspended" then
          alive = true
          assert(coroutine.resume(thread))
        end
      end
    until not alive
    assert.same({"1\nagain", "2\nagain", "3\nagain"}, results)
    support.run()
  end)

  it("has its own scheduler wake it by andThen", function()
    local queue, done = {}, nil
    local function wait(promise)
      local thread = coroutine.running()
      promise:finally(function() queue[#queue + 1] = thread end)
      assert.equal("mine", coroutine.yield("asleep"))
      return promise:await()
    end
    local thread = coroutine.create(function() done = wait(later("value")) end)
    assert.same({true, "asleep"}, {coroutine.resume(thread)})
    support.run()
    assert.same({thread}, queue)
    assert(coroutine.resume(thread, "mine"))
    assert.equal("value", done)
  end)

  it("that yields values to us, which a scheduler wants, is an error that says so", function()
    local thread = coroutine.create(function()
      later():await()
      coroutine.yield("sleep", 5)
    end)
    coroutine.resume(thread)
    local err = support.error(cp.run)
    assert.equal("ERR_STRAY_YIELD", err.code)
    assert.matches("async_spec", err.traceback)
    assert.equal("suspended", coroutine.status(thread))
    support.run()
  end)

  it("that raises after a wait has its error come out of run", function()
    coroutine.wrap(function()
      later():await()
      error("mine", 0)
    end)()
    assert.equal("mine", support.error(cp.run))
    assert.matches("async_spec", loop.traceback())
    support.run()
  end)

  it("that raises after a wait is closed", function()
    support.needClosing()
    local closed = false
    local guard = setmetatable({}, {__close = function() closed = true end})
    coroutine.wrap(support.closing)(guard, function()
      later():await()
      error("mine", 0)
    end)
    assert.equal("mine", support.error(cp.run))
    assert.is_true(closed)
    support.run()
  end)

  it("may be closed while it waits", function()
    support.needClosing()
    local promise, resolve = Promise.withResolvers()
    local emitter = events.EventEmitter()
    local one = coroutine.create(function() promise:await() end)
    local other = coroutine.create(function() emitter:wait("x") end)
    coroutine.resume(one)
    coroutine.resume(other)
    assert.is_true(coroutine.close(one))
    assert.is_true(coroutine.close(other))
    assert.same({}, emitter:eventNames())
    resolve()
    support.run()
  end)

  it("in which nothing can yield runs the loop", function()
    local got
    coroutine.wrap(function()
      ("x"):gsub(".", function() got = later(1):await() end)
    end)()
    assert.equal(1, got)
  end)
end)

describe("emitter:wait", function()
  it("waits for one event and returns its values", function()
    local child = cp.spawn("sh", {"-c", "exit 3"})
    assert.same({3, nil, n = 2}, compat.pack(child:wait("exit")))
    assert.same({3, nil, n = 2}, compat.pack(child:wait("close")))
    assert.equal("cat: ", cp.spawn("cat", {"/nonexistent"}).stderr:wait("data"):sub(1, 5))
  end)

  it("is the same as events.once", function()
    local emitter = events.EventEmitter()
    timers.setTimeout(function() emitter:emit("x", 1, nil) end, 1)
    assert.same({1, nil, n = 2}, compat.pack(events.once(emitter, "x")))
  end)

  it("suspends a coroutine", function()
    local code
    local promise = cp.async(function() code = cp.spawn("true"):wait("close") end)
    assert.is_nil(code)
    promise:await()
    assert.equal(0, code)
  end)

  it("takes the first of several events, and removes its listeners", function()
    local emitter = events.EventEmitter()
    local promise = cp.async(emitter.wait, emitter, "x")
    assert.same({"x", "error"}, emitter:eventNames())
    emitter:emit("x", 1)
    assert.same({}, emitter:eventNames())
    emitter:emit("x", 2)
    assert.equal(1, promise:await())
  end)

  it("raises an error event", function()
    local child = cp.spawn("/nonexistent/command")
    local err = support.error(child.wait, child, "exit")
    assert.equal("ENOENT", err.code)
    support.run()
  end)

  it("returns an error event that is waited for", function()
    local child = cp.spawn("/nonexistent/command")
    assert.equal("ENOENT", child:wait("error").code)
    support.run()
  end)

  it("is ended by a signal with an AbortError", function()
    local emitter = events.EventEmitter()
    local controller = abort.AbortController()
    timers.setTimeout(function() controller:abort("why") end, 1)
    local err = support.error(emitter.wait, emitter, "x", {signal = controller.signal})
    assert.equal("AbortError", err.name)
    assert.equal("ABORT_ERR", err.code)
    assert.equal("why", err.cause)
    assert.same({}, emitter:eventNames())
    err = support.error(events.once, emitter, "x", {signal = controller.signal})
    assert.equal("why", err.cause)
  end)

  it("outside of coroutines has no limit in a signal that keeps no loop alive", function()
    local emitter = events.EventEmitter()
    local signal = abort.AbortSignal.timeout(60000)
    local err = support.error(emitter.wait, emitter, "x", {signal = signal})
    assert.equal("ERR_WAIT_WITHOUT_END", err.code)
    assert.equal('The loop has ended, so a wait for event "x" of EventEmitter would never end',
      err.message)
    local controller = abort.AbortController()
    timers.setTimeout(function() controller:abort("too late") end, 1)
    err = support.error(emitter.wait, emitter, "x", {signal = controller.signal})
    assert.equal("too late", err.cause)
  end)

  it("leaves nothing at the signal", function()
    local emitter = events.EventEmitter()
    local signal = abort.AbortController().signal
    local promise = cp.async(emitter.wait, emitter, "x", {signal = signal})
    assert.is_not_nil(signal._actions)
    emitter:emit("x")
    assert.is_nil(signal._actions)
    promise:await()
  end)

  it("checks its arguments", function()
    local emitter = events.EventEmitter()
    assert.equal("ERR_INVALID_THIS", support.error(emitter.wait, "x").code)
    for _, value in ipairs({1, {}, "x"}) do
      assert.equal("ERR_INVALID_ARG_TYPE", support.error(events.once, value, "x").code)
      assert.equal("ERR_INVALID_ARG_TYPE", support.error(events.on, value, "x").code)
      assert.equal("ERR_INVALID_ARG_TYPE",
        support.error(events.once, emitter, "x", {signal = value}).code)
      assert.equal("ERR_INVALID_ARG_TYPE",
        support.error(events.on, emitter, "x", {signal = value}).code)
    end
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(events.once, emitter, "x", 1).code)
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(events.on, emitter, "x", {close = 1}).code)
  end)
end)

describe("events.on", function()
  it("iterates over what is emitted, none of which is lost", function()
    local emitter = events.EventEmitter()
    local seen = {}
    timers.setTimeout(function()
      for index = 1, 3 do emitter:emit("x", index, nil) end
      emitter:emit("done")
    end, 1)
    for values in events.on(emitter, "x", {close = {"done"}}) do
      seen[#seen + 1] = values
      cp.run("nowait")
    end
    assert.same({{1, nil, n = 2}, {2, nil, n = 2}, {3, nil, n = 2}}, seen)
    assert.same({}, emitter:eventNames())
  end)

  it("listens from its call on", function()
    local emitter = events.EventEmitter()
    local nextValues = events.on(emitter, "x", {close = {"done"}})
    emitter:emit("x", 1)
    emitter:emit("done")
    emitter:emit("x", 2)
    assert.equal(1, nextValues()[1])
    assert.is_nil(nextValues())
    assert.is_nil(nextValues())
  end)

  it("ends its listening when the loop is left", function()
    support.needClosing()
    local emitter = events.EventEmitter()
    timers.setTimeout(function() emitter:emit("x") end, 1)
    local times = 0
    for _ in events.on(emitter, "x") do
      times = times + 1
      if times == 1 then break end
    end
    assert.same({}, emitter:eventNames())
  end)

  it("raises an error event after what came before", function()
    local emitter = events.EventEmitter()
    local nextValues = events.on(emitter, "x")
    emitter:emit("x", 1)
    emitter:emit("error", "why")
    assert.equal(1, nextValues()[1])
    assert.equal("why", support.error(nextValues))
    assert.is_nil(nextValues())
  end)

  it("is ended by a signal with an AbortError", function()
    local emitter = events.EventEmitter()
    local controller = abort.AbortController()
    timers.setTimeout(function() controller:abort("why") end, 1)
    local nextValues = events.on(emitter, "x", {signal = controller.signal})
    assert.equal("why", support.error(nextValues).cause)
    assert.same({}, emitter:eventNames())
    assert.equal("why", support.error(events.on, emitter, "x", {signal = controller.signal}).cause)
  end)

  it("serves several coroutines, each time with another one", function()
    local emitter = events.EventEmitter()
    local nextValues = events.on(emitter, "x", {close = {"done"}})
    local seen = {}
    local promises = {}
    for index = 1, 2 do
      promises[index] = cp.async(function()
        local values = nextValues()
        while values do
          seen[#seen + 1] = values[1]
          values = nextValues()
        end
      end)
    end
    emitter:emit("x", 1)
    cp.run() -- both are woken, for one of them there is nothing
    for _, promise in ipairs(promises) do assert.equal("Promise (pending)", tostring(promise)) end
    for value = 2, 4 do emitter:emit("x", value) end
    emitter:emit("done")
    Promise.all(promises):await()
    table.sort(seen)
    assert.same({1, 2, 3, 4}, seen)
  end)

  it("takes the messages of a forked child", function()
    local child = cp.fork(support.script([[
      for number = 1, 5 do process:send(number) end
    ]]))
    local sum = 0
    for values in events.on(child, "message", {close = {"close"}}) do sum = sum + values[1] end
    assert.equal(15, sum)
    support.run()
  end)
end)

describe("Coroutines that wait for one condition", function()
  it("go on in the order in which they came", function()
    local condition, order = require("child_process.loop.wait").newCondition(), {}
    for number = 1, 3 do
      cp.async(function()
        condition:wait()
        order[#order + 1] = number
      end)
    end
    condition:notify()
    support.run()
    assert.same({1, 2, 3}, order)
  end)
end)

describe("A value that a coroutine yields to nobody", function()
  it("is an error whose cause is what closing the coroutine raises", function()
    support.needClosing()
    local guard = setmetatable({}, {__close = function() error("closing", 0) end})
    local promise = cp.async(support.closing, guard, function()
      later():await()
      coroutine.yield("stray")
    end)
    local err = support.error(promise.await, promise)
    assert.equal("ERR_STRAY_YIELD", err.code)
    assert.equal("closing", err.cause)
    support.run()
  end)
end)

describe("events.on with something that cannot be an event", function()
  it("raises and leaves no listener", function()
    local emitter = events.EventEmitter()
    local err = support.error(events.on, emitter, "data", {close = {"end", 0 / 0}})
    assert.equal("ERR_INVALID_ARG_VALUE", err.code)
    assert.same({}, emitter:eventNames())
  end)
end)

describe("Many coroutines", function()
  it("that each exec a command share a limit", function()
    local places = Places.new(8)
    local sum = 0
    local promises = {}
    for index = 1, 100 do
      promises[index] = cp.async(function()
        places:take()
        local output = cp.promises.exec("echo " .. index):await().stdout
        sum = sum + tonumber(output)
        places:give()
      end)
    end
    Promise.all(promises):await()
    assert.equal(5050, sum)
    assert.equal(8, places.most)
    support.run()
    assert.same({}, support.zombies())
  end)

  it("that are cancelled as a tree leave no child and no handle", function()
    collectgarbage()
    local before = support.openFds()
    local controller = abort.AbortController()
    local children, reasons = {}, {}
    local function leaf(signal)
      local promise = cp.promises.exec("exec sleep 60", {signal = signal, killSignal = "SIGKILL"})
      children[#children + 1] = promise.child
      promise:await()
    end
    local function branch(signal, depth)
      local both = abort.AbortSignal.any({signal, abort.AbortSignal.timeout(60000)})
      local promises = {}
      for index = 1, 3 do
        promises[index] = depth == 0 and cp.async(leaf, both) or cp.async(branch, both, depth - 1)
      end
      for _, outcome in ipairs(Promise.allSettled(promises):await()) do
        reasons[#reasons + 1] = outcome.reason
      end
      signal:throwIfAborted()
    end
    local root = cp.async(branch, controller.signal, 2)
    children[#children]:on("spawn", function() controller:abort("enough") end)
    assert.equal("enough", support.error(root.await, root))
    support.run()
    assert.equal(27, #children)
    assert.equal(27 + 9 + 3, #reasons)
    for _, child in ipairs(children) do assert.equal("SIGKILL", child.signalCode) end
    assert.same({}, support.zombies())
    assert.same({}, loop.handles())
    assert.is_nil(controller.signal._actions)
    children, reasons = nil, nil
    collectgarbage()
    assert.same(before, support.openFds())
  end)
end)

describe("Closing the Lua state", function()
  it("resumes none of the coroutines that wait", function()
    assert.equal("", (support.runScript([[
      local events = require("child_process.events")
      local abort = require("child_process.abort")
      local signal = abort.AbortSignal.any({abort.AbortSignal.timeout(60000)})
      cp.async(function() cp.promises.exec("sleep 1", {signal = signal}):await() print(1) end)
      cp.async(function() events.EventEmitter():wait("x", {signal = signal}) print(2) end)
      cp.async(function() cp.spawn("cat").stdout:readLine() print(3) end)
      coroutine.wrap(function()
        cp.spawn("cat"):wait("exit")
        print(4)
      end)()
      cp.run("nowait")
      os.exit(0, true)
    ]])))
  end)
end)

describe("Nothing of this", function()
  it("is loaded by a program that does not use it", function()
    assert.equal("", (support.runScript([[
      cp.spawn("true")
      cp.run()
      for _, name in ipairs({
        "promise", "abort", "promise.async", "loop.wait", "stream.iterators", "events.wait",
      }) do
        if package.loaded["child_process." .. name] then print(name) end
      end
    ]])))
    local child = cp.fork(support.script([[
      local names = {}
      for name in pairs(package.loaded) do names[#names + 1] = name end
      process:send(table.concat(names, " "))
    ]]))
    local names = child:wait("message")
    assert.is_nil(names:find("promise") or names:find("abort") or names:find("wait"))
    support.run()
  end)
end)
