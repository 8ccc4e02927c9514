-- The options of `exec`, each with its default, but for the time limit: 100 ms instead of none.

local cp = require("child_process")

local options = {
  encoding = "utf8",
  timeout = 100,
  maxBuffer = 1024 * 1024,
  killSignal = "SIGTERM",
  cwd = nil,
  env = nil,
}

cp.exec("echo one; exec sleep 30", options, function(err, stdout)
  print("stdout: " .. stdout)
  print("killed: " .. tostring(err.killed))
  print("signal: " .. tostring(err.signal))
end)

cp.run()
