-- The types of a function, and of its overloads, from the comment before it.

local parse = require("type")

-- Adds a tag's type to the function that is read.
local tags = {}

function tags.param(signature, words)
  local name, mark, type = words:match("^([%w_.]+)(%??) (.+)$")
  table.insert(signature.parameters, {
    name = name, isOptional = mark == "?", type = parse(type),
  })
end

tags["return"] = function(signature, words)
  local type, description = parse(words)
  if description:find("^%.%.%.") then
    type = {kind = "rest", of = type}
  end
  table.insert(signature.results, type)
end

function tags.overload(_, words, signatures)
  table.insert(signatures, (parse(words)))
end

--- Returns the types of a function, the one that it is annotated with first, then its overloads.
---@param fn AnnotatedFunction
---@return AnnotatedType[] # of the kind "function", with self if it is a method
return function(fn)
  local signature = {kind = "function", parameters = {}, results = {}}
  if fn.separator == ":" then
    signature.parameters[1] = {name = "self", type = {kind = "name", name = "self"}}
  end
  local signatures = {signature}
  for _, line in ipairs(fn.comment) do
    local tag, words = line:match("^%-%-%-@(%l+) (.+)$")
    if tags[tag] then tags[tag](signature, words, signatures) end
  end
  return signatures
end
