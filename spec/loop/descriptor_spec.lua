-- Another loop drives ours by its descriptor alone: it waits until loop.fd() is readable, without a
-- timeout, and calls run("nowait"). luv in the same state changes nothing of that.

local cp = require("child_process")
local loop = require("child_process.loop")
local support = require("spec.support")
local timers = require("child_process.timers")

local probe = cp.spawn(support.lua, {"-e", "require('luv')"}, {stdio = "ignore"})
support.run()
local hasLuv = probe.exitCode == 0

-- `settle()` runs the loop for as long as the descriptor is readable, `wait()` until `done` was
-- called. Both count iterations, and raise if there are too many: then a host would spin.
local HOST = [[
  local loop = require("child_process.loop")
  local net = require("child_process.net")
  local timers = require("child_process.timers")
  local isDone = false

  local function done() isDone = true end

  local function turn(timeout)
    local isReadable = host.poll(loop.fd(), timeout)
    if isReadable then loop.run("nowait") end
    return isReadable
  end

  local function settle()
    local turns = 0
    while turn(0) do
      turns = turns + 1
      assert(turns < 100, "the host spins")
    end
    return turns
  end

  local function wait()
    for _ = 1, 100 do
      if isDone then return end
      turn(500) -- a signal ends the wait, too
    end
    error("the host spins, or nothing happens")
  end
]]

-- What a host may start while it waits already, each with a call of `done` as its outcome.
local STARTS = {
  ["a timer"] = "timers.setTimeout(done, 5)",
  ["a timer that is due before another one"] = [[
    timers.setTimeout(error, 1e6):unref()
    settle()
    timers.setTimeout(done, 5)
  ]],
  ["a timer that does not keep the loop alive"] = "timers.setTimeout(done, 5):unref()",
  ["an immediate"] = "timers.setImmediate(done)",
  ["a tick"] = "loop.nextTick(done)",
  ["a promise"] = "require('child_process.promise').resolve():andThen(done)",
  ["a child"] = "cp.spawn('true'):on('exit', done)",
  ["a command"] = "cp.exec('true', done)",
  ["a write"] = [[
    local cat = cp.spawn("cat", {stdio = {"pipe", "ignore", "ignore"}})
    cat:unref()
    settle()
    cat.stdin:write("text", done)
  ]],
  ["a message"] = [[
    local child = cp.fork(worker)
    settle()
    child:once("message", function()
      child:disconnect()
      done()
    end)
    child:send("text")
  ]],
  ["a connection to a name"] = [[
    local server
    server = net.createServer(function(socket)
      socket:destroy()
      server:close()
      done()
    end)
    server:listen(0, "127.0.0.1", function() net.connect(server:address().port, "localhost") end)
  ]],
  ["a file that the system does not poll"] = [[
    process.stdin:on("end", done):resume()
  ]],
  ["a signal"] = [[
    process:on("SIGUSR1", done)
    settle()
    process:kill(process.pid, "SIGUSR1")
  ]],
}

-- What does not keep the loop alive, or does so no longer.
local IDLE = {
  ["nothing at all"] = "",
  ["a timer"] = "timers.setTimeout(error, 1e6):unref()",
  ["a timer that has called"] = "timers.setTimeout(done, 1):unref() wait()",
  ["a child and its pipes"] = [[
    local child = cp.spawn("sleep", {"1000"})
    for _, stream in pairs(child.stdio) do stream:unref() end
    child:unref()
    process:on("exit", function() child:kill() end)
  ]],
  ["a worker"] = [[
    local child = cp.fork(worker)
    child:once("message", done)
    child:send("text")
    wait()
    child:unref()
    child.channel:unref()
  ]],
  ["an immediate"] = "timers.setImmediate(done):unref() wait()",
  ["an immediate that was cancelled"] = "timers.clearImmediate(timers.setImmediate(error))",
  ["a tick"] = "loop.nextTick(done) wait()",
  ["a server"] = "net.createServer():listen(0, '127.0.0.1'):unref()",
  ["a UDP socket"] = "require('child_process.dgram').createSocket('udp4'):bind():unref()",
  ["a listener of a signal"] = "process:on('SIGUSR1', error)",
  ["standard input"] = "process.stdin:on('end', done):resume() wait()",
  ["closed pipes"] = [[
    local child = cp.spawn("true")
    for _, stream in pairs(child.stdio) do stream:destroy() end
    child:on("close", done)
    wait()
  ]],
  ["a run that was stopped"] = [[
    timers.setImmediate(function()
      cp.stop()
      done()
    end)
    wait()
  ]],
  ["a run to the end"] = "cp.exec('true') cp.run()",
  ["errors of listeners"] = [[
    timers.setImmediate(error, "one")
    timers.setImmediate(error, "two")
    loop.nextTick(error, "three")
    local raised = {}
    while #raised < 3 do
      assert(host.poll(loop.fd(), 20000), "nothing happens")
      local ok, err = pcall(loop.run, "nowait")
      raised[#raised + 1] = not ok and err or nil
    end
    assert(raised[1]:find("three") and raised[2]:find("one") and raised[3]:find("two"))
  ]],
}

for _, withLuv in ipairs({false, true}) do
  describe("loop.fd()" .. (withLuv and " beside luv" or ""), function()
    local worker

    before_each(function()
      worker = support.script("process:on('message', function(m) process:send(m) end)")
    end)

    local function run(text)
      if withLuv and not hasLuv then pending("luv is not installed") end
      local start = (withLuv and "require('luv')\n" or "") .. HOST
      return support.runHost(("local worker = %q\n"):format(worker) .. start .. text)
    end

    for name, text in pairs(STARTS) do
      it("becomes readable for " .. name .. " that the host starts while it waits", function()
        assert.equal("done\n", run("settle()\n" .. text .. "\nwait() print('done')"))
      end)
    end

    for name, text in pairs(IDLE) do
      it("is not readable for ever, and timeout() not 0, with " .. name, function()
        assert.equal("false\ttrue\n", run(text .. [[

          settle()
          if loop.timeout() == 0 then turn(0) end
          print(host.poll(loop.fd(), 0), loop.timeout() ~= 0)
          process:exit()
        ]]))
      end)
    end

    it("reports a timer in few iterations", function()
      assert.equal("true\n", run([[
        timers.setTimeout(done, 50)
        local turns = 0
        repeat
          turn(-1)
          turns = turns + 1
        until isDone
        print(turns <= 5)
      ]]))
    end)

    it("wakes a copy of the process, and leaves the original's timers alone", function()
      if withLuv then pending("luv shares its set of descriptors with the copy") end
      assert.equal("copy\noriginal\n", run([[
        timers.setTimeout(done, 100)
        settle()
        local pid = host.fork()
        if pid == 0 then
          local calls = 0
          timers.setTimeout(function() calls = calls + 1 end, 1)
          loop.run("nowait") -- the POSIX build needs that in a copy
          while calls == 0 do turn(500) end
          print("copy")
          io.stdout:flush()
          host.exit()
        end
        assert(host.await(pid) == 0)
        wait()
        print("original")
      ]]))
    end)

    it("does not wake the loop itself", function()
      assert.equal("true\n", run([[
        settle()
        timers.setTimeout(done, 50)
        local turns = 0
        repeat
          loop.run("once")
          turns = turns + 1
        until isDone
        print(turns <= 5)
      ]]))
    end)
  end)
end

describe("loop.handleStart()", function()
  before_each(function() -- nothing of an earlier test keeps the loop alive
    support.run()
    collectgarbage() -- also the timer of support.run: closing a handle keeps the loop alive
    cp.run()
  end)

  after_each(function() loop.handleStart(nil) end)

  it("has its function called after each start that keeps the loop alive", function()
    local calls = 0
    loop.handleStart(function() calls = calls + 1 end)
    assert.equal(0, calls)
    local timer = timers.setTimeout(function() end, 1):unref()
    local before = calls
    timer:ref()
    assert.equal(before + 1, calls)
    cp.spawn("true")
    assert.is_true(calls > before + 1)
    support.run()
  end)

  it("has it called at once if something keeps the loop alive already", function()
    local calls = 0
    timers.setTimeout(function() end, 1)
    loop.handleStart(function() calls = calls + 1 end)
    assert.equal(1, calls)
    support.run()
  end)

  it("has it called no more after handleStart(nil)", function()
    loop.handleStart(error)
    loop.handleStart(nil)
    cp.spawn("true")
    support.run()
  end)

  it("takes only functions, like handleWait()", function()
    for _, set in ipairs({loop.handleStart, loop.handleWait}) do
      assert.equal("ERR_INVALID_ARG_TYPE", support.error(set, "fn").code)
    end
  end)
end)
