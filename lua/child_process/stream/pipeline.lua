--- pipeline: pipes streams and children into one another, and ends them together.
-- A part has an input, which is written to, an output, which is read from, or both. The pipeline
-- waits for both sides of each part: an output ends with "end", an input with "finish". If a part
-- fails, or closes earlier, the whole pipeline fails, and all streams are destroyed.
--
-- A child may close its stdin early and go on, as head does. That alone is not a failure: the part
-- before it then ends as well.

local errors = require("child_process.errors")
local check = require("child_process.base.check")
local identity = require("child_process.stream.identity")
local tick = require("child_process.base.ticks").tick

---@class child_process.pipeline
local pipeline = {}

---@class PipelineOptions
---@field signal? AbortSignal aborting it fails the pipeline
---@field end? boolean false leaves the last stream open

---@class PipelineRun
---@field parts {input: Stream?, output: Stream?, isChild: boolean}[]
---@field pending integer the number of sides that have not ended
---@field over boolean? the pipeline has succeeded or failed
---@field done table<Stream, table<string, boolean>> the sides that have ended
---@field listeners {[1]: EventEmitter, [2]: string, [3]: function}[]
---@field options PipelineOptions
---@field callback fun(err: any)
---@field abortNumber integer? of the action of options.signal
local Run = {}
Run.__index = Run

function Run:on(emitter, event, listener)
  emitter:on(event, listener)
  self.listeners[#self.listeners + 1] = {emitter, event, listener}
end

local function appendStreams(all, part)
  all[#all + 1] = part.input
  if part.output ~= part.input then
    all[#all + 1] = part.output
  end
  return all
end

function Run:allStreams()
  local all = {}
  for _, part in ipairs(self.parts) do
    appendStreams(all, part)
  end
  return all
end

local function ignore()
end

function Run:finish(err)
  if self.over then
    return
  end
  self.over = true
  for _, entry in ipairs(self.listeners) do
    entry[1]:off(entry[2], entry[3])
  end
  if self.abortNumber then
    self.options.signal:_removeAction(self.abortNumber)
  end
  if err ~= nil then
    for _, stream in ipairs(self:allStreams()) do
      stream:on("error", ignore) -- only the first error counts
      if not stream.isStandardStream then
        stream:destroy()
      end
    end
  end
  local callback = self.callback
  tick(function()
    callback(err)
  end, true)
end

-- Notes that a side, "input" or "output", has ended.
function Run:sideDone(stream, side)
  local done = self.done[stream]
  if not done[side] then
    done[side] = true
    self.pending = self.pending - 1
    if self.pending == 0 then
      self:finish()
    end
  end
end

function Run:watchOutput(index)
  local output = self.parts[index].output
  if output.readableEnded then
    self.done[output].output = true
    return
  end
  self.pending = self.pending + 1
  self:on(output, "end", function()
    self:sideDone(output, "output")
  end)
end

-- The child no longer reads its stdin.
function Run:leaveInput(index)
  self:sideDone(self.parts[index].input, "input")
  self:sideDone(self.parts[index - 1].output, "output")
end

function Run:watchInput(index)
  local input, source = self.parts[index].input, self.parts[index - 1].output
  local staysOpen = index == #self.parts and (self.options["end"] == false
    or input.isStandardStream)
  if staysOpen and source.readableEnded then
    self.done[input].input = true
    return
  end
  self.pending = self.pending + 1
  self:on(staysOpen and source or input, staysOpen and "end" or "finish", function()
    self:sideDone(input, "input")
  end)
end

-- Watches for a stream that fails, or closes before its sides have ended.
function Run:watch(index, stream)
  local part = self.parts[index]
  local function isLeft(err)
    return part.isChild and stream == part.input and (err == nil or err.code == "EPIPE")
  end
  local function closed()
    local done = self.done[stream]
    local isOver = (stream ~= part.output or done.output) and (stream ~= part.input or done.input)
    if isOver then
      return
    elseif isLeft() then
      self:leaveInput(index)
    else
      self:finish(errors.streamPrematureClose())
    end
  end
  self:on(stream, "error", function(err)
    if isLeft(errors.isError(err) and err or {}) then
      self:leaveInput(index)
    else
      self:finish(err)
    end
  end)
  self:on(stream, "close", closed)
  if stream.destroyed then -- its events may have been emitted already
    tick(function()
      if not self.over and stream:_failure() ~= nil then
        self:finish(stream:_failure())
      elseif not self.over then
        closed()
      end
    end, true)
  end
end

-- Waits for the "error" of a child that could not be started, whose streams are closed. The event
-- may have been emitted already.
function Run:watchFailedStart(child)
  self.pending = self.pending + 1
  local failure = child:_past("error")
  if failure then
    tick(function()
      self:finish(failure[1])
    end, true)
  end
end

function Run:start(value, index)
  local part = self.parts[index]
  if part.isChild then
    self:on(value, "error", function(err)
      self:finish(err)
    end)
    if not value.pid then
      self:watchFailedStart(value)
      return
    end
  end
  if index > 1 then
    self:watchInput(index)
  end
  if index < #self.parts then
    self:watchOutput(index)
  end
  for _, stream in ipairs(appendStreams({}, part)) do
    self:watch(index, stream)
  end
end

-- The streams of an argument. The first is only read, the last only written.
local function newPart(value, index, count)
  local isChild = getmetatable(value) == "ChildProcess"
  local name = ("streams[%d]"):format(index)
  if not isChild and not identity.isStream(value) then
    error(errors.invalidArgType(name, {"Stream", "ChildProcess"}, value))
  end
  local input, output = value, value
  if isChild then
    input, output = value.stdin, value.stdout
  end
  local part = {isChild = isChild, input = index > 1 and input or nil,
    output = index < count and output or nil}
  if index > 1 and not (input and input:_hasWritableSide()) then
    error(errors.invalidArgValue(name, value, "cannot be written to"))
  elseif index < count and not (output and output:_hasReadableSide()) then
    error(errors.invalidArgValue(name, value, "cannot be read from"))
  end
  return part
end

local known = {signal = true, ["end"] = true}

-- Separates the streams, given one by one or as a list, from the options after them.
local function parse(values)
  local options = {}
  local last = values[#values]
  if type(last) == "table" and not identity.isStream(last) and #values > 1 then
    options = table.remove(values)
  end
  if #values == 1 and type(values[1]) == "table" and not identity.isStream(values[1]) then
    values = values[1]
  end
  if #values < 2 then
    error(errors.missingArgs("streams"))
  end
  check.options("pipeline", options, known)
  check.signalOption(options)
  check.optional("options.end", "boolean", options["end"])
  return values, options
end

-- Runs a pipeline, for the forms with a callback and with a promise.
local function run(values, callback)
  local streams, options = parse(values)
  local self = setmetatable({
    parts = {}, pending = 0, done = {}, listeners = {}, options = options, callback = callback,
  }, Run)
  for index, value in ipairs(streams) do
    self.parts[index] = newPart(value, index, #streams)
  end
  for _, stream in ipairs(self:allStreams()) do
    self.done[stream] = {}
  end
  for index, value in ipairs(streams) do
    self:start(value, index)
  end
  for index = 2, #streams do
    local keepOpen = index == #streams and options["end"] == false
    self.parts[index - 1].output:pipe(self.parts[index].input, {["end"] = not keepOpen})
  end
  local signal = options.signal
  if signal then
    local function onAbort()
      self:finish(errors.aborted(signal))
    end
    if signal.aborted then
      onAbort()
    else
      self.abortNumber = signal:_addAction(onAbort)
    end
  end
  if self.pending == 0 then
    self:finish()
  end
  return streams[#streams]
end

-- Packs the arguments. Raises if one is nil, as child.stdin is unless it is a pipe.
local function pack(...)
  for index = 1, select("#", ...) do
    if (select(index, ...)) == nil then
      error(errors.invalidArgType(("streams[%d]"):format(index), {"Stream", "ChildProcess"}, nil))
    end
  end
  return {...}
end

--- See child_process.pipeline.
---@param ... any
---@return Stream|ChildProcess
function pipeline.pipeline(...)
  local values = pack(...)
  local callback = table.remove(values)
  check.type("callback", "function", callback)
  return run(values, callback)
end

--- See child_process.promises.pipeline.
---@param ... any
---@return Promise
function pipeline.promise(...)
  local values = pack(...)
  return require("child_process.promise").new(function(resolve, reject)
    run(values, function(err)
      if err ~= nil then
        reject(err)
      else
        resolve()
      end
    end)
  end)
end

return pipeline
