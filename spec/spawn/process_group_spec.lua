-- options.processGroup, and the group of a child at its start.

local cp = require("child_process")
local process = require("child_process.process")
local support = require("spec.support")

--- The process group of a process.
---@return integer
local function groupOf(pid)
  local stat = support.readFile(("/proc/%s/stat"):format(pid))
  return tonumber((stat:match("%) %a %d+ (%d+)"))) --[[@as integer]]
end

-- what an emulator makes up has another path
local OWN = "self/task/" .. process.pid

--- Starts a child that ends with its input, and gives it to a function when it runs.
local function whileRunning(options, fn)
  options.stdio = {"pipe", "ignore", "inherit"}
  local child = cp.spawn("cat", {}, options)
  child:on("spawn", function()
    fn(child)
    child.stdin:finish()
  end)
  support.run()
  assert.equal(0, child.exitCode)
end

describe("options.processGroup", function()
  it("is by default that of the parent", function()
    whileRunning({}, function(child) assert.equal(groupOf(OWN), groupOf(child.pid)) end)
  end)

  it("if 0, makes the child the leader of a new group in our session", function()
    whileRunning({processGroup = 0}, function(child)
      assert.equal(child.pid, groupOf(child.pid))
    end)
  end)

  it("joins the group of another child", function()
    whileRunning({processGroup = 0}, function(leader)
      local member = cp.spawn("cat", {}, {processGroup = leader.pid, stdio = {"pipe", 1, 2}})
      assert.equal(leader.pid, groupOf(member.pid))
      member.stdin:finish()
    end)
  end)

  it("can be signalled as soon as the call has returned, a hundred times", function()
    for _ = 1, 100 do
      local child = cp.spawn("sleep", {"1000"}, {processGroup = 0, stdio = "ignore"})
      assert.is_true(process:kill(-child.pid, "SIGTERM"))
      child:wait("exit")
      assert.equal("SIGTERM", child.signalCode)
    end
  end)

  it("works in the synchronous calls", function()
    local result = cp.spawnSync("sh", {"-c", "cat /proc/$$/stat"}, {processGroup = 0})
    assert.equal(tostring(result.pid), result.stdout:match("%) %a %d+ (%d+)"))
  end)

  it("works for another user, who gets a copy of our memory", function()
    support.needRoot()
    whileRunning({processGroup = 0, uid = 65534}, function(child)
      assert.equal(child.pid, groupOf(child.pid))
    end)
  end)

  it("emits \"error\" where our session has no such group", function()
    local message = "EPERM: cannot join the process group 2147483647: our session has no such "
      .. "group (options.processGroup)"
    local child = cp.spawn("true", {}, {processGroup = 2147483647})
    local seen
    child:on("error", function(err) seen = err end)
    support.run()
    local result = cp.spawnSync("true", {}, {processGroup = 2147483647})
    for call, err in pairs({spawn = seen, spawnSync = result.error}) do
      assert.equal(("%s true %s"):format(call, message), err.message)
      assert.equal("EPERM", err.code)
      assert.equal("setpgid", err.syscall)
    end
  end)

  it("must be a number that a group can have", function()
    local function check(value, code)
      local ok, err = pcall(cp.spawn, "true", {}, {processGroup = value})
      assert.is_false(ok)
      assert.equal(code, err.code)
    end
    check(-1, "ERR_OUT_OF_RANGE")
    check(1.5, "ERR_OUT_OF_RANGE")
    check("0", "ERR_INVALID_ARG_TYPE")
  end)

  it("cannot be that of others with `tree`", function()
    local ok, err = pcall(cp.spawn, "true", {}, {processGroup = process.pid, tree = true})
    assert.is_false(ok)
    assert.equal("ERR_INVALID_ARG_VALUE", err.code)
    assert.match("options.tree", err.message, 1, true)
    whileRunning({processGroup = 0, tree = true}, function(child)
      assert.equal(child.pid, groupOf(child.pid))
    end)
  end)

  it("cannot be combined with `detached`", function()
    local ok, err = pcall(cp.spawn, "true", {}, {processGroup = 0, detached = true})
    assert.is_false(ok)
    assert.equal("ERR_INVALID_ARG_VALUE", err.code)
    assert.match("options.detached", err.message, 1, true)
  end)
end)
