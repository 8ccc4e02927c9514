-- Receives the output of a program in chunks, as they arrive.

local cp = require("child_process")

local subprocess = cp.spawn("ls")

subprocess.stdout:on("data", function(data)
  print("Received chunk " .. data)
end)

cp.run()
