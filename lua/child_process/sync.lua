--- spawnSync, execFileSync and execSync: a program is run to its end, and everything else waits.
local arguments = require("child_process.arguments")
local core = require("child_process.core")
local encoding = require("child_process.encoding")
local errors = require("child_process.errors")
local signals = require("child_process.signals")
local stdio = require("child_process.stdio")

---@class child_process.sync
local sync = {}

local given = arguments.given
local NEW_PIPE = core.NEW_PIPE

-- What the text does not give to these functions.
local ignored = {signal = true, serialization = true}

local function readInput(options)
  local input = options.input
  if not given(input) then
    return nil
  elseif type(input) ~= "string" then
    error(errors.invalidArgType("options.input", "string", input))
  end
  return encoding.normalize(options.encoding) and encoding.encode(input, options.encoding) or input
end

-- Output ends early where a limit was exceeded.
local cutShort = {
  [-core.errno.ENOBUFS] = true, [-core.errno.ETIMEDOUT] = true, [-core.errno.ENOMEM] = true,
}

-- What spawnSync returns, and the bytes of the outputs by the child's descriptor.
local function run(file, args, options)
  local call = arguments.normalize(file, args, options, ignored)
  if call.ipc then
    error(errors.ipcSyncFork())
  end
  call.maxBuffer = arguments.checkMaxBuffer(options.maxBuffer)
  call.input = readInput(options)
  local descriptors = call.stdio
  if call.input then
    descriptors = table.move(descriptors, 2, #descriptors, 2, {NEW_PIPE})
    call.stdio = descriptors
  end

  local pid, outputs, status, signum, errno = core.runSync(call)
  stdio.takeBack(call.sharedStreams)
  if not pid then
    errno = outputs
    return {pid = 0, error = errors.spawn(errno, "spawnSync", call.file, call.args)}, {}
  end
  local output = {}
  for fd = 1, #descriptors - 1 do
    if descriptors[fd + 1] == NEW_PIPE then
      output[fd] = encoding.decodeOutput(outputs[fd], options.encoding, cutShort[errno])
    end
  end
  return {
    pid = pid,
    output = output,
    stdout = output[1],
    stderr = output[2],
    status = status,
    signal = signum and signals.name(signum),
    error = errno and errors.spawn(errno, "spawnSync", call.file, call.args),
  }, outputs
end

-- The error of a run that failed, with all of its result; nil if it has succeeded.
local function failure(result, command)
  local err = result.error
  if not err then
    if result.status == 0 then
      return nil
    end
    local stderr = result.stderr or ""
    err = errors.Error("Command failed: " .. command .. (stderr ~= "" and "\n" .. stderr or ""))
  end
  for name, value in pairs(result) do
    err[name] = value
  end
  return err
end

local STDERR = 2

-- Returns stdout, or raises.
local function execute(file, args, options)
  local result, outputs = run(file, args, options)
  local hasStdio = options.stdio and given(options.stdio) or given(options.customFds)
  if outputs[STDERR] and not hasStdio then
    pcall(io.stderr.flush, io.stderr)
    core.writeAll(STDERR, outputs[STDERR]) -- if nobody reads ours, that is no error of the command
  end
  local argv0 = given(options.argv0) and options.argv0 or file
  local err = failure(result, arguments.commandLine(argv0, args))
  if err then
    error(err)
  end
  return result.stdout
end

--- See child_process.spawnSync.
---@param command string
---@param args? string[]
---@param options? SyncOptions
---@return SyncResult
function sync.spawnSync(command, args, options)
  args, options = arguments.split(args, options)
  return (run(command, args, options))
end

--- See child_process.execFileSync.
---@param file string
---@param args? string[]
---@param options? SyncOptions
---@return string?
function sync.execFileSync(file, args, options)
  args, options = arguments.split(args, options)
  return execute(file, args, options)
end

--- See child_process.execSync.
---@param command string
---@param options? SyncOptions
---@return string?
function sync.execSync(command, options)
  return execute(command, {}, arguments.withShell(command, options))
end

return sync
