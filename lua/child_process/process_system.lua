--- The methods of process that ask or tell the system something.
local core = require("child_process.core")
local errors = require("child_process.lazy_errors")
local check = require("child_process.process")._check

---@class process
local methods = {}

--- The working directory.
---@return string
function methods:cwd()
  check(self, "cwd")
  local path, errno = core.cwd()
  return path or error(errors.system(errno, "cwd"))
end

--- Changes the working directory.
---@param path string
function methods:chdir(path)
  check(self, "chdir")
  if type(path) ~= "string" then
    error(errors.invalidArgType("directory", "string", path))
  elseif path:find("\0", 1, true) then
    error(errors.invalidArgValue("directory", path, "must be a string without null bytes"))
  end
  local errno = core.chdir(path)
  if errno then
    local err = errors.system(errno, "chdir", {path = path})
    err.message = ("%s '%s'"):format(err.message, path)
    error(err)
  end
end

--- Sends a signal to any process.
---@param pid integer
---@param signal? string|integer default "SIGTERM"; 0 only asks whether the process exists
---@return boolean true
function methods:kill(pid, signal)
  check(self, "kill")
  if math.type(pid) ~= "integer" or pid < -0x80000000 or pid > 0x7FFFFFFF then
    error(errors.invalidArgType("pid", "int32", pid))
  end
  local number = 0
  if signal ~= 0 then
    number = require("child_process.signals").number(signal == nil and "SIGTERM" or signal)
  end
  local errno = core.kill(pid, number)
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
    if math.type(value) ~= "integer" then
      error(errors.invalidArgType(("time[%d]"):format(index), "integer", value))
    end
  end
end

--- A clock that never goes back.
---@param since? integer[] an earlier result: the time that has passed since then
---@return integer[] # seconds and nanoseconds
function methods:hrtime(since)
  check(self, "hrtime")
  local now = core.hrtime()
  if since ~= nil then
    checkTime(since)
    now = now - since[1] * 1000000000 - since[2]
  end
  return {now // 1000000000, now % 1000000000}
end

local started -- on the clock of hrtime

--- How long the process has been running.
---@return number # seconds, with fractions
function methods:uptime()
  check(self, "uptime")
  started = started or core.startTime()
  return (core.hrtime() - started) / 1e9
end

--- The memory that the process uses.
---@return {rss: integer, heapUsed: integer} # bytes: what is resident, what this Lua state holds
function methods:memoryUsage()
  check(self, "memoryUsage")
  local rss, errno = core.residentMemory()
  return {
    rss = rss or error(errors.system(errno, "uv_resident_set_memory")),
    heapUsed = math.floor(collectgarbage("count") * 1024),
  }
end

return methods
