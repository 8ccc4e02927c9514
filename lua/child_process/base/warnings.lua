--- Writes warnings to stderr, and passes them to the listeners of "warning" of process.

local core = require("child_process.core")
local io = require("child_process.base.standard").io

---@class child_process.warnings
local warnings = {}

--- Warns. Scripts see this function as events.warn, and may replace it there.
---@param message string
---@param name string the kind of warning
---@param fields? table further fields of the object that the listeners get
function warnings.warn(message, name, fields)
  io.stderr:write(("(lua) %s: %s\n"):format(name, message))
  local process = core.process -- absent unless the program has loaded it
  if process then
    process:_emitWarning(message, name, fields)
  end
end

return warnings
