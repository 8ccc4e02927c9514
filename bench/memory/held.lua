-- The memory of this process.

---@class bench.held
local held = {}

local function collect()
  for _ = 1, 4 do -- what a finalizer lets go of has finalizers of its own
    collectgarbage()
  end
end

--- Bytes of Lua's heap.
---@return number
function held.heap()
  collect()
  return collectgarbage("count") * 1024
end

--- KiB that are resident.
---@return number
function held.resident()
  collect()
  local file = assert(io.open("/proc/self/smaps_rollup"))
  local text = file:read("*a")
  file:close()
  return tonumber(text:match("\nRss:%s*(%d+)"))
end

return held
