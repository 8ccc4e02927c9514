-- Runs a script whose name has a space in a shell: once by `spawn`, once by `exec`.

local cp = require("child_process")

local folder, name = os.tmpname():match("^(.*)/(.*)$")
local script = name .. " my script"
local file = assert(io.open(folder .. "/" .. script, "w"))
file:write('echo "$1 and $2"\n')
file:close()

local spawned = cp.spawn(('sh "%s"'):format(script), {"a", "b"}, {shell = true, cwd = folder})

spawned.stdout:on("data", function(data)
  io.write("spawn: ", data)
end)

spawned:on("exit", function(code)
  print("Child exited with code " .. code)

  cp.exec(('sh "%s" a b'):format(script), {cwd = folder}, function(err, stdout)
    os.remove(folder .. "/" .. script)
    os.remove(folder .. "/" .. name)
    if err then
      io.stderr:write(tostring(err), "\n")
      return
    end
    io.write("exec: ", stdout)
  end)
end)

cp.run()
