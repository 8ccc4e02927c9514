-- Memory of the parent: what a start costs.

local starting = require("bench.growth.starting")

local KEPT = 3072 -- MiB for all others

local function fits(size)
  local file = io.open("/proc/meminfo")
  local available = tonumber(file and file:read("*a"):match("MemAvailable:%s*(%d+)") or 0) / 1024
  if size + KEPT > available then
    return ("needs %d MiB of memory, there are %d"):format(size + KEPT, available)
  end
end

local function measure(size, bin)
  collectgarbage("stop") -- the strings live until the end, so there is nothing to find
  local heap = {}
  for i = 1, size do
    heap[i] = ("x"):rep(2 ^ 20 - 64)
  end
  local spawn, spawnSync = starting.measure(bin)
  assert(#heap == size)
  return spawn, spawnSync
end

return {
  title = "Starts from a parent with memory in use",
  x = "MiB",
  unit = starting.unit,
  lines = starting.lines,
  sizes = {1, 16, 256, 1024, 4096, 16384},
  fits = fits,
  measure = measure,
}
