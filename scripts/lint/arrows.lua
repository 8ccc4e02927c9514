-- Checks in which direction the files know each other: none includes or loads a file of a room
-- above its own, and none does so in a circle.
--
--   lua scripts/lint/arrows.lua [RULES]
--
-- RULES is a file like rooms.lua, which is the default. Its folders are looked for in the current
-- one.

package.path = arg[0]:match("^(.-)[^/]*$") .. "?.lua;" .. package.path

local files = require("files")
local graph = require("graph")
local includes = require("includes")
local problems = require("problems")
local requires = require("requires")

---@class Tree the rules for one language, see rooms.lua
---@field folder string
---@field language "c"|"lua"
---@field rooms string[]
---@field exceptions {from: string, to: string, reason: string}[]
---@field outside? table<string, string> names that no file of the tree has
---@field reserved? {headers: string, rooms: string, reason: string}[]
---@field root? string
---@field loaders? string[]

---@class Arrow
---@field from string
---@field to string
---@field path string the file in which it stands
---@field line integer
---@field isLate boolean? whether the file is loaded without it

local LANGUAGES = {
  c = {reader = includes, endings = {"c", "h"}},
  lua = {reader = requires, endings = {"lua"}},
}

-- The arrows of a tree, and its files.
local function readTree(tree)
  local language = LANGUAGES[tree.language]
  local names, found, arrows = {}, {}, {}
  for name, path in pairs(tree.outside or {}) do
    names[name] = path
  end
  for _, path in ipairs(files.list(tree.folder, language.endings)) do
    local name = language.reader.name(path:sub(#tree.folder + 2))
    names[name] = path
    found[#found + 1] = {path = path, name = name}
  end
  for _, file in ipairs(found) do
    for _, arrow in ipairs(language.reader.read(tree, file, names)) do
      if arrow.to ~= file.name then
        arrow.from, arrow.path = file.name, file.path
        arrows[#arrows + 1] = arrow
      end
    end
  end
  return arrows, found
end

-- Rooms -----------------------------------------------------------------------------------------

-- Whether a file is in a room: "net/" holds a folder; "net" a file, and the folder of this name,
-- except for the root, whose folder has rooms of its own.
local function isIn(tree, room, name)
  if name:sub(1, #room) ~= room then
    return false
  end
  return room:sub(-1) == "/" or name == room or name:sub(#room + 1, #room + 1) == "/"
    and room ~= tree.root
end

-- The innermost room of a file, and how far down it is.
local function roomOf(tree, name)
  local best, level = "", nil
  for depth, rooms in ipairs(tree.rooms) do
    for room in rooms:gmatch("%S+") do
      if isIn(tree, room, name) and #room > #best then
        best, level = room, depth
      end
    end
  end
  return best, level
end

local function checkRooms(tree, found)
  for _, file in ipairs(found) do
    if not select(2, roomOf(tree, file.name)) then
      problems.add(file.path, 1, "is in no room of the rules")
    end
  end
end

-- What is wrong with the direction of an arrow; nil if it points downwards.
local function mistake(tree, arrow)
  local room, level = roomOf(tree, arrow.from)
  local other, otherLevel = roomOf(tree, arrow.to)
  if not level or not otherLevel or level < otherLevel or room == other then
    return nil
  end
  local relation = level == otherLevel and "beside" or "above"
  return ("%s must not know %s: %s is %s %s"):format(arrow.from, arrow.to, other, relation, room)
end

-- Exceptions ------------------------------------------------------------------------------------

local function isAbout(exception, arrow)
  return exception.from == arrow.from and exception.to == arrow.to
end

local function isExcused(tree, arrow)
  for _, exception in ipairs(tree.exceptions) do
    if isAbout(exception, arrow) then
      return true
    end
  end
  return false
end

-- An exception that excuses nothing, or excuses what is loaded with its file, is a mistake itself.
local function checkException(tree, exception, arrows, downwards, rulesPath)
  local isNeeded = false
  for _, arrow in ipairs(arrows) do
    if isAbout(exception, arrow) then
      isNeeded = mistake(tree, arrow) ~= nil or graph.path(downwards, arrow.to, arrow.from) ~= nil
      if not arrow.isLate then
        problems.add(arrow.path, arrow.line, "only what is loaded late can be an exception")
      end
    end
  end
  if not isNeeded then
    problems.add(rulesPath, 1, "the exception for %s and %s is not needed any more", exception.from,
      exception.to)
  end
end

-- Circles ---------------------------------------------------------------------------------------

local function checkCircles(arrows)
  for _, circle in ipairs(graph.circles(arrows)) do
    local first = circle[1]
    local names = {first.from}
    for _, arrow in ipairs(circle) do
      names[#names + 1] = ("%s (%s:%d)"):format(arrow.to, arrow.path, arrow.line)
    end
    problems.add(first.path, first.line, "a circle: %s", table.concat(names, " -> "))
  end
end

local function checkTree(tree, rulesPath)
  local arrows, found = readTree(tree)
  checkRooms(tree, found)
  local downwards = {}
  for _, arrow in ipairs(arrows) do
    local message = mistake(tree, arrow)
    if not message and not isExcused(tree, arrow) then
      downwards[#downwards + 1] = arrow
    elseif not isExcused(tree, arrow) then
      problems.add(arrow.path, arrow.line, "%s", message)
    end
  end
  checkCircles(downwards)
  for _, exception in ipairs(tree.exceptions) do
    checkException(tree, exception, arrows, downwards, rulesPath)
  end
end

local rulesPath = arg[1] or arg[0]:match("^(.-)[^/]*$") .. "rooms.lua"
for _, tree in ipairs(dofile(rulesPath)) do
  checkTree(tree, rulesPath)
end
problems.finish()
