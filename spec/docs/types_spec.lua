-- types/core.lua describes exactly what the C module has: its functions, fields and methods, and
-- the methods of owners that it calls.

local cp = require("child_process")
local lfs = require("lfs")
local support = require("spec.support")

local PATH = "types/core.lua"
local CORE = "child_process.core"

--- What a class of the file is called here: the module and its tables by their path with a dot at
--- the end, classes of userdata by their last name with a colon.
---@param class string
---@return string?
local function prefixOf(class)
  if class == CORE then
    return ""
  elseif class:sub(1, #CORE + 1) == CORE .. "." then
    return class:sub(#CORE + 2) .. "."
  end
  local name = class:match("^child_process%.(%w+)$")
  return name and name .. ":"
end

---@class Documented
---@field names table<string, integer> the line of "getenv", "child.start", "StreamHandle:read"
---@field callbacks table<string, integer> "onread": the line of the first
---@field functions {line: integer, name: string, comment: string[], arguments: string}[]

--- Reads types/core.lua.
---@return Documented
local function documented()
  local found = {names = {}, callbacks = {}, functions = {}}
  local class, comment, number = "", {}, 0
  local classes = {} -- by the name of the local variable
  local function note(name)
    assert.is_nil(found.names[name], name .. " stands there twice")
    found.names[name] = number
  end

  for line in io.lines(PATH) do
    number = number + 1
    class = line:match("^%-%-%-@class ([%w_.]+)") or class
    local field = line:match("^%-%-%-@field ([%w_]+)")
    local variable = line:match("^local (%w+) = {}")
    local path, inModule = line:match("^function core%.([%w_.]+)(%(.*%)) end$")
    local object, method, inMethod = line:match("^function (%w+):(%w+)(%(.*%)) end$")
    if field and (class:find("Owner$") or class == "ChildProcess") then
      found.callbacks[field] = found.callbacks[field] or number
    elseif field and not class:find("^child_process%.core%.%u") then
      note(prefixOf(class) .. field)
    elseif variable then
      classes[variable] = prefixOf(class)
    elseif path then
      note(path)
    elseif object then
      note(classes[object] .. method)
    end
    if path or object then
      found.functions[#found.functions + 1] = {
        line = number, name = (path or method):match("[^.]*$"), comment = comment,
        arguments = inModule or inMethod,
      }
    end
    if line:find("^%-%-%-") then comment[#comment + 1] = line else comment = {} end
  end
  return found
end

-- Prints what the module has in a process that nothing else was loaded into. Every class of
-- userdata is a key of the registry, whether or not there is an object of it.
local PROBE = [[
  local core = require("child_process.core")

  -- These are made when they are first used, and hold data.
  local data = {[core.signals] = true, [core.errno] = true}

  local function list(prefix, fields)
    for name, value in pairs(fields) do
      if type(value) == "table" and not data[value] then
        list(prefix .. name .. ".", value)
      else
        print(prefix .. name)
      end
    end
  end

  list("", core)
  for metatable, class in pairs(debug.getregistry()) do
    if type(metatable) == "table" and type(class) == "string" then
      local methods = rawget(metatable, "__index")
      if type(methods) == "table" then -- else they are in core.ChildProcess
        list(class:match("[^.]*$") .. ":", methods)
      end
    end
  end
]]

--- The same of the module, in a child with a message channel, for which it has fields.
---@return table<string, true>
local function existing()
  local child = cp.spawn(support.lua, {support.script(PROBE)}, {
    stdio = {"ignore", "pipe", "inherit", "ipc"},
  })
  local names = {}
  for name in support.output(child):gmatch("[^\n]+") do names[name] = true end
  assert.equal(0, child.exitCode)
  return names
end

--- The text of the binding's files.
---@return string
local function binding()
  local texts = {}
  for file in lfs.dir("src/binding") do
    if file:find("%.[ch]$") then texts[#texts + 1] = support.readFile("src/binding/" .. file) end
  end
  return table.concat(texts)
end

--- The methods of owners that C calls: all strings in the binding that are named like events.
---@return table<string, true>
local function called()
  local names = {}
  for name in binding():gmatch('"(on%l+)"') do names[name] = true end
  return names
end

--- The calls that comments in the binding describe, as "read(on)". Brackets around arguments that
--- may be left out are dropped.
---@return table<string, true>
local function described()
  local calls = {}
  for comment in binding():gmatch("/%*.-%*/") do
    local text = comment:gsub("\n%s*%*", ""):gsub("[][]", "")
    for call in text:gmatch("%f[%w_][%w_]+%b()") do calls[call] = true end
  end
  return calls
end

--- The names that are in the first table but not in the second, in order.
local function missing(names, others)
  local list = {}
  for name in pairs(names) do
    if not others[name] then list[#list + 1] = name end
  end
  table.sort(list)
  return list
end

describe("types/core.lua", function()
  local found = documented()

  it("describes all that the C module has, and nothing else", function()
    local names = existing()
    names.path = names.path or support.luaVersion == "5.1" -- whose `require` tells no path
    assert.same({}, missing(names, found.names))
    assert.same({}, missing(found.names, names))
  end)

  it("describes all methods of owners that C calls, and no others", function()
    local names = called()
    names.deliver = true
    names.once = nil -- a mode of core.run
    assert.same({}, missing(names, found.callbacks))
    assert.same({}, missing(found.callbacks, names))
  end)

  it("says of each function what it does, and what each argument is", function()
    for _, entry in ipairs(found.functions) do
      local text, arguments = table.concat(entry.comment, "\n"), {}
      assert.is_truthy(text:find("^%-%-%- ?%u"), ("%s:%d: no description"):format(PATH, entry.line))
      for name in text:gmatch("%-%-%-@param ([%w_.]+)") do arguments[#arguments + 1] = name end
      assert.equal(entry.arguments, "(" .. table.concat(arguments, ", ") .. ")",
        ("%s:%d"):format(PATH, entry.line))
    end
  end)

  it("names the arguments of each function as the comment in C does", function()
    local calls = described()
    for _, entry in ipairs(found.functions) do
      assert.is_true(calls[entry.name .. entry.arguments],
        ("%s:%d: %s%s"):format(PATH, entry.line, entry.name, entry.arguments))
    end
  end)

  it("is Lua", function()
    assert(loadfile(PATH))
  end)
end)
