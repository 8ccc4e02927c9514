--- What a running command prints: reads its outputs, as the plan says, or hands its standard output
--- to another command.

local Collector = require("child_process.command.collector")
local options = require("child_process.command.options")
local Output = require("child_process.command.output")

local given = options.given

---@class Run
local reading = {}

-- Other processes may hold the outputs.
local function closeOutputs(self)
  for _, output in pairs(self.outputs) do
    output:close()
  end
end

-- An output is longer than options.maxBuffer.
local function overflow(self, name)
  self.fields.isMaxBuffer, self.fields.fullOutput = true, name
  self:stopGroup()
  local child = self.child
  local isRunning = child.exitCode == nil and child.signalCode == nil
  if self.plan.atTerminal and isRunning then -- closing it hangs up, which is a signal, too
    child:once("exit", function()
      closeOutputs(self)
    end)
  else
    closeOutputs(self)
  end
end

local function collector(self, name)
  local limit = name == "all" and math.huge or options.maxBuffer(self.options)
  self.collectors[name] = self.collectors[name] or Collector.new(limit, function()
    overflow(self, name)
  end)
  return self.collectors[name]
end

local function sinksOf(self, name)
  local list = self.plan[name].sinks
  list[#list + 1] = self.report and self.report:sink(name)
  for _, sink in ipairs(list) do
    sink.limit = sink.limit and options.maxBuffer(self.options)
  end
  return list
end

local function readOutput(self, name)
  local stream = self.plan:stream(name, self.child)
  if not stream then
    return
  end
  local collectors = {}
  if self.plan[name].isCollected then
    collectors[1] = collector(self, name)
    collectors[2] = self.options.all == true and collector(self, "all") or nil
  end
  if given(self.options.encoding) then
    stream:setEncoding(self.options.encoding)
  end
  self.outputs[name] = Output.new(stream, sinksOf(self, name), collectors, function(err)
    self:fail(err)
  end)
end

--- Starts to read the outputs, unless that was done.
function reading:read()
  if not self.isReading and self.child then
    self.isReading = true
    readOutput(self, "stdout")
    readOutput(self, "stderr")
    self.plan:drainTerminal(self.child)
  end
end

--- Whether nothing but the result wants the standard output, and nothing was read yet.
---@return boolean
function reading:canHandOn()
  local target = self.plan.stdout
  return not self.isReading and not self.plan.atTerminal and not self.child.host
    and target.isCollected and #target.sinks == 0 and self.options.all ~= true
    and not (self.report and self.report:sink("stdout"))
end

--- Gives the standard output to another command, which has it as its standard input.
function reading:handedOn()
  self.plan.stdout.isCollected = false
  self.plan:stream("stdout", self.child):destroy()
  self.plan.stdout.entry = "ignore" -- nobody reads it here
end

return reading
