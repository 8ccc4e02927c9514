-- The child of priority_sockets.lua.

if not process then -- a global of scripts that `fork` has started
  io.stderr:write("This script is the child of another: run priority_sockets.lua instead.\n")
  os.exit(1)
end

process:on("message", function(m, socket)
  if m == "socket" then
    if socket then
      -- Check that the client socket exists. It is possible for the socket to be closed between the
      -- time it is sent and the time it is received in the child process.
      socket:finish("Request handled with " .. process.argv[2] .. " priority")
    end
  end
end)
