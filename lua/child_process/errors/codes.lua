--- Errors whose message is fixed, except for one word. The keys are the names of the functions in
--- errors.lua that make them.

local compat = require("child_process.base.compat")

---@class ErrorCode
---@field [1] string the field `name` of the error
---@field [2] string its code
---@field [3] string its message, with at most one "%s"
---@field isReported? boolean the error is passed to callbacks and events, and is not raised

-- Advice for coroutines that another scheduler resumes.
local RECIPE = "Tell loop.handleWait how its scheduler suspends and wakes a coroutine: see "
  .. '"Event loops of Lua" in the manual'

local NOT_IN_PCALL = compat.yieldsAnywhere and ""
  or ", but in Lua 5.1 not inside pcall, an iterator or a metamethod"

-- What a coroutine can be that runs in one of a scheduler.
local ITS_ORIGIN = compat.yieldsAnywhere and "" or " or, in Lua 5.1, a protected call"

---@type table<string, ErrorCode>
return {
  childProcessIpcRequired = {"Error", "ERR_CHILD_PROCESS_IPC_REQUIRED",
    "Forked processes must have an IPC channel, missing value 'ipc' in options.stdio"},
  childClosedBeforeReply = {"Error", "ERR_CHILD_CLOSED_BEFORE_REPLY",
    "Child closed before reply received", isReported = true},
  illegalConstructor = {"TypeError", "ERR_ILLEGAL_CONSTRUCTOR", "Illegal constructor"},
  invalidHandleType = {"TypeError", "ERR_INVALID_HANDLE_TYPE", "This handle type cannot be sent"},
  ipcChannelClosed = {"Error", "ERR_IPC_CHANNEL_CLOSED", "Channel closed", isReported = true},
  ipcDisconnected = {"Error", "ERR_IPC_DISCONNECTED", "IPC channel is already disconnected",
    isReported = true},
  invalidIpAddress = {"TypeError", "ERR_INVALID_IP_ADDRESS", "Invalid IP address: %s"},
  ipcSyncFork = {"Error", "ERR_IPC_SYNC_FORK", "IPC cannot be used with synchronous forks"},
  ipcOnePipe = {"Error", "ERR_IPC_ONE_PIPE", "Child process can have only one IPC pipe"},
  bufferOutOfBounds = {"RangeError", "ERR_BUFFER_OUT_OF_BOUNDS",
    '"%s" is outside of buffer bounds'},
  invalidFdType = {"TypeError", "ERR_INVALID_FD_TYPE", "Unsupported fd type: %s"},
  requestUnheard = {"Error", "ERR_REQUEST_UNHEARD",
    "Nobody answers requests there: no function was given to child:handle", isReported = true},
  serverAlreadyListen = {"Error", "ERR_SERVER_ALREADY_LISTEN",
    "Listen method has been called more than once without closing."},
  serverNotRunning = {"Error", "ERR_SERVER_NOT_RUNNING", "Server is not running.",
    isReported = true},
  socketClosed = {"Error", "ERR_SOCKET_CLOSED", "Socket is closed", isReported = true},
  socketClosedBeforeConnection = {"Error", "ERR_SOCKET_CLOSED_BEFORE_CONNECTION",
    "Socket closed before the connection was established", isReported = true},
  socketEndedByOther = {"Error", "EPIPE", "This socket has been ended by the other party",
    isReported = true},
  socketAlreadyBound = {"Error", "ERR_SOCKET_ALREADY_BOUND", "Socket is already bound"},
  socketBadBufferSize = {"TypeError", "ERR_SOCKET_BAD_BUFFER_SIZE",
    "Buffer size must be a positive integer"},
  socketBadType = {"TypeError", "ERR_SOCKET_BAD_TYPE",
    "Bad socket type specified. Valid types are: udp4, udp6"},
  socketDgramIsConnected = {"Error", "ERR_SOCKET_DGRAM_IS_CONNECTED", "Already connected"},
  socketDgramNotConnected = {"Error", "ERR_SOCKET_DGRAM_NOT_CONNECTED", "Not connected"},
  socketDgramNotRunning = {"Error", "ERR_SOCKET_DGRAM_NOT_RUNNING", "Not running"},
  streamAlreadyFinished = {"Error", "ERR_STREAM_ALREADY_FINISHED",
    "Cannot call %s after a stream was finished", isReported = true},
  streamDestroyed = {"Error", "ERR_STREAM_DESTROYED",
    "Cannot call %s after a stream was destroyed", isReported = true},
  streamNotReadable = {"TypeError", "ERR_INVALID_THIS", "The stream can only be written"},
  streamNotWritable = {"TypeError", "ERR_INVALID_THIS", "The stream can only be read"},
  streamNullValues = {"TypeError", "ERR_STREAM_NULL_VALUES",
    "May not write null values to stream"},
  streamPrematureClose = {"Error", "ERR_STREAM_PREMATURE_CLOSE", "Premature close"},
  streamWriteAfterEnd = {"Error", "ERR_STREAM_WRITE_AFTER_END", "write after end"},
  strayYield = {"Error", "ERR_STRAY_YIELD",
    "A coroutine that has waited for the loop yields values to it, and they are lost. A generator, "
    .. "which yields values to a loop of the program, must not wait: see \"Generators\" in the "
    .. "manual. A coroutine of another scheduler may, with the help of loop.handleWait: see "
    .. '"Event loops of Lua" in the manual'},
  unknownEncoding = {"TypeError", "ERR_UNKNOWN_ENCODING", "Unknown encoding: %s"},
  waitInCallback = {"Error", "ERR_WAIT_IN_CALLBACK",
    "A callback of the loop cannot wait. Let it call a function with cp.async, which can"
    .. NOT_IN_PCALL},
  waitInPcall = {"Error", "ERR_WAIT_IN_SCHEDULER",
    "In Lua 5.1 a coroutine of %s cannot wait inside pcall, a for loop or a metamethod. What to "
    .. 'write instead: see "Waiting in Lua 5.1" in the manual'},
  waitInInner = {"Error", "ERR_WAIT_IN_SCHEDULER",
    "This coroutine cannot wait, as nobody would resume it. It runs while %s does, but the "
    .. "function of loop.handleWait has returned nothing for it: it is not one of the scheduler's, "
    .. "but one that a coroutine of the scheduler has started" .. ITS_ORIGIN
    .. ". Let the scheduler's own coroutine wait, or call the function with cp.async"},
  waitInScheduler = {"Error", "ERR_WAIT_IN_SCHEDULER",
    "A coroutine of %s cannot wait here, as nobody would resume it. " .. RECIPE},
  waitStopped = {"Error", "ERR_WAIT_STOPPED", "The loop was stopped during a wait for %s"},
  waitWithoutEnd = {"Error", "ERR_WAIT_WITHOUT_END",
    "The loop has ended, so a wait for %s would never end"},
}
