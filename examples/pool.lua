-- Spreads work that keeps a processor busy over as many children as there are processors: counts
-- the prime numbers below a limit, a range for each job. A child that dies is replaced, and its job
-- is done again, so none is lost; to show that, the children of this example die with their fifth
-- job. A job that has ended three children is given back as failed, and when three children in a
-- row do not even start, the pool ends with an error.
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

  local jobs = 0
  process:on("message", function(job)
    jobs = jobs + 1
    if jobs == 5 then
      process:exit(1)
    end
    process:send({ count = countPrimes(job.first, job.last) })
  end)
  process:send("ready")
  return
end

---@class Pool
---@field module string what the children run; they send "ready", then a result for each job
---@field onresult fun(job: table, result: table?) without a result the job has failed
---@field jobs table[] those that wait: {job =, ended = how many children it has ended}
---@field workers table<ChildProcess, boolean> those that run; each has its job in the field `job`
---@field died integer how many have been replaced
---@field failedStarts integer how many have died in a row before they were ready
---@field closing boolean? no more jobs will come
local Pool = {}
Pool.__index = Pool

local MOST_FAILURES = 3

--- A pool of children that run `module`.
---@param module string
---@param size integer
---@param onresult fun(job: table, result: table?)
function Pool.new(module, size, onresult)
  local pool = setmetatable({
    module = module, onresult = onresult, jobs = {}, workers = {}, died = 0, failedStarts = 0,
  }, Pool)
  for _ = 1, size do
    pool:start()
  end
  return pool
end

--- Adds a child, which takes over the job of the one that it replaces.
---@param job? table
function Pool:start(job)
  local worker = cp.fork(self.module)
  worker.job = job
  self.workers[worker] = true
  worker:on("message", function(message)
    if message == "ready" then
      worker.ready = true
      self.failedStarts = 0
    else
      local done = worker.job
      worker.job = nil
      self.onresult(done.job, message)
    end
    self:assign(worker)
  end)
  worker:on("error", function() end) -- what could not be started or sent; "close" follows
  worker:on("close", function() -- which comes after its last message
    self.workers[worker] = nil
    self:replace(worker)
  end)
end

--- Has another child do what one that has ended has left.
function Pool:replace(worker)
  local job = worker.job
  if not worker.ready then
    self.failedStarts = self.failedStarts + 1
    if self.failedStarts == MOST_FAILURES then
      self:abandon()
    end
  elseif job then
    job.ended = job.ended + 1
    if job.ended == MOST_FAILURES then
      self.onresult(job.job, nil)
      job = nil
    end
  end
  if job or #self.jobs > 0 or not self.closing then
    self.died = self.died + 1
    self:start(job)
  end
end

--- Gives a child that has nothing to do the next job, or lets it go.
function Pool:assign(worker)
  worker.job = worker.job or table.remove(self.jobs)
  if worker.job then
    worker:send(worker.job.job)
  elseif self.closing and worker.connected then
    worker:disconnect()
  end
end

--- Adds a job.
function Pool:add(job)
  table.insert(self.jobs, { job = job, ended = 0 })
  for worker in pairs(self.workers) do
    if worker.ready and not worker.job then
      self:assign(worker)
      return
    end
  end
end

--- No more jobs will come.
function Pool:close()
  self.closing = true
  for worker in pairs(self.workers) do
    if worker.ready and not worker.job then
      self:assign(worker)
    end
  end
end

--- Ends all children, and raises an error, which comes out of cp.run().
function Pool:abandon()
  for worker in pairs(self.workers) do
    worker:removeAllListeners("close")
    worker:kill()
  end
  error(("%d children in a row could not be started"):format(MOST_FAILURES), 0)
end

-- The program.
local processors = math.tointeger(tonumber((cp.execSync("nproc")))) or 2
local total, done, failed = 0, 0, 0

local pool = Pool.new(script, processors, function(_, result)
  if result then
    total = total + result.count
    done = done + 1
  else
    failed = failed + 1
  end
end)

for first = 1, LIMIT, RANGE do
  pool:add({ first = first, last = math.min(first + RANGE - 1, LIMIT) })
end
pool:close()
cp.run()

print(("%d primes up to %d, in %d jobs by %d children; %d died on the way, %d jobs failed"):format(
  total, LIMIT, done, processors, pool.died, failed))
