-- Starts `ls -lh /usr` and shows its standard output, its standard error and its exit code.

local cp = require("child_process")

local ls = cp.spawn("ls", {"-lh", "/usr"})

ls.stdout:on("data", function(data)
  print("stdout: " .. data)
end)

ls.stderr:on("data", function(data)
  io.stderr:write("stderr: ", data, "\n")
end)

ls:on("close", function(code)
  print("child process exited with code " .. code)
end)

cp.run()
