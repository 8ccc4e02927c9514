-- A parent in one Lua and a child in another: `make test-versions` tests all pairs.

local cp = require("child_process")
local clone = require("child_process.clone")
local core = require("child_process.core")
local process = require("child_process.process")
local support = require("spec.support")

-- The modes of the tests whose builds are those that a user makes.
local mode = os.getenv("CHILD_PROCESS_SPEC_MODE") or "test"
local isUsualBuild = mode == "test" or mode:find("^test%-[%dl]") ~= nil

local own = support.isLuaJIT and "luajit" or "lua" .. support.luaVersion

-- Echoes each message, and tells how this Lua would write it.
local CHILD = [[
  local cp = require("child_process")
  local core = require("child_process.core")
  local process = require("child_process.process")
  process:on("message", function(value)
    local encode = core[process.env.CODEC].encode
    process:send({value = value, hex = encode(value):gsub(".", function(byte)
      return ("%02x"):format(byte:byte())
    end)})
  end)
  cp.run()
]]

-- The environment in which another Lua finds the module, which is built for it. Returns nil if that
-- Lua or its headers are missing.
local function settings(lua)
  if cp.spawnSync(lua, {"-e", ""}).status ~= 0 then return nil end
  local env = {LUA_PATH = "", LUA_CPATH = "", MAKEFLAGS = ""}
  setmetatable(env, {__index = process.env})
  local build = cp.spawnSync("make", {"-s", "build", "LUA=" .. lua}, {env = env})
  if build.status ~= 0 then return nil end
  local text = cp.execFileSync("make", {"-s", "env", "LUA=" .. lua}, {env = env})
  env.LUA_PATH, env.LUA_CPATH = text:match("LUA_PATH='(.-)'"), text:match("LUA_CPATH='(.-)'")
  return env
end

local function hex(bytes)
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

-- Each has one member at most, as the order of several depends on the version.
local VALUES = {
  {}, {true}, {1, 2, 3}, {a = "b"}, {0.5}, {-0.0}, {2147483648}, {-2147483649}, {9007199254740992},
  {-9007199254740992}, {1e300}, {5e-324}, {0.1}, {1e21}, {123456789012345}, {"\0\1\127"},
  {"\195\164\226\130\172"},
  {("x"):rep(100000)}, {{{{}}}}, {a = {b = {c = {1, "2", false}}}}, {cp.null},
  {["key with \"quotes\""] = 1}, {1, 2, cp.null, 4},
}

local OBJECTS = {
  {clone.Map({{"a", 1}, {2, "b"}, {1.5, true}})}, {clone.Set({1, "a", 2.5, false})},
  {clone.Date(1e12)}, {clone.Date(0.5)}, {clone.RegExp("a+", "gi")}, {clone.BigInt("0x1f")},
  {clone.BigInt("-0x123456789abcdef0123456789")}, {clone.ArrayBuffer("\0\1\2")},
  {clone.TypedArray("Uint16Array", "\1\0\2\0")}, {[5] = "sparse"}, {"\255\254"}, {[1.5] = "x"},
}

-- Sends each value to the child, and compares what comes back, and how the child would write it.
local function converse(child, codec, values)
  local encode = core[codec].encode
  local at = 0
  local function ask()
    at = at + 1
    if values[at] == nil then
      child:disconnect()
    else
      child:send(values[at])
    end
  end
  child:on("message", function(answer)
    assert.equal(hex(encode(values[at])), answer.hex)
    assert.equal(answer.hex, hex(encode(answer.value)))
    ask()
  end)
  ask()
  support.run()
  assert.equal(#values + 1, at)
end

for _, other in ipairs({"lua5.1", "lua5.3", "lua5.4", "lua5.5", "luajit"}) do
  describe(("A child in %s"):format(other), function()
    for serialization, codec in pairs({json = "json", advanced = "clone"}) do
      it("understands a parent in another Lua: " .. serialization, function()
        if other == own then pending("that is this Lua") end
        if not isUsualBuild then pending("another Lua would get the build of this mode") end
        local env = settings(other)
        if not env then pending(other .. " or its headers are not installed") end
        env.CODEC = codec
        local function fork()
          return cp.fork(support.script(CHILD), {
            execPath = other, execArgv = {}, env = env, serialization = serialization,
          })
        end
        converse(fork(), codec, VALUES)
        if codec == "clone" then converse(fork(), codec, OBJECTS) end
      end)
    end
  end)
end

describe("process.execPath of another Lua", function()
  it("is refused by the launcher with the versions and what to do", function()
    local other = own == "lua5.4" and "lua5.3" or "lua5.4"
    if cp.spawnSync(other, {"-e", ""}).status ~= 0 then pending(other .. " is not installed") end
    local usual = process.execPath
    process.execPath = other
    finally(function() process.execPath = usual end)
    local child = cp.fork(support.script(""), {silent = true})
    local text, code = "", nil
    child.stderr:on("data", function(data) text = text .. data end)
    child:on("exit", function(status) code = status end)
    support.run()
    assert.equal(1, code)
    assert.matches(("process.execPath is Lua %s, but this program and its modules are for %s")
      :format(other:match("%d.%d"), _VERSION), text, 1, true)
  end)
end)
