-- Copies of the module, as other hosts have them.

local cp = require("child_process")
local locate = require("child_process.base.locate")
local support = require("spec.support")

local installation = {}

---@class Installation
---@field folder string in which the files of child_process/ are
---@field environment table<string, string> the variables of a Lua that finds it there, and no other

--- Copies the module into a folder that everybody may read.
---@param folder? string default: one that is removed after the test
---@return Installation
function installation.make(folder)
  folder = folder or support.tmpdir()
  cp.execFileSync("sh", {"-ec", [[
    umask 022
    mkdir -p "$0/child_process"
    cp -R "$1" "$1.lua" "$0"
    cp "$2" "$0/child_process/core.so"
    chmod -R a+rX "$0"
  ]], folder, locate.folder, locate.core})
  return {
    folder = folder .. "/child_process",
    environment = {LUA_PATH = folder .. "/?.lua", LUA_CPATH = folder .. "/?.so"},
  }
end

return installation
