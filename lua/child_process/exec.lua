--- exec and execFile: spawn with the output collected and handed to a callback.
local arguments = require("child_process.arguments")
local core = require("child_process.core")
local encoding = require("child_process.encoding")
local errors = require("child_process.errors")
local expect = require("child_process.expect")
local ChildProcess = require("child_process.child")
local Collector = require("child_process.collector")

---@class child_process.exec
local exec = {}

-- Timeout and encoding have a meaning of their own here, and the standard streams are pipes; the
-- others the text does not give to exec.
local ignored = {
  timeout = true, stdio = true, argv0 = true, detached = true, serialization = true,
}

-- The error of a command that ended otherwise than with 0.
local function commandFailed(run, code, signal, stderr)
  return errors.Error("Command failed: " .. run.command .. "\n" .. stderr, {
    code = code and code < 0 and core.errno[-code] or code,
    killed = run.child.killed or run.killed or false,
    signal = signal,
  })
end

local function result(run, name)
  local collector = run.collectors[name]
  return collector and collector:result(run.encoding) or ""
end

-- Calls back, once: at "close", or when the child could not be started.
local function finish(run, code, signal)
  if run.finished then
    return
  end
  run.finished = true
  if run.timer then
    run.timer:close()
  end
  if not run.callback then
    return
  end
  local stdout, stderr = result(run, "stdout"), result(run, "stderr")
  local err = run.error
  if not err and code == 0 then
    run.callback(nil, stdout, stderr)
    return
  end
  err = err or commandFailed(run, code, signal, stderr)
  err.cmd = run.command
  run.callback(err, stdout, stderr)
end

local function destroyOutput(child)
  for _, name in ipairs({"stdout", "stderr"}) do
    if child[name] then
      child[name]:destroy()
    end
  end
end

local function kill(run)
  destroyOutput(run.child)
  run.killed = true
  run.child:kill(run.killSignal)
end

local function collectOutput(run, name, limit)
  local stream = run.child[name]
  if not stream then
    return
  end
  if encoding.normalize(run.encoding) then
    stream:setEncoding(run.encoding)
  end
  run.collectors[name] = Collector.new(stream, limit, function()
    run.error = run.error or errors.childProcessStdioMaxbuffer(name)
    kill(run)
  end)
end

local function start(file, args, options, callback)
  local timeout = arguments.check("timeout", options.timeout)
  local maxBuffer = arguments.checkMaxBuffer(options.maxBuffer)
  local run = {
    callback = expect.optional("callback", "function", callback),
    encoding = options.encoding,
    killSignal = arguments.check("killSignal", options.killSignal) or "SIGTERM",
    collectors = {},
  }
  local normalized = arguments.normalize(file, args, options, ignored)
  run.command = arguments.commandLine(file, args)
  run.child = ChildProcess.new():spawn(normalized)

  collectOutput(run, "stdout", maxBuffer)
  collectOutput(run, "stderr", maxBuffer)
  if timeout and timeout > 0 then
    run.timer = require("child_process.timers").setTimeout(kill, timeout, run)
  end
  run.child:on("close", function(code, signal)
    finish(run, code, signal)
  end)
  run.child:on("error", function(err)
    run.error = run.error or err
    destroyOutput(run.child)
    finish(run)
  end)
  return run.child
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
  return start(command, {}, arguments.withShell(command, options), callback)
end

--- See child_process.execFile.
---@param file string
---@param args? string[]
---@param options? ExecOptions
---@param callback? function
---@return ChildProcess
function exec.execFile(file, args, options, callback)
  if type(args) == "function" then
    args, options, callback = nil, nil, args
  elseif type(options) == "function" then
    options, callback = nil, options
  end
  args, options = arguments.split(args, options)
  return start(file, args, options, callback)
end

return exec
