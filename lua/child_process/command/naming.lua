--- The text of a command, for its result.

local options = require("child_process.command.options")
local quote = require("child_process.command.quote")

---@class child_process.command.naming
local naming = {}

local function words(file, spawnargs)
  local list = {file}
  for index = 2, #spawnargs do
    list[index] = spawnargs[index]
  end
  return list
end

--- Sets `command`, `escapedCommand` and `isShell` in a table.
---@param fields table
---@param file string
---@param spawnargs string[] what the program gets, with argv[0]
---@param isShell boolean
function naming.set(fields, file, spawnargs, isShell)
  fields.file, fields.isShell = file, isShell
  if isShell then
    fields.command, fields.escapedCommand = spawnargs[3], spawnargs[3]
  else
    local list = words(file, spawnargs)
    fields.command, fields.escapedCommand = table.concat(list, " "), quote.commandLine(list)
  end
end

--- Sets the same for a command that was not started, from arguments that nobody has checked.
---@param fields table
---@param file any
---@param args any
function naming.setUnstarted(fields, file, args)
  local list = {tostring(file)}
  for index = 1, type(args) == "table" and #args or 0 do
    list[index + 1] = tostring(args[index])
  end
  naming.set(fields, list[1], list, false)
end

--- Sets `cwd`, whether that is another directory than ours, and `host`.
---@param fields table
---@param cwd any options.cwd
---@param host? Host options.host
function naming.setPlace(fields, cwd, host)
  if options.given(host) then
    fields.host, fields.cwd = host, type(cwd) == "string" and cwd or nil
    fields.isElsewhere = fields.cwd ~= nil
    return
  end
  local process = require("child_process.process")
  local ok, ours = pcall(process.cwd, process) -- it may have been removed
  ours = ok and ours or nil
  if type(cwd) ~= "string" or cwd == ours then
    fields.cwd = ours
    return
  end
  fields.isElsewhere = true
  fields.cwd = (cwd:sub(1, 1) == "/" or not ours) and cwd or ours .. "/" .. cwd
end

return naming
