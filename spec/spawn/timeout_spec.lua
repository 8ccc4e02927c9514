-- What ends a child before its time: timeouts of all functions, and what becomes of streams that
-- others hold.

local abort = require("child_process.abort")
local compat = require("child_process.base.compat")
local cp = require("child_process")
local net = require("child_process.net")
local support = require("spec.support")
local timers = require("child_process.timers")

-- Ends with code 0 when it is asked to, as servers and build tools do.
local POLITE = "trap 'exit 0' TERM; echo ready; sleep 60 & wait"

describe("A timeout of a child that exits with 0 when it is asked to end", function()
  --- Fulfils the promise of exec, and gives its error with the output.
  local function errorOf(promise)
    local err = support.error(promise.await, promise)
    return err
  end

  it("is an error of exec, with the output that has come", function()
    local err = support.onceReady(function(script, options)
      local result
      cp.exec(script, options, function(failure, stdout)
        result = failure
        result.stdout = stdout
      end)
      support.run()
      return result
    end, POLITE)
    assert.equal("ready\n", err.stdout)
    assert.is_true(err.killed)
    assert.is_true(err.timedOut)
    assert.equal(0, err.code)
    assert.is_nil(err.signal)
    assert.matches(" %(timed out after %d+ ms, exit code 0%)\n$", err.message)
  end)

  it("rejects the promises", function()
    for _, call in ipairs({
      function(script, options) return errorOf(cp.promises.exec(script, options)) end,
      function(script, options)
        return errorOf(cp.promises.execFile("sh", {"-c", script}, options))
      end,
    }) do
      local err = support.onceReady(call, POLITE)
      assert.is_true(err.killed and err.timedOut)
      assert.equal("ready\n", err.stdout)
    end
  end)

  it("is an error of the synchronous calls", function()
    local result = support.onceReady(function(script, options)
      return cp.spawnSync("sh", {"-c", script}, options)
    end, POLITE)
    assert.equal(0, result.status)
    assert.is_true(result.timedOut)
    assert.is_true(result.error.timedOut and result.error.killed)
    local err = support.onceReady(function(script, options)
      return support.error(cp.execSync, script, options)
    end, POLITE)
    assert.equal("ETIMEDOUT", err.code)
    assert.is_true(err.timedOut and err.killed)
  end)

  it("is in the field timedOut of what spawn returns", function()
    local child = support.onceReady(function(script, options)
      local child = cp.spawn("sh", {"-c", script}, options)
      assert.is_false(child.timedOut)
      return {child = child, stdout = support.output(child)}
    end, POLITE).child
    assert.is_true(child.timedOut)
    assert.is_true(child.killed)
    assert.equal(0, child.exitCode)
  end)

  it("leaves timedOut alone where the child was fast enough", function()
    local child = cp.spawn("true", {timeout = 60000})
    local err, done
    local other = cp.exec("exit 3", {timeout = 60000}, function(failure)
      err, done = failure, true
    end)
    support.run()
    assert.is_true(done)
    assert.is_nil(err.timedOut)
    assert.is_false(child.timedOut or other.timedOut)
    assert.is_nil(cp.spawnSync("true", {timeout = 60000}).timedOut)
  end)
end)

describe("A time of more than 2^31 - 1 ms", function()
  local LONG = {0x80000000, 0x100000000, 0x100000001, 0x10000000000, compat.maxInteger, 2.0 ^ 33,
    math.huge}

  it("does not end a child early", function()
    for _, timeout in ipairs(LONG) do
      local child = cp.spawn("sleep", {"0.1"}, {timeout = timeout})
      local err, output
      cp.exec("sleep 0.1; echo done", {timeout = timeout}, function(failure, stdout)
        err, output = failure, stdout
      end)
      support.run()
      assert.equal(0, child.exitCode)
      assert.is_nil(err)
      assert.equal("done\n", output)
      support.assertSucceeded(cp.spawnSync("sleep", {"0.1"}, {timeout = timeout}))
    end
  end)

  it("is one for timers, signals and sockets too", function()
    local early
    local function note() early = true end
    local waiting = {}
    local server = net.createServer():listen(0)
    server:wait("listening")
    local socket = net.connect(server:address().port)
    socket:wait("connect")
    for _, ms in ipairs(LONG) do
      waiting[#waiting + 1] = timers.setTimeout(note, ms):unref()
      waiting[#waiting + 1] = timers.setInterval(note, ms):unref():refresh()
      local signal = abort.AbortSignal.timeout(ms):on("abort", note)
      waiting[#waiting + 1] = {close = function() signal:off("abort", note) end}
      socket:setTimeout(ms, note)
      assert.equal(ms, socket.timeout)
    end
    timers.setTimeout(function()
      socket:destroy()
      server:close()
    end, 60)
    support.run()
    for _, each in ipairs(waiting) do each:close() end
    collectgarbage() -- signals go with their timers
    assert.is_nil(early)
  end)

  it("says nothing on stderr", function()
    local _, stderr = support.runScript([[
      require("child_process.timers").setTimeout(print, 2 ^ 40):unref()
      cp.spawn("true", {timeout = 2 ^ 40})
      cp.run()
    ]])
    assert.equal("", stderr)
  end)
end)

-- Prints its pid, waits, and leaves a process behind that holds its output.
local HELD = "sleep 60 & echo $!; echo last; wait"

describe("Where another process holds the streams of a child", function()
  it("they end with a child that its timeout has ended, after what has come", function()
    local result = support.onceReady(function(script, options)
      local child = cp.spawn("sh", {"-c", script}, options)
      local output = support.output(child)
      support.killPrinted(output)
      return {child = child, stdout = output:find("last") and "ready" or "", output = output}
    end, HELD)
    assert.is_true(result.child.timedOut)
    assert.equal("SIGTERM", result.child.signalCode)
    assert.matches("^%d+\nlast\n$", result.output)
    assert.is_true(result.child.stdout.readableEnded)
  end)

  it("a loop over lines ends, without an error", function()
    local child = cp.spawn("sh", {"-c", HELD})
    local lines = {}
    local list = child.stdout:lines()
    lines[1] = list()
    child:on("error", function() end)
    local controller = abort.AbortController()
    local other = cp.spawn("sh", {"-c", HELD}, {signal = controller.signal})
    other:on("error", function(err) lines.err = err end)
    for line in other.stdout:lines() do
      lines[#lines + 1] = line
      if line == "last" then controller:abort() end
    end
    support.killPrinted(lines[2])
    support.killPrinted(lines[1])
    child:kill()
    support.run()
    assert.equal("AbortError", lines.err.name)
    assert.equal("last", lines[3])
    assert.equal("SIGTERM", other.signalCode)
  end)

  it("a timeout ends them although the child has ended before", function()
    local child = cp.spawn("sh", {"-c", "sleep 60 & echo $!"}, {timeout = 300})
    local seen = support.events(child)
    local output = support.output(child)
    support.killPrinted(output)
    assert.same({"spawn", "exit 0 nil", "close 0 nil"}, seen)
    assert.is_true(child.timedOut)
    assert.is_false(child.killed)
  end)

  it("what was read late, or not at all, does not keep them open", function()
    local controller = abort.AbortController()
    local child = cp.spawn("sh", {"-c", "sleep 60 & echo $!; echo $! >&2; exit 0"},
      {signal = controller.signal, stdio = {"pipe", "pipe", "pipe", "pipe"}})
    local output = support.collect(child.stdout)
    child.stdout:pause()
    child:on("exit", function()
      controller:abort()
      timers.setTimeout(function() child.stdout:resume() end, 30)
    end)
    local seen = support.events(child)
    support.run()
    support.killPrinted(output())
    assert.same({"spawn", "exit 0 nil", "close 0 nil"}, seen)
  end)

  it("they end even if a listener pauses them, raises, or stops at the last data", function()
    for _, interrupt in ipairs({
      function(stream)
        stream:pause()
        timers.setTimeout(function() stream:resume() end, 30)
      end,
      function() error("of the listener", 0) end,
      function() cp.stop() end,
    }) do
      local controller = abort.AbortController()
      local child = cp.spawn("sh",
        {"-c", "sleep 60 & trap 'echo $!; exit 0' TERM; echo ready >&2; wait"},
        {signal = controller.signal})
      local output
      child:on("error", function() end)
      child.stderr:once("data", function() controller:abort() end)
      child:on("exit", function()
        child.stdout:on("data", function(data)
          output = data
          interrupt(child.stdout)
        end)
      end)
      local seen = support.events(child)
      pcall(cp.run)
      support.run()
      assert.is_not_nil(output)
      support.killPrinted(output)
      assert.equal("close 0 nil", seen[#seen])
    end
  end)

  it("a pipe from them into another stream ends as well", function()
    local child = cp.spawn("sh", {"-c", HELD}, {timeout = 300})
    local cat = cp.spawn("cat")
    child.stdout:pipe(cat.stdin)
    local output = support.output(cat)
    assert.equal(0, cat.exitCode)
    if output ~= "" then support.killPrinted(output) end
  end)

  it("further streams of exec end with its output, and so does a channel", function()
    local file = support.tmpdir() .. "/pid"
    for _, entry in ipairs({"pipe", "ipc"}) do
      local err = support.error(function()
        cp.promises.execFile("sh", {"-c", 'sleep 60 & echo $! >"$0"; echo full; wait', file},
          {maxBuffer = 1, stdio = {"ignore", "pipe", "pipe", entry}}):await()
      end)
      support.run()
      assert.equal("ERR_CHILD_PROCESS_STDIO_MAXBUFFER", err.code)
      support.killPrinted(support.readFile(file)) -- it is still there
    end
  end)

  it("without a limit they stay open as long as it lives", function()
    local child = cp.spawn("sh", {"-c", "(sleep 0.3; echo late) & exit 0"}, {timeout = 60000})
    assert.equal("late\n", (support.output(child)))
    assert.is_false(child.timedOut)
  end)
end)
