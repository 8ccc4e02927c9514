--- Why a program could not be started, in words: which step failed, and why.

local compat = require("child_process.base.compat")
local core = require("child_process.core")
local limits = require("child_process.errors.limits")
local values = require("child_process.errors.value_text")

---@class child_process.StartFailure from core
---@field step string see src/binding/spawn_arguments.h
---@field fd? integer of "stdio": the child's descriptor
---@field position? integer of "limits" and "affinity": of the item in the list
---@field obstacle? string of "execute": "directory", "mode" or "interpreter"
---@field path? string the file that is the obstacle

-- By step, a function that returns the text, and the system call if its name helps. Node names the
-- start as a whole ("spawn ls") for the steps that Node has, too.
local words = {}

-- The names EMFILE, ENFILE and EAGAIN need no explanation.
function words.prepare(code, _, options)
  local id = options.uid and "uid" or options.gid and "gid"
  if code == "ENOMEM" and id then
    return ("this program's memory cannot be copied, which options.%s needs"):format(id)
  end
end

function words.killOnParentExit(code, _, options)
  local what = "it cannot be made to end with us"
  if code == "EFBIG" then
    what = "the list of what ends after us does not fit into the limit for the size of files "
      .. "(ulimit -f)"
  elseif options.tree then
    what = "the helper that ends it after us, /bin/sh with an unnamed file, cannot be started"
  end
  return what .. " (options.killOnParentExit)"
end

function words.processGroup(code, _, options)
  local group = options.attributes and options.attributes.processGroup or 0
  local reason = code == "EPERM" and group > 0 and ": our session has no such group" or ""
  return ("cannot join the process group %d%s (options.processGroup)"):format(group, reason),
    "setpgid"
end

local ofTerminal = {
  ENOENT = ": this system has no /dev/ptmx", ENOSPC = ": the system has no more of them",
}

function words.terminal(code)
  return ("cannot open a terminal%s (options.terminal)"):format(ofTerminal[code] or ""), "openpty"
end

function words.stdio(code, failure, options)
  local fd = failure.fd
  if not fd then
    return "the descriptors could not be arranged (options.stdio)"
  elseif code == "EBADF" then
    return ("descriptor %d is not open (options.stdio, for the child's %d)")
      :format(options.stdio[fd + 1], fd)
  end
  return ("cannot make the child's descriptor %d (options.stdio)"):format(fd)
end

local ofDirectory = {
  ENOENT = "no such directory", ENOTDIR = "not a directory", EACCES = "permission denied to enter",
}

function words.cwd(code, _, options)
  local note = options.cwd:sub(1, 1) == "~" and ", where ~ is not expanded" or ""
  return ("%s %s (options.cwd%s)")
    :format(ofDirectory[code] or "cannot enter", values.quote(options.cwd), note)
end

-- Why the limit that failed cannot be set: nil if that is not known.
local function reasonOfLimit(code, limit)
  local _, hard = core.limit(limit[1])
  if code == "EINVAL" or hard and (limit[3] < 0 or limit[3] > hard) then
    return hard and (": our hard limit is %.0f"):format(hard)
  end
  return limit.name == "nofile" and ": the system allows no process that many" or nil
end

function words.limits(code, failure, options)
  local limit = options.attributes.limits[failure.position]
  return ("cannot set the limit %s to %s%s (options.limits.%s)"):format(limit.name,
    limits.text(limit), reasonOfLimit(code, limit) or "", limit.name), "setrlimit"
end

function words.nice(code, _, options)
  local reason = (code == "EACCES" or code == "EPERM") and ": we may only raise it" or ""
  return ("cannot set the niceness to %d%s (options.nice)"):format(options.attributes.nice, reason),
    "setpriority"
end

function words.affinity(code, failure, options)
  if code == "ENOTSUP" then
    return "this system does not bind processes to CPUs (options.affinity)", "sched_setaffinity"
  end
  return ("cannot run on CPU %d: we may not use it, or it does not exist (options.affinity)")
    :format(options.attributes.affinity[failure.position]), "sched_setaffinity"
end

function words.noNewPrivileges()
  return "this system cannot refuse new privileges (options.noNewPrivileges)", "prctl"
end

function words.groups(_, _, options)
  local groups = options.attributes and options.attributes.groups
  if groups then
    return ("cannot set the supplementary groups to {%s} (options.groups)")
      :format(table.concat(groups, ", ")), "setgroups"
  end
  return ("cannot drop the supplementary groups (options.%s)")
    :format(options.uid and "uid" or "gid")
end

function words.gid(_, _, options)
  return ("cannot switch to the group %d (options.gid)"):format(options.gid)
end

function words.uid(_, _, options)
  return ("cannot switch to the user %d (options.uid)"):format(options.uid)
end

local ofFile = {
  directory = "%s is a directory",
  mode = "%s is not executable",
  interpreter = "bad interpreter %s",
}

-- Whether the program's name looks like a command line.
local function isCommandLine(code, options)
  return code == "ENOENT" and not options.shell and options.file:find("%S%s+%S") ~= nil
end

-- The limits that can be the reason of an error, and what they limit.
local reached = {
  EAGAIN = {{"nproc"}, "its user has as many processes as"},
  ENOMEM = {{"as", "data", "memlock", "stack"}, "it needs more memory than"},
  E2BIG = {{"stack"}, "its arguments and environment need more than a quarter of the stack that"},
}

local function ofLimits(code, options)
  local names, what = compat.unpack(reached[code] or {})
  local list = options.attributes and limits.among(options.attributes.limits, names or {}) or {}
  return #list > 0 and ("%s options.limits allows (%s)"):format(what, limits.list(list)) or nil
end

function words.execute(code, failure, options)
  if not failure.obstacle then
    if code == "EACCES" and options.uid then
      return ("permission denied for the user %d (options.uid)"):format(options.uid)
    end
    return isCommandLine(code, options) and "the name of the program has spaces: arguments are a "
      .. "list of their own, and a command line is for exec or command.shell"
      or ofLimits(code, options)
  end
  local text = ofFile[failure.obstacle]:format(values.quote(failure.path))
  if failure.obstacle == "interpreter" and failure.path:sub(-1) == "\r" then
    return text .. ", the file's lines end as on Windows"
  end
  return text
end

--- The text after the name of the errno; nil if the name says everything.
---@param code string the name of the errno
---@param failure child_process.StartFailure
---@param options table as for ChildProcess:spawn
---@return string? text
---@return string? syscall that failed
return function(code, failure, options)
  return words[failure.step](code, failure, options)
end
