-- Leaves what was measured as files in BENCH_OUTPUT, or in build/bench.

local bars = require("bench.report.bars")
local command = require("child_process.command")
local curves = require("bench.report.curves")
local json = require("child_process.json")
local markdown = require("bench.report.markdown")
local shell = require("bench.measure.shell")
local tables = require("bench.report.tables")

local FOLDER = os.getenv("BENCH_OUTPUT") or shell.here .. "/../build/bench"

---@class bench.write
local write = {}

local function put(name, text)
  command.run("mkdir", {"-p", FOLDER})
  local file = assert(io.open(FOLDER .. "/" .. name, "w"))
  assert(file:write(text))
  file:close()
end

--- Writes the table: results.json, results.md and bench.svg.
---@param results table
function write.results(results)
  put("results.json", json.encode(results) .. "\n")
  put("results.md", markdown.table(results))
  put("bench.svg", bars.draw(results))
end

--- Writes the series: growth.json, growth.md and growth.svg.
---@param results table
function write.growth(results)
  put("growth.json", json.encode(results) .. "\n")
  put("growth.md", tables.growth(results))
  put("growth.svg", curves.draw(results))
end

--- Writes what memory.lua has measured: memory.json and memory.md.
---@param results table
function write.memory(results)
  put("memory.json", json.encode(results) .. "\n")
  put("memory.md", tables.memory(results))
end

return write
