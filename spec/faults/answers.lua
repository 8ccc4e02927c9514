-- The other side of the flow of requests: answers each, and ends with the channel.

local process = require("child_process.process")

process:handle(function(value)
  return value
end)
