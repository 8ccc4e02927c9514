-- If a program cannot be started, the child emits `error`.

local cp = require("child_process")

local subprocess = cp.spawn("bad_command")

subprocess:on("error", function(err)
  io.stderr:write("Failed to start subprocess.\n")
  print(err)
end)

cp.run()
