-- Leaves a program behind whose output goes to a log file. Takes the name of the log as argument.

local cp = require("child_process")

local log = arg[1] or os.tmpname()
local out = assert(io.open(log, "a"))
local err = assert(io.open(log, "a"))

local subprocess = cp.spawn("sh", { "-c", "echo to stdout; echo to stderr >&2" }, {
  detached = true,
  stdio = { "ignore", out, err },
})
subprocess:unref()

print("writes to " .. log)

cp.run()
