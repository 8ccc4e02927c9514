-- Who takes part: the limit, the peers that are installed, ours, and ours in other Luas.

local machine = require("bench.measure.machine")
local shell = require("bench.measure.shell")

---@class bench.contestant
---@field name string
---@field command? string absent for the limit, which is another program in each row
---@field version? string
---@field works? table<string, true> the only works that it has

---@class bench.contestants
local contestants = {}

local function isListed(name, list)
  return not list or (" " .. list .. " "):find(" " .. name .. " ", 1, true) ~= nil
end

--- The peers that are installed, and the names of those that are not.
---@param list? string names with spaces between them: only these
---@return bench.contestant[]
---@return string[]
function contestants.peers(list)
  local found, missing = {}, {}
  for _, peer in ipairs(dofile(shell.here .. "/peers.lua")) do
    if isListed(peer.name, list) then
      local text = shell.output("{ " .. shell.substitute(peer.version) .. "; } 2>/dev/null") or ""
      peer.version = text:match("%d+%.[%d.]*%d")
      table.insert(peer.version and found or missing, peer.version and peer or peer.name)
    end
  end
  return found, missing
end

-- The shell's settings with which an interpreter finds a build of its own.
local function settings(lua)
  local make = "env -u MAKEFLAGS -u MAKELEVEL make -s -C " .. shell.quote(shell.here .. "/..")
  local chosen = " LUA=" .. shell.quote(lua)
  assert(shell.output(make .. " build" .. chosen .. " >/dev/null"), "there is no build for " .. lua)
  return (shell.output(make .. " env" .. chosen):gsub("%s*$", "; "))
end

--- Ours in other Luas, which are built for where they are not.
---@param list string the names of interpreters with spaces between them
---@return bench.contestant[]
function contestants.others(list)
  local found = {}
  for lua in list:gmatch("%S+") do
    local version = machine.version(shell.quote(lua))
    assert(version, lua .. " cannot be run as Lua")
    local name = version:match("^LuaJIT") or version:match("^Lua %d%.%d")
    found[#found + 1] = {
      name = ("ours (%s)"):format(name),
      version = version,
      setup = settings(lua),
      command = shell.quote(lua) .. " HERE/ours.lua",
    }
  end
  return found
end

return contestants
