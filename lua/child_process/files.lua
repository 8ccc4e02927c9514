--- Where our own files are, whatever becomes of package.path, package.cpath and the working
--- directory.
-- A program may change all of these, and a child need not inherit them, but parts of ours are
-- loaded as late as with the first error. launch.lua has a table in the place of this one.
local core = require("child_process.core")

---@class child_process.files
---@field folder? string absolute, of the files of child_process/; nil where there are none
---@field core? string absolute path of the C module; nil where it is linked into the program
local files = {}

local function absolute(path)
  if path:sub(1, 1) == "/" then
    return path
  end
  local cwd = core.cwd()
  return cwd and cwd .. "/" .. path
end

-- `found` is what `require` has told a module about where it comes from. That is no path where a
-- bundler has changed how modules are found.
local function locate(name, found, path)
  if type(found) ~= "string" or not found:find("/", 1, true) then
    found = package.searchpath(name, path)
  end
  return found and absolute(found)
end

local own = locate("child_process.files", select(2, ...), package.path)
files.folder = own and own:match("^(.*)/[^/]*$")
files.core = locate("child_process.core", core.path, package.cpath)

-- Comes last: what is found in another way, comes from there.
if files.folder then
  table.insert(package.searchers, function(name)
    local part = name:match("^child_process%.([%w_]+)$")
    if not part then
      return nil
    end
    local path = ("%s/%s.lua"):format(files.folder, part)
    local chunk, problem = core.loadFile(path)
    return chunk or problem, path
  end)
end

return files
