--- Checks of the arguments of host.connect.

local arguments = require("child_process.spawn.arguments")
local check = require("child_process.base.check")
local commandText = require("child_process.base.command_text")
local core = require("child_process.core")
local errors = require("child_process.errors")

---@class child_process.host.options
local options = {}

---@class HostOptions
---@field lua? string|string[] the interpreter over there, with its flags; default: the name of ours
---@field env? table<string, string> environment of the launcher; default ours
---@field connectTimeout? number milliseconds until the agent must have answered; default 30000
---@field pingInterval? number milliseconds; three pings without an answer mean that the host is
---lost; default 15000, 0 for none
---@field grace? number milliseconds between SIGTERM and SIGKILL for what is left over there when
---the connection ends; default 5000

local KNOWN = {lua = true, env = true, connectTimeout = true, pingInterval = true, grace = true}

local function ownLua()
  local name = core.execPath()
  name = name and name:match("[^/]*$") or ""
  return name:find("^lua") and name or rawget(_G, "jit") and "luajit"
    or "lua" .. _VERSION:match("[%d.]+")
end

local function readLua(value)
  if value == nil then
    return {ownLua()}
  elseif type(value) == "string" then
    arguments.checkCommand("options.lua", value)
    return {value}
  end
  check.type("options.lua", "table", value)
  return arguments.append({}, "options.lua", value)
end

local function readTime(given, name, default)
  local value = given[name]
  if value == nil then
    return default
  end
  return check.integer("options." .. name, value, 0)
end

local function readLauncher(launcher)
  if type(launcher) ~= "table" then
    error(errors.invalidArgType("launcher", "table", launcher))
  end
  local words = arguments.append({}, "launcher", launcher)
  if not words[1] then
    error(errors.invalidArgValue("launcher", launcher, "cannot be empty"))
  end
  arguments.checkCommand("launcher[1]", words[1])
  return words
end

---@class HostSettings
---@field name string
---@field lua string the interpreter over there
---@field command string[] the launcher with the command of the agent
---@field env? table<string, string>
---@field connectTimeout integer milliseconds, as all times
---@field pingInterval integer
---@field grace integer

--- Checks the arguments, and fills in the defaults.
---@param launcher string[]
---@param given? HostOptions
---@return HostSettings
function options.read(launcher, given)
  given = check.options("host.connect", given, KNOWN) or {}
  local command, lua = readLauncher(launcher), readLua(given.lua)
  local name = commandText(command)
  for _, word in ipairs(lua) do
    command[#command + 1] = word
  end
  -- No word that any shell between here and there would take apart.
  command[#command + 1] = "-l"
  command[#command + 1] = "child_process.agent"
  return {
    name = name, lua = lua[1], command = command, env = given.env,
    connectTimeout = readTime(given, "connectTimeout", 30000),
    pingInterval = readTime(given, "pingInterval", 15000),
    grace = readTime(given, "grace", 5000),
  }
end

return options
