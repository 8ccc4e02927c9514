--- Where the errors came from that promises are rejected with.
-- The traceback of an error ends at its coroutine. When it is awaited in another one, that one's is
-- added. An Error object carries it in its field `traceback`; for other values it is noted here,
-- between the place where the error is raised and the one where a promise is rejected with it.

local errors = require("child_process.lazy_errors")

---@class child_process.promise_traces
local traces = {}

-- The latest. It does not keep the error alive, so its type is there to tell an error that is gone
-- from nil.
local noted = setmetatable({err = nil, kind = nil, traceback = nil}, {__mode = "v"})

local function forget()
  noted.err, noted.kind, noted.traceback = nil, nil, nil
end

local function note(err, traceback)
  noted.err, noted.kind, noted.traceback = err, type(err), traceback
  if type(err) == "table" and errors.isError(err) then
    err.traceback = traceback
  end
end

local function isNoted(err)
  return noted.kind == type(err) and rawequal(noted.err, err)
end

-- Is it certainly the one that was noted? Strings and numbers may be equal and another error.
local function isSame(err)
  local kind = type(err)
  return isNoted(err) and (kind == "table" or kind == "userdata" or kind == "function"
    or kind == "thread")
end

-- Was it `raise` that called `error`, which has called the message handler that asks?
local function isFromRaise()
  local raiser = debug.getinfo(4, "f")
  return raiser ~= nil and raiser.func == traces.raise
end

--- The message handler of protected calls.
---@param err any
---@return any err
function traces.handle(err)
  if not isSame(err) and not (isNoted(err) and isFromRaise()) then
    note(err, debug.traceback(nil, 2))
  end
  return err
end

--- The traceback of an error that a protected call with `handle` has just caught.
---@param err any
---@return string?
function traces.take(err)
  local traceback = isNoted(err) and noted.traceback or nil
  forget()
  return traceback
end

--- The traceback of an error that is no longer, or was never raised.
---@param err any
---@return string
function traces.here(err)
  if not isSame(err) then
    note(err, debug.traceback(nil, 3))
  end
  return traces.take(err) --[[@as string]]
end

--- Raises an error where somebody waits for it.
---@param err any
---@param traceback? string where it came from
function traces.raise(err, traceback)
  local here = debug.traceback(nil, 3):gsub("^stack traceback:", "awaited in:")
  note(err, (traceback and traceback .. "\n" or "") .. here)
  error(err, 0)
end

return traces
