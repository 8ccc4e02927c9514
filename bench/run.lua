-- Prints the table of what things cost beside their limit and beside the peers, as Markdown, and
-- leaves it as results.md, results.json and bench.svg.
--
--   lua5.4 bench/run.lua [ROW ...]   all rows, or those named
--   BENCH_ROUNDS=N                   how many rounds (5)
--   BENCH_SECONDS=S                  how long a contestant goes on (0.3); bytes, connections and
--                                    tasks are more or fewer in proportion
--   BENCH_PEERS="NAME ..."           only these peers (all that are installed); "none": no peer
--   BENCH_LUAS="luajit lua5.5"       other Luas, in which ours is run, too
--   BENCH_OUTPUT=FOLDER              where the files go (build/bench)
--   BENCH_PACKAGES=FOLDER            a folder node_modules with execa, zx and piscina

local contestants = require("bench.measure.contestants")
local json = require("child_process.json")
local machine = require("bench.measure.machine")
local markdown = require("bench.report.markdown")
local rounds = require("bench.measure.rounds")
local shell = require("bench.measure.shell")
local write = require("bench.report.write")

local ROUNDS = tonumber(os.getenv("BENCH_ROUNDS")) or 5

local TARGETS = {"most", "least", "ceiling", "beyond", "notBehind"}

-- Which of the rows are wanted, by name. Ends the program if there is no such row.
local function wantedRows(rows)
  local wanted, names = {}, {}
  for _, row in ipairs(rows) do
    names[#names + 1] = not names[row.row] and row.row or nil -- a row may have two lines
    names[row.row] = true
    wanted[row.row] = #arg == 0 or nil
  end
  for _, name in ipairs(arg) do
    if not names[name] then
      local list = table.concat(names, " ")
      io.stderr:write(("bench: no row %q; the rows are %s\n"):format(name, list))
      os.exit(2)
    end
    wanted[name] = true
  end
  return wanted
end

local function figuresOf(row)
  local figures = {}
  for i, each in ipairs(row.figures or {row}) do
    local figure = {what = each.what, unit = each.unit or "us"}
    for _, name in ipairs(TARGETS) do
      figure[name] = each[name]
    end
    figures[i] = figure
  end
  return figures
end

-- What is recorded of a row: what the row is, and all that was measured.
local function record(row, rows, setup)
  local entry = {
    row = row.row, text = row.text, against = row.against, figures = figuresOf(row),
  }
  if row.needs and not shell.output(row.needs) then
    entry.leftOut = ("needs `%s`"):format(row.needs)
  else
    entry.rounds = rounds.measure(row, rows, setup)
  end
  return entry
end

-- Names and versions alone.
local function described(list)
  local names = json.array()
  for i, each in ipairs(list) do
    names[i] = {name = each.name, version = each.version}
  end
  return names
end

local function main()
  local rows = dofile(shell.here .. "/rows.lua")
  local wanted = wantedRows(rows)
  shell.build()
  local peers, missing = contestants.peers(os.getenv("BENCH_PEERS"))
  local others = contestants.others(os.getenv("BENCH_LUAS") or "")
  local setup = {rounds = ROUNDS, peers = peers, others = others}
  local results = {
    machine = machine.describe(), rounds = ROUNDS, seconds = rounds.seconds,
    peers = described(peers), missing = json.array(missing), others = described(others),
    rows = json.array(),
  }
  io.stdout:setvbuf("line")
  io.write(markdown.head(results))
  for _, row in ipairs(rows) do
    if wanted[row.row] then
      local entry = record(row, rows, setup)
      table.insert(results.rows, entry)
      io.write(markdown.row(results, entry))
    end
  end
  results.machine.loadAfter = machine.load()
  io.write(markdown.foot(results))
  write.results(results)
end

main()
