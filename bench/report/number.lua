-- How figures are written.

---@class bench.number
local number = {}

--- A number with the digits that say something.
---@param value number
---@return string
function number.plain(value)
  return (value >= 100 and "%.0f" or value >= 10 and "%.1f" or value >= 0.1 and "%.2f" or "%.2g")
    :format(value)
end

--- The median with its unit; "failed" for nil.
---@param spread? bench.spread
---@param unit string
---@return string
function number.median(spread, unit)
  return spread and number.plain(spread.median) .. " " .. unit or "failed"
end

--- The same with the lowest and the highest of the rounds.
---@param spread? bench.spread
---@param unit string
---@return string
function number.spread(spread, unit)
  local text = number.median(spread, unit)
  if spread and spread.lowest < spread.highest then
    text = ("%s (%s to %s)"):format(text, number.plain(spread.lowest), number.plain(spread.highest))
  end
  return text
end

--- A ratio with the lowest and the highest of the rounds; "-" for nil.
---@param spread? bench.spread
---@return string
function number.ratio(spread)
  if not spread then
    return "-"
  end
  local text = ("%.2f"):format(spread.median)
  if spread.lowest < spread.highest then
    text = ("%s (%.2f to %.2f)"):format(text, spread.lowest, spread.highest)
  end
  return text
end

return number
