-- A child's output: what a megabyte costs with the start of the child, into events and into the
-- result of a synchronous call.

local clock = require("bench.growth.clock")
local cp = require("child_process")

local NOTHING = 0 / 0
local MOST_CAPTURED = 1e9

local function measure(size, bin)
  local source, args = bin .. "/source", {"65536", ("%d"):format(size)}
  local function events()
    local count = 0
    local child = cp.spawn(source, args, {stdio = {"ignore", "pipe", "ignore"}})
    child.stdout:on("data", function(data)
      count = count + #data
    end)
    child:wait("close")
    assert(count == size)
  end
  local function captured()
    local result = cp.spawnSync(source, args, {
      stdio = {"ignore", "pipe", "ignore"}, maxBuffer = math.huge,
    })
    assert(#result.stdout == size)
  end
  local function each(call)
    return clock.each(call) / size * 1e12
  end
  return each(events), size <= MOST_CAPTURED and each(captured) or NOTHING
end

return {
  title = "Output of a child, for each MB",
  x = "bytes",
  unit = "us",
  lines = {"data events", "spawnSync"},
  sizes = {1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 4e9},
  measure = measure,
}
