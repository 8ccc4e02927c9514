--- The class Promise, without the functions for several promises.
-- Each callback is called on a tick of its own. A promise may be settled with several values, as a
-- Lua function returns several.

local compat = require("child_process.base.compat")
local errors = require("child_process.errors")
local emitters = require("child_process.events.emitter")
local check = require("child_process.base.check")
local loop = require("child_process.loop")
local ticks = require("child_process.base.ticks")
local wait = require("child_process.loop.wait")
local traces = require("child_process.errors.traces")

local tick, checkCallable = ticks.tick, emitters.checkCallable

---@class Promise
---@overload fun(executor: fun(resolve: fun(...: any), reject: fun(reason: any))): Promise
local Promise = {
  _finally = false, ---@type Promise|false the promise whose `finally` has made this one
  _handled = false, -- somebody has got the outcome, or certainly will; a coroutine that waits does
  -- not count, since it may give up
  _reasonTaken = false, -- somebody has got the reason of the rejection
  _reason = nil, ---@type any the reason of a rejected promise
  _traceback = nil, ---@type string? where the reason comes from, if that is known
}
local metatable = {__name = "Promise", __index = Promise}

local function isPromise(value)
  return getmetatable(value) == metatable
end

local checkThis = check.this("Promise", metatable)

local function newPending()
  return setmetatable({
    _count = 0, -- the number of the last reaction
    _reactions = nil, -- by ascending numbers, so that one of thousands is removed as fast as any
    _state = nil, ---@type "fulfilled"|"rejected"|nil
    _values = nil, -- the packed values of a fulfilled promise
  }, metatable)
end

-- Rejections that nobody handles come out of `run`, once no tick is left that could handle them.

local unhandled = {}

local function setImmediate(...)
  require("child_process.loop.immediates").setImmediate(...)
end

local function report(promise)
  if not promise._handled then
    promise._handled = true -- it may be in the list twice
    loop.throw(promise._reason, promise._traceback, "unhandledRejection")
  end
end

-- A rejection that `finally` passes on may still be handled at its source, by a coroutine that
-- `finally` woke and that runs after an iteration of the loop.
local function reportUnlessTaken(promise)
  if not promise._finally._reasonTaken then
    report(promise)
  end
end

-- Code outside of coroutines whose wait is over goes on before the loop does, and may handle them.
local function reportAll(list)
  if wait.isReturning() then
    setImmediate(reportAll, list)
    return
  end
  for _, promise in ipairs(list) do
    if promise._finally and rawequal(promise._finally._reason, promise._reason) then
      setImmediate(setImmediate, reportUnlessTaken, promise)
    else
      report(promise)
    end
  end
end

local function reportUnhandled()
  local list = unhandled
  unhandled = {}
  reportAll(list)
end

local function noteUnhandled(promise)
  unhandled[#unhandled + 1] = promise
  if #unhandled == 1 then
    ticks.afterTicks(reportUnhandled)
  end
  loop.started(promise)
end

-- Settling. A reaction is a table with a method `settled`, which is called on a tick, or with a
-- waiter of wait.lua.

local function settled(reaction)
  reaction:settled(reaction.source)
end

local function notify(promise, reaction)
  if reaction.waiter then
    wait.wake(reaction.waiter)
  else
    reaction.source = promise
    tick(settled, reaction)
  end
end

local function notifyAll(promise)
  local reactions = promise._reactions
  promise._reactions = nil
  for number = 1, reactions and promise._count or 0 do
    local reaction = reactions[number]
    if reaction then
      notify(promise, reaction)
    end
  end
end

local function fulfill(promise, ...)
  promise._state = "fulfilled"
  promise._values = compat.pack(...)
  notifyAll(promise)
end

local function reject(promise, reason, traceback)
  promise._state = "rejected"
  promise._reason = reason
  promise._traceback = traceback
  if not promise._handled and not (promise._reactions and next(promise._reactions)) then
    noteUnhandled(promise)
  end
  notifyAll(promise)
end

local function addReaction(promise, reaction)
  local number = promise._count + 1
  promise._count = number
  reaction.number = number
  promise._reactions = promise._reactions or {}
  promise._reactions[number] = reaction
end

local function subscribe(promise, reaction)
  promise._handled = true
  if promise._state then
    notify(promise, reaction)
  else
    addReaction(promise, reaction)
  end
end

-- Removes a reaction. The promise stays handled.
local function unsubscribe(promise, reaction)
  if promise._reactions and reaction.number then
    promise._reactions[reaction.number] = nil
  end
end

local function copyOutcome(reaction, source)
  local target = reaction.target
  if source._state == "fulfilled" then
    fulfill(target, compat.unpack(source._values, 1, source._values.n))
  else
    reject(target, source._reason, source._traceback)
  end
end

-- Fulfils the promise. If the value is another promise, takes over its outcome.
local function resolve(promise, ...)
  local value = ...
  if not isPromise(value) then
    fulfill(promise, ...)
  elseif rawequal(value, promise) then
    reject(promise, errors.TypeError("Chaining cycle detected for promise"))
  else
    subscribe(value, {settled = copyOutcome, target = promise})
  end
end

-- Settles the promise with the results of a protected call.
local function complete(promise, ok, ...)
  if ok then
    resolve(promise, ...)
  else
    local reason = ...
    reject(promise, reason, traces.take(reason))
  end
end

-- Returns three functions that settle a promise: with values, with a reason, and with an error that
-- a protected call has caught. Only the first call of any of them counts.
local function settlers(promise)
  local done = false
  return function(...)
    if not done then
      done = true
      resolve(promise, ...)
    end
  end, function(reason)
    if not done then
      done = true
      reject(promise, reason, traces.here(reason))
    end
  end, function(reason)
    local traceback = traces.take(reason)
    if not done then
      done = true
      reject(promise, reason, traceback)
    end
  end
end

--- A promise that `executor` settles. The executor is called at once with two functions. The first
--- one fulfils the promise with values, or takes over the outcome of another promise that is given
--- as the value; the second one rejects it with a reason. An error in the executor rejects it, too.
---@param executor fun(resolve: fun(...: any), reject: fun(reason: any))
---@return Promise
function Promise.new(executor)
  checkCallable("executor", executor)
  local promise = newPending()
  local doResolve, doReject, fail = settlers(promise)
  local ok, err = compat.xpcall(executor, traces.handle, doResolve, doReject)
  if not ok then
    fail(err)
  end
  return promise
end

--- A promise with the functions that settle it.
---@return Promise
---@return fun(...: any) resolve
---@return fun(reason: any) reject
function Promise.withResolvers()
  local promise = newPending()
  local doResolve, doReject = settlers(promise)
  return promise, doResolve, doReject
end

--- A promise that is fulfilled with the values. A promise is returned as it is.
---@param ... any
---@return Promise
function Promise.resolve(...)
  check.dot((...), Promise, "Promise.resolve")
  if isPromise((...)) then
    return (...)
  end
  local promise = newPending()
  fulfill(promise, ...)
  return promise
end

--- A promise that is rejected.
---@param reason any
---@return Promise
function Promise.reject(reason)
  check.dot(reason, Promise, "Promise.reject")
  local promise = newPending()
  reject(promise, reason, traces.here(reason))
  return promise
end

local function callHandler(reaction, source)
  local target = reaction.target
  if source._state == "fulfilled" then
    local values = source._values
    if reaction.onFulfilled then
      complete(target, compat.xpcall(reaction.onFulfilled, traces.handle,
        compat.unpack(values, 1, values.n)))
      return
    end
  elseif reaction.onRejected then
    source._reasonTaken = source._reasonTaken or not reaction.passesOn
    complete(target, compat.xpcall(reaction.onRejected, traces.handle, source._reason))
    return
  end
  copyOutcome(reaction, source)
end

local function react(promise, onFulfilled, onRejected, passesOn)
  local target = newPending()
  subscribe(promise, {
    settled = callHandler, target = target, onFulfilled = onFulfilled, onRejected = onRejected,
    passesOn = passesOn,
  })
  return target
end

--- Calls one of the functions when the promise is settled, on a tick. Without a function the
--- outcome is passed on.
---@param onFulfilled? fun(...: any): ... gets the values
---@param onRejected? fun(reason: any): ... gets the reason
---@return Promise # settled with what the function returns, rejected with what it raises
function Promise:andThen(onFulfilled, onRejected)
  checkThis(self, "andThen")
  if onFulfilled ~= nil then
    checkCallable("onFulfilled", onFulfilled)
  end
  if onRejected ~= nil then
    checkCallable("onRejected", onRejected)
  end
  return react(self, onFulfilled, onRejected)
end

--- The same as andThen(nil, onRejected).
---@param onRejected fun(reason: any): ...
---@return Promise
function Promise:catch(onRejected)
  checkThis(self, "catch")
  return self:andThen(nil, onRejected)
end

--- Calls the function when the promise is settled, either way. If it returns a promise, that is
--- awaited.
---@param callback fun()
---@return Promise # with the same outcome, unless the callback fails
function Promise:finally(callback)
  checkThis(self, "finally")
  checkCallable("callback", callback)
  local function after()
    return Promise.resolve(callback()):andThen(function()
      return self
    end)
  end
  local target = react(self, after, after, true)
  target._finally = self
  return target
end

-- The reaction of `await`, with the waiter of wait.lua. The wait ends early if an error of another
-- callback comes out of it, or if the coroutine is closed. A rejection that nobody else handles is
-- unhandled then.
local Waiting = {}
Waiting.__index = Waiting

function Waiting:__close()
  local promise = self.promise
  if self.ended then
    return
  elseif not promise._state then
    unsubscribe(promise, self)
  elseif promise._state == "rejected" and not promise._handled then
    noteUnhandled(promise)
  end
end

--- Waits for the promise: in a coroutine by suspending it, elsewhere by running the loop until the
--- promise is settled. A callback of the loop can do neither, and gets ERR_WAIT_IN_CALLBACK. A
--- reason is raised as it is; an Error object's traceback says where it came from and where it was
--- awaited.
---@return any ... the values
function Promise:await()
  checkThis(self, "await")
  if not self._state then
    local waiter = {patient = true, what = "a promise"}
    local waiting = setmetatable({promise = self, waiter = waiter}, Waiting)
    addReaction(self, waiting)
    compat.scope(waiting, wait.suspend, waiter)
    waiting.ended = true
  end
  self._handled = true
  if self._state == "fulfilled" then
    return compat.unpack(self._values, 1, self._values.n)
  end
  self._reasonTaken = true
  return traces.raise(self._reason, self._traceback)
end

function metatable:__tostring()
  return ("Promise (%s)"):format(self._state or "pending")
end

--- Whether the value is a promise.
---@type fun(value: any): boolean
Promise.isPromise = isPromise

-- For this project's files -----------------------------------------------------------------------

-- A promise that one of the next methods settles.
Promise._pending = newPending

Promise._complete, Promise._fulfill, Promise._reject = complete, fulfill, reject

-- Calls `reaction:settled(promise)` on a tick when the promise is settled.
Promise._subscribe = subscribe
Promise._unsubscribe = unsubscribe

function Promise:_isPending()
  return not self._state
end

-- Returns true and the first value of a fulfilled promise, false and the reason of a rejected one.
function Promise:_outcome()
  if self._state == "fulfilled" then
    return true, self._values[1]
  end
  return false, self._reason
end

-- Whether the promise is rejected, and nobody has handled that.
function Promise:_isUnhandled()
  return self._state == "rejected" and not self._handled
end

return setmetatable(Promise, {
  __call = function(_, executor)
    return Promise.new(executor)
  end,
})
