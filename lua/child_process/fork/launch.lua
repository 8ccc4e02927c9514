-- The script that fork starts in a child: lua [flags] launch.lua VERSION CORE SIZE SCRIPT
-- [arguments]. CORE is the path of the C module, made for the Lua that has this VERSION; SIZE bytes
-- on the channel are compiled files, see fork.lua. Each child has to compile this file, so it only
-- loads the first of the others, start.lua.

collectgarbage("stop") -- nothing that a child makes at its start is garbage
if _VERSION ~= arg[1] then
  error(("process.execPath is %s, but this program and its modules are for %s: set "
    .. "options.execPath, and let the script require 'child_process'"):format(_VERSION, arg[1]), 0)
end
local folder = arg[0]:match("^(.*)/[^/]*/[^/]*$")
local core = package.loadlib(arg[2], "luaopen_child_process_core")("child_process.core", arg[2])
local files = core.receivePreamble(arg[3])
local length, at = (files or ""):match("^(%d+):()")
local start = length and (rawget(_G, "loadstring") or load)(files:sub(at, at + length - 1))
  or loadfile(folder .. "/fork/start.lua")
start(folder, core, files, at and at + length)
