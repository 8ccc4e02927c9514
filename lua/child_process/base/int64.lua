--- Integers of 64 bits as cdata of LuaJIT, which has no others: cp.int64.

local compat = require("child_process.base.compat")
local core = require("child_process.core")
local errors = require("child_process.errors")

---@class child_process.int64
local int64 = {}

local WORD = 0x100000000

local function functions()
  local found, ffi = pcall(require, "ffi")
  if not found then
    error(errors.Error("int64 needs LuaJIT's FFI library, which this Lua does not have"))
  end
  local signed, unsigned = ffi.typeof("int64_t"), ffi.typeof("uint64_t")
  local word, limit = unsigned(WORD), unsigned(2 ^ 63)
  local function make(high, low)
    return signed(high) * signed(WORD) + signed(low)
  end
  local function split(value)
    if not ffi.istype(signed, value) and not (ffi.istype(unsigned, value) and value < limit) then
      return nil
    end
    local bits = ffi.cast(unsigned, value)
    local high = tonumber(bits / word)
    return high >= WORD / 2 and high - WORD or high, tonumber(bits % word)
  end
  return make, split
end

local isOn = compat.hasIntegers

--- Turns the cdata on or off. Where Lua has integers of 64 bits, these are used in any case.
---@param on boolean
function int64.set(on)
  if type(on) ~= "boolean" then
    error(errors.invalidArgType("int64", "boolean", on))
  elseif compat.hasIntegers then
    return
  elseif on then
    core.setInt64(functions())
  else
    core.setInt64(nil, nil)
  end
  isOn = on
end

--- Whether integers of messages beyond 2^53 keep all their digits.
---@return boolean
function int64.isOn()
  return isOn
end

return int64
