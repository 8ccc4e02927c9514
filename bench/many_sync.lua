-- Makes 20,000 synchronous calls, every other of which fails, in each way there is. Prints what the
-- process holds after 2,000 and after all of them, and exits with 1 when that has grown.
--
--   lua5.4 bench/many_sync.lua
local cp = require("child_process")
local process = require("child_process.process")

local FIRST, LAST = 2000, 20000
local DESCRIPTORS = 64
local MARGIN_KIB = 256

-- With few descriptors to be had it does not take long to use them up. The C library gives larger
-- pieces of memory back at once, so that what is resident is what is in use.
if arg[1] ~= "limited" then
  local command = ([[
    ulimit -n %d && exec env MALLOC_MMAP_THRESHOLD_=65536 MALLOC_TRIM_THRESHOLD_=65536 "$@"
  ]]):format(DESCRIPTORS)
  local args = { "-c", command, "sh", process.execPath, arg[0], "limited" }
  os.exit(cp.spawnSync("sh", args, { stdio = "inherit" }).status == 0)
end

local MEBIBYTE = ("x"):rep(1 << 20)

-- Expects a result without an error, with this stdout.
local function gives(stdout, ...)
  local result = cp.spawnSync(...)
  assert(not result.error, result.error)
  assert(result.status == 0 and result.stdout == stdout)
end

-- Expects what a function returns.
local function returns(value, fn, ...)
  assert(fn(...) == value)
end

-- Expects an error of this code in the result.
local function fails(code, ...)
  local result = cp.spawnSync(...)
  assert(result.error and result.error.code == code, result.error or "no error")
end

-- Expects an error that is raised, with this value in one of its fields.
local function raises(field, value, fn, ...)
  local ok, err = pcall(fn, ...)
  assert(not ok and err[field] == value, not ok and err or "no error")
end

-- Expects a call to fail when only so many descriptors are to be had.
local function starves(left)
  local files = {}
  repeat
    local file = io.open("/dev/null")
    files[#files + 1] = file
  until not file
  for _ = 1, left do
    table.remove(files):close()
  end
  local ok, err = pcall(fails, "EMFILE", "true")
  for _, file in ipairs(files) do
    file:close()
  end
  assert(ok, err)
end

local successes = {
  { gives, nil, "true", { stdio = "ignore" } },
  { gives, "", "true" },
  { gives, MEBIBYTE, "cat", { input = MEBIBYTE } },
  { gives, "6869", "cat", { input = "6869", encoding = "hex", stdio = { "ignore" } } },
  { gives, "a b\n", "echo a b", { shell = true, cwd = "/", env = {}, timeout = 60000 } },
  { gives, "", "sh", { "-c", "echo >&3" }, { stdio = { nil, nil, nil, "pipe" } } },
  { returns, "out\n", cp.execSync, "echo out" },
  { returns, "out", cp.execFileSync, "printf", { "out" } },
}

local failures = {
  -- cannot be started
  { fails, "ENOENT", "no such program" },
  { fails, "ENOENT", "true", { cwd = "/no such folder" } },
  { fails, "ENOTDIR", "true", { cwd = "/dev/null" } },
  { fails, "ENOTDIR", "/dev/null/program" },
  { fails, "EACCES", "/dev/null" },
  { fails, "E2BIG", "true", { MEBIBYTE } },
  { fails, "EBADF", "true", { stdio = { "pipe", DESCRIPTORS } } },
  { raises, "code", "ENOENT", cp.execFileSync, "no such program" },
  -- does not succeed
  { raises, "status", 3, cp.execSync, "exit 3" },
  { raises, "status", 127, cp.execSync, "no_such_command", { stdio = "pipe" } },
  { raises, "status", 1, cp.execFileSync, "false" },
  { raises, "signal", "SIGKILL", cp.execSync, "kill -KILL $$" },
  { fails, "EPIPE", "true", { input = MEBIBYTE } },
  -- takes too long; a grandchild does in the last
  { fails, "ETIMEDOUT", "sleep", { "30" }, { timeout = 1 } },
  { fails, "ETIMEDOUT", "sleep", { "30" }, { timeout = 1, input = MEBIBYTE, stdio = "ignore" } },
  { raises, "code", "ETIMEDOUT", cp.execSync, "exec sleep 30", { timeout = 1 } },
  { fails, "ETIMEDOUT", "sh", { "-c", "trap '' TERM; exec sleep 30" }, {
    timeout = 1,
    killSignal = "SIGKILL",
  } },
  { fails, "ETIMEDOUT", "sh", { "-c", "sleep 0.2 &" }, { timeout = 10 } },
  -- prints too much
  { fails, "ENOBUFS", "yes" },
  { fails, "ENOBUFS", "exec yes >&2", { shell = true, maxBuffer = 0 } },
  { raises, "code", "ENOBUFS", cp.execSync, "exec yes", { maxBuffer = 1000 } },
  -- misuse
  { raises, "code", "ERR_INVALID_ARG_VALUE", cp.spawnSync, "" },
  { raises, "code", "ERR_INVALID_ARG_VALUE", cp.spawnSync, "true", { "\0" } },
  { raises, "code", "ERR_INVALID_ARG_VALUE", cp.spawnSync, "true", { stdio = "ipc" } },
  { raises, "code", "ERR_INVALID_ARG_TYPE", cp.execFileSync, "true", { 1 } },
  { raises, "code", "ERR_INVALID_ARG_TYPE", cp.execSync, "true", { input = 1 } },
  { raises, "code", "ERR_OUT_OF_RANGE", cp.spawnSync, "true", { timeout = -1 } },
  { raises, "code", "ERR_OUT_OF_RANGE", cp.spawnSync, "true", { maxBuffer = -1 } },
  { raises, "code", "ERR_UNKNOWN_SIGNAL", cp.spawnSync, "true", { killSignal = "SIGNONE" } },
  { raises, "code", "ERR_IPC_SYNC_FORK", cp.spawnSync, "true", { stdio = { "pipe", "ipc" } } },
  { raises, "code", "ERR_INVALID_SYNC_FORK_INPUT", cp.spawnSync, "true", {
    stdio = { "pipe", "pipes" },
  } },
  -- too few descriptors for three pipes
  { starves, 0 },
  { starves, 1 },
  { starves, 2 },
  { starves, 3 },
  { starves, 4 },
  { starves, 5 },
}

local function call(number)
  local kinds = number % 2 == 0 and failures or successes
  local kind = kinds[number // 2 % #kinds + 1]
  local ok, err = pcall(table.unpack(kind))
  if not ok then
    error(("%s %s: %s"):format(kind[2], kind[3], err))
  end
end

local function readFile(path)
  local file <close> = assert(io.open(path))
  return file:read("a")
end

local function descriptors()
  local count = 0
  for fd = 0, DESCRIPTORS - 1 do
    local file <close> = io.open(("/proc/self/fdinfo/%d"):format(fd))
    count = count + (file and 1 or 0)
  end
  return count
end

-- Children that run, or that have ended and were not waited for.
local function children()
  local list = readFile(("/proc/self/task/%d/children"):format(process.pid))
  return select(2, list:gsub("%d+", ""))
end

local function residentKiB()
  collectgarbage()
  return tonumber(readFile("/proc/self/smaps_rollup"):match("Rss:%s*(%d+)"))
end

-- Prints and returns what the process holds.
local function holds(calls)
  local held = { descriptors(), children(), residentKiB() }
  print(("%5d calls: %d descriptors, %d children, %d KiB resident"):format(
    calls,
    table.unpack(held)
  ))
  return held
end

for number = 1, FIRST do
  call(number)
end
local before = holds(FIRST)
for number = FIRST + 1, LAST do
  call(number)
end
local after = holds(LAST)

if after[1] > before[1] or after[2] > 0 or after[3] > before[3] + MARGIN_KIB then
  print("this has grown")
  os.exit(1)
end
