--- The bytes of structured clones with many keys, written by hand: for specs and benchmarks of
--- messages that no encoder would write.

local numbers = require("spec.support.numbers")

local bytes = {}

bytes.HEADER = "\255\15"

function bytes.varint(n)
  local parts = {}
  while n > 127 do
    parts[#parts + 1] = string.char(n % 128 + 128)
    n = math.floor(n / 128)
  end
  parts[#parts + 1] = string.char(n)
  return table.concat(parts)
end

function bytes.uint32(n)
  return "U" .. bytes.varint(n)
end

function bytes.int64(n)
  return (n < 0 and "Z\17" or "Z\16") .. numbers.int64(n < 0 and -n or n)
end

function bytes.double(n)
  return "N" .. numbers.double(n)
end

--- A message: keys, each with the value true, between `begin` and `finish`.
---@param begin string
---@param keys number[]
---@param write fun(key: number): string
---@param finish string
---@return string
function bytes.message(begin, keys, write, finish)
  local parts = {bytes.HEADER, begin}
  for _, key in ipairs(keys) do
    parts[#parts + 1] = write(key) .. "T"
  end
  parts[#parts + 1] = finish
  return table.concat(parts)
end

--- A table with keys of any kind, as Lua writes it.
---@param keys number[]
---@param write fun(key: number): string
---@return string
function bytes.tableOf(keys, write)
  return bytes.message("\0;", keys, write, ":" .. bytes.varint(2 * #keys))
end

--- The same with a reference to itself.
---@param keys number[]
---@param write fun(key: number): string
---@return string
function bytes.selfReferring(keys, write)
  return bytes.message("\0;\"\4self^\0", keys, write, ":" .. bytes.varint(2 * #keys + 2))
end

--- A Map.
---@param keys number[]
---@param write fun(key: number): string
---@return string
function bytes.mapOf(keys, write)
  return bytes.message(";", keys, write, ":" .. bytes.varint(2 * #keys))
end

return bytes
