-- Ends a child with a signal.

local cp = require("child_process")

local grep = cp.spawn("grep", {"ssh"})

grep:on("close", function(_, signal)
  print("child process terminated due to receipt of signal " .. signal)
end)

-- Send SIGHUP to process.
grep:kill("SIGHUP")

cp.run()
