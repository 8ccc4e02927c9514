-- A program with a loop of its own, around poll (luaposix) or select (LuaSocket). The program waits
-- for our descriptor together with its own, here a timer, and then lets our loop run.

local cp = require("child_process")
local loop = require("child_process.loop")

-- Waits until the descriptor is readable, but at most `seconds`; nil is no limit.
local function waitUntilReadable(fd, seconds)
  local ok, posix = pcall(require, "posix.poll")
  if ok then
    posix.rpoll(fd, seconds and math.ceil(seconds * 1000) or -1)
  else
    local socket = {getfd = function() return fd end, dirty = function() return false end}
    require("socket").select({socket}, nil, seconds)
  end
end

-- A step of the program's loop. Prints errors of our listeners, and goes on.
local function step(seconds)
  waitUntilReadable(loop.fd(), seconds)
  local ok, err = pcall(loop.run, "nowait")
  if not ok then
    print("an error: " .. tostring(err))
  end
end

-- Demonstration: a command runs while the program counts.

cp.exec("sleep 0.2; echo hello", function(_, stdout)
  print("the command has printed " .. stdout)
end)

local ticks = 0
while loop.alive() or ticks < 3 do
  if ticks < 3 then
    step(0.02)
    ticks = ticks + 1
    print("tick " .. ticks)
  else
    step()
  end
end
