--- The end of a child: "exit" when it has ended, and "close" when all its streams have, too.

local core = require("child_process.core")
local emitters = require("child_process.events.emitter")
local signals = require("child_process.spawn.signals")
local stdio = require("child_process.spawn.stdio")
local ticks = require("child_process.base.ticks")

local tick = ticks.tick
local fieldsOf = core.child.fields
local hasListener = emitters.methods._hasListener -- takes the table of fields, too

---@class ChildProcess
local exit = {}

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
  local fields = fieldsOf(child)
  if fields.stdio then -- else it was abandoned
    countClosed(child, fields)
  end
end

-- Lets "close" wait for a call of `_allowClose`. Returns false if it was emitted, or is about to
-- be.
function exit:_delayClose()
  local fields = fieldsOf(self)
  if not fields._open or fields._open == 0 then
    return false
  end
  fields._open = fields._open + 1
  return true
end

exit._allowClose = closed

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
    child:_leaveTerminal()
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
function exit:onexit(code, signum)
  self:_ended(code, signum)
end

-- The same. Neither is given for a child of a host that was lost.
function exit:_ended(code, signum)
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

-- The child could not be started on another host.
function exit:_failedThere(err)
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

return exit
