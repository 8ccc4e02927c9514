--- Waiting for events: emitter:wait, events.once, events.on.

local check = require("child_process.base.check")
local compat = require("child_process.base.compat")
local emitterName = require("child_process.errors.value_text").emitterName
local errors = require("child_process.errors")
local Queue = require("child_process.base.queue")
local wait = require("child_process.loop.wait")

---@class child_process.events.wait
local eventWait = {}

local function checkEmitter(emitter)
  local kind = type(emitter)
  if kind ~= "table" and kind ~= "userdata" or type(emitter.on) ~= "function" then
    error(errors.invalidArgType("emitter", "EventEmitter", emitter))
  end
end

local KNOWN_ONCE = {signal = true}
local KNOWN_ON = {signal = true, close = true}

-- Returns the signal among the options. Raises if it is aborted already.
local function checkSignal(options)
  local signal = check.signalOption(options)
  if signal and signal.aborted then
    error(errors.aborted(signal))
  end
  return signal
end

-- Listeners that are removed together, by `release` or at the end of the block. It is a list of
-- {event, listener}, and:
--   emitter  that has the listeners
--   signal   an AbortSignal, or nil
--   number   of the action that the signal calls when it is aborted
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
    self.number = self.signal:_addAction(action)
  end
end

function Listening:release()
  for index = #self, 1, -1 do
    local entry = self[index]
    self[index] = nil
    self.emitter:off(entry[1], entry[2])
  end
  if self.number then
    self.signal:_removeAction(self.number)
    self.number = nil
  end
end

Listening.__close = Listening.release

-- Events that come once from emitters with a method `_past`. That method returns the packed values
-- of such an event if it has come already, and raises the error that keeps it from coming.
local ONCE = {
  abort = true, close = true, connect = true, disconnect = true, ["end"] = true, exit = true,
  finish = true, listening = true, ready = true, spawn = true,
}

-- Events that cannot come after the emitter has closed.
local BEFORE_CLOSE = {connect = true, ["end"] = true, finish = true, ready = true}

local function past(emitter, event)
  local find = emitter._past
  return find and find(emitter, event)
end

-- A wait for one event.
---@class EventWaiter : Waiter
---@field listening table the listeners of the wait
---@field values? table of the event, packed
---@field failure? table {the error to raise}
local EventWaiter = {}
EventWaiter.__index = EventWaiter

function EventWaiter:finish(values, failure)
  if not self.ready then
    self.values, self.failure = values, failure
    self.listening:release()
    wait.wake(self)
  end
end

function EventWaiter:listen(signal)
  local emitter, event, listening = self.emitter, self.event, self.listening
  listening:on(event, function(...)
    self:finish(compat.pack(...))
  end)
  if event ~= "error" then
    listening:on("error", function(err)
      self:finish(nil, {err})
    end)
  end
  if self.patient and BEFORE_CLOSE[event] then
    listening:on("close", function()
      local ok, reason = pcall(past, emitter, event)
      if not ok then
        self:finish(nil, {reason})
      end
    end)
  end
  listening:onAbort(function()
    self:finish(nil, {errors.aborted(signal)})
  end)
end

function EventWaiter:await(signal)
  self:listen(signal)
  wait.suspend(self)
end

---@class WaitOptions
---@field signal? AbortSignal aborting it ends the wait with an AbortError

--- Waits for one event. An "error" event is raised, unless it is the awaited one. An event that
--- comes only once and has come already is returned at once: "spawn", "exit", "close" and
--- "disconnect" of a child, "end", "finish" and "close" of a stream, "connect" of a socket,
--- "listening" and "close" of a server.
---@param emitter EventEmitter
---@param event any
---@param options? WaitOptions
---@return any ... the event's values
function eventWait.once(emitter, event, options)
  checkEmitter(emitter)
  local signal = checkSignal(check.options("events.once", options, KNOWN_ONCE) or {})
  local values = past(emitter, event)
  if values then
    return compat.unpack(values, 1, values.n)
  end
  local waiter = setmetatable({
    patient = emitter._past and ONCE[event],
    emitter = emitter,
    event = event,
    listening = newListening(emitter, signal),
  }, EventWaiter)
  compat.scope(waiter.listening, waiter.await, waiter, signal)
  if waiter.failure then
    error(waiter.failure[1], 0)
  end
  values = waiter.values
  return compat.unpack(values, 1, values.n)
end

-- The values of an event in the order in which they come, until something ends the iteration.
--   values     a queue of packed values
--   condition  notified of new values, and of the end
--   listening  the listeners of the iteration
--   signal     an AbortSignal, or nil
--   ended      no more values will come
--   failure    {the error to raise after the values}
local Iteration = {}
Iteration.__index = Iteration

local function newIteration(emitter, event, signal)
  local subject = ("event %q of %s"):format(tostring(event), emitterName(emitter))
  return setmetatable({
    values = Queue.new(),
    condition = wait.newCondition(subject),
    listening = newListening(emitter, signal),
    signal = signal,
    ended = false,
  }, Iteration)
end

function Iteration:finish(failure)
  if not self.ended then
    self.ended, self.failure = true, failure
    self.listening:release()
    self.condition:notify()
  end
end

function Iteration:listen(emitter, event, closing)
  local listening = self.listening
  listening:on(event, function(...)
    self.values:push(compat.pack(...))
    self.condition:notify()
  end)
  if event ~= "error" then
    listening:on("error", function(err)
      self:finish({err})
    end)
  end
  for index = 1, #closing do
    listening:on(closing[index], function()
      self:finish()
    end)
    if past(emitter, closing[index]) then
      self:finish()
      return
    end
  end
  listening:onAbort(function()
    self:finish({errors.aborted(self.signal)})
  end)
end

-- Waits for the next values. Returns nil at the end.
function Iteration:next()
  while self.values:isEmpty() and not self.ended do
    self.condition:wait()
  end
  local values, failure = self.values:pop(), self.failure
  if not values and failure then
    self.failure = nil
    error(failure[1], 0)
  end
  return values
end

-- Called when the `for` loop is left.
function Iteration:__close()
  self.values:clear()
  self:finish()
end

---@class EventIteratorOptions : WaitOptions
---@field close? string[] events that end the iteration, even if they were emitted before it

--- Iterates over the values of the event, from now on and without losing any:
---
---   for values in events.on(child, "message", {close = {"disconnect"}}) do print(values[1]) end
---
--- An "error" event is raised after the values that came before it. Leaving the loop ends the
--- listening.
---@param emitter EventEmitter
---@param event any
---@param options? EventIteratorOptions
---@return fun(): table? # returns the packed values of the next event; nil at the end
function eventWait.on(emitter, event, options)
  checkEmitter(emitter)
  options = check.options("events.on", options, KNOWN_ON) or {}
  local signal = checkSignal(options)
  local closing = check.optional("options.close", "table", options.close) or {}
  local iteration = newIteration(emitter, event, signal)
  local ok, reason = pcall(iteration.listen, iteration, emitter, event, closing)
  if not ok then -- something cannot be an event
    iteration.listening:release()
    error(reason, 0)
  end
  return function()
    return (iteration:next()) -- see compat.isYieldable for the parentheses
  end, nil, nil, iteration
end

return eventWait
