--- The event loop: running it, ticks, and what a program with a loop of its own needs.
local core = require("child_process.core")
local errors = require("child_process.lazy_errors")
require("child_process.files") -- before the program changes directories

---@class child_process.loop
local loop = {}

-- Ticks, in order. Each takes two places, for the function and its argument, so that adding one
-- makes no garbage.
local ticks = {}
local first, last = 1, 0

-- What is to be called when no tick is left. While there is something here, callLater
-- is a tick.
local later = {}

-- Calls every tick, also those that ticks add. One that raises has been taken off before.
local function drain()
  while first < last do
    local callback, argument = ticks[first], ticks[first + 1]
    ticks[first], ticks[first + 1] = nil, nil
    first = first + 2
    callback(argument)
  end
  first, last = 1, 0
end

local function bind(callback, ...)
  local arguments = table.pack(...)
  return function()
    callback(table.unpack(arguments, 1, arguments.n))
  end
end

-- All calls from C come through here: a method, its object, and what it is to be told, which is
-- three values at most.
local function dispatch(method, object, a, b, c)
  method(object, a, b, c)
  if last > 0 then
    drain()
  end
end

core.setDispatcher(dispatch, drain)

--- Calls all ticks now, for those who call several callbacks in one event.
loop.drain = drain

-- Where luv is loaded its loop drives ours; this is set then. See luv.lua.
local driver
local loaded = package.loaded

--- To be called when something was started that may have to keep the loop alive.
function loop.started()
  if not driver and loaded.luv then
    driver = require("child_process.luv")
  end
  if driver then
    driver.attach()
  end
end

--- As nextTick, for this module's own use: no checks, and one argument, which must not be nil.
---@param callback fun(argument: any)
---@param argument any
function loop.tick(callback, argument)
  if last == 0 then
    core.wake()
    loop.started()
  end
  ticks[last + 1], ticks[last + 2] = callback, argument
  last = last + 2
end

--- Calls the function after the running callback and before any other event of the loop.
---@param callback function
---@param ... any its arguments
function loop.nextTick(callback, ...)
  if type(callback) ~= "function" then
    error(errors.invalidArgType("callback", "function", callback))
  end
  loop.tick(bind(callback, ...), true)
end

-- The tick that waits for the others, and then calls one of those who wait for that.
local function callLater()
  if first < last then
    loop.tick(callLater, true)
    return
  end
  local callback = table.remove(later, 1)
  if later[1] then
    loop.tick(callLater, true)
  end
  callback()
end

--- As `tick`, after all other ticks and those that they add.
---@param callback fun()
function loop.afterTicks(callback)
  later[#later + 1] = callback
  if #later == 1 then
    loop.tick(callLater, true)
  end
end

-- Errors that nobody has caught -------------------------------------------------------------

local handleError = nil ---@type nil|fun(err: any, origin: string): boolean
local stopped

-- What is known about errors that `throw` has raised, and of the one that run has raised last.
local thrown = {}
local lastTraceback

local function raise(entry)
  if entry.err ~= nil and entry.err == entry.err then
    thrown[entry.err] = entry
  end
  error(entry.err, 0)
end

--- Lets an error that was caught come out of `run`, on a tick.
---@param err any
---@param traceback? string where it was raised
---@param origin? string for "uncaughtException" of process, default that word
function loop.throw(err, traceback, origin)
  loop.tick(raise, {err = err, traceback = traceback, origin = origin})
end

-- What `throw` was told about an error that has come out of the loop; returns its origin.
local function recall(err)
  local entry = err ~= nil and thrown[err]
  lastTraceback = nil
  if not entry then
    return "uncaughtException"
  end
  thrown[err] = nil
  lastTraceback = entry.traceback
  if lastTraceback and errors.isError(err) then
    err.traceback = lastTraceback -- in the place of ours
  end
  return entry.origin or "uncaughtException"
end

--- Sets what is called with each error that a listener or callback has raised, after it has left
--- the loop. If that returns true the loop goes on; if not, the error comes out of `run`.
---@param handler fun(err: any, origin: string): boolean
function loop.handleErrors(handler)
  handleError = handler
end

--- Turns our own loop, as `run` does; also for luv's loop where that drives ours.
---@param mode? "default"|"once"|"nowait"
---@return boolean # is something still alive?
function loop.turn(mode)
  local goesOn = mode == nil or mode == "default" -- after an error that was handled
  if core.isRunning() or not (goesOn or mode == "once" or mode == "nowait") then
    return core.run(mode) -- which raises, and not for the handler
  end
  stopped = false
  repeat
    local ok, result = pcall(core.run, mode)
    if ok then
      return result
    end
    local origin = recall(result)
    if not (handleError and handleError(result, origin)) then
      error(result, 0)
    end
  until stopped or not goesOn
  return core.isAlive()
end

--- Turns the loop. "default" returns when nothing keeps it alive or when `stop` was called, "once"
--- waits for events and handles them, "nowait" handles those that are there. An error that a
--- listener or callback raises ends the run and comes out of it as it was raised, unless process
--- has listeners of "uncaughtException"; `traceback` tells where it came from. The loop can be run
--- again afterwards.
---@param mode? "default"|"once"|"nowait"
---@return boolean # is something still alive?
function loop.run(mode)
  loop.started()
  if driver then
    return driver.run(mode)
  end
  return loop.turn(mode)
end

--- Does a callback of the loop run, or of luv's where that one is driven?
---@return boolean
function loop.isRunning()
  return core.isRunning() or driver ~= nil and driver.isRunning()
end

--- Makes `run` return after the present callback; what else is ready waits for the next run.
function loop.stop()
  stopped = true
  if driver then
    driver.stop()
  end
  core.stop()
end

--- For an event loop that drives ours: wait until `fd` is readable or `timeout` is over, then call
--- `run("nowait")`, and before waiting again ask for the timeout again.
---@return integer # a descriptor
function loop.fd()
  return core.backend()
end

---@return integer? # milliseconds, nil for no limit
function loop.timeout()
  return core.timeout()
end

--- Does anything keep the loop alive?
---@return boolean
function loop.alive()
  return core.isAlive()
end

--- What keeps the loop alive, in words.
---@return string[]
function loop.handles()
  return core.handles()
end

--- Where the error came from that `run` raised last. Error objects have it as a field too.
---@return string?
function loop.traceback()
  return lastTraceback or core.traceback()
end

return loop
