-- Timers that run: what each costs when it is set, when it goes off and when it is cleared.

local clock = require("bench.growth.clock")
local cp = require("child_process")
local timers = require("child_process.timers")

local function measure(count)
  local function nothing() end
  local setting, firing = clock.laps(function(lap, skip)
    for _ = 1, count do
      timers.setTimeout(nothing, 1)
    end
    lap()
    local last = clock.now() + 2e-3
    repeat until clock.now() > last -- all of them are due
    skip()
    cp.run()
    lap()
  end)
  local clearing = clock.laps(function(lap, skip)
    local list = {}
    for i = 1, count do
      list[i] = timers.setTimeout(nothing, 1000 + i)
    end
    skip()
    for i = 1, count do
      timers.clearTimeout(list[i])
    end
    lap()
  end)
  local unit = 1e9 / count
  return setting * unit, firing * unit, clearing * unit
end

return {
  title = "Timers",
  x = "timers",
  unit = "ns",
  lines = {"set", "go off", "clear"},
  sizes = {1, 10, 100, 1000, 10000, 100000},
  measure = measure,
}
