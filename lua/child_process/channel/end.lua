--- One end of a message channel: its states, and how it closes. Its target is the object that emits
--- the messages: a ChildProcess in the parent, `process` in the child.

local assign = require("child_process.base.assign")
local core = require("child_process.core")
local errors = require("child_process.errors")
local incoming = require("child_process.channel.incoming")
local loop = require("child_process.loop")
local newChannel = require("child_process.channel.channel")
local outgoing = require("child_process.channel.outgoing")
local Queue = require("child_process.base.queue")
local ticks = require("child_process.base.ticks")
require("child_process.json") -- for the errors of encoding

local tick = ticks.tick

---@class child_process.ChannelEnd
local ChannelEnd = {}
local metatable = {__name = "child_process.ChannelEnd", __index = ChannelEnd}

assign(ChannelEnd, incoming, outgoing)

-- The connected ends by their targets, and all targets that ever had one. The target holds its end.
-- The table must not, since before Lua 5.2 the end would then keep its target alive.
local ends = setmetatable({}, {__mode = "kv"})
local targets = setmetatable({}, {__mode = "k"})

--- The connected end of each target, to be read only.
---@type table<ChildProcess|process, child_process.ChannelEnd>
ChannelEnd.byTarget = ends

--- Raises an error if a method that needs a channel is called on what cannot have one.
---@param target any
---@param method string
function ChannelEnd.checkTarget(target, method)
  if getmetatable(target) ~= "ChildProcess" and targets[target] == nil then
    error(errors.invalidThis("child:" .. method))
  end
end

-- The states that may follow each state.
local NEXT = {
  -- Messages go both ways.
  open = {acknowledging = true, finishing = true, closed = true},
  -- `disconnect` was called; a handle is on its way, and may have to be sent once more.
  acknowledging = {finishing = true, closed = true},
  -- `disconnect` was called; messages that have arrived, at least in part, are delivered.
  finishing = {flushing = true, closed = true},
  -- Everything has been delivered; messages that were sent are written, and call back.
  flushing = {closed = true},
  closed = {},
}

local function enter(self, state)
  if state ~= self.state and not NEXT[self.state][state] then
    error(("child_process: a channel that is %s cannot be %s"):format(self.state, state))
  end
  self.state = state
end

local DEFAULT_MAX_MESSAGE_SIZE = 0x40000000

-- A tick: the channel cannot be read.
local function readingFailed(failure)
  failure[1]:onend(failure[2])
end

--- Connects a target with its end of a channel. The target gets the fields `connected` and
--- `channel`.
---@param target ChildProcess|process
---@param handle userdata of core
---@param options table serialization, maxMessageSize; preambleSize, the bytes that were sent ahead
---of the messages; refusesHandles, if the other side is on another host; fields, the table behind
---the target; onclose, a function that is called with the target after the end; failed, an errno if
---the channel cannot be used
---@return child_process.ChannelEnd
function ChannelEnd.new(target, handle, options)
  local self = setmetatable({
    target = target,
    fields = options.fields,   -- the table that holds the target's fields
    handle = handle,           -- of core; nil in the state "closed"
    state = "open",            -- see NEXT
    onclose = options.onclose, -- called with the target after "disconnect"
    onclosing = nil,           -- see atClose
    requests = nil,            -- the Requests, once there were any
    ondelivered = nil,         -- see drain
    hasDisconnected = false,   -- "disconnect" was emitted, or is about to be
    maxMessageSize = options.maxMessageSize or DEFAULT_MAX_MESSAGE_SIZE,
    preambleSize = options.preambleSize or 0, -- bytes
    refusesHandles = options.refusesHandles or false,
    referencedByUser = nil,    -- set by ref and unref of the channel
    awaitedReplies = 0,        -- replies of the protocol that keep the loop alive
    keepsMessages = false,     -- in a child: it keeps them until somebody listens
    pending = nil,             -- a queue of {message, handle} that nobody has listened for yet
    callbacks = Queue.new(),   -- {position, function} of messages that are not written yet
    sendError = nil,           -- to be emitted after the messages that have arrived
  }, metatable)
  handle:setMaxMessageSize(self.maxMessageSize)
  handle:setOwner(self)
  ends[target] = self
  targets[target] = true
  target.channel = newChannel(self)
  target.connected = true
  if options.serialization == "advanced" then
    require("child_process.clone") -- for the classes, and the errors of encoding
    handle:setSerialization("advanced")
  end
  local errno = options.failed or handle:read(true)
  if errno then
    tick(readingFailed, {self, errno})
  end
  return self
end

--- Whether messages can be sent: the target has not called `disconnect`, and the channel is open.
---@return boolean
function ChannelEnd:isConnected()
  return ends[self.target] == self
end

-- The channel in words, see active_handles.lua.
function ChannelEnd:_describe()
  if core.kindOf(self.target) == "ChildProcess" then
    return "channel", "to " .. select(2, self.target:_describe())
  end
  return "channel", "to the parent"
end

---@return boolean
function ChannelEnd:isClosed()
  return self.state == "closed"
end

---@return boolean # whether "disconnect" was emitted
function ChannelEnd:isDisconnected()
  return self.hasDisconnected
end

--- Raises unless descriptors can go with messages.
function ChannelEnd:checkTakesHandles()
  if self.refusesHandles then
    local err = errors.invalidHandleType()
    err.message = err.message .. ": the other side is on another host"
    error(err)
  end
end

---@return integer bytes
function ChannelEnd:getMaxMessageSize()
  return self.maxMessageSize
end

---@param size integer bytes
function ChannelEnd:setMaxMessageSize(size)
  self.maxMessageSize = size
  if self.handle then
    self.handle:setMaxMessageSize(size)
  end
end

--- Updates whether the channel keeps the loop alive. Its `ref` and `unref` decide that, or else its
--- listeners; a reply that is awaited keeps the loop alive in any case.
function ChannelEnd:updateReference()
  if self.handle then
    local on = self.referencedByUser
    if on == nil then
      on = self:isListenedTo()
    end
    self.handle:reference(on or self.awaitedReplies > 0)
    loop.started()
  end
end

--- Called by ref and unref of the channel.
---@param on boolean whether it keeps the loop alive
function ChannelEnd:reference(on)
  self.referencedByUser = on
  self:updateReference()
end

--- Changes the number of replies that keep the loop alive.
---@param count integer to add; negative when replies have come
function ChannelEnd:awaitReplies(count)
  self.awaitedReplies = self.awaitedReplies + count
  self:updateReference()
end

--- Adds a function that is called when the channel closes.
---@param callback fun(byPeer: boolean) whether the other side has closed it, or has ended
function ChannelEnd:atClose(callback)
  local others = self.onclosing
  self.onclosing = others and function(byPeer)
    others(byPeer)
    callback(byPeer)
  end or callback
end

local function emitDisconnect(self)
  self.hasDisconnected = true
  self.target:emit("disconnect")
end

local function forget(target)
  ends[target] = nil
  target.channel = nil
  target.connected = false
end

--- Closes the channel. Messages that were sent are still written, unless it is cut.
---@param isCut? boolean nobody reads them
function ChannelEnd:close(isCut)
  local target, handle = self.target, self.handle
  if not handle then
    return
  end
  local written, byPeer = handle:written(), self.state == "open"
  if isCut then
    handle:drop()
  end
  handle:close()
  enter(self, "closed")
  self.handle = nil
  forget(target)
  self:callBackAll(written)
  if self.onclosing then
    self.onclosing(byPeer)
  end
  self:reportSendError()
  tick(emitDisconnect, self)
  if self.onclose then
    tick(self.onclose, target)
  end
  self:ondrained()
end

--- Closes the channel without any event.
function ChannelEnd:abandon()
  enter(self, "closed")
  self.handle:close()
  self.handle = nil
end

-- In a copy of the process: the channels are the original's.
ticks.onCopied(function()
  for target, self in pairs(ends) do
    self:abandon()
    forget(target)
  end
end)

-- Closes the channel after all messages that were sent have been written.
local function flush(self)
  if self.handle:backlog() == 0 then
    self:close()
  else
    self:awaitAllWritten()
    loop.started()
    enter(self, "flushing")
  end
end

-- A handle that is on its way may have to be sent once more.
local function finish(self)
  if self.state == "open" and self.handle:awaitsAck() then
    enter(self, "acknowledging")
    return
  end
  local isDelivering = self.handle:finish()
  enter(self, "finishing")
  if not isDelivering then
    flush(self)
  end
end

--- Closes the channel after all messages that have arrived were delivered, and all that were sent
--- were written.
function ChannelEnd:disconnect()
  finish(self)
  forget(self.target) -- last: if finish raises, out of memory, this can be called again
end

--- Whether the channel closes when all messages that were sent have been written.
---@return boolean
function ChannelEnd:isFlushing()
  return self.state == "flushing"
end

--- To be called while the channel is flushing, when more was written or writing has failed.
---@param err? Error
function ChannelEnd:flushed(err)
  if err or self.handle:backlog() == 0 then
    self:close()
  end
end

local function handleArrived(self)
  if self.state == "acknowledging" then
    finish(self)
  end
end

--- The other side has got the handle that was on its way.
function ChannelEnd:acknowledge()
  self.handle:acknowledge()
  handleArrived(self)
end

--- Sends the handle once more, as the other side has not got it; gives up after many tries.
function ChannelEnd:retry()
  if self.handle:retry() then
    require("child_process.base.warnings").warn(
      "Handle did not reach the receiving process correctly", "SentHandleNotReceivedWarning")
    handleArrived(self)
  end
end

--- Emits an error of a channel that is open or was, on a tick.
---@param target ChildProcess|process
---@param err Error
function ChannelEnd.emitErrorOf(target, err)
  tick(function()
    target:emit("error", err)
  end, true)
end

--- Emits an error, on a tick.
---@param err Error
function ChannelEnd:emitError(err)
  ChannelEnd.emitErrorOf(self.target, err)
end

--- Calls back when all messages that have arrived by now are delivered; after "disconnect" if the
--- other side has closed the channel, or if we have closed it and all messages were written.
---@param callback fun(target: table) called in a tick
function ChannelEnd:drain(callback)
  self.ondelivered = callback
  self.handle:drain()
end

--- Closes the channel to a child that has ended, after the messages that have arrived. Other
--- processes may hold the other end.
---@return boolean # false if it was closed before
function ChannelEnd:cut()
  if self:isClosed() then
    return false
  end
  self:drain(function()
    self:close(true)
  end)
  return true
end

--- Called by core after `drain`, when all messages are delivered.
function ChannelEnd:ondrained()
  local callback = self.ondelivered
  self:reportSendError()
  if callback then
    self.ondelivered = nil
    tick(callback, self.target)
  end
end

--- Whether an error means that the other side has gone without reading everything.
---@param errno integer
---@return boolean
function ChannelEnd.hasGone(errno)
  return errno == -core.errno.ECONNRESET or errno == -core.errno.EPIPE
end

local function readError(self, errno)
  local err = errors.system(errno, "read")
  if errno == -core.errno.EMSGSIZE then
    err.message = ("%s, a message is longer than maxMessageSize (%d bytes)"):format(err.message,
      self.maxMessageSize)
  end
  return err
end

--- Called by core when nothing more arrives.
---@param errno? integer
function ChannelEnd:onend(errno)
  if errno and not ChannelEnd.hasGone(errno) then
    self:emitError(readError(self, errno))
  end
  if self.state == "finishing" and not errno then
    flush(self)
  else
    self:close()
  end
end

return ChannelEnd
