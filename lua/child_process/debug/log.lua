--- CHILD_PROCESS_DEBUG=1: writes lines to stderr about children, messages and streams, and notes
--- where objects are made. Loaded before the files that use the functions of core, and replaces
--- some of these.

local activeHandles = require("child_process.debug.active_handles")
local commandText = require("child_process.base.command_text")
local compat = require("child_process.base.compat")
local core = require("child_process.core")
local stdioName = require("child_process.base.stdio_name")
local debug = require("child_process.base.standard").debug
require("child_process.debug.origins")

local STDERR = 2
local LONGEST_COMMAND = 200 -- characters

local function now()
  local seconds, nanoseconds = core.hrtime()
  return seconds + nanoseconds / 1e9
end

local started = core.startTime()

-- Writes the line at once, so that lines of several processes do not mix.
local function say(event, text)
  core.writeAll(STDERR, ("child_process %d %.6f %s: %s\n"):format(core.pid(), now() - started,
    event, text))
end

local function milliseconds(seconds)
  return ("%.1f ms"):format(seconds * 1000)
end

-- Children ---------------------------------------------------------------------------------------

local function command(options)
  return commandText(options.shownArgs or options.args, LONGEST_COMMAND)
end

local function describe(options, pid)
  return ("%s (pid %d)"):format(command(options), pid)
end

local function sayFailure(options, errno)
  say("start", ("%s failed: %s"):format(command(options), core.errno[-errno] or errno))
end

local function outcome(code, signum)
  if signum then
    return "signal " .. (core.signals[signum] or signum)
  end
  return code and code >= 0 and "code " .. code or "status unknown"
end

-- What a child has used; nothing if that is not known.
local function used(usage)
  if not usage then
    return ""
  end
  local text = (", %s of processor time"):format(milliseconds(
    (usage.userCPUTime + usage.systemCPUTime) / 1e6))
  return usage.maxRSS and ("%s, at most %d KiB"):format(text, usage.maxRSS) or text
end

local function sayExit(who, code, signum, since, usage)
  say("exit", ("%s, %s, after %s%s"):format(who, outcome(code, signum), milliseconds(now() - since),
    used(usage)))
end

-- What each running child is called, and when it was started.
local starts = setmetatable({}, {__mode = "k"})

-- To be called when the class of children is complete.
local function watchExits()
  local class = core.ChildProcess
  local onexit = class.onexit
  watchExits = nil
  function class:onexit(code, signum)
    local start = starts[self]
    sayExit(start.who, code, signum, start.time, core.child.usage(self))
    return onexit(self, code, signum)
  end
end

local start = core.child.start

function core.child.start(child, options)
  if watchExits then
    watchExits()
  end
  local before = now()
  local results = compat.pack(start(child, options))
  local took, pid = now() - before, results[2]
  if pid < 0 then
    sayFailure(options, pid)
  else
    local who = describe(options, pid)
    starts[child] = {who = who, time = before}
    say("start", ("%s, took %.0f us"):format(who, took * 1e6))
  end
  return compat.unpack(results, 1, results.n)
end

--- To be called with the class of what stands here for children on other hosts.
---@param class RemoteChild
function core.watchRemoteChildren(class)
  local new, onstarted, onfailed = class.new, class.onstarted, class.onfailed
  local onexit, onlost = class.onexit, class.onlost

  function class.new(host, ...)
    local remote = new(host, ...)
    starts[remote] = {time = now(), host = host.name}
    return remote
  end

  local function commandOf(remote)
    local child = remote.child
    return commandText(child._shownArgs or child.spawnargs, LONGEST_COMMAND)
  end

  function class:onstarted(pid)
    local begun = starts[self]
    begun.who = ("%s (pid %d on host '%s')"):format(commandOf(self), pid, begun.host)
    say("start", ("%s, took %.0f us"):format(begun.who, (now() - begun.time) * 1e6))
    return onstarted(self, pid)
  end

  function class:onfailed(err)
    say("start", ("%s failed: %s, on host '%s'"):format(commandOf(self), err.code or err.message,
      starts[self].host))
    return onfailed(self, err)
  end

  function class:onexit(exit)
    local begun = starts[self]
    if begun.who then
      sayExit(begun.who, exit.code, exit.signum, begun.time, exit.usage)
    end
    return onexit(self, exit)
  end

  function class:onlost(err)
    if self:isRunning() then
      say("exit", starts[self].who .. ", the host is lost")
    end
    return onlost(self, err)
  end
end

local runSync = core.runSync

-- The program has ended when its pid is known.
function core.runSync(options)
  local before = now()
  local results = compat.pack(runSync(options))
  local pid, outputs, code, signum = results[1], results[2], results[3], results[4]
  if not pid then
    sayFailure(options, outputs)
  else
    local who = describe(options, pid)
    say("start", who .. ", synchronous")
    for fd, bytes in pairs(outputs) do
      say("end", ("%s of %s, %d bytes read"):format(stdioName(fd), who, #bytes))
    end
    sayExit(who, code, signum, before, results[7] and core.unpackUsage(results[7]))
  end
  return compat.unpack(results, 1, results.n)
end

-- Streams and messages ---------------------------------------------------------------------------

-- The methods of a class of userdata.
local function methodsOf(name)
  for metatable, class in pairs(debug.getregistry()) do
    if class == name and type(metatable) == "table" then
      return metatable.__index
    end
  end
end

local function amounts(stream)
  local texts = {}
  if stream:_hasReadableSide() then
    texts[1] = ("%d bytes read"):format(stream.bytesRead)
  end
  if stream:_hasWritableSide() then
    texts[#texts + 1] = ("%d bytes written"):format(stream.bytesWritten)
  end
  return table.concat(texts, ", ")
end

local function sayEnd(handle)
  local stream = core.ownerOf(handle)
  if type(stream) == "table" then -- else its start has failed
    local _, description = activeHandles.describe(handle)
    say("end", ("%s, %s"):format(description, amounts(stream)))
  end
end

local streamHandle = methodsOf("child_process.StreamHandle")
local closed = setmetatable({}, {__mode = "k"})
local close = streamHandle.close

function streamHandle.close(handle)
  if not closed[handle] then
    closed[handle] = true
    sayEnd(handle)
  end
  return close(handle)
end

local channelHandle = methodsOf("child_process.ChannelHandle")
local send, setOwner = channelHandle.send, channelHandle.setOwner

local function peer(handle)
  local _, description = activeHandles.describe(handle)
  return description:gsub("^to ", "")
end

function channelHandle.send(handle, ...)
  local before = handle:accepted()
  local results = compat.pack(send(handle, ...))
  if results[1] ~= nil then
    say("send", ("%d bytes to %s"):format(handle:accepted() - before, peer(handle)))
  end
  return compat.unpack(results, 1, results.n)
end

-- How much of each channel the lines have told of.
local told = setmetatable({}, {__mode = "k"})

local function sayReceived(handle)
  local total = handle:received()
  say("receive", ("%d bytes from %s"):format(total - (told[handle] or 0), peer(handle)))
  told[handle] = total
end

-- To be called with the class of the owners of channels.
local function watchMessages(class)
  local deliver, oninternal = class.deliver, class.oninternal
  watchMessages = nil
  function class:deliver(...)
    sayReceived(self.handle)
    return deliver(self, ...)
  end
  -- A message with a handle is delivered by this call; others belong to the protocol.
  function class:oninternal(message)
    oninternal(self, message)
    if self.handle then
      told[self.handle] = self.handle:received()
    end
  end
end

function channelHandle.setOwner(handle, owner)
  if watchMessages then
    watchMessages(debug.getmetatable(owner).__index)
  end
  return setOwner(handle, owner)
end
