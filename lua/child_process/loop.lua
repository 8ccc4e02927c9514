--- The event loop: runs it, and lets another loop of the program drive it.

local compat = require("child_process.base.compat")
local core = require("child_process.core")
local errors = require("child_process.errors")
local ticks = require("child_process.base.ticks")
local standard = require("child_process.base.standard")
local debug, package = standard.debug, standard.package
require("child_process.base.locate") -- before the program changes directories

-- A program that reloads the Lua modules keeps the loop that it has, and what waits in it.
if core.loop then
  return core.loop
end

if core.getenv("CHILD_PROCESS_DEBUG") == "1" then
  require("child_process.debug.log") -- before other files keep functions of core
end

---@class child_process.loop
local loop = {}

-- The objects that were started before the first run of the loop; nil after that.
local started = setmetatable({}, {__mode = "k"})

-- Collected when the Lua state is closed; or earlier, inside a running function, if the module was
-- loaded again.
loop._sentinel = compat.finalizer(function()
  if started and next(started) and not debug.getinfo(2, "l") then
    pcall(function()
      require("child_process.loop.missing_run")(started, loop._waiting)
    end)
  end
end)

local loaded = package.loaded
local driver -- the module luv.lua, if luv is loaded and its loop drives ours
local runOwn
local handsOver = false -- our own loop runs, until something is started with luv loaded

-- Lets luv's loop drive ours if luv is loaded. If our own runs already, it stops, and `run` goes on
-- with luv's.
local function attach()
  if not driver and loaded.luv then
    local luv = require("child_process.loop.luv")
    luv.init(core.raising(runOwn))
    driver = luv
    if handsOver and core.isRunning() then
      core.stop()
    end
  end
  if driver then
    driver.attach()
  end
end

local function checkCallback(callback)
  if type(callback) ~= "function" then
    error(errors.invalidArgType("callback", "function", callback))
  end
end

local onstart = nil ---@type nil|fun()

local function reportStart()
  if onstart and core.isAlive() then
    onstart()
  end
end

--- Sets a function that is called after something was started, or referenced, that keeps the loop
--- alive; and at once, if something does already. It lets another loop drive ours while there is
--- something to wait for: until `run("nowait")` returns false.
---@param callback? fun() nil: no function
function loop.handleStart(callback)
  if callback ~= nil then
    checkCallback(callback)
  end
  onstart = callback
  reportStart()
end

--- To be called after starting something that may keep the loop alive.
---@param what? table|userdata an object whose events the program may wait for
function loop.started(what)
  if started and what then
    started[what] = true
  end
  attach()
  reportStart()
end

ticks.handleFirst(loop.started)

local function bind(callback, ...)
  local arguments = compat.pack(...)
  return function()
    callback(compat.unpack(arguments, 1, arguments.n))
  end
end

--- Calls the function after the running callback and before any other event of the loop.
---@param callback function
---@param ... any its arguments
function loop.nextTick(callback, ...)
  checkCallback(callback)
  ticks.tick(bind(callback, ...), true)
end

local function uncaught()
  return require("child_process.loop.uncaught")
end

--- Raises on a tick an error that was caught, so that it comes out of `run`.
---@param err any
---@param traceback? string where it was raised
---@param origin? string for listeners of "uncaughtException"; default "uncaughtException"
function loop.throw(err, traceback, origin)
  uncaught().throw(err, traceback, origin)
end

local handleError = nil ---@type nil|fun(err: any, origin: string): boolean

--- Sets a function that is called with each error of a listener or callback. If it returns true the
--- loop goes on; if not, the error comes out of `run`.
---@param handler fun(err: any, origin: string): boolean
function loop.handleErrors(handler)
  handleError = handler
end

local stopped

-- Runs our own loop. Returns true and whether something keeps it alive, or false and an error.
function runOwn(mode)
  local goesOn = mode == nil or mode == "default" -- after a handled error
  if core.isRunning() or not (goesOn or mode == "once" or mode == "nowait") then
    return pcall(core.run, mode) -- which raises; the error is not for the handler
  end
  stopped = false
  repeat
    local ok, result = pcall(core.run, mode)
    if ok then
      return true, result
    end
    local origin = uncaught().note(result)
    if not (handleError and handleError(result, origin)) then
      return false, result
    end
  until stopped or driver or not goesOn
  return true, core.isAlive()
end

-- Runs our own loop, and then luv's if a callback has loaded luv. Returns what `runOwn` does.
local function runAll(mode)
  if core.isRunning() then
    return runOwn(mode)
  end
  handsOver = mode == nil or mode == "default"
  local ok, alive = runOwn(mode)
  local goesOn = ok and handsOver and not stopped and loaded.luv
  handsOver = false
  if not goesOn then
    return ok, alive
  end
  attach()
  return pcall(driver.run, mode)
end

local onend = nil ---@type nil|fun()
local isDriven = false -- the program has run the loop step by step

--- Sets a function that is called when a run has come to the end of the loop, unless another loop
--- seems to drive ours.
---@param callback fun()
function loop.handleEnd(callback)
  onend = callback
end

-- The end of a run. Returns its results.
local function ended(mode, ok, alive)
  if mode ~= nil and mode ~= "default" then
    isDriven = true
  elseif ok and alive == false and onend and not isDriven and not stopped then
    onend()
  end
  return ok, alive
end

local function run(mode, isWait)
  attach()
  started = nil
  if driver then
    stopped = false
    return ended(mode, pcall(driver.run, mode, isWait))
  end
  return ended(mode, runAll(mode))
end

--- Like run, for a wait that calls `stop` at its end.
---@type fun(): boolean
loop._runToWait = core.raising(function()
  return run(nil, true)
end)

--- Runs the loop. "default" returns when nothing keeps it alive or when `stop` was called, "once"
--- waits for events and handles them, "nowait" handles those that are there. An error that a
--- listener or callback raises ends the run and comes out of it as it was raised, unless process
--- has listeners of "uncaughtException"; `traceback` returns where it came from. The loop can be
--- run again afterwards. At its end it warns of coroutines that wait for something that cannot
--- come.
---@type fun(mode?: "default"|"once"|"nowait"): boolean # whether something keeps the loop alive
loop.run = core.raising(function(mode)
  if mode ~= nil and type(mode) ~= "string" then
    return false, errors.invalidArgType("mode", "string", mode)
  end
  return run(mode, false)
end)

--- Whether a callback of the loop is running, or one of luv's loop if that drives ours.
---@return boolean
function loop.isRunning()
  return core.isRunning() or driver ~= nil and driver.isRunning()
end

--- Makes `run` return after the current callback and the functions of `nextTick`; other events that
--- are ready wait for the next run.
function loop.stop()
  stopped = true
  if driver then
    driver.stop()
  end
  core.stop()
end

--- For another event loop to drive this one: whenever the descriptor is readable, call
--- `run("nowait")`. It is readable when the loop needs an iteration, also for a timer, and for what
--- was started outside of our loop. If luv's loop drives ours, that holds for everything but luv's
--- timers: wait no longer than `timeout()`.
---@return integer # a descriptor
function loop.fd()
  isDriven, started = true, nil
  attach()
  core.openAlarm()
  return driver and driver.backend() or core.backend()
end

--- How long a loop that drives this one may wait.
---@return integer? # milliseconds; nil for no limit
function loop.timeout()
  if driver then
    return driver.timeout()
  end
  return core.timeout()
end

--- Sets a function that is called in a coroutine that is about to wait for something of ours,
--- unless `cp.async` has started the coroutine. If the coroutine belongs to another scheduler, the
--- function returns two functions: `sleep` suspends the coroutine until `wake` is called, and may
--- return earlier. Otherwise it returns nothing, and we suspend and resume the coroutine.
---@param callback? fun(): (fun()?, fun()?) nil: no function
function loop.handleWait(callback)
  if callback ~= nil then
    checkCallback(callback)
  end
  loop._prepareWait = callback
end

--- Whether anything keeps the loop alive.
---@return boolean
function loop.alive()
  return core.isAlive()
end

--- What keeps the loop alive, in words.
---@return string[]
function loop.handles()
  return core.handles()
end

--- See child_process.activeHandles.
---@return ActiveHandle[]
function loop.activeHandles()
  return require("child_process.debug.active_handles").list(driver and driver.types() or {})
end

--- The traceback of the error that `run` raised last. Error objects have it as a field, too.
---@return string?
function loop.traceback()
  return uncaught().traceback()
end

core.loop = loop -- last, since loading may run out of memory before
return loop
