-- `spawnSync` waits until a program has ended, and returns everything about it. It raises no error
-- if the program fails.

local cp = require("child_process")

local sort = cp.spawnSync("sort", {"-u"}, {input = "pear\napple\npear\n"})
io.write(sort.stdout)
print("sort exited with code " .. sort.status)

local sleep = cp.spawnSync("sleep", {"30"}, {timeout = 100})
print("sleep was ended by " .. sleep.signal .. ": " .. sleep.error.code)

local missing = cp.spawnSync("bad_command")
print(missing.error)
