--- What children have left behind at an agent: processes of their groups that go on after they have
--- ended. The host may still signal them.

local core = require("child_process.core")
local Promise = require("child_process.promise")

local ESRCH = -core.errno.ESRCH
local LEAST = 16 -- that are kept without asking whether anything is left of them

---@class child_process.LeftTrees
---@field package children table<integer, ChildProcess> by the number that the host has given it
---@field package count integer
---@field package limit integer of the count; then those are dropped of which nothing is left
local LeftTrees = {}
LeftTrees.__index = LeftTrees

---@return child_process.LeftTrees
function LeftTrees.new()
  return setmetatable({children = {}, count = 0, limit = LEAST}, LeftTrees)
end

-- Also true of processes that we may not signal. Nobody has asked, so that is no "error".
local function isLeft(child)
  return child:_sendSignal(0, true) ~= ESRCH
end

local function drop(self)
  for id, child in pairs(self.children) do
    if not isLeft(child) then
      self.children[id] = nil
      self.count = self.count - 1
    end
  end
  self.limit = math.max(LEAST, 2 * self.count)
end

--- Keeps a child that has ended, if it has left something.
---@param id integer
---@param child ChildProcess
---@return boolean # whether it has
function LeftTrees:add(id, child)
  if not isLeft(child) then
    return false
  end
  if self.count >= self.limit then
    drop(self)
  end
  self.children[id] = child
  self.count = self.count + 1
  return true
end

--- Sends a signal to what a child has left.
---@param id integer
---@param signum integer
---@param options KillOptions
---@return boolean # false if nothing is left
function LeftTrees:kill(id, signum, options)
  local child = self.children[id]
  if child and not child:kill(signum, options) and not isLeft(child) then
    self.children[id] = nil
    self.count = self.count - 1
    child = nil
  end
  return child ~= nil
end

--- Ends all that is left: sends SIGTERM, and SIGKILL after a time.
---@param grace integer milliseconds
---@return Promise # fulfilled when nothing is left, or SIGKILL was sent
function LeftTrees:dispose(grace)
  local promises = {}
  for _, child in pairs(self.children) do
    promises[#promises + 1] = child:dispose({grace = grace})
  end
  return Promise.allSettled(promises)
end

return LeftTrees
