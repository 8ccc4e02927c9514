-- Judges what was measured: the ratios within the rounds, and whether the targets are met.

local statistics = require("bench.report.statistics")

local typical, compared = statistics.typical, statistics.compared
local divide, subtract = statistics.divide, statistics.subtract

---@class bench.verdict
---@field row string
---@field work string
---@field unit string
---@field limit? bench.spread
---@field ours? bench.spread
---@field ratio? bench.spread ours to the limit, or to our own other row
---@field others {name: string, value: bench.spread, ratio: bench.spread?}[] ours in other Luas
---@field peers {name: string, value: bench.spread}[] best first
---@field target string
---@field met? boolean absent without a target
---@field base? number what a picture compares with
---@field isRate boolean more is better

---@class bench.judge
local judge = {}

local function peersOf(results, row, n, isRate)
  local list = {}
  for _, peer in ipairs(results.peers) do
    local value = typical(row.rounds[peer.name], n)
    list[#list + 1] = value and {name = peer.name, value = value}
  end
  table.sort(list, function(a, b)
    if isRate then
      a, b = b, a
    end
    return a.value.median < b.value.median
  end)
  return list
end

local function othersOf(results, row, n, hasRatio)
  local list = {}
  for _, other in ipairs(results.others) do
    local rounds = row.rounds[other.name]
    local value = typical(rounds, n)
    list[#list + 1] = value and {
      name = other.name, value = value,
      ratio = hasRatio and compared(rounds, row.rounds.limit, n, divide) or nil,
    }
  end
  return list
end

-- The words of the targets, and whether all of them are met; nil if there are none.
local function targetsOf(row, figure, verdict, n)
  local words, met = {}, nil
  local function target(text, holds)
    words[#words + 1] = text
    met = met ~= false and holds
  end
  local rounds, ratio = row.rounds, verdict.ratio and verdict.ratio.median
  local base = row.against and "our own row " .. row.against or "limit"
  if figure.most then
    target(("at most %.2f x %s"):format(figure.most, base), ratio ~= nil and ratio <= figure.most)
  end
  if figure.least then
    target(("at least %.2f x %s"):format(figure.least, base),
      ratio ~= nil and ratio >= figure.least)
  end
  if figure.ceiling then
    target(("at most %g %s"):format(figure.ceiling, verdict.unit),
      verdict.ours ~= nil and verdict.ours.median <= figure.ceiling)
  end
  if figure.beyond then
    local beyond = compared(rounds.ours, rounds.limit, n, subtract)
    target(("at most %g %s beyond the limit"):format(figure.beyond, verdict.unit),
      beyond ~= nil and beyond.median <= figure.beyond)
  end
  if figure.notBehind then
    local toPeer = compared(rounds.ours, rounds[figure.notBehind], n, divide)
    target("not behind " .. figure.notBehind, not toPeer or toPeer.median <= 1)
  end
  return table.concat(words, ", "), met
end

-- What a picture compares with: the limit; where only the figure itself has a target, that one; and
-- without both our own other row.
local function baseOf(row, figure, verdict, n)
  local limit = verdict.limit and verdict.limit.median
  if figure.ceiling and not figure.most and not figure.least then
    return figure.ceiling
  end
  local against = typical(row.rounds.against, n)
  return limit or against and against.median
end

--- The verdict on the n-th figure of a row.
---@param results table what run.lua has recorded
---@param row table one of results.rows
---@param n integer
---@return bench.verdict
function judge.figure(results, row, n)
  local figure, rounds = row.figures[n], row.rounds
  local hasRatio = figure.most or figure.least
  local isRate = figure.unit == "GB/s"
  local verdict = {
    row = row.row,
    work = row.text .. (figure.what and ": " .. figure.what or ""),
    unit = figure.unit,
    isRate = isRate,
    limit = typical(rounds.limit, n),
    ours = typical(rounds.ours, n),
    ratio = hasRatio and compared(rounds.ours, rounds.against or rounds.limit, n, divide) or nil,
    peers = peersOf(results, row, n, isRate),
    others = othersOf(results, row, n, hasRatio and not row.against),
  }
  verdict.target, verdict.met = targetsOf(row, figure, verdict, n)
  verdict.base = baseOf(row, figure, verdict, n)
  return verdict
end

return judge
