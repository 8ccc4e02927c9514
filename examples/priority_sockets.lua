-- Sends each connection to one of two children, which handle connections with "normal" and with
-- "special" priority. The children run priority_sockets_child.lua.
--
--   lua5.4 examples/priority_sockets.lua [port [special address]]

local cp = require("child_process")
local net = require("child_process.net")

local here = arg[0]:match("^(.*)/[^/]*$") or "."
local port = tonumber(arg[1]) or 1337
local specialAddress = arg[2] or "74.125.127.100"

local normal = cp.fork(here .. "/priority_sockets_child.lua", {"normal"})
local special = cp.fork(here .. "/priority_sockets_child.lua", {"special"})

-- Open up the server and send sockets to child. Use pauseOnConnect to prevent the sockets from
-- being read before they are sent to the child process.
local server = net.createServer({pauseOnConnect = true})

server:on("connection", function(socket)
  -- If this is special priority...
  if socket.remoteAddress == specialAddress then
    special:send("socket", socket)
    return
  end
  -- This is normal priority.
  normal:send("socket", socket)
end)

server:listen(port, "127.0.0.1", function()
  local listening = server:address().port
  print(("listening on %d; to connect: nc 127.0.0.1 %d"):format(listening, listening))
  io.stdout:flush() -- before Lua 5.2, print does not
end)

cp.run()
