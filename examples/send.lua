-- A parent and a child send each other a message. The child is sub.lua.

local cp = require("child_process")

local here = arg[0]:match("^(.*)/[^/]*$") or "."

local n = cp.fork(here .. "/sub.lua")

n:on("message", function(m)
  print("PARENT got message: foo = " .. m.foo .. ", baz = " .. (m.baz == cp.null and "null" or "?"))
  n:disconnect()
end)

-- Causes the child to print: CHILD got message: hello = world
n:send({hello = "world"})

cp.run()
