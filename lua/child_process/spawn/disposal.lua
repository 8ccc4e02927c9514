--- child:dispose: ends a child for good, and reports when all of it has closed.

local check = require("child_process.base.check")
local core = require("child_process.core")
local Ending = require("child_process.spawn.ending")
local errors = require("child_process.errors")
local heldStreams = require("child_process.spawn.held_streams")
local known = require("child_process.spawn.options")
local LastReaders = require("child_process.spawn.last_readers")
local loop = require("child_process.loop")
local Promise = require("child_process.promise.promise")

local fieldsOf = core.child.fields

local SIGTERM = core.signals.SIGTERM
local DEFAULT_GRACE = 5000 -- milliseconds

-- What `dispose` has started for a child.
---@class Disposal
---@field package child ChildProcess
---@field package ending Ending
---@field package promise Promise
---@field package grace number milliseconds, the shortest that was given
---@field package readers LastReaders
local Disposal = {}
Disposal.__index = Disposal

-- Ends the streams of a child that has ended. Those who read them get what has arrived, as long as
-- they take it.
local function endStreams(self)
  for _, stream in pairs(self.child:_getStreams()) do
    if not stream:_isBeingRead() then
      stream:_endUnread()
    end
  end
  heldStreams.cut(self.child)
  self.readers:limit(self.grace)
end

--- To be called when the child has ended, when SIGKILL has become needless or was sent, and at
--- "close".
function Disposal:update()
  local fields, promise = fieldsOf(self.child), self.promise
  if self.ending:getTermination():isEscalating() or core.child.isForeign(self.child) then
    return
  elseif not fields._closed then
    if self.ending:hasChildEnded() then
      endStreams(self)
    end
    return
  end
  self.readers:stop()
  if promise:_isPending() then
    promise:_fulfill(fields.exitCode, fields.signalCode)
  end
end

-- The module --------------------------------------------------------------------------------------

---@class child_process.disposal
local disposal = {}

local function ignore() end

local KNOWN = {grace = true}

-- Returns milliseconds, or nil if SIGKILL shall not follow.
local function readGrace(options, default)
  check.options("ChildProcess:dispose", options, KNOWN)
  if options and known.given(options.grace) then
    return known.checkDelay("options.grace", options.grace)
  end
  return default or DEFAULT_GRACE
end

-- In a copy of the process: the original has started the child, and gets its events.
local function refuse()
  local promise = Promise.reject(errors.system(-core.errno.ECHILD, "wait"))
  promise:catch(ignore)
  return promise
end

local function newDisposal(child, ending)
  return setmetatable({
    child = child, ending = ending, promise = Promise._pending(), grace = math.huge,
    readers = LastReaders.new(child),
  }, Disposal)
end

--- See ChildProcess:dispose.
---@param child ChildProcess
---@param options? DisposeOptions
---@return Promise
function disposal.dispose(child, options)
  local ending = Ending.of(child)
  local termination = ending:getTermination()
  local grace = readGrace(options, termination:getForceKillAfterDelay())
  if core.child.isForeign(child) then
    return refuse()
  elseif not fieldsOf(child).spawnfile then
    error(errors.Error("ChildProcess:dispose was called before the child was started"))
  end
  local self = ending:getDisposal() or newDisposal(child, ending)
  self.grace = math.min(self.grace, grace or math.huge)
  for _, stream in pairs(child:_getStreams()) do
    stream:_callerStopsReading()
  end
  child:ref()
  ending:setDisposal(self)
  termination:send(SIGTERM, true, grace)
  self:update()
  return self.promise
end

-- Where nothing can wait.
local CANNOT_WAIT = {ERR_WAIT_IN_CALLBACK = true, ERR_WAIT_IN_SCHEDULER = true}

--- Ends a child whose block is left, and waits until all of it has closed, where that is possible.
--- An error that ends the wait does not replace that of the block: it comes out of the next `run`.
---@param child ChildProcess
---@param blockError any
function disposal.wait(child, blockError)
  if core.child.isForeign(child) then
    return
  end
  local promise = disposal.dispose(child)
  local ok, err = pcall(promise.await, promise)
  if ok or errors.isError(err) and CANNOT_WAIT[err.code] then
    return
  elseif blockError ~= nil then
    loop.throw(err)
  else
    error(err, 0)
  end
end

return disposal
