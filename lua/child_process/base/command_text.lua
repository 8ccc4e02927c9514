--- Puts the command of a child into a line for people.

local values = require("child_process.errors.value_text")

local LONGEST = 60 -- characters

local letters = {["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r"}

local function escape(character)
  return letters[character] or ("\\x%02X"):format(character:byte())
end

-- A word as a shell takes it, in quotes where it needs them.
local function quote(word)
  if word ~= "" and not word:find("[^%w%-_./=:,@%%+]") then
    return word
  end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

--- The line of a shell (`sh -c`), or the words of a program in quotes where they need them.
---@param args string[] with argv[0]
---@param limit? integer the most characters; default 60
---@return string
return function(args, limit)
  limit = limit or LONGEST
  local text
  if #args == 3 and args[2] == "-c" then
    text = args[3]
  else
    local words = {}
    for index, word in ipairs(args) do
      words[index] = quote(word)
    end
    text = table.concat(words, " ")
  end
  text = text:gsub("%c", escape)
  return values.shorten(text, limit, limit - 3)
end
