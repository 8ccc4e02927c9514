--- Warns of an event with more listeners than its limit, which looks like a leak.

local emitterName = require("child_process.errors.value_text").emitterName
local warnings = require("child_process.base.warnings")

local TEXT = "Possible EventEmitter memory leak detected. %d %s listeners added to [%s]. "
  .. "Use emitter:setMaxListeners() to increase limit"

---@param emitter EventEmitter
---@param event any
---@param count integer
return function(emitter, event, count)
  warnings.warn(TEXT:format(count, tostring(event), emitterName(emitter)),
    "MaxListenersExceededWarning", {emitter = emitter, type = event, count = count})
end
