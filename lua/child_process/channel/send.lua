--- The methods `send` and `disconnect` of a ChildProcess and of process.

local ChannelEnd = require("child_process.channel.end")
local core = require("child_process.core")
local errors = require("child_process.errors")
local loop = require("child_process.loop")
local tick = require("child_process.base.ticks").tick

---@class child_process.send
local methods = {}

local checkTarget, ends = ChannelEnd.checkTarget, ChannelEnd.byTarget

local sendable = {string = true, number = true, boolean = true, table = true}

local SEND_OPTIONS = {keepOpen = true}

local function checkSend(target, message, options, callback)
  checkTarget(target, "send")
  if message == nil then
    error(errors.missingArgs("message"))
  elseif not sendable[type(message)] and message ~= core.null then
    error(errors.invalidArgType("message", {"string", "table", "number", "boolean"}, message))
  elseif callback ~= nil and type(callback) ~= "function" then
    error(errors.invalidArgType("callback", "function", callback))
  elseif options ~= nil then
    require("child_process.base.check").options("send", options, SEND_OPTIONS)
  end
end

-- The target has no open channel.
local function failClosed(target, callback)
  local err = errors.ipcChannelClosed()
  if callback then
    tick(callback, err)
  else
    ChannelEnd.emitErrorOf(target, err)
  end
  return false
end

-- Sends any message; `send` itself sends the simplest ones.
local function sendChecked(target, message, handle, options, callback)
  if type(handle) == "function" then
    handle, options, callback = nil, nil, handle
  elseif type(options) == "function" then
    options, callback = nil, options
  end
  checkSend(target, message, options, callback)
  local channelEnd = ends[target]
  if handle ~= nil and handle ~= core.null then
    local handles = require("child_process.channel.handles")
    handles.check(handle)
    if channelEnd then
      channelEnd:checkTakesHandles()
      return handles.send(channelEnd, message, handle, options, callback)
    end
  end
  if not channelEnd then
    return failClosed(target, callback)
  end
  return (channelEnd:transmit(message, nil, callback))
end

--- Sends a message to the other side, and with it a handle if there is one: a server, a socket, a
--- stream, or a handle of luv. The other side gets a copy of it; a socket is then closed here.
--- In Node: subprocess.send(message[, sendHandle[, options]][, callback]).
---@param target ChildProcess|process
---@param message any what JSON can express: strings, numbers, booleans, tables of these, cp.null;
---with serialization = "advanced" also the objects of child_process.clone
---@param handle? SendHandle
---@param options? SendOptions
---@param callback? fun(err: Error?) called when the message has been written
---@return boolean # false if the channel is closed, or the backlog is high
function methods.send(target, message, handle, options, callback)
  local channelEnd = ends[target]
  if channelEnd and handle == nil and options == nil and callback == nil then
    -- Straight to the handle: a call of ChannelEnd's for each message would cost too much.
    local isLow, started = channelEnd.handle:send(message)
    if isLow ~= nil then
      if started then
        loop.started()
      end
      return isLow
    end
  end
  return sendChecked(target, message, handle, options, callback)
end

--- Closes the channel. Messages that have arrived are still delivered, and sent ones still written,
--- before "disconnect".
--- In Node: subprocess.disconnect().
---@param target ChildProcess|process
function methods.disconnect(target)
  checkTarget(target, "disconnect")
  local channelEnd = ends[target]
  if channelEnd then
    channelEnd:disconnect()
  else
    target:emit("error", errors.ipcDisconnected())
  end
end

return methods
