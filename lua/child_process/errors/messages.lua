--- Errors with codes: of arguments, commands and messages.

local class = require("child_process.errors.error")
local compat = require("child_process.base.compat")
local values = require("child_process.errors.value_text")

---@class child_process.errors
local errors = {}

-- {"a", "b", "c"} -> "a, b, or c"
local function alternatives(list)
  local count = #list
  if count < 3 then
    return table.concat(list, " or ")
  end
  return table.concat(list, ", ", 1, count - 1) .. ", or " .. list[count]
end

local luaTypes = {
  boolean = true, ["function"] = true, number = true, string = true, table = true,
  thread = true, userdata = true,
}

-- {"string", "ChildProcess"} -> "of type string or an instance of ChildProcess"
local function expectation(expected)
  local types, instances, others = {}, {}, {}
  for _, name in ipairs(expected) do
    local list = luaTypes[name] and types or name:find("^%u") and instances or others
    list[#list + 1] = name
  end
  local parts = {}
  if #types > 0 then
    parts[#parts + 1] = (#types > 1 and "one of type " or "of type ") .. alternatives(types)
  end
  if #instances > 0 then
    parts[#parts + 1] = "an instance of " .. alternatives(instances)
  end
  if #others > 0 then
    parts[#parts + 1] = (#others > 1 and "one of " or "") .. alternatives(others)
  end
  return table.concat(parts, " or ")
end

local function isProperty(name)
  return name:find(".", 1, true) ~= nil
end

--- The value has the wrong type.
---@param name string of the argument; one with a dot ("options.cwd") is called a property
---@param expected string|string[] Lua types, classes (with a capital), or other words ("int32")
---@param actual any the value that was given
---@return Error
function errors.invalidArgType(name, expected, actual)
  if type(expected) == "string" then
    expected = {expected}
  end
  return class.misuse("TypeError", "ERR_INVALID_ARG_TYPE", ('The "%s" %s must be %s. Received %s')
    :format(name, isProperty(name) and "property" or "argument", expectation(expected),
      values.received(actual)))
end

--- The value has the right type but cannot be used.
---@param name string of the argument; one with a dot ("options.cwd") is called a property
---@param value any the value that was given
---@param reason? string default "is invalid"
---@return Error
function errors.invalidArgValue(name, value, reason)
  return class.misuse("TypeError", "ERR_INVALID_ARG_VALUE", ("The %s '%s' %s. Received %s")
    :format(isProperty(name) and "property" or "argument", name, reason or "is invalid",
      values.shorten(values.inspect(value), 128, 128)))
end

--- The number is outside of its range.
---@param name string of the argument
---@param range string what it must be: ">= 0", "an unsigned integer"
---@param value any the value that was given
---@return Error
function errors.outOfRange(name, range, value)
  return class.misuse("RangeError", "ERR_OUT_OF_RANGE",
    ('The value of "%s" is out of range. It must be %s. Received %s')
      :format(name, range, values.inspect(value)))
end

--- The port is invalid.
---@param name string of the argument, with a capital
---@param value any the value that was given
---@param allowZero boolean
---@return Error
function errors.socketBadPort(name, value, allowZero)
  return class.misuse("RangeError", "ERR_SOCKET_BAD_PORT",
    ("%s should be %s 0 and < 65536. Received %s.")
      :format(name, allowZero and ">=" or ">", values.received(value)))
end

--- None of several arguments was given.
---@param ... string their names
---@return Error
function errors.missingArgs(...)
  return class.misuse("TypeError", "ERR_MISSING_ARGS",
    ('The "%s" argument must be specified'):format(table.concat({...}, '" or "')))
end

--- A function of the program has returned values that cannot be used.
---@param expected string what it may return, in words
---@param name string of the function that it was given to
---@param ... any what it has returned
---@return Error
function errors.invalidReturnValue(expected, name, ...)
  local texts = {}
  for index = 1, select("#", ...) do
    texts[index] = values.received((select(index, ...)))
  end
  return class.misuse("TypeError", "ERR_INVALID_RETURN_VALUE",
    ('Expected %s to be returned from the function that "%s" has set, but got %s'):format(expected,
      name, table.concat(texts, " and ")))
end

--- A method was called without its object: child.kill() instead of child:kill().
---@param method string with its class: "ChildProcess:kill"
---@return Error
function errors.invalidThis(method)
  local name = method:match("[^:]+$")
  return class.misuse("TypeError", "ERR_INVALID_THIS",
    ("%s must be called with a colon: object:%s(...), not object.%s(...)")
      :format(method, name, name))
end

--- A module's function was called as a method: net:connect() instead of net.connect().
---@param call string with its module: "net.connect"
---@return Error
function errors.invalidColon(call)
  return class.misuse("TypeError", "ERR_INVALID_THIS",
    ("%s must be called with a dot: %s(...), not %s(...)"):format(call, call,
      (call:gsub("%.(%w+)$", ":%1"))))
end

--- There is no such signal.
---@param signal any the unknown name or number
---@param hint? string what was probably meant, as the end of the message
---@return Error
function errors.unknownSignal(signal, hint)
  return class.misuse("TypeError", "ERR_UNKNOWN_SIGNAL", ("Unknown signal: %s%s"):format(
    type(signal) == "string" and signal or values.inspect(signal), hint or ""))
end

--- A word in options.stdio is unknown.
---@param fd integer the child's descriptor
---@param value string
---@return Error
function errors.invalidSyncForkInput(fd, value)
  return class.misuse("TypeError", "ERR_INVALID_SYNC_FORK_INPUT",
    ("The entry of options.stdio for descriptor %d must be one of 'pipe', 'ignore', 'inherit', "
      .. "'overlapped', 'ipc', or a descriptor, file, stream, socket or server. Received %s")
      :format(fd, values.inspect(value)))
end

--- A program has written more than options.maxBuffer allows.
---@param stream string "stdout" or "stderr"
---@param limit integer bytes
---@return Error
function errors.childProcessStdioMaxbuffer(stream, limit)
  return class.withCode("RangeError", "ERR_CHILD_PROCESS_STDIO_MAXBUFFER",
    ("%s maxBuffer length exceeded (%d bytes)"):format(stream, limit))
end

-- How a command ended. A negative code means that it is unknown.
local function ending(code, signal, timeout, forcedAfter, limits)
  local how = "exit code unknown"
  if signal then
    how = "killed by " .. signal
  elseif code and code >= 0 then
    how = ("exit code %d"):format(code)
  end
  if limits and not timeout and not forcedAfter then
    how = how .. require("child_process.errors.limits").reached(code, signal, limits)
  end
  if forcedAfter and signal == "SIGKILL" then
    how = ("%s, which had to follow %s"):format(how, forcedAfter)
  elseif forcedAfter then
    how = ("%s; SIGKILL had to follow %s for processes that it has started"):format(how,
      forcedAfter)
  end
  return timeout and ("timed out after %d ms, %s"):format(timeout, how) or how
end

--- The error of a command that did not end with exit code 0, or did not end in time.
---@param command string the command line
---@param code integer? exit code
---@param signal string? that ended it
---@param timeout integer? milliseconds, if exceeded
---@param forcedAfter string? the signal that was not enough, if SIGKILL had to follow it
---@param limits table[]? from spawn/resource_limits.lua
---@return Error
function errors.commandFailed(command, code, signal, timeout, forcedAfter, limits)
  return class.make("Error", ("Command failed: %s (%s)"):format(command,
    ending(code, signal, timeout, forcedAfter, limits)))
end

-- {"stdout", "stderr"} -> "stdout and stderr"
local function conjunction(list)
  local count = #list
  if count < 2 then
    return list[1]
  end
  return table.concat(list, ", ", 1, count - 1) .. " and " .. list[count]
end

--- The error of a command that has ended with exit code 0, and whose streams were held by another
--- process for longer than options.waitDelay allows.
---@param command string the command line
---@param delay integer milliseconds
---@param held string[] the names of the streams: "stdout", "stdio[3]"
---@return Error
function errors.waitDelay(command, delay, held)
  return class.withCode("Error", "ERR_WAIT_DELAY", (
    "Command ended, but its %s stayed open: %s (exit code 0). A process that it has left running "
    .. "held %s for more than %d ms (options.waitDelay), and what that process wrote later is "
    .. "missing. Redirect its output, as in 'server >log 2>&1 &', or end it before the command ends"
  ):format(conjunction(held), command, #held == 1 and "it" or "them", delay))
end

--- A child has ended before it has answered.
---@param code integer? exit code
---@param signal string? that ended it
---@return Error
function errors.childEnded(code, signal)
  local isKnown = code ~= nil or signal ~= nil
  local err = class.withCode("Error", "ERR_CHILD_ENDED", isKnown
    and ("The child ended before it replied (%s)"):format(ending(code, signal))
    or "The child closed its channel before it replied")
  err.exitCode, err.signalCode = code, signal
  return err
end

--- The channel has closed before a request was answered.
---@param byPeer boolean the parent has closed it, or has ended
---@return Error
function errors.requestCut(byPeer)
  return class.withCode("Error", "ERR_IPC_CHANNEL_CLOSED", byPeer
    and "The parent ended, or disconnected, before it replied"
    or "The channel was disconnected before the reply came")
end

--- A request was not answered in time.
---@param timeout integer milliseconds
---@return Error
function errors.requestTimedOut(timeout)
  return class.withCode("TimeoutError", "ETIMEDOUT",
    ("The request was not answered within %d ms"):format(timeout))
end

--- Text on a message channel that is not a message.
---@param text string
---@param reason string why it is not one
---@return Error
function errors.ipcInvalidMessage(text, reason)
  return class.withCode("Error", "ERR_IPC_INVALID_MESSAGE",
    ("Invalid message on the channel, %s: %s")
      :format(reason, values.inspect(values.shorten(text, 64, 61))))
end

--- A value that structured clone cannot take.
---@param place string where in the message: "message.list[3]"
---@param reason string what it is, as the rest of a sentence: "is a function"
---@return Error # its code is 25, like that of a DOMException with this name
function errors.dataClone(place, reason)
  return class.misuse("DataCloneError", 25,
    ("%s could not be cloned: it %s"):format(place, reason))
end

--- An "error" event without a listener, whose value is not an Error.
---@param value any kept as the field `context`
---@return Error
function errors.unhandledError(value)
  local err = class.misuse("Error", "ERR_UNHANDLED_ERROR",
    ("Unhandled error. (%s)"):format(require("child_process.errors.inspect")(value)))
  err.context = value
  return err
end

for constructor, entry in pairs(require("child_process.errors.codes")) do
  local name, code, text = compat.unpack(entry)
  local construct = entry.isReported and class.withCode or class.misuse
  errors[constructor] = function(word)
    return construct(name, code, text:format(word))
  end
end

return errors
