-- Coroutines that still wait when the loop has ended: cp.run says which, and where.

local support = require("spec.support")

--- What a script says on stderr, and on stdout.
local function said(text)
  local stdout, stderr = support.runScript([[
    local Promise = require("child_process.promise")
    local events = require("child_process.events")
    local timers = require("child_process.timers")
  ]] .. text)
  return stderr, stdout
end

local function assertSilent(text)
  assert.equal("", (said(text)))
end

describe("A coroutine that nothing will resume when the loop has ended", function()
  it("is named by cp.run with what it waits for and where, and the result is false", function()
    local stderr, stdout = said([[
      kept = Promise(function() end)
      cp.async(function()
        local function deep() kept:await() end
        deep()
      end)
      io.write(tostring(cp.run()))
    ]])
    assert.equal("false", stdout)
    assert.matches("^%(lua%) UnfinishedWaitWarning: The loop has ended, and a coroutine waits for "
      .. "a promise:\n\t%S*script.lua:7: in %a+ 'deep'\n\t%S*script.lua:8: in", stderr)
  end)

  it("may wait for an event, of ours or of the program's own", function()
    local stderr = said([[
      kept = {cp.spawn("true"), events.EventEmitter()}
      cp.async(function() kept[1]:wait("message") end)
      coroutine.wrap(function() kept[2]:wait("x") end)()
      local next = events.on(kept[2], "y")
      cp.async(function() local value = next() return value end)
      cp.run()
    ]])
    assert.matches("and 3 coroutines still wait for what will not come", stderr, 1, true)
    assert.matches('One waits for event "message" of ChildProcess:\n\t%S*script.lua:6:', stderr)
    assert.matches('One waits for event "x" of EventEmitter:\n\t%S*script.lua:7:', stderr)
    assert.matches('One waits for event "y" of EventEmitter:\n\t%S*script.lua:9:', stderr)
  end)

  it("is named once", function()
    local stderr = said([[
      kept = events.EventEmitter()
      cp.async(function() kept:wait("x") end)
      cp.run()
      cp.run()
    ]])
    assert.equal(1, select(2, stderr:gsub("UnfinishedWait", "")))
  end)

  it("is named too when it is the cause that something else is awaited in vain", function()
    local stderr = said([[
      kept = events.EventEmitter()
      local promise = cp.async(function() kept:wait("x") end)
      print(pcall(promise.await, promise))
    ]])
    assert.matches('waits for event "x"', stderr, 1, true)
  end)

  it("is named among many", function()
    local stderr = said([[
      kept = events.EventEmitter()
      for _ = 1, 12 do cp.async(function() kept:wait("x") end) end
      cp.run()
    ]])
    assert.matches("12 coroutines", stderr, 1, true)
    assert.matches("and 2 more\n$", stderr)
  end)

  it("is named by a forked script, in its own stderr", function()
    local script = support.script([[
      kept = require("child_process.events").EventEmitter()
      require("child_process").async(function() kept:wait("x") end)
    ]])
    local stderr = said(("cp.fork(%q):on('error', print)\ncp.run()"):format(script))
    assert.matches('waits for event "x"', stderr, 1, true)
  end)
end)

describe("Nothing is said of a coroutine", function()
  it("that has gone on, was closed, or goes on in a later run", function()
    assertSilent([[
      cp.async(function() cp.spawn("true"):wait("close") end)
      local thread = coroutine.create(function() events.EventEmitter():wait("x") end)
      coroutine.resume(thread)
      if coroutine.close then
        coroutine.close(thread)
      else
        thread = nil
        for _ = 1, 3 do collectgarbage() end
      end
      cp.run()
    ]])
  end)

  it("that yields by itself", function()
    assertSilent([[
      kept = coroutine.create(function() coroutine.yield() end)
      coroutine.resume(kept)
      cp.run()
    ]])
  end)

  it("that a scheduler resumes while it waits", function()
    assertSilent([[
      kept = events.EventEmitter()
      local thread = coroutine.create(function() kept:wait("x") end)
      coroutine.resume(thread)
      coroutine.resume(thread)
      cp.run()
    ]])
  end)

  it("where somebody else drives the loop", function()
    assertSilent([[
      kept = events.EventEmitter()
      cp.async(function() kept:wait("x") end)
      while cp.run("nowait") do end
      cp.run()
    ]])
  end)

  it("when the loop was stopped", function()
    assertSilent([[
      kept = events.EventEmitter()
      cp.async(function() kept:wait("x") end)
      timers.setImmediate(cp.stop)
      timers.setTimeout(function() kept:emit("x") end, 1)
      cp.run()
      cp.run()
    ]])
  end)

  it("that was collected, for which it is not kept alive", function()
    assertSilent([[
      local seen = setmetatable({}, {__mode = "k"})
      cp.async(function()
        seen[coroutine.running()] = true
        events.EventEmitter():wait("x")
      end)
      collectgarbage()
      collectgarbage()
      assert(next(seen) == nil)
      cp.run()
    ]])
  end)
end)
