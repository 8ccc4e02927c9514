-- options.killOnParentExit: children that do not outlive us, however we end.

local cp = require("child_process")
local process = require("child_process.process")
local support = require("spec.support")
local trees = require("spec.support.trees")

--- Lua code for the parents of this spec. A child that `start` has started says that it is ready,
--- and so does `readyTree` when all of its tree run; they hold our stdout until their end.
local PARENT = [[
  local cp = require("child_process")
  local process = require("child_process.process")
  local LOOP = "while :; do sleep 1000; done"
  local TREE = "setsid sh -c 'echo ready >&3; " .. LOOP .. "' & sh -c 'echo ready >&3; " .. LOOP
    .. "' & echo ready >&3; " .. LOOP

  local ALONE = "for n in 1 2 3; do echo ready >&3; done; exec sleep 1000" -- for a tree of one

  local function start(options, command)
    options.killOnParentExit = true
    options.stdio = {"ignore", 1, 2, "pipe"}
    local child = cp.spawn("sh", {"-c", command or options.tree and TREE or "echo ready >&3; "
      .. "exec sleep 1000"}, options)
    child:on("error", function(err) print(err) end)
    for _ = 1, options.tree and 3 or 1 do assert(child.stdio[3]:readLine() == "ready") end
    child.stdio[3]:destroy()
    return child
  end

  -- The state of a process as a letter; nil if there is none.
  local function state(pid)
    local file = io.open("/proc/" .. pid .. "/stat")
    local text = file and file:read("*a") or ""
    if file then file:close() end
    return text:match("%) (%a)")
  end

  local function isGone(pid)
    local letter = state(pid)
    return letter == nil or letter == "Z" or letter == "X"
  end

  local function awaitEnd(pid)
    while not isGone(pid) do cp.spawnSync("sleep", {"0.005"}) end
  end

  local FILE = "/[^ \n]+ %(deleted%)"

  -- The file that the guard will read, opened.
  local function openFile(mode)
    return io.open((cp.execSync("for fd in /proc/$PPID/fd/*; do echo $fd $(readlink $fd); done",
      {stdio = {"ignore"}}):match("(%S+) " .. FILE)), mode)
  end

  -- The process ids of the guards of this process: the other end of a pipe of ours is theirs.
  local function guards()
    local list = cp.execSync("for fd in /proc/$PPID/fd/*; do readlink $fd; done; for cmdline in $("
      .. "grep -l child_process-guard /proc/[0-9]*/cmdline 2>/dev/null); do echo $cmdline $("
      .. "readlink ${cmdline%/cmdline}/fd/0); done; :", {stdio = {"ignore"}})
    local own, found = {}, {}
    for line in list:gmatch("[^\n]+") do
      local pid, target = line:match("^/proc/(%d+)/cmdline (pipe:.*)")
      if own[target] then found[#found + 1] = tonumber(pid) end
      own[line] = true
    end
    return found
  end
]]

--- Starts a parent.
local function startParent(text)
  local script = support.script(PARENT .. text)
  return cp.spawn(support.lua, {script}, {stdio = {"ignore", "pipe", "pipe"}})
end

--- Runs a parent, and waits until all that holds its output has ended.
---@return string output
---@return string errors
---@return ChildProcess parent
local function runParent(text)
  local parent = startParent(text)
  local stdout, stderr = support.output(parent)
  return stdout, stderr, parent
end

local function needsLinux()
  if not support.forLinux then pending("the build for POSIX always uses the guard") end
end

local ENDINGS = {
  ["by SIGKILL"] = {code = [[process:kill(process.pid, "SIGKILL") cp.run()]], signal = "SIGKILL"},
  ["by a signal with its default action"] = {
    code = [[process:kill(process.pid, "SIGTERM") cp.run()]], signal = "SIGTERM",
  },
  ["by os.exit"] = {code = "os.exit(3)", status = 3},
  ["by process:exit"] = {code = "process:exit(4)", status = 4},
  ["by an error"] = {code = "error('for this')", status = 1},
  ["because the loop has ended"] = {code = "child:unref() cp.run()", status = 0},
  ["without its loop"] = {code = "os.exit(0, false)", status = 0},
}

describe("options.killOnParentExit ends the child with a parent that ends", function()
  for name, ending in pairs(ENDINGS) do
    for _, tree in ipairs({false, true}) do
      it(name .. (tree and ", and its tree" or ""), function()
        local stdout, stderr, parent = runParent(([[
          local child = start({tree = %s})
          %s
        ]]):format(tostring(tree), ending.code))
        assert.equal("", stdout)
        assert.equal(ending.status == 1 and 1 or nil, stderr:find("for this") and 1)
        assert.equal(ending.signal, parent.signalCode)
        assert.equal(ending.status, parent.exitCode)
      end)
    end
  end
end)

describe("options.killOnParentExit", function()
  it("is by default false", function()
    local parent = startParent([[
      local child = cp.spawn("cat", {}, {stdio = {"pipe", 1, 2}, detached = true})
      local other = cp.spawn("sh", {"-c", "sleep 1000 & exec sleep 1000"},
        {stdio = "ignore", detached = true, killOnParentExit = false})
      print(other.pid)
      io.stdout:flush()
      process:kill(process.pid, "SIGKILL")
      cp.run()
    ]])
    local pid = tonumber((support.output(parent)))
    assert.is_true(process:kill(-pid, "SIGKILL"))
  end)

  it("ends a program that ignores all other signals", function()
    for _, tree in ipairs({"false", "true"}) do
      assert.equal("", (runParent(([[
        local trap = "trap '' HUP INT TERM; for n in 1 2 3; do echo ready >&3; done; exec sleep 999"
        start({tree = %s}, trap)
        process:kill(process.pid, "SIGKILL")
        cp.run()
      ]]):format(tree))))
    end
  end)

  it("ends a program that was stopped", function()
    assert.equal("", (runParent([[
      start({tree = false}):kill("SIGSTOP")
      -- when the group has lost its parent, the system ends a stopped leader by SIGHUP
      start({tree = true}, "for n in 1 2 3; do sleep 1000 & echo ready >&3; done; wait")
        :kill("SIGSTOP")
      process:kill(process.pid, "SIGKILL")
      cp.run()
    ]])))
  end)

  it("ends two at once, and a hundred, of both kinds", function()
    for _, count in ipairs({2, 100}) do
      assert.equal("", (runParent(([[
        for n = 1, %d do
          local tree = n %% 2 == 0
          cp.spawn("sh", {"-c", tree and "sleep 1000 & exec sleep 1000" or "exec sleep 1000"},
            {killOnParentExit = true, tree = tree, stdio = {"ignore", 1, 2}})
        end
        process:kill(process.pid, "SIGKILL")
        cp.run()
      ]]):format(count))))
    end
  end)

  it("leaves nothing of a start during which the parent is killed", function()
    for _, tree in ipairs({"false", "true"}) do
      for round = 1, 12 do
        local parent = startParent(([[
          while true do
            cp.spawn("sleep", {"1000"}, {
              killOnParentExit = true, tree = %s, stdio = {"ignore", 1, "ignore"},
            })
            io.stdout:write("started\n")
            io.stdout:flush()
          end
        ]]):format(tree))
        for _ = 1, round do assert.equal("started", parent.stdout:readLine()) end
        parent:kill("SIGKILL")
        support.output(parent)
      end
    end
  end)

  it("works in the synchronous calls", function()
    for _, tree in ipairs({"false", "true"}) do
      local parent = startParent(([[
        cp.spawnSync("sh", {"-c", "echo started; exec sleep 1000"},
          {killOnParentExit = true, tree = %s, stdio = {"ignore", 1, 2}})
      ]]):format(tree))
      assert.equal("started", parent.stdout:readLine())
      parent:kill("SIGKILL")
      assert.equal("", (support.output(parent)))
    end
  end)

  it("works in exec and fork", function()
    local script = support.script("require('child_process').spawnSync('sleep', {'1000'})")
    assert.equal("", (runParent(([[
      cp.exec("echo started; exec sleep 1000", {killOnParentExit = true}).stdout:readLine()
      cp.fork(%q, {}, {killOnParentExit = true, tree = true})
      process:kill(process.pid, "SIGKILL")
      cp.run()
    ]]):format(script))))
  end)

  it("works for another user", function()
    support.needRoot()
    assert.equal("", (runParent([[
      for _, tree in ipairs({false, true}) do start({tree = tree, uid = 65534, gid = 65534}) end
      process:kill(process.pid, "SIGKILL")
      cp.run()
    ]])))
  end)

  it("works together with `detached` and `processGroup`", function()
    assert.equal("", (runParent([[
      start({tree = true, detached = true})
      start({tree = true, processGroup = 0})
      start({processGroup = start({processGroup = 0}).pid})
      process:kill(process.pid, "SIGKILL")
      cp.run()
    ]])))
  end)

  it("ends a child that has the descriptors of the parent's at any number", function()
    assert.equal("", (runParent([[
      local files = {}
      for n = 1, 200 do files[n] = assert(io.open("/dev/null")) end
      local child = cp.spawn("sleep", {"1000"}, {
        tree = true, killOnParentExit = true, stdio = {"ignore", 1, 2, [10] = files[150]},
      })
      start({tree = true})
      process:kill(process.pid, "SIGKILL")
      cp.run()
    ]])))
  end)

  it("does not end a program with a set-user-id bit, except in a tree", function()
    needsLinux()
    support.needRoot()
    local folder = support.tmpdir()
    local path = folder .. "/sleep"
    local setUp = "cp \"$(command -v sleep)\" %s && chown 65534 %s && chmod 4755 %s && chmod 755 %s"
    assert(os.execute(setUp:format(path, path, path, folder)))
    local stdout = runParent(([[
      for _, tree in ipairs({false, true}) do
        local stdout = tree and 1 or "ignore"
        local child = cp.spawn(%q, {"1000"}, {
          tree = tree, killOnParentExit = true, stdio = {"ignore", stdout, "ignore"},
        })
        print(child.pid)
      end
      io.stdout:flush()
      process:kill(process.pid, "SIGKILL")
      cp.run()
    ]]):format(path))
    local alone, inTree = stdout:match("(%d+)\n(%d+)")
    trees.awaitEnd(tonumber(inTree))
    assert.is_true(trees.isRunning(tonumber(alone)))
    process:kill(tonumber(alone), "SIGKILL")
  end)

  it("leaves others alone: the parent's other children, and those that have ended", function()
    local stdout = runParent([[
      local other = cp.spawn("sleep", {"1000"}, {stdio = "ignore", detached = true})
      for _, tree in ipairs({false, true}) do
        for n = 1, 3 do
          cp.spawn("true", {}, {tree = tree, killOnParentExit = true}):wait("exit")
          cp.spawn("/no/such", {}, {tree = tree, killOnParentExit = true})
            :on("error", function() end)
          cp.spawnSync("true", {}, {tree = tree, killOnParentExit = true})
        end
      end
      start({tree = true})
      print(other.pid)
      io.stdout:flush()
      process:kill(process.pid, "SIGKILL")
      cp.run()
    ]])
    assert.is_true(process:kill(tonumber(stdout), "SIGKILL"))
  end)

  it("leaves a process alone that has the number of a child that has ended", function()
    if not support.isRoot or not io.open("/proc/sys/kernel/ns_last_pid", "r+") then
      pending("needs the right to choose the next process id")
    end
    local stdout = runParent([[
      local options = {tree = true, killOnParentExit = true, stdio = "ignore"}
      local other
      repeat
        local child = cp.spawn("true", {}, options)
        child:wait("exit")
        local file = assert(io.open("/proc/sys/kernel/ns_last_pid", "w"))
        file:write(child.pid - 1)
        file:close()
        other = cp.spawn("sleep", {"1000"}, {stdio = "ignore", detached = true})
        local isSame = other.pid == child.pid
        if not isSame then other:kill() end
      until isSame
      start({tree = true})
      print(other.pid)
      io.stdout:flush()
      process:kill(process.pid, "SIGKILL")
      cp.run()
    ]])
    assert.is_true(process:kill(tonumber(stdout), "SIGKILL"))
  end)

  it("ends the rest of a tree whose child has ended", function()
    assert.equal("", (runParent([[
      local child = start({tree = true}, "for n in 1 2 3; do sleep 1000 & echo ready >&3; done")
      child:wait("exit")
      cp.spawn("true", {}, {tree = true, killOnParentExit = true}):wait("exit")
      process:kill(process.pid, "SIGKILL")
      cp.run()
    ]])))
  end)

  --- Starts two children in a state of its own, in another thread, which then ends.
  local function runInThread(text)
    local pids = support.tmpdir() .. "/pids"
    local script = support.script(([[
      local cp = require("child_process")
      local file = io.open(%q, "w")
      for n = 1, 2 do
        local options = {tree = n == 1, killOnParentExit = true, stdio = {"ignore", 1, "ignore"}}
        file:write(cp.spawn("sleep", {"1000"}, options).pid, "\n")
      end
      file:close()
    ]]):format(pids))
    return support.runHost(PARENT .. ([[
      local pids = %q
      assert(host.joinThread(host.startThread(%q)) == nil)
    ]]):format(pids, script) .. text)
  end

  it("ends children whose state was closed", function()
    assert.equal("", runInThread("os.exit(0)"))
  end)

  it("does not end a child together with the thread that has started it", function()
    assert.equal("alive\nalive\n", runInThread([[
      for pid in io.lines(pids) do print(isGone(pid) and "gone" or "alive") end
    ]]))
  end)

  it("must be a boolean", function()
    local ok, err = pcall(cp.spawn, "true", {}, {killOnParentExit = 1})
    assert.is_false(ok)
    assert.equal("ERR_INVALID_ARG_TYPE", err.code)
    assert.match("options.killOnParentExit", err.message, 1, true)
  end)
end)

describe("A copy of the parent by fork", function()
  for _, tree in ipairs({"false", "true"}) do
    it("does not end the children of the original, tree = " .. tree, function()
      assert.equal("alive\n", support.runHost(PARENT .. ([[
        local child = cp.spawn("sleep", {"1000"}, {
          tree = %s, killOnParentExit = true, stdio = {"ignore", 1, 2},
        })
        local pid = host.fork()
        if pid == 0 then host.exit(0) end
        host.await(pid)
        -- a copy with a child of its own, which ends with it
        local path = %q
        pid = host.fork()
        if pid == 0 then
          local own = cp.spawn("sleep", {"1000"}, {
            tree = %s, killOnParentExit = true, stdio = "ignore",
          })
          local file = io.open(path, "w")
          file:write(own.pid)
          file:close()
          os.exit(0)
        end
        host.await(pid)
        awaitEnd(io.open(path):read("*n"))
        print(isGone(child.pid) and "gone" or "alive")
      ]]):format(tree, support.tmpdir() .. "/pid", tree)))
    end)

    it("does not keep them alive when the original ends, tree = " .. tree, function()
      assert.equal("gone\n", (support.runHost(PARENT .. ([[
        local child = cp.spawn("sleep", {"1000"}, {
          tree = %s, killOnParentExit = true, stdio = "ignore",
        })
        if host.fork() == 0 then
          awaitEnd(child.pid)
          print("gone")
          io.stdout:flush()
          host.exit(0)
        end
        os.exit(0)
      ]]):format(tree))))
    end)
  end

  it("has its own children ended with it", function()
    assert.equal("", support.runHost(PARENT .. [[
      start({tree = true})
      local pid = host.fork()
      if pid == 0 then
        start({tree = true})
        start({tree = false})
        host.exit(0)
      end
      host.await(pid)
    ]]))
  end)
end)

describe("The helper that ends trees", function()
  it("is one for all, in a session of its own, without our descriptors", function()
    local expected = "1\tgroup and session of its own\tno child of ours\n/dev/null\nits file\n"
    assert.equal(expected, (runParent([[
      for n = 1, 3 do start({tree = true}) end
      local found = guards()
      local stat = io.open("/proc/" .. found[1] .. "/stat"):read("*a")
      local ppid, group, session = stat:match("%) %a (%d+) (%d+) (%d+)")
      local own = io.open("/proc/self/stat"):read("*a"):match("%) %a %d+ %d+ (%d+)")
      print(#found, group == session and session ~= own and "group and session of its own",
        tonumber(ppid) ~= process.pid and "no child of ours")
      io.write((cp.execSync("for fd in 1 2 3 4 5 6 7 8 9 10 11 12; do readlink /proc/" .. found[1]
        .. "/fd/$fd; done | grep -v pipe: | sort -u"):gsub(FILE, "its file")))
      io.stdout:flush()
      process:kill(process.pid, "SIGKILL")
      cp.run()
    ]])))
  end)

  it("is started again after somebody has killed it, with the same children", function()
    assert.equal("1\n1\n", (runParent([[
      local child = start({tree = true})
      local found = guards()
      print(#found)
      process:kill(found[1], "SIGKILL")
      awaitEnd(found[1])
      start({tree = true})
      print(#guards())
      io.stdout:flush()
      process:kill(process.pid, "SIGKILL")
      cp.run()
    ]])))
  end)

  it("may be killed before a child of its ends", function()
    assert.equal("done\n", (runParent([[
      local child = cp.spawn("cat", {}, {tree = true, killOnParentExit = true})
      process:kill(guards()[1], "SIGKILL")
      awaitEnd(guards()[1] or 1e9)
      child.stdin:finish()
      child:wait("close")
      start({tree = true})
      print("done")
      io.stdout:flush()
      process:kill(process.pid, "SIGKILL")
      cp.run()
    ]])))
  end)

  it("gets a line for each child that is left, however many have ended", function()
    local stdout, stderr = runParent([[
      local left = {}
      for n = 1, 10 do
        local children = {}
        for m = 1, 4 do children[m] = start({tree = true}, ALONE) end
        for m, child in ipairs(children) do
          if n == 10 and m % 2 == 0 then
            left[child.pid] = true
          else
            child:kill("SIGKILL", {tree = true})
            child:wait("close")
          end
        end
      end
      local count, number = 0, 0
      for line in openFile():lines() do
        local pid = line:match("^t (%d+) %d+ +!$")
        number = number + 1
        if pid then
          count = count + 1
          assert(left[tonumber(pid)] and number <= 4, line)
        else
          assert(line:match("^ +$"), line)
        end
      end
      print(count)
      io.stdout:flush()
      process:kill(process.pid, "SIGKILL")
      cp.run()
    ]])
    assert.same({"2\n", ""}, {stdout, stderr})
  end)

  it("leaves a process alone that was started after a child with its number", function()
    local function outcome(time)
      local stdout = runParent(([[
        start({tree = true})
        local other = cp.spawn("sleep", {"1000"}, {stdio = "ignore", detached = true})
        print(other.pid, guards()[1])
        io.stdout:flush()
        local file = openFile("r+")
        local lines = file:read("*a")
        file:seek("set", #lines)
        file:write(("p %%d %%s !\n"):format(other.pid, %q))
        file:close()
        process:kill(process.pid, "SIGKILL")
        cp.run()
      ]]):format(time))
      local other, guard = stdout:match("^(%d+)\t(%d+)\n$")
      trees.awaitEnd(tonumber(guard))
      return tonumber(other)
    end
    local ended, left = outcome(("9"):rep(15)), outcome("1")
    trees.awaitEnd(ended)
    assert.is_true(trees.isRunning(left))
    process:kill(left, "SIGKILL")
  end)

  it("needs a file within the limit for the size of files", function()
    local stdout = support.runScript([[
      for _, name in ipairs({"spawn", "spawnSync"}) do
        local result = cp[name]("true", {}, {tree = true, killOnParentExit = true})
        if name == "spawn" then
          result:on("error", function(err) print(err.message) end)
          cp.run()
        else
          print(result.error.message)
        end
      end
      print(cp.spawnSync("true").status)
    ]], "ulimit -f 0")
    local reason = "EFBIG: the list of what ends after us does not fit into the limit for the size "
      .. "of files (ulimit -f) (options.killOnParentExit)\n"
    assert.equal(("spawn true %sspawnSync true %s0\n"):format(reason, reason), stdout)
  end)

  it("does not write to a file when a child ends", function()
    if cp.spawnSync("prlimit", {"-V"}).error then pending("prlimit is not installed") end
    assert.equal("ended\n", (runParent([[
      local child = start({tree = true}, ALONE)
      cp.execFileSync("prlimit", {"--pid", process.pid, "--fsize=0"}) -- it would raise SIGXFSZ
      child:kill("SIGKILL", {tree = true})
      child:wait("close")
      print("ended")
    ]])))
  end)

  it("ends itself after its children, or without any", function()
    local stdout = runParent([[
      cp.spawn("true", {}, {tree = true, killOnParentExit = true}):wait("exit")
      print(guards()[1])
    ]])
    trees.awaitEnd(tonumber(stdout))
  end)

  it("is not there for children that do not need it", function()
    needsLinux()
    assert.equal("0\n", (runParent([[
      start({tree = false})
      print(#guards())
    ]])))
  end)

  it("does not keep a host waiting that waits for all of its children", function()
    assert.equal("true\n", support.runHost(PARENT .. [[
      cp.spawn("true", {}, {tree = true, killOnParentExit = true, stdio = "ignore"})
      print(host.reapAll() <= 1)
    ]]))
  end)
end)
