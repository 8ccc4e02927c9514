-- `execSync` returns the output of a shell command, and raises an error if the command fails.

local cp = require("child_process")

io.write(cp.execSync("echo one two three | wc -w"))

-- Everything that a command writes to its standard error is written to ours.
cp.execSync("echo a warning >&2")

local ok, err = pcall(cp.execSync, "echo half of it; echo no more >&2; exit 3", {stdio = "pipe"})
print(ok, err)
print("status: " .. err.status)
print("stdout: " .. err.stdout)
