-- Prints the checksums of files, in their order, while several programs compute them at once. After
-- a deadline, or at Ctrl-C, all is ended: the programs that run, and those that would follow.
--
--   lua5.4 examples/checksums.lua [-j JOBS] [-t SECONDS] [--] [FILE...]
--
-- Ends with 1 if a file could not be read, 2 if it was called in a wrong way, 124 after the
-- deadline, 130 after Ctrl-C.

local abort = require("child_process.abort")
local cp = require("child_process")
local process = require("child_process.process")
local Promise = require("child_process.promise")

local jobs, seconds = 4, 60

local function usage(problem)
  io.stderr:write("checksums: ", problem, "\n",
    "usage: checksums.lua [-j JOBS] [-t SECONDS] [--] [FILE...]\n")
  os.exit(2)
end

local LONGEST = (2 ^ 31 - 1) // 1000 -- seconds that a timer can take

local options = {
  ["-j"] = function(value)
    jobs = math.tointeger(tonumber(value))
    return jobs and jobs > 0, "a number of jobs, 1 at least"
  end,
  ["-t"] = function(value)
    seconds = tonumber(value)
    return seconds and seconds >= 0 and seconds <= LONGEST,
      ("a number of seconds, %d at most"):format(LONGEST)
  end,
}

-- Options end at "--", or at the first argument that is none.
local position = 1
while (arg[position] or ""):find("^%-.") do
  local name, value = arg[position], arg[position + 1]
  position = position + 1
  if name == "--" then
    break
  elseif not options[name] then
    usage("there is no option " .. name)
  end
  local ok, expected = options[name](value)
  if not ok then
    usage(name .. " takes " .. expected)
  end
  position = position + 1
end

local files = table.move(arg, position, #arg, 1, {})
if #files == 0 then
  files[1] = arg[0]
end

-- One signal for everything, which Ctrl-C or the deadline aborts.
local interrupt = abort.AbortController()
local deadline = abort.AbortSignal.timeout(math.ceil(seconds * 1000))
local signal = abort.AbortSignal.any({ interrupt.signal, deadline })

local function onInterrupt()
  interrupt:abort("interrupted")
end

process:on("SIGINT", onInterrupt)

-- Results wait here for those before them.
local results = {}
local printed, failures = 0, 0

local function report(index, result)
  results[index] = result
  while results[printed + 1] do
    printed = printed + 1
    result = results[printed]
    if result.line then
      io.write(result.line)
    else
      failures = failures + 1
      io.stderr:write(result.problem, "\n")
    end
  end
end

--- The checksum of a file and its name, as sha256sum prints them, or what it has against the file.
--- Raises an error when all is ended.
local function checksum(file)
  local run = cp.promises.execFile("sha256sum", { "--", file }, { signal = signal })
  local ok, outcome = pcall(run.await, run)
  -- A terminal sends SIGINT to our children as well, and one may end of it before we hear of it.
  if not ok and outcome.signal == "SIGINT" then
    onInterrupt()
  end
  signal:throwIfAborted()
  if ok then
    return { line = outcome.stdout }
  end
  return { problem = outcome.stderr ~= "" and outcome.stderr:gsub("\n$", "") or outcome.message }
end

-- Each worker takes the next file until there is none left.
local last = 0

local function work()
  while last < #files do
    last = last + 1
    local index = last
    report(index, checksum(files[index]))
  end
end

local workers = {}
for number = 1, math.min(jobs, #files) do
  workers[number] = cp.async(work)
end

local all = Promise.all(workers)
local ok, reason = pcall(all.await, all)
cp.run() -- until the last child has ended

if not ok then
  if not signal.aborted then
    error(reason, 0)
  end
  io.stderr:write(("checksums: %s, %d of %d done\n"):format(
    type(reason) == "string" and reason or reason.message, printed, #files))
  os.exit(deadline.aborted and 124 or 130, true)
end
os.exit(failures == 0 and 0 or 1, true)
