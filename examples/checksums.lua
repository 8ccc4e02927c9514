-- Prints the checksums of files, in their order, while several programs compute them at once. After
-- a deadline, or at Ctrl-C, all is ended: the programs that run, and those that would follow.
--
--   lua5.4 examples/checksums.lua [-j JOBS] [-t SECONDS] [FILE...]
--
-- Ends with 1 if a file could not be read, 124 after the deadline, 130 after Ctrl-C.

local abort = require("child_process.abort")
local cp = require("child_process")
local process = require("child_process.process")
local Promise = require("child_process.promise")

local jobs, seconds, files = 4, 60, {}

local options = {
  ["-j"] = function(value) jobs = math.tointeger(tonumber(value)) end,
  ["-t"] = function(value) seconds = tonumber(value) end,
}

local position = 1
while arg[position] do
  local set = options[arg[position]]
  if set then
    set(arg[position + 1])
    position = position + 2
  else
    files[#files + 1] = arg[position]
    position = position + 1
  end
end
assert(jobs and jobs > 0, "-j takes a number of jobs")
assert(seconds and seconds >= 0, "-t takes a number of seconds")
if #files == 0 then
  files[1] = arg[0]
end

-- One signal for everything, which Ctrl-C or the deadline aborts.
local interrupt = abort.AbortController()
local deadline = abort.AbortSignal.timeout(math.ceil(seconds * 1000))
local signal = abort.AbortSignal.any({ interrupt.signal, deadline })

process:on("SIGINT", function()
  interrupt:abort("interrupted")
end)

-- Results wait here for those before them.
local results = {}
local printed, failures = 0, 0

local function report(index, result)
  results[index] = result
  while results[printed + 1] do
    printed = printed + 1
    result = results[printed]
    if result.sum then
      print(("%s  %s"):format(result.sum, files[printed]))
    else
      failures = failures + 1
      io.stderr:write(result.problem, "\n")
    end
  end
end

--- The checksum of a file, or what sha256sum has against it. Raises an error when it is aborted.
local function checksum(file)
  local run = cp.promises.execFile("sha256sum", { "--", file }, { signal = signal })
  local ok, outcome = pcall(run.await, run)
  signal:throwIfAborted()
  if ok then
    return { sum = outcome.stdout:match("%x+") }
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
