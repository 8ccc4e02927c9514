--- ChildProcess: a program that was started, with its streams, and its events in order.

local assign = require("child_process.base.assign")
local check = require("child_process.base.check")
local core = require("child_process.core")
local emitters = require("child_process.events.emitter")
local errors = require("child_process.errors")
local loop = require("child_process.loop")
local signals = require("child_process.spawn.signals")
local stdio = require("child_process.spawn.stdio")
local Stream = require("child_process.stream.stream")
local ticks = require("child_process.base.ticks")

local tick = ticks.tick
local pcall = pcall
local PIPE, sides = core.stdio.PIPE, stdio.sides

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
---@field killed boolean `kill` has sent a signal; 0 counts too
---@field connected boolean whether messages can be sent
---@field channel Channel? while it is open
---@field spawnfile string
---@field spawnargs string[]
local ChildProcess = core.ChildProcess
local start, reference, signal = core.child.start, core.child.reference, core.child.signal

assign(ChildProcess, emitters.methods, {
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
local hasListener = ChildProcess._hasListener -- takes that table, too

local function emitClose(child)
  local fields = fieldsOf(child)
  fields._closed = true
  if fields._ending then
    fields._ending:release()
  end
  child:emit("close", fields.exitCode, fields.signalCode)
end

-- "close" comes when the child has ended and all its streams are closed.
local function countClosed(child, fields)
  local open = fields._open - 1
  if open == 0 then
    -- On a tick, so that it comes after the listeners of the last stream.
    tick(emitClose, child)
    if fields._sharedStreams then
      tick(stdio.leave, fields._sharedStreams)
    end
  end
  fields._open = open
end

local function closed(child)
  countClosed(child, fieldsOf(child))
end

-- Lets "close" wait for a call of `_allowClose`. Returns false if it was emitted, or is about to
-- be.
function ChildProcess:_delayClose()
  local fields = fieldsOf(self)
  if not fields._open or fields._open == 0 then
    return false
  end
  fields._open = fields._open + 1
  return true
end

ChildProcess._allowClose = closed

local ChannelEnd -- loaded for the first channel, or the first call of `send`

local function loadChannel()
  local channel = require("child_process.channel.send")
  ChannelEnd = require("child_process.channel.end")
  ChildProcess.send, ChildProcess.disconnect = channel.send, channel.disconnect
end

local function attachChannel(child, options, handle)
  local errno = options.preamble and handle:sendPreamble(options.preamble)
  if not ChannelEnd then
    loadChannel()
  end
  fieldsOf(child)._channelEnd = ChannelEnd.new(child, handle, {
    serialization = options.serialization,
    maxMessageSize = options.maxMessageSize,
    preambleSize = options.preamble and #options.preamble,
    refusesHandles = options.host ~= nil,
    fields = fieldsOf(child),
    onclose = closed,
    failed = errno,
  })
end

-- Makes the terminal, or adds the child to that of another one. Returns how many streams were made.
local function attachTerminal(child, fields, description, handles)
  local terminal = description.stream
  local count = terminal and 0 or 1
  if not terminal then
    local handle = handles and handles.terminal
    local Terminal = require("child_process.stream.terminal")
    terminal = Terminal.new(handle, description, closed, child)
  end
  if handles then
    handles.terminal = nil
  end
  if fields.pid then
    terminal:_addUser()
    fields._usesTerminal = true
  end
  fields.terminal = terminal
  return count
end

local function leaveTerminal(fields)
  if fields._usesTerminal then
    fields._usesTerminal = nil
    fields.terminal:_removeUser()
  end
end

-- Makes the streams from the handles, which are absent if the program could not be started.
local function makeStreams(child, fields, options, handles)
  local descriptors = options.stdio
  local streams = handles or {}
  local open = 1
  if options.ipc and handles then
    attachChannel(child, options, handles[options.ipc])
    handles[options.ipc] = nil
    open = 2 -- "close" waits for the end of the channel as for that of a stream
  end
  local description = options.attributes and options.attributes.terminal
  if description then
    open = open + attachTerminal(child, fields, description, handles)
  end
  for index = 1, #descriptors do
    if descriptors[index] == PIPE then
      local fd = index - 1
      local side = sides[fd]
      streams[fd] = Stream.new(streams[fd], side.readable, side.writable, closed, child)
      open = open + 1
    end
  end
  fields._open = open
  fields.stdio = streams
  fields.stdin, fields.stdout, fields.stderr = streams[0], streams[1], streams[2]
end

local function emitSpawn(child)
  local fields = fieldsOf(child)
  fields._spawned = true
  if hasListener(fields, "spawn") then
    child:emit("spawn")
  end
end

local function fail(child, err)
  tick(function()
    child.exitCode = err.errno
    child._startError = err
    tick(closed, child)
    child:emit("error", err)
  end, true)
end

-- Sends a signal to the child, or to its tree. Returns an errno unless it was sent.
local function sendSignal(child, signum, tree)
  local remote = fieldsOf(child)._remote
  if remote then
    return remote:signal(signum, tree)
  end
  return signal(child, signum, tree)
end

-- Has another host start the program. Whether it can is known later.
local function beginThere(child, fields, options, done, argument)
  local remote, handles = options.host:_start(child, options)
  fields._remote, fields.host, fields.stdio = remote, options.host, handles
  makeStreams(child, fields, options, handles)
  -- For the end of what is left of the child there.
  fields._open = fields._open + 1
  if options.needsEnding then
    require("child_process.spawn.ending").start(child, options)
  end
  loop.started(child)
  if done then
    done(child, argument)
  end
end

-- Starts the program, and makes the child's streams, channel and ending. Returns an errno and a
-- child_process.StartFailure if the program cannot be started.
local function begin(child, fields, options, done, argument)
  if options.host then
    return beginThere(child, fields, options, done, argument)
  end
  local handles, pid, failure = start(child, options)
  if pid < 0 then
    return pid, failure
  end
  fields.pid, fields.stdio = pid, handles -- for `abandon`
  fields._sharedStreams = stdio.share(options.sharedStreams)
  makeStreams(child, fields, options, handles)
  tick(emitSpawn, child)
  if options.needsEnding then
    require("child_process.spawn.ending").start(child, options)
  end
  loop.started(child)
  if done then
    done(child, argument)
  end
end

local KILL = signals.number("SIGKILL")

-- Closes a stream, or the handle that was to become one, without any event.
local function discard(stream)
  if type(stream) == "table" then
    stream:_discard()
  else
    stream:close()
  end
end

-- Kills a child whose start has raised: no caller has it, and it emits nothing. The reason is
-- probably a lack of memory, so this function needs little.
local function abandon(child, fields, tree)
  local streams, channelEnd = fields.stdio, fields._channelEnd
  emitters.silence(fields)
  fields.stdio, fields.channel, fields._channelEnd = nil, nil, nil
  sendSignal(child, KILL, tree)
  reference(child, true) -- until it has ended, even if `done` has called unref
  if channelEnd then
    channelEnd:abandon()
  end
  if streams then
    for _, stream in pairs(streams) do
      discard(stream)
    end
  end
  if fields._ending then
    fields._ending:release()
    fields._ending = nil
  end
  if fields._sharedStreams then
    stdio.leave(fields._sharedStreams)
  end
  if fields.terminal and fields.terminal._owner == child then
    discard(fields.terminal)
  elseif fields.terminal then
    leaveTerminal(fields)
  end
end

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

-- Starts a program with options that arguments.lua has checked. Then calls `done`, if given, with
-- the child, the argument, and the error if the program could not be started. If `done` raises, the
-- start is undone.
function ChildProcess:_start(options, done, argument)
  local fields = fieldsOf(self)
  fields.spawnfile = options.file
  fields.spawnargs, fields._shownArgs = options.args, options.shownArgs
  local ok, problem, failure = pcall(begin, self, fields, options, done, argument)
  if not ok then
    abandon(self, fields, options.tree)
    error(problem, 0)
  elseif problem then
    makeStreams(self, fields, options)
    local err = errors.spawn(problem, "spawn", options, failure)
    fail(self, err)
    if done then
      done(self, argument, err)
    end
  end
  return self
end

-- The child in words, see active_handles.lua.
function ChildProcess:_describe()
  local command = require("child_process.base.command_text")(self._shownArgs or self.spawnargs)
  return "child", ("%s (pid %s)"):format(command, tostring(self.pid))
end

local function isUnread(stream)
  return stream:_hasReadableSide() and not stream.readableEnded and not stream.destroyed
end

-- The first stream that was not read to its end, by which it delays the "close" of a child that has
-- ended: "stdout", or "terminal" if it is that. Nil without any.
function ChildProcess:_unread()
  local fields, least = fieldsOf(self), nil
  if not fields._exited then
    return nil
  end
  for fd, stream in pairs(fields.stdio or {}) do
    least = isUnread(stream) and math.min(least or fd, fd) or least
  end
  if least then
    return require("child_process.base.stdio_name")(least)
  end
  local terminal = self:_getOwnTerminal()
  return terminal and isUnread(terminal) and "terminal" or nil
end

-- Data that nobody reads must not keep the streams open.
local function afterExit(child)
  local fields = fieldsOf(child)
  for _, stream in pairs(fields.stdio) do
    stream:_drainUnread()
  end
  countClosed(child, fields)
end

local function afterExitAtTerminal(child)
  local terminal = child:_getOwnTerminal()
  if terminal then
    terminal:_drainUnread()
  end
  afterExit(child)
end

-- The terminal that the child was started with, unless it is that of another child.
function ChildProcess:_getOwnTerminal()
  local terminal = fieldsOf(self).terminal
  return terminal and rawequal(terminal._owner, self) and terminal or nil
end

-- The streams by descriptor, and at "terminal" that of a terminal of its own.
function ChildProcess:_getStreams()
  local streams = fieldsOf(self).stdio or {}
  local terminal = self:_getOwnTerminal()
  if not terminal then
    return streams
  end
  local all = {terminal = terminal}
  for fd, stream in pairs(streams) do
    all[fd] = stream
  end
  return all
end

-- The program does not wait for the child: only exec listens.
function ChildProcess:_setUnawaited()
  fieldsOf(self)._unawaited = true
end

-- Whether the child runs, and keeps the loop alive for the program.
function ChildProcess:_isReferenced()
  local fields = fieldsOf(self)
  local isRunning = fields.pid and not fields._exited
  return isRunning and not fields._unreferenced and not fields._unawaited
    and not core.child.isForeign(self) -- the original waits for that one
end

-- See events/wait.lua. A child that could not be started emits only "error" and "close". Waiting
-- for any other event raises the error, before it is emitted or after.
function ChildProcess:_past(event)
  local fields = fieldsOf(self)
  local failure = fields._startError
  if failure and event == "error" then
    return {failure, n = 1}
  elseif failure then
    error(failure, 0)
  elseif event == "exit" and fields._exited or event == "close" and fields._closed then
    return {fields.exitCode, fields.signalCode, n = 2}
  elseif event == "spawn" and fields._spawned
    or event == "disconnect" and fields._channelEnd and fields._channelEnd:isDisconnected() then
    return {n = 0}
  elseif core.child.isForeign(self) then
    -- The original of this process has started the child, and gets its events.
    error(errors.system(-core.errno.ECHILD, "wait"))
  end
end

-- If it raises, it can be called again and does the rest.
local function emitExit(child, fields, code, name)
  if fields._exitEmitted then
    return
  end
  fields.exitCode = code
  fields.signalCode = name
  fields._exited = true
  if fields._ending then
    fields._ending:childEnded()
  end
  if not fields.stdio then -- abandoned
    return
  end
  local stdin = fields.stdio[0]
  if stdin then
    stdin:_close()
  end
  local afterwards = afterExit
  if fields.terminal then
    leaveTerminal(fields)
    afterwards = afterExitAtTerminal
  end
  if hasListener(fields, "exit") then
    tick(afterwards, child) -- before the listeners, which may raise
    fields._exitEmitted = true
    child:emit("exit", code, name)
  else
    afterwards(child)
    fields._exitEmitted = true
  end
end

-- In a copy of the process the endings of the original's children have no effect.
ticks.onCopied(function()
  for _, child in ipairs(core.child.takeForeign()) do
    local fields = fieldsOf(child)
    if fields._ending then
      fields._ending:release()
      fields._ending = nil
    end
  end
end)

-- Called by core once, with an exit code (a negative errno if it is unknown) or a signal's number.
function ChildProcess:onexit(code, signum)
  self:_ended(code, signum)
end

-- The same. Neither is given for a child of a host that was lost.
function ChildProcess:_ended(code, signum)
  local fields = fieldsOf(self)
  local name = signum and signals.name(signum)
  local channelEnd = fields._channelEnd
  if channelEnd and not channelEnd:isClosed() then
    -- The child's messages and "disconnect" come first.
    channelEnd:drain(function()
      emitExit(self, fields, code, name)
    end)
  else
    emitExit(self, fields, code, name)
  end
end

-- The child runs on another host.
function ChildProcess:_startedThere(pid)
  self.pid = pid
  emitSpawn(self)
end

-- The child could not be started on another host.
function ChildProcess:_failedThere(err)
  local fields = fieldsOf(self)
  fields.exitCode, fields._startError = err.errno, err
  fields._exited = true -- nothing is left to be signalled
  local channelEnd = fields._channelEnd
  if channelEnd and not channelEnd:isClosed() then
    channelEnd:cut()
  end
  for fd, stream in pairs(fields.stdio or {}) do
    if fd == 0 then
      stream:_close()
    else
      stream:_drainUnread()
    end
  end
  tick(closed, self)
  self:emit("error", err)
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

--- What the child uses while it runs. Raises ENOTSUP if the system does not report it.
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
  return self:_signalled(sendSignal(self, number), number)
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
