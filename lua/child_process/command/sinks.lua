--- Where the output of a command goes beside what is collected: files, streams, functions. A sink
--- has `write(chunk)`, which returns false if the sink is full until it calls its `onready`, and
--- `finish()`. It calls `onfailure(err)` if it cannot write, and `onleft()` if it is for a reader
--- that wants no more.

---@class Sink
---@field write fun(self: Sink, chunk: string): boolean
---@field finish fun(self: Sink)
---@field onready fun()
---@field onfailure fun(err: any)
---@field onleft? fun()
---@field limit? number of a sink for lines: bytes that a line may have
---@field stream? Stream what it writes to

---@class child_process.command.sinks
local sinks = {}

local function ignore() end

-- Files -------------------------------------------------------------------------------------------

local FileSink = {}
FileSink.__index = FileSink

function FileSink:write(chunk)
  local ok, text = self.file:write(chunk)
  if ok then
    ok, text = self.file:flush()
  end
  if not ok and not self.hasFailed then
    self.hasFailed = true
    self.onfailure(("cannot write to %s: %s"):format(self.name, text))
  end
  return true
end

function FileSink:finish()
  if self.isOurs then
    self.file:close()
    self.isOurs = false
  end
end

--- Writes to a Lua file.
---@param file file*
---@param name string for errors
---@param isOurs boolean it is closed at the end
---@return Sink
function sinks.file(file, name, isOurs)
  return setmetatable({file = file, name = name, isOurs = isOurs, onfailure = ignore}, FileSink)
end

-- Functions ---------------------------------------------------------------------------------------

local LineSink = {}
LineSink.__index = LineSink

-- Calls the function with the line that ends with a piece. A long line comes in many pieces, which
-- are joined once.
local function callWith(self, last, hasEnd)
  local line = last
  if self.pieces[1] then
    self.pieces[#self.pieces + 1] = last
    line, self.pieces = table.concat(self.pieces), {}
  end
  if self.hasFailed then
    return
  end
  if hasEnd and line:sub(-1) == "\r" then
    line = line:sub(1, -2)
  end
  local ok, err = pcall(self.fn, line)
  if not ok then
    self.hasFailed = true
    self.onfailure(err)
  end
end

-- Keeps the start of a line until its end comes.
local function keep(self, piece)
  self.size = (self.pieces[1] and self.size or 0) + #piece
  if self.size <= self.limit then
    self.pieces[#self.pieces + 1] = piece
  elseif not self.hasFailed then
    self.hasFailed = true
    self.onfailure(("a line is longer than %.0f bytes (options.maxBuffer)"):format(self.limit))
  end
end

function LineSink:write(chunk)
  local position = 1
  local stop = chunk:find("\n", 1, true)
  while stop do
    callWith(self, chunk:sub(position, stop - 1), true)
    position = stop + 1
    stop = chunk:find("\n", position, true)
  end
  if position <= #chunk then
    keep(self, chunk:sub(position))
  end
  return true
end

function LineSink:finish()
  if self.pieces[1] then
    callWith(self, "", false)
  end
end

--- Calls a function with each line.
---@param fn fun(line: string)
---@return Sink
function sinks.lines(fn)
  return setmetatable({
    fn = fn, pieces = {}, size = 0, limit = math.huge, onfailure = ignore,
  }, LineSink)
end

-- Streams -----------------------------------------------------------------------------------------

local CLOSED = "a stream was closed before it had everything"

local StreamSink = {}
StreamSink.__index = StreamSink

function StreamSink:write(chunk)
  return self.hasEnded or self.stream:write(chunk)
end

function StreamSink:leave()
  for event, listener in pairs(self.listeners) do
    self.stream:off(event, listener)
  end
end

--- Another output writes to it, too.
function StreamSink:share()
  self.users = self.users + 1
end

function StreamSink:finish()
  self.users = self.users - 1
  if self.users > 0 then
    return
  end
  self.hasEnded = true
  if not self.staysOpen and not self.stream.destroyed then
    self.stream:finish()
  end
  self:leave()
  self.stream:on("error", ignore) -- what it has taken may still fail
end

-- The stream takes no more.
local function stop(self, err)
  if self.hasEnded then
    return
  end
  self.hasEnded = true
  self.onready()
  if self.mayEndEarly and (err == nil or err.code == "EPIPE") then
    self.onleft()
  else
    self.onfailure(err or CLOSED)
  end
end

---@class StreamSinkOptions
---@field mayEndEarly? boolean its reader need not take everything
---@field staysOpen? boolean it is not finished

--- Writes to a stream, and finishes it after the last of the outputs that share the sink, unless it
--- is one of process.
---@param stream Stream
---@param given? StreamSinkOptions
---@return Sink
function sinks.stream(stream, given)
  local self = setmetatable({
    stream = stream, users = 1, mayEndEarly = given and given.mayEndEarly, onready = ignore,
    onfailure = ignore, onleft = ignore, hasEnded = false,
    staysOpen = stream.isStandardStream or given and given.staysOpen,
  }, StreamSink)
  self.listeners = {
    drain = function() self.onready() end,
    close = function() stop(self) end,
    error = function(err) stop(self, err) end,
  }
  for event, listener in pairs(self.listeners) do
    stream:on(event, listener)
  end
  if stream.destroyed then
    require("child_process.process"):nextTick(stop, self)
  end
  return self
end

return sinks
