--- Error objects: what this module raises, passes to callbacks and emits as "error".
-- Errors are values. Making one is cheap: no stack is walked, a traceback is the business of
-- whoever catches it.

---@class Error
---@field name string "Error", "TypeError", "RangeError", "AbortError", "TimeoutError" or
---"AggregateError"
---@field message string
---@field code? string|integer "ERR_..." for misuse, the name of the errno for system errors
---@field errno? integer negative, as the kernel reports it
---@field syscall? string what was attempted: "spawn nope", "write"
---@field path? string
---@field spawnargs? string[] without argv[0]
---@field cmd? string of exec and execFile
---@field killed? boolean
---@field signal? string
---@field traceback? string set when it comes out of run
---@field address? string where a socket was to be, or what it was to connect to
---@field port? integer
---@field hostname? string that was looked up
---@field pid? integer this and the next: the result of execSync or execFileSync
---@field status? integer
---@field stdout? string
---@field stderr? string
---@field output? table<integer, string>
---@field error? Error
---@field cause? any what led to this error
---@field errors? any[] of an AggregateError
---@field context? any the value of an "error" event that was not an Error

---@class child_process.errors
---@field bufferOutOfBounds fun(argument: string): Error
---@field childClosedBeforeReply fun(): Error
---@field childProcessIpcRequired fun(): Error
---@field childProcessStdioMaxbuffer fun(stream: string): Error
---@field illegalConstructor fun(): Error
---@field invalidFdType fun(kind: string): Error
---@field invalidHandleType fun(): Error
---@field invalidIpAddress fun(value: string): Error
---@field ipcChannelClosed fun(): Error
---@field ipcDisconnected fun(): Error
---@field ipcOnePipe fun(): Error
---@field ipcSyncFork fun(): Error
---@field serverAlreadyListen fun(): Error
---@field serverNotRunning fun(): Error
---@field socketAlreadyBound fun(): Error
---@field socketBadBufferSize fun(): Error
---@field socketBadType fun(): Error
---@field socketClosed fun(): Error
---@field socketClosedBeforeConnection fun(): Error
---@field socketDgramIsConnected fun(): Error
---@field socketDgramNotConnected fun(): Error
---@field socketDgramNotRunning fun(): Error
---@field socketEndedByOther fun(): Error
---@field strayYield fun(): Error
---@field streamAlreadyFinished fun(method: string): Error
---@field streamDestroyed fun(method: string): Error
---@field streamNotReadable fun(): Error
---@field streamNotWritable fun(): Error
---@field streamNullValues fun(): Error
---@field streamPrematureClose fun(): Error
---@field streamWriteAfterEnd fun(): Error
---@field unknownEncoding fun(name: string): Error
---@field waitInCallback fun(): Error
---@field waitStopped fun(): Error
---@field waitWithoutEnd fun(): Error
local errors = {}

local getmetatable = debug.getmetatable -- also sees behind a __metatable field

local Error = {__name = "Error"}

function Error:__tostring()
  local head = tostring(self.name)
  local code = self.code
  if type(code) == "string" and code:find("^ERR_") then
    head = ("%s [%s]"):format(head, code)
  end
  local message = tostring(self.message)
  return message == "" and head or head .. ": " .. message
end

local function make(name, message, fields)
  local err = {name = name, message = message or ""}
  for key, value in pairs(fields or {}) do
    err[key] = value
  end
  return setmetatable(err, Error)
end

local function withCode(name, code, message)
  return setmetatable({name = name, code = code, message = message}, Error)
end

---@param message? string
---@param fields? table copied into the error
---@return Error
function errors.Error(message, fields)
  return make("Error", message, fields)
end

---@param message? string
---@param fields? table copied into the error
---@return Error
function errors.TypeError(message, fields)
  return make("TypeError", message, fields)
end

---@param message? string
---@param fields? table copied into the error
---@return Error
function errors.RangeError(message, fields)
  return make("RangeError", message, fields)
end

---@param message? string default "The operation was aborted"
---@param fields? table copied into the error
---@return Error # its code is "ABORT_ERR"
function errors.AbortError(message, fields)
  local err = make("AbortError", message or "The operation was aborted", fields)
  err.code = err.code or "ABORT_ERR"
  return err
end

--- Several errors in one.
---@param message string
---@param list any[]
---@return Error
function errors.aggregate(message, list)
  return make("AggregateError", message, {errors = list})
end

-- The numbers that the web's standards give to such errors.
local domCodes = {AbortError = 20, TimeoutError = 23}

--- An error as the web's interfaces have it: the reason of a signal that was aborted without one.
---@param name string "AbortError" or "TimeoutError"
---@param message string
---@return Error
function errors.domException(name, message)
  return withCode(name, domCodes[name], message)
end

--- Was the value made by this file?
---@param value any
---@return boolean
function errors.isError(value)
  return getmetatable(value) == Error
end

--- The error of a system call that failed.
---@param errno integer with either sign
---@param syscall string what was attempted, with its object where that helps: "spawn nope"
---@param fields? table copied into the error
---@return Error
function errors.system(errno, syscall, fields)
  errno = -math.abs(errno)
  local code = require("child_process.core").errno[-errno] or "Unknown system error " .. errno
  local err = make("Error", syscall .. " " .. code, fields)
  err.errno, err.code, err.syscall = errno, code, syscall
  return err
end

--- The error of starting a program, or of running it to its end.
---@param errno integer with either sign
---@param call string "spawn" or "spawnSync"
---@param file string
---@param args string[] with argv[0]
---@return Error
function errors.spawn(errno, call, file, args)
  return errors.system(errno, call .. " " .. file, {
    path = file,
    spawnargs = table.move(args, 2, #args, 1, {}),
  })
end

-- "127.0.0.1:80", "/path", or nothing.
local function endpoint(address, port)
  if address and port and port > 0 then
    return ("%s:%d"):format(address, port)
  end
  return address
end

-- Puts the place behind what has failed.
local function at(err, address, port)
  err.address, err.port = address, port ~= 0 and port or nil
  local where = endpoint(address, port)
  if where then
    err.message = err.message .. " " .. where
  end
  return err
end

--- The error of connecting a socket, or of binding one.
---@param errno integer with either sign
---@param syscall string "connect", "bind"
---@param address? string in digits, or a path
---@param port? integer
---@param localAddress? string where the socket is itself, if that was asked for
---@param localPort? integer
---@return Error
function errors.address(errno, syscall, address, port, localAddress, localPort)
  local err = at(errors.system(errno, syscall), address, port)
  if localAddress then
    err.message = ("%s - Local (%s)"):format(err.message, endpoint(localAddress, localPort))
  end
  return err
end

--- The error of a server that cannot listen.
---@param errno integer with either sign
---@param address? string in digits, or a path
---@param port? integer
---@return Error
function errors.listen(errno, address, port)
  local err = errors.system(errno, "listen")
  err.message = ("%s: %s"):format(err.message, require("child_process.core").errorText(err.errno))
  return at(err, address, port)
end

--- The error of a host that was not found.
---@param errno integer as core.lookup gives it
---@param code string the name that libuv has for it
---@param hostname string
---@return Error # its code is "ENOTFOUND" for all kinds of a name that there is not
function errors.lookup(errno, code, hostname)
  if code == "EAI_NONAME" or code == "EAI_NODATA" then
    code = "ENOTFOUND"
  end
  return make("Error", ("getaddrinfo %s %s"):format(code, hostname),
    {errno = errno, code = code, syscall = "getaddrinfo", hostname = hostname})
end

-- Values in messages ------------------------------------------------------------------------

-- At most `limit` characters (bytes where the text is not UTF-8); a longer text ends in dots
-- after `keep` of them.
local function shorten(text, limit, keep)
  local characters = utf8.len(text)
  if (characters or #text) <= limit then
    return text
  end
  return text:sub(1, characters and utf8.offset(text, keep + 1) - 1 or keep) .. "..."
end

local letters = {["\n"] = "\\n", ["\t"] = "\\t", ["\b"] = "\\b", ["\f"] = "\\f", ["\r"] = "\\r"}

local function escape(character)
  return letters[character] or ("\\x%02X"):format(character:byte())
end

local function quote(text)
  local mark = "'"
  if text:find("'", 1, true) then
    mark = not text:find('"', 1, true) and '"' or not text:find("`", 1, true) and "`" or "'"
  end
  text = text:gsub("\\", "\\\\"):gsub("%c", escape)
  if mark == "'" then
    text = text:gsub("'", "\\'")
  end
  if not utf8.len(text) then
    text = text:gsub("[\x80-\xFF]", escape) -- what a terminal could not show
  end
  return mark .. text .. mark
end

local function number(value)
  if value ~= value then
    return "nan" -- tostring gives it a sign on some machines
  end
  local text = tostring(value)
  if math.type(value) == "integer" and (value > 1 << 32 or value < -(1 << 32)) then
    text = text:reverse():gsub("%d%d%d", "%0_"):reverse():gsub("^(%-?)_", "%1")
  end
  return text
end

-- "a table", "an instance of FILE*": the kind of a value that has no short text of its own.
local function kind(value)
  local valueType = type(value)
  if valueType == "userdata" and ("%p"):format(value) == "(null)" then
    return "null" -- the light userdata NULL, which stands for JSON's null
  elseif valueType == "table" or valueType == "userdata" then
    local meta = getmetatable(value)
    local name = meta and rawget(meta, "__name")
    if type(name) == "string" then
      return "an instance of " .. name
    end
  end
  return "a " .. valueType
end

local function inspect(value)
  local valueType = type(value)
  if valueType == "string" then
    return quote(value)
  elseif valueType == "number" then
    return number(value)
  elseif valueType == "nil" or valueType == "boolean" then
    return tostring(value)
  end
  local meta = getmetatable(value)
  return meta and meta.__tostring and tostring(value) or kind(value)
end

local function received(value)
  local valueType = type(value)
  if valueType == "string" then
    return ("type string (%s)"):format(quote(shorten(value, 28, 25)))
  elseif valueType == "number" or valueType == "boolean" then
    return ("type %s (%s)"):format(valueType, inspect(value))
  end
  return value == nil and "nil" or kind(value)
end

-- {"a", "b", "c"} -> "a, b, or c"
local function alternatives(list)
  local count = #list
  if count < 3 then
    return table.concat(list, " or ")
  end
  return table.concat(list, ", ", 1, count - 1) .. ", or " .. list[count]
end

-- Errors with codes -------------------------------------------------------------------------

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

--- A value of the wrong type.
---@param name string of the argument; one with a dot ("options.cwd") is called a property
---@param expected string|string[] Lua types, classes (with a capital), or other words ("int32")
---@param actual any the value that was given
---@return Error
function errors.invalidArgType(name, expected, actual)
  if type(expected) == "string" then
    expected = {expected}
  end
  return withCode("TypeError", "ERR_INVALID_ARG_TYPE", ('The "%s" %s must be %s. Received %s')
    :format(name, isProperty(name) and "property" or "argument", expectation(expected),
      received(actual)))
end

--- A value of the right type that cannot be used.
---@param name string of the argument; one with a dot ("options.cwd") is called a property
---@param value any the value that was given
---@param reason? string default "is invalid"
---@return Error
function errors.invalidArgValue(name, value, reason)
  return withCode("TypeError", "ERR_INVALID_ARG_VALUE", ("The %s '%s' %s. Received %s")
    :format(isProperty(name) and "property" or "argument", name, reason or "is invalid",
      shorten(inspect(value), 128, 128)))
end

--- A number outside of its range.
---@param name string of the argument
---@param range string what it must be: ">= 0", "an unsigned integer"
---@param value any the value that was given
---@return Error
function errors.outOfRange(name, range, value)
  return withCode("RangeError", "ERR_OUT_OF_RANGE",
    ('The value of "%s" is out of range. It must be %s. Received %s')
      :format(name, range, inspect(value)))
end

--- What is no port.
---@param name string of the argument, with a capital
---@param value any the value that was given
---@param allowZero boolean
---@return Error
function errors.socketBadPort(name, value, allowZero)
  return withCode("RangeError", "ERR_SOCKET_BAD_PORT",
    ("%s should be %s 0 and < 65536. Received %s.")
      :format(name, allowZero and ">=" or ">", received(value)))
end

--- None of several arguments was given.
---@param ... string their names
---@return Error
function errors.missingArgs(...)
  return withCode("TypeError", "ERR_MISSING_ARGS",
    ('The "%s" argument must be specified'):format(table.concat({...}, '" or "')))
end

--- A method called without its object: child.kill() in the place of child:kill().
---@param method string with its class: "ChildProcess:kill"
---@return Error
function errors.invalidThis(method)
  local name = method:match("[^:]+$")
  return withCode("TypeError", "ERR_INVALID_THIS",
    ("%s must be called with a colon: object:%s(...), not object.%s(...)")
      :format(method, name, name))
end

---@param signal any the name or number that is no signal
---@return Error
function errors.unknownSignal(signal)
  return withCode("TypeError", "ERR_UNKNOWN_SIGNAL",
    "Unknown signal: " .. (type(signal) == "string" and signal or inspect(signal)))
end

---@param value any the entry of stdio
---@return Error
function errors.invalidSyncForkInput(value)
  return withCode("TypeError", "ERR_INVALID_SYNC_FORK_INPUT",
    "Asynchronous forks do not support Buffer, TypedArray, DataView or string input: "
      .. inspect(value))
end

--- Something on a message channel that is no message.
---@param text string
---@param reason string why it is none
---@return Error
function errors.ipcInvalidMessage(text, reason)
  return withCode("Error", "ERR_IPC_INVALID_MESSAGE",
    ("Invalid message on the channel, %s: %s"):format(reason, inspect(shorten(text, 64, 61))))
end

--- A value that structured clone cannot take.
---@param place string where in the message: "message.list[3]"
---@param reason string what it is, as the rest of a sentence: "is a function"
---@return Error # its code is 25, as that of a DOMException with this name
function errors.dataClone(place, reason)
  return withCode("DataCloneError", 25, ("%s could not be cloned: it %s"):format(place, reason))
end

--- An "error" event that nobody listened to and that carried something else than an Error.
---@param value any kept as the field `context`
---@return Error
function errors.unhandledError(value)
  local err = withCode("Error", "ERR_UNHANDLED_ERROR",
    ("Unhandled error. (%s)"):format(inspect(value)))
  err.context = value
  return err
end

-- Those that need at most one word put into their text.
local catalogue = {
  childProcessStdioMaxbuffer = {"RangeError", "ERR_CHILD_PROCESS_STDIO_MAXBUFFER",
    "%s maxBuffer length exceeded"},
  childProcessIpcRequired = {"Error", "ERR_CHILD_PROCESS_IPC_REQUIRED",
    "Forked processes must have an IPC channel, missing value 'ipc' in options.stdio"},
  childClosedBeforeReply = {"Error", "ERR_CHILD_CLOSED_BEFORE_REPLY",
    "Child closed before reply received"},
  illegalConstructor = {"TypeError", "ERR_ILLEGAL_CONSTRUCTOR", "Illegal constructor"},
  invalidHandleType = {"TypeError", "ERR_INVALID_HANDLE_TYPE", "This handle type cannot be sent"},
  ipcChannelClosed = {"Error", "ERR_IPC_CHANNEL_CLOSED", "Channel closed"},
  ipcDisconnected = {"Error", "ERR_IPC_DISCONNECTED", "IPC channel is already disconnected"},
  invalidIpAddress = {"TypeError", "ERR_INVALID_IP_ADDRESS", "Invalid IP address: %s"},
  ipcSyncFork = {"Error", "ERR_IPC_SYNC_FORK", "IPC cannot be used with synchronous forks"},
  ipcOnePipe = {"Error", "ERR_IPC_ONE_PIPE", "Child process can have only one IPC pipe"},
  bufferOutOfBounds = {"RangeError", "ERR_BUFFER_OUT_OF_BOUNDS",
    '"%s" is outside of buffer bounds'},
  invalidFdType = {"TypeError", "ERR_INVALID_FD_TYPE", "Unsupported fd type: %s"},
  serverAlreadyListen = {"Error", "ERR_SERVER_ALREADY_LISTEN",
    "Listen method has been called more than once without closing."},
  serverNotRunning = {"Error", "ERR_SERVER_NOT_RUNNING", "Server is not running."},
  socketClosed = {"Error", "ERR_SOCKET_CLOSED", "Socket is closed"},
  socketClosedBeforeConnection = {"Error", "ERR_SOCKET_CLOSED_BEFORE_CONNECTION",
    "Socket closed before the connection was established"},
  socketEndedByOther = {"Error", "EPIPE", "This socket has been ended by the other party"},
  socketAlreadyBound = {"Error", "ERR_SOCKET_ALREADY_BOUND", "Socket is already bound"},
  socketBadBufferSize = {"TypeError", "ERR_SOCKET_BAD_BUFFER_SIZE",
    "Buffer size must be a positive integer"},
  socketBadType = {"TypeError", "ERR_SOCKET_BAD_TYPE",
    "Bad socket type specified. Valid types are: udp4, udp6"},
  socketDgramIsConnected = {"Error", "ERR_SOCKET_DGRAM_IS_CONNECTED", "Already connected"},
  socketDgramNotConnected = {"Error", "ERR_SOCKET_DGRAM_NOT_CONNECTED", "Not connected"},
  socketDgramNotRunning = {"Error", "ERR_SOCKET_DGRAM_NOT_RUNNING", "Not running"},
  streamAlreadyFinished = {"Error", "ERR_STREAM_ALREADY_FINISHED",
    "Cannot call %s after a stream was finished"},
  streamDestroyed = {"Error", "ERR_STREAM_DESTROYED",
    "Cannot call %s after a stream was destroyed"},
  streamNotReadable = {"TypeError", "ERR_INVALID_THIS", "The stream can only be written"},
  streamNotWritable = {"TypeError", "ERR_INVALID_THIS", "The stream can only be read"},
  streamNullValues = {"TypeError", "ERR_STREAM_NULL_VALUES",
    "May not write null values to stream"},
  streamPrematureClose = {"Error", "ERR_STREAM_PREMATURE_CLOSE", "Premature close"},
  streamWriteAfterEnd = {"Error", "ERR_STREAM_WRITE_AFTER_END", "write after end"},
  strayYield = {"Error", "ERR_STRAY_YIELD",
    "A coroutine that has waited for the loop yields values, and nobody takes them"},
  unknownEncoding = {"TypeError", "ERR_UNKNOWN_ENCODING", "Unknown encoding: %s"},
  waitInCallback = {"Error", "ERR_WAIT_IN_CALLBACK",
    "A callback of the loop cannot wait. Let it call a function by cp.async, which can"},
  waitStopped = {"Error", "ERR_WAIT_STOPPED", "The loop was stopped before what is waited for"},
  waitWithoutEnd = {"Error", "ERR_WAIT_WITHOUT_END",
    "The loop has ended, so what is waited for will not come"},
}

for constructor, entry in pairs(catalogue) do
  local name, code, text = table.unpack(entry)
  errors[constructor] = function(word)
    return withCode(name, code, text:format(word))
  end
end

return errors
