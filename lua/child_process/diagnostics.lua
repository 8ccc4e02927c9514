--- Tells subscribers about children: the part of Node's diagnostics_channel that is about this
--- module. In Node: diagnostics_channel.subscribe(name, onMessage).

local check = require("child_process.base.check")
local compat = require("child_process.base.compat")
local errors = require("child_process.errors")
local loop = require("child_process.loop")

---@class child_process.diagnostics
local diagnostics = {}

---@class DiagnosticsMessage
---@field process ChildProcess
---@field options? DiagnosticsOptions only of "tracing:child_process.spawn:start"
---@field error? Error only of "tracing:child_process.spawn:error"

---@class DiagnosticsOptions what the program is started with, after all checks
---@field file string the program, or the shell
---@field args string[] its arguments, with argv[0]
---@field cwd? string
---@field envPairs? string[] its environment as "NAME=value"; nil: ours
---@field detached? boolean
---@field shell? string
---@field uid? integer
---@field gid? integer
---@field timeout? integer milliseconds
---@field killSignal integer its number

local CREATED = "child_process"
local START = "tracing:child_process.spawn:start"
local END = "tracing:child_process.spawn:end"
local ERROR = "tracing:child_process.spawn:error"

-- The subscribers of each name, in order.
local subscribers = {[CREATED] = {}, [START] = {}, [END] = {}, [ERROR] = {}}

-- The list of a name.
local function listOf(name)
  check.type("name", "string", name)
  local list = subscribers[name]
  if not list then
    error(errors.invalidArgValue("name", name, "must be 'child_process' or "
      .. "'tracing:child_process.spawn:' with 'start', 'end' or 'error'"
      .. require("child_process.base.suggestion")(name, subscribers)))
  end
  return list
end

-- Calls a subscriber. Its error is raised out of `run`, as in Node.
local function call(subscriber, message, name)
  local traceback
  local ok, err = compat.xpcall(subscriber, function(problem)
    traceback = compat.traceback(2)
    return problem
  end, message, name)
  if not ok then
    loop.throw(err, traceback)
  end
end

-- The list may change meanwhile.
local function publish(name, message)
  for _, subscriber in ipairs({compat.unpack(subscribers[name])}) do
    call(subscriber, message, name)
  end
end

-- Starts -----------------------------------------------------------------------------------------

local NAMES = {"file", "cwd", "detached", "shell", "uid", "gid", "timeout", "killSignal"}

-- A copy, so that subscribers change nothing.
local function copyOptions(options)
  local copy = {
    args = {compat.unpack(options.args)},
    envPairs = options.env and {compat.unpack(options.env)},
  }
  for _, name in ipairs(NAMES) do
    copy[name] = options[name]
  end
  return copy
end

local ChildProcess -- the class, once there were subscribers
local newChild, startChild -- its functions, whose place ours have while there are subscribers

local function new()
  local child = newChild()
  publish(CREATED, {process = child})
  return child
end

-- Publishes the outcome of a start on another host, which comes later. Until then the child has
-- these two methods in place of those of its class.
local function publishLater(child)
  local function publishNow(name, message)
    child._startedThere, child._failedThere = nil, nil
    publish(name, message)
  end
  function child:_startedThere(...)
    publishNow(END, {process = self})
    return ChildProcess._startedThere(self, ...)
  end
  function child:_failedThere(err)
    publishNow(ERROR, {process = self, error = err})
    return ChildProcess._failedThere(self, err)
  end
end

local function start(child, options, done, argument)
  local failure
  if subscribers[START][1] then
    publish(START, {process = child, options = copyOptions(options)})
  end
  local ok, problem = pcall(startChild, child, options, function(_, _, err)
    failure = err
    if done then
      done(child, argument, err)
    end
  end, argument)
  failure = failure or not ok and problem
  if failure then
    publish(ERROR, {process = child, error = failure})
  elseif options.host then
    publishLater(child)
  else
    publish(END, {process = child})
  end
  return ok and child or error(problem, 0)
end

local function hasAny()
  for _, list in pairs(subscribers) do
    if list[1] then
      return true
    end
  end
  return false
end

-- Children are made and started by our functions only while somebody wants to know.
local function update()
  ChildProcess = ChildProcess or require("child_process.spawn.child")
  local watches = ChildProcess._start == start
  if hasAny() and not watches then
    newChild, startChild = ChildProcess.new, ChildProcess._start
    ChildProcess.new, ChildProcess._start = new, start
  elseif watches and not hasAny() then
    ChildProcess.new, ChildProcess._start = newChild, startChild
  end
end

--- Calls a function whenever something of this name happens: "child_process" when a ChildProcess
--- was made, "tracing:child_process.spawn:start" before a program is started, "...:end" after that,
--- "...:error" if it could not be started. An error that the function raises comes out of `run`.
---@param name string
---@param onMessage fun(message: DiagnosticsMessage, name: string)
function diagnostics.subscribe(name, onMessage)
  local list = listOf(name)
  check.type("subscription", "function", onMessage)
  list[#list + 1] = onMessage
  update()
end

--- Undoes one call of `subscribe`.
---@param name string
---@param onMessage fun(message: DiagnosticsMessage, name: string)
---@return boolean # whether there was such a subscriber
function diagnostics.unsubscribe(name, onMessage)
  local list = listOf(name)
  for index, subscriber in ipairs(list) do
    if subscriber == onMessage then
      table.remove(list, index)
      update()
      return true
    end
  end
  return false
end

--- Whether the name has subscribers.
---@param name string
---@return boolean
function diagnostics.hasSubscribers(name)
  return listOf(name)[1] ~= nil
end

return diagnostics
