--- The local side of a child on another host: its number there, and what the host has reported.

local core = require("child_process.core")
local Promise = require("child_process.promise.promise")
local protocol = require("child_process.link.protocol")
local Queue = require("child_process.base.queue")
local tick = require("child_process.base.ticks").tick

local kinds = protocol.kinds
local ESRCH = -core.errno.ESRCH

---@class RemoteChild
---@field package host Host
---@field package id integer
---@field child ChildProcess
---@field package channelFd? integer the child's descriptor that is a channel
---@field package relayed integer[] its descriptors whose output goes to descriptors of ours
---@field package undrained integer how many of these have bytes that were not written
---@field package state "starting"|"running"|"ended"|"failed"
---@field package isClosed boolean it has ended there, and so have its streams
---@field isLeft boolean nevertheless processes of its group go on there, as far as we know
---@field package referenced boolean
---@field package isAwaited boolean the host counts it
---@field package usage? ResourceUsage
---@field package asked? child_process.Queue promises of what it uses
---@field package exit? table the EXIT frame, while messages of the child are delivered
local RemoteChild = {}
RemoteChild.__index = RemoteChild

---@param host Host
---@param id integer
---@param child ChildProcess
---@param channelFd? integer
---@param relayed integer[]
---@return RemoteChild
function RemoteChild.new(host, id, child, channelFd, relayed)
  return setmetatable({
    host = host, id = id, child = child, channelFd = channelFd, state = "starting",
    relayed = relayed, undrained = 0,
    isClosed = false, isLeft = false, referenced = true, isAwaited = false,
  }, RemoteChild)
end

--- Whether the child may still need its host.
---@return boolean
function RemoteChild:isOpen()
  return self.state == "starting" or self.state == "running" or not self.isClosed
    or self.exit ~= nil
end

--- Whether the program runs, as far as we know.
---@return boolean
function RemoteChild:isRunning()
  return self.state == "running"
end

--- Tells the host whether the child keeps the loop alive.
function RemoteChild:updateReference()
  local isAwaited = self.referenced and self:isOpen()
  if isAwaited ~= self.isAwaited then
    self.isAwaited = isAwaited
    self.host:_countAwaited(isAwaited and 1 or -1)
  end
end

-- What ChildProcess asks for.

--- Sends a signal.
---@param signum integer
---@param tree? boolean to the child and its descendants
---@param delay? integer milliseconds after which SIGKILL follows
---@return integer? errno nil if it was sent
function RemoteChild:signal(signum, tree, delay)
  local hasEnded = self.state == "ended" and not (tree and (self.isLeft or not self.isClosed))
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

--- Asks what the child uses.
---@param tree? boolean its descendants count, too
---@return Promise # of the numbers; of nil if it does not run
function RemoteChild:askStats(tree)
  if self.state ~= "running" or not self.host:_isUsable() then
    return Promise.resolve(nil)
  end
  local promise = Promise._pending()
  self.asked = self.asked or Queue.new()
  self.asked:push(promise)
  self.host:_countAwaited(1)
  self.host:_send(kinds.STATS, self.id, {tree = tree or false})
  return promise
end

-- What the host has heard.

--- The answer to the first question of `askStats`.
---@param answer table
function RemoteChild:onstats(answer)
  local promise = self.asked and self.asked:pop()
  if not promise then
    return
  end
  self.host:_countAwaited(-1)
  if answer.error then
    promise:_reject(protocol.unpackError(answer.error))
  else
    promise:_fulfill(answer.stats)
  end
end

-- No answers will come any more.
local function dropQuestions(self)
  local promise = self.asked and self.asked:pop()
  while promise do
    self.host:_countAwaited(-1)
    promise:_fulfill(nil)
    promise = self.asked:pop()
  end
end

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
    dropQuestions(self)
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

--- Everything that has arrived for a descriptor of the child was written.
---@param fd integer
function RemoteChild:ondrained(fd)
  if fd == self.channelFd then
    reportExit(self)
    return
  end
  self.undrained = self.undrained - 1
  if self.undrained == 0 then
    close(self)
  end
end

--- The child has ended there, and its streams. What it has printed to descriptors of ours comes
--- first.
---@param isLeft? boolean processes of its group go on
function RemoteChild:onclosed(isLeft)
  self.isLeft = isLeft or false
  for _, fd in ipairs(self.relayed) do
    if self.host:_drain(self.id, fd) then
      self.undrained = self.undrained + 1
    end
  end
  if self.undrained == 0 then
    close(self)
  end
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

if core.watchRemoteChildren then -- see debug/log.lua
  core.watchRemoteChildren(RemoteChild)
end

return RemoteChild
