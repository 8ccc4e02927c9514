--- Notices a script that makes a pool of itself in the children of that pool, too. There would be
--- no end of children.

local ChannelEnd = require("child_process.channel.end")
local errors = require("child_process.errors")
local process = require("child_process.process")

local function answersRequests(channelEnd)
  return channelEnd.requests ~= nil and channelEnd.requests.answers:hasHandler()
end

local function hasArguments(argv, args)
  for index = 1, math.max(#argv - 1, #args) do
    if tostring(argv[index + 1]) ~= tostring(args[index]) then
      return false
    end
  end
  return true
end

--- Raises an error if this process is a child that runs the script with the same arguments, and
--- answers no requests: a child of the pool would be in the same situation.
---@param settings table of the pool
return function(settings)
  local channelEnd = ChannelEnd.byTarget[process]
  local argv = process.argv
  if channelEnd and argv[1] == settings.script and hasArguments(argv, settings.args)
    and not settings.forkOptions.env and not answersRequests(channelEnd) then
    error(errors.misuse("Error", "ERR_POOL_RECURSION", ("%s would start itself without end: where "
      .. "process.send is set it has to call process:handle, and to use no pool of itself"):format(
      settings.script)))
  end
end
