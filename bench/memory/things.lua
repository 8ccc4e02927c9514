-- What a program may have many of: for each of them a function that makes as many as are asked for,
-- and returns a table that keeps them, and a function that ends them.

local cp = require("child_process")
local abort = require("child_process.abort")
local EventEmitter = require("child_process.events").EventEmitter
local net = require("child_process.net")
local promise = require("child_process.promise")
local timers = require("child_process.timers")

local CHILD = arg[0]:gsub("[^/]*$", "") .. "ours_child.lua"

local function nothing() end

-- A maker that calls `make` for each, and an ender that calls `finish` for each.
local function many(make, finish)
  return function(count, bin)
    local list = {}
    for i = 1, count do
      list[i] = make(bin)
    end
    return list, function()
      for _, each in ipairs(list) do
        finish(each)
      end
      cp.run()
    end
  end
end

local function kill(child)
  child:kill("SIGKILL")
end

local function spawn(stdio)
  return many(function(bin)
    return cp.spawn(bin .. "/pause", {stdio = stdio})
  end, kill)
end

-- Children that wait for messages. All of them have started.
local function fork(count)
  local list, online = {}, 0
  local ready, resolve = promise.withResolvers()
  local function onMessage()
    online = online + 1
    if online == count then
      resolve()
    end
  end
  for i = 1, count do
    list[i] = cp.fork(CHILD, {"idle"}):once("message", onMessage)
  end
  ready:await()
  return list, function()
    for _, child in ipairs(list) do
      child:disconnect()
    end
    cp.run()
  end
end

-- Requests that one child does not answer, as it is stopped.
local function request(count)
  local child = cp.fork(CHILD, {"idle"})
  child:wait("message")
  child:kill("SIGSTOP")
  local list = {}
  for i = 1, count do
    list[i] = child:request(i)
    list[i]:catch(nothing)
  end
  return list, function()
    kill(child)
    cp.run()
  end
end

-- Connections of this process with itself, each of which has two sockets.
local function connect(count)
  local list, server = {}, net.createServer(function(socket) socket:resume() end)
  server:listen(0, "127.0.0.1")
  server:wait("listening")
  for i = 1, count do
    list[i] = net.connect(server:address().port, "127.0.0.1")
    list[i]:wait("connect")
  end
  return list, function()
    for _, socket in ipairs(list) do
      socket:destroy()
    end
    server:close()
    cp.run()
  end
end

local emitter = EventEmitter.new()
emitter:setMaxListeners(0)

return {
  {name = "child, stdio ignored", most = 10000, make = spawn("ignore")},
  {name = "child with three pipes", most = 4000, make = spawn("pipe")},
  {name = "forked child with its channel", most = 200, make = fork},
  {name = "connection: two sockets", most = 4000, make = connect},
  {name = "request without its reply", most = 100000, make = request},
  {name = "timer", most = 100000, make = many(function()
    return timers.setTimeout(nothing, 1e6)
  end, timers.clearTimeout)},
  {name = "promise", most = 100000, make = many(function()
    return (promise.withResolvers())
  end, nothing)},
  {name = "promise with andThen", most = 100000, make = many(function()
    local pending = promise.withResolvers()
    return {pending, pending:andThen(nothing)}
  end, nothing)},
  {name = "emitter with one listener", most = 100000, make = many(function()
    return EventEmitter.new():on("event", nothing)
  end, nothing)},
  {name = "listener of one event", most = 100000, make = many(function()
    local function listener() return emitter end
    emitter:on("event", listener)
    return listener
  end, nothing)},
  {name = "AbortController", most = 100000, make = many(function()
    return abort.AbortController.new()
  end, nothing)},
}
