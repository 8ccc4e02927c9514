--- What children have left behind at an agent: processes of their groups that go on after they have
--- ended. The host may still signal them.

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

local function isLeft(child)
  return child:kill(0, {tree = true})
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
  if child and not child:kill(signum, options) then
    self.children[id] = nil
    self.count = self.count - 1
    child = nil
  end
  return child ~= nil
end

--- Sends a signal to all that is left.
---@param signal string
function LeftTrees:killAll(signal)
  for _, child in pairs(self.children) do
    child:kill(signal, {tree = true})
  end
end

return LeftTrees
