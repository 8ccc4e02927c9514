--- The process object: the program that we are.
-- A child that fork has started waits for this file, so it holds only what each of them needs.
local core = require("child_process.core")
local errors = require("child_process.lazy_errors")
local events = require("child_process.events")
local loop = require("child_process.loop")

--- Events: "exit" (code) at the end of a script that was forked, and of any by `exit`; "beforeExit"
--- (code) of a forked one, whenever nothing keeps its loop alive; "uncaughtException" (error, and
--- the word itself or "unhandledRejection"), which listeners get instead of whoever called `run`;
--- "warning" (error); "message", "internalMessage" (message) and "disconnect" of the channel;
--- signals by name.
---@class process : EventEmitter
---@field pid integer
---@field ppid integer
---@field platform string
---@field title string the name that `ps -o comm` shows; may be set, Linux keeps 15 bytes of it
---@field execPath string the interpreter that is running
---@field argv0 string what it was called as
---@field argv table<integer, string> [0] the interpreter, [1] the script, [2] its first argument
---@field env table<string, string> reads and writes the environment
---@field execArgv string[] the flags that the interpreter was started with, for fork
---@field connected boolean? is there a channel to the parent? Nil if there never was
---@field channel Channel?
---@field send? fun(self: process, message: any, ...: any): boolean sends a message to the parent,
---as ChildProcess:send does and with the same arguments; nil if there never was a channel
---@field disconnect? fun(self: process) closes the channel, as ChildProcess:disconnect does
---@field exitCode integer? what `exit`, and a script that was forked, end with by default
---@field stdin StandardStream
---@field stdout StandardStream
---@field stderr StandardStream
local Process, metatable = events.inherit("process")
local baseOff = Process.off
local baseRemoveAll = Process.removeAllListeners

-- Properties that are looked up each time.
local getters = {
  pid = core.pid, ppid = core.ppid, platform = core.platform, title = core.title,
}

function getters.exitCode(process)
  return rawget(process, "_exitCode")
end

-- Where properties are made that stay as they are, when somebody asks for the first time.
local properties = {
  argv = "child_process.process_argv",
  argv0 = "child_process.process_argv",
  execArgv = "child_process.process_argv",
  execPath = "child_process.process_argv",
  env = "child_process.process_env",
  stdin = "child_process.process_streams",
  stdout = "child_process.process_streams",
  stderr = "child_process.process_streams",
}

-- Methods that are loaded when they are first called.
local SYSTEM = "child_process.process_system"
local methods = {
  chdir = SYSTEM, cwd = SYSTEM, hrtime = SYSTEM, kill = SYSTEM, memoryUsage = SYSTEM,
  uptime = SYSTEM,
}

function metatable.__index(process, key)
  local value = Process[key]
  if value ~= nil then
    return value
  elseif getters[key] then
    return getters[key](process)
  elseif properties[key] then
    value = require(properties[key])[key](process)
    rawset(process, key, value)
  elseif methods[key] then
    value = require(methods[key])[key]
    Process[key] = value
  end
  return value
end

-- Raises unless a method was called with its object.
function Process._check(process, method)
  if type(process) ~= "table" then
    error(errors.invalidThis("process:" .. method))
  end
end

local check = Process._check

-- As in Node an exit code may be written in digits, too.
local function checkCode(value)
  local code = tonumber(value)
  if not code then
    error(errors.invalidArgType("code", "number", value))
  end
  return math.tointeger(code) or error(errors.outOfRange("code", "an integer", value))
end

function metatable.__newindex(process, key, value)
  if key == "title" then
    core.setTitle(tostring(value))
  elseif key == "exitCode" then
    rawset(process, "_exitCode", value ~= nil and checkCode(value) or nil)
  else
    rawset(process, key, value)
  end
end

--- Calls the function after what is running now, before any other event.
---@param callback function
---@param ... any its arguments
function Process:nextTick(callback, ...)
  check(self, "nextTick")
  loop.nextTick(callback, ...)
end

--- Ends the program now, after an "exit" event.
---@param code? integer default `exitCode`, or 0
function Process:exit(code)
  check(self, "exit")
  if code ~= nil then
    self.exitCode = code
  end
  self:_emitExit()
  os.exit(self.exitCode or 0)
end

-- Emits "exit", for the first time alone.
function Process:_emitExit()
  if not self._exiting then
    self._exiting = true
    self:emit("exit", self.exitCode or 0)
  end
end

-- Listeners: those of a signal have it handled, those of messages open the channel.

local signals -- loaded with the first listener of one
local channelEnd -- of the channel to the parent, if it has made one

local function isSignal(event)
  return type(event) == "string" and event:sub(1, 3) == "SIG" and core.signals[event] ~= nil
end

local function adder(base, method)
  return function(self, event, listener)
    check(self, method)
    base(self, event, listener)
    if channelEnd then
      channelEnd:listenersChanged()
    end
    if isSignal(event) then
      signals = signals or require("child_process.process_signals")
      local errno = signals.listen(self, event)
      if errno then
        baseOff(self, event, listener)
        error(errors.system(errno, "signal " .. event))
      end
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

local function listenersRemoved(process)
  if signals then
    signals.listenersRemoved(process)
  end
  if channelEnd then
    channelEnd:listenersChanged()
  end
end

--- As EventEmitter's; a signal that nobody listens to any more has its former effect again.
---@param event any
---@param listener function
---@return process self
function Process:off(event, listener)
  check(self, "off")
  baseOff(self, event, listener)
  listenersRemoved(self)
  return self
end

Process.removeListener = Process.off

--- As EventEmitter's; signals have their former effect again.
---@param event? any
---@return process self
function Process:removeAllListeners(event)
  check(self, "removeAllListeners")
  baseRemoveAll(self, event)
  listenersRemoved(self)
  return self
end

local process = Process.new()

loop.handleErrors(function(err, origin)
  return process:emit("uncaughtException", err, origin)
end)

events.handleWarnings(function(message, name)
  process:nextTick(function()
    if process:listenerCount("warning") > 0 then
      process:emit("warning", errors.Error(message, {name = name}))
    end
  end)
end)

if core.inheritedChannel then
  local ChannelEnd = require("child_process.channel")
  channelEnd = ChannelEnd.attach(process, core.channel(core.inheritedChannel), {
    serialization = core.inheritedSerialization,
    fields = process,
  })
  channelEnd:waitForListeners()
  core.inheritedChannel = nil
end

return process
