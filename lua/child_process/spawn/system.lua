--- cp.system: runs a command with the arguments and results of Neovim's vim.system.

local arguments = require("child_process.spawn.arguments")
local Capture = require("child_process.spawn.capture")
local check = require("child_process.base.check")
local ChildProcess = require("child_process.spawn.child")
local environment = require("child_process.spawn.environment")
local errors = require("child_process.errors")
local known = require("child_process.spawn.options")
local signals = require("child_process.spawn.signals")
local tick = require("child_process.base.ticks").tick

local OPTIONS = {
  cwd = true, env = true, clear_env = true, stdin = true, stdout = true, stderr = true,
  text = true, timeout = true, detach = true,
}

local UNLIMITED = known.checkMaxBuffer(math.huge)
local TIMED_OUT = 124

---@class SystemCompleted
---@field code integer exit code; 0 after a signal; 124 if a timeout was exceeded, unless the
---command exited with a code above 1
---@field signal integer number of the signal that ended the command; 0 if none did
---@field stdout? string nil if it was not collected
---@field stderr? string nil if it was not collected

-- A command that cp.system has started.
---@class SystemObj
---@field cmd string[] the command and its arguments
---@field pid integer
---@field package _child ChildProcess
---@field package _captures table<"stdout"|"stderr", Capture>
---@field package _text boolean whether line ends are converted
---@field package _patience integer milliseconds that `wait` waits at most by default; 0: no limit
---@field package _onExit? fun(completed: SystemCompleted)
---@field package _result? SystemCompleted
---@field package _failure? Error the command could not be started
---@field package _timer? Timeout of the latest `wait` with a limit
---@field package _expired? boolean a `wait` has exceeded its limit
local SystemObj = {}
SystemObj.__index = SystemObj

local checkThis = check.this("SystemObj", SystemObj)

local function output(self, name)
  local capture = self._captures[name]
  local bytes = capture and capture:result()
  return bytes and self._text and bytes:gsub("\r\n", "\n") or bytes
end

local function closed(self)
  local child = self._child
  local code = child.exitCode or 0
  if code <= 1 and (child.timedOut or self._expired) then
    code = TIMED_OUT
  end
  local signal = child.signalCode
  self._result = {
    code = code,
    signal = signal and signals.number(signal) or 0,
    stdout = output(self, "stdout"),
    stderr = output(self, "stderr"),
  }
  if self._timer then
    self._timer:close()
  end
  if self._onExit then
    tick(self._onExit, self._result)
  end
end

local function expire(self)
  self._expired = true
  require("child_process.spawn.ending").of(self._child):reach(signals.number("SIGKILL"))
end

-- The limit of the latest `wait` counts.
local function setLimit(self, milliseconds)
  if self._timer then
    self._timer:close()
    self._timer = nil
  end
  if milliseconds > 0 then
    self._timer = require("child_process.timers").setTimeout(expire, milliseconds, self)
    self._timer:_standsFor("timeout", self._child)
  end
end

local function readOutput(self, name, handler)
  local stream = self._child[name]
  if not stream then
    return
  elseif type(handler) ~= "function" then
    self._captures[name] = Capture.new(stream, UNLIMITED, function() end)
    return
  end
  stream:on("data", function(data)
    handler(nil, data)
  end)
  stream:on("error", function(err)
    handler(tostring(err))
  end)
  stream:on("close", function()
    handler(nil, nil)
  end)
end

-- Called when the command runs, or could not be started.
local function listen(child, run, failure)
  local self = run.object
  self._child, self.pid, self._failure = child, child.pid, failure
  if failure then
    child:on("error", function() end)
    return
  end
  readOutput(self, "stdout", run.stdout)
  readOutput(self, "stderr", run.stderr)
  child:on("close", function()
    closed(self)
  end)
  if child.stdin then
    child.stdin:on("error", function() end) -- a command need not read its input
  end
  if run.input then
    child.stdin:finish(run.input)
  end
end

-- Returns the lines, each with its end.
local function joinLines(name, lines)
  local parts = {}
  for index = 1, check.length(lines) do
    local line = check.type(("%s[%d]"):format(name, index), "string", lines[index])
    parts[index] = line .. "\n"
  end
  return table.concat(parts)
end

-- Returns the input, and the entry of stdio.
local function readInput(stdin)
  local kind = type(stdin)
  if kind == "string" then
    return stdin, "pipe"
  elseif kind == "table" then
    return joinLines("options.stdin", stdin), "pipe"
  elseif kind ~= "boolean" and kind ~= "nil" then
    error(errors.invalidArgType("options.stdin", {"string", "table", "boolean"}, stdin))
  end
  return nil, stdin and "pipe" or "ignore"
end

-- Returns the entry of stdio for an output.
local function outputEntry(name, handler)
  local kind = type(handler)
  if kind ~= "nil" and kind ~= "boolean" and kind ~= "function" then
    error(errors.invalidArgType("options." .. name, {"boolean", "function"}, handler))
  end
  return handler == false and "ignore" or "pipe"
end

-- Returns the timeout of spawn. There 0 means none, and in vim.system no time at all.
local function readTimeout(timeout)
  return timeout == 0 and 1 or known.check("timeout", timeout)
end

local function splitCommand(cmd)
  check.type("cmd", "table", cmd)
  arguments.checkCommand("cmd[1]", cmd[1])
  local args = arguments.append({}, "cmd", cmd)
  return table.remove(args, 1), args
end

-- Checks the command and the options. Returns what ChildProcess:_start takes, and what `listen`
-- takes.
local function prepare(object, cmd, options)
  local file, args = splitCommand(cmd)
  local input, stdin = readInput(options.stdin)
  local call = arguments.normalize(file, args, {
    cwd = options.cwd,
    env = options.env,
    detached = check.optional("options.detach", "boolean", options.detach),
    timeout = readTimeout(options.timeout),
    stdio = {
      stdin, outputEntry("stdout", options.stdout), outputEntry("stderr", options.stderr),
    },
  })
  if call.env and not check.optional("options.clear_env", "boolean", options.clear_env) then
    call.env = environment.overOurs(call.env)
  end
  object._text = check.optional("options.text", "boolean", options.text) or false
  object._patience = 2 * (call.timeout or 0)
  return call, {
    object = object, input = input, stdout = options.stdout, stderr = options.stderr,
  }
end

--- Waits until the command has ended and its output was read, or kills it by SIGKILL when the
--- timeout has passed. Waiting in a coroutine suspends it; elsewhere it runs the loop.
---@param timeout? integer milliseconds; default twice options.timeout, so that the command has time
---to react to SIGTERM; without that, no limit
---@return SystemCompleted
function SystemObj:wait(timeout)
  checkThis(self, "wait")
  local limit = self._patience
  if timeout ~= nil then
    limit = readTimeout(timeout)
  end
  if not self._result then
    setLimit(self, limit)
    self._child:wait("close")
  end
  return self._result
end

--- Sends a signal, if the command still runs.
---@param signal? string|integer name in any case, or number; default "SIGTERM"
function SystemObj:kill(signal)
  checkThis(self, "kill")
  self._child:kill(signal)
end

--- Writes to the command's standard input, or closes it. Does nothing if it is closed already.
--- Raises an error unless options.stdin was given.
---@param data? string|string[] a list is written as lines; nil closes
function SystemObj:write(data)
  checkThis(self, "write")
  local stdin = self._child.stdin
  if not stdin then
    error(errors.invalidArgValue("options.stdin", nil, "must be true for SystemObj:write"))
  elseif stdin.writableEnded or stdin.destroyed then
    return
  elseif data == nil then
    stdin:finish()
  elseif type(data) == "table" then
    stdin:write(joinLines("data", data))
  else
    stdin:write(check.type("data", "string", data))
  end
end

--- Whether the command has ended.
---@return boolean
function SystemObj:is_closing()
  checkThis(self, "is_closing")
  return self._child.exitCode ~= nil or self._child.signalCode ~= nil
end

--- See child_process.system.
---@param cmd string[]
---@param opts? SystemOpts
---@param on_exit? fun(completed: SystemCompleted)
---@return SystemObj
return function(cmd, opts, on_exit)
  if type(opts) == "function" and on_exit == nil then
    opts, on_exit = nil, opts
  end
  local _, options = arguments.split({}, opts)
  if known.given(options.host) then -- a mere warning would let it run here
    error(errors.invalidArgValue("options.host", options.host,
      "is not an option of system: use spawn, or command.run"))
  end
  check.options("system", options, OPTIONS)
  local object = setmetatable({
    cmd = cmd, _captures = {}, _onExit = check.optional("on_exit", "function", on_exit),
  }, SystemObj)
  local call, run = prepare(object, cmd, options)
  ChildProcess.new():_start(call, listen, run)
  if object._failure then
    error(errors.traced(object._failure))
  end
  return object
end
