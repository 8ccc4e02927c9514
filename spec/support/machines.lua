-- Machines that belong to a test: namespaces with an sshd, in a network with the place where the
-- clients run.

local cp = require("child_process")
local host = require("child_process.host")
local installation = require("spec.support.installation")
local lfs = require("lfs")
local namespaces = require("spec.support.namespaces")
local sshd = require("spec.support.sshd")
local support = require("spec.support")

local machines = {}

local BOOT = [[
  hostname "$0" && mount -t tmpfs tmpfs /run && mkdir /run/sshd && ip link set lo up || exit
  exec "$1" -D -e -f "$2"
]]

local PORT = 2222

---@class Machine
---@field name string
---@field package clients Namespaces the other end of its cable
---@field package inside Namespaces
---@field sshd Sshd
local Machine = {}
Machine.__index = Machine

-- Lays a cable between the machine and its clients.
local function connect(self, here, there)
  -- Of the network alone: over there our numbers of processes are not known.
  cp.execFileSync("nsenter", {
    "-t", tostring(self.clients.pid), "-n", "ip", "link", "add", self.name, "type", "veth", "peer",
    "name", "eth0", "netns", tostring(self.inside.pid),
  })
  self.clients:run("ip", "address", "add", here .. "/24", "dev", self.name)
  self.inside:run("ip", "address", "add", there .. "/24", "dev", "eth0")
  self.inside:run("ip", "link", "set", "eth0", "up")
  self:plug(true)
end

local function newMachine(name, index, clients, folder, environment)
  assert(lfs.mkdir(folder))
  local self = setmetatable({
    name = name, clients = clients, sshd = sshd.new(environment, folder),
  }, Machine)
  local config = folder .. "/sshd_config"
  support.writeFile(config, ("Port %d\n%s"):format(PORT, support.readFile(config)))
  self.inside = namespaces.start({"sh", "-c", BOOT, name, self.sshd.path, config},
    "Server listening")
  local address = ("10.0.%d.2"):format(index)
  connect(self, ("10.0.%d.1"):format(index), address)
  self.sshd:setAddress(address, PORT, ("nsenter -t %d -n"):format(clients.pid))
  self.sshd:needEntry()
  return self
end

---@class Machines : Machine[]
---@field package folder string
---@field package clients Namespaces
local Machines = {}
Machines.__index = Machines

--- Starts machines, on which the module is installed. Skips the rest of the test where there can be
--- none.
---@param ... string their names
---@return Machines
function machines.start(...)
  sshd.find()
  local clients = namespaces.start({"sh", "-c", "echo ready >&2; exec sleep 6000"}, "ready")
  local folder = os.tmpname() -- it is there for longer than a test
  os.remove(folder)
  assert(lfs.mkdir(folder))
  local environment = installation.make(folder .. "/lua").environment
  local self = setmetatable({folder = folder, clients = clients}, Machines)
  for index, name in ipairs({...}) do
    self[index] = newMachine(name, index, clients, folder .. "/" .. name, environment)
  end
  return self
end

--- Whether they can be used: they end when a test fails.
---@return boolean
function Machines:areRunning()
  return self.clients:areThere()
end

--- Ends everything over there.
function Machines:stop()
  for _, machine in ipairs(self) do machine.inside:stop() end
  self.clients:stop()
  cp.execFileSync("rm", {"-r", self.folder})
end

--- Connects by ssh.
---@param options? HostOptions
---@return Host
function Machine:connect(options)
  return host.ssh("n1", support.merge({
    lua = support.lua, env = self.sshd:environment(), connectTimeout = 120000,
  }, options))
end

--- Plugs the cable of the network in, or out.
---@param on boolean
function Machine:plug(on)
  self.clients:run("ip", "link", "set", self.name, on and "up" or "down")
end

--- The processes over there, but for the first one, and those that have ended.
---@return string[] # "PID COMMAND"
function Machine:processes()
  local found = {}
  for line in self.inside:run("ps", "-e", "-o", "stat=,pid=,args="):gmatch("[^\n]+") do
    local state, pid, command = line:match("^%s*(%a)%S*%s+(%d+) (.*)")
    if state ~= "Z" and pid ~= "1" and not command:find("^ps %-e") then
      found[#found + 1] = pid .. " " .. command
    end
  end
  return found
end

--- Sends a signal to the processes over there whose command has a text.
---@param signal string
---@param text string
function Machine:kill(signal, text)
  local count = 0
  for _, process in ipairs(self:processes()) do
    if process:find(text, 1, true) then
      self.inside:run("kill", "-s", signal, process:match("^%d+"))
      count = count + 1
    end
  end
  assert(count > 0, "no process has " .. text)
end

return machines
