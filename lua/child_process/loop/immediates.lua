--- Immediates: functions that are called in this iteration of the loop, after its events. All that
--- wait share one handle.

local check = require("child_process.base.check")
local compat = require("child_process.base.compat")
local core = require("child_process.core")
local loop = require("child_process.loop")
local Queue = require("child_process.base.queue")
local ticks = require("child_process.base.ticks")

---@class child_process.immediates
local immediates = {}

---@class Immediate
---@field callback function
---@field package arguments? table packed
---@field package referenced boolean it keeps the loop alive while it waits
---@field package waiting boolean it was not called or cancelled yet
local Immediate = compat.named({__name = "Immediate"})
Immediate.__index = Immediate

local checkThis = check.this("Immediate", Immediate)

local queue = Queue.new()
local referenced = 0 -- number of those that wait and keep the loop alive
local handle -- of core, made with the first immediate

local function changeReferenced(change)
  local before = referenced
  referenced = before + change
  if before == 0 or referenced == 0 then
    handle:reference(referenced > 0)
  end
end

-- Notes that the immediate waits no longer.
local function take(immediate)
  immediate.waiting = false
  if immediate.referenced then
    changeReferenced(-1)
  end
end

local function setReferenced(immediate, on)
  if immediate.referenced ~= on then
    immediate.referenced = on
    if immediate.waiting then
      changeReferenced(on and 1 or -1)
      loop.started()
    end
  end
  return immediate
end

-- Calls those that wait now; what they add waits for the next iteration.
local function callAll()
  for left = queue:length(), 1, -1 do
    local immediate = queue:pop()
    if left > 1 then
      handle:start() -- before the call, which may raise
    end
    if immediate.waiting then
      take(immediate)
      local arguments = immediate.arguments
      if arguments then
        immediate.callback(compat.unpack(arguments, 1, arguments.n))
      else
        immediate.callback()
      end
      ticks.drain()
      if core.isEnding() then
        return
      end
    end
  end
end

-- The immediates that wait and keep the loop alive, for active_handles.lua.
local function waiting()
  local list = {}
  for immediate in queue:values() do
    if immediate.waiting and immediate.referenced then
      list[#list + 1] = immediate
    end
  end
  return list
end

--- The immediate keeps the loop alive, as it does at first.
---@return Immediate self
function Immediate:ref()
  checkThis(self, "ref")
  return setReferenced(self, true)
end

--- The loop may end before the immediate is called.
---@return Immediate self
function Immediate:unref()
  checkThis(self, "unref")
  return setReferenced(self, false)
end

--- Whether the immediate keeps the loop alive.
---@return boolean
function Immediate:hasRef()
  checkThis(self, "hasRef")
  return self.referenced
end

--- Calls the function in this iteration of the loop, after its events.
---@param callback function
---@param ... any its arguments
---@return Immediate
function immediates.setImmediate(callback, ...)
  check.type("callback", "function", callback)
  local immediate = setmetatable({
    callback = callback,
    arguments = select("#", ...) > 0 and compat.pack(...) or nil,
    referenced = true,
    waiting = true,
  }, Immediate)
  handle = handle or core.immediate({onimmediate = callAll, waiting = waiting})
  queue:push(immediate)
  changeReferenced(1)
  handle:start()
  loop.started()
  return immediate
end

--- Cancels an immediate; ignores anything else.
---@param immediate any
function immediates.clearImmediate(immediate)
  if getmetatable(immediate) == Immediate and immediate.waiting then
    take(immediate)
  end
end

-- debug/origins.lua
if core.origins then
  immediates.setImmediate = core.origins.noting(immediates.setImmediate)
end

return immediates
