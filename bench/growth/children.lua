-- Children that are alive: what the start and the end of each cost, and one more beside them.

local clock = require("bench.growth.clock")
local cp = require("child_process")
local starting = require("bench.growth.starting")

local function measure(count, bin)
  starting.measure(bin) -- a warm-up
  local pause = bin .. "/pause"
  local children, spawned, closed = {}, 0, 0
  local function onSpawn()
    spawned = spawned + 1
  end
  local function onClose()
    closed = closed + 1
  end
  local began = clock.now()
  for i = 1, count do
    children[i] = cp.spawn(pause, {stdio = "ignore"}):on("spawn", onSpawn):on("close", onClose)
  end
  children[count]:wait("spawn")
  assert(spawned == count)
  local started = clock.now() - began
  local more = starting.measure(bin)
  began = clock.now()
  for _, child in ipairs(children) do
    child:kill()
  end
  cp.run()
  assert(closed == count)
  return started / count * 1e6, more, (clock.now() - began) / count * 1e6
end

return {
  title = "Children alive",
  x = "children",
  unit = "us",
  lines = {"start of each", "one more, start to close", "end of each"},
  sizes = {1, 10, 100, 1000, 10000},
  measure = measure,
}
