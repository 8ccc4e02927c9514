-- A cluster of Slurm that belongs to a test: its daemons on this machine, each node with one of its
-- own, in namespaces.

local cp = require("child_process")
local installation = require("spec.support.installation")
local lfs = require("lfs")
local namespaces = require("spec.support.namespaces")
local support = require("spec.support")

local slurm = {}

local CONFIG = [[
ClusterName=spec
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=%FOLDER/munge.socket
StateSaveLocation=%FOLDER/state
SlurmdSpoolDir=%FOLDER/spool-%n
SlurmctldPidFile=%FOLDER/slurmctld.pid
SlurmdPidFile=%FOLDER/slurmd-%n.pid
SlurmctldLogFile=%FOLDER/slurmctld.log
SlurmdLogFile=%FOLDER/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
MailProg=/bin/true
NodeName=n1 NodeHostname=localhost NodeAddr=127.0.0.1 Port=17001 CPUs=2
NodeName=n2 NodeHostname=localhost NodeAddr=127.0.0.1 Port=17002 CPUs=2
PartitionName=all Nodes=ALL Default=YES
]]

-- Says "ready" when both nodes are. Slurm resolves no address, not even that of the loopback
-- interface, without another interface.
local BOOT = [[
  PATH=$PATH:/usr/sbin:/sbin
  ip link set lo up
  ip link add name veth0 type veth peer name veth1
  ip address add 10.0.0.1/24 dev veth0
  ip link set veth0 up
  munged --force --socket="$0/munge.socket" --key-file="$0/munge.key" --pid-file="$0/munge.pid" \
    --log-file="$0/munge.log" --seed-file="$0/munge.seed"
  slurmctld
  slurmd -N n1
  slurmd -N n2
  until [ "$(sinfo --noheader --states=idle --format=%D)" = 2 ]; do sleep 0.1; done
  echo ready >&2
  sleep 6000 &
  wait
]]

---@class Slurm
---@field package folder string
---@field package inside Namespaces
---@field package environment table<string, string>
local Slurm = {}
Slurm.__index = Slurm

--- Starts a cluster with the nodes n1 and n2. Skips the rest of the test where there can be none.
---@return Slurm
function slurm.start()
  for _, program in ipairs({"munged", "slurmctld", "slurmd", "sinfo", "srun", "salloc"}) do
    if cp.spawnSync("sh", {"-c", 'PATH=$PATH:/usr/sbin command -v "$0"', program}).status ~= 0 then
      support.skip(program .. " is not installed")
    end
  end
  local folder = os.tmpname() -- it is there for longer than a test
  os.remove(folder)
  assert(lfs.mkdir(folder))
  assert(lfs.mkdir(folder .. "/state"))
  support.writeFile(folder .. "/munge.key", ("a key of many bytes"):rep(10))
  support.writeFile(folder .. "/slurm.conf", (CONFIG:gsub("%%FOLDER", folder)))
  cp.execFileSync("chmod", {"400", folder .. "/munge.key"})
  local environment = installation.make(folder .. "/lua").environment
  environment.SLURM_CONF = folder .. "/slurm.conf"
  environment.PATH = os.getenv("PATH")
  local inside = namespaces.start({
    "env", "SLURM_CONF=" .. environment.SLURM_CONF, "sh", "-ec", BOOT, folder}, "ready")
  return setmetatable({folder = folder, environment = environment, inside = inside}, Slurm)
end

--- Runs a Lua script in an allocation of both nodes, to its end. Fails with what it has written to
--- stderr if its exit code is not 0.
---@param text string the script, in which `cp` and `host` are the modules
---@return string[] # the lines that it has printed
function Slurm:run(text)
  local script = support.script(([[
    local cp, host = require("child_process"), require("child_process.host")
    %s
  ]]):format(text))
  local words = self.inside:command("salloc", "--quiet", "--nodes=2", support.lua, script)
  local file = table.remove(words, 1)
  local child = cp.spawn(file, words, {env = self.environment, stdio = {"ignore"}})
  local stdout, stderr = support.output(child)
  if child.exitCode ~= 0 then error("the script has failed: " .. stderr .. stdout, 2) end
  return support.lines(stdout)
end

--- Whether it can be used: it ends when a test fails.
---@return boolean
function Slurm:isRunning()
  return self.inside:areThere()
end

--- Ends all daemons, and what they have started.
function Slurm:stop()
  self.inside:stop()
  cp.execFileSync("rm", {"-r", self.folder})
end

return slurm
