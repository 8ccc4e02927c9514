-- Structured clones of tables with many number keys: the work is bounded, and harmless tables
-- arrive.

local clone = require("child_process.clone")
local bytes = require("spec.support.clone_bytes")
local colliding = require("spec.support.colliding")
local numbers = require("spec.support.numbers")
local support = require("spec.support")
local compat = require("child_process.base.compat")

local int64, double, uint32, varint = bytes.int64, bytes.double, bytes.uint32, bytes.varint
local message, tableOf, selfReferring = bytes.message, bytes.tableOf, bytes.selfReferring

local REFUSED = "too many keys that collide"

--- A list of keys: key(1), key(2), ...
local function list(count, key)
  local keys = {}
  for i = 1, count do keys[i] = key(i) end
  return keys
end

local function refused(text)
  local value, reason = clone.decode(text)
  assert.is_nil(value)
  assert.equal(REFUSED, reason)
end

describe("Decoding refuses a table whose keys have one place", function()
  local COUNT = math.min(20000, colliding.MOST)
  local PLACES = COUNT > 4096 and 32768 or 4096

  it("when they are integers", function()
    local keys = colliding.integers(COUNT, PLACES)
    refused(tableOf(keys, int64))
    for i, key in ipairs(keys) do keys[i] = -key end
    refused(tableOf(keys, int64))
  end)

  it("when they are floats", function()
    refused(tableOf(colliding.floats(COUNT), double))
  end)

  it("when they are indexes of an array without elements", function()
    local begin, finish = "a" .. varint(0xFFFFFFFF), "@" .. varint(COUNT) .. varint(0xFFFFFFFF)
    local step = 32768 * 32767
    local keys = list(COUNT, function(i) return (i % 3) * step + math.floor(i / 3) end)
    assert.is_truthy(clone.decode(message(begin, keys, uint32, finish)),
      "chains of three are harmless")
    refused(message(begin, colliding.indexes(COUNT, PLACES), uint32, finish))
  end)

  it("when they are indexes behind the elements of an array", function()
    refused(message("A\2TT", colliding.indexes(COUNT, PLACES), uint32,
      "$" .. varint(COUNT) .. "\2"))
  end)

  it("when others that are harmless come first", function()
    local keys = list(COUNT, function(i) return i end)
    compat.move(colliding.integers(COUNT, PLACES), 1, COUNT, COUNT + 1, keys)
    refused(tableOf(keys, int64))
    refused(selfReferring(keys, int64))
    keys = colliding.integers(COUNT, PLACES)
    for i = 1, 100000 do keys[#keys + 1] = i end
    refused(selfReferring(keys, int64))
  end)

  it("when the table is filled while it grows, for each size that it has meanwhile", function()
    local random = numbers.generator(1)
    for _, places in ipairs(COUNT > 4096 and {8192, 16384, 32768} or {2048, 4096}) do
      local keys = colliding.integers(places, places)
      for i = #keys + 1, COUNT do keys[i] = random() * 4194304 + i end
      refused(selfReferring(keys, int64))
    end
  end)

  it("within others", function()
    local inner = tableOf(colliding.integers(COUNT, PLACES), int64):sub(#bytes.HEADER + 1)
    refused(bytes.HEADER .. "A\1" .. inner .. "$\0\1")
    refused(tableOf(list(1000, function(i) return i end), int64):sub(1, -4) .. "I\2" .. inner
      .. ":" .. varint(2002))
  end)

  it("when all the tables of a message together have too many", function()
    -- each alone is harmless
    local inner = tableOf(colliding.integers(1200, 2048), int64):sub(#bytes.HEADER + 1)
    assert.is_truthy(clone.decode(bytes.HEADER .. inner))
    refused(bytes.HEADER .. "A" .. varint(1000) .. inner:rep(1000) .. "$\0" .. varint(1000))
  end)
end)

describe("Decoding takes large tables", function()
  local COUNT = 30000

  --- Whether a table comes back as it was.
  local function comesBack(original)
    local decoded, reason = clone.decode(clone.encode(original))
    assert.is_nil(reason)
    local count = 0
    for key, value in pairs(decoded) do
      count = count + 1
      if value ~= decoded and original[key] ~= value then assert.equal(original[key], value) end
    end
    for _ in pairs(original) do count = count - 1 end
    assert.equal(0, count)
    return decoded
  end

  local function keyed(key)
    local made = {}
    for i = 1, COUNT do made[key(i)] = i end
    return made
  end

  local keysByName = {
    ["with holes"] = function(i) return 3 * i end,
    ["of integers with one distance"] = function(i) return i * 86400 end,

    ["of integers below zero"] = function(i) return -i end,
    ["of scattered integers"] = function(i) return i * 0x9E3779B97F4A7C15 end,
    ["of floats"] = function(i) return i / 10 end,
    ["of names and numbers in turns"] = function(i) return i % 2 == 0 and "n" .. i or i * 7 end,
    ["of an array that begins late"] = function(i) return i + 10 end,
    ["of strings alone"] = function(i) return "key" .. i end,
    ["of entries, in their order"] = function(i) return i end,
  }
  if support.luaVersion ~= "5.3" then -- which has one place for all of these
    keysByName["of powers of two"] = function(i) return i * 1048576 end
  end
  for name, key in pairs(keysByName) do
    it(name, function()
      comesBack(keyed(key))
      local cyclic = keyed(key)
      cyclic.self = cyclic
      local decoded = comesBack(cyclic)
      assert.equal(decoded, decoded.self)
    end)
  end

  it("in which tables refer to the one around them", function()
    local owner = {}
    for i = 1, 1000 do owner[i * 1000] = {owner = owner, id = i} end
    local decoded = clone.decode(clone.encode(owner))
    for i = 1, 1000 do
      assert.equal(decoded, decoded[i * 1000].owner)
      assert.equal(i, decoded[i * 1000].id)
    end
  end)

  it("with elements and other fields", function()
    local made = list(1000, function(i) return i end)
    for i = 1, 1000 do made["n" .. i] = -i end
    comesBack(made)
  end)

  it("with indexes behind the elements", function()
    local keys = list(1000, function(i) return 5 * i end)
    local decoded = clone.decode(message("A\2FF", keys, uint32, "$" .. varint(1000) .. "\2"))
    assert.is_false(decoded[2])
    assert.is_true(decoded[5001])
  end)

  it("of keys that come twice: the last one counts", function()
    local text = bytes.HEADER .. "\0;" .. ("I\2T"):rep(500) .. "I\2F" .. "I\4T" .. ":"
      .. varint(1004)
    assert.same({false, true}, clone.decode(text))
  end)

  it("but none with NaN as a key", function()
    local keys = list(500, function(i) return i * 1.5 end)
    keys[300] = 0 / 0
    local value, reason = clone.decode(tableOf(keys, double))
    assert.is_nil(value)
    assert.equal("NaN as a key", reason)
  end)
end)

describe("The keys of a Map and the values of a Set", function()
  it("are found whatever numbers they are", function()
    local keys = {
      1, 2.5, -0.5, 0 / 0, compat.maxInteger, -compat.maxInteger, 2 ^ 63, 1e300, math.huge, "1",
      true, 0x10000000000, 5e-324,
    }
    local map, set = clone.Map(), clone.Set()
    for place, key in ipairs(keys) do
      map:set(key, place)
      set:add(key)
    end
    map, set = clone.decode(clone.encode(map)), clone.decode(clone.encode(set))
    assert.equal(#keys, map:size())
    for place, key in ipairs(keys) do
      assert.equal(place, map:get(key))
      assert.is_true(set:has(key))
    end
    assert.equal(1, map:get(1.0))
    for _, other in ipairs({0, 2, 0.5, "2.5", 0x20000000000}) do assert.is_nil(map:get(other)) end
    assert.is_true(map:delete(2.5))
    assert.is_nil(map:get(2.5))
    map:set(-1 / math.huge, "zero")
    assert.equal("zero", map:get(0))
  end)

  it("make no long chains", function()
    local count = math.min(support.isSlow and 16384 or 131072, colliding.MOST)
    local start = os.clock()
    for _, text in ipairs({
      message(";", colliding.integers(count, count), int64, ":" .. varint(2 * count)),
      message(";", colliding.floats(count), double, ":" .. varint(2 * count)),
    }) do
      local map = clone.decode(text)
      assert.is_nil(map:get(1))
      assert.is_truthy(os.clock() - start < 30, "the time is quadratic")
    end
  end)
end)
