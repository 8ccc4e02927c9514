--- Values as text, for messages: tables with their members, as one would write them.

local compat = require("child_process.base.compat")
local values = require("child_process.errors.value_text")
local debug = require("child_process.base.standard").debug

local DEEPEST = 2 -- tables in tables that are shown
local MOST = 20   -- members of each

-- Whether the key needs no brackets.
local function isName(key)
  return type(key) == "string" and key:find("^[%a_][%w_]*$") ~= nil
end

-- The keys other than positions, in the order of their texts; and the texts.
local function sortedKeys(value, length)
  local keys, texts = {}, {}
  for key in next, value do
    if not (compat.mathType(key) == "integer" and key >= 1 and key <= length) then
      keys[#keys + 1] = key
      texts[key] = isName(key) and key or "[" .. values.inspect(key) .. "]"
    end
  end
  table.sort(keys, function(a, b)
    return texts[a] < texts[b]
  end)
  return keys, texts
end

---@param value any
---@param depth? integer how deep the value is nested in others
---@return string
local function inspect(value, depth)
  depth = depth or 0
  if type(value) ~= "table" or debug.getmetatable(value) or depth > DEEPEST then
    return values.inspect(value)
  end
  local members, length = {}, compat.rawlen(value)
  for index = 1, math.min(length, MOST) do
    members[index] = inspect(rawget(value, index), depth + 1)
  end
  local keys, names = sortedKeys(value, length)
  for index = 1, math.min(#keys, MOST - #members) do
    local member = inspect(rawget(value, keys[index]), depth + 1)
    members[#members + 1] = ("%s = %s"):format(names[keys[index]], member)
  end
  if length + #keys > #members then
    members[#members + 1] = ("%d more"):format(length + #keys - #members)
  end
  return "{" .. table.concat(members, ", ") .. "}"
end

return inspect
