--- Notes the origins of errors with which promises are rejected.

local compat = require("child_process.base.compat")
local core = require("child_process.core")
local errors = require("child_process.errors")
local userTrace = require("child_process.errors.user_trace")
local debug = require("child_process.base.standard").debug

---@class child_process.traces
local traces = {}

-- The traceback of an error ends at its coroutine. If another coroutine awaits the promise, its
-- traceback is appended. An Error object keeps the text in its field `traceback`. For any other
-- value the text is noted here, after the value is raised and until a promise is rejected with it.
-- Only the latest error is noted, and is held weakly; `kind` distinguishes a collected error from
-- nil.
local noted = setmetatable({err = nil, kind = nil, traceback = nil}, {__mode = "v"})

local function forget()
  noted.err, noted.kind, noted.traceback = nil, nil, nil
end

local function note(err, traceback)
  noted.err, noted.kind, noted.traceback = err, type(err), traceback
end

local function isError(err)
  return type(err) == "table" and errors.isError(err)
end

-- Notes the current traceback for an error, unless it has one.
local function noteHere(err)
  local own = isError(err) and err.traceback
  if type(own) == "string" then
    note(err, own)
    return
  end
  local here = userTrace.here()
  note(err, here)
  if isError(err) then
    err.traceback = here
  end
end

local function isNoted(err)
  return noted.kind == type(err) and rawequal(noted.err, err)
end

-- Whether it is certainly the noted error. Equal strings and numbers may be different errors.
local function isSame(err)
  local kind = type(err)
  return isNoted(err) and (kind == "table" or kind == "userdata" or kind == "function"
    or kind == "thread")
end

-- Whether `raise` has raised the error: core.throw has called the message handler, this function's
-- caller.
local function isFromRaise()
  local raiser = debug.getinfo(3, "f")
  return raiser ~= nil and raiser.func == core.throw
end

--- The message handler of protected calls.
---@param err any
---@return any err
function traces.handle(err)
  if not isSame(err) and not (isNoted(err) and isFromRaise()) then
    noteHere(err)
  end
  return err
end

--- Returns the traceback of an error that a protected call with `handle` has just caught.
---@param err any
---@return string?
function traces.take(err)
  local traceback = isNoted(err) and noted.traceback or nil
  forget()
  return traceback
end

--- Returns the traceback of an error that was caught elsewhere, or was never raised.
---@param err any
---@return string
function traces.here(err)
  if not isSame(err) then
    noteHere(err)
  end
  return traces.take(err) --[[@as string]]
end

--- Returns the traceback of an error that has ended a coroutine.
---@param thread thread
---@param err any
---@return string
function traces.ofEnded(thread, err)
  local raiser = debug.getinfo(thread, 0, "f")
  if not (isNoted(err) and raiser and raiser.func == core.throw) then
    local own = isError(err) and err.traceback
    note(err, type(own) == "string" and own or userTrace.trim(compat.traceback(thread)))
    if isError(err) then
      err.traceback = noted.traceback
    end
  end
  return traces.take(err) --[[@as string]]
end

--- Raises an error in the coroutine that awaits it.
---@param err any
---@param traceback? string where it came from
function traces.raise(err, traceback)
  local here = userTrace.here()
  if traceback ~= here then -- it was not started by the line that awaits it
    here = here:gsub("^stack traceback:", "awaited in:")
    traceback = (traceback and traceback .. "\n" or "") .. here
  end
  note(err, traceback)
  if isError(err) then
    err.traceback = traceback
  end
  return core.throw(err) -- so that no line of ours is above the user's
end

return traces
