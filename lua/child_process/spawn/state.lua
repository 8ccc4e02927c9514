--- What other files ask a child about its state.

local core = require("child_process.core")
local errors = require("child_process.errors")

local fieldsOf = core.child.fields

---@class ChildProcess
local state = {}

-- The child in words, see active_handles.lua.
function state:_describe()
  local command = require("child_process.base.command_text")(self._shownArgs or self.spawnargs)
  return "child", ("%s (pid %s)"):format(command, tostring(self.pid))
end

local function isUnread(stream)
  return stream:_hasReadableSide() and not stream.readableEnded and not stream.destroyed
end

-- The first stream that was not read to its end, by which it delays the "close" of a child that has
-- ended: "stdout", or "terminal" if it is that. Nil without any.
function state:_unread()
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

-- The streams by descriptor, and at "terminal" that of a terminal of its own.
function state:_getStreams()
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
function state:_setUnawaited()
  fieldsOf(self)._unawaited = true
end

-- Whether the child runs, and keeps the loop alive for the program.
function state:_isReferenced()
  local fields = fieldsOf(self)
  local isRunning = fields.pid and not fields._exited
  return isRunning and not fields._unreferenced and not fields._unawaited
    and not core.child.isForeign(self) -- the original waits for that one
end

-- See events/wait.lua. A child that could not be started emits only "error" and "close". Waiting
-- for any other event raises the error, before it is emitted or after.
function state:_past(event)
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

return state
