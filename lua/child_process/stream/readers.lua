--- The listeners that all loops over a stream and `readLine` share.

local compat = require("child_process.base.compat")
local wait = require("child_process.loop.wait")

---@class Readers
---@field package stream Stream
---@field condition Condition notified of each event of the stream
---@field package count integer the number of readers
---@field package waiting integer how many of these wait for data
---@field package thread? thread|false the coroutine of the latest reader; false without one
---@field package stoppedAt? integer bytes handed over when that coroutine stopped reading
---@field failure? any[] {the error that the stream has emitted}
---@field package notify fun() the listener of EVENTS
---@field package onError fun(err: any) the listener of "error"
local Readers = {}
Readers.__index = Readers

local EVENTS = {"readable", "end", "close"}

local function new(stream)
  local condition = wait.newCondition("data of a stream")
  local readers = setmetatable({
    stream = stream, condition = condition, count = 0, waiting = 0,
  }, Readers)
  readers.notify = function()
    condition:notify()
  end
  readers.onError = function(err)
    readers.failure = {err}
    condition:notify()
  end
  stream:on("error", readers.onError)
  for _, event in ipairs(EVENTS) do
    stream:on(event, readers.notify)
  end
  stream:_setReaders(readers)
  return readers
end

--- Returns the readers of a stream, and makes them if there are none.
---@param stream Stream
---@return Readers
function Readers.of(stream)
  return stream:_getReaders() or new(stream)
end

--- Adds a reader.
function Readers:join()
  self.count = self.count + 1
end

--- Removes a reader. Goes on listening: `readLine` may be called again.
function Readers:leave()
  self.count = self.count - 1
end

--- Stops listening if no reader is left.
function Readers:closeIfIdle()
  if self.count > 0 then
    return
  end
  self.stream:_setReaders(nil)
  self.stream:off("error", self.onError)
  for _, event in ipairs(EVENTS) do
    self.stream:off(event, self.notify)
  end
end

--- Notes that a reader begins to wait for data, or has ended waiting.
---@param on boolean
function Readers:setWaiting(on)
  self.waiting = self.waiting + (on and 1 or -1)
end

--- Notes that the running coroutine reads.
function Readers:noteThread()
  self.thread = compat.runningCoroutine()
end

--- Notes that the running coroutine stops reading, perhaps in the body of a loop over the stream.
--- That lasts until it takes more.
function Readers:callerStops()
  if self.thread == compat.runningCoroutine() then
    self.stoppedAt = self.stream:_bytesHandedOver()
  end
end

--- Whether readers wait for data, or may ask for more.
---@return boolean
function Readers:mayTakeMore()
  return self.waiting > 0
    or self.count > 0 and self.stoppedAt ~= self.stream:_bytesHandedOver()
end

return Readers
