-- Integers beyond 2^53 in Luas that have none: cp.int64.

local cp = require("child_process")
local core = require("child_process.core")
local json = require("child_process.json")
local support = require("spec.support")

local text = "[9007199254740993,-9223372036854775807,9223372036854775807,9007199254740992,-1]"

-- What LuaJIT's own parser understands, and no other.
local function cdata(literal)
  return (loadstring or load)("return " .. literal)()
end

describe("cp.int64", function()
  after_each(function()
    if support.isLuaJIT then cp.int64 = false end
  end)

  it("takes a boolean", function()
    local err = support.error(function() cp.int64 = 1 end)
    assert.equal("ERR_INVALID_ARG_TYPE", err.code)
    assert.matches('"int64".*boolean.*number', err.message)
  end)

  it("is true where Lua has integers of 64 bits, and cannot be changed", function()
    if not support.hasIntegers then pending("this Lua has no integers") end
    assert.is_true(cp.int64)
    cp.int64 = false
    assert.is_true(cp.int64)
    assert.equal(-math.maxinteger, json.decode(text)[2])
  end)

  it("is refused where there is no FFI library", function()
    if support.hasIntegers or support.isLuaJIT then pending("this Lua has int64") end
    assert.has_error(function() cp.int64 = true end)
    assert.is_false(cp.int64)
  end)

  it("is false at first, and integers beyond 2^53 arrive as the nearest float", function()
    if support.hasIntegers then pending("this Lua has integers") end
    assert.is_false(cp.int64)
    assert.same({2 ^ 53, -2 ^ 63, 2 ^ 63, 2 ^ 53, -1}, json.decode(text))
  end)

  for _, name in ipairs({"json", "clone"}) do
    local codec = core[name]

    it("makes them cdata in both directions: " .. name, function()
      if not support.isLuaJIT then pending("not LuaJIT") end
      cp.int64 = true
      local sent = json.decode(text)
      local values = codec.decode(codec.encode(sent))
      for index, literal in ipairs({
        "9007199254740993LL", "-9223372036854775807LL", "9223372036854775807LL",
      }) do
        assert.equal("cdata", type(values[index]))
        assert.is_true(cdata(literal) == values[index])
      end
      assert.equal(2 ^ 53, values[4])
      assert.equal(-1, values[5])
      assert.equal(text, json.encode(sent))
      assert.equal("[4294967295,-5]", json.encode({cdata("0xFFFFFFFFULL"), cdata("-5LL")}))
    end)

    it("refuses other cdata, and all of them while it is off: " .. name, function()
      if not support.isLuaJIT then pending("not LuaJIT") end
      assert.error_matches(function() codec.encode({a = cdata("1LL")}) end, "cp.int64 = true")
      cp.int64 = true
      for _, literal in ipairs({"0x8000000000000000ULL", "1i", "require('ffi').new('int[2]')"}) do
        local ok, err = pcall(codec.encode, {a = {cdata(literal)}})
        assert.is_false(ok)
        assert.matches("message.a[1]", tostring(err), 1, true)
      end
    end)
  end

  it("carries the digits to a child and back", function()
    if not support.isLuaJIT then pending("not LuaJIT") end
    cp.int64 = true
    for _, serialization in ipairs({"json", "advanced"}) do
      local child = cp.fork(support.script([[
        require("child_process").int64 = true
        process:on("message", function(value) process:send(value) process:disconnect() end)
      ]]), {serialization = serialization})
      local answer
      child:on("message", function(value) answer = value end)
      child:send({cdata("-9007199254740993LL")})
      support.run()
      assert.is_true(cdata("-9007199254740993LL") == answer[1])
    end
  end)
end)
