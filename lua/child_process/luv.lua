--- Drives our loop from luv's, for programs that use both.
-- luv keeps its own data at every handle of its loop, and the libuv that it was built with need not
-- be ours. So the two loops stay apart: luv watches our backend descriptor, and our loop makes a
-- turn without waiting whenever luv's is about to wait. That way uv.run() and cp.run() both drive
-- everything, and uv.walk() meets no handle that luv does not know.
local core = require("child_process.core")
local loop = require("child_process.loop")
local uv = require("luv")

---@class child_process.luv
local driver = {}

local poll, prepare, timer
local running = false -- luv's loop runs in our `run`
local kept -- {error} that a turn has raised in there

local function turn()
  if core.isRunning() then
    return -- a callback of ours has turned luv's loop
  elseif not running then
    loop.turn("nowait")
    return
  end
  local ok, err = pcall(loop.turn, "nowait")
  if not ok then
    kept = kept or {err}
    uv.stop()
  end
end

local function reference()
  if core.isAlive() then
    poll:ref()
  else
    poll:unref()
  end
end

local function nothing()
end

-- luv's loop is about to wait: hands what we wait for over to it.
local function beforeWaiting()
  turn()
  timer:stop()
  local timeout = core.timeout()
  if timeout then
    timer:start(timeout, 0, nothing)
  end
  reference()
end

--- Connects the two loops, unless they are, and lets luv's know whether ours is alive.
function driver.attach()
  if not poll or poll:is_closing() then
    poll, prepare, timer = uv.new_poll(core.backend()), uv.new_prepare(), uv.new_timer()
    poll:start("r", turn)
    prepare:start(beforeWaiting)
    prepare:unref()
    timer:unref()
  end
  reference()
end

--- Is luv's loop being turned, by us or by somebody else?
---@return boolean
function driver.isRunning()
  return running or uv.loop_mode() ~= nil
end

--- As loop.run, with luv's loop.
---@param mode? "default"|"once"|"nowait"
---@return boolean
function driver.run(mode)
  if core.isRunning() or driver.isRunning() then
    error("child_process: run was called from a callback of the running loop")
  end
  running = true
  local ok, alive = pcall(uv.run, mode or "default")
  running = false
  if not ok then
    error(alive, 0)
  elseif kept then
    local err = kept[1]
    kept = nil
    error(err, 0)
  end
  return alive
end

--- As loop.stop.
function driver.stop()
  if running then
    uv.stop()
  end
end

return driver
