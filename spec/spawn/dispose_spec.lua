-- child:dispose, and blocks that end a child and wait for its end.

local cp = require("child_process")
local EventEmitter = require("child_process.events").EventEmitter
local process = require("child_process.process")
local Promise = require("child_process.promise")
local support = require("spec.support")
local timers = require("child_process.timers")

-- Says that it is ready, and goes on when it is asked to end.
local STUBBORN = "trap '' TERM; echo ready; exec sleep 600"

-- Says that it is ready, and ends when it is asked to.
local POLITE = "trap 'exit 5' TERM; echo ready; while :; do read line; done"

-- Starts a shell, and waits until it has said that it is ready.
local function started(script, options)
  local child = cp.spawn("sh", {"-c", script}, options)
  child.stdout:readLine()
  return child
end

-- Waits for the next iteration of the loop.
local function nextIteration()
  Promise.new(function(resolve) timers.setImmediate(resolve) end):await()
end

describe("child:dispose([options])", function()
  it("sends SIGTERM at once, and gives exit code and signal at \"close\"", function()
    local child = started(POLITE)
    local promise = child:dispose()
    assert.is_true(child.killed)
    local closed
    child:on("close", function() closed = true end)
    assert.equal(5, (promise:await()))
    assert.is_true(closed)
    assert.equal(5, child.exitCode)
    child = started("echo ready; exec sleep 600")
    local code, signal = child:dispose():await()
    assert.is_nil(code)
    assert.equal("SIGTERM", signal)
  end)

  it("sends SIGKILL after the grace", function()
    local child = started(STUBBORN)
    assert.equal("SIGKILL", select(2, child:dispose({grace = 20}):await()))
    assert.is_true(child.isForcefullyTerminated)
    child = started(STUBBORN, {forceKillAfterDelay = 20})
    assert.equal("SIGKILL", select(2, child:dispose():await()))
    child = started(STUBBORN)
    assert.equal("SIGKILL", select(2, child:dispose({grace = 0}):await()))
  end)

  it("may be called twice, and the shorter grace counts", function()
    local child = started(STUBBORN)
    local promise = child:dispose({grace = 3600000})
    assert.equal(promise, child:dispose({grace = 20}))
    assert.equal(promise, child:dispose({grace = 3600000}))
    assert.equal("SIGKILL", select(2, promise:await()))
    assert.equal(promise, child:dispose())
  end)

  it("raises an error before the start, and ends the child after that", function()
    local child = cp.ChildProcess()
    for _ = 1, 2 do
      local err = support.error(child.dispose, child)
      assert.equal("ChildProcess:dispose was called before the child was started", err.message)
    end
    child:spawn({file = "sleep", args = {"sleep", "600"}})
    assert.equal("SIGTERM", select(2, child:dispose():await()))

    local diagnostics = require("child_process.diagnostics")
    local ok, err
    local function subscriber(message)
      ok, err = pcall(message.process.dispose, message.process)
    end
    local START = "tracing:child_process.spawn:start"
    diagnostics.subscribe(START, subscriber)
    child = cp.spawn("sleep", {"600"})
    diagnostics.unsubscribe(START, subscriber)
    assert.is_false(ok)
    assert.matches("before the child was started", err.message, 1, true)
    assert.equal("SIGTERM", select(2, child:dispose():await()))
  end)

  it("may be called after the end", function()
    local child = cp.spawn("sh", {"-c", "exit 6"})
    support.run()
    assert.equal(6, (child:dispose():await()))
    assert.is_false(child.killed)
    assert.equal(6, (child:dispose({grace = 0}):await()))
  end)

  it("may be called before the child has started its program, and in its listeners", function()
    for _, event in ipairs({"spawn", "exit", "close"}) do
      local child = cp.spawn("sh", {"-c", event == "spawn" and STUBBORN or "exit 7"})
      local code, signal
      child:on(event, function()
        child:dispose({grace = 20}):andThen(function(...) code, signal = ... end)
      end)
      support.run()
      if event ~= "spawn" then assert.equal(7, code) end
      assert.equal(child.exitCode, code)
      assert.equal(child.signalCode, signal)
    end
    assert.equal("SIGTERM", select(2, cp.spawn("sleep", {"600"}):dispose():await()))
  end)

  it("fulfils the promise of a child that could not be started", function()
    local child = cp.spawn("/nonexistent/command")
    local seen = support.names(child, "error", "close")
    local code, signal = child:dispose():await()
    assert.is_true(code < 0)
    assert.is_nil(signal)
    assert.same({"error", "close"}, seen)
    assert.equal(code, (child:dispose():await()))
  end)

  it("need not be looked at", function()
    local child = started(STUBBORN)
    child:dispose({grace = 20})
    support.run()
    assert.equal("SIGKILL", child.signalCode)
  end)

  it("keeps the loop alive although the child was unreferenced", function()
    local child = started(STUBBORN)
    child:unref()
    child.stdout:unref()
    assert.equal("SIGKILL", select(2, child:dispose({grace = 20}):await()))
  end)

  it("is also for children that nobody holds", function()
    local signal
    do
      started(STUBBORN):dispose({grace = 30}):andThen(function(...) signal = select(2, ...) end)
    end
    collectgarbage()
    collectgarbage()
    support.run()
    assert.equal("SIGKILL", signal)
  end)

  it("ends a hundred at once", function()
    local promises = {}
    for index = 1, 100 do
      promises[index] = cp.spawn("sh", {"-c", index % 2 == 0 and STUBBORN or "exec sleep 600"})
        :dispose({grace = 200})
    end
    Promise.all(promises):await()
    support.run()
  end)

  it("closes streams that others out of reach hold", function()
    -- The other one is not a descendant any more when its parent ends.
    local child = cp.spawn("sh", {"-c", "(sleep 600 & echo $!); echo ready; sleep 600; exit"})
    local output = support.collect(child.stdout)
    child.stdout:on("data", function()
      if output():find("ready") then child:dispose({grace = 20}) end
    end)
    local seen = support.events(child)
    support.run()
    process:kill(tonumber(output():match("%d+")), "SIGKILL")
    assert.equal("close nil SIGTERM", seen[#seen])
    assert.is_true(child.stdout.readableEnded)
  end)

  -- Lets readers take what they want, however long that lasts.
  local NEVER = {grace = math.huge}

  it("closes streams that nobody reads any more", function()
    local function dispose(child)
      child:dispose(NEVER):await()
      assert.is_true(child.stdout.destroyed)
      assert.is_true(child.stderr.destroyed)
    end
    local output = "trap '' PIPE; echo ready; yes | head -c 300000; echo more >&2; exec sleep 600"
    -- after readLine
    dispose(started(output))
    -- paused
    local child = started(output)
    child.stdout:on("data", function() end)
    child.stderr:once("data", function() child.stdout:pause() child.stderr:pause() end)
    child.stderr:wait("pause")
    dispose(child)
    support.run()
  end)

  it("gives those that are read everything that has come", function()
    local child = cp.spawn("sh", {"-c", "yes | head -c 300000; echo ready >&2; exec sleep 600"})
    local length = 0
    child.stdout:on("data", function(data) length = length + #data end)
    child.stderr:once("data", function() child:dispose() end)
    support.run()
    assert.equal(300000, length)

    child = cp.spawn("sh", {"-c", "yes | head -c 300000; echo ready >&2; exec sleep 600"})
    local wc = cp.spawn("wc", {"-c"})
    child.stdout:pipe(wc.stdin)
    child.stderr:once("data", function() child:dispose() end)
    assert.equal(300000, tonumber((support.output(wc))))

    child = cp.spawn("sh", {"-c", "echo one; echo two; echo ready >&2; exec sleep 600"})
    child.stderr:once("data", function() child:dispose() end)
    local lines = {}
    for line in child.stdout:lines() do lines[#lines + 1] = line end
    assert.same({"one", "two"}, lines)
    support.run()
  end)

  it("gives listeners and exec everything that has come, whatever the grace", function()
    local script = "head -c 3000000 /dev/zero; echo ready >&2; exec sleep 600"
    local length, stdout = 0, nil
    local spawned = cp.spawn("sh", {"-c", script})
    spawned.stdout:on("data", function(data) length = length + #data end)
    local executed = cp.exec(script, {maxBuffer = math.huge}, function(_, text) stdout = text end)
    for _, child in ipairs({spawned, executed}) do
      child.stderr:once("data", function() child:dispose({grace = 0}) end)
    end
    support.run()
    assert.equal(3000000, length)
    assert.equal(3000000, #stdout)
  end)

  -- Writes more than the stream reads ahead and the pipe holds.
  local WRITING = "yes | head -c 3000000; exec sleep 600"

  it("closes a stream that its caller was reading in a loop", function()
    local function disposeInLoop()
      local child = cp.spawn("sh", {"-c", WRITING})
      for line in child.stdout:lines() do
        local isDisposed = line == "y" and child:dispose(NEVER):await() == nil
        if isDisposed then break end
      end
      assert.equal("SIGTERM", child.signalCode)
      assert.is_true(child.stdout.destroyed)
      return child.stdout
    end
    disposeInLoop()
    if support.yieldsAnywhere then cp.async(disposeInLoop):await() end
    -- by hand, as in Lua 5.1: a loop that is left is not closed there
    local child = cp.spawn("sh", {"-c", WRITING})
    local nextLine = child.stdout:lines()
    assert.equal("y", nextLine())
    child:dispose(NEVER):await()
    assert.equal("ERR_STREAM_PREMATURE_CLOSE", support.error(nextLine).code)
    support.run()
  end)

  it("ends a loop in whose body it was awaited, if no line is left", function()
    local child = cp.spawn("sh", {"-c", "echo one; echo two; exec sleep 600"})
    local lines = {}
    for line in child.stdout:lines() do
      lines[#lines + 1] = line
      if line == "two" then child:dispose(NEVER):await() end
    end
    assert.same({"one", "two"}, lines)
    assert.is_true(child.stdout.readableEnded)
    support.run()
  end)

  -- Disposes of a child while a coroutine reads its lines and pauses after each. Returns the number
  -- of lines that it got.
  local function readSlowly(child, options, pause)
    local count = 0
    local reading = cp.async(function()
      for _ in child.stdout:lines() do
        count = count + 1
        pause(count)
      end
    end)
    child.stderr:readLine()
    child:dispose(options):await()
    reading:await()
    return count
  end

  it("gives loops in other coroutines everything, though they take their time", function()
    support.needYields()
    local child = cp.spawn("sh", {"-c", "seq 2000; echo ready >&2; exec sleep 600"})
    assert.equal(2000, readSlowly(child, {}, function(count)
      if count == 1 then child:wait("exit") end
      if count % 100 == 0 then nextIteration() end
    end))
  end)

  it("waits longer than the grace for a reader that goes on taking", function()
    support.needYields()
    local child = cp.spawn("sh", {"-c", "seq 150; echo ready >&2; exec sleep 600"})
    assert.equal(150, readSlowly(child, {grace = 500}, function()
      Promise.new(function(resolve) timers.setTimeout(resolve, 10) end):await()
    end))
  end)

  it("gives a loop everything in whose body it was called but not awaited", function()
    local child = cp.spawn("sh", {"-c", "seq 10000; echo ready >&2; exec sleep 600"})
    child.stderr:readLine()
    local count = 0
    for line in child.stdout:lines() do
      count = count + 1
      if line == "1" then
        child:dispose(NEVER)
      elseif line == "2" then
        child:wait("exit")
        nextIteration()
      end
    end
    assert.equal(10000, count)
    support.run()
  end)

  it("ends paused streams of which nothing is left", function()
    local child = cp.spawn("sh", {"-c", "echo ready >&2; exec sleep 600"})
    child.stdout:pause()
    local seen = support.names(child.stdout, "end", "close")
    child.stderr:readLine()
    child:dispose(NEVER):await()
    assert.same({"end", "close"}, seen)
  end)

  it("closes streams whose readers take nothing for as long as the grace", function()
    local ways = {
      ["a listener that does not read"] = function(stream)
        stream:on("readable", function() end)
      end,
      ["a destination that takes nothing"] = function(stream)
        local sleeper = cp.spawn("sleep", {"600"}):unref()
        stream:pipe(sleeper.stdin)
        return sleeper
      end,
      ["a destination of Lua that takes nothing"] = function(stream)
        local destination = EventEmitter()
        function destination.write() return false end
        stream:pipe(destination)
      end,
    }
    if support.yieldsAnywhere then
      ways["a loop of another coroutine that waits for something else"] = function(stream)
        cp.async(function()
          for _ in stream:lines() do Promise._pending():await() end
        end)
      end
    end
    for name, read in pairs(ways) do
      local child = cp.spawn("sh", {"-c", WRITING})
      local other = read(child.stdout)
      support.inTime(function()
        while child.stdout.bytesRead == 0 do cp.run("once") end
      end)
      local _, signal = child:dispose({grace = 50}):await()
      if other then other:kill("SIGKILL") end
      assert.equal("SIGTERM", signal, name)
      assert.is_true(child.stdout.destroyed, name)
    end
    support.run()
  end)

  it("takes a shorter grace for readers, too, also after the end of the child", function()
    local child = cp.spawn("sh", {"-c", WRITING})
    child.stdout:on("readable", function() end)
    local promise = child:dispose({grace = math.huge})
    child:wait("exit")
    assert.equal(promise, child:dispose({grace = 3600000}))
    assert.equal(promise, child:dispose({grace = 20}))
    promise:await()
  end)

  it("closes a channel", function()
    local child = cp.fork(support.script([[
      local cp = require("child_process")
      process:on("SIGTERM", function() end)
      process:send("ready")
      process:on("message", function() end)
    ]]))
    child:wait("message")
    assert.equal("SIGKILL", select(2, child:dispose({grace = 20}):await()))
    assert.is_false(child.connected)
  end)

  it("is awaited in a coroutine while others run", function()
    local children, waiting = {}, 0
    for index = 1, 3 do
      cp.async(function()
        children[index] = started(STUBBORN)
        waiting = waiting + 1
        children[index]:dispose({grace = 50}):await()
        waiting = waiting - 1
      end)
    end
    assert.equal(0, waiting)
    support.run()
    assert.equal(0, waiting)
    for index = 1, 3 do assert.equal("SIGKILL", children[index].signalCode) end
  end)

  it("raises an error for invalid options, and sends nothing", function()
    local child = cp.spawn("cat")
    for wrong, code in pairs({
      [{grace = -1}] = "ERR_OUT_OF_RANGE", [{grace = "5"}] = "ERR_INVALID_ARG_TYPE",
      [5] = "ERR_INVALID_ARG_TYPE",
    }) do
      assert.equal(code, support.error(child.dispose, child, wrong).code)
    end
    assert.equal("ERR_INVALID_THIS", support.error(child.dispose).code)
    assert.is_false(child.killed)
    child.stdin:finish()
    support.run()
    assert.equal(0, child.exitCode)
  end)

  it("rejects the promise in a copy of the process, where nobody need look at it", function()
    assert.equal("copy ECHILD\noriginal 0\n", support.runHost([[
      local child = cp.spawn("sh", {"-c", "read line"})
      cp.run("nowait")
      io.stdout:flush()
      local pid = host.fork()
      if pid == 0 then
        child:dispose({grace = 0})
        local ok, err = pcall(function() child:dispose():await() end)
        print("copy", err.code)
        io.stdout:flush()
        cp.run()
        host.exit()
      end
      assert(host.await(pid) == 0)
      child.stdin:finish("\n")
      print("original", (child:wait("close")))
    ]]):gsub("\t", " "), nil)
  end)
end)

describe("A block that ends a child", function()
  -- Calls a function in a block whose end ends the child.
  local function inBlock(child, fn)
    support.closing(child, fn or function() end)
  end

  local function itCloses(name, fn)
    it(name, function()
      support.needClosing()
      fn()
    end)
  end

  itCloses("waits with options.disposeWaits, in a coroutine", function()
    local closed, timers_ = false, 0
    local interval = timers.setInterval(function() timers_ = timers_ + 1 end, 1)
    cp.async(function()
      local child = started(STUBBORN, {disposeWaits = true, forceKillAfterDelay = 30})
      child:on("close", function() closed = true end)
      inBlock(child)
      assert.is_true(closed)
      assert.equal("SIGKILL", child.signalCode)
    end):await()
    interval:close()
    assert.is_true(closed)
    assert.is_true(timers_ > 0)
  end)

  itCloses("waits outside of coroutines, too", function()
    local child = started(STUBBORN, {disposeWaits = true, forceKillAfterDelay = 20})
    inBlock(child)
    assert.equal("SIGKILL", child.signalCode)
  end)

  itCloses("waits in a loop over the lines of the child", function()
    local function leave()
      local child = cp.spawn("sh", {"-c", "yes | head -c 3000000; exec sleep 600"},
        {disposeWaits = true})
      for _ in child.stdout:lines() do
        inBlock(child)
        if child.signalCode == "SIGTERM" then break end
      end
      assert.equal("SIGTERM", child.signalCode)
    end
    leave()
    cp.async(leave):await()
  end)

  itCloses("waits when an error leaves it, which is not lost", function()
    cp.async(function()
      local child = started(STUBBORN, {disposeWaits = true, forceKillAfterDelay = 20})
      assert.equal("on the way", support.error(inBlock, child, function()
        error("on the way", 0)
      end))
      assert.equal("SIGKILL", child.signalCode)
    end):await()
  end)

  itCloses("keeps its error when another one ends the wait, and comes out later", function()
    for _, own in ipairs({"the real reason", false}) do
      local child = started(STUBBORN, {disposeWaits = true, forceKillAfterDelay = 20})
      timers.setTimeout(function() error("unrelated", 0) end, 1)
      local err = support.error(inBlock, child, own and function() error(own, 0) end)
      assert.equal(own or "unrelated", err)
      if own then
        assert.equal("unrelated", support.error(cp.run))
      end
      support.run()
      assert.equal("SIGKILL", child.signalCode)
    end
  end)

  itCloses("does not wait in a callback, and the child ends nevertheless", function()
    local child, signal
    timers.setTimeout(function()
      child = cp.spawn("sh", {"-c", STUBBORN}, {disposeWaits = true, forceKillAfterDelay = 20})
      inBlock(child)
      signal = child.signalCode
    end, 1)
    support.run()
    assert.is_nil(signal)
    assert.is_true(child.killed)
    assert.is_not_nil(child.signalCode)
  end)

  itCloses("does not wait in a coroutine that is closed", function()
    local child
    local thread = coroutine.create(function()
      child = cp.spawn("sh", {"-c", STUBBORN}, {disposeWaits = true, forceKillAfterDelay = 20})
      inBlock(child, coroutine.yield)
    end)
    coroutine.resume(thread)
    timers.setImmediate(function() assert.is_true(coroutine.close(thread)) end)
    support.run()
    assert.is_true(child.killed)
  end)

  itCloses("does not wait without the option", function()
    local child = started(POLITE)
    inBlock(child)
    assert.is_nil(child.exitCode)
    assert.is_true(child.killed)
    child:wait("exit")
    assert.equal(5, child.exitCode)
  end)

  itCloses("sends SIGKILL after options.forceKillAfterDelay without waiting", function()
    local child = started(STUBBORN, {forceKillAfterDelay = 20})
    inBlock(child)
    assert.is_nil(child.signalCode)
    child:wait("exit")
    assert.equal("SIGKILL", child.signalCode)
  end)

  itCloses("returns at once after the end, and for a child that could not be started", function()
    for _, command in ipairs({"true", "/nonexistent/command"}) do
      local child = cp.spawn(command, {disposeWaits = true})
      child:on("error", function() end)
      inBlock(child, function() support.run() end)
      child = cp.spawn(command, {disposeWaits = true})
      child:on("error", function() end)
      inBlock(child)
    end
    support.run()
  end)

  itCloses("may end several, the inner one first", function()
    local order = {}
    cp.async(function()
      local options = {disposeWaits = true, forceKillAfterDelay = 20}
      local outer, inner = started(STUBBORN, options), started(STUBBORN, options)
      outer:on("close", function() order[#order + 1] = "outer" end)
      inner:on("close", function() order[#order + 1] = "inner" end)
      inBlock(outer, function() inBlock(inner) end)
    end):await()
    assert.same({"inner", "outer"}, order)
  end)
end)
