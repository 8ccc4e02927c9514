-- What fork starts in a child: runs the script with `process` as a global, and then the loop.
--
--   lua [flags] launch.lua CORE SIZE SCRIPT [arguments]
--
-- CORE is the path of the C module; the Lua files are found beside this one. SIZE bytes on the
-- channel are some of them, compiled, see fork.lua.

-- Nothing of what is made here will be garbage.
collectgarbage("stop")

local FOLDER = arg[0]:match("^(.*)/[^/]*$")
local CORE, SIZE, SCRIPT = arg[1], math.tointeger(arg[2]), arg[3]

-- `arg` as the script would have it without us.
local count = #arg
table.move(arg, 3, count, 0)
for index = count - 2, count do
  rawset(arg, index, nil)
end

-- Our own modules, and no others, come from where the parent's come from.
local loadOwn = loadfile
table.insert(package.searchers, 2, function(name)
  if name == "child_process.core" then
    return package.loadlib(CORE, "luaopen_child_process_core"), CORE
  elseif name == "child_process" or name:find("^child_process%.") then
    local path = FOLDER .. name:sub(#"child_process" + 1):gsub("%.", "/") .. ".lua"
    return loadOwn(path), path
  end
end)
package.loaded["child_process.files"] = {folder = FOLDER, core = CORE}

local core = require("child_process.core")
loadOwn = core.loadFile -- which needs no free descriptor
local compiled, at = core.receivePreamble(SIZE), 1
while compiled and at <= SIZE do
  local name, code
  name, code, at = ("s4s4"):unpack(compiled, at)
  package.preload[name] = load(code, name, "b")
end

_G.process = require("child_process.process")
local script = require("child_process.script")
collectgarbage("restart")
script.run(SCRIPT)
