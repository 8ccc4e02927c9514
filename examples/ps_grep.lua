-- A very elaborate way to run `ps ax | grep ssh`: writes the output of one child to the other by
-- hand. The argument is the pattern; by default it is "ssh".

local cp = require("child_process")

local ps = cp.spawn("ps", {"ax"})
local grep = cp.spawn("grep", {arg[1] or "ssh"})

ps.stdout:on("data", function(data)
  grep.stdin:write(data)
end)

ps.stderr:on("data", function(data)
  io.stderr:write("ps stderr: ", data, "\n")
end)

ps:on("close", function(code)
  if code ~= 0 then print("ps process exited with code " .. code) end
  grep.stdin:finish()
end)

grep.stdout:on("data", function(data)
  print(data)
end)

grep.stderr:on("data", function(data)
  io.stderr:write("grep stderr: ", data, "\n")
end)

grep:on("close", function(code)
  if code ~= 0 then print("grep process exited with code " .. code) end
end)

cp.run()
