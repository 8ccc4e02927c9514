-- "Messages as JSON" in the manual. The valid and invalid texts follow the kinds of cases in
-- JSONTestSuite (github.com/nst/JSONTestSuite).

local compat = require("child_process.base.compat")
local cp = require("child_process")
local errors = require("child_process.errors")
local json = require("child_process.json")
local numbers = require("spec.support.numbers")
local support = require("spec.support")

local null = cp.null
local replacement = "�"
local MINUS_ZERO = -1 / math.huge -- Lua 5.1 may take the literal for 0
--- What a script for Node prints when it has read this input.
local function node(script, input)
  local result = cp.spawnSync("node", {"-e", script}, {input = input, maxBuffer = math.huge})
  assert.equal("", result.stderr)
  return result.stdout
end

local isArray = getmetatable(json.array())

local show

local shows = {
  string = function(value) return ("%q"):format(value) end,
  number = function(value)
    if not support.hasIntegers then return ("%.17g"):format(value) end
    return (math.type(value) == "integer" and "%d" or "%a"):format(value)
  end,
  table = function(value)
    local parts, count = {}, 0
    for key, member in pairs(value) do
      count = count + 1
      parts[count] = ("[%s]=%s"):format(show(key), show(member))
    end
    table.sort(parts)
    return (getmetatable(value) == isArray and "array" or "")
      .. "{" .. table.concat(parts, ",") .. "}"
  end,
}

--- A text in which values differ that are only equal: 1 and 1.0, 0.0 and -0.0, the array without
--- entries and the empty table.
function show(value)
  if value == null then return "null" end
  local showType = shows[type(value)]
  return showType and showType(value) or tostring(value)
end

local function decode(text)
  local value, reason, offset = json.decode(text)
  if value == nil then error(("%q: %s at %d"):format(text, reason, offset), 2) end
  return value
end

local function assertDecoded(value, text) assert.equal(show(value), show(decode(text))) end

local function assertRejected(text, offset)
  local value, reason, at = json.decode(text)
  if value ~= nil then error(("%q was taken for JSON"):format(text), 2) end
  assert.equal("string", type(reason))
  if offset then assert.equal(offset, at) end
  assert.is_true(at >= 1 and at <= #text + 1)
end

--- Checks that encoding raises an error about the value at this place.
local function assertRaises(message, value)
  local err = support.error(json.encode, value)
  assert.is_true(errors.isError(err))
  assert.equal("TypeError", err.name)
  assert.equal("ERR_INVALID_ARG_VALUE", err.code)
  assert.equal(message, err.message)
end

--- A table in a table, `levels` of them.
local function nested(levels)
  local value = {}
  for _ = 2, levels do value = {a = value} end
  return value
end

--- Floats with random bits, and with as many digits as people write. None is whole where that would
--- be an integer.
local function randomFloats(count)
  local random = numbers.generator(20251)
  local floats = {}
  local function add(float)
    local isWhole = float % 1 == 0 and not support.hasIntegers
    if float - float == 0 and not isWhole then floats[#floats + 1] = float end
  end
  while #floats < count do
    local bytes = {}
    for i = 1, 8 do bytes[i] = string.char(random(0, 255)) end
    add(numbers.ofDouble(table.concat(bytes)))
    add((random() * 8192 + random(0, 8191)) / 10.0 ^ (#floats % 9))
  end
  return floats
end

local valid = {
  -- arrays
  ["[[]   ]"] = json.array {json.array()}, ['[""]'] = json.array {""}, ["[]"] = json.array(),
  ["[ ]"] = json.array(), [' [1]'] = json.array {1}, ["[2] "] = json.array {2},
  ["[1\n]"] = json.array {1}, ['["a"]\n'] = json.array {"a"}, [" [] "] = json.array(),
  ["[false]"] = json.array {false}, ["[null]"] = json.array {null},
  ['[null, 1, "1", {}]'] = json.array {null, 1, "1", {}},
  ["[1,null,null,null,2]"] = json.array {1, null, null, null, 2},
  ["\t\r\n [\t\r\n 1\t\r\n ,\t\r\n 2\t\r\n ]\t\r\n "] = json.array {1, 2},
  -- numbers
  ["123"] = 123, ["0"] = 0, ["-1"] = -1, ["-123"] = -123, ["[ 4]"] = json.array {4},
  ["-0"] = MINUS_ZERO, ["123.456789"] = 123.456789, ["20e1"] = 200.0, ["123e45"] = 123e45,
  ["123e65"] = 123e65, ["0e+1"] = 0.0, ["0e1"] = 0.0, ["1E22"] = 1e22, ["1E-2"] = 0.01,
  ["1E+2"] = 100.0, ["123.456e78"] = 123.456e78, ["1e-2"] = 0.01, ["1e+2"] = 100.0, ["-0.1"] = -0.1,
  ["-0.00000000000000000000000000000000000000000000000000000000000000000000001"] = -1e-71,
  -- objects
  ["{}"] = {}, ['{"asd":"sdf", "dfg":"fgh"}'] = {asd = "sdf", dfg = "fgh"}, ['{"":0}'] = {[""] = 0},
  ['{"foo\\u0000bar": 42}'] = {["foo\0bar"] = 42}, ['{"a":[]}'] = {a = json.array()},
  ['{ "min": -1.0e+28, "max": 1.0e+28 }'] = {min = -1e28, max = 1e28},
  ['{"x":[{"id": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}], "id": "xxxxxxxx"}'] = {
    x = json.array {{id = ("x"):rep(40)}}, id = ("x"):rep(8),
  },
  ['{\n"a": "b"\n}'] = {a = "b"}, ['{"\\u0442\\u0435":"\\u041f"}'] = {["те"] = "П"},
  -- strings
  ['"\\u0060\\u012a\\u12AB"'] = "`Īካ", ['"\\uD801\\udc37"'] = "𐐷",
  ['"\\ud83d\\ude39\\ud83d\\udc8d"'] = "😹💍", ['"\\uDBFF\\uDFFF"'] = "\244\143\191\191",
  ['"\\"\\\\\\/\\b\\f\\n\\r\\t"'] = '"\\/\b\f\n\r\t', ['"\\\\u0000"'] = "\\u0000",
  ['"\\""'] = '"', ['"a/*b*/c/*d//e"'] = "a/*b*/c/*d//e", ['"\\\\a"'] = "\\a", ['"\\\\n"'] = "\\n",
  ['"\\u0012"'] = "\18", ['"\\uFFFF"'] = "\239\191\191", ['"\\u0000"'] = "\0", ['"\\u002c"'] = ",",
  ['"\\u00A0"'] = "\194\160", ['"\\u0821"'] = "\224\160\161", ['"\\u0123"'] = "ģ",
  ['"asd "'] = "asd ",
  ['"\\u0061\\u30af\\u30EA\\u30b9"'] = "aクリス",
  ['"new\\u000Aline"'] = "new\nline",
  ['"\\uD834\\uDd1e"'] = "𝄞", ['"\\uDBFF\\uDFFE"'] = "\244\143\191\190", ['"\\u005C"'] = "\\",
  ['"\\uFDD0"'] = "\239\183\144", ['"\\uFFFE"'] = "\239\191\190", ['"\\u0022"'] = '"',
  ['"\244\143\191\191"'] = "\244\143\191\191", ['"\239\191\191"'] = "\239\191\191",
  ['"\240\155\191\191"'] = "\240\155\191\191", ['" "'] = " ",
  ['"\226\128\168\226\128\169"'] = "\226\128\168\226\128\169", ['"π"'] = "π", ['"\127"'] = "\127",
  ['"€𝄞"'] = "€𝄞", ['"a\127a"'] = "a\127a", ['""'] = "",
  -- whole texts
  ["false"] = false, ["true"] = true, ["null"] = null, ["42"] = 42, ["[true]"] = json.array {true},
}

local invalid = {
  -- arrays
  "[1 true]", "[a\229]", '["": 1]', '[""],', "[,1]", "[1,,2]", '["x",,]', '["x"]]', '["",]', '["x"',
  "[x", "[3[4]]", "[\255]", "[1:2]", "[,]", "[-]", '[   , ""]', '["a",\n4\n,1,', "[1,]", "[1,,]",
  '["\va"\\f]', "[*]", '[""', "[1,", "[1,\n1\n,1", "[{}", "[", "[1", "[][]", "[1]x", "1]", "]",
  "[undefined]", "[1;2]", "[[1]", "[}", "[1}",
  -- words
  "[fals]", "[nul]", "[tru]", "True", "NULL", "nulll", "truefalse", "tru", "t",
  -- numbers
  "123\0", "++1234", "+1", "+Inf", "-01", "-1.0.", "-2.", "-NaN", ".-1", ".2e-3", "0.1.2", "0.3e+",
  "0.3e", "0.e1", "0E+", "0E", "0e+", "0e", "1.0e+", "1.0e-", "1.0e", "1 000.0", "1eE2", "2.e+3",
  "2.e-3", "2.e3", "9.e+", "Inf", "NaN", "１", "1+2", "0x1", "0x42", "Infinity", "0e+-1",
  "-123.123foo", "123\229", "1e1\229", "0\229", "-Infinity", "-foo", "- 1", "-012", "-.123", "-1x",
  "1ea", "1e\229", "1.", ".123", "1.2a-3", "1.8011670033376514H-308", "012", "2@", "-", "1_000",
  "00",
  -- objects
  '["x", truth]', '{[: "x"}', '{"x", null}', '{"x"::"b"}', "{🇨🇭}", '{"a":"a" 123}',
  "{key: 'value'}", '{"\185":"0",}', '{"a" b}', '{:"b"}', '{"a" "b"}', '{"a":', '{"a"', "{1:1}",
  "{9999E9999:1}", "{null:null,null:null}", '{"id":0,,,,,}', "{'a':0}", '{"id":0,}',
  '{"a":"b"}/**/',
  '{"a":"b"}/**//', '{"a":"b"}//', '{"a":"b"}/', '{"a":"b",,"c":"d"}', '{a:"b"}', '{"a":"a',
  '{"foo":"bar","a"}', '{"a":"b"}#', "{", "{]", "{,", "{[", '{"a', "{'a'", '{"a":"b"}#{}', '{"":',
  '{"a":/*comment*/"b"}', '{"a": true} "x"', '{"x": true,', "{}}", '{"asd":"asd"', "{,}", '{"a":1]',
  -- strings
  " ", '["\\uD800\\"]', '["\\uD800\\u"]', '["\\uD800\\u1"]', '["\\uD800\\u1x"]', "[é]",
  '["\\\0"]', '["\\x00"]', '["\\\\\\"]', '["\\\t"]', '["\\🌀"]', '["\\"]', '["\\u00A"]',
  '["\\uD834\\uDd"]', '["\\uD800\\uD800\\x"]', '["\\u\229"]', '["\\a"]', '["\\uqqqq"]',
  '["\\\229"]',
  '[\\u0020"asd"]', "[\\n]", '"', "['single quote']", "abc", '["\\', '["a\0a"]', '["new\nline"]',
  '["\t"]', '"\\UA66D"', '""x', '"\31"', '"\\u 123"', '"\\u+123"', '"\\u12', '"\\u', "'", '"a',
  -- whole texts
  "", "\226\129\160", "[\226\129\160]", "\239\187\191", "<.>", "[<null>]", "aå", "\239\187{}",
  "\229",
  "[\0]",
  "\0", "*", "å", "[\f]", "\f[]", "\v", '[\\u000A""]', "[\"a\"\194\160]", "/**/1", "1 2", "\255",
  '[\'', "[{", '["a', "{[", '["\\{["\\{["\\{["\\{', "\194\1601", ("["):rep(100000),
  ('[{"":'):rep(50000),
}

describe("JSON", function()
  it("is read as RFC 8259 says", function()
    for text, value in pairs(valid) do
      assertDecoded(value, text)
      assertDecoded(json.array {value, value}, ("[ %s,%s ]"):format(text, text))
      assertDecoded({[text] = value}, ('{%s:%s}'):format(json.encode(text), text))
    end
  end)

  it("has no extensions", function()
    for _, text in ipairs(invalid) do assertRejected(text) end
  end)

  it("ends where the text ends, at every place", function()
    local text = '{"a":[1,-2.5e+3,"\\n\\ud83d\\ude00",{"b":null}],"c":true}'
    for length = 0, #text - 1 do
      local value, reason, offset = json.decode(text:sub(1, length))
      assert.is_nil(value)
      -- a word, or a number, that is cut off is an error where it begins
      assert.is_true(reason == "unexpected end" and offset == length + 1
        or offset <= length and text:find("^[-tn]", offset) ~= nil)
    end
  end)

  it("is the same to Node", function()
    if not support.hasNode() then pending("Node 20 is not installed") return end
    local texts, expected = {}, {}
    local function add(text, isValid)
      texts[#texts + 1] = numbers.uint32(#text) .. text
      expected[#expected + 1] = isValid and "1" or "0"
    end
    for text in pairs(valid) do add(text, true) end
    for _, text in ipairs(invalid) do add(text, false) end
    local answers = node([[
      const input = require("fs").readFileSync(0);
      const answers = [];
      for (let at = 0; at < input.length;) {
        const length = input.readUInt32LE(at);
        const text = input.toString("utf8", at + 4, at + 4 + length);
        at += 4 + length;
        try { JSON.parse(text); answers.push("1"); } catch { answers.push("0"); }
      }
      process.stdout.write(answers.join(""));
    ]], table.concat(texts))
    assert.equal(table.concat(expected), answers)
  end)

  it("leaves some things open, which are decided so", function()
    assertDecoded(math.huge, "1e400")
    assertDecoded(-math.huge, "-123123e100000")
    assertDecoded(math.huge, "100000000000000000000000000000000e99999999999999999999")
    assertDecoded(0.0, "123.456e-789")
    assertDecoded(MINUS_ZERO, "-1e-99999999999999999999")
    assertDecoded(1e32, "100000000000000000000000000000000")
    assertDecoded(-123123123123123123123123123123.0, "-123123123123123123123123123123")
    -- lone surrogates, and bytes that are no UTF-8
    assertDecoded({[replacement] = 0}, '{"\\uDFAA":0}')
    assertDecoded(replacement .. "abc", '"\\uDADAabc"')
    assertDecoded(replacement .. replacement, '"\\uDd1e\\uD888"')
    assertDecoded(replacement .. replacement, '"\\uDC00\\uDC01"')
    assertDecoded(replacement .. "𝄞", '"\\uD834\\uD834\\uDd1e"')
    assertDecoded(replacement .. "\n", '"\\uD800\\n"')
    assertDecoded(replacement .. "é", '"\\uD800\\u00e9"')
    assertDecoded("日ш" .. replacement, '"\230\151\165\209\136\250"')
    assertDecoded(replacement:rep(3), '"\237\160\128"')
    assertDecoded(replacement:rep(2), '"\192\175"')
    assertDecoded("a" .. replacement .. "b", '"a\240\159\152b"')
    assertDecoded(replacement, '"\226\130"')
    -- other encodings, and the mark of UTF-8
    assertRejected("\255\254[\0\"\0\233\0\"\0]\0", 1)
    assertRejected("\0[\0\"\0\233\0\"\0]", 1)
    assertRejected("[\0\"\0\233\0\"\0]\0", 2)
    assertRejected("\239\187\191{}", 1)
    -- depth
    assert.is_table(decode(("["):rep(500) .. ("]"):rep(500)))
  end)

  it("says what is wrong with a text, and where", function()
    local cases = {
      {"[1,2", "unexpected end", 5}, {"[1 2]", "unexpected character", 4}, {"", "unexpected end",
      1},
      {'{"a":tru}', "unexpected character", 6}, {"[0,-x]", "invalid number", 4},
      {'["a\nb"]', "control character in a string", 4}, {'["\\x"]', "invalid escape", 4},
      {'["\\u12x4"]', "invalid escape", 7}, {'"abc', "unexpected end", 5},
      {'{"a" 1}', "unexpected character", 6}, {"[]]", "unexpected character", 3},
    }
    for _, case in ipairs(cases) do
      local text, reason, offset = compat.unpack(case)
      assert.same({nil, reason, offset}, {json.decode(text)})
    end
  end)

  it("is a string", function()
    assert.has_error(function() json.decode(nil) end)
    assert.has_error(function() json.decode({}) end)
  end)
end)

describe("a number", function()
  it("stays a Lua integer over the whole 64-bit range", function()
    local integers = {0, 1, -1, 9, 10, 99, 100, compat.maxInteger, -compat.maxInteger - 1}
    local power = 1
    for _ = 1, support.hasIntegers and 62 or 52 do
      power = power * 2
      for offset = -1, 1 do
        integers[#integers + 1] = power + offset
        integers[#integers + 1] = -power + offset
      end
    end
    power = 1
    for _ = 1, support.hasIntegers and 18 or 15 do
      power = power * 10
      integers[#integers + 1] = power - 1
      integers[#integers + 1] = -power
    end
    for _, integer in ipairs(integers) do
      local text = json.encode(integer)
      assert.equal(("%d"):format(integer), text)
      assertDecoded(integer, text)
    end
  end)

  it("is a float where it does not fit into 64 bits, and where it is -0", function()
    assertDecoded(9223372036854775807, "9223372036854775807")
    assertDecoded(2.0 ^ 63, "9223372036854775808")
    assertDecoded(-9223372036854775807 - 1, "-9223372036854775808")
    assertDecoded(-2.0 ^ 63, "-9223372036854775809")
    assertDecoded(1e19, "9999999999999999999")
    assertDecoded(2.0 ^ 64, "18446744073709551616")
    assertDecoded(1e30, "1" .. ("0"):rep(30))
    assertDecoded(MINUS_ZERO, "-0")
  end)

  it("is a float where it has a point or an exponent", function()
    for text, value in pairs({
      ["3.0"] = 3.0, ["0.0"] = 0.0, ["-0.0"] = MINUS_ZERO, ["100.0"] = 100.0, ["1.5"] = 1.5,
      ["100000000000000000000.0"] = 1e20, ["1e+21"] = 1e21, ["1e-7"] = 1e-7, ["0.000001"] = 1e-6,
      ["123456789012345680000.0"] = 123456789012345680000.0, ["1.25e-7"] = 1.25e-7,
      ["5e-324"] = 5e-324, ["1.7976931348623157e+308"] = 1.7976931348623157e308,
      ["0.1"] = 0.1, ["0.30000000000000004"] = 0.1 + 0.2, ["-1e+300"] = -1e300,
      ["9007199254740992.0"] = 2.0 ^ 53, ["2.2250738585072014e-308"] = 2.2250738585072014e-308,
    }) do
      -- where Lua does not distinguish them, whole numbers are integers up to 2^53
      local isInteger = not support.hasIntegers and math.abs(value) <= 2 ^ 53 and text ~= "-0.0"
      assert.equal(isInteger and text:gsub("%.0$", "") or text, json.encode(value))
      assertDecoded(value, text)
    end
  end)

  it("keeps every bit of a float", function()
    for _, float in ipairs(randomFloats(4000)) do
      local text = json.encode(float)
      assert.equal(numbers.double(float), numbers.double(decode(text)))
      assert.equal("float", compat.mathType(decode(text)))
    end
  end)

  it("has the shortest digits, which are Node's", function()
    if not support.hasNode() then pending("Node 20 is not installed") return end
    local floats = randomFloats(20000)
    local bits, texts = {}, {}
    for i, float in ipairs(floats) do
      bits[i] = numbers.double(float)
      texts[i] = json.encode(float):gsub("%.0$", "")
    end
    local answers = node([[
      const input = require("fs").readFileSync(0);
      const view = new DataView(input.buffer, input.byteOffset, input.length);
      const texts = [];
      for (let at = 0; at < input.length; at += 8) texts.push(view.getFloat64(at, true));
      process.stdout.write(texts.join("\n"));
    ]], table.concat(bits))
    assert.is_true(answers == table.concat(texts, "\n"))
  end)

  it("is null when it is NaN or infinite", function()
    assert.equal("null", json.encode(0 / 0))
    assert.equal("null", json.encode(math.huge))
    assert.equal('[null,{"a":null}]', json.encode({-math.huge, {a = 0 / 0}}))
  end)

  it("does not depend on the locale", function()
    local folder = support.tmpdir()
    support.writeFile(folder .. "/source",
      'LC_NUMERIC\ndecimal_point ","\nthousands_sep "."\ngrouping 3\nEND LC_NUMERIC\n')
    cp.spawnSync("localedef", {"-c", "-i", folder .. "/source", "-f", "ANSI_X3.4-1968",
      folder .. "/comma"})
    local script = support.script([[
      local json = require("child_process.json")
local numbers = require("spec.support.numbers")
      if not os.setlocale("comma") then os.exit(3) end
      if tostring(1.5) ~= "1,5" and not jit then os.exit(3) end
      -- long enough that the C library has to decode it
      local middle = "0.500000000000000055511151231257827021181583404541015625"
      print(json.encode({ 1.5, 1e300, 1 / 3 }), json.decode("1.5") == 3 / 2,
        json.decode(middle .. "1") == 2 ^ -1 + 2 ^ -53, json.decode("1,5"))
    ]])
    local result = cp.spawnSync("env", {"LOCPATH=" .. folder, support.lua, script})
    if result.status == 3 then pending("a locale with a comma cannot be made") return end
    assert.equal("[1.5,1e+300,0.3333333333333333]\ttrue\ttrue\tnil\tunexpected character\t2\n",
      result.stdout)
  end)
end)

describe("a string", function()
  it("is escaped as JSON.stringify does", function()
    assert.equal([["\b\t\n\f\r\"\\ / ]] .. "\127é\226\128\168😀" .. [[\u0000\u0001\u001f"]],
      json.encode("\b\t\n\f\r\"\\ / \127é\226\128\168😀\0\1\31"))
    if not support.hasNode() then pending("Node 20 is not installed") return end
    local characters = {}
    for code = 0, 0x3000 do characters[#characters + 1] = support.character(code) end
    local text = node([[
      const characters = [];
      for (let code = 0; code <= 0x3000; code++) characters.push(String.fromCodePoint(code));
      process.stdout.write(JSON.stringify(characters) + JSON.stringify(characters.join("")));
    ]])
    assert.is_true(text == json.encode(characters) .. json.encode(table.concat(characters)))
  end)

  it("that is not UTF-8 is sent with U+FFFD", function()
    local cases = {
      ["\255"] = 1, ["\192\128"] = 2, ["\237\160\128"] = 3, ["\240\159\152"] = 1, ["\226\130"] = 1,
      ["\244\144\128\128"] = 4, ["\128\129"] = 2,
    }
    for bytes, count in pairs(cases) do
      local text = replacement:rep(count)
      assert.equal('"' .. text .. '"', json.encode(bytes))
      assert.equal('"a' .. text .. '\\n"', json.encode("a" .. bytes .. "\n"))
      assert.equal('{"' .. text .. '":1}', json.encode({[bytes] = 1}))
    end
    assert.equal('"' .. replacement .. '"', json.encode(replacement))
  end)

  it("comes back whatever is at which place in it", function()
    local letters = ("0123456789abcdef"):rep(3)
    for _, special in ipairs({'"', "\\", "\n", "\0", "\31", "\127", "é", "€",
    "😀"}) do
      for at = 0, #letters do
        for _, after in ipairs({letters:sub(at + 1), letters:sub(at + 1, at + 3), special}) do
          local text = letters:sub(1, at) .. special .. after
          assert.equal(text, decode(json.encode(text)))
          assert.same({[text] = text}, decode(json.encode({[text] = text})))
        end
      end
    end
    for length = 0, 40 do
      local text = letters:sub(1, length)
      assert.equal('"' .. text .. '"', json.encode(text))
      assert.equal(text, decode('"' .. text .. '"'))
    end
  end)
end)

describe("a table", function()
  it("with keys 1..n is an array", function()
    assert.equal("[1,2,3]", json.encode({1, 2, 3}))
    assert.equal("[[1],[[2]]]", json.encode({{1}, {{2}}}))
    local list = {}
    for i = 10, 1, -1 do list[i] = i end -- in the hash part
    assert.equal("[1,2,3,4,5,6,7,8,9,10]", json.encode(list))
  end)

  it("with other keys is an object, and its keys that are numbers become strings", function()
    assertDecoded({a = 1}, json.encode({a = 1}))
    assertDecoded({["1"] = 1, a = 2}, json.encode({1, a = 2}))
    assertDecoded({["2"] = true}, json.encode({[2] = true}))
    assertDecoded({["1"] = 1, ["3"] = 3}, json.encode({1, nil, 3}))
    assertDecoded({["0"] = 0, ["1"] = 1, ["3"] = 3}, json.encode({[0] = 0, 1, nil, 3}))
    assertDecoded({["-1"] = -1, ["1"] = 1, ["3"] = 3}, json.encode({[-1] = -1, 1, nil, 3}))
    assertDecoded({["1"] = 1, ["3"] = 3, a = 2}, json.encode({1, nil, 3, a = 2}))
    assertDecoded({["0"] = 0, ["1"] = 1}, json.encode({[0] = 0, [1] = 1}))
    assertDecoded({["-1"] = 1, ["1.5"] = 2, ["1e+300"] = 3, Infinity = 4, ["-Infinity"] = 5},
      json.encode({[-1] = 1, [1.5] = 2, [1e300] = 3, [math.huge] = 4, [-math.huge] = 5}))
    assertDecoded({[("%d"):format(compat.maxInteger)] = 1}, json.encode({[compat.maxInteger] = 1}))
  end)

  it("has the names that JavaScript gives to numbers, in every Lua", function()
    local minusZero = -1 / math.huge
    for _, case in ipairs({
      {2 ^ 53, "9007199254740992"}, {2 ^ 53 + 2, "9007199254740994"},
      {2 ^ 63, "9223372036854776000"}, {-2 ^ 64, "-18446744073709552000"},
      {1e20, "100000000000000000000"}, {1e21, "1e+21"}, {-1e21, "-1e+21"},
      {minusZero, "0"}, {1e-7, "1e-7"}, {123456.75, "123456.75"},
    }) do
      assert.equal(('{"%s":1}'):format(case[2]), json.encode({[case[1]] = 1}))
    end
    local meta = {__tojson = function(_, key) return key end}
    assert.equal('{"9223372036854776000":"9223372036854776000"}',
      json.encode({[2 ^ 63] = setmetatable({}, meta)}))
  end)

  it("keeps all digits of keys that are integers of 64 bits", function()
    if compat.hasIntegers then
      assert.equal('{"4611686018427387904":1}', json.encode({[2 ^ 62] = 1}))
      assert.equal('{"9223372036854775807":1}', json.encode({[math.maxinteger] = 1}))
    else
      assert.equal('{"4611686018427388000":1}', json.encode({[2 ^ 62] = 1}))
    end
  end)

  it("without entries is {} unless it was made by cp.array{}", function()
    assert.equal("{}", json.encode({}))
    assert.equal("[]", json.encode(json.array {}))
    assert.equal("[]", json.encode(json.array()))
    assert.equal("[[],{}]", json.encode({json.array {}, {}}))
  end)

  it("with the mark has its entries up to its length, holes being null", function()
    local list = json.array {1, nil, 3, name = "not seen"}
    assert.equal("[1,null,3]", json.encode(list))
    assert.equal("[null]", json.encode(json.array {print}))
    assert.equal("[null,null,3]", json.encode(json.array {nil, nil, 3}))
    assert.equal("[[1,null,3],[null,2],4]",
      json.encode(json.array {json.array {1, nil, 3}, json.array {nil, 2}, 4}))
  end)

  it("with the mark and entries far apart has those before the first hole", function()
    assert.equal("[1,2]", json.encode(json.array {1, 2, [100] = 100}))
    assert.equal("[]", json.encode(json.array {[100] = 100, [0] = 0, [-1] = -1}))
  end)

  it("is marked in its place", function()
    local list = {}
    assert.equal(list, json.array(list))
    assert.equal(list, json.array(list))
    assert.equal("array", getmetatable(list).__name)
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(json.array, "list").code)
    local object = setmetatable({}, {})
    assert.equal("ERR_INVALID_ARG_VALUE", support.error(json.array, object).code)
  end)

  it("comes back as it was, and an array as an array", function()
    local text = '{"list":[[],{},[1,[2.5,{"a":[]}],null]]}'
    assert.equal(text, json.encode(decode(text)))
  end)

  it("is read and written without its metamethods", function()
    local function refuse() error("called") end
    local value = setmetatable({a = 1},
      {__index = refuse, __pairs = refuse, __len = refuse, __tostring = refuse, __name = 1})
    assert.equal('{"a":1}', json.encode(value))
    assert.equal("{}", json.encode(setmetatable({}, {__index = {a = 1}})))
    assert.equal('{"a":{}}', json.encode({a = setmetatable({}, {__metatable = false})}))
  end)

  it("has the last of several members with the same name", function()
    assertDecoded({a = 3, b = 2}, '{"a":1,"b":2,"a":3}')
    assertDecoded({a = null}, '{"a":1,"\\u0061":null}')
  end)

  it("has __proto__ as a key like any other", function()
    assertDecoded({__proto__ = {a = 1}, constructor = 2, __index = 3},
      '{"__proto__":{"a":1},"constructor":2,"__index":3}')
    assert.is_nil(getmetatable(decode('{"__proto__":{}}')))
  end)

  it("raises when it is in itself", function()
    local value = {list = {{}, {}, {}}}
    value.list[3].self = value
    assertRaises("The property 'message.list[3].self' closes a cycle. Received a table", value)
    value.list[3].self = value.list
    assertRaises("The property 'message.list[3].self' closes a cycle. Received a table", value)
    local list = json.array {0}
    list[2] = list
    assertRaises("The argument 'message[2]' closes a cycle. Received an instance of array", list)
  end)

  it("may come twice", function()
    local twice = {1}
    assert.equal("[[1],[1]]", json.encode({twice, twice}))
    assert.equal('{"a":{"b":[1]},"c":[1]}', (json.encode({a = {b = twice}, c = twice})
      :gsub('^{("c":.*),("a":.*)}$', "{%2,%1}")))
  end)

  it("may be nested in 1000 levels", function()
    local text = json.encode(nested(1000))
    assert.equal(('{"a":'):rep(999) .. "{}" .. ("}"):rep(999), text)
    assert.equal(text, json.encode(decode(text)))
    assertRaises("The property 'message.a.a.a.a.a ... .a.a.a.a.a' is nested too deeply. "
      .. "Received a table", nested(1001))
    assert.is_table(decode(("["):rep(1000) .. ("]"):rep(1000)))
    assert.same({nil, "nested too deeply", 1001}, {json.decode(("["):rep(1001) .. ("]"):rep(1001))})
    assert.same({nil, "nested too deeply", 1001}, {json.decode(("["):rep(1000) .. "{")})
  end)

  it("raises for keys that are neither strings nor numbers", function()
    local rest = " has a key that is neither a string nor a number. Received "
    assertRaises("The argument 'message'" .. rest .. "true", {[true] = 1})
    assertRaises("The property 'message.a.b'" .. rest .. "a table", {a = {b = {[{}] = 1}}})
    assertRaises("The property 'message.a[2]'" .. rest .. "a function", {a = {1, {[print] = 1}}})
    assertRaises("The argument 'message'" .. rest .. "null", {[null] = 1})
  end)

  it("is named in errors by a place that is short and can be read", function()
    local rest = " closes a cycle. Received a table"
    local function assertPlace(place, key)
      local value = {x = {}}
      value.x[key] = value
      assertRaises(("The property '%s'%s"):format(place, rest), value)
    end
    assertPlace("message.x._name1", "_name1")
    assertPlace('message.x["1name"]', "1name")
    assertPlace('message.x["a key"]', "a key")
    assertPlace('message.x[""]', "")
    assertPlace("message.x[1.5]", 1.5)
    assertPlace("message.x." .. ("k"):rep(40), ("k"):rep(40))
    assertPlace("message.x." .. ("k"):rep(40) .. "...", ("k"):rep(1000))
  end)
end)

describe("a function, a coroutine, a userdata", function()
  local thread = coroutine.create(function() end)

  it("is skipped as JavaScript skips functions", function()
    assert.equal('{"a":1}', json.encode({a = 1, b = print, c = thread, d = io.stdout}))
    assert.equal("{}", json.encode({b = print}))
  end)

  it("is null in an array", function()
    assert.equal("[null,1,null,null]", json.encode({print, 1, thread, io.stdout}))
  end)

  it("has no text of its own, nor has nil", function()
    for _, value in ipairs({print, thread, io.stdout}) do assert.is_nil(json.encode(value)) end
    assert.is_nil(json.encode(nil))
    assert.has_error(function() json.encode() end)
  end)
end)

describe("null", function()
  it("is cp.null", function()
    assert.equal("null", json.encode(cp.null))
    assert.equal('[null,{"a":null}]', json.encode({null, {a = null}}))
    assert.equal(cp.null, decode("null"))
    assert.equal(cp.null, decode("[1,null]")[2])
  end)
end)

describe("__tojson", function()
  local function with(tojson, fields)
    return setmetatable(fields or {}, {__tojson = tojson})
  end

  it("is called with the value and its key, a string, and its result is written", function()
    local seen = {}
    local value
    value = with(function(self, key)
      assert.equal(value, self)
      seen[#seen + 1] = key
      return {key = key}
    end)
    assert.equal('{"key":""}', json.encode(value))
    assert.equal('{"a":{"key":"a"}}', json.encode({a = value}))
    assert.equal('[1,{"key":"2"}]', json.encode({1, value}))
    assert.equal('{"7":{"key":"7"}}', json.encode({[7] = value}))
    assert.equal('{"1.5":{"key":"1.5"}}', json.encode({[1.5] = value}))
    assert.same({"", "a", "2", "7", "1.5"}, seen)
    for _, key in ipairs(seen) do assert.equal("string", type(key)) end
  end)

  it("does what toJSON does in Node", function()
    local one = with(function() return 1 end)
    local none = with(function() end)
    local keep = with(function(self) return self end, {a = 1})
    local list = with(function() return json.array() end)
    local again = with(function() return with(function() error("called") end, {b = 2}) end)
    local inner = with(function() return {c = one, d = none} end)
    local callable = with(function() return print end)
    local cases = {
      {one, "one"}, {{one}, "[one]"}, {{x = one}, "{x: one}"}, {none, "none"}, {{none}, "[none]"},
      {{x = none}, "{x: none}"}, {keep, "keep"}, {{x = keep}, "{x: keep}"}, {list, "list"},
      {again, "again"}, {{again}, "[again]"}, {inner, "inner"}, {{x = callable}, "{x: callable}"},
      {{callable}, "[callable]"}, {callable, "callable"},
    }
    local texts = {}
    for i, case in ipairs(cases) do texts[i] = json.encode(case[1]) or "nil" end
    assert.equal('1|[1]|{"x":1}|nil|[null]|{}|{"a":1}|{"x":{"a":1}}|[]|{"b":2}|[{"b":2}]|{"c":1}'
      .. "|{}|[null]|nil", table.concat(texts, "|"))
    if not support.hasNode() then pending("Node 20 is not installed") return end
    local expressions = {}
    for i, case in ipairs(cases) do expressions[i] = case[2] end
    assert.equal(table.concat(texts, "|"), node([[
      const one = {toJSON: () => 1}, none = {toJSON() {}}, list = {toJSON: () => []};
      const keep = {a: 1, toJSON() { return this; }}, callable = {toJSON: () => () => {}};
      const again = {toJSON: () => ({b: 2, toJSON() { throw Error("called"); }})};
      const inner = {toJSON: () => ({c: one, d: none})};
      const values = ]] .. "[" .. table.concat(expressions, ",") .. [[];
      // in Lua the method is in the metatable, so JavaScript must not list it as a field either
      for (const value of [keep]) Object.defineProperty(value, "toJSON", {enumerable: false});
      process.stdout.write(values.map((value) => JSON.stringify(value) ?? "nil").join("|"));
    ]]))
  end)

  it("gives a text to values that JSON cannot represent", function()
    local meta = debug.getmetatable(io.stdout)
    meta.__tojson = function(_, key) return "file " .. key end
    finally(function() meta.__tojson = nil end)
    assert.equal('["file 1",{"a":"file a"}]', json.encode({io.stdout, {a = io.stdout}}))
    debug.setmetatable(print, {__tojson = function() return "function" end})
    finally(function()
      meta.__tojson = nil
      debug.setmetatable(print, nil)
    end)
    assert.equal('["function"]', json.encode({print}))
  end)

  it("raises what it raises", function()
    local err = {}
    assert.equal(err, support.error(json.encode, {1, {a = with(function() error(err) end)}}))
    assert.equal("[1]", json.encode({1}))
  end)

  it("may encode something itself", function()
    local value = with(function(self) return json.encode(self.fields) end, {fields = {1, "a"}})
    assert.equal([=[["before","[1,\"a\"]","after"]]=], json.encode({"before", value, "after"}))
    local failing = with(function()
      return pcall(json.encode, {("x"):rep(10000), {[true] = 1}})
    end)
    assert.equal('["before",false,"after"]', json.encode({"before", failing, "after"}))
  end)

  it("that makes ever more tables ends with an error", function()
    local endless
    endless = function() return {more = with(endless)} end
    assertRaises("The property 'message.more.more.more.more.more ... .more.more.more.more.more' "
      .. "is nested too deeply. Received a table", with(endless))
  end)

  it("that encodes itself without end ends with an error", function()
    local value
    value = with(function() return json.encode(nested(900), json.encode(value)) end)
    assert.matches("overflow", tostring(support.error(json.encode, value)))
  end)

  it("cannot yield", function()
    local co = coroutine.create(function() return json.encode(with(coroutine.yield)) end)
    local ok, err = coroutine.resume(co)
    assert.is_false(ok)
    assert.matches("yield", err)
  end)
end)

describe("large values", function()
  it("come back: long arrays, objects with many members, long strings, many names", function()
    for _, count in ipairs({255, 256, 257, 513, 700}) do
      local list, object, mixed = json.array(), {}, json.array()
      for i = 1, count do
        list[i] = i % 3 == 0 and i / 2 or i % 3 == 1 and i or "s" .. i
        object["key" .. i] = i % 2 == 0 and json.array {i} or {i = i}
        mixed[i] = {["a" .. i % 40] = i, ["b" .. i % 70] = json.array {i}, c = null}
      end
      for _, value in ipairs({list, object, mixed, json.array {list, {a = list}, list}}) do
        assert.is_true(show(value) == show(decode(json.encode(value))))
      end
    end
  end)

  it("are not limited by the stack of Lua", function()
    local count = 1100000
    local value = decode("[" .. ("0,"):rep(count - 1) .. "7]")
    assert.equal(count, #value)
    assert.equal(7, value[count])
    assert.equal(2 * count + 1, #json.encode(value))
  end)

  it("may be strings of many megabytes", function()
    local text = ("plain text, café\n"):rep(500000)
    local encoded = json.encode({text})
    assert.equal(#text + 500000 + 4, #encoded)
    assert.is_true(decode(encoded)[1] == text)
  end)

  it("may be wide in each of many levels", function()
    local value = 0
    for level = 1, 100 do
      local outer = json.array()
      for i = 1, 40 do outer[i] = i end
      outer[level % 40 + 1] = level % 2 == 0 and {inner = value} or value
      value = outer
    end
    assert.is_true(show(value) == show(decode(json.encode(value))))
  end)
end)
