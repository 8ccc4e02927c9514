-- options.detached, and what lives on after the parent.

local cp = require("child_process")
local process = require("child_process.process")
local support = require("spec.support")

--- Process group and session of a process.
---@return integer group
---@return integer session
local function groupAndSession(pid)
  local stat = support.readFile(("/proc/%s/stat"):format(pid))
  local group, session = stat:match("%) %a %d+ (%d+) (%d+)")
  return tonumber(group), tonumber(session)
end

--- Runs a script as a parent between us and its own child. It shares fd 3, a two-way pipe, with it.
local function spawnParent(text)
  local script = support.script('local cp = require("child_process")\n' .. text)
  return cp.spawn(support.lua, {script}, {stdio = {"ignore", "pipe", "inherit", "pipe"}})
end

describe("options.detached", function()
  it("if true, makes the child process the leader of a new process group and session", function()
    local child = cp.spawn("cat", {detached = true})
    local group, session
    child:on("spawn", function()
      group, session = groupAndSession(child.pid)
      child.stdin:finish()
    end)
    support.run()
    assert.equal(child.pid, group)
    assert.equal(child.pid, session)
  end)

  it("is by default false: the child stays in the group and session of its parent", function()
    local child = cp.spawn("cat")
    local group, session
    child:on("spawn", function()
      group, session = groupAndSession(child.pid)
      child.stdin:finish()
    end)
    support.run()
    -- what an emulator makes up has another path
    local ownGroup, ownSession = groupAndSession("self/task/" .. process.pid)
    assert.equal(ownGroup, group)
    assert.equal(ownSession, session)
  end)

  it("does not decide whether the child process may continue running after the parent "
    .. "exits", function()
    for _, detached in ipairs({"true", "false"}) do
      local parent = spawnParent(([[
        cp.spawn("sh", {"-c", 'read line; echo "still here: $line"'},
          {detached = %s, stdio = {3, 1, 2}})
      ]]):format(detached))
      parent:on("exit", function() parent.stdio[3]:finish("a line\n") end)
      assert.equal("still here: a line\n", (support.output(parent)))
      assert.equal(0, parent.exitCode)
    end
  end)

  it("lets the parent wait for the detached child to exit, by default", function()
    local child = cp.spawn("sh", {"-c", "exit 4"}, {detached = true, stdio = "ignore"})
    support.run()
    assert.equal(4, child.exitCode)
  end)

  it("lets the parent not wait for a given subprocess with child:unref()", function()
    local child = cp.spawn("sleep", {"1000"}, {detached = true, stdio = "ignore"})
    child:unref()
    support.run()
    assert.is_nil(child.exitCode)
    assert.is_true(process:kill(child.pid, 0))
    child:ref()
    child:kill()
    support.run()
    assert.equal("SIGTERM", child.signalCode)
  end)

  it("lets the parent exit independently of the child after unref", function()
    local parent = spawnParent([[
      local child = cp.spawn("sleep", {"1000"}, {detached = true, stdio = "ignore"})
      child:unref()
      cp.run()
      print(child.pid)
    ]])
    local pid = tonumber((support.output(parent)))
    assert.equal(0, parent.exitCode)
    assert.is_true(process:kill(pid, "SIGKILL"))
  end)

  it("does not keep the process running in the background with a stdio connected to the "
    .. "parent", function()
    -- the child also holds the parent's stdout, so that its end is seen
    local parent = spawnParent([[
      local child = cp.spawn("cat", {detached = true, stdio = {"pipe", "pipe", "pipe", 1}})
      child:unref()
      print("parent is done")
    ]])
    local events = support.events(parent)
    assert.equal("parent is done\n", (support.output(parent)))
    assert.same({"spawn", "exit 0 nil", "close 0 nil"}, events)
  end)

  it("leaves a child that inherits the parent's stdio attached to the terminal", function()
    local script = support.script([[
      local cp = require("child_process")
      cp.spawn("sh", {"-c", "[ -t 0 ] && [ -t 1 ] && [ -t 2 ] && echo a terminal"},
        {detached = true, stdio = "inherit"})
      cp.run()
    ]])
    -- script(1) runs its command on a terminal of its own
    local command = ("'%s' '%s'"):format(support.lua, script)
    local child = cp.spawn("script", {"-qec", command, "/dev/null"},
      {stdio = {"ignore", "pipe", "inherit"}})
    assert.equal("a terminal\r\n", (support.output(child)))
    assert.equal(0, child.exitCode)
  end)
end)

describe("examples of options.detached", function()
  it("detaching and also ignoring the parent's stdio, in order to ignore the parent's "
    .. "termination", function()
    local parent = spawnParent([[
      local child = cp.spawn("cat", {detached = true, stdio = {3, "ignore", "ignore"}})
      child:unref()
      print(child.pid)
    ]])
    local stdout = support.collect(parent.stdout)
    local alive
    parent.stdout:on("end", function() -- the parent has exited
      local pid = tonumber(stdout():match("%d+"))
      alive = process:kill(pid, 0)
      parent.stdio[3]:finish()
    end)
    support.run()
    assert.is_true(alive)
  end)

  it("redirecting the child process' output into files", function()
    local path = support.tmpdir() .. "/out.log"
    local out, err = assert(io.open(path, "a")), assert(io.open(path, "a"))
    local child = cp.spawn("sh", {"-c", "echo out; echo err >&2"},
      {detached = true, stdio = {"ignore", out, err}})
    child:unref()
    out:close()
    err:close()
    child:ref()
    support.run()
    assert.equal("out\nerr\n", support.readFile(path))
  end)
end)
