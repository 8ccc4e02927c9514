--- AbortController and AbortSignal: one call ends all operations that were given the signal.

local AbortSignal = require("child_process.abort.signal")
local check = require("child_process.base.check")
local compat = require("child_process.base.compat")
local errors = require("child_process.errors")
local timers = require("child_process.timers")

local isSignal, newSignal, abortSignal = AbortSignal._isSignal, AbortSignal._new, AbortSignal._abort

---@class child_process.abort
---@field AbortController AbortController
---@field AbortSignal AbortSignal
local abort = {AbortSignal = AbortSignal}

local function reasonOr(reason)
  if reason == nil then
    return errors.domException("AbortError", "This operation was aborted")
  end
  return reason
end

--- Raises ERR_ILLEGAL_CONSTRUCTOR: AbortController makes signals.
function AbortSignal.new()
  error(errors.illegalConstructor())
end

--- A signal that is aborted already.
---@param reason? any default: an AbortError
---@return AbortSignal
function AbortSignal.abort(reason)
  check.dot(reason, AbortSignal, "AbortSignal.abort")
  local signal = newSignal()
  signal.aborted, signal.reason = true, reasonOr(reason)
  return signal
end

-- Gets the signal in a weak table, since the timer must not keep it alive.
local function onTimeout(weak)
  local signal = weak.signal
  if signal then
    abortSignal(signal, errors.domException("TimeoutError",
      "The operation was aborted due to timeout"))
  end
end

local function checkDelay(delay)
  check.type("delay", "number", delay)
  if not compat.toInteger(delay) and delay ~= math.huge then
    error(errors.outOfRange("delay", "an integer", delay))
  elseif delay < 0 then
    error(errors.outOfRange("delay", ">= 0", delay))
  end
end

--- A signal that is aborted after a time, with a TimeoutError. It does not keep the loop alive.
---@param delay number milliseconds, an integer; math.huge means never
---@return AbortSignal
function AbortSignal.timeout(delay)
  check.dot(delay, AbortSignal, "AbortSignal.timeout")
  checkDelay(delay)
  local signal = newSignal()
  local timer = timers.setTimeout(onTimeout, delay,
    setmetatable({signal = signal}, {__mode = "v"}))
  signal:_setTimer(timer:unref())
  return signal
end

--- A signal that is aborted when the first of several signals is, with the same reason.
---@param signals AbortSignal[]
---@return AbortSignal
function AbortSignal.any(signals)
  check.dot(signals, AbortSignal, "AbortSignal.any")
  if type(signals) ~= "table" or isSignal(signals) then
    error(errors.invalidArgType("signals", "table", signals))
  end
  for index = 1, check.length(signals) do
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
  result:_follow(signals)
  return result
end

---@class AbortController
---@field signal AbortSignal
---@overload fun(): AbortController
local AbortController = {}
local controllerMetatable = compat.named({
  __name = "AbortController", __index = AbortController,
})
local checkController = check.this("AbortController", controllerMetatable)

---@return AbortController
function AbortController.new()
  return setmetatable({signal = newSignal()}, controllerMetatable)
end

--- Aborts the signal. Only the first call has an effect.
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

abort.AbortController = AbortController

return abort
