--- A part of ChannelEnd: sends messages, and reports to callbacks, or by "error", whether they were
--- written.

local compat = require("child_process.base.compat")
local errors = require("child_process.errors")
local loop = require("child_process.loop")
local tick = require("child_process.base.ticks").tick

---@class child_process.ChannelEnd
local methods = {}

-- Keeps an error of a message without a callback. The error may end the program, so the messages
-- that the other side has sent are delivered first. Of several errors, only the first is emitted.
local function reportLater(self, err)
  if not self.sendError then
    self.sendError = err
    self.handle:drain()
    loop.started()
  end
end

-- A message was not accepted. Returns false.
local function fail(self, callback, err)
  if callback then
    tick(callback, err)
  elseif self:isConnected() then
    reportLater(self, err)
  else
    self:emitError(err)
  end
  return false
end

-- Calls back when all messages up to now have been written.
local function awaitWritten(self, callback)
  local position = self.handle:accepted()
  if self.callbacks:push({position, callback}) == 1 then
    self.handle:awaitWritten(position)
  end
end

--- Sends a message. Errors go to the callback if there is one, otherwise to "error".
---@param message any
---@param fd? integer a descriptor to send with it
---@param callback? fun(err?: Error) called when it has been written
---@return boolean # false if the backlog is high, or the message was not accepted
---@return boolean? # true if it was accepted
function methods:transmit(message, fd, callback)
  local isLow, started = self.handle:send(message, fd)
  if isLow == nil then
    local errno = started
    if not errno then
      error(errors.invalidArgValue("message", message, "has no JSON text"))
    end
    local err = self:isConnected() and errors.system(errno, "write") or errors.ipcChannelClosed()
    return fail(self, callback, err)
  elseif started then
    loop.started()
  end
  if callback then
    awaitWritten(self, callback)
  end
  return isLow, true
end

local function ignore() end

--- Sends a message of the protocol, in order with the others. No script has sent it, so a failure
--- is not reported.
---@param message table
function methods:sendInternal(message)
  if self.handle then
    self:transmit(message, nil, ignore)
  end
end

--- Replies to a message of the protocol, ahead of messages that wait.
---@param command string
function methods:reply(command)
  if self.handle then
    self.handle:reply({cmd = command})
  end
end

local function succeed(callback)
  callback(nil)
end

-- Calls back for the messages that end within the first `total` bytes. Returns whether there are
-- any.
local function callBack(self, total, err)
  local callbacks, isAny = self.callbacks, false
  local first = callbacks:peek()
  while first and first[1] <= total do
    callbacks:pop()
    if err then
      tick(first[2], err)
    else
      tick(succeed, first[2])
    end
    isAny = true
    first = callbacks:peek()
  end
  return isAny
end

--- Calls back for all messages, since the channel closes.
---@param written integer bytes
function methods:callBackAll(written)
  callBack(self, written)
  if not self.callbacks:isEmpty() then
    callBack(self, compat.maxInteger, errors.ipcChannelClosed())
  end
end

--- Lets core call `onwritten` when the next message with a callback is written; or, if there is
--- none, when all messages are.
function methods:awaitAllWritten()
  local first = self.callbacks:peek()
  self.handle:awaitWritten(first and first[1])
end

--- Called by core when the awaited number of bytes was written, or when writing has failed.
---@param errno? integer
function methods:onwritten(errno)
  local err = errno and errors.system(errno, "write")
  callBack(self, self.handle:written())
  local isReported = err and callBack(self, compat.maxInteger, err)
  if self:isFlushing() then
    self:flushed(err)
  elseif err and not isReported and self.requests and self.requests:isWriting() then
    self.requests:writeFailed(err)
  elseif err and not isReported and self.handle:accepted() > self.preambleSize then
    -- No script has sent the preamble. A child that ends without reading it says so by its events.
    reportLater(self, err)
  end
  if self.handle and (self:isFlushing() or self.callbacks:peek()) then
    self:awaitAllWritten()
  end
end

--- Emits the error that was kept.
function methods:reportSendError()
  local err = self.sendError
  if err then
    self.sendError = nil
    self:emitError(err)
  end
end

return methods
