--- exec, execFile and pipeline with promises instead of callbacks.
-- In Node: the paragraphs of exec and execFile on their util.promisify()ed versions.

local arguments = require("child_process.spawn.arguments")
local check = require("child_process.base.check")
local compat = require("child_process.base.compat")
local exec = require("child_process.spawn.exec")
local Promise = require("child_process.promise")

---@class child_process.promises
local promises = {}

-- Calls a function that starts a child. Returns a promise, which the child's callback settles.
local function promiseOf(start)
  local promise = Promise._pending()
  local started = compat.traceback(2) -- the line that awaits it may be elsewhere
  promise.child = start(function(err, stdout, stderr)
    if err then
      err.stdout, err.stderr = stdout, stderr
      promise:_reject(err, started)
    else
      promise:_fulfill({stdout = stdout, stderr = stderr})
    end
  end)
  return promise
end

---@class ExecPromise : Promise fulfilled with {stdout = string, stderr = string}; the error that it
---is rejected with has these fields, too
---@field child ChildProcess

--- Like child_process.exec, with a promise instead of the callback.
---@param command string
---@param options? ExecOptions
---@return ExecPromise
function promises.exec(command, options)
  arguments.checkCommand("command", command)
  check.optional("options", "table", options) -- and not a callback, which would replace ours
  return promiseOf(function(callback)
    return exec.exec(command, options, callback)
  end)
end

--- Like child_process.execFile, with a promise instead of the callback.
---@param file string
---@param args? (string|number|boolean)[]
---@param options? ExecOptions
---@return ExecPromise
---@overload fun(file: string, options: ExecOptions): ExecPromise
function promises.execFile(file, args, options)
  arguments.checkCommand("file", file)
  check.optional("args", "table", args)
  check.optional("options", "table", options)
  return promiseOf(function(callback)
    return exec.execFile(file, args, options, callback)
  end)
end

--- Like child_process.pipeline, with a promise instead of the callback.
---@param ... Stream|ChildProcess|PipelineOptions
---@return Promise # fulfilled with nothing
function promises.pipeline(...)
  return require("child_process.stream.pipeline").promise(...)
end

return promises
