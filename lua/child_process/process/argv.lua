--- The command line of the process: process.execPath, argv0, argv and execArgv.

local core = require("child_process.core")
local errors = require("child_process.errors")

local arguments = {}

-- Returns the interpreter's table `arg`, and the index of the interpreter itself in it.
local function commandLine()
  local arg = _G.arg or {}
  local first = 0
  while arg[first - 1] do
    first = first - 1
  end
  return arg, first
end

-- A script is at 0, after the interpreter. Without a script (-e, -i, a program on stdin) the
-- interpreter is at 0 itself, and its flags follow.
local function hasScript(arg, first)
  return first < 0 or arg[0] and not (arg[0]:match("[^/]*$"):find("^lua[%d.-]*$")
    and (not arg[1] or arg[1]:find("^%-")))
end

function arguments.execPath()
  local path, errno = core.execPath()
  return path or error(errors.system(errno, "exepath"))
end

function arguments.argv0(process)
  local arg, first = commandLine()
  return arg[first] or process.execPath
end

function arguments.argv(process)
  local argv = {[0] = process.execPath}
  local arg, first = commandLine()
  if hasScript(arg, first) then
    for index, value in pairs(arg) do
      if index >= 0 then
        argv[index + 1] = value
      end
    end
  end
  return argv
end

local ownFlags -- the table that execArgv has made

function arguments.execArgv()
  local arg, first = commandLine()
  local last = hasScript(arg, first) and -1 or #arg
  ownFlags = {}
  for index = first + 1, last do
    if arg[index] ~= "--" then
      ownFlags[#ownFlags + 1] = arg[index]
    end
  end
  return ownFlags
end

-- The flags for a forked child, which has a script of its own: not -i, nor -e with its code. A list
-- that the program has set instead of ours is left as it is.
function arguments.forkArgv(process)
  local execArgv = process.execArgv
  if execArgv ~= ownFlags then
    return execArgv
  end
  local flags = {}
  for index, flag in ipairs(execArgv) do
    if execArgv[index - 1] ~= "-e" and not flag:find("^%-[ei]") then
      flags[#flags + 1] = flag
    end
  end
  return flags
end

return arguments
