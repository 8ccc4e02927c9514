-- Processes that outlive the command that has started them, until the test lets them go.

local cp = require("child_process")
local support = require("spec.support")

local keepers = {}

---@class Keeper
---@field stream Stream to be given to a command as its standard input: a `cat` that reads it holds
---what it has inherited until `release`
---@field child ChildProcess
local Keeper = {}
Keeper.__index = Keeper

---@return Keeper
function keepers.new()
  local child = cp.spawn("cat", {stdio = {"pipe", "pipe", "inherit"}})
  return setmetatable({child = child, stream = child.stdout}, Keeper)
end

--- Lets the processes end, and waits until the loop has.
function Keeper:release()
  self.child.stdin:finish()
  support.run()
end

return keepers
