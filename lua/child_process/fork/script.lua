--- Runs a script that fork has started, and ends the program.

local compat = require("child_process.base.compat")
local core = require("child_process.core")
local loop = require("child_process.loop")
local process = require("child_process.process")
local ticks = require("child_process.base.ticks")
local standard = require("child_process.base.standard")

local debug, io = standard.debug, standard.io

---@class child_process.script
local script = {}

-- Makes a protected call. Returns the results of pcall, and the traceback of an error unless memory
-- was short. failure.lua depends on how this call looks in a traceback.
local function call(fn, ...)
  local traceback
  local ok, result = compat.xpcall(fn, function(err)
    traceback = debug.traceback("", 2) -- a stack overflow leaves no room for more
    return err
  end, ...)
  return ok, result, traceback and traceback:sub(2)
end

-- Loaded with the first error.
local function failure()
  return require("child_process.fork.failure")
end

-- An error goes to the listeners of "uncaughtException"; without any it ends the program.
local function try(fn, ...)
  local ok, err, traceback = call(fn, ...)
  if not ok and not failure().catch(call, err) then
    failure().fail(err, traceback)
  end
end

-- Whether it is a file that can be read, and not a folder.
local function isFile(path)
  local file = io.open(path)
  local problem = file and select(2, file:read(0))
  if file then
    file:close()
  end
  return file and not problem
end

-- The script as a function, or nil and a message. Its extension may be omitted.
local function loadScript(path)
  local source = core.locate.source
  if source then
    core.locate.source = nil
    -- As loadfile does, except that the line stays, without what it contains.
    return (rawget(_G, "loadstring") or load)((source:gsub("^#[^\n]*", "")), "@" .. path)
  end
  local chunk, problem = loadfile(path)
  if not chunk and not isFile(path) and isFile(path .. ".lua") then
    rawset(arg, 0, path .. ".lua")
    return loadfile(arg[0])
  end
  return chunk, problem
end

-- Runs the loop until nothing is left; false if it was stopped before.
local function runLoop()
  local ok, alive = pcall(loop.run)
  if not ok then
    failure().fail(alive, loop.traceback())
  end
  return not alive
end

local function emitBeforeExit()
  process:emit("beforeExit", process.exitCode or 0)
end

-- Runs the loop until nothing is left, and again if listeners of "beforeExit" have started
-- something.
local function runToTheEnd()
  local ended = runLoop()
  while ended and process:listenerCount("beforeExit") > 0 do
    local started
    ticks.tick(emitBeforeExit, true)
    -- Another tick, because a listener may raise.
    ticks.tick(function()
      ticks.drain() -- ticks of the listeners may start something, too
      started = core.hasStarted()
    end, true)
    ended = runLoop() and started
  end
end

--- Runs a script, then the loop, and ends the program.
---@param path string
function script.run(path)
  -- The interpreter's own handler of SIGINT lets the next Lua code raise an error, but no Lua code
  -- runs while the loop waits.
  core.resetInterrupt()
  loop.handleErrors(function(err, origin)
    return failure().catch(call, err, origin)
  end)
  local chunk, problem = loadScript(path)
  if not chunk then
    failure().fail(problem)
  end
  try(chunk, compat.unpack(arg))
  runToTheEnd()
  try(process._emitExit, process)
  core.exit(process.exitCode or 0) -- with finalizers, as when the interpreter itself ends
end

return script
