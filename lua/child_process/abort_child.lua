--- options.signal: a child that is killed when the signal is aborted.
-- Node text: the sentences on `signal` and .abort() of spawn, exec, execFile and fork.
local errors = require("child_process.errors")
local loop = require("child_process.loop")

--- Kills the child when the signal is aborted, on the next tick if it is so already. The child
--- emits an AbortError.
---@param child ChildProcess
---@param signal AbortSignal
---@param killSignal string|integer
---@return fun() # makes the child independent of the signal
return function(child, signal, killSignal)
  local number
  local function kill()
    number = nil
    if child:kill(killSignal) then
      child:emit("error", errors.AbortError(nil, {cause = signal.reason}))
    end
  end
  if signal.aborted then
    loop.tick(kill, true)
  else
    number = signal:_add(kill)
  end
  return function()
    if number then
      signal:_remove(number)
    end
  end
end
