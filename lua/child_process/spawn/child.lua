--- ChildProcess: a program that was started, with its streams, and its events in order.
-- This file has the methods for programs. Each file that it loads adds a part to the class.

local assign = require("child_process.base.assign")
local check = require("child_process.base.check")
local childTerminal = require("child_process.spawn.child_terminal")
local core = require("child_process.core")
local emitters = require("child_process.events.emitter")
local errors = require("child_process.errors")
local exit = require("child_process.spawn.exit")
local loop = require("child_process.loop")
local signals = require("child_process.spawn.signals")
local start = require("child_process.spawn.start")
local state = require("child_process.spawn.state")

---@class ChildProcess : EventEmitter
---@field pid integer? nil if the program could not be started, and on another host before "spawn"
---@field host Host? options.host
---@field stdin Stream? the same as stdio[0]; nil unless that is a pipe
---@field stdout Stream?
---@field stderr Stream?
---@field stdio table<integer, Stream> by the child's descriptor
---@field terminal Terminal? with options.terminal
---@field exitCode integer? nil while it runs, and when a signal ended it
---@field signalCode string?
---@field timedOut boolean its `timeout` was exceeded
---@field isForcefullyTerminated boolean SIGKILL had to follow another signal, see `kill`
---@field heldStreams string[]? the streams that others held for longer than `waitDelay`: "stdout"
---@field killed boolean `kill` has sent a signal; 0 counts too
---@field connected boolean whether messages can be sent
---@field channel Channel? while it is open
---@field spawnfile string
---@field spawnargs string[]
local ChildProcess = core.ChildProcess
local reference, signal = core.child.reference, core.child.signal

assign(ChildProcess, emitters.methods, start, exit, childTerminal, state, {
  killed = false, timedOut = false, isForcefullyTerminated = false, connected = false,
})
setmetatable(ChildProcess, {
  __call = function()
    return ChildProcess.new()
  end,
})

-- For a child getmetatable returns the name of the class.
local checkThis = check.this("ChildProcess", "ChildProcess")

-- Fields of a child are set and read through metamethods. This function returns the table behind
-- them, for functions that use many. Private fields, which core's constructor leaves absent:
--   _open           how many of these have not ended: the child itself, its streams, its channel
--   _spawned, _exited, _closed  the event of this name was emitted, or is about to be
--   _exitEmitted    the listeners of "exit" were called, and the steps after it are under way
--   _startError     "error" was emitted with this: the program could not be started
--   _channelEnd     the ChannelEnd, even after the channel was closed
--   _ending         the Ending, if it has an option for that
--   _sharedStreams  streams of ours that it was started with
--   _shownArgs      the command to show to people, where spawnargs has fork's launcher in it
--   _unreferenced   `unref` was called
--   _usesTerminal   it has `terminal` and runs
--   _unawaited      only exec listens, and it has no callback to call
--   _remote         a RemoteChild, which stands for it here, if it runs on another host
local fieldsOf = core.child.fields

--- Starts a program, for a child that ChildProcess() has made.
---@param options ChildOptions
---@return ChildProcess self
function ChildProcess:spawn(options)
  checkThis(self, "spawn")
  if self.spawnfile then
    error(errors.Error("ChildProcess:spawn was called before: a ChildProcess starts one program"))
  end
  return self:_start(require("child_process.spawn.child_options")(options))
end

-- Sends a signal to the child, or to its tree. Returns an errno unless it was sent.
function ChildProcess:_sendSignal(signum, tree)
  local remote = fieldsOf(self)._remote
  if remote then
    return remote:signal(signum, tree)
  end
  return signal(self, signum, tree)
end

-- Notes the result of core.child.signal. Returns whether the signal was sent.
function ChildProcess:_signalled(errno, signum, tree)
  if not errno then
    self.killed = true
    return true
  elseif errno ~= -core.errno.ESRCH then
    self:emit("error", errors.kill(errno, signals.name(signum), self.pid, tree))
  end
  return false
end

--- What the child, and those of its descendants that were waited for, have used.
---@return ResourceUsage? # nil before "exit", and if another part of the program has taken the exit
---status
function ChildProcess:resourceUsage()
  checkThis(self, "resourceUsage")
  local fields = fieldsOf(self)
  if fields._remote then
    return fields._exited and fields._remote:getUsage() or nil
  end
  return fields._exited and core.child.usage(self) or nil
end

---@class StatsOptions
---@field tree? boolean add what the descendants of the child use, and have used

--- What the child uses while it runs. Raises ENOTSUP if the system does not report it. If the child
--- runs on another host, this waits for the answer: in a coroutine it suspends, outside it runs the
--- loop.
---@param options? StatsOptions
---@return ChildStats? # nil before the start and after the end
function ChildProcess:stats(options)
  checkThis(self, "stats")
  return require("child_process.spawn.stats")(self, options)
end

--- Sends a signal. Emits "error" if that fails, unless the child has ended. Raises
--- ERR_UNKNOWN_SIGNAL for an unknown signal.
---@param name? string|integer default "SIGTERM"; 0 only checks whether the child still runs
---@param options? KillOptions
---@return boolean # whether it was sent, with `tree` to at least one process; false in a copy of
---the process that started the child
function ChildProcess:kill(name, options)
  checkThis(self, "kill")
  local number = name == 0 and 0 or signals.number(name == nil and "SIGTERM" or name)
  if options ~= nil or fieldsOf(self)._ending then
    return require("child_process.spawn.ending").of(self):getTermination():kill(number, options)
  end
  return self:_signalled(self:_sendSignal(number), number)
end

---@class DisposeOptions
---@field grace? number milliseconds, an integer, after which SIGKILL follows, and also how long a
---reader may take nothing; math.huge: never, and forever; default options.forceKillAfterDelay, or
---else 5000

--- Ends the child and all its descendants for good: sends SIGTERM now, and SIGKILL after a time to
--- those that are left. Then the streams end, also those that others hold: their readers get what
--- has arrived, and what nobody reads is thrown away. In Node subprocess[Symbol.dispose]() only
--- sends SIGTERM to the child, as `kill` does. Raises an error before the start of the child.
---@param options? DisposeOptions
---@return Promise # fulfilled at "close" with the exit code and the signal
function ChildProcess:dispose(options)
  checkThis(self, "dispose")
  return require("child_process.spawn.disposal").dispose(self, options)
end

-- Called when a to-be-closed variable with the child goes out of scope, with the error of
-- its block.
function ChildProcess:_leave(blockError)
  local ending = fieldsOf(self)._ending
  if ending and ending:makesBlocksWait() then
    require("child_process.spawn.disposal").wait(self, blockError)
  else
    self:kill()
  end
end

-- Loads the methods for messages, which few programs need.
local function loadChannel()
  local channel = require("child_process.channel.send")
  ChildProcess.send, ChildProcess.disconnect = channel.send, channel.disconnect
end

--- Sends a message to the child, whose `process` emits it as "message". Children of fork, and
--- those with 'ipc' in options.stdio, have a channel. Errors go to the callback if there is one,
--- otherwise to "error"; a message or a handle that cannot be sent raises.
--- In Node: subprocess.send(message[, sendHandle[, options]][, callback]).
---@param message any what the child's `serialization` can express
---@param handle? SendHandle a server or socket to send to the child
---@param options? SendOptions
---@param callback? fun(err: Error?) called when the message has been written
---@return boolean # false if the channel is closed, or the backlog is high
---@overload fun(self: ChildProcess, message: any, callback: fun(err: Error?)): boolean
function ChildProcess:send(message, handle, options, callback)
  loadChannel()
  return ChildProcess.send(self, message, handle, options, callback)
end

--- Closes the channel. Messages that have arrived are still delivered, and sent ones still written,
--- before "disconnect". Emits "error" if there is no open channel.
--- In Node: subprocess.disconnect().
function ChildProcess:disconnect()
  loadChannel()
  ChildProcess.disconnect(self)
end

local function requestMethods()
  return require("child_process.channel.request")
end

--- Sends a value to the child, whose function of `process:handle` answers it. Raises an error if
--- the value or the handle cannot be sent.
---@param value any what can be sent as a message, but not nil
---@param options? RequestOptions
---@return Promise # of the reply; rejected with the error of that function, or with ERR_CHILD_ENDED
---if the child ends before, with `exitCode` and `signalCode`
function ChildProcess:request(value, options)
  return requestMethods().request(self, value, options)
end

--- Sets the function that answers the requests of the child: with what it returns, or with the
--- error that it raises. It may wait; meanwhile it is called for other requests. nil removes it.
---@param handler? fun(value: any, handle: any, request: IncomingRequest): any
---@return ChildProcess self
function ChildProcess:handle(handler)
  return requestMethods().handle(self, handler)
end

--- Iterates over the messages that come from now on, until the channel closes. Leaving the loop
--- ends the listening.
---@param filter? fun(message: any, handle: any): any only messages for which it returns true
---@return fun(): any, any # returns the next message with its handle; nil at the end
function ChildProcess:messages(filter)
  return requestMethods().messages(self, filter)
end

--- Lets the child keep the loop alive until it has ended, which is the default.
---@return ChildProcess self
function ChildProcess:ref()
  checkThis(self, "ref")
  reference(self, true)
  self._unreferenced = nil
  if self._remote then
    self._remote:reference(true)
  end
  if self._ending then
    self._ending:reference(true)
  end
  loop.started()
  return self
end

--- Lets the loop end although the child runs.
---@return ChildProcess self
function ChildProcess:unref()
  checkThis(self, "unref")
  reference(self, false)
  self._unreferenced = true
  if self._remote then
    self._remote:reference(false)
  end
  if self._ending then
    self._ending:reference(false)
  end
  return self
end

return ChildProcess
