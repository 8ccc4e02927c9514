--- The requests that one end of a channel has got and answers.

local compat = require("child_process.base.compat")
local envelope = require("child_process.channel.envelope")
local Promise = require("child_process.promise.promise")
local traces = require("child_process.errors.traces")
local wait = require("child_process.loop.wait")

-- A request that is being answered. Its signal is made when somebody asks for it.
---@class IncomingRequest
---@field id any the number that the other side has given to it
---@field signal AbortSignal aborted when nobody waits for the reply any more
---@field package controller? AbortController
---@field package isCancelled? boolean
local IncomingRequest = {}
local metatable = compat.named({__name = "IncomingRequest"})

function metatable.__index(request, key)
  if key ~= "signal" then
    return IncomingRequest[key]
  end
  local controller = require("child_process.abort").AbortController()
  rawset(request, "controller", controller)
  rawset(request, "signal", controller.signal)
  if rawget(request, "isCancelled") then
    controller:abort()
  end
  return controller.signal
end

--- To be called when nobody waits for the reply any more.
function IncomingRequest:_cancel()
  self.isCancelled = true
  local controller = rawget(self, "controller")
  if controller then
    controller:abort()
  end
end

---@class child_process.Answers
---@field package requests child_process.Requests that send the replies
---@field package handler? fun(value: any, handle: any, request: IncomingRequest): any
---@field package running table<any, IncomingRequest> by id
---@field package spare? table a coroutine that has answered a request, for the next one
local Answers = {}
Answers.__index = Answers

---@param requests child_process.Requests that send the replies
---@return child_process.Answers
function Answers.new(requests)
  return setmetatable({requests = requests, handler = nil, running = {}, spare = nil}, Answers)
end

---@param handler? fun(value: any, handle: any, request: IncomingRequest): any
function Answers:setHandler(handler)
  self.handler = handler
end

---@return boolean
function Answers:hasHandler()
  return self.handler ~= nil
end

local function forget(self, request)
  local id = request.id
  if id ~= nil and rawequal(self.running[id], request) then
    self.running[id] = nil
  end
end

local function postReply(self, id, value)
  self.requests:post(envelope.reply(id, value))
end

-- A reply whose value cannot be sent is an error for the other side.
local function reply(self, id, value)
  local ok, err = pcall(postReply, self, id, value)
  if not ok then
    self.requests:post(envelope.failure(id, err))
  end
end

local function fail(self, request, err, traceback)
  forget(self, request)
  self.requests:post(envelope.failure(request.id, err, traceback))
end

-- Returns what the handler returns, or what its promise is fulfilled with.
local function call(handler, value, handle, request)
  local result = handler(value, handle, request)
  if type(result) == "table" and Promise.isPromise(result) then
    return (result:await())
  end
  return result
end

-- In Lua 5.1 a coroutine could not wait in the protected call. There an error ends the coroutine.
local function answerOne(self, value, handle, request)
  local ok, result
  if compat.yieldsAnywhere then
    ok, result = xpcall(call, traces.handle, self.handler, value, handle, request)
    if not ok then
      fail(self, request, result, traces.take(result))
      return
    end
  else
    result = call(self.handler, value, handle, request)
  end
  forget(self, request)
  reply(self, request.id, result)
end

-- Answers requests, one after the other. Making a coroutine for each would cost more than all the
-- rest.
local function answerAll(self, current, value, handle)
  repeat
    answerOne(self, value, handle, current.request)
    if self.spare then
      return
    end
    self.spare = current
    value, handle = compat.yield()
  until false
end

local function newThread(self)
  local current = {}
  current.thread = wait.create(answerAll, function(err, traceback, thread)
    fail(self, current.request, err,
      compat.yieldsAnywhere and traceback or traces.ofEnded(thread, err))
  end)
  return current
end

--- Calls the handler, and replies when it has returned or raised an error.
---@param message table
---@param handle any that came with it
function Answers:answer(message, handle)
  local id, value = message.id, message.value
  if value == nil then
    reply(self, id)
    return
  end
  local request = setmetatable({id = id}, metatable)
  if id ~= nil and id == id then -- nan cannot be a key
    self.running[id] = request
  end
  local current = self.spare
  self.spare = nil
  if current then
    current.request = request
    wait.resume(current.thread, value, handle)
  else
    current = newThread(self)
    current.request = request
    wait.resume(current.thread, self, current, value, handle)
  end
end

--- Notes that nobody waits for a reply any more.
---@param message table
function Answers:cancel(message)
  local request = message.id ~= nil and self.running[message.id]
  if request then
    request:_cancel()
  end
end

--- Notes that the channel has closed.
function Answers:cancelAll()
  local running = self.running
  self.running = {}
  for _, request in pairs(running) do
    request:_cancel()
  end
end

return Answers
