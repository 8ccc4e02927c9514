--- Waits, for promises, events and streams. In a coroutine waiting is a yield without values, and a
--- tick resumes the coroutine. Outside of coroutines it runs the loop. Callbacks of the loop cannot
--- wait.

local compat = require("child_process.base.compat")
local core = require("child_process.core")
local errors = require("child_process.errors")
local loop = require("child_process.loop")
local schedulers = require("child_process.loop.schedulers")
local tick = require("child_process.base.ticks").tick
local coroutine = require("child_process.base.standard").coroutine

local running, isYieldable, status = coroutine.running, compat.isYieldable, compat.status
local resume, yield = compat.resume, compat.yield

---@class child_process.wait
local wait = {}

-- By coroutine, the callback for its failure: fun(err, traceback, thread). The errors of other
-- coroutines come out of `run`. A callback must not refer to its coroutine, since before Lua 5.2 it
-- would keep the coroutine alive.
local failures = setmetatable({}, {__mode = "k"})

local function fail(thread, err, where)
  local onfailure = failures[thread]
  if onfailure then
    onfailure(err, where, thread)
  else
    loop.throw(err, where)
  end
end

-- If a coroutine yields values after we have resumed it, they were meant for a scheduler of the
-- program's own. That is an error, since the coroutine would wait forever.
local function afterResume(thread, ok, ...)
  if not ok then
    local where = compat.traceback(thread)
    local closed, another = compat.close(thread)
    if closed then
      another = (...) -- which may be false
    end
    fail(thread, another, where)
  elseif select("#", ...) > 0 and status(thread) == "suspended" then
    local where = compat.traceback(thread)
    local err = errors.strayYield()
    if failures[thread] then
      local _, another = compat.close(thread)
      err.cause = another
    end
    fail(thread, err, where)
  end
end

--- Resumes a coroutine. Does not raise: errors come out of `run`.
---@param thread thread
---@param ... any
function wait.resume(thread, ...)
  afterResume(thread, resume(thread, ...))
end

--- Makes a coroutine, and sets the function that is called if it fails.
---@param fn function
---@param onfailure fun(err: any, traceback: string, thread: thread)
---@return thread
function wait.create(fn, onfailure)
  local thread = core.coroutine(fn)
  failures[thread] = onfailure
  return thread
end

---@class Waiter
---@field ready boolean? the waiting is over
---@field thread thread? the coroutine that waits
---@field runsLoop boolean? it waits outside of coroutines
---@field wakeInHost fun()? makes another scheduler resume the coroutine
---@field patient boolean? it may wait an iteration longer without losing anything
---@field reported boolean? a warning has said that nothing will wake it
---@field emitter EventEmitter? of a wait for an event
---@field event any of a wait for an event
---@field what string? the subject of any other wait, in words

-- The latest wait of each coroutine, which may be over. A suspended coroutine holds its waiter. The
-- table must not, since before Lua 5.2 the waiter would then keep the coroutine alive.
local waits = setmetatable({}, {__mode = "kv"})

-- Whether a scheduler of the program's own resumes the coroutine while it waits; absent while we do
-- not know. A coroutine that is resumed too early yields again.
local polled = setmetatable({}, {__mode = "k"})

local function resumeWaiter(waiter)
  -- The program may have resumed it, or closed it.
  local thread = waiter.thread
  if thread and status(thread) == "suspended" then
    polled[thread] = polled[thread] or false
    wait.resume(thread)
  end
end

-- A scheduler that resumes its coroutines one after the other reaches this one within an iteration.
local function resumeLater(waiter)
  local setImmediate = require("child_process.loop.immediates").setImmediate
  setImmediate(setImmediate, resumeWaiter, waiter)
end

-- A scheduler that resumes a coroutine in any case may treat it as an error if the coroutine has
-- ended by then. So the scheduler gets one iteration of the loop to resume it before we do. At its
-- first wait any coroutine may be a scheduler's, and gets this delay if it loses nothing.
local function isLeftToScheduler(waiter)
  local thread = waiter.thread
  local isPolled = polled[thread]
  return isPolled or isPolled == nil and waiter.patient and not failures[thread]
end

--- Ends the waiting, on a tick if a coroutine waits.
---@param waiter Waiter
function wait.wake(waiter)
  if waiter.ready then
    return
  end
  waiter.ready = true
  if waiter.thread then
    tick(isLeftToScheduler(waiter) and resumeLater or resumeWaiter, waiter)
  elseif waiter.wakeInHost then
    waiter.wakeInHost()
  elseif waiter.runsLoop then
    loop.stop()
  end
end

-- The coroutines that wait, with their waiters, unless a scheduler resumes them.
local function waiting(withoutAsync)
  local found = {}
  for thread, waiter in pairs(waits) do
    if waiter.thread == thread and not waiter.ready and not polled[thread]
      and status(thread) == "suspended" and not (withoutAsync and failures[thread]) then
      found[thread] = waiter
    end
  end
  return found
end

-- A waiter of a coroutine that the program has started, or nil.
function loop._waiting()
  local _, waiter = next(waiting(true))
  return waiter
end

-- Warns once of each coroutine that waits although the loop has ended.
local function reportStranded()
  if isYieldable() then
    return -- this coroutine has run the loop, and others may go on
  end
  local found = waiting()
  for thread, waiter in pairs(found) do
    found[thread] = not waiter.reported and waiter or nil
    waiter.reported = true
  end
  if next(found) then
    require("child_process.loop.stranded").report(found)
  end
end

loop.handleEnd(reportStranded)

local outermost = nil ---@type Waiter? the one for which the loop runs

--- Whether a wait outside of coroutines is over, and returns as soon as the loop has stopped.
---@return boolean
function wait.isReturning()
  return outermost ~= nil and outermost.ready == true
end

local function runUntil(waiter)
  waiter.runsLoop, outermost = true, waiter
  local ok, alive = pcall(loop._runToWait)
  waiter.runsLoop, outermost = nil, nil
  if not ok then
    error(alive, 0)
  elseif not waiter.ready then
    local what = require("child_process.loop.stranded").subject(waiter)
    error(alive and errors.waitStopped(what) or errors.waitWithoutEnd(what))
  end
end

local function waitInHost(waiter, sleep, wakeInHost)
  waiter.wakeInHost = wakeInHost
  while not waiter.ready do
    sleep()
  end
  waiter.wakeInHost = nil
end

-- Asks the function of loop.handleWait. Returns two functions if the running coroutine belongs to
-- its scheduler, otherwise nothing.
local function askHost()
  local prepare = loop._prepareWait
  if not prepare then
    return
  end
  local sleep, wakeInHost = prepare()
  if not sleep then
    return
  elseif type(sleep) ~= "function" or type(wakeInHost) ~= "function" then
    error(errors.invalidReturnValue("two functions, sleep and wake, or nothing",
      "loop.handleWait", sleep, wakeInHost))
  end
  return sleep, wakeInHost
end

-- In Lua 5.1 a coroutine of a scheduler that waits in pcall or a `for` loop cannot be suspended.
-- Our loop would stop its scheduler until the wait is over.
local function checkPlace()
  local thread = not compat.yieldsAnywhere and running()
  if not thread or failures[thread] then
    return
  end
  local name = schedulers.known()
  if name or askHost() then
    error(errors.waitInPcall(name or "another scheduler"))
  end
end

local function waitSuspended(waiter)
  local thread = running()
  if not failures[thread] then
    local sleep, wakeInHost = askHost()
    if sleep then
      waitInHost(waiter, sleep, wakeInHost)
      return
    end
    local name = schedulers.known()
    if name then
      error(loop._prepareWait and errors.waitInInner(name) or errors.waitInScheduler(name))
    end
  end
  waiter.thread = thread
  waits[thread] = waiter
  yield()
  while not waiter.ready do
    polled[thread] = true
    yield()
  end
  waiter.thread = nil
end

--- Returns when the waiter is woken. Outside of coroutines this raises the errors of callbacks, and
--- an error if the loop ends, or is stopped, first.
---@param waiter Waiter
function wait.suspend(waiter)
  if waiter.ready then
    return
  elseif isYieldable() then
    waitSuspended(waiter)
  elseif loop.isRunning() then
    error(errors.waitInCallback())
  else
    checkPlace()
    runUntil(waiter)
  end
end

-- Something that several waiters may wait for, again and again. A notification wakes all of them,
-- and each checks whether that was what it waits for. The Condition is the list of waiters.
---@class Condition
---@field package what string the thing, in words
local Condition = {}
Condition.__index = Condition

---@param what string the thing, in words
---@return Condition
function wait.newCondition(what)
  return setmetatable({what = what}, Condition)
end

--- Returns after the next notification.
function Condition:wait()
  local waiter = {patient = true, what = self.what}
  self[#self + 1] = waiter
  wait.suspend(waiter)
end

--- Wakes all that wait, in the order in which they came.
function Condition:notify()
  for index = 1, #self do
    local waiter = self[index]
    self[index] = nil
    wait.wake(waiter)
  end
end

return wait
