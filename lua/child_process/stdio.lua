--- What the entries of options.stdio mean.
local core = require("child_process.core")
local errors = require("child_process.errors")
local native = require("child_process.native")
local Stream = require("child_process.stream")

---@class child_process.stdio
local stdio = {}

local IGNORE, NEW_PIPE = core.IGNORE, core.NEW_PIPE
local STANDARD = 3 -- descriptors that every program has
local MOST = 65536 -- more would be a mistake, and a table of that size

-- The usual lists. Nobody changes them.
local ALL_PIPES = {NEW_PIPE, NEW_PIPE, NEW_PIPE}
local ALL_IGNORED = {IGNORE, IGNORE, IGNORE}

local words = {pipe = NEW_PIPE, overlapped = NEW_PIPE, ipc = core.NEW_CHANNEL, ignore = IGNORE}

-- What the parent has written through this file so far comes before what the child will write.
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
  local handle = stream._handle
  if not handle then
    error(errors.invalidArgValue("stdio", stream))
  end
  if not stream.isStandardStream then
    shared[#shared + 1] = stream
  end
  return handle:fileno()
end

-- An object that stands for an open descriptor.
local function descriptorOf(value, shared)
  local kind = type(value)
  if kind == "table" then
    if Stream.isStream(value) then
      return descriptorOfStream(value, shared)
    end
    local handle = rawget(value, "_handle") -- of a server, or a socket for datagrams
    return math.tointeger(handle and native.fileno(handle) or rawget(value, "fd"))
  elseif io.type(value) == "file" then
    return flushed(value, core.fileOf(value))
  end
  return kind == "userdata" and native.fileno(value) or nil
end

local function parseEntry(value, fd, shared)
  if value == nil or value == false or value == core.null then
    return fd < STANDARD and NEW_PIPE or IGNORE
  elseif type(value) == "string" then
    if value == "inherit" then
      return inherit(fd)
    end
    return words[value] or error(errors.invalidSyncForkInput(value))
  end
  local descriptor = type(value) == "number" and math.tointeger(value)
    or descriptorOf(value, shared)
  if not descriptor or descriptor < 0 or descriptor > 0x7FFFFFFF then
    error(errors.invalidArgValue("stdio", value))
  end
  return flushedStandard(descriptor)
end

-- The entries by the child's descriptor, and the highest of these.
local function byDescriptor(list)
  local shift = list[0] == nil and 1 or 0
  local entries, highest = {}, STANDARD - 1
  for key, value in pairs(list) do
    local fd = math.type(key) == "integer" and key - shift
    if not fd or fd < 0 or fd >= MOST then
      error(errors.invalidArgValue("stdio", key, "has a key that is no file descriptor"))
    end
    entries[fd] = value
    highest = math.max(highest, fd)
  end
  return entries, highest
end

--- For each of the child's descriptors, from 0 on: one of ours, or core.IGNORE or core.NEW_PIPE.
---@param option? string|table options.stdio
---@return integer[]
---@return Stream[]? # those among them that are our streams
---@return integer? # which one is the channel
function stdio.parse(option)
  if option == nil or option == "pipe" or option == "overlapped" then
    return ALL_PIPES
  elseif option == "ignore" then
    return ALL_IGNORED
  elseif option == "inherit" then
    return {inherit(0), inherit(1), inherit(2)}
  elseif type(option) ~= "table" then
    error(errors.invalidArgValue("stdio", option))
  end
  local entries, highest = byDescriptor(option)
  local ipc
  for fd = 0, highest do
    if entries[fd] == "ipc" then
      if ipc then
        error(errors.ipcOnePipe())
      end
      ipc = fd
    end
  end
  local descriptors, shared = {}, {}
  for fd = 0, highest do
    descriptors[fd + 1] = parseEntry(entries[fd], fd, shared)
  end
  return descriptors, shared, ipc
end

--- Our streams that a child was given for the time of a synchronous call are as they were before.
---@param streams? Stream[] as `parse` has returned them
function stdio.takeBack(streams)
  if streams then
    for _, stream in ipairs(streams) do
      stream._handle:takeBack()
    end
  end
end

--- Our streams that a child was started with are the child's to read and write from then on.
---@param streams? Stream[] as `parse` has returned them
function stdio.share(streams)
  if streams then
    for _, stream in ipairs(streams) do
      stream:_shareWithChild()
    end
  end
end

return stdio
