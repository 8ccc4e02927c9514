--- Hosts whose agent runs on this machine.

local host = require("child_process.host")
local support = require("spec.support")

local agents = {}

--- A launcher that becomes the agent.
agents.PLAIN = {"sh", "-c", 'exec "$@"', "sh"}

--- Connects with an agent. Errors of the host are raised by the loop.
---@param launcher? string[] default PLAIN
---@param options? HostOptions
---@return Host
function agents.connect(launcher, options)
  return host.connect(launcher or agents.PLAIN,
    support.merge({lua = support.lua, connectTimeout = 120000}, options))
end

--- Runs the loop until the host is closed, whose children have ended.
---@param h Host
function agents.close(h)
  support.inTime(function() return h:close():await() end)
  assert(h.state == "closed")
end

--- Connects with a shell command as the launcher, which fails. Runs the loop to its end.
---@param command string
---@param options? HostOptions
---@return Error
function agents.failure(command, options)
  local h = agents.connect({"sh", "-c", command, "sh"}, options)
  local found
  h:on("error", function(err)
    assert(not found)
    found = err
  end)
  local seen = support.note(h, {connect = 0, close = 0})
  support.run()
  assert(found, "an error was expected")
  assert(seen[#seen] == "close")
  return found
end

return agents
