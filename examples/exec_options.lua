-- Options of `exec` with the defaults that they have in Node, except for `timeout`, and for
-- `encoding`, which has no default here: the output is bytes.

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
