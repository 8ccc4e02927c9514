--- The methods of process that are about the system: the working directory, signals to others,
--- clocks, memory.

local check = require("child_process.base.check")
local checkThis = require("child_process.events.emitter").thisCheck("process")
local compat = require("child_process.base.compat")
local core = require("child_process.core")
local errors = require("child_process.errors")

---@class process
local methods = {}

--- The working directory.
---@return string
function methods:cwd()
  checkThis(self, "cwd")
  local path, errno = core.cwd()
  return path or error(errors.system(errno, "cwd"))
end

--- Changes the working directory.
---@param path string
function methods:chdir(path)
  checkThis(self, "chdir")
  check.noNul("directory", check.type("directory", "string", path))
  local errno = core.chdir(path)
  if errno then
    local err = errors.system(errno, "chdir", {path = path})
    err.message = ("%s '%s'"):format(err.message, path)
    error(err)
  end
end

--- Sends a signal to any process.
---@param pid integer
---@param signal? string|integer default "SIGTERM"; 0 only checks whether the process exists
---@return boolean true
function methods:kill(pid, signal)
  checkThis(self, "kill")
  local id = compat.toInteger(pid)
  if not id or id < -0x80000000 or id > 0x7FFFFFFF then
    error(errors.invalidArgType("pid", "int32", pid))
  end
  local number = 0
  if signal ~= 0 then
    number = require("child_process.spawn.signals").number(signal == nil and "SIGTERM" or signal)
  end
  local errno = core.kill(id, number)
  if errno then
    error(errors.system(errno, "kill"))
  end
  return true
end

local function checkTime(time)
  if type(time) ~= "table" then
    error(errors.invalidArgType("time", "table", time))
  elseif #time ~= 2 then
    error(errors.outOfRange("time", "2 entries long", #time))
  end
  for index, value in ipairs(time) do
    if not compat.toInteger(value) then
      error(errors.invalidArgType(("time[%d]"):format(index), "integer", value))
    end
  end
end

--- A clock that never goes back.
---@param since? integer[] an earlier result: the time that has passed since then
---@return integer[] # seconds and nanoseconds
function methods:hrtime(since)
  checkThis(self, "hrtime")
  local seconds, nanoseconds = core.hrtime()
  if since ~= nil then
    checkTime(since)
    seconds = seconds - compat.toInteger(since[1])
    nanoseconds = nanoseconds - compat.toInteger(since[2])
  end
  local carried = math.floor(nanoseconds / 1e9)
  return {seconds + carried, nanoseconds - carried * 1000000000}
end

local started -- on the clock of hrtime

--- How long the process has been running.
---@return number # seconds, with fractions
function methods:uptime()
  checkThis(self, "uptime")
  started = started or core.startTime()
  local seconds, nanoseconds = core.hrtime()
  return seconds + nanoseconds / 1e9 - started
end

--- The memory that the process uses.
---@return {rss: integer, heapUsed: integer} # bytes: resident, and held by this Lua state
function methods:memoryUsage()
  checkThis(self, "memoryUsage")
  local rss, errno = core.residentMemory()
  return {
    rss = rss or error(errors.system(errno, "uv_resident_set_memory")),
    heapUsed = math.floor(collectgarbage("count") * 1024),
  }
end

--- What the process has used until now, with all of its threads.
---@return ResourceUsage
function methods:resourceUsage()
  checkThis(self, "resourceUsage")
  return core.resourceUsage() or error(errors.system(-core.errno.ENOTSUP, "getrusage"))
end

return methods
