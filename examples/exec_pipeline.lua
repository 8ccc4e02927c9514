-- `exec` runs a shell command and passes all of its output to a callback at the end.

local cp = require("child_process")

local here = arg[0]:match("^(.*)/[^/]*$") or "."

cp.exec("cat *.lua missing_file | wc -l", {cwd = here}, function(err, stdout, stderr)
  if err then
    io.stderr:write("exec error: ", tostring(err), "\n")
    return
  end
  print("stdout: " .. stdout)
  io.stderr:write("stderr: ", stderr, "\n")
end)

cp.run()
