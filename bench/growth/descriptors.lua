-- Open descriptors of the parent: what a start costs.

local starting = require("bench.growth.starting")

local function measure(count, bin)
  local opened = {}
  for i = 1, count do
    opened[i] = assert(io.open("/dev/null"))
  end
  local spawn, spawnSync = starting.measure(bin)
  for _, file in ipairs(opened) do
    file:close()
  end
  return spawn, spawnSync
end

return {
  title = "Starts from a parent with open descriptors",
  x = "descriptors",
  unit = starting.unit,
  lines = starting.lines,
  sizes = {1, 10, 100, 1000, 10000},
  measure = measure,
}
