-- A shell interprets the command of `exec`, so characters that are special to the shell are quoted.

local cp = require("child_process")

local script = os.tmpname() .. " test.sh"
local file = assert(io.open(script, "w"))
file:write('#!/bin/sh\necho "$# arguments: $*"\n')
file:close()

-- Double quotes are used so that the space in the path does not end it.
cp.exec(('chmod +x "%s" && "%s" arg1 arg2'):format(script, script), function(err, stdout)
  os.remove(script)
  if err then error(err) end
  io.write(stdout)

  -- The first $HOME is escaped, the second is not.
  cp.exec([[echo "The \$HOME variable is $HOME"]], function(failure, output)
    if failure then error(failure) end
    io.write(output)
  end)
end)

cp.run()
