-- Splits Lua source into tokens, comments included, for the checks of style beside this file.

---@class Token
---@field kind "comment"|"string"|"name"|"number"|"symbol"
---@field text string as it stands in the source
---@field line integer where it starts
---@field from integer its first byte
---@field to integer its last byte
---@field isInFunction? boolean see functions.lua

local BLANKS = "^[ \t\r\n]+"

-- Longer symbols first; every other symbol is one byte.
local SYMBOLS = {"...", "<<", ">>", "//", "==", "~=", "<=", ">=", "::", ".."}

-- The last byte of a long bracket, [[text]] or [=[text]=]; nil if none opens at `at`.
local function longBracketEnd(source, at)
  local level = source:match("^%[(=*)%[", at)
  if not level then
    return nil
  end
  local _, last = source:find("]" .. level .. "]", at, true)
  return last or #source
end

local function commentEnd(source, at)
  return longBracketEnd(source, at + 2) or (source:find("\n", at, true) or #source + 1) - 1
end

-- The end of a string in quotes. A backslash takes the byte after it along.
local function quotedEnd(source, at)
  local quote = source:sub(at, at)
  local stop = at + 1
  while stop <= #source do
    local byte = source:sub(stop, stop)
    if byte == quote then
      return stop
    end
    stop = stop + (byte == "\\" and 2 or 1)
  end
  return #source
end

local function symbolEnd(source, at)
  for _, symbol in ipairs(SYMBOLS) do
    if source:sub(at, at + #symbol - 1) == symbol then
      return at + #symbol - 1
    end
  end
  return at
end

-- The kind of the token at `at`, and its last byte.
local function tokenAt(source, at)
  local start = source:sub(at, at)
  if source:sub(at, at + 1) == "--" then
    return "comment", commentEnd(source, at)
  elseif start == '"' or start == "'" then
    return "string", quotedEnd(source, at)
  elseif start:find("[%a_]") then
    return "name", select(2, source:find("^[%w_]+", at))
  elseif source:find("^%.?%d", at) then
    return "number", select(2, source:find("^[%w.]+", at))
  end
  local last = longBracketEnd(source, at)
  if last then
    return "string", last
  end
  return "symbol", symbolEnd(source, at)
end

--- Splits a source. What is not Lua does not raise an error; luacheck reports it.
---@param source string
---@return Token[]
local function tokens(source)
  local list = {}
  local at, line = 1, 1
  if source:sub(1, 2) == "#!" then
    at = source:find("\n", 1, true) or #source + 1
  end
  while true do
    local _, blank = source:find(BLANKS, at)
    if blank then
      line = line + select(2, source:sub(at, blank):gsub("\n", ""))
      at = blank + 1
    end
    if at > #source then
      return list
    end
    local kind, last = tokenAt(source, at)
    local text = source:sub(at, last)
    list[#list + 1] = {kind = kind, text = text, line = line, from = at, to = last}
    line = line + select(2, text:gsub("\n", ""))
    at = last + 1
  end
end

return tokens
