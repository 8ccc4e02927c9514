-- Measures whether the cost of a unit of work stays the same while something grows: children that
-- are alive, bytes, messages, listeners ... Prints Markdown, and leaves it as growth.md,
-- growth.json and growth.svg.
--
--   lua5.4 bench/growth.lua [SERIES ...]   all series (see growth/series.lua), or those named
--   BENCH_ROUNDS=N                         how many rounds (3)
--   BENCH_MOST=N                           no size above this one
--   BENCH_OUTPUT=FOLDER                    where the files go (build/bench)

local clock = require("bench.growth.clock")
local json = require("child_process.json")
local machine = require("bench.measure.machine")
local shell = require("bench.measure.shell")
local tables = require("bench.report.tables")
local write = require("bench.report.write")

local ROUNDS = tonumber(os.getenv("BENCH_ROUNDS")) or 3
local MOST = tonumber(os.getenv("BENCH_MOST")) or math.huge
local TIMEOUT = 600000 -- milliseconds

-- Prints what a series measures in one size.
local function measureHere(name, size)
  local measure = require("bench.growth." .. name).measure
  print(measure(tonumber(size), shell.here .. "/../build/bench"))
end

-- The same in a process of its own: a number for each line, false where there is none.
local function measure(name, size, count)
  local line = ("ulimit -n 20000 2>/dev/null; exec LUA HERE/growth.lua at %s %d"):format(name, size)
  local text = shell.output(shell.substitute(line), {timeout = TIMEOUT}) or ""
  local numbers = json.array()
  for word in text:gmatch("%S+") do
    local number = tonumber(word)
    numbers[#numbers + 1] = number and number == number and number or false
  end
  while #numbers < count do
    numbers[#numbers + 1] = false
  end
  return numbers
end

-- What is recorded of a series.
local function record(name)
  local series = require("bench.growth." .. name)
  local entry = {
    name = name, title = series.title, x = series.x, unit = series.unit, lines = series.lines,
    points = json.array(), skipped = json.array(),
  }
  local began = clock.now()
  for _, size in ipairs(series.sizes) do
    local reason = size > MOST and "not asked for" or series.fits and series.fits(size)
    if reason then
      table.insert(entry.skipped, {size = size, reason = reason})
    else
      local rounds = json.array()
      for round = 1, ROUNDS do
        rounds[round] = measure(name, size, #series.lines)
      end
      table.insert(entry.points, {size = size, rounds = rounds})
    end
  end
  entry.seconds = clock.now() - began
  return entry
end

local function wantedSeries()
  local names = require("bench.growth.series")
  if #arg == 0 then
    return names
  end
  for _, wanted in ipairs(arg) do
    local known = table.concat(names, " ")
    if not (" " .. known .. " "):find(" " .. wanted .. " ", 1, true) then
      io.stderr:write(("bench: no series %q; the series are %s\n"):format(wanted, known))
      os.exit(2)
    end
  end
  return arg
end

local function main()
  local names = wantedSeries()
  shell.build()
  local results = {machine = machine.describe(), rounds = ROUNDS, series = json.array()}
  io.stdout:setvbuf("line")
  for _, name in ipairs(names) do
    local entry = record(name)
    table.insert(results.series, entry)
    io.write(tables.series(entry), "\n")
  end
  results.machine.loadAfter = machine.load()
  io.write(tables.foot(results))
  write.growth(results)
end

if arg[1] == "at" then
  measureHere(arg[2], arg[3])
else
  main()
end
