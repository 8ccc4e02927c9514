-- Makes 20,000 synchronous calls, every other of which fails, in each way there is. Prints what the
-- process holds after 2,000 and after all of them, and exits with 1 when that has grown. Takes half
-- a minute.
--
--   lua5.4 spec/stress/sync.lua

local compat = require("child_process.base.compat")
local cp = require("child_process")
local held = require("spec.support.held")
local process = require("child_process.process")
local support = require("spec.support")
local ways = require("spec.support.sync_ways")

local FIRST, LAST = 2000, 20000
local DESCRIPTORS = 64
-- Pages that are touched late make up to some 30 KiB. The smallest piece of memory that malloc
-- gives, 32 bytes, lost in every call that fails, would be 281 KiB.
local MARGIN_KIB = 256

-- With few descriptors to be had it does not take long to use them up. The C library gives larger
-- pieces of memory back at once, so that what is resident is what is in use.
if arg[1] ~= "limited" then
  local command = ([[
    ulimit -n %d && exec env MALLOC_MMAP_THRESHOLD_=65536 MALLOC_TRIM_THRESHOLD_=65536 "$@"
  ]]):format(DESCRIPTORS)
  local args = {"-c", command, "sh", process.execPath, arg[0], "limited"}
  os.exit(cp.spawnSync("sh", args, {stdio = "inherit"}).status)
end

--- Makes a call when only `left` descriptors are free.
local function starve(left)
  local files = {}
  repeat
    local file = io.open("/dev/null")
    files[#files + 1] = file
  until not file
  for _ = 1, left do table.remove(files):close() end
  local result = cp.spawnSync("true")
  for _, file in ipairs(files) do file:close() end
  return result
end

local failures = {{"E2BIG", cp.spawnSync, "true", {("x"):rep(2 ^ 20)}}}
for left = 0, 5 do -- three pipes need six
  failures[#failures + 1] = {"EMFILE", starve, left}
end
compat.move(ways.failures, 1, #ways.failures, #failures + 1, failures)

local function take(number)
  local kinds = number % 2 == 0 and failures or ways.successes
  ways.take(kinds[math.floor(number / 2) % #kinds + 1])
end

-- Prints and returns what the process holds.
local function holds(calls)
  local amounts = {#support.openFds(), held.children(), held.residentKiB()}
  print(("%5d calls: %d descriptors, %d children, %d KiB resident"):format(
    calls, compat.unpack(amounts)))
  return amounts
end

for number = 1, FIRST do take(number) end
local before = holds(FIRST)
for number = FIRST + 1, LAST do take(number) end
local after = holds(LAST)

if after[1] > before[1] or after[2] > 0 or after[3] > before[3] + MARGIN_KIB then
  print("this has grown")
  os.exit(1)
end
