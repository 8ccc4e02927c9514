-- child:stats(): what a child uses while it runs.

local cp = require("child_process")
local process = require("child_process.process")
local support = require("spec.support")
local timers = require("child_process.timers")
local trees = require("spec.support.trees")

-- The first message says what the script has used until then, the second ends it.
local WORKER = [[
  local text = ("x"):rep(32 * 1024 * 1024)
  local usage
  repeat
    for _ = 1, 1000 do end
    usage = process:resourceUsage()
  until usage.userCPUTime + usage.systemCPUTime >= 30000
  process:send({cpuTime = usage.userCPUTime + usage.systemCPUTime})
  process:on("message", function()
    text = #text
    process:disconnect()
  end)
]]

--- Calls back when the child's stats have this state.
local function untilState(child, state, fn)
  if child:stats().state == state then
    fn()
  else
    timers.setTimeout(untilState, 5, child, state, fn)
  end
end

describe("child:stats()", function()
  it("has the processor time, the memory and the threads of the child", function()
    trees.needList()
    local started = process:uptime()
    local child = cp.fork(support.script(WORKER))
    local stats, used, elapsed
    child:on("message", function(message)
      stats, used = child:stats(), message.cpuTime
      elapsed = (process:uptime() - started) * 1e6
      child:send("end")
    end)
    support.run()
    assert.equal(0, child.exitCode)
    assert.is_true(stats.cpuTime >= used - 20000)
    assert.is_true(stats.cpuTime <= elapsed + 20000)
    assert.is_true(stats.rss >= 32 * 1024 and stats.rss < 10 * 1024 * 1024)
    assert.is_true(stats.threads >= 1 and stats.threads % 1 == 0)
    assert.truthy(stats.state == "running" or stats.state == "sleeping")
  end)

  it("has the state of the child", function()
    trees.needList()
    local child = cp.spawn("sleep", {"60"})
    local states = {}
    untilState(child, "sleeping", function()
      child:kill("SIGSTOP")
      untilState(child, "stopped", function()
        states = child:stats()
        child:kill("SIGKILL")
      end)
    end)
    support.run()
    assert.equal("SIGKILL", child.signalCode)
    assert.equal("stopped", states.state)
  end)

  it("is of a zombie between the end of the child and the next run of the loop", function()
    trees.needList()
    local child = cp.spawn("true")
    repeat
      cp.spawnSync("sleep", {"0.01"})
    until child:stats().state == "zombie"
    assert.equal(0, child:stats().rss)
    support.run()
    assert.is_nil(child:stats())
  end)

  it("counts one process", function()
    trees.needList()
    local alone, all
    trees.whenReady("sleep 60 & echo ready; wait", nil, function(child)
      alone, all = child:stats().processes, child:stats({tree = true}).processes
      child:kill("SIGKILL", {tree = true})
    end)
    support.run()
    assert.same({1, 2}, {alone, all})
  end)

  it("is nil after the end, and for a child that was not started", function()
    trees.needList()
    local child = cp.spawn("true")
    local atExit = true
    child:on("exit", function() atExit = child:stats() end)
    support.run()
    assert.is_nil(atExit)
    assert.is_nil(child:stats())
    assert.is_nil(cp.ChildProcess():stats())
    child = cp.spawn("no such program"):on("error", function() end)
    assert.is_nil(child:stats())
    support.run()
  end)

  it("raises ENOTSUP in the POSIX build, but not after the end", function()
    if support.forLinux then pending("Linux lists processes") end
    local child = cp.spawn("sleep", {"60"})
    local err = support.error(child.stats, child)
    child:kill()
    assert.equal("ENOTSUP", err.code)
    assert.equal("stats", err.syscall)
    support.run()
    assert.is_nil(child:stats())
  end)

  it("has one option", function()
    trees.needList()
    local child = cp.spawn("sleep", {"60"}, {stdio = "ignore"})
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(child.stats, child, true).code)
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(child.stats, child, {tree = 1}).code)
    assert.equal(1, child:stats({tree = false}).processes)
    child:kill()
    support.run()
  end)

  it("must be called with a colon", function()
    assert.equal("ERR_INVALID_THIS", support.error(cp.ChildProcess.stats, {}).code)
  end)
end)

-- A shell that starts a Lua script in the background, which prints what it has used and waits; the
-- shell itself waits for another one, that has ended by the time it prints.
local TREE = [[
  "$0" "$1" 60 &
  "$0" "$2" 60
  echo waited
  wait
]]

-- Uses as many milliseconds of the processor as its argument says.
local BURN = [[
  local process = require("child_process.process")
  local usage
  repeat
    for _ = 1, 1000 do end
    usage = process:resourceUsage()
  until usage.userCPUTime + usage.systemCPUTime >= tonumber((...)) * 1000
]]

local BURN_AND_WAIT = BURN .. [[
  io.write("burnt\n")
  io.stdout:flush()
  io.read("*a")
]]

describe("child:stats({tree = true})", function()
  --- Starts the tree, and calls back when both scripts have used what they use.
  local function start(options, fn)
    local child = cp.spawn("sh", {
      "-c", "exec 3<&0; (" .. TREE:gsub("60 &", "60 <&3 &") .. ")", support.lua,
      support.script(BURN_AND_WAIT), support.script(BURN),
    }, options)
    local output = ""
    child.stdout:on("data", function(data)
      output = output .. data
      if output:find("burnt", 1, true) and output:find("waited", 1, true) and fn then
        local call = fn
        fn = nil
        call(child)
      end
    end)
    return child
  end

  it("has what the descendants use, and what those have used that were waited for", function()
    trees.needList()
    local alone, all
    start({}, function(child)
      alone, all = child:stats(), child:stats({tree = true})
      child.stdin:finish()
    end)
    support.run()
    assert.equal(1, alone.processes)
    assert.is_true(all.processes >= 2 and all.processes <= 3) -- the shell may not fork for ( )
    assert.is_true(all.threads >= all.processes)
    assert.is_true(all.cpuTime >= 60000 + 60000 - 40000)
    assert.is_true(all.cpuTime > alone.cpuTime + 60000)
    assert.is_true(all.rss > alone.rss)
    assert.equal("string", type(all.state))
  end)

  it("has what a child uses that has no descendants", function()
    trees.needList()
    local child = cp.spawn("sleep", {"60"}, {stdio = "ignore"})
    local alone, all = child:stats(), child:stats({tree = true})
    assert.equal(1, all.processes)
    assert.is_true(all.cpuTime >= alone.cpuTime)
    child:kill()
    support.run()
    assert.is_nil(child:stats({tree = true}))
  end)

  it("has members of the group whose parents have ended", function()
    trees.needList()
    local child = cp.spawn("sh", {"-c", "(sleep 60 & sleep 60 & echo started); exec cat"}, {
      tree = true,
    })
    local all
    child.stdout:once("data", function()
      local function look()
        all = child:stats({tree = true})
        if all.processes == 3 then child:kill() else timers.setTimeout(look, 5) end
      end
      look()
    end)
    support.run()
    assert.equal(3, all.processes)
  end)

  it("sums up a tree of a hundred processes", function()
    trees.needList()
    local child = cp.spawn("sh", {"-c",
      "i=0; while [ $i -lt 99 ]; do sleep 60 & i=$((i+1)); done; echo started; wait"})
    local all
    child.stdout:once("data", function()
      all = child:stats({tree = true})
      child:kill("SIGKILL", {tree = true})
    end)
    support.run()
    assert.equal(100, all.processes)
    assert.is_true(all.threads >= 100)
  end)

  it("raises ENOTSUP in the POSIX build", function()
    if support.forLinux then pending("Linux lists processes") end
    local child = cp.spawn("sleep", {"60"})
    local err = support.error(child.stats, child, {tree = true})
    child:kill()
    assert.equal("ENOTSUP", err.code)
    support.run()
  end)
end)
