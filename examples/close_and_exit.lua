-- `exit` comes when the program has ended. `close` comes when its output has ended, too: another
-- process may still hold that open.

local cp = require("child_process")

-- The shell ends at once, and leaves a cat behind that holds its standard output open.
local sh = cp.spawn("sh", {"-c", "echo from the shell; cat <&3 & exit 0"}, {
  stdio = {"pipe", "pipe", "inherit", "pipe"},
})

sh.stdout:on("data", function(data)
  io.write("stdout: ", data)
end)

sh:on("close", function(code)
  print("child process close all stdio with code " .. code)
end)

sh:on("exit", function(code)
  print("child process exited with code " .. code)
  sh.stdio[3]:finish("from the cat\n")
end)

cp.run()
