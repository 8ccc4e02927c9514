-- What the bench makes of what was measured: verdicts, Markdown, JSON and pictures.

local cp = require("child_process")
local bars = require("bench.report.bars")
local curves = require("bench.report.curves")
local growth = require("bench.report.growth")
local json = require("child_process.json")
local judge = require("bench.report.judge")
local markdown = require("bench.report.markdown")
local support = require("spec.support")
local tables = require("bench.report.tables")

-- Three rounds of two rows, as run.lua records them.
local function recorded()
  return {
    machine = {processor = "A & B <1>", cores = 2, lua = "Lua 5.4.4", date = "2026-01-02T03:04Z"},
    rounds = 3,
    peers = {{name = "Node", version = "26.0"}, {name = "Bun", version = "1.4"}},
    missing = json.array({"Deno"}),
    others = {{name = "ours (LuaJIT)", version = "LuaJIT 2.1"}},
    rows = {
      {
        row = "1", text = "spawn to close", figures = {{unit = "us", most = 1.1}},
        rounds = {
          limit = {{100}, {200}, {100}}, ours = {{105}, {220}, {130}},
          Node = {{300}, {400}, json.array()}, Bun = {{110}, {120}, {130}},
          ["ours (LuaJIT)"] = {{120}, {260}, {110}},
        },
      },
      {
        row = "14", text = "many at once",
        figures = {
          {what = "memory", unit = "KiB", ceiling = 4},
          {what = "bytes", unit = "GB/s", least = 0.9, notBehind = "Bun"},
        },
        rounds = {
          limit = {{1, 2}, {1, 2}, {1, 2}}, ours = {{3, 2}, {5, 1.9}, {3, 1.7}},
          Bun = {{2, 2.5}}, ["ours (LuaJIT)"] = {{1, 1}, {1, 1}, {1, 1}},
        },
      },
      {row = "24", text = "by ssh", figures = {{unit = "us"}}, leftOut = "needs `ssh`"},
    },
  }
end

-- A series in three sizes, as growth.lua records it.
local function grown()
  return {
    machine = {cores = 2}, rounds = 2,
    series = {{
      title = "Timers", x = "timers", unit = "ns", lines = {"set", "clear"},
      points = {
        {size = 1, rounds = {{50, 7}, {70, 9}}},
        {size = 1000, rounds = {{20, 8}, {20, 8}}},
        {size = 1e6, rounds = {{50, false}, {70, false}}},
      },
      skipped = {{size = 1e9, reason = "needs more memory"}},
    }},
  }
end

-- Raises an error unless the text is XML with one element at its root.
local function assertWellFormed(text)
  local open = {}
  for closing, name, rest in text:gmatch("<(/?)([%w:]+)([^<>]*)>") do
    if closing == "/" then
      assert.equal(table.remove(open), name)
    elseif rest:sub(-1) ~= "/" then
      open[#open + 1] = name
    end
  end
  assert.same({}, open)
  assert.is_nil(text:gsub("<[^<>]*>", ""):find("[<>]"))
  assert.is_nil(text:gsub("&%a+;", ""):find("&", 1, true))
end

describe("The bench", function()
  it("judges a row on the median of the ratios within the rounds", function()
    local results = recorded()
    local verdict = judge.figure(results, results.rows[1], 1)
    assert.equal(1.1, verdict.ratio.median)
    assert.equal(1.05, verdict.ratio.lowest)
    assert.equal(1.3, verdict.ratio.highest)
    assert.equal("at most 1.10 x limit", verdict.target)
    assert.is_true(verdict.met)
    assert.equal(1.2, verdict.others[1].ratio.median)
  end)

  it("sorts the peers, best first, whether more or less is better", function()
    local results = recorded()
    local peers = judge.figure(results, results.rows[1], 1).peers
    assert.equal("Bun", peers[1].name)
    assert.equal("Node", peers[2].name)
    assert.equal(350, peers[2].value.median)
  end)

  it("asks for each of the targets of a figure", function()
    local results = recorded()
    local memory = judge.figure(results, results.rows[2], 1)
    local bytes = judge.figure(results, results.rows[2], 2)
    assert.equal("at most 4 KiB", memory.target)
    assert.is_true(memory.met)
    assert.equal("at least 0.90 x limit, not behind Bun", bytes.target)
    assert.is_true(bytes.met) -- 0.95 x limit, 0.8 x Bun's time
    results.rows[2].figures[2].least = 0.96
    assert.is_false(judge.figure(results, results.rows[2], 2).met)
  end)

  it("prints a line of Markdown for each figure, with its spread", function()
    local text = markdown.table(recorded())
    local lines = {}
    for line in text:gmatch("(|[^\n]*)\n") do
      assert.equal(10, select(2, line:gsub("|", "")))
      lines[#lines + 1] = line
    end
    assert.equal(2 + 4, #lines)
    assert.equal("| 1 | spawn to close | 100 us (100 to 200) | Bun 120 us, Node 350 us "
      .. "| 130 us (105 to 220) | 1.10 (1.05 to 1.30) | 120 us, 1.20 | at most 1.10 x limit "
      .. "| yes |", lines[3])
    assert.equal("| 24 | by ssh | - | - | left out: needs `ssh` | - | - | - | - |", lines[6])
    assert.truthy(text:find("Peers: Node 26.0, Bun 1.4. Missing: Deno.", 1, true))
  end)

  it("makes the same of what it reads back from JSON", function()
    local text = json.encode(recorded())
    assert.same(recorded(), json.decode(text))
    assert.equal(markdown.table(recorded()), markdown.table(json.decode(text)))
  end)

  it("draws a picture that is well-formed, with a bar for each contestant", function()
    local text = bars.draw(recorded())
    assertWellFormed(text)
    assert.equal(2, select(2, text:gsub(">Node</text>", ""))
      + select(2, text:gsub(">Node 26.0, Bun 1.4</text>", "")))
    assert.equal(3, select(2, text:gsub(">Bun</text>", "")))
    assert.equal(3, select(2, text:gsub(">ours</text>", "")))
    assert.truthy(text:find("A &amp; B &lt;1&gt;", 1, true))
    assert.truthy(text:find("prefers-color-scheme: dark", 1, true))
  end)

  it("says how much a unit costs more in larger sizes than in smaller ones", function()
    local series = grown().series[1]
    assert.equal(2.5, growth.factor(series, 1)) -- 50 ns of a million, after 20
    assert.equal(8 / 7, growth.factor(series, 2))
    assert.same({"Timers: set (2.5 times)"}, growth.named(grown()))
  end)

  it("prints the series as Markdown, with what was left out", function()
    local text = tables.growth(json.decode(json.encode(grown())))
    local function has(part)
      assert.truthy(text:find(part, 1, true), text)
    end
    has("| Timers: ns, by timers | 1 | 1k | 1M | growth |\n|---|---|---|---|---|\n")
    has("| set | 50.0 | 20.0 | 50.0 | **2.5** |\n| clear | 7.00 | 8.00 | - | 1.1 |\n")
    has("Left out: 1G, needs more memory.")
    has("More than 2: Timers: set (2.5 times).")
  end)

  it("prints what memory is taken as Markdown", function()
    local text = tables.memory({
      machine = {cores = 2}, count = 1000, parts = {0.1, 1},
      things = {{name = "timer", count = 1e5, numbers = {400.4, 600}}},
      works = {{name = "starts", numbers = {700, 5000, 701, 5100}}},
    })
    assert.truthy(text:find("| timer | 400 | 600 | 100k |\n", 1, true))
    assert.truthy(text:find("after | 100 | 1k |\n|---|---|---|\n| starts | 5000, 700 | 5100, 701 |",
      1, true))
  end)

  it("draws the series, with a line for each", function()
    local text = curves.draw(grown())
    assertWellFormed(text)
    assert.equal(2, select(2, text:gsub("<polyline ", "")))
    assert.equal(5, select(2, text:gsub("<circle ", "")))
  end)

  it("draws again what it has recorded, all rows or those named", function()
    local path = support.tmpdir() .. "/results.json"
    support.writeFile(path, json.encode(recorded()))
    local all = cp.execFileSync(support.lua, {"bench/draw.lua", path}, {encoding = "utf8"})
    assert.equal(bars.draw(recorded()), all)
    local one = cp.execFileSync(support.lua, {"bench/draw.lua", path, "14"}, {encoding = "utf8"})
    assertWellFormed(one)
    assert.is_nil(one:find("spawn to close", 1, true))
    assert.truthy(one:find("many at once", 1, true))
  end)
end)
