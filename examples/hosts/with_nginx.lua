-- Lets nginx's workers (with the module http-lua) drive the loop of child_process, so that requests
-- can start programs and wait for them while the worker serves others. Each worker loads it:
--
--   lua_package_path "/usr/local/share/lua/5.1/?.lua;;";
--   init_worker_by_lua_file /etc/nginx/child_process.lua; # this file
--
--   location = /uptime {
--     content_by_lua_block {
--       local cp = require("child_process")
--       ngx.print(cp.promises.execFile("uptime", {}, {timeout = 5000}):await().stdout)
--     }
--   }

local loop = require("child_process.loop")
local process = require("child_process.process")
local semaphore = require("ngx.semaphore")

-- nginx's handler of this signal takes the exit codes of all children of a worker, which has none
-- but ours. Listening replaces the handler.
process:on("SIGCHLD", function() end)

local INTERVAL = 0.01 -- seconds; nginx cannot wait for the loop's descriptor

local function run()
  local ok, err = pcall(loop.run, "nowait")
  if not ok then
    ngx.log(ngx.ERR, tostring(err), "\n", loop.traceback())
  end
end

assert(ngx.timer.every(INTERVAL, function(isEnding)
  if not isEnding then
    run()
  end
end))

-- A worker that is to end has no timers any more, but finishes its requests: those that wait run
-- the loop then.
local function sleep(woken)
  if ngx.worker.exiting() then
    run()
    woken:wait(INTERVAL)
  else
    woken:wait(1)
  end
end

loop.handleWait(function()
  if not loop.isRunning() then -- else our loop has resumed the coroutine, and does so again
    local woken = semaphore.new()
    return function() sleep(woken) end, function() woken:post() end
  end
end)
