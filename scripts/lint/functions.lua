-- Finds the functions of a Lua source.

local OPENS = {["function"] = true, ["if"] = true, ["do"] = true, ["repeat"] = true}
local CLOSES = {["end"] = true, ["until"] = true}

--- Sets `isInFunction` of each token, and returns the first and the last token of each function.
---@param tokens Token[]
---@return {first: Token, last: Token}[]
local function functions(tokens)
  local blocks, found, open = {}, {}, 0
  for _, token in ipairs(tokens) do
    local word = token.kind == "name" and token.text
    if OPENS[word] then
      blocks[#blocks + 1] = token
      open = open + (word == "function" and 1 or 0)
    elseif CLOSES[word] then
      local first = table.remove(blocks)
      if first and first.text == "function" then
        found[#found + 1] = {first = first, last = token}
        open = open - 1
      end
    end
    token.isInFunction = open > 0
  end
  return found
end

return functions
