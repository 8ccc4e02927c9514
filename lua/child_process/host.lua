--- Children on other hosts. A host is any command whose standard input and output reach a Lua over
--- there.
--
--   local host = require("child_process.host")
--   local h = host.connect({"ssh", "-T", "n1"})
--   cp.spawn("uname", {"-n"}, {host = h, stdio = "inherit"})

local arguments = require("child_process.spawn.arguments")
local check = require("child_process.base.check")
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
  return Host.new(launcher, options, destination)
end

local function ignore() end

-- Makes a host for each node, or none if one of them cannot be made.
local function hostsFor(nodes, launcherFor, options)
  local hosts = {}
  for index, node in ipairs(nodes) do
    local ok, made = pcall(Host.new, launcherFor(node), options, node)
    if not ok then
      for _, earlier in ipairs(hosts) do
        earlier:close():catch(ignore)
      end
      error(made, 0)
    end
    hosts[index] = made
  end
  return hosts
end

--- Connects with all nodes of the present allocation of Slurm, each by `srun`. The nodes are what
--- `scontrol show hostnames` prints; the loop stands still for that.
---
--- Raises ERR_HOST_NO_ALLOCATION outside of an allocation, and ERR_HOST_CONNECT if scontrol does
--- not list the nodes.
---@param options? HostOptions of each host; `env` is also where the allocation is looked up
---@return Host[] # in the order of the nodes; the field `name` is that of the node
function host.slurm(options)
  check.optional("options", "table", options)
  local env = check.optional("options.env", "table", options and options.env)
  local slurm = require("child_process.host.slurm")
  return hostsFor(slurm.nodes(env), slurm.launcher, options)
end

return host
