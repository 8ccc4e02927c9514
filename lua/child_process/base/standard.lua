--- The libraries of Lua that this module needs. Files take them from here, so that a file which is
--- loaded late has them even if the program has removed them from _G. Loading this file fails, with
--- an error that names what is missing, where Lua lacks a part of them.

local rawget, type = rawget, type

local version = tonumber((_VERSION:gsub("%D", "")))

-- What the module cannot do without. The other functions fail only where they are called.
local NEEDED = {
  {"coroutine", "resume", "running", "status", "yield"},
  {"debug", "getinfo", "getmetatable", "setmetatable", "traceback"},
  {"io", "stderr", "stdout", "type"},
  {"math", "floor"},
  {"os", "time"},
  {"package", "loaded", "path", "cpath"},
  {"string", "find", "format", "gsub", "match"},
  {"table", "concat", "insert", "sort"},
}

local FUNCTIONS = {"getmetatable", "rawequal", "select", "setmetatable", "xpcall"}
if version >= 54 then
  FUNCTIONS[#FUNCTIONS + 1] = "load"
elseif version == 51 then
  FUNCTIONS[#FUNCTIONS + 1] = "newproxy"
end

---@class child_process.standard
---@field coroutine coroutinelib
---@field debug debuglib
---@field io iolib
---@field os oslib
---@field package packagelib
local standard = {}

local missing = {}

local function miss(name)
  missing[#missing + 1] = name
end

for _, library in ipairs(NEEDED) do
  local name = library[1]
  local found = rawget(_G, name)
  standard[name] = found
  if type(found) ~= "table" then
    miss(name)
  else
    for index = 2, #library do
      if found[library[index]] == nil then
        miss(name .. "." .. library[index])
      end
    end
  end
end

for _, name in ipairs(FUNCTIONS) do
  if rawget(_G, name) == nil then
    miss(name)
  end
end

-- Before Lua 5.2 `require` marks a module that it loads, and refuses it for ever if that fails.
-- Without the marks the program may add what is missing, and try again.
local function removeMarks()
  local loaded = standard.package and standard.package.loaded
    or standard.debug and standard.debug.getregistry()._LOADED
  for name, value in pairs(loaded or {}) do
    local isMark = type(value) == "userdata" or type(value) == "number"
    if isMark and type(name) == "string" and name:find("^child_process") then
      loaded[name] = nil
    end
  end
end

if missing[1] then
  removeMarks()
  local names = missing[1]
  for index = 2, #missing do
    names = names .. ", " .. missing[index]
  end
  error("child_process needs parts of Lua's standard library that this program has removed or not "
    .. "opened: " .. names, 0)
end

-- The linker's message for a C module that was built for another Lua names a function of C alone.
local function explain(problem)
  if type(problem) ~= "string" or not problem:find("symbol", 1, true) then
    return problem
  end
  local jit = rawget(_G, "jit")
  return ("%s\n\tIt was built for another Lua. This is %s: build the module for it with "
    .. "make install LUA=%s"):format(problem, type(jit) == "table" and jit.version or _VERSION,
    jit and "luajit" or (_VERSION:lower():gsub(" ", "")))
end

local ok, problem = pcall(require, "child_process.core")
if not ok then
  removeMarks()
  error(explain(problem), 0)
end

return standard
