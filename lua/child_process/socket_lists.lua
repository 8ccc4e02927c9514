--- Sockets of a server that were sent to other processes: the server counts them there, and is
--- closed when the last one is. Both sides know a server's sockets by its key.
local errors = require("child_process.lazy_errors")
local tick = require("child_process.loop").tick

---@class child_process.socket_lists
local socketLists = {}

-- Of a channel's end, made with the first socket:
--   received  key -> the number of open sockets that we have got from there
--   closing   key -> true: the other side waits for the last of these
--   requests  what the reply will be called, with its key -> functions that wait for it
local function listsOf(owner)
  local lists = owner.socketLists
  if not lists then
    lists = setmetatable({owner = owner, received = {}, closing = {}, requests = {}},
      {__index = socketLists})
    owner.socketLists = lists
  end
  return lists
end

-- Asks the other side. The answer is awaited as long as the channel is open.
local function request(lists, key, command, reply, callback)
  if not lists.owner.handle then
    callback(errors.childClosedBeforeReply())
    return
  end
  local name = reply .. key
  local waiting = lists.requests[name] or {}
  lists.requests[name] = waiting
  waiting[#waiting + 1] = callback
  lists.owner:awaitReplies(1)
  lists.owner:sendInternal({cmd = command, key = key})
end

--- A server's sockets in other processes: the ends of channels that some were sent on, with its key
--- there.
---@class child_process.RemoteSockets
local Remotes = {}
local remotesMetatable = {__name = "child_process.RemoteSockets", __index = Remotes}

---@return child_process.RemoteSockets
function socketLists.newRemotes()
  return setmetatable({keys = setmetatable({}, {__mode = "k"})}, remotesMetatable)
end

-- Asks all that are still there. Calls back once for each, then `done`.
local function askAll(remotes, command, reply, each, done)
  local left = 1
  local function answered()
    left = left - 1
    if left == 0 then
      done()
    end
  end
  for lists, key in pairs(remotes.keys) do
    if lists.owner.handle then
      left = left + 1
      request(lists, key, command, reply, function(err, message)
        each(err, message)
        answered()
      end)
    end
  end
  tick(answered, true)
end

--- Adds how many are open there.
---@param sum integer those that are open here
---@param callback fun(err?: Error, count?: integer) called in a later tick
function Remotes:count(sum, callback)
  local failure
  askAll(self, "NODE_SOCKET_GET_COUNT", "NODE_SOCKET_COUNT", function(err, message)
    failure = failure or err
    sum = sum + (message and math.tointeger(message.count) or 0)
  end, function()
    if failure then
      callback(failure)
    else
      callback(nil, sum)
    end
  end)
end

--- Calls back when none of them is open any more.
---@param callback fun() called in a later tick
function Remotes:close(callback)
  askAll(self, "NODE_SOCKET_NOTIFY_CLOSE", "NODE_SOCKET_ALL_CLOSED", function() end, callback)
end

--- A socket is about to be sent.
---@param owner table the channel's end
---@param server Server that has accepted it
function socketLists.sent(owner, server)
  server:_remoteSockets().keys[listsOf(owner)] = server._connectionKey
end

--- A socket has come.
---@param owner table the channel's end
---@param key string
---@param socket Socket
function socketLists.add(owner, key, socket)
  local lists = listsOf(owner)
  lists.received[key] = (lists.received[key] or 0) + 1
  -- No listener, which could be removed, and which sockets that are sent on would not have.
  socket._onclose = function()
    lists.received[key] = lists.received[key] - 1
    lists:tellIfAllClosed(key)
  end
end

function socketLists:tellIfAllClosed(key)
  if self.closing[key] and (self.received[key] or 0) == 0 then
    self.closing[key] = nil
    self.owner:sendInternal({cmd = "NODE_SOCKET_ALL_CLOSED", key = key})
  end
end

-- Somebody's questions are answered, all with the same.
local function answer(self, name, ...)
  local waiting = self.requests[name]
  if waiting then
    self.requests[name] = nil
    self.owner:awaitReplies(-#waiting)
    local err, message = ...
    for _, callback in ipairs(waiting) do
      tick(function() -- one may raise
        callback(err, message)
      end, true)
    end
  end
end

local commands = {}

function commands.NODE_SOCKET_NOTIFY_CLOSE(self, message)
  self.closing[message.key] = true
  self:tellIfAllClosed(message.key)
end

function commands.NODE_SOCKET_GET_COUNT(self, message)
  self.owner:sendInternal({
    cmd = "NODE_SOCKET_COUNT", key = message.key, count = self.received[message.key] or 0,
  })
end

function commands.NODE_SOCKET_COUNT(self, message)
  answer(self, "NODE_SOCKET_COUNT" .. message.key, nil, message)
end

function commands.NODE_SOCKET_ALL_CLOSED(self, message)
  answer(self, "NODE_SOCKET_ALL_CLOSED" .. message.key, nil, message)
end

--- A message of the protocol has come.
---@param owner table the channel's end
---@param message table
function socketLists.received(owner, message)
  local command = commands[message.cmd]
  if command and type(message.key) == "string" then
    command(listsOf(owner), message)
  end
end

--- The channel has been closed: nobody will answer.
function socketLists:close()
  for name in pairs(self.requests) do
    answer(self, name, errors.childClosedBeforeReply())
  end
end

return socketLists
