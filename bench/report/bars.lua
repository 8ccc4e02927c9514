-- Draws the table: for each figure a group of bars, whose length is the time relative to the limit.
-- Of a rate it is the time that one unit takes, so a shorter bar is better everywhere.

local judge = require("bench.report.judge")
local number = require("bench.report.number")
local svg = require("bench.report.svg")
local under = require("bench.report.conditions")

local WIDTH, COLUMN, GAP, MARGIN = 980, 460, 28, 16
local NAMES, LABELS = 84, 112 -- what stands left and right of the bars
local BARS = COLUMN - NAMES - LABELS
local MOST = 4 -- times the limit; longer bars are cut
local HEADING, BAR, PITCH, BELOW = 16, 9, 14, 14
local TOP, BOTTOM = 76, 44

---@class bench.bars
local bars = {}

local function wantedVerdicts(results, wanted)
  local list = {}
  for _, row in ipairs(results.rows) do
    if not row.leftOut and (not wanted or wanted[row.row]) then
      for n in ipairs(row.figures) do
        local verdict = judge.figure(results, row, n)
        list[#list + 1] = verdict.ours and verdict.base and verdict
      end
    end
  end
  return list
end

-- Ours and the peers, best first.
local function entriesOf(verdict)
  local list = {{name = "ours", value = verdict.ours, class = "c1"}}
  for _, other in ipairs(verdict.others) do
    list[#list + 1] = {name = other.name, value = other.value, class = "c2"}
  end
  for _, peer in ipairs(verdict.peers) do
    list[#list + 1] = {name = peer.name, value = peer.value, class = "peer"}
  end
  for place, entry in ipairs(list) do
    entry.place = place
    entry.relative = function(value)
      return verdict.isRate and verdict.base / value or value / verdict.base
    end
  end
  table.sort(list, function(a, b)
    local ofA, ofB = a.relative(a.value.median), b.relative(b.value.median)
    if ofA ~= ofB then
      return ofA < ofB
    end
    return a.place < b.place
  end)
  return list
end

local function heightOf(verdict)
  return HEADING + (1 + #verdict.others + #verdict.peers) * PITCH + BELOW
end

local function xOf(left, relative)
  return left + NAMES + math.max(0, math.min(relative, MOST)) / MOST * BARS
end

local function drawBar(parts, left, y, entry, unit)
  local relative = entry.relative(entry.value.median)
  local finish = xOf(left, relative)
  local start, middle = left + NAMES, y + BAR / 2
  parts[#parts + 1] = svg.text(start - 6, y + BAR, entry.class == "c1" and "head" or "", entry.name,
    "end")
  parts[#parts + 1] = svg.rectangle(start, y, finish - start, BAR, "bar " .. entry.class)
  if relative > MOST then -- a gap says that the bar goes on
    for _, x in ipairs({finish - 12, finish - 7}) do
      parts[#parts + 1] = svg.rectangle(x, y, 2, BAR, "background")
    end
  else
    parts[#parts + 1] = svg.line(xOf(left, entry.relative(entry.value.lowest)), middle,
      xOf(left, entry.relative(entry.value.highest)), middle, "spread")
  end
  parts[#parts + 1] = svg.text(start + BARS + 8, y + BAR, "faint",
    ("%s, %s x"):format(number.median(entry.value, unit), number.plain(relative)))
end

local function drawGroup(parts, left, top, verdict)
  local y, height = top + HEADING, heightOf(verdict)
  parts[#parts + 1] = svg.text(left, top + 10, "head",
    verdict.row .. "  " .. verdict.work:gsub("`", ""))
  for times = 0, MOST do
    local x = xOf(left, times)
    parts[#parts + 1] = svg.line(x, y, x, top + height - BELOW, "grid")
  end
  for _, entry in ipairs(entriesOf(verdict)) do
    drawBar(parts, left, y + (PITCH - BAR) / 2, entry, verdict.unit)
    y = y + PITCH
  end
  local one = xOf(left, 1)
  parts[#parts + 1] = svg.line(one, top + HEADING, one, y, "limit")
end

local function drawAxis(parts, left, y)
  for times = 0, MOST do
    parts[#parts + 1] = svg.text(xOf(left, times), y, "faint", times .. " x", "middle")
  end
end

-- Draws as many groups one below the other as are in half of the height; where that ends.
local function drawColumns(parts, verdicts)
  local total = 0
  for _, verdict in ipairs(verdicts) do
    total = total + heightOf(verdict)
  end
  local left, y, lowest, done = MARGIN, TOP, TOP, 0
  drawAxis(parts, left, TOP - 8)
  for i, verdict in ipairs(verdicts) do
    if left == MARGIN and i > 1 and done + heightOf(verdict) / 2 > total / 2 then
      left, y = MARGIN + COLUMN + GAP, TOP
      drawAxis(parts, left, TOP - 8)
    end
    drawGroup(parts, left, y, verdict)
    done, y = done + heightOf(verdict), y + heightOf(verdict)
    lowest = math.max(lowest, y)
  end
  return lowest
end

--- A picture of the table.
---@param results table what run.lua has recorded
---@param wanted? table<string, true> only rows of these names
---@return string
function bars.draw(results, wanted)
  local title = "child_process for Lua: times relative to a C program that does nothing else"
  local parts = {
    svg.text(MARGIN, 26, "title", title),
    svg.text(MARGIN, 44, "faint", "Shorter is better. The red line is that limit, or the target "
      .. "where the row has none to compare with; black: lowest to highest of the rounds."),
  }
  local lowest = drawColumns(parts, wantedVerdicts(results, wanted))
  parts[#parts + 1] = svg.text(MARGIN, lowest + 14, "faint", under.names(results.peers))
  parts[#parts + 1] = svg.text(MARGIN, lowest + 30, "faint", under.machine(results.machine))
  return svg.picture(WIDTH, lowest + BOTTOM, title, parts)
end

return bars
