-- Writes declarations for Teal, made from the annotations in the sources: a .d.tl file for each
-- public module. The types of all objects are in that of child_process. Run in the folder of the
-- project.
--
--   lua scripts/types/teal.lua FOLDER

package.path = arg[0]:match("^(.-)[^/]*$") .. "?.lua;" .. package.path

local parse = require("type")
local public = require("public")
local signatures = require("signatures")

local folder = arg[1]
local ROOT = "child_process"
local found = public.read()

-- The classes by name, and those that are only modules: no object is of such a class.
local classes, isModule = {}, {}
for _, type in ipairs(found.types) do classes[type.name] = type.class end
for module, class in pairs(found.modules) do isModule[class] = module == class end

-- Types ------------------------------------------------------------------------------------------

local ANY = {text = "any"}
local FUNCTION = {text = "function(...: any): any...", isFunction = true}

-- Those of Lua. Two tables, or two functions, in a union cannot be told apart.
local builtin = {
  any = ANY, boolean = {text = "boolean"}, integer = {text = "integer"}, number = {text = "number"},
  string = {text = "string"}, thread = {text = "thread"}, ["function"] = FUNCTION,
  table = {text = "{any: any}", isTable = true}, ["file*"] = {text = "FILE"},
}

local convert -- a type of an annotation within a class

local function textOf(type, class)
  return convert(type, class).text
end

local function recordName(name)
  return name:match("[^.]+$")
end

-- A function type goes on to the end of its results, which are a list. Within another list it
-- stands in brackets.
local function listItem(type, class)
  local converted = convert(type, class)
  return converted.isFunction and ("(%s)"):format(converted.text) or converted.text
end

local function parameterList(type, class)
  local list = {}
  for index, parameter in ipairs(type.parameters) do
    local mark = parameter.isOptional and parameter.name ~= "..." and "?" or ""
    list[index] = ("%s%s: %s"):format(parameter.name, mark, listItem(parameter.type, class))
  end
  return table.concat(list, ", ")
end

local converters = {}

function converters.name(type, class)
  local name = type.name
  if name == "self" then name = class end
  if classes[name] then
    local place = isModule[class] and class ~= ROOT and ROOT .. "." or ""
    return {text = (name == class and "" or place) .. recordName(name), isTable = true}
  elseif name == "table" and type.arguments then
    local key, value = textOf(type.arguments[1], class), textOf(type.arguments[2], class)
    return {text = ("{%s: %s}"):format(key, value), isTable = true}
  end
  return builtin[name] or ANY -- userdata, and type parameters
end

function converters.literal(type)
  return {text = type.text:find('^"') and "string" or "integer"}
end

function converters.list(type, class)
  return {text = ("{%s}"):format(textOf(type.of, class)), isTable = true}
end

-- Everything may be nil.
function converters.optional(type, class)
  return convert(type.of, class)
end

function converters.rest(type, class)
  return {text = textOf(type.of, class) .. "..."}
end

function converters.table()
  return {text = "{string: any}", isTable = true}
end

converters["function"] = function(type, class)
  local results = {}
  for index, result in ipairs(type.results) do results[index] = textOf(result, class) end
  local text = ("function(%s)"):format(parameterList(type, class))
  if #results > 0 then
    text = (#results == 1 and "%s: %s" or "%s: (%s)"):format(text, table.concat(results, ", "))
  end
  return {text = text, isFunction = true}
end

function converters.union(type, class)
  local texts, seen, tables, fn = {}, {}, 0, nil
  for _, part in ipairs(type.types) do
    local converted = convert(part, class)
    local text = converted.text
    if converted == ANY or fn and converted.isFunction then
      return ANY
    elseif converted.isFunction then
      fn = text
    elseif not seen[text] then
      seen[text], texts[#texts + 1] = true, text
      tables = tables + (converted.isTable and 1 or 0)
    end
  end
  texts[#texts + 1] = fn
  return tables < 2 and {text = table.concat(texts, " | "), isFunction = fn ~= nil} or ANY
end

function convert(type, class)
  return converters[type.kind](type, class)
end

-- Records ----------------------------------------------------------------------------------------

-- Words that mean something at the start of a field.
local RESERVED = {
  ["end"] = true, enum = true, interface = true, metamethod = true, record = true, type = true,
  userdata = true, where = true,
}

local function addField(lines, name, type, class)
  local key = RESERVED[name] and ('["%s"]'):format(name) or name
  lines[#lines + 1] = ("  %s: %s"):format(key, textOf(type, class))
end

-- Whether a function takes anything, so that overloads after it would never be looked at.
local function takesAnything(signature)
  local last = signature.parameters[#signature.parameters]
  return last ~= nil and last.name == "..." and last.type.name == "any"
end

local function addFunction(lines, name, fn, class)
  local list = signatures(fn)
  for index = takesAnything(list[1]) and #list > 1 and 2 or 1, #list do
    addField(lines, name, list[index], class)
  end
end

-- Adds the members of a class, and those of the classes from which it inherits, as members of
-- `owner`. Functions that stand there more than once are overloaded.
local function addMembers(lines, class, owner, seen)
  local own = {}
  local function isNew(name)
    own[name] = true
    return not seen[name]
  end
  for _, field in ipairs(class.fields) do
    local isRecord = owner == ROOT and classes[ROOT .. "." .. field.name]
      or owner == ROOT and classes[field.name]
    if isNew(field.name) and not isRecord then
      addField(lines, field.name, (parse(field.type)), owner)
    end
  end
  for _, fn in ipairs(class.functions) do
    if isNew(fn.name) then addFunction(lines, fn.name, fn, owner) end
  end
  for _, value in ipairs(class.values) do
    local original = value.expression:match("[%w_]+$")
    for _, fn in ipairs(class.functions) do
      if fn.name == original and isNew(value.name) then
        addFunction(lines, value.name, fn, owner)
      end
    end
  end
  for name in pairs(own) do seen[name] = true end
  if classes[class.parent] then addMembers(lines, classes[class.parent], owner, seen) end
end

-- A class that can be called makes an object.
local function addCall(lines, class)
  for _, line in ipairs(class.head) do
    local type = line:match("^%-%-%-@overload (.+)$")
    if type then
      local call = parse(type)
      table.insert(call.parameters, 1, {name = "self", type = {kind = "name", name = class.name}})
      lines[#lines + 1] = "  metamethod __call: " .. textOf(call, class.name)
    end
  end
end

-- The lines of a record, without the first and the last.
local function members(class)
  local lines = {}
  addCall(lines, class)
  addMembers(lines, class, class.name, {})
  return lines
end

-- Files ------------------------------------------------------------------------------------------

local function write(module, lines)
  local file = assert(io.open(("%s/%s.d.tl"):format(folder, (module:gsub("%.", "/"))), "w"))
  assert(file:write(table.concat(lines, "\n"), "\n"))
  file:close()
end

local function append(lines, more, indent)
  for _, line in ipairs(more) do lines[#lines + 1] = indent .. line end
end

local function root()
  local lines = {"local record " .. ROOT}
  for _, type in ipairs(found.types) do
    if type.class and not isModule[type.name] then
      lines[#lines + 1] = "  record " .. recordName(type.name)
      append(lines, members(type.class), "  ")
      lines[#lines + 1] = "  end"
    end
  end
  append(lines, members(classes[ROOT]), "")
  append(lines, {"end", "", "return " .. ROOT}, "")
  return lines
end

local function module(class)
  local name, lines = recordName(class.name), {}
  if isModule[class.name] then
    lines[1] = "local record " .. name
    append(lines, members(class), "")
    append(lines, {"end", "", "return " .. name}, "")
  else
    lines[1] = ("return %s.%s"):format(ROOT, name)
  end
  if table.concat(lines, "\n"):find(ROOT .. ".", 1, true) then
    table.insert(lines, 1, ("local %s = require(%q)\n"):format(ROOT, ROOT))
  end
  return lines
end

assert(os.execute("mkdir -p '" .. folder .. "/" .. ROOT .. "'"))
for name, class in pairs(found.modules) do
  write(name, name == ROOT and root() or module(classes[class]))
end
