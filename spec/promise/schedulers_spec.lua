-- Waiting in coroutines that belong to another scheduler: one that resumes them round and round,
-- one that wakes them, cqueues.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local loop = require("child_process.loop")
local settling = require("spec.support.promises")
local support = require("spec.support")
local timers = require("child_process.timers")
local Promise = require("child_process.promise")

local failing, later = settling.failing, settling.later

--- Resumes all coroutines until all have ended, and runs the loop between the rounds. Assumes,
--- as such schedulers do, that a coroutine ends only where it is resumed here.
local function roundRobin(threads)
  support.inTime(function()
    while #threads > 0 do
      for index = #threads, 1, -1 do
        assert(coroutine.resume(threads[index]))
        if coroutine.status(threads[index]) == "dead" then table.remove(threads, index) end
      end
      loop.run("nowait")
    end
  end)
end

describe("A scheduler that resumes its coroutines round and round", function()
  it("has them end in its own hands", function()
    local threads, ends = {}, {}
    for index = 1, 10 do
      threads[index] = coroutine.create(function()
        if index % 2 == 0 then
          ends[index] = tonumber(cp.promises.exec("echo " .. index):await().stdout)
        else
          ends[index] = cp.spawn("sh", {"-c", "exit " .. index}):wait("close")
        end
      end)
    end
    roundRobin(threads)
    assert.same({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, ends)
    support.run()
  end)

  it("may stop, and the loop resumes what still waits", function()
    local got
    local promise = later("value")
    local thread = coroutine.create(function() got = promise:await() end)
    assert(coroutine.resume(thread))
    assert(coroutine.resume(thread)) -- too early
    support.run()
    assert.equal("value", got)
  end)
end)

describe("A scheduler that wakes its coroutines", function()
  local ready, sleeping

  local function wake(thread)
    sleeping[thread] = nil
    ready[#ready + 1] = thread
  end

  local function sleep()
    sleeping[coroutine.running()] = true
    coroutine.yield("sleep")
  end

  local function schedule(fn)
    ready, sleeping = {coroutine.create(fn)}, {}
    support.inTime(function()
      while ready[1] or next(sleeping) do
        local thread = table.remove(ready, 1)
        if thread then
          assert(coroutine.resume(thread))
        else
          loop.run("once")
        end
      end
    end)
    support.run()
  end

  local function await(promise)
    local thread = coroutine.running()
    local function onSettled() wake(thread) end
    promise:andThen(onSettled, onSettled)
    sleep()
    return promise:await()
  end

  it("waits for results if promises wake it", function()
    local output
    schedule(function() output = await(cp.promises.exec("echo hi")).stdout end)
    assert.equal("hi\n", output)
  end)

  it("waits for failures if promises wake it", function()
    support.needYields()
    local ok, err
    schedule(function() ok, err = pcall(await, cp.promises.exec("exit 3")) end)
    assert.is_false(ok)
    assert.equal(3, err.code)
  end)

  it("may be woken by finally, and meet the failure then", function()
    local caught
    schedule(function()
      local thread = coroutine.running()
      local promise = failing("why")
      promise:finally(function() wake(thread) end)
      sleep()
      caught = support.error(promise.await, promise)
    end)
    assert.equal("why", caught)
  end)

  describe("and that loop.handleWait knows", function()
    local asked

    before_each(function()
      asked = 0
      loop.handleWait(function()
        local thread = coroutine.running()
        asked = asked + 1
        return sleep, function() wake(thread) end
      end)
    end)

    after_each(function() loop.handleWait(nil) end)

    it("has its coroutines wait for promises, events and streams", function()
      local seen = {}
      schedule(function()
        seen.output = cp.promises.exec("echo hi"):await().stdout
        local child = cp.spawn("sh", {"-c", "echo one; echo two; exit 3"})
        seen.text = child.stdout:readAll()
        seen.code = child:wait("close")
        seen.reason = failing("why"):catch(function(err) return err end):await()
      end)
      assert.same({output = "hi\n", text = "one\ntwo\n", code = 3, reason = "why"}, seen)
      assert.is_true(asked >= 3)
    end)

    it("may wake them too early", function()
      local got
      local promise, resolve = Promise.withResolvers()
      schedule(function()
        local thread = coroutine.running()
        timers.setImmediate(function()
          wake(thread)
          timers.setImmediate(resolve, "value")
        end)
        got = promise:await()
      end)
      assert.equal("value", got)
    end)

    it("is not asked for coroutines of cp.async", function()
      local got
      schedule(function()
        local promise = cp.async(function() return later("value"):await() end)
        assert.equal(0, asked)
        got = promise:await()
      end)
      assert.equal("value", got)
      assert.equal(1, asked)
    end)

    it("must return two functions or nothing", function()
      local text = 'Expected two functions, sleep and wake, or nothing to be returned from the '
        .. 'function that "loop.handleWait" has set, but got '
      for expected, prepare in pairs({
        ["a function and nil"] = function() return sleep end,
        ["type number (5) and nil"] = function() return 5 end,
        ["a function and type boolean (true)"] = function() return sleep, true end,
      }) do
        loop.handleWait(prepare)
        local err
        coroutine.wrap(function()
          local promise = later("value")
          err = support.error(promise.await, promise)
        end)()
        support.run()
        assert.equal("ERR_INVALID_RETURN_VALUE", err.code)
        assert.equal(text .. expected, err.message)
      end
    end)

    it("leaves others to us by returning nothing", function()
      loop.handleWait(function() asked = asked + 1 end)
      local got
      coroutine.wrap(function() got = later("value"):await() end)()
      support.run()
      assert.equal("value", got)
      assert.equal(1, asked)
    end)
  end)

  it("has a failure that nobody meets come out of run", function()
    failing("why"):finally(function() end)
    assert.equal("why", support.error(cp.run))
    local promise = failing("why")
    promise:catch(function() end)
    promise:finally(function() error("another", 0) end)
    assert.equal("another", support.error(cp.run))
    support.run()
  end)
end)

describe("A coroutine of cqueues", function()
  local cqueues, condition

  lazy_setup(function()
    local ok
    ok, cqueues = pcall(require, "cqueues")
    if ok then
      condition = require("cqueues.condition")
    else
      cqueues = nil
    end
  end)

  local function queue(...)
    if not cqueues then pending("cqueues is not installed") end
    local cq = cqueues.new()
    for _, fn in ipairs({...}) do cq:wrap(fn) end
    return cq
  end

  --- Drives the loop until `isDone()`; others start something meanwhile without its knowledge.
  local function driver(isDone)
    return function()
      repeat
        loop.run("nowait")
        local timeout = math.min(loop.timeout() or 10, 10)
        cqueues.poll({pollfd = loop.fd(), events = "r"}, timeout / 1000)
      until isDone()
    end
  end

  local function await(promise)
    local settled = condition.new()
    local function wake() settled:signal() end
    promise:andThen(wake, wake)
    settled:wait()
    return promise:await()
  end

  it("that waits gets an error that says what to do", function()
    support.needYields()
    local slept
    local errors = {}
    local cq = queue(function()
      local promise = cp.promises.exec("echo hi")
      local child = cp.spawn("true")
      errors[1] = support.error(promise.await, promise)
      errors[2] = support.error(child.wait, child, "close")
      errors[3] = support.error(child.stdout.readAll, child.stdout)
      cqueues.sleep(0.001)
      slept = true
    end, driver(function() return slept end))
    assert(cq:loop(20))
    assert.is_true(slept)
    for index = 1, 3 do
      assert.equal("ERR_WAIT_IN_SCHEDULER", errors[index].code)
      assert.matches("cqueues.*loop%.handleWait.*Event loops of Lua", errors[index].message)
    end
    support.run()
  end)

  describe("with an adapter", function()
    -- As examples/hosts/cqueues.lua does.
    before_each(function()
      loop.handleWait(function()
        if select(2, cqueues.running()) then
          local woken = condition.new()
          return function() woken:wait() end, function() woken:signal() end
        end
      end)
    end)

    after_each(function() loop.handleWait(nil) end)

    it("has coroutines inside it wait in our loop, or an error that says what they are", function()
      local err, got, own
      local promise = later("value")
      local cq = queue(function()
        local inner = coroutine.create(function() got = promise:await() end)
        local ok, failure = coroutine.resume(inner)
        if not ok then
          got, err = "value", failure
        end
        cp.async(function() own = promise:await() end)
      end, driver(function() return got and own end))
      assert(cq:loop(20))
      assert.same({"value", "value"}, {got, own})
      assert.equal(compat.yieldsAnywhere, err == nil)
      if err then
        assert.equal("ERR_WAIT_IN_SCHEDULER", err.code)
        assert.matches("cqueues.*handleWait has returned nothing for it.*protected call.*cp%.async",
          err.message)
        assert.is_nil(err.message:find("Tell loop.handleWait", 1, true))
      end
    end)
  end)

  it("awaits promises that wake it", function()
    local output, ended
    local cq = queue(function()
      output = await(cp.promises.exec("echo hi")).stdout
      ended = await(cp.async(function() return cp.spawn("sh", {"-c", "exit 4"}):wait("close") end))
    end, driver(function() return ended end))
    assert(cq:loop(20))
    assert.same({"hi\n", 4}, {output, ended})
  end)

  it("awaits promises that fail", function()
    support.needYields()
    local ok, err
    local cq = queue(function() ok, err = pcall(await, cp.promises.exec("exit 3")) end,
      driver(function() return err end))
    assert(cq:loop(20))
    assert.is_false(ok)
    assert.equal(3, err.code)
  end)

  it("that waits within a loop of cqueues in cp.async does not lose that function", function()
    support.needYields()
    local failure
    local promise = cp.async(function()
      local cq = queue(function()
        failure = support.error(Promise.await, later())
      end, function() cqueues.sleep(0.001) end)
      return cq:loop(20)
    end)
    assert.is_true(promise:await())
    assert.equal("ERR_WAIT_IN_SCHEDULER", failure.code)
    support.run()
  end)
end)
