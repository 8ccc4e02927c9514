-- Namespaces that belong to a test: what runs in them ends with the test program at the latest.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local support = require("spec.support")
local trees = require("spec.support.trees")

---@class Namespaces
---@field pid integer of a process for nsenter
---@field package child ChildProcess outside of the namespace for processes
local Namespaces = {}
Namespaces.__index = Namespaces

local namespaces = {}

--- Starts a program in new namespaces for network, processes, mounts and the name of the host. When
--- it ends, so does everything in them. Returns when it has written a text to stderr. Skips the
--- rest of the test if it cannot be started, or ends before.
---@param command string[]
---@param text string
---@return Namespaces
function namespaces.start(command, text)
  support.needRoot()
  for _, program in ipairs({"unshare", "nsenter", "ip"}) do
    if cp.spawnSync(program, {"-V"}).error then support.skip(program .. " is not installed") end
  end
  local child = cp.spawn("unshare", {
    "--net", "--pid", "--uts", "--mount", "--fork", "--kill-child", "--mount-proc",
    compat.unpack(command),
  }, {stdio = {"ignore", "ignore", "pipe"}, killOnParentExit = true})
  local log = support.collect(child.stderr)
  trees.awaitCondition(function()
    return log():find(text, 1, true) or child.exitCode or child.signalCode
  end)
  if not log():find(text, 1, true) then
    support.skip(("namespaces do not work here, or %s in them: %s"):format(command[1], log()))
  end
  child.stderr:unref()
  child:unref()
  return setmetatable({child = child, pid = child.pid}, Namespaces)
end

--- The command that runs another one in them.
---@param ... string the other
---@return string[] # the first is a program, the others are its arguments
function Namespaces:command(...)
  return {
    "nsenter", "-t", tostring(self.pid), "-m", "-n", "-u",
    ("--pid=/proc/%d/ns/pid_for_children"):format(self.pid), ...,
  }
end

--- Runs a command in them, to its end. Raises an error if it fails.
---@param ... string
---@return string stdout
function Namespaces:run(...)
  local words = self:command(...)
  return cp.execFileSync(words[1], {compat.unpack(words, 2)}, {encoding = "utf8", stdio = "pipe"})
end

--- Whether they are there: a test that fails ends all processes of the test program.
---@return boolean
function Namespaces:areThere()
  return not (self.child.exitCode or self.child.signalCode)
end

--- Ends all that runs in them.
function Namespaces:stop()
  self.child:kill("SIGKILL")
end

return namespaces
