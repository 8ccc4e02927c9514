--- Promises: values that are still to come.
-- Callbacks come on ticks, each on its own. A promise may be settled with several values, as a Lua
-- function returns several. What it keeps:
--
--   _state      nil, "fulfilled" or "rejected"
--   _values     of a fulfilled one, packed
--   _reason     of a rejected one; _traceback tells where it came from, where that is known
--   _reactions  those who are to be told, by growing numbers: one that is not wanted any more costs
--               the same among thousands
--   _count      the last of the numbers
--   _handled    somebody looks at the outcome, or will in any case: who only waits may give it up
local errors = require("child_process.lazy_errors")
local events = require("child_process.events")
local expect = require("child_process.expect")
local loop = require("child_process.loop")
local suspend = require("child_process.suspend")
local traces = require("child_process.promise_traces")

local tick, checkCallable = loop.tick, events.checkCallable

---@class Promise
---@overload fun(executor: fun(resolve: fun(...: any), reject: fun(reason: any))): Promise
local Promise = {}
local metatable = {__name = "Promise", __index = Promise}

local function isPromise(value)
  return getmetatable(value) == metatable
end

local check = expect.this("Promise", metatable)

local function newPending()
  -- with room for the fields that most promises get
  return setmetatable({_state = nil, _values = nil, _reactions = nil, _count = 0}, metatable)
end

-- Rejections that nobody looks at come out of `run`, once no tick is left in which somebody could.

local unhandled = {}

local function reportUnhandled()
  local list = unhandled
  unhandled = {}
  for _, promise in ipairs(list) do
    if not promise._handled then
      promise._handled = true -- it may be in the list twice
      loop.throw(promise._reason, promise._traceback, "unhandledRejection")
    end
  end
end

local function noteUnhandled(promise)
  unhandled[#unhandled + 1] = promise
  if #unhandled == 1 then
    loop.afterTicks(reportUnhandled)
  end
end

-- Settling. A reaction is a table with a method `settled`, which is called on a tick, or with a
-- waiter of suspend.lua.

local function settled(reaction)
  reaction:settled(reaction.source)
end

local function tell(promise, reaction)
  if reaction.waiter then
    suspend.wake(reaction.waiter)
  else
    reaction.source = promise
    tick(settled, reaction)
  end
end

local function tellAll(promise)
  local reactions = promise._reactions
  promise._reactions = nil
  for number = 1, reactions and promise._count or 0 do
    local reaction = reactions[number]
    if reaction then
      tell(promise, reaction)
    end
  end
end

local function fulfill(promise, ...)
  promise._state = "fulfilled"
  promise._values = table.pack(...)
  tellAll(promise)
end

local function reject(promise, reason, traceback)
  promise._state = "rejected"
  promise._reason = reason
  promise._traceback = traceback
  if not promise._handled and not (promise._reactions and next(promise._reactions)) then
    noteUnhandled(promise)
  end
  tellAll(promise)
end

local function addReaction(promise, reaction)
  local number = promise._count + 1
  promise._count = number
  promise._reactions = promise._reactions or {}
  promise._reactions[number] = reaction
  reaction.number = number
end

local function subscribe(promise, reaction)
  promise._handled = true
  if promise._state then
    tell(promise, reaction)
  else
    addReaction(promise, reaction)
  end
end

-- The reaction is not wanted any more. A rejection has found somebody to handle it all the same.
local function unsubscribe(promise, reaction)
  if promise._reactions then
    promise._reactions[reaction.number] = nil
  end
end

local function copyOutcome(reaction, source)
  local target = reaction.target
  if source._state == "fulfilled" then
    fulfill(target, table.unpack(source._values, 1, source._values.n))
  else
    reject(target, source._reason, source._traceback)
  end
end

-- A promise as the value: its outcome becomes that of the other one.
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

-- With the results of a protected call.
local function complete(promise, ok, ...)
  if ok then
    resolve(promise, ...)
  else
    local reason = ...
    reject(promise, reason, traces.take(reason))
  end
end

-- The functions that settle a promise; the first call of any counts. The third one is for what a
-- protected call has caught.
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

--- A promise that `executor` settles, which is called at once with two functions: the first one
--- fulfils it with values (a promise as value: takes over its outcome), the second one rejects it
--- with a reason. What the executor raises rejects it, too.
---@param executor fun(resolve: fun(...: any), reject: fun(reason: any))
---@return Promise
function Promise.new(executor)
  checkCallable("executor", executor)
  local promise = newPending()
  local doResolve, doReject, fail = settlers(promise)
  local ok, err = xpcall(executor, traces.handle, doResolve, doReject)
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
  local promise = newPending()
  reject(promise, reason, traces.here(reason))
  return promise
end

local function callHandler(reaction, source)
  local target = reaction.target
  if source._state == "fulfilled" then
    local values = source._values
    if reaction.onFulfilled then
      complete(target, xpcall(reaction.onFulfilled, traces.handle,
        table.unpack(values, 1, values.n)))
      return
    end
  elseif reaction.onRejected then
    complete(target, xpcall(reaction.onRejected, traces.handle, source._reason))
    return
  end
  copyOutcome(reaction, source)
end

--- Calls one of the functions when the promise is settled, on a tick. Without a function the
--- outcome is passed on.
---@param onFulfilled? fun(...: any): ... gets the values
---@param onRejected? fun(reason: any): ... gets the reason
---@return Promise # settled with what the function returns, rejected with what it raises
function Promise:andThen(onFulfilled, onRejected)
  check(self, "andThen")
  if onFulfilled ~= nil then
    checkCallable("onFulfilled", onFulfilled)
  end
  if onRejected ~= nil then
    checkCallable("onRejected", onRejected)
  end
  local target = newPending()
  subscribe(self, {
    settled = callHandler, target = target, onFulfilled = onFulfilled, onRejected = onRejected,
  })
  return target
end

--- The same as andThen(nil, onRejected).
---@param onRejected fun(reason: any): ...
---@return Promise
function Promise:catch(onRejected)
  check(self, "catch")
  return self:andThen(nil, onRejected)
end

--- Calls the function when the promise is settled, either way. A promise that it returns is waited
--- for.
---@param callback fun()
---@return Promise # with the same outcome, unless the callback fails
function Promise:finally(callback)
  check(self, "finally")
  checkCallable("callback", callback)
  local function after()
    return Promise.resolve(callback()):andThen(function()
      return self
    end)
  end
  return self:andThen(after, after)
end

-- Those who wait for a promise, with the waiter of suspend.lua. The waiting may be given up: an
-- error of another callback comes out of it, or the coroutine is closed. A rejection of which
-- nobody else hears is unhandled then.
local Waiting = {}

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

--- Waits for the promise: in a coroutine by suspending it, elsewhere by turning the loop until the
--- promise is settled. A callback of the loop can do neither, which is an error. A reason is raised
--- as it is; an Error object's traceback tells where it came from and where it was awaited.
---@return any ... the values
function Promise:await()
  check(self, "await")
  if not self._state then
    local waiting <close> = setmetatable({promise = self, waiter = {}}, Waiting)
    addReaction(self, waiting)
    suspend.wait(waiting.waiter)
    waiting.ended = true
  end
  self._handled = true
  if self._state == "fulfilled" then
    return table.unpack(self._values, 1, self._values.n)
  end
  traces.raise(self._reason, self._traceback)
end

function metatable:__tostring()
  return ("Promise (%s)"):format(self._state or "pending")
end

--- Is the value a promise?
---@param value any
---@return boolean
Promise.isPromise = isPromise

require("child_process.promise_groups")(Promise, subscribe, unsubscribe)

-- For async.lua and promisify.lua: a promise without the functions, and what these do.
Promise._pending, Promise._complete = newPending, complete
Promise._fulfill, Promise._reject = fulfill, reject

return setmetatable(Promise, {
  __call = function(_, executor)
    return Promise.new(executor)
  end,
})
