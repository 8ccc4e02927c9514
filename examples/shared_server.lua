-- A parent and a child share a server: the faster process handles each connection. The child is
-- shared_server_child.lua.
--
--   lua5.4 examples/shared_server.lua [port]

local cp = require("child_process")
local net = require("child_process.net")

local here = arg[0]:match("^(.*)/[^/]*$") or "."
local port = tonumber(arg[1]) or 1337

local subprocess = cp.fork(here .. "/shared_server_child.lua")

-- Open up the server and send the handle.
local server = net.createServer()

server:on("connection", function(socket)
  socket:finish("handled by parent")
end)

server:listen(port, "127.0.0.1", function()
  subprocess:send("server", server)
  local listening = server:address().port
  print(("listening on %d; to connect: nc 127.0.0.1 %d"):format(listening, listening))
  io.stdout:flush() -- before Lua 5.2, print does not
end)

cp.run()
