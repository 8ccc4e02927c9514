-- Pools that are gone after the test, and how their tasks end.

local assert = require("luassert")
local pool = require("child_process.pool")
local support = require("spec.support")

local pools = {}

--- For the scripts of children: defines `exists(path)`, and `await(path)`, which waits for a file.
pools.AWAIT = [[
  local function exists(path)
    local file = io.open(path)
    if file then file:close() end
    return file ~= nil
  end
  local function await(path)
    while not exists(path) do
      require("child_process.promise").new(function(resolve)
        require("child_process.timers").setTimeout(resolve, 5)
      end):await()
    end
  end
]]

local made = {}

---@param script string its path
---@param options? PoolOptions
---@return Pool
function pools.new(script, options)
  local p = pool(script, options)
  made[#made + 1] = p
  return p
end

--- Runs the loop until a promise is fulfilled.
---@param promise Promise
---@return any
function pools.await(promise)
  return support.inTime(function() return promise:await() end)
end

--- Runs the loop until a promise is rejected.
---@param promise Promise
---@return any # the reason
function pools.reason(promise)
  local ok, err = pcall(pools.await, promise)
  assert.is_false(ok, "the promise is fulfilled")
  return err
end

--- Takes all results of a loop.
---@param ... any what pool:map returns
---@return any[] results
---@return integer[] numbers of their tasks
function pools.gather(...)
  local step, state, control, closing = ...
  local results, numbers = {}, {}
  support.inTime(function()
    for result, number in step, state, control, closing do
      results[#results + 1], numbers[#numbers + 1] = result, number
    end
  end)
  return results, numbers
end

--- Terminates the pools of a test.
function pools.terminateAll()
  local list = made
  made = {}
  for _, p in ipairs(list) do pools.await(p:terminate()) end
end

--- Makes a file, for which children wait.
---@param path string
function pools.touch(path) io.open(path, "w"):close() end

return pools
