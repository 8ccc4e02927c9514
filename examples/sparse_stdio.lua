-- Only descriptors that are set to "pipe" have a stream in `child.stdio`; the others are nil.

local cp = require("child_process")

local name = os.tmpname()
local errors = assert(io.open(name, "w"))

local subprocess = cp.spawn("ls", {
  stdio = {
    0, -- Use parent's stdin for child.
    "pipe", -- Pipe child's stdout to parent.
    errors, -- Direct child's stderr to a file.
  },
})

assert(subprocess.stdio[0] == nil)
assert(subprocess.stdio[0] == subprocess.stdin)

assert(subprocess.stdout)
assert(subprocess.stdio[1] == subprocess.stdout)

assert(subprocess.stdio[2] == nil)
assert(subprocess.stdio[2] == subprocess.stderr)

subprocess:on("close", function(code)
  errors:close()
  os.remove(name)
  print("child process exited with code " .. code)
end)

cp.run()
