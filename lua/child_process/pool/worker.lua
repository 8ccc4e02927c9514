--- A child of a pool. It does one task at a time.

local ChannelEnd = require("child_process.channel.end")
local checkRecursion = require("child_process.pool.recursion")
local failure = require("child_process.pool.failure")
local fork = require("child_process.fork.fork").fork
local process = require("child_process.process")
local requests = require("child_process.channel.requests")
local setTimeout = require("child_process.timers").setTimeout

local LONGEST_TAIL = 4096 -- bytes of stderr for errors
local GRACE = 5000 -- milliseconds that a child has to end after the last task
local NOTICE = 1000 -- milliseconds between the end of a channel and that of its child

---@class child_process.pool.Worker : child_process.OpenRequest
---@field child? ChildProcess
---@field state "starting"|"idle"|"busy"|"leaving"|"ending" leaving: it ends by itself; ending: it
---has ended, or we end it
---@field task? child_process.pool.Task
---@field wasReady boolean it has answered
---@field hasLeft boolean it was asked to end, and may be counted out
---@field wasStopped boolean we have ended it
---@field place child_process.pool.Place
---@field package pool child_process.pool.Pool
---@field package settings table
---@field package list child_process.Requests
---@field package done integer tasks
---@field package tail string the end of its stderr
---@field package timer? Timeout of the task, or of the wait for one, or for the end
---@field package startError? Error
---@field package trouble? Error that it has emitted since: its host is lost, its channel is broken
local Worker = {}
Worker.__index = Worker

-- Its stderr --------------------------------------------------------------------------------------

-- Passes it on once the script is ready. Before that it is for the error.
local function onStderr(self, data)
  self.tail = (self.tail .. data):sub(-LONGEST_TAIL)
  if self.wasReady then
    process.stderr:write(data)
  end
end

local function passOn(self)
  if self.tail ~= "" then
    process.stderr:write(self.tail)
    self.tail = ""
  end
end

-- The end -----------------------------------------------------------------------------------------

local function setTimer(self, callback, delay)
  if self.timer then
    self.timer:close()
  end
  self.timer = setTimeout(callback, delay, self)
  return self.timer
end

local function stopTimer(self)
  if self.timer then
    self.timer:close()
    self.timer = nil
  end
end

-- The loop runs until the child and its streams have closed, which its task may wait for.
local function reference(child)
  child:ref()
  for _, stream in pairs(child.stdio) do
    stream:ref()
  end
end

local function onExit(self)
  self.state = "ending"
  stopTimer(self)
  reference(self.child)
  self.child:kill("SIGKILL", {tree = true}) -- what it has started and left behind
end

-- The channel closes before "exit", and the loop must run until that.
local function onDisconnect(self)
  reference(self.child)
  if self.state ~= "ending" and not self.hasLeft then
    self.state = "ending"
    setTimer(self, self.stop, NOTICE) -- unless it ends now, which would show why
  end
end

local function onClose(self)
  stopTimer(self)
  self.pool:_workerEnded(self)
end

--- To be called when the child is no concern of this process.
function Worker:forget()
  stopTimer(self)
end

--- How the child has ended.
---@return child_process.pool.End
function Worker:getEnd()
  local child = self.child
  return {
    exitCode = child and child.exitCode, signalCode = child and child.signalCode,
    startError = self.startError, trouble = self.trouble, stderr = self.tail,
  }
end

--- Ends the child and its tree.
function Worker:stop()
  self.state, self.wasStopped = "ending", true
  stopTimer(self)
  if self.child then
    reference(self.child)
    self.child:dispose()
  end
end

--- Lets the child end by itself.
function Worker:leave()
  self.state, self.hasLeft = "leaving", true
  reference(self.child)
  setTimer(self, self.stop, GRACE)
  if self.child.connected then
    self.child:disconnect()
  end
end

-- The start ---------------------------------------------------------------------------------------

-- The reply to the first request, which has no value: the script answers requests.
local Hello = {}
Hello.__index = Hello

function Hello:settled(_, _, isCut)
  local worker = self.worker
  if isCut or worker.state ~= "starting" then
    return
  end
  worker.wasReady = true
  worker.state = "idle"
  passOn(worker)
  worker.pool:_workerReady(worker)
end

local function listen(self)
  local child = self.child
  child:on("error", function(err)
    if not child.pid then
      self.startError = err
    elseif not self.trouble or err.code == "ERR_HOST_LOST" then
      self.trouble = err
    end
  end)
  child:on("exit", function()
    onExit(self)
  end)
  child:on("disconnect", function()
    onDisconnect(self)
  end)
  child:on("close", function()
    onClose(self)
  end)
  if self.settings.takesStderr and child.stderr then
    child.stderr:on("data", function(data)
      onStderr(self, data)
    end)
  end
end

-- The loop runs for a child while it works on something, and not while it is idle.
local function unreference(child)
  child:unref()
  child.channel:unref()
  for _, stream in pairs(child.stdio) do
    stream:unref()
  end
end

---@param pool child_process.pool.Pool
---@param settings table
---@param place child_process.pool.Place
---@return child_process.pool.Worker
function Worker.new(pool, settings, place)
  return setmetatable({
    pool = pool, settings = settings, place = place, state = "starting", wasReady = false,
    hasLeft = false, wasStopped = false, task = nil, timer = nil, startError = nil, trouble = nil,
    list = nil, done = 0, tail = "", child = nil,
  }, Worker)
end

-- If this raises, the start of the child is undone.
local function prepare(child, self)
  self.child = child
  listen(self)
  local channelEnd = ChannelEnd.byTarget[child]
  if channelEnd then
    unreference(child)
    self.list = requests.of(channelEnd)
    self.list:start(setmetatable({worker = self}, Hello))
  end
end

--- Starts the child. Raises an error if the options are wrong, or without memory; then there is no
--- child.
function Worker:start()
  local settings = self.settings
  checkRecursion(settings)
  fork(settings.script, settings.args, self.place.forkOptions, prepare, self)
end

-- Tasks -------------------------------------------------------------------------------------------

local function onTimeout(self)
  local task = self.task
  if task and self.state == "busy" then
    self.task = nil
    self:stop()
    self.pool:_taskFailed(task, failure.timedOut(task.timeout))
  end
end

local function startTimer(self, timeout)
  local timer = self.timer
  if timer and timer.callback == onTimeout and timer.delay == timeout then
    timer:refresh()
  else
    setTimer(self, onTimeout, timeout):unref()
  end
end

--- Gives the child a task. Raises an error if its value cannot be sent.
---@param task child_process.pool.Task
function Worker:give(task)
  self.list:start(self, task.value)
  self.task, task.worker = task, self
  self.state = "busy"
  if task.timeout then
    startTimer(self, task.timeout)
  elseif self.timer then
    stopTimer(self)
  end
end

--- The reply to a task, see Requests.
---@param isAnswered boolean
---@param outcome any
---@param isCut? boolean
function Worker:settled(isAnswered, outcome, isCut)
  local task = self.task
  if isCut or self.state ~= "busy" or not task then
    return -- its end comes
  end
  self.task, task.worker = nil, nil
  self.state = "idle"
  self.tail, self.trouble = "", nil
  self.done = self.done + 1
  self.pool:_taskDone(self, task, isAnswered, outcome)
end

--- Whether it has done as many tasks as it may.
---@return boolean
function Worker:isWorn()
  return self.done >= self.settings.maxTasksPerChild
end

--- To be called when there is no task for it.
function Worker:rest()
  self.state = "idle"
  if self.timer then
    stopTimer(self)
  end
  if self.settings.idleTimeout then
    setTimer(self, function()
      if self.state == "idle" then
        self.pool:_idleTooLong(self)
      end
    end, self.settings.idleTimeout):unref()
  end
end

return Worker
