--- How many processors this process may use.

local cgroup = require("child_process.process.cgroup")
local io = require("child_process.base.standard").io

-- The processors in a list such as "0-3,8".
local function countList(text)
  local count = 0
  for first, last in text:gmatch("(%d+)%-?(%d*)") do
    count = count + (last == "" and 1 or tonumber(last) - tonumber(first) + 1)
  end
  return count
end

local function allowed()
  local file = io.open("/proc/self/status")
  local list = file and file:read("*a"):match("Cpus_allowed_list:%s*(%S+)")
  if file then
    file:close()
  end
  return list and countList(list)
end

-- Where there is no /proc.
local function online()
  local result = require("child_process.spawn.sync").spawnSync("getconf", {"_NPROCESSORS_ONLN"})
  return tonumber(result.stdout)
end

--- Counts the processors that the affinity mask and the cgroup's quota allow.
---@return integer # at least 1
return function()
  local count = allowed() or online() or 1
  local quota = cgroup.quota()
  if quota and quota < count then
    count = math.ceil(quota)
  end
  return math.max(1, count)
end
