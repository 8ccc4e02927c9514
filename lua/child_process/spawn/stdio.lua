--- Reads options.stdio, and lends our own streams to children.

local compat = require("child_process.base.compat")
local core = require("child_process.core")
local errors = require("child_process.errors")
local Stream = require("child_process.stream.stream")
local afterTicks = require("child_process.base.ticks").afterTicks
local io = require("child_process.base.standard").io

---@class child_process.stdio
local stdio = {}

local IGNORE, PIPE, TERMINAL = core.stdio.IGNORE, core.stdio.PIPE, core.stdio.TERMINAL
local STANDARD = 3 -- descriptors that every program has
local MOST = 65536 -- more would be a mistake, and a table of that size

-- The usual lists. Nobody changes them.
local ALL_PIPES = {PIPE, PIPE, PIPE}
local ALL_IGNORED = {IGNORE, IGNORE, IGNORE}
local ALL_TERMINAL = {TERMINAL, TERMINAL, TERMINAL}

local words = {pipe = PIPE, overlapped = PIPE, ipc = core.stdio.DUPLEX, ignore = IGNORE}

-- Flushes a file, so that earlier output of ours comes before the child's.
local function flushed(file, fd)
  pcall(file.flush, file)
  return fd
end

local standardFiles = {[1] = io.stdout, [2] = io.stderr}

local function flushedStandard(fd)
  local file = standardFiles[fd]
  return file and flushed(file, fd) or fd
end

local function inherit(fd)
  return fd < STANDARD and flushedStandard(fd) or IGNORE
end

local function descriptorOfStream(stream, shared)
  local fd = stream:_fileno()
  if not fd then
    error(errors.invalidArgValue("stdio", stream, "is a closed stream. One that a child has "
      .. "read is closed after that child, unless it was paused before"))
  end
  if not stream.isStandardStream then
    shared[#shared + 1] = stream
  end
  return fd
end

-- Loaded with the first handle.
local function filenoOf(handle)
  return require("child_process.base.descriptor").fileno(handle)
end

-- Returns the descriptor of an object that has one, or nil.
local function descriptorOf(value, shared)
  local kind = type(value)
  if kind == "table" then
    if Stream.isStream(value) then
      return descriptorOfStream(value, shared)
    end
    local handle = rawget(value, "_handle") -- of a server, or a socket for datagrams
    if core.kindOf(handle) == "child_process.ListenerHandle" then
      handle:share()
    end
    return compat.toInteger(handle and filenoOf(handle) or rawget(value, "fd"))
  elseif io.type(value) == "file" then
    return flushed(value, core.fileOf(value))
  end
  return kind == "userdata" and filenoOf(value) or nil
end

local function parseEntry(value, fd, shared, default)
  if value == nil or value == false or value == core.null then
    return fd < STANDARD and default or IGNORE
  elseif type(value) == "string" then
    if value == "inherit" then
      return inherit(fd)
    end
    return words[value] or error(errors.invalidSyncForkInput(fd, value))
  end
  local number = type(value) == "number" and compat.toInteger(value)
    or descriptorOf(value, shared)
  if not number or number < 0 or number > 0x7FFFFFFF then
    error(errors.invalidArgValue("stdio", value))
  end
  return flushedStandard(number)
end

-- Whether an entry stands for another descriptor of the child.
local function isLink(value)
  return type(value) == "table" and rawget(value, "childFd") ~= nil
end

--- Returns the entries by the child's descriptor, and the highest descriptor.
---@param list table options.stdio
---@return table<integer, any>
---@return integer
function stdio.byDescriptor(list)
  local shift = list[0] == nil and 1 or 0
  local entries, highest = {}, STANDARD - 1
  for key, value in pairs(list) do
    local fd = compat.mathType(key) == "integer" and key - shift
    if not fd or fd < 0 or fd >= MOST then
      error(errors.invalidArgValue("stdio", key, "has a key that is not a file descriptor"))
    end
    entries[fd] = value
    highest = math.max(highest, fd)
  end
  return entries, highest
end

--- Raises unless the option is a word for all three standard streams.
---@param option any options.stdio that is not a table
function stdio.checkWord(option)
  if not (words[option] or option == "inherit") or option == "ipc" then
    error(errors.invalidArgValue("stdio", option,
      "is invalid: it is a table with an entry for each descriptor, or one of 'pipe', 'ignore', "
      .. "'inherit', 'overlapped'"))
  end
end

--- Returns a list with a descriptor of ours, or a kind of core.stdio, for each of the child's
--- descriptors from 0 on.
---@param option? string|table options.stdio
---@param hasTerminal? boolean the child has a terminal, where descriptors lead that are not named
---@return integer[]
---@return Stream[]? # the streams of ours among them
---@return integer? # the child's descriptor that is the channel
function stdio.parse(option, hasTerminal)
  if option == nil and hasTerminal then
    return ALL_TERMINAL
  elseif option == nil or option == "pipe" or option == "overlapped" then
    return ALL_PIPES
  elseif option == "ignore" then
    return ALL_IGNORED
  elseif option == "inherit" then
    return {inherit(0), inherit(1), inherit(2)}
  elseif type(option) ~= "table" then
    stdio.checkWord(option)
  end
  local entries, highest = stdio.byDescriptor(option)
  local ipc
  for fd = 0, highest do
    if entries[fd] == "ipc" then
      if ipc then
        error(errors.ipcOnePipe())
      end
      ipc = fd
    end
  end
  local descriptors, shared, links = {}, {}, nil
  local default = hasTerminal and TERMINAL or PIPE
  for fd = 0, highest do
    if isLink(entries[fd]) then
      links = links or {}
      links[fd], descriptors[fd + 1] = entries[fd], IGNORE
    else
      descriptors[fd + 1] = parseEntry(entries[fd], fd, shared, default)
    end
  end
  if links then
    require("child_process.spawn.child_fd")(links, descriptors)
  end
  return descriptors, shared, ipc
end

local ERRORS_TO_OUTPUT = core.stdio.CHILD_FD - 1

--- Whether standard error is joined to standard output, which is a new pipe.
---@param descriptors integer[] as `parse` has returned them
---@return boolean
function stdio.isJoined(descriptors)
  return descriptors[3] == ERRORS_TO_OUTPUT and descriptors[2] == PIPE
end

--- Which sides our end of a pipe has, by the child's descriptor. Core is asked once for each, as
--- every start of a program needs them.
---@type table<integer, {readable: boolean, writable: boolean}>
stdio.sides = setmetatable({}, {
  __index = function(sides, fd)
    local readable, writable = core.stdio.direction(PIPE, fd)
    sides[fd] = {readable = readable, writable = writable}
    return sides[fd]
  end,
})

--- Restores streams that were lent to a child during a synchronous call.
---@param streams? Stream[] as `parse` has returned them
function stdio.takeBack(streams)
  if streams then
    for _, stream in ipairs(streams) do
      stream:_takeBack()
    end
  end
end

--- Leaves streams to the child that was started with them.
---@param streams? Stream[] as `parse` has returned them
---@return Stream[]? # the same, for `leave`; nil for an empty list
function stdio.share(streams)
  if not streams or #streams == 0 then
    return nil
  end
  for _, stream in ipairs(streams) do
    stream:_shareWithChild()
  end
  return streams
end

--- Notes that the child that had the streams has ended. They are closed after all ticks, so that
--- code that waited for the child can use them first.
---@param streams Stream[]
function stdio.leave(streams)
  afterTicks(function()
    for _, stream in ipairs(streams) do
      stream:_leftByChild()
    end
  end)
end

return stdio
