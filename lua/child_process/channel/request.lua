--- The methods `request`, `handle` and `messages` of a ChildProcess and of process.

local ChannelEnd = require("child_process.channel.end")
local check = require("child_process.base.check")
local childEnd = require("child_process.channel.child_end")
local core = require("child_process.core")
local emitters = require("child_process.events.emitter")
local errors = require("child_process.errors")
local Promise = require("child_process.promise.promise")
local requests = require("child_process.channel.requests")

---@class child_process.request
local methods = {}

local checkTarget, ends = ChannelEnd.checkTarget, ChannelEnd.byTarget

-- One call of `request`.
---@class child_process.Request : child_process.OpenRequest
---@field package promise Promise
---@field package signal? AbortSignal
---@field package action? integer
---@field package timer? Timeout
local Request = {}
Request.__index = Request

function Request:settled(isAnswered, outcome)
  if self.timer then
    self.timer:close()
  end
  if self.action then
    self.signal:_removeAction(self.action)
  end
  if isAnswered then
    self.promise:_fulfill(outcome)
  else
    self.promise:_reject(outcome, outcome.traceback)
  end
end

local KNOWN = {timeout = true, signal = true, handle = true}

local function readOptions(options)
  options = check.options("request", options, KNOWN) or {}
  local timeout = options.timeout
  if timeout ~= nil then
    timeout = check.toInteger(check.atLeast("options.timeout", timeout, 0))
  end
  return timeout, check.signalOption(options), options.handle
end

-- A promise that is rejected because there is no open channel.
local function failClosed(target)
  if core.kindOf(target) ~= "ChildProcess" then
    return Promise.reject(errors.ipcChannelClosed())
  elseif target._startError then
    return Promise.reject(childEnd(target))
  elseif target.spawnfile and not target.pid then -- the reason comes on the next tick
    local promise = Promise._pending()
    target:once("close", function()
      promise:_reject(childEnd(target))
    end)
    return promise
  end
  return Promise.reject(target._exited and childEnd(target) or errors.ipcChannelClosed())
end

-- Ends the request when the time is over, or the signal is aborted.
local function limit(entry, list, id, timeout, signal)
  if timeout and timeout > 0 then
    entry.timer = require("child_process.timers").setTimeout(function()
      list:cancel(id, errors.requestTimedOut(timeout))
    end, timeout)
  end
  if signal then
    entry.signal = signal
    entry.action = signal:_addAction(function()
      entry.action = nil
      list:cancel(id, errors.aborted(signal))
    end)
  end
end

---@class RequestOptions
---@field timeout? number milliseconds after which the promise is rejected with a TimeoutError
---@field signal? AbortSignal aborting it rejects the promise with an AbortError
---@field handle? SendHandle a server or socket to send with the value

--- Sends a value to the other side, whose function of `handle` answers it.
---@param target ChildProcess|process
---@param value any what can be sent as a message
---@param options? RequestOptions
---@return Promise # of the reply
function methods.request(target, value, options)
  checkTarget(target, "request")
  if value == nil then
    error(errors.missingArgs("value"))
  end
  local timeout, signal, handle = nil, nil, nil
  if options ~= nil then
    timeout, signal, handle = readOptions(options)
  end
  local channelEnd = ends[target]
  if signal and signal.aborted then
    return Promise.reject(errors.aborted(signal))
  elseif not channelEnd then
    return failClosed(target)
  end
  local entry = setmetatable({promise = Promise._pending()}, Request)
  local list = requests.of(channelEnd)
  local id = list:start(entry, value, handle)
  if timeout or signal then
    limit(entry, list, id, timeout, signal)
  end
  return entry.promise
end

--- Sets the function that answers the requests of the other side: with what it returns, or with the
--- error that it raises. It may wait; meanwhile it is called for others. nil removes it.
---@param target ChildProcess|process
---@param handler? fun(value: any, handle: any, request: IncomingRequest): any
---@return ChildProcess|process target
function methods.handle(target, handler)
  checkTarget(target, "handle")
  if handler ~= nil then
    emitters.checkCallable("handler", handler)
  end
  local channelEnd = ends[target]
  if channelEnd then
    requests.of(channelEnd):setHandler(handler)
  end
  return target
end

--- Iterates over the messages that come from now on, until the channel closes. Leaving the loop
--- ends the listening.
---@param target ChildProcess|process
---@param filter? fun(message: any, handle: any): any only messages for which it returns true
---@return fun(): any, any # returns the next message with its handle; nil at the end
function methods.messages(target, filter)
  checkTarget(target, "messages")
  if filter ~= nil then
    emitters.checkCallable("filter", filter)
  end
  local take, _, _, closing = require("child_process.events.wait").on(target, "message",
    {close = {"disconnect"}})
  return function()
    local values
    repeat
      values = take()
    until not values or not filter or filter(values[1], values[2])
    if values then
      return values[1], values[2]
    end
    return nil
  end, nil, nil, closing
end

return methods
