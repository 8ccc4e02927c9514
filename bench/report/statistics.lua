-- Figures over several rounds, and their spread.

---@class bench.spread
---@field median number
---@field lowest number
---@field highest number

---@class bench.statistics
local statistics = {}

--- The median of some numbers with the lowest and the highest; nil of none.
---@param list number[] is sorted
---@return bench.spread?
function statistics.spread(list)
  if #list == 0 then
    return nil
  end
  table.sort(list)
  local middle = math.floor((#list + 1) / 2)
  return {
    median = (list[middle] + list[#list + 1 - middle]) / 2, lowest = list[1], highest = list[#list],
  }
end

--- That of a contestant's n-th number.
---@param rounds? number[][]
---@param n integer
---@return bench.spread?
function statistics.typical(rounds, n)
  local list = {}
  for _, numbers in ipairs(rounds or {}) do
    list[#list + 1] = numbers[n]
  end
  return statistics.spread(list)
end

--- That of what `compare` makes of the n-th numbers of two contestants in the same round.
---@param ours? number[][]
---@param base? number[][]
---@param n integer
---@param compare fun(ours: number, base: number): number
---@return bench.spread?
function statistics.compared(ours, base, n, compare)
  local list = {}
  for round, numbers in ipairs(ours or {}) do
    local other = base and base[round] and base[round][n]
    list[#list + 1] = other and numbers[n] and compare(numbers[n], other)
  end
  return statistics.spread(list)
end

function statistics.divide(a, b)
  return a / b
end

function statistics.subtract(a, b)
  return a - b
end

return statistics
