-- `execFileSync` returns the output of a program, and raises an error if the program fails. It uses
-- no shell.

local cp = require("child_process")

io.write(cp.execFileSync("printf", {"%s\n", "no $HOME, no *"}))

local ok, err = pcall(cp.execFileSync, "grep", {"-q", "b"}, {input = "a\n"})
if not ok and err.code then
  print("grep was not run to its end: " .. err.code)
elseif not ok then
  print("grep exited with code " .. err.status)
end
