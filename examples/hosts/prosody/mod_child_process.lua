-- Lets Prosody's event loop drive the one of child_process, so that other modules can start
-- programs and wait for them. Put this file into a folder of plugin_paths, and its name into
-- modules_enabled:
--
--   plugin_paths = { "/usr/local/lib/prosody/modules" }
--   modules_enabled = { "child_process" }

local async = require("util.async")
local loop = require("child_process.loop")
local server = require("net.server")

module:set_global()

local watcher = server.watchfd(loop.fd(), function()
  local ok, err = pcall(loop.run, "nowait")
  if not ok then
    module:log("error", "%s\n%s", err, loop.traceback())
  end
end)

-- Whether the running coroutine is one of Prosody's, and not one that a module has made itself.
-- Prosody's have their runner as the first local variable of the outermost function.
local function isOwn()
  local level = 1
  while debug.getinfo(level + 1, "f") do
    level = level + 1
  end
  local _, runner = debug.getlocal(level, 1)
  return type(runner) == "table" and rawget(runner, "thread") == coroutine.running()
end

-- Handlers that Prosody runs in a coroutine, those of HTTP requests for instance, may await.
loop.handleWait(function()
  if isOwn() then
    return async.waiter()
  end
end)

function module.unload()
  watcher:close()
  loop.handleWait(nil)
end
