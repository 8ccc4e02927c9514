--- source:pipe(destination): writes all data of a stream to another, as fast as that can take it.

local compat = require("child_process.base.compat")
local errors = require("child_process.errors")
local check = require("child_process.base.check")
local identity = require("child_process.stream.identity")
local tick = require("child_process.base.ticks").tick

local checkThis, isStream = identity.check, identity.isStream

---@class child_process.Pipe
---@field destination Stream|EventEmitter
---@field waiting boolean the source is paused until the destination has room
---@field refused boolean? the kernel cannot move data to the destination
---@field listeners table<string, function> those of the destination, by their events
---@field onend function the listener of "end" of the source

---@class Stream
local pipe = {
  _abandoned = false, -- it goes both ways, and nobody reads it any more
  _pipes = false, ---@type child_process.Pipe[]|false the pipes of a source; readable.lua and
  -- intake.lua look whether there are any, since a call for each chunk would cost too much
  _sources = false, ---@type table<child_process.Pipe, Stream>|false the sources of a destination
}

local KNOWN = {["end"] = true}

function pipe:_hasPipes()
  return self._pipes and #self._pipes > 0
end

-- The destinations of all pipes, if the kernel may be able to move data to all of them; else nil.
function pipe:_spliceDestinations()
  local destinations, seen = {}, {}
  for index, each in ipairs(self._pipes) do
    local destination = each.destination
    if each.refused or not isStream(destination) or not destination:_acceptsSplice()
      or seen[destination] then
      return nil
    end
    destinations[index], seen[destination] = destination, true
  end
  return destinations
end

-- Notes that the kernel cannot move data to the destinations.
function pipe:_pipeThroughLua()
  for _, each in ipairs(self._pipes) do
    each.refused = true
  end
end

local function anyWaiting(pipes)
  for _, each in ipairs(pipes) do
    if each.waiting then
      return true
    end
  end
  return false
end

-- Whether the stream is paused until a destination has room.
function pipe:_isWaiting()
  return self._pipes and anyWaiting(self._pipes)
end

-- Ends a pipe whose destination has gone. pipe_leave.lua is loaded when that happens.
local function leave(source, destination)
  require("child_process.stream.pipe_leave").leave(source, destination)
end

-- Nobody reads the stream any more. It is left open until everything was written to it.
function pipe:_setAbandoned()
  self._abandoned = true
end

-- Destroys an abandoned stream if possible. To be called after a side or a source has ended.
function pipe:_abandonAgain()
  if self._abandoned then
    require("child_process.stream.pipe_leave").abandon(self)
  end
end

-- The stream was destroyed, and will not finish its destinations: they may be destroyed, too.
function pipe:_leavePipes()
  for _, each in ipairs(self._pipes) do
    if isStream(each.destination) and each.destination._abandoned then
      tick(each.destination._abandonAgain, each.destination)
    end
  end
end

function pipe:_writeToPipes(chunk)
  local pipes = self._pipes
  for _, each in ipairs(compat.move(pipes, 1, #pipes, 1, {})) do
    local destination = each.destination
    if destination.destroyed then -- it may have closed without an event
      leave(self, destination)
    elseif destination:write(chunk) == false then
      each.waiting = true -- for "drain", or for an "error" if the write failed
    end
  end
  if anyWaiting(pipes) then
    self:pause()
  end
end

-- Resumes a source unless it waits for another destination.
local function continueAfter(source)
  if not anyWaiting(source._pipes) then
    source:resume()
  end
end

-- The listeners of a pipe's destination.
local function listenersOf(source, each)
  local destination = each.destination
  return {
    close = function()
      leave(source, destination)
    end,
    error = function(err)
      leave(source, destination)
      if destination:listenerCount("error") == 0
        and not require("child_process.stream.pipe_leave").isQuiet(source, destination, err) then
        destination:emit("error", err)
      end
    end,
    drain = function()
      if each.waiting then
        each.waiting = false
        continueAfter(source)
      end
    end,
  }
end

local function attach(source, each, endsToo)
  local destination = each.destination
  each.listeners = listenersOf(source, each)
  for event, listener in pairs(each.listeners) do
    destination:prependListener(event, listener)
  end
  each.onend = function()
    if endsToo then
      destination:finish()
    else
      source:unpipe(destination)
    end
  end
  source:once("end", each.onend)
  if isStream(destination) then
    destination._sources = destination._sources or {}
    destination._sources[each] = source
  end
end

local function detach(source, each)
  local destination = each.destination
  for event, listener in pairs(each.listeners) do
    destination:removeListener(event, listener)
  end
  source:removeListener("end", each.onend)
  if isStream(destination) then
    destination._sources[each] = nil
  end
  destination:emit("unpipe", source)
end

local function checkDestination(destination)
  if destination == nil then
    error(errors.invalidThis("Stream:pipe")) -- a.pipe(b) passes b as self
  end
  local kind = type(destination)
  if (kind ~= "table" and kind ~= "userdata") or not destination.write then
    error(errors.invalidArgType("destination", "Stream", destination))
  end
end

--- Writes all data to another stream, as fast as that one takes it, and finishes it at the end.
---@generic T
---@param destination T a stream, or any emitter with `write` and `finish`
---@param options? {end: boolean} `["end"] = false` leaves the destination open at the end
---@return T destination
function pipe:pipe(destination, options)
  checkThis(self, "pipe")
  checkDestination(destination)
  check.options("pipe", options, KNOWN)
  self:_captureInLua()
  self:_stopSplicing()
  local new = {destination = destination, waiting = destination.writableNeedDrain or false}
  self._pipes = self._pipes or {}
  self._pipes[#self._pipes + 1] = new
  local keepOpen = options ~= nil and options["end"] == false or destination.isStandardStream
  attach(self, new, not keepOpen)
  destination:emit("pipe", self)
  if new.waiting then
    self:pause()
  elseif self.readableEnded then
    new.onend()
  elseif self.readableFlowing then
    self:_continueReading()
  else
    self:resume()
  end
  return destination
end

--- Ends the pipe to this destination, or all pipes of the stream, which then stops reading.
---@param destination? Stream
---@return Stream self
function pipe:unpipe(destination)
  checkThis(self, "unpipe")
  local pipes = self._pipes
  if not pipes then
    return self
  end
  self:_stopSplicing()
  local wasWaitedFor = false
  for index = #pipes, 1, -1 do
    if destination == nil or pipes[index].destination == destination then
      wasWaitedFor = wasWaitedFor or pipes[index].waiting
      detach(self, table.remove(pipes, index))
    end
  end
  if #pipes == 0 then
    self:pause()
  elseif wasWaitedFor then
    continueAfter(self)
  else
    self:_continueReading()
  end
  return self
end

-- The destination's sources ----------------------------------------------------------------------

-- Ends the pipes to this stream, which was closed without an event. Each pipe has a tick of its
-- own, since a listener may raise.
function pipe:_unpipeSources()
  for _, source in pairs(self._sources or {}) do
    tick(function()
      source:unpipe(self)
    end, true)
  end
end

-- Resumes all sources that wait for room here. Returns whether any of them may still write.
function pipe:_letSourcesWrite()
  local any = false
  for each, source in pairs(self._sources or {}) do
    if not source.readableEnded and not source.destroyed then
      any = true
      if each.waiting then
        each.waiting = false
        continueAfter(source)
      end
    end
  end
  return any
end

-- Whether there were sources, and all of them were destroyed before their end.
function pipe:_wasCutOff()
  local any = false
  for _, source in pairs(self._sources or {}) do
    if not source.destroyed or source.readableEnded then
      return false
    end
    any = true
  end
  return any
end

return pipe
