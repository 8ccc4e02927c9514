--- process.stdin, process.stdout and process.stderr.
local core = require("child_process.core")
local Stream = require("child_process.stream")

---@class StandardStream : Stream
---@field fd integer
---@field isTTY boolean

-- The standard streams are blocking and stay open; what was written through Lua's own files before
-- comes first.
local function standardStream(fd, file)
  local stream = Stream.new(core.stream(fd, fd == 0, fd ~= 0), fd == 0, fd ~= 0)
  stream.fd = fd
  stream.isTTY = core.isatty(fd)
  stream.isStandardStream = true
  if file then
    function stream.write(self, ...)
      file:flush()
      return Stream.write(self, ...)
    end
  end
  return stream
end

local streams = {}

function streams.stdin()
  return standardStream(0)
end

function streams.stdout()
  return standardStream(1, io.stdout)
end

function streams.stderr()
  return standardStream(2, io.stderr)
end

return streams
