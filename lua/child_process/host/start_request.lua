--- What is sent to an agent to start a program, and our ends of its streams.

local core = require("child_process.core")
local errors = require("child_process.errors")
local debug = require("child_process.base.standard").debug
local protocol = require("child_process.link.protocol")

local getmetatable = debug.getmetatable -- also sees behind a __metatable field

local PIPE, DUPLEX, IGNORE, CHILD_FD =
  core.stdio.PIPE, core.stdio.DUPLEX, core.stdio.IGNORE, core.stdio.CHILD_FD

---@class StartRequest
---@field values table for the frame
---@field package targets table<integer, integer> our descriptors that its outputs go to, by the
---child's
local StartRequest = {}
StartRequest.__index = StartRequest

-- The stream of ours that has a descriptor.
local function streamOf(fd, streams)
  for _, stream in ipairs(streams or {}) do
    if stream:_fileno() == fd then
      return stream
    end
  end
end

-- If a stream leads to a child of the same host, returns the word with which the agent connects
-- both.
local function wordForNeighbour(stream, host)
  local child = stream and stream._owner
  local remote = core.kindOf(child) == "ChildProcess" and child._remote
  if remote and rawequal(child.host, host) and rawequal(child.stdin, stream) then
    return {of = remote.id, fd = 0}
  end
end

local function refuse(fd, entry, reason)
  error(errors.invalidArgValue(("options.stdio[%d]"):format(fd), entry, "is a descriptor of this "
    .. "process, which cannot go to another host" .. reason))
end

local INPUT = ": it may be 'pipe' or 'ignore', and input is written to child.stdin"

-- Returns the word for an entry of the normalized options.stdio, and our descriptor that an output
-- goes to.
local function entryFor(entry, fd, streams, host)
  if entry == PIPE then
    return "pipe"
  elseif entry == DUPLEX then
    return "ipc"
  elseif entry == IGNORE then
    return "ignore"
  elseif entry <= CHILD_FD then
    return {childFd = CHILD_FD - entry}
  elseif entry == 0 and fd == 0 then
    return "ignore" -- our standard input stays here
  elseif fd ~= 1 and fd ~= 2 then
    return refuse(fd, entry, fd == 0 and INPUT or "")
  end
  local neighbour = wordForNeighbour(streamOf(entry, streams), host)
  return neighbour or "pipe", not neighbour and entry or nil
end

--- Makes the streams.
---@param link userdata of core
---@param id integer of the child
---@param handles table<integer, userdata> gets those that are made, by the child's descriptor
---@return integer? errno
function StartRequest:openStreams(link, id, handles)
  for index, word in ipairs(self.values.stdio) do
    local fd = index - 1
    local kind = word == "pipe" and PIPE or word == "ipc" and DUPLEX
    local errno
    if self.targets[fd] then
      errno = link:relayTo(id, fd, self.targets[fd])
    elseif kind then
      handles[fd], errno = link:openOurs(id, fd, kind)
    end
    if errno then
      return errno
    end
  end
end

-- Whether a table inherits from another one.
local function inherits(value, ancestor)
  while type(value) == "table" and not rawequal(value, ancestor) do
    local meta = getmetatable(value)
    value = meta and rawget(meta, "__index")
  end
  return rawequal(value, ancestor)
end

-- The names of variables that a table removes from the environment.
local function unsetIn(env)
  local names = {}
  for name, value in next, env do
    if value == core.null then
      names[#names + 1] = name
    end
  end
  return names
end

local function copied(list)
  local copy = {}
  for index = 1, #list do
    copy[index] = list[index]
  end
  return copy
end

-- An option as it was given, if it was.
local function given(options, name)
  local value = options.given[name]
  if value ~= core.null then
    return value
  end
end

--- Makes the request for options that arguments.lua has checked.
---@param options table
---@param host Host
---@return StartRequest
return function(options, host)
  local values = {
    file = options.file, args = copied(options.args), env = options.env, ipc = options.ipc,
    killSignal = options.killSignal, fork = options.forkThere, detached = options.detached,
    serialization = given(options, "serialization"),
    unsetEnv = inherits(options.given.env, host.env) and unsetIn(options.given.env) or nil,
    relayed = {},
  }
  for _, name in ipairs(protocol.OPTIONS) do
    values[name] = given(options, name)
  end
  local stdio, targets = {}, {}
  for index, entry in ipairs(options.stdio) do
    local fd = index - 1
    stdio[index], targets[fd] = entryFor(entry, fd, options.sharedStreams, host)
    if targets[fd] then
      values.relayed[#values.relayed + 1] = fd
    end
  end
  values.stdio = stdio
  return setmetatable({values = values, targets = targets}, StartRequest)
end
