-- Starts trees of processes, and proves that none of them is left.

local assert = require("luassert")
local cp = require("child_process")
local support = require("spec.support")
local timers = require("child_process.timers")

local trees = {}

--- A shell command that prints "ready". Its process in a session of its own goes on when it is
--- asked to end; the shell ends.
trees.STUBBORN_SESSION = "setsid sh -c 'trap \"\" TERM; echo ready; exec sleep 600' & wait"

--- Skips the rest of a test that needs a list of all processes.
function trees.needList()
  if not support.forLinux then support.skip("the POSIX build does not list processes") end
end

--- Starts a shell, and calls a function with it as soon as it has printed "ready".
---@param command string
---@param options? table
---@param fn fun(child: ChildProcess)
---@return ChildProcess
function trees.whenReady(command, options, fn)
  local child = cp.spawn("sh", {"-c", command}, options)
  child.stdout:once("data", function(data)
    assert.equal("ready\n", data)
    fn(child)
  end)
  return child
end

--- Kills the tree of a shell that has said something, in a program that has no descriptor left.
---@param command string
---@param options string a table in Lua, the options of spawn
---@return string # a line with what `kill` returned, and one with the child's signal, and whether
---SIGKILL had to follow
function trees.killWithoutDescriptors(command, options)
  return (support.runScript(([[
    local child = cp.spawn("sh", {"-c", %q}, %s)
    child.stdout:once("data", function()
      local files = {}
      repeat
        local file = io.open("/dev/null")
        files[#files + 1] = file
      until not file
      print(child:kill("SIGTERM", {tree = true}))
    end)
    cp.run()
    print(child.signalCode, child.isForcefullyTerminated)
  ]]):format(command, options), "ulimit -n 50"))
end

--- Runs the loop until a condition holds, which nothing reports.
---@param condition fun(): boolean
function trees.awaitCondition(condition)
  support.inTime(function()
    while not condition() do
      timers.setTimeout(function() end, 5)
      cp.run("once")
    end
  end)
end

--- The state of a process.
---@param pid integer
---@return string? letter as in the output of ps; nil if there is no such process
function trees.state(pid)
  local file = io.open(("/proc/%d/stat"):format(pid))
  local text = file and file:read("*a") or ""
  if file then file:close() end
  return text:match("%) (%a)")
end

--- Whether a process runs. One that has ended may wait for its parent.
---@param pid integer
---@return boolean
function trees.isRunning(pid)
  local state = trees.state(pid)
  return state ~= nil and state ~= "Z" and state ~= "X"
end

--- Runs the loop until a process has a state.
---@param pid integer
---@param letter string as in the output of ps
function trees.awaitState(pid, letter)
  trees.awaitCondition(function() return trees.state(pid) == letter end)
end

--- Runs the loop until a process has ended: it closes its descriptors before.
---@param pid integer
function trees.awaitEnd(pid)
  trees.awaitCondition(function() return not trees.isRunning(pid) end)
end

--- A program that runs until nobody holds its stdin any more. It does not keep the loop alive.
---@class Witness
---@field stream Stream to be given to the processes, as one of their descriptors
---@field stdio table options.stdio in which that is descriptor 3
local Witness = {}
Witness.__index = Witness

---@return Witness
function trees.witness()
  local child = cp.spawn("cat", {stdio = {"pipe", "ignore", "inherit"}}):unref()
  return setmetatable({
    child = child, stream = child.stdin, stdio = {"pipe", "pipe", "pipe", child.stdin},
  }, Witness)
end

--- Runs the loop until all processes that hold the stream have ended.
function Witness:awaitEnd()
  self.stream:destroy()
  self.child:ref()
  support.run()
  assert.equal(0, self.child.exitCode)
end

--- Whether processes hold the stream. Nothing can be written to it afterwards.
---@return boolean
function Witness:isHeld()
  cp.run("nowait")
  return self.child.exitCode == nil
end

return trees
