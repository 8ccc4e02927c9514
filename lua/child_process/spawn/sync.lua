--- spawnSync, execFileSync and execSync: run a program to its end while nothing else runs.

local arguments = require("child_process.spawn.arguments")
local compat = require("child_process.base.compat")
local core = require("child_process.core")
local encoding = require("child_process.encoding")
local errors = require("child_process.errors")
local known = require("child_process.spawn.options")
local signals = require("child_process.spawn.signals")
local stdio = require("child_process.spawn.stdio")
local stdioName = require("child_process.base.stdio_name")
local io = require("child_process.base.standard").io

---@class child_process.sync
local sync = {}

local given = known.given
local PIPE = core.stdio.PIPE

local takes = known.taking({"encoding", "maxBuffer", "input"},
  {"signal", "serialization", "maxMessageSize", "disposeWaits", "host"})

---@type CallKind
local SPAWN_SYNC = {name = "spawnSync", takes = takes}
---@type CallKind
local EXEC_FILE_SYNC = {name = "execFileSync", takes = takes}
---@type CallKind
local EXEC_SYNC = {name = "execSync", takes = takes}

local ENOBUFS, ENOMEM, ETIMEDOUT = -core.errno.ENOBUFS, -core.errno.ENOMEM, -core.errno.ETIMEDOUT

-- Errors after which output is cut off.
local cutShort = {[ENOBUFS] = true, [ETIMEDOUT] = true, [ENOMEM] = true}

-- The name of the output that has reached the limit.
local function fullOutput(call, outputs)
  for fd = 0, #call.stdio - 1 do
    if outputs[fd] and #outputs[fd] == call.maxBuffer then
      return stdioName(fd)
    end
  end
  return "an output"
end

-- What the error of a run adds about the signals that were to end it.
local function aboutSignals(call, pid, events)
  local text = ""
  if events.forced then
    text = ("; SIGKILL had to follow %s (options.forceKillAfterDelay)"):format(
      signals.name(call.killSignal))
  end
  if events.refused then
    text = ("%s; %s and went on (EPERM)"):format(text,
      errors.refusal(signals.name(events.refused), pid, call.tree))
  end
  return text
end

-- The error of a run that could not be watched to its end, or has exceeded a limit.
local function runError(call, errno, outputs, pid, events)
  local err = errors.spawn(errno, "spawnSync", call)
  if errno == ETIMEDOUT then
    err.message = ("%s: timed out after %d ms (options.timeout)"):format(err.message, call.timeout)
    err.timedOut = true
  elseif errno == ENOBUFS then
    err.message = ("%s: %s is longer than %d bytes (options.maxBuffer)"):format(err.message,
      fullOutput(call, outputs), call.maxBuffer)
  end
  if events then
    err.message = err.message .. aboutSignals(call, pid, events)
  end
  if cutShort[errno] then
    err.killed = true
  end
  return err
end

-- The streams behind outputs. An output that is no pipe comes from the terminal.
local function streamsOf(call, fds)
  local names, atTerminal = {}, nil
  for _, fd in ipairs(fds) do
    if call.stdio[fd + 1] == PIPE then
      names[#names + 1] = stdioName(fd)
    else
      atTerminal = "terminal"
    end
  end
  names[#names + 1] = atTerminal
  return names
end

-- The error of a run that has ended with exit code 0, of which other processes held outputs for
-- longer than options.waitDelay; nil if they did not.
local function outputsHeld(call, command, fds)
  if not fds[1] then
    return nil
  end
  return errors.waitDelay(arguments.commandLine(call, command), call.waitDelay,
    streamsOf(call, fds))
end

-- What the runs have used, packed by core, for results whose `resourceUsage` nobody has looked up.
local packedUsages = setmetatable({}, {__mode = "k"})

local Result = {}

-- Makes the table when it is first looked up: few programs do, and it takes longer than the rest of
-- the result.
function Result.__index(result, name)
  local packed = name == "resourceUsage" and packedUsages[result]
  if packed then
    packedUsages[result] = nil
    rawset(result, name, core.unpackUsage(packed))
    return rawget(result, name)
  end
end

-- Returns the result of spawnSync, the bytes of the outputs by the child's descriptor, and the
-- call.
local function run(kind, file, args, options)
  if given(options.host) then -- a mere warning would let it run here
    error(errors.invalidArgValue("options.host", options.host,
      "cannot be used with the synchronous functions"))
  end
  local call = arguments.normalize(file, args, options, kind)
  if call.ipc then
    error(errors.ipcSyncFork())
  end
  call.maxBuffer = known.checkMaxBuffer(options.maxBuffer)
  call.input = known.readInput(options)
  local outputEncoding = known.checkEncoding(options.encoding)
  if call.input then
    call.stdio = compat.move(call.stdio, 2, #call.stdio, 2, {PIPE})
  end

  local pid, outputs, status, signum, errno, events, usage = core.runSync(call)
  stdio.takeBack(call.sharedStreams)
  if not pid then
    local failure = status
    return {pid = 0, error = errors.spawn(outputs, "spawnSync", call, failure)}, {}, call
  end
  local output = {}
  for fd, bytes in pairs(outputs) do
    output[fd] = encoding.decodeOutput(bytes, outputEncoding, cutShort[errno])
  end
  local result = {
    pid = pid,
    output = output,
    stdout = output[1],
    stderr = output[2],
    status = status,
    signal = signum and signals.name(signum),
    error = errno and runError(call, errno, outputs, pid, events),
  }
  if errno == ETIMEDOUT then
    result.timedOut = true
  end
  if events then
    result.isForcefullyTerminated = events.forced or nil
    if status == 0 and not errno then
      result.error = outputsHeld(call, file, events.cut)
    end
  end
  packedUsages[result] = usage
  return setmetatable(result, Result), outputs, call
end

-- The error of a run that failed, with all fields of its result.
local function failure(result, command, call)
  local err = result.error
  if not err then
    local stderr = stdio.isJoined(call.stdio) and result.stdout or result.stderr or ""
    local limits = call.attributes and call.attributes.limits
    err = errors.commandFailed(command, result.status, result.signal, nil, nil, limits)
    err.message = err.message .. (stderr ~= "" and "\n" .. stderr or "")
  end
  for name, value in pairs(result) do
    err[name] = value
  end
  err.resourceUsage = result.resourceUsage
  return err
end

local STDERR = 2

-- Returns stdout, or raises.
local function execute(kind, file, args, options)
  local result, outputs, call = run(kind, file, args, options)
  local hasStdio = options.stdio and given(options.stdio) or given(options.customFds)
  if outputs[STDERR] and not hasStdio then
    pcall(io.stderr.flush, io.stderr)
    core.writeAll(STDERR, outputs[STDERR]) -- a closed stderr of ours is no failure of the command
  end
  if result.error or result.status ~= 0 then
    local argv0 = given(options.argv0) and options.argv0 or file
    error(errors.traced(failure(result, arguments.commandLine(call, argv0), call)))
  end
  return result.stdout
end

--- See child_process.spawnSync.
---@param command string
---@param args? (string|number|boolean)[]
---@param options? SyncOptions
---@return SyncResult
function sync.spawnSync(command, args, options)
  arguments.checkCommand("file", command)
  args, options = arguments.split(args, options)
  return (run(SPAWN_SYNC, command, args, options))
end

--- See child_process.execFileSync.
---@param file string
---@param args? (string|number|boolean)[]
---@param options? SyncOptions
---@return string?
function sync.execFileSync(file, args, options)
  arguments.checkCommand("file", file)
  args, options = arguments.split(args, options)
  return execute(EXEC_FILE_SYNC, file, args, options)
end

--- See child_process.execSync.
---@param command string
---@param options? SyncOptions
---@return string?
function sync.execSync(command, options)
  return execute(EXEC_SYNC, command, {}, arguments.withShell(command, options))
end

return sync
