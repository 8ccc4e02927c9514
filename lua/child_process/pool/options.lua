--- Checks of the options of pools, and of the calls for tasks.

local check = require("child_process.base.check")
local cpus = require("child_process.process.cpus")
local errors = require("child_process.errors")

---@class child_process.pool.options
local options = {}

---@class PoolOptions
---@field size? integer how many children at most, here or on each of the hosts; default: as many as
---there are processors, see pool.cpus
---@field hosts? (Host|"local"|PoolHost)[] where the children run; default: here
---@field args? (string|number|boolean)[] arguments of the script
---@field options? ForkOptions of its children
---@field maxTasksPerChild? integer tasks after which a child is replaced
---@field retries? integer how often a task is tried again when its child has ended; default 1
---@field taskTimeout? number milliseconds that a task may take
---@field idleTimeout? number milliseconds without a task after which a child is let go

---@class PoolHost
---@field host Host|"local" a host, or this machine
---@field size? integer how many children there at most; default: options.size of the pool

local KNOWN = {
  size = true, hosts = true, args = true, options = true, maxTasksPerChild = true, retries = true,
  taskTimeout = true, idleTimeout = true,
}

local function integer(given, name, least)
  local value = given[name]
  return value ~= nil and check.integer("options." .. name, value, least) or nil
end

local function delay(given, name)
  local value = given[name]
  if value == nil or value == math.huge then
    return nil
  end
  return check.toInteger(check.atLeast("options." .. name, value, 1))
end

local KNOWN_PLACE = {host = true, size = true}

local function isHost(value)
  return type(value) == "table" and value._start ~= nil
end

local function checkHost(name, value)
  if value ~= "local" and not isHost(value) then
    error(errors.invalidArgType(name, {"Host", "'local'"}, value))
  end
  return value ~= "local" and value or nil
end

-- Reads an entry of options.hosts. Returns the host, and its size.
local function readPlace(name, value, size)
  if isHost(value) or type(value) ~= "table" then
    return checkHost(name, value), size
  end
  check.options(name, value, KNOWN_PLACE)
  local own = value.size
  return checkHost(name .. ".host", value.host),
    own ~= nil and check.integer(name .. ".size", own, 1) or size
end

-- Returns where children run: {host, size} for each place.
local function readPlaces(hosts, size)
  if hosts == nil then
    return {{size = size or cpus()}}
  end
  check.type("options.hosts", "table", hosts)
  local places, seen = {}, {}
  for index = 1, check.length(hosts) do
    local name = ("options.hosts[%d]"):format(index)
    local host, ofHost = readPlace(name, hosts[index], size)
    local key = host or "local"
    if seen[key] then
      error(errors.invalidArgValue(name, hosts[index], ("is the same host as options.hosts[%d]")
        :format(seen[key])))
    end
    seen[key] = index
    places[index] = {host = host, size = ofHost or not host and cpus() or nil}
  end
  if #places == 0 then
    error(errors.invalidArgValue("options.hosts", hosts, "must name at least one host"))
  end
  return places
end

-- The options of a child. It ends with us, and its whole tree with it.
local function forkOptions(given)
  check.optional("options.options", "table", given)
  if given and given.host ~= nil then
    error(errors.invalidArgValue("options.options.host", given.host,
      "is not for pools, whose hosts are options.hosts"))
  end
  local copy = {
    tree = true, killOnParentExit = true, forceKillAfterDelay = 5000, waitDelay = 1000,
  }
  if not given or given.stdio == nil and given.silent == nil then
    copy.stdio = {"ignore", "inherit", "pipe", "ipc"}
  end
  for name, value in pairs(given or {}) do
    copy[name] = value
  end
  return copy, copy.stdio ~= nil and (not given or given.stdio == nil)
end

--- Checks the options of a pool, and fills in the defaults.
---@param given? PoolOptions
---@return table
function options.ofPool(given)
  given = check.options("pool", given, KNOWN) or {}
  local childOptions, takesStderr = forkOptions(given.options)
  return {
    places = readPlaces(given.hosts, integer(given, "size", 1)),
    hasHosts = given.hosts ~= nil,
    args = check.optional("options.args", "table", given.args) or {},
    forkOptions = childOptions,
    takesStderr = takesStderr, -- their stderr is a pipe because we read it
    maxTasksPerChild = integer(given, "maxTasksPerChild", 1) or math.huge,
    retries = integer(given, "retries", 0) or 1,
    taskTimeout = delay(given, "taskTimeout"),
    idleTimeout = delay(given, "idleTimeout"),
  }
end

---@class PoolRunOptions
---@field timeout? number milliseconds that the task may take; default taskTimeout of the pool
---@field signal? AbortSignal aborting it gives the task up, and ends the child that works on it

local KNOWN_RUN = {timeout = true, signal = true}

--- Checks the options of `run`.
---@param given? PoolRunOptions
---@param default? integer
---@return integer? timeout
---@return AbortSignal? signal
function options.ofRun(given, default)
  if given == nil then
    return default, nil
  end
  check.options("pool:run", given, KNOWN_RUN)
  return given.timeout == nil and default or delay(given, "timeout"), check.signalOption(given)
end

---@class PoolMapOptions
---@field ordered? boolean the results come in the order of the tasks
---@field window? integer how many tasks may be taken whose results the loop has not got; default
---four times the size of the pool
---@field reject? boolean false: the loop gets the error of a task in place of a result

local KNOWN_MAP = {ordered = true, window = true, reject = true}

--- Checks the options of `map`.
---@param given? PoolMapOptions
---@return boolean ordered
---@return integer? window nil: the default
---@return boolean reject
function options.ofMap(given)
  given = check.options("pool:map", given, KNOWN_MAP) or {}
  check.optional("options.ordered", "boolean", given.ordered)
  check.optional("options.reject", "boolean", given.reject)
  return given.ordered or false, integer(given, "window", 1), given.reject ~= false
end

--- Checks the source of `map`. Returns a function that returns the next task.
---@param source any
---@return fun(): any
---@return boolean mayWait
function options.source(source)
  if type(source) == "function" then
    return source, true
  elseif type(source) ~= "table" then
    error(errors.invalidArgType("tasks", {"function", "table"}, source))
  end
  local meta = getmetatable(source)
  if meta and meta.__call then
    return function()
      return (source())
    end, true
  end
  local index = 0
  return function()
    index = index + 1
    return source[index]
  end, false
end

return options
