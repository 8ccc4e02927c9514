-- Structured clone by itself: the bytes that are encoded, and the bytes that are decoded or
-- refused. channel/advanced_spec.lua has messages in this format, node/advanced_spec.lua a real
-- Node.

local clone = require("child_process.clone")
local compat = require("child_process.base.compat")
local cp = require("child_process")
local errors = require("child_process.errors")
local numbers = require("spec.support.numbers")
local support = require("spec.support")

local Map, Set = clone.Map, clone.Set

--- Bytes of hexadecimal digits; spaces are for the reader.
local function bytes(hex)
  return (hex:gsub("%s", ""):gsub("%x%x", function(pair)
    return string.char(tonumber(pair, 16))
  end))
end

local function hex(text)
  return (text:gsub(".", function(character) return ("%02x"):format(character:byte()) end))
end

--- The value of bytes that are given without the header.
local function read(text, version)
  local value, reason, offset = clone.decode(bytes("ff" .. (version or "0f") .. text))
  assert.is_nil(reason, offset and ("%s at %d"):format(reason, offset))
  return value
end

--- What is written, without the header.
local function written(value)
  local text = hex(clone.encode(value))
  assert.equal("ff0f", text:sub(1, 4))
  return text:sub(5)
end

local function copy(value)
  local result, reason, offset = clone.decode(clone.encode(value))
  assert.is_nil(reason, offset and ("%s at %d"):format(reason, offset))
  return result
end

--- Expects a number of the same kind and sign.
local function assertSameNumber(expected, actual)
  assert.equal(compat.mathType(expected), compat.mathType(actual))
  assert.equal(numbers.double(expected), numbers.double(actual))
  assert.equal(expected, actual)
end

local MINUS_ZERO = -1 / math.huge -- Lua 5.1 may take the literal for 0
local LEAST = math.mininteger or -2 ^ 63

local INTEGERS = {
  0, 1, -1, 127, 128, -128, 0x40000000, 0x7FFFFFFF, 0x80000000, -0x80000000, -0x80000001,
  0x100000000, 0x20000000000000, -0x20000000000000,
}

local LARGE_INTEGERS = {
  0x20000000000001, -0x20000000000001, 0x4000000000000000, 0x4000000000000001, math.maxinteger,
  math.mininteger,
}

local FLOATS = {
  0.0, MINUS_ZERO, 3.0, -3.0, 1.5, -2.25e-10, 5e-324, 1e300, 2.0 ^ 31, 2.0 ^ 53, 2.0 ^ 62,
  -2.0 ^ 63, 2.0 ^ 63, 2.0 ^ 64, 1 / 0, -1 / 0,
}

describe("Structured clone between Lua and Lua", function()
  it("keeps every integer an integer", function()
    for _, integer in ipairs(INTEGERS) do assertSameNumber(integer, copy(integer)) end
    if support.hasIntegers then
      for _, integer in ipairs(LARGE_INTEGERS) do assertSameNumber(integer, copy(integer)) end
    end
  end)

  it("keeps every float a float, with its sign", function()
    for _, float in ipairs(FLOATS) do assertSameNumber(float, copy(float)) end
    local nan = copy(0 / 0)
    assert.is_true(nan ~= nan)
  end)

  it("keeps strings of any bytes", function()
    local all = {}
    for byte = 0, 255 do all[byte + 1] = string.char(byte) end
    local strings = {
      "", "text", "\0", "ü", "€uro", "😀", "\255", "\237\160\128", "a\195",
      table.concat(all), ("x"):rep(100000), ("€"):rep(100000), ("\255\0"):rep(100000),
    }
    for place, text in ipairs(strings) do
      assert.is_true(copy(text) == text, "string " .. place)
    end
    assert.same(strings, copy(strings))
  end)

  it("keeps booleans, cp.null and undefined", function()
    for _, value in ipairs({true, false, cp.null, clone.undefined}) do
      assert.equal(value, copy(value))
    end
    assert.equal(clone.undefined, copy(nil))
    assert.not_equal(cp.null, clone.undefined)
  end)

  it("keeps sequences, and marks them as arrays", function()
    for _, count in ipairs({1, 2, 3, 255, 256, 257, 1000}) do
      local list = {}
      for i = 1, count do list[i] = i % 3 == 0 and {i} or i end
      local result = copy(list)
      assert.same(list, result)
      assert.equal(debug.getmetatable(cp.array()), debug.getmetatable(result))
    end
  end)

  it("keeps an empty table a table, and an empty array an array", function()
    assert.is_nil(debug.getmetatable(copy({})))
    assert.same({}, copy({}))
    assert.equal(debug.getmetatable(cp.array()), debug.getmetatable(copy(cp.array())))
  end)

  it("keeps the entries of an array that are nil", function()
    local array = copy(cp.array({1, nil, 3}))
    assert.equal(1, array[1])
    assert.is_nil(array[2])
    assert.equal(3, array[3])
    array = copy(cp.array({[1] = "a", [1000] = "b"}))
    assert.same({[1] = "a", [1000] = "b"}, {[1] = array[1], [1000] = array[1000]})
    assert.is_nil(next(array, next(array, (next(array)))))
  end)

  it("keeps the fields of an array that have names", function()
    local array = copy(cp.array({1, 2, name = "value"}))
    assert.same({1, 2, name = "value"}, array)
    assert.equal(debug.getmetatable(cp.array()), debug.getmetatable(array))
    array = copy(cp.array({[1] = 1, [9] = 9, name = "value"}))
    assert.same({[1] = 1, [9] = 9, name = "value"}, array)
  end)

  it("keeps the keys of an array that no JavaScript array has, and drops the mark", function()
    for _, key in ipairs({0, -1, 1.5, "0", "12", "length", "\255", true, 0x10000000000}) do
      local result = copy(cp.array({"a", [key] = "b"}))
      assert.same({"a", [key] = "b"}, result)
      assert.is_nil(debug.getmetatable(result))
    end
  end)

  it("keeps fields, however many", function()
    for _, count in ipairs({1, 2, 127, 128, 129, 1000}) do
      local object = {}
      for i = 1, count do object["field " .. i] = i end
      assert.same(object, copy(object))
    end
  end)

  it("keeps keys that are numbers apart from those that are strings", function()
    local tables = {
      {[5] = "number"}, {["5"] = "string"}, {[5] = "number", ["5"] = "string"},
      {[1] = 1, [3] = 3}, {[0] = 0, 1, 2}, {1, 2, 3, n = 3}, {[-1] = -1}, {[1.5] = 1, ["1.5"] = 2},
      {[0x10000000000] = 1}, {[0x20000000000001] = 1, ["9007199254740993"] = 2},
      {[compat.maxInteger] = 1}, {[1e300] = 1}, {[1 / 0] = 1}, {[-1 / 0] = 1, x = 1},
      {[2.0 ^ 53] = 1}, {[0x80000000] = 1},
    }
    for _, value in ipairs(tables) do
      local result = copy(value)
      assert.same(value, result)
      for key in pairs(result) do
        assert.is_true(type(key) ~= "number" or value[key] ~= nil)
      end
    end
  end)

  it("keeps keys that no JavaScript object has", function()
    local tables = {
      {[true] = 1, [false] = 2, x = 3}, {["\255"] = 1, x = 2}, {[cp.null] = 1, [1] = 2, y = 3},
      {[clone.undefined] = 1},
    }
    for _, value in ipairs(tables) do assert.same(value, copy(value)) end
    local key, many = {"key"}, {}
    for i = 1, 300 do many[i % 2 == 0] = i; many["name " .. i] = i end
    assert.same(many, copy(many))
    local result = copy({[key] = {key}, x = key})
    local found = result.x
    assert.same({"key"}, found)
    assert.equal(found, result[found][1])
  end)

  it("keeps a table that comes twice one table", function()
    local shared = {1}
    local result = copy({shared, shared, x = {shared}})
    assert.same({{1}, {1}, x = {{1}}}, result)
    assert.equal(result[1], result[2])
    assert.equal(result[1], result.x[1])
  end)

  it("keeps cycles, through every kind of table", function()
    local root = {}
    root.self, root.list, root.other = root, {root}, {[true] = root}
    root.map, root.set = Map({{root, root}}), Set({root})
    root.array = cp.array({root, [9] = root})
    root.error = errors.Error("message", {cause = root})
    local result = copy(root)
    assert.equal(result, result.self)
    assert.equal(result, result.list[1])
    assert.equal(result, result.other[true])
    assert.equal(result, result.map:get(result))
    assert.is_true(result.set:has(result))
    assert.equal(result, result.array[9])
    assert.equal(result, result.error.cause)
    local list = {}
    list[1] = list
    local again = copy(list)
    assert.equal(again, again[1])
    local err = errors.Error("own cause")
    err.cause = err
    local problem = copy(err)
    assert.equal(problem, problem.cause)
  end)

  it("knows tables again that are open around others", function()
    local root, outer = {}, {}
    local at = root
    for i = 1, 500 do
      outer[i] = at
      at.next = {}
      at = at.next
    end
    at.last = outer
    local result = copy(root)
    local list, place = {}, result
    for i = 1, 500 do list[i], place = place, place.next end
    for i = 1, 500 do assert.equal(list[i], place.last[i]) end
  end)

  it("knows each of many tables again", function()
    local list = {}
    for i = 1, 1000 do list[i] = {i} end
    for i = 1, 1000 do list[1000 + i] = list[i]; list[2000 + i] = "\255" .. i end
    local result = copy(list)
    for i = 1, 1000 do
      assert.equal(i, result[i][1])
      assert.equal(result[i], result[1000 + i])
      assert.equal("\255" .. i, result[2000 + i])
    end
  end)

  it("keeps objects of the classes, shared and not", function()
    local values = {
      clone.Date(86400000.5), clone.Date(0 / 0), clone.RegExp("a€", "dgimsuy"),
      clone.RegExp("b", "v"), clone.ArrayBuffer("\0\255"),
      clone.TypedArray("Float64Array", numbers.double(1.5)), clone.TypedArray("DataView", "abc"),
      clone.BigInt("0x123456789abcdef0123456789abcdef"), clone.BigInt("-0x10000000000000000"),
      clone.BigInt(5), clone.BigInt(-compat.maxInteger),
    }
    for _, value in ipairs(values) do
      local first, second = compat.unpack(copy({value, value}))
      assert.equal(debug.getmetatable(value), debug.getmetatable(first))
      if value.time ~= value.time then assert.is_true(first.time ~= first.time)
      else assert.same(value, first) end
      if not value.hex then assert.equal(first, second) end
    end
  end)

  it("keeps their fields exactly", function()
    local regexp = clone.RegExp("a", "yig")
    assert.equal("giy", regexp.flags)
    assert.same(regexp, copy(regexp))
    for _, digits in ipairs({"0x0", "-0x00", "0X00aF", "-0x00000000000000000000001F"}) do
      local bigint = clone.BigInt(digits)
      assert.equal(bigint.hex, copy(bigint).hex)
    end
    assert.equal("-0x1f", clone.BigInt("-0X001F").hex)
    assert.equal("0x0", clone.BigInt("-0x0").hex)
    for _, time in ipairs({5, 5.0, -1, 0, 8640000000000000, 1.5, 1 / 0}) do
      local date = clone.Date(time)
      assert.equal(time, date.time)
      assertSameNumber(date.time, copy(date).time)
    end
    assertSameNumber(5, clone.Date(5.0).time)
    assert.equal("5", copy(errors.Error(5)).message)
  end)

  it("makes a string of a Buffer", function()
    assert.equal("text", copy(clone.TypedArray("Buffer", "text")))
  end)

  it("keeps the kinds of errors with message, stack and cause, and nothing else", function()
    for _, name in ipairs({"Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError",
      "TypeError", "URIError"}) do
      local err = errors.Error("what\255", {name = name, code = "ERR_X", cause = {1}, stack = "s"})
      local result = copy(err)
      assert.is_true(errors.isError(result))
      assert.same({name = name, message = "what\255", cause = {1}, stack = "s"}, result)
    end
    local result = copy(errors.AbortError("why", {traceback = "where"}))
    assert.same({name = "Error", message = "why", stack = "where"}, result)
  end)

  it("carries no metatable and calls no metamethod", function()
    local function refuse() error("called") end
    local value = setmetatable({1, x = 2}, {
      __index = refuse, __newindex = refuse, __pairs = refuse, __len = refuse, __tojson = refuse,
      __metatable = "hidden", __name = "Map",
    })
    local result = copy(value)
    assert.same({1, x = 2}, result)
    assert.is_nil(debug.getmetatable(result))
  end)

  it("goes as deep as 1000 tables, and no deeper", function()
    local function nested(depth)
      local value = {}
      for _ = 2, depth do value = {value} end
      return value
    end
    local result, depth = copy(nested(1000)), 0
    while result do result, depth = result[1], depth + 1 end
    assert.equal(1000, depth)
    local err = support.error(clone.encode, nested(1001))
    assert.equal("DataCloneError", err.name)
    assert.matches("nested too deeply", err.message, 1, true)
    local value, reason = clone.decode(bytes("ff0f") .. bytes("4101"):rep(1001) .. "0"
      .. bytes("240001"):rep(1001))
    assert.is_nil(value)
    assert.equal("nested too deeply", reason)
  end)

  it("may be used within any coroutine, with a deep stack or a shallow one", function()
    local function down(n)
      if n > 0 then return (down(n - 1)) end
      return copy({1, {2, {x = 3}}})
    end
    assert.same({1, {2, {x = 3}}}, coroutine.wrap(down)(0))
    assert.same({1, {2, {x = 3}}}, coroutine.wrap(down)(10000))
  end)
end)

describe("Structured clone raises a DataCloneError", function()
  local function reason(value)
    local err = support.error(clone.encode, value)
    assert.is_true(errors.isError(err))
    assert.equal("DataCloneError", err.name)
    assert.equal(25, err.code)
    return err.message
  end

  it("for what cannot be cloned, and names the place", function()
    assert.equal("message could not be cloned: it is a function", reason(print))
    assert.equal("message.a.b could not be cloned: it is a function", reason({a = {b = print}}))
    assert.equal("message[2] could not be cloned: it is a coroutine",
      reason({1, coroutine.create(function() end)}))
    assert.equal('message["a key"][3] could not be cloned: it is a userdata',
      reason({["a key"] = cp.array({1, nil, io.stdout})}))
    assert.equal("message[1][4] could not be cloned: it is a function",
      reason({Map({{1, 2}, {3, print}})}))
    assert.equal("message[1] could not be cloned: it is a function", reason(Set({print})))
    assert.equal("message.cause.x could not be cloned: it is a function",
      reason(errors.Error("", {cause = {x = print}})))
    assert.matches("^message%[.*%] could not be cloned: it is a function", reason({[print] = 1}))
  end)

  it("for objects of the classes whose fields make no sense", function()
    local function spoiled(object, field, value)
      object[field] = value
      return reason({object})
    end
    for _, message in ipairs({
      spoiled(clone.Date(0), "time", "now"), spoiled(clone.RegExp("a"), "flags", "gx"),
      spoiled(clone.RegExp("a"), "source", nil), spoiled(clone.BigInt(1), "hex", "12"),
      spoiled(clone.BigInt(1), "hex", "0x"), spoiled(clone.BigInt(1), "hex", "0x1g"),
      spoiled(clone.ArrayBuffer(""), "bytes", 1),
      spoiled(clone.TypedArray("Buffer", ""), "type", ""),
      spoiled(clone.TypedArray("Int16Array", ""), "bytes", "a"),
    }) do
      assert.matches("^message%[1%] could not be cloned: it is an? ", message)
    end
  end)
end)

describe("Structured clone writes, for JavaScript,", function()
  it("numbers where a double holds the integer exactly, and BigInts otherwise", function()
    assert.equal("4902", written(1))
    assert.equal("4901", written(-1))
    assert.equal("49ffffffff0f", written(-0x80000000))
    assert.equal("4e000000000000e041", written(0x80000000))
    assert.equal("4e0000000000004043", written(0x20000000000000))
    if not support.hasIntegers then return end
    assert.equal("5a100100000000002000", written(0x20000000000001))
    assert.equal("5a110100000000002000", written(-0x20000000000001))
    assert.equal("5a10ffffffffffffff7f", written(math.maxinteger))
    assert.equal("4e000000000000e0c3", written(math.mininteger))
  end)

  it("floats, with a mark where they have the value of an integer", function()
    assert.equal("4e000000000000f83f", written(1.5))
    assert.equal("004e000000000000b043", written(2.0 ^ 60))
    if support.hasIntegers then assert.equal("004e0000000000000840", written(3.0)) end
    assert.equal("4e0000000000000080", written(MINUS_ZERO))
    assert.equal("4e000000000000f07f", written(1 / 0))
    assert.equal("4e000000000000e043", written(2.0 ^ 63))
  end)

  it("text as strings, and other bytes as a Buffer", function()
    assert.equal("220161", written("a"))
    assert.equal("2200", written(""))
    assert.equal("5302c3bc", written("ü"))
    assert.equal("5c000a01ff", written("\255"))
    assert.equal("5c000a0161", written(clone.TypedArray("Buffer", "a")))
  end)

  it("sequences and marked tables as dense arrays", function()
    assert.equal("410249024904240002", written({1, 2}))
    assert.equal("4100240000", written(cp.array()))
    assert.equal("410349022d4906240003", written(cp.array({1, nil, 3})))
    assert.equal("410149022201784904240101", written(cp.array({1, x = 2})))
  end)

  it("marked tables with distant entries as sparse arrays", function()
    assert.equal("616449c60154400164", written(cp.array({[100] = true})))
  end)

  it("other tables as objects, with marks before keys that are numbers", function()
    assert.equal("6f7b00", written({}))
    assert.equal("6f22016149027b01", written({a = 1}))
    assert.equal("6f00490a547b01", written({[5] = true}))
    assert.equal("6f004e000000000000f83f547b01", written({[1.5] = true}))
  end)

  it("tables that can be no objects as Maps with a mark", function()
    assert.equal("003b5449023a02", written({[true] = 1}))
    assert.equal("003b5c000a01ff49023a02", written({["\255"] = 1}))
    assert.equal("003b", written({[5] = 1, ["5"] = 2}):sub(1, 4))
    assert.equal("003b", written({[1.5] = 1, ["1.5"] = 2}):sub(1, 4))
  end)

  it("objects of the classes as what they are called", function()
    assert.equal("3b490222016122016b6f7b003a04", written(Map({{1, "a"}, {"k", {}}})))
    assert.equal("2749022201782c02", written(Set({1, "x"})))
    assert.equal("440000000000001440", written(clone.Date(5)))
    assert.equal("5222016103", written(clone.RegExp("a", "gi")))
    assert.equal("522201618001", written(clone.RegExp("a", "d")))
    assert.equal("522201618002", written(clone.RegExp("a", "v")))
    assert.equal("005a100500000000000000", written(clone.BigInt(5)))
    assert.equal("005a20ffffffffffffffff0100000000000000",
      written(clone.BigInt("0x1ffffffffffffffff")))
    assert.equal("005a00", written(clone.BigInt("-0x00")))
    assert.equal("4203616263", written(clone.ArrayBuffer("abc")))
    assert.equal("5c0001020102", written(clone.TypedArray("Uint8Array", "\1\2")))
    assert.equal("72546d22016d2e", written(errors.TypeError("m")))
    assert.equal("726d22016d732201736349022e",
      written(errors.Error("m", {cause = 1, stack = "s"})))
  end)

  it("references, counting every object but BigInts", function()
    local shared = {}
    assert.equal("4102" .. "6f7b00" .. "5e01" .. "240002", written({shared, shared}))
    assert.equal("4104" .. "5c000a01ff" .. "440000000000001440" .. "6f7b00" .. "5e03" .. "240004",
      written({"\255", clone.Date(5), shared, shared}))
    assert.equal("4103" .. "005a100500000000000000" .. "6f7b00" .. "5e01" .. "240003",
      written({clone.BigInt(5), shared, shared}))
  end)
end)

describe("Structured clone reads", function()
  it("versions 13 to 15", function()
    for _, version in ipairs({"0d", "0e", "0f"}) do assert.equal(1, read("4902", version)) end
    for _, version in ipairs({"00", "0c", "10", "ffff03"}) do
      local value, reason = clone.decode(bytes("ff" .. version .. "4902"))
      assert.is_nil(value)
      assert.equal("unknown version", reason)
    end
  end)

  it("whole numbers as integers where they fit", function()
    assertSameNumber(5, read("5505"))
    assertSameNumber(4294967295, read("55ffffffff0f"))
    assertSameNumber(3, read("4e0000000000000840"))
    assertSameNumber(MINUS_ZERO, read("4e0000000000000080"))
    assertSameNumber(1.5, read("4e000000000000f83f"))
    assertSameNumber(LEAST, read("4e000000000000e0c3"))
    assertSameNumber(2.0 ^ 63, read("4e000000000000e043"))
    assertSameNumber(5, read("5a100500000000000000"))
    assertSameNumber(-5, read("5a110500000000000000"))
    assertSameNumber(0, read("5a00"))
    assertSameNumber(0, read("5a110000000000000000"))
    assertSameNumber(LEAST, read("5a110000000000000080"))
  end)

  it("larger BigInts as objects", function()
    assert.same(clone.BigInt("0x8000000000000000"), read("5a100000000000000080"))
    assert.same(clone.BigInt("-0x8000000000000001"), read("5a110100000000000080"))
  end)

  it("strings in all three forms", function()
    assert.equal("a", read("220161"))
    assert.equal("é", read("2201e9"))
    assert.equal(("aé"):rep(5000), read("22904e" .. ("61e9"):rep(5000)))
    assert.equal("é", read("5302c3a9"))
    assert.equal("€a", read("6304ac206100"))
    assert.equal("€a", read("006304ac206100"))
    assert.equal("😀", read("63043dd800de"))
    assert.equal(("😀"):rep(5000), read("63a09c01" .. ("3dd800de"):rep(5000)))
    assert.equal(("x😀"):rep(5000), read("63b0ea01" .. ("78003dd800de"):rep(5000)))
  end)

  it("halves of surrogate pairs as U+FFFD", function()
    assert.equal("�", read("63023dd8"))
    assert.equal("�a", read("630400de6100"))
    assert.equal("a�", read("630461003dd8"))
  end)

  it("indices that are names of an object's properties as strings", function()
    assert.same({["5"] = true}, read("6f490a547b01"))
    assert.same({["3000000000"] = true}, read("6f4e000000c00b5ae641547b01"))
  end)

  it("indices of arrays one higher", function()
    local array = read("61034900490249044906400203")
    assert.equal(1, array[1])
    assert.is_nil(array[2])
    assert.equal(3, array[3])
    assert.same({1, 2, x = 1}, read("4102490249042201784902240102"))
    assert.same({[1000001] = true}, read("61c1843d4980897a544001c1843d"))
  end)

  it("holes as nil, undefined and null as values of their own", function()
    local array = read("41042d5f304902240004")
    assert.is_nil(array[1])
    assert.equal(clone.undefined, array[2])
    assert.equal(cp.null, array[3])
    assert.equal(1, array[4])
    assert.same({a = clone.undefined, b = cp.null}, read("6f2201615f220162307b02"))
  end)

  it("objects of primitive values as these", function()
    assert.same({5, true, false, "s", 5, 5}, read("4106" .. "6e0000000000001440" .. "79" .. "78"
      .. "73220173" .. "7a100500000000000000" .. "5e01" .. "240006"))
  end)

  it("errors of all kinds, whatever the order of their parts", function()
    local err = read("72546d22016d2e")
    assert.equal("TypeError: m", tostring(err))
    assert.same({name = "Error", message = ""}, read("722e"))
    assert.same({name = "Error", message = "m", cause = {1}, stack = "s"},
      read("726d22016d6341014902240001732201732e"))
    assert.same({name = "URIError", message = "m", cause = "c", stack = "s"},
      read("72556d22016d73220173632201632e"))
  end)

  it("typed arrays as Node and as V8 write them", function()
    assert.same(clone.TypedArray("Float64Array", bytes("000000000000f03f")),
      read("5c000808000000000000f03f"))
    assert.same(clone.TypedArray("BigUint64Array", ""), read("5c000c00"))
    assert.same(clone.TypedArray("Float16Array", "ab"), read("5c000d026162"))
    assert.same(clone.TypedArray("Uint8Array", "bc"), read("420461626364" .. "5642010200"))
    assert.same(clone.TypedArray("Uint8Array", "bc"), read("420461626364" .. "56420102", "0d"))
    local list = read("4103" .. "420461626364" .. "5642010200" .. "5e01" .. "563f000400" .. "5e01"
      .. "240003")
    assert.same({clone.TypedArray("Uint8Array", "bc"), clone.TypedArray("DataView", "abcd"),
      clone.ArrayBuffer("abcd")}, list)
    assert.same(clone.ArrayBuffer("abc"), read("7e0308616263"))
  end)

  it("other host objects of Node as the object that stands for them", function()
    local list = read("4104" .. "5c016f22016149027b01" .. "5e01" .. "5e02" .. "6f7b00" .. "240004")
    assert.same({{a = 1}, {a = 1}, {a = 1}, {}}, list)
    assert.equal(list[1], list[2])
    assert.equal(list[1], list[3])
  end)
end)

describe("Structured clone refuses", function()
  local function refusal(text)
    local value, reason, offset = clone.decode(bytes(text))
    assert.is_nil(value)
    assert.equal("string", type(reason), text)
    assert.is_true(offset >= 1 and offset <= #bytes(text) + 1)
    return reason
  end

  it("bytes that end too early, wherever", function()
    local shared = {1}
    local whole = clone.encode({
      1, 2.5, 0x1000000000000000, "text", "ü", "\255", {a = {b = shared}}, shared,
      Map({{1, 2}}), Set({1}), clone.Date(1), clone.RegExp("a", "g"), clone.ArrayBuffer("abc"),
      {[true] = 1, [1.5] = 2}, clone.TypedArray("Int16Array", "ab"),
      errors.TypeError("m", {cause = 1, stack = "s"}),
      cp.array({1, [5] = 5, x = 1}), clone.BigInt("0x123456789abcdef01"), true, cp.null,
    })
    for length = 0, #whole - 1 do
      local value, reason = clone.decode(whole:sub(1, length))
      assert.is_nil(value)
      assert.equal("string", type(reason))
    end
  end)

  it("bytes behind the value", function()
    assert.equal("bytes after the value", refusal("ff0f490200"))
    assert.equal("bytes after the value", refusal("ff0f49024902"))
  end)

  it("bytes without a version", function()
    assert.equal("unexpected end", refusal(""))
    assert.equal("missing version", refusal("4902"))
    assert.equal("unexpected end", refusal("ff"))
    assert.equal("unexpected end", refusal("ff0f"))
    assert.equal("unexpected end", refusal("ff0f0000"))
  end)

  it("unknown tags, and those of what cannot be shared", function()
    for _, tag in ipairs({"01", "75", "74", "77", "6d", "70", "ff", "7b", "24", "2e", "56"}) do
      assert.equal("unknown tag", refusal("ff0f" .. tag .. "00"))
    end
  end)

  it("holes that are not in arrays", function()
    assert.equal("unknown tag", refusal("ff0f2d"))
    assert.equal("unknown tag", refusal("ff0f6f2201612d7b01"))
    assert.equal("unknown tag", refusal("ff0f272d2c01"))
    assert.equal("unknown tag", refusal("ff0f003b2d2d3a02"))
  end)

  it("wrong counts", function()
    for _, text in ipairs({
      "6f7b01", "6f22016149027b02", "41004902", "41014902240101", "41014902240002",
      "6105400004", "610549004902400005", "3b490249043a01", "2749022c02",
    }) do
      assert.equal("string", type(refusal("ff0f" .. text)))
    end
    assert.equal("key without a value", refusal("ff0f3b49023a01"))
  end)

  it("lengths that are longer than what is there, without making room for them", function()
    collectgarbage()
    collectgarbage("stop")
    local before = collectgarbage("count")
    for _, text in ipairs({
      "22ffffffff0f", "53ffffffff0f", "63feffffff0f", "41ffffffff0f", "42ffffffff0f",
      "5c000affffffff0f", "5affffffff0f", "7effffffff0fffffffff0f", "5222ffffffff0f",
    }) do
      assert.equal("longer than the message", refusal("ff0f" .. text))
    end
    assert.equal("string", type(refusal("ff0f61ffffffff0f")))
    local growth = collectgarbage("count") - before
    collectgarbage("restart")
    assert.is_true(growth < 1000, growth)
    assert.equal("number too large", refusal("ff0f49ffffffffff01"))
    assert.equal("number too large", refusal("ff0f49ffffffff1f"))
  end)

  it("views of one ArrayBuffer that are together much larger than the message", function()
    local function message(view)
      return "ff0f" .. "41d10f" .. "42e807" .. ("61"):rep(1000) .. ("5e01" .. view):rep(2000)
        .. "2400d10f"
    end
    assert.equal("views with too many bytes", refusal(message("563f00e70700")))
    collectgarbage()
    collectgarbage("stop")
    local before = collectgarbage("count")
    local list = clone.decode(bytes(message("563f00e80700")))
    local growth = collectgarbage("count") - before
    collectgarbage("restart")
    assert.equal(2001, #list)
    assert.equal(1000, #list[2001].bytes)
    assert.is_true(growth < 1000, growth)
  end)

  it("references to nothing", function()
    assert.equal("reference to an unknown object", refusal("ff0f5e00"))
    assert.equal("reference to an unknown object", refusal("ff0f41015e01240001"))
    assert.equal("reference to an unknown object", refusal("ff0f5c015e00"))
    assert.equal("reference to an unknown object", refusal("ff0f41015effffffff0f240001"))
  end)

  it("keys that cannot be", function()
    for _, text in ipairs({"6f54547b01", "6f6f7b00547b01", "6f4901547b01",
      "6f4e000000000000f83f547b01",
      "6105490154400105", "41005f54240100"}) do
      assert.equal("string", type(refusal("ff0f" .. text)))
    end
    assert.equal("NaN as a key", refusal("ff0f003b4e000000000000f87f49023a02"))
    assert.equal("NaN as a key", refusal("ff0f6f004e000000000000f87f49027b01"))
  end)

  it("objects of the classes with nonsense in them", function()
    for _, text in ipairs({"52490200", "522201618004", "734902", "5c000e00", "5c00030161",
      "5c0200", "420161" .. "567a000100", "420161" .. "5642020000", "420161" .. "5642000200",
      "72782e", "726d49022e", "7e02016161", "630161"}) do
      assert.equal("string", type(refusal("ff0f" .. text)))
    end
  end)

  it("any message with one byte changed, or gives a value that can be written", function()
    local whole = clone.encode({
      1, 2.5, "text", "\255", {a = {b = {}}}, Map({{1, 2}}), Set({1}), clone.Date(1),
      clone.RegExp("a", "g"), {[true] = 1}, errors.TypeError("m", {cause = 1}), cp.array({[5] = 5}),
    })
    for place = 1, #whole do
      for _, byte in ipairs({0, 1, 2, 0x22, 0x3b, 0x41, 0x49, 0x5e, 0x6f, 0x7f, 0x80, 0xff}) do
        local changed = whole:sub(1, place - 1) .. string.char(byte) .. whole:sub(place + 1)
        local value, reason = clone.decode(changed)
        if reason == nil then clone.encode(value) end
      end
    end
  end)
end)

describe("The classes of child_process.clone", function()
  it("Map keeps keys of any kind in their order", function()
    local key = {}
    local map = Map({{"a", 1}, {key, 2}})
    assert.equal(map, map:set(3, "three"))
    map:set("a", "changed"):set(0 / 0, "nan"):set(nil, nil)
    assert.equal(5, map:size())
    assert.equal("changed", map:get("a"))
    assert.equal(2, map:get(key))
    assert.equal("nan", map:get(0 / 0))
    assert.equal(clone.undefined, map:get(clone.undefined))
    assert.is_nil(map:get("b"))
    assert.is_false(map:has("b"))
    assert.is_true(map:delete(key))
    assert.is_false(map:delete(key))
    local seen = {}
    for k, v in map:entries() do seen[#seen + 1] = tostring(k == k and k) .. "=" .. tostring(v) end
    assert.same({"a=changed", "3=three", "false=nan"}, compat.move(seen, 1, 3, 1, {}))
    local result = copy(map)
    assert.equal("nan", result:get(0 / 0))
    assert.equal("three", result:get(3))
    map:clear()
    assert.equal(0, map:size())
    assert.is_false(map:has("a"))
    assert.equal(0, copy(map):size())
  end)

  it("Set keeps values of any kind, each once", function()
    local set = clone.Set({1, "x", 1, 1.0})
    assert.equal(2, set:size())
    assert.equal(set, set:add(false))
    assert.is_true(set:has(false))
    assert.is_true(set:delete("x"))
    assert.is_false(set:has("x"))
    local seen = {}
    for value in set:values() do seen[#seen + 1] = value end
    assert.same({1, false}, seen)
    set:clear()
    assert.equal(0, set:size())
  end)

  it("Map and Set lose entries while they are read", function()
    local map, set = Map(), clone.Set()
    for number = 1, 10 do
      map:set(number, -number)
      set:add(number)
    end
    local seen = {}
    for key in map:entries() do
      seen[#seen + 1] = key
      map:delete(key)
    end
    for value in set:values() do set:delete(value) end
    assert.same({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, seen)
    assert.equal(0, map:size())
    assert.equal(0, set:size())
    assert.equal("3b3a00", written(map))
    assert.equal("272c00", written(set))
  end)

  it("Map and Set keep what is left in its order, and are written so", function()
    local map, set = Map(), clone.Set()
    for number = 1, 10 do
      map:set(number, -number)
      set:add(number)
    end
    for number = 1, 8 do
      map:delete(number)
      set:delete(number)
    end
    assert.equal("3b" .. "49124911" .. "49144913" .. "3a04", written(map))
    assert.equal("27" .. "4912" .. "4914" .. "2c02", written(set))
    map:set(3, 3):set(10, "ten")
    set:add(3):add(10)
    assert.equal("3b" .. "49124911" .. "4914220374656e" .. "49064906" .. "3a06", written(map))
    assert.equal("27" .. "4912" .. "4914" .. "4906" .. "2c03", written(set))
    assert.equal("ten", map:get(10))
    assert.equal(3, set:size())
  end)

  it("Set does not look at all values for each that it loses", function()
    local set = clone.Set()
    for number = 1, 2000 do set:add(number) end
    local thousands = 0
    debug.sethook(function() thousands = thousands + 1 end, "", 1000)
    for number = 1, 2000 do set:delete(number) end
    debug.sethook()
    assert.equal(0, set:size())
    assert.is_true(thousands < 1000, thousands)
  end)

  it("are made with `new` or without, of arguments that are checked", function()
    assert.same(clone.Date(5), clone.Date.new(5))
    assert.is_true(math.abs(clone.Date().time - os.time() * 1000) <= 60000)
    assert.equal("/a/g", tostring(clone.RegExp("a", "g")))
    assert.equal("-0x1fffffffffffff", tostring(clone.BigInt(-0x1FFFFFFFFFFFFF)))
    if support.hasIntegers then
      assert.equal("-0x8000000000000000", tostring(clone.BigInt(math.mininteger)))
    end
    assert.equal("-0x1f", clone.BigInt(-31).hex)
    for _, call in ipairs({
      function() clone.Date("now") end, function() clone.RegExp() end,
      function() clone.BigInt(1.5) end, function() Map(5) end, function() Map({1}) end,
      function() clone.Set("x") end,
      function() clone.ArrayBuffer(1) end, function() clone.TypedArray("Uint8Array") end,
    }) do
      assert.equal("ERR_INVALID_ARG_TYPE", support.error(call).code)
    end
    assert.matches("string or integer", support.error(clone.BigInt, 1.5).message)
    for _, flags in ipairs({"gg", "x", "g i", "G"}) do
      assert.equal("ERR_INVALID_ARG_VALUE", support.error(clone.RegExp, "a", flags).code)
    end
    assert.equal("ERR_INVALID_ARG_VALUE", support.error(clone.BigInt, "12").code)
    assert.equal("ERR_INVALID_ARG_VALUE", support.error(clone.TypedArray, "Uint9Array", "").code)
    assert.equal("ERR_OUT_OF_RANGE", support.error(clone.TypedArray, "Int32Array", "abc").code)
  end)
end)
