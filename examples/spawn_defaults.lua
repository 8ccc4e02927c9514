-- The defaults of `cwd` and `env`: the child has our working directory and our environment.

local cp = require("child_process")
local process = require("child_process.process")

local defaults = {
  cwd = nil,
  env = process.env,
}

local sh = cp.spawn("sh", {"-c", "pwd; echo $PATH"}, defaults)

sh.stdout:on("data", function(data)
  io.write(data)
end)

cp.run()
