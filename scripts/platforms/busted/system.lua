-- What busted takes from the module `system`, for an interpreter for which that module cannot be
-- compiled. Busted needs it to report how long the tests took.

local system = {gettime = os.time}

--- Seconds since the system was started, to a hundredth.
---@return number
function system.monotime()
  local file = assert(io.open("/proc/uptime"))
  local seconds = file:read("*n")
  file:close()
  return seconds
end

--- Waits.
---@param seconds number
function system.sleep(seconds)
  os.execute("sleep " .. seconds)
end

return system
