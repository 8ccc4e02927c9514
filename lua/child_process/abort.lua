--- AbortController and AbortSignal: one switch that ends whatever has been given the signal.
local AbortSignal = require("child_process.abort_signal")
local errors = require("child_process.lazy_errors")
local expect = require("child_process.expect")

local isSignal, newSignal, abortSignal = AbortSignal._isSignal, AbortSignal._new, AbortSignal._abort

---@class child_process.abort
local abort = {}

local function reasonOr(reason)
  if reason == nil then
    return errors.domException("AbortError", "This operation was aborted")
  end
  return reason
end

--- There are no signals without something that aborts them: see AbortController.
function AbortSignal.new()
  error(errors.illegalConstructor())
end

--- A signal that is aborted already.
---@param reason? any default: an AbortError
---@return AbortSignal
function AbortSignal.abort(reason)
  local signal = newSignal()
  signal.aborted, signal.reason = true, reasonOr(reason)
  return signal
end

local LONGEST = 2 ^ 31 - 1 -- that a timer can take

local function onTimeout(box)
  local signal = box[1]
  if signal then
    abortSignal(signal, errors.domException("TimeoutError",
      "The operation was aborted due to timeout"))
  end
end

local function checkDelay(delay)
  expect.type("delay", "number", delay)
  if not math.tointeger(delay) then
    error(errors.outOfRange("delay", "an integer", delay))
  elseif delay < 0 or delay > LONGEST then
    error(errors.outOfRange("delay", ">= 0 && <= 2147483647", delay))
  end
end

--- A signal that is aborted after a time, with a TimeoutError. That does not keep the loop alive.
---@param delay integer milliseconds
---@return AbortSignal
function AbortSignal.timeout(delay)
  checkDelay(delay)
  local signal = newSignal()
  -- The timer must not keep a signal that nobody needs any more, and goes with it.
  local timer = require("child_process.timers").setTimeout(onTimeout, delay,
    setmetatable({signal}, {__mode = "v"})):unref()
  signal._timer = timer
  signal._guard = setmetatable({}, {
    __gc = function()
      pcall(timer.close, timer) -- which fails while the Lua state is being closed
    end,
  })
  return signal
end

local follows = 0

--- A signal that is aborted with the first of several.
---@param signals AbortSignal[]
---@return AbortSignal
function AbortSignal.any(signals)
  if type(signals) ~= "table" or isSignal(signals) then
    error(errors.invalidArgType("signals", "table", signals))
  end
  for index = 1, #signals do
    local signal = signals[index]
    if not isSignal(signal) then
      error(errors.invalidArgType(("signals[%d]"):format(index), "AbortSignal", signal))
    end
  end
  local result = newSignal()
  for _, signal in ipairs(signals) do
    if signal.aborted then
      result.aborted, result.reason = true, signal.reason
      return result
    end
  end
  result._sources = table.move(signals, 1, #signals, 1, {})
  for _, signal in ipairs(signals) do
    follows = follows + 1
    signal._followers = signal._followers or setmetatable({}, {__mode = "k"})
    signal._followers[result] = follows
    signal._awaited = signal._awaited or {}
  end
  return result
end

---@class AbortController
---@field signal AbortSignal
---@overload fun(): AbortController
local AbortController = {}
local controllerMetatable = {__name = "AbortController", __index = AbortController}
local checkController = expect.this("AbortController", controllerMetatable)

---@return AbortController
function AbortController.new()
  return setmetatable({signal = newSignal()}, controllerMetatable)
end

--- Aborts the signal, the first time that it is called.
---@param reason? any default: an AbortError
function AbortController:abort(reason)
  checkController(self, "abort")
  if not self.signal.aborted then
    abortSignal(self.signal, reasonOr(reason))
  end
end

setmetatable(AbortController, {
  __call = function()
    return AbortController.new()
  end,
})

--- Checks a signal that an option names.
---@param name string of the argument, as errors call it
---@param value any
---@return AbortSignal
function abort.check(name, value)
  if not isSignal(value) then
    error(errors.invalidArgType(name, "AbortSignal", value))
  end
  return value
end

abort.AbortController = AbortController
abort.AbortSignal = AbortSignal

return abort
