--- Waiting for what the loop will bring. All that waits in this module does it here.
-- In a coroutine, whoever made it, waiting is a yield without values, and the coroutine is resumed
-- on a tick. Outside of one the loop is turned. A callback of the loop can do neither.
--
-- A coroutine may belong to a scheduler of the program's own. If that resumes it too early, it just
-- yields again. If it goes on to yield values after we have resumed it, these were meant for the
-- scheduler and have come to us: an error says so, since the coroutine would wait for ever.
local errors = require("child_process.lazy_errors")
local loop = require("child_process.loop")

local tick = loop.tick
local running, isYieldable, status = coroutine.running, coroutine.isyieldable, coroutine.status

---@class child_process.suspend
local suspend = {}

-- Who is told when a coroutine fails that we resume: fun(err, traceback), by coroutine. The errors
-- of others come out of `run`.
local failures = setmetatable({}, {__mode = "k"})

local function fail(thread, err, where)
  local tell = failures[thread]
  if tell then
    tell(err, where)
  else
    loop.throw(err, where)
  end
end

local function afterResume(thread, ok, ...)
  if not ok then
    local where = debug.traceback(thread)
    local closed, another = coroutine.close(thread)
    fail(thread, closed and (...) or another, where)
  elseif select("#", ...) > 0 and status(thread) == "suspended" then
    local where = debug.traceback(thread)
    local err = errors.strayYield()
    if failures[thread] then
      local _, another = coroutine.close(thread)
      err.cause = another
    end
    fail(thread, err, where)
  end
end

--- Resumes a coroutine. Raises nothing: errors come out of `run`.
---@param thread thread
---@param ... any
function suspend.resume(thread, ...)
  afterResume(thread, coroutine.resume(thread, ...))
end

--- Makes a coroutine whose failure somebody is told.
---@param fn function
---@param onfailure fun(err: any, traceback: string)
---@return thread
function suspend.create(fn, onfailure)
  local thread = coroutine.create(fn)
  failures[thread] = onfailure
  return thread
end

---@class Waiter
---@field ready boolean? the waiting is over
---@field thread thread? who waits
---@field turning boolean? somebody turns the loop until it is over

local function resumeWaiter(waiter)
  -- It may have been resumed by somebody else, or closed.
  local thread = waiter.thread
  if thread and status(thread) == "suspended" then
    suspend.resume(thread)
  end
end

--- Ends the waiting; on a tick where it is a coroutine that waits.
---@param waiter Waiter
function suspend.wake(waiter)
  if waiter.ready then
    return
  end
  waiter.ready = true
  if waiter.thread then
    tick(resumeWaiter, waiter)
  elseif waiter.turning then
    loop.stop()
  end
end

local function turnUntil(waiter)
  waiter.turning = true
  local ok, alive = pcall(loop.run)
  waiter.turning = nil
  if not ok then
    error(alive, 0)
  elseif not waiter.ready then
    error(alive and errors.waitStopped() or errors.waitWithoutEnd())
  end
end

--- Returns when the waiter was woken. Outside of a coroutine, what a callback raises meanwhile
--- comes out of here, and there is an error when the loop ends, or is stopped, before.
---@param waiter Waiter
function suspend.wait(waiter)
  if waiter.ready then
    return
  elseif isYieldable() then
    waiter.thread = running()
    repeat
      coroutine.yield()
    until waiter.ready
    waiter.thread = nil
  elseif loop.isRunning() then
    error(errors.waitInCallback())
  else
    turnUntil(waiter)
  end
end

-- For things that happen again and again: who waits is woken by the next ring, and then looks
-- whether it is what he waits for.
---@class Bell
local Bell = {}
Bell.__index = Bell

---@return Bell
function suspend.newBell()
  return setmetatable({}, Bell)
end

--- Returns after the next ring.
function Bell:wait()
  local waiter = {}
  self[#self + 1] = waiter
  suspend.wait(waiter)
end

--- Wakes all that wait, in the order in which they came.
function Bell:ring()
  for index = 1, #self do
    local waiter = self[index]
    self[index] = nil
    suspend.wake(waiter)
  end
end

return suspend
