-- What the children of ours.lua's pool do: a task is a millisecond of work.

local process = require("child_process.process")

process:handle(function(task)
  local began = process:hrtime()
  local last = began[1] * 1e9 + began[2] + 1e6
  local time
  repeat
    time = process:hrtime()
  until time[1] * 1e9 + time[2] >= last
  return task
end)
