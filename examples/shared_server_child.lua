-- The child of shared_server.lua.

if not process then -- a global of scripts that `fork` has started
  io.stderr:write("This script is the child of another: run shared_server.lua instead.\n")
  os.exit(1)
end

process:on("message", function(m, server)
  if m == "server" then
    server:on("connection", function(socket)
      socket:finish("handled by child")
    end)
    process:once("disconnect", function()
      server:close()
    end)
  end
end)
