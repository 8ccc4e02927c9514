-- Reads what the C files of a tree include.

local files = require("files")
local problems = require("problems")

local includes = {}

--- The name of a file from the tree's folder on. A .c file and its header share one.
---@param path string
---@return string
function includes.name(path)
  return (path:gsub("%.[ch]$", ""))
end

-- Whether a list has a header, or all headers of its folder: "linux/*".
local function has(list, header)
  local words = " " .. list .. " "
  local folder = header:match("^.*/")
  return words:find(" " .. header .. " ", 1, true) ~= nil
    or folder ~= nil and words:find(" " .. folder .. "* ", 1, true) ~= nil
end

local function isInRoom(name, rooms)
  for room in rooms:gmatch("%S+") do
    if name:sub(1, #room) == room then
      return true
    end
  end
  return false
end

local function checkReserved(tree, file, line, header)
  for _, rule in ipairs(tree.reserved) do
    if has(rule.headers, header) and not isInRoom(file.name, rule.rooms) then
      problems.add(file.path, line, "only %s may include <%s>: %s", rule.rooms, header, rule.reason)
    end
  end
end

--- Returns an arrow for each file of the tree that a file includes.
---@param tree Tree
---@param file {path: string, name: string}
---@param names table<string, string> all files of the tree
---@return Arrow[]
function includes.read(tree, file, names)
  local arrows = {}
  local line = 0
  for text in files.read(file.path):gmatch("([^\n]*)\n") do
    line = line + 1
    local own = text:match('^%s*#%s*include%s*"(.-)"')
    local header = text:match("^%s*#%s*include%s*<(.-)>")
    if own and names[includes.name(own)] then
      arrows[#arrows + 1] = {to = includes.name(own), line = line}
    elseif own then
      problems.add(file.path, line, 'there is no %s/%s: #include "..." starts at %s/', tree.folder,
        own, tree.folder)
    elseif header then
      checkReserved(tree, file, line, header)
    end
  end
  return arrows
end

return includes
