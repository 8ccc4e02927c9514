-- The programs in the texts run as they stand.

local cp = require("child_process")
local support = require("spec.support")

--- The fenced blocks of Lua in a text that are whole programs: those that load the module.
---@return {line: integer, text: string}[]
local function programsOf(path)
  local programs, block = {}, nil
  local number = 0
  for line in io.lines(path) do
    number = number + 1
    if line == "```lua" then
      block = {line = number + 1}
    elseif block and line == "```" then
      local text = table.concat(block, "\n")
      if text:find('require("child_process")', 1, true) then
        programs[#programs + 1] = {line = block.line, text = text .. "\n"}
      end
      block = nil
    elseif block then
      block[#block + 1] = line
    end
  end
  return programs
end

for _, path in ipairs({"README.md", "doc/manual.md"}) do
  describe(path, function()
    local programs = programsOf(path)

    it("has programs to try", function()
      assert.is_true(#programs > 0)
    end)

    for _, program in ipairs(programs) do
      it("runs as it stands: line " .. program.line, function()
        local child = cp.spawn(support.lua, {support.script(program.text)})
        local _, stderr = support.output(child)
        assert.equal("", stderr)
        assert.equal(0, child.exitCode)
      end)
    end
  end)
end
