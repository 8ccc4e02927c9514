--- source:pipe(destination), and moving the data inside the kernel where nobody looks at it.
--   _pipes        the source's pipes: sequence of {destination, waiting, refused, listeners}
--   _sources      at a destination that is a stream: pipe -> source
--   _splicing     the destination that the kernel moves everything to
--   _splicedFrom  at that destination: the source
local errors = require("child_process.errors")
local tick = require("child_process.loop").tick

---@param Stream Stream the class, which gets the methods
return function(Stream)
  local check = Stream.check

  function Stream:_hasPipes()
    return self._pipes ~= nil and #self._pipes > 0
  end

  local function anyWaiting(pipes)
    for _, pipe in ipairs(pipes) do
      if pipe.waiting then
        return true
      end
    end
    return false
  end

  function Stream:_writeToPipes(chunk)
    local pipes = self._pipes
    for _, pipe in ipairs(table.move(pipes, 1, #pipes, 1, {})) do
      local destination = pipe.destination
      if destination:write(chunk) == false then
        if destination.destroyed then -- it may be over without an event
          self:unpipe(destination)
        else
          pipe.waiting = true
        end
      end
    end
    if anyWaiting(pipes) then
      self:pause()
    end
  end

  -- A destination that the source has waited for is ready, or gone.
  local function continueAfter(source)
    if not anyWaiting(source._pipes) then
      source:resume()
    end
  end

  local function listen(source, pipe, endsToo)
    local destination = pipe.destination
    local function onerror(err)
      source:unpipe(destination)
      if destination:listenerCount("error") == 0 then
        destination:emit("error", err)
      end
    end
    pipe.listeners = {
      close = function()
        source:unpipe(destination)
      end,
      error = onerror,
      drain = function()
        if pipe.waiting then
          pipe.waiting = false
          continueAfter(source)
        end
      end,
    }
    for event, listener in pairs(pipe.listeners) do
      destination:prependListener(event, listener)
    end
    pipe.onend = function()
      if endsToo then
        destination:finish()
      else
        source:unpipe(destination)
      end
    end
    source:once("end", pipe.onend)
    if Stream.isStream(destination) then
      destination._sources = destination._sources or {}
      destination._sources[pipe] = source
    end
  end

  --- Writes everything that is read to another stream, as fast as that one takes it, and ends it at
  --- the end.
  ---@generic T
  ---@param destination T a stream, or any emitter with `write` and `finish`
  ---@param options? {end: boolean} `["end"] = false` leaves the destination open at the end
  ---@return T destination
  function Stream:pipe(destination, options)
    check(self, "pipe")
    if destination == nil then
      error(errors.invalidThis("Stream:pipe")) -- a.pipe(b) has b in the place of a
    end
    local kind = type(destination)
    if (kind ~= "table" and kind ~= "userdata") or not destination.write then
      error(errors.invalidArgType("destination", "Stream", destination))
    end
    self:_stopSplicing()
    local pipe = {destination = destination, waiting = destination.writableNeedDrain or false}
    self._pipes = self._pipes or {}
    self._pipes[#self._pipes + 1] = pipe
    local keepOpen = options ~= nil and options["end"] == false or destination.isStandardStream
    listen(self, pipe, not keepOpen)
    destination:emit("pipe", self)
    if pipe.waiting then
      self:pause()
    elseif self.readableEnded then
      pipe.onend()
    elseif self.readableFlowing then
      self:_continueReading()
    else
      self:resume()
    end
    return destination
  end

  local function detach(source, pipe)
    for event, listener in pairs(pipe.listeners) do
      pipe.destination:removeListener(event, listener)
    end
    source:removeListener("end", pipe.onend)
    if pipe.destination._sources then
      pipe.destination._sources[pipe] = nil
    end
    pipe.destination:emit("unpipe", source)
  end

  --- Ends the pipe to this destination, or all pipes of the stream, which then stops reading.
  ---@param destination? Stream
  ---@return Stream self
  function Stream:unpipe(destination)
    check(self, "unpipe")
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

  -- Ends the pipes to this stream, which has gone without telling. Each in a tick, since a listener
  -- may raise.
  function Stream:_unpipeSources()
    for _, source in pairs(self._sources or {}) do
      tick(function()
        source:unpipe(self)
      end, true)
    end
  end

  -- Lets all go on that wait for room here. Returns whether anybody may still write.
  function Stream:_letSourcesWrite()
    local any = false
    for pipe, source in pairs(self._sources or {}) do
      if not source.readableEnded and not source.destroyed then
        any = true
        if pipe.waiting then
          pipe.waiting = false
          continueAfter(source)
        end
      end
    end
    return any
  end

  -- Splicing.

  -- Two-way pipes have other things to do at the same time.
  local function canSplice(source, pipe)
    local destination = pipe.destination
    return not pipe.refused
      and Stream.isStream(destination)
      and not source._writableSide and not destination._readableSide
      and not source._decoder and not source._collector and source.readableLength == 0
      and source:listenerCount("data") == 0
      and not source.isStandardStream and not destination.isStandardStream
      and destination._handle and destination.writable and not destination._queue
      and destination.writableCorked == 0 and not destination._splicedFrom
  end

  -- Lets the kernel move the data if that is all there is to do with it.
  function Stream:_splice()
    if self._splicing then
      return true
    end
    local pipes = self._pipes
    if #pipes ~= 1 or not self.readableFlowing or not canSplice(self, pipes[1]) then
      return false
    end
    local destination = pipes[1].destination
    self._handle:read(false)
    if self._handle:splice(destination._handle) then
      return false
    end
    self._splicing = destination
    destination._splicedFrom = self
    return true
  end

  -- Returns true if there was something to stop.
  function Stream:_stopSplicing()
    local source = self._splicedFrom or self
    local destination = source._splicing
    if not destination then
      return false
    end
    source._splicing = nil
    destination._splicedFrom = nil
    source._handle:unsplice()
    return true
  end

  -- After a transfer was stopped for good: the data goes through Lua.
  function Stream:_refuseSplicing()
    self._pipes[1].refused = true
    self:_continueReading()
  end

  -- Called by the handle: so many bytes were moved; `state` and `errno` tell the end.
  function Stream:onsplice(moved, state, errno)
    local destination = self._splicing
    self.bytesRead = self.bytesRead + moved
    destination.bytesWritten = destination.bytesWritten + moved
    if not state then
      return
    end
    self:_stopSplicing()
    if state == "end" then
      self:onread(nil)
    elseif state == "read" then
      self:destroy(errors.system(errno, "read"))
    elseif state == "write" then
      destination:destroy(errors.system(errno, "write"))
    else
      self:_refuseSplicing()
    end
  end
end
