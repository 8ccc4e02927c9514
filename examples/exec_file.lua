-- `execFile` starts a program directly, without a shell. Here it starts this program again and gets
-- its version.

local cp = require("child_process")
local process = require("child_process.process")

if arg[1] == "--version" then
  print(_VERSION)
else
  cp.execFile(process.argv[0], {arg[0], "--version"}, function(err, stdout)
    if err then error(err) end
    print(stdout)
  end)
end

cp.run()
