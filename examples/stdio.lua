-- Shows what can be connected to a child's descriptors.

local cp = require("child_process")
local process = require("child_process.process")

-- Child will use parent's stdios.
cp.spawn("echo", {"on the parent's stdout"}, {stdio = "inherit"})

-- Spawn child sharing only stderr.
cp.spawn("sh", {"-c", "echo on the parent\\'s stderr >&2"}, {
  stdio = {"pipe", "pipe", process.stderr},
})

-- Open an extra fd=4, to interact with programs presenting a startd-style interface.
local prg = cp.spawn("sh", {"-c", "read line <&4; echo ready: $line >&4"}, {
  stdio = {"pipe", nil, nil, nil, "pipe"},
})
prg.stdio[4]:on("data", function(data)
  io.write("on fd 4: ", data)
end)
prg.stdio[4]:write("start\n")

cp.run()
