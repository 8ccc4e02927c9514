--- Signals as events of process: a signal with a listener is handled.

local core = require("child_process.core")

local signals = {}

local handles = {} -- of core, by the signal's name

--- Handles the signal from now on.
---@param process process
---@param name string
---@return integer? # a negative errno if it cannot be
function signals.listen(process, name)
  if handles[name] then
    return nil
  end
  local handle = core.signal({
    onsignal = function(_, number)
      process:emit(name, name, number)
    end,
  })
  local errno = handle:start(core.signals[name])
  if not errno then
    handles[name] = handle
  end
  return errno
end

--- Restores the usual effect of signals that have no listeners any more.
---@param process process
function signals.listenersRemoved(process)
  for name, handle in pairs(handles) do
    if process:listenerCount(name) == 0 then
      handle:stop()
      handles[name] = nil
    end
  end
end

return signals
