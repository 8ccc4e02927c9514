-- Distributes work that keeps a processor busy to as many children as there are processors: counts
-- the prime numbers below a limit, one range in each job. If a child dies, another child takes its
-- place and its job, so that no job is lost. To show that, the children of this example die at
-- their fifth job.
--
--   lua5.4 examples/pool.lua [LIMIT]

local process = require("child_process.process")

local LIMIT = tonumber(arg[1]) or 400000
local RANGE = 10000

local function countPrimes(first, last)
  local count = 0
  for n = math.max(first, 2), last do
    local divisor = 2
    while divisor * divisor <= n and n % divisor ~= 0 do
      divisor = divisor + 1
    end
    if divisor * divisor > n then
      count = count + 1
    end
  end
  return count
end

-- The child: does one job after another.
if process.send then
  local jobs = 0
  process:handle(function(job)
    jobs = jobs + 1
    if jobs == 5 then
      process:exit(1)
    end
    return countPrimes(job.first, job.last)
  end)
  return
end

-- The jobs, made one by one when a child is free.
local first = 1 - RANGE
local function nextJob()
  first = first + RANGE
  if first <= LIMIT then
    return {first = first, last = math.min(first + RANGE - 1, LIMIT)}
  end
end

local pool = require("child_process.pool")(arg[0], {retries = 2})

local total, done, failed = 0, 0, 0
for count in pool:map(nextJob, {reject = false}) do
  if type(count) == "number" then
    total = total + count
    done = done + 1
  else
    failed = failed + 1 -- `count` is the error
  end
end
local stats = pool.stats
pool:close():await()

print(("%d primes up to %d, in %d jobs by %d children; %d died on the way, %d jobs failed"):format(
  total, LIMIT, done, stats.size, stats.ended, failed))
