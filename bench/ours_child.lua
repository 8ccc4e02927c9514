-- What ours.lua forks.

local process = require("child_process.process")

local count = 0

local works = {
  echo = function(message)
    process:send(message)
  end,
  count = function(message)
    if message.stop then
      process:send(count)
    end
    count = count + 1
  end,
  idle = function() end,
  answer = function(_, socket)
    socket:finish("ok")
  end,
}

process:on("message", works[arg[1]])
process:send("ready")
