--- One output of a running command: reads the stream, and hands each piece to what wants it, as
--- fast as the slowest takes it. If only streams want it, it is piped into them, so that the kernel
--- can copy it.

---@class CommandOutput
---@field package stream Stream
---@field package sinks Sink[]
---@field package collectors Collector[]
---@field package holds integer how many of its takers are full
---@field package full table<Sink, true> sinks that are full
---@field package isOver boolean everything was read
local Output = {}
Output.__index = Output

--- Reads nothing more until `release`.
function Output:hold()
  self.holds = self.holds + 1
  if self.holds == 1 then
    self.stream:pause()
  end
end

--- Undoes one `hold`.
function Output:release()
  self.holds = self.holds - 1
  if self.holds == 0 and not self.stream.destroyed then
    self.stream:resume()
  end
end

local function writeTo(self, sink, chunk)
  if sink:write(chunk) == false and not self.full[sink] then
    self.full[sink] = true
    self:hold()
  end
end

local function take(self, chunk)
  for _, sink in ipairs(self.sinks) do
    writeTo(self, sink, chunk)
  end
  for _, collector in ipairs(self.collectors) do
    collector:add(chunk, self)
  end
end

local function connect(self, sink, onfailure)
  local before = sink.onready
  sink.onready = function()
    before()
    if self.full[sink] then
      self.full[sink] = nil
      self:release()
    end
  end
  sink.onfailure = onfailure
  sink.onleft = function()
    self:close() -- so that the command gets SIGPIPE
  end
end

local function areStreams(sinks)
  for _, sink in ipairs(sinks) do
    if not sink.stream then
      return false
    end
  end
  return sinks[1] ~= nil
end

-- Starts the flow. The sinks finish their streams themselves.
local function start(self)
  if #self.collectors == 0 and areStreams(self.sinks) then
    self.stream:setMaxListeners(0) -- each pipe has one
    for _, sink in ipairs(self.sinks) do
      self.stream:pipe(sink.stream, {["end"] = false})
    end
  else
    self.stream:on("data", function(chunk)
      take(self, chunk)
    end)
  end
end

--- Starts to read.
---@param stream Stream
---@param sinks Sink[]
---@param collectors Collector[]
---@param onfailure fun(err: any) called if a sink or the stream fails
---@return CommandOutput
function Output.new(stream, sinks, collectors, onfailure)
  local self = setmetatable({
    stream = stream, sinks = sinks, collectors = collectors, holds = 0, full = {}, isOver = false,
  }, Output)
  for _, sink in ipairs(sinks) do
    connect(self, sink, onfailure)
  end
  stream:on("error", onfailure)
  start(self)
  stream:on("close", function()
    self:finish()
  end)
  return self
end

--- Ends the reading.
function Output:close()
  self.stream:destroy()
end

--- Adds a sink to an output that is collected.
---@param sink Sink
---@param onfailure fun(err: any)
function Output:add(sink, onfailure)
  connect(self, sink, onfailure)
  self.sinks[#self.sinks + 1] = sink
end

--- Finishes the sinks, once.
function Output:finish()
  for _, sink in ipairs(self.sinks) do
    sink:finish()
  end
  self.sinks = {}
  self.isOver = true
end

---@return boolean # whether everything was read
function Output:isFinished()
  return self.isOver
end

return Output
