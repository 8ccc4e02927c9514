--- Finds our own files, some of which are loaded late, even after a program has changed
--- package.path, package.cpath or its directory. Forked children have fork/start.lua for that.

local compat = require("child_process.base.compat")
local core = require("child_process.core")
local package = require("child_process.base.standard").package

-- A program that reloads the Lua modules keeps the searcher that it has.
if core.locate then
  return core.locate
end

---@class child_process.locate
---@field folder? string absolute, of the files of child_process/; nil if they were not found
---@field core? string absolute path of the C module; nil where it is linked into the program
local locate = {}

local function absolute(path)
  if path:sub(1, 1) == "/" then
    return path
  end
  local cwd = core.cwd()
  return cwd and cwd .. "/" .. path
end

-- `found` is the second argument that a module gets from `require`: the file where it was found. It
-- is not a path if a bundler has changed how modules are found.
local function find(name, found, path)
  if type(found) ~= "string" or not found:find("/", 1, true) then
    found = compat.searchPath(name, path)
  end
  return found and absolute(found)
end

local own = find("child_process.base.locate", select(2, ...), package.path)
locate.folder = own and own:match("^(.*)/[^/]*/[^/]*$")
locate.core = find("child_process.core", core.path, package.cpath)

-- The searcher stands after that of package.preload, and before those of package.path and
-- package.cpath, whose relative entries lead to other files after a change of directory.
if locate.folder then
  table.insert(compat.searchers, 2, function(name)
    if name == "child_process.core" and locate.core then
      return package.loadlib(locate.core, "luaopen_child_process_core"), locate.core
    end
    local part = name == "child_process" and "" or name:match("^child_process(%.[%w_.]+)$")
    if not part then
      return nil
    end
    local path = locate.folder .. part:gsub("%.", "/") .. ".lua"
    local chunk, problem = core.loadFile(path)
    return chunk or problem, path
  end)
end

core.locate = locate -- last, since loading may run out of memory before
return locate
