-- The twelve recipes of the guide, which docs/blocks_spec runs: that they are short, and what each
-- does when something goes wrong.

local cp = require("child_process")
local command = require("child_process.command")
local pages = require("spec.support.pages")
local support = require("spec.support")
local terminals = require("spec.support.terminals")

local MOST = 5 -- lines, without those that load modules

local TITLES = {
  "Output, errors and code of a command", "Feed a filter", "Progress, line by line",
  "Many commands, two at a time", "A deadline for all", "A pipeline that fails properly",
  "Output to a file and the terminal", "Another directory, and one more variable", "Try again",
  "Quote values", "Ask a program questions", "A clean Ctrl-C",
}

describe("The recipes of the guide", function()
  local recipes = {}
  for _, block in ipairs(pages.blocks("doc/guide.md")) do
    local title = block.section:match("^### (.+)")
    if title and block.language == "lua" then
      recipes[#recipes + 1] = {title = title, text = block.text}
    end
  end

  it("are twelve", function()
    local titles = {}
    for index, recipe in ipairs(recipes) do titles[index] = recipe.title end
    assert.same(TITLES, titles)
  end)

  for _, recipe in ipairs(recipes) do
    it("have five lines at most: " .. recipe.title, function()
      local count = 0
      for line in recipe.text:gmatch("[^\n]+") do
        if not line:find("= require%(") then count = count + 1 end
      end
      assert.is_true(count <= MOST, count .. " lines")
    end)
  end
end)

describe("When something goes wrong", function()
  it("a filter that ends before its input is at its end fails like any other", function()
    local err = support.error(command.run, "sh", {"-c", "read line; exit 3"},
      {input = ("x\n"):rep(2 ^ 20)})
    assert.equal(3, err.exitCode)
  end)

  it("a loop over lines raises an error that has the command's stderr", function()
    local err = support.error(function()
      for _ in command.start("sh", {"-c", "echo 1; echo broken >&2; exit 1"}):lines() do end
    end)
    assert.matches("failed with exit code 1\nbroken$", err.message)
  end)

  it("a program that is asked may end, and the answer is nil", function()
    local shell = command.start("sh", {stdin = "pipe", reject = false})
    local answers = shell:lines()
    shell.child.stdin:write("exit 3\n")
    assert.is_nil(answers())
    assert.equal(3, shell:await().exitCode)
  end)

  it("Ctrl-C ends a command with all that it has started, and the program can clean up", function()
    local printed = terminals.runScript([[
      local abort = require("child_process.abort")
      local controller = abort.AbortController()
      process:once("SIGINT", function() controller:abort("Ctrl-C") end)
      local result = cp.command.run("sh", {"-c", "sleep 600 & echo ready; sleep 600"}, {
        signal = controller.signal, reject = false, stdout = "inherit",
        stdio = {[0] = "ignore", [3] = 3},
      })
      print(result.message)
    ]], {"ready", terminals.CTRL_C})
    assert.matches("was canceled (Ctrl-C), killed by SIGTERM\n", printed, 1, true)
    assert.matches("ended with 0\n", printed, 1, true)
  end)

  it("Ctrl-C without a listener ends the program and its commands", function()
    local printed = terminals.runScript([[
      local stdio = {[0] = "ignore", [3] = 3}
      cp.command.pipeline({
        {"sh", {"-c", "sleep 600 & echo ready >&2; sleep 600"}, {stdio = stdio}},
        {"sh", {"-c", "sleep 600"}, {stdio = stdio}},
      }, {stderr = "inherit"})
    ]], {"ready", terminals.CTRL_C})
    assert.is_nil(printed:find("ended with 0\n", 1, true))
  end)

  it("a tree that keeps the output does not hold up a deadline", function()
    local result = cp.async(command.run, "sh", {"-c", "sleep 600 & sleep 600"},
      {timeout = 100, reject = false}):await()
    assert.is_true(result.timedOut)
  end)
end)
