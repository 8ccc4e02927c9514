-- A cluster on this machine: agents behind a delay, and a pool over all of them. Prints at each
-- quarter of the tasks what one has cost this process, and its memory: both must stay flat.
--
--   lua5.4 bench/cluster.lua [AGENTS [TASKS [MILLISECONDS [CHILDREN]]]]
--
-- Defaults: 64 agents, 100,000 tasks, a delay of 5 ms in each direction, 2 children on each host.

local host = require("child_process.host")
local pool = require("child_process.pool")
local process = require("child_process.process")

-- A child: the task is only sent back.
if process.send then
  process:handle(function(task) return task end)
  return
end

local HERE = arg[0]:match("^(.*)/[^/]*$") or "."
local AGENTS, TASKS = tonumber(arg[1]) or 64, tonumber(arg[2]) or 100000
local DELAY, CHILDREN = arg[3] or "5", tonumber(arg[4]) or 2

local function now()
  local time = process:hrtime()
  return time[1] + time[2] / 1e9
end

-- Microseconds of the processor that this process has used.
local function processorTime()
  local usage = process:resourceUsage()
  return usage.userCPUTime + usage.systemCPUTime
end

assert(require("child_process").spawnSync("make", {"-s", "-C", HERE}, {stdio = "inherit"})
  .status == 0, "the programs cannot be built")

local began = now()
local hosts = {}
for index = 1, AGENTS do
  hosts[index] = host.connect({HERE .. "/../build/bench/delay", DELAY}, {
    lua = process.execPath, connectTimeout = 300000,
  })
end

local p = pool(arg[0], {hosts = hosts, size = CHILDREN})
local online, quarters, seen = 0, 4, 0

p:on("online", function()
  online = online + 1
end)

-- A warm-up: all children run, and the memory for as many tasks as wait at a time is there.
for _ in p:map(function()
  seen = seen + 1
  return (online < AGENTS * CHILDREN or seen < 4 * AGENTS * CHILDREN) and seen or nil
end) do -- luacheck: ignore 542
end

print(("%d agents behind %s ms each way, %d children each: %d run after %.1f s"):format(AGENTS,
  DELAY, CHILDREN, online, now() - began))
print("| tasks | tasks a second | us of the processor each, here | resident here | memory of Lua |")
print("|---|---|---|---|---|")

local time, used, done, taken = now(), processorTime(), 0, 0

local function report()
  local count = math.floor(TASKS / quarters)
  local current, usedNow = now(), processorTime()
  collectgarbage()
  print(("| %d | %.0f | %.0f | %.0f KiB | %.0f KiB |"):format(done, count / (current - time),
    (usedNow - used) / count, process:memoryUsage().rss / 1024, collectgarbage("count")))
  io.stdout:flush()
  time, used = now(), processorTime()
end

for _ in p:map(function()
  taken = taken + 1
  return taken <= TASKS and taken or nil
end) do
  done = done + 1
  if done % math.floor(TASKS / quarters) == 0 then
    report()
  end
end

local stats = p.stats
assert(stats.retried == 0 and stats.failed == 0 and done == TASKS)
p:close():await()
for _, each in ipairs(hosts) do
  each:close():await()
end
