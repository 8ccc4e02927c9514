-- The child of send.lua.

if not process then -- a global of scripts that `fork` has started
  io.stderr:write("This script is the child of another: run send.lua instead.\n")
  os.exit(1)
end

process:on("message", function(m)
  print("CHILD got message: hello = " .. m.hello)
end)

-- Causes the parent to print: PARENT got message: foo = bar, baz = null
process:send({foo = "bar", baz = 0 / 0})
