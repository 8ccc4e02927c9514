-- Receives what a program prints, in chunks, as it comes.

local cp = require("child_process")

local subprocess = cp.spawn("ls")

subprocess.stdout:on("data", function(data)
  print("Received chunk " .. data)
end)

cp.run()
