--- Queues: values leave in the order in which they were added.

---@class child_process.Queue
---@field package first integer the position of the first value
---@field package last integer the position of the last value; below `first` if the queue is empty
local Queue = {}
Queue.__index = Queue

--- Makes an empty queue.
---@return child_process.Queue
function Queue.new()
  return setmetatable({first = 1, last = 0}, Queue)
end

--- Adds a value at the end.
---@param value any not nil
---@return integer # how many values there are now
function Queue:push(value)
  local last = self.last + 1
  self[last] = value
  self.last = last
  return last - self.first + 1
end

--- Returns the first value, and keeps it in the queue.
---@return any # nil if the queue is empty
function Queue:peek()
  return self[self.first]
end

--- Removes the first value and returns it.
---@return any # nil if the queue is empty
function Queue:pop()
  local first = self.first
  local value = self[first]
  if value ~= nil then
    self[first] = nil
    if first == self.last then
      self.first, self.last = 1, 0
    else
      self.first = first + 1
    end
  end
  return value
end

--- Iterates over all values, which stay in the queue.
---@return fun(): any
function Queue:values()
  local index = self.first - 1
  return function()
    index = index + 1
    return self[index]
  end
end

---@return boolean
function Queue:isEmpty()
  return self.first > self.last
end

---@return integer
function Queue:length()
  return self.last - self.first + 1
end

--- Removes all values.
function Queue:clear()
  for index = self.first, self.last do
    self[index] = nil
  end
  self.first, self.last = 1, 0
end

return Queue
