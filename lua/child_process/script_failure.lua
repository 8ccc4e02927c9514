--- How a script that fork has started meets an error that nobody has caught.
local process = require("child_process.process")
local script = require("child_process.script")

---@class child_process.script_failure
local failure = {}

-- Of an exception in a listener of "uncaughtException", as Node has it.
local CODE_OF_LISTENER = 7

-- What the interpreter would say.
local function describe(err)
  if type(err) == "string" or type(err) == "number" then
    return tostring(err)
  end
  local meta = debug.getmetatable(err)
  local convert = meta and rawget(meta, "__tostring")
  if convert then
    local ok, text = pcall(convert, err)
    if ok and type(text) == "string" then
      return text
    end
  end
  return ("(error object is a %s value)"):format(type(err))
end

-- A traceback as it would be if the interpreter had called the function, and not script.call.
local function withoutCaller(traceback)
  local own = traceback:match("^(.*\n)\t%[C%]: in function 'xpcall'\n.*$")
  return own and own .. "\t[C]: in ?" or traceback
end

local function report(err, traceback)
  local text = describe(err)
  if traceback then
    text = text .. "\n" .. withoutCaller(traceback)
  end
  io.stderr:write(("%s: %s\n"):format(process.argv0, text))
end

--- Gives an error to the listeners of "uncaughtException". An error of theirs ends the program.
---@param err any
---@param origin? string
---@return boolean # was there a listener?
function failure.catch(err, origin)
  local ok, result, traceback = script.call(process.emit, process, "uncaughtException", err,
    origin or "uncaughtException")
  if not ok then
    report(result, traceback)
    os.exit(CODE_OF_LISTENER)
  end
  return result
end

--- Ends the program because of an error.
---@param err any
---@param traceback? string
function failure.fail(err, traceback)
  report(err, traceback)
  if not process._exiting then
    process.exitCode = 1
    pcall(process._emitExit, process) -- one error is enough
  end
  os.exit(process.exitCode or 1, true)
end

return failure
