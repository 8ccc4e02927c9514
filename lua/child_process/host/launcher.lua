--- A part of Host: the launcher, the command that reaches the other side and starts the agent.

local arguments = require("child_process.spawn.arguments")
local ChildProcess = require("child_process.spawn.child")
local timers = require("child_process.timers")

local KEPT = 8 * 1024 -- bytes of the launcher's stderr
local LAST_WORDS = 1000 -- milliseconds that a launcher has to end by itself
local KILL_AFTER = 2000 -- milliseconds between SIGTERM and SIGKILL for a launcher

---@class Host
local methods = {}

local function onError(self, err)
  self._launcherError = err
  self:_fail("the launcher could not be started: " .. err.message)
end

-- The descriptors of the connection may be held by others, so its end alone need not be noticed.
local function onExit(self)
  if self.state ~= "failing" and self.state ~= "closing" and not self._lastWords then
    self._lastWords = timers.setTimeout(function()
      self:_fail(nil)
    end, LAST_WORDS)
  end
end

local function onClose(self)
  self._launcherClosed = true
  if self.state == "failing" or self.state == "closing" and self._hasEnded then
    self:_finish()
  end
end

local function keepStderr(self, data)
  self._stderr = (self._stderr .. data):sub(-KEPT)
end

-- To be called when the launcher was started. If it raises, the start is undone.
local function listenTo(launcher, self)
  if launcher.stderr then
    launcher.stderr:on("data", function(data) keepStderr(self, data) end)
    launcher.stderr:on("error", function() end)
    launcher.stderr:unref()
  end
  launcher:unref()
end

-- Starts the launcher with its ends of the connection.
function methods:_startLauncher(command, env, stdin, stdout)
  local file = table.remove(command, 1)
  local call = arguments.normalize(file, command, {
    env = env, stdio = {stdin:fileno(), stdout:fileno(), "pipe"}, waitDelay = LAST_WORDS,
  })
  local launcher = ChildProcess.new()
  self._launcher = launcher
  launcher:on("error", function(err)
    if not launcher.pid then
      onError(self, err)
    end
  end)
  launcher:on("exit", function() onExit(self) end)
  launcher:on("close", function() onClose(self) end)
  launcher:_start(call, listenTo, self)
end

-- Lets the launcher end by itself for a while, and then ends it.
function methods:_endLauncher()
  local launcher = self._launcher
  if self._launcherClosed or self._lastWords then
    return
  end
  self._lastWords = timers.setTimeout(function()
    launcher:kill("SIGTERM", {forceKillAfterDelay = KILL_AFTER})
  end, LAST_WORDS)
end

return methods
