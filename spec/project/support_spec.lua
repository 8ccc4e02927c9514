-- What specs are run with: skipping a test, and what a run of busted says in the end.

local cp = require("child_process")
local support = require("spec.support")

-- Runs a spec in a busted of its own. Gives what it printed, and the record of its tests.
local function runSpec(text)
  local folder = support.tmpdir()
  local spec, record = folder .. "/some_spec.lua", folder .. "/record"
  support.writeFile(spec, text)
  local result = cp.spawnSync(support.lua, {
    "scripts/busted.lua", "--output=scripts/busted_results.lua", "-Xoutput", record, spec,
  }, {encoding = "utf8", stdio = {"ignore", "pipe", "inherit"}})
  return result, support.lines(support.readFile(record))
end

describe("A test that skips", function()
  it("is counted as skipped, from a spec and from a file that the spec requires", function()
    local result, record = runSpec([[
      local support = require("spec.support")
      it("skips by itself", function() pending("there is no moon") end)
      it("skips by its support", function()
        support.skip("there is no sun")
        error("it went on")
      end)
      it("skips by what wraps it", require("spec.support.messages").withNode(function()
        support.skip("there is no sun")
      end))
      it("runs", function() end)
    ]])
    assert.equal(0, result.status)
    assert.equal("ok - skips by itself # SKIP", record[2])
    assert.equal("ok - skips by its support # SKIP", record[4])
    assert.equal("ok - skips by what wraps it # SKIP", record[6])
    assert.equal("ok - runs", record[8])
  end)

  it("is summed up with others of its reason, in one line", function()
    local result = runSpec([[
      it("one", function() pending("there is no moon") end)
      for _ = 1, 3 do
        it("another", function() pending("there is no sun") end)
      end
      pending("to be written")
    ]])
    assert.matches("\n3 skipped: there is no sun\n1 skipped: [^\n]+\n1 skipped: [^\n]+\n",
      result.stdout)
    assert.matches("\n1 skipped: there is no moon\n", result.stdout, 1, true)
    assert.is_nil(result.stdout:find("another", 1, true))
  end)
end)
