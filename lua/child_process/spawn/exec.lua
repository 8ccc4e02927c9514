--- exec and execFile: spawn with a callback that gets all output.

local arguments = require("child_process.spawn.arguments")
local Capture = require("child_process.spawn.capture")
local check = require("child_process.base.check")
local ChildProcess = require("child_process.spawn.child")
local core = require("child_process.core")
local encoding = require("child_process.encoding")
local errors = require("child_process.errors")
local known = require("child_process.spawn.options")
local stdio = require("child_process.spawn.stdio")

local given = known.given

---@class child_process.exec
local exec = {}

---@class ExecRun one call of exec or execFile
---@field callback? function
---@field captures table<"stdout"|"stderr", Capture>
---@field child ChildProcess
---@field command string for errors
---@field encoding? string
---@field error? Error the first one, for the callback
---@field hasErrorsInOutput? boolean standard error is joined to standard output
---@field finished? boolean `finish` was called
---@field input? string
---@field killSignal integer
---@field limits? table[] of options.limits, for errors
---@field maxBuffer integer bytes
---@field timeout? integer milliseconds
---@field waitDelay? integer milliseconds

local captured = {pipe = true, overlapped = true}

-- Whether the entry of an output joins it to the other one.
local function isJoined(entry, fd)
  return type(entry) == "table" and rawget(entry, "childFd") == (fd == 1 and 2 or 1)
end

-- Standard output and error are captured, whatever options.stdio says about them: from pipes, or
-- from the terminal. But one may be joined to the other.
local function asCaptured(entries, fd, hasTerminal)
  local entry = entries[fd]
  if isJoined(entry, fd) then
    return
  elseif given(entry) and entry ~= false and not captured[entry] then
    local report = require("child_process.base.strict").report
    report("exec stdio", "options.stdio", entry, ("has an entry "
      .. "for descriptor %d, which exec and execFile collect (use spawn)"):format(fd))
  end
  entries[fd] = (not hasTerminal or captured[entry]) and "pipe" or nil
end

-- Returns the entries of options.stdio, with pipes for standard output and error.
local function stdioOf(option, options, hasTerminal)
  if option == nil and not (hasTerminal and given(options.input)) then
    return nil
  end
  local entries
  if option == nil then
    entries = {}
  elseif type(option) == "table" then
    entries = stdio.byDescriptor(option)
  else
    stdio.checkWord(option)
    entries = {[0] = option, option, option}
  end
  if given(options.input) then
    entries[0] = "pipe"
  elseif not entries[0] then
    entries[0] = not hasTerminal and "pipe" -- false: the default, in a table that starts at 0
  end
  asCaptured(entries, 1, hasTerminal)
  asCaptured(entries, 2, hasTerminal)
  return entries
end

local takes = known.taking({"encoding", "maxBuffer", "input"}, {"argv0", "detached"})

---@type CallKind
local EXEC = {name = "exec", takes = takes, stdio = stdioOf}
---@type CallKind
local EXEC_FILE = {name = "execFile", takes = takes, stdio = stdioOf}

-- The error of a command that has ended with an exit code other than 0, or not in time.
local function commandFailed(run, code, signal, stderr)
  local child, ending = run.child, run.child._ending
  local refused = ending and ending:getTermination():getRefused()
  local err = errors.commandFailed(run.command, code, signal, child.timedOut and run.timeout,
    ending and ending:getTermination():forcedAfter(), not child.killed and run.limits or nil)
  if refused then -- for what was left of a tree
    err.message = ("%s; %s"):format(err.message, errors.refusal(refused, child.pid, true))
  end
  err.message = err.message .. "\n" .. stderr
  err.code = code and code < 0 and core.errno[-code] or code
  err.killed = child.killed or child.timedOut
  err.timedOut = child.timedOut or nil
  err.signal = signal
  return err
end

-- The error of a command that has ended with exit code 0, and whose output others held for longer
-- than options.waitDelay; nil without that option, and if nobody held it.
local function outputHeld(run, stdout, stderr)
  local held = run.child.heldStreams
  if not held then
    return nil
  end
  local err = errors.waitDelay(run.command, run.waitDelay, held)
  err.stdout, err.stderr = stdout, stderr
  return err
end

local function result(run, name)
  local capture = run.captures[name]
  return capture and capture:result(run.encoding) or ""
end

-- Destroys the streams from the child, which other processes may hold open.
local function destroyOutput(child)
  require("child_process.spawn.held_streams").destroy(child)
end

-- Calls back once, at "close" or when the child could not be started.
local function finish(run, code, signal)
  if run.finished then
    return
  end
  run.finished = true
  local ending = run.child._ending
  if ending then
    ending:stopTimeout()
  end
  if not run.callback then
    return
  end
  local stdout, stderr = result(run, "stdout"), result(run, "stderr")
  local err = run.error
  if not err and code == 0 and not run.child.timedOut then
    err = outputHeld(run, stdout, stderr)
  else
    err = err or commandFailed(run, code, signal, run.hasErrorsInOutput and stdout or stderr)
  end
  if err then
    err.cmd = run.command
    err.isForcefullyTerminated = run.child.isForcefullyTerminated or nil
  end
  run.callback(err, stdout, stderr)
end

-- Adds to the error of a signal what it was for.
local function explain(run, err)
  if not errors.isError(err) or err.syscall ~= "kill" then
    return
  elseif run.error then
    run.error.message = ("%s; %s"):format(run.error.message, err.message)
  elseif run.child.timedOut then
    err.message = ("timed out after %d ms: %s"):format(run.timeout, err.message)
    err.timedOut = true
  end
end

local function captureOutput(run, name, stream)
  if not stream then
    return
  end
  if encoding.normalize(run.encoding) then
    stream:setEncoding(run.encoding)
  end
  run.captures[name] = Capture.new(stream, run.maxBuffer, function()
    run.error = run.error or errors.childProcessStdioMaxbuffer(name, run.maxBuffer)
    destroyOutput(run.child)
    run.child:kill(run.killSignal)
  end)
end

-- What comes from the terminal counts as standard output, or as standard error if only that is not
-- a pipe. If it is neither, it is dropped.
local function captureTerminal(run, child, terminal)
  if child.stdout and child.stderr then
    terminal:resume()
  else
    captureOutput(run, child.stdout and "stderr" or "stdout", terminal)
  end
end

-- Writes the input, which a child need not read.
local function feed(run, input)
  local stdin = run.child.stdin
  stdin:on("error", function(err)
    if err.code ~= "EPIPE" then
      run.error = run.error or err
    end
  end)
  stdin:finish(input)
end

-- Called when the child runs, or could not be started.
local function listen(child, run, failure)
  run.child = child
  captureOutput(run, "stdout", child.stdout)
  captureOutput(run, "stderr", child.stderr)
  if child.terminal and child:_getOwnTerminal() then
    captureTerminal(run, child, child.terminal)
  end
  if run.input and not failure then
    feed(run, run.input)
  end
  if not run.callback then
    child:_setUnawaited()
  end
  child:on("close", function(code, signal)
    finish(run, code, signal)
  end)
  child:on("error", function(err)
    if not run.finished then
      explain(run, err)
    end
    run.error = run.error or err
    destroyOutput(child)
    finish(run)
  end)
end

local function start(kind, file, args, options, callback)
  local run = {
    maxBuffer = known.checkMaxBuffer(options.maxBuffer),
    input = known.readInput(options),
    callback = check.optional("callback", "function", callback),
    encoding = known.checkEncoding(options.encoding),
    captures = {},
  }
  local call = arguments.normalize(file, args, options, kind)
  run.command = arguments.commandLine(call, file)
  run.hasErrorsInOutput = stdio.isJoined(call.stdio)
  run.killSignal, run.timeout, run.waitDelay = call.killSignal, call.timeout, call.waitDelay
  run.limits = call.attributes and call.attributes.limits
  call.destroysOutput = true -- at the timeout
  return ChildProcess.new():_start(call, listen, run)
end

--- See child_process.exec.
---@param command string
---@param options? ExecOptions
---@param callback? function
---@return ChildProcess
function exec.exec(command, options, callback)
  if type(options) == "function" then
    options, callback = nil, options
  end
  return start(EXEC, command, {}, arguments.withShell(command, options), callback)
end

--- See child_process.execFile.
---@param file string
---@param args? (string|number|boolean)[]
---@param options? ExecOptions
---@param callback? function
---@return ChildProcess
function exec.execFile(file, args, options, callback)
  if type(args) == "function" then
    args, options, callback = nil, nil, args
  elseif type(options) == "function" then
    options, callback = nil, options
  end
  arguments.checkCommand("file", file)
  args, options = arguments.split(args, options)
  return start(EXEC_FILE, file, args, options, callback)
end

return exec
