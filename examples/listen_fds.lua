-- Passes a listening socket to a child as descriptor 3, as systemd does when it starts a server.
-- The variable LISTEN_FDS is the number of such descriptors, and LISTEN_PID the process that they
-- are for. The child runs this script, too.
--
--   lua5.4 examples/listen_fds.lua [port]

local cp = require("child_process")
local net = require("child_process.net")
local process = require("child_process.process")

local env = process.env

if env.LISTEN_FDS == "1" and env.LISTEN_PID == tostring(process.pid) then -- we are the child
  env.LISTEN_FDS, env.LISTEN_PID = nil, nil -- our own children must not see them
  local server = net.createServer(function(socket)
    socket:finish("handled by " .. process.pid .. "\n")
  end)
  server:listen({fd = 3})
else
  local port = tonumber(arg[1]) or 1337
  local server = net.createServer()
  server:listen(port, "127.0.0.1", function()
    -- Only the child knows its pid. The pid stays the same when the shell executes the server.
    local start = 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"'
    cp.spawn("sh", {"-c", start, "sh", process.execPath, arg[0]}, {
      stdio = {"ignore", "inherit", "inherit", server},
    })
    local listening = server:address().port
    print(("listening on %d; to connect: nc 127.0.0.1 %d"):format(listening, listening))
    io.stdout:flush() -- before Lua 5.2, print does not
    server:close() -- the child has it
  end)
end

cp.run()
