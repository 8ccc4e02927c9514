-- A listening socket as descriptor 3 of a child, which is told by the variable LISTEN_FDS: how
-- systemd and others start servers. The child is this script, too.
--
--   lua5.4 examples/listen_fds.lua [port]

local cp = require("child_process")
local net = require("child_process.net")
local process = require("child_process.process")

if process.env.LISTEN_FDS == "1" then -- we are the child
  local server = net.createServer(function(socket)
    socket:finish("handled by " .. process.pid .. "\n")
  end)
  server:listen({fd = 3})
else
  local port = math.tointeger(tonumber(arg[1])) or 1337
  local server = net.createServer()
  server:listen(port, "127.0.0.1", function()
    local env = {LISTEN_FDS = "1"}
    for name, value in pairs(process.env) do env[name] = value end
    cp.spawn(process.execPath, {arg[0]}, {
      stdio = {"ignore", "inherit", "inherit", server},
      env = env,
    })
    print("listening on " .. server:address().port)
    server:close() -- the child has it
  end)
end

cp.run()
