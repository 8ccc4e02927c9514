--- Ticks: functions to call after the running callback and before any other event of the loop. All
--- calls from C come through this file, which calls the ticks after each of them.

local core = require("child_process.core")

-- A program that reloads the Lua modules keeps its ticks, as it keeps its loop.
if core.ticks then
  return core.ticks
end

---@class child_process.ticks
local ticks = {}

-- The ticks in order. Each has two places, for the function and its argument, so that adding one
-- allocates nothing. This is the busiest of all queues, and does without the calls of base/queue.
local queue = {}
local first, last = 1, 0

-- Functions to call when no tick is left. While there are any, callLater is one of the ticks.
local later = {}

--- Calls all ticks now, and those that they add. A tick is removed before it is called, so one that
--- raises is not called again.
function ticks.drain()
  while first < last do
    local callback, argument = queue[first], queue[first + 1]
    queue[first], queue[first + 1] = nil, nil
    first = first + 2
    callback(argument)
  end
  first, last = 1, 0
end

local drain = ticks.drain

-- Makes a call for C: of a method, with its object and at most three arguments.
local function dispatch(method, object, a, b, c)
  method(object, a, b, c)
  if last > 0 then
    drain()
  end
end

local onfirst = nil ---@type nil|fun()

--- Sets a function that is called when a tick is added to an empty queue.
---@param callback fun()
function ticks.handleFirst(callback)
  onfirst = callback
end

--- Adds a tick. Unlike loop.nextTick it checks nothing.
---@param callback fun(argument: any)
---@param argument any not nil
function ticks.tick(callback, argument)
  if last == 0 then
    core.wake()
    if onfirst then
      onfirst()
    end
  end
  queue[last + 1], queue[last + 2] = callback, argument
  last = last + 2
end

local tick = ticks.tick

-- The tick that waits for the others, then calls one of the functions in `later`.
local function callLater()
  if first < last then
    tick(callLater, true)
    return
  end
  local callback = table.remove(later, 1)
  if later[1] then
    tick(callLater, true)
  end
  callback()
end

--- Like `tick`, but after all other ticks and those that they add.
---@param callback fun()
function ticks.afterTicks(callback)
  later[#later + 1] = callback
  if #later == 1 then
    tick(callLater, true)
  end
end

local copied = {} -- functions to call in a copy of the process

--- Adds a function to call in a copy of the process, made by fork(2), before the copy uses the
--- loop. It must not raise.
---@param callback fun()
function ticks.onCopied(callback)
  copied[#copied + 1] = callback
end

core.setDispatcher(dispatch, drain, function()
  for index = 1, #copied do
    copied[index]()
  end
end)

core.ticks = ticks -- last, since loading may run out of memory before
return ticks
