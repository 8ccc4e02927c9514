-- `ref` undoes `unref`: `run` waits for the child again.

local cp = require("child_process")
local process = require("child_process.process")

if arg[1] == "child" then
  require("child_process.timers").setTimeout(function() end, 100)
else
  local subprocess = cp.spawn(process.argv[0], {arg[0], "child"}, {
    detached = true,
    stdio = "ignore",
  })
  subprocess:unref()
  subprocess:ref()

  subprocess:on("exit", function(code)
    print("waited for the child, which exited with code " .. code)
  end)
end

cp.run()
