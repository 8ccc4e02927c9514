-- Signals to a child and everything that it has started.

local cp = require("child_process")
local copies = require("spec.support.copies")
local process = require("child_process.process")
local support = require("spec.support")
local trees = require("spec.support.trees")

local needList, whenReady = trees.needList, trees.whenReady

-- Shell commands that print "ready" when all processes run. All of them hold stdout, so it ends
-- with the last of them.
local JOBS = "sleep 600 & (sleep 600; :) & echo ready; wait"
local SESSION = "setsid sh -c 'sleep 600 & setsid sleep 600 & echo ready; wait' & wait"
local LEADER_GONE = "(sleep 600; :) & sleep 600 & echo ready"
local ORPHANS_CHILD = "(setsid sh -c 'echo ready; exec sleep 600'; :) &"

--- Runs a shell, sends a signal to its tree as soon as it is ready, and waits for the end of all.
local function endTree(command, options, signal)
  local result
  local child = whenReady(command, options, function(child)
    result = child:kill(signal, {tree = true})
  end)
  support.run()
  assert.is_true(result)
  return child
end

describe("child:kill(signal, {tree = true})", function()
  it("sends the signal to the child and all its descendants", function()
    needList()
    assert.equal("SIGTERM", endTree(JOBS, {}, "SIGTERM").signalCode)
    assert.equal("SIGKILL", endTree(JOBS, {}, "SIGKILL").signalCode)
    assert.equal("SIGHUP", endTree(JOBS, {}, "sighup").signalCode)
  end)

  it("does so for a child that was not started as a tree, and without a session", function()
    needList()
    endTree(SESSION, {}, "SIGTERM")
    endTree(SESSION, {}, "SIGKILL")
  end)

  it("leaves the child's descendants alone if tree is false, whatever options.tree says", function()
    local child = whenReady(LEADER_GONE .. "; wait", {tree = true}, function(child)
      assert.is_true(child:kill("SIGTERM", {tree = false}))
    end)
    child:on("exit", function()
      assert.is_true(child:kill("SIGKILL", {tree = true}))
    end)
    support.run()
    assert.equal("SIGTERM", child.signalCode)
  end)

  it("returns false when nothing is left, and may be called again", function()
    needList()
    local child = endTree(JOBS, {tree = true}, "SIGTERM")
    assert.is_false(child:kill("SIGTERM", {tree = true}))
    assert.is_false(child:kill(0, {tree = true}))
    assert.is_false(cp.ChildProcess():kill("SIGTERM", {tree = true}))
    child = cp.spawn("true")
    support.run()
    assert.is_false(child:kill("SIGTERM", {tree = true}))
  end)

  it("returns true again until the end of the child is noticed", function()
    local results = {}
    local child = whenReady(JOBS, {tree = true}, function(child)
      for i = 1, 3 do results[i] = child:kill("SIGKILL", {tree = true}) end
    end)
    support.run()
    assert.same({true, true, true}, results)
    support.inTime(function()
      while support.forLinux and child:kill("SIGKILL", {tree = true}) do end
    end)
  end)

  it("works from a listener of 'spawn'", function()
    local child = cp.spawn("sh", {"-c", JOBS}, {tree = true})
    child:on("spawn", function() assert.is_true(child:kill("SIGTERM", {tree = true})) end)
    support.run()
    assert.equal("SIGTERM", child.signalCode)
  end)

  it("asks with the signal 0 whether any of them is left, and disturbs none", function()
    local answers = {}
    local child = whenReady(LEADER_GONE .. "; read line", {tree = true}, function(child)
      answers[1] = child:kill(0, {tree = true})
      child.stdin:finish()
    end)
    child:on("exit", function()
      answers[2] = child:kill(0, {tree = true})
      child:kill("SIGKILL", {tree = true})
    end)
    support.run()
    assert.same({true, true}, answers)
    if support.forLinux then assert.is_false(child:kill(0, {tree = true})) end
  end)

  it("raises an error for an option of another type", function()
    local child = cp.spawn("true")
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(child.kill, child, 0, {tree = 1}).code)
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(child.kill, child, 0, "tree").code)
    support.run()
  end)

  it("ends stopped processes by SIGKILL", function()
    needList()
    endTree("sleep 600 & kill -STOP $!; echo ready; kill -STOP $$", {}, "SIGKILL")
    endTree("sleep 600 & kill -STOP $!; echo ready; kill -STOP $$", {tree = true}, "SIGKILL")
  end)

  it("lets no process escape that is started meanwhile", function()
    needList()
    for _, starts in ipairs({"sleep 600 &", "setsid sleep 600 &", "(sleep 600; :) &"}) do
      local loop = ("echo ready; for i in $(seq 300); do %s done; wait"):format(starts)
      endTree(loop, {}, "SIGTERM")
      endTree(loop, {tree = true}, "SIGTERM")
      endTree(loop, {tree = true}, "SIGKILL")
    end
  end)

  it("ends a tree of 200 processes, deep or wide", function()
    needList()
    local count = support.isSlow and 40 or 200
    local deep = ("n=$1; shift; [ $n -gt 0 ] || { echo ready; exec sleep 600; }; "
      .. "sh -c \"$0\" \"$0\" $((n - 1)); :"):gsub("%%", "%%%%")
    local results = {}
    local child = cp.spawn("sh", {"-c", deep, deep, count})
    child.stdout:once("data", function()
      results[1] = child:kill("SIGTERM", {tree = true})
    end)
    support.run()
    assert.is_true(results[1])
    endTree(("for i in $(seq %d); do sleep 600 & done; echo ready; wait"):format(count), {},
      "SIGTERM")
  end)

  it("ends a hundred trees at once", function()
    needList()
    local count = support.isSlow and 10 or 100
    local ready, children = 0, {}
    for i = 1, count do
      children[i] = whenReady(JOBS, {tree = i % 2 == 0}, function()
        ready = ready + 1
        if ready < count then return end
        for _, child in ipairs(children) do
          assert.is_true(child:kill("SIGTERM", {tree = true}))
        end
      end)
    end
    support.run()
    for _, child in ipairs(children) do assert.equal("SIGTERM", child.signalCode) end
  end)

  it("works when no descriptor is left", function()
    needList()
    assert.equal("true\nSIGTERM\tfalse\n", trees.killWithoutDescriptors(SESSION, "{}"))
  end)

  it("reaches the others if it is refused for a process of another user", function()
    needList()
    if not support.isRoot then support.skip("only root can start processes of other users") end
    local folder = support.tmpdir()
    -- a program by which anybody becomes root
    assert(os.execute(([[
      chmod 755 %s && cp "$(command -v setpriv)" %s/root && chmod 4755 %s/root
    ]]):format(folder, folder, folder)))
    local output = support.runHost(([[
      host.setUid(65534)
      local function run(command)
        local child = cp.spawn("sh", {"-c", command, "%s/root"},
          {tree = true, stdio = {"ignore", "pipe", "ignore"}})
        local text = ""
        child.stdout:on("data", function(data)
          text = text .. data
          if not text:find("%%d+%%s+%%d+%%s") then return end
          print((text:gsub("%%s", " ")))
          print("killed", child:kill("SIGTERM"))
          child.stdout:destroy()
        end)
        child:on("error", function(err) print(err.code, err.syscall) child:unref() end)
        child:on("exit", function(_, signal) print(signal) end)
        cp.run()
      end
      local BECOME_ROOT = "exec $0 --reuid 0 --clear-groups sh -c 'id -u; echo $$; exec sleep 600'"
      run("(" .. BECOME_ROOT .. ") & sleep 600 & wait")
      run(BECOME_ROOT)
    ]]):format(folder))
    local becameRoot = true
    local rest = output:gsub("(%d+) (%d+) \n", function(user, pid)
      process:kill(tonumber(pid), "SIGKILL")
      becameRoot = becameRoot and user == "0"
      return ""
    end)
    if not becameRoot then support.skip("set-user-id programs have no effect") end
    assert.equal("killed\ttrue\nSIGTERM\nEPERM\tkill\nkilled\tfalse\n", rest)
  end)

  it("takes no descriptor, and leaves no process or zombie", function()
    local before = support.settledFds()
    for _ = 1, 5 do
      if support.forLinux then endTree(SESSION, {}, "SIGTERM") end
      endTree(JOBS, {tree = true}, "SIGTERM")
    end
    assert.same(before, support.settledFds())
    assert.same({}, support.zombies())
  end)
end)

describe("a tree whose child has ended", function()
  it("can be signalled as long as processes of its group are left", function()
    for _, signal in ipairs({"SIGTERM", "SIGKILL"}) do
      local child = cp.spawn("sh", {"-c", LEADER_GONE}, {tree = true})
      local result
      child:on("exit", function() result = child:kill(signal, {tree = true}) end)
      support.run()
      assert.is_true(result)
      assert.equal(0, child.exitCode)
    end
  end)

  it("can be signalled by kill alone, with options.tree", function()
    local child = cp.spawn("sh", {"-c", LEADER_GONE}, {tree = true})
    local result
    child:on("exit", function() result = child:kill() end)
    support.run()
    assert.is_true(result)
  end)

  it("can be signalled if the child was detached or leads a process group", function()
    for _, options in ipairs({{detached = true}, {processGroup = 0}}) do
      local child = cp.spawn("sh", {"-c", LEADER_GONE}, options)
      local results = {}
      child:on("exit", function()
        results[1] = child:kill("SIGTERM", {tree = false})
        results[2] = child:kill("SIGTERM", {tree = true})
      end)
      support.run()
      assert.same({false, true}, results)
    end
  end)

  it("is out of reach without a group, since nothing connects it with the child", function()
    local child = cp.spawn("sh", {"-c", "sleep 600 & echo $!"})
    local result
    local missing, pid = 2, nil
    local function onEvent(data)
      pid = tonumber(data) or pid
      missing = missing - 1
      if missing > 0 then return end
      result = child:kill("SIGTERM", {tree = true})
      process:kill(pid, "SIGKILL")
    end
    child.stdout:once("data", onEvent)
    child:on("exit", function() onEvent() end)
    support.run()
    assert.is_false(result)
  end)

  it("includes descendants that have left the group of orphans", function()
    needList()
    local child = cp.spawn("sh", {"-c", ORPHANS_CHILD}, {tree = true})
    local missing, result = 2, nil
    local function onEvent()
      missing = missing - 1
      if missing == 0 then result = child:kill("SIGTERM", {tree = true}) end
    end
    child:on("exit", onEvent)
    child.stdout:once("data", onEvent)
    support.run()
    assert.is_true(result)
  end)

  it("is not signalled in a copy of the process, which keeps no descriptor of it", function()
    assert.equal("copy\tfalse\tfalse\tfalse\noriginal\ttrue\ttrue\n", copies.run([[
      local ended = cp.spawn("sh", {"-c", "sleep 600 & exit 0"}, {tree = true, stdio = "ignore"})
      ended:on("exit", function()
        local running = cp.spawn("sleep", {"600"}, {tree = true, stdio = "ignore"})
        assert(inCopy(function()
          local results = {ended:kill("SIGKILL"), running:kill("SIGKILL", {tree = true})}
          local listed = io.popen("ls -l /proc/$PPID/fd 2>/dev/null"):read("*a")
          say("copy", results[1], results[2], listed:find("pidfd", 1, true) ~= nil)
        end) == 0)
        say("original", ended:kill("SIGKILL"), running:kill("SIGKILL"))
      end)
      cp.run()
    ]]))
  end)

  it("holds its descriptor only as long as it has members", function()
    local before = support.settledFds()
    local children = {}
    for i = 1, 10 do
      children[i] = cp.spawn("sh", {"-c", "sleep 600 & sleep 600 & exit 0"},
        {tree = true, stdio = "ignore"})
    end
    support.run()
    for _, child in ipairs(children) do child:kill("SIGTERM") end
    if support.forLinux then
      trees.awaitCondition(function()
        for _, child in ipairs(children) do
          if child:kill(0, {tree = true}) then return false end
        end
        return true
      end)
      assert.same(before, support.openFds())
    end
    children = nil ---@diagnostic disable-line: unused-local
    assert.same(before, support.settledFds())
  end)

  it("holds no descriptor after SIGKILL", function()
    needList()
    local before = support.settledFds()
    local children = {}
    for i = 1, 10 do
      children[i] = cp.spawn("sh", {"-c", "sleep 600 & sleep 600 & exit 0"},
        {tree = true, stdio = "ignore"})
      children[i]:on("exit", function() assert.is_true(children[i]:kill("SIGKILL")) end)
      children[10 + i] = whenReady(JOBS, {tree = true}, function(child)
        assert.is_true(child:kill("SIGKILL"))
      end)
    end
    support.run()
    assert.same(before, support.openFds())
    for _, child in ipairs(children) do child:kill("SIGKILL") end
  end)

  it("leaves others the descriptors of groups that have ended", function()
    needList()
    local output = support.runScript([[
      local children = {}
      local function startNext()
        if #children == 80 then return end
        local child = cp.spawn("sh", {"-c", "sleep 600 & sleep 600 & exit 0"},
          {tree = true, stdio = "ignore"})
        children[#children + 1] = child
        child:on("exit", function()
          child:kill("SIGTERM")
          startNext()
        end)
      end
      startNext()
      cp.run()
      print(#children)
    ]], "ulimit -n 64")
    assert.equal("80\n", output)
  end)
end)
