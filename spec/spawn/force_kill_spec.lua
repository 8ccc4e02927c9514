-- SIGKILL after options.forceKillAfterDelay, whatever has ended the child; with and without a tree.

local abort = require("child_process.abort")
local cp = require("child_process")
local Promise = require("child_process.promise")
local support = require("spec.support")
local trees = require("spec.support.trees")

-- Goes on when it is asked to end.
local STUBBORN = "trap '' TERM; echo ready; exec sleep 600"

-- The leader ends when it is asked to; the processes that it has started, one of them by another,
-- go on.
local STUBBORN_JOBS = "(trap '' TERM; echo ready; exec sleep 600) & "
  .. "(trap '' TERM; sh -c 'echo ready; sleep 600; :') & wait"

local function bothReady(output) return select(2, output:gsub("ready", "")) == 2 end

-- Starts children with each of the functions that take the options, and calls back when they have
-- said that they are ready.
local starts = {
  spawn = function(script, options) return cp.spawn("sh", {"-c", script}, options) end,
  exec = function(script, options) return cp.exec(script, options) end,
  execFile = function(script, options) return cp.execFile("sh", {"-c", script}, options) end,
  ["ChildProcess:spawn"] = function(script, options)
    options = support.merge({file = "sh", args = {"sh", "-c", script}}, options)
    return cp.ChildProcess():spawn(options)
  end,
  fork = function(script, options)
    options = support.merge({execPath = "sh", stdio = {"ignore", "pipe", "pipe", "ipc"}}, options)
    return cp.fork(support.script(script), {}, options)
  end,
}

describe("options.forceKillAfterDelay", function()
  for name, start in pairs(starts) do
    it("is for children of " .. name, function()
      local child = start(STUBBORN, {forceKillAfterDelay = 20})
      child:on("error", function() end)
      child.stdout:once("data", function() assert.is_true(child:kill()) end)
      local seen = support.names(child, "exit", "close")
      support.run()
      assert.equal("SIGKILL", child.signalCode)
      assert.is_true(child.isForcefullyTerminated)
      assert.same({"exit", "close"}, seen)
    end)
  end

  it("changes nothing for a child that ends by itself", function()
    local child = cp.spawn("true", {forceKillAfterDelay = 3600000, tree = true})
    support.run()
    assert.equal(0, child.exitCode)
    assert.is_false(child.isForcefullyTerminated)
  end)

  it("comes after a timeout", function()
    local child
    child = support.onceReady(function(_, options)
      child = cp.spawn("sh", {"-c", STUBBORN},
        {timeout = options.timeout, forceKillAfterDelay = 20})
      return {stdout = support.output(child)}
    end, STUBBORN) and child
    assert.is_true(child.timedOut)
    assert.equal("SIGKILL", child.signalCode)
  end)

  it("comes after an abort", function()
    local controller = abort.AbortController()
    local child = cp.spawn("sh", {"-c", STUBBORN},
      {signal = controller.signal, forceKillAfterDelay = 20})
    local seen = support.events(child)
    child.stdout:once("data", function() controller:abort() end)
    support.run()
    assert.equal("error AbortError: The operation was aborted", seen[2])
    assert.equal("close nil SIGKILL", seen[4])
  end)

  it("is told by the error of exec", function()
    local err = support.onceReady(function(script, options)
      options.forceKillAfterDelay = 20
      local result
      cp.exec(script, options, function(failure, stdout)
        result = failure
        result.stdout = stdout
      end)
      support.run()
      return result
    end, STUBBORN)
    assert.is_true(err.isForcefullyTerminated)
    assert.is_true(err.timedOut and err.killed)
    assert.equal("SIGKILL", err.signal)
    assert.matches(" %(timed out after %d+ ms, killed by SIGKILL, which had to follow SIGTERM%)\n",
      err.message)
  end)

  it("is told by the error of a promise, and of a command that was killed", function()
    local promise = cp.promises.exec(STUBBORN, {forceKillAfterDelay = 20, killSignal = "SIGHUP"})
    promise.child.stdout:once("data", function() promise.child:kill() end)
    local err = support.error(promise.await, promise)
    assert.is_true(err.isForcefullyTerminated)
    assert.is_nil(err.timedOut)
    assert.matches(" %(killed by SIGKILL, which had to follow SIGTERM%)\n", err.message)
    promise = cp.promises.exec("echo ready; exec sleep 600", {forceKillAfterDelay = 3600000})
    promise.child.stdout:once("data", function() promise.child:kill() end)
    err = support.error(promise.await, promise)
    assert.is_nil(err.isForcefullyTerminated)
    assert.matches(" %(killed by SIGTERM%)\n", err.message)
  end)

  it("comes after maxBuffer", function()
    local err
    local child = cp.exec("trap '' TERM PIPE; yes; exec sleep 600",
      {maxBuffer = 1000, forceKillAfterDelay = 20}, function(failure) err = failure end)
    support.run()
    assert.equal("ERR_CHILD_PROCESS_STDIO_MAXBUFFER", err.code)
    assert.is_true(err.isForcefullyTerminated)
    assert.equal("SIGKILL", child.signalCode)
  end)

  it("is for a child that nobody holds", function()
    local signal
    do
      local child = cp.spawn("sh", {"-c", STUBBORN}, {forceKillAfterDelay = 30})
      child:on("exit", function(_, name) signal = name end)
      child.stdout:once("data", function()
        child:kill()
        child = nil
        collectgarbage()
        collectgarbage()
      end)
    end
    support.run()
    assert.equal("SIGKILL", signal)
  end)

  it("is for a hundred at once", function()
    local stubborn, polite = {}, {}
    for index = 1, 50 do
      stubborn[index] = cp.spawn("sh", {"-c", STUBBORN}, {forceKillAfterDelay = 300})
      polite[index] = cp.spawn("sh", {"-c", "echo ready; exec sleep 600"},
        {forceKillAfterDelay = 3600000})
      for _, child in ipairs({stubborn[index], polite[index]}) do
        child.stdout:once("data", function() child:kill() end)
      end
    end
    support.run()
    for index = 1, 50 do
      assert.same({"SIGKILL", true},
        {stubborn[index].signalCode, stubborn[index].isForcefullyTerminated})
      assert.same({"SIGTERM", false},
        {polite[index].signalCode, polite[index].isForcefullyTerminated})
    end
  end)

  local SLEEPER = "echo ready; exec sleep 600"

  -- Start it, and end it with the killSignal.
  local endings = {
    timeout = function(options)
      options.timeout = 1
      -- It writes nothing: a timeout of exec destroys the output, and SIGPIPE could come first.
      return cp.exec("exec sleep 600", options, function() end)
    end,
    maxBuffer = function(options)
      options.maxBuffer = 5
      return cp.exec(SLEEPER, options, function() end)
    end,
    signal = function(options)
      local controller = abort.AbortController()
      options.signal = controller.signal
      local child = cp.spawn("sh", {"-c", SLEEPER}, options):on("error", function() end)
      child.stdout:once("data", function() controller:abort() end)
      return child
    end,
    kill = function(options)
      local child = cp.spawn("sh", {"-c", SLEEPER}, options)
      child.stdout:once("data", function() assert.is_true(child:kill(options.killSignal)) end)
      return child
    end,
  }

  for _, signal in ipairs({
    "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGCONT", "SIGCHLD", "SIGURG", "SIGWINCH",
  }) do
    it("comes after a killSignal that ends no program: " .. signal, function()
      local witness, children = trees.witness(), {}
      for _, tree in ipairs({false, true}) do
        for name, start in pairs(endings) do
          children[name .. tostring(tree)] = start({
            killSignal = signal, forceKillAfterDelay = 20, tree = tree, stdio = witness.stdio,
          })
        end
      end
      support.run()
      witness:awaitEnd()
      for name, child in pairs(children) do
        assert.equal("SIGKILL", child.signalCode, name)
        assert.is_true(child.isForcefullyTerminated, name)
      end
    end)
  end

  it("does not take a child that has ended while the loop was busy for one that goes on", function()
    local result = cp.spawnSync(support.lua, {"-e", "require('luv')"}, {stdio = "ignore"})
    local hasLuv = result.status == 0
    -- luv's loop looks at timers first
    for _, before in ipairs({"", hasLuv and "require('luv') " or nil}) do
      assert.equal("SIGTERM\tfalse\n", (support.runScript(before .. [[
        local child = cp.spawn("cat", {forceKillAfterDelay = 1})
        child:kill()
        cp.spawnSync("sleep", {"0.3"})
        cp.run()
        print(child.signalCode, child.isForcefullyTerminated)
      ]])))
    end
  end)

  it("is for a child that is stopped", function()
    for _, tree in ipairs({false, true}) do
      for _, send in ipairs({
        function(child) return child:kill() end,
        function(child) return child:dispose({grace = 20}) end,
      }) do
        local child = cp.spawn("sleep", {"600"}, {tree = tree, forceKillAfterDelay = 20})
        child:kill("SIGSTOP")
        trees.awaitState(child.pid, "T")
        send(child)
        support.run()
        assert.equal("SIGKILL", child.signalCode)
        assert.is_true(child.isForcefullyTerminated)
      end
    end
  end)

  it("is listed among what keeps the loop alive", function()
    local child, kinds = cp.spawn("cat", {forceKillAfterDelay = 3600000}), nil
    child:kill()
    for _, handle in ipairs(cp.activeHandles()) do
      if handle.kind == "timer" then kinds = handle.description end
    end
    support.run()
    assert.equal(("SIGKILL for cat (pid %d)"):format(child.pid), kinds)
  end)

  it("is not for a copy of the process", function()
    assert.equal("copy false\noriginal SIGKILL true\n", support.runHost([[
      local child = cp.spawn("sh", {"-c", "trap '' TERM; echo ready; exec sleep 600"},
        {tree = true, forceKillAfterDelay = 3600000})
      child.stdout:readLine()
      child.stdout:destroy()
      child:kill()
      io.stdout:flush()
      local pid = host.fork()
      if pid == 0 then
        print("copy", cp.run())
        io.stdout:flush()
        host.exit()
      end
      assert(host.await(pid) == 0)
      child:kill("SIGTERM", {forceKillAfterDelay = 20})
      cp.run()
      print("original", child.signalCode, child.isForcefullyTerminated)
    ]]):gsub("\t", " "), nil)
  end)

  it("is refused where it is no time", function()
    for value, code in pairs({
      [-1] = "ERR_OUT_OF_RANGE", [0.5] = "ERR_OUT_OF_RANGE", ["1"] = "ERR_INVALID_ARG_TYPE",
    }) do
      for _, call in ipairs({cp.spawn, cp.execFile, cp.spawnSync, cp.promises.execFile}) do
        local err = support.error(call, "true", {}, {forceKillAfterDelay = value})
        assert.equal(code, err.code)
        assert.matches("options.forceKillAfterDelay", err.message, 1, true)
      end
    end
    local huge = support.error(cp.spawn, "true", {}, {forceKillAfterDelay = 1e300})
    assert.matches("It must be >= 0 and <= %d+%. Received 1e%+300", huge.message)
    for _, name in ipairs({"tree", "disposeWaits"}) do
      local err = support.error(cp.spawn, "true", {}, {[name] = 1})
      assert.equal("ERR_INVALID_ARG_TYPE", err.code)
    end
  end)
end)

describe("options.forceKillAfterDelay with options.tree", function()
  for name, start in pairs(starts) do
    it("ends what the child has started: " .. name, function()
      local witness = trees.witness()
      local options = {tree = true, forceKillAfterDelay = 200, stdio = witness.stdio}
      if name == "fork" then options.stdio = {"ignore", "pipe", "pipe", witness.stream, "ipc"} end
      local child = start(STUBBORN_JOBS, options)
      child:on("error", function() end)
      local output, isKilled = support.collect(child.stdout), false
      child.stdout:on("data", function()
        if bothReady(output()) and not isKilled then
          isKilled = child:kill()
        end
      end)
      support.run()
      assert.equal("SIGTERM", child.signalCode)
      assert.is_true(child.isForcefullyTerminated)
      witness:awaitEnd()
    end)
  end

  it("delays \"close\" until nothing of the tree is left", function()
    local witness = trees.witness()
    local child = cp.spawn("sh", {"-c", STUBBORN_JOBS},
      {tree = true, forceKillAfterDelay = 200, stdio = witness.stdio})
    local seen, forced = support.names(child, "exit", "close"), nil
    child:on("close", function() forced = child.isForcefullyTerminated end)
    local output = support.collect(child.stdout)
    child.stdout:on("data", function()
      if bothReady(output()) then
        child:kill()
        child.stdout:destroy() -- and "close" waits for no stream
        child.stderr:destroy()
      end
    end)
    support.run()
    assert.same({"exit", "close"}, seen)
    assert.is_true(forced)
    witness:awaitEnd()
  end)

  it("ends as soon as nothing is left", function()
    if not support.forLinux then support.skip("the POSIX build counts ended processes") end
    local witness = trees.witness()
    local script = "sleep 600 & (echo ready; exec sleep 600) & wait"
    local child = cp.spawn("sh", {"-c", script},
      {tree = true, forceKillAfterDelay = 3600000, stdio = witness.stdio})
    child.stdout:once("data", function() child:kill() end)
    local seen = support.events(child)
    support.run()
    witness:awaitEnd()
    assert.is_false(child.isForcefullyTerminated)
    assert.same({"spawn", "exit nil SIGTERM", "close nil SIGTERM"}, seen)
  end)

  it("is told by the error of exec after a timeout", function()
    local witness = trees.witness()
    local err = support.onceReady(function(script, options)
      options = support.merge(options,
        {tree = true, forceKillAfterDelay = 200, stdio = witness.stdio})
      local result
      cp.exec(script, options, function(failure, stdout)
        result = failure
        result.stdout = bothReady(stdout) and stdout or ""
      end)
      support.run()
      return result
    end, STUBBORN_JOBS)
    witness:awaitEnd()
    assert.is_true(err.isForcefullyTerminated)
    assert.equal("SIGTERM", err.signal)
    assert.matches(" %(timed out after %d+ ms, killed by SIGTERM; SIGKILL had to follow SIGTERM "
      .. "for processes that it has started%)\n", err.message)
  end)

  it("takes the tree after an abort, and after maxBuffer", function()
    for _, how in ipairs({"abort", "maxBuffer"}) do
      local witness = trees.witness()
      local controller = abort.AbortController()
      local err
      local child = cp.exec(STUBBORN_JOBS, {
        tree = true, forceKillAfterDelay = 200, stdio = witness.stdio, signal = controller.signal,
        maxBuffer = how == "maxBuffer" and 11 or nil,
      }, function(failure) err = failure end)
      if how == "abort" then
        local output = support.collect(child.stdout)
        child.stdout:on("data", function()
          if bothReady(output()) then controller:abort() end
        end)
      end
      support.run()
      witness:awaitEnd()
      assert.is_true(child.isForcefullyTerminated)
      assert.equal(how == "abort" and "ABORT_ERR" or "ERR_CHILD_PROCESS_STDIO_MAXBUFFER", err.code)
      assert.equal(how == "maxBuffer" or nil, err.isForcefullyTerminated)
    end
  end)

  it("takes what a leader has left, at a timeout or abort after its end", function()
    for _, how in ipairs({"timeout", "signal"}) do
      local witness = trees.witness()
      local controller = abort.AbortController()
      local child = cp.spawn("sh", {"-c", "(trap '' TERM; echo ready; exec sleep 600) & exit 3"}, {
        tree = true, forceKillAfterDelay = 200, stdio = witness.stdio,
        timeout = how == "timeout" and 300 or nil, signal = controller.signal,
      })
      if how == "signal" then
        child.stdout:once("data", function()
          child:kill(0) -- it may run
          child:on("exit", function() controller:abort() end)
          if child.exitCode then controller:abort() end
        end)
      else
        support.collect(child.stdout)
      end
      local seen = support.events(child)
      support.run()
      witness:awaitEnd()
      assert.same({"spawn", "exit 3 nil", "close 3 nil"}, seen)
    end
  end)

  it("is for a child that nobody holds, and that has ended", function()
    local witness = trees.witness()
    do
      local child = cp.spawn("sh", {"-c", STUBBORN_JOBS},
        {tree = true, forceKillAfterDelay = 100, stdio = witness.stdio})
      local output = support.collect(child.stdout)
      child.stdout:on("data", function()
        if bothReady(output()) then child:kill() child.stdout:destroy() end
      end)
      child:on("exit", function()
        child = nil
        collectgarbage()
        collectgarbage()
      end)
    end
    support.run()
    witness:awaitEnd()
  end)

  it("is for thirty at once", function()
    local witness = trees.witness()
    local children = {}
    for index = 1, 30 do
      local child = cp.spawn("sh", {"-c", STUBBORN_JOBS},
        {tree = true, forceKillAfterDelay = 100, stdio = witness.stdio})
      local output = support.collect(child.stdout)
      child.stdout:on("data", function()
        if bothReady(output()) then child:kill() end
      end)
      children[index] = child
    end
    support.run()
    witness:awaitEnd()
    for _, child in ipairs(children) do assert.is_true(child.isForcefullyTerminated) end
  end)

  it("is part of dispose, which reaches a leader's former jobs", function()
    local witness = trees.witness()
    local child = cp.spawn("sh", {"-c", "(trap '' TERM; echo ready; exec sleep 600) & exit 3"},
      {tree = true, stdio = witness.stdio})
    child:wait("exit")
    child.stdout:readLine()
    assert.equal(3, (child:dispose({grace = 20}):await()))
    assert.is_true(child.isForcefullyTerminated)
    witness:awaitEnd()
    assert.equal(3, (child:dispose():await()))
  end)

  it("lets a dispose after \"close\" wait for the tree", function()
    local witness = trees.witness()
    local script = "(trap '' TERM; echo ready; exec sleep 600 >&- 2>&-) & exit 3"
    local child = cp.spawn("sh", {"-c", script},
      {tree = true, stdio = witness.stdio})
    support.collect(child.stdout)
    child:wait("close")
    Promise.all({child:dispose({grace = 20}), child:dispose({grace = 3600000})}):await()
    assert.is_true(child.isForcefullyTerminated)
    witness:awaitEnd()
  end)

  it("returns at the end of a block", function()
    support.needClosing()
    local witness = trees.witness()
    cp.async(function()
      local child = cp.spawn("sh", {"-c", STUBBORN_JOBS},
        {tree = true, disposeWaits = true, forceKillAfterDelay = 20, stdio = witness.stdio})
      child.stdout:readLine()
      child.stdout:readLine()
      support.closing(child, function() end)
      assert.is_true(child.isForcefullyTerminated)
    end):await()
    witness:awaitEnd()
  end)
end)
