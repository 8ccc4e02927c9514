--- Children on other hosts. A host is any command whose standard input and output reach a Lua over
--- there.
--
--   local host = require("child_process.host")
--   local h = host.connect({"ssh", "-T", "n1"})
--   cp.spawn("uname", {"-n"}, {host = h, stdio = "inherit"})

local arguments = require("child_process.spawn.arguments")
local compat = require("child_process.base.compat")
local Host = require("child_process.host.host")

---@class child_process.host
---@field Host Host the class
local host = {Host = Host}

--- Starts a command that is to start an agent, and connects with that. Returns at once: children
--- can be started before the agent has answered. If it does not, they emit "error".
---@param launcher string[] the command; the agent's is appended to it
---@param options? HostOptions
---@return Host
function host.connect(launcher, options)
  return Host.new(launcher, options)
end

-- Nobody can be asked for a password, and a connection that is dead is noticed within a minute.
local SSH = {
  "ssh", "-T", "-o", "BatchMode=yes", "-o", "ServerAliveInterval=15", "-o",
  "ServerAliveCountMax=3",
}

--- Connects by ssh, with which a key must have been set up.
---@param destination string "user@name", or what else ssh takes
---@param options? HostOptions
---@return Host
function host.ssh(destination, options)
  arguments.checkCommand("destination", destination)
  local launcher = compat.move(SSH, 1, #SSH, 1, {})
  launcher[#launcher + 1] = "--"
  launcher[#launcher + 1] = destination
  return Host.new(launcher, options)
end

return host
