-- Measures memory: of this process for each child, stream, timer ..., and of a process after much
-- work. Prints Markdown, and leaves it as memory.md and memory.json.
--
--   lua5.4 bench/memory.lua
--   BENCH_COUNT=N          how many times each work is done (20000; 1000000 takes half an hour)
--   BENCH_OUTPUT=FOLDER    where the files go (build/bench)

local held = require("bench.memory.held")
local json = require("child_process.json")
local machine = require("bench.measure.machine")
local shell = require("bench.measure.shell")
local tables = require("bench.report.tables")
local things = require("bench.memory.things")
local works = require("bench.memory.work")
local write = require("bench.report.write")

local COUNT = tonumber(os.getenv("BENCH_COUNT")) or 20000
local BIN = shell.here .. "/../build/bench"
local PARTS = {0.1, 0.25, 0.5, 1} -- of the work, after each of which memory is looked at

-- What `thing` takes for each, in bytes: of Lua's heap, and of memory. Printed for measure.
local function measureThing(thing)
  local _, finish = thing.make(math.min(100, thing.most), BIN) -- a warm-up
  finish()
  local heap, resident = held.heap(), held.resident()
  local kept
  kept, finish = thing.make(thing.most, BIN)
  print((held.heap() - heap) / thing.most, (held.resident() - resident) * 1024 / thing.most)
  assert(#kept == thing.most)
  finish()
end

-- KiB of Lua's heap and of memory after each part of the work.
local function measureWork(work)
  local run, finish = work.prepare(BIN)
  local done = 0
  for _, part in ipairs(PARTS) do
    local upTo = math.floor(COUNT * part)
    run(upTo - done)
    done = upTo
    print(held.heap() / 1024, held.resident())
  end
  finish()
end

-- The numbers that this program prints when it measures one thing, in a process of its own.
local function measure(kind, index)
  local line = ("ulimit -n 20000 2>/dev/null; exec LUA HERE/memory.lua %s %d"):format(kind, index)
  local numbers = json.array()
  for word in (shell.output(shell.substitute(line)) or ""):gmatch("%S+") do
    numbers[#numbers + 1] = tonumber(word)
  end
  return numbers
end

local function recordAll(kind, list)
  local entries = json.array()
  for index, each in ipairs(list) do
    entries[index] = {name = each.name, count = each.most, numbers = measure(kind, index)}
  end
  return entries
end

local function main()
  shell.build()
  local results = {machine = machine.describe(), count = COUNT, parts = PARTS}
  results.things = recordAll("thing", things)
  results.works = recordAll("work", works)
  results.machine.loadAfter = machine.load()
  io.write(tables.memory(results))
  write.memory(results)
end

if arg[1] == "thing" then
  measureThing(things[tonumber(arg[2])])
elseif arg[1] == "work" then
  measureWork(works[tonumber(arg[2])])
else
  main()
end
