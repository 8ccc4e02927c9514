-- 10,000 coroutines that each exec a command, at most 64 of which run at once, in memory that
-- does not grow. Then as many that wait for their turn and are cancelled by one signal: no child
-- and no handle may be left, and Lua's memory as it was. Run by `make test-stress`.
--
--   lua5.4 spec/stress/coroutines.lua

local abort = require("child_process.abort")
local cp = require("child_process")
local held = require("spec.support.held")
local loop = require("child_process.loop")
local support = require("spec.support")
local Places = require("spec.support.places")

local FIRST, COROUTINES = 1000, 10000
local AT_ONCE = 64
local MARGIN_KIB = 2048 -- what the allocator may keep for itself
local HEAP_MARGIN_KIB = 64

-- What the process holds, and prints.
local function holds(what)
  for _ = 1, 4 do -- what a finalizer lets go of has finalizers of its own
    collectgarbage()
  end
  local amounts = {
    descriptors = #support.openFds(), children = held.children(), handles = #loop.handles(),
    heap = math.ceil(collectgarbage("count")), resident = held.residentKiB(),
  }
  print(("%-24s %d descriptors, %d children, %d handles, %d KiB of Lua, %d KiB resident"):format(
    what, amounts.descriptors, amounts.children, amounts.handles, amounts.heap, amounts.resident))
  return amounts
end

local function assertNothingLeft(before, after)
  assert(after.descriptors <= before.descriptors, "descriptors are left")
  assert(after.children == 0, "children are left")
  assert(after.handles == 0, "handles are left")
  assert(after.heap <= before.heap + HEAP_MARGIN_KIB, "Lua's memory has grown")
end

-- A coroutine is started when there is a place for it.
local function execute(first, last)
  local places = Places.new(AT_ONCE)
  local function task(number)
    local output = cp.promises.exec("echo " .. number):await().stdout
    places:give()
    assert(output == number .. "\n")
  end
  cp.async(function()
    for number = first, last do
      places:take()
      cp.async(task, number)
    end
  end)
  cp.run()
  assert(places.most == AT_ONCE and places.free == AT_ONCE, "not as many at once as may be")
end

execute(1, FIRST)
local early = holds("after a tenth")
execute(FIRST + 1, COROUTINES)
local late = holds("after all")
assertNothingLeft(early, late)
assert(late.resident <= early.resident + MARGIN_KIB, "memory has grown")

-- All coroutines are there from the start, and wait for their places.
local function cancel()
  local places = Places.new(AT_ONCE)
  local controller = abort.AbortController()
  local started, failed = 0, 0
  local function task(number)
    places:take()
    local signal = abort.AbortSignal.any({controller.signal, abort.AbortSignal.timeout(600000)})
    local ok = pcall(function()
      signal:throwIfAborted()
      started = started + 1
      if number == COROUTINES / 20 then
        controller:abort()
      end
      cp.promises.execFile("sleep", {number < COROUTINES / 20 - AT_ONCE / 2 and "0" or "60"},
        {signal = signal}):await()
    end)
    failed = failed + (ok and 0 or 1)
    places:give()
  end
  for number = 1, COROUTINES do
    cp.async(task, number)
  end
  cp.run()
  assert(started <= COROUTINES / 20, "something was started after the end")
  assert(failed >= COROUTINES - started and failed > 0, "something was not cancelled")
end

-- The registry keeps the size that it has had at most, and a first round may not need all of it.
cancel()
holds("cancelled once")
cancel()
local before = holds("cancelled twice")
cancel()
assertNothingLeft(before, holds("cancelled once more"))
