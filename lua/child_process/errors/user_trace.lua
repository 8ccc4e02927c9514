--- Tracebacks that start with the user's lines. The lines above them, of this module and of the C
--- functions that it calls, do not show where the user's mistake is.

local compat = require("child_process.base.compat")
local standard = require("child_process.base.standard")

local debug, package = standard.debug, standard.package

---@class child_process.user_trace
local trace = {}

-- The folder child_process/, with which the sources of all files that are loaded late start. A
-- program that loads the modules again may have removed them from package.loaded.
local FOLDER = debug.getinfo(1, "S").source:match("^@(.*/)errors/[^/]*$") or "\0"

-- Whether a file is ours. Tracebacks may show only the end of a long name.
local function isOurs(file)
  local part = file:match("child_process/([%w_/]+)%.lua$")
  return part ~= nil and package.loaded["child_process." .. part:gsub("/", ".")] ~= nil
    or file:find("^child_process%.lua$") ~= nil or file:find("/child_process%.lua$") ~= nil
    or file:find(FOLDER, 1, true) ~= nil
end

-- The position of a user's line in a traceback, "script.lua:3:"; nil for all other lines.
-- "?" is code without debug information, which is ours in children.
local function userPosition(line)
  local file, number = line:match("^\t(.-):(%d+): in ")
  if not file or file == "?" or isOurs(file) then
    return nil
  end
  return ("%s:%s:"):format(file, number)
end

--- Removes the lines above the user's first one from a traceback. One without a user's line stays
--- as it is.
---@param text string
---@return string traceback
---@return string? position of the user's first line, in the form that `error` uses: "script.lua:3:"
function trace.trim(text)
  local head, at = nil, 1
  while at <= #text do
    local stop = text:find("\n", at, true) or #text + 1
    local line = text:sub(at, stop - 1)
    local position = userPosition(line)
    if position then
      return head .. "\n" .. text:sub(at), position
    elseif line:sub(1, 1) ~= "\t" then
      head = line -- "stack traceback:", "awaited in:"
    end
    at = stop + 1
  end
  return text
end

-- Whether a level of the stack is not the user's. "tail" is one that Lua 5.1 has for a tail call.
local function isHidden(info)
  return info.what == "C" or info.what == "tail" or info.source == "=?" or isOurs(info.source)
end

--- Returns the traceback of the running function, from the user's first line on; all of it if there
--- is no such line.
---@return string
function trace.here()
  local level = 2
  local info = debug.getinfo(level, "S")
  while info and isHidden(info) do
    level = level + 1
    info = debug.getinfo(level, "S")
  end
  return (compat.traceback(info and level or 2))
end

return trace
