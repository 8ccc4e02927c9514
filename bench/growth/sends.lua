-- Messages and requests that wait: what each costs while the child does not read, and what its way
-- to the child costs once it does.

local clock = require("bench.growth.clock")
local cp = require("child_process")
local promise = require("child_process.promise")

local MESSAGE = {id = 1, type = "ping"}

local function fork(script)
  local child = cp.fork(arg[0]:gsub("[^/]*$", "") .. script, {"idle"})
  if script == "ours_child.lua" then
    child:wait("message")
  else
    child:request(0):await()
  end
  return child
end

local function finish(child)
  child:disconnect()
  child:wait("close")
end

-- Seconds for sending, and until all callbacks were called.
local function send(count)
  local child = fork("ours_child.lua")
  local sending, delivering = clock.laps(function(lap)
    local called = 0
    local delivered, resolve = promise.withResolvers()
    child:kill("SIGSTOP")
    for _ = 1, count do
      child:send(MESSAGE, function()
        called = called + 1
        if called == count then
          resolve()
        end
      end)
    end
    lap()
    child:kill("SIGCONT")
    delivered:await()
    lap()
  end)
  finish(child)
  return sending, delivering
end

local function request(count)
  local child = fork("growth/replies.lua")
  local taken = clock.each(function()
    local replies = {}
    for i = 1, count do
      replies[i] = child:request(i)
    end
    for i = 1, count do
      assert(replies[i]:await() == i)
    end
  end)
  finish(child)
  return taken
end

local function measure(count)
  local sending, delivering = send(count)
  return sending / count * 1e6, delivering / count * 1e6, request(count) / count * 1e6
end

return {
  title = "Messages that wait",
  x = "messages",
  unit = "us",
  lines = {"send", "delivery", "request and reply"},
  sizes = {1, 10, 100, 1000, 10000, 100000},
  measure = measure,
}
