--- A part of Host: what the frames of the agent say, and whether it answers.

local compat = require("child_process.base.compat")
local errors = require("child_process.errors")
local protocol = require("child_process.link.protocol")
local timers = require("child_process.timers")

local kinds = protocol.kinds

local LOST_AFTER = 3 -- pings without an answer

---@class Host
local methods = {}

local onFrame = {}

-- Any frame is an answer.
local function ping(self)
  local received = self._link:received()
  self._missed = received == self._received and self._missed + 1 or 0
  self._received = received
  if self._missed >= LOST_AFTER then
    self:_fail(("it has not answered for %d ms (options.pingInterval)"):format(
      self._missed * self._pingInterval))
  else
    self:_send(kinds.PING, 0)
  end
end

onFrame[kinds.HELLO] = function(self, _, bytes)
  local hello, problem = protocol.readHello(bytes)
  if self._wasConnected or not hello or hello.nonce ~= self._nonce then
    self:_fail(problem or "the answer is not that of an agent of this connection")
    return
  elseif hello.version ~= protocol.VERSION then
    self:_fail(("the agent speaks version %d of the protocol, and we speak version %d: install the "
      .. "same version of child_process on both sides"):format(hello.version, protocol.VERSION),
      "ERR_HOST_VERSION")
    return
  end
  self._wasConnected = true
  self.lua, self.pid, self.cpus = hello.lua, hello.pid, compat.toInteger(hello.cpus)
  if self._connectTimer then
    self._connectTimer:close()
    self._connectTimer = nil
  end
  if self._pingInterval > 0 then
    self._pingTimer = timers.setInterval(ping, self._pingInterval, self)
    self._pingTimer:unref()
  end
  if self.state == "connecting" then
    self:_enter("connected")
    self:_updateReference()
    self:emit("connect")
  end
end

-- The child of a frame, which may have left processes.
local function find(self, id)
  return self._children[id] or self._left[id]
end

-- Makes the handler of a frame that is about a child, with the value of the frame.
local function forChild(method, convert)
  return function(self, id, bytes)
    local remote = find(self, id)
    local value, problem = protocol.unpack(bytes)
    if value == nil then
      self:_fail(problem)
    elseif remote then
      remote[method](remote, convert and convert(value) or value)
    end
  end
end

onFrame[kinds.STARTED] = forChild("onstarted")
onFrame[kinds.ERROR] = forChild("onerror", protocol.unpackError)
onFrame[kinds.EXIT] = forChild("onexit")
onFrame[kinds.STATS] = forChild("onstats")

local onFailed = forChild("onfailed", protocol.unpackError)

onFrame[kinds.FAILED] = function(self, id, bytes)
  self._link:refuse(id) -- the agent may not have opened all of its streams, and ends none of those
  onFailed(self, id, bytes)
end

onFrame[kinds.CLOSED] = function(self, id, bytes)
  local remote, value = find(self, id), protocol.unpack(bytes)
  if remote then
    remote:onclosed(value and value.isLeft)
    self._left[id] = remote.isLeft and remote or nil
  end
end

onFrame[kinds.PONG] = function() end

--- Called by core for a frame.
---@param kind integer
---@param id integer
---@param bytes string
function methods:onframe(kind, id, bytes)
  if not self._wasConnected and kind ~= kinds.HELLO then
    self:_fail("the agent does not introduce itself")
  elseif onFrame[kind] then
    onFrame[kind](self, id, bytes)
  end
end

--- Called by core.
function methods:ondrained(id, fd)
  local remote = self._children[id]
  if remote then
    remote:ondrained(fd)
  end
end

--- Called by core: output that goes to a descriptor of ours cannot be written there.
function methods:onrefused(id, _, errno)
  local remote = find(self, id)
  if remote then
    remote:onerror(errors.system(errno, "write"))
  end
end

return methods
