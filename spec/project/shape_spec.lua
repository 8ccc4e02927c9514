-- The check of the length of lines and functions, of the comments on top of files, and of braces.

local cp = require("child_process")
local lfs = require("lfs")
local support = require("spec.support")

local SHAPE = lfs.currentdir() .. "/scripts/lint/shape.lua"

-- What the check says of one file.
local function check(name, text)
  local folder = support.tmpdir()
  support.writeFile(folder .. "/" .. name, text)
  local result = cp.spawnSync(support.lua, {SHAPE, "."}, {cwd = folder})
  assert.equal("", result.stderr)
  assert.equal(result.stdout == "" and 0 or 1, result.status)
  return result.stdout
end

describe("The check of shape", function()
  it("allows functions of 59 lines in Lua", function()
    local function a(lines)
      return "-- A file.\n\nlocal function a()\n" .. ("  b()\n"):rep(lines - 2) .. "end\n"
    end
    assert.equal("", check("a.lua", a(59)))
    assert.equal("./a.lua:3: a function of 60 lines, of 59 at most\n", check("a.lua", a(60)))
    assert.equal("", check("a_spec.lua", a(60)))
  end)

  it("counts columns, not bytes, in code and comments", function()
    assert.equal("", check("a.c", "/* " .. ("\195\169"):rep(97) .. "\n*/\n"))
    assert.equal("./a.c:1: has 101 columns, of 100 at most\n",
      check("a.c", "/* " .. ("x"):rep(98) .. "\n*/\n"))
    assert.equal("./a.lua:3: has 101 columns, of 100 at most\n",
      check("a.lua", "-- A file.\n\n--" .. ("x"):rep(99) .. "\n"))
  end)

  it("asks for a comment on top of each file", function()
    local message = ":1: starts with no comment that says what the file is\n"
    assert.equal("./a.h" .. message, check("a.h", "#define A 1\n"))
    assert.equal("./a.lua" .. message, check("a.lua", "local a = 1\n"))
    assert.equal("", check("a.lua", "#!/usr/bin/lua5.4\n-- A program.\n\nlocal a = 1\n"))
  end)

  it("asks for a blank line between a Lua file's comment and the code", function()
    local message = ":2: a blank line stands between the file's comment and the code\n"
    assert.equal("./a.lua" .. message, check("a.lua", "-- A file\n-- of two lines.\nlocal a\n"))
    assert.equal("", check("a.lua", "--- A file\n--- of two lines.\n\nlocal a\n"))
  end)

  it("finds a second comment on top of a file, but not that of the first function", function()
    local message = ":3: a second comment on top of the file\n"
    assert.equal("./a.c" .. message, check("a.c", "/* A file. */\n\n/* More. */\nint a;\n"))
    assert.equal("./a.lua" .. message, check("a.lua", "-- A file.\n\n-- More.\n\nlocal a\n"))
    assert.equal("", check("a.lua", "-- A file.\n\n-- One.\nlocal a\n"))
    assert.equal("", check("a.lua", "---@meta a\n\n-- A file.\n\nlocal a\n"))
  end)

  it("finds spaces in the braces of Lua's tables, and in nothing else", function()
    assert.equal("./a.lua:3: a space after {\n./a.lua:3: a space before }\n",
      check("a.lua", "-- A file.\n\nlocal a = { 1 }\n"))
    assert.equal("./a.lua:3: a space after {\n./a.lua:3: a space before }\n",
      check("a.lua", "-- A file.\n\nlocal a = { }\n"))
    assert.equal("", check("a.lua", table.concat({
      "-- { A file }.", "", "local a = {1, {}, { -- { one }", '  "{ }", [[{ }]],', "}}", "",
    }, "\n")))
  end)
end)
