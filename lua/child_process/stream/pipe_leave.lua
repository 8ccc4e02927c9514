--- Destroys a source whose destination has gone.
-- When a destination closes or fails, its source is destroyed unless somebody else reads it. So the
-- program that writes to the source gets SIGPIPE, as in a shell.

local errors = require("child_process.errors")
local identity = require("child_process.stream.identity")
local tick = require("child_process.base.ticks").tick

---@class child_process.pipe_leave
local pipe_leave = {}

-- Bytes that are read and dropped, after everything was written, before a stream is destroyed.
local LINGER = 1024 * 1024

-- Reads and drops data, so that the other end does not block, and can see that we have finished.
-- Destroys the stream if too much arrives.
local function linger(source)
  local dropped = 0
  source:on("data", function(chunk)
    dropped = dropped + #chunk
    if dropped > LINGER then
      source:destroy()
    end
  end)
  source:resume()
end

--- Destroys a stream that nobody reads. A stream that goes both ways is left open until its user,
--- or its sources, have written everything to it.
---@param source Stream
function pipe_leave.abandon(source)
  if source.destroyed or source.readableEnded or source.isStandardStream or source:_isRead() then
    return
  elseif not source:_hasWritableSide() then
    source:destroy()
    return
  end
  source:_setAbandoned()
  if source.writableFinished then
    linger(source)
  elseif not source.writableEnded and source:_wasCutOff() then
    source:destroy()
  end
end

--- Ends a pipe whose destination has gone. The source is destroyed on the next tick unless somebody
--- reads it by then.
---@param source Stream
---@param destination Stream
function pipe_leave.leave(source, destination)
  -- Pipes also pause their source, while they wait for a destination.
  local wasPaused = source:_isPausedByUser() and not source:_isWaiting()
  source:unpipe(destination)
  if source:_isListenedTo() and not source:_hasPipes() and not wasPaused
    and not source.readableEnded then
    source:resume()
  end
  tick(pipe_leave.abandon, source)
end

--- Whether the error only reports that a program has stopped reading its stdin, for which the
--- source is destroyed anyway. Such an error needs no listener.
---@param source Stream
---@param destination Stream
---@param err any
---@return boolean
function pipe_leave.isQuiet(source, destination, err)
  return identity.isStream(destination) and not destination:_hasReadableSide()
    and errors.isError(err) and err.code == "EPIPE" and not source:_isRead()
end

return pipe_leave
