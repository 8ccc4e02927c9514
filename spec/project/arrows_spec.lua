-- The check of what files include and load, on small trees.

local cp = require("child_process")
local lfs = require("lfs")
local support = require("spec.support")

local ARROWS = lfs.currentdir() .. "/scripts/lint/arrows.lua"

-- What the check says of a tree: the files by their paths, and the rules in Lua.
local function check(rules, files)
  local folder = support.tmpdir()
  for path, text in pairs(files) do
    for parent in path:gmatch("()/") do
      lfs.mkdir(folder .. "/" .. path:sub(1, parent - 1))
    end
    support.writeFile(folder .. "/" .. path, text)
  end
  support.writeFile(folder .. "/rules.lua", ("return {{%s}}"):format(rules))
  local result = cp.spawnSync(support.lua, {ARROWS, "rules.lua"}, {cwd = folder})
  assert.equal("", result.stderr)
  assert.equal(result.stdout == "" and 0 or 1, result.status)
  return result.stdout
end

-- Two rooms, `top` over `low`.
local C = [[folder = "src", language = "c", rooms = {"top/", "low/"}, reserved = {
  {headers = "lua.h sys/lua/*", rooms = "top/", reason = "low/ does not know Lua"},
}, exceptions = {}]]

local function lua(exceptions)
  return ([[folder = "lua", language = "lua", root = "m", loaders = {"m/low/load"},
    outside = {["m/core"] = "core.c"}, rooms = {"m", "m/top m/side/", "m/low/", "m/core"},
    exceptions = {%s}]]):format(exceptions or "")
end

describe("The check of C files", function()
  it("allows what points downwards, and a file its header", function()
    assert.equal("", check(C, {
      ["src/top/a.c"] = '#include "top/a.h"\n#include <lua.h>\n#include "low/b.h"\n',
      ["src/top/a.h"] = '#include "low/b.h"\n',
      ["src/low/b.h"] = "#include <stdio.h>\n",
    }))
  end)

  it("reports an include that points upwards", function()
    assert.equal("src/low/b.c:2: low/b must not know top/a: top/ is above low/\n", check(C, {
      ["src/top/a.h"] = "",
      ["src/low/b.c"] = '#include <stdio.h>\n#include "top/a.h"\n',
    }))
  end)

  it("reports a circle, in which a .c file and its header are one", function()
    assert.equal("src/low/a.h:1: a circle: low/a -> low/b (src/low/a.h:1) -> low/a"
      .. " (src/low/b.c:1)\n", check(C, {
      ["src/low/a.h"] = '#include "low/b.h"\n',
      ["src/low/b.c"] = '#include "low/a.h"\n',
      ["src/low/b.h"] = "",
    }))
  end)

  it("reports a file in no room, and an include that does not start at the folder", function()
    assert.equal('src/low/b.c:1: there is no src/a.h: #include "..." starts at src/\n'
      .. "src/other.c:1: is in no room of the rules\n", check(C, {
      ["src/low/a.h"] = "",
      ["src/low/b.c"] = '#include "a.h"\n',
      ["src/other.c"] = "",
    }))
  end)

  it("reports a header that is reserved for other rooms", function()
    assert.equal("src/low/b.c:1: only top/ may include <lua.h>: low/ does not know Lua\n",
      check(C, {["src/low/b.c"] = "#include <lua.h>\n", ["src/top/a.c"] = "#include <lua.h>\n"}))
    assert.equal("src/low/b.c:1: only top/ may include <sys/lua/x.h>: low/ does not know Lua\n",
      check(C, {["src/low/b.c"] = "#include <sys/lua/x.h>\n#include <sys/lua.h>\n"}))
  end)
end)

describe("The check of Lua files", function()
  it("allows what points downwards", function()
    assert.equal("", check(lua(), {
      ["lua/m.lua"] = 'require("m.top.a")',
      ["lua/m/top/a.lua"] = 'require("m.low.b")\nrequire("m.core")\nrequire("other")',
      ["lua/m/low/b.lua"] = '-- require("m.top.a")\nlocal text = [[require("m.top.a")]]',
    }))
  end)

  it("reports a file in no room, even one that is named like a room and more", function()
    assert.equal("lua/m/more/a.lua:1: is in no room of the rules\n"
      .. "lua/m/topmost.lua:1: is in no room of the rules\n", check(lua(), {
      ["lua/m/more/a.lua"] = "",
      ["lua/m/topmost.lua"] = "",
      ["lua/m/top.lua"] = 'require("m.top.a")',
      ["lua/m/top/a.lua"] = "",
    }))
  end)

  it("reports what points upwards, or aside, at the top and in a function", function()
    assert.equal("lua/m/low/b.lua:1: m/low/b must not know m/top/a: m/top is above m/low/\n"
      .. "lua/m/low/b.lua:3: m/low/b must not know m: m is above m/low/\n"
      .. "lua/m/top/a.lua:1: m/top/a must not know m/side/c: m/side/ is beside m/top\n",
      check(lua(), {
        ["lua/m.lua"] = "",
        ["lua/m/side/c.lua"] = "",
        ["lua/m/top/a.lua"] = 'require("m.side.c")',
        ["lua/m/low/b.lua"] = 'require("m.top.a")\nreturn function()\n  return require "m"\nend',
      }))
  end)

  it("reports a circle that a late require closes", function()
    assert.equal("lua/m/low/a.lua:1: a circle: m/low/a -> m/low/b (lua/m/low/a.lua:1) -> m/low/a"
      .. " (lua/m/low/b.lua:2)\n", check(lua(), {
      ["lua/m/low/a.lua"] = 'require("m.low.b")',
      ["lua/m/low/b.lua"] = 'return function()\n  if x then require("m.low.a") end\nend',
    }))
  end)

  it("knows the modules in a table, and not those that are only compared", function()
    assert.equal("lua/m/low/b.lua:1: m/low/b must not know m/top/a: m/top is above m/low/\n"
      .. "lua/m/low/b.lua:3: m/low/b must not know m/top/a: m/top is above m/low/\n",
      check(lua(), {
        ["lua/m/top/a.lua"] = "",
        ["lua/m/low/b.lua"] = 'local later = {x = "m.top.a"}\nlocal is = name == "m.top.a"\n'
          .. "return is and require [[m.top.a]]",
      }))
  end)

  it("reports names that it cannot read or find, and loaders", function()
    assert.equal('lua/m/low/b.lua:1: there is no module "m.core.inside"\n'
      .. "lua/m/low/b.lua:2: the name of a module that is loaded is written out\n"
      .. "lua/m/low/b.lua:3: only m/low/load may call package.loadlib\n", check(lua(), {
      ["lua/m/low/load.lua"] = "package.loadlib(path, name)",
      ["lua/m/low/b.lua"] = 'require("m.core.inside")\nrequire("m." .. x)\npackage.loadlib(p, n)',
    }))
  end)

  local LATE = '{from = "m/low/b", to = "m/top/a", reason = "loaded later"}'

  it("allows the late loads that are named as exceptions", function()
    assert.equal("", check(lua(LATE), {
      ["lua/m/top/a.lua"] = 'require("m.low.b")',
      ["lua/m/low/b.lua"] = 'return function() require("m.top.a") end',
    }))
  end)

  it("reports an exception for what is loaded at once", function()
    assert.equal("lua/m/low/b.lua:1: only what is loaded late can be an exception\n",
      check(lua(LATE), {
        ["lua/m/top/a.lua"] = "",
        ["lua/m/low/b.lua"] = 'require("m.top.a")',
      }))
  end)

  it("reports an exception that is not needed any more", function()
    local message = "rules.lua:1: the exception for %s and %s is not needed any more\n"
    assert.equal(message:format("m/low/b", "m/top/a"), check(lua(LATE), {
      ["lua/m/top/a.lua"] = "",
      ["lua/m/low/b.lua"] = "",
    }))
    local downwards = '{from = "m/top/a", to = "m/low/b", reason = "loaded later"}'
    assert.equal(message:format("m/top/a", "m/low/b"), check(lua(downwards), {
      ["lua/m/top/a.lua"] = 'return function() require("m.low.b") end',
      ["lua/m/low/b.lua"] = "",
    }))
  end)
end)
