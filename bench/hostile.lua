-- Decodes messages that are made to be slow, in growing sizes: the time must not grow faster than
-- the size.
--
--   lua5.4 bench/hostile.lua [SIZE]   SIZE: how many keys at first
--
-- A row is a shape of message: for each of four sizes, twice the one before, the processor's time
-- in milliseconds, with "refused" where decoding gives an error; and how much longer the last took
-- than the first for each byte: about 1 where the time is linear, 8 where it is quadratic.

local clone = require("child_process.clone")
local json = require("child_process.json")
local bytes = require("spec.support.clone_bytes")
local colliding = require("spec.support.colliding")
local numbers = require("spec.support.numbers")

local FIRST = tonumber(arg[1]) or math.min(16384, math.floor(colliding.MOST / 8))
local SIZES = 4
local REPEATED = 3

local message, varint = bytes.message, bytes.varint
local uint32, int64, double = bytes.uint32, bytes.int64, bytes.double

-- How many places a table for `count` keys has.
local function places(count)
  local size = 1
  while size < count do
    size = size * 2
  end
  return size
end

-- Keys with one place in a table of the final size, and in one of half of it. There are only so
-- many indexes below 2^32.
local function integers(count)
  return colliding.integers(count, places(count))
end

local function early(count)
  return colliding.integers(count, places(count) / 2)
end

local function indexes(count)
  return colliding.indexes(count, places(count))
end

local function scattered(count)
  local random, keys = numbers.generator(1), {}
  for i = 1, count do
    keys[i] = random() * 4194304 + i
  end
  return keys
end

-- A maker of messages of a size, whose keys are put into a table or Map by `form`.
local function with(form, makeKeys, number)
  return function(count)
    return form(makeKeys(count), number)
  end
end

-- In an array without elements, and behind one.
local function sparse(count)
  local keys = indexes(count)
  return message("a" .. varint(0xFFFFFFFF), keys, uint32,
    "@" .. varint(#keys) .. varint(0xFFFFFFFF))
end

local function others(count)
  local keys = indexes(count)
  return message("A\2TT", keys, uint32, "$" .. varint(#keys) .. "\2")
end

local function jsonObject(count)
  local parts = {}
  for i, key in ipairs(integers(count)) do
    parts[i] = ('"%d":1'):format(key)
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function lookUp(text)
  local map, reason = clone.decode(text)
  if map then
    map:get(1)
  end
  return map, reason
end

local rows = {
  {"integers of any kind", with(bytes.tableOf, scattered, int64)},
  {"integers in one place", with(bytes.tableOf, integers, int64)},
  {"integers in one place of a smaller table", with(bytes.tableOf, early, int64)},
  {"the same, in a table that refers to itself", with(bytes.selfReferring, early, int64)},
  {"floats in one place", with(bytes.tableOf, colliding.floats, double)},
  {"indexes of a sparse array in one place", sparse},
  {"indexes behind an array in one place", others},
  {"integers in one place of a Map, looked up", with(bytes.mapOf, integers, int64), lookUp},
  {"floats in one place of a Map, looked up", with(bytes.mapOf, colliding.floats, double), lookUp},
  {"JSON: names that are such integers", jsonObject, json.decode},
}

-- The least of some times, in seconds, and whether there was a value.
local function measure(decode, text)
  local least, value = math.huge, nil
  for _ = 1, REPEATED do
    collectgarbage()
    local start = os.clock()
    value = decode(text)
    least = math.min(least, os.clock() - start)
    if least > 2 then
      break
    end
  end
  return least, value ~= nil
end

local function printRow(row)
  local name, make, decode = row[1], row[2], row[3] or clone.decode
  local cells, first, last = {}, nil, nil
  for step = 0, SIZES - 1 do
    local text = make(FIRST * 2 ^ step)
    local time, good = measure(decode, text)
    cells[#cells + 1] = ("%.1f (%.2f MB)%s"):format(time * 1e3, #text / 1e6,
      good and "" or " refused")
    last = time / #text
    first = first or last
  end
  print(("| %s | %s | %.1f |"):format(name, table.concat(cells, " | "), last / first))
end

print("| keys | " .. ("ms | "):rep(SIZES) .. "growth for each byte |")
print("|---|" .. ("---|"):rep(SIZES) .. "---|")
for _, row in ipairs(rows) do
  printRow(row)
end
