-- doc/commands_compared.md: all four programs of a task print what the page says, and do what its
-- table says if the command fails. Those whose language is not installed are left out.

local cp = require("child_process")
local command = require("child_process.command")
local lfs = require("lfs")
local pages = require("spec.support.pages")
local process = require("child_process.process")
local support = require("spec.support")

local PAGE = "doc/commands_compared.md"

--- The folder of packages that has execa: that of CHILD_PROCESS_SPEC_EXECA, or npm's global one.
local function findPackages()
  local folder = process.env.CHILD_PROCESS_SPEC_EXECA
  if not folder and support.hasNode() then
    folder = command.run("npm", {"root", "-g"}, {reject = false}).stdout
  end
  return folder and lfs.attributes(folder .. "/execa", "mode") and folder or nil
end

local packages = findPackages()

local COLUMNS = {"execa", "Python", "io.popen", "cp.command"}

local languages = {
  execa = {program = "node", file = "program.mjs", isThere = packages ~= nil},
  Python = {program = "python3", file = "program.py",
    isThere = cp.spawnSync("python3", {"--version"}).status == 0},
  ["io.popen"] = {program = support.lua, file = "program.lua", isThere = true},
  ["cp.command"] = {program = support.lua, file = "program.lua", isThere = true},
}

--- The tasks: a title, the four programs, and what they print.
local function readTasks()
  local tasks = {}
  for _, block in ipairs(pages.blocks(PAGE)) do
    local number, title = block.section:match("^## (%d+) (.+)")
    number = tonumber(number)
    if number then
      tasks[number] = tasks[number] or {title = title, programs = {}}
      local programs = tasks[number].programs
      if block.language == "text" then
        tasks[number].output = block.text
      else
        programs[#programs + 1] = block.text
      end
    end
  end
  return tasks
end

--- The cells of the table by task and column: lines, and what a failure does.
local function readTable()
  local rows = {}
  for line in io.lines(PAGE) do
    local number, cells = line:match("^| (%d+) | %[[^%]]+%]%([^)]+%) | (.+) |$")
    if number then
      local row = {}
      for cell in (cells .. " | "):gmatch("(.-) | ") do
        local count, behaviour = cell:match("^(%d+),? ?(.*)$")
        row[#row + 1] = {lines = tonumber(count), behaviour = behaviour}
      end
      rows[tonumber(number)] = row
    end
  end
  return rows
end

--- The programs of the page that the tasks start, by name.
local function readStarted()
  local started, name = {}, nil
  for _, block in ipairs(pages.blocks(PAGE)) do
    if block.language == "sh" then
      for line in block.text:gmatch("[^\n]+") do
        name = line:match("^# (%w+):") or name
        started[name] = line
      end
    end
  end
  return started
end

local tasks, rows, started = readTasks(), readTable(), readStarted()

-- After its work, a program fails if it is told so.
local SCRIPT = [[
#!/bin/sh
%s
code=$?
test "$FAIL" != %s || { echo "no paper" >&2; exit 3; }
exit $code
]]

--- Runs a program of a task in a new folder.
local function run(language, text, failing)
  local folder = support.tmpdir()
  for name, line in pairs(started) do
    support.executable(folder .. "/" .. name, SCRIPT:format(line, name))
  end
  support.writeFile(folder .. "/" .. language.file, text)
  if language.program == "node" then
    assert(lfs.link(packages, folder .. "/node_modules", true))
  end
  return command.run(language.program, {language.file}, {
    cwd = folder, env = {FAIL = failing or "", CHILD_PROCESS_VERBOSE = cp.null}, reject = false,
    stripFinalNewline = false,
  })
end

local function linesOf(text)
  local count = 0
  for line in text:gmatch("[^\n]+") do
    if not line:find("^import ") and not line:find("= require(", 1, true) then count = count + 1 end
  end
  return count
end

--- The first program that a task starts.
local function programOf(text)
  return text:match("%./(%l+)")
end

local function behaviourOf(result, output)
  if result.failed then return "raises" end
  return result.stdout == output and "silent" or "value"
end

describe("The page that compares commands", function()
  it("has twenty tasks with four programs each", function()
    assert.equal(20, #tasks)
    assert.equal(20, #rows)
    for number, task in ipairs(tasks) do
      assert.equal(4, #task.programs, number)
      assert.is_string(task.output)
    end
  end)

  it("counts their lines", function()
    local wrong = {}
    for number, task in ipairs(tasks) do
      for index, text in ipairs(task.programs) do
        if linesOf(text) ~= rows[number][index].lines then
          wrong[#wrong + 1] = ("%d %s: %d"):format(number, COLUMNS[index], linesOf(text))
        end
      end
    end
    assert.same({}, wrong)
  end)
end)

for index, name in ipairs(COLUMNS) do
  describe("With " .. name, function()
    for number, task in ipairs(tasks) do
      it(("task %d: %s"):format(number, task.title), function()
        local language, text = languages[name], task.programs[index]
        if not language.isThere then pending(name .. " is not installed") end
        local result = run(language, text)
        assert.equal(task.output, result.stdout, result.stderr)
        local behaviour = rows[number][index].behaviour
        if behaviour ~= "" then
          assert.equal(behaviour, behaviourOf(run(language, text, programOf(text)), task.output))
        end
      end)
    end
  end)
end
