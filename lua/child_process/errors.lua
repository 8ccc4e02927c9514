--- Error objects: this module raises them, passes them to callbacks and emits them as "error".

require("child_process.base.standard") -- first, since it names what is missing
local core = require("child_process.core")

-- There is one class, even if the Lua modules are loaded again.
if core.errors then
  return core.errors
end

-- Errors that a call of the user's raises, or that report such a call in an "error" event, get the
-- traceback when they are made. All others are cheap to make: they do not walk the stack, and get a
-- traceback only if they are raised.
---@class Error
---@field name string "Error", "TypeError", "RangeError", "AbortError", "TimeoutError" or
---"AggregateError"
---@field message string
---@field code? string|integer "ERR_..." for misuse, the name of the errno for system errors
---@field errno? integer negative, as the kernel reports it
---@field syscall? string the call that failed: "spawn nope", "write"
---@field path? string
---@field spawnargs? string[] without argv[0]
---@field cmd? string of exec and execFile
---@field killed? boolean
---@field timedOut? boolean true if a timeout was exceeded
---@field isForcefullyTerminated? boolean true if SIGKILL had to follow another signal
---@field signal? string
---@field exitCode? integer with ERR_CHILD_ENDED: how the child has ended
---@field signalCode? string
---@field traceback? string of the place that raised the error, or of the call that failed; starts
---with the user's lines
---@field address? string that a socket was to bind, or to connect to
---@field port? integer
---@field hostname? string whose addresses were looked up
---@field pid? integer this and the next five fields: the result of execSync or execFileSync
---@field status? integer
---@field stdout? string
---@field stderr? string
---@field output? table<integer, string>
---@field error? Error
---@field cause? any the reason of this error
---@field errors? any[] of an AggregateError
---@field context? any the value of an "error" event that was not an Error

---@class child_process.errors
---@field bufferOutOfBounds fun(argument: string): Error
---@field childClosedBeforeReply fun(): Error
---@field childProcessIpcRequired fun(): Error
---@field illegalConstructor fun(): Error
---@field invalidFdType fun(kind: string): Error
---@field invalidHandleType fun(): Error
---@field invalidIpAddress fun(value: string): Error
---@field ipcChannelClosed fun(): Error
---@field ipcDisconnected fun(): Error
---@field ipcOnePipe fun(): Error
---@field ipcSyncFork fun(): Error
---@field requestUnheard fun(): Error
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
---@field waitInInner fun(name: string): Error
---@field waitInPcall fun(name: string): Error
---@field waitInScheduler fun(name: string): Error
---@field waitStopped fun(what: string): Error
---@field waitWithoutEnd fun(what: string): Error
local errors = {}

-- All are loaded when the first error is made, so that programs start sooner.
local PARTS = {
  "child_process.errors.error", "child_process.errors.system", "child_process.errors.messages",
}

setmetatable(errors, {
  __index = function(_, name)
    for _, part in ipairs(PARTS) do
      for key, value in pairs(require(part)) do
        rawset(errors, key, value)
      end
    end
    setmetatable(errors, nil)
    return errors[name]
  end,
})

core.errors = errors -- last, since loading may run out of memory before
return errors
