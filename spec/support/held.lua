-- What the process holds, for the programs of spec/stress.

local process = require("child_process.process")
local support = require("spec.support")

local held = {}

--- How many children run, or have ended and were not waited for.
---@return integer
function held.children()
  local list = support.readFile(("/proc/self/task/%d/children"):format(process.pid))
  return select(2, list:gsub("%d+", ""))
end

--- The memory that a process uses, after a collection of our garbage.
---@param pid? integer default: this process
---@return integer KiB
function held.residentKiB(pid)
  collectgarbage()
  collectgarbage()
  -- the number in "status" is put together from counters that lag behind
  local text = support.readFile(("/proc/%s/smaps_rollup"):format(pid or "self"))
  return tonumber(text:match("Rss:%s*(%d+)"))
end

return held
