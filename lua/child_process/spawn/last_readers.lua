--- Limits the time that those who read the streams of an ended child have to take what has arrived.

local timers = require("child_process.timers")

---@class LastReaders
---@field package child ChildProcess
---@field package timer Timeout|false while there is a limit
---@field package taken table<Stream, integer>|false bytes that were handed over when the time began
local LastReaders = {}
LastReaders.__index = LastReaders

---@param child ChildProcess
---@return LastReaders
function LastReaders.new(child)
  -- Room for the timer: one that cannot be stored without memory would run forever.
  return setmetatable({child = child, timer = false, taken = false}, LastReaders)
end

-- Notes how much the readers of each open stream have taken. Returns false if there is none.
local function note(self)
  self.taken = {}
  for _, stream in pairs(self.child:_getStreams()) do
    if stream:_hasReadableSide() and not stream.destroyed then
      self.taken[stream] = stream:_bytesHandedOver()
    end
  end
  return next(self.taken) ~= nil
end

-- Destroys the streams of which nothing was taken since the last call.
local function destroyIdle(self)
  for stream, taken in pairs(self.taken) do
    if stream:_bytesHandedOver() == taken then
      stream:destroy()
    end
  end
  if not note(self) then
    self:stop()
  end
end

--- From now on the streams are destroyed whose readers take nothing for as long as the grace.
---@param grace number milliseconds; math.huge for no limit
function LastReaders:limit(grace)
  self:stop()
  if grace ~= math.huge and note(self) then
    self.timer = timers.setInterval(destroyIdle, grace, self)
    self.timer:_standsFor("options.grace", self.child)
  end
end

--- Ends the limit.
function LastReaders:stop()
  if self.timer then
    self.timer:close()
    self.timer = false
  end
end

return LastReaders
