-- options.waitDelay: streams that others hold after the end of the child.

local cp = require("child_process")
local support = require("spec.support")

-- Leaves a process that holds the output, and prints its pid.
local HOLDING = "sleep 600 & echo $!"

describe("options.waitDelay of spawn", function()
  it("ends streams that others hold, after what has come", function()
    for _, delay in ipairs({0, 1, 50}) do
      local child = cp.spawn("sh", {"-c", HOLDING .. "; exit 3"}, {waitDelay = delay})
      local seen = support.events(child)
      local ended = support.names(child.stdout, "end", "close")
      local output = support.output(child)
      support.killPrinted(output)
      assert.same({"spawn", "exit 3 nil", "close 3 nil"}, seen)
      assert.same({"end", "close"}, ended)
      assert.matches("^%d+\n$", output)
      assert.same({"stdout", "stderr"}, child.heldStreams)
    end
  end)

  it("does not keep the loop alive where nobody holds them", function()
    local child = cp.spawn("sh", {"-c", "echo done"}, {waitDelay = 3600000})
    local unread = cp.spawn("sh", {"-c", "echo done"}, {waitDelay = 3600000})
    assert.equal("done\n", (support.output(child)))
    assert.same({0, 0}, {child.exitCode, unread.exitCode})
    assert.is_nil(child.heldStreams or unread.heldStreams)
  end)

  it("loses nothing of what others write before it", function()
    local child = cp.spawn("sh", {"-c", "(sleep 0.1; echo late) & exit 0"}, {waitDelay = 3600000})
    assert.equal("late\n", (support.output(child)))
  end)

  it("ends them although output is still coming", function()
    local child = cp.spawn("sh", {"-c", "yes & read go; exit 0"}, {waitDelay = 50})
    child.stdout:once("data", function() child.stdin:finish() end)
    local output = support.output(child)
    assert.matches("^y\ny\n", output)
    assert.equal(0, child.exitCode)
    assert.is_true(child.stdout.readableEnded)
  end)

  it("ends them although output is still coming that nobody reads", function()
    local child = cp.spawn("sh", {"-c", "yes & yes >&2 & exit 0"}, {waitDelay = 50})
    local seen = support.events(child)
    support.run()
    assert.same({"spawn", "exit 0 nil", "close 0 nil"}, seen)
  end)

  it("ends a pipe to another child, inside the kernel or not", function()
    for _, prepare in ipairs({
      function() end,
      function(stream) stream:on("data", function() end) end,
    }) do
      local child = cp.spawn("sh", {"-c", HOLDING}, {waitDelay = 50})
      local cat = cp.spawn("cat")
      child.stdout:pipe(cat.stdin)
      prepare(child.stdout)
      local output = support.output(cat)
      support.killPrinted(output)
      assert.equal(0, cat.exitCode)
    end
  end)

  it("ends pipes to another child through which more is coming", function()
    local child = cp.spawn("sh", {"-c", "yes & exit 0"}, {waitDelay = 50})
    local wc = cp.spawn("wc", {"-l"})
    child.stdout:pipe(wc.stdin)
    assert.matches("%d", support.output(wc))
    assert.equal(0, wc.exitCode)
  end)

  it("leaves a stream to whoever has begun to read it, and says which if nobody goes on", function()
    for name, begin in pairs({
      stdout = function(child) child.stdout:readLine() end,
      stderr = function(child) child.stderr:on("readable", function() end) end,
    }) do
      local child = cp.spawn("sh", {"-c", "sleep 600 & echo $! >&2; echo $!; echo more"},
        {waitDelay = 0, tree = true})
      begin(child)
      local err = support.error(child.wait, child, "close")
      assert.equal("ERR_WAIT_WITHOUT_END", err.code)
      assert.equal(('The loop has ended, so a wait for event "close" of ChildProcess '
        .. "(its %s was not read to its end) would never end"):format(name), err.message)
      child:kill("SIGKILL")
      child.stdout:destroy()
      child.stderr:destroy()
      assert.equal(0, (child:wait("close")))
    end
  end)

  it("leaves a paused stream to its reader", function()
    local child = cp.spawn("sh", {"-c", HOLDING}, {waitDelay = 0})
    local output = support.collect(child.stdout)
    child.stdout:pause()
    local seen = support.events(child)
    support.run()
    assert.same({"spawn", "exit 0 nil"}, seen)
    child.stdout:resume()
    support.run()
    support.killPrinted(output())
    assert.equal("close 0 nil", seen[3])
  end)

  it("ends a loop over lines", function()
    local child = cp.spawn("sh", {"-c", HOLDING .. "; echo last"}, {waitDelay = 50})
    local lines = {}
    for line in child.stdout:lines() do lines[#lines + 1] = line end
    support.killPrinted(lines[1])
    assert.equal("last", lines[2])
    assert.equal(0, (child:wait("close")))
  end)

  it("ends pipes that go both ways, though much is still to be written to them", function()
    local child = cp.spawn("sh", {"-c", HOLDING}, {
      waitDelay = 50, stdio = {"pipe", "pipe", "pipe", "pipe", "pipe"},
    })
    local failed
    child.stdio[3]:write(("x"):rep(10000000), function(err) failed = err end)
    child.stdio[4]:finish(("x"):rep(10000000))
    local seen = support.events(child)
    local output = support.output(child)
    support.killPrinted(output)
    assert.equal("ERR_STREAM_DESTROYED", failed.code)
    assert.same({"spawn", "exit 0 nil", "close 0 nil"}, seen)
  end)

  it("keeps the loop alive until then, unless the child is unreferenced", function()
    local options = {waitDelay = 50, stdio = {"ignore", "pipe", "ignore"}}
    local child = cp.spawn("sh", {"-c", HOLDING}, options)
    local output = support.collect(child.stdout)
    child.stdout:unref()
    local seen = support.events(child)
    support.run()
    assert.equal("close 0 nil", seen[3])
    support.killPrinted(output())

    options.waitDelay = 3600000
    child = cp.spawn("sh", {"-c", HOLDING}, options)
    output = support.collect(child.stdout)
    seen = support.events(child)
    child:once("exit", function()
      require("child_process.timers").setImmediate(function()
        child:unref()
        child.stdout:unref()
      end)
    end)
    support.run()
    assert.same({"spawn", "exit 0 nil"}, seen)
    support.killPrinted(output())
    child:ref()
    child.stdout:ref()
    support.run()
    assert.equal("close 0 nil", seen[3])
  end)

  it("goes together with a timeout that ends the child", function()
    local result = support.onceReady(function(script, options)
      options.waitDelay = 3600000
      local child = cp.spawn("sh", {"-c", script}, options)
      local output = support.output(child)
      local isReady = output:find("last") ~= nil
      if output:find("%d") then support.killPrinted(output) end
      return {child = child, stdout = isReady and "ready" or ""}
    end, HOLDING .. "; echo last; wait")
    assert.is_true(result.child.timedOut)
    assert.equal("SIGTERM", result.child.signalCode)
  end)

  it("is refused where it is no time, and math.huge is never", function()
    for value, code in pairs({
      [-1] = "ERR_OUT_OF_RANGE", [0.5] = "ERR_OUT_OF_RANGE", ["1"] = "ERR_INVALID_ARG_TYPE",
    }) do
      local err = support.error(cp.spawn, "true", {}, {waitDelay = value})
      assert.equal(code, err.code)
      assert.matches("options.waitDelay", err.message, 1, true)
    end
    local child = cp.spawn("sh", {"-c", "(sleep 0.1; echo late) & exit 0"}, {waitDelay = math.huge})
    assert.equal("late\n", (support.output(child)))
  end)
end)

describe("options.waitDelay of a child with a channel", function()
  -- An interpreter for fork that leaves a process with the channel.
  local function forkHolding(options)
    options.execPath, options.silent, options.waitDelay = "sh", true, 50
    return cp.fork(support.script(
      [[printf '{"pid":%d}\n' $$ >&3; sleep 600 <&- >/dev/null 2>&1 & echo $!]]), {}, options)
  end

  it("closes that, after the messages that have come", function()
    local child = forkHolding({})
    local seen = support.names(child, "message", "exit", "disconnect", "close")
    local output = support.output(child)
    support.killPrinted(output)
    assert.same({"message", "exit", "disconnect", "close"}, seen)
    assert.is_false(child.connected)
  end)

  it("drops messages that nobody has read", function()
    local child = forkHolding({})
    local failed
    child:send(("x"):rep(10000000), function(err) failed = err end)
    local output = support.output(child)
    support.killPrinted(output)
    assert.equal("ERR_IPC_CHANNEL_CLOSED", failed.code)
  end)

  it("closes one that was disconnected, and waits for the other side", function()
    local child = forkHolding({})
    child:send(("x"):rep(10000000))
    child:once("message", function() child:disconnect() end)
    local seen = support.names(child, "exit", "disconnect", "close")
    local output = support.output(child)
    support.killPrinted(output)
    assert.same({"exit", "disconnect", "close"}, seen)
  end)
end)

describe("options.waitDelay of exec", function()
  -- Runs a command, and returns what the callback gets.
  local function run(command, options)
    local results
    cp.exec(command, options, function(err, stdout, stderr) results = {err, stdout, stderr} end)
    support.run()
    return results[1], results[2], results[3]
  end

  it("is an error if the exit code is 0, with what was read", function()
    local err, stdout, stderr = run(HOLDING .. "; echo problem >&2", {waitDelay = 50})
    support.killPrinted(stdout)
    assert.equal("ERR_WAIT_DELAY", err.code)
    assert.equal(HOLDING .. "; echo problem >&2", err.cmd)
    assert.same({stdout, stderr}, {err.stdout, err.stderr})
    assert.equal("problem\n", stderr)
    assert.is_nil(err.killed)
    assert.equal("Command ended, but its stdout and stderr stayed open: " .. err.cmd
      .. " (exit code 0). A process that it has left running held them for more than 50 ms "
      .. "(options.waitDelay), and what that process wrote later is missing. Redirect its output, "
      .. "as in 'server >log 2>&1 &', or end it before the command ends", err.message)
  end)

  it("names the streams that were held", function()
    -- the shell ends when the other one has its descriptors
    local ready = '& while [ "$(cat /proc/$!/comm)" != sleep ]; do :; done; echo $!'
    local err, stdout = run("sleep 600 2>/dev/null " .. ready, {waitDelay = 0})
    support.killPrinted(stdout)
    assert.matches("its stdout stayed open: .* held it for more than 0 ms", err.message)
    err, stdout = run("sleep 600 >/dev/null 2>&1 " .. ready,
      {waitDelay = 0, stdio = {"ignore", "pipe", "pipe", "pipe"}})
    support.killPrinted(stdout)
    assert.matches("its stdio[3] stayed open", err.message, 1, true)
  end)

  it("changes nothing if the command fails, or is ended", function()
    local err, stdout = run(HOLDING .. "; exit 7", {waitDelay = 50})
    support.killPrinted(stdout)
    assert.equal(7, err.code)
    assert.is_nil(err.stdout)
    err, stdout = run(HOLDING .. "; kill -INT $$", {waitDelay = 0})
    support.killPrinted(stdout)
    assert.equal("SIGINT", err.signal)
  end)

  it("is no error where nobody holds the output, however much there is", function()
    for _, delay in ipairs({0, 1, 3600000}) do
      local err, stdout = run("head -c 3000000 /dev/zero",
        {waitDelay = delay, maxBuffer = math.huge})
      assert.is_nil(err)
      assert.equal(3000000, #stdout)
    end
  end)

  it("is no error where we have not read the end of what nobody holds", function()
    local err, code
    local child = cp.exec("echo more >&3", {
      waitDelay = 0, stdio = {"pipe", "pipe", "pipe", "pipe"},
    }, function(failure) err, code = failure, failure and failure.code or 0 end)
    local more = support.collect(child.stdio[3])
    child.stdio[3]:pause()
    child:on("exit", function()
      require("child_process.timers").setTimeout(function() child.stdio[3]:resume() end, 20)
    end)
    support.run()
    assert.is_nil(err)
    assert.equal(0, code)
    assert.equal("more\n", more())
  end)

  it("rejects the promises", function()
    for _, start in ipairs({
      function() return cp.promises.exec(HOLDING, {waitDelay = 50}) end,
      function() return cp.promises.execFile("sh", {"-c", HOLDING}, {waitDelay = 50}) end,
    }) do
      local promise = start()
      local err = support.error(promise.await, promise)
      support.killPrinted(err.stdout)
      assert.equal("ERR_WAIT_DELAY", err.code)
      assert.equal("", err.stderr)
    end
  end)

  it("is for many at once, and those that are done are not late", function()
    local errors, count = 0, 100
    for index = 1, count do
      local command = index % 2 == 0 and HOLDING or "echo $$"
      cp.exec(command, {waitDelay = 20}, function(err, stdout)
        if err then
          assert.equal("ERR_WAIT_DELAY", err.code)
          support.killPrinted(stdout)
          errors = errors + 1
        end
      end)
    end
    support.run()
    assert.equal(count / 2, errors)
  end)

  it("waits in a coroutine", function()
    local code
    cp.async(function()
      local ok, err = pcall(function()
        return cp.promises.exec(HOLDING, {waitDelay = 10}):await()
      end)
      code = not ok and err.code
      support.killPrinted(err.stdout)
    end):await()
    assert.equal("ERR_WAIT_DELAY", code)
  end)
end)
