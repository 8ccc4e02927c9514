--- The error of requests to a child that has ended.

local errors = require("child_process.errors")

local function because(text, cause)
  local err = errors.childEnded()
  err.message = text:format(cause.message)
  err.cause = cause
  return err
end

-- The error of a host, with which its child has ended: only then nothing says how.
local function lossOf(child)
  if child._exited and child.host and child.exitCode == nil and child.signalCode == nil then
    return child.host:_getError()
  end
end

--- How a child has ended, or why it could not be started.
---@param child ChildProcess
---@return Error
return function(child)
  local failure, loss = child._startError, lossOf(child)
  if failure then
    return because("The child could not be started: %s", failure)
  elseif loss then
    return because("The child ended before it replied: %s", loss)
  end
  return errors.childEnded(child.exitCode, child.signalCode)
end
