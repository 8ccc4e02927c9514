-- Hosts in a network: machines with an sshd, which namespaces make. Whatever is lost, nothing is
-- left over there, and everything here is settled.

local cluster = require("spec.support.cluster")
local cp = require("child_process")
local machines = require("spec.support.machines")
local process = require("child_process.process")
local support = require("spec.support")
local trees = require("spec.support.trees")

local n1, n2, all

-- Starts the machines for the first test that needs them.
local function start()
  cluster.need()
  if not (all and all:areRunning()) then
    all = machines.start("n1", "n2", "n3")
  end
  n1, n2 = all[1], all[2]
end

-- Two processes that go on when they are asked to end, one in a session of its own.
local STUBBORN = "trap '' TERM; setsid sh -c 'trap \"\" TERM; echo ready; exec sleep 6000' & "
  .. "while :; do sleep 0.1; done"

-- A worker that never answers.
local SILENT = [[
  process:handle(function()
    process:send("asked")
    return require("child_process.promise").new(function() end):await()
  end)
]]

---@class Engagement what runs on a machine, and how it has ended
local Engagement = {}
Engagement.__index = Engagement

-- Notes how a promise is settled.
function Engagement:expect(name, promise)
  self.pending = self.pending + 1
  local function settle(value)
    self.pending = self.pending - 1
    self.settled[name] = value
  end
  promise:andThen(settle, function(err) settle(err.code) end)
end

-- Connects with a machine, starts children there, and waits until all of them run.
local function engage(machine, options)
  local h = machine:connect(support.merge({grace = 100}, options))
  local self = setmetatable({machine = machine, host = h, pending = 0, settled = {}}, Engagement)
  h:on("error", function(err) self.error = err end)
  h:on("close", function() self.isClosed = true end)
  local ready = 0
  local function count() ready = ready + 1 end
  self.child = cp.spawn("sh", {"-c", STUBBORN}, {host = h})
  self.child:on("error", function() end)
  self.seen = support.names(self.child, "spawn", "error", "exit", "close")
  self.child.stdout:once("data", count)
  local promise = cp.promises.exec("echo ready; exec sleep 6000", {host = h})
  self:expect("exec", promise)
  promise.child.stdout:once("data", count)
  local worker = cp.fork(support.script(SILENT), {}, {host = h, sendSource = true})
  worker:on("error", function() end)
  worker:once("message", count)
  self:expect("request", worker:request("question"))
  support.inTime(function()
    while ready < 3 do
      if self.isClosed then error(self.error, 0) end
      cp.run("once")
    end
  end)
  return self
end

-- Runs the loop to its end, and checks how everything has ended here.
function Engagement:assertLost()
  support.run()
  assert.equal("closed", self.host.state)
  assert.equal("ERR_HOST_LOST", self.error.code)
  assert.same({"spawn", "error", "exit", "close"}, self.seen)
  assert.equal(0, self.pending)
  assert.same({exec = "ERR_HOST_LOST", request = "ERR_CHILD_ENDED"}, self.settled)
end

-- Waits until no process is left over there, but for those whose command has a text.
local function awaitNothing(machine, allowed)
  trees.awaitCondition(function()
    for _, found in ipairs(machine:processes()) do
      if not (allowed and found:find(allowed, 1, true)) then return false end
    end
    return true
  end)
end

local function lose(act)
  local engagement = engage(n1)
  act(engagement)
  engagement:assertLost()
  awaitNothing(n1)
  return engagement
end

describe("a host in the network", function()
  teardown(function() if all then all:stop() end end)

  it("is one of several, whose children can be joined", function()
    start()
    local h1, h2 = n1:connect(), n2:connect()
    local from = cp.spawn("sh", {"-c", "uname -n; seq 100000"}, {host = h1})
    local to = cp.spawn("sh", {"-c", "uname -n; read line; echo $line; wc -l"}, {host = h2})
    from.stdout:pipe(to.stdin)
    assert.same({"n2", "n1", "100000"}, support.lines(support.output(to)))
    assert.equal(0, from.exitCode)
    h1:close()
    h2:close()
    support.run()
    awaitNothing(n1)
    awaitNothing(n2)
  end)

  it("does the work of a pool, as the example does", function()
    start()
    local words = {"examples/word_count.lua", "examples/tests"}
    local expected = cp.execFileSync(support.lua, words, {encoding = "utf8"})
    words[3], words[4] = "ssh", "n1"
    local child = cp.spawn(support.lua, words, {env = n1.sshd:environment()})
    assert.equal(expected, support.outputOfSuccess(child))
    awaitNothing(n1)
  end)

  it("is closed with all that runs there", function()
    start()
    local engagement = engage(n1)
    engagement:expect("close", engagement.host:close())
    support.run()
    assert.equal(0, engagement.pending)
    assert.same({"spawn", "exit", "close"}, engagement.seen)
    assert.equal("SIGKILL", engagement.child.signalCode)
    awaitNothing(n1)
  end)

  it("is lost when sshd is killed, and no other host is", function()
    start()
    local other = n2:connect()
    local child = cp.spawn("cat", {host = other})
    support.inTime(function() return child:wait("spawn") end)
    child:unref()
    local engagement = lose(function() n1:kill("KILL", "sshd") end)
    assert.match("Connection to 10.0.1.2 closed", engagement.error.message, 1, true)
    child:ref()
    child.stdin:finish("still there")
    assert.equal("still there", support.output(child))
    other:close()
    support.run()
    awaitNothing(n2)
  end)

  it("is lost when the agent is killed", function()
    start()
    lose(function() n1:kill("KILL", "child_process.agent") end)
  end)

  it("is lost when the launcher is killed", function()
    start()
    local engagement = lose(function(engagement) engagement.host:kill("SIGKILL") end)
    assert.match("the launcher was ended by SIGKILL", engagement.error.message, 1, true)
  end)

  it("is lost when the network is, sshd stands still, or the launcher does", function()
    start()
    local list = {}
    for index, machine in ipairs(all) do list[index] = engage(machine, {pingInterval = 500}) end
    n1:plug(false)
    n2:kill("STOP", "sshd")
    process:kill(list[3].host._launcher.pid, "SIGSTOP")
    for _, engagement in ipairs(list) do
      engagement:assertLost()
      assert.match("it has not answered for 1500 ms (options.pingInterval)",
        engagement.error.message, 1, true)
    end
    -- An sshd that hears nothing does not end.
    awaitNothing(n1, "sshd")
    awaitNothing(n2, "sshd")
    n1:plug(true)
    n2:kill("CONT", "sshd")
    for _, machine in ipairs(all) do awaitNothing(machine) end
  end)
end)
