--- Errors that come out of the loop: notes their tracebacks and origins. Loaded when the first one
--- comes.

local core = require("child_process.core")
local errors = require("child_process.errors")
local ticks = require("child_process.base.ticks")
local userTrace = require("child_process.errors.user_trace")

---@class child_process.uncaught
local uncaught = {}

-- The origin and traceback of errors that `throw` has raised, and the latest error's traceback.
local thrown = {}
local lastTraceback

local function raise(entry)
  if entry.err ~= nil and entry.err == entry.err then
    thrown[entry.err] = entry
  end
  error(entry.err, 0)
end

--- See loop.throw.
---@param err any
---@param traceback? string
---@param origin? string
function uncaught.throw(err, traceback, origin)
  ticks.tick(raise, {err = err, traceback = traceback, origin = origin})
end

--- Notes the traceback of an error that has come out of the loop.
---@param err any
---@return string # its origin, for "uncaughtException" of process
function uncaught.note(err)
  local entry = err ~= nil and thrown[err]
  if entry then
    thrown[err] = nil
  end
  local traceback = entry and entry.traceback or core.traceback()
  lastTraceback = traceback and userTrace.trim(traceback)
  if lastTraceback and errors.isError(err) then
    err.traceback = lastTraceback
  end
  return entry and entry.origin or "uncaughtException"
end

--- The traceback of the latest error.
---@return string?
function uncaught.traceback()
  return lastTraceback or core.traceback()
end

--- The text of the latest error, with its traceback.
---@param err any
---@return string
function uncaught.text(err)
  local traceback = uncaught.traceback() or ""
  if errors.isError(err) then
    return errors.uncaughtText(err, traceback)
  end
  return tostring(err) .. "\n" .. traceback
end

return uncaught
