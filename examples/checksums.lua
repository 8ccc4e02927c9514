-- Prints the checksums of files in order, while several programs compute them at once. A deadline
-- or Ctrl-C ends everything: the running programs are killed, and no others are started.
--
--   lua5.4 examples/checksums.lua [-j JOBS] [-t SECONDS] [--] [FILE...]
--
-- Exits with 1 if a file could not be read, with 2 if the arguments are wrong, with 124 after the
-- deadline, with 130 after Ctrl-C.

local abort = require("child_process.abort")
local cp = require("child_process")
local process = require("child_process.process")
local Promise = require("child_process.promise")

local unpack = table.unpack or unpack -- before Lua 5.2

local jobs, seconds = 4, 60

local function usage(problem)
  io.stderr:write("checksums: ", problem, "\n",
    "usage: checksums.lua [-j JOBS] [-t SECONDS] [--] [FILE...]\n")
  os.exit(2)
end

local LONGEST = 2147483 -- seconds, 24 days: a longer deadline is surely a mistake

local options = {
  ["-j"] = function(value)
    jobs = tonumber(value)
    return jobs and jobs > 0 and jobs % 1 == 0, "a number of jobs, 1 at least"
  end,
  ["-t"] = function(value)
    seconds = tonumber(value)
    return seconds and seconds >= 0 and seconds <= LONGEST,
      ("a number of seconds, %d at most"):format(LONGEST)
  end,
}

-- Options end at "--", or at the first argument that is not an option.
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

local files = {unpack(arg, position)}
if #files == 0 then
  files[1] = arg[0]
end

-- One signal for all children. Ctrl-C or the deadline aborts it.
local interrupt = abort.AbortController()
local deadline = abort.AbortSignal.timeout(math.ceil(seconds * 1000))
local signal = abort.AbortSignal.any({interrupt.signal, deadline})

local function onInterrupt()
  interrupt:abort("interrupted")
end

process:on("SIGINT", onInterrupt)

-- Results wait here until all results before them are printed.
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

--- Returns the line that sha256sum prints for a file, or its error message. Raises an error after
--- the deadline or Ctrl-C.
local function checksum(file)
  local failure
  local run = cp.promises.execFile("sha256sum", {"--", file}, {signal = signal})
  local result = run:catch(function(err) failure = err end):await()
  -- A terminal also sends SIGINT to our children, and a child may end because of it before we are
  -- notified.
  if failure and failure.signal == "SIGINT" then
    onInterrupt()
  end
  signal:throwIfAborted()
  if not failure then
    return {line = result.stdout}
  end
  return {problem = failure.stderr ~= "" and failure.stderr:gsub("\n$", "") or failure.message}
end

-- Each worker takes the next file until no file is left.
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
