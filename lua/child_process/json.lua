--- JSON, as messages use it and as JavaScript's JSON.stringify and JSON.parse have it.
---
--- Integers stay integers over all 64 bits. A float is written with a point or an exponent, in the
--- shortest way that gives back every bit; NaN and the infinities are null. JSON's null is the
--- light userdata NULL. Strings are UTF-8: what is not valid becomes U+FFFD, in both directions.
local codec = require("child_process.core").json
local errors = require("child_process.lazy_errors")

local getmetatable = debug.getmetatable -- also sees behind a __metatable field

codec.setError(function(place, value, reason)
  return errors.invalidArgValue(place, value, reason)
end)

---@class child_process.json
local json = {}

--- The JSON text of a value; nil for a function, a coroutine, a userdata (but NULL) or nil, which
--- have none. In tables those are left out, and null in arrays. A table whose keys are exactly 1 to
--- n is an array, an empty one is an object unless it is marked by `array`, and in other tables
--- keys that are numbers become strings. A metamethod `__tojson(value, key)` plays toJSON: its
--- result is written in the place of the value. The key is a string, that of an entry is its index
--- (from "1").
---
--- Raises a TypeError (ERR_INVALID_ARG_VALUE) that names the place for a cycle, for other keys, and
--- for more than 1000 tables within each other.
---@type fun(value: any): string?
json.encode = codec.encode

--- The value of a JSON text, which has to be what RFC 8259 says. Arrays carry the mark of `array`.
--- Numbers too large for any float are infinite. Of members with the same name the last one counts.
--- If the text is no JSON: nil, the reason, and the offset of what does not fit, from 1.
---@type fun(text: string): any, string?, integer?
json.decode = codec.decode

local mark = getmetatable(codec.array())

--- Marks a table as an array, also for when it is empty. Its entries go up to its length: those
--- that are nil are null, and other keys do not count.
---@generic T
---@param list? T[] default: a new table; it may have no metatable, since the mark is one
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
