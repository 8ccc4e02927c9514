--- Starts the program of a child, and makes its streams and its channel.

local core = require("child_process.core")
local emitters = require("child_process.events.emitter")
local errors = require("child_process.errors")
local exit = require("child_process.spawn.exit")
local loop = require("child_process.loop")
local stdio = require("child_process.spawn.stdio")
local Stream = require("child_process.stream.stream")
local tick = require("child_process.base.ticks").tick

local pcall = pcall
local closed, fieldsOf = exit._allowClose, core.child.fields
local hasListener = emitters.methods._hasListener -- takes the table of fields, too
local KILL, PIPE, sides = core.signals.SIGKILL, core.stdio.PIPE, stdio.sides

---@class ChildProcess
local start = {}

local function attachChannel(child, options, handle)
  local errno = options.preamble and handle:sendPreamble(options.preamble)
  local ChannelEnd = require("child_process.channel.end") -- few programs have a channel
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
    open = open + child:_attachTerminal(description, handles, closed)
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
  local handles, pid, failure = core.child.start(child, options)
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
  child:_sendSignal(KILL, tree)
  core.child.reference(child, true) -- until it has ended, even if `done` has called unref
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
  if fields.terminal then
    child:_abandonTerminal()
  end
end

-- Starts a program with options that arguments.lua has checked. Then calls `done`, if given, with
-- the child, the argument, and the error if the program could not be started. If `done` raises, the
-- start is undone.
function start:_start(options, done, argument)
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

-- The child runs on another host.
function start:_startedThere(pid)
  self.pid = pid
  emitSpawn(self)
end

return start
