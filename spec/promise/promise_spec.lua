-- Promises: settling, callbacks, await outside of coroutines, unhandled rejections, promisify.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local loop = require("child_process.loop")
local messages = require("spec.support.messages")
local promises = require("spec.support.promises")
local steps = require("spec.support.steps")
local support = require("spec.support")
local timers = require("child_process.timers")
local Promise = require("child_process.promise")

local failing, later = promises.failing, promises.later
local nothing, recorder = promises.nothing, promises.recorder

describe("A promise", function()
  it("is made with a function that is called at once", function()
    local called
    Promise(function() called = true end)
    assert.is_true(called)
    Promise.new(function() called = 2 end)
    assert.equal(2, called)
  end)

  it("is fulfilled with values", function()
    local listener, calls = recorder()
    Promise(function(resolve) resolve(1, nil, 3) end):andThen(listener)
    assert.same({}, calls)
    support.run()
    assert.same({{1, nil, 3, n = 3}}, calls)
  end)

  it("is rejected with a reason", function()
    local listener, calls = recorder()
    Promise(function(_, reject) reject("why") end):catch(listener)
    support.run()
    assert.same({{"why", n = 1}}, calls)
  end)

  it("is rejected with what its function raises", function()
    local listener, calls = recorder()
    Promise(function() error("why", 0) end):andThen(nil, listener)
    support.run()
    assert.same({{"why", n = 1}}, calls)
  end)

  it("is settled once", function()
    local fulfilled, values = recorder()
    local rejected, reasons = recorder()
    Promise(function(resolve, reject)
      resolve(1)
      reject(2)
      resolve(3)
      error(4)
    end):andThen(fulfilled, rejected)
    Promise(function(resolve, reject)
      reject(1)
      resolve(2)
      reject(3)
    end):andThen(fulfilled, rejected)
    support.run()
    assert.same({{1, n = 1}}, values)
    assert.same({{1, n = 1}}, reasons)
  end)

  it("takes over the outcome of a promise that it is resolved with", function()
    local inner = later("a", "b")
    assert.same({"a", "b"}, {Promise(function(resolve) resolve(inner) end):await()})
    local outer = Promise(function(resolve, reject)
      resolve(failing("x"))
      reject("later")
    end)
    assert.equal("x", support.error(outer.await, outer))
  end)

  it("cannot wait for itself", function()
    local promise, resolve = Promise.withResolvers()
    resolve(promise)
    assert.matches("cycle", support.error(promise.await, promise).message)
  end)

  it("shows its state as a string", function()
    local rejected = Promise.reject()
    rejected:catch(nothing)
    assert.equal("Promise (pending)", tostring(Promise(nothing)))
    assert.equal("Promise (fulfilled)", tostring(Promise.resolve()))
    assert.equal("Promise (rejected)", tostring(rejected))
    support.run()
  end)

  it("refuses values that are not functions, and methods called with a dot", function()
    local promise = Promise.resolve()
    for _, value in ipairs({1, "x", {}}) do
      assert.equal("ERR_INVALID_ARG_TYPE", support.error(Promise, value).code)
      assert.equal("ERR_INVALID_ARG_TYPE", support.error(promise.andThen, promise, value).code)
      assert.equal("ERR_INVALID_ARG_TYPE",
        support.error(promise.andThen, promise, nil, value).code)
      assert.equal("ERR_INVALID_ARG_TYPE", support.error(promise.finally, promise, value).code)
    end
    for _, name in ipairs({"andThen", "catch", "finally", "await"}) do
      assert.equal("ERR_INVALID_THIS", support.error(promise[name], nothing).code)
    end
  end)
end)

describe("promise:andThen", function()
  it("passes on what its function returns", function()
    assert.same({2, 3}, {Promise.resolve(1):andThen(function(n) return n + 1, n + 2 end):await()})
  end)

  it("waits for a promise that its function returns", function()
    assert.equal(5, Promise.resolve():andThen(function() return later(5) end):await())
  end)

  it("passes on what it has no function for", function()
    assert.equal(1, Promise.resolve(1):andThen(nil, nothing):andThen():catch(nothing):await())
    local promise = Promise.reject("x"):andThen(nothing):andThen(nothing)
    assert.equal("x", support.error(promise.await, promise))
  end)

  it("is rejected with what its function raises", function()
    local promise = Promise.resolve(1):andThen(function() error("x", 0) end)
    assert.equal("x", support.error(promise.await, promise))
    promise = Promise.reject(1):catch(function() error("y", 0) end)
    assert.equal("y", support.error(promise.await, promise))
  end)

  it("goes on with what its second function returns", function()
    assert.equal("mended", Promise.reject("x"):catch(function() return "mended" end):await())
  end)

  it("calls every function on a tick of its own, in order", function()
    local order = {}
    local function note(name)
      return function()
        order[#order + 1] = name
        loop.nextTick(function() order[#order + 1] = "tick of " .. name end)
      end
    end
    local promise = Promise.resolve()
    promise:andThen(note("a"))
    promise:andThen(note("b"))
    loop.nextTick(note("c"))
    assert.same({}, order)
    support.run()
    assert.same({"a", "b", "c", "tick of a", "tick of b", "tick of c"}, order)
  end)

  it("calls the others when one raises", function()
    local listener, calls = recorder()
    local promise = later()
    promise:andThen(function() error("mine", 0) end)
    promise:andThen(listener)
    assert.equal("mine", support.error(support.run))
    assert.equal(1, #calls)
  end)

  it("takes whatever can be called", function()
    local callable = setmetatable({}, {__call = function(_, value) return value * 2 end})
    assert.equal(4, Promise.resolve(2):andThen(callable):await())
  end)
end)

describe("promise:finally", function()
  it("calls its function without values, and passes the outcome on", function()
    local listener, calls = recorder("ignored")
    assert.same({1, 2}, {Promise.resolve(1, 2):finally(listener):await()})
    local promise = Promise.reject("x"):finally(listener)
    assert.equal("x", support.error(promise.await, promise))
    assert.same({{n = 0}, {n = 0}}, calls)
  end)

  it("waits for a promise that its function returns", function()
    local done = false
    Promise.resolve(1):finally(function()
      return later():andThen(function() done = true end)
    end):await()
    assert.is_true(done)
  end)

  it("is rejected when its function fails", function()
    local promise = Promise.resolve(1):finally(function() error("x", 0) end)
    assert.equal("x", support.error(promise.await, promise))
    promise = Promise.reject(1):finally(function() return Promise.reject("y") end)
    assert.equal("y", support.error(promise.await, promise))
  end)
end)

describe("promise:await outside of a coroutine", function()
  it("runs the loop until the promise is settled, and no longer", function()
    local promise = later("value")
    local other = timers.setTimeout(nothing, 100000)
    assert.equal("value", promise:await())
    assert.is_true(loop.alive())
    other:close()
  end)

  it("returns at once what is there already", function()
    local ticked
    loop.nextTick(function() ticked = true end)
    assert.equal(1, Promise.resolve(1):await())
    assert.is_nil(ticked)
    support.run()
  end)

  it("raises the reason as it is", function()
    local reason = {}
    local promise = failing(reason)
    assert.equal(reason, support.error(promise.await, promise))
    promise = failing(nil)
    assert.is_false((pcall(promise.await, promise)))
  end)

  it("raises an error when the loop ends before", function()
    local promise = Promise(nothing)
    local err = support.error(promise.await, promise)
    assert.equal("ERR_WAIT_WITHOUT_END", err.code)
    assert.equal("The loop has ended, so a wait for a promise would never end", err.message)
  end)

  it("raises an error when the loop is stopped before", function()
    local promise = Promise(nothing)
    local timer = timers.setTimeout(nothing, 100000)
    timers.setTimeout(cp.stop, 1)
    assert.equal("ERR_WAIT_STOPPED", support.error(promise.await, promise).code)
    timer:close()
  end)

  it("lets errors of callbacks out, and can be repeated", function()
    local promise = later(1)
    loop.nextTick(function() error("other", 0) end)
    assert.equal("other", support.error(promise.await, promise))
    assert.equal(1, promise:await())
  end)

  it("that was given up stops no loop afterwards", function()
    local promise, resolve = Promise.withResolvers()
    loop.nextTick(function() error("other", 0) end)
    assert.equal("other", support.error(promise.await, promise))
    local ended = false
    timers.setTimeout(resolve, 1)
    timers.setTimeout(function() ended = true end, 20)
    support.run()
    assert.is_true(ended)
  end)

  it("is an error in a callback of the loop, which cannot wait", function()
    local err
    local promise = Promise(nothing)
    timers.setTimeout(function() err = support.error(promise.await, promise) end, 0)
    support.run()
    assert.equal("ERR_WAIT_IN_CALLBACK", err.code)
  end)
end)

describe("Thousands that await one promise", function()
  local function waiting(amount)
    local promise, resolve = Promise.withResolvers()
    local threads = {}
    for number = 1, amount do
      threads[number] = coroutine.create(function() return promise:await() end)
      coroutine.resume(threads[number])
    end
    return threads, resolve
  end

  it("give up one by one, each for the same work", function()
    support.needClosing()
    for _, backwards in ipairs({false, true}) do
      steps.assertProportional(function(amount)
        local threads = waiting(amount)
        return function()
          for number = 1, amount do
            coroutine.close(threads[backwards and amount + 1 - number or number])
          end
        end, threads
      end)
    end
  end)

  it("go on in their order, but for those that have given up", function()
    local promise, resolve = Promise.withResolvers()
    local order, threads = {}, {}
    for number = 1, 20 do
      threads[number] = coroutine.create(function()
        promise:await()
        order[#order + 1] = number
      end)
      coroutine.resume(threads[number])
    end
    local expected = {}
    for number = 1, 20 do
      if support.closesVariables and number % 3 == 2 then
        coroutine.close(threads[number])
      else
        expected[#expected + 1] = number
      end
    end
    resolve()
    support.run()
    assert.same(expected, order)
  end)

  it("leave a rejection unhandled when all have given up", function()
    support.needClosing()
    local promise, _, reject = Promise.withResolvers()
    for _ = 1, 2 do
      local thread = coroutine.create(function() promise:await() end)
      coroutine.resume(thread)
      coroutine.close(thread)
    end
    reject("why")
    assert.equal("why", support.error(cp.run))
    support.run()
  end)
end)

describe("Promise.all", function()
  it("is fulfilled with the values in their places", function()
    assert.same({1, 2, 3}, Promise.all({later(1, "more"), 2, Promise.resolve(3)}):await())
    assert.same({}, Promise.all({}):await())
  end)

  it("keeps the places of nil", function()
    local values = Promise.all({1, nil, later(3), nil, later(5)}):await()
    assert.same({[1] = 1, [3] = 3, [5] = 5}, values)
  end)

  it("is rejected with the first reason, and looks at the others", function()
    local promise = Promise.all({later(1), failing("x"), failing("y")})
    assert.equal("x", support.error(promise.await, promise))
    support.run()
  end)
end)

describe("Promise.allSettled", function()
  it("has the outcome of each", function()
    assert.same({
      {status = "fulfilled", value = 1}, {status = "rejected", reason = "x"},
      {status = "fulfilled", value = 2},
    }, Promise.allSettled({later(1), failing("x"), 2}):await())
    assert.same({}, Promise.allSettled({}):await())
  end)
end)

describe("Promise.race", function()
  it("has the outcome of the first that is settled", function()
    assert.equal(2, Promise.race({Promise(nothing), 2}):await())
    local promise = Promise.race({failing("x"), later()})
    assert.equal("x", support.error(promise.await, promise))
    support.run()
  end)
end)

describe("Promise.any", function()
  it("has the value of the first that is fulfilled", function()
    assert.equal(1, Promise.any({failing("x"), later(1)}):await())
  end)

  it("is rejected with all reasons when none is fulfilled", function()
    local promise = Promise.any({failing("x"), Promise.reject("y")})
    local err = support.error(promise.await, promise)
    assert.equal("AggregateError: All promises were rejected", tostring(err))
    assert.same({"x", "y"}, err.errors)
    promise = Promise.any({})
    assert.same({}, support.error(promise.await, promise).errors)
  end)
end)

describe("Promise.all, race and any", function()
  local function held(promise)
    local count = 0
    for _ in pairs(promise._reactions or {}) do count = count + 1 end
    return count
  end

  it("leave nothing at a promise that they do not wait for any more", function()
    local never = Promise(nothing)
    for _ = 1, 10 do
      local failed = Promise.all({never, Promise.reject("x")})
      assert.equal("x", support.error(failed.await, failed))
      assert.equal(1, Promise.race({never, 1, never}):await())
      assert.equal(1, Promise.any({never, later(1)}):await())
    end
    assert.equal(0, held(never))
    local waiting = Promise.race({never})
    assert.equal(1, held(never))
    assert.equal("Promise (pending)", tostring(waiting))
  end)

  it("have handled what is rejected later", function()
    local promise, _, reject = Promise.withResolvers()
    Promise.race({promise, 1}):await()
    reject("too late")
    support.run()
  end)
end)

describe("Promise.all, allSettled, race and any", function()
  it("take a table", function()
    for _, name in ipairs({"all", "allSettled", "race", "any"}) do
      assert.equal("ERR_INVALID_ARG_TYPE", support.error(Promise[name], "x").code)
    end
  end)
end)

describe("An unhandled rejection", function()
  it("comes out of run", function()
    local reason = {}
    Promise.reject(reason)
    assert.equal(reason, support.error(cp.run))
    support.run()
  end)

  it("comes when all ticks are over, in which somebody could have handled it", function()
    local order = {}
    local promise = Promise.reject("handled")
    Promise.reject("not handled")
    loop.nextTick(function()
      loop.nextTick(function()
        order[#order + 1] = "last tick"
        promise:catch(nothing)
      end)
    end)
    timers.setImmediate(function() order[#order + 1] = "immediate" end)
    assert.equal("not handled", support.error(cp.run))
    assert.same({"last tick"}, order)
    support.run()
    assert.same({"last tick", "immediate"}, order)
  end)

  it("comes after the code whose wait outside of coroutines has ended meanwhile", function()
    local first, _, rejectFirst = Promise.withResolvers()
    local second, _, rejectSecond = Promise.withResolvers()
    timers.setTimeout(function()
      Promise.reject("not handled")
      rejectFirst("first")
      rejectSecond("second")
    end, 1)
    assert.equal("first", support.error(first.await, first))
    assert.equal("second", support.error(second.await, second))
    assert.equal("not handled", support.error(cp.run))
    support.run()
  end)

  it("is one for each promise that nobody has handled", function()
    Promise.reject("a")
    Promise.reject("b"):andThen(nothing):finally(nothing)
    assert.equal("a", support.error(cp.run))
    assert.equal("b", support.error(cp.run))
    support.run()
  end)

  it("shows where it came from", function()
    local err = require("child_process.errors").Error("x")
    local function culprit() Promise.reject(err) end
    culprit()
    assert.equal(err, support.error(cp.run))
    assert.matches("culprit", loop.traceback())
    assert.matches("culprit", err.traceback)
    Promise.resolve():andThen(function() error("text") end)
    assert.matches("promise_spec", support.error(cp.run))
    assert.matches("promise/promise_spec.lua:%d+: in function", loop.traceback())
  end)

  it("that is nil is raised like any other", function()
    Promise.reject(nil)
    assert.same({pcall(error)}, {pcall(cp.run)}) -- Lua 5.5 makes a text of nil
    support.run()
  end)

  it("goes to the listeners of uncaughtException, with its origin", function()
    assert.equal("x unhandledRejection\n", support.runScript([[
      local process = require("child_process.process")
      process:on("uncaughtException", function(err, origin) print(err .. " " .. origin) end)
      require("child_process.promise").reject("x")
      cp.run()
    ]]))
  end)

  it("ends a forked child with 1, and a report", function()
    local child = messages.fork([[
      require("child_process.promise").reject(
        require("child_process.errors").Error("nobody handles it"))
    ]], {silent = true})
    local _, stderr = support.output(child)
    assert.equal(1, child.exitCode)
    assert.matches("nobody handles it", stderr)
    assert.matches("script.lua:1: in", stderr)
  end)

  it("goes to the listeners of uncaughtException of a forked child", function()
    local child = messages.fork([[
      process:on("uncaughtException", function(err, origin) process:send(err .. " " .. origin) end)
      require("child_process.promise").reject("x")
    ]])
    local received = messages.received(child)
    support.run()
    assert.same({"x unhandledRejection"}, received)
    assert.equal(0, child.exitCode)
  end)
end)

describe("promisify", function()
  it("makes a promise of what a callback gets", function()
    local add = cp.promisify(function(a, b, callback)
      timers.setTimeout(callback, 1, nil, a + b, "more")
    end)
    assert.same({3, "more"}, {add(1, 2):await()})
  end)

  it("keeps arguments that are nil in their places", function()
    local got = cp.promisify(function(a, b, c, callback) callback(nil, a, b, c) end)
    assert.same({nil, 2, nil, n = 3}, compat.pack(got(nil, 2, nil):await()))
  end)

  it("rejects with the callback's error, or with what is raised", function()
    local promise = cp.promisify(function(callback) callback("x") end)()
    assert.equal("x", support.error(promise.await, promise))
    promise = cp.promisify(function() error("y", 0) end)()
    assert.equal("y", support.error(promise.await, promise))
  end)

  it("takes a function", function()
    local err = support.error(cp.promisify, 1)
    assert.equal("ERR_INVALID_ARG_TYPE", err.code)
    assert.matches('"original"', err.message)
  end)

  it("knows exec and execFile", function()
    assert.equal(cp.promises.exec, cp.promisify(cp.exec))
    assert.equal(cp.promises.execFile, cp.promisify(cp.execFile))
  end)
end)

for name, call in pairs({
  exec = function(script, options) return cp.promises.exec(script, options) end,
  execFile = function(script, options)
    return cp.promises.execFile("sh", {"-c", script}, options)
  end,
}) do
  describe("The promisified " .. name, function()
    it("returns a Promise for an Object with stdout and stderr properties", function()
      local promise = call("echo out; echo err >&2")
      assert.is_true(Promise.isPromise(promise))
      assert.same({stdout = "out\n", stderr = "err\n"}, promise:await())
    end)

    it("has the returned ChildProcess instance attached to the Promise as a child property",
      function()
        local promise = call("exit 0")
        assert.is_true(promise.child.pid > 0)
        promise:await()
        assert.equal(0, promise.child.exitCode)
      end)

    it("in case of an error, including any error resulting in an exit code other than 0, is "
      .. "rejected with the same error object as the callback, and stdout and stderr", function()
      local promise = call("echo out; echo err >&2; exit 3")
      local err = support.error(promise.await, promise)
      assert.equal(3, err.code)
      assert.is_false(err.killed)
      assert.equal("out\n", err.stdout)
      assert.equal("err\n", err.stderr)
      assert.matches("exit 3", err.cmd)
      assert.matches("^Command failed: ", err.message)
    end)

    it("is rejected when a limit is exceeded, with what there was", function()
      local promise = call("echo 12345; exec cat", {maxBuffer = 3})
      local err = support.error(promise.await, promise)
      assert.equal("ERR_CHILD_PROCESS_STDIO_MAXBUFFER", err.code)
      assert.equal("123", err.stdout)
      promise = call("exec cat", {timeout = 1, killSignal = "SIGINT"})
      err = support.error(promise.await, promise)
      assert.equal("SIGINT", err.signal)
      assert.is_true(err.killed)
    end)

    it("raises errors in its arguments at once", function()
      assert.equal("ERR_OUT_OF_RANGE", support.error(call, "x", {timeout = -1}).code)
      assert.equal("ERR_INVALID_ARG_TYPE", support.error(call, 1, "x").code)
    end)

    it("takes no callback, which nobody would call", function()
      for _, promised in ipairs({cp.promises.exec, cp.promises.execFile}) do
        assert.equal("ERR_INVALID_ARG_TYPE", support.error(promised, "true", print).code)
      end
      assert.equal("ERR_INVALID_ARG_TYPE",
        support.error(cp.promises.execFile, "true", {}, print).code)
    end)

    it("runs no loop by itself, and its rejection is raised there", function()
      local promise = call("exit 3")
      assert.equal(3, support.error(cp.run).code)
      assert.equal(3, promise.child.exitCode)
    end)
  end)
end

describe("The promisified execFile", function()
  it("takes options instead of arguments", function()
    assert.equal("/\n", cp.promises.execFile("pwd", {cwd = "/"}):await().stdout)
  end)

  it("is rejected for a file that does not exist", function()
    local promise = cp.promises.execFile("/nonexistent/command", {"a"})
    local err = support.error(promise.await, promise)
    assert.equal("ENOENT", err.code)
    assert.equal("", err.stdout)
    assert.equal("", err.stderr)
  end)
end)

describe("A waiting that is given up", function()
  it("for another callback's error leaves a later rejection unhandled", function()
    local promise, _, reject = Promise.withResolvers()
    timers.setTimeout(function() error("other", 0) end, 1)
    assert.equal("other", support.error(promise.await, promise))
    reject("lost")
    assert.equal("lost", support.error(cp.run))
    support.run()
  end)

  it("for the error of the tick that rejects leaves the rejection unhandled", function()
    local promise, _, reject = Promise.withResolvers()
    loop.nextTick(function()
      reject("lost")
      error("other", 0)
    end)
    assert.equal("other", support.error(promise.await, promise))
    assert.equal("lost", support.error(cp.run))
    support.run()
  end)

  it("with its coroutine leaves a later rejection unhandled", function()
    support.needClosing()
    local promise, _, reject = Promise.withResolvers()
    local thread = coroutine.create(function() promise:await() end)
    assert(coroutine.resume(thread))
    assert(coroutine.close(thread))
    reject("lost")
    assert.equal("lost", support.error(cp.run))
    support.run()
  end)

  it("leaves one unhandled rejection where several waited", function()
    support.needClosing()
    local promise, _, reject = Promise.withResolvers()
    local threads = {}
    for index = 1, 2 do
      threads[index] = coroutine.create(function() promise:await() end)
      assert(coroutine.resume(threads[index]))
    end
    reject("lost")
    for _, thread in ipairs(threads) do assert(coroutine.close(thread)) end
    assert.equal("lost", support.error(cp.run))
    support.run()
  end)

  it("leaves nothing unhandled where somebody has listened since the rejection", function()
    support.needClosing()
    local promise, _, reject = Promise.withResolvers()
    local thread = coroutine.create(function() promise:await() end)
    assert(coroutine.resume(thread))
    reject("heard")
    local caught, calls = recorder()
    promise:catch(caught)
    assert(coroutine.close(thread))
    support.run()
    assert.equal("heard", calls[1][1])
  end)

  it("takes nothing from other callbacks of the promise", function()
    support.needClosing()
    local promise, _, reject = Promise.withResolvers()
    local caught, calls = recorder()
    promise:catch(caught)
    local thread = coroutine.create(function() promise:await() end)
    assert(coroutine.resume(thread))
    assert(coroutine.close(thread))
    reject("heard")
    support.run()
    assert.equal("heard", calls[1][1])
  end)
end)

describe("The traceback of a rejection", function()
  it("is not that of an earlier one with the same text", function()
    assert.equal("same", support.error(function() failing("same"):await() end))
    local raised = cp.async(function() error("same", 0) end)
    raised:catch(nothing)
    assert.is_nil(raised._traceback:find("awaited in", 1, true))
    assert.equal("same", support.error(function() failing("same"):await() end))
    local rejected = Promise.reject("same")
    rejected:catch(nothing)
    assert.is_nil(rejected._traceback:find("awaited in", 1, true))
    support.run()
  end)

  it("goes on where a text was awaited", function()
    local promise = cp.async(function() failing("text"):await() end)
    assert.equal("text", support.error(promise.await, promise))
    assert.matches("awaited in", promise._traceback)
  end)

  it("shows where a command was started, and where it was awaited", function()
    local function starter() return (cp.promises.exec("exit 3")) end
    local err = support.error(function()
      local promise = starter()
      promise:await()
    end)
    local started, awaited = err.traceback:match("(.*)awaited in:(.*)")
    assert.matches("'starter'", started)
    assert.is_nil(awaited:find("'starter'", 1, true))
  end)

  it("is not doubled where a command was awaited by the line that started it", function()
    local err = support.error(function()
      local result = cp.promises.exec("exit 3"):await()
      return result
    end)
    assert.matches("^stack traceback:\n\tspec/promise/promise_spec.lua:%d+: in function ",
      err.traceback)
    assert.is_nil(err.traceback:find("awaited in", 1, true))
  end)

  it("does not keep the error alive", function()
    local kept = setmetatable({}, {__mode = "k"})
    do
      local reason = {}
      kept[reason] = true
      assert.equal(reason, support.error(function() failing(reason):await() end))
    end
    support.run()
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(kept))
  end)
end)

describe("An error that comes out of run", function()
  it("is left as it is where it is no Error", function()
    local strict = setmetatable({}, {__index = function() error("no such field") end})
    cp.async(function() error(strict) end)
    assert.is_true(rawequal(strict, support.error(cp.run)))
    local foreign = {traceback = "its own"}
    cp.async(function() error(foreign) end)
    assert.equal(foreign, support.error(cp.run))
    assert.equal("its own", foreign.traceback)
    support.run()
  end)
end)
