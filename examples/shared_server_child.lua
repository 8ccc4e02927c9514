-- The child of shared_server.lua.

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
