-- The child of send.lua.

process:on("message", function(m)
  print("CHILD got message: hello = " .. m.hello)
end)

-- Causes the parent to print: PARENT got message: foo = bar, baz = null
process:send({ foo = "bar", baz = 0 / 0 })
