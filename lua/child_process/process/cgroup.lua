--- What the cgroup of this process says, in both versions of cgroups. Without one, or without
--- /proc, the functions return nil.

local io = require("child_process.base.standard").io

---@class child_process.process.cgroup
local cgroup = {}

local function read(path)
  local file = io.open(path)
  local text = file and file:read("*a")
  if file then
    file:close()
  end
  return text
end

-- The folder of the cgroup, with the names that its controller has.
local function folderOf(controller)
  local text = read("/proc/self/cgroup") or ""
  for list, path in text:gmatch("%d+:([^:\n]*):([^\n]*)") do
    for name in list:gmatch("[^,]+") do
      if name == controller then
        return "/sys/fs/cgroup/" .. list, path
      end
    end
  end
  local unified = text:match("0::([^\n]*)")
  return "/sys/fs/cgroup", unified or "/"
end

-- Calls `look(folder)` for the cgroup and those above it.
local function upwards(controller, look)
  local root, path = folderOf(controller)
  while true do
    look(root .. (path == "/" and "" or path))
    if path == "/" or path == "" then
      return
    end
    path = path:match("^(.*)/[^/]*$")
    path = path == "" and "/" or path
  end
end

--- The least quota of processors of the cgroup and those above it.
---@return number?
function cgroup.quota()
  local least
  upwards("cpu", function(folder)
    local used, period = (read(folder .. "/cpu.max") or ""):match("^(%d+) (%d+)")
    used = used or (read(folder .. "/cpu.cfs_quota_us") or ""):match("^%d+")
    period = period or (read(folder .. "/cpu.cfs_period_us") or ""):match("^%d+")
    local quota = used and period and used / period
    if quota and (not least or quota < least) then
      least = quota
    end
  end)
  return least
end

--- How many processes of the cgroup the kernel has killed for lack of memory.
---@return integer?
function cgroup.oomKills()
  local root, path = folderOf("memory")
  local folder = root .. (path == "/" and "" or path)
  local text = read(folder .. "/memory.events") or read(folder .. "/memory.oom_control") or ""
  return tonumber(text:match("oom_kill (%d+)"))
end

return cgroup
