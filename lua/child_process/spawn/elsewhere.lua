--- Options that cannot be combined with options.host. Loaded for the first child on another host.

local errors = require("child_process.errors")

---@class child_process.elsewhere
local elsewhere = {}

local function refuse(options, name, reason)
  error(errors.invalidArgValue("options." .. name, options[name],
    "cannot be combined with options.host" .. reason))
end

--- Raises an error if an option would have no effect.
---@param options table as they were given
---@param attributes? table those that attributes.lua has checked
function elsewhere.check(options, attributes)
  if not attributes then
    return
  elseif attributes.terminal then
    refuse(options, "terminal", "")
  elseif attributes.terminalForeground then
    refuse(options, "terminalForeground", ": a child there is not told of the keys of our terminal")
  elseif attributes.killOnParentExit == false then
    refuse(options, "killOnParentExit", " if it is false: nothing is left there when we have ended")
  end
end

return elsewhere
