--- AbortSignal: an object that ends the operations to which it was given.

local assign = require("child_process.base.assign")
local check = require("child_process.base.check")
local compat = require("child_process.base.compat")
local emitters = require("child_process.events.emitter")
local following = require("child_process.abort.following")
local loop = require("child_process.loop")
local traces = require("child_process.errors.traces")

---@class AbortSignal : EventEmitter "abort" is emitted once, with {type = "abort", target = signal}
---@field aborted boolean
---@field reason any what it was aborted with
---@field onabort? fun(event: table) a listener; an assignment replaces it
local AbortSignal, metatable = emitters.inherit("AbortSignal")
local base = emitters.methods

assign(AbortSignal, following, {
  aborted = false,
  _actions = nil, ---@type table<integer, function>? nil without any; by ascending numbers, so that
  -- one of thousands is removed as fast as any
  _actionCount = 0,
  _lastAction = 0, -- the number of the last action
  _onabort = nil, -- the value of `onabort`
  _onabortListener = nil, -- the listener that calls it
})
AbortSignal:setMaxListeners(0) -- many children with one signal are no leak

--- Whether the value is a signal.
---@param value any
---@return boolean
function AbortSignal._isSignal(value)
  return getmetatable(value) == metatable
end

local checkThis = check.this("AbortSignal", metatable)
check.setSignalClass(metatable)

-- For events/wait.lua.
function AbortSignal:_past(event)
  return event == "abort" and self.aborted and {{type = "abort", target = self}, n = 1} or nil
end

--- Like EventEmitter's.
---@param event any
---@param listener function
---@return AbortSignal self
function AbortSignal:on(event, listener)
  checkThis(self, "on")
  base.on(self, event, listener)
  self:_keepIfAwaited()
  return self
end

AbortSignal.addListener = AbortSignal.on

--- Like EventEmitter's.
---@param event any
---@param listener function
---@return AbortSignal self
function AbortSignal:prependListener(event, listener)
  checkThis(self, "prependListener")
  base.prependListener(self, event, listener)
  self:_keepIfAwaited()
  return self
end

--- Like EventEmitter's.
---@param event any
---@param listener function
---@return AbortSignal self
function AbortSignal:off(event, listener)
  checkThis(self, "off")
  base.off(self, event, listener)
  self:_keepIfAwaited()
  return self
end

AbortSignal.removeListener = AbortSignal.off

--- Like EventEmitter's.
---@param event? any
---@return AbortSignal self
function AbortSignal:removeAllListeners(event)
  checkThis(self, "removeAllListeners")
  base.removeAllListeners(self, event)
  if event == nil or event == "abort" then
    rawset(self, "_onabort", nil)
    self._onabortListener = nil
  end
  self:_keepIfAwaited()
  return self
end

--- Adds a listener, unless it is there already.
---@param event string
---@param listener fun(event: table)
---@param options? {once: boolean?}|boolean anything but a table has no effect, as in JavaScript
function AbortSignal:addEventListener(event, listener, options)
  checkThis(self, "addEventListener")
  if not self:_hasListener(event, listener) then
    if type(options) == "table" and options.once then
      self:once(event, listener)
    else
      self:on(event, listener)
    end
  end
end

--- The same as off.
---@param event string
---@param listener fun(event: table)
function AbortSignal:removeEventListener(event, listener)
  checkThis(self, "removeEventListener")
  self:off(event, listener)
end

-- `onabort` has its place among the listeners, so its first assignment adds one.
function metatable.__index(signal, key)
  if key == "onabort" then
    return rawget(signal, "_onabort")
  end
  return AbortSignal[key]
end

function metatable.__newindex(signal, key, value)
  if key ~= "onabort" then
    rawset(signal, key, value)
    return
  end
  if value ~= nil and not signal._onabortListener then
    signal._onabortListener = function(event)
      if signal._onabort then
        signal._onabort(event)
      end
    end
    signal:on("abort", signal._onabortListener)
  elseif value == nil and signal._onabortListener then
    signal:off("abort", signal._onabortListener)
    signal._onabortListener = nil
  end
  rawset(signal, "_onabort", value)
end

--- Raises the reason if the signal is aborted.
function AbortSignal:throwIfAborted()
  checkThis(self, "throwIfAborted")
  if self.aborted then
    error(self.reason, 0)
  end
end

-- For this project's functions: adds a function that is called when the signal is aborted, before
-- the listeners. Returns a number for `_removeAction`.
function AbortSignal:_addAction(action)
  local number = self._lastAction + 1
  self._lastAction = number
  self._actionCount = self._actionCount + 1
  self._actions = self._actions or {}
  self._actions[number] = action
  self:_keepIfAwaited()
  return number
end

function AbortSignal:_hasActions()
  return self._actions ~= nil
end

function AbortSignal:_removeAction(number)
  local actions = self._actions
  if actions and actions[number] then
    actions[number] = nil
    self._actionCount = self._actionCount - 1
    if self._actionCount == 0 then
      self._actions = nil
      self:_keepIfAwaited()
    end
  end
end

-- Calls a function. An error must neither reach `abort` nor keep others from being called.
local function call(fn, argument)
  local ok, err = compat.xpcall(fn, traces.handle, argument)
  if not ok then
    loop.throw(err, traces.take(err))
  end
end

local function callActions(signal)
  local actions = signal._actions or {}
  local numbers = {}
  for number in pairs(actions) do
    numbers[#numbers + 1] = number
  end
  table.sort(numbers)
  for _, number in ipairs(numbers) do
    local action = actions[number]
    if action then -- and was not removed by an earlier one
      signal:_removeAction(number)
      call(action)
    end
  end
end

-- A listener that an earlier one has removed is not called.
local function callListeners(signal)
  local event = {type = "abort", target = signal}
  for _, listener in ipairs(signal:rawListeners("abort")) do
    if signal:_hasListener("abort", listener) then
      call(listener, event)
    end
  end
  signal:_keepIfAwaited()
end

-- Adds the signal, and those that follow it, to the list, unless they were aborted before.
local function markAborted(signal, reason, list)
  if signal.aborted then
    return
  end
  signal.aborted, signal.reason = true, reason
  list[#list + 1] = signal
  for _, follower in ipairs(signal:_followersInOrder()) do
    markAborted(follower, reason, list)
  end
end

--- Aborts a signal, unless it is aborted already, and those that follow it.
---@param signal AbortSignal
---@param reason any
function AbortSignal._abort(signal, reason)
  local list = {}
  markAborted(signal, reason, list)
  for _, each in ipairs(list) do
    callActions(each)
    callListeners(each)
  end
end

--- Makes a signal.
---@return AbortSignal
function AbortSignal._new()
  return setmetatable({aborted = false}, metatable)
end

return AbortSignal
