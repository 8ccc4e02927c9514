-- Leaves what was measured as files in BENCH_OUTPUT, or in build/bench.

local bars = require("bench.report.bars")
local command = require("child_process.command")
local json = require("child_process.json")
local markdown = require("bench.report.markdown")
local shell = require("bench.measure.shell")

local FOLDER = os.getenv("BENCH_OUTPUT") or shell.here .. "/../build/bench"

---@class bench.write
local write = {}

local function put(name, text)
  local file = assert(io.open(FOLDER .. "/" .. name, "w"))
  assert(file:write(text))
  file:close()
end

--- Writes the table: results.json, results.md and bench.svg.
---@param results table
function write.results(results)
  command.run("mkdir", {"-p", FOLDER})
  put("results.json", json.encode(results) .. "\n")
  put("results.md", markdown.table(results))
  put("bench.svg", bars.draw(results))
end

return write
