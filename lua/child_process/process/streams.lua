--- process.stdin, process.stdout and process.stderr.

local core = require("child_process.core")
local loop = require("child_process.loop")
local stdioName = require("child_process.base.stdio_name")
local Stream = require("child_process.stream.stream")
local io = require("child_process.base.standard").io

---@class StandardStream : Stream
---@field columns? integer the width of its terminal; nil if it has none, like the next two
---@field rows? integer
---@field isRaw? boolean what `setRawMode` has set
---@field fd integer
---@field isTTY boolean
---@field package _file file*? Lua's own file on the descriptor, if it is written
local StandardStream, metatable = Stream.inherit("Stream")

StandardStream.isStandardStream = true ---@type boolean

--- Like Stream's. Flushes Lua's own file first, so that the output keeps its order.
---@param ... any
---@return boolean
function StandardStream:write(...)
  if self._file then
    self._file:flush()
  end
  return Stream.write(self, ...)
end

---@class RawModeOptions
---@field output? boolean output, too, is passed on as it is: "\n" does not return to the start of
---the line. For programs that show the output of another terminal

--- Sets whether keys arrive at once, are not shown, and are all passed on: Ctrl-C raises no signal.
--- The terminal gets back its settings when the process ends, even by an error or a signal. Raises
--- ENOTTY if the stream is not a terminal.
---@param on boolean
---@param options? RawModeOptions
---@return StandardStream self
function StandardStream:setRawMode(on, options)
  return require("child_process.process.terminal").setRawMode(self, on, options)
end

-- See active_handles.lua.
function StandardStream:_describe()
  return "stdio", stdioName(self.fd) .. " of this program"
end

-- The standard streams are blocking and stay open.
local function standardStream(fd, file)
  local stream = Stream.new(core.stream(fd, fd == 0, fd ~= 0), fd == 0, fd ~= 0)
  stream.fd = fd
  stream.isTTY = core.isatty(fd)
  stream._file = file
  if stream.isTTY then
    return require("child_process.process.terminal").adopt(stream, StandardStream)
  end
  return setmetatable(stream, metatable)
end

local streams = {}

function streams.stdin()
  local stream = standardStream(0)
  loop.started(stream) -- a program that asks for it is about to listen
  return stream
end

function streams.stdout()
  return standardStream(1, io.stdout)
end

function streams.stderr()
  return standardStream(2, io.stderr)
end

return streams
