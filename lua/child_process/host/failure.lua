--- The errors of hosts: what has gone wrong, how the launcher has ended, and what it has printed.

local errors = require("child_process.errors")

local LONGEST = 2000 -- bytes of what is shown

local failure = {}

-- The end of a text, on a line of its own, without control characters that a terminal would obey.
local function shown(text)
  text = text:sub(-LONGEST):gsub("\r\n", "\n")
  text = text:gsub("[^\t\n\32-\126\128-\255]", "?"):gsub("%s+$", "")
  return text
end

local function outcome(launcher)
  if launcher.signalCode then
    return "the launcher was ended by " .. launcher.signalCode
  elseif launcher.pid and launcher.exitCode then
    return ("the launcher has ended with exit code %d"):format(launcher.exitCode)
  end
end

-- What has gone wrong, and how the launcher has ended.
local function account(facts)
  local text = outcome(facts.launcher)
  if facts.reason and text then
    return ("%s, and %s"):format(facts.reason, text)
  end
  return facts.reason or text or "the launcher has ended"
end

-- Advice for what people stumble over.
local HINTS = {
  {"module 'child_process%.agent' not found",
    "child_process is not installed there for this Lua (see options.lua)"},
  {"[Hh]ost key verification failed",
    "connect once by hand to accept the key, or add it to known_hosts"},
  {"[Pp]ermission denied %(",
    "nobody is asked for a password: set up a key for this user"},
}

local function hintFor(facts)
  for _, hint in ipairs(HINTS) do
    if facts.stderr:find(hint[1]) then
      return hint[2]
    end
  end
  if facts.launcher.exitCode == 127 and not facts.connected then
    return ("is there no command '%s'? See options.lua"):format(facts.lua)
  end
end

---@class HostFacts
---@field name string the launcher's command
---@field connected boolean the agent has answered
---@field reason? string nil if only the launcher has ended
---@field code? string default by `connected`
---@field launcher ChildProcess
---@field lua string the interpreter over there
---@field stderr string what the launcher has printed
---@field noise string what came before the agent's answer

--- Makes the error.
---@param facts HostFacts
---@return Error
function failure.make(facts)
  local text = facts.connected and "host '%s' is lost: %s" or "cannot connect to host '%s': %s"
  local parts = {text:format(facts.name, account(facts))}
  local hint = hintFor(facts)
  if hint then
    parts[1] = ("%s; %s"):format(parts[1], hint)
  end
  local stderr, noise = shown(facts.stderr), shown(facts.noise)
  if noise ~= "" and not facts.connected then
    parts[#parts + 1] = "it wrote to standard output: " .. noise
  end
  if stderr ~= "" then
    parts[#parts + 1] = stderr
  end
  local code = facts.code or facts.connected and "ERR_HOST_LOST" or "ERR_HOST_CONNECT"
  return errors.make("Error", table.concat(parts, "\n"), {
    code = code, exitCode = facts.launcher.exitCode, signal = facts.launcher.signalCode,
    stderr = facts.stderr, cause = facts.cause,
  })
end

--- The error of a child that was to be started on a host that is closed.
---@param name string
---@return Error
function failure.closed(name)
  return errors.make("Error", ("host '%s' is closed"):format(name), {code = "ERR_HOST_CLOSED"})
end

return failure
