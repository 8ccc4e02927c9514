-- Judges a series: how much the cost of a unit grows with the size. Of the rounds the lowest
-- counts, since what else the machine has to do only adds to a time.

local MOST = 2 -- more than this is named: caches and the like make up for less

---@class bench.growth
local growth = {}

--- The figures of a line of a series, by point; nil where nothing was measured.
---@param series table what growth.lua has recorded
---@param line integer
---@return (number?)[]
function growth.values(series, line)
  local values = {}
  for i, point in ipairs(series.points) do
    for _, numbers in ipairs(point.rounds) do
      local value = numbers[line]
      values[i] = value and math.min(values[i] or value, value) or values[i]
    end
  end
  return values
end

--- How many times as much a unit costs in any size as in any smaller one, at most: 1 or less if it
--- never costs more, nil without two figures.
---@param series table
---@param line integer
---@return number?
function growth.factor(series, line)
  local least, factor
  local values = growth.values(series, line)
  for i = 1, #series.points do
    local value = values[i]
    if value and least then
      factor = math.max(factor or 0, value / least)
    end
    least = value and math.min(least or value, value) or least
  end
  return factor
end

--- Whether that is more than the noise.
---@param factor? number
---@return boolean
function growth.isMore(factor)
  return factor ~= nil and factor > MOST
end

--- The lines of all series whose unit costs more in larger sizes, in words.
---@param results table
---@return string[]
function growth.named(results)
  local names = {}
  for _, series in ipairs(results.series) do
    for line, name in ipairs(series.lines) do
      local factor = growth.factor(series, line)
      if growth.isMore(factor) then
        names[#names + 1] = ("%s: %s (%.1f times)"):format(series.title, name, factor)
      end
    end
  end
  return names
end

return growth
