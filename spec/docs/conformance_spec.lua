-- doc/conformance.md names tests, and these are all there.

local cp = require("child_process")
local support = require("spec.support")

--- The names of all tests, each within those of its blocks, by the file without "_spec.lua".
---@return table<string, string[]>
local function allTests()
  local list = cp.execFileSync(support.lua, {"scripts/busted.lua", "--list", "spec"},
    {maxBuffer = math.huge})
  local tests = {}
  for line in list:gmatch("[^\n]+") do
    local file, name = line:match("^spec/([%w_/]+)_spec%.lua:%d+: (.*)$")
    assert.is_truthy(file, line)
    tests[file] = tests[file] or {}
    table.insert(tests[file], name)
  end
  return tests
end

--- Whether one of the names is what a cell has: the end of a name, or `the tests named "..."` for
--- names that hold the words. A remark in parentheses may follow.
---@param names string[]
---@param text string
---@return boolean
local function isThere(names, text)
  local words = text:match('^the tests named "(.-)"') or text:match('^the tests under "(.-)"')
  for _, name in ipairs(names) do
    if words and name:find(words, 1, true) or (" " .. name):sub(-#text - 1) == " " .. text then
      return true
    end
  end
  local name = text:match("^(.*) %b()$")
  return name ~= nil and isThere(names, name)
end

--- Calls a function with each entry of a cell that is not a name. Names may hold semicolons
--- themselves, so the longest text that is a name counts.
---@param names string[]
---@param text string those of one file
---@param onMissing fun(text: string)
---@return integer # how many were looked for
local function checkNames(names, text, onMissing)
  local parts, count = {}, 0
  for part in (text .. "; "):gmatch("(.-); ") do parts[#parts + 1] = part end
  local first = 1
  while first <= #parts do
    local last = #parts
    while last > first and not isThere(names, table.concat(parts, "; ", first, last)) do
      last = last - 1
    end
    if not isThere(names, table.concat(parts, "; ", first, last)) then onMissing(parts[first]) end
    first, count = last + 1, count + 1
  end
  return count
end

--- The places in a cell where the names of a file begin: {from, to, file}.
---@param cell string
---@param tests table<string, string[]>
---@return table[]
local function filesOf(cell, tests)
  local places = {}
  for from, file, to in cell:gmatch("()%f[%w_/]([%w_/]+): ()") do
    local before = cell:sub(math.max(from - 2, 1), from - 1)
    if tests[file] and (from == 1 or before:find("^[;:.] $")) then
      places[#places + 1] = {from = from, to = to, file = file}
    end
  end
  return places
end

describe("doc/conformance.md", function()
  it("names tests that exist", function()
    local tests = allTests()
    local missing, count, number = {}, 0, 0
    for line in io.lines("doc/conformance.md") do
      number = number + 1
      local cell = line:match("^|.* | (.-) |$") or ""
      cell = cell:gsub("\\|", "|")
      local places = filesOf(cell, tests)
      for index, place in ipairs(places) do
        local following = places[index + 1]
        local text = cell:sub(place.to, following and following.from - 1 or #cell)
        count = count + checkNames(tests[place.file], (text:gsub("[;:.]? *$", "")), function(name)
          missing[#missing + 1] = ("line %d, %s: %s"):format(number, place.file, name)
        end)
      end
    end
    assert.equal("", table.concat(missing, "\n"))
    assert.is_true(count > 500, count .. " names were found")
  end)
end)
