--- The errors of tasks.

local errors = require("child_process.errors")

---@class child_process.pool.failure
local failure = {}

local function ordinary(message, code, fields)
  local err = errors.Error(message, fields)
  err.code = code
  return err
end

-- Adds what a child has written to its stderr.
local function withStderr(err, stderr)
  if stderr and stderr ~= "" then
    err.stderr = stderr
    err.message = ("%s\n%s"):format(err.message, (stderr:gsub("%s+$", "")))
  end
  return err
end

---@class child_process.pool.End how a child has ended
---@field exitCode? integer
---@field signalCode? string
---@field startError? Error it could not be started
---@field trouble? Error it has emitted this, and then it has ended
---@field stderr? string the end of what it has written there
---@field ranOutOfMemory? boolean the kernel has killed it for lack of memory

local function how(ending)
  local problem = ending.startError or ending.trouble
  if problem then
    return problem.message
  elseif ending.ranOutOfMemory then
    return ("killed by the kernel for lack of memory, %s"):format(ending.signalCode)
  elseif ending.signalCode then
    return "killed by " .. ending.signalCode
  elseif ending.exitCode and ending.exitCode >= 0 then
    return ("exit code %d"):format(ending.exitCode)
  end
  return "exit code unknown"
end

local function fields(ending)
  return {
    exitCode = not ending.startError and ending.exitCode or nil, signalCode = ending.signalCode,
    cause = ending.startError or ending.trouble,
  }
end

--- A child has ended at a task.
---@param ending child_process.pool.End
---@param attempts integer how many children have ended at it
---@return Error
function failure.ended(ending, attempts)
  local message = attempts == 1 and "The child ended at the task (%s)"
    or ("%d children in a row ended at the task, the last one with: %%s"):format(attempts)
  local err = ordinary(message:format(how(ending)), "ERR_CHILD_ENDED", fields(ending))
  err.attempts = attempts
  return withStderr(err, ending.stderr)
end

--- No child of the pool gets ready.
---@param script string
---@param count integer how many have ended in a row
---@param ending child_process.pool.End of the last one
---@return Error
function failure.notStarted(script, count, ending)
  local err = ordinary(("%d children in a row ended before they were ready: %s (%s)"):format(count,
    script, how(ending)), "ERR_POOL_START", fields(ending))
  return withStderr(err, ending.stderr)
end

local MOST_HOSTS = 3 -- whose errors are shown

--- No host of the pool is left.
---@param places child_process.pool.Place[]
---@return Error
function failure.noHost(places)
  local lines, list = {}, {}
  for index, place in ipairs(places) do
    local err = place.host:_getError()
    list[index] = err
    if index <= MOST_HOSTS then
      lines[index] = err.message
    end
  end
  if #list > MOST_HOSTS then
    lines[#lines + 1] = ("and %d more, see the field errors"):format(#list - MOST_HOSTS)
  end
  local err = ordinary("No host of the pool is left: " .. table.concat(lines, "\n"),
    "ERR_POOL_NO_HOST")
  err.errors, err.cause = list, list[#list]
  return err
end

---@param timeout integer milliseconds
---@return Error
function failure.timedOut(timeout)
  local err = ordinary(("The task was not done within %d ms"):format(timeout), "ETIMEDOUT")
  err.name = "TimeoutError"
  return err
end

---@return Error
function failure.closed()
  return ordinary("The pool was closed, and takes no more tasks", "ERR_POOL_CLOSED")
end

---@return Error
function failure.terminated()
  return ordinary("The pool was terminated before the task was done", "ERR_POOL_TERMINATED")
end

return failure
