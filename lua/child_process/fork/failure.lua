--- Reports an error that a script of fork has not caught, and ends the program. Loaded when that
--- happens.

local compat = require("child_process.base.compat")
local core = require("child_process.core")
local errors = require("child_process.errors")
local process = require("child_process.process")
local standard = require("child_process.base.standard")

local debug, io, os = standard.debug, standard.io, standard.os

---@class child_process.failure
local failure = {}

-- The exit code after an error in a listener of "uncaughtException", as in Node.
local CODE_OF_LISTENER = 7

-- The text that the interpreter would write.
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

-- A traceback as it would be if the interpreter had called the function, and not script.lua.
local function withoutCaller(traceback)
  local own, interpreter = traceback:match("^(.*\n)\t%[C%]: in %a+ 'xpcall'\n.*\n(\t[^\n]+)$")
  if not own then
    return traceback
  end
  if compat.xpcall ~= xpcall then -- which makes a tail call
    own = own:gsub("\t%(tail call%): %?\n$", "")
  end
  return own .. interpreter
end

local function report(err, traceback)
  traceback = traceback and withoutCaller(traceback)
  local text
  if traceback and errors.isError(err) then
    text = errors.uncaughtText(err, traceback)
  else
    text = describe(err) .. (traceback and "\n" .. traceback or "")
  end
  io.stderr:write(("%s: %s\n"):format(process.argv0, text))
end

--- Passes an error to the listeners of "uncaughtException". If one of them raises an error, that
--- ends the program.
---@param call function script.lua's protected call
---@param err any
---@param origin? string
---@return boolean # whether there was a listener
function failure.catch(call, err, origin)
  local ok, result, traceback = call(process.emit, process, "uncaughtException", err,
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
  pcall(process._emitExit, process, 1) -- one error is enough
  core.exit(process.exitCode or 1)
end

return failure
