--- EventEmitter, and the classes that inherit from it.

local assign = require("child_process.base.assign")
local compat = require("child_process.base.compat")
local core = require("child_process.core")
local errors = require("child_process.errors")
local listeners = require("child_process.events.listeners")
local debug = require("child_process.base.standard").debug

---@class child_process.emitters
---@field defaultMaxListeners number the limit of emitters that have none of their own
local emitters = {defaultMaxListeners = 10}

local getmetatable = debug.getmetatable -- also sees behind a __metatable field

local List, unwrap = listeners.List, listeners.unwrap

local function raiseUnhandled(err)
  error(errors.isError(err) and errors.traced(err) or errors.unhandledError(err))
end

--- Makes the check that a method was called with a colon, on any object that can have fields.
---@param name string of the class
---@return fun(object: any, method: string) raises ERR_INVALID_THIS
function emitters.thisCheck(name)
  return function(object, method)
    local kind = type(object)
    if kind ~= "table" and kind ~= "userdata" then
      error(errors.invalidThis(name .. ":" .. method))
    end
  end
end

local checkThis = emitters.thisCheck("EventEmitter")

--- Checks an argument that can be called: a function, or a value with `__call`.
---@param name string of the argument
---@param value any
function emitters.checkCallable(name, value)
  if type(value) ~= "function" then
    local meta = getmetatable(value)
    if not (meta and meta.__call) then
      error(errors.invalidArgType(name, "function", value))
    end
  end
end

local checkCallable = emitters.checkCallable

--- Returns an event's listener, or the List of several.
---@param emitter table an emitter, or the table behind it
---@param event any
---@return any # nil if it has no listener
function emitters.handlerOf(emitter, event)
  local handlers = emitter._events
  return handlers and handlers[event]
end

local handlerOf = emitters.handlerOf

--- Removes all listeners of an emitter, without "removeListener" events.
---@param emitter table
function emitters.silence(emitter)
  emitter._events, emitter._eventNames = nil, nil
end

-- Any object that can have fields may be an emitter. These are the private fields of the class:
--   _events        event -> its listener, or a List of several; absent until the first listener
--   _eventNames    the events in the order of their first listeners; absent until there are two
--   _maxListeners  absent while the default applies
---@class EventEmitter
local methods = {}
emitters.methods = methods -- for classes whose own methods call them

local function checkLeak(self, event, list)
  local limit, count = self:getMaxListeners(), listeners.count(list)
  if limit > 0 and count > limit and not list.warned then
    list.warned = true
    require("child_process.events.leak")(self, event, count)
  end
end

--- An event that is emitted before each "error", with the same values. Its listeners do not handle
--- the error.
local ERROR_MONITOR = setmetatable({}, {
  __name = "events.errorMonitor",
  __tostring = function()
    return "events.errorMonitor"
  end,
})
emitters.errorMonitor = ERROR_MONITOR

local monitored = setmetatable({}, {__mode = "k"})

-- Gives the emitter an `emit` of its own that looks for listeners of errorMonitor, so that other
-- emitters need not.
local function monitor(self)
  if monitored[self] then
    return
  end
  monitored[self] = true
  local emit = self.emit
  function self.emit(emitter, event, ...)
    local handlers = event == "error" and emitter._events
    if handlers and handlers[ERROR_MONITOR] ~= nil then
      emit(emitter, ERROR_MONITOR, ...)
    end
    return emit(emitter, event, ...)
  end
end

local checkName = nil ---@type nil|fun(emitter: EventEmitter, event: any)

--- Sets whether the names of events are checked, for strict mode.
---@param on boolean
function emitters.checkNames(on)
  checkName = on and require("child_process.events.names") or nil
end

if core.getenv("CHILD_PROCESS_STRICT") == "1" then
  emitters.checkNames(true)
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
  if checkName then
    checkName(self, event)
  end
  if event == ERROR_MONITOR then
    monitor(self)
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
  checkLeak(self, event, handler)
  return self
end

local function wrapOnce(self, event, listener)
  checkCallable("listener", listener)
  return listeners.once(self, event, listener)
end

--- Calls `listener` with the event's values whenever the event is emitted, after the listeners that
--- it has already. A listener that is added twice is called twice.
---@param event any a string, or any other value but nil and nan
---@param listener function or what can be called like one
---@return self
function methods:on(event, listener)
  checkThis(self, "on")
  return add(self, event, listener, false)
end

--- The same as on.
methods.addListener = methods.on

--- Like `on`, but the listener is called before those that the event has already.
---@param event any
---@param listener function
---@return self
function methods:prependListener(event, listener)
  checkThis(self, "prependListener")
  return add(self, event, listener, true)
end

--- Like `on`, for the next time only: the listener is removed, then called.
---@param event any
---@param listener function
---@return self
function methods:once(event, listener)
  checkThis(self, "once")
  return self:on(event, wrapOnce(self, event, listener))
end

--- Like `once`, but the listener is called before those that the event has already.
---@param event any
---@param listener function
---@return self
function methods:prependOnceListener(event, listener)
  checkThis(self, "prependOnceListener")
  return self:prependListener(event, wrapOnce(self, event, listener))
end

--- Removes a listener, however it was added. Of several equal ones it removes the one added last.
---@param event any
---@param listener function
---@return self
function methods:off(event, listener)
  checkThis(self, "off")
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
  checkThis(self, "removeAllListeners")
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

--- Calls the event's listeners, in order, with the values. An error of a listener comes out of
--- emit, and the listeners after it are not called. Listeners that are added meanwhile are not
--- called; those that are removed meanwhile still are. An "error" without a listener is raised.
---@param event any
---@param ... any
---@return boolean # whether the event had listeners
function methods:emit(event, ...)
  local handlers = self._events
  local handler = handlers and handlers[event]
  if handler == nil then
    if handlers == nil then
      checkThis(self, "emit") -- here, so that it costs the usual emit nothing
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

--- The event's listeners with the wrappers that `once` made. A wrapper that is called removes
--- itself and calls the listener, which is its field `listener`.
---@param event any
---@return function[] # a copy
function methods:rawListeners(event)
  checkThis(self, "rawListeners")
  return listeners.all(handlerOf(self, event))
end

--- The event's listeners.
---@param event any
---@return function[] # a copy
function methods:listeners(event)
  checkThis(self, "listeners")
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
  checkThis(self, "listenerCount")
  local handler = handlerOf(self, event)
  return listener == nil and listeners.count(handler) or listeners.countOf(handler, listener)
end

-- Whether the event has listeners, or this one among them.
function methods:_hasListener(event, listener)
  local handlers = self._events
  local handler = handlers and handlers[event]
  if listener == nil then
    return handler ~= nil
  end
  return listeners.has(handler, listener)
end

--- The events that have listeners, in the order in which they got their first one.
---@return any[]
function methods:eventNames()
  checkThis(self, "eventNames")
  local names = self._eventNames
  return names and compat.move(names, 1, #names, 1, {}) or {(next(self._events or {}))}
end

--- Sets how many listeners one event may have before a warning says that this looks like a leak.
---@param count number 0 for no limit
---@return self
function methods:setMaxListeners(count)
  checkThis(self, "setMaxListeners")
  -- loaded late, since most programs never need it
  require("child_process.base.check").atLeast("setMaxListeners", count, 0)
  self._maxListeners = count
  return self
end

--- Returns the limit that applies to this emitter.
---@return number
function methods:getMaxListeners()
  checkThis(self, "getMaxListeners")
  return self._maxListeners or emitters.defaultMaxListeners
end

--- Waits until the event is emitted, as events.once does.
---@param event any
---@param options? WaitOptions
---@return any ... the event's values
function methods:wait(event, options)
  checkThis(self, "wait")
  return require("child_process.events.wait").once(self, event, options)
end

--- Makes a class of emitters: a table for its methods, which has those of EventEmitter already
--- (copied, so that one lookup finds them). `Class(...)` calls `Class.new(...)`; `new` makes
--- an empty table with the metatable, and a class with more to do replaces it.
---@param name string of the class in warnings and error messages
---@return table class
---@return table metatable for the class's objects, where they are tables
function emitters.inherit(name)
  local class = assign({}, methods)
  local metatable = compat.named({__name = name, __index = class})
  function class.new()
    return setmetatable({}, metatable)
  end
  return setmetatable(class, {
    __call = function(_, ...)
      return class.new(...)
    end,
  }), metatable
end

return emitters
