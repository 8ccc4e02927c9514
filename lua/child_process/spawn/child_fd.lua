--- Entries of options.stdio that name another descriptor of the child: {childFd = 1} is what its
--- standard output is.

local compat = require("child_process.base.compat")
local core = require("child_process.core")
local errors = require("child_process.errors")

local IGNORE, PIPE, DUPLEX = core.stdio.IGNORE, core.stdio.PIPE, core.stdio.DUPLEX
local CHILD_FD = core.stdio.CHILD_FD
local STANDARD = 3 -- descriptors that are open in every program

local function refuse(fd, entry, reason, ...)
  error(errors.invalidArgValue("options.stdio", entry, ("has {childFd = %s} for descriptor %d, "
    .. reason):format(tostring(entry.childFd), fd, ...)))
end

local function targetOf(fd, entry)
  local target = compat.toInteger(entry.childFd)
  if not target or target < 0 then
    refuse(fd, entry, "and a descriptor is an integer >= 0")
  elseif next(entry, next(entry)) ~= nil then
    refuse(fd, entry, "in a table that has other fields, too")
  end
  return target
end

-- The descriptor that an entry leads to in the end. The order of the entries does not matter.
local function follow(fd, links)
  local seen, target = {}, fd
  while links[target] do
    seen[target] = true
    target = targetOf(target, links[target])
    if seen[target] then
      refuse(fd, links[fd], "which leads back to itself")
    end
  end
  return target
end

-- Whether a program can use a new pipe, which goes one way at the standard descriptors, for what
-- the descriptor is for.
local function hasDirection(fd, target)
  if fd >= STANDARD then
    return true
  end
  local weRead, weWrite = core.stdio.direction(PIPE, target)
  return fd == 0 and weWrite or fd > 0 and weRead
end

local function resolve(fd, links, descriptors)
  local target = follow(fd, links)
  local kind = descriptors[target + 1]
  if kind == nil or kind == IGNORE and target >= STANDARD then
    refuse(fd, links[fd], "which leads to %d, a descriptor that the child does not have", target)
  elseif kind == DUPLEX then
    refuse(fd, links[fd], "which leads to %d, the channel", target)
  elseif kind == PIPE and not hasDirection(fd, target) then
    refuse(fd, links[fd], "which leads to %d, a pipe that the child can only %s", target,
      target == 0 and "read" or "write")
  end
  return (kind == PIPE or kind == IGNORE) and CHILD_FD - target or kind
end

--- Resolves the entries.
---@param links table<integer, {childFd: any}> by the child's descriptor
---@param descriptors integer[] what stdio.parse returns, with the values of the other entries; gets
---those of these
return function(links, descriptors)
  for fd = 0, #descriptors - 1 do
    if links[fd] then
      descriptors[fd + 1] = resolve(fd, links, descriptors)
    end
  end
end
