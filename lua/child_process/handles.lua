--- Handles that go with messages: servers, sockets, streams, and those of luv. What they are called
--- on the way, how they leave, and what becomes of them on the other side.
--- Node text: subprocess.send, "Example: sending a server object" and "sending a socket object".
local core = require("child_process.core")
local errors = require("child_process.lazy_errors")
local events = require("child_process.events")
local native = require("child_process.native")
local Stream = require("child_process.stream")

---@class child_process.handles
local handles = {}

--- What may go with a message; userdata are the `_handle` of the others, and handles of luv.
---@alias SendHandle Server|Socket|Stream|DatagramSocket|NativeHandle|userdata

---@class SendOptions
---@field keepOpen? boolean a socket that is sent stays open here, too

-- What a script can only have got from these modules need not have them loaded.
local loaded = package.loaded

-- By the name of a type on the channel:
--   descriptor(handle)                  what is sent, or nil if it was closed meanwhile
--   describe(envelope, handle)          adds what the other side has to know
--   sent(handle, owner, options)        it has left by the channel's end `owner`
--   received(descriptor, envelope, owner)  the object that a listener gets; nil if the
--                                          descriptor is not what the other side says
--   unwanted(object)                    nobody listens for it
local types = {}

local function ownDescriptor(object)
  return native.fileno(object._handle)
end

local function closeUnwanted(object)
  object:close()
end

types["net.Server"] = {
  descriptor = ownDescriptor,
  received = function(descriptor)
    local server = require("child_process.net").Server()
    return not server:_listenOn(descriptor:take()) and server or nil
  end,
  unwanted = closeUnwanted,
}

types["net.Socket"] = {
  descriptor = ownDescriptor,
  describe = function(envelope, socket)
    local server = rawget(socket, "server")
    envelope.key = server and server._connectionKey
  end,
  sent = function(socket, owner, options)
    local server = rawget(socket, "server")
    if server then
      require("child_process.socket_lists").sent(owner, server)
    end
    if not options.keepOpen then
      socket:_giveAway()
    end
  end,
  received = function(descriptor, envelope, owner)
    if not core.isConnection(descriptor:fileno()) then
      return nil
    end
    local handle, readable, writable = core.openSocket(descriptor:take())
    if not handle then
      return nil
    end
    local socket = require("child_process.net").Socket({
      handle = handle, readable = readable, writable = writable,
    })
    if type(envelope.key) == "string" then
      require("child_process.socket_lists").add(owner, envelope.key, socket)
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
  received = function(descriptor, envelope)
    local kind = envelope.dgramType == "udp6" and "udp6" or "udp4"
    if not core.datagramFamily(descriptor:fileno()) then
      return nil
    end
    return require("child_process.dgram").createSocket(kind):bind({fd = descriptor:take()})
  end,
  unwanted = closeUnwanted,
}

local nativeKind = {
  descriptor = native.fileno,
  received = function(descriptor)
    return descriptor
  end,
  unwanted = closeUnwanted,
}
types["net.Native"], types["dgram.Native"] = nativeKind, nativeKind

local function isOf(value, module, predicate)
  return loaded[module] and loaded[module][predicate](value)
end

-- A stream on a file is none to other programs. One that is closed may have been anything.
local function isConnection(stream)
  local fd = ownDescriptor(stream)
  return not fd or core.isConnection(fd)
end

-- The name of a handle's type, nil if it is no handle that can be sent.
local function typeOf(value)
  local kind = type(value)
  if kind == "userdata" then
    return native.typeOf(value)
  elseif kind ~= "table" then
    return nil
  elseif Stream.isStream(value) then
    return isConnection(value) and "net.Socket" or nil
  elseif isOf(value, "child_process.server", "isServer") then
    return "net.Server"
  elseif isOf(value, "child_process.dgram", "isSocket") then
    return "dgram.Socket"
  end
  return nil
end

--- Raises ERR_INVALID_HANDLE_TYPE for what cannot be sent.
---@param handle any
function handles.check(handle)
  if not typeOf(handle) then
    error(errors.invalidHandleType())
  end
end

--- Sends a message with a handle; without it if that has been closed.
---@param owner table the channel's end
---@param message any
---@param handle SendHandle which `check` has let pass
---@param options? SendOptions
---@param transmit fun(message: any, descriptor?: integer): boolean, boolean? gives what `send`
---returns, and whether the message was accepted
---@return boolean
function handles.send(owner, message, handle, options, transmit)
  local name = typeOf(handle)
  local kind = types[name]
  local descriptor = kind.descriptor(handle)
  if not descriptor then
    return (transmit(message))
  end
  local envelope = {cmd = "NODE_HANDLE", type = name, msg = message}
  if kind.describe then
    kind.describe(envelope, handle)
  end
  local wise, accepted = transmit(envelope, descriptor)
  if accepted and kind.sent then
    kind.sent(handle, owner, options or {})
  end
  return wise
end

-- Receiving ---------------------------------------------------------------------------------

local function reply(owner, command)
  if owner.handle then
    owner.handle:reply({cmd = command})
  end
end

local commands = {}

function commands.NODE_HANDLE(owner, envelope)
  local descriptor = owner.handle:takeDescriptor()
  if not descriptor then
    -- It was lost on the way, for want of descriptors for instance.
    reply(owner, "NODE_HANDLE_NACK")
    return
  end
  reply(owner, "NODE_HANDLE_ACK")
  local kind = types[envelope.type]
  local object = kind and kind.received(descriptor, envelope, owner)
  if not object then
    descriptor:close()
  end
  local wanted
  if core.isInternal(envelope.msg) then
    wanted = owner.target:emit("internalMessage", envelope.msg, object)
  else
    wanted = owner:deliver(envelope.msg, object)
  end
  if object and not wanted then
    kind.unwanted(object)
  end
end

function commands.NODE_HANDLE_ACK(owner)
  owner.handle:acknowledge()
  owner:handleArrived()
end

function commands.NODE_HANDLE_NACK(owner)
  if owner.handle:retry() then
    events.warn("Handle did not reach the receiving process correctly",
      "SentHandleNotReceivedWarning")
    owner:handleArrived()
  end
end

--- A message of the protocol has come.
---@param owner table the channel's end
---@param message table
function handles.received(owner, message)
  local command = commands[message.cmd]
  if command then
    command(owner, message)
  end
end

return handles
