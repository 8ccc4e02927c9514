-- `execFileSync` returns what a program prints, and raises an error if the program fails. There is
-- no shell between.

local cp = require("child_process")

io.write(cp.execFileSync("printf", { "%s\n", "no $HOME, no *" }))

local ok, err = pcall(cp.execFileSync, "grep", { "-q", "b" }, { input = "a\n" })
if not ok and err.code then
  print("grep was not run to its end: " .. err.code)
elseif not ok then
  print("grep exited with code " .. err.status)
end
