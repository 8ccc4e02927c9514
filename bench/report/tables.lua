-- The series of growth.lua, and the tables of memory.lua, as Markdown.

local growth = require("bench.report.growth")
local number = require("bench.report.number")
local size = require("bench.report.size")
local under = require("bench.report.conditions")

---@class bench.tables
local tables = {}

local function line(cells)
  return "| " .. table.concat(cells, " | ") .. " |\n"
end

--- A series: a column for each size, a line for each line of its picture.
---@param series table
---@return string
function tables.series(series)
  local head = {("%s: %s, by %s"):format(series.title, series.unit, series.x)}
  for _, point in ipairs(series.points) do
    head[#head + 1] = size.text(point.size, series.x)
  end
  head[#head + 1] = "growth"
  local parts = {line(head), "|", ("---|"):rep(#head), "\n"}
  for index, name in ipairs(series.lines) do
    local cells, values = {name}, growth.values(series, index)
    for i = 1, #series.points do
      cells[#cells + 1] = values[i] and number.plain(values[i]) or "-"
    end
    local factor = growth.factor(series, index)
    local text = factor and ("%.1f"):format(factor) or "-"
    cells[#cells + 1] = growth.isMore(factor) and "**" .. text .. "**" or text
    parts[#parts + 1] = line(cells)
  end
  for _, each in ipairs(series.skipped) do
    parts[#parts + 1] = ("\nLeft out: %s, %s.\n"):format(size.text(each.size, series.x),
      each.reason)
  end
  return table.concat(parts)
end

--- What stands below the series.
---@param results table
---@return string
function tables.foot(results)
  local named = growth.named(results)
  return ("Growth is how many times as much a unit costs in any size as in any smaller one, at "
    .. "most. More than 2: %s.\n\nThe lowest of %s. %s\n"):format(
    #named > 0 and table.concat(named, "; ") or "none",
    results.rounds == 1 and "one round" or results.rounds .. " rounds",
    under.machine(results.machine))
end

--- All of that.
---@param results table
---@return string
function tables.growth(results)
  local parts = {}
  for i, series in ipairs(results.series) do
    parts[i] = tables.series(series)
  end
  parts[#parts + 1] = tables.foot(results)
  return table.concat(parts, "\n")
end

local function kib(value)
  return value and ("%.0f"):format(value) or "-"
end

--- What each thing takes, and what a process has after each part of some work.
---@param results table what memory.lua has recorded
---@return string
function tables.memory(results)
  local parts = {line({"each", "bytes of Lua's heap", "bytes resident", "measured with"}),
    "|---|---|---|---|\n"}
  for _, thing in ipairs(results.things) do
    parts[#parts + 1] = line({
      thing.name, kib(thing.numbers[1]), kib(thing.numbers[2]), size.text(thing.count),
    })
  end
  local head = {"KiB resident, of them Lua's heap, after"}
  for _, part in ipairs(results.parts) do
    head[#head + 1] = size.text(math.floor(part * results.count))
  end
  parts[#parts + 1] = "\n" .. line(head) .. "|" .. ("---|"):rep(#head) .. "\n"
  for _, work in ipairs(results.works) do
    local cells = {work.name}
    for i in ipairs(results.parts) do
      cells[#cells + 1] = kib(work.numbers[2 * i]) .. ", " .. kib(work.numbers[2 * i - 1])
    end
    parts[#parts + 1] = line(cells)
  end
  parts[#parts + 1] = "\n" .. under.machine(results.machine) .. "\n"
  return table.concat(parts)
end

return tables
