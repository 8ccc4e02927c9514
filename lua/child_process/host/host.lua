--- Host: the connection with an agent, its states, and the children that it has started. Each file
--- that this one copies into the class adds a part of it.

local assign = require("child_process.base.assign")
local check = require("child_process.base.check")
local core = require("child_process.core")
local emitters = require("child_process.events.emitter")
local ending = require("child_process.host.ending")
local errors = require("child_process.errors")
local failure = require("child_process.host.failure")
local frames = require("child_process.host.frames")
local launcher = require("child_process.host.launcher")
local loop = require("child_process.loop")
local hostOptions = require("child_process.host.options")
local Promise = require("child_process.promise.promise")
local protocol = require("child_process.link.protocol")
local RemoteChild = require("child_process.host.remote_child")
local requestFor = require("child_process.host.start_request")
local ticks = require("child_process.base.ticks")
local timers = require("child_process.timers")

local kinds, tick = protocol.kinds, ticks.tick

---@class Host : EventEmitter
---@field state "connecting"|"connected"|"closing"|"failing"|"closed"
---@field name string what errors call it: the destination, the node, or the launcher's command
---@field lua? string the version of Lua over there, once it is connected
---@field pid? integer the agent's process there
---@field env table stands for the environment over there: an options.env that inherits from it adds
---to that
---@field cpus? integer how many processors it may use there
local Host, metatable = emitters.inherit("Host")

assign(Host, launcher, frames, ending)

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

local all = {} -- hosts that are not closed

function Host:_enter(state)
  if not NEXT[self.state][state] then
    error(("child_process: a host that is %s cannot be %s"):format(self.state, state))
  end
  for watcher in pairs(self._watchers) do
    tick(watcher) -- first, as it may raise
  end
  self.state = state
  if state == "closed" then
    all[self] = nil
  end
end

--- Has a function called on a tick after each change of the state. Unlike a listener of an event it
--- is also called if another listener raises an error.
---@param watcher fun()
function Host:_watch(watcher)
  self._watchers[watcher] = true
end

---@param watcher fun() is not called any more, unless it is due already
function Host:_unwatch(watcher)
  self._watchers[watcher] = nil
end

-- The start ---------------------------------------------------------------------------------------

local nonces = 0

-- Tells the answer to this connection from what else a launcher may repeat.
local function newNonce()
  nonces = nonces + 1
  local seconds, nanoseconds = core.hrtime()
  return ("%d-%d-%d-%d"):format(core.pid(), nonces, seconds, nanoseconds)
end

local function startConnectTimer(self, timeout)
  self._connectTimer = timeout > 0 and timers.setTimeout(function()
    self:_fail(("there was no answer within %d ms (options.connectTimeout)"):format(timeout))
  end, timeout) or nil
end

-- Sends the first frame, and starts the launcher last: what comes before may raise.
local function open(self, settings, stdin, stdout)
  self._link:setOwner(self)
  self:_updateReference()
  self._link:send(kinds.HELLO, 0, protocol.hello(self._nonce, {
    grace = self._grace, pingInterval = self._pingInterval,
  }))
  startConnectTimer(self, settings.connectTimeout)
  all[self] = true
  self:_startLauncher(settings.command, settings.env, stdin, stdout)
end

--- See child_process.host.connect.
---@param words string[] the launcher
---@param given? HostOptions
---@param name? string default: the launcher's command
---@return Host
function Host.new(words, given, name)
  local settings = hostOptions.read(words, given)
  local self = setmetatable({
    state = "connecting",
    name = name or settings.name,
    env = {},
    _children = {},           -- RemoteChild by number, those that are open
    _left = setmetatable({}, {__mode = "v"}), -- those that are not, but have left processes
    _lastId = 0,
    _awaited = 0,             -- children that keep the loop alive
    _lua = settings.lua,
    _grace = settings.grace,
    _pingInterval = settings.pingInterval,
    _nonce = newNonce(),
    _stderr = "",             -- the end of what the launcher has printed
    _reason = nil,            -- why it is failing
    _code = nil,              -- of the error, if it is not the usual one
    _wasConnected = false,
    _hasEnded = false,        -- nothing more arrives
    _hasGivenUp = false,      -- failing: the connection was ended
    _launcher = nil,
    _launcherClosed = false,
    _launcherError = nil,     -- it could not be started
    _lastWords = nil,         -- Timeout for the end of the launcher
    _connectTimer = nil,
    _closeTimer = nil,
    _pingTimer = nil,
    _missed = 0,              -- pings without an answer
    _received = nil,          -- bytes that had arrived at the last ping
    _closing = nil,           -- promise of `close`
    _error = nil,             -- that it has ended with
    _watchers = {},           -- as keys, see _watch
  }, metatable)
  local link, stdin, stdout = core.hostLink()
  if not link then
    error(errors.system(stdin, "pipe"))
  end
  self._link = link
  local ok, err = pcall(open, self, settings, stdin, stdout)
  stdin:close()
  stdout:close()
  if not ok then
    self:_stopTimers()
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
  local isAwaited = self._awaited > 0 or self.state == "connecting" or self.state == "closing"
    or self.state == "failing"
  if self.state ~= "closed" then
    self._link:reference(isAwaited)
  end
  if self.state == "closing" or self.state == "failing" then
    self._launcher:ref()
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

-- The end -----------------------------------------------------------------------------------------

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
    self:_enter("closing")
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

-- Opens our ends of the streams, and has the agent start the program. Returns an errno, or nil.
local function start(self, id, request, handles)
  local errno = request:openStreams(self._link, id, handles)
  if not errno and self.state ~= "failing" then
    self:_send(kinds.START, id, request.values)
  end
  return errno
end

local function closeStreams(self, id, handles)
  for _, handle in pairs(handles) do
    handle:close()
  end
  self._link:refuse(id)
end

-- Reports that the child was not started, as if the agent had done so.
local function failLater(remote, err)
  tick(function()
    remote:onfailed(err)
  end)
end

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
    failLater(remote, self._error or failure.closed(self.name))
    return remote, nil
  end
  local handles = {}
  local ok, err = pcall(start, self, id, request, handles)
  if not ok or err then
    closeStreams(self, id, handles)
  end
  if not ok then
    self._children[id] = nil
    error(err, 0)
  elseif err then
    failLater(remote, errors.system(err, "pipe"))
    return remote, nil
  end
  remote:updateReference()
  return remote, handles
end

-- In a copy of the process: the connections are the original's.
ticks.onCopied(function()
  for host in pairs(all) do
    host:_stopTimers()
    host._link:close()
    host.state = "closed"
    host._error = failure.closed(host.name)
  end
  all = {}
end)

return Host
