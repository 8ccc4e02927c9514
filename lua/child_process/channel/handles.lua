--- Sends handles with messages and receives them: servers, sockets, streams, and handles of luv.
--- In Node: subprocess.send, "Example: sending a server object" and "sending a socket object".

local core = require("child_process.core")
local descriptor = require("child_process.base.descriptor")
local errors = require("child_process.errors")
local Stream = require("child_process.stream.stream")
local package = require("child_process.base.standard").package

---@class child_process.handles
local handles = {}

--- Objects that can be sent with a message. Userdata are handles of luv, or the field `_handle` of
--- one of the others.
---@alias SendHandle Server|Socket|Stream|DatagramSocket|NativeHandle|userdata

---@class SendOptions
---@field keepOpen? boolean a socket that is sent stays open here, too

-- A script that has an object of these modules has loaded them.
local loaded = package.loaded

-- By the name of a type on the channel:
--   descriptor(handle)                 returns the descriptor to send; nil if it was closed
--   describe(envelope, handle)         adds to the message what the other side has to know
--   sent(handle, owner, options)       called when it has left by the channel's end `owner`
--   received(native, envelope, owner)  makes the object that a listener gets; nil if the
--                                      descriptor is not of this type
--   unwanted(object)                   called if nobody listens for it
local types = {}

local function ownDescriptor(object)
  return object:_fileno()
end

local function closeUnwanted(object)
  object:close()
end

types["net.Server"] = {
  descriptor = ownDescriptor,
  received = function(native)
    local server = require("child_process.net").Server()
    return not server:_listenOn(native:take()) and server or nil
  end,
  unwanted = closeUnwanted,
}

types["net.Socket"] = {
  descriptor = ownDescriptor,
  describe = function(envelope, socket)
    local server = rawget(socket, "server")
    envelope.key = server and server:_getConnectionKey()
  end,
  sent = function(socket, owner, options)
    local server = rawget(socket, "server")
    if server then
      require("child_process.channel.socket_counts").sent(owner, server)
    end
    if not options.keepOpen then
      socket:_giveAway()
    end
  end,
  received = function(native, envelope, owner)
    if not core.isConnection(native:fileno()) then
      return nil
    end
    local handle, readable, writable = core.openSocket(native:take())
    if not handle then
      return nil
    end
    local socket = require("child_process.net").Socket({
      handle = handle, readable = readable, writable = writable,
    })
    if type(envelope.key) == "string" then
      require("child_process.channel.socket_counts").add(owner, envelope.key, socket)
    end
    return socket
  end,
  unwanted = function(socket)
    socket:destroy()
  end,
}

types["dgram.Socket"] = {
  descriptor = ownDescriptor,
  describe = function(envelope, socket)
    envelope.dgramType = socket.type
  end,
  received = function(native, envelope)
    local kind = envelope.dgramType == "udp6" and "udp6" or "udp4"
    if not core.datagramFamily(native:fileno()) then
      return nil
    end
    return require("child_process.dgram").createSocket(kind):bind({fd = native:take()})
  end,
  unwanted = closeUnwanted,
}

local nativeKind = {
  descriptor = descriptor.fileno,
  received = function(native)
    return native
  end,
  unwanted = closeUnwanted,
}
types["net.Native"], types["dgram.Native"] = nativeKind, nativeKind

-- The types of bare handles, by their classes.
local natives = {
  ["child_process.StreamHandle"] = "net.Native", ["child_process.ListenerHandle"] = "net.Native",
  ["child_process.DatagramHandle"] = "dgram.Native",
  uv_tcp = "net.Native", uv_pipe = "net.Native", uv_tty = "net.Native", uv_udp = "dgram.Native",
}

-- The name of a bare handle's type, even if it is closed; nil if the value cannot be sent.
local function typeOfNative(value)
  local class = descriptor.classOf(value)
  if class ~= "child_process.Descriptor" then
    return natives[class]
  end
  local fd = value:fileno()
  return fd and core.datagramFamily(fd) and "dgram.Native" or "net.Native"
end

local function isOf(value, module, predicate)
  return loaded[module] and loaded[module][predicate](value)
end

-- A stream on a file cannot be sent. A closed one may have been on anything.
local function isConnection(stream)
  local fd = ownDescriptor(stream)
  return not fd or core.isConnection(fd)
end

-- The name of a handle's type; nil if the value cannot be sent.
local function typeOf(value)
  local kind = type(value)
  if kind == "userdata" then
    return typeOfNative(value)
  elseif kind ~= "table" then
    return nil
  elseif Stream.isStream(value) then
    return isConnection(value) and "net.Socket" or nil
  elseif isOf(value, "child_process.net.server", "isServer") then
    return "net.Server"
  elseif isOf(value, "child_process.dgram", "isSocket") then
    return "dgram.Socket"
  end
  return nil
end

--- Raises ERR_INVALID_HANDLE_TYPE for a value that cannot be sent.
---@param handle any
function handles.check(handle)
  if not typeOf(handle) then
    error(errors.invalidHandleType())
  end
end

--- Sends a message with a handle, or without the handle if that has been closed.
---@param owner child_process.ChannelEnd
---@param message any
---@param handle SendHandle that `check` has accepted
---@param options? SendOptions
---@param callback? fun(err?: Error)
---@return boolean # for `send` to return
function handles.send(owner, message, handle, options, callback)
  local name = typeOf(handle)
  local kind = types[name]
  local fd = kind.descriptor(handle)
  if not fd then
    return (owner:transmit(message, nil, callback))
  end
  local envelope = {cmd = "NODE_HANDLE", type = name, msg = message}
  if kind.describe then
    kind.describe(envelope, handle)
  end
  local isLow, isAccepted = owner:transmit(envelope, fd, callback)
  if isAccepted and kind.sent then
    kind.sent(handle, owner, options or {})
  end
  return isLow
end

-- Receiving ---------------------------------------------------------------------------------

local commands = {}

function commands.NODE_HANDLE(owner, envelope)
  local native = owner:takeDescriptor()
  if not native then
    -- It was lost on the way, for instance because no descriptor was free.
    owner:reply("NODE_HANDLE_NACK")
    return
  end
  owner:reply("NODE_HANDLE_ACK")
  local kind = types[envelope.type]
  local object = kind and kind.received(native, envelope, owner)
  if not object then
    native:close()
  end
  local wanted
  if core.isInternal(envelope.msg) then
    wanted = owner:deliverInternal(envelope.msg, object)
  else
    wanted = owner:deliver(envelope.msg, object)
  end
  if object and not wanted then
    kind.unwanted(object)
  end
end

function commands.NODE_HANDLE_ACK(owner)
  owner:acknowledge()
end

function commands.NODE_HANDLE_NACK(owner)
  owner:retry()
end

--- To be called with each message of the protocol about handles.
---@param owner child_process.ChannelEnd
---@param message table
function handles.received(owner, message)
  local command = commands[message.cmd]
  if command then
    command(owner, message)
  end
end

return handles
