--- "Did you mean": the name that a misspelt word probably means.

-- The number of letters to insert, delete, replace or exchange with a neighbour to turn one word
-- into the other.
local function distance(a, b)
  local before, last = {}, {}
  for column = 0, #b do
    last[column] = column
  end
  for row = 1, #a do
    local current = {[0] = row}
    for column = 1, #b do
      local differs = a:byte(row) ~= b:byte(column)
      local cost = math.min(last[column] + 1, current[column - 1] + 1,
        last[column - 1] + (differs and 1 or 0))
      if row > 1 and column > 1 and a:byte(row) == b:byte(column - 1)
        and a:byte(row - 1) == b:byte(column) then
        cost = math.min(cost, before[column - 2] + 1)
      end
      current[column] = cost
    end
    before, last = last, current
  end
  return last[#b]
end

-- Whether a name is a long word with letters put in, as killOnParentExit is killOnExit.
local function isExtended(word, name)
  local position = 0
  for letter in word:gmatch(".") do
    position = name:find(letter, position + 1, true)
    if not position then
      return false
    end
  end
  return #word >= 8 and 2 * #word >= #name
end

-- How much two words in small letters differ. A name differs little if the word starts or ends with
-- it, or is a part of it.
local function difference(word, name)
  local isLike = #name >= 3 and word:find(name, 1, true) == 1
    or #name >= 4 and word:sub(-#name) == name
    or isExtended(word, name)
  local cost = distance(word, name)
  return isLike and math.min(cost, 1) or cost
end

local LONGEST = 64 -- bytes; longer names are not compared

-- Returns the name that differs least from the word, if it differs little; for "TERM" SIGTERM.
local function nearest(word, names)
  local signal = "SIG" .. word:upper()
  if names[signal] then
    return signal
  elseif #word > LONGEST then
    return nil
  end
  local lower = word:lower()
  local best, bestCost = nil, math.max(1, math.floor(#word / 3)) + 1
  for name in pairs(names) do
    local cost = type(name) == "string" and difference(lower, name:lower()) or math.huge
    if cost < bestCost or cost == bestCost and best and name < best then
      best, bestCost = name, cost
    end
  end
  return best
end

--- The end of a sentence about an unknown word: " (did you mean 'cwd'?)".
---@param word any
---@param names table the known names are its keys that are strings
---@return string # "" if the word is not a string, or is like none of the names
return function(word, names)
  local name = type(word) == "string" and nearest(word, names)
  return name and (" (did you mean '%s'?)"):format(name) or ""
end
