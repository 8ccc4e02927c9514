-- Much output of a terminal, and sizes that change meanwhile.

local cp = require("child_process")
local support = require("spec.support")

-- Bytes.
local AMOUNT = support.isSlow and 2e6 or 1e8

describe("A terminal", function()
  it("passes on much, and nothing is lost or out of order", function()
    local count = math.floor(AMOUNT / 100)
    local line = ("x"):rep(90)
    local child = cp.spawn("awk", {("BEGIN { for (i = 1; i <= %d; i++) printf \"%%08d%s\\n\", i }")
      :format(count, line)}, {terminal = true})
    local rest, nextNumber, wrong = "", 1, 0
    child.terminal:on("data", function(data)
      rest = rest .. data
      local at = 1
      while #rest - at + 1 >= 100 do
        if rest:sub(at, at + 7) ~= ("%08d"):format(nextNumber) then wrong = wrong + 1 end
        nextNumber, at = nextNumber + 1, at + 100
      end
      rest = rest:sub(at)
    end)
    support.run(1200) -- 100 MB take seconds on a machine that does nothing else
    assert.equal(0, wrong)
    assert.equal(count, nextNumber - 1)
    assert.equal("", rest)
    assert.equal(count * 100, child.terminal.bytesRead)
  end)

  it("waits for a reader that is slow, and is resized meanwhile", function()
    local count = 3000
    local child = cp.spawn("sh", {"-c", "exec seq " .. count}, {terminal = true})
    local pieces, columns = {}, 0
    cp.async(function()
      for chunk in child.terminal:chunks() do
        pieces[#pieces + 1] = chunk
        columns = columns % 200 + 1
        child.terminal:resize(columns, columns)
      end
    end)
    support.run()
    local expected = {}
    for i = 1, count do expected[i] = ("%d\r\n"):format(i) end
    support.assertSameText(table.concat(expected), table.concat(pieces))
    assert.is_true(columns > 0)
  end)

  it("is piped into another program", function()
    local child = cp.spawn("seq", {"20000"}, {terminal = true})
    local counter = cp.spawn("wc", {"-l"})
    child.terminal:pipe(counter.stdin)
    assert.equal("20000", (support.output(counter):gsub("%s", "")))
  end)

  it("is one of many", function()
    local ended = 0
    for i = 1, 40 do
      local child = cp.spawn("sh", {"-c", "echo " .. i}, {terminal = true})
      local output = support.collect(child.terminal)
      child:on("close", function()
        assert.equal(i .. "\r\n", output())
        ended = ended + 1
      end)
    end
    support.run()
    assert.equal(40, ended)
  end)
end)
