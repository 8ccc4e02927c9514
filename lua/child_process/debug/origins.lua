--- Notes where objects are made, for cp.activeHandles. Loaded with CHILD_PROCESS_DEBUG=1 only.

local compat = require("child_process.base.compat")
local core = require("child_process.core")
local userTrace = require("child_process.errors.user_trace")

---@class child_process.origins
---@field where table<any, string> the tracebacks, by the objects
local origins = {
  where = setmetatable({}, {__mode = "k"}),
}

-- Notes the traceback for an object, unless no line of it is the program's.
local function note(object, traceback)
  if object ~= nil and traceback then
    origins.where[object] = traceback
  end
end

local function here()
  local text, position = userTrace.trim((compat.traceback(3)))
  return position and text
end

--- Wraps a function that makes an object, its first result.
---@param make function
---@return function
function origins.noting(make)
  return function(...)
    local results = compat.pack(make(...))
    note(results[1], here())
    return compat.unpack(results, 1, results.n)
  end
end

local start = core.child.start

-- A child's pipes have the origin of the child.
function core.child.start(child, options)
  local results = compat.pack(start(child, options))
  local traceback = here()
  note(child, traceback)
  for _, handle in pairs(results[1] or {}) do
    note(handle, traceback)
  end
  return compat.unpack(results, 1, results.n)
end

for _, name in ipairs({
  "bindListener", "channel", "connect", "datagram", "lookup", "openDatagram", "openListener",
  "openSocket", "signal", "stream", "timer",
}) do
  core[name] = origins.noting(core[name])
end

core.origins = origins
