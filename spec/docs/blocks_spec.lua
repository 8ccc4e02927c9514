-- The code in the pages runs as it stands, and prints what stands below it.

local cp = require("child_process")
local lfs = require("lfs")
local pages = require("spec.support.pages")
local process = require("child_process.process")
local support = require("spec.support")

-- Pages that show what each of their programs prints.
local SHOWS_OUTPUT = {
  ["doc/guide.md"] = true, ["doc/manual/from_popen.md"] = true, ["doc/manual/from_node.md"] = true,
  ["doc/manual/from_luv.md"] = true, ["doc/manual/from_vim_system.md"] = true,
  ["doc/manual/versions.md"] = true,
}

-- Pages whose programs another spec runs.
local ELSEWHERE = {["doc/commands_compared.md"] = "docs/compared_spec"}

-- Blocks that are not run: a piece of each, and why.
local NOT_RUN = {
  {"scheduler.sleep", "a sketch: `scheduler` stands for any"},
  {"host.watch", "a sketch: `host` stands for any"},
  {"vim.notify", "needs Neovim 0.10; spawn/system_spec tries these calls"},
  {"host.slurm", "needs an allocation; cluster/slurm_spec makes one"},
  {"apt-get install", "installs packages"},
  {"luarocks ", "installs; test-rock runs it"},
  {"make ", "builds; project/make_spec and test-bare run it"},
}

local function succeeds(...)
  return cp.spawnSync(...).status == 0
end

local function loads(name)
  return succeeds(support.lua, {"-e", ("require(%q)"):format(name)})
end

-- Blocks that need what is not always there: a piece of each, what it needs, whether that is there.
local NEEDS = {
  {"<close>", "Lua 5.4", support.closesVariables},
  {"int64 = true", "LuaJIT", support.isLuaJIT},
  {'require("luv")', "luv", loads("luv")},
  {"uid =", "root", support.isRoot},
  {":stats()", "a system that reports what processes use", support.forLinux},
}

local function find(list, text)
  for _, entry in ipairs(list) do
    if text:find(entry[1], 1, true) then return entry end
  end
end

local lua = cp.execFileSync("sh", {"-c", 'command -v "$0"', support.lua}):match("[^\n]+")

local INTERPRETERS = {lua = lua, js = "node", sh = "sh"}

-- A folder with the files of a page, in which the interpreter that the specs use is lua5.4.
local function folderFor(files)
  local folder = support.tmpdir()
  for name, text in pairs(files) do support.writeFile(folder .. "/" .. name, text) end
  assert(lfs.link(lua, folder .. "/lua5.4", true))
  return folder
end

local function run(block, files)
  local folder = folderFor(files)
  local script = folder .. "/" .. (block.file or "script")
  support.writeFile(script, block.text)
  local env = setmetatable({PATH = folder .. ":" .. process.env.PATH}, {__index = process.env})
  local child = cp.spawn(INTERPRETERS[block.language], {script}, {cwd = folder, env = env})
  child.stdin:finish()
  return support.outputOfSuccess(child)
end

-- What a block needs and is not there.
local function missing(block)
  if block.language == "js" and not support.hasNode() then return "node" end
  local needs = find(NEEDS, block.text)
  return needs and not needs[3] and needs[2]
end

local function test(block, files)
  local name = missing(block)
  if name then pending("needs " .. name) end
  local stdout = run(block, files)
  if block.output or SHOWS_OUTPUT[block.page] then assert.equal(block.output or "", stdout) end
end

-- A block of Lua that another program of its page needs as a file is not a program itself.
local function isProgram(block)
  return INTERPRETERS[block.language] and not (block.language == "lua" and block.file)
end

for _, page in ipairs(pages.list) do
  local blocks, files = pages.blocks(page), {}
  for _, block in ipairs(blocks) do
    if block.file then files[block.file] = block.text end
  end
  describe(page, function()
    for _, block in ipairs(blocks) do
      if isProgram(block) and not find(NOT_RUN, block.text) and not ELSEWHERE[page] then
        it("runs as it stands: line " .. block.line, function() test(block, files) end)
      end
    end
  end)
end

local function isShown(piece)
  for _, page in ipairs(pages.list) do
    if support.readFile(page):find(piece, 1, true) then return true end
  end
  return false
end

describe("The pages", function()
  it("still have each piece of a block that is not run, or needs something", function()
    for _, list in ipairs({NOT_RUN, NEEDS}) do
      for _, entry in ipairs(list) do assert.is_true(isShown(entry[1]), entry[1]) end
    end
  end)

  it("have no block of code in another language", function()
    local known = {lua = true, js = true, python = true, sh = true, c = true, text = true}
    local unknown = {}
    for _, page in ipairs(pages.list) do
      for _, block in ipairs(pages.blocks(page)) do
        if not known[block.language] then unknown[#unknown + 1] = page .. ":" .. block.line end
      end
    end
    assert.equal("", table.concat(unknown, "\n"))
  end)
end)
