--- Quotes words for a POSIX shell.

local errors = require("child_process.errors")

---@class child_process.command.quote
local quote = {}

-- Bytes that mean nothing to a shell. Ranges of bytes, so that the locale does not matter.
local PLAIN = "^[A-Za-z0-9_./:@%%+,-]+$"
local PLAIN_OR_EQUALS = "^[A-Za-z0-9_./:@%%+,=-]+$"

-- Words that are no names of commands.
local RESERVED = {}
for word in ("case coproc do done elif else esac fi for function if in select then time until "
  .. "while"):gmatch("%a+") do
  RESERVED[word] = true
end

local function enclose(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- Converts a value to the text of one word.
local function textOf(name, value)
  local kind = type(value)
  if kind == "string" then
    if value:find("\0", 1, true) then
      error(errors.invalidArgValue(name, value, "must be a string without null bytes"))
    end
    return value
  elseif kind == "number" and value == value then
    local isWhole = value % 1 == 0 and math.abs(value) < 2 ^ 63
    return isWhole and ("%d"):format(value) or tostring(value)
  elseif kind == "boolean" then
    return tostring(value)
  end
  error(errors.invalidArgType(name, {"string", "number", "boolean", "table"}, value))
end

--- Quotes one word, if it needs quotes anywhere in a command line.
---@param text string
---@return string
function quote.word(text)
  if text:find(PLAIN) and not RESERVED[text] then
    return text
  end
  return enclose(text)
end

--- Quotes a value: a string, number or boolean is a word, a list several.
---@param name string of the value in errors
---@param value any
---@return string
function quote.value(name, value)
  if type(value) ~= "table" then
    return quote.word(textOf(name, value))
  end
  local words = {}
  for index = 1, #value do
    words[index] = quote.word(textOf(("%s[%d]"):format(name, index), value[index]))
  end
  return table.concat(words, " ")
end

--- The words of a command as one would type it.
---@param words string[] the program and its arguments
---@return string
function quote.commandLine(words)
  local quoted = {quote.word(words[1])}
  for index = 2, #words do
    local word = words[index]
    quoted[index] = word:find(PLAIN_OR_EQUALS) and word or enclose(word)
  end
  return table.concat(quoted, " ")
end

return quote
