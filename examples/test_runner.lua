-- Runs test files in parallel, each as a program of its own with limits, and leaves nothing behind:
-- whatever a test has started ends with it. The report shows when each test ran, how it ended and
-- what it used. A test passes if it exits with code 0 and leaves no process.
--
--   lua5.4 examples/test_runner.lua [FILE...]
--
-- Without arguments it runs the files in examples/tests, most of which misbehave. The environment
-- variable JOBS says how many run at once (4), TIMEOUT for how many milliseconds each may (3000).

local cp = require("child_process")
local process = require("child_process.process")

local JOBS = tonumber(process.env.JOBS) or 4
local TIMEOUT = tonumber(process.env.TIMEOUT) or 3000
local WIDTH = 30 -- of the bars

local files = arg
if #files == 0 then
  local folder = (arg[0]:match("^(.*)/[^/]*$") or ".") .. "/tests"
  files = {}
  for name in cp.execFileSync("ls", {folder}, {encoding = "utf8"}):gmatch("[^\n]+") do
    files[#files + 1] = folder .. "/" .. name
  end
end

local function seconds(since)
  local span = process:hrtime(since)
  return span[1] + span[2] / 1e9
end

local start = process:hrtime()

-- The first line of what a test has written to stderr, without the interpreter's name; nil without
-- any.
local function firstLine(text)
  local line = text:match("[^\n]+")
  return line and (line:gsub("^[^:]*: ", ""):gsub("^[^:]*/", ""))
end

-- Runs one test. Returns a record of how it went.
local function run(file)
  local test = {name = file:match("[^/]*$"), from = seconds(start)}
  local child = cp.spawn(process.execPath, {file}, {
    stdio = {"ignore", "pipe", "pipe"},
    tree = true, -- whatever ends the test ends what it has started, too
    timeout = TIMEOUT,
    forceKillAfterDelay = 200, -- milliseconds from SIGTERM to SIGKILL
    waitDelay = 200, -- for output that a job holds open after the test has ended
    killOnParentExit = true,
    limits = {as = "256M", cpu = 1, core = 0},
  })
  local messages = {}
  child.stderr:on("data", function(data) messages[#messages + 1] = data end)
  child.stdout:resume()
  local code, signal = child:wait("exit")
  test.leftJobs = child:kill("SIGKILL", {tree = true})
  child:wait("close")

  test.to = seconds(start)
  test.usage = child:resourceUsage()
  if child.timedOut then
    test.verdict = "timed out"
  elseif signal then
    test.verdict = signal
  elseif code ~= 0 then
    test.verdict = firstLine(table.concat(messages)) or "code " .. code
  elseif test.leftJobs then
    test.verdict = "left a job, killed"
  else
    test.verdict, test.passed = "passed", true
  end
  return test
end

local tests, nextFile = {}, 1

-- Each worker takes the next file until none is left.
local function worker()
  while files[nextFile] do
    local index = nextFile
    nextFile = nextFile + 1
    tests[index] = run(files[index])
  end
end

for _ = 1, JOBS do
  cp.async(worker)
end
cp.run()

local total = seconds(start)

local function bar(test)
  local from = math.floor(test.from / total * WIDTH)
  local to = math.max(from + 1, math.floor(test.to / total * WIDTH))
  return (" "):rep(from) .. ("="):rep(to - from) .. (" "):rep(WIDTH - to)
end

local function usage(test)
  local cpu = (test.usage.userCPUTime + test.usage.systemCPUTime) / 1e6
  local memory = test.usage.maxRSS
  return ("%.2f s  %s"):format(cpu, memory and ("%5.1f MiB"):format(memory / 1024) or "        -")
end

local FORMAT = "%-18s |%s| %-14s %s"
print(FORMAT:format("test", ("0 s%" .. WIDTH - 3 .. "s"):format(("%.1f s"):format(total)),
  "cpu     memory", "result"))
local passed = 0
for _, test in ipairs(tests) do
  passed = passed + (test.passed and 1 or 0)
  print(FORMAT:format(test.name, bar(test), usage(test), test.verdict))
end
print(("%d of %d passed"):format(passed, #tests))
