--- The process object: the running program. Each forked child loads this file at its start, so the
--- parts that few of them need have files of their own.

local compat = require("child_process.base.compat")
local core = require("child_process.core")
local emitters = require("child_process.events.emitter")
local errors = require("child_process.errors")
local loop = require("child_process.loop")
local os = require("child_process.base.standard").os

-- There is only one, with its channel and listeners, even if the Lua modules are loaded again.
if core.process then
  return core.process
end

--- Events: "exit" (code) at the end of a forked script, and when any script calls `exit`;
--- "beforeExit" (code) in a forked script, when nothing keeps its loop alive; "uncaughtException"
--- (error, and "uncaughtException" or "unhandledRejection"), whose listeners get errors that `run`
--- would raise; "warning" (error); "message", "internalMessage" (message) and "disconnect" of the
--- channel; signals by name.
---@class process : EventEmitter
---@field pid integer
---@field ppid integer
---@field platform string
---@field title? string the name that `ps -o comm` shows; may be set, Linux keeps 15 bytes of it
---@field execPath string the interpreter that is running
---@field argv0 string the name by which it was called
---@field argv table<integer, string> [0] the interpreter, [1] the script, [2] its first argument
---@field env table<string, string> reads and writes the environment
---@field execArgv string[] the flags that the interpreter was started with, for fork
---@field connected boolean? whether the channel to the parent is open; nil if there never was one
---@field channel Channel?
---@field send? fun(self: process, message: any, ...: any): boolean sends a message to the parent,
---as ChildProcess:send does and with the same arguments; nil if there never was a channel
---@field disconnect? fun(self: process) closes the channel; nil if there never was one
---@field request? fun(self: process, value: any, options?: RequestOptions): Promise sends a request
---to the parent, as ChildProcess:request does; nil if there never was a channel
---@field handle? fun(self: process, handler?: function): process sets the function that answers the
---parent's requests, as ChildProcess:handle does; nil if there never was a channel
---@field messages? fun(self: process, filter?: function): function iterates over messages, as
---ChildProcess:messages does; nil if there never was a channel
---@field exitCode integer? the default of `exit`, and of the end of a forked script
---@field stdin StandardStream
---@field stdout StandardStream
---@field stderr StandardStream
local Process, metatable = emitters.inherit("process")
local base = emitters.methods

-- Fields of the object itself are the properties below once they were made, fields that the program
-- has set, those of its channel, and:
--   _exitCode  the property exitCode
--   _exiting   "exit" was emitted

-- Properties that are looked up each time.
local getters = {
  pid = core.pid, ppid = core.ppid, platform = core.platform, title = core.title,
}

function getters.exitCode(process)
  return rawget(process, "_exitCode")
end

-- The files that make a property when it is first looked up. It keeps that value.
local properties = {
  argv = "child_process.process.argv",
  argv0 = "child_process.process.argv",
  execArgv = "child_process.process.argv",
  execPath = "child_process.process.argv",
  env = "child_process.process.env",
  stdin = "child_process.process.streams",
  stdout = "child_process.process.streams",
  stderr = "child_process.process.streams",
}

-- The files of methods that are loaded when they are first called.
local SYSTEM = "child_process.process.system"
local methods = {
  chdir = SYSTEM, cwd = SYSTEM, hrtime = SYSTEM, kill = SYSTEM, memoryUsage = SYSTEM,
  resourceUsage = SYSTEM, uptime = SYSTEM,
}

-- Further ones, if there is a channel.
local REQUEST = "child_process.channel.request"

-- Called for keys that are not in the class. A method, such as `send`, is found without this call.
getmetatable(Process).__index = function(_, key)
  local process, value = core.process, nil
  if getters[key] then
    value = getters[key](process)
  elseif properties[key] then
    value = require(properties[key])[key](process)
    rawset(process, key, value)
  elseif methods[key] then
    value = require(methods[key])[key]
    Process[key] = value
  end
  return value
end

local checkThis = emitters.thisCheck("process")

-- As in Node, an exit code may also be a string of digits.
local function checkCode(value)
  local code = tonumber(value)
  if not code then
    error(errors.invalidArgType("code", "number", value))
  end
  return compat.toInteger(code) or error(errors.outOfRange("code", "an integer", value))
end

function metatable.__newindex(process, key, value)
  if key == "title" then
    core.setTitle(tostring(value))
  elseif key == "exitCode" then
    rawset(process, "_exitCode", value ~= nil and checkCode(value) or nil)
  elseif getters[key] then
    error(errors.invalidArgValue("process." .. key, value, "cannot be set"))
  else
    rawset(process, key, value)
  end
end

--- Calls the function after the running callback and before any other event of the loop.
---@param callback function
---@param ... any its arguments
function Process:nextTick(callback, ...)
  checkThis(self, "nextTick")
  loop.nextTick(callback, ...)
end

--- Ends the program now, after an "exit" event.
---@param code? integer default `exitCode`, or 0
function Process:exit(code)
  checkThis(self, "exit")
  if code ~= nil then
    self.exitCode = code
  end
  self:_emitExit()
  os.exit(self.exitCode or 0)
end

-- Emits "exit", the first time only. Sets the exit code before that, if one is given.
function Process:_emitExit(code)
  if not self._exiting then
    self._exiting = true
    self.exitCode = code or self.exitCode
    self:emit("exit", self.exitCode or 0)
  end
end

-- Emits a warning that was written to stderr, on the next tick.
function Process:_emitWarning(message, name, fields)
  loop.nextTick(function()
    if self:listenerCount("warning") > 0 then
      local warning = errors.Error(message, fields)
      warning.name = name
      self:emit("warning", warning)
    end
  end)
end

local channelEnd -- of the channel to the parent; nil if the parent has made none

-- See events/wait.lua.
function Process._past(_, event)
  return event == "disconnect" and channelEnd and channelEnd:isDisconnected() and {n = 0} or nil
end

-- The module signals.lua, loaded with the first listener of a signal.
local signals

local function isSignal(event)
  return type(event) == "string" and event:sub(1, 3) == "SIG" and core.signals[event] ~= nil
end

local function listenerAdded(process, event, listener)
  if channelEnd then
    channelEnd:listenersChanged()
  end
  if isSignal(event) then
    signals = signals or require("child_process.process.signals")
    local errno = signals.listen(process, event)
    if errno then
      base.off(process, event, listener)
      error(errors.system(errno, "signal " .. event))
    end
  end
end

local function listenersRemoved(process)
  if signals then
    signals.listenersRemoved(process)
  end
  if channelEnd then
    channelEnd:listenersChanged()
  end
end

--- Like EventEmitter's. A listener of a signal by name ("SIGTERM") replaces the signal's usual
--- effect, and gets its name and number.
---@param event any
---@param listener function
---@return process self
function Process:on(event, listener)
  checkThis(self, "on")
  base.on(self, event, listener)
  listenerAdded(self, event, listener)
  return self
end

--- The same as on.
Process.addListener = Process.on

--- Like `on`, but the listener is called before those that the event has already.
---@param event any
---@param listener function
---@return process self
function Process:prependListener(event, listener)
  checkThis(self, "prependListener")
  base.prependListener(self, event, listener)
  listenerAdded(self, event, listener)
  return self
end

--- Like EventEmitter's. A signal without listeners has its usual effect again.
---@param event any
---@param listener function
---@return process self
function Process:off(event, listener)
  checkThis(self, "off")
  base.off(self, event, listener)
  listenersRemoved(self)
  return self
end

--- The same as off.
Process.removeListener = Process.off

--- Like EventEmitter's. Signals have their usual effect again.
---@param event? any
---@return process self
function Process:removeAllListeners(event)
  checkThis(self, "removeAllListeners")
  base.removeAllListeners(self, event)
  listenersRemoved(self)
  return self
end

local process = Process.new() ---@type process

loop.handleErrors(function(err, origin)
  return process:emit("uncaughtException", err, origin)
end)

if core.inheritedChannel then
  local channel = require("child_process.channel.send")
  Process.send, Process.disconnect = channel.send, channel.disconnect
  methods.request, methods.handle, methods.messages = REQUEST, REQUEST, REQUEST
  channelEnd = require("child_process.channel.end").new(process,
    core.channel(core.inheritedChannel), {
      serialization = core.inheritedSerialization,
      fields = process,
    })
  channelEnd:waitForListeners()
  core.inheritedChannel = nil
end

core.process = process -- last, since loading may run out of memory before
return process
