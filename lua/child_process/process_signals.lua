--- Signals by name, as events of process: handled as long as somebody listens.
local core = require("child_process.core")

local signals = {}

local handlers = {} -- by the signal's name

--- Has the signal handled from now on.
---@param process process
---@param name string
---@return integer? # a negative errno if it cannot be
function signals.listen(process, name)
  if handlers[name] then
    return nil
  end
  local handle = core.signal({
    onsignal = function(_, number)
      process:emit(name, name, number)
    end,
  })
  local errno = handle:start(core.signals[name])
  if not errno then
    handlers[name] = handle
  end
  return errno
end

--- Gives the signals that nobody listens to any more their former effect again.
---@param process process
function signals.listenersRemoved(process)
  for name, handle in pairs(handlers) do
    if process:listenerCount(name) == 0 then
      handle:stop()
      handlers[name] = nil
    end
  end
end

return signals
