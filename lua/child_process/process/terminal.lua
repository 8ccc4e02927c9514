--- The standard streams of a program that runs at a terminal: the size of that, the event "resize",
--- and raw mode.

local assign = require("child_process.base.assign")
local check = require("child_process.base.check")
local core = require("child_process.core")
local errors = require("child_process.errors")
local identity = require("child_process.stream.identity")
local stdioName = require("child_process.base.stdio_name")
local Stream = require("child_process.stream.stream")

---@class child_process.process_terminal
local terminal = {}

local checkThis = identity.check
local size = core.terminal.size
local SIGWINCH = core.signals.SIGWINCH

-- The class of the streams: that of standard streams, with methods that note listeners of "resize".
local Class, metatable = nil, nil

-- Emits "resize" if the size has changed. Trees are told as well, as if nobody had listened.
local function resized(stream)
  if core.process:listenerCount("SIGWINCH") == 0 then
    core.terminal.forward(SIGWINCH)
  end
  local columns, rows = size(stream.fd)
  if columns and (columns ~= stream._columns or rows ~= stream._rows) then
    stream._columns, stream._rows = columns, rows
    stream:emit("resize")
  end
end

-- The signal is handled as long as "resize" has listeners.
local function update(stream)
  local isListenedTo = stream:listenerCount("resize") > 0
  local handle = stream._resizing
  if isListenedTo and not handle then
    handle = core.signal({onsignal = function()
      resized(stream)
    end})
    local errno = handle:start(SIGWINCH)
    if errno then
      error(errors.system(errno, "signal SIGWINCH"))
    end
    stream._columns, stream._rows = size(stream.fd)
    stream._resizing = handle
  elseif handle and not isListenedTo then
    handle:stop()
    stream._resizing = nil
  end
end

local function overriding(base, name)
  return function(stream, event, listener)
    base[name](stream, event, listener)
    if event == "resize" or event == nil then
      update(stream)
    end
    return stream
  end
end

local function makeClass(base)
  Class, metatable = Stream.inherit("Stream")
  assign(Class, base)
  for _, name in ipairs({"on", "prependListener", "off", "removeAllListeners"}) do
    Class[name] = overriding(base, name)
  end
  Class.addListener, Class.removeListener = Class.on, Class.off
  -- Called for keys that the object does not have.
  function metatable.__index(stream, key)
    if key == "columns" then
      return (size(stream.fd))
    elseif key == "rows" then
      return select(2, size(stream.fd))
    end
    return Class[key]
  end
  function metatable.__newindex(stream, key, value)
    if key == "columns" or key == "rows" then
      error(errors.invalidArgValue(("process.%s.%s"):format(stdioName(stream.fd), key), value,
        "cannot be set: it is what the terminal says"))
    end
    rawset(stream, key, value)
  end
end

--- Makes a standard stream that is a terminal one of this class.
---@param stream StandardStream
---@param base table the class of standard streams
---@return StandardStream
function terminal.adopt(stream, base)
  if not Class then
    makeClass(base)
  end
  stream.isRaw = false
  return setmetatable(stream, metatable)
end

local KNOWN = {output = true}

--- See StandardStream:setRawMode.
---@param stream StandardStream
---@param on boolean
---@param options? RawModeOptions
---@return StandardStream
function terminal.setRawMode(stream, on, options)
  checkThis(stream, "setRawMode")
  check.type("on", "boolean", on)
  check.options("setRawMode", options, KNOWN)
  local output = options and check.optional("options.output", "boolean", options.output)
  local errno = core.terminal.setOwnMode(stream.fd, not on and "usual" or output and "rawBoth"
    or "raw")
  if errno then
    local err = errors.system(errno, "setRawMode")
    if not stream.isTTY then
      err.message = ("%s: descriptor %d is not a terminal (isTTY)"):format(err.message, stream.fd)
    end
    error(err)
  end
  stream.isRaw = on
  return stream
end

return terminal
