-- What `make types` writes: an addon for the Lua language server, and declarations for Teal.

local cp = require("child_process")
local json = require("child_process.json")
local lfs = require("lfs")
local support = require("spec.support")

local parseType = dofile("scripts/types/type.lua")

-- The public modules, as paths.
local modules = {"child_process"}
for file in lfs.dir("lua/child_process") do
  local name = file:match("^(%w+)%.lua$")
  if name then modules[#modules + 1] = "child_process/" .. name end
end
table.sort(modules)

local folder, addon, library, teal

setup(function()
  folder = os.tmpname()
  os.remove(folder)
  addon, teal = folder .. "/addon", folder .. "/teal/"
  library = addon .. "/library/"
  cp.execFileSync(support.lua, {"scripts/types/addon.lua", addon})
  cp.execFileSync(support.lua, {"scripts/types/teal.lua", teal})
end)

teardown(function()
  cp.execFileSync("rm", {"-rf", folder})
end)

--- The files below a folder with this ending, as paths without either.
local function files(path, ending)
  local paths = support.lines(cp.execFileSync("find", {path, "-type", "f"}))
  for index, found in ipairs(paths) do
    assert.equal(ending, found:sub(-#ending))
    paths[index] = found:sub(#path + 1, -#ending - 1)
  end
  table.sort(paths)
  return paths
end

--- All lines of the addon.
local function lines()
  local list = {}
  for _, module in ipairs(modules) do
    for line in io.lines(library .. module .. ".lua") do list[#list + 1] = line end
  end
  return list
end

-- The types of a line, with what follows them.
local TYPED = {
  "^%-%-%-@param [%w_.]+%?? (.+)", "^%-%-%-@field [%w_]+%?? (.+)", "^%-%-%-@return (.+)",
  "^%-%-%-@overload (.+)", "^%-%-%-@alias [%w_.]+ (.+)", "^%-%-%-@class [%w_.]+ : (.+)",
}

-- Calls the function with the name of each type within a type.
local function eachName(node, visit)
  if node.kind == "name" then visit(node.name) end
  for _, part in pairs(node) do
    if type(part) == "table" then eachName(part, visit) end
  end
end

describe("The addon for the Lua language server", function()
  it("has a configuration whose pattern finds scripts that use the module", function()
    local words = assert(json.decode(support.readFile(addon .. "/config.json"))).words
    assert.equal(1, #words)
    assert.truthy(('local cp = require("child_process")'):find(words[1]))
    assert.truthy(("local net = require 'child_process.net'"):find(words[1]))
    assert.falsy(('local child_process = require("ffi")'):find(words[1]))
  end)

  it("has a file for each public module, and no other", function()
    assert.same(modules, files(library, ".lua"))
  end)

  for _, module in ipairs(modules) do
    it("defines functions of " .. module .. " that exist", function()
      local path, name = library .. module .. ".lua", module:gsub("/", ".")
      assert.equal("---@meta " .. name, support.readFile(path):match("[^\n]+"))
      local real = require(name)
      for field in pairs(dofile(path)) do assert.equal("function", type(real[field]), field) end
    end)
  end

  it("has nothing that is private", function()
    for _, line in ipairs(lines()) do
      assert.is_nil(line:match("^function .*[.:]_"), line)
      assert.is_nil(line:match("^%-%-%-@field _%l"), line)
      assert.is_nil(line:match("^%-%-%-@field package "), line)
    end
  end)

  it("has annotations that can be read, and defines all types that they mention", function()
    local known, list = {}, lines()
    for name in ("any boolean function integer lightuserdata nil number self string table userdata"
      .. " T"):gmatch("%w+") do known[name] = true end
    for _, line in ipairs(list) do
      local tag, name = line:match("^%-%-%-@(%l+) ([%w_.]+)")
      if tag == "class" or tag == "alias" then known[name] = true end
    end
    for _, line in ipairs(list) do
      for _, pattern in ipairs(TYPED) do
        local text = line:match(pattern)
        if text then
          eachName(parseType(text), function(name) assert.is_true(known[name], line) end)
        end
      end
    end
  end)
end)

-- A program that uses the declarations, and then what they do not allow.
local PROGRAM = [[
local cp = require("child_process")
local net = require("child_process.net")
local process = require("child_process.process")
local Promise = require("child_process.promise")

local ls = cp.spawn("ls", {"-l"}, {cwd = "/", stdio = {"pipe", "pipe"}})
ls.stdout:on("data", function(data: string) print(data:upper()) end)
for line in ls.stdout:lines() do print(line:upper()) end
local result = cp.spawnSync("ls", {}, {input = "x"})
print(result.status, process.argv[1])
net.createServer(function(socket: cp.Socket) socket:finish("x") end):listen(80)
net.connect({port = 80}):unref()
Promise.resolve(1):andThen(print):await()
]]

describe("The declarations for Teal", function()
  it("are a file for each public module", function()
    assert.same(modules, files(teal, ".d.tl"))
  end)

  it("are what its compiler takes, and finds errors with", function()
    if cp.spawnSync("tl", {"--version"}).status ~= 0 then pending("tl is not installed") end
    local function check(text)
      local path = folder .. "/program.tl"
      support.writeFile(path, text)
      return cp.spawnSync("tl", {"-I", teal, "check", path}, {encoding = "utf8"})
    end
    local result = check(PROGRAM)
    assert.equal("", result.stderr)
    assert.equal(0, result.status)
    assert.equal(1, check(PROGRAM .. "local wrong: string = ls.pid\nprint(wrong)\n").status)
    for _, module in ipairs(modules) do
      local text = ("print(require(%q))\n"):format((module:gsub("/", ".")))
      assert.equal("", check(text).stderr)
    end
  end)
end)
