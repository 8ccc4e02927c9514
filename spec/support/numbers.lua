--- The bytes of numbers, and numbers that look random, without what Lua has from 5.3 on.

local numbers = {}

local char, floor = string.char, math.floor

-- The lowest `count` bytes of a whole number, from the least on.
local function littleEndian(n, count)
  local bytes = {}
  for i = 1, count do
    bytes[i] = char(n % 256)
    n = floor(n / 256)
  end
  return table.concat(bytes)
end

--- The 8 bytes of a float, from the least on.
---@param value number
---@return string
numbers.double = string.pack and function(value) return ("<d"):pack(value) end or function(value)
  if value ~= value then return "\0\0\0\0\0\0\248\127" end
  local sign = (value < 0 or 1 / value < 0) and 2048 or 0
  local mantissa, exponent = math.frexp(math.abs(value))
  if mantissa == math.huge then
    mantissa, exponent = 0, 2047
  elseif value == 0 then
    mantissa, exponent = 0, 0
  elseif exponent < -1021 then -- it has fewer bits
    mantissa, exponent = mantissa * 2 ^ (exponent + 1074), 0
  else
    mantissa, exponent = (2 * mantissa - 1) * 2 ^ 52, exponent + 1022
  end
  local low, high = mantissa % 2 ^ 32, floor(mantissa / 2 ^ 32)
  return littleEndian(low, 4) .. littleEndian(high + (sign + exponent) * 2 ^ 20, 4)
end

--- The float of such bytes.
---@param bytes string
---@return number
numbers.ofDouble = string.unpack and function(bytes) return (("<d"):unpack(bytes)) end
  or function(bytes)
    local seventh, eighth = bytes:byte(7, 8)
    local mantissa, exponent = seventh % 16, eighth % 128 * 16 + floor(seventh / 16)
    for i = 6, 1, -1 do mantissa = mantissa * 256 + bytes:byte(i) end
    local value
    if exponent == 2047 then
      value = mantissa == 0 and math.huge or 0 / 0
    elseif exponent == 0 then
      value = mantissa * 2 ^ -1074
    else
      value = math.ldexp(1 + mantissa / 2 ^ 52, exponent - 1023)
    end
    return eighth >= 128 and -value or value
  end

--- The 8 bytes of an integer.
---@param n integer
---@return string
numbers.int64 = string.pack and function(n) return ("<i8"):pack(n) end or function(n)
  return littleEndian(n, 8)
end

--- The 4 bytes of an integer.
---@param n integer
---@return string
function numbers.uint32(n)
  return littleEndian(n, 4)
end

--- Makes a generator of numbers that are the same in each run: integers from 0 to 2^31 - 2, or with
--- arguments as math.random.
---@param seed integer
---@return fun(first?: integer, last?: integer): integer
function numbers.generator(seed)
  return function(first, last)
    seed = seed * 16807 % 2147483647
    if not first then return seed end
    if not last then first, last = 1, first end
    return first + seed % (last - first + 1)
  end
end

return numbers
