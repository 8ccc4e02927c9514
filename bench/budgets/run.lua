-- Counts what each work takes and compares it with its budget.
--
--   lua bench/budgets/run.lua COUNTER RECORD TOOLS
--
-- COUNTER is the built counter.c. RECORD is a file for the results (see scripts/results.sh). TOOLS
-- are the versions that the counts depend on. In the environment: CHILD_PROCESS_INTERPRETER, the
-- path of the interpreter of children; RENEW, if it is not empty, makes the counts the budgets.
-- The dumps of callgrind stay in build/budgets.

local BUDGETS = "bench/budgets/budgets.txt"
local DUMPS = "build/budgets"
local ALLOWED = 0.03
local FIGURES = {"instructions", "allocations", "bytes"}

local HEADER = [[
# What a unit of each work takes in the process that calls us: instructions, and blocks and bytes
# that Lua allocates. See bench/README.md. `make bench-budgets RENEW=1` writes this file.
#
# Counted with %s
#
# work instructions allocations bytes
]]

-- name     of the work, in the budgets and on record
-- script   the file in bench/budgets, and its arguments
-- warmUp   units that do not count
-- units    those that count
local WORKS = {
  {name = "spawn", script = "spawn.lua ignore", warmUp = 5, units = 20},
  {name = "spawn-pipes", script = "spawn.lua pipe", warmUp = 5, units = 20},
  {name = "sync", script = "sync.lua ignore", warmUp = 5, units = 20},
  {name = "sync-pipes", script = "sync.lua pipe", warmUp = 5, units = 20},
  {name = "piece-1", script = "piece.lua 1", warmUp = 20, units = 200},
  {name = "piece-64k", script = "piece.lua 65536", warmUp = 20, units = 200},
  {name = "json-small", script = "message.lua json ping 1", warmUp = 20, units = 200},
  {name = "json-6k", script = "message.lua json 100 8", warmUp = 16, units = 64},
  {name = "advanced-small", script = "message.lua advanced ping 1", warmUp = 20, units = 200},
  {name = "advanced-6k", script = "message.lua advanced 100 8", warmUp = 16, units = 64},
  {name = "pool", script = "pool.lua", warmUp = 20, units = 100},
}

local counter, record, tools = arg[1], arg[2], arg[3]
local renew = (os.getenv("RENEW") or "") ~= ""

local function readFile(path)
  local file = assert(io.open(path))
  local text = file:read("*a")
  file:close()
  return text
end

-- The counter's environment holds nothing else, for a child gets a copy. The C library is to copy
-- and compare memory in the way that it does on any processor of this kind.
local ENVIRONMENT = table.concat({
  "PATH=/usr/bin:/bin", "LUA_PATH=lua/?.lua",
  "LUA_CPATH=" .. counter:match("^(.*)/bench/") .. "/?.so",
  "CHILD_PROCESS_INTERPRETER=" .. os.getenv("CHILD_PROCESS_INTERPRETER"),
  "CHILD_PROCESS_NO_PIDFD=1", "CHILD_PROCESS_NO_VFORK=1",
  "GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX2,-AVX_Fast_Unaligned_Load,-ERMS",
}, " ")

-- The figures of a unit.
local function count(work)
  local dump = DUMPS .. "/" .. work.name
  os.remove(dump .. ".1")
  local command = ("env -i %s valgrind --quiet --tool=callgrind --callgrind-out-file=%s "
    .. "%s %d %d bench/budgets/%s"):format(ENVIRONMENT, dump, counter, work.warmUp, work.units,
    work.script)
  local output = assert(io.popen(command))
  local blocks, bytes = output:read("*n", "*n")
  output:close()
  local dumped = io.open(dump .. ".1")
  if not blocks or not dumped then
    error(work.name .. " has failed: " .. command, 0)
  end
  dumped:close()
  os.remove(dump) -- what came after the units
  local instructions = readFile(dump .. ".1"):match("\ntotals: (%d+)")
  local figures = {instructions = instructions, allocations = blocks, bytes = bytes}
  for _, name in ipairs(FIGURES) do
    figures[name] = math.floor(figures[name] / work.units * 10 + 0.5) / 10
  end
  return figures
end

-- The budgets by the names of works.
local function readBudgets()
  local budgets = {}
  for line in io.lines(BUDGETS) do
    local name, instructions, allocations, bytes = line:match("^(%g+) (%g+) (%g+) (%g+)$")
    if name and name ~= "#" then
      budgets[name] = {
        instructions = tonumber(instructions), allocations = tonumber(allocations),
        bytes = tonumber(bytes),
      }
    end
  end
  return budgets
end

local function writeBudgets(counts)
  local lines = {}
  for i, work in ipairs(WORKS) do
    local figures = counts[work.name]
    lines[i] = ("%s %.0f %g %.0f\n"):format(work.name, figures.instructions, figures.allocations,
      figures.bytes)
  end
  local file = assert(io.open(BUDGETS, "w"))
  file:write(HEADER:format(tools), table.concat(lines))
  file:close()
end

-- How much a figure has grown, as a part of its budget.
local function growth(now, budget)
  return now == budget and 0 or (now - budget) / budget
end

-- Prints the figures beside the budgets; the greatest and the least growth.
local function compare(work, figures, budget)
  local cells, greatest, least = {work.name}, -math.huge, math.huge
  for _, name in ipairs(FIGURES) do
    local grown = growth(figures[name], budget[name])
    greatest, least = math.max(greatest, grown), math.min(least, grown)
    cells[#cells + 1] = ("%.10g"):format(budget[name])
    cells[#cells + 1] = ("%.10g"):format(figures[name])
    cells[#cells + 1] = ("%+.1f %%"):format(grown * 100)
  end
  print("| " .. table.concat(cells, " | ") .. " |")
  return greatest, least
end

local function check()
  local budgets, counts = readBudgets(), {}
  local results = assert(io.open(record, "a"))
  local shrunk = false
  print("| work | instructions: budget | now | change | allocations: budget | now | change "
    .. "| bytes: budget | now | change |\n|" .. ("---|"):rep(10))
  for _, work in ipairs(WORKS) do
    local figures = count(work)
    counts[work.name] = figures
    local budget = renew and figures or budgets[work.name]
    if not budget then
      error(("%s has no budget in %s"):format(work.name, BUDGETS), 0)
    end
    local greatest, least = compare(work, figures, budget)
    shrunk = shrunk or least < -ALLOWED
    results:write(greatest > ALLOWED and "not ok" or "ok", " - ", work.name, "\n")
    results:flush()
  end
  results:close()
  if renew then
    writeBudgets(counts)
  elseif shrunk then
    print("Some figures are more than 3 % below their budgets: RENEW=1 lowers those.")
  end
end

check()
