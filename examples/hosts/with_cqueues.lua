-- A program with cqueues. `attach` is what to copy: it lets a controller of cqueues drive our loop,
-- and lets coroutines of cqueues wait for what is ours.

local cqueues = require("cqueues")
local condition = require("cqueues.condition")
local loop = require("child_process.loop")

-- The controller ends when its other coroutines have ended and nothing keeps our loop alive. Errors
-- of our listeners come out of cq:loop(), like those of its coroutines.
local function attach(cq)
  local driving = false

  local function drive()
    local ok, alive
    repeat
      ok, alive = pcall(loop.run, "nowait")
      if not ok then
        cq:wrap(error, alive, 0)
      elseif alive then
        cqueues.poll({pollfd = loop.fd(), events = "r"})
      end
    until ok and not alive
    driving = false
  end

  loop.handleStart(function()
    if not driving then
      driving = true
      cq:wrap(drive)
    end
  end)

  loop.handleWait(function()
    if select(2, cqueues.running()) then
      local woken = condition.new()
      return function() woken:wait() end, function() woken:signal() end
    end
  end)
end

-- Demonstration: a command runs while a coroutine of cqueues counts.

local cp = require("child_process")

local cq = cqueues.new()
attach(cq)

cq:wrap(function()
  print("the command has printed " .. cp.promises.exec("sleep 0.2; echo hello"):await().stdout)
end)
cq:wrap(function()
  for second = 1, 3 do
    cqueues.sleep(0.02)
    print("tick " .. second)
  end
end)

assert(cq:loop())
