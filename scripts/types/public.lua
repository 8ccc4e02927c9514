-- Chooses what of the annotations is for users: the public modules, and the classes and aliases
-- that these mention, without private fields and functions.

local annotations = require("annotations")

---@class PublicType
---@field name string
---@field alias? AnnotatedAlias
---@field class? AnnotatedClass its lists have only what is public
---@field module string the public module in whose file it belongs

---@class Public
---@field types PublicType[]
---@field modules table<string, string> the class that a public module returns

local public = {}

local ROOT = "child_process"

local function isHidden(name)
  return name:find("^_") ~= nil and name ~= "_VERSION"
end

-- Methods whose names begin with "on" are called by the C module.
local function isForUsers(fn)
  local isCallback = fn.name:find("^on%l+$") and fn.name ~= "once"
  return #fn.comment > 0 and not isHidden(fn.name) and not isCallback
end

-- A value of a class with a type is a field. Others are other names of functions, or stand among
-- the fields, too.
local function sortValue(class, value)
  local type = table.concat(value.comment, "\n"):match("%-%-%-@type (.+)$")
  if isHidden(value.name) then
    return
  elseif not type then
    if value.expression:find("^[%w_]+%.[%w_]+$") then table.insert(class.values, value) end
    return
  end
  local comment = {}
  for _, line in ipairs(value.comment) do
    comment[#comment + 1] = line:gsub("^%-%-%-@type ", "---@field " .. value.name .. " ")
  end
  table.insert(class.fields, {
    name = value.name, isOptional = false, type = type, comment = comment, place = value.place,
  })
end

-- The lines that declare a class, which several files may do, once.
local function headOf(class)
  local declaration, head = nil, {}
  for _, line in ipairs(class.head) do
    local isDeclaration = line:find("^%-%-%-@class ") ~= nil
    if not isDeclaration then
      head[#head + 1] = line
    elseif not declaration then
      declaration = #head + 1
      head[declaration] = line
    elseif line:find(" : ", 1, true) then
      head[declaration] = line
    end
  end
  return head
end

local function withoutPrivate(original)
  local class = {
    name = original.name, parent = original.parent, module = original.module,
    head = headOf(original), fields = {}, functions = {}, values = {},
  }
  for _, field in ipairs(original.fields) do
    if not field.scope and not isHidden(field.name) then table.insert(class.fields, field) end
  end
  for _, fn in ipairs(original.functions) do
    if isForUsers(fn) then table.insert(class.functions, fn) end
  end
  for _, value in ipairs(original.values) do sortValue(class, value) end
  return class
end

-- Calls the function with each word of annotations that may be the name of a type.
local function eachWord(class, visit)
  local function visitAll(lines)
    for _, line in ipairs(lines) do
      if line:find("^%-%-%-@") then
        for word in line:gmatch("[%a_][%w_.]*") do visit(word) end
      end
    end
  end
  visitAll(class.head)
  for _, list in ipairs({class.fields, class.functions}) do
    for _, entry in ipairs(list) do visitAll(entry.comment) end
  end
end

-- Marks a type, and those that it mentions.
local function mark(found, classes, marked, name)
  local class, alias = found.classes[name], found.aliases[name]
  if marked[name] or not (class or alias) then
    return
  end
  marked[name] = true
  classes[name] = class and withoutPrivate(class)
  eachWord(classes[name] or {head = alias.comment, fields = {}, functions = {}}, function(word)
    mark(found, classes, marked, word)
  end)
end

local function modulesOf(found)
  local modules = {}
  for module, class in pairs(found.returned) do
    if module == ROOT or module:find("^" .. ROOT .. "%.%w+$") then modules[module] = class end
  end
  return modules
end

--- Reads the annotations, and chooses.
---@return Public
function public.read()
  local found = annotations.read()
  local modules, classes, marked, types = modulesOf(found), {}, {}, {}
  for _, class in pairs(modules) do mark(found, classes, marked, class) end
  for _, type in ipairs(found.list) do
    local name = type.name
    if marked[name] then
      local room = type.module:match("^" .. ROOT .. "%.%w+")
      table.insert(types, {
        name = name, class = classes[name], alias = found.aliases[name],
        module = modules[room] and room or ROOT,
      })
    end
  end
  return {types = types, modules = modules}
end

return public
