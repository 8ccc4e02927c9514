-- Draws the series of growth.lua: a small picture for each, both axes logarithmic.

local growth = require("bench.report.growth")
local size = require("bench.report.size")
local svg = require("bench.report.svg")
local under = require("bench.report.conditions")

local WIDTH, MARGIN, COLUMNS = 980, 16, 2
local PANEL_WIDTH, PANEL_HEIGHT = 462, 218
local LEFT, RIGHT, TOP, BOTTOM = 52, 14, 40, 36 -- around the area of the lines
local AREA_WIDTH, AREA_HEIGHT = PANEL_WIDTH - LEFT - RIGHT, PANEL_HEIGHT - TOP - BOTTOM
local HEAD, FOOT = 62, 30
local NAME_WIDTH = 5.8 -- of a letter of a legend
local LABEL_WIDTH = 34 -- of a size below the lines
local CLASSES = {"c1", "c3", "c4", "c5", "c2"} -- the colours of the lines

---@class bench.curves
local curves = {}

local function log10(value)
  return math.log(value) / math.log(10)
end

-- From which power of ten to which the figures of a series go.
local function decadesOf(series)
  local lowest, highest
  for line in ipairs(series.lines) do
    for _, value in pairs(growth.values(series, line)) do
      lowest = math.min(lowest or value, value)
      highest = math.max(highest or value, value)
    end
  end
  if not lowest then
    return 0, 1
  end
  local first, last = math.floor(log10(lowest)), math.ceil(log10(highest))
  return first, math.max(last, first + 1)
end

-- Functions that say where a size and where a figure is drawn.
local function scales(series, left, top)
  local sizes = {}
  for i, point in ipairs(series.points) do
    sizes[i] = log10(point.size)
  end
  local least, most = sizes[1] or 0, sizes[#sizes] or 1
  local first, last = decadesOf(series)
  return function(value)
    local part = most > least and (log10(value) - least) / (most - least) or 0.5
    return left + LEFT + part * AREA_WIDTH
  end, function(value)
    return top + TOP + (last - log10(value)) / (last - first) * AREA_HEIGHT
  end
end

local function drawGrid(parts, series, left, top, xOf, yOf)
  local right, bottom = left + LEFT + AREA_WIDTH, top + TOP + AREA_HEIGHT
  local first, last = decadesOf(series)
  for power = first, last do
    local y = yOf(10 ^ power)
    parts[#parts + 1] = svg.line(left + LEFT, y, right, y, "grid")
    parts[#parts + 1] = svg.text(left + LEFT - 6, y + 4, "faint", size.text(10 ^ power), "end")
  end
  for i, point in ipairs(series.points) do
    local x, following = xOf(point.size), series.points[i + 1]
    parts[#parts + 1] = svg.line(x, top + TOP, x, bottom, "grid")
    if not following or xOf(following.size) - x > LABEL_WIDTH then
      parts[#parts + 1] = svg.text(x, bottom + 14, "faint", size.text(point.size, series.x),
        "middle")
    end
  end
  parts[#parts + 1] = svg.text(left + LEFT + AREA_WIDTH / 2, bottom + 28, "faint", series.x,
    "middle")
end

local function drawLine(parts, series, line, xOf, yOf)
  local points, values = {}, growth.values(series, line)
  local dots = {}
  for i, point in ipairs(series.points) do
    if values[i] then
      local x, y = xOf(point.size), yOf(values[i])
      points[#points + 1] = {x, y}
      dots[#dots + 1] = svg.dot(x, y, "dot " .. CLASSES[line])
    end
  end
  parts[#parts + 1] = svg.polyline(points, CLASSES[line] .. " line")
  parts[#parts + 1] = table.concat(dots)
end

local function drawPanel(parts, series, left, top)
  local xOf, yOf = scales(series, left, top)
  parts[#parts + 1] = svg.text(left, top + 12, "head",
    ("%s (%s)"):format(series.title, series.unit))
  drawGrid(parts, series, left, top, xOf, yOf)
  local x = left + LEFT
  for line, name in ipairs(series.lines) do
    parts[#parts + 1] = svg.rectangle(x, top + 22, 10, 8, "bar " .. CLASSES[line])
    parts[#parts + 1] = svg.text(x + 14, top + 30, "faint", name)
    x = x + 30 + #name * NAME_WIDTH
    drawLine(parts, series, line, xOf, yOf)
  end
end

--- A picture of all series.
---@param results table what growth.lua has recorded
---@return string
function curves.draw(results)
  local title = "child_process for Lua: what one costs when there are many"
  local parts = {
    svg.text(MARGIN, 26, "title", title),
    svg.text(MARGIN, 44, "faint", "The cost of a unit of work. Both axes are logarithmic: a flat "
      .. "line means that the time grows as the number does, a falling one that a fixed part "
      .. "counts less."),
  }
  for i, series in ipairs(results.series) do
    local column = (i - 1) % COLUMNS
    drawPanel(parts, series, MARGIN + column * (PANEL_WIDTH + MARGIN),
      HEAD + math.floor((i - 1) / COLUMNS) * PANEL_HEIGHT)
  end
  local bottom = HEAD + math.ceil(#results.series / COLUMNS) * PANEL_HEIGHT
  parts[#parts + 1] = svg.text(MARGIN, bottom + 14, "faint", under.machine(results.machine))
  return svg.picture(WIDTH, bottom + FOOT, title, parts)
end

return curves
