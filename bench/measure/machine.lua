-- On what something was measured, with which versions, and when.

local cp = require("child_process")
local shell = require("bench.measure.shell")

---@class bench.machine
local machine = {}

--- The average number of processes that run or want to, over the last minute.
---@return number?
function machine.load()
  return tonumber((shell.line("cat /proc/loadavg") or ""):match("^[%d.]+"))
end

--- The name of an interpreter with its version.
---@param lua string
---@return string?
function machine.version(lua)
  return (shell.line(lua .. " -v 2>&1") or ""):match("^Lua%a* [%w.]+")
end

--- What is the same for all figures that are measured now.
---@return table
function machine.describe()
  local memory = tonumber((shell.line("grep MemTotal: /proc/meminfo") or ""):match("%d+"))
  return {
    date = os.date("!%Y-%m-%dT%H:%M:%SZ"),
    processor = (shell.line("grep '^model name' /proc/cpuinfo") or ""):match(":%s*(.*)"),
    cores = tonumber(shell.line("nproc")),
    memoryMiB = memory and math.floor(memory / 1024),
    kernel = shell.line("uname -sr"),
    libc = shell.line("getconf GNU_LIBC_VERSION"),
    lua = machine.version(shell.substitute("LUA")),
    libuv = shell.line("pkg-config --modversion libuv"),
    module = cp._VERSION,
    loadBefore = machine.load(),
  }
end

return machine
