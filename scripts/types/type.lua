-- Parses the types of annotations (LuaCATS).

---@class AnnotatedType
---@field kind "name"|"literal"|"union"|"list"|"optional"|"rest"|"function"|"table"
---@field name? string of a name
---@field arguments? AnnotatedType[] of a name, as in table<string, integer>
---@field text? string of a literal
---@field types? AnnotatedType[] of a union
---@field of? AnnotatedType of a list, of what may be nil, and of the rest of results
---@field parameters? {name: string, isOptional: boolean, type?: AnnotatedType}[] of a function
---@field results? AnnotatedType[] of a function
---@field fields? {name: string, isOptional: boolean, type: AnnotatedType}[] of a table

local Parser = {}
Parser.__index = Parser

function Parser:fail(expected)
  error(("%s expected: %s"):format(expected, self.text:sub(self.at)), 0)
end

-- Takes what the pattern matches here, and the spaces after it; nil if it does not match.
function Parser:take(pattern)
  local found, after = self.text:match("^(" .. pattern .. ") *()", self.at)
  if found then self.at = after end
  return found
end

function Parser:expect(pattern)
  return self:take(pattern) or self:fail(pattern)
end

-- A list up to a closing bracket.
function Parser:list(closing, item)
  local items = {}
  while not self:take(closing) do
    if #items > 0 then self:expect(",") end
    items[#items + 1] = item(self)
  end
  return items
end

function Parser:parameter()
  local name = self:take("%.%.%.") or self:expect("[%a_][%w_]*")
  local isOptional = self:take("%?") ~= nil
  return {name = name, isOptional = isOptional, type = self:take(":") and self:type() or nil}
end

-- Any number of results are "..." or "...string".
function Parser:result()
  local isRest = self:take("%.%.%.") ~= nil
  if isRest and not self.text:find("^%.[%a(]", self.at - 1) then
    return {kind = "rest", of = {kind = "name", name = "any"}}
  end
  local type = self:type()
  return isRest and {kind = "rest", of = type} or type
end

-- Results in brackets, or separated by commas. Within a list commas separate its items.
function Parser:results(isOutermost)
  if self:take("%(") then
    return self:list("%)", self.result)
  end
  local results = {}
  repeat results[#results + 1] = self:result() until not (isOutermost and self:take(","))
  return results
end

function Parser:functionType()
  self:expect("%(")
  local isOutermost = self.depth == 0
  self.depth = self.depth + 1
  local parameters = self:list("%)", self.parameter)
  local results = self:take(":") and self:results(isOutermost) or {}
  self.depth = self.depth - 1
  return {kind = "function", parameters = parameters, results = results}
end

function Parser:tableField()
  local name = self:expect("[%a_][%w_]*")
  local isOptional = self:take("%?") ~= nil
  self:expect(":")
  return {name = name, isOptional = isOptional, type = self:type()}
end

function Parser:primary()
  if self:take("%(") then
    local type = self:type()
    self:expect("%)")
    return type
  elseif self:take("{") then
    return {kind = "table", fields = self:list("}", self.tableField)}
  elseif self:take("fun%f[(]") then
    return self:functionType()
  end
  local literal = self:take('"[^"]*"') or self:take("%d+")
  if literal then
    return {kind = "literal", text = literal}
  end
  local name = self:expect("[%a_][%w_.]*[%w_*]*")
  return {kind = "name", name = name, arguments = self:take("<") and self:list(">", self.type)}
end

-- A space ends a type: what follows it is the description, unless it is part of a list.
function Parser:postfix()
  local type = self:primary()
  while true do
    local isNext = self.text:sub(self.at - 1, self.at - 1) ~= " "
    if isNext and self:take("%[%]") then
      type = {kind = "list", of = type}
    elseif isNext and self:take("%?") then
      type = {kind = "optional", of = type}
    else
      return type
    end
  end
end

function Parser:type()
  local types = {self:postfix()}
  while self:take("|") do types[#types + 1] = self:postfix() end
  return #types == 1 and types[1] or {kind = "union", types = types}
end

--- Parses a type at the start of a text. Raises an error if there is none.
---@param text string
---@return AnnotatedType
---@return string description what follows it
return function(text)
  local parser = setmetatable({text = text, at = 1, depth = 0}, Parser)
  local type = parser:type()
  return type, text:sub(parser.at)
end
