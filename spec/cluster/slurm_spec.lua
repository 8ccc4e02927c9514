-- host.slurm in an allocation of a real Slurm.

local cluster = require("spec.support.cluster")
local lfs = require("lfs")
local slurm = require("spec.support.slurm")
local support = require("spec.support")

local running

-- Runs a script in an allocation of a cluster, which starts for the first test that needs it.
local function run(text)
  cluster.need()
  if not (running and running:isRunning()) then
    running = slurm.start()
  end
  return running:run(text)
end

-- Starts what goes on when it is asked to end, on the second node, and prints how everything ends
-- after `act`.
local function lose(act)
  return run(([[
    local hosts = host.slurm({grace = 50})
    local h = hosts[2]
    h:on("error", function(err) print("host", err.code) end)
    local child = cp.spawn("sh", {"-c", "trap '' TERM; setsid sh -c 'trap \"\" TERM; echo $$; "
      .. "exec sleep 6000' & echo $$; while :; do sleep 0.1; done"}, {host = h})
    child:on("error", function(err) print("child", err.code) end)
    child:on("exit", function(code, signal) print("exit", code, signal) end)
    local pids, text = {}, ""
    while #pids < 2 do
      text = text .. child.stdout:wait("data")
      pids = {}
      for pid in text:gmatch("(%%d+)\n") do pids[#pids + 1] = pid end
    end
    pids[3] = h.pid
    %s
    cp.run()
    hosts[1]:close():await()
    for _, pid in ipairs(pids) do
      while cp.spawnSync("ps", {"-o", "stat=", "-p", pid}).stdout:find("^[^Z]") do
        cp.spawnSync("sleep", {"0.05"})
      end
    end
    print(h.state, hosts[1].state)
  ]]):format(act))
end

describe("host.slurm", function()
  teardown(function() if running then running:stop() end end)

  it("returns a host for each node of the allocation", function()
    assert.same({"n1\tn1", "n2\tn2", "closed"}, run([[
      local hosts = host.slurm()
      for _, h in ipairs(hosts) do
        local child = cp.spawn("sh", {"-c", "echo $SLURMD_NODENAME"}, {host = h})
        print(h.name, (child.stdout:readAll():gsub("\n", "")))
      end
      for _, h in ipairs(hosts) do h:close():await() end
      print(hosts[2].state)
    ]]))
  end)

  it("passes all bytes, as they come", function()
    assert.same({"true", "no line feed", "0\tnil"}, run([[
      local h = host.slurm()[1]
      local bytes = {}
      for i = 0, 255 do bytes[i + 1] = string.char(i) end
      local sent = table.concat(bytes):rep(1000)
      local child = cp.spawn("cat", {host = h})
      child.stdin:finish(sent)
      print(child.stdout:readAll() == sent)
      child = cp.spawn("sh", {"-c", "printf 'no line feed'; read line"}, {host = h})
      print((child.stdout:wait("data")))
      child.stdin:finish("\n")
      print(child:wait("close"))
      os.exit(0)
    ]]))
  end)

  it("takes forked children, and answers their requests", function()
    assert.same({"42"}, run([[
      local hosts = host.slurm()
      local file = os.tmpname()
      io.open(file, "w"):write("process:handle(function(n) return n * 2 end)"):close()
      local child = cp.fork(file, {host = hosts[2], sendSource = true})
      os.remove(file)
      print(child:request(21):await())
      child:disconnect()
      child:wait("close")
      for _, h in ipairs(hosts) do h:close():await() end
    ]]))
  end)

  it("takes the children of a pool", function()
    assert.same({"20", "n1", "n2"}, run([[
      local pool = require("child_process.pool")
      local file = os.tmpname()
      io.open(file, "w"):write("process:handle(function(n) "
        .. "return {n, os.getenv('SLURMD_NODENAME')} end)"):close()
      local hosts = host.slurm()
      for _, h in ipairs(hosts) do
        if not h.pid then h:wait("connect") end
      end
      local p = pool(file, {hosts = hosts, size = 1, options = {sendSource = true}})
      local count, nodes = 0, {}
      for result in p:map((function()
        local n = 0
        return function()
          n = n + 1
          return n <= 20 and n or nil
        end
      end)()) do
        count = count + 1
        local node = result[2]
        nodes[node] = true
      end
      while not (nodes.n1 and nodes.n2) do -- the second node may have been late
        for _, result in ipairs(require("child_process.promise").all({p:run(1), p:run(1)}):await())
        do
          local node = result[2]
          nodes[node] = true
        end
      end
      os.remove(file)
      print(count)
      for _, name in ipairs({"n1", "n2"}) do print(nodes[name] and name) end
      p:close():await()
      for _, h in ipairs(hosts) do h:close():await() end
    ]]))
  end)

  it("has the example count words", function()
    local folder = support.tmpdir()
    support.writeFile(folder .. "/a", "one")
    support.writeFile(folder .. "/b", "one two")
    assert.same({
      ("       1 %s/a"):format(folder), ("       2 %s/b"):format(folder), "       3 in all",
    }, run(([[
      local result = cp.spawnSync(%q, {%q, %q, "slurm"}, {stdio = "inherit"})
      os.exit(result.status)
    ]]):format(support.lua, lfs.currentdir() .. "/examples/word_count.lua", folder)))
  end)

  it("ends all that runs there when it is closed", function()
    assert.same({"exit\tnil\tSIGKILL", "closed\tclosed"}, lose("h:close():await()"))
  end)

  for _, case in ipairs({
    {"srun is killed", 'h:kill("SIGKILL")'},
    {"the agent is killed", 'cp.execFileSync("kill", {"-KILL", tostring(h.pid)})'},
    {"its step is cancelled", [[
      local step = cp.spawn("sh", {"-c", "echo $SLURM_JOB_ID.$SLURM_STEP_ID"}, {host = h})
      cp.execFileSync("scancel", {step.stdout:readAll():match("%S+")})
    ]]},
  }) do
    it("loses a host when " .. case[1], function()
      assert.same({"child\tERR_HOST_LOST", "host\tERR_HOST_LOST", "exit\tnil\tnil",
        "closed\tclosed"}, lose(case[2]))
    end)
  end

  it("says that there is no such Lua on the nodes", function()
    local lines = run([[
      local hosts = host.slurm({lua = "nonexistent-lua"})
      for _, h in ipairs(hosts) do
        h:on("error", function(err) print((err.message:match("^[^\n]*"))) end)
      end
      cp.run()
    ]])
    table.sort(lines)
    for index, line in ipairs(lines) do
      assert.equal(("cannot connect to host 'n%d': there seems to be no command 'nonexistent-lua' "
        .. "there (options.lua), and the launcher has ended with exit code 2"):format(index), line)
    end
  end)
end)
