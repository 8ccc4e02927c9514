--- Reports unknown options, and arguments without effect: by errors in strict mode, otherwise by
--- warnings. Loaded when the first of them is found.

local core = require("child_process.core")
local errors = require("child_process.errors")
local suggestion = require("child_process.base.suggestion")
local warnings = require("child_process.base.warnings")

---@class child_process.strict
local strict = {}

local forced = nil ---@type boolean? the argument of `set`, once it was called

--- Whether strict mode is on: as `set` says, or else if the environment has CHILD_PROCESS_STRICT=1.
---@return boolean
function strict.isOn()
  if forced ~= nil then
    return forced
  end
  return core.getenv("CHILD_PROCESS_STRICT") == "1"
end

--- Sets strict mode on or off.
---@param on boolean
function strict.set(on)
  forced = on
end

local STREAMS = "use the list options.stdio for stdin, stdout and stderr"

-- Hints for the options of other functions.
local advice = {
  input = "write it to child.stdin, or use exec, execFile or a synchronous call",
  encoding = "call child.stdout:setEncoding",
  maxBuffer = "exec, execFile and the synchronous calls collect output",
  stdio = "use spawn or execFile",
  stdin = STREAMS, stdout = STREAMS, stderr = STREAMS,
}

local warned = {}

--- Reports an argument that has no effect: raises ERR_INVALID_ARG_VALUE in strict mode, otherwise
--- warns once for each key.
---@param key string
---@param name string of the argument
---@param value any
---@param reason string as the rest of a sentence
---@param kind? string of the warning
function strict.report(key, name, value, reason, kind)
  if strict.isOn() then
    error(errors.invalidArgValue(name, value, reason))
  elseif not warned[key] then
    warned[key] = true
    warnings.warn(("%s %s"):format(name, reason), kind or "IgnoredOptionWarning")
  end
end

--- Reports an option that a function does not have.
---@param caller string the function
---@param name string
---@param value any
---@param known table<string, any> the known names are its keys
function strict.unknownOption(caller, name, value, known)
  local hint = advice[name] and (" (%s)"):format(advice[name]) or suggestion(name, known)
  local reason = ("is not an option of %s%s"):format(caller, hint)
  strict.report(name, "options." .. name, value, reason, "UnknownOptionWarning")
end

return strict
