-- Synchronous calls that succeed and fail in every way there is, for tests of what calls leave
-- behind. Those that need descriptors to be scarce, or that not every tool around this process
-- survives, are left to the tests.

local compat = require("child_process.base.compat")
local cp = require("child_process")

local execFileSync, execSync, spawnSync = cp.execFileSync, cp.execSync, cp.spawnSync

local MEBIBYTE = ("x"):rep(1048576)
local PIPES = {"pipe", "pipe", "pipe", "pipe", "pipe"}
local NULL = assert(io.open("/dev/null"))

local ways = {}

--- A call and how it ends: the outcome, the function, its arguments. The outcome is the stdout that
--- is handed over, false where there is none; of a call that fails it is the code of the error, the
--- status, or the name of the signal.
---@alias SyncWay table

---@type SyncWay[]
ways.successes = {
  {false, spawnSync, "true", {stdio = "ignore"}},
  {"", spawnSync, "true"},
  {MEBIBYTE, spawnSync, "cat", {input = MEBIBYTE}},
  {"6869", spawnSync, "cat", {input = "6869", encoding = "hex", stdio = {"ignore"}}},
  {"a b\n", spawnSync, "echo a b", {shell = true, cwd = "/", env = {}, timeout = 60000}},
  {"out\n", spawnSync, "sh", {"-c", "echo out; echo >&3; cat <&4"}, {stdio = PIPES}},
  {"", spawnSync, "cat", {stdio = {NULL, "pipe", "inherit"}}},
  {"out\n", execSync, "echo out"},
  {"out", execFileSync, "printf", {"out"}},
}

---@type SyncWay[]
ways.failures = {
  -- cannot be started
  {"ENOENT", spawnSync, "no such program"},
  {"ENOENT", spawnSync, "no such program", {input = MEBIBYTE, stdio = PIPES}},
  {"ENOENT", spawnSync, "true", {cwd = "/no such folder"}},
  {"ENOENT", spawnSync, "true", {shell = "/no such shell"}},
  {"ENOTDIR", spawnSync, "true", {cwd = "/dev/null"}},
  {"ENOTDIR", spawnSync, "/dev/null/program"},
  {"EACCES", spawnSync, "/dev/null"},
  {"EBADF", spawnSync, "true", {stdio = {"pipe", "pipe", 999, "pipe"}}},
  {"ENOENT", execFileSync, "no such program"},
  {"ENOENT", execSync, "true", {cwd = "/no such folder"}},
  -- does not succeed
  {3, spawnSync, "sh", {"-c", "echo a; echo b >&2; exit 3"}, {encoding = "utf8"}},
  {"SIGKILL", spawnSync, "sh", {"-c", "kill -KILL $$"}},
  {3, execSync, "exit 3"},
  {127, execSync, "no_such_command", {stdio = "pipe"}},
  {1, execFileSync, "false"},
  {"SIGKILL", execSync, "kill -KILL $$"},
  -- takes too long; a grandchild does in the last
  {"ETIMEDOUT", spawnSync, "sleep", {"30"}, {timeout = 1}},
  {"ETIMEDOUT", spawnSync, "sleep", {"30"}, {timeout = 1, input = MEBIBYTE, stdio = "ignore"}},
  {"ETIMEDOUT", spawnSync, "sleep", {"30"}, {timeout = 1, input = MEBIBYTE, stdio = PIPES}},
  {"ETIMEDOUT", execSync, "exec sleep 30", {timeout = 1}},
  {"ETIMEDOUT", execFileSync, "sleep", {"30"}, {timeout = 1}},
  {"ETIMEDOUT", spawnSync, "sh", {"-c", "trap '' TERM; exec sleep 30"}, {
    timeout = 1, killSignal = "SIGKILL",
  }},
  {"ETIMEDOUT", spawnSync, "sh", {"-c", "sleep 2 &"}, {timeout = 10}},
  -- prints too much
  {"ENOBUFS", spawnSync, "yes"},
  {"ENOBUFS", spawnSync, "exec yes >&2", {shell = true, maxBuffer = 0}},
  {"ENOBUFS", spawnSync, "sh", {"-c", "exec yes >&4"}, {maxBuffer = 10, stdio = PIPES}},
  {"ENOBUFS", execSync, "exec yes", {maxBuffer = 1000}},
  {"ENOBUFS", execFileSync, "yes", {maxBuffer = 1000}},
  -- misuse
  {"ERR_INVALID_ARG_VALUE", spawnSync, ""},
  {"ERR_INVALID_ARG_VALUE", spawnSync, "true", {"\0"}},
  {"ERR_INVALID_ARG_VALUE", spawnSync, "true", {stdio = "ipc"}},
  {"ERR_INVALID_ARG_TYPE", execFileSync, "true", {{}}},
  {"ERR_INVALID_ARG_TYPE", execSync, "true", {input = 1}},
  {"ERR_OUT_OF_RANGE", spawnSync, "true", {timeout = -1}},
  {"ERR_OUT_OF_RANGE", spawnSync, "true", {maxBuffer = -1}},
  {"ERR_UNKNOWN_SIGNAL", spawnSync, "true", {killSignal = "SIGNONE"}},
  {"ERR_IPC_SYNC_FORK", spawnSync, "true", {stdio = {"pipe", "ipc"}}},
  {"ERR_INVALID_SYNC_FORK_INPUT", spawnSync, "true", {stdio = {"pipe", "pipes"}}},
}

--- How a call has ended.
---@param ok boolean whether it has returned
---@param result any what it returned or raised
local function outcome(ok, result)
  if not ok then return result.code or result.status or result.signal or tostring(result) end
  if type(result) ~= "table" then return result or false end
  if result.error then return result.error.code end
  if result.status == 0 then return result.stdout or false end
  return result.status or result.signal
end

--- Makes a call. Raises an error when it ends in another way than it should.
---@param way SyncWay
function ways.take(way)
  local expected, call = way[1], way[2]
  local found = outcome(pcall(call, compat.unpack(way, 3)))
  if found ~= expected then
    error(("%s: expected %.99s, found %.99s"):format(way[3], expected, found), 2)
  end
end

return ways
