-- Prints the process id of a child, and ends the child by closing its standard input.

local cp = require("child_process")

local grep = cp.spawn("grep", {"ssh"})

print("Spawned child pid: " .. grep.pid)
grep.stdin:finish()

cp.run()
