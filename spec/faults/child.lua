-- The other side of the flows with messages: answers each, and ends with the channel.

local process = require("child_process.process")

process:on("message", function(message, handle)
  if message == "server" then
    handle:on("connection", function(socket)
      socket:finish("from the child")
      handle:close()
    end)
  end
  process:send({answer = message})
end)
