--- JSON, as in messages: written and read like JavaScript's JSON.stringify and JSON.parse.

local debug = require("child_process.base.standard").debug
local codec = require("child_process.core").json
local errors = require("child_process.errors")

local getmetatable = debug.getmetatable -- also sees behind a __metatable field

codec.setError(function(place, value, reason)
  return errors.invalidArgValue(place, value, reason)
end)

--- Integers keep all 64 bits. A float is written with a point or an exponent, in the
--- shortest way that gives back every bit; NaN and the infinities are null. JSON's null is the
--- light userdata NULL. Strings are UTF-8: invalid bytes become U+FFFD, in both directions.
---@class child_process.json
local json = {}

--- Returns the JSON text of a value; nil for functions, coroutines, userdata (except NULL) and nil,
--- which have none. These are omitted from tables, and are null in arrays. A table whose keys are
--- exactly 1 to n is an array, an empty one is an object unless it is marked by `array`, and in
--- other tables keys that are numbers become strings. A metamethod `__tojson(value, key)` works
--- like toJSON: its result is written instead of the value. The key is a string; in an array it is
--- the index (from "1").
---
--- Raises a TypeError (ERR_INVALID_ARG_VALUE) that names the place for a cycle, for other keys, and
--- for more than 1000 nested tables.
---@type fun(value: any): string?
json.encode = codec.encode

--- Returns the value of a JSON text (RFC 8259). Arrays carry the mark of `array`. Numbers too
--- large for any float are infinite. Of members with the same name the last one counts. Returns
--- nil, the reason, and the offset of the error, from 1, for a text that is not JSON.
---@type fun(text: string): any, string?, integer?
json.decode = codec.decode

local mark = getmetatable(codec.array())

--- Marks a table as an array, which an empty table is not without the mark. It goes up to its last
--- entry, or up to the first nil if most are nil. Others that are nil are null, and other keys are
--- ignored.
---@generic T
---@param list? T[] default: a new table; it must have no metatable, since the mark is one
---@return T[] # the same table
function json.array(list)
  if list ~= nil and type(list) ~= "table" then
    error(errors.invalidArgType("list", "table", list))
  end
  if list and getmetatable(list) ~= nil and getmetatable(list) ~= mark then
    error(errors.invalidArgValue("list", list, "has a metatable"))
  end
  return codec.array(list)
end

return json
