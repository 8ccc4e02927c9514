--- A part of ChannelEnd: passes messages to the listeners of the target, or to the files for the
--- protocol.

local emitters = require("child_process.events.emitter")
local errors = require("child_process.errors")
local Queue = require("child_process.base.queue")
local tick = require("child_process.base.ticks").tick

---@class child_process.ChannelEnd
local methods = {}

local handlerOf = emitters.handlerOf

local function emitMessage(target, message, handle)
  if handle == nil then
    target:emit("message", message)
  else
    target:emit("message", message, handle)
  end
end

--- Whether the channel keeps the loop alive for a listener. In the parent it always does.
---@return boolean
function methods:isListenedTo()
  local target = self.target
  return not self.keepsMessages
    or target:listenerCount("message") + target:listenerCount("disconnect") > 0
end

--- In a child: keeps messages until somebody listens.
function methods:waitForListeners()
  self.keepsMessages = true
  self:listenersChanged()
end

-- Delivers the first message that was kept. Each of the others has a tick of its own, since a
-- listener may raise.
local function deliverPending(self)
  local pending = self.pending
  if not pending or self.target:listenerCount("message") == 0 then
    return
  end
  local item = pending:pop()
  if pending:isEmpty() then
    self.pending = nil
  else
    tick(deliverPending, self)
  end
  emitMessage(self.target, item[1], item[2])
end

--- To be called when the target has got or lost listeners.
function methods:listenersChanged()
  self:updateReference()
  if self.pending and self.target:listenerCount("message") > 0 then
    tick(deliverPending, self)
  end
end

--- Emits a message, or keeps it. Called by core with each message that is not of the protocol.
---@param message any
---@param handle any that came with it
---@return boolean # false if nobody listens, and the message is lost
function methods:deliver(message, handle)
  local handler = handlerOf(self.fields, "message")
  if self.pending or handler == nil and self.keepsMessages then
    self.pending = self.pending or Queue.new()
    self.pending:push({message, handle})
  elseif handler == nil then
    if type(message) == "table" and message.child_process == "request" then
      require("child_process.channel.requests").refuse(self, message)
    end
    return false
  elseif handle == nil and type(handler) == "function" then
    handler(message) -- as emit would do, but faster
  else
    emitMessage(self.target, message, handle)
  end
  return true
end

--- Emits a message of the protocol that came with a handle.
---@param message table
---@param handle any
---@return boolean # false if nobody listens
function methods:deliverInternal(message, handle)
  return self.target:emit("internalMessage", message, handle)
end

--- The descriptor that has come with the message that is being delivered.
---@return NativeHandle?
function methods:takeDescriptor()
  return self.handle:takeDescriptor()
end

-- The modules that receive the messages of the protocol, by their first word after "NODE_".
local protocol = {
  HANDLE = "child_process.channel.handles", SOCKET = "child_process.channel.socket_counts",
}

--- Called by core with each message of the protocol.
---@param message table
function methods:oninternal(message)
  local name = protocol[message.cmd:match("^NODE_(%u+)")]
  if name then
    local target = self.target
    tick(function() -- a listener may raise
      target:emit("internalMessage", message)
    end, true)
    require(name).received(self, message)
  else
    self.target:emit("internalMessage", message)
  end
end

--- Called by core with bytes that are not a message.
---@param text string
---@param reason string
function methods:ongarbage(text, reason)
  self:emitError(errors.ipcInvalidMessage(text, reason))
  self:close()
end

return methods
