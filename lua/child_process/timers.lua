--- Timers: setTimeout, setInterval, setImmediate.
local core = require("child_process.core")
local expect = require("child_process.expect")
local loop = require("child_process.loop")

---@class child_process.timers
local timers = {}

local LONGEST = 2 ^ 31 - 1

-- As in Node, what is no usable number of milliseconds counts as 1.
local function milliseconds(delay)
  delay = tonumber(delay) or 1
  if not (delay >= 1 and delay <= LONGEST) then
    delay = 1
  end
  return math.floor(delay)
end

---@class Timeout
---@field callback function
---@field delay integer milliseconds
---@field interval boolean
local Timeout = {__name = "Timeout"}
Timeout.__index = Timeout

local checkTimeout = expect.this("Timeout", Timeout)

local function start(callback, delay, interval, ...)
  expect.type("callback", "function", callback)
  local timer = setmetatable({
    callback = callback,
    delay = milliseconds(delay),
    interval = interval,
    referenced = true,
    arguments = select("#", ...) > 0 and table.pack(...) or nil,
  }, Timeout)
  timer.handle = core.timer(timer)
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
    self.callback(table.unpack(arguments, 1, arguments.n))
  else
    self.callback()
  end
end

--- The timer keeps the loop alive, as it does at first.
---@return Timeout self
function Timeout:ref()
  checkTimeout(self, "ref")
  self.referenced = true
  self.handle:reference(true)
  loop.started()
  return self
end

--- The loop may end although the timer has not gone off.
---@return Timeout self
function Timeout:unref()
  checkTimeout(self, "unref")
  self.referenced = false
  self.handle:reference(false)
  return self
end

--- Does the timer keep the loop alive?
---@return boolean
function Timeout:hasRef()
  checkTimeout(self, "hasRef")
  return self.referenced
end

--- Starts the timer anew, with the delay that it was made with.
---@return Timeout self
function Timeout:refresh()
  checkTimeout(self, "refresh")
  if not self.cleared then
    self.handle:start(self.delay)
  end
  return self
end

--- The same as clearTimeout.
---@return Timeout self
function Timeout:close()
  checkTimeout(self, "close")
  self.cleared = true
  self.handle:stop()
  return self
end

--- Calls the function once, `delay` milliseconds from now (1 to 2^31 - 1, anything else is 1).
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

--- Ends a timer; anything that is none is ignored.
---@param timer any
function timers.clearTimeout(timer)
  if getmetatable(timer) == Timeout then
    timer:close()
  end
end

--- The same as clearTimeout.
timers.clearInterval = timers.clearTimeout

-- Immediates: all that are waiting share one handle.
---@class Immediate
---@field callback function
local Immediate = {__name = "Immediate"}
Immediate.__index = Immediate

local checkImmediate = expect.this("Immediate", Immediate)

local queue = {}
local first, last = 1, 0
local referenced = 0 -- how many of those in the queue keep the loop alive
local turn

local function reference(immediate, on)
  if immediate.referenced ~= on then
    immediate.referenced = on
    if immediate.waiting then
      referenced = referenced + (on and 1 or -1)
      turn:reference(referenced > 0)
      loop.started()
    end
  end
  return immediate
end

local function take(immediate)
  immediate.waiting = false
  referenced = referenced - (immediate.referenced and 1 or 0)
end

local function onturn()
  local stop = last
  while first <= stop do
    local immediate = queue[first]
    queue[first] = nil
    first = first + 1
    if first <= last then
      -- Before the call, which may raise.
      turn:start()
    end
    if immediate.waiting then
      take(immediate)
      turn:reference(referenced > 0)
      local arguments = immediate.arguments
      immediate.callback(table.unpack(arguments, 1, arguments.n))
      loop.drain()
    end
  end
end

--- The immediate keeps the loop alive, as it does at first.
---@return Immediate self
function Immediate:ref()
  checkImmediate(self, "ref")
  return reference(self, true)
end

--- The loop may end before the immediate is called.
---@return Immediate self
function Immediate:unref()
  checkImmediate(self, "unref")
  return reference(self, false)
end

--- Does the immediate keep the loop alive?
---@return boolean
function Immediate:hasRef()
  checkImmediate(self, "hasRef")
  return self.referenced
end

--- Calls the function in this turn of the loop, after its events.
---@param callback function
---@param ... any its arguments
---@return Immediate
function timers.setImmediate(callback, ...)
  expect.type("callback", "function", callback)
  local immediate = setmetatable({
    callback = callback, arguments = table.pack(...), referenced = true, waiting = true,
  }, Immediate)
  turn = turn or core.turn({onturn = onturn})
  last = last + 1
  queue[last] = immediate
  referenced = referenced + 1
  turn:reference(true)
  turn:start()
  loop.started()
  return immediate
end

--- Takes an immediate back; anything that is none is ignored.
---@param immediate any
function timers.clearImmediate(immediate)
  if getmetatable(immediate) == Immediate and immediate.waiting then
    take(immediate)
    turn:reference(referenced > 0)
  end
end

return timers
