--- The listeners of one event. An emitter keeps a single listener itself, and several in a List. A
--- "handler" is either of the two.

local debug = require("child_process.base.standard").debug

---@class child_process.listeners
local listeners = {}

local getmetatable = debug.getmetatable -- also sees behind a __metatable field

-- Called instead of a listener that was removed.
local function HOLE() end

-- The listeners in order. An emit walks the List itself and calls those that it had at the start:
-- `add` appends, past the end that the emit has noted. `remove` copies a List that was walked,
-- which costs no more than the walk did, and otherwise leaves a hole. So removing many listeners
-- one after the other costs little.
--   walked    an emit has walked it, and may still be walking it
--   holes     number of listeners that were removed
--   places    where each listener was added last; made by the first search in a long List
--   repeated  a listener was added several times, and `places` has only one of its places
--   warned    a warning said that it looks like a leak
---@class ListenerList
local List = {}
listeners.List = List

-- A listener that is called once, as rawListeners returns it.
---@class OnceListener
---@field listener function
---@field package emitter EventEmitter? nil after the call
---@field package event any
local Once = {__name = "OnceListener"}

function Once:__call(...)
  local emitter = self.emitter
  if emitter then
    self.emitter = nil
    emitter:removeListener(self.event, self)
    self.listener(...)
  end
end

--- Makes a listener that is called once.
---@param emitter EventEmitter
---@param event any
---@param listener function
---@return OnceListener
function listeners.once(emitter, event, listener)
  return setmetatable({emitter = emitter, event = event, listener = listener}, Once)
end

--- Returns the listener itself, without its wrapper.
---@param added function|OnceListener
---@return function
function listeners.unwrap(added)
  return getmetatable(added) == Once and added.listener or added
end

local unwrap = listeners.unwrap

-- Whether this is the listener, or its wrapper.
local function matches(added, listener)
  return rawequal(added, listener) or rawequal(unwrap(added), listener)
end

local function isList(handler)
  return getmetatable(handler) == List
end

local function newList(warned, one, other)
  return setmetatable({one, other, walked = false, holes = 0, warned = warned}, List)
end

-- Appends the listeners of a List to a list, except for the one at a place.
local function appendAll(to, list, except)
  for place = 1, #list do
    if list[place] ~= HOLE and place ~= except then
      to[#to + 1] = list[place]
    end
  end
  return to
end

local function notePlace(list, listener, place)
  list.repeated = list.repeated or list.places[listener] ~= nil
  list.places[listener] = place
end

local function note(list, place)
  local added = list[place]
  notePlace(list, added, place)
  if getmetatable(added) == Once then
    notePlace(list, added.listener, place)
  end
end

--- Adds a listener.
---@param handler any
---@param listener function
---@param prepend boolean before all others
---@return ListenerList # the new handler
function listeners.add(handler, listener, prepend)
  if not isList(handler) then
    return prepend and newList(nil, listener, handler) or newList(nil, handler, listener)
  elseif prepend then
    return appendAll(newList(handler.warned, listener), handler)
  end
  handler[#handler + 1] = listener
  if handler.places then
    note(handler, #handler)
  end
  return handler
end

--- Returns all listeners, wrapped ones as they are.
---@param handler any or nil
---@return function[] # a copy
function listeners.all(handler)
  if handler == nil then
    return {}
  elseif not isList(handler) then
    return {handler}
  end
  return appendAll({}, handler)
end

--- Returns the number of listeners.
---@param handler any or nil
---@return integer
function listeners.count(handler)
  if handler == nil then
    return 0
  end
  return isList(handler) and #handler - handler.holes or 1
end

local LONG = 16 -- from this length on a table of places is faster than a search

-- Finds the last place of a listener in a List, wrapped or not.
local function find(list, listener)
  if #list >= LONG then
    if not list.places then
      list.places = {}
      for place = 1, #list do
        if list[place] ~= HOLE then
          note(list, place)
        end
      end
    end
    local place = list.places[listener]
    if place or not list.repeated then
      return place
    end
  end
  for place = #list, 1, -1 do
    if matches(list[place], listener) then
      return place
    end
  end
  return nil
end

local function forgetPlace(list, listener, place)
  if list.places[listener] == place then
    list.places[listener] = nil
  end
end

-- Removes the listener at a place. Returns the new handler.
local function without(list, place)
  if #list == 2 then
    return list[3 - place]
  elseif list.walked or 2 * (list.holes + 2) > #list then -- at least two are left
    return appendAll(newList(list.warned), list, place)
  end
  local added = list[place]
  list[place] = HOLE
  list.holes = list.holes + 1
  if list.places then
    forgetPlace(list, added, place)
    forgetPlace(list, unwrap(added), place)
  end
  return list
end

--- Removes a listener. Of several equal ones it removes the one added last.
---@param handler any
---@param listener function wrapped or not
---@return boolean # whether it was found
---@return any # the new handler; nil if no listener is left
function listeners.remove(handler, listener)
  if not isList(handler) then
    return matches(handler, listener), nil
  end
  local place = find(handler, listener)
  if place then
    return true, without(handler, place)
  end
  return false
end

--- Whether the handler has a listener, wrapped or not.
---@param handler any or nil
---@param listener function
---@return boolean
function listeners.has(handler, listener)
  if isList(handler) then
    return find(handler, listener) ~= nil
  end
  return handler ~= nil and matches(handler, listener)
end

--- Returns how many times the handler has a listener, wrapped or not.
---@param handler any or nil
---@param listener function
---@return integer
function listeners.countOf(handler, listener)
  local count = 0
  for _, added in ipairs(listeners.all(handler)) do
    if matches(added, listener) then
      count = count + 1
    end
  end
  return count
end

return listeners
