-- Work, counted in instructions of the interpreter: the same on every machine, other than time.

local assert = require("luassert")

local steps = {}

local EACH = 100 -- instructions that are one step

--- Counts the steps of a function. The collector is stopped meanwhile, so that finalizers do
--- not count.
---@param fn fun()
---@param threads? thread[] coroutines whose steps count as well
---@return integer
function steps.of(fn, threads)
  local count = 0
  local function hook() count = count + 1 end
  local before, mask, each = debug.gethook()
  collectgarbage("stop")
  for _, thread in ipairs(threads or {}) do debug.sethook(thread, hook, "", EACH) end
  debug.sethook(hook, "", EACH)
  local ok, err = pcall(fn)
  debug.sethook(before, mask, each)
  for _, thread in ipairs(threads or {}) do debug.sethook(thread) end
  collectgarbage("restart")
  if not ok then error(err, 0) end
  return count
end

--- Expects work to grow with the amount, and not with its square: a quarter of the amount must take
--- an eighth of the steps at least.
---@param prepare fun(amount: integer): fun(), thread[]? gives the work, see steps.of
function steps.assertProportional(prepare)
  local few, many = steps.of(prepare(500)), steps.of(prepare(2000))
  assert.is_true(few > 0, "no work was counted")
  assert.is_true(many < 8 * few, ("%d steps for 500, %d for 2000"):format(few, many))
end

return steps
