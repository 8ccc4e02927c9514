--- Events: EventEmitter, waiting for events, and limits on listeners.

local check = require("child_process.base.check")
local emitters = require("child_process.events.emitter")
local errors = require("child_process.errors")
local warnings = require("child_process.base.warnings")

---@class child_process.events
---@field EventEmitter child_process.EventEmitterClass
---@field errorMonitor table an event that is emitted before each "error", with the same values. Its
---listeners do not handle the error.
---@field inherit fun(name: string): table, table makes a class of emitters, see emitter.lua
---@field defaultMaxListeners number the limit of emitters that have none of their own
---@field warn fun(message: string, name: string, fields?: table) is called with each warning. By
---default it writes to stderr, and process emits "warning" on the next tick. A program may replace
---it.
local events = {
  errorMonitor = emitters.errorMonitor,
  inherit = emitters.inherit,
}

--- Waits for one event, see wait.lua.
---@param emitter EventEmitter
---@param event any
---@param options? WaitOptions
---@return any ... the event's values
function events.once(emitter, event, options)
  check.dot(emitter, events, "events.once")
  return require("child_process.events.wait").once(emitter, event, options)
end

--- Iterates over events, see wait.lua.
---@param emitter EventEmitter
---@param event any
---@param options? EventIteratorOptions
---@return fun(): table?
function events.on(emitter, event, options)
  check.dot(emitter, events, "events.on")
  return require("child_process.events.wait").on(emitter, event, options)
end

--- Sets how many listeners one event of these emitters may have before a warning. Without emitters,
--- sets it for all that have no limit of their own.
---@param count number 0 for no limit
---@param ... EventEmitter
function events.setMaxListeners(count, ...)
  check.atLeast("setMaxListeners", count, 0)
  for index = 1, select("#", ...) do
    local emitter = select(index, ...)
    local kind = type(emitter)
    if kind ~= "table" and kind ~= "userdata" or not emitter.setMaxListeners then
      error(errors.invalidArgType("eventTargets", "EventEmitter", emitter))
    end
  end
  for _, emitter in ipairs({...}) do
    emitter:setMaxListeners(count)
  end
  if select("#", ...) == 0 then
    emitters.defaultMaxListeners = count
  end
end

local function setDefaultMaxListeners(count)
  check.atLeast("defaultMaxListeners", count, 0)
  emitters.defaultMaxListeners = count
end

-- Objects use the class itself. Scripts get a view of it that has the default limit as a field,
-- whose value is checked when it is set.
local class = emitters.inherit("EventEmitter")
class.errorMonitor = emitters.errorMonitor

local view = {}

function view.__index(_, key)
  if key == "defaultMaxListeners" then
    return emitters.defaultMaxListeners
  end
  return class[key]
end

function view.__newindex(_, key, value)
  if key == "defaultMaxListeners" then
    setDefaultMaxListeners(value)
  else
    class[key] = value
  end
end

function view.__call(_, ...)
  return class.new(...)
end

function view.__pairs()
  return next, class
end

---@class child_process.EventEmitterClass : EventEmitter
---@field errorMonitor table the same as events.errorMonitor
---@field defaultMaxListeners number the same as events.defaultMaxListeners
---@field new fun(): EventEmitter
---@overload fun(): EventEmitter
events.EventEmitter = setmetatable({}, view)

local fields = {}

function fields.__index(_, key)
  if key == "defaultMaxListeners" then
    return emitters.defaultMaxListeners
  elseif key == "warn" then
    return warnings.warn
  end
end

function fields.__newindex(_, key, value)
  if key == "defaultMaxListeners" then
    setDefaultMaxListeners(value)
  elseif key == "warn" then
    warnings.warn = value
  else
    rawset(events, key, value)
  end
end

return setmetatable(events, fields)
