--- The errors of hosts: what has gone wrong, how the launcher has ended, and what it has printed.

local errors = require("child_process.errors")

local SHOWN = 2000 -- bytes of what was printed

local failure = {}

-- The end of a text, on a line of its own, without control characters that a terminal would obey.
local function shown(text)
  text = text:sub(-SHOWN):gsub("\r\n", "\n")
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

-- What a first attempt meets: what is printed then, what it means, and what to do.
local CAUSES = {
  {"HOST IDENTIFICATION HAS CHANGED", "its key is not the one that was known: if it was changed "
    .. "for a reason, remove the old one, as with ssh-keygen -R, and connect once by ssh in a "
    .. "terminal"},
  {"Host key verification failed", "its key is not known here: connect once by ssh in a terminal, "
    .. "which shows the key and asks"},
  {"Permission denied %(", "it wants a password, for which nobody is asked here: set up a key, as "
    .. "with ssh-copy-id"},
  {"sudo: a password is required", "sudo wants a password, and there is no terminal to ask for it: "
    .. "allow the command without one, by NOPASSWD in sudoers"},
  {"module 'child_process[%w_.]*' not found", "child_process is not installed there for the Lua "
    .. "that was started (options.lua), or is a version that has no agent"},
}

-- Whether another program complains that there is no such interpreter. Messages of the interpreter
-- begin with its name, and a name inside a path is that of a folder.
local function isMissing(lua, stderr)
  for line in stderr:gmatch("[^\r\n]+") do
    local first, last = line:find(lua, 2, true)
    if first and not line:sub(first - 1, first - 1):find("[%w/]")
      and not line:sub(last + 1, last + 1):find("[%w/]") then
      return true
    end
  end
  return false
end

local function causeOf(facts)
  for _, cause in ipairs(CAUSES) do
    if facts.stderr:find(cause[1]) then
      return cause[2]
    end
  end
  if isMissing(facts.lua, facts.stderr) then
    return ("there seems to be no command '%s' there (options.lua)"):format(facts.lua)
  end
end

-- What has gone wrong, and how the launcher has ended.
local function account(facts)
  if facts.code then
    return facts.reason
  end
  local reason = not facts.connected and causeOf(facts) or facts.reason
  local text = outcome(facts.launcher)
  if reason and text then
    return ("%s, and %s"):format(reason, text)
  end
  return reason or text or "the launcher has ended"
end

---@class HostFacts
---@field name string of the host
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
