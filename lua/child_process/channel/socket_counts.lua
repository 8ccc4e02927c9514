--- Counts the sockets of a server that were sent to other processes: the server closes after the
--- last of them. Messages between the processes name the server by its key.

local compat = require("child_process.base.compat")
local errors = require("child_process.errors")
local tick = require("child_process.base.ticks").tick

---@class child_process.socket_counts
local socketCounts = {}

-- The sockets that one end of a channel knows of.
---@class child_process.SocketCounts
---@field owner child_process.ChannelEnd
---@field received table<string, integer> number of open sockets that the other side sent, by key
---@field closing table<string, true> the other side waits for the last of these to close
---@field requests table<string, function[]> callbacks for a reply, by its command and key
local Counts = {}
Counts.__index = Counts

-- The callback at the end of the channel holds the counts. The table must not, since before Lua 5.2
-- they would then keep their owner alive.
local countsByOwner = setmetatable({}, {__mode = "kv"})

-- Made when the first socket is sent or arrives.
local function countsOf(owner)
  local counts = countsByOwner[owner]
  if not counts then
    counts = setmetatable({owner = owner, received = {}, closing = {}, requests = {}}, Counts)
    countsByOwner[owner] = counts
    owner:atClose(function()
      counts:ownerClosed()
    end)
  end
  return counts
end

-- Asks the other side. The answer is awaited as long as the channel is open.
function Counts:request(key, command, reply, callback)
  local name = reply .. key
  local waiting = self.requests[name] or {}
  self.requests[name] = waiting
  waiting[#waiting + 1] = callback
  self.owner:awaitReplies(1)
  self.owner:sendInternal({cmd = command, key = key})
end

-- All who wait for the reply get the same one.
function Counts:answer(name, err, message)
  local waiting = self.requests[name]
  if waiting then
    self.requests[name] = nil
    self.owner:awaitReplies(-#waiting)
    for _, callback in ipairs(waiting) do
      tick(function() -- the callback may raise
        callback(err, message)
      end, true)
    end
  end
end

-- The channel was closed: no reply will come.
function Counts:ownerClosed()
  for name in pairs(self.requests) do
    self:answer(name, errors.childClosedBeforeReply())
  end
end

function Counts:socketClosed(key)
  self.received[key] = self.received[key] - 1
  self:reportIfAllClosed(key)
end

function Counts:reportIfAllClosed(key)
  if self.closing[key] and (self.received[key] or 0) == 0 then
    self.closing[key] = nil
    self.owner:sendInternal({cmd = "NODE_SOCKET_ALL_CLOSED", key = key})
  end
end

--- The sockets of one server in other processes.
---@class child_process.RemoteSockets
---@field keys table<child_process.SocketCounts, string> the server's key in each process
local Remotes = {__name = "child_process.RemoteSockets"}
Remotes.__index = Remotes

-- Asks all processes that are still connected. Calls `each` for each reply, then `done`.
local function askAll(remotes, command, reply, each, done)
  local left = 1
  local function answered()
    left = left - 1
    if left == 0 then
      done()
    end
  end
  for counts, key in pairs(remotes.keys) do
    if not counts.owner:isClosed() then
      left = left + 1
      counts:request(key, command, reply, function(err, message)
        each(err, message)
        answered()
      end)
    end
  end
  tick(answered, true)
end

--- Counts the open sockets.
---@param sum integer number of open sockets here
---@param callback fun(err?: Error, count?: integer) gets the sum of all, in a later tick
function Remotes:count(sum, callback)
  local failure
  askAll(self, "NODE_SOCKET_GET_COUNT", "NODE_SOCKET_COUNT", function(err, message)
    failure = failure or err
    sum = sum + (message and compat.toInteger(message.count) or 0)
  end, function()
    if failure then
      callback(failure)
    else
      callback(nil, sum)
    end
  end)
end

--- Calls back when all sockets are closed.
---@param callback fun() called in a later tick
function Remotes:close(callback)
  askAll(self, "NODE_SOCKET_NOTIFY_CLOSE", "NODE_SOCKET_ALL_CLOSED", function() end, callback)
end

--- To be called when a socket was sent.
---@param owner child_process.ChannelEnd
---@param server Server that has accepted it
function socketCounts.sent(owner, server)
  local remotes = server:_getRemotes()
  if not remotes then
    remotes = setmetatable({keys = setmetatable({}, {__mode = "k"})}, Remotes)
    server:_setRemotes(remotes)
  end
  remotes.keys[countsOf(owner)] = server:_getConnectionKey()
end

--- To be called when a socket has arrived.
---@param owner child_process.ChannelEnd
---@param key string
---@param socket Socket
function socketCounts.add(owner, key, socket)
  local counts = countsOf(owner)
  counts.received[key] = (counts.received[key] or 0) + 1
  -- Not a listener: a program could remove it, and a socket that is sent on emits no event.
  socket:_setOnclose(function()
    counts:socketClosed(key)
  end)
end

local commands = {}

function commands.NODE_SOCKET_NOTIFY_CLOSE(counts, message)
  counts.closing[message.key] = true
  counts:reportIfAllClosed(message.key)
end

function commands.NODE_SOCKET_GET_COUNT(counts, message)
  counts.owner:sendInternal({
    cmd = "NODE_SOCKET_COUNT", key = message.key, count = counts.received[message.key] or 0,
  })
end

function commands.NODE_SOCKET_COUNT(counts, message)
  counts:answer("NODE_SOCKET_COUNT" .. message.key, nil, message)
end

function commands.NODE_SOCKET_ALL_CLOSED(counts, message)
  counts:answer("NODE_SOCKET_ALL_CLOSED" .. message.key, nil, message)
end

--- To be called with each message of the protocol about sockets.
---@param owner child_process.ChannelEnd
---@param message table
function socketCounts.received(owner, message)
  local command = commands[message.cmd]
  if command and type(message.key) == "string" then
    command(countsOf(owner), message)
  end
end

return socketCounts
