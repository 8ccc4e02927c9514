--- promisify, and the functions of this module that return promises.
-- Node text: the paragraphs of exec and execFile on their util.promisify()ed versions.
local events = require("child_process.events")
local exec = require("child_process.exec")
local Promise = require("child_process.promise")

---@class child_process.promisify
local promisify = {}

-- Makes a promise, and the callback that settles it, of a function that starts a child.
local function promiseOf(start)
  local promise = Promise._pending()
  local started = debug.traceback(nil, 2) -- who awaits it may be elsewhere
  promise.child = start(function(err, stdout, stderr)
    if err then
      err.stdout, err.stderr = stdout, stderr
      Promise._reject(promise, err, started)
    else
      Promise._fulfill(promise, {stdout = stdout, stderr = stderr})
    end
  end)
  return promise
end

---@class ExecPromise : Promise fulfilled with {stdout = string, stderr = string}; the error that it
---is rejected with has these fields, too
---@field child ChildProcess

---@class child_process.promises
promisify.promises = {}

--- As child_process.exec, with a promise for the result in the place of the callback.
---@param command string
---@param options? ExecOptions
---@return ExecPromise
function promisify.promises.exec(command, options)
  return promiseOf(function(callback)
    return exec.exec(command, options, callback)
  end)
end

--- As child_process.execFile, with a promise for the result in the place of the callback.
---@param file string
---@param args? string[]
---@param options? ExecOptions
---@return ExecPromise
---@overload fun(file: string, options: ExecOptions): ExecPromise
function promisify.promises.execFile(file, args, options)
  return promiseOf(function(callback)
    return exec.execFile(file, args, options, callback)
  end)
end

-- Functions for which there is something better than the general form.
local function custom(original)
  local cp = require("child_process")
  if original == cp.exec then
    return promisify.promises.exec
  elseif original == cp.execFile then
    return promisify.promises.execFile
  end
end

local function withCallback(original, ...)
  local arguments = table.pack(...)
  return Promise.new(function(resolve, reject)
    local count = arguments.n + 1
    arguments[count] = function(err, ...)
      if err then
        reject(err)
      else
        resolve(...)
      end
    end
    original(table.unpack(arguments, 1, count))
  end)
end

--- Makes a function that returns a promise of one whose last argument is `callback(err, ...)`.
--- cp.exec and cp.execFile become cp.promises.exec and .execFile.
---@param original function
---@return fun(...: any): Promise # fulfilled with what the callback gets after `err`
function promisify.promisify(original)
  events.checkCallable("original", original)
  return custom(original) or function(...)
    return withCallback(original, ...)
  end
end

return promisify
