-- Work that a program may do for days: for each kind a function that makes a function, which does
-- the work as many times as are asked for, and one that ends what the work needs.

local cp = require("child_process")

local HERE = arg[0]:gsub("[^/]*$", "")
local AT_ONCE = 64

local function nothing() end

-- Has `start` done some times, AT_ONCE at a time. It calls its argument when one is done.
local function atOnce(count, start)
  local begun = 0
  local function next()
    if begun < count then
      begun = begun + 1
      start(next)
    end
  end
  for _ = 1, AT_ONCE do
    next()
  end
end

local function starts(bin)
  return function(count)
    atOnce(count, function(next)
      cp.spawn(bin .. "/tiny", {stdio = "ignore"}):on("close", next)
    end)
    cp.run()
  end, nothing
end

local function startsWithPipes(bin)
  return function(count)
    atOnce(count, function(next)
      cp.spawn(bin .. "/tiny"):on("close", next)
    end)
    cp.run()
  end, nothing
end

local function calls(bin)
  return function(count)
    for _ = 1, count do
      cp.spawnSync(bin .. "/tiny")
    end
  end, nothing
end

local function disconnect(child)
  return function()
    child:disconnect()
    child:wait("close")
  end
end

local function messages()
  local child = cp.fork(HERE .. "ours_child.lua", {"echo"})
  child:wait("message")
  local received, listener = 0, nil
  child:on("message", function()
    received = received + 1
    listener()
  end)
  return function(count)
    local last = received + count
    listener = nothing
    atOnce(count, function(next)
      listener = next
      child:send({id = received, type = "ping"})
    end)
    while received < last do
      child:wait("message")
    end
  end, disconnect(child)
end

local function requests()
  local child = cp.fork(HERE .. "growth/replies.lua")
  child:request(0):await()
  return function(count)
    local answered = 0
    atOnce(count, function(next)
      child:request({id = answered}):andThen(function()
        answered = answered + 1
        next()
      end)
    end)
    while answered < count do
      child:request(0):await()
    end
  end, disconnect(child)
end

return {
  {name = "starts, stdio ignored", prepare = starts},
  {name = "starts with three pipes", prepare = startsWithPipes},
  {name = "spawnSync with three pipes", prepare = calls},
  {name = "messages, there and back", prepare = messages},
  {name = "requests", prepare = requests},
}
