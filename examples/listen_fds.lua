-- A listening socket as descriptor 3 of a child, as systemd starts servers: the variable LISTEN_FDS
-- tells how many descriptors there are from 3 on, and LISTEN_PID whom they are for. The child is
-- this script, too.
--
--   lua5.4 examples/listen_fds.lua [port]

local cp = require("child_process")
local net = require("child_process.net")
local process = require("child_process.process")

local env = process.env

if env.LISTEN_FDS == "1" and env.LISTEN_PID == tostring(process.pid) then -- we are the child
  env.LISTEN_FDS, env.LISTEN_PID = nil, nil -- they are not for children of ours
  local server = net.createServer(function(socket)
    socket:finish("handled by " .. process.pid .. "\n")
  end)
  server:listen({fd = 3})
else
  local port = math.tointeger(tonumber(arg[1])) or 1337
  local server = net.createServer()
  server:listen(port, "127.0.0.1", function()
    -- Only the child knows its pid, which stays the same when the shell becomes the server.
    local start = 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"'
    cp.spawn("sh", {"-c", start, "sh", process.execPath, arg[0]}, {
      stdio = {"ignore", "inherit", "inherit", server},
    })
    print("listening on " .. server:address().port)
    server:close() -- the child has it
  end)
end

cp.run()
