-- options.host: children that an agent starts have the same streams and events as our own.

local agents = require("spec.support.agents")
local cp = require("child_process")
local support = require("spec.support")
local trees = require("spec.support.trees")

local h

local function spawn(command, options)
  return cp.spawn("sh", {"-c", command}, support.merge({host = h}, options))
end

describe("options.host", function()
  setup(function() h = agents.connect() end)
  teardown(function() agents.close(h) end)

  it("starts the child at the agent, which is its parent", function()
    local child = spawn("echo $PPID; exit 3")
    local seen = support.events(child)
    assert.is_nil(child.pid)
    assert.equal(h, child.host)
    child:once("spawn", function() assert.equal("number", type(child.pid)) end)
    local stdout = support.output(child)
    assert.equal(h.pid .. "\n", stdout)
    assert.same({"spawn", "exit 3 nil", "close 3 nil"}, seen)
    assert.equal(3, child.exitCode)
    assert.equal("sh", child.spawnfile)
    assert.same({"sh", "-c", "echo $PPID; exit 3"}, child.spawnargs)
    assert.is_not_nil(child:resourceUsage().userCPUTime)
  end)

  it("connects its three standard streams", function()
    local child = spawn("cat; echo from stderr >&2")
    child.stdin:write("one\n")
    child.stdin:finish("two\n")
    local stdout, stderr = support.output(child)
    assert.equal("one\ntwo\n", stdout)
    assert.equal("from stderr\n", stderr)
    assert.equal(0, child.exitCode)
  end)

  it("moves much in both directions, unchanged", function()
    local parts = {}
    for i = 1, 3000 do parts[i] = ("%d %s\0\255"):format(i, ("x"):rep(i % 997)) end
    local sent = table.concat(parts)
    local child = cp.spawn("cat", {host = h})
    child.stdin:finish(sent)
    support.assertSameText(sent, support.output(child))
  end)

  it("makes pipes that a child opens by name, and two-way pipes at further descriptors", function()
    local child = spawn("cat /dev/stdin > /dev/stdout; read line <&3; echo got $line >&3", {
      stdio = {"pipe", "pipe", "inherit", "pipe"},
    })
    child.stdin:finish("named\n")
    child.stdio[3]:write("line\n")
    local third = support.collect(child.stdio[3])
    assert.equal("named\n", support.output(child))
    assert.equal("got line\n", third())
  end)

  it("ignores, joins and relays as options.stdio says", function()
    assert.equal("out\nerr\n", support.output(spawn("cat; echo out; echo err >&2",
      {stdio = {"ignore", "pipe", {childFd = 1}}})))
    local stdout, stderr = support.runScript(([[
      local agents = require("spec.support.agents")
      local h = agents.connect()
      local child = cp.spawn("sh", {"-c", "cat; echo out; echo err >&2"},
        {host = h, stdio = "inherit"})
      child:on("close", function() h:close() end)
      cp.run()
    ]]))
    assert.equal("out\n", stdout)
    assert.equal("err\n", stderr)
  end)

  it("leaves our standard output as it is", function()
    if not support.forLinux then support.skip("the POSIX build makes it non-blocking") end
    local stdout = support.runScript([[
      local agents = require("spec.support.agents")
      local function flags()
        for line in io.lines("/proc/self/fdinfo/1") do
          if line:find("^flags:") then return line end
        end
      end
      local h, before = agents.connect(), flags()
      local child = cp.spawn("echo", {"from there"}, {host = h, stdio = "inherit"})
      child:on("spawn", function() assert(flags() == before) end)
      child:on("close", function() h:close() end)
      cp.run()
      assert(flags() == before)
    ]])
    assert.equal("from there\n", stdout)
  end)

  it("passes arguments and variables on as bytes", function()
    local child = cp.spawn("sh", {"-c", 'echo "$A"; echo "$0"', "x\255y"},
      {host = h, env = {A = "b\254 'c'"}})
    assert.same({"b\254 'c'", "x\255y"}, support.lines(support.outputOfSuccess(child)))
    assert.equal("sh -c 'echo $0' name\n",
      support.output(cp.spawn("printf", {"%s\n", "sh -c 'echo $0' name"}, {host = h})))
  end)

  it("emits the error of a program that cannot be started there", function()
    local child = cp.spawn("/nonexistent/program", {"a"}, {host = h})
    local seen = support.names(child, "spawn", "error", "exit", "close")
    local err
    child:on("error", function(e) err = e end)
    support.output(child)
    assert.same({"error", "close"}, seen)
    assert.equal("ENOENT", err.code)
    assert.equal("spawn /nonexistent/program", err.syscall)
    assert.equal("/nonexistent/program", err.path)
    assert.same({"a"}, err.spawnargs)
    assert.is_nil(child.pid)
  end)

  it("takes exec and execFile, with their limits", function()
    local results = {}
    cp.exec("echo out; echo err >&2; cat", {host = h, input = "in"}, function(err, stdout, stderr)
      results.exec = {err, stdout, stderr}
    end)
    cp.execFile("sh", {"-c", "echo no; exit 5"}, {host = h}, function(err, stdout)
      results.file = {err.code, stdout}
    end)
    cp.exec("yes", {host = h, maxBuffer = 1000}, function(err, stdout)
      results.much = {err.code, #stdout}
    end)
    cp.exec("sleep 600", {host = h, timeout = 50}, function(err)
      results.long = {err.timedOut, err.signal}
    end)
    cp.exec("nonexistent-program-of-this-name", {host = h}, function(err)
      results.missing = {err.code}
    end)
    support.run()
    assert.same({
      exec = {nil, "out\nin", "err\n"},
      file = {5, "no\n"},
      much = {"ERR_CHILD_PROCESS_STDIO_MAXBUFFER", 1000},
      long = {true, "SIGTERM"},
      missing = {127},
    }, results)
  end)

  it("sends signals, to the tree if that is asked for", function()
    local child = trees.whenReady("trap 'echo caught; exit 4' USR1; echo ready; while :; do "
      .. "sleep 0.01; done", {host = h}, function(child)
      assert.is_true(child:kill(0))
      assert.is_true(child:kill("SIGUSR1"))
      assert.is_true(child.killed)
    end)
    local seen = support.events(child)
    support.run()
    assert.same({"spawn", "exit 4 nil", "close 4 nil"}, seen)
    assert.is_false(child:kill())

    child = spawn("sleep 600 & echo $!; wait")
    local pid
    child.stdout:once("data", function(data)
      pid = tonumber(data)
      child:kill("SIGTERM", {tree = true})
    end)
    support.run()
    assert.equal("SIGTERM", child.signalCode)
    trees.awaitEnd(pid)
  end)

  it("sends signals to what a child has left, once that has ended", function()
    local child = spawn("sleep 600 >/dev/null 2>&1 & echo $!")
    local pid = tonumber((support.output(child)))
    assert.equal(0, child.exitCode)
    assert.is_false(child:kill("SIGTERM", {tree = false}))
    assert.is_true(child:kill("SIGTERM", {tree = true}))
    trees.awaitEnd(pid)
    -- The answers of the agent tell when nothing is left.
    support.inTime(function()
      while child:kill("SIGTERM", {tree = true}) do
        cp.promises.execFile("true", {host = h}):await()
      end
    end)
  end)

  it("disposes of a child and all it has started", function()
    local child = spawn(trees.STUBBORN_SESSION)
    local settled
    child.stdout:once("data", function()
      child:dispose({grace = 20}):andThen(function(code, signal) settled = {code, signal} end)
    end)
    support.run()
    assert.same({nil, "SIGTERM"}, settled)
  end)

  it("ends what the child has closed: its stdin closes here, and its writers get SIGPIPE there",
    function()
      local child = spawn("exec 0<&-; echo closed; while :; do sleep 0.01; done")
      child.stdin:on("close", function() child:kill() end)
      child.stdout:resume()
      support.run()
      assert.equal("SIGTERM", child.signalCode)

      child = cp.spawn("yes", {host = h})
      child.stdout:once("data", function() child.stdout:destroy() end)
      support.run()
      assert.equal("SIGPIPE", child.signalCode)
    end)

  it("stops a child whose output nobody takes, and no other", function()
    local slow = spawn("head -c 20000000 /dev/zero; echo done >&2")
    local finished = support.collect(slow.stderr)
    local quick = cp.spawn("head", {"-c", "20000000", "/dev/zero"}, {host = h})
    local before, count = nil, 0
    quick.stdout:on("data", function(data) count = count + #data end)
    quick:on("close", function()
      before = finished()
      slow.stdout:on("data", function(data) count = count + #data end)
    end)
    support.run()
    assert.equal("", before)
    assert.equal(40000000, count)
    assert.equal("done\n", finished())
  end)

  it("runs many at once", function()
    local outputs, count = {}, 60
    for i = 1, count do
      cp.execFile("sh", {"-c", "echo $0; exit 0", tostring(i)}, {host = h}, function(err, stdout)
        assert.is_nil(err)
        outputs[i] = stdout
      end)
    end
    support.run()
    for i = 1, count do assert.equal(i .. "\n", outputs[i]) end
  end)

  it("does not keep the loop alive for a child that is unreferenced", function()
    local child = spawn("exec sleep 600")
    support.inTime(function() return child:wait("spawn") end)
    child:unref()
    support.run()
    assert.is_nil(child.exitCode)
    child:ref()
    child:kill()
    support.run()
    assert.equal("SIGTERM", child.signalCode)
  end)

  it("pipes one child into another", function()
    local from = cp.spawn("seq", {"100000"}, {host = h})
    local to = cp.spawn("wc", {"-l"}, {host = h})
    from.stdout:pipe(to.stdin)
    assert.equal("100000", support.output(to):match("%d+"))
  end)
end)
