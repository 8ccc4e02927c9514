-- Draws what was recorded, without measuring again: prints a picture in SVG.
--
--   lua5.4 bench/draw.lua build/bench/results.json [ROW ...] >bench.svg    all rows, or those named
--   lua5.4 bench/draw.lua build/bench/growth.json >growth.svg

local bars = require("bench.report.bars")
local curves = require("bench.report.curves")
local json = require("child_process.json")

local file = assert(io.open(arg[1] or error("the JSON file is missing", 0)))
local results = assert(json.decode(file:read("*a")))
file:close()

local wanted
for i = 2, #arg do
  wanted = wanted or {}
  wanted[arg[i]] = true
end

io.write(results.series and curves.draw(results) or bars.draw(results, wanted))
