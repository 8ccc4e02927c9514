--- Where children of a pool run: this machine, or a host. Counts those that run there, and knows
--- when another one may be started.

local assign = require("child_process.base.assign")
local setTimeout = require("child_process.timers").setTimeout

-- Children in a row that may end before they are ready.
local MOST_FAILED_STARTS = 3

local SHORTEST_DELAY, LONGEST_DELAY = 50, 5000 -- milliseconds before a child is replaced

---@class child_process.pool.Place
---@field host? Host nil: this machine
---@field forkOptions table of its children
---@field count integer children that neither leave nor end
---@field starting integer of those, how many are not ready
---@field deaths integer of children in a row, while no task was done
---@field failedStarts integer of children in a row that have ended before they were ready
---@field wasReady boolean a child has been ready
---@field package size? integer how many children at most; nil: as the host has processors
---@field package backoff? Timeout while no child may be started
local Place = {}
Place.__index = Place

---@param host? Host
---@param size? integer
---@param forkOptions table
---@return child_process.pool.Place
function Place.new(host, size, forkOptions)
  if host then
    forkOptions = assign({}, forkOptions, {host = host})
  end
  return setmetatable({
    host = host, size = size, forkOptions = forkOptions, count = 0, starting = 0, deaths = 0,
    failedStarts = 0, wasReady = false, backoff = nil,
  }, Place)
end

--- Whether children there can do tasks.
---@return boolean
function Place:isOpen()
  return not self.host or self.host.state == "connected"
end

--- Whether the host is still connecting.
---@return boolean
function Place:isComing()
  return self.host ~= nil and self.host.state == "connecting"
end

--- Whether the host has ended.
---@return boolean
function Place:isGone()
  return self.host ~= nil and self.host.state == "closed"
end

--- How many children there may be; 0 if that is not known yet.
---@return integer
function Place:capacity()
  if self:isOpen() then
    return self.size or self.host.cpus or 1
  end
  return self:isComing() and self.size or 0
end

-- How many children may be starting at a time. A script that never gets ready is not started by as
-- many as there may be.
local function mostStarting(self)
  if self.failedStarts > 0 then
    return 1
  end
  return self.wasReady and math.huge or MOST_FAILED_STARTS
end

--- Whether another child may be started now.
---@return boolean
function Place:hasRoom()
  return self:isOpen() and not self.backoff and self.count < self:capacity()
    and self.starting < mostStarting(self)
end

--- Whether a child that is started there may get ready, as far as is known.
---@return boolean
function Place:isPromising()
  return self:isComing() or self:isOpen() and self.failedStarts < MOST_FAILED_STARTS
end

--- Starts no child for a time, which grows with each call in a row.
---@param count integer of these calls
---@param callback fun(argument: any) called when the time is over
---@param argument any
function Place:backOff(count, callback, argument)
  self:endBackoff()
  self.backoff = setTimeout(function()
    self.backoff = nil
    callback(argument)
  end, math.min(SHORTEST_DELAY * 2 ^ (count - 1), LONGEST_DELAY))
end

--- Sets whether the loop runs until the backoff is over.
---@param on boolean
function Place:referenceBackoff(on)
  if self.backoff and on then
    self.backoff:ref()
  elseif self.backoff then
    self.backoff:unref()
  end
end

--- Ends the backoff without calling back.
function Place:endBackoff()
  if self.backoff then
    self.backoff:close()
    self.backoff = nil
  end
end

return Place
