-- Leaves a program behind that writes to a log file. The argument is the name of the log.

local cp = require("child_process")

local log = arg[1] or os.tmpname()
local out = assert(io.open(log, "a"))
local err = assert(io.open(log, "a"))

local subprocess = cp.spawn("sh", {"-c", "echo to stdout; echo to stderr >&2"}, {
  detached = true,
  stdio = {"ignore", out, err},
})
subprocess:unref()

print("writes to " .. log)

cp.run()
