--- Errors that the system reports, for calls, sockets, host names, and programs to start.

local class = require("child_process.errors.error")
local compat = require("child_process.base.compat")
local core = require("child_process.core")

---@class child_process.errors
local errors = {}

--- The error of a system call that failed.
---@param errno integer with either sign
---@param syscall string the call, with its object where that helps: "spawn nope"
---@param fields? table copied into the error
---@return Error
function errors.system(errno, syscall, fields)
  errno = -math.abs(errno)
  local code = core.errno[-errno] or "Unknown system error " .. errno
  local err = class.make("Error", syscall .. " " .. code, fields)
  err.errno, err.code, err.syscall = errno, code, syscall
  return err
end

--- Says that we may not signal a process.
---@param signal string its name
---@param pid integer
---@param tree? boolean it was for the tree of the process
---@return string
function errors.refusal(signal, pid, tree)
  local text = tree and "%s was refused for the tree of process %s, whose processes run as another "
    or "%s was refused for process %s, which runs as another "
  return text:format(signal, tostring(pid)) .. "user"
end

--- The error of a signal that could not be sent.
---@param errno integer with either sign
---@param signal string its name
---@param pid integer
---@param tree? boolean it was for the tree of the process
---@return Error
function errors.kill(errno, signal, pid, tree)
  local err = errors.system(errno, "kill")
  local text = err.code == "EPERM" and errors.refusal(signal, pid, tree)
    or ("%s for %sprocess %s"):format(signal, tree and "the tree of " or "", tostring(pid))
  err.message = ("%s: %s"):format(err.message, text)
  return err
end

--- The error of taking over a descriptor that another object of ours owns.
---@param name string of the argument
---@param fd integer
---@return Error
function errors.descriptorInUse(name, fd)
  local err = errors.system(core.errno.EBADF, "open")
  err.message = ("%s, %s is %d, which another object of this program owns: pass that object")
    :format(err.message, name, fd)
  return err
end

-- "127.0.0.1:80", "/path", or nothing.
local function endpoint(address, port)
  if address and port and port > 0 then
    return ("%s:%d"):format(address, port)
  end
  return address
end

-- Appends the address to the message.
local function at(err, address, port)
  err.address, err.port = address, port ~= 0 and port or nil
  local where = endpoint(address, port)
  if where then
    err.message = err.message .. " " .. where
  end
  return err
end

--- The error of connecting a socket, or of binding one.
---@param errno integer with either sign
---@param syscall string "connect", "bind"
---@param address? string in digits, or a path
---@param port? integer
---@param localAddress? string the socket's own address, if one was asked for
---@param localPort? integer
---@return Error
function errors.address(errno, syscall, address, port, localAddress, localPort)
  local err = at(errors.system(errno, syscall), address, port)
  if localAddress then
    err.message = ("%s - Local (%s)"):format(err.message, endpoint(localAddress, localPort))
  end
  return err
end

--- The error of a server that cannot listen.
---@param errno integer with either sign
---@param address? string in digits, or a path
---@param port? integer
---@return Error
function errors.listen(errno, address, port)
  local err = errors.system(errno, "listen")
  err.message = ("%s: %s"):format(err.message, core.errorText(err.errno))
  return class.traced(at(err, address, port))
end

--- The error of a host that was not found.
---@param errno integer as core.lookup gives it
---@param code string the name that libuv has for it
---@param hostname string
---@return Error # its code is "ENOTFOUND" for all kinds of unknown names
function errors.lookup(errno, code, hostname)
  if code == "EAI_NONAME" or code == "EAI_NODATA" then
    code = "ENOTFOUND"
  end
  return class.make("Error", ("getaddrinfo %s %s"):format(code, hostname),
    {errno = errno, code = code, syscall = "getaddrinfo", hostname = hostname})
end

--- The error of starting a program, or of running it to its end.
---@param errno integer with either sign
---@param call string "spawn" or "spawnSync"
---@param options table as for ChildProcess:spawn
---@param failure? child_process.StartFailure if it could not be started
---@return Error # its path is the program's, or that of a working directory that cannot be entered
function errors.spawn(errno, call, options, failure)
  local args = options.args
  local err = errors.system(errno, call .. " " .. options.file, {
    path = options.file,
    spawnargs = compat.move(args, 2, #args, 1, {}),
  })
  if failure then
    local words, syscall = require("child_process.errors.start_failure")(err.code, failure, options)
    err.message = words and err.message .. ": " .. words or err.message
    err.syscall = syscall or err.syscall
    err.path = failure.step == "cwd" and options.cwd or err.path
  end
  return class.traced(err)
end

return errors
