--- A command that runs: starts it, and notes how it ends. What it prints is read by reading.lua.

local cp = require("child_process")
local naming = require("child_process.command.naming")
local options = require("child_process.command.options")
local outcome = require("child_process.command.outcome")
local Plan = require("child_process.command.plan")
local process = require("child_process.process")
local Promise = require("child_process.promise")
local reading = require("child_process.command.reading")
local result = require("child_process.command.result")
local verbose = require("child_process.command.verbose")

local given = options.given

---@class Run
---@field child ChildProcess? nil if a file for it could not be opened
---@field options table
---@field plan CommandPlan
---@field fields table what the result is made of
---@field ended Promise fulfilled with `fields`, never rejected
---@field collectors table<string, Collector> by "stdout", "stderr" and "all"
---@field outputs table<string, CommandOutput>
---@field group Run[] the commands that end together
---@field before? Run the command whose output this one reads
---@field report? VerboseReport
---@field ownsReport boolean it is not that of a group
---@field startedAt number milliseconds
---@field isReading boolean
---@field isStopped boolean
---@field isOver? boolean `ended` is fulfilled
local Run = {}
Run.__index = Run

for name, method in pairs(reading) do
  Run[name] = method
end

local function now()
  local time = process:hrtime()
  return time[1] * 1000 + time[2] / 1000000
end

-- Whether a program was started, or is about to be on another host.
local function wasStarted(child)
  return child.pid ~= nil or child.host ~= nil and not child._startError
end

--- Whether the command was started, as far as is known.
---@return boolean
function Run:isStarted()
  return self.child ~= nil and wasStarted(self.child)
end

-- The end ----------------------------------------------------------------------------------------

-- The function of options.verbose may raise, which makes the command fail.
local function reportEnd(self)
  local fields = self.fields
  local ok, err = pcall(self.report.finish, self.report, result.of(fields))
  if not ok and not fields.failed then
    fields.failed, fields.failure, fields.made = true, err, nil
  end
end

local function complete(self)
  if self.child then
    self:read() -- so that the targets are finished even if it could not be started
  end
  self.fields.durationMs = now() - self.startedAt
  outcome.noteEnd(self.fields, self.child)
  for _, output in pairs(self.outputs) do
    output:finish()
  end
  self.plan:finish()
  for name, each in pairs(self.collectors) do
    each:finish()
    self.fields[name] = outcome.text(each, self.options)
  end
  self.isOver = true
  if self.ownsReport then
    reportEnd(self)
  end
  self.resolve(self.fields)
end

-- Stopping ---------------------------------------------------------------------------------------

--- Ends the command, as a limit does.
function Run:stop()
  if not self.isStopped then
    self.isStopped = true
    if self:isStarted() then
      self.child:kill(self.options.killSignal)
    end
  end
end

--- Ends the command, and those that are connected to it.
function Run:stopGroup()
  for _, run in ipairs(self.group) do
    run:stop()
  end
end

--- Notes that something other than the command itself has failed. The first reason counts.
---@param err any
function Run:fail(err)
  if self.fields.failure == nil then
    self.fields.failure = err
    self:stopGroup()
  end
end

--- Reports the start of this command, or of a pipeline that ends with it.
---@param text string
---@param cwd string?
function Run:reportStart(text, cwd)
  local ok, err = pcall(self.report.start, self.report, text, cwd)
  if not ok then
    self:fail(err)
  end
end

local function onError(self, err)
  local fields = self.fields
  local isAbort = type(err) == "table" and err.name == "AbortError"
  fields.couldNotStart = fields.couldNotStart or not self:isStarted()
  fields.isCanceled = fields.isCanceled or isAbort
  self.isStopped = self.isStopped or isAbort -- the child was ended already
  self:fail(err)
end

-- Starting ---------------------------------------------------------------------------------------

local function watch(self)
  local child = self.child
  child:on("error", function(err)
    onError(self, err)
  end)
  child:on("close", function()
    if child.timedOut then
      self.isStopped = true
    end
    complete(self)
  end)
  if self.plan.stdin.feed and self:isStarted() then
    self.plan.stdin.feed(child, function(err)
      self:fail(err)
    end)
  end
end

-- A file that the command needs could not be opened, so it was not started.
local function startNothing(self, file, args)
  naming.setUnstarted(self.fields, file, args)
  self.fields.couldNotStart, self.fields.failure = true, self.plan.failure
  self.plan:release()
  for _, name in ipairs({"stdout", "stderr"}) do
    for _, sink in ipairs(self.plan[name].sinks) do
      sink:finish()
    end
  end
  process:nextTick(function()
    self:stopGroup()
    complete(self)
  end)
end

local function spawn(self, file, args)
  local forSpawn = options.forSpawn(self.options, self.plan:stdio())
  local ok, child = pcall(cp.spawn, file, args, forSpawn)
  self.plan:release()
  if not ok then
    error(child, 0)
  end
  self.child = child
  local isShell = given(forSpawn.shell) and forSpawn.shell ~= false and forSpawn.shell ~= ""
  naming.set(self.fields, file, child.spawnargs, isShell)
  watch(self)
end

---@param file string
---@param args any
---@param merged table options that were checked
---@param wiring CommandWiring
---@return Run
function Run.start(file, args, merged, wiring)
  local self = setmetatable({
    options = merged, collectors = {}, outputs = {}, isReading = false, isStopped = false,
    startedAt = now(), report = wiring.report or verbose.report(merged),
    group = wiring.group or {},
  }, Run)
  self.ownsReport = self.report ~= wiring.report
  self.fields = outcome.new(merged, wiring.attempt)
  self.ended, self.resolve = Promise.withResolvers()
  self.plan = Plan.new(merged, wiring)
  self.fields.hasErrorsInOutput = self.plan.hasErrorsInOutput
  if self.plan.failure and type(file) == "string" then
    startNothing(self, file, args)
  else
    spawn(self, file, args)
  end
  naming.setPlace(self.fields, merged.cwd, merged.host)
  self.group[#self.group + 1] = self
  if self.ownsReport then
    self:reportStart(self.fields.escapedCommand, self.fields.cwd)
  end
  return self
end

--- A command that will not be started, as another one could not be.
---@param file any
---@param args any
---@param merged table
---@return Run
function Run.unstarted(file, args, merged)
  local self = setmetatable({
    options = merged, collectors = {}, outputs = {}, isReading = true, isStopped = true,
    startedAt = now(), group = {}, ownsReport = false,
  }, Run)
  self.fields = outcome.new(merged)
  self.fields.failed, self.fields.wasNotStarted, self.fields.durationMs = true, true, 0
  naming.setUnstarted(self.fields, file, args)
  naming.setPlace(self.fields, merged.cwd, merged.host)
  self.ended = Promise.resolve(self.fields)
  return self
end

return Run
