--- Host: the connection with an agent, and the children that it has started.

local arguments = require("child_process.spawn.arguments")
local check = require("child_process.base.check")
local ChildProcess = require("child_process.spawn.child")
local compat = require("child_process.base.compat")
local core = require("child_process.core")
local emitters = require("child_process.events.emitter")
local errors = require("child_process.errors")
local failure = require("child_process.host.failure")
local loop = require("child_process.loop")
local Promise = require("child_process.promise.promise")
local protocol = require("child_process.link.protocol")
local RemoteChild = require("child_process.host.remote_child")
local requestFor = require("child_process.host.start_request")
local ticks = require("child_process.base.ticks")
local timers = require("child_process.timers")

local kinds, tick = protocol.kinds, ticks.tick

---@class HostOptions
---@field lua? string|string[] the interpreter over there, with its flags; default: the name of ours
---@field env? table<string, string> environment of the launcher; default ours
---@field connectTimeout? number milliseconds until the agent must have answered; default 30000
---@field pingInterval? number milliseconds; three pings without an answer mean that the host is
---lost; default 15000, 0 for none
---@field grace? number milliseconds between SIGTERM and SIGKILL for what is left over there when
---the connection ends; default 5000

---@class Host : EventEmitter
---@field state "connecting"|"connected"|"closing"|"failing"|"closed"
---@field name string what errors call it: the destination, the node, or the launcher's command
---@field lua? string the version of Lua over there, once it is connected
---@field pid? integer the agent's process there
---@field env table stands for the environment over there: an options.env that inherits from it adds
---to that
---@field cpus? integer how many processors it may use there
local Host, metatable = emitters.inherit("Host")

local checkThis = check.this("Host", metatable)

-- The states that may follow each state.
local NEXT = {
  -- The agent has not answered. Frames are sent nevertheless: it reads them after our hello.
  connecting = {connected = true, closing = true, failing = true},
  connected = {closing = true, failing = true},
  -- `close` was called, and the agent ends all children.
  closing = {closed = true, failing = true},
  -- The connection has ended; the error waits for the end of the launcher.
  failing = {closed = true},
  closed = {},
}

local function enter(self, state)
  if not NEXT[self.state][state] then
    error(("child_process: a host that is %s cannot be %s"):format(self.state, state))
  end
  self.state = state
end

local all = {} -- hosts that are not closed

local SHOWN = 8 * 1024 -- bytes of the launcher's stderr that are kept
local LOST_AFTER = 3 -- pings without an answer
local LAST_WORDS = 1000 -- milliseconds that a launcher has to end by itself
local KILL_AFTER = 2000

-- Options -----------------------------------------------------------------------------------------

local KNOWN = {lua = true, env = true, connectTimeout = true, pingInterval = true, grace = true}

local function ownLua()
  local name = core.execPath()
  name = name and name:match("[^/]*$") or ""
  return name:find("^lua") and name or rawget(_G, "jit") and "luajit"
    or "lua" .. _VERSION:match("[%d.]+")
end

local function readLua(value)
  if value == nil then
    return {ownLua()}
  elseif type(value) == "string" then
    arguments.checkCommand("options.lua", value)
    return {value}
  end
  check.type("options.lua", "table", value)
  return arguments.append({}, "options.lua", value)
end

local function readTime(options, name, default)
  local value = options[name]
  if value == nil then
    return default
  end
  return check.integer("options." .. name, value, 0)
end

local function readLauncher(launcher)
  if type(launcher) ~= "table" then
    error(errors.invalidArgType("launcher", "table", launcher))
  end
  local words = arguments.append({}, "launcher", launcher)
  if not words[1] then
    error(errors.invalidArgValue("launcher", launcher, "cannot be empty"))
  end
  arguments.checkCommand("launcher[1]", words[1])
  return words
end

-- The start ---------------------------------------------------------------------------------------

local TIMERS = {"_connectTimer", "_closeTimer", "_pingTimer", "_lastWords"}

local function stopTimers(self)
  for _, name in ipairs(TIMERS) do
    if self[name] then
      self[name]:close()
      self[name] = nil
    end
  end
end

local nonces = 0

-- Tells the answer to this connection from what else a launcher may repeat.
local function newNonce()
  nonces = nonces + 1
  local seconds, nanoseconds = core.hrtime()
  return ("%d-%d-%d-%d"):format(core.pid(), nonces, seconds, nanoseconds)
end

local function onLauncherError(self, err)
  self._launcherError = err
  self:_fail("the launcher could not be started: " .. err.message)
end

-- The descriptors of the connection may be held by others, so its end alone need not be noticed.
local function onLauncherExit(self)
  if self.state ~= "failing" and self.state ~= "closing" and not self._lastWords then
    self._lastWords = timers.setTimeout(function()
      self:_fail(nil)
    end, LAST_WORDS)
  end
end

local function onLauncherClose(self)
  self._launcherClosed = true
  if self.state == "failing" or self.state == "closing" and self._hasEnded then
    self:_finish()
  end
end

local function keepStderr(self, data)
  self._stderr = (self._stderr .. data):sub(-SHOWN)
end

-- To be called when the launcher was started. If it raises, the start is undone.
local function listenTo(launcher, self)
  if launcher.stderr then
    launcher.stderr:on("data", function(data) keepStderr(self, data) end)
    launcher.stderr:on("error", function() end)
    launcher.stderr:unref()
  end
  launcher:unref()
end

-- Starts the launcher with its ends of the connection.
local function startLauncher(self, words, env, stdin, stdout)
  local file = table.remove(words, 1)
  local call = arguments.normalize(file, words, {
    env = env, stdio = {stdin:fileno(), stdout:fileno(), "pipe"}, waitDelay = LAST_WORDS,
  })
  local launcher = ChildProcess.new()
  self._launcher = launcher
  launcher:on("error", function(err)
    if not launcher.pid then
      onLauncherError(self, err)
    end
  end)
  launcher:on("exit", function() onLauncherExit(self) end)
  launcher:on("close", function() onLauncherClose(self) end)
  launcher:_start(call, listenTo, self)
end

local function startConnectTimer(self, timeout)
  self._connectTimer = timeout > 0 and timers.setTimeout(function()
    self:_fail(("there was no answer within %d ms (options.connectTimeout)"):format(timeout))
  end, timeout) or nil
end

-- Sends the first frame, and starts the launcher last: what comes before may raise.
local function open(self, words, options, stdin, stdout)
  self._link:setOwner(self)
  self:_updateReference()
  self._link:send(kinds.HELLO, 0, protocol.hello(self._nonce, {
    grace = self._grace, pingInterval = self._pingInterval,
  }))
  startConnectTimer(self, readTime(options, "connectTimeout", 30000))
  all[self] = true
  startLauncher(self, words, options.env, stdin, stdout)
end

--- See child_process.host.connect.
---@param launcher string[]
---@param options? HostOptions
---@param name? string default: the launcher's command
---@return Host
function Host.new(launcher, options, name)
  options = check.options("host.connect", options, KNOWN) or {}
  local words, lua = readLauncher(launcher), readLua(options.lua)
  local self = setmetatable({
    state = "connecting",
    name = name or require("child_process.base.command_text")(words),
    env = {},
    _children = {},           -- RemoteChild by number, those that are open
    _left = setmetatable({}, {__mode = "v"}), -- those that are not, but have left processes
    _lastId = 0,
    _awaited = 0,             -- children that keep the loop alive
    _lua = lua[1],
    _grace = readTime(options, "grace", 5000),
    _pingInterval = readTime(options, "pingInterval", 15000),
    _nonce = newNonce(),
    _stderr = "",             -- the end of what the launcher has printed
    _reason = nil,            -- why it is failing
    _code = nil,              -- of the error, if it is not the usual one
    _wasConnected = false,
    _hasEnded = false,        -- nothing more arrives
    _hasGivenUp = false,      -- failing: the connection was ended
    _launcher = nil,
    _launcherClosed = false,
    _lastWords = nil,         -- Timeout for the end of the launcher
    _connectTimer = nil,
    _closeTimer = nil,
    _pingTimer = nil,
    _missed = 0,              -- pings without an answer
    _closing = nil,           -- promise of `close`
    _error = nil,             -- that it failed with
  }, metatable)
  for _, word in ipairs(lua) do
    words[#words + 1] = word
  end
  -- No word that any shell between here and there would take apart.
  words[#words + 1] = "-l"
  words[#words + 1] = "child_process.agent"
  local link, stdin, stdout = core.hostLink()
  if not link then
    error(errors.system(stdin, "pipe"))
  end
  self._link = link
  local ok, err = pcall(open, self, words, options, stdin, stdout)
  stdin:close()
  stdout:close()
  if not ok then
    stopTimers(self)
    link:close()
    all[self] = nil
    error(err, 0)
  end
  return self
end

-- The link ----------------------------------------------------------------------------------------

--- Whether frames are sent.
---@return boolean
function Host:_isUsable()
  return self.state == "connecting" or self.state == "connected" or self.state == "closing"
end

---@param kind integer
---@param id integer
---@param value any
function Host:_send(kind, id, value)
  self._link:send(kind, id, value ~= nil and protocol.pack(value) or nil)
  loop.started()
end

--- See LinkHandle:drain. Returns whether `ondrained` will be called.
---@param id integer
---@param fd integer
---@return boolean?
function Host:_drain(id, fd)
  return (self._link:drain(id, fd))
end

--- Keeps the loop alive as long as something is awaited.
function Host:_updateReference()
  local isAwaited = self.state == "connecting" or self.state == "closing"
    or self.state == "failing"
    or self._awaited > 0
  if self.state ~= "closed" then
    self._link:reference(isAwaited)
  end
  local launcher = self._launcher
  if self.state == "closing" or self.state == "failing" then
    launcher:ref()
  end
end

--- Adds to the number of children that keep the loop alive.
---@param difference integer
function Host:_countAwaited(difference)
  self._awaited = self._awaited + difference
  self:_updateReference()
end

--- Called when a child needs the host no more.
---@param remote RemoteChild
function Host:_forget(remote)
  self._children[remote.id] = nil
end

-- The host in words, see active_handles.lua.
function Host:_describe()
  return "connection", ("to host '%s', %s"):format(self.name, self.state)
end

-- Frames ------------------------------------------------------------------------------------------

local onFrame = {}

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
    enter(self, "connected")
    self:_updateReference()
    self:emit("connect")
  end
end

-- Makes the handler of a frame that is about a child, with the value of the frame.
local function forChild(method, convert)
  return function(self, id, bytes)
    local remote = self._children[id]
    local value, problem = protocol.unpack(bytes)
    if value == nil then
      self:_fail(problem)
    elseif remote then
      remote[method](remote, convert and convert(value) or value)
    end
  end
end

onFrame[kinds.STARTED] = forChild("onstarted")
onFrame[kinds.FAILED] = forChild("onfailed", protocol.unpackError)
onFrame[kinds.ERROR] = forChild("onerror", protocol.unpackError)
onFrame[kinds.EXIT] = forChild("onexit")

onFrame[kinds.STATS] = forChild("onstats")

onFrame[kinds.CLOSED] = function(self, id, bytes)
  local remote, value = self._children[id] or self._left[id], protocol.unpack(bytes)
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
function Host:onframe(kind, id, bytes)
  if not self._wasConnected and kind ~= kinds.HELLO then
    self:_fail("the agent does not introduce itself")
  elseif onFrame[kind] then
    onFrame[kind](self, id, bytes)
  end
end

--- Called by core.
function Host:ondrained(id, fd)
  local remote = self._children[id]
  if remote then
    remote:ondrained(fd)
  end
end

function Host:onfinished() end -- luacheck: ignore 212

-- The end -----------------------------------------------------------------------------------------

--- Called by core when nothing more arrives.
---@param errno? integer
function Host:onend(errno)
  self._hasEnded = true
  if self.state == "closing" and not errno then
    self._link:cut()
    if self._launcherClosed then
      self:_finish()
    else
      self:_endLauncher()
    end
  elseif errno == -core.errno.EPROTO and not self._wasConnected and #self._link:noise() > 65536 then
    self:_fail("more than 64 KiB came before its answer")
  elseif errno == -core.errno.EPROTO then
    self:_fail("the agent has sent what is not a frame")
  elseif errno then
    self:_fail(errors.system(errno, "read").message)
  else
    self:_fail("the connection was closed")
  end
end

-- Lets the launcher end by itself for a while, and then ends it.
function Host:_endLauncher()
  local launcher = self._launcher
  if self._launcherClosed or self._lastWords then
    return
  end
  self._lastWords = timers.setTimeout(function()
    launcher:kill("SIGTERM", {forceKillAfterDelay = KILL_AFTER})
  end, LAST_WORDS)
end

-- A tick: ends the connection of a host that is failing.
local function giveUp(self)
  if self._hasGivenUp then
    return
  end
  tick(giveUp, self) -- does the rest, should this call run out of memory
  self:_updateReference()
  stopTimers(self)
  if self._launcherClosed or not self._launcher.pid then
    tick(self._finish, self)
  else
    self:_endLauncher()
  end
  self._hasGivenUp = true
  self._link:cut()
end

--- Gives the connection up. The error is reported when the launcher has ended, with what it has
--- printed.
---@param reason? string nil if the launcher has ended, and that is all
---@param code? string
function Host:_fail(reason, code)
  if self.state ~= "failing" and self.state ~= "closed" then
    tick(giveUp, self) -- first, as it may raise
    self._reason, self._code = reason, code
    enter(self, "failing")
  end
end

local function describeFailure(self)
  return failure.make({
    name = self.name, connected = self._wasConnected, reason = self._reason, code = self._code,
    launcher = self._launcher, lua = self._lua, stderr = self._stderr, noise = self._link:noise(),
    cause = self._launcherError,
  })
end

local function emitError(self)
  self:emit("error", self._error)
end

local function emitClose(self)
  self:emit("close")
end

--- Called by core when the streams have got what had arrived for them.
function Host:onidle()
  self._link:close()
end

--- Reports the end, once the launcher has ended, too.
function Host:_finish()
  if self.state == "closed" then
    return
  end
  tick(self._finish, self) -- does the rest, should this call run out of memory
  local hasFailed = self.state == "failing"
  stopTimers(self)
  local err = hasFailed and describeFailure(self) or failure.closed(self.name)
  self._error = err
  local children = self._children
  local hasChildren = next(children) ~= nil
  for _, remote in pairs(children) do
    tick(function() remote:onlost(err) end)
  end
  self._link:awaitIdle() -- then it is closed
  enter(self, "closed")
  all[self] = nil
  if hasFailed and (self:listenerCount("error") > 0 or not hasChildren and not self._closing) then
    tick(emitError, self)
  end
  tick(emitClose, self)
  if self._closing and hasFailed and not hasChildren then
    self._closing:_reject(err)
  elseif self._closing then
    self._closing:_fulfill()
  end
end

--- Ends all children over there, and the connection.
---@return Promise # fulfilled when the launcher has ended
function Host:close()
  checkThis(self, "close")
  if self._closing then
    return self._closing
  end
  local closing = Promise._pending()
  if self.state == "closed" then
    closing:_fulfill()
  elseif self.state ~= "failing" then
    -- First what may raise.
    local bye = protocol.pack({grace = self._grace})
    -- The agent takes the grace, and some time.
    self._closeTimer = timers.setTimeout(function()
      self:_fail("it has not ended in time")
    end, self._grace + 10000)
    enter(self, "closing")
    self._link:send(kinds.BYE, 0, bye)
    self:_updateReference()
  end
  self._closing = closing
  return closing
end

--- Sends a signal to the launcher.
---@param signal? string|integer default "SIGTERM"
---@return boolean
function Host:kill(signal)
  checkThis(self, "kill")
  return self._launcher:kill(signal)
end

-- Children ----------------------------------------------------------------------------------------

--- Called by ChildProcess, with options that arguments.lua has checked. Returns what stands for the
--- child, and handles of its streams.
---@param child ChildProcess
---@param options table
---@return RemoteChild
---@return table<integer, userdata>?
function Host:_start(child, options)
  local request = requestFor(options, self)
  self._lastId = self._lastId + 1
  local id = self._lastId
  local remote = RemoteChild.new(self, id, child, options.ipc, request.values.relayed)
  self._children[id] = remote
  if self.state == "closed" or self.state == "closing" then
    tick(function() remote:onfailed(self._error or failure.closed(self.name)) end)
    return remote, nil
  end
  local ok, handles = pcall(request.openStreams, request, self._link, id)
  if not ok then
    self._children[id] = nil
    error(handles, 0)
  end
  if self.state ~= "failing" then
    self:_send(kinds.START, id, request.values)
  end
  remote:updateReference()
  return remote, handles
end

-- In a copy of the process: the connections are the original's.
ticks.onCopied(function()
  for host in pairs(all) do
    stopTimers(host)
    host._link:close()
    host.state = "closed"
    host._error = failure.closed(host.name)
  end
  all = {}
end)

return Host
