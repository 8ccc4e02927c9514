--- The process object: the program that we are.
local core = require("child_process.core")
local errors = require("child_process.errors")
local events = require("child_process.events")
local loop = require("child_process.loop")
local signals = require("child_process.signals")

---@class process : EventEmitter
---@field pid integer
---@field ppid integer
---@field platform string
---@field execPath string the interpreter that is running
---@field argv0 string what it was called as
---@field argv table<integer, string> [0] the interpreter, [1] the script, [2] its first argument
---@field env table<string, string> reads and writes the environment
---@field exitCode integer? what `exit` ends with by default
---@field stdin StandardStream
---@field stdout StandardStream
---@field stderr StandardStream
local Process, metatable = events.inherit("process")
local baseOff = Process.off
local baseRemoveAll = Process.removeAllListeners

local function check(process, method)
  if type(process) ~= "table" then
    error(errors.invalidThis("process:" .. method))
  end
end

local function raise(errno, syscall, path)
  local err = errors.system(errno, syscall, {path = path})
  if path then
    err.message = ("%s '%s'"):format(err.message, path)
  end
  error(err)
end

local function checkText(name, value)
  if value:find("\0", 1, true) then
    error(errors.invalidArgValue(name, value, "must be a string without null bytes"))
  end
end

-- Properties that are made when somebody asks for them.
local makers = {}

function makers.pid()
  return core.pid()
end

function makers.platform()
  return package.config:sub(1, 1) == "\\" and "win32" or "linux"
end

function makers.execPath()
  local path, errno = core.execPath()
  return path or raise(errno, "exepath")
end

function makers.argv0(process)
  local arg = _G.arg or {}
  local first = 0
  while arg[first - 1] do
    first = first - 1
  end
  return arg[first] or process.execPath
end

function makers.argv(process)
  local argv = {[0] = process.execPath}
  for index, value in pairs(_G.arg or {}) do
    if index >= 0 then
      argv[index + 1] = value
    end
  end
  return argv
end

local function nextVariable(list, name)
  local index = list[name] or 0
  local entry = list.pairs[index + 1]
  if entry then
    local key, value = entry:match("^(.[^=]*)=(.*)$")
    list[key] = index + 1
    return key, value
  end
end

function makers.env()
  return setmetatable({}, {
    __name = "process.env",
    __index = function(_, name)
      return type(name) == "string" and core.getenv(name) or nil
    end,
    __newindex = function(_, name, value)
      if type(name) ~= "string" then
        error(errors.invalidArgType("env", "table with string keys", name))
      end
      checkText("env", name)
      value = value ~= nil and tostring(value) or nil
      checkText("env." .. name, value or "")
      local errno = core.setenv(name, value)
      if errno then
        raise(errno, "setenv")
      end
    end,
    __pairs = function()
      local list = {}
      for _, entry in ipairs(core.environ()) do
        if entry:find("^.[^=]*=") then
          list[#list + 1] = entry
        end
      end
      return nextVariable, {pairs = list}, nil
    end,
  })
end

---@class StandardStream : Stream
---@field fd integer
---@field isTTY boolean

-- The standard streams are blocking and stay open; what was written through Lua's own files before
-- comes first.
local function standardStream(fd, file)
  local Stream = require("child_process.stream")
  local stream = Stream.new(core.stream(fd, fd == 0, fd ~= 0), fd == 0, fd ~= 0)
  stream.fd = fd
  stream.isTTY = core.isatty(fd)
  stream.isStandardStream = true
  if file then
    function stream.write(self, ...)
      file:flush()
      return Stream.write(self, ...)
    end
  end
  return stream
end

function makers.stdin()
  return standardStream(0)
end

function makers.stdout()
  return standardStream(1, io.stdout)
end

function makers.stderr()
  return standardStream(2, io.stderr)
end

function metatable.__index(process, key)
  if key == "ppid" then
    return core.ppid() -- changes when the parent ends
  end
  local maker = makers[key]
  if maker then
    local value = maker(process)
    rawset(process, key, value)
    return value
  end
  return Process[key]
end

--- The working directory.
---@return string
function Process:cwd()
  check(self, "cwd")
  local path, errno = core.cwd()
  return path or raise(errno, "cwd")
end

--- Changes the working directory.
---@param path string
function Process:chdir(path)
  check(self, "chdir")
  if type(path) ~= "string" then
    error(errors.invalidArgType("directory", "string", path))
  end
  checkText("directory", path)
  local errno = core.chdir(path)
  if errno then
    raise(errno, "chdir", path)
  end
end

--- Ends the program now, after an "exit" event.
---@param code? integer default `exitCode`, or 0
function Process:exit(code)
  check(self, "exit")
  if code ~= nil and math.type(code) ~= "integer" then
    error(errors.invalidArgType("code", "integer", code))
  end
  if code ~= nil then
    self.exitCode = code
  end
  if not self._exiting then
    self._exiting = true
    self:emit("exit", self.exitCode or 0)
  end
  os.exit(self.exitCode or 0)
end

--- Sends a signal to any process.
---@param pid integer
---@param signal? string|integer default "SIGTERM"; 0 only asks whether the process exists
---@return boolean true
function Process:kill(pid, signal)
  check(self, "kill")
  if math.type(pid) ~= "integer" or pid < -0x80000000 or pid > 0x7FFFFFFF then
    error(errors.invalidArgType("pid", "int32", pid))
  end
  local number = signal == 0 and 0 or signals.number(signal == nil and "SIGTERM" or signal)
  local errno = core.kill(pid, number)
  if errno then
    raise(errno, "kill")
  end
  return true
end

--- Calls the function after what is running now, before any other event.
---@param callback function
---@param ... any its arguments
function Process:nextTick(callback, ...)
  check(self, "nextTick")
  loop.nextTick(callback, ...)
end

--- A clock that never goes back.
---@param since? integer[] an earlier result: the time that has passed since then
---@return integer[] # seconds and nanoseconds
function Process:hrtime(since)
  check(self, "hrtime")
  local now = core.hrtime()
  if since ~= nil then
    if type(since) ~= "table" or math.type(since[1]) ~= "integer"
      or math.type(since[2]) ~= "integer" then
      error(errors.invalidArgType("time", "table", since))
    end
    now = now - since[1] * 1000000000 - since[2]
  end
  return {now // 1000000000, now % 1000000000}
end

-- Signals: handled as long as somebody listens.

local handlers = {} -- by the signal's name

local function isSignal(event)
  return type(event) == "string" and event:sub(1, 3) == "SIG" and core.signals[event] ~= nil
end

-- Returns a negative errno if the signal cannot be handled.
local function listen(process, name)
  if handlers[name] then
    return nil
  end
  local handle = core.signal({
    onsignal = function(_, number)
      process:emit(name, name, number)
    end,
  })
  local errno = handle:start(core.signals[name])
  if not errno then
    handlers[name] = handle
  end
  return errno
end

local function unlisten(process)
  for name, handle in pairs(handlers) do
    if process:listenerCount(name) == 0 then
      handle:stop()
      handlers[name] = nil
    end
  end
end

local function adder(base, method)
  return function(self, event, listener)
    check(self, method)
    base(self, event, listener)
    local errno = isSignal(event) and listen(self, event)
    if errno then
      baseOff(self, event, listener)
      raise(errno, "signal " .. event)
    end
    return self
  end
end

--- As EventEmitter's; the name of a signal ("SIGTERM") has it handled from now on. The listener
--- gets its name and number.
---@type fun(self: process, event: any, listener: function): process
Process.on = adder(Process.on, "on")

--- The same as on.
Process.addListener = Process.on

--- As `on`, before the listeners that are there already.
---@type fun(self: process, event: any, listener: function): process
Process.prependListener = adder(Process.prependListener, "prependListener")

--- As EventEmitter's; a signal that nobody listens to any more has its former effect again.
---@param event any
---@param listener function
---@return process self
function Process:off(event, listener)
  check(self, "off")
  baseOff(self, event, listener)
  unlisten(self)
  return self
end

Process.removeListener = Process.off

--- As EventEmitter's; signals have their former effect again.
---@param event? any
---@return process self
function Process:removeAllListeners(event)
  check(self, "removeAllListeners")
  baseRemoveAll(self, event)
  unlisten(self)
  return self
end

return Process.new()
