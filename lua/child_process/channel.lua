--- The message channel between a parent and a child, at both of its ends.
-- The target is who has `send` and `disconnect` and emits the messages: a ChildProcess in the
-- parent, `process` in the child.
local core = require("child_process.core")
local errors = require("child_process.lazy_errors")
local loop = require("child_process.loop")
require("child_process.json") -- for the errors of encoding

local tick = loop.tick

-- The open ends by their targets, and all who ever had one.
local ends = setmetatable({}, {__mode = "k"})
local targets = setmetatable({}, {__mode = "k"})

--- What belongs to the end of a channel here.
--   target, fields     who emits the messages, and the table behind its fields
--   handle             of core; nil when the channel is closed
--   state              "open"; after `disconnect` "acknowledging" while a handle is on its way,
--                      "finishing" while messages come that had begun before, "flushing" while
--                      what was sent is written; "closed"
--   onclose            called with the target after the end
--   maxMessageSize
--   referencedByUser   ref or unref was called
--   awaitedReplies     how many replies of the protocol keep the loop alive
--   keepsMessages      in a child: until somebody listens
--   pending            what nobody has listened for yet, {message, handle}, from firstPending to
--                      lastPending; nil when there is nothing
--   callbacks          of messages that are being written: {position, function}, from firstCallback
--                      to lastCallback
local ChannelEnd = {}
local endMetatable = {__name = "child_process.ChannelEnd", __index = ChannelEnd}

--- What scripts see of it: child.channel, process.channel.
---@class Channel
---@field maxMessageSize integer bytes; a longer message is an error and ends the channel
local Channel = {}
local channelMetatable = {__name = "Channel"}

local DEFAULT_MAX_MESSAGE_SIZE = 1 << 30

-- What Node takes for a reason to wait: so many bytes, or messages behind one that waits for its
-- handle to arrive.
local MUCH_BACKLOG = 128 * 1024
local MUCH_HELD = 1

local function setMaxMessageSize(self, size)
  self.maxMessageSize = size
  if self.handle then
    self.handle:setMaxMessageSize(size)
  end
end

function channelMetatable.__index(channel, key)
  if key == "maxMessageSize" then
    return rawget(channel, "_end").maxMessageSize
  end
  return Channel[key]
end

-- Setting the size of messages has an effect at once.
function channelMetatable.__newindex(channel, key, value)
  if key == "maxMessageSize" then
    local check = require("child_process.arguments").checkMaxMessageSize
    setMaxMessageSize(channel._end, check("channel.maxMessageSize", value))
  else
    rawset(channel, key, value)
  end
end

-- What a target gets.
local methods = {}

--- Connects a target with its end of a channel.
---@param target ChildProcess|process
---@param handle userdata of core
---@param options table serialization, maxMessageSize; fields, the table behind the target; onclose,
---a function that is called with the target after the end
---@return table # the end
function ChannelEnd.attach(target, handle, options)
  local self = setmetatable({
    target = target,
    fields = options.fields,
    handle = handle,
    state = "open",
    onclose = options.onclose,
    awaitedReplies = 0,
    callbacks = {}, firstCallback = 1, lastCallback = 0,
  }, endMetatable)
  setMaxMessageSize(self, options.maxMessageSize or DEFAULT_MAX_MESSAGE_SIZE)
  handle:setOwner(self)
  ends[target] = self
  targets[target] = true
  target.channel = setmetatable({_end = self}, channelMetatable)
  target.connected = true
  target.send, target.disconnect = methods.send, methods.disconnect
  if options.serialization == "advanced" then
    require("child_process.clone") -- for the classes, and the errors of encoding
    handle:setSerialization("advanced")
  end
  handle:read(true)
  return self
end

-- Keeping the loop alive --------------------------------------------------------------------

local function reference(self, on)
  if self.handle then
    self.handle:reference(on or self.awaitedReplies > 0)
    loop.started()
  end
end

-- In the child the channel keeps the loop alive only as long as somebody listens.
local function isListenedTo(self)
  local target = self.target
  return not self.keepsMessages
    or target:listenerCount("message") + target:listenerCount("disconnect") > 0
end

local function updateReference(self)
  local byUser = self.referencedByUser
  reference(self, byUser or byUser == nil and isListenedTo(self))
end

local function checkChannel(channel, method)
  if getmetatable(channel) ~= channelMetatable then
    error(errors.invalidThis("Channel:" .. method))
  end
end

--- The channel keeps the loop alive.
function Channel:ref()
  checkChannel(self, "ref")
  self._end.referencedByUser = true
  updateReference(self._end)
end

--- The loop may end although the channel is open.
function Channel:unref()
  checkChannel(self, "unref")
  self._end.referencedByUser = false
  updateReference(self._end)
end

--- More or fewer replies of the protocol are waited for.
---@param count integer
function ChannelEnd:awaitReplies(count)
  self.awaitedReplies = self.awaitedReplies + count
  updateReference(self)
end

-- Receiving ---------------------------------------------------------------------------------

--- In the child messages wait until somebody listens.
function ChannelEnd:waitForListeners()
  self.keepsMessages = true
  self:listenersChanged()
end

local function emitMessage(target, message, handle)
  if handle == nil then
    target:emit("message", message)
  else
    target:emit("message", message, handle)
  end
end

-- The first one. The others come in ticks of their own, since a listener may raise.
local function deliverPending(self)
  local pending, first = self.pending, self.firstPending
  if not pending or self.target:listenerCount("message") == 0 then
    return
  end
  local item = pending[first]
  pending[first] = nil
  self.firstPending = first + 1
  if first == self.lastPending then
    self.pending = nil
  else
    tick(deliverPending, self)
  end
  emitMessage(self.target, item[1], item[2])
end

local function keep(self, message, handle)
  if not self.pending then
    self.pending, self.firstPending, self.lastPending = {}, 1, 0
  end
  self.lastPending = self.lastPending + 1
  self.pending[self.lastPending] = {message, handle}
end

--- The target has told that listeners have come or gone.
function ChannelEnd:listenersChanged()
  updateReference(self)
  if self.pending and self.target:listenerCount("message") > 0 then
    tick(deliverPending, self)
  end
end

--- Hands a message over, or keeps it. Called by core with each that does not belong to the
--- protocol.
---@param message any
---@param handle any what came with it
---@return boolean # false if nobody listens, and it is lost
function ChannelEnd:deliver(message, handle)
  local handlers = self.fields._events
  local handler = handlers and handlers.message
  if self.pending or handler == nil and self.keepsMessages then
    keep(self, message, handle)
  elseif handler == nil then
    return false
  elseif handle == nil and type(handler) == "function" then
    handler(message) -- as emit would, in less time
  else
    emitMessage(self.target, message, handle)
  end
  return true
end

-- What the protocol does with its own messages, by their first word after "NODE_".
local protocol = {HANDLE = "child_process.handles", SOCKET = "child_process.socket_lists"}

--- Called by core with each message that belongs to the protocol.
---@param message table
function ChannelEnd:oninternal(message)
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

-- What has been written ---------------------------------------------------------------------

-- Calls back for the messages that end within the first `total` bytes. Returns whether there were
-- any.
local function callBack(self, total, err)
  local callbacks, first = self.callbacks, self.firstCallback
  local index = first
  while index <= self.lastCallback and callbacks[index][1] <= total do
    local callback = callbacks[index][2]
    callbacks[index] = nil
    index = index + 1
    tick(function()
      callback(err)
    end, true)
  end
  self.firstCallback = index
  return index > first
end

local function emitError(target, err)
  tick(function()
    target:emit("error", err)
  end, true)
end

-- Asks core to tell when the next callback is due, or everything is written.
local function awaitWritten(self)
  local next = self.callbacks[self.firstCallback]
  if next then
    self.handle:awaitWritten(next[1])
  elseif self.state == "flushing" then
    self.handle:awaitWritten(self.handle:accepted())
  end
end

--- Called by core when so much was written as it was asked about, or when writing has failed.
---@param errno? integer
function ChannelEnd:onwritten(errno)
  local err = errno and errors.system(errno, "write")
  local told = callBack(self, err and math.maxinteger or self.handle:written(), err)
  if self.state == "flushing" then
    if err or self.handle:backlog() == 0 then
      self:close()
    end
  elseif err and not told then
    emitError(self.target, err)
  end
  if self.handle then
    awaitWritten(self)
  end
end

-- The end -----------------------------------------------------------------------------------

local function emitDisconnect(target)
  target:emit("disconnect")
end

local function forget(target)
  ends[target] = nil
  target.channel = nil
  target.connected = false
end

--- Ends everything. What was sent is still written.
function ChannelEnd:close()
  local target, handle = self.target, self.handle
  if not handle then
    return
  end
  local written = handle:written()
  self.state = "closed"
  self.handle = nil
  handle:close()
  forget(target)
  callBack(self, written)
  callBack(self, math.maxinteger, errors.ipcChannelClosed())
  if self.socketLists then
    self.socketLists:close()
  end
  tick(emitDisconnect, target)
  if self.onclose then
    tick(self.onclose, target)
  end
end

-- Ends it after everything that was sent has been written, so that callbacks can tell.
local function flush(self)
  self.state = "flushing"
  if self.handle:backlog() == 0 then
    self:close()
  else
    awaitWritten(self)
    loop.started()
  end
end

-- A handle that is on its way may have to be sent once more.
local function finish(self)
  if self.handle:awaits() then
    self.state = "acknowledging"
    return
  end
  self.state = "finishing"
  if not self.handle:finish() then
    flush(self)
  end
end

--- The other side has told about the handle that was on its way.
function ChannelEnd:handleArrived()
  if self.state == "acknowledging" then
    finish(self)
  end
end

--- Called by core when nothing more comes.
---@param errno? integer
function ChannelEnd:onend(errno)
  if errno == -core.errno.EMSGSIZE then
    local err = errors.system(errno, "read")
    err.message = ("%s, a message is longer than maxMessageSize (%d bytes)"):format(err.message,
      self.maxMessageSize)
    emitError(self.target, err)
  elseif errno == -core.errno.ENOMEM then
    emitError(self.target, errors.system(errno, "read"))
  end
  if self.state == "finishing" and not errno then
    flush(self)
  else
    self:close()
  end
end

--- Called by core for what cannot be read as a message.
---@param text string
---@param reason string
function ChannelEnd:ongarbage(text, reason)
  emitError(self.target, errors.ipcInvalidMessage(text, reason))
  self:close()
end

-- Sending -----------------------------------------------------------------------------------

local sendable = {string = true, number = true, boolean = true, table = true}

local function fail(target, callback, err)
  if callback then
    tick(callback, err)
  else
    emitError(target, err)
  end
  return false
end

local function checkTarget(target, method)
  if getmetatable(target) ~= "ChildProcess" and not targets[target] then
    error(errors.invalidThis("child:" .. method))
  end
end

local function checkSend(target, message, options, callback)
  checkTarget(target, "send")
  if message == nil then
    error(errors.missingArgs("message"))
  elseif not sendable[type(message)] and message ~= core.null then
    error(errors.invalidArgType("message", {"string", "table", "number", "boolean"}, message))
  elseif options ~= nil and type(options) ~= "table" then
    error(errors.invalidArgType("options", "table", options))
  elseif callback ~= nil and type(callback) ~= "function" then
    error(errors.invalidArgType("callback", "function", callback))
  end
end

-- Calls back when everything that was sent until now has been written.
local function callBackLater(self, callback)
  local position = self.handle:accepted()
  self.lastCallback = self.lastCallback + 1
  self.callbacks[self.lastCallback] = {position, callback}
  if self.lastCallback == self.firstCallback then
    self.handle:awaitWritten(position)
  end
end

-- Gives a message to core. Returns what `send` returns, and whether the message was accepted.
local function transmit(self, target, message, descriptor, callback)
  local backlog, held, started = self.handle:send(message, descriptor)
  if not backlog then
    if not held then
      error(errors.invalidArgValue("message", message, "has no JSON text"))
    end
    return fail(target, callback, ends[target] and errors.system(held, "write")
      or errors.ipcChannelClosed())
  elseif started then
    loop.started()
  end
  if callback then
    callBackLater(self, callback)
  end
  return backlog < MUCH_BACKLOG and held <= MUCH_HELD, true
end

local function ignore() end

--- Sends a message of the protocol, in order with the others. Nobody has asked for it, so nobody
--- hears that it could not be written.
---@param message table
function ChannelEnd:sendInternal(message)
  if self.handle then
    transmit(self, self.target, message, nil, ignore)
  end
end

-- The way of all messages but the simplest.
local function sendChecked(target, message, handle, options, callback)
  if type(handle) == "function" then
    handle, options, callback = nil, nil, handle
  elseif type(options) == "function" then
    options, callback = nil, options
  end
  checkSend(target, message, options, callback)
  local self = ends[target]
  if handle ~= nil and handle ~= core.null then
    local handles = require("child_process.handles")
    handles.check(handle)
    if self then
      return handles.send(self, message, handle, options, function(envelope, descriptor)
        return transmit(self, target, envelope, descriptor, callback)
      end)
    end
  end
  if not self then
    return fail(target, callback, errors.ipcChannelClosed())
  end
  return (transmit(self, target, message, nil, callback))
end

--- Sends a message to the other side, and a handle with it if there is one: a server, a socket, a
--- stream, or a handle of luv, which the other side gets a copy of. A socket is closed here then.
--- Node text: subprocess.send(message[, sendHandle[, options]][, callback]).
---@param message any what JSON can express: strings, numbers, booleans, tables of these, cp.null;
---with serialization = "advanced" also the objects of child_process.clone
---@param handle? SendHandle
---@param options? SendOptions
---@param callback? fun(err: Error?) called when the message has been written
---@return boolean # false if the channel is closed, or if so much is waiting that more is unwise
function methods.send(target, message, handle, options, callback)
  local self = ends[target]
  if self and handle == nil and options == nil and callback == nil then
    local backlog, held, started = self.handle:send(message)
    if backlog then
      if started then
        loop.started()
      end
      return backlog < MUCH_BACKLOG and held <= MUCH_HELD
    end
  end
  return sendChecked(target, message, handle, options, callback)
end

--- Closes the channel. Messages that have come are still delivered, and those that were sent still
--- written, before "disconnect" is emitted.
--- Node text: subprocess.disconnect().
function methods.disconnect(target)
  checkTarget(target, "disconnect")
  local self = ends[target]
  if not self then
    target:emit("error", errors.ipcDisconnected())
    return
  end
  forget(target)
  finish(self)
end

ChannelEnd.methods = methods

return ChannelEnd
