-- Leaves a long-running program behind, which is detached and whose standard streams are not ours.

local cp = require("child_process")
local process = require("child_process.process")

if arg[1] == "child" then
  require("child_process.timers").setTimeout(function() end, 10000)
else
  local subprocess = cp.spawn(process.argv[0], {arg[0], "child"}, {
    detached = true,
    stdio = "ignore",
  })
  subprocess:unref()
  print("left running: " .. subprocess.pid)
end

cp.run()
