-- Finds and reads the files that are checked.

local files = {}

--- The files below a folder whose names end in one of the given ways, in order.
---@param folder string
---@param endings string[] as "c" or "lua"
---@return string[]
function files.list(folder, endings)
  local names = {}
  for _, ending in ipairs(endings) do
    names[#names + 1] = ("-name '*.%s'"):format(ending)
  end
  local find = assert(io.popen(("LC_ALL=C find '%s' -type f '(' %s ')' | LC_ALL=C sort")
    :format(folder, table.concat(names, " -o "))))
  local found = {}
  for path in find:lines() do
    found[#found + 1] = path
  end
  find:close()
  return found
end

--- The text of a file.
---@param path string
---@return string
function files.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

return files
