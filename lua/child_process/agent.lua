--- The program at the other side of a host: starts children, and relays their streams. It speaks
--- over its standard input and output, which nothing else uses any more.
---
--- It runs when the interpreter's flags name it, as in `lua -l child_process.agent`, and ends the
--- process. A program that requires it calls `run` for that.

local assign = require("child_process.base.assign")
local children = require("child_process.agent.children")
local compat = require("child_process.base.compat")
local core = require("child_process.core")
local cpus = require("child_process.process.cpus")
local errors = require("child_process.errors")
local LeftTrees = require("child_process.agent.left_trees")
local loop = require("child_process.loop")
local processArgv = require("child_process.process.argv")
local protocol = require("child_process.link.protocol")
local timers = require("child_process.timers")

local kinds = protocol.kinds

-- A host that computes answers nothing meanwhile. So it has more time than an agent.
local LOST_AFTER = 20 -- intervals without a ping

---@class Agent
---@field package link userdata of core
---@field package children table<integer, child_process.AgentChild> those that are not closed
---@field package left child_process.LeftTrees of those that are
---@field package isGreeted boolean
---@field package isEnding boolean no more children are started
---@field package hasLeft boolean what closed children have left may still run
---@field package isEnded boolean all have ended, and the last bytes are sent
---@field package isFinishing boolean nothing more is sent
---@field package isLost boolean
---@field package grace integer milliseconds
---@field package pingTimer? Timeout
local Agent = {}
Agent.__index = Agent

assign(Agent, children)

-- Frames ------------------------------------------------------------------------------------------

local onFrame = {}

-- The host sends pings. Without any it is lost, although nobody has closed the connection.
local function expectPings(self, interval)
  if interval > 0 then
    self.pingTimer = timers.setTimeout(function()
      self:lose()
    end, interval * LOST_AFTER)
    self.pingTimer:unref()
  end
end

onFrame[kinds.HELLO] = function(self, _, bytes)
  local hello = protocol.readHello(bytes)
  if not hello or self.isGreeted then
    self:lose()
    return
  end
  self.isGreeted = true
  self.grace = compat.toInteger(hello.grace) or self.grace
  self.link:send(kinds.HELLO, 0, protocol.hello(hello.nonce, {cpus = cpus()}))
  if hello.version ~= protocol.VERSION then
    self:finish()
    return
  end
  expectPings(self, compat.toInteger(hello.pingInterval) or 0)
end

onFrame[kinds.START] = function(self, id, bytes)
  if not self.isEnding and not self.children[id] then
    self:startChild(id, bytes)
  end
end

onFrame[kinds.SIGNAL] = function(self, id, bytes)
  local child, request = self:find(id), protocol.unpack(bytes)
  local options = request and {
    tree = request.tree, forceKillAfterDelay = request.delay or math.huge,
  }
  if child and request then
    child:kill(request.signum, options)
  elseif request and not self.left:kill(id, request.signum, options) then
    self:send(kinds.CLOSED, id, {isLeft = false})
  end
end

onFrame[kinds.STATS] = function(self, id, bytes)
  local child, request = self:find(id), protocol.unpack(bytes)
  local ok, result = true, nil
  if child and request then
    ok, result = pcall(child.stats, child, {tree = request.tree})
  end
  self:send(kinds.STATS, id, ok and {stats = result} or {error = protocol.packError(result)})
end

onFrame[kinds.PING] = function(self)
  if self.pingTimer then
    self.pingTimer:refresh()
  end
  self:send(kinds.PONG, 0)
end

onFrame[kinds.BYE] = function(self, _, bytes)
  local bye = protocol.unpack(bytes)
  self.grace = bye and compat.toInteger(bye.grace) or self.grace
  self:endChildren()
  self:finishIfDone()
end

--- Called by core for a frame.
function Agent:onframe(kind, id, bytes)
  if self.isFinishing or not self.isGreeted and kind ~= kinds.HELLO then
    return
  elseif onFrame[kind] then
    onFrame[kind](self, id, bytes)
  end
end

-- See active_handles.lua.
function Agent:_describe() -- luacheck: ignore 212
  return "connection", "to the host"
end

-- The end -----------------------------------------------------------------------------------------

--- Ends all children and all that they have started.
function Agent:endChildren()
  if self.isEnding then
    return
  end
  self.isEnding = true
  for _, entry in pairs(self.children) do
    entry.process:kill("SIGTERM", {tree = true, forceKillAfterDelay = self.grace})
  end
  self.left:dispose(self.grace):andThen(function()
    self.hasLeft = false
    self:finishIfDone()
  end)
end

--- Sends what is left, once all children have ended at the host's request.
function Agent:finishIfDone()
  if not self.isEnding or self.hasLeft or next(self.children) then
    return
  elseif self.isLost then
    core.exit(0)
  elseif self.isEnded then
    return
  end
  self.isEnded = true
  -- Streams that others hold end with what has arrived. Their reader may not take it.
  self.link:endAfterRest()
  self.link:awaitIdle()
  timers.setTimeout(function() self:finish() end, self.grace)
end

--- Called by core when all streams have ended.
function Agent:onidle()
  self:finish()
end

--- Ends the connection, after what was sent.
function Agent:finish()
  if not self.isFinishing then
    self.isFinishing = true
    self.link:finish()
    timers.setTimeout(core.exit, self.grace, 0)
  end
end

--- Called by core when everything was written.
function Agent:onfinished() -- luacheck: ignore 212
  core.exit(0)
end

--- The host is lost: ends all children, and then ourselves.
function Agent:lose()
  if self.isFinishing and not next(self.children) then
    core.exit(0)
  end
  self.isLost = true
  self.link:cut()
  self:endChildren()
  self:finishIfDone()
end

--- Called by core when nothing more arrives.
function Agent:onend()
  self:lose()
end

-- The program -------------------------------------------------------------------------------------

---@class child_process.agent
local agent = {}

--- Serves the host at the other end of standard input and output. Does not return.
function agent.run()
  local link, errno = core.agentLink()
  if not link then
    error(errors.system(errno, "dup"))
  end
  local self = setmetatable({
    link = link, children = {}, left = LeftTrees.new(), isGreeted = false, isEnding = false,
    hasLeft = true, isEnded = false, isFinishing = false, isLost = false, grace = 5000,
  }, Agent)
  link:setOwner(self)
  link:reference(true)
  core.resetInterrupt()
  loop.run()
  core.exit(0)
end

-- Whether the interpreter's flags name this module. Lua 5.1 makes `arg` after it has obeyed them.
local function isProgram()
  if rawget(_G, "arg") == nil then
    return true
  end
  for _, flag in ipairs(processArgv.execArgv()) do
    if flag:find("child_process.agent", 1, true) then
      return true
    end
  end
  return false
end

if isProgram() then
  agent.run()
end

return agent
