-- The table as Markdown. Each row is made by itself, so that it can be shown once it is measured.

local judge = require("bench.report.judge")
local number = require("bench.report.number")
local under = require("bench.report.conditions")

---@class bench.markdown
local markdown = {}

local function line(cells)
  return "| " .. table.concat(cells, " | ") .. " |\n"
end

-- The names of the columns; ours in another Lua has one of its own.
local function columns(results)
  local names = {"row", "work", "limit", "peers, best first", "ours", "ratio"}
  for _, other in ipairs(results.others) do
    names[#names + 1] = other.name
  end
  names[#names + 1] = "target"
  names[#names + 1] = "met"
  return names
end

local function peersText(peers, unit)
  local texts = {}
  for i, peer in ipairs(peers) do
    texts[i] = peer.name .. " " .. number.median(peer.value, unit)
  end
  return #texts > 0 and table.concat(texts, ", ") or "-"
end

local function otherText(verdict, name)
  for _, other in ipairs(verdict.others) do
    if other.name == name then
      return number.median(other.value, verdict.unit)
        .. (other.ratio and (", %.2f"):format(other.ratio.median) or "")
    end
  end
  return "failed"
end

--- The head of the table.
---@param results table
---@return string
function markdown.head(results)
  local names = columns(results)
  return line(names) .. "|" .. ("---|"):rep(#names) .. "\n"
end

--- The lines of a row: one for each of its figures.
---@param results table
---@param row table one of results.rows
---@return string
function markdown.row(results, row)
  local count = #columns(results)
  if row.leftOut then
    local cells = {row.row, row.text, "-", "-", "left out: " .. row.leftOut}
    while #cells < count do
      cells[#cells + 1] = "-"
    end
    return line(cells)
  end
  local lines = {}
  for n in ipairs(row.figures) do
    local verdict = judge.figure(results, row, n)
    local cells = {
      verdict.row, verdict.work,
      row.rounds.limit and number.spread(verdict.limit, verdict.unit) or "-",
      peersText(verdict.peers, verdict.unit), number.spread(verdict.ours, verdict.unit),
      number.ratio(verdict.ratio),
    }
    for _, other in ipairs(results.others) do
      cells[#cells + 1] = otherText(verdict, other.name)
    end
    cells[#cells + 1] = verdict.target ~= "" and verdict.target or "-"
    cells[#cells + 1] = verdict.met == nil and "-" or verdict.met and "yes" or "no"
    lines[n] = line(cells)
  end
  return table.concat(lines)
end

--- What stands below the table: how and on what it was measured.
---@param results table
---@return string
function markdown.foot(results)
  return ("\nMedians of %s%s. Peers: %s. Missing: %s.\n\n%s\n"):format(
    results.rounds == 1 and "one round" or results.rounds .. " rounds",
    results.rounds > 1 and ", in parentheses the lowest and the highest" or "",
    under.names(results.peers), under.names(results.missing), under.machine(results.machine))
end

--- The whole table.
---@param results table
---@return string
function markdown.table(results)
  local parts = {markdown.head(results)}
  for i, row in ipairs(results.rows) do
    parts[i + 1] = markdown.row(results, row)
  end
  parts[#parts + 1] = markdown.foot(results)
  return table.concat(parts)
end

return markdown
