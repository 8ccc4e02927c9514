--- Drives our loop from luv's, for programs that use both: uv.run() and cp.run() run both loops.

local core = require("child_process.core")
local ticks = require("child_process.base.ticks")
local uv = require("luv")

---@class child_process.luv
local driver = {}

-- luv attaches its own data to every handle of its loop, and may be built with another libuv than
-- ours. So the two loops stay apart: luv watches our backend descriptor, and our loop runs one
-- iteration without waiting whenever luv's is about to wait. uv.walk() meets only handles of luv.
local runOurs ---@type fun(mode: "nowait"): boolean
local poll, prepare, timer
local running = false -- luv's loop runs in our `run`
local kept -- {the error that our loop has raised meanwhile}
local isWaiting = false -- that run is part of a wait
local stopped = false -- that run is to return
local isAdded, isAdding = false, false -- our descriptor, to the set that luv's loop polls

-- Neovim runs luv's loop itself, and keeps it alive for ever with handles of its own.
local vim = rawget(_G, "vim")
local neovim = type(vim) == "table" and vim.in_fast_event and (vim.uv or vim.loop) == uv and vim

--- Sets the function that runs our loop. To be called once.
---@param run fun(mode: "nowait"): boolean runs our own loop, and raises the errors of callbacks
function driver.init(run)
  runOurs = run
  core.leaveCoroutine() -- to luv, if that was loaded in a callback
end

local function runOnce()
  if core.isRunning() or kept or stopped or isAdding then
    return -- a callback of ours runs luv's loop; or `run` has to return first
  end
  local ok, err = pcall(runOurs, "nowait")
  if not ok and running and not (neovim and isWaiting) then
    kept = {err}
    uv.stop()
  elseif not ok then -- luv, and Neovim, print strings alone
    error(require("child_process.loop.uncaught").text(err), 0)
  end
end

-- Keeps luv's loop alive while ours is alive.
local function reference()
  if core.isAlive() then
    poll:ref()
  else
    poll:unref()
  end
end

local function nothing()
end

-- When luv's loop is about to end, unreferenced handles are not served, as in our own loop.
local function runUnlessEnding()
  if uv.loop_alive() then
    runOnce()
  end
end

-- Called when luv's loop is about to wait. Runs ours, and limits the wait to our timeout.
local function beforeWaiting()
  reference()
  local ok, err = pcall(runUnlessEnding)
  timer:stop()
  local timeout = core.timeout()
  if timeout then
    timer:start(timeout, 0, nothing)
  end
  reference()
  if neovim and running and not isWaiting and not core.isAlive() then
    uv.stop()
  end
  if not ok then
    error(err, 0)
  end
end

-- In a copy of the process our descriptor has its old number, but refers to another epoll set.
ticks.onCopied(function()
  if poll and not poll:is_closing() then
    poll:stop()
    poll:start("r", runUnlessEnding)
  end
end)

--- Connects the two loops if they are not connected, and lets luv's know whether ours is alive.
function driver.attach()
  if not poll or poll:is_closing() then
    poll, prepare, timer = uv.new_poll(core.backend()), uv.new_prepare(), uv.new_timer()
    poll:start("r", runUnlessEnding)
    prepare:start(beforeWaiting)
    prepare:unref()
    timer:unref()
    isAdded = false
  end
  reference()
end

--- Whether luv's loop is running.
---@return boolean
function driver.isRunning()
  return running or uv.loop_mode() ~= nil or neovim and neovim.in_fast_event() or false
end

local function runLuv(mode)
  if not uv.loop_alive() and (mode == "once" or mode == "nowait") then
    runOurs("nowait") -- luv's loop would not
  end
  if stopped then
    return core.isAlive()
  end
  return uv.run(mode)
end

--- Like loop.run, with luv's loop. In Neovim a run ends when nothing of ours is alive, but a wait
--- goes on, since a handle of luv may end it; and errors during a wait are shown by Neovim.
---@param mode? "default"|"once"|"nowait"
---@param isWait? boolean runs for a wait
---@return boolean
function driver.run(mode, isWait)
  if core.isRunning() or driver.isRunning() then
    error("child_process: run was called from a callback of the running loop")
  end
  running, isWaiting = true, isWait or false
  local ok, alive = pcall(runLuv, mode or "default")
  running, isWaiting, stopped = false, false, false
  if not ok then
    error(alive, 0)
  elseif kept then
    local err = kept[1]
    kept = nil
    error(err, 0)
  elseif neovim and not isWait then
    return core.isAlive()
  end
  return alive
end

--- The descriptor for a third loop, which drives luv's. It is readable when ours is. The first call
--- runs luv's loop once, without waiting.
---@return integer
function driver.backend()
  if not isAdded and not driver.isRunning() then
    isAdding = true
    poll:ref() -- luv's loop adds it in an iteration, and has none unless it is alive
    uv.run("nowait")
    isAdded, isAdding = true, false
    reference()
  end
  return uv.backend_fd()
end

--- Like loop.timeout, for both loops.
---@return integer? # milliseconds
function driver.timeout()
  local ours = core.timeout()
  if not uv.loop_alive() then
    return ours -- luv's timeout is 0
  end
  local theirs = uv.backend_timeout()
  return theirs == -1 and ours or math.min(theirs, ours or theirs)
end

--- The types of the handles and requests that keep luv's loop alive, except for our own.
---@return string[]
function driver.types()
  local list = {}
  uv.walk(function(handle)
    local isOurs = handle == poll or handle == prepare or handle == timer
    if not isOurs and handle:is_active() and handle:has_ref() and not handle:is_closing() then
      list[#list + 1] = handle:get_type()
    end
  end)
  return list
end

--- Like loop.stop. What luv has found ready itself is called back nevertheless.
function driver.stop()
  stopped = running
  if running and uv.loop_mode() then
    uv.stop()
  end
end

return driver
