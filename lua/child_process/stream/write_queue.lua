--- Data that a stream could not write yet: pieces, with the callbacks of their writers.

local assign = require("child_process.base.assign")
local core = require("child_process.core")
local Queue = require("child_process.base.queue")
local tick = require("child_process.base.ticks").tick

local forkDepth, push = core.forkDepth, Queue.push

---@class WriteQueue : child_process.Queue of strings
---@field private offset integer how much of the first piece the kernel has taken
---@field private depth integer core.forkDepth() of the process that has queued the data
---@field private callbacks table<integer, function>? by the position of the piece
local WriteQueue = assign({}, Queue)
WriteQueue.__index = WriteQueue

--- Calls back in the next tick.
---@param callback fun(err?: Error)
---@param err? Error
function WriteQueue.callBack(callback, err)
  tick(function()
    callback(err)
  end, true)
end

local callBack = WriteQueue.callBack

--- Adds a piece to a queue, or to a new one. After a fork the copy of the process drops the queue,
--- since the original writes those pieces.
---@param queue WriteQueue|false
---@param data string
---@param offset integer how much of it the kernel has taken; 0 unless it is the first piece
---@param callback? fun(err?: Error)
---@return WriteQueue
function WriteQueue.add(queue, data, offset, callback)
  local depth = forkDepth()
  if not queue or queue.depth ~= depth then
    queue = setmetatable({first = 1, last = 0, offset = offset, depth = depth}, WriteQueue)
  end
  push(queue, data)
  if callback then
    queue.callbacks = queue.callbacks or {}
    queue.callbacks[queue.last] = callback
  end
  return queue
end

--- Writes as much as the kernel takes.
---@param handle userdata
---@return integer? # number of bytes
---@return boolean|integer # whether the kernel took everything; an errno if there is no number
function WriteQueue:write(handle)
  return handle:writev(self, self.first, self.last, self.offset)
end

--- Removes bytes that the kernel has taken, and calls back for the pieces that are written.
---@param count integer
---@return boolean # whether nothing is left
function WriteQueue:remove(count)
  local first, callbacks = self.first, self.callbacks
  count = count + self.offset
  while first <= self.last and count >= #self[first] do
    count = count - #self[first]
    if callbacks and callbacks[first] then
      callBack(callbacks[first])
      callbacks[first] = nil
    end
    self[first] = nil
    first = first + 1
  end
  self.first, self.offset = first, count
  return first > self.last
end

--- Calls all writers back with an error.
---@param err Error
function WriteQueue:fail(err)
  local callbacks = self.callbacks
  for index = self.first, callbacks and self.last or 0 do
    if callbacks[index] then
      callBack(callbacks[index], err)
    end
  end
end

--- Whether the process was forked since, so that its original writes the data.
---@return boolean
function WriteQueue:isCopied()
  return self.depth ~= forkDepth()
end

return WriteQueue
