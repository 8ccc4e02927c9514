--- Functions that run in coroutines of their own.

local compat = require("child_process.base.compat")
local emitters = require("child_process.events.emitter")
local loop = require("child_process.loop")
local wait = require("child_process.loop.wait")
local traces = require("child_process.errors.traces")
local Promise = require("child_process.promise.promise")

-- Each nested start uses up a part of Lua's limit of nested C calls.
local DEEPEST = 16

local depth = 0

-- In Lua 5.1 a coroutine could not wait in the protected call. There an error ends the coroutine.
local function body(promise, fn, ...)
  if compat.yieldsAnywhere then
    promise:_complete(xpcall(fn, traces.handle, ...))
  else
    promise:_complete(true, fn(...))
  end
end

local function start(thread, ...)
  depth = depth + 1
  wait.resume(thread, ...)
  depth = depth - 1
end

--- Calls a function in a coroutine, in which it may wait for promises, events and streams while
--- others run. It starts at once, or on a tick if such calls are nested deeper than 16.
---@param fn function
---@param ... any its arguments
---@return Promise # fulfilled with what the function returns, rejected with what it raises
return function(fn, ...)
  emitters.checkCallable("fn", fn)
  local promise = Promise._pending()
  local thread = wait.create(body, function(err, traceback, thread)
    if promise:_isPending() then
      promise:_reject(err, compat.yieldsAnywhere and traceback or traces.ofEnded(thread, err))
    end
  end)
  if depth < DEEPEST then
    start(thread, promise, fn, ...)
  else
    loop.nextTick(start, thread, promise, fn, ...)
  end
  return promise
end
