-- Writes an addon for the Lua language server (LuaLS): definitions of the public modules, made from
-- the annotations in the sources. Run in the folder of the project.
--
--   lua scripts/types/addon.lua FOLDER

package.path = arg[0]:match("^(.-)[^/]*$") .. "?.lua;" .. package.path

local public = require("public")

local folder = arg[1]

-- The editor proposes the addon for files with one of these patterns.
local CONFIG = [[
{
  "name": "child_process",
  "words": ["require[%s%(\"']+child_process"]
}
]]

local function write(path, lines)
  local file = assert(io.open(folder .. "/" .. path, "w"))
  assert(file:write(table.concat(lines, "\n"), "\n"))
  file:close()
end

local function append(lines, more)
  for _, line in ipairs(more) do lines[#lines + 1] = line end
end

local function variableOf(class)
  return class.name:match("[^.]+$")
end

local function addFunctions(lines, class, variable)
  for _, fn in ipairs(class.functions) do
    append(lines, fn.comment)
    lines[#lines + 1] = ("function %s%s%s(%s) end\n"):format(
      variable, fn.separator, fn.name, table.concat(fn.parameters, ", "))
  end
  for _, value in ipairs(class.values) do
    append(lines, value.comment)
    lines[#lines + 1] = ("%s.%s = %s.%s\n"):format(
      variable, value.name, variable, value.expression:match("[%w_]+$"))
  end
end

-- Adds a class. It needs a variable if it has functions or is a module.
local function addClass(lines, class, isModule)
  append(lines, class.head)
  for _, field in ipairs(class.fields) do append(lines, field.comment) end
  if isModule or #class.functions > 0 then
    local variable = variableOf(class)
    lines[#lines + 1] = ("local %s = {}\n"):format(variable)
    addFunctions(lines, class, variable)
  else
    lines[#lines + 1] = ""
  end
end

-- The definitions that belong to a module.
local function definitions(found, module)
  local lines = {"---@meta " .. module, ""}
  for _, type in ipairs(found.types) do
    if type.module == module then
      if type.class then
        addClass(lines, type.class, type.name == found.modules[module])
      else
        append(lines, type.alias.comment)
        lines[#lines + 1] = ""
      end
    end
  end
  lines[#lines + 1] = ("return %s"):format(found.modules[module]:match("[^.]+$"))
  return lines
end

assert(os.execute("mkdir -p '" .. folder .. "/library/child_process'"))
write("config.json", {(CONFIG:gsub("\n$", ""))})
local found = public.read()
for module in pairs(found.modules) do
  write("library/" .. module:gsub("%.", "/") .. ".lua", definitions(found, module))
end
