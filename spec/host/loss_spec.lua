-- Hosts that are closed, and hosts that are lost: nothing is left over there, and everything here
-- is settled.

local agents = require("spec.support.agents")
local copies = require("spec.support.copies")
local cp = require("child_process")
local process = require("child_process.process")
local support = require("spec.support")
local trees = require("spec.support.trees")

-- A shell that prints its pid and that of a child, both of which go on when they are asked to end.
-- The child has a session of its own, unless the build would not find it there.
local STUBBORN = ("trap '' TERM; %s sh -c 'trap \"\" TERM; echo $$; exec sleep 600' & echo $$; "
  .. "while :; do sleep 0.01; done"):format(support.forLinux and "setsid" or "")

-- Starts it, and calls back with both pids.
local function startStubborn(h, fn)
  local child = cp.spawn("sh", {"-c", STUBBORN}, {host = h})
  local text = ""
  local function onData(data)
    text = text .. data
    local first, second = text:match("^(%d+)\n(%d+)\n")
    if second then
      child.stdout:off("data", onData)
      fn(child, {tonumber(first), tonumber(second)})
    end
  end
  child.stdout:on("data", onData)
  return child
end

local function awaitEnds(pids)
  for _, pid in ipairs(pids) do trees.awaitEnd(pid) end
end

-- Loses a host while a child runs, and checks what it emits, and that nothing of it is left.
local function lose(launcher, options, act)
  local h = agents.connect(launcher, support.merge({grace = 50}, options))
  local hostError
  h:on("error", function(err) hostError = err end)
  local pids, agent, childError
  local child = startStubborn(h, function(_, found)
    pids, agent = found, h.pid
    act(h)
  end)
  local seen = support.names(child, "spawn", "error", "exit", "close")
  child:on("error", function(err) childError = err end)
  local exit
  child:on("exit", function(...) exit = {n = select("#", ...), ...} end)
  support.run()
  assert.same({"spawn", "error", "exit", "close"}, seen)
  assert.equal("ERR_HOST_LOST", childError.code)
  assert.same({n = 2}, exit)
  assert.equal(childError, hostError)
  assert.equal("closed", h.state)
  awaitEnds(pids)
  trees.awaitEnd(agent)
  return childError
end

describe("a host", function()
  it("ends all children over there when it is closed", function()
    local h = agents.connect(nil, {grace = 50})
    local pids, isClosed
    local child = startStubborn(h, function(_, found)
      pids = found
      h:close():andThen(function() isClosed = true end)
    end)
    local seen = support.names(child, "spawn", "error", "exit", "close")
    support.run()
    assert.is_true(isClosed)
    assert.same({"spawn", "exit", "close"}, seen)
    assert.equal("SIGKILL", child.signalCode)
    awaitEnds(pids)
    trees.awaitEnd(h.pid)
    assert.equal(h:close(), h:close())
  end)

  it("gives what its children have left behind the time to end", function()
    local h, path = agents.connect(nil, {grace = 60000}), support.tmpdir() .. "/ended"
    local child = cp.spawn("sh", {"-c", [[
      sh -c 'trap "sleep 0.1; echo by itself >$0; exit" TERM; echo $$; exec >/dev/null 2>&1
        while :; do sleep 0.01; done' "$0" &
      read line
    ]], path}, {host = h})
    child.stdout:once("data", function() child.stdin:finish("\n") end)
    local pid = tonumber((support.output(child)))
    agents.close(h)
    trees.awaitEnd(pid)
    assert.equal("by itself\n", support.readFile(path))
  end)

  it("delivers what its children have written before it is closed", function()
    local h = agents.connect()
    local child = cp.spawn("sh", {"-c", "head -c 3000000 /dev/zero; echo ready >&2; sleep 600"},
      {host = h})
    local count = 0
    child.stdout:on("data", function(data) count = count + #data end)
    child.stderr:once("data", function() h:close() end)
    support.run()
    assert.equal(3000000, count)
    assert.equal("SIGTERM", child.signalCode)
  end)

  it("starts no child once it is closed", function()
    local h = agents.connect()
    agents.close(h)
    local child = cp.spawn("true", {host = h})
    local err
    child:on("error", function(e) err = e end)
    support.run()
    assert.equal("ERR_HOST_CLOSED", err.code)
  end)

  it("can be closed before it is connected", function()
    local h = agents.connect()
    agents.close(h)
    h = agents.connect({"sh", "-c", "exit 1"})
    local child = cp.spawn("true", {host = h})
    local err
    child:on("error", function(e) err = e end)
    agents.close(h)
    support.run()
    assert.equal("ERR_HOST_CLOSED", err.code)
  end)

  it("is lost when the agent is killed", function()
    local err = lose(nil, nil, function(h) process:kill(h.pid, "SIGKILL") end)
    assert.match("is lost: the connection was closed, and the launcher was ended by SIGKILL",
      err.message, 1, true)
  end)

  it("is lost when the launcher is killed, although the agent holds the connection", function()
    local err = lose({"sh", "-c", '"$@"; exit 0', "sh"}, nil, function(h) h:kill("SIGKILL") end)
    assert.match("is lost: the launcher was ended by SIGKILL", err.message, 1, true)
  end)

  it("is lost when the agent is stopped and answers no ping", function()
    local err = lose(nil, {pingInterval = 300}, function(h)
      local pid = h.pid
      process:kill(pid, "SIGSTOP")
      h:on("close", function() pcall(process.kill, process, pid, "SIGCONT") end)
    end)
    assert.match("has not answered for 900 ms (options.pingInterval)", err.message, 1, true)
  end)

  it("is lost when what connects both sides breaks", function()
    local err = lose({"sh", "-c", 'cat | { "$@"; } | cat', "sh"}, nil, function(h)
      -- The child that writes to us.
      cp.execFile("pkill", {"-P", tostring(h._launcher.pid), "-x", "cat"}, function() end)
    end)
    assert.equal("ERR_HOST_LOST", err.code)
  end)

  it("delivers what had arrived before it was lost", function()
    local h = agents.connect()
    h:on("error", function() end)
    local child = cp.spawn("sh", {"-c", "head -c 200000 /dev/zero; exec sleep 600"}, {host = h})
    child:on("error", function() end)
    local count = 0
    child.stdout:on("data", function(data)
      count = count + #data
      if count == 200000 then h:kill("SIGKILL") end
    end)
    support.run()
    assert.equal(200000, count)
  end)

  it("leaves nothing over there when our process is killed", function()
    local output = support.runScript([[
      local agents = require("spec.support.agents")
      local h = agents.connect(nil, {grace = 50})
      local child = cp.spawn("sh", {"-c", "trap '' TERM; echo $$; while :; do sleep 0.01; done"},
        {host = h})
      child.stdout:once("data", function(data)
        print(data, h.pid)
        io.stdout:flush()
        os.exit(0)
      end)
      cp.run()
    ]])
    local pid, agent = output:match("(%d+)%s+(%d+)")
    awaitEnds({tonumber(pid), tonumber(agent)})
  end)

  it("settles a request of exec", function()
    local h = agents.connect()
    h:on("error", function() end)
    local result
    local child = cp.exec("echo before; exec sleep 600", {host = h}, function(err, stdout)
      result = {err, stdout}
    end)
    child.stdout:once("data", function() h:kill("SIGKILL") end)
    support.run()
    assert.equal("ERR_HOST_LOST", result[1].code)
    assert.equal("before\n", result[2])
  end)

  it("belongs to the original of a process that is copied", function()
    local output = copies.run([[
      local h = require("spec.support.agents").connect()
      local child = cp.spawn("cat", {host = h})
      child:wait("spawn")
      local status = inCopy(function()
        local code
        cp.spawn("true", {host = h}):on("error", function(err) code = err.code end)
        cp.run()
        say(code, h.state, child:kill())
      end)
      child.stdin:finish("still there")
      say(status, child.stdout:readAll(), child:wait("close"))
      h:close():await()
      say(h.state)
    ]])
    assert.same({"ERR_HOST_CLOSED\tclosed\tfalse", "0\tstill there\t0\tnil", "closed"},
      support.lines(output))
  end)

  it("keeps the loop alive no longer than its children", function()
    local h = agents.connect()
    local child = cp.spawn("true", {host = h})
    support.inTime(function() return child:wait("spawn") end)
    local described = {}
    for _, handle in ipairs(cp.activeHandles()) do
      described[#described + 1] = handle.kind .. " " .. handle.description
    end
    assert.same({"connection to host '" .. h.name .. "', connected"}, described)
    support.output(child)
    support.run()
    agents.close(h)
  end)
end)
