--- How a script that fork has started is run and ended.
local core = require("child_process.core")
local loop = require("child_process.loop")
local process = require("child_process.process")

---@class child_process.script
local script = {}

--- Calls a function protected; script_failure knows how to take the traces of that off a traceback.
---@param fn function
---@param ... any its arguments
---@return boolean ok
---@return any result or the error
---@return string? traceback of the error; nil without one, and where memory was short
function script.call(fn, ...)
  local traceback
  local ok, result = xpcall(fn, function(err)
    traceback = debug.traceback(nil, 2)
    return err
  end, ...)
  return ok, result, traceback
end

-- What is needed for errors alone is loaded with the first one.
local function failure()
  return require("child_process.script_failure")
end

-- An error goes to the listeners of "uncaughtException"; without any it ends the program.
local function try(fn, ...)
  local ok, err, traceback = script.call(fn, ...)
  if not ok and not failure().catch(err) then
    failure().fail(err, traceback)
  end
end

-- Can it be read, which a folder cannot?
local function isFile(path)
  local file <close> = io.open(path)
  return file and not select(2, file:read(0))
end

-- The script as a function, or nil and a message. Its extension may be left out.
local function loadScript(path)
  local chunk, problem = loadfile(path)
  if not chunk and not isFile(path) and isFile(path .. ".lua") then
    rawset(arg, 0, path .. ".lua")
    return loadfile(arg[0])
  end
  return chunk, problem
end

-- Runs the loop until nothing is left; false if it was stopped before.
local function turn()
  local ok, alive = pcall(loop.run)
  if not ok then
    failure().fail(alive, loop.traceback())
  end
  return not alive
end

local function emitBeforeExit()
  process:emit("beforeExit", process.exitCode or 0)
end

-- Runs the loop like `turn`; when nothing is left the listeners of "beforeExit" may start something
-- again.
local function turnToTheEnd()
  local ended = turn()
  while ended and process:listenerCount("beforeExit") > 0 do
    local started
    loop.tick(emitBeforeExit, true)
    -- Another tick, because a listener may raise.
    loop.tick(function()
      loop.drain() -- what listeners have put off may start something, too
      started = core.hasStarted()
    end, true)
    ended = turn() and started
  end
end

--- Runs a script, then the loop, and ends the program.
---@param path string
function script.run(path)
  -- The interpreter's own handler only has the next piece of Lua code raise an error, and while the
  -- loop waits there comes none.
  core.resetInterrupt()
  loop.handleErrors(function(err, origin)
    return failure().catch(err, origin)
  end)
  local chunk, problem = loadScript(path)
  if not chunk then
    failure().fail(problem)
  end
  try(chunk, table.unpack(arg))
  turnToTheEnd()
  try(process._emitExit, process)
  os.exit(process.exitCode or 0, true) -- as at the interpreter's own end finalizers are called
end

return script
