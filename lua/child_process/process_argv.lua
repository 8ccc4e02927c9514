--- What the process was started with: process.execPath, argv0, argv and execArgv.
local core = require("child_process.core")
local errors = require("child_process.lazy_errors")

local arguments = {}

-- The interpreter's table `arg`, and the index of the interpreter itself in it.
local function commandLine()
  local arg = _G.arg or {}
  local first = 0
  while arg[first - 1] do
    first = first - 1
  end
  return arg, first
end

-- A script is at 0, with the interpreter before it. Where there is none (-e, -i, a program on
-- stdin) the interpreter is at 0 itself, and its flags follow.
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

-- What is to be run (-e, -i) is not passed on.
function arguments.execArgv()
  local arg, first = commandLine()
  local last = hasScript(arg, first) and -1 or #arg
  local flags = {}
  local index = first + 1
  while index <= last do
    local flag = arg[index]
    if flag == "-e" then
      index = index + 1 -- its code is the next argument
    elseif flag ~= "--" and not flag:find("^%-[ei]") then
      flags[#flags + 1] = flag
    end
    index = index + 1
  end
  return flags
end

return arguments
