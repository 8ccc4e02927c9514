--- EventEmitter.
-- An emitter keeps its state in ordinary fields of itself, so anything on which fields can be
-- read and set may be one: tables and userdata alike.
--
--   _events        event -> listener, or a List of several (see listeners.lua); absent while nobody
--                  ever listened
--   _eventNames    the events in the order of their first listener; absent until there are two
--   _maxListeners  absent while the default applies
local errors = require("child_process.lazy_errors")
local listeners = require("child_process.listeners")

---@class child_process.events
local events = {}

local getmetatable = debug.getmetatable -- also sees behind a __metatable field

local List, unwrap = listeners.List, listeners.unwrap

local function raiseUnhandled(err)
  error(errors.isError(err) and err or errors.unhandledError(err))
end

local function checkSelf(self, method)
  local kind = type(self)
  if kind ~= "table" and kind ~= "userdata" then
    error(errors.invalidThis("EventEmitter:" .. method))
  end
end

--- Checks an argument that will be called: a function, or what has a `__call`.
---@param name string of the argument
---@param value any
function events.checkCallable(name, value)
  if type(value) ~= "function" then
    local meta = getmetatable(value)
    if not (meta and meta.__call) then
      error(errors.invalidArgType(name, "function", value))
    end
  end
end

local checkCallable = events.checkCallable

local function checkCount(name, value)
  if type(value) ~= "number" then
    error(errors.invalidArgType(name, "number", value))
  elseif value < 0 or value ~= value then
    error(errors.outOfRange(name, ">= 0", value))
  end
end

---@class EventEmitter
local methods = {}

local function warnOfLeak(self, event, list)
  local limit, count = self:getMaxListeners(), listeners.count(list)
  if limit > 0 and count > limit and not list.warned then
    list.warned = true
    local meta = getmetatable(self)
    events.warn(("Possible EventEmitter memory leak detected. %d %s listeners added to [%s]. "
      .. "Use emitter:setMaxListeners() to increase limit"):format(count, tostring(event),
      meta and meta.__name or "EventEmitter"), "MaxListenersExceededWarning")
  end
end

local function addName(self, handlers, event)
  local names = self._eventNames
  if names then
    names[#names + 1] = event
  elseif next(handlers) ~= nil then
    self._eventNames = {(next(handlers)), event}
  end
end

local function removeEvent(self, event)
  self._events[event] = nil
  local names = self._eventNames
  for index = 1, names and #names or 0 do
    if rawequal(names[index], event) then
      table.remove(names, index)
      break
    end
  end
end

local function add(self, event, listener, prepend)
  checkCallable("listener", listener)
  if event == nil or event ~= event then
    error(errors.invalidArgValue("eventName", event, "cannot be nil or nan"))
  end
  local handlers = self._events
  if handlers and handlers.newListener then
    self:emit("newListener", event, unwrap(listener))
    handlers = self._events -- a listener may have removed them all
  end
  if not handlers then
    handlers = {}
    self._events = handlers
  end

  local handler = handlers[event]
  if handler == nil then
    addName(self, handlers, event)
    handlers[event] = listener
    return self
  end
  handler = listeners.add(handler, listener, prepend)
  handlers[event] = handler
  warnOfLeak(self, event, handler)
  return self
end

local function wrapOnce(self, event, listener)
  checkCallable("listener", listener)
  return listeners.once(self, event, listener)
end

--- Calls `listener` with the event's values whenever the event is emitted, after those that
--- are there already. A listener that is added twice is called twice.
---@param event any a string, or any other value but nil and nan
---@param listener function or what can be called like one
---@return self
function methods:on(event, listener)
  checkSelf(self, "on")
  return add(self, event, listener, false)
end

--- The same as on.
methods.addListener = methods.on

--- As `on`, before the listeners that are there already.
---@param event any
---@param listener function
---@return self
function methods:prependListener(event, listener)
  checkSelf(self, "prependListener")
  return add(self, event, listener, true)
end

--- As `on`, for the next time only: the listener is removed, then called.
---@param event any
---@param listener function
---@return self
function methods:once(event, listener)
  checkSelf(self, "once")
  return self:on(event, wrapOnce(self, event, listener))
end

--- As `once`, before the listeners that are there already.
---@param event any
---@param listener function
---@return self
function methods:prependOnceListener(event, listener)
  checkSelf(self, "prependOnceListener")
  return self:prependListener(event, wrapOnce(self, event, listener))
end

--- Removes a listener, however it was added: of several equal ones the one added last.
---@param event any
---@param listener function
---@return self
function methods:off(event, listener)
  checkSelf(self, "off")
  checkCallable("listener", listener)
  local handlers = self._events
  local handler = handlers and handlers[event]
  if handler == nil then
    return self
  end
  local found, rest = listeners.remove(handler, listener)
  if not found then
    return self
  elseif rest == nil then
    removeEvent(self, event)
  else
    handlers[event] = rest
  end
  if handlers.removeListener then
    self:emit("removeListener", event, unwrap(listener))
  end
  return self
end

--- The same as off.
methods.removeListener = methods.off

--- Removes all listeners of the event, or of all events.
---@param event? any
---@return self
function methods:removeAllListeners(event)
  checkSelf(self, "removeAllListeners")
  local handlers = self._events
  if not handlers then
    return self
  end
  local observed = handlers.removeListener
  if event == nil then
    if observed then
      for _, name in ipairs(self:eventNames()) do
        if name ~= "removeListener" then
          self:removeAllListeners(name)
        end
      end
      self:removeAllListeners("removeListener")
    end
    self._events = nil
    self._eventNames = nil
  elseif observed then
    local list = listeners.all(handlers[event])
    for index = #list, 1, -1 do
      self:removeListener(event, list[index])
    end
  elseif handlers[event] ~= nil then
    removeEvent(self, event)
  end
  return self
end

--- Calls the event's listeners, in order, with the values. What a listener raises comes out
--- of here, and those after it are not called. Listeners that are added meanwhile are not
--- called, and ones that are removed meanwhile still are. "error" without a listener is raised.
---@param event any
---@param ... any
---@return boolean # had the event listeners?
function methods:emit(event, ...)
  local handlers = self._events
  local handler = handlers and handlers[event]
  if handler == nil then
    if handlers == nil then
      checkSelf(self, "emit") -- not sooner, to cost the usual emit nothing
    end
    if event == "error" then
      raiseUnhandled((...))
    end
    return false
  elseif type(handler) == "function" then
    handler(...)
  elseif getmetatable(handler) == List then
    handler.walked = true
    for place = 1, #handler do
      handler[place](...)
    end
  else
    handler(...)
  end
  return true
end

--- The event's listeners with the wrappers that `once` made: called, a wrapper removes itself
--- and calls the listener; its field `listener` is the listener itself.
---@param event any
---@return function[] # a copy
function methods:rawListeners(event)
  checkSelf(self, "rawListeners")
  local handlers = self._events
  return listeners.all(handlers and handlers[event])
end

--- The event's listeners.
---@param event any
---@return function[] # a copy
function methods:listeners(event)
  checkSelf(self, "listeners")
  local list = self:rawListeners(event)
  for index = 1, #list do
    list[index] = unwrap(list[index])
  end
  return list
end

--- How many listeners the event has.
---@param event any
---@param listener? function count only this one
---@return integer
function methods:listenerCount(event, listener)
  checkSelf(self, "listenerCount")
  local handlers = self._events
  local handler = handlers and handlers[event]
  return listener == nil and listeners.count(handler) or listeners.countOf(handler, listener)
end

--- The events that have listeners, in the order in which they got their first one.
---@return any[]
function methods:eventNames()
  checkSelf(self, "eventNames")
  local names = self._eventNames
  return names and table.move(names, 1, #names, 1, {}) or {(next(self._events or {}))}
end

--- How many listeners one event may have before a warning says that this looks like a leak.
---@param count number 0 for no limit
---@return self
function methods:setMaxListeners(count)
  checkSelf(self, "setMaxListeners")
  checkCount("setMaxListeners", count)
  self._maxListeners = count
  return self
end

--- The limit that applies to this emitter.
---@return number
function methods:getMaxListeners()
  checkSelf(self, "getMaxListeners")
  return self._maxListeners or events.EventEmitter.defaultMaxListeners
end

--- Waits until the event is emitted, as events.once does.
---@param event any
---@param options? WaitOptions
---@return any ... the event's values
function methods:wait(event, options)
  checkSelf(self, "wait")
  return require("child_process.event_wait").once(self, event, options)
end

--- Waits for one event, see event_wait.lua.
---@param emitter EventEmitter
---@param event any
---@param options? WaitOptions
---@return any ... the event's values
function events.once(emitter, event, options)
  return require("child_process.event_wait").once(emitter, event, options)
end

--- Iterates over events, see event_wait.lua.
---@param emitter EventEmitter
---@param event any
---@param options? EventIteratorOptions
---@return fun(): table?
function events.on(emitter, event, options)
  return require("child_process.event_wait").on(emitter, event, options)
end

--- Makes a class of emitters: a table for its methods, which holds those of EventEmitter
--- already (copied, so that they are found at the first look). `Class(...)` calls
--- `Class.new(...)`; the one that is there makes an empty table with the metatable, and a class
--- that has more to do sets its own.
---@param name string as warnings and error messages call it
---@return table class
---@return table metatable for the class's objects, where they are tables
function events.inherit(name)
  local class = {}
  for key, method in pairs(methods) do
    class[key] = method
  end
  local metatable = {__name = name, __index = class}
  function class.new()
    return setmetatable({}, metatable)
  end
  return setmetatable(class, {
    __call = function(_, ...)
      return class.new(...)
    end,
  }), metatable
end

local handleWarning = nil ---@type nil|fun(message: string, name: string)

--- Sets what is told of each warning, after stderr.
---@param handler fun(message: string, name: string)
function events.handleWarnings(handler)
  handleWarning = handler
end

--- Where warnings go: to stderr, and to the listeners of "warning" of process on the next tick. A
--- program may set its own.
---@param message string
---@param name string the kind of warning
function events.warn(message, name)
  io.stderr:write(("(lua) %s: %s\n"):format(name, message))
  if handleWarning then
    handleWarning(message, name)
  end
end

---@type EventEmitter|fun(): EventEmitter
events.EventEmitter = events.inherit("EventEmitter")

--- The limit of emitters that have none of their own; set it for all of them here.
events.EventEmitter.defaultMaxListeners = 10

return events
