--- A part of Agent: its children, and what the host hears of them. The exit of a child comes after
--- its messages, and its end after what it has printed.

local ChildProcess = require("child_process.spawn.child")
local errors = require("child_process.errors")
local protocol = require("child_process.link.protocol")
local signals = require("child_process.spawn.signals")
local start = require("child_process.agent.start")

local kinds = protocol.kinds

---@class Agent
local methods = {}

---@param kind integer
---@param id integer of a child, or 0
---@param value any
function methods:send(kind, id, value)
  self.link:send(kind, id, value ~= nil and protocol.pack(value) or nil)
end

local function forget(self, id)
  self.children[id], self.channels[id], self.relayed[id] = nil, nil, nil
end

local function exited(self, id, child, code, signum)
  local exit = {
    code = code, signum = signum, usage = child:resourceUsage(),
    forced = child.isForcefullyTerminated or nil,
  }
  local channel = self.channels[id]
  if channel and self.link:drain(id, channel) then
    self.exits[id] = exit
  else
    self:send(kinds.EXIT, id, exit)
  end
end

local function closed(self, id)
  if self.exits[id] then -- its messages are still on their way
    self.exits[id].isClosed = true
    return
  end
  local isLeft = self.left:add(id, self.children[id])
  forget(self, id)
  self:send(kinds.CLOSED, id, {isLeft = isLeft})
  self:finishIfDone()
end

-- The child has closed. What it has printed last is sent first.
local function closeAfterOutput(self, id)
  for _, fd in ipairs(self.relayed[id] or {}) do
    if self.link:drain(id, fd) then
      self.undrained[id] = (self.undrained[id] or 0) + 1
    end
  end
  if not self.undrained[id] then
    closed(self, id)
  end
end

local function watch(self, id, child)
  local isStarted = false
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
    exited(self, id, child, code, name and signals.number(name))
  end)
  child:on("close", function() closeAfterOutput(self, id) end)
end

local function begin(self, id, request)
  local child = ChildProcess.new()
  self.children[id] = child
  self.channels[id], self.relayed[id] = request.ipc, request.relayed
  watch(self, id, child)
  start(child, self.link, id, request)
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
    forget(self, id)
    self:send(kinds.FAILED, id, protocol.packError(err))
  end
end

--- Called by core when the messages, or the last output, of a child that has ended were sent.
function methods:ondrained(id, fd)
  local exit = self.exits[id]
  if fd ~= self.channels[id] then
    self.undrained[id] = self.undrained[id] > 1 and self.undrained[id] - 1 or nil
    if not self.undrained[id] then
      closed(self, id)
    end
  elseif exit then
    self.exits[id] = nil
    local isClosed = exit.isClosed
    exit.isClosed = nil
    self:send(kinds.EXIT, id, exit)
    if isClosed then
      closed(self, id)
    end
  end
end

--- Called by core: what comes for a child cannot be written.
function methods:onrefused(id, _, errno)
  self:send(kinds.ERROR, id, protocol.packError(errors.system(errno, "write")))
end

return methods
