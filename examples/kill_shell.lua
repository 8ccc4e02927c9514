-- Killing a shell does not kill the program that runs in it. The program goes on, and has to be
-- killed by its own pid.

local cp = require("child_process")
local process = require("child_process.process")

local program = [[
  local process = require("child_process.process")
  require("child_process.timers").setInterval(function()
    print(process.pid, "is alive")
    io.stdout:flush()
  end, 50)
  require("child_process").run()
]]

-- Without `exit`, some shells would replace themselves by the only command.
local subprocess = cp.spawn("sh", {
  "-c", ("'%s' -e '%s'; exit"):format(process.argv[0], program),
}, {stdio = {"inherit", "pipe", "inherit"}})

local linesAfterExit

subprocess.stdout:setEncoding("utf8"):on("data", function(line)
  io.write(line)
  if not linesAfterExit then
    subprocess:kill() -- Does not terminate the program in the shell.
    return
  end
  linesAfterExit = linesAfterExit + 1
  if linesAfterExit == 3 then cp.exec("kill " .. line:match("%d+")) end
end)

subprocess:on("exit", function(_, signal)
  print("the shell was terminated by " .. signal)
  linesAfterExit = 0
end)

subprocess:on("close", function()
  print("the program in the shell has ended too")
end)

cp.run()
