-- Reads the annotations (LuaCATS) of the Lua sources as editors do: classes with their fields and
-- functions, and aliases.

local FOLDER = "lua/"

---@class AnnotatedField
---@field name string
---@field scope? string "private", "protected" or "package"
---@field isOptional boolean
---@field type string with the description after it
---@field comment string[] its lines, and those that describe it
---@field place string "lua/child_process.lua:42"

---@class AnnotatedFunction
---@field name string
---@field separator "."|":"
---@field parameters string[] without self
---@field comment string[]
---@field place string

---@class AnnotatedValue
---@field name string
---@field expression string what is assigned
---@field comment string[]
---@field place string

---@class AnnotatedClass
---@field name string
---@field parent? string
---@field module string that declares it first
---@field head string[] the lines that declare and describe it
---@field fields AnnotatedField[]
---@field functions AnnotatedFunction[]
---@field values AnnotatedValue[]

---@class AnnotatedAlias
---@field name string
---@field module string
---@field comment string[]

---@class Annotations
---@field list (AnnotatedClass|AnnotatedAlias)[] in the order of the files
---@field classes table<string, AnnotatedClass>
---@field aliases table<string, AnnotatedAlias>
---@field returned table<string, string> the class that a module returns

local annotations = {}

local SCOPES = {private = true, protected = true, package = true}

-- One file while it is read. The comment is that of the next line of code.
local File = {}
File.__index = File

function File:classNamed(name)
  local classes = self.found.classes
  classes[name] = classes[name] or {
    name = name, head = {}, fields = {}, functions = {}, values = {},
  }
  return classes[name]
end

-- Parses what follows "---@field ".
local function newField(words)
  local scope, rest = words:match("^(%l+) ([%w_]+%?? .+)$")
  if not SCOPES[scope] then scope, rest = nil, words end
  local name, mark, type = rest:match("^([%w_]+)(%??) (.+)$")
  return name and {name = name, scope = scope, isOptional = mark == "?", type = type}
end

-- A line that begins right after the dashes goes on with the line before it. Editors want the whole
-- of an annotation in one line.
function File:commentAt(line)
  local comment = self.comment
  local rest = line:match("^%-%-%-([^%s@|-].*)$")
  if rest and #comment > 0 then
    comment[#comment] = comment[#comment] .. " " .. rest
  else
    comment[#comment + 1] = line
  end
end

-- Adds the lines of a comment that declares a class. Lines without a tag describe the field after
-- them.
function File:addDeclaration(class)
  local described, isDeclared = {}, false
  for _, line in ipairs(self.comment) do
    local words = line:match("^%-%-%-@field (.+)$")
    if words then
      local field = newField(words)
      if field then -- other keys than names are not of interest
        table.insert(described, line)
        field.comment, field.place, described = described, self.place, {}
        table.insert(class.fields, field)
      end
    elseif line:find("^%-%-%-@") or not isDeclared then
      isDeclared = isDeclared or line:find("^%-%-%-@class") ~= nil
      class.parent = class.parent or line:match("^%-%-%-@class [%w_.]+ : ([%w_.]+)")
      table.insert(class.head, line)
    else
      table.insert(described, line)
    end
  end
end

function File:declare(name, line)
  local class = self:classNamed(name)
  if not class.module then
    class.module = self.module
    table.insert(self.found.list, class)
  end
  self:addDeclaration(class)
  local variable = line:match("^local ([%w_]+)")
  if variable then self.locals[variable] = class end
end

function File:declareAlias(name)
  local alias = {name = name, module = self.module, comment = self.comment}
  self.found.aliases[name] = alias
  table.insert(self.found.list, alias)
end

function File:functionAt(line)
  local object, separator, name, list = line:match("^function ([%w_]+)([.:])([%w_]+)(%b())")
  local class = self.locals[object]
  if class then
    local parameters = {}
    for parameter in list:gmatch("[%w_.]+") do parameters[#parameters + 1] = parameter end
    table.insert(class.functions, {
      name = name, separator = separator, parameters = parameters, comment = self.comment,
      place = self.place,
    })
  end
end

function File:valueAt(line)
  local object, name, expression = line:match("^([%w_]+)%.([%w_]+) = (.*)$")
  local class = self.locals[object]
  if class then
    table.insert(class.values, {
      name = name, expression = expression, comment = self.comment, place = self.place,
    })
  end
end

-- Notes which class a local variable holds, and which one the module returns.
function File:follow(line)
  local variable, module = line:match('^local ([%w_]+) = require%("([%w_.]+)"%)$')
  local object, type = line:match("^local ([%w_]+) = .* %-%-%-@type ([%w_.]+)$")
  local returned = line:match("^return ([%w_]+)$") or line:match("^return [%w_]+%(([%w_]+),")
  local loaded = self.found.returned[module]
  if loaded then
    self.locals[variable] = self:classNamed(loaded)
  elseif object then
    self.locals[object] = self.found.classes[type]
  elseif self.locals[returned] then
    self.found.returned[self.module] = self.locals[returned].name
  end
end

function File:codeAt(line)
  local text = table.concat(self.comment, "\n") .. "\n"
  local class, alias = text:match("%-%-%-@class ([%w_.]+)"), text:match("%-%-%-@alias ([%w_.]+)")
  if class then
    self:declare(class, line)
  elseif alias then
    self:declareAlias(alias)
  end
  self:follow(line)
  self:functionAt(line)
  self:valueAt(line)
  self.comment = {}
end

local function read(path, found)
  local module = path:sub(#FOLDER + 1, -5):gsub("/", ".")
  local file = setmetatable({found = found, module = module, locals = {}, comment = {}}, File)
  local number = 0
  for line in io.lines(path) do
    number = number + 1
    file.place = ("%s:%d"):format(path, number)
    if line:find("^%-%-%-") then
      file:commentAt(line)
    else
      file:codeAt(line)
    end
  end
  file:codeAt("")
end

local function sources()
  local pipe = assert(io.popen("find " .. FOLDER .. " -name '*.lua' | LC_ALL=C sort"))
  local paths = {}
  for path in pipe:lines() do paths[#paths + 1] = path end
  pipe:close()
  return paths
end

--- Reads all sources below lua/.
---@return Annotations
function annotations.read()
  local paths, found = sources(), {returned = {}}
  for _ = 1, 2 do -- a file may come before one that makes the class to which it adds functions
    found.list, found.classes, found.aliases = {}, {}, {}
    for _, path in ipairs(paths) do read(path, found) end
  end
  return found
end

return annotations
