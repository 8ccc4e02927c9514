-- A message that a child sends back: what a kilobyte costs, both ways together.

local clock = require("bench.growth.clock")
local cp = require("child_process")

local function roundTrip(size, serialization)
  local text = ("x"):rep(size - 2) -- with the quotes it has that size
  local child = cp.fork(arg[0]:gsub("[^/]*$", "") .. "ours_child.lua", {"echo"},
    {serialization = serialization})
  child:wait("message")
  local taken = clock.each(function()
    child:send(text)
    assert(#child:wait("message") == #text)
  end)
  child:disconnect()
  child:wait("close")
  return taken / size * 1e9
end

local function measure(size)
  return roundTrip(size, "json"), roundTrip(size, "advanced")
end

return {
  title = "Round trip of a message, for each KB",
  x = "bytes",
  unit = "us",
  lines = {"JSON", "advanced"},
  sizes = {10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 2.56e8},
  measure = measure,
}
