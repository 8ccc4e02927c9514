--- How a command failed, in words: a line that names the command, what happened to it and where,
--- then the end of what it has printed about that.

local message = {}

local LONGEST = 200 -- bytes of a command
local TAIL = 60 -- of these, from its end
local MOST = 8192 -- bytes of stderr

local letters = {["\n"] = "\\n", ["\t"] = "\\t", ["\r"] = "\\r"}

local function escape(character)
  return letters[character] or ("\\x%02X"):format(character:byte())
end

--- A command on one line, without its middle if it is long.
---@param command string
---@return string
function message.oneLine(command)
  local text = command:gsub("%c", escape)
  if #text > LONGEST then
    local head = text:sub(1, LONGEST - TAIL):gsub("[\192-\255][\128-\191]*$", "")
    text = head .. " ... " .. text:sub(-TAIL):gsub("^[\128-\191]+", "")
  end
  return text
end

-- The signals that shells report as 128 plus a number that is the same everywhere.
local SIGNALS = {
  [1] = "SIGHUP", [2] = "SIGINT", [3] = "SIGQUIT", [4] = "SIGILL", [6] = "SIGABRT", [8] = "SIGFPE",
  [9] = "SIGKILL", [11] = "SIGSEGV", [13] = "SIGPIPE", [14] = "SIGALRM", [15] = "SIGTERM",
}

local function exitCode(fields)
  local code = fields.exitCode
  local signal = fields.isShell and code > 128 and SIGNALS[code - 128]
  return ("exit code %d%s"):format(code, signal and (" (%s in the shell)"):format(signal) or "")
end

-- The limits that the system enforces by signals.
local LIMITS = {SIGXCPU = "cpu", SIGXFSZ = "fsize"}

local function ofLimit(fields)
  local limit = LIMITS[fields.signalCode]
  local isGiven = limit and type(fields.limits) == "table" and fields.limits[limit] ~= nil
  return isGiven and (" (options.limits.%s)"):format(limit) or ""
end

-- How it ended, after the reason for which it was ended.
local function ending(fields)
  if not fields.signalCode then
    return fields.exitCode and ", " .. exitCode(fields) or ""
  elseif fields.isForcefullyTerminated then
    return (", killed by %s, which had to follow %s"):format(fields.signalCode, fields.killSignal)
  end
  return ", killed by " .. fields.signalCode
end

local REASONS = {
  E2BIG = "its arguments and environment are too long", EACCES = "permission denied",
  EAGAIN = "there are too many processes", EMFILE = "this program has too many open files",
  ENFILE = "the system has too many open files", ENOMEM = "not enough memory",
  EPERM = "not permitted", ETXTBSY = "the file is being written",
}

local function textOf(value)
  local text = type(value) == "table" and value.message or value
  return (tostring(text):gsub("\n.*", ""))
end

-- Why the system could not start the program: what spawn says after the name of the errno.
local function reasonOfStart(failure, file)
  local code = tostring(failure.code)
  local _, stop = failure.message:find(code .. ": ", 1, true)
  if failure.reason then
    return failure.reason
  elseif code:find("^ERR_HOST_") then
    return textOf(failure)
  elseif stop then
    return failure.message:sub(stop + 1)
  elseif code == "ENOENT" then
    return file:find("/", 1, true) and "no such file" or "no such program in PATH"
  end
  return REASONS[code]
end

local function couldNotStart(fields)
  local failure = fields.failure
  local reason = reasonOfStart(failure, fields.file)
  if reason and failure.code then
    return ("could not be started: %s (%s)"):format(reason, failure.code)
  end
  return "could not be started: " .. (reason or tostring(failure.code or failure.message))
end

-- Why the signal was aborted, unless nobody has said.
local function reasonOfAbort(fields)
  local reason = fields.failure.cause
  if reason == nil or type(reason) == "table" and reason.name == "AbortError" then
    return ""
  elseif type(reason) == "table" and reason.name == "TimeoutError" then
    return " by a deadline"
  end
  return (" (%s)"):format(textOf(reason))
end

local function whatHappened(fields)
  if fields.wasNotStarted then
    return "was not started, as a later command could not be"
  elseif fields.couldNotStart then
    return couldNotStart(fields)
  elseif fields.timedOut then
    return ("timed out after %.0f ms"):format(fields.timeout) .. ending(fields)
  elseif fields.isCanceled then
    return "was canceled" .. reasonOfAbort(fields) .. ending(fields)
  elseif fields.isMaxBuffer then
    return ("printed more than %.0f bytes to %s (options.maxBuffer)"):format(fields.maxBuffer,
      fields.fullOutput) .. ending(fields)
  elseif fields.failure ~= nil then
    return ("failed: %s"):format(textOf(fields.failure)) .. ending(fields)
  elseif fields.held and fields.exitCode == 0 then
    return ("ended, but a process that it has left running held its %s for more than %.0f ms "
      .. "(options.waitDelay)"):format(table.concat(fields.held, " and "), fields.waitDelay)
  elseif fields.signalCode then
    return "was" .. ending(fields):sub(2) .. ofLimit(fields)
  elseif not fields.exitCode then
    return "ended, and its exit code is unknown"
  end
  return "failed with " .. exitCode(fields)
end

-- Where it was to happen, unless the text says so already.
local function notes(fields, text)
  local list = {}
  if fields.pipeline then
    list[#list + 1] = ("stage %d of %s"):format(fields.stage, message.oneLine(fields.pipeline))
  end
  if fields.attempts and fields.attempts > 1 then
    list[#list + 1] = ("attempt %d"):format(fields.attempts)
  end
  if fields.isElsewhere and fields.cwd and not text:find(fields.cwd, 1, true) then
    list[#list + 1] = "in " .. fields.cwd
  end
  if fields.host and not text:find(fields.host.name, 1, true) then
    list[#list + 1] = ("on host '%s'"):format(fields.host.name)
  end
  return #list > 0 and (" (%s)"):format(table.concat(list, ", ")) or ""
end

--- The first line.
---@param fields table of the error, and what else the words need
---@return string
function message.line(fields)
  local text = whatHappened(fields)
  return ("%s: %s%s"):format(message.oneLine(fields.escapedCommand), text, notes(fields, text))
end

--- The line of a command that has failed, too, in the pipeline of the error.
---@param fields table
---@return string
function message.lineOfStage(fields)
  return ("stage %d, %s: %s"):format(fields.stage, message.oneLine(fields.escapedCommand),
    whatHappened(fields))
end

--- The end of what a command has printed, in whole lines.
---@param text string|string[]|nil
---@return string # empty, or it starts with a newline
function message.output(text)
  if type(text) == "table" then
    text = table.concat(text, "\n")
  end
  text = (text or ""):match("^.*%S") or "" -- in linear time, unlike "%s+$"
  if #text > MOST then
    local tail = text:sub(-MOST):gsub("^[^\n]*\n", "")
    text = ("[%d bytes before this are in the error's fields]\n"):format(#text - #tail) .. tail
  end
  return text ~= "" and "\n" .. text or ""
end

return message
