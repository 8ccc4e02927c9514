--- Prepares a child that fork has started, runs the script with `process` as a global, and then the
--- loop. launch.lua calls this file with the folder of our files, the C module, and the other
--- compiled files with the position of the first; or nil if no files have arrived.

local folder, core, files, at = ...

local corePath, script = arg[2], arg[4]
package.loaded["child_process.core"] = core
core.locate = {folder = folder, core = corePath}
package.loaded["child_process.base.locate"] = core.locate

-- Moves the entries of `arg` to where the script expects them.
local count = #arg
for index = 4, count + 4 do
  rawset(arg, index - 4, arg[index])
end

-- Our own modules, and no others, are loaded from the parent's folder.
table.insert(package.searchers or package.loaders, 2, function(name)
  if name == "child_process.core" then
    return package.loadlib(corePath, "luaopen_child_process_core"), corePath
  elseif name == "child_process" or name:find("^child_process%.") then
    local path = folder .. name:sub(#"child_process" + 1):gsub("%.", "/") .. ".lua"
    return core.loadFile(path), path -- which needs no free descriptor
  end
end)

local load = rawget(_G, "loadstring") or load

local function nextText()
  local length, start = files:match("^(%d+):()", at)
  at = start + length
  return files:sub(start, at - 1)
end

while files and at <= #files do
  local name = nextText()
  if name == "" then
    core.locate.source = nextText() -- of the script
  else
    package.preload[name] = load(nextText(), name)
  end
end

_G.process = require("child_process.process")
local run = require("child_process.fork.script").run
collectgarbage("restart")
run(script)
