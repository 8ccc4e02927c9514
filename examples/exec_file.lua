-- `execFile` starts the program itself, with no shell between: here, this interpreter.

local cp = require("child_process")
local process = require("child_process.process")

cp.execFile(process.argv[0], { "-v" }, function(err, stdout)
  if err then error(err) end
  print(stdout)
end)

cp.run()
