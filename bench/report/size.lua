-- How sizes are written: 1e6 as "1M".

---@class bench.size
local size = {}

local UNITS = {{1e9, "G"}, {1e6, "M"}, {1e3, "k"}}

--- A size in short.
---@param value number
---@param x? string what it is a number of; MiB are counted by 1024
---@return string
function size.text(value, x)
  if x == "MiB" then
    return value >= 1024 and ("%g GiB"):format(value / 1024) or ("%g MiB"):format(value)
  end
  for _, unit in ipairs(UNITS) do
    if value >= unit[1] then
      return ("%g%s"):format(value / unit[1], unit[2])
    end
  end
  return ("%g"):format(value)
end

return size
