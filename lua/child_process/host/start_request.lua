--- What is sent to an agent to start a program, and our ends of its streams.

local core = require("child_process.core")
local errors = require("child_process.errors")

local PIPE, DUPLEX, IGNORE, CHILD_FD =
  core.stdio.PIPE, core.stdio.DUPLEX, core.stdio.IGNORE, core.stdio.CHILD_FD

-- Options that the agent gets as they were given: names of users mean those over there.
local PASSED = {
  "cwd", "detached", "uid", "gid", "groups", "limits", "nice", "affinity", "umask", "processGroup",
  "noNewPrivileges", "serialization", "tree",
}

---@class StartRequest
---@field values table for the frame
---@field package targets table<integer, integer> our descriptors that its outputs go to, by the
---child's
local StartRequest = {}
StartRequest.__index = StartRequest

-- Returns the word for an entry of the normalized options.stdio, and our descriptor that an output
-- goes to.
local function entryFor(entry, fd)
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
  elseif (entry == 1 or entry == 2) and (fd == 1 or fd == 2) then
    return "pipe", entry
  end
  error(errors.invalidArgValue(("options.stdio[%d]"):format(fd), entry,
    "is a descriptor of this process, which cannot go to another host"))
end

--- Makes the streams. Returns handles of them by the child's descriptor.
---@param link userdata of core
---@param id integer of the child
---@return table<integer, userdata>
function StartRequest:openStreams(link, id)
  local handles = {}
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
      error(errors.system(errno, "pipe"))
    end
  end
  return handles
end

local function copied(list)
  local copy = {}
  for index = 1, #list do
    copy[index] = list[index]
  end
  return copy
end

--- Makes the request for options that arguments.lua has checked.
---@param options table
---@return StartRequest
return function(options)
  local values = {
    file = options.file, args = copied(options.args), env = options.env, ipc = options.ipc,
    killSignal = options.killSignal, fork = options.forkThere,
  }
  for _, name in ipairs(PASSED) do
    local value = options.given[name]
    if value ~= nil and value ~= core.null then
      values[name] = value
    end
  end
  local stdio, targets = {}, {}
  for index, entry in ipairs(options.stdio) do
    stdio[index], targets[index - 1] = entryFor(entry, index - 1)
  end
  values.stdio = stdio
  return setmetatable({values = values, targets = targets}, StartRequest)
end
