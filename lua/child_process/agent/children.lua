--- A part of Agent: its children, and what the host hears of them. The exit of a child comes after
--- its messages, and its end after what it has printed.

local ChildProcess = require("child_process.spawn.child")
local errors = require("child_process.errors")
local protocol = require("child_process.link.protocol")
local signals = require("child_process.spawn.signals")
local start = require("child_process.agent.start")

local kinds = protocol.kinds

---@class child_process.AgentChild
---@field process ChildProcess
---@field channel? integer its descriptor that is a channel
---@field relayed integer[] its descriptors whose output the host writes to descriptors of its own
---@field undrained integer how many of these have bytes that were not sent
---@field exit? table the EXIT frame, while messages of the child are sent
---@field hasClosed? boolean it has closed meanwhile

---@class Agent
local methods = {}

---@param kind integer
---@param id integer of a child, or 0
---@param value any
function methods:send(kind, id, value)
  self.link:send(kind, id, value ~= nil and protocol.pack(value) or nil)
end

---@param id integer
---@return ChildProcess? # nil if it has closed
function methods:find(id)
  local entry = self.children[id]
  return entry and entry.process
end

local function exited(self, id, entry, code, signum)
  local child = entry.process
  local exit = {
    code = code, signum = signum, usage = child:resourceUsage(),
    forced = child.isForcefullyTerminated or nil,
  }
  if entry.channel and self.link:drain(id, entry.channel) then
    entry.exit = exit
  else
    self:send(kinds.EXIT, id, exit)
  end
end

local function closed(self, id, entry)
  if entry.exit then -- its messages are still on their way
    entry.hasClosed = true
    return
  end
  local isLeft = self.left:add(id, entry.process)
  self.children[id] = nil
  self:send(kinds.CLOSED, id, {isLeft = isLeft})
  self:finishIfDone()
end

-- The child has closed. What it has printed last is sent first.
local function closeAfterOutput(self, id, entry)
  for _, fd in ipairs(entry.relayed) do
    if self.link:drain(id, fd) then
      entry.undrained = entry.undrained + 1
    end
  end
  if entry.undrained == 0 then
    closed(self, id, entry)
  end
end

local function watch(self, id, entry)
  local child, isStarted = entry.process, false
  child:on("error", function(err)
    if self.children[id] or not self.isEnding then -- else nobody has asked
      self:send(isStarted and kinds.ERROR or kinds.FAILED, id, protocol.packError(err))
    end
  end)
  child:on("spawn", function()
    isStarted = true
    self:send(kinds.STARTED, id, child.pid)
  end)
  child:on("exit", function(code, name)
    exited(self, id, entry, code, name and signals.number(name))
  end)
  child:on("close", function() closeAfterOutput(self, id, entry) end)
end

local function begin(self, id, request)
  local entry = {
    process = ChildProcess.new(), channel = request.ipc, relayed = request.relayed, undrained = 0,
  }
  self.children[id] = entry
  watch(self, id, entry)
  start(entry.process, self.link, id, request)
end

--- Starts a child.
---@param id integer
---@param bytes string the payload of the START frame
function methods:startChild(id, bytes)
  local request, problem = protocol.unpack(bytes)
  local ok, err = false, problem
  if request then
    ok, err = pcall(begin, self, id, request)
  end
  if not ok then
    self.children[id] = nil
    self:send(kinds.FAILED, id, protocol.packError(err))
  end
end

--- Called by core when the messages, or the last output, of a child that has ended were sent.
function methods:ondrained(id, fd)
  local entry = self.children[id]
  if fd ~= entry.channel then
    entry.undrained = entry.undrained - 1
    if entry.undrained == 0 then
      closed(self, id, entry)
    end
    return
  end
  local exit = entry.exit
  entry.exit = nil
  self:send(kinds.EXIT, id, exit)
  if entry.hasClosed then
    closed(self, id, entry)
  end
end

--- Called by core: what comes for a child cannot be written.
function methods:onrefused(id, _, errno)
  self:send(kinds.ERROR, id, protocol.packError(errors.system(errno, "write")))
end

return methods
