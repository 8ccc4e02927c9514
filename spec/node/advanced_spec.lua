-- Messages with serialization = "advanced" and a real Node at the other end: every type both ways,
-- compared value by value on both sides.

local clone = require("child_process.clone")
local compat = require("child_process.base.compat")
local cp = require("child_process")
local errors = require("child_process.errors")
local messages = require("spec.support.messages")
local numbers = require("spec.support.numbers")
local support = require("spec.support")

local withNode = messages.withNode
local double, int64 = numbers.double, numbers.int64

local MINUS_ZERO = -1 / math.huge -- Lua 5.1 may take the literal for 0
local GREATEST, LEAST = math.maxinteger or 2 ^ 63, math.mininteger or -2 ^ 63

local function forkNode(text)
  return messages.forkNode("const assert = require('assert');" .. text,
    {serialization = "advanced"})
end

--- Sends values to a Node that answers each, and gives the answers.
local function answers(text, values)
  local child = forkNode(text)
  local received = messages.exchange(child, values)
  local _, stderr = support.output(child)
  assert.equal("", stderr)
  assert.equal(#values, #received)
  return received
end

--- Values as Lua sends them, and the JavaScript expression that each has to be equal to.
local SENT = {
  {"text", "'text'"}, {"", "''"},
  {"ü\0\n€😀", "'\\u00fc\\0\\n\\u20ac\\u{1f600}'"},
  {("long €"):rep(100000), "'long \\u20ac'.repeat(100000)"},
  {"\255\0", "Buffer.from([255, 0])"}, {"\237\160\128", "Buffer.from([0xed, 0xa0, 0x80])"},
  {0, "0"}, {-1, "-1"}, {0x40000000, "2 ** 30"}, {0x80000000, "2 ** 31"},
  {-0x80000000, "-(2 ** 31)"}, {0x20000000000000, "2 ** 53"}, {0x4000000000000000, "2 ** 62"},
  {LEAST, "-(2 ** 63)"}, {3.0, "3"}, {1.5, "1.5"}, {MINUS_ZERO, "-0"}, {5e-324, "5e-324"},
  {1e300, "1e300"}, {1 / 0, "Infinity"}, {-1 / 0, "-Infinity"}, {0 / 0, "NaN"},
  {true, "true"}, {false, "false"}, {cp.null, "null"}, {{clone.undefined}, "[undefined]"},
  {{}, "({})"}, {cp.array(), "[]"}, {{1, {2, {3}}}, "[1, [2, [3]]]"},
  {cp.array({1, nil, 3}), "[1, , 3]"},
  {cp.array({[1] = 1, [100] = 100}), "(() => { const a = [1]; a[99] = 100; return a })()"},
  {cp.array({1, 2, name = "n"}), "Object.assign([1, 2], {name: 'n'})"},
  {cp.array({1, 2, length = 5}), "({1: 1, 2: 2, length: 5})"},
  {{a = {b = {c = cp.array()}}, constructor = 1}, "({a: {b: {c: []}}, constructor: 1})"},
  {{["€"] = 1, ["key with \" and \\"] = 2}, "({'\\u20ac': 1, 'key with \" and \\\\': 2})"},
  {{[1] = "a", [3] = "c"}, "({1: 'a', 3: 'c'})"}, {{[-1] = 1, [1.5] = 2}, "({'-1': 1, '1.5': 2})"},
  {{[0x10000000000] = 1, [0] = 0}, "({1099511627776: 1, 0: 0})"},
  {{1, 2, n = 2}, "({1: 1, 2: 2, n: 2})"},
  {{[MINUS_ZERO] = 1, a = 2}, "({0: 1, a: 2})"},
  {{[2 ^ 53 + 2] = 1}, "new Map([[2 ** 53 + 2, 1]])"}, {{[2 ^ 63] = 1}, "new Map([[2 ** 63, 1]])"},
  {{[5] = 1, ["5"] = 2}, "new Map([[5, 1], ['5', 2]])"},
  {{[true] = 1, x = 2}, "new Map([[true, 1], ['x', 2]])"},
  {{["\255"] = 1}, "new Map([[Buffer.from([255]), 1]])"},
  {{[1e300] = 1}, "new Map([[1e300, 1]])"},
  {{[{1}] = {2}}, "new Map([[[1], [2]]])"},
  {clone.Map({{1, "a"}, {{}, clone.Set({1})}}), "new Map([[1, 'a'], [{}, new Set([1])]])"},
  {clone.Map(), "new Map()"}, {clone.Set({1, "x", {}}), "new Set([1, 'x', {}])"},
  {clone.Date(1e12), "new Date(1e12)"}, {clone.Date(0 / 0), "new Date(NaN)"},
  {clone.RegExp("a+€", "dgimsuy"), "/a+€/dgimsuy"},
  {clone.RegExp("[a--b]", "v"), "/[a--b]/v"},
  {clone.BigInt(5), "5n"},
  {clone.BigInt("-0x123456789abcdef0123456789"), "-0x123456789abcdef0123456789n"},
  {clone.ArrayBuffer("abc"), "new Uint8Array([97, 98, 99]).buffer"},
  {clone.TypedArray("Buffer", "text"), "Buffer.from('text')"},
  {clone.TypedArray("Uint8Array", "\1\2"), "new Uint8Array([1, 2])"},
  {clone.TypedArray("Int8Array", "\255"), "new Int8Array([-1])"},
  {clone.TypedArray("Uint8ClampedArray", "\1"), "new Uint8ClampedArray([1])"},
  {clone.TypedArray("Int16Array", "\254\255"), "new Int16Array([-2])"},
  {clone.TypedArray("Uint16Array", "\2\0"), "new Uint16Array([2])"},
  {clone.TypedArray("Int32Array", "\254\255\255\255"), "new Int32Array([-2])"},
  {clone.TypedArray("Uint32Array", "\2\0\0\0"), "new Uint32Array([2])"},
  {clone.TypedArray("Float32Array", "\0\0\192\63"), "new Float32Array([1.5])"},
  {clone.TypedArray("Float64Array", double(1.5) .. double(-1)), "new Float64Array([1.5, -1])"},
  {clone.TypedArray("BigInt64Array", int64(-2)), "new BigInt64Array([-2n])"},
  {clone.TypedArray("BigUint64Array", int64(2)), "new BigUint64Array([2n])"},
  {clone.TypedArray("DataView", "ab"), "new DataView(new Uint8Array([97, 98]).buffer)"},
  {clone.TypedArray("Float64Array", ""), "new Float64Array(0)"},
  {clone.TypedArray("DataView", ""), "new DataView(new ArrayBuffer(0))"},
  {clone.TypedArray("Buffer", ""), "Buffer.alloc(0)"},
  {clone.ArrayBuffer(""), "new ArrayBuffer(0)"},
  {errors.Error("m"), "new Error('m')"}, {errors.TypeError("€"), "new TypeError('\\u20ac')"},
  {errors.RangeError("m", {cause = {1}}), "new RangeError('m', {cause: [1]})"},
  {errors.Error("m", {name = "EvalError"}), "new EvalError('m')"},
  {errors.Error("m", {name = "ReferenceError"}), "new ReferenceError('m')"},
  {errors.Error("m", {name = "SyntaxError"}), "new SyntaxError('m')"},
  {errors.Error("m", {name = "URIError"}), "new URIError('m')"},
  {errors.Error("m", {name = "OwnError"}), "new Error('m')"}, {errors.Error(5), "new Error(5)"},
}

if support.hasIntegers then
  for _, pair in ipairs({
    {0x20000000000001, "2n ** 53n + 1n"}, {math.maxinteger, "2n ** 63n - 1n"},
    {-math.maxinteger, "1n - 2n ** 63n"},
    {{[math.maxinteger] = 1}, "new Map([[2n ** 63n - 1n, 1]])"},
  }) do
    SENT[#SENT + 1] = pair
  end
end

--- JavaScript expressions, and the Lua value that each has to become.
local RECEIVED = {
  {"'text'", "text"}, {"'\\u00e9'", "é"}, {"'\\u20ac\\u{1f600}'", "€😀"},
  {"'\\ud800x'", "�x"}, {"'\\u00e9'.repeat(100000)", ("é"):rep(100000)},
  {"'x\\u20ac'.repeat(100000)", ("x€"):rep(100000)},
  {"3", 3}, {"3.5", 3.5}, {"-0", MINUS_ZERO}, {"-1", -1}, {"2 ** 31", 0x80000000},
  {"2 ** 53", 0x20000000000000},
  {"-(2 ** 63)", LEAST}, {"2 ** 63", 2.0 ^ 63}, {"1e21", 1e21}, {"Infinity", 1 / 0},
  {"5n", 5}, {"2n ** 63n - 1n", GREATEST}, {"-(2n ** 63n)", LEAST},
  {"2n ** 64n", clone.BigInt("0x10000000000000000")},
  {"-(2n ** 64n)", clone.BigInt("-0x10000000000000000")},
  {"true", true}, {"false", false}, {"null", cp.null}, {"undefined", clone.undefined},
  {"({})", {}}, {"[]", {}},
  {"({a: 1, 5: 'x', b: undefined})", {a = 1, ["5"] = "x", b = clone.undefined}},
  {"[1, [2]]", {1, {2}}}, {"[1, , 3]", {1, nil, 3}}, {"Object.assign([1], {x: 2})", {1, x = 2}},
  {"(() => { const a = []; a[99] = 1; return a })()", {[100] = 1}},
  {"new Map([[1, 'a'], ['k', {}]])", clone.Map({{1, "a"}, {"k", {}}})},
  {"new Set([1, 'x'])", clone.Set({1, "x"})}, {"new Date(5)", clone.Date(5)},
  {"/a\\u20ac/dgimsuy", clone.RegExp("a\\u20ac", "dgimsuy")},
  {"/€/v", clone.RegExp("€", "v")},
  {"Buffer.from([255, 0])", "\255\0"},
  {"new Uint8Array([1, 2])", clone.TypedArray("Uint8Array", "\1\2")},
  {"new Float64Array([1.5])", clone.TypedArray("Float64Array", double(1.5))},
  {"new BigInt64Array([1n])", clone.TypedArray("BigInt64Array", int64(1))},
  {"new BigUint64Array([1n])", clone.TypedArray("BigUint64Array", int64(1))},
  {"new Int8Array([-1])", clone.TypedArray("Int8Array", "\255")},
  {"new Uint8ClampedArray([300])", clone.TypedArray("Uint8ClampedArray", "\255")},
  {"new Int16Array([-2])", clone.TypedArray("Int16Array", "\254\255")},
  {"new Uint16Array([2])", clone.TypedArray("Uint16Array", "\2\0")},
  {"new Int32Array([-2])", clone.TypedArray("Int32Array", "\254\255\255\255")},
  {"new Uint32Array([2])", clone.TypedArray("Uint32Array", "\2\0\0\0")},
  {"new Float32Array([1.5])", clone.TypedArray("Float32Array", "\0\0\192\63")},
  {"new Int16Array([])", clone.TypedArray("Int16Array", "")},
  {"new DataView(new ArrayBuffer(0))", clone.TypedArray("DataView", "")},
  {"Buffer.alloc(0)", ""}, {"new ArrayBuffer(0)", clone.ArrayBuffer("")},
  {"new Int32Array(new Int32Array([1, 2, 3]).buffer, 4, 1)",
    clone.TypedArray("Int32Array", "\2\0\0\0")},
  {"new Uint8Array([1, 2, 3, 4]).subarray(1, 3)", clone.TypedArray("Uint8Array", "\2\3")},
  {"Buffer.from('text').subarray(1, 3)", "ex"},
  {"new DataView(new Uint8Array([97, 98, 99]).buffer, 1)", clone.TypedArray("DataView", "bc")},
  {"new Uint8Array([97]).buffer", clone.ArrayBuffer("a")},
  {"new ArrayBuffer(2, {maxByteLength: 5})", clone.ArrayBuffer("\0\0")},
  {"new Number(5)", 5}, {"new Number(1.5)", 1.5}, {"new Boolean(true)", true},
  {"new Boolean(false)", false}, {"new String('\\u20ac')", "€"}, {"Object(5n)", 5},
  {"new (class A { constructor() { this.x = 1 } })()", {x = 1}}, {"Object.create(null)", {}},
  {"new URL('http://x/')", {}}, {"new MessageChannel().port1", {}},
}

describe("A message from Lua to Node", function()
  it("is, for every type, the value that the manual names", withNode(function()
    local values, expressions = {}, {}
    for place, pair in ipairs(SENT) do
      -- wrapped: not every value may be a message by itself
      values[place] = {value = pair[1]}
      expressions[place] = pair[2]
    end
    local results = answers(([[
      const expected = [%s];
      let count = 0;
      process.on('message', ({value}) => {
        const other = expected[count++];
        try {
          if (other instanceof Error) delete other.stack, delete value.stack;
          if (other instanceof Date && isNaN(other)) assert(value instanceof Date && isNaN(value));
          else assert.deepStrictEqual(value, other);
          process.send('same');
        } catch (err) {
          process.send(err.message);
        }
      });
    ]]):format(table.concat(expressions, ",\n")), values)
    for place, result in ipairs(results) do
      assert.equal("same", result, expressions[place]:sub(1, 100))
    end
  end))

  it("keeps what comes twice one object, and cycles", withNode(function()
    local shared, root = {}, {}
    root.a, root.b, root.bytes, root.self = shared, shared, {"\255", "\254"}, root
    root.map = {[true] = root, [shared] = shared}
    root.last = shared
    assert.same({true}, answers([[
      process.on('message', m => process.send(m.a === m.b && m.a === m.last && m.self === m
        && m.map.get(true) === m && m.map.get(m.a) === m.a && m.bytes[1][0] === 0xfe));
    ]], {root}))
  end))

  it("has numbers, strings and tables at its top, too", withNode(function()
    local values = {1, 1.5, "text", true, {1}, clone.Map({{1, 2}}), compat.maxInteger}
    local last = support.hasIntegers and "bigint" or "number"
    assert.same({"number", "number", "string", "boolean", "object", "object", last},
      answers("process.on('message', m => process.send(typeof m))", values))
  end))
end)

local function className(value)
  local metatable = type(value) == "table" and debug.getmetatable(value)
  return metatable and metatable.__name
end

describe("A message from Node to Lua", function()
  it("is, for every type, the value that the manual names", withNode(function()
    local expressions = {}
    for place = 1, #RECEIVED do expressions[place] = RECEIVED[place][1] end
    local child = forkNode(("for (const value of [%s]) process.send({value});")
      :format(table.concat(expressions, ",\n")))
    local received = messages.received(child)
    local _, stderr = support.output(child)
    assert.equal("", stderr)
    assert.equal(#expressions, #received)
    for place, expression in ipairs(expressions) do
      local expected, actual = RECEIVED[place][2], received[place].value
      assert.equal(compat.mathType(expected), compat.mathType(actual), expression)
      if className(expected) then
        assert.equal(className(expected), className(actual), expression)
      end
      if type(expected) == "table" and rawget(expected, "_index") then expected._index = nil end
      assert.same(expected, actual, expression)
    end
  end))

  it("has errors of all kinds, with message, cause and stack", withNode(function()
    local child = forkNode([[
      for (const kind of [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError,
        URIError]) process.send({err: new kind('message', {cause: {n: 1}})});
      class Own extends TypeError {}
      process.send({err: Object.assign(new Own('own'), {code: 'X'})});
    ]])
    local received = messages.received(child)
    support.output(child)
    local names = {}
    for place, message in ipairs(received) do
      local err = message.err
      assert.is_true(errors.isError(err))
      names[place] = tostring(err)
      assert.matches("^%a+: %a+\n +at ", err.stack)
      assert.same(place < 8 and {n = 1} or nil, err.cause)
      assert.is_nil(err.code)
    end
    assert.same({"Error: message", "EvalError: message", "RangeError: message",
      "ReferenceError: message", "SyntaxError: message", "TypeError: message", "URIError: message",
      "TypeError: own"}, names)
  end))

  it("has a copy of its own for each view of a buffer that several share", withNode(function()
    local child = forkNode([=[
      const buffer = new Uint8Array([1, 2, 3, 4]).buffer, view = new Int16Array(buffer, 2);
      process.send([buffer, new Uint8Array(buffer, 1, 2), view, view]);
    ]=])
    local list = messages.received(child)
    support.output(child)
    list = list[1]
    assert.equal("\1\2\3\4", list[1].bytes)
    assert.same({type = "Uint8Array", bytes = "\2\3"}, list[2])
    assert.same({type = "Int16Array", bytes = "\3\4"}, list[3])
    assert.equal(list[3], list[4])
  end))

  it("keeps what comes twice one object, and cycles", withNode(function()
    local child = forkNode([=[
      const shared = {}, root = {a: shared, list: [shared, Buffer.from('x'), shared]};
      root.self = root; root.map = new Map([[root, shared]]);
      process.send(root);
    ]=])
    local root = messages.received(child)
    support.output(child)
    root = root[1]
    assert.equal(root, root.self)
    assert.equal(root.a, root.list[1])
    assert.equal(root.a, root.list[3])
    assert.equal(root.a, root.map:get(root))
  end))
end)

-- Random values, 10,000 of them -------------------------------------------------------------

local BATCHES = support.collecting and 1 or 20

local random = numbers.generator(1612)

local function randomBytes(count)
  local bytes = {}
  for i = 1, count do bytes[i] = string.char(random(0, 255)) end
  return table.concat(bytes)
end

local function randomInteger()
  local integer = random(0, 31)
  for _ = 1, random(0, support.hasIntegers and 4 or 3) do
    integer = integer * 65536 + random(0, 65535)
  end
  return random(2) == 1 and integer or 0 - integer
end

local function randomFloat()
  if random(3) == 1 then return random(-1000, 1000) / 4 end
  return numbers.ofDouble(randomBytes(8))
end

local function randomString()
  local parts = {}
  local kind = random(3)
  for i = 1, random(0, 12) do
    parts[i] = kind == 1 and string.char(random(0, 127))
      or kind == 2 and string.char(random(0, 255)) or support.character(random(0, 0xD7FF))
  end
  return table.concat(parts)
end

local randomValue

local keys = {
  function(i) return i end,
  randomString,
  function(i) return "name " .. i end,
  function() return random(-100, 100) end,
  function() return random(2) == 1 and random(1, 9) or tostring(random(1, 9)) end,
  function() return random(2) == 1 end,
  function() return randomInteger() end,
  function() return random(-1000, 1000) / 8 end,
}

--- Values that hold no others.
local scalars = {
  randomInteger, randomFloat, randomString, function() return random(2) == 1 end,
  function() return cp.null end, function() return clone.undefined end,
  function()
    local digits = {}
    for i = 1, random(1, 40) do digits[i] = ("%x"):format(random(0, 15)) end
    return clone.BigInt((random(2) == 1 and "-" or "") .. "0x" .. table.concat(digits))
  end,
}

local VIEWS = {
  Int8Array = 1, Uint8Array = 1, Uint8ClampedArray = 1, Int16Array = 2, Uint16Array = 2,
  Int32Array = 4, Uint32Array = 4, Float32Array = 4, Float64Array = 8, BigInt64Array = 8,
  BigUint64Array = 8, DataView = 1, Buffer = 1,
}

local viewNames = {}
for name in pairs(VIEWS) do viewNames[#viewNames + 1] = name end
table.sort(viewNames)

local ERRORS = {
  "Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError",
}

--- Makers of objects, each with a function that fills it where it holds other values.
local objects = {
  function()
    local count, key = random(0, 5), keys[random(#keys)]
    return {}, function(object, value)
      for i = 1, count do object[key(i)] = value() end
    end
  end,
  function()
    return cp.array(), function(array, value)
      local at = 0
      for _ = 1, random(0, 5) do
        at = at + (random(3) == 1 and random(1, 20) or 1)
        array[at] = value()
      end
      for i = 1, random(4) == 1 and 2 or 0 do array["name " .. i] = value() end
    end
  end,
  function()
    return clone.Map(), function(map, value)
      for _ = 1, random(0, 4) do map:set(value(), value()) end
    end
  end,
  function()
    return clone.Set(), function(set, value)
      for _ = 1, random(0, 4) do set:add(value()) end
    end
  end,
  function()
    return clone.Date(random(5) == 1 and 0 / 0 or random(-4000000, 4000000) * 2160000000)
  end,
  function()
    local flags = random(3) == 1 and {"u"} or random(2) == 1 and {"v"} or {}
    for letter in ("dgimsy"):gmatch(".") do
      if random(2) == 1 then flags[#flags + 1] = letter end
    end
    return clone.RegExp("a+€" .. random(100), table.concat(flags))
  end,
  function() return clone.ArrayBuffer(randomBytes(random(0, 20))) end,
  function()
    local name = viewNames[random(#viewNames)]
    return clone.TypedArray(name, randomBytes(random(0, 4) * VIEWS[name]))
  end,
  function() -- a cause that holds the error would end a Node 20
    return errors.Error("message €" .. random(100), {
      name = ERRORS[random(#ERRORS)], stack = "where", cause = scalars[random(#scalars)](),
    })
  end,
}

function randomValue(depth, shared)
  if depth > 4 or random(3) == 1 then return scalars[random(#scalars)]() end
  if #shared > 0 and random(8) == 1 then return shared[random(#shared)] end
  local object, fill = objects[random(2) == 1 and 1 or random(#objects)]()
  shared[#shared + 1] = object -- before it is filled, so that it may hold itself
  if fill then fill(object, function() return randomValue(depth + 1, shared) end) end
  return object
end

--- A number that has been a JavaScript number.
local function throughNode(number)
  local isMinusZero = number == 0 and 1 / number < 0
  return not isMinusZero and compat.toInteger(number) or number
end

local same

--- The key of a map: JavaScript has no -0 among these.
local function sameKey(expected, actual, seen)
  return expected == 0 and actual == 0 or same(expected, actual, seen)
end

--- Comparisons of the classes, by name.
local sameObject = {}

function sameObject.Map(expected, actual, seen)
  for place = 1, #expected, 2 do
    if not sameKey(expected[place], actual[place], seen)
      or not same(expected[place + 1], actual[place + 1], seen) then
      return false
    end
  end
  return #actual == #expected
end

function sameObject.Set(expected, actual, seen)
  for place = 1, #expected do
    if not sameKey(expected[place], actual[place], seen) then return false end
  end
  return #actual == #expected
end

local function sameFields(names)
  return function(expected, actual, seen)
    for _, name in ipairs(names) do
      if not same(expected[name], actual[name], seen) then return false end
    end
    return true
  end
end

sameObject.Date = sameFields({"time"})
sameObject.RegExp = sameFields({"source", "flags"})
sameObject.ArrayBuffer = sameFields({"bytes"})
sameObject.TypedArray = sameFields({"type", "bytes"})
sameObject.Error = sameFields({"name", "message", "stack", "cause"})

local ARRAY = debug.getmetatable(cp.array())

--- The same for tables without a class, which may become maps.
local function samePlain(expected, actual, seen)
  local isMap = className(actual) == "Map"
  local isArray = debug.getmetatable(actual) == ARRAY
  if debug.getmetatable(expected) == ARRAY and not isArray then return false end
  local count = 0
  for key, value in pairs(expected) do
    count = count + 1
    local other
    if isMap then
      other = actual:get(key)
    elseif isArray or type(key) == "string" then
      other = actual[key]
    else
      other = actual[compat.toInteger(key) and ("%d"):format(key) or tostring(key)]
    end
    if not same(value, other, seen) then return false end
  end
  for _ in pairs(isMap and {} or actual) do count = count - 1 end
  return isMap and actual:size() == count or count == 0
end

--- Tables are the same if they are in the same places, too.
local function sameTable(expected, actual, seen)
  if seen[expected] or seen[actual] then
    return seen[expected] == actual and seen[actual] == expected
  end
  seen[expected], seen[actual] = actual, expected
  local compare = sameObject[className(expected)]
  if compare then
    return className(actual) == className(expected) and compare(expected, actual, seen)
  end
  return samePlain(expected, actual, seen)
end

--- Whether a BigInt object came back: as a number where it has 64 bits.
local function sameBigInt(expected, actual)
  if compat.mathType(actual) == "integer" then return clone.BigInt(actual).hex == expected.hex end
  if type(actual) == "number" then return tonumber(expected.hex) == actual end
  return className(actual) == "BigInt" and actual.hex == expected.hex
    and not tostring(actual):find("^%-?0x[0-7]?%x?%x?%x?%x?%x?%x?%x?%x?%x?%x?%x?%x?%x?%x?%x?$")
end

--- Whether a value is what becomes of another one in JavaScript.
function same(expected, actual, seen)
  if type(expected) == "number" and type(actual) == "number" then
    expected = throughNode(expected)
    return compat.mathType(expected) == compat.mathType(actual)
      and (expected == actual or expected ~= expected and actual ~= actual)
  elseif className(expected) == "BigInt" then
    return sameBigInt(expected, actual)
  elseif className(expected) == "TypedArray" and expected.type == "Buffer" then
    return actual == expected.bytes
  elseif type(expected) == "table" and type(actual) == "table" then
    return sameTable(expected, actual, seen)
  end
  return expected == actual
end

describe("Random values", function()
  it("come back from Node as the manual says", withNode(function()
    local batches, shared = {}, {}
    for batch = 1, BATCHES do
      local values = {}
      for i = 1, 500 do
        if i % 10 == 1 then shared = {} end
        values[i] = randomValue(0, shared)
      end
      batches[batch] = values
    end
    local received = answers(messages.ECHO_NODE, batches)
    local compared = 0
    for batch, values in ipairs(batches) do
      local seen = {}
      for i = 1, 500 do
        assert.is_true(same(values[i], received[batch][i], seen),
          ("value %d of batch %d"):format(i, batch))
        compared = compared + 1
      end
    end
    assert.equal(500 * BATCHES, compared)
  end))
end)

describe("A parent in Node with a child in Lua", function()
  it("gets every value back as it has sent it", withNode(function()
    local script = support.script([[
      local cp = require("child_process")
      local process = require("child_process.process")
      if jit then cp.int64 = true end
      process:on("message", function(message) process:send(message) end)
      cp.run()
    ]])
    local parent = cp.spawn("node", {messages.javascript([=[
      const assert = require('assert');
      const {fork} = require('child_process');
      const child = fork(process.argv[2], [],
        {execPath: process.env.LUA, serialization: 'advanced'});
      const shared = {};
      const values = [
        1, 1.5, -0, NaN, 2 ** 53, 'text', '\u20ac', Buffer.from([255]), true, {}, [], [1, , 3],
        [undefined, null], {1: 'a', b: [{}]}, new Map([[{}, 1], [NaN, 2]]), new Set([1, new Set()]),
        new Date(1e12), /a+/gi, new Float64Array([1.5]), new Uint8Array([1]).buffer, [2n ** 64n],
        process.env.LARGE ? [-(2n ** 53n) - 1n] : [1], {a: shared, b: shared},
        Object.assign([1], {x: 1}), 'x'.repeat(1e6),
        new DataView(new ArrayBuffer(3)), new TypeError('m', {cause: [1]}), {length: 3, __proto: 1},
        new Error('m'), Buffer.alloc(1e6, 255),
      ];
      let count = 0;
      child.on('message', message => {
        assert.deepStrictEqual(message, values[count]);
        if (values[count] instanceof Error) assert.strictEqual(message.stack, values[count].stack);
        if (message.a) assert.strictEqual(message.a, message.b);
        if (++count === values.length) { console.log('all'); child.disconnect(); }
      });
      child.on('exit', (code, signal) => console.log('exit', code, signal));
      for (const value of values) child.send(value);
    ]=]), script}, {env = messages.environment({
      LUA = support.lua, LARGE = not support.isPuc51 and "1" or "",
    })})
    parent.stdin:finish()
    local stdout, stderr = support.output(parent)
    assert.equal("", stderr)
    assert.equal("all\nexit 0 null\n", stdout)
  end))

  it("keeps commands of the protocol from its messages", withNode(function()
    local child = forkNode([[
      process.on('message', m => console.log('message', m.cmd));
      process.on('internalMessage', m => console.log('internal', m.cmd));
      process.send({cmd: 'NODE_foo'});
      process.send({cmd: 'foo'});
    ]])
    local seen = messages.events(child, {exit = true, close = true, disconnect = true})
    child:send({cmd = "NODE_bar"})
    child:send({cmd = "bar"})
    child:on("message", function() child:disconnect() end)
    assert.equal("internal NODE_bar\nmessage bar\n", (support.output(child)))
    assert.same({'internalMessage {"cmd":"NODE_foo"}', 'message {"cmd":"foo"}'}, seen)
  end))
end)
