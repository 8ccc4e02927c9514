--- AbortSignal: what tells that something is to end. abort.lua makes them. What a signal keeps:
--
--   aborted, reason  for everybody to read
--   _actions         what this module's functions do when it is aborted, by growing numbers: adding
--                    and removing costs the same with thousands of children; absent without any
--   _lastAction, _actionCount  the last of the numbers, and how many there are
--   _sources         of a signal that AbortSignal.any made: those that it follows
--   _followers       weak: the signals that follow this one, with growing numbers
--   _awaited         those of them that are kept because somebody waits for them, see `hold`
--   _timer           of a signal with a time limit, which has the signal in its field `held` while
--                    somebody waits; _guard ends it when the signal is collected
local events = require("child_process.events")
local expect = require("child_process.expect")
local listeners = require("child_process.listeners")

---@class AbortSignal : EventEmitter "abort" is emitted once, with {type = "abort", target = signal}
---@field aborted boolean
---@field reason any what it was aborted with
---@field onabort? fun(event: table) a listener that assigning replaces
local AbortSignal, metatable = events.inherit("AbortSignal")
local baseOn, basePrepend = AbortSignal.on, AbortSignal.prependListener
local baseOff, baseRemoveAll = AbortSignal.off, AbortSignal.removeAllListeners

AbortSignal.aborted = false
AbortSignal._maxListeners = 0 -- many children with one signal are no leak

--- Is the value a signal?
---@param value any
---@return boolean
function AbortSignal._isSignal(value)
  return getmetatable(value) == metatable
end

local check = expect.this("AbortSignal", metatable)

local function isListening(signal, event, listener)
  local handlers = signal._events
  return listeners.has(handlers and handlers[event], listener)
end

local function isAwaited(signal)
  return not signal.aborted and (signal._actions ~= nil or signal:listenerCount("abort") > 0
    or signal._awaited ~= nil and next(signal._awaited) ~= nil)
end

-- A signal that a timer or other signals abort, and that nobody else keeps, must be there as long
-- as somebody waits for it, and not for longer: its sources may live as long as the program.
local function hold(signal)
  if not signal._timer and not signal._sources then
    return
  end
  local kept = isAwaited(signal) or nil
  if signal._timer then
    signal._timer.held = kept and signal
  end
  for _, source in ipairs(signal._sources or {}) do
    if source._awaited[signal] ~= kept then
      source._awaited[signal] = kept
      hold(source)
    end
  end
end

--- As EventEmitter's.
---@param event any
---@param listener function
---@return AbortSignal self
function AbortSignal:on(event, listener)
  check(self, "on")
  baseOn(self, event, listener)
  hold(self)
  return self
end

AbortSignal.addListener = AbortSignal.on

--- As EventEmitter's.
---@param event any
---@param listener function
---@return AbortSignal self
function AbortSignal:prependListener(event, listener)
  check(self, "prependListener")
  basePrepend(self, event, listener)
  hold(self)
  return self
end

--- As EventEmitter's.
---@param event any
---@param listener function
---@return AbortSignal self
function AbortSignal:off(event, listener)
  check(self, "off")
  baseOff(self, event, listener)
  hold(self)
  return self
end

AbortSignal.removeListener = AbortSignal.off

--- As EventEmitter's.
---@param event? any
---@return AbortSignal self
function AbortSignal:removeAllListeners(event)
  check(self, "removeAllListeners")
  baseRemoveAll(self, event)
  if event == nil or event == "abort" then
    rawset(self, "_onabort", nil)
    self._onabortListener = nil
  end
  hold(self)
  return self
end

--- Adds a listener, unless it is there already.
---@param event string
---@param listener fun(event: table)
---@param options? {once: boolean?}|boolean anything but a table has no effect, as in JavaScript
function AbortSignal:addEventListener(event, listener, options)
  check(self, "addEventListener")
  if not isListening(self, event, listener) then
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
  check(self, "removeEventListener")
  self:off(event, listener)
end

-- `onabort` is a listener in its place among the others, so its first assignment adds one.
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
  check(self, "throwIfAborted")
  if self.aborted then
    error(self.reason, 0)
  end
end

-- For this module's functions: has `action` called when the signal is aborted, before listeners.
-- Returns what `_remove` takes.
function AbortSignal:_add(action)
  local number = (self._lastAction or 0) + 1
  self._lastAction = number
  self._actionCount = self._actions and self._actionCount + 1 or 1
  self._actions = self._actions or {}
  self._actions[number] = action
  hold(self)
  return number
end

function AbortSignal:_remove(number)
  local actions = self._actions
  if actions and actions[number] then
    actions[number] = nil
    self._actionCount = self._actionCount - 1
    if self._actionCount == 0 then
      self._actions = nil
      hold(self)
    end
  end
end

-- An error of one must not keep the others from being called, nor reach who aborts.
local function call(fn, argument)
  local traces = require("child_process.promise_traces")
  local ok, err = xpcall(fn, traces.handle, argument)
  if not ok then
    require("child_process.loop").throw(err, traces.take(err))
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
      signal:_remove(number)
      call(action)
    end
  end
end

-- A listener that an earlier one has removed is not called.
local function callListeners(signal)
  local event = {type = "abort", target = signal}
  for _, listener in ipairs(signal:rawListeners("abort")) do
    if isListening(signal, "abort", listener) then
      call(listener, event)
    end
  end
  hold(signal)
end

-- Adds the signal, and those that follow it, to the list, unless they were aborted before.
local function markAborted(signal, reason, list)
  if signal.aborted then
    return
  end
  signal.aborted, signal.reason = true, reason
  list[#list + 1] = signal
  local numbers = signal._followers or {}
  local followers = {}
  for follower in pairs(numbers) do
    followers[#followers + 1] = follower
  end
  table.sort(followers, function(one, other)
    return numbers[one] < numbers[other]
  end)
  for _, follower in ipairs(followers) do
    markAborted(follower, reason, list)
  end
end

--- Aborts a signal, unless it is so already, and those that follow it.
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
