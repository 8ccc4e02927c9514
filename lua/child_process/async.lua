--- Functions that run in coroutines of their own.
local events = require("child_process.events")
local loop = require("child_process.loop")
local suspend = require("child_process.suspend")
local traces = require("child_process.promise_traces")
local Promise = require("child_process.promise")

-- Each function that is started by one that runs takes of Lua's limit of nested calls of C.
local DEEPEST = 16

local depth = 0

local function body(promise, fn, ...)
  Promise._complete(promise, xpcall(fn, traces.handle, ...))
end

local function start(thread, ...)
  depth = depth + 1
  suspend.resume(thread, ...)
  depth = depth - 1
end

--- Calls a function in a coroutine, in which it may wait for promises, events and streams while
--- others run. It starts at once; where functions that start functions are nested deeper than 16,
--- on a tick.
---@param fn function
---@param ... any its arguments
---@return Promise # fulfilled with what the function returns, rejected with what it raises
return function(fn, ...)
  events.checkCallable("fn", fn)
  local promise = Promise._pending()
  local thread = suspend.create(body, function(err, traceback)
    if not promise._state then
      Promise._reject(promise, err, traceback)
    end
  end)
  if depth < DEEPEST then
    start(thread, promise, fn, ...)
  else
    loop.nextTick(start, thread, promise, fn, ...)
  end
  return promise
end
