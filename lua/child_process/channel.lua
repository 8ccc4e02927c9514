--- The message channel between a parent and a child, at both of its ends.
-- The target is who has `send` and `disconnect` and emits the messages: a ChildProcess in the
-- parent, `process` in the child.
local core = require("child_process.core")
local loop = require("child_process.loop")
require("child_process.json") -- for the errors of encoding

-- Loaded with the first error: a child that starts should not wait for them.
local errors = setmetatable({}, {
  __index = function(_, constructor)
    return require("child_process.errors")[constructor]
  end,
})

local tick = loop.tick

-- What a target gets.
local methods = {}

-- The open channels by their targets, and who ever was one.
local channels = setmetatable({}, {__mode = "k"})
local targets = setmetatable({}, {__mode = "k"})

-- What belongs to the channel's end here.
---@class child_process.channel
local Channel = {}
local channelMetatable = {__name = "child_process.channel", __index = Channel}

--- What scripts see of it: child.channel, process.channel.
---@class Channel
---@field maxMessageSize integer bytes; a longer message is an error and ends the channel
local Control = {}
local controlMetatable = {__name = "Channel"}

local DEFAULT_MAX_MESSAGE_SIZE = 1 << 30

-- What Node takes for a reason to wait.
local MUCH_BACKLOG = 128 * 1024

local function setMaxMessageSize(channel, size)
  channel.maxMessageSize = size
  if channel.handle then
    channel.handle:setMaxMessageSize(size)
  end
end

function controlMetatable.__index(control, key)
  if key == "maxMessageSize" then
    return rawget(control, "_channel").maxMessageSize
  end
  return Control[key]
end

-- Setting the size of messages has an effect at once.
function controlMetatable.__newindex(control, key, value)
  if key == "maxMessageSize" then
    local size = require("child_process.arguments").check("maxMessageSize", value)
    setMaxMessageSize(control._channel, size
      or error(errors.invalidArgType("channel.maxMessageSize", "number", value)))
  else
    rawset(control, key, value)
  end
end

local function refuse()
  error(errors.notSupported("options.serialization = 'advanced'"))
end

--- Connects a target with its end of a channel.
---@param target ChildProcess|process
---@param handle userdata of core
---@param options table serialization, maxMessageSize; fields, the table behind the target; onclose,
---a function that is called with the target after the end
---@return Channel
function Channel.attach(target, handle, options)
  local channel = setmetatable({
    target = target,
    fields = options.fields,
    handle = handle,
    onclose = options.onclose,
    callbacks = {}, -- of messages that are being written: position, function, position, ...
  }, channelMetatable)
  setMaxMessageSize(channel, options.maxMessageSize or DEFAULT_MAX_MESSAGE_SIZE)
  handle:setOwner(channel)
  channels[target] = channel
  targets[target] = true
  target.channel = setmetatable({_channel = channel}, controlMetatable)
  target.connected = true
  target.send, target.disconnect = methods.send, methods.disconnect
  if options.serialization == "advanced" then
    target.send = refuse
  end
  handle:read(true)
  return channel
end

--- In the child the channel keeps the loop alive only as long as somebody listens, and messages
--- wait until then.
function Channel:waitForListeners()
  self.pending, self.firstPending, self.lastPending = {}, 1, 0
  self:listenersChanged()
end

-- The first one. The others come in ticks of their own, since a listener may raise.
local function deliverPending(channel)
  local pending, first = channel.pending, channel.firstPending
  local message = pending[first]
  if message == nil or channel.target:listenerCount("message") == 0 then
    return
  end
  pending[first] = nil
  channel.firstPending = first + 1
  tick(deliverPending, channel)
  channel.target:emit("message", message)
end

--- The target has told that listeners have come or gone.
function Channel:listenersChanged()
  local target = self.target
  local forMessages = target:listenerCount("message")
  if not self.explicit then
    self.handle:reference(forMessages + target:listenerCount("disconnect") > 0)
    loop.started()
  end
  if forMessages > 0 and self.pending[self.firstPending] ~= nil then
    tick(deliverPending, self)
  end
end

local function reference(channel, on)
  channel.explicit = true
  if channel.handle then
    channel.handle:reference(on)
    loop.started()
  end
end

--- The channel keeps the loop alive.
function Control:ref()
  reference(self._channel, true)
end

--- The loop may end although the channel is open.
function Control:unref()
  reference(self._channel, false)
end

--- For the target: listeners have come or gone.
function Control:listenersChanged()
  self._channel:listenersChanged()
end

--- Called by core with each message that has come.
---@param message any
---@param internal boolean it belongs to the protocol
function Channel:onmessage(message, internal)
  local handlers = self.fields._events
  local handler = handlers and handlers.message
  if internal then
    self.target:emit("internalMessage", message)
  elseif self.pending and (handler == nil or self.pending[self.firstPending] ~= nil) then
    self.lastPending = self.lastPending + 1
    self.pending[self.lastPending] = message
  elseif type(handler) == "function" then
    handler(message) -- as emit would
  else
    self.target:emit("message", message)
  end
end

-- Calls back for the messages that end within the first `total` bytes.
local function callBack(channel, total, err)
  local callbacks = channel.callbacks
  local count = 0
  while callbacks[count + 1] and callbacks[count + 1] <= total do
    count = count + 2
  end
  if count == 0 then
    return false
  end
  channel.callbacks = table.move(callbacks, count + 1, #callbacks, 1, {})
  for index = 2, count, 2 do
    tick(function()
      callbacks[index](err)
    end, true)
  end
  return true
end

local function emitError(target, err)
  tick(function()
    target:emit("error", err)
  end, true)
end

--- Called by core when so much was written as it was asked about, or when writing has failed.
---@param errno? integer
function Channel:onwritten(errno)
  local err = errno and errors.system(errno, "write")
  local told = callBack(self, err and math.maxinteger or self.handle:written(), err)
  if self.closing then
    if err or self.handle:backlog() == 0 then
      self:close()
    end
  elseif err and not told then
    emitError(self.target, err)
  end
  if self.handle and (self.callbacks[1] or self.closing) then
    self.handle:awaitWritten(self.callbacks[1] or select(2, self.handle:backlog()))
  end
end

local function emitDisconnect(target)
  target:emit("disconnect")
end

local function forget(target)
  channels[target] = nil
  target.channel = nil
  target.connected = false
end

-- Ends everything. What was sent is still written.
function Channel:close()
  local target, handle = self.target, self.handle
  if not handle then
    return
  end
  local written = handle:written()
  self.handle = nil
  handle:close()
  forget(target)
  callBack(self, written)
  callBack(self, math.maxinteger, errors.ipcChannelClosed())
  tick(emitDisconnect, target)
  if self.onclose then
    tick(self.onclose, target)
  end
end

-- Ends it after everything that was sent has been written, so that callbacks can tell.
local function closeWhenWritten(channel)
  channel.closing = true
  local backlog, total = channel.handle:backlog()
  if backlog == 0 then
    channel:close()
  else
    channel.handle:awaitWritten(channel.callbacks[1] or total)
    loop.started()
  end
end

--- Called by core when nothing more comes.
---@param errno? integer
function Channel:onend(errno)
  if errno == -core.errno.EMSGSIZE then
    local err = errors.system(errno, "read")
    err.message = ("%s, a message is longer than maxMessageSize (%d bytes)"):format(err.message,
      self.maxMessageSize)
    emitError(self.target, err)
  elseif errno == -core.errno.ENOMEM then
    emitError(self.target, errors.system(errno, "read"))
  end
  if self.finishing and not errno then
    closeWhenWritten(self)
  else
    self:close()
  end
end

--- Called by core for what cannot be read as a message.
---@param text string
---@param reason string
function Channel:ongarbage(text, reason)
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

local function checkCallback(callback)
  if callback ~= nil and type(callback) ~= "function" then
    error(errors.invalidArgType("callback", "function", callback))
  end
end

local function checkTarget(target, method)
  if type(target) ~= "userdata" and not targets[target] then
    error(errors.invalidThis("child:" .. method))
  end
end

local function checkSend(target, message, handle, options, callback)
  checkTarget(target, "send")
  if message == nil then
    error(errors.missingArgs("message"))
  elseif not sendable[type(message)] and message ~= core.null then
    error(errors.invalidArgType("message", {"string", "table", "number", "boolean"}, message))
  elseif options ~= nil and type(options) ~= "table" then
    error(errors.invalidArgType("options", "table", options))
  elseif handle ~= nil then
    error(errors.invalidHandleType())
  end
  checkCallback(callback)
end

-- What core could not take.
local function notSent(target, message, callback, errno)
  if not errno then
    error(errors.invalidArgValue("message", message, "has no JSON text"))
  end
  return fail(target, callback, channels[target] and errors.system(errno, "write")
    or errors.ipcChannelClosed())
end

-- The way of all messages but the simplest.
local function sendChecked(target, message, handle, options, callback)
  if type(handle) == "function" then
    handle, callback = nil, handle
  elseif type(options) == "function" then
    options, callback = nil, options
  end
  checkSend(target, message, handle, options, callback)
  local channel = channels[target]
  if not channel then
    return fail(target, callback, errors.ipcChannelClosed())
  end
  local backlog, position = channel.handle:send(message)
  if not backlog then
    return notSent(target, message, callback, position)
  end
  loop.started()
  if callback then
    local callbacks = channel.callbacks
    local count = #callbacks
    callbacks[count + 1], callbacks[count + 2] = position, callback
    if count == 0 then
      channel.handle:awaitWritten(position)
    end
  end
  return backlog < MUCH_BACKLOG
end

--- Sends a message to the other side.
--- Node text: subprocess.send(message[, sendHandle[, options]][, callback]).
---@param message any what JSON can express: strings, numbers, booleans, tables of these, cp.null
---@param handle? any
---@param options? table
---@param callback? fun(err: Error?) called when the message has been written
---@return boolean # false if the channel is closed, or if so much is waiting that more is unwise
function methods.send(target, message, handle, options, callback)
  local channel = channels[target]
  if channel and handle == nil and options == nil and callback == nil and type(message) == "table"
  then
    local backlog, position, started = channel.handle:send(message)
    if not backlog then
      return notSent(target, message, nil, position)
    elseif started then
      loop.started()
    end
    return backlog < MUCH_BACKLOG
  end
  return sendChecked(target, message, handle, options, callback)
end

--- Closes the channel. Messages that have come are still delivered, and those that were sent still
--- written, before "disconnect" is emitted.
--- Node text: subprocess.disconnect().
function methods.disconnect(target)
  checkTarget(target, "disconnect")
  local channel = channels[target]
  if not channel then
    target:emit("error", errors.ipcDisconnected())
    return
  end
  forget(target)
  channel.finishing = true
  if not channel.handle:finish() then
    closeWhenWritten(channel)
  end
end

Channel.methods = methods

return Channel
