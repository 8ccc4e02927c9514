--- What stands here for a child on another host: its number there, and what was heard of it.

local core = require("child_process.core")
local protocol = require("child_process.link.protocol")
local tick = require("child_process.base.ticks").tick

local kinds = protocol.kinds
local ESRCH = -core.errno.ESRCH

---@class RemoteChild
---@field package host Host
---@field package id integer
---@field package child ChildProcess
---@field package channelFd? integer the child's descriptor that is a channel
---@field package state "starting"|"running"|"ended"|"failed"
---@field package isClosed boolean nothing of it is left there
---@field package referenced boolean
---@field package isAwaited boolean the host counts it
---@field package usage? ResourceUsage
---@field package exit? table the EXIT frame, while messages of the child are delivered
local RemoteChild = {}
RemoteChild.__index = RemoteChild

---@param host Host
---@param id integer
---@param child ChildProcess
---@param channelFd? integer
---@return RemoteChild
function RemoteChild.new(host, id, child, channelFd)
  return setmetatable({
    host = host, id = id, child = child, channelFd = channelFd, state = "starting",
    isClosed = false, referenced = true, isAwaited = false,
  }, RemoteChild)
end

--- Whether the child may still need its host.
---@return boolean
function RemoteChild:isOpen()
  return self.state == "starting" or self.state == "running" or not self.isClosed
    or self.exit ~= nil
end

--- Tells the host whether the child keeps the loop alive.
function RemoteChild:updateReference()
  local isAwaited = self.referenced and self:isOpen()
  if isAwaited ~= self.isAwaited then
    self.isAwaited = isAwaited
    self.host:_countAwaited(isAwaited and 1 or -1)
  end
end

-- See ChildProcess.

--- Sends a signal.
---@param signum integer
---@param tree? boolean to the child and its descendants
---@param delay? integer milliseconds after which SIGKILL follows
---@return integer? errno nil if it was sent
function RemoteChild:signal(signum, tree, delay)
  local hasEnded = self.state == "ended" and not (tree and not self.isClosed)
  if hasEnded or self.state == "failed" or not self.host:_isUsable() then
    return ESRCH
  elseif signum ~= 0 then
    self.host:_send(kinds.SIGNAL, self.id, {signum = signum, tree = tree or false, delay = delay})
  end
end

---@param on boolean
function RemoteChild:reference(on)
  self.referenced = on
  self:updateReference()
end

---@return ResourceUsage?
function RemoteChild:getUsage()
  return self.usage
end

-- What the host has heard.

-- The child may need the host no more.
local function update(self)
  self:updateReference()
  if not self:isOpen() then
    self.host:_forget(self)
  end
end

local function close(self)
  if not self.isClosed then
    self.isClosed = true
    update(self)
    self.child:_allowClose()
  end
end

local function emitError(child, err)
  child:emit("error", err)
end

--- The program runs.
---@param pid integer
function RemoteChild:onstarted(pid)
  if self.state == "starting" then
    self.state = "running"
    self.child:_startedThere(pid)
  end
end

--- The program could not be started.
---@param err Error
function RemoteChild:onfailed(err)
  if self.state == "starting" then
    self.state = "failed"
    close(self)
    self.child:_failedThere(err)
  end
end

--- A later error of the child.
---@param err Error
function RemoteChild:onerror(err)
  self.child:emit("error", err)
end

local function reportExit(self)
  local exit = self.exit
  if exit then
    self.exit = nil
    update(self)
    self.child:_ended(exit.code, exit.signum)
  end
end

--- The program has ended. What it has sent on its channel is delivered first.
---@param exit table
function RemoteChild:onexit(exit)
  if self.state ~= "running" then
    return
  end
  self.state, self.exit, self.usage = "ended", exit, exit.usage
  self.child.isForcefullyTerminated = exit.forced or nil
  if not (self.channelFd and self.host:_drain(self.id, self.channelFd)) then
    reportExit(self)
  end
end

--- Everything that has arrived on the child's channel is in our socket.
function RemoteChild:ondrained()
  reportExit(self)
end

--- Nothing is left of the child there.
function RemoteChild:onclosed()
  close(self)
end

--- The host is lost: nothing more will be heard.
---@param err Error
function RemoteChild:onlost(err)
  if self.state == "starting" then
    self:onfailed(err)
    return
  end
  close(self)
  if self.state == "running" then
    self.state = "ended"
    update(self)
    -- First the error. It may have no listener, and raise.
    tick(self.child._ended, self.child)
    emitError(self.child, err)
  else
    reportExit(self)
  end
end

return RemoteChild
