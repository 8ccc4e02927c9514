--- The traceback of Lua 5.1 and LuaJIT from a level on. `debug.traceback` counts lines from the top
--- of the stack, and shows only the last ones if the level is below the twelfth.

local debug = require("child_process.base.standard").debug

local getinfo = debug.getinfo

-- How many lines a long traceback has at its start and at its end.
local FIRST, LAST = 12, 10

-- A line of a traceback.
local function levelText(info)
  local place = info.short_src .. ":" .. (info.currentline > 0 and info.currentline .. ":" or "")
  if info.namewhat ~= "" then
    return ("\n\t%s in function '%s'"):format(place, info.name)
  elseif info.what == "Lua" then
    return ("\n\t%s in function <%s:%d>"):format(place, info.short_src, info.linedefined)
  end
  return ("\n\t%s %s"):format(place, info.what == "main" and "in main chunk" or "?")
end

-- Returns the last level of the caller's stack.
local function lastLevel(level)
  local above = level + 1
  while getinfo(above + 1, "l") do
    level, above = above, 2 * above
  end
  while above - level > 1 do
    local middle = math.floor((level + above) / 2)
    if getinfo(middle + 1, "l") then
      level = middle
    else
      above = middle
    end
  end
  return level
end

--- Returns the traceback from `level` on, which is 1 for the caller.
---@param level integer
---@return string
local function traceback(level)
  level = level + 1
  local last = lastLevel(level)
  while level < last and getinfo(level, "S").what == "tail" do -- "(tail call): ?" has no place
    level = level + 1
  end
  local lines = {"stack traceback:"}
  while level <= last do
    if #lines == FIRST + 1 and last - level >= LAST then
      lines[#lines + 1] = "\n\t..."
      level = last - LAST + 1
    end
    lines[#lines + 1] = levelText(getinfo(level, "nSl"))
    level = level + 1
  end
  return table.concat(lines)
end

return traceback
