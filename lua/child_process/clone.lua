--- Structured clone, the format of messages with `serialization = "advanced"`: that of V8, with
--- classes for the types of JavaScript that Lua lacks. In Node: Advanced serialization.

local compat = require("child_process.base.compat")
local core = require("child_process.core").clone
local errors = require("child_process.errors")
local standard = require("child_process.base.standard")

local debug, os = standard.debug, standard.os

core.setError(function(place, _, reason)
  return errors.dataClone(place, reason)
end)

---@class child_process.clone
---@field Map Map
---@field Set Set
---@field Date Date
---@field RegExp RegExp
---@field BigInt BigInt
---@field ArrayBuffer ArrayBuffer
---@field TypedArray TypedArray
local clone = {}

--- JavaScript's undefined.
---@type lightuserdata
clone.undefined = core.undefined

--- Returns the bytes of a value: header and value, as they stand in a message after its length.
---
--- Raises a DataCloneError that names the place for functions, coroutines and userdata (except NULL
--- and `undefined`), for objects of the classes below whose fields are invalid, and for more than
--- 1000 nested tables. Metatables and `__tojson` have no effect.
---@type fun(value: any): string
clone.encode = core.encode

--- Returns the value of such bytes; or nil, the reason, and the position of the error.
---@type fun(bytes: string): any, string?, integer?
clone.decode = core.decode

-- Makes a class whose constructor is `new` and can also be called.
local function class(name, new, methods)
  local metatable = compat.named({__name = name, __index = methods})
  local constructors = setmetatable({new = function(...)
    return setmetatable(new(...), metatable)
  end}, {__call = function(constructors, ...)
    return constructors.new(...)
  end})
  clone[name] = constructors
  return metatable
end

-- As check.type, which a forked child need not load.
local function check(name, expected, value)
  if type(value) ~= expected then
    error(errors.invalidArgType(name, expected, value), 0)
  end
  return value
end

local function checkList(name, list)
  return list == nil and {} or check(name, "table", list)
end

-- A Map is a list of keys, each followed by its value; a Set is a list of its values. Both have:
--   _index    the positions of the keys; absent until the first lookup
--   _deleted  how many elements of the list are DELETED; absent while there are none

-- Replaces an entry that was deleted, so that the others keep their places. It is not encoded.
local DELETED = core.deleted

-- The key for NaN in an index, and the key of the index of the other numbers without an integer.
local NAN, NUMBERS = {}, {}

-- Numbers are replaced by keys that no sender can choose so that they collide.
local function numberIn(index, value)
  local integer = compat.scatterInteger(value)
  if integer then
    return index, integer
  elseif value ~= value then
    return index, NAN
  end
  local numbers = index[NUMBERS]
  if not numbers then
    numbers = {}
    index[NUMBERS] = numbers
  end
  return numbers, compat.scatterNumber(value)
end

-- The table, which is the index or a part of it, and the key in it, for a key of a Map or Set.
local function placeIn(index, value)
  if type(value) == "number" then
    return numberIn(index, value)
  elseif value == nil then
    return index, core.undefined
  end
  return index, value
end

local function find(index, value)
  local places, key = placeIn(index, value)
  return places[key]
end

local function note(index, value, position)
  local places, key = placeIn(index, value)
  places[key] = position
end

local function stored(value)
  if value == nil then
    return core.undefined
  end
  return value
end

-- Returns the positions of the keys. The first lookup makes this table.
local function indexOf(self, step)
  local index = rawget(self, "_index")
  if not index then
    index = {}
    for position = 1, #self, step do
      if self[position] ~= DELETED then
        note(index, self[position], position)
      end
    end
    rawset(self, "_index", index)
  end
  return index
end

local function delete(self, key, step)
  local index = indexOf(self, step)
  local position = find(index, key)
  if not position then
    return false
  end
  note(index, key, nil)
  for offset = 0, step - 1 do
    self[position + offset] = DELETED
  end
  self._deleted = (self._deleted or 0) + step
  return true
end

-- Closes the gaps if more than half of the entries were deleted. Only adding an entry does so, as a
-- loop over the entries may delete some.
local function compact(self)
  if (self._deleted or 0) * 2 <= #self then
    return
  end
  local count = 0
  for position = 1, #self do
    local value = self[position]
    self[position] = nil
    if value ~= DELETED then
      count = count + 1
      self[count] = value
    end
  end
  self._index, self._deleted = nil, nil
end

local function size(self, step)
  return math.floor((#self - (self._deleted or 0)) / step)
end

local function clear(self)
  for position = #self, 1, -1 do
    self[position] = nil
  end
  self._index, self._deleted = nil, nil
end

-- Map ---------------------------------------------------------------------------------------

--- Keys of any kind with values, in the order in which they were added. nil is kept as `undefined`.
---@class Map
---@field new fun(entries?: any[][]): Map
---@overload fun(entries?: any[][]): Map
local Map = {}

--- The value of a key.
---@param key any
---@return any # nil if the Map does not have the key
function Map:get(key)
  local position = find(indexOf(self, 2), key)
  return position and self[position + 1]
end

---@param key any
---@return boolean
function Map:has(key)
  return find(indexOf(self, 2), key) ~= nil
end

--- Adds a key, or replaces the value of a key that the Map has already.
---@param key any
---@param value any
---@return Map self
function Map:set(key, value)
  local index = indexOf(self, 2)
  local position = find(index, key)
  if not position then
    compact(self)
    index = indexOf(self, 2)
    position = #self + 1
    self[position] = stored(key)
    note(index, key, position)
  end
  self[position + 1] = stored(value)
  return self
end

---@param key any
---@return boolean # whether it was found
function Map:delete(key)
  return delete(self, key, 2)
end

--- Removes all keys.
---@type fun(self: Map)
Map.clear = clear

---@return integer
function Map:size()
  return size(self, 2)
end

--- for key, value in map:entries() do ... end
---@return fun(): any, any
function Map:entries()
  local position = -1
  return function()
    repeat
      position = position + 2
    until self[position] ~= DELETED
    return self[position], self[position + 1]
  end
end

local mapMetatable = class("Map", function(entries)
  local map = {}
  for index, entry in ipairs(checkList("entries", entries)) do
    check(("entries[%d]"):format(index), "table", entry)
    Map.set(map, entry[1], entry[2])
  end
  return map
end, Map)

-- Set ---------------------------------------------------------------------------------------

--- Values of any kind, each once, in the order in which they were added.
---@class Set
---@field new fun(values?: any[]): Set
---@overload fun(values?: any[]): Set
local Set = {}

---@param value any
---@return boolean
function Set:has(value)
  return find(indexOf(self, 1), value) ~= nil
end

---@param value any
---@return Set self
function Set:add(value)
  if not Set.has(self, value) then
    compact(self)
    local index, position = indexOf(self, 1), #self + 1
    self[position] = stored(value)
    note(index, value, position)
  end
  return self
end

---@param value any
---@return boolean # whether it was found
function Set:delete(value)
  return delete(self, value, 1)
end

--- Removes all values.
---@type fun(self: Set)
Set.clear = clear

---@return integer
function Set:size()
  return size(self, 1)
end

--- for value in set:values() do ... end
---@return fun(): any
function Set:values()
  local position = 0
  return function()
    repeat
      position = position + 1
    until self[position] ~= DELETED
    return self[position]
  end
end

local setMetatable = class("Set", function(values)
  local set = {}
  for _, value in ipairs(checkList("values", values)) do
    Set.add(set, value)
  end
  return set
end, Set)

-- Values ------------------------------------------------------------------------------------

--- A point in time.
---@class Date
---@field time number milliseconds since 1970: an integer if they are whole, NaN for an invalid date
---@field new fun(time?: number): Date the default is now, in whole seconds
---@overload fun(time?: number): Date
local dateMetatable = class("Date", function(time)
  time = check("time", "number", time or os.time() * 1000)
  return {time = compat.toInteger(time) or time}
end, {})

--- A regular expression of JavaScript. It can be sent on, but not used.
---@class RegExp
---@field source string
---@field flags string of "dgimsuvy", each at most once, in this order
---@field new fun(source: string, flags?: string): RegExp
---@overload fun(source: string, flags?: string): RegExp
local regexpMetatable = class("RegExp", function(source, flags)
  check("source", "string", source)
  flags = check("flags", "string", flags or "")
  local letters = {}
  for letter in flags:gmatch(".") do
    if letters[letter] or not ("dgimsuvy"):find(letter, 1, true) then
      error(errors.invalidArgValue("flags", flags), 0)
    end
    letters[letter] = true
    letters[#letters + 1] = letter
  end
  table.sort(letters)
  return {source = source, flags = table.concat(letters)}
end, {})

function regexpMetatable:__tostring()
  return ("/%s/%s"):format(self.source, self.flags)
end

--- An integer of any size, a BigInt in JavaScript. One that fits into 64 bits arrives as an
--- integer, unless Lua has sent it as an object of this class.
---@class BigInt
---@field hex string "-0x1f": small letters, no zeros before the digits
---@field new fun(value: integer|string): BigInt an integer, or hexadecimal digits
---@overload fun(value: integer|string): BigInt
local bigintMetatable = class("BigInt", function(value)
  local integer = compat.toInteger(value)
  if integer then
    -- %x writes mininteger as its magnitude
    return {hex = ("%s0x%x"):format(integer < 0 and "-" or "", integer < 0 and -integer or integer)}
  elseif type(value) ~= "string" then
    error(errors.invalidArgType("value", {"integer", "string"}, value), 0)
  elseif not value:find("^%-?0[xX]%x+$") then
    error(errors.invalidArgValue("value", value, "must be like '-0x1f'"), 0)
  end
  local sign, digits = value:lower():match("^(%-?)0x0*(%x+)$")
  return {hex = digits == "0" and "0x0" or sign .. "0x" .. digits}
end, {})

function bigintMetatable:__tostring()
  return self.hex
end

--- Bytes without a type.
---@class ArrayBuffer
---@field bytes string
---@field new fun(bytes: string): ArrayBuffer
---@overload fun(bytes: string): ArrayBuffer
local arrayBufferMetatable = class("ArrayBuffer", function(bytes)
  return {bytes = check("bytes", "string", bytes)}
end, {})

--- Bytes with a type: an array of numbers, a DataView, or a Buffer, which arrives as a string.
---@class TypedArray
---@field type string "Uint8Array", "Float64Array", ..., "DataView", "Buffer"
---@field bytes string in the machine's byte order, as string.pack makes them
---@field new fun(type: string, bytes: string): TypedArray
---@overload fun(type: string, bytes: string): TypedArray
local typedArrayMetatable = class("TypedArray", function(type, bytes)
  local elementSize = core.elementSize(check("type", "string", type))
  if not elementSize then
    error(errors.invalidArgValue("type", type), 0)
  elseif #check("bytes", "string", bytes) % elementSize ~= 0 then
    error(errors.outOfRange("#bytes", "a multiple of " .. elementSize, #bytes), 0)
  end
  return {type = type, bytes = bytes}
end, {})

--- Errors are those of child_process.errors. Messages carry their name, message, stack and cause.
core.setClasses(function()
  return {
    mapMetatable, setMetatable, dateMetatable, regexpMetatable, bigintMetatable,
    arrayBufferMetatable, typedArrayMetatable, debug.getmetatable(errors.Error()),
  }
end)

return clone
