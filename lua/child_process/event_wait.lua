--- Waiting for events: emitter:wait, events.once, events.on.
local errors = require("child_process.errors")
local expect = require("child_process.expect")
local suspend = require("child_process.suspend")

---@class child_process.event_wait
local wait = {}

local function checkEmitter(emitter)
  local kind = type(emitter)
  if kind ~= "table" and kind ~= "userdata" or type(emitter.on) ~= "function" then
    error(errors.invalidArgType("emitter", "EventEmitter", emitter))
  end
end

local function checkOptions(options)
  return expect.optional("options", "table", options) or {}
end

local function abortError(signal)
  return errors.AbortError(nil, {cause = signal.reason})
end

-- The signal among the options, which must not be aborted yet.
local function checkSignal(options)
  local signal = options.signal
  if signal ~= nil then
    require("child_process.abort").check("options.signal", signal)
    if signal.aborted then
      error(abortError(signal))
    end
  end
  return signal
end

-- Listeners that are removed together, by `release` or with the block.
local Listening = {}
Listening.__index = Listening

local function newListening(emitter, signal)
  return setmetatable({emitter = emitter, signal = signal}, Listening)
end

function Listening:on(event, listener)
  self.emitter:on(event, listener)
  self[#self + 1] = {event, listener}
end

function Listening:onAbort(action)
  if self.signal then
    self.number = self.signal:_add(action)
  end
end

function Listening:release()
  for index = #self, 1, -1 do
    local entry = self[index]
    self[index] = nil
    self.emitter:off(entry[1], entry[2])
  end
  if self.number then
    self.signal:_remove(self.number)
    self.number = nil
  end
end

Listening.__close = Listening.release

---@class WaitOptions
---@field signal? AbortSignal ends the waiting with an AbortError

--- Waits for one event. An "error" event is raised, unless that is the one.
---@param emitter EventEmitter
---@param event any
---@param options? WaitOptions
---@return any ... the event's values
function wait.once(emitter, event, options)
  checkEmitter(emitter)
  local signal = checkSignal(checkOptions(options))
  local waiter = {}
  local values, failure
  local listening <close> = newListening(emitter, signal)

  local function finish(newValues, newFailure)
    if not waiter.ready then
      values, failure = newValues, newFailure
      listening:release()
      suspend.wake(waiter)
    end
  end

  listening:on(event, function(...)
    finish(table.pack(...))
  end)
  if event ~= "error" then
    listening:on("error", function(err)
      finish(nil, {err})
    end)
  end
  listening:onAbort(function()
    finish(nil, {abortError(signal)})
  end)
  suspend.wait(waiter)
  if failure then
    error(failure[1], 0)
  end
  return table.unpack(values, 1, values.n)
end

---@class EventIteratorOptions : WaitOptions
---@field close? string[] events after which there will be no more

--- Iterates over the values of each time that the event is emitted from now on; none is lost:
---
---   for values in events.on(child, "message", {close = {"disconnect"}}) do print(values[1]) end
---
--- An "error" event is raised after what came before it. Leaving the loop ends the listening.
---@param emitter EventEmitter
---@param event any
---@param options? EventIteratorOptions
---@return fun(): table? # gives the values of one time, as table.pack does
function wait.on(emitter, event, options)
  checkEmitter(emitter)
  options = checkOptions(options)
  local signal = checkSignal(options)
  local closing = expect.optional("options.close", "table", options.close) or {}
  local bell = suspend.newBell()
  local listening = newListening(emitter, signal)
  local queue, first, last = {}, 1, 0
  local ended, failure

  local function finish(newFailure)
    if not ended then
      ended, failure = true, newFailure
      listening:release()
      bell:ring()
    end
  end

  local function listen()
    listening:on(event, function(...)
      last = last + 1
      queue[last] = table.pack(...)
      bell:ring()
    end)
    if event ~= "error" then
      listening:on("error", function(err)
        finish({err})
      end)
    end
    for index = 1, #closing do
      listening:on(closing[index], function()
        finish()
      end)
    end
    listening:onAbort(function()
      finish({abortError(signal)})
    end)
  end

  local ok, reason = pcall(listen)
  if not ok then -- something cannot be an event
    listening:release()
    error(reason, 0)
  end

  local function nextValues()
    while first > last and not ended do
      bell:wait()
    end
    if first <= last then
      local values = queue[first]
      queue[first] = nil
      first = first + 1
      return values
    elseif failure then
      local err = failure[1]
      failure = nil
      error(err, 0)
    end
    return nil
  end

  return nextValues, nil, nil, setmetatable({}, {
    __close = function()
      queue, first, last = {}, 1, 0
      finish()
    end,
  })
end

return wait
