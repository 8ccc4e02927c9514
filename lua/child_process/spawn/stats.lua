--- child:stats(): what a child uses while it runs.

local check = require("child_process.base.check")
local core = require("child_process.core")
local errors = require("child_process.errors")

-- The words of Python's psutil for the letters of ps.
local states = {
  R = "running", S = "sleeping", D = "disk-sleep", T = "stopped", t = "tracing-stop", Z = "zombie",
  X = "dead", I = "idle", P = "parked",
}

---@class ChildStats
---@field cpuTime integer microseconds of processor time since the start, of all threads
---@field rss integer KiB of memory that are resident
---@field threads integer their number
---@field processes integer how many processes these figures are of: 1 without `tree`
---@field state string "running", "sleeping", "disk-sleep" (waits for a device), "stopped",
---"tracing-stop", "zombie" (has ended, and the loop has not noticed yet), or a rarer one

local KNOWN = {tree = true}

-- The same numbers of a child on another host, which takes a round trip.
local function ask(child, tree)
  return child._remote:askStats(tree):await()
end

--- See ChildProcess:stats.
---@param child ChildProcess
---@param options? StatsOptions
---@return ChildStats?
return function(child, options)
  local all = check.options("stats", options, KNOWN) or {}
  local tree = check.optional("options.tree", "boolean", all.tree)
  if child.host then
    return ask(child, tree)
  end
  local stats, errno = core.child.stats(child, tree)
  if stats then
    stats.state = states[stats.state] or stats.state
    return stats
  elseif errno == -core.errno.ESRCH then
    return nil
  end
  local err = errors.system(errno, "stats")
  if errno == -core.errno.ENOTSUP then
    err.message = err.message .. ", the system does not report what other processes use"
  end
  error(err)
end
