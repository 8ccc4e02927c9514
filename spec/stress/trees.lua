-- Starts trees of five processes each, many at once, and ends them in every way. Prints what is
-- left of them, and exits with 1 when that is anything.
--
--   lua5.4 spec/stress/trees.lua [COUNT]     (default: STRESS_TREES in the environment, or 500)
--
-- 10,000 trees take some two minutes on two processors that have nothing else to do.

local abort = require("child_process.abort")
local cp = require("child_process")
local lfs = require("lfs")
local process = require("child_process.process")
local support = require("spec.support")
local trees = require("spec.support.trees")
local verdict = require("spec.support.verdict")

local check = verdict.check

local COUNT = tonumber(arg[1] or os.getenv("STRESS_TREES") or 500)
local AT_ONCE = 40
local LONGEST = 60 + COUNT / 10 -- seconds

-- What all processes of a run have in their environment, so that they can be found.
local MARK = "STRESS_TREES_OF=" .. process.pid

-- Each shell has four descendants, and prints when it has started them. All hold descriptor 3.
local FOUR = "sleep 1000 & sleep 1000 & sleep 1000 & sleep 1000 & echo r; "
local SHELL = FOUR .. "wait"
local STUBBORN = "trap '' TERM; " .. FOUR .. "wait; wait"
local SESSIONS = "setsid sleep 1000 & "
  .. "setsid sh -c 'sleep 1000 & setsid sleep 1000 & echo r; wait' & wait"
local GROWING = "echo r; while :; do sleep 1000 & [ $((n += 1)) -lt 50 ] || wait; done"
local LOUD = "sleep 1000 & sleep 1000 & sleep 1000 & yes & wait"

local witness = trees.witness()
local environment = support.merge(process.env, {STRESS_TREES_OF = tostring(process.pid)})

local function options(changes)
  return support.merge({
    tree = true, env = environment, stdio = {"ignore", "pipe", "pipe", witness.stream},
  }, changes)
end

local startNext -- to be called when a tree has ended

local function spawn(command, changes)
  local child = cp.spawn("sh", {"-c", command}, options(changes))
  child:on("error", function(err)
    if err.name ~= "AbortError" then error(err) end
  end)
  child:on("close", startNext)
  return child
end

-- Calls a function when the tree has been started.
local function whenReady(command, fn, changes)
  local child = spawn(command, changes)
  child.stdout:once("data", function() fn(child) end)
end

local function kill(signal)
  return function(child) child:kill(signal) end
end

local function dispose(child) child:dispose({grace = 20}) end

-- The shell ends, and leaves four processes in its group.
local function whenLeaderHasEnded(fn)
  local child = spawn(FOUR)
  child:on("exit", function() fn(child) end)
end

local function runSync(command, changes)
  cp.spawnSync("sh", {"-c", command}, options(changes))
  startNext()
end

---@type fun(number: integer)[]
local WAYS = {
  function() whenReady(SHELL, kill("SIGTERM")) end,
  function() whenReady(SHELL, kill("SIGKILL")) end,
  function() whenReady(GROWING, kill("SIGTERM")) end,
  function() whenReady(GROWING, kill("SIGKILL")) end,
  function() whenLeaderHasEnded(kill("SIGTERM")) end,
  function() whenLeaderHasEnded(dispose) end,
  function(number) spawn(SHELL, {timeout = 1 + number % 40}) end,
  function(number) spawn(STUBBORN, {timeout = 1 + number % 40, forceKillAfterDelay = 5}) end,
  function()
    local controller = abort.AbortController()
    whenReady(SHELL, function() controller:abort() end, {signal = controller.signal})
  end,
  function() cp.execFile("sh", {"-c", LOUD}, options({maxBuffer = 100}), startNext) end,
  function() whenReady(SHELL, dispose) end,
  function() whenReady(STUBBORN, dispose) end,
  function(number) runSync(SHELL, {timeout = 1 + number % 20}) end,
  function(number) runSync(STUBBORN, {timeout = 5 + number % 10, forceKillAfterDelay = 1}) end,
  function() runSync(LOUD, {maxBuffer = 100}) end,
}

if support.forLinux then
  WAYS[#WAYS + 1] = function() whenReady(SESSIONS, kill("SIGTERM")) end
  WAYS[#WAYS + 1] = function()
    whenReady(SHELL, function(child) child:kill("SIGKILL", {tree = true}) end, {tree = false})
  end
end

local started, ended = 0, 0

-- The next one is not started in the callback: synchronous calls would nest.
local function start()
  started = started + 1
  process:nextTick(WAYS[started % #WAYS + 1], started)
end

function startNext()
  ended = ended + 1
  if started < COUNT then
    start()
  elseif ended == COUNT then
    witness.stream:finish()
    witness.child:ref()
  end
end

--- Processes with our mark in their environment.
local function findLeft()
  local found = {}
  for name in lfs.dir("/proc") do
    local file = name:find("^%d+$") and io.open("/proc/" .. name .. "/environ")
    local text = file and file:read("*a")
    if file then file:close() end
    if text and text:find(MARK, 1, true) then found[#found + 1] = name end
  end
  return found
end

--- What ps says of these processes.
local function describe(pids)
  if not pids[1] then return "" end
  local list = table.concat(pids, ",")
  return "\n" .. cp.spawnSync("ps", {"-o", "pid,ppid,pgid,stat,args", "-p", list}).stdout
end

local descriptors = #support.openFds()
local seconds = process:hrtime()[1]

for _ = 1, math.min(COUNT, AT_ONCE) do start() end
-- It returns when nobody holds the stream of the witness any more.
local isOver, problem = pcall(support.run, LONGEST)

check(isOver, "the loop has ended%s", isOver and "" or (": " .. tostring(problem)))
check(ended == COUNT, "%d of %d trees have ended, in %d ways, in %d s", ended, COUNT, #WAYS,
  process:hrtime()[1] - seconds)
local left = findLeft()
check(#left == 0, "%d processes are left%s", #left, describe(left))
check(#support.zombies() == 0, "%d zombies are left", #support.zombies())
descriptors = #support.settledFds() - descriptors
check(descriptors <= 0, "%d descriptors are left", math.max(descriptors, 0))
verdict.exit()
