--- ChildProcess: a program that was started, its events in their order, its streams.
local core = require("child_process.core")
local errors = require("child_process.errors")
local events = require("child_process.events")
local expect = require("child_process.expect")
local loop = require("child_process.loop")
local signals = require("child_process.signals")
local Stream = require("child_process.stream")
local stdio = require("child_process.stdio")

local tick = loop.tick
local NEW_PIPE = core.NEW_PIPE

---@class ChildProcess : EventEmitter
---@field pid integer? nil if the program could not be started
---@field stdin Stream? the same as stdio[0]; nil unless that is a pipe
---@field stdout Stream?
---@field stderr Stream?
---@field stdio table<integer, Stream> by the child's descriptor
---@field exitCode integer? nil while it runs, and when a signal ended it
---@field signalCode string?
---@field killed boolean `kill` has sent a signal; 0 counts too
---@field connected boolean can messages be sent?
---@field channel Channel? while it is open
---@field spawnfile string
---@field spawnargs string[]
local ChildProcess = core.ChildProcess
local start, reference, signal = ChildProcess.start, ChildProcess.reference, ChildProcess.signal
ChildProcess.start, ChildProcess.reference, ChildProcess.signal = nil, nil, nil

for name, method in pairs(events.inherit("ChildProcess")) do
  if not ChildProcess[name] then
    ChildProcess[name] = method
  end
end
setmetatable(ChildProcess, {
  __call = function()
    return ChildProcess.new()
  end,
})

ChildProcess.killed = false
ChildProcess.connected = false

local check = expect.this("ChildProcess", "ChildProcess") -- core shows the name as metatable

local function emitClose(child)
  child:emit("close", child.exitCode, child.signalCode)
end

-- "close" comes when the child has ended and all its streams have told that they are closed.
local function closed(child)
  local open = child._open - 1
  child._open = open
  if open == 0 then
    -- In a tick, after the listeners of the stream that was the last.
    tick(emitClose, child)
  end
end

-- Fields are set and read on a child through metamethods; where there are many, this is the table
-- behind them.
local fieldsOf = core.fields

local function attachChannel(child, options, handles)
  local handle = handles[options.ipc]
  handles[options.ipc] = nil
  if options.preamble then
    handle:sendPreamble(options.preamble)
  end
  require("child_process.channel").attach(child, handle, {
    serialization = options.serialization,
    maxMessageSize = options.maxMessageSize,
    fields = fieldsOf(child),
    onclose = closed,
  })
end

-- Puts streams in the place of the handles, which are absent if the program could not be started.
local function makeStreams(child, fields, options, handles)
  local descriptors = options.stdio
  local streams = handles or {}
  local open = 1
  if options.ipc and handles then
    attachChannel(child, options, handles)
    open = 2 -- "close" waits for the end of the channel as for that of a stream
  end
  for index = 1, #descriptors do
    if descriptors[index] == NEW_PIPE then
      local fd = index - 1
      streams[fd] = Stream.new(streams[fd], fd ~= 0, fd == 0 or fd > 2, closed, child)
      open = open + 1
    end
  end
  fields._open = open
  fields.stdio = streams
  fields.stdin, fields.stdout, fields.stderr = streams[0], streams[1], streams[2]
end

local function emitSpawn(child)
  child:emit("spawn")
end

local function fail(child, err)
  tick(function()
    child.exitCode = err.errno
    tick(closed, child)
    child:emit("error", err)
  end, true)
end

local function timedOut(child)
  child._timer = nil
  child:kill(child._killSignal)
end

--- Starts a program with options that arguments.lua has checked.
---@param options table
---@return ChildProcess self
function ChildProcess:spawn(options)
  check(self, "spawn")
  local fields = fieldsOf(self)
  fields.spawnfile = options.file
  fields.spawnargs = options.args
  local pid, result = start(self, options)
  if not pid then
    makeStreams(self, fields, options)
    fail(self, errors.spawn(result, "spawn", options.file, options.args))
    return self
  end
  stdio.share(options.sharedStreams)
  fields.pid = pid
  makeStreams(self, fields, options, result)
  tick(emitSpawn, self)
  if options.timeout and options.timeout > 0 then
    fields._killSignal = options.killSignal
    fields._timer = require("child_process.timers").setTimeout(timedOut, options.timeout, self)
  end
  if options.signal then
    fields._forgetSignal = require("child_process.abort_child")(self, options.signal,
      options.killSignal)
  end
  loop.started()
  return self
end

-- What nobody reads must not keep the streams open, and a stream that was given to another child
-- is that one's to read.
local function afterExit(child)
  for _, stream in pairs(child.stdio) do
    if stream._sharedWithChild then
      stream:destroy()
    else
      stream:_drainUnread()
    end
  end
  closed(child)
end

-- Called by core, once: an exit code (a negative errno if nobody knows it), or a signal's number.
function ChildProcess:onexit(code, signum)
  local fields = fieldsOf(self)
  local name = signum and signals.name(signum)
  fields.exitCode = code
  fields.signalCode = name
  if fields._timer then
    fields._timer:close()
    fields._timer = nil
  end
  if fields._forgetSignal then
    fields._forgetSignal()
    fields._forgetSignal = nil
  end
  local stdin = fields.stdio[0]
  if stdin then
    stdin:_close()
  end
  local handlers = fields._events
  if handlers and handlers.exit then
    tick(afterExit, self) -- before the listeners, which may raise
    self:emit("exit", code, name)
  else
    afterExit(self)
  end
end

--- Sends a signal. What cannot be delivered for another reason than that the child has ended is an
--- "error" event. Raises ERR_UNKNOWN_SIGNAL for what is no signal.
---@param name? string|integer default "SIGTERM"; 0 only asks whether the child still runs
---@return boolean # was it sent?
function ChildProcess:kill(name)
  check(self, "kill")
  local number = name == 0 and 0 or signals.number(name == nil and "SIGTERM" or name)
  local errno = signal(self, number)
  if not errno then
    self.killed = true
    return true
  elseif errno ~= -core.errno.ESRCH then
    self:emit("error", errors.system(errno, "kill"))
  end
  return false
end

--- Sends a message to the child, which has it as a "message" event of its `process`. Needs a
--- channel, as children of fork have one, and those with 'ipc' in options.stdio. What goes wrong is
--- for the callback, or else an "error" event; a message or a handle that cannot be sent raises.
--- Node text: subprocess.send(message[, sendHandle[, options]][, callback]).
---@param message any what the child's `serialization` can express
---@param handle? SendHandle a server or socket that the child is to have, too
---@param options? SendOptions
---@param callback? fun(err: Error?) called when the message has been written
---@return boolean # false if the channel is closed, or if so much is waiting that more is unwise
---@overload fun(self: ChildProcess, message: any, callback: fun(err: Error?)): boolean
function ChildProcess:send(message, handle, options, callback)
  check(self, "send")
  return require("child_process.channel").methods.send(self, message, handle, options, callback)
end

--- Closes the channel. Messages that have come are still delivered, and those that were sent still
--- written, before "disconnect" is emitted. Without an open channel: an "error" event.
--- Node text: subprocess.disconnect().
function ChildProcess:disconnect()
  check(self, "disconnect")
  require("child_process.channel").methods.disconnect(self)
end

--- The loop runs until the child has ended, as it does at first.
---@return ChildProcess self
function ChildProcess:ref()
  check(self, "ref")
  reference(self, true)
  loop.started()
  return self
end

--- The loop may end although the child runs.
---@return ChildProcess self
function ChildProcess:unref()
  check(self, "unref")
  reference(self, false)
  return self
end

return ChildProcess
