--- What an emitter keeps for one event: the listener, or a List where there are several.
-- An emit walks the List itself and calls those that were there when it began. Adding appends, past
-- the end that the emit has noted. To remove one from a List that was walked makes a new List,
-- which costs no more than the walk did; otherwise it leaves a hole. So those who leave one after
-- the other cost little, however many they are.

---@class child_process.listeners
local listeners = {}

local getmetatable = debug.getmetatable -- also sees behind a __metatable field

-- What is called in the place of a listener that has gone.
local function HOLE() end

-- The listeners in order, and:
--   walked    an emit has walked it, and may still do so
--   holes     how many of them have gone
--   places    where a listener was added last; made when one is looked for in a long List
--   repeated  listeners were added several times, so `places` does not know all
--   warned    of a leak
---@class ListenerList
local List = {}
listeners.List = List

-- A listener for one time, as rawListeners shows it; `emitter` is absent once it has been called.
---@class OnceListener
---@field listener function
local Once = {__name = "OnceListener"}

function Once:__call(...)
  local emitter = self.emitter
  if emitter then
    self.emitter = nil
    emitter:removeListener(self.event, self)
    self.listener(...)
  end
end

--- Wraps a listener for one time.
---@param emitter EventEmitter
---@param event any
---@param listener function
---@return OnceListener
function listeners.once(emitter, event, listener)
  return setmetatable({emitter = emitter, event = event, listener = listener}, Once)
end

--- The listener itself, where it is wrapped.
---@param added function|OnceListener
---@return function
function listeners.unwrap(added)
  return getmetatable(added) == Once and added.listener or added
end

local unwrap = listeners.unwrap

-- Is this the listener, or its wrapper?
local function matches(added, listener)
  return rawequal(added, listener) or rawequal(unwrap(added), listener)
end

local function isList(handler)
  return getmetatable(handler) == List
end

local function newList(warned, one, other)
  return setmetatable({one, other, walked = false, holes = 0, warned = warned}, List)
end

-- Appends to a list those of a List, but for the one at a place.
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

--- Adds a listener to those that are kept.
---@param handler any
---@param listener function
---@param prepend boolean before all others
---@return ListenerList # what is to be kept
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

--- All listeners that are kept, wrappers as they are.
---@param handler any nil if there is none
---@return function[] # a copy
function listeners.all(handler)
  if handler == nil then
    return {}
  elseif not isList(handler) then
    return {handler}
  end
  return appendAll({}, handler)
end

--- How many they are.
---@param handler any nil if there is none
---@return integer
function listeners.count(handler)
  if handler == nil then
    return 0
  end
  return isList(handler) and #handler - handler.holes or 1
end

local LONG = 16 -- looking into the places of so many is faster than looking at each

-- Where a listener is in a List, wrapped or not: the last place of several.
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

-- What is to be kept when the one at the place goes.
local function without(list, place)
  if #list == 2 then
    return list[3 - place]
  elseif list.walked or 2 * (list.holes + 2) > #list then -- two are left at least
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

--- Takes a listener away from those that are kept: of several equal ones the one added last.
---@param handler any
---@param listener function wrapped or not
---@return boolean # was it there?
---@return any # what is to be kept; nil for nothing
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

--- Is a listener among those that are kept, wrapped or not?
---@param handler any nil if there is none
---@param listener function
---@return boolean
function listeners.has(handler, listener)
  if isList(handler) then
    return find(handler, listener) ~= nil
  end
  return handler ~= nil and matches(handler, listener)
end

--- How often it is there.
---@param handler any nil if there is none
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
