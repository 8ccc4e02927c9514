-- The event loop: cp.run, cp.stop, errors raised in listeners, timers, nextTick, and foreign loops.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local loop = require("child_process.loop")
local ticks = require("child_process.base.ticks")
local net = require("child_process.net")
local process = require("child_process.process")
local support = require("spec.support")
local timers = require("child_process.timers")

describe("cp.run()", function()
  it("returns when nothing keeps the loop alive", function()
    assert.is_false(cp.run())
    local child = cp.spawn("true")
    assert.is_false(support.run())
    assert.equal(0, child.exitCode)
  end)

  it("may be called again and again", function()
    for i = 1, 3 do
      local child = cp.spawn("sh", {"-c", "exit " .. i})
      support.run()
      assert.equal(i, child.exitCode)
    end
  end)

  it("runs one iteration without waiting with 'nowait', and says whether something is still "
    .. "alive", function()
    assert.is_false(cp.run("nowait"))
    local child = cp.spawn("cat")
    assert.is_true(cp.run("nowait"))
    assert.is_nil(child.exitCode)
    child.stdin:finish()
    support.run()
    assert.is_false(cp.run("nowait"))
  end)

  it("runs one iteration with 'once', waiting for something to happen", function()
    local calls = 0
    timers.setTimeout(function() calls = calls + 1 end, 5)
    local later = timers.setTimeout(function() calls = calls + 1 end, 10000):unref()
    while calls == 0 do assert.is_boolean(cp.run("once")) end
    timers.clearTimeout(later)
    assert.equal(1, calls)
    assert.is_false(cp.run("once"))
  end)

  it("drives everything to the end in single iterations", function()
    local child = cp.spawn("sh", {"-c", "echo text; exit 2"})
    local stdout = support.collect(child.stdout)
    local turns = 0
    while cp.run("once") do turns = turns + 1 end
    assert.is_true(turns < 1000)
    assert.equal("text\n", stdout())
    assert.equal(2, child.exitCode)
  end)

  it("refuses a mode that it does not know", function()
    support.error(cp.run, "always")
  end)

  it("cannot be called from a listener", function()
    local err
    timers.setImmediate(function() err = support.error(cp.run) end)
    support.run()
    assert.is_not_nil(err)
    local child = cp.spawn("true")
    support.run()
    assert.equal(0, child.exitCode)
  end)
end)

describe("cp.stop()", function()
  it("makes run return", function()
    local child = cp.spawn("cat")
    child:on("spawn", function() cp.stop() end)
    assert.is_true(support.run())
    assert.is_nil(child.exitCode)
    child.stdin:finish()
    support.run()
    assert.equal(0, child.exitCode)
  end)

  it("lets the next run go on with what is left", function()
    local calls = {}
    timers.setImmediate(function()
      calls[#calls + 1] = "first"
      cp.stop()
    end)
    timers.setTimeout(function() calls[#calls + 1] = "second" end, 5)
    assert.is_true(cp.run())
    assert.same({"first"}, calls)
    assert.is_false(cp.run())
    assert.same({"first", "second"}, calls)
  end)
end)

describe("a descriptor that is always ready does not keep the rest from coming", function()
  -- A server that has the next connection already when its listener is called.
  local function busyServer(path, listener)
    local function connect() net.connect(path):destroy() end
    local server = net.createServer(function(socket)
      socket:destroy()
      connect()
      listener()
    end)
    server:listen(path, connect)
    return server
  end

  for what, interrupt in pairs({
    ["if its listener stops the loop"] = cp.stop,
    ["if its listener raises"] = function() error("again", 0) end,
  }) do
    it(what, function()
      local folder, calls, came = support.tmpdir(), 0, {}
      local function begin()
        net.connect(folder .. "/other"):destroy()
        process:once("SIGUSR2", function() came.signal = true end)
        process:kill(process.pid, "SIGUSR2")
        timers.setImmediate(function() came.immediate = true end)
        timers.setTimeout(function() came.timer = true end, 1)
        cp.spawnSync("sleep", {"0.01"}) -- longer than the timer
      end
      local busy = busyServer(folder .. "/busy", function()
        calls = calls + 1
        if calls == 5 then begin() end
        interrupt()
      end)
      local other = net.createServer(function(socket)
        socket:destroy()
        came.connection = true
      end)
      other:listen(folder .. "/other")
      support.inTime(function()
        for _ = 1, 50 do pcall(cp.run) end
      end)
      local cameMeanwhile = support.merge(came, {})
      busy:close()
      other:close()
      support.run()
      assert.is_true(calls > 10)
      assert.same({connection = true, immediate = true, signal = true, timer = true},
        cameMeanwhile)
    end)
  end
end)

describe("an error raised in a listener or callback", function()
  --- Registers a function in one of the places that the loop calls.
  local places = {
    ["a listener of 'spawn'"] = function(fn) cp.spawn("true"):on("spawn", fn) end,
    ["a listener of 'exit'"] = function(fn) cp.spawn("true"):on("exit", fn) end,
    ["a listener of 'close'"] = function(fn) cp.spawn("true"):on("close", fn) end,
    ["a listener of 'error'"] = function(fn) cp.spawn("/nonexistent/command"):on("error", fn) end,
    ["a listener of 'data'"] = function(fn) cp.spawn("echo").stdout:on("data", fn) end,
    ["a listener of 'end'"] = function(fn) cp.spawn("true").stdout:on("end", fn):resume() end,
    ["a callback of write"] = function(fn)
      local child = cp.spawn("cat", {stdio = {"pipe", "ignore", "ignore"}})
      child.stdin:write("x", fn)
      child.stdin:finish()
    end,
    ["a callback of execFile"] = function(fn) cp.execFile("true", fn) end,
    ["a timer"] = function(fn) timers.setTimeout(fn, 1) end,
    ["an immediate"] = function(fn) timers.setImmediate(fn) end,
    ["nextTick"] = function(fn) process:nextTick(fn) end,
  }

  for place, register in pairs(places) do
    it("comes out of run as it was raised: " .. place, function()
      local problem = {"any value"}
      register(function() error(problem) end)
      assert.is_true(rawequal(problem, support.error(support.run)))
      support.run()
      assert.same({}, support.zombies())
    end)
  end

  it("is the same string that was raised", function()
    timers.setImmediate(function() error("in an immediate", 0) end)
    assert.equal("in an immediate", support.error(cp.run))
    timers.setImmediate(function() error("with a position") end)
    assert.matches("loop_spec%.lua:%d+: with a position$", support.error(cp.run))
  end)

  it("may be nil", function()
    timers.setImmediate(function() error(nil) end)
    local ok, err = pcall(cp.run)
    assert.is_false(ok)
    assert.equal(support.error(error), err) -- Lua 5.5 has a text for it
  end)

  it("keeps its traceback when it is an Error object", function()
    local errors = require("child_process.errors")
    local function culprit() error(errors.Error("traced")) end
    timers.setImmediate(function() culprit() end)
    local err = support.error(cp.run)
    assert.equal("Error: traced", tostring(err))
    assert.matches("culprit", err.traceback, 1, true)
  end)

  it("stops the loop; run may be called again and goes on with what is left", function()
    local child = cp.spawn("sh", {"-c", "cat; exit 3"})
    local events = support.events(child)
    child:on("spawn", function() error("in spawn", 0) end)
    child.stdin:finish("input")
    local stdout = support.collect(child.stdout)
    assert.equal("in spawn", support.error(cp.run))
    assert.same({"spawn"}, events)
    support.run()
    assert.equal("input", stdout())
    assert.same({"spawn", "exit 3 nil", "close 3 nil"}, events)
  end)

  it("stops the loop before anything else is called", function()
    local called = false
    timers.setTimeout(function() error("first", 0) end, 1)
    local later = timers.setTimeout(function() called = true end, 5000)
    assert.equal("first", support.error(cp.run))
    assert.is_false(called)
    timers.clearTimeout(later)
    support.run()
  end)

  it("does not lose what was to be called after it", function()
    local calls = {}
    process:nextTick(function() calls[#calls + 1] = "first tick" end)
    process:nextTick(function() error("on the way", 0) end)
    process:nextTick(function() calls[#calls + 1] = "last tick" end)
    assert.equal("on the way", support.error(cp.run))
    assert.same({"first tick"}, calls)
    support.run()
    assert.same({"first tick", "last tick"}, calls)
  end)

  it("comes out one by one when there are several", function()
    for i = 1, 3 do
      process:nextTick(function() error("error " .. i, 0) end)
    end
    local seen = {}
    for i = 1, 3 do seen[i] = support.error(cp.run) end
    assert.same({"error 1", "error 2", "error 3"}, seen)
    support.run()
  end)

  it("leaves code that LuaJIT has compiled in the coroutine that has called run", function()
    assert.equal("false\t84\n", support.runScript([[
      local core = require("child_process.core")
      local function count(last)
        local sum = 0
        for number = 1, last do
          if number % 10 == 0 then sum = sum - 0.6 else sum = sum + 1 end
        end
        return sum
      end
      for _ = 1, 100 do count(1000) end
      require("child_process.timers").setImmediate(function() error("in a callback") end)
      local ok = pcall(core.run)
      print(ok, ("%.0f"):format(count(100)))
    ]]))
  end)

  it("is what an 'error' event without a listener is", function()
    cp.spawn("/nonexistent/command")
    assert.equal("Error: spawn /nonexistent/command ENOENT", tostring(support.error(cp.run)))
    support.run()
  end)

  it("comes out of a script with its message and ends it, as an uncaught exception ends "
    .. "Node", function()
    local child = cp.spawn(support.lua, {support.script([[
      local cp = require("child_process")
      cp.spawn("true"):on("exit", function() error("not caught") end)
      cp.run()
      print("never")
    ]])})
    local stdout, stderr = support.output(child)
    assert.equal("", stdout)
    assert.matches("not caught", stderr, 1, true)
    assert.equal(1, child.exitCode)
  end)
end)

describe("process:nextTick", function()
  it("comes before timers and immediates, and ticks of a tick with it", function()
    local order = {}
    local function note(name) return function() order[#order + 1] = name end end
    timers.setImmediate(note("immediate"))
    timers.setTimeout(note("timer"), 1)
    process:nextTick(function()
      order[#order + 1] = "tick"
      process:nextTick(note("tick of a tick"))
    end)
    process:nextTick(note("second tick"))
    support.run()
    assert.same({"tick", "second tick", "tick of a tick"}, {order[1], order[2], order[3]})
    assert.equal(5, #order)
  end)

  it("comes after each callback, before the next one", function()
    local order = {}
    for i = 1, 2 do
      timers.setImmediate(function()
        order[#order + 1] = "immediate " .. i
        process:nextTick(function() order[#order + 1] = "tick " .. i end)
      end)
    end
    support.run()
    assert.same({"immediate 1", "tick 1", "immediate 2", "tick 2"}, order)
  end)

  it("hands over its arguments, nil included", function()
    local received
    process:nextTick(function(...) received = compat.pack(...) end, 1, nil, "three", nil)
    support.run()
    assert.same({1, nil, "three", nil, n = 4}, received)
  end)

  it("is enough to make run work, without anything else alive", function()
    local called
    process:nextTick(function() timers.setImmediate(function() called = true end) end)
    support.run()
    assert.is_true(called)
  end)
end)

describe("child_process.timers", function()
  it("setTimeout calls once after the delay, with the arguments", function()
    local calls = {}
    timers.setTimeout(function(...) calls[#calls + 1] = compat.pack(...) end, 1, "a", nil, 3)
    support.run()
    assert.same({{"a", nil, 3, n = 3}}, calls)
  end)

  it("setTimeout calls in the order of the delays, and of the calls where these are "
    .. "equal", function()
    local order = {}
    for _, ms in ipairs({20, 1, 10, 1, 10}) do
      timers.setTimeout(function() order[#order + 1] = ms .. "/" .. #order end, ms)
    end
    support.run()
    assert.same({"1/0", "1/1", "10/2", "10/3", "20/4"}, order)
  end)

  it("setTimeout takes no delay, 0, a negative or a fractional one", function()
    local calls = 0
    for _, ms in ipairs({false, 0, -5, 0.5}) do
      timers.setTimeout(function() calls = calls + 1 end, ms or nil)
    end
    support.run()
    assert.equal(4, calls)
  end)

  it("clearTimeout cancels it", function()
    local called = false
    timers.clearTimeout(timers.setTimeout(function() called = true end, 1))
    support.run()
    assert.is_false(called)
  end)

  it("clearTimeout may be called twice, after the call, within it, and with nil", function()
    local timer
    timer = timers.setTimeout(function() timers.clearTimeout(timer) end, 1)
    support.run()
    timers.clearTimeout(timer)
    timers.clearTimeout(timer)
    timers.clearTimeout(nil)
    support.run()
  end)

  it("setInterval calls again and again until clearInterval", function()
    local calls, timer = {}, nil
    timer = timers.setInterval(function(word)
      calls[#calls + 1] = word
      if #calls == 3 then timers.clearInterval(timer) end
    end, 1, "tick")
    support.run()
    assert.same({"tick", "tick", "tick"}, calls)
  end)

  it("setImmediate calls once in the next iteration, with the arguments", function()
    local calls = {}
    timers.setImmediate(function(...) calls[#calls + 1] = compat.pack(...) end, "a", nil)
    support.run()
    assert.same({{"a", nil, n = 2}}, calls)
  end)

  it("setImmediate within an immediate comes in the iteration after", function()
    local order = {}
    timers.setImmediate(function()
      order[#order + 1] = "first"
      timers.setImmediate(function() order[#order + 1] = "nested" end)
    end)
    timers.setImmediate(function() order[#order + 1] = "second" end)
    support.run()
    assert.same({"first", "second", "nested"}, order)
  end)

  it("clearImmediate cancels it, also from another immediate", function()
    local called, second = false, nil
    timers.setImmediate(function() timers.clearImmediate(second) end)
    second = timers.setImmediate(function() called = true end)
    support.run()
    assert.is_false(called)
  end)

  it("unref lets the loop end before the timer, ref takes that back, hasRef shows it", function()
    local called = false
    local timer = timers.setTimeout(function() called = true end, 300)
    assert.is_true(timer:hasRef())
    assert.equal(timer, timer:unref())
    assert.is_false(timer:hasRef())
    support.run()
    assert.is_false(called)
    assert.equal(timer, timer:ref())
    support.run()
    assert.is_true(called)
  end)

  it("unref and ref work on intervals and immediates", function()
    local interval = timers.setInterval(function() end, 1):unref()
    local immediate = timers.setImmediate(function() end):unref()
    assert.is_false(interval:hasRef())
    assert.is_false(immediate:hasRef())
    support.run()
    timers.clearInterval(interval)
    timers.clearImmediate(immediate)
  end)

  it("refresh starts the delay anew, also after the call", function()
    local calls = 0
    local timer
    timer = timers.setTimeout(function()
      calls = calls + 1
      if calls < 3 then assert.equal(timer, timer:refresh()) end
    end, 1)
    support.run()
    assert.equal(3, calls)
  end)

  it("a timer that nobody holds is called nevertheless", function()
    local called = false
    timers.setTimeout(function() called = true end, 1)
    timers.setImmediate(function() collectgarbage() end)
    support.run()
    assert.is_true(called)
  end)

  it("raise a TypeError when the callback is not a function", function()
    for _, name in ipairs({"setTimeout", "setInterval", "setImmediate"}) do
      local err = support.error(timers[name], 1)
      assert.equal("ERR_INVALID_ARG_TYPE", err.code)
      assert.matches('"callback"', err.message, 1, true)
    end
  end)
end)

describe("child_process.loop", function()
  it("alive() says in callbacks of timers, too, whether anything keeps the loop alive", function()
    local said = {}
    local function say() said[#said + 1] = loop.alive() end
    collectgarbage()
    cp.run("nowait") -- closes the handles of garbage, which count until then
    timers.setTimeout(say, 1)
    cp.run()
    timers.setTimeout(function()
      timers.setTimeout(say, 1)
      say()
    end, 1)
    cp.run()
    assert.same({false, true, false}, said)
  end)

  it("handles() names what keeps the loop alive", function()
    assert.same({}, loop.handles())
    local child = cp.spawn("cat")
    assert.is_true(#loop.handles() > 0)
    for _, text in ipairs(loop.handles()) do assert.equal("string", type(text)) end
    child.stdin:finish()
    support.run()
    assert.same({}, loop.handles())
  end)

  describe("timeout()", function()
    local child

    before_each(function()
      -- a handle of an earlier test that is collected gives the loop something to do
      collectgarbage("stop")
      child = cp.spawn("cat", {stdio = {"pipe", "ignore", "ignore"}})
      child:on("spawn", function() cp.stop() end)
      support.run()
    end)

    after_each(function()
      collectgarbage("restart")
      child.stdin:finish()
      support.run()
    end)

    --- The timeout after the iterations that recent changes ask for.
    local function settled()
      while loop.timeout() == 0 do loop.run("nowait") end
      return loop.timeout()
    end

    it("is nil while nothing but events is awaited", function()
      local ms = settled()
      -- without pidfds the child is looked after from time to time
      assert.is_true(ms == nil or not support.hasPidfds())
    end)

    it("is the milliseconds until the next timer", function()
      local timer = timers.setTimeout(function() end, 10000)
      local ms = settled()
      timers.clearTimeout(timer)
      assert.is_true(ms > 0 and ms <= 10000)
    end)

    it("is nil when nothing keeps the loop alive, and as long as until the next unreferenced "
      .. "timer if there is one", function()
      child:unref()
      child.stdin:unref()
      settled()
      assert.is_false(loop.alive())
      assert.is_true(loop.timeout() == nil or not support.hasPidfds())
      local calls = 0
      local far = timers.setTimeout(function() end, 1e6):unref()
      assert.is_true(settled() > 0)
      timers.setTimeout(function() calls = calls + 1 end, 10):unref()
      assert.is_true(loop.timeout() <= 10)
      while calls == 0 do loop.run("nowait") end
      assert.is_true(settled() ~= 0)
      timers.clearTimeout(far)
      child:ref()
    end)

    it("is 0 for an immediate or a tick that waits", function()
      settled()
      timers.setImmediate(function() end)
      assert.equal(0, loop.timeout())
      settled()
      process:nextTick(function() end)
      assert.equal(0, loop.timeout())
    end)
  end)

  it("fd(), timeout() and run('nowait') let an application with a loop of its own drive "
    .. "ours", function()
    local script = support.script(([[
      package.cpath = "%s/?.so;" .. package.cpath
      local host = require("host")
      local cp = require("child_process")
      local loop = require("child_process.loop")
      local timers = require("child_process.timers")
      local child = cp.spawn("sh", {"-c", "cat; exit 5"})
      child.stdout:on("data", function(data) io.write(data) end)
      child:on("close", function(code) io.write("close ", code, "\n") end)
      timers.setTimeout(function() child.stdin:finish("from a timer\n") end, 5)
      local turns = 0
      while loop.run("nowait") do
        host.poll(loop.fd(), loop.timeout())
        turns = turns + 1
      end
      print(turns < 100 or turns)
    ]]):format(support.hostModule()))
    local child = cp.spawn(support.lua, {script})
    assert.equal("from a timer\nclose 5\ntrue\n", (support.output(child)))
  end)

  it("fd() and run('nowait') report what does not keep the loop alive, too", function()
    local output = support.runScript(([[
      package.cpath = "%s/?.so;" .. package.cpath
      local host = require("host")
      local loop = require("child_process.loop")
      local process = require("child_process.process")
      local timers = require("child_process.timers")
      local seen = {}
      process:on("SIGUSR1", function() seen[#seen + 1] = "signal" end)
      timers.setTimeout(function() seen[#seen + 1] = "timer" end, 1):unref()
      local child = cp.spawn("sh", {"-c", "kill -USR1 $PPID; sleep 0.1"}, {stdio = "ignore"})
      child:on("exit", function() seen[#seen + 1] = "exit" end)
      child:unref()
      local turns = 0
      loop.run("nowait")
      while #seen < 3 do
        host.poll(loop.fd(), loop.timeout())
        loop.run("nowait")
        turns = turns + 1
      end
      table.sort(seen)
      print(table.concat(seen, " "), turns < 100 or turns)
    ]]):format(support.hostModule()))
    assert.equal("exit signal timer\ttrue\n", output)
  end)

  describe("in a program that brings its own loop of libuv", function()
    --- Runs a script in a state that uses a C program's loop, to its end.
    local function outputOf(text)
      local guest = support.script(([[
        local cp = require("child_process")
        local timers = require("child_process.timers")
        %s
      ]]):format(text))
      local child = cp.spawn(support.lua, {support.script([[
        package.cpath = arg[1] .. "/?.so;" .. package.cpath
        print("left", require("host").runOnOwnLoop(arg[2]))
      ]]), support.hostModule(), guest})
      return support.outputOfSuccess(child)
    end

    it("everything is driven by that program", function()
      assert.equal("input\nclose 5\nleft\ttrue\n", outputOf([[
        local child = cp.spawn("sh", {"-c", "cat; exit 5"})
        child.stdout:on("data", function(data) io.write(data) end)
        child:on("close", function(code) io.write("close ", code, "\n") end)
        timers.setTimeout(function() child.stdin:finish("input\n") end, 5)
      ]]))
    end)

    it("errors of listeners are kept, and come out of the next run one by one", function()
      assert.equal("last\nfalse\tone\nfalse\ttwo\ntrue\tfalse\nleft\ttrue\n", outputOf([[
        timers.setImmediate(function() error("one", 0) end)
        timers.setImmediate(function() error("two", 0) end)
        timers.setTimeout(function() print("last") end, 20)
        function finish()
          for _ = 1, 3 do print(pcall(cp.run)) end
        end
      ]]))
    end)

    it("run cannot be called in a callback", function()
      local stdout = outputOf([[
        cp.exec("echo text", function(_, stdout)
          io.write(stdout)
          print(pcall(cp.run))
          cp.exec("echo more", function(_, rest) io.write(rest) end)
        end)
      ]])
      assert.matches("^text\nfalse\t[^\n]*run was called from a callback of the running loop\n"
        .. "more\nleft\ttrue\n$", stdout)
    end)

    it("closing the state with everything open leaves nothing in the loop", function()
      assert.equal("left\ttrue\n", outputOf([[
        local child = cp.spawn("cat")
        child:unref()
        for fd = 0, 2 do child.stdio[fd]:unref() end
        child.stdout:on("data", function() end)
        child.stdin:write(("x"):rep(1000000))
        timers.setTimeout(function() end, 1000000):unref()
      ]]))
    end)
  end)

  it("raises errors of listeners out of run('nowait'), too", function()
    timers.setImmediate(function() error("seen by the host", 0) end)
    assert.equal("seen by the host", support.error(loop.run, "nowait"))
    support.run()
  end)
end)

describe("ticks.afterTicks", function()
  it("calls several functions when no tick is left, also of those that they add", function()
    local order = {}
    local function note(name) order[#order + 1] = name end
    ticks.afterTicks(function()
      note("first")
      ticks.tick(note, "tick of the first")
    end)
    ticks.afterTicks(function() note("second") end)
    ticks.tick(note, "tick")
    support.run()
    assert.same({"tick", "first", "tick of the first", "second"}, order)
  end)

  it("calls the next one after one that raises", function()
    local called
    ticks.afterTicks(function() error("first", 0) end)
    ticks.afterTicks(function() called = true end)
    assert.equal("first", support.error(cp.run))
    support.run()
    assert.is_true(called)
  end)
end)

describe("Ctrl-C ends a script of the stock interpreter while it waits", function()
  local SERVER = [[
    local cp = require("child_process")
    local net = require("child_process.net")
    local timers = require("child_process.timers")
    net.createServer():listen(0)
    timers.setImmediate(function() print("waiting") io.stdout:flush() end)
  ]]

  --- Runs a script that prints "waiting", and then sends it a signal.
  local function interrupted(text)
    local child = cp.spawn(support.lua, {support.script(SERVER .. text)})
    local stdout, stderr = support.collect(child.stdout), support.collect(child.stderr)
    child.stdout:once("data", function() child:kill("SIGINT") end)
    support.run()
    return child, stdout(), stderr()
  end

  for place, text in pairs({
    ["in run"] = "cp.run()",
    ["in a run of one turn"] = "while cp.run('once') do end",
    ["in a run in a coroutine"]
      = "assert(coroutine.resume(coroutine.create(function() cp.run() end)))",
    ["in an await outside of coroutines"]
      = "cp.promises.exec('exec sleep 1000', {killOnParentExit = true}):await()",
    ["in a loop over a stream"]
      = "local child = cp.spawn('sleep', {'1000'}, {killOnParentExit = true})"
        .. "for _ in child.stdout:lines() do end",
  }) do
    it(place, function()
      local child, _, stderr = interrupted(text)
      assert.matches("interrupted!", stderr, 1, true)
      assert.equal(1, child.exitCode)
    end)
  end

  it("and what is left can go on after that", function()
    local _, stdout = interrupted([[
      print(pcall(cp.run))
      timers.setTimeout(function() print("still here") os.exit(0) end, 1)
      cp.run()
    ]])
    -- LuaJIT says where
    assert.matches("^waiting\nfalse\t[^\n]*interrupted!\nstill here\n$", stdout)
  end)
end)
