-- Times work, as many times as take a tenth of a second; after one time that does not count, in
-- which memory is taken from the system that the next ones use again.

local process = require("child_process.process")

local LEAST = 0.1 -- seconds

---@class bench.clock
local clock = {}

--- Seconds since some point in time.
---@return number
function clock.now()
  local time = process:hrtime()
  return time[1] + time[2] / 1e9
end

--- Seconds that each part of some work takes. The work calls `lap` at the end of each part, and
--- `skip` where what it did since the last call of either does not count.
---@param work fun(lap: fun(), skip: fun())
---@return number ... one for each part
function clock.laps(work)
  local sums, times = {}, 0
  local function once()
    local index, last = 0, clock.now()
    work(function()
      index = index + 1
      sums[index] = (sums[index] or 0) + clock.now() - last
      last = clock.now()
    end, function()
      last = clock.now()
    end)
  end
  once()
  sums = {}
  local began = clock.now()
  repeat
    once()
    times = times + 1
  until clock.now() - began >= LEAST
  for i, sum in ipairs(sums) do
    sums[i] = sum / times
  end
  return (table.unpack or unpack)(sums)
end

--- Seconds that each call takes.
---@param call fun()
---@return number
function clock.each(call)
  return clock.laps(function(lap)
    call()
    lap()
  end)
end

return clock
