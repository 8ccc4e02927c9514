--- Slurm: the nodes of the present allocation, and the command that reaches one of them.

local compat = require("child_process.base.compat")
local core = require("child_process.core")
local errors = require("child_process.errors")
local sync = require("child_process.spawn.sync")

---@class child_process.slurm
local slurm = {}

-- A step of one task, which shares what the allocation has of its node with the other steps.
-- Without --unbuffered srun passes on whole lines alone, and frames have none.
local STEP = {"srun", "--overlap", "--unbuffered", "-N1", "-n1", "-w"}

local LIST_TIMEOUT = 30000 -- milliseconds

-- srun makes an allocation of its own where it finds none, and scontrol has no nodes to show.
local function allocatedNodes(env)
  for _, name in ipairs({"SLURM_JOB_ID", "SLURM_JOB_NODELIST"}) do
    if not (env and env[name] or not env and core.getenv(name)) then
      error(errors.misuse("Error", "ERR_HOST_NO_ALLOCATION", ("host.slurm: there is no allocation, "
        .. "since %s is not set%s: start the program with salloc or sbatch"):format(name,
        env and " in options.env" or "")))
    end
  end
  return env and env.SLURM_JOB_NODELIST or core.getenv("SLURM_JOB_NODELIST")
end

local function cannotList(err)
  return errors.traced(errors.make("Error", "host.slurm: the nodes of the allocation cannot be "
    .. "listed: " .. err.message, {code = "ERR_HOST_CONNECT", exitCode = err.status, cause = err}))
end

--- Lists the nodes of the allocation that the environment names. The loop stands still meanwhile.
--- Raises ERR_HOST_NO_ALLOCATION, and ERR_HOST_CONNECT if scontrol does not list them.
---@param env? table<string, string> default ours
---@return string[]
function slurm.nodes(env)
  local ok, listed = pcall(sync.execFileSync, "scontrol",
    {"show", "hostnames", allocatedNodes(env)},
    {env = env, timeout = LIST_TIMEOUT, stdio = {"ignore", "pipe", "pipe"}})
  if not ok then
    error(cannotList(listed))
  end
  local nodes = {}
  for node in listed:gmatch("[^\n]+") do
    nodes[#nodes + 1] = node
  end
  return nodes
end

--- Returns the command that starts a program on a node, to which the program's is to be appended.
---@param node string
---@return string[]
function slurm.launcher(node)
  local words = compat.move(STEP, 1, #STEP, 1, {})
  words[#words + 1] = node
  return words
end

return slurm
