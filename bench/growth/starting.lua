-- What a start of the smallest program costs in a process that has much of something.

local clock = require("bench.growth.clock")
local cp = require("child_process")

---@class bench.starting
local starting = {lines = {"spawn to close", "spawnSync"}, unit = "us"}

local IGNORED = {stdio = "ignore"}

--- Microseconds from spawn to close, and of a synchronous call. Nothing else may keep the loop
--- alive.
---@param bin string the folder of the program
---@return number
---@return number
function starting.measure(bin)
  local tiny = bin .. "/tiny"
  local function spawn()
    cp.spawn(tiny, IGNORED):wait("close")
  end
  local function spawnSync()
    cp.spawnSync(tiny, IGNORED)
  end
  return clock.each(spawn) * 1e6, clock.each(spawnSync) * 1e6
end

return starting
