--- Timers: setTimeout, setInterval, setImmediate.

local check = require("child_process.base.check")
local compat = require("child_process.base.compat")
local core = require("child_process.core")
local immediates = require("child_process.loop.immediates")
local loop = require("child_process.loop")

---@class child_process.timers
local timers = {}

-- As in Node, an invalid number of milliseconds counts as 1. Unlike there, the number has no upper
-- limit; math.huge means never.
local function milliseconds(delay)
  delay = tonumber(delay) or 1
  if delay < 1 or delay ~= delay then
    return 1
  end
  return check.toInteger(delay)
end

---@class Timeout
---@field callback function
---@field delay integer milliseconds
---@field interval boolean it starts again whenever it has gone off
---@field package arguments? table packed
---@field package referenced boolean it keeps the loop alive
---@field package cleared? boolean `close` was called
---@field package option? string the option of a child that it stands for
---@field package child? ChildProcess
---@field package handle userdata of core
local Timeout = compat.named({__name = "Timeout"})
Timeout.__index = Timeout

local checkThis = check.this("Timeout", Timeout)

local function start(callback, delay, interval, ...)
  check.type("callback", "function", callback)
  local timer = setmetatable({
    callback = callback,
    delay = milliseconds(delay),
    interval = interval,
    arguments = select("#", ...) > 0 and compat.pack(...) or nil,
    referenced = true,
  }, Timeout)
  timer.handle = core.timer(timer)
  loop.started(timer) -- first, since it may raise when out of memory
  timer.handle:start(timer.delay)
  loop.started()
  return timer
end

function Timeout:ontimeout()
  if self.interval then
    self.handle:start(self.delay)
  end
  local arguments = self.arguments
  if arguments then
    self.callback(compat.unpack(arguments, 1, arguments.n))
  else
    self.callback()
  end
end

-- The timer in words, see active_handles.lua.
function Timeout:_describe()
  local name = self.option or self.interval and "setInterval" or "setTimeout"
  if self.delay >= compat.maxInteger then
    return "timer", name .. " that never goes off"
  end
  local text = ("%s of %d ms"):format(name, self.delay)
  if self.child then
    text = ("%s for %s"):format(text, select(2, self.child:_describe()))
  end
  return "timer", text
end

-- Lets the words name an option of a child, and not a function that the program has not called.
function Timeout:_standsFor(option, child)
  self.option, self.child = option, child
  return self
end

-- Whether somebody waits for it, see missing_run.lua.
function Timeout:_isAwaited()
  return self.referenced and not self.cleared
end

--- The timer keeps the loop alive, as it does at first.
---@return Timeout self
function Timeout:ref()
  checkThis(self, "ref")
  self.referenced = true
  self.handle:reference(true)
  loop.started()
  return self
end

--- The loop may end although the timer has not gone off.
---@return Timeout self
function Timeout:unref()
  checkThis(self, "unref")
  self.referenced = false
  self.handle:reference(false)
  return self
end

--- Whether the timer keeps the loop alive.
---@return boolean
function Timeout:hasRef()
  checkThis(self, "hasRef")
  return self.referenced
end

--- Starts the timer anew, with the delay that it was made with.
---@return Timeout self
function Timeout:refresh()
  checkThis(self, "refresh")
  if not self.cleared then
    self.handle:start(self.delay)
  end
  return self
end

--- The same as clearTimeout.
---@return Timeout self
function Timeout:close()
  checkThis(self, "close")
  self.cleared = true
  self.handle:stop()
  return self
end

--- Calls the function once, `delay` milliseconds from now (1 or more, anything else is 1).
---@param callback function
---@param delay? number
---@param ... any its arguments
---@return Timeout
function timers.setTimeout(callback, delay, ...)
  return start(callback, delay, false, ...)
end

--- Calls the function every `delay` milliseconds.
---@param callback function
---@param delay? number
---@param ... any its arguments
---@return Timeout
function timers.setInterval(callback, delay, ...)
  return start(callback, delay, true, ...)
end

--- Ends a timer; ignores anything else.
---@param timer any
function timers.clearTimeout(timer)
  check.dot(timer, timers, "timers.clearTimeout")
  if getmetatable(timer) == Timeout then
    timer:close()
  end
end

--- The same as clearTimeout.
timers.clearInterval = timers.clearTimeout

--- Calls the function in this iteration of the loop, after its events.
---@type fun(callback: function, ...: any): Immediate
timers.setImmediate = immediates.setImmediate

--- Cancels an immediate; ignores anything else.
---@param immediate any
function timers.clearImmediate(immediate)
  check.dot(immediate, timers, "timers.clearImmediate")
  immediates.clearImmediate(immediate)
end

return timers
