--- Error objects: what this module raises, passes to callbacks and emits as "error".
-- Errors are values. Making one is cheap: no stack is walked, a traceback is the business of
-- whoever catches it.

---@class Error
---@field name string "Error", "TypeError", "RangeError" or "AbortError"
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
---@field pid? integer this and the next: the result of execSync or execFileSync
---@field status? integer
---@field stdout? string
---@field stderr? string
---@field output? table<integer, string>
---@field error? Error
---@field cause? any what led to this error
---@field context? any the value of an "error" event that was not an Error

---@class child_process.errors
---@field childProcessStdioMaxbuffer fun(stream: string): Error
---@field childProcessIpcRequired fun(): Error
---@field invalidHandleType fun(): Error
---@field ipcChannelClosed fun(): Error
---@field ipcDisconnected fun(): Error
---@field missingArgs fun(argument: string): Error
---@field ipcOnePipe fun(): Error
---@field ipcSyncFork fun(): Error
---@field streamAlreadyFinished fun(method: string): Error
---@field streamDestroyed fun(method: string): Error
---@field streamNotWritable fun(): Error
---@field streamNullValues fun(): Error
---@field notSupported fun(what: string): Error
---@field streamWriteAfterEnd fun(): Error
---@field unknownEncoding fun(name: string): Error
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
  invalidHandleType = {"TypeError", "ERR_INVALID_HANDLE_TYPE", "This handle type cannot be sent"},
  ipcChannelClosed = {"Error", "ERR_IPC_CHANNEL_CLOSED", "Channel closed"},
  ipcDisconnected = {"Error", "ERR_IPC_DISCONNECTED", "IPC channel is already disconnected"},
  missingArgs = {"TypeError", "ERR_MISSING_ARGS", 'The "%s" argument must be specified'},
  ipcSyncFork = {"Error", "ERR_IPC_SYNC_FORK", "IPC cannot be used with synchronous forks"},
  ipcOnePipe = {"Error", "ERR_IPC_ONE_PIPE", "Child process can have only one IPC pipe"},
  notSupported = {"Error", "ENOTSUP", "%s is not supported yet"},
  streamAlreadyFinished = {"Error", "ERR_STREAM_ALREADY_FINISHED",
    "Cannot call %s after a stream was finished"},
  streamDestroyed = {"Error", "ERR_STREAM_DESTROYED",
    "Cannot call %s after a stream was destroyed"},
  streamNotWritable = {"TypeError", "ERR_INVALID_THIS", "The stream can only be read"},
  streamNullValues = {"TypeError", "ERR_STREAM_NULL_VALUES",
    "May not write null values to stream"},
  streamWriteAfterEnd = {"Error", "ERR_STREAM_WRITE_AFTER_END", "write after end"},
  unknownEncoding = {"TypeError", "ERR_UNKNOWN_ENCODING", "Unknown encoding: %s"},
}

for constructor, entry in pairs(catalogue) do
  local name, code, text = table.unpack(entry)
  errors[constructor] = function(word)
    return withCode(name, code, text:format(word))
  end
end

return errors
