--- Ends what a function waits for, if the waiting ends early: by an error, or because the coroutine
--- is closed.

-- Whether a coroutine can yield in what pcall has called. PUC Lua 5.1 cannot.
local probe = coroutine.create(function()
  pcall(coroutine.yield)
end)
coroutine.resume(probe)
local yieldsInPcall = coroutine.status(probe) == "suspended"

local function isOutsideOfCoroutines()
  local thread, isMain = coroutine.running()
  return thread == nil or isMain == true
end

local Guard = {}
Guard.__index = Guard

function Guard:__close()
  if not self.isOver then
    self.stop(self.argument)
  end
end

local function finish(guard, ok, ...)
  guard:__close()
  if not ok then
    error((...), 0)
  end
  return ...
end

-- A coroutine of Lua 5.1 that waits cannot be guarded.
local scope = function(guard, fn, argument)
  if yieldsInPcall or isOutsideOfCoroutines() then
    return finish(guard, pcall(fn, guard, argument))
  end
  return fn(guard, argument)
end

if rawget(coroutine, "close") then
  scope = assert(load([[local guard, fn, argument = ...
    local closing <close> = guard
    return fn(guard, argument)]], "=?"))
end

local function call(guard, argument)
  local value = guard.fn(argument)
  guard.isOver = true
  return value
end

--- Returns `fn(argument)`. If that does not return, calls `stop(argument)`.
---@param argument any
---@param fn fun(argument: any): any
---@param stop fun(argument: any)
---@return any
return function(argument, fn, stop)
  local guard = setmetatable({fn = fn, stop = stop, argument = argument, isOver = false}, Guard)
  return scope(guard, call, argument)
end
