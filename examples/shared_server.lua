-- A server that the parent and a child share: each connection is handled by whoever is faster. The
-- child is shared_server_child.lua.
--
--   lua5.4 examples/shared_server.lua [port]

local cp = require("child_process")
local net = require("child_process.net")

local here = arg[0]:match("^(.*)/[^/]*$") or "."
local port = math.tointeger(tonumber(arg[1])) or 1337

local subprocess = cp.fork(here .. "/shared_server_child.lua")

-- Open up the server and send the handle.
local server = net.createServer()

server:on("connection", function(socket)
  socket:finish("handled by parent")
end)

server:listen(port, "127.0.0.1", function()
  subprocess:send("server", server)
  print("listening on " .. server:address().port)
end)

cp.run()
