-- Spreads work that keeps a processor busy over as many children as there are processors: counts
-- the prime numbers below a limit, a range for each job. A child that dies is replaced, and its job
-- is done again, so none is lost; to show that, the children of this example die now and then.
--
--   lua5.4 examples/pool.lua [LIMIT]

local cp = require("child_process")
local process = require("child_process.process")

local LIMIT = math.tointeger(arg[1]) or 400000
local RANGE = 10000

local script = arg[0]

-- The child: answers one job after the other.
if process.send then
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

  math.randomseed(process.pid)
  process:on("message", function(job)
    if math.random(20) == 1 then
      process:exit(1)
    end
    process:send({ count = countPrimes(job.first, job.last) })
  end)
  return
end

---@class Pool
---@field module string what the children run
---@field onresult fun(job: table, result: table)
---@field jobs table[] those that wait
---@field workers table<ChildProcess, boolean> those that run; each has its job in the field `job`
---@field died integer how many have been replaced
---@field closing boolean? no more jobs will come
local Pool = {}
Pool.__index = Pool

--- A pool of children that run `module`.
---@param module string
---@param size integer
---@param onresult fun(job: table, result: table)
function Pool.new(module, size, onresult)
  local pool = setmetatable({
    module = module, onresult = onresult, jobs = {}, workers = {}, died = 0,
  }, Pool)
  for _ = 1, size do
    pool:start()
  end
  return pool
end

--- Adds a child.
function Pool:start()
  local worker = cp.fork(self.module)
  self.workers[worker] = true
  worker:on("message", function(result)
    local job = worker.job
    worker.job = nil
    self.onresult(job, result)
    self:assign(worker)
  end)
  worker:on("error", function() end) -- what could not be sent is done by another one
  worker:on("close", function() -- which comes after its last message
    self.workers[worker] = nil
    if worker.job then
      table.insert(self.jobs, worker.job)
    end
    if worker.job or not self.closing then
      self.died = self.died + 1
      self:start()
    end
  end)
  self:assign(worker)
end

--- Gives a child that has nothing to do the next job, or lets it go.
function Pool:assign(worker)
  worker.job = table.remove(self.jobs)
  if worker.job then
    worker:send(worker.job)
  elseif self.closing and worker.connected then
    worker:disconnect()
  end
end

--- Adds a job.
function Pool:add(job)
  table.insert(self.jobs, job)
  for worker in pairs(self.workers) do
    if not worker.job then
      self:assign(worker)
      return
    end
  end
end

--- No more jobs will come.
function Pool:close()
  self.closing = true
end

local processors = math.tointeger(tonumber((cp.execSync("nproc")))) or 2
local total, done = 0, 0

local pool = Pool.new(script, processors, function(_, result)
  total = total + result.count
  done = done + 1
end)

for first = 1, LIMIT, RANGE do
  pool:add({ first = first, last = math.min(first + RANGE - 1, LIMIT) })
end
pool:close()
cp.run()

print(("%d primes up to %d, in %d jobs by %d children; %d died on the way"):format(
  total, LIMIT, done, processors, pool.died))
