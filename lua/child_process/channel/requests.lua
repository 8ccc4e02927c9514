--- The requests of one end of a channel: those that it has sent and that are open, and those that
--- it answers. Loaded for the first of them; a channel without requests does not know this file,
--- except that an end on which nobody listens refuses them.

local Answers = require("child_process.channel.answers")
local childEnd = require("child_process.channel.child_end")
local core = require("child_process.core")
local envelope = require("child_process.channel.envelope")
local errors = require("child_process.errors")
local loop = require("child_process.loop")
local Queue = require("child_process.base.queue")
local tick = require("child_process.base.ticks").tick

---@class child_process.OpenRequest what waits for a reply
---@field settled fun(self: child_process.OpenRequest, isAnswered: boolean, outcome: any,
---isCut?: boolean) called once, with a value or an error; isCut: the channel has closed

---@class child_process.Requests
---@field package channelEnd child_process.ChannelEnd
---@field package open table<integer, child_process.OpenRequest> by id
---@field package count integer how many are open
---@field package keepsLoop boolean the loop runs for the replies
---@field package isReleasing boolean a tick will look whether it still has to
---@field package last integer the id of the last one
---@field package position integer bytes up to the end of our last message
---@field package answers child_process.Answers
---@field package deliver function the method of the channel's end for all other messages
---@field package isListenedTo function its method without requests
local Requests = {}
Requests.__index = Requests

local kindOf = envelope.kindOf

-- Sending -----------------------------------------------------------------------------------------

--- Whether messages of ours are not written yet. Then no "error" of the channel reports that they
--- cannot be written: see writeFailed.
---@return boolean
function Requests:isWriting()
  local handle = self.channelEnd.handle
  return handle ~= nil and handle:written() < self.position
end

--- Sends a message of ours; without effect if the channel is closed. Raises an error if it cannot
--- be encoded.
---@param message table
---@return integer? errno
function Requests:post(message)
  local handle = self.channelEnd.handle
  if not handle then
    return nil
  end
  local isLow, started = handle:send(message)
  if isLow == nil then
    return started
  elseif started then
    loop.started()
  end
  self.position = handle:accepted()
end

local function ignore() end

local function postWithHandle(self, message, handle)
  local handles = require("child_process.channel.handles")
  handles.check(handle)
  handles.send(self.channelEnd, message, handle, nil, ignore)
end

--- Sends a request. Raises an error if the value or the handle cannot be sent.
---@param entry child_process.OpenRequest
---@param value any nil asks whether anybody answers requests there
---@param handle? SendHandle
---@return integer id
function Requests:start(entry, value, handle)
  local id = self.last + 1
  local message = envelope.request(id, value)
  local errno
  if handle ~= nil then
    postWithHandle(self, message, handle)
  else
    errno = self:post(message)
  end
  self.last = id
  self.open[id] = entry
  self.count = self.count + 1
  if not self.keepsLoop then
    self.keepsLoop = true
    self.channelEnd:awaitReplies(1)
  end
  if errno then
    tick(function()
      self:settle(id, false, errors.system(errno, "write"))
    end, true)
  end
  return id
end

-- A reply often leads to the next request, so the reference is not given up at once.
local function release(self)
  self.isReleasing = false
  if self.count == 0 and self.keepsLoop then
    self.keepsLoop = false
    self.channelEnd:awaitReplies(-1)
  end
end

--- Settles a request, unless that was done before.
---@param id any
---@param isAnswered boolean
---@param outcome any the value or an error
function Requests:settle(id, isAnswered, outcome)
  local entry = self.open[id]
  if entry then
    self.open[id] = nil
    self.count = self.count - 1
    if self.count == 0 and not self.isReleasing then
      self.isReleasing = true
      tick(release, self)
    end
    entry:settled(isAnswered, outcome)
  end
end

--- Settles a request with an error, and tells the other side that nobody waits for the reply.
---@param id integer
---@param err Error
function Requests:cancel(id, err)
  if self.open[id] then
    self:post(envelope.cancel(id))
    self:settle(id, false, err)
  end
end

-- Receiving ---------------------------------------------------------------------------------------

local receive = {}

function receive.request(self, message, handle)
  self.answers:answer(message, handle)
end

function receive.cancel(self, message)
  self.answers:cancel(message)
end

function receive.reply(self, message)
  local id = message.id
  if id == nil then
    return
  elseif message.error ~= nil then
    self:settle(id, false, envelope.error(message.error))
  else
    self:settle(id, true, message.value)
  end
end

-- Whether the message is for us, and not for the listeners of "message". A channel whose script
-- only sends requests leaves those of the other side to a listener, which may answer them.
local function takes(self, kind)
  return kind == "reply" and self.last > 0
    or (kind == "request" or kind == "cancel") and self.answers:hasHandler()
end

-- These two are methods of a ChannelEnd with requests, in place of those of its class.

local function deliver(channelEnd, message, handle)
  local kind = kindOf(message)
  if not kind or not takes(channelEnd.requests, kind) then
    return channelEnd.requests.deliver(channelEnd, message, handle)
  end
  receive[kind](channelEnd.requests, message, handle)
  return true
end

local function isListenedTo(channelEnd)
  local self = channelEnd.requests
  return self.answers:hasHandler() or self.isListenedTo(channelEnd)
end

-- Delivers a message that was kept.
local function redeliver(kept)
  kept[1]:deliver(kept[2], kept[3])
end

-- Messages that a child has kept until somebody listens may be for us. Each has a tick of its own.
local function sortPending(self)
  local channelEnd = self.channelEnd
  local pending, rest = channelEnd.pending, Queue.new()
  for item in pending and pending:values() or ignore do
    if takes(self, kindOf(item[1])) then
      tick(redeliver, {channelEnd, item[1], item[2]})
    else
      rest:push(item)
    end
  end
  channelEnd.pending = not rest:isEmpty() and rest or nil
end

--- Sets the function that answers requests.
---@param handler? fun(value: any, handle: any, request: IncomingRequest): any
function Requests:setHandler(handler)
  self.answers:setHandler(handler)
  self.channelEnd:updateReference()
  if handler then
    sortPending(self)
  end
end

-- The end -----------------------------------------------------------------------------------------

local PATIENCE = 1000 -- milliseconds that a child may take to end after it has closed the channel

-- The ids of the open requests, in order.
local function openIds(self)
  local ids = {}
  for id in pairs(self.open) do
    ids[#ids + 1] = id
  end
  table.sort(ids)
  return ids
end

local function settleAll(self, err)
  local open, ids = self.open, openIds(self)
  self.open, self.count = {}, 0
  for _, id in ipairs(ids) do
    open[id]:settled(false, err, true)
  end
end

local function settleAtEnd(self, child)
  settleAll(self, childEnd(child))
end

-- The channel closes before "exit" says how the child has ended.
local function settleAtExit(self, child)
  local timer
  local function settle()
    timer:close()
    child:off("exit", settle)
    settleAtEnd(self, child)
  end
  timer = require("child_process.timers").setTimeout(settle, PATIENCE)
  child:on("exit", settle)
end

local function closed(self, byPeer)
  local target = self.channelEnd.target
  self.answers:cancelAll()
  if self.count == 0 then
    return
  elseif not byPeer or core.kindOf(target) ~= "ChildProcess" then
    settleAll(self, errors.requestCut(byPeer))
  elseif target._exited then -- others have held the channel
    settleAtEnd(self, target)
  else
    settleAtExit(self, target)
  end
end

--- To be called when messages of ours could not be written: settles all requests. If the other side
--- has gone, the end of the channel does that, which says why.
---@param err Error
function Requests:writeFailed(err)
  for _, id in ipairs(self.channelEnd.hasGone(err.errno) and {} or openIds(self)) do
    self:settle(id, false, err)
  end
end

-- The module --------------------------------------------------------------------------------------

---@class child_process.requests
local requests = {}

--- Returns the requests of a channel's end.
---@param channelEnd child_process.ChannelEnd
---@return child_process.Requests
function requests.of(channelEnd)
  local self = channelEnd.requests
  if not self then
    self = setmetatable({
      channelEnd = channelEnd, open = {}, count = 0, last = 0, position = 0, keepsLoop = false,
      isReleasing = false,
      deliver = channelEnd.deliver, isListenedTo = channelEnd.isListenedTo,
    }, Requests)
    self.answers = Answers.new(self)
    channelEnd.requests = self
    channelEnd.deliver, channelEnd.isListenedTo = deliver, isListenedTo
    channelEnd.handle:setOwner(channelEnd) -- which looks `deliver` up again
    channelEnd:atClose(function(byPeer)
      closed(self, byPeer)
    end)
  end
  return self
end

--- Refuses a request that has come to a parent which neither handles requests nor listens.
---@param channelEnd child_process.ChannelEnd
---@param message table
function requests.refuse(channelEnd, message)
  if message.value ~= nil then
    requests.of(channelEnd):post(envelope.failure(message.id, errors.requestUnheard()))
  end
end

return requests
