--- Promises for the outcome of several others.

local check = require("child_process.base.check")
local errors = require("child_process.errors")
local Promise = require("child_process.promise.promise")

---@class Promise
local groups = {}

-- Calls `onSettled(index, promise)` for each entry. A value that is not a promise counts as
-- fulfilled. Returns a function that ends the waiting, since an entry may never be settled, and may
-- live as long as the program.
local function each(list, length, onSettled)
  local promises, reactions = {}, {}
  for index = 1, length do
    promises[index] = Promise.resolve(list[index])
    reactions[index] = {settled = function(_, source)
      onSettled(index, source)
    end}
    promises[index]:_subscribe(reactions[index])
  end
  return function()
    for index, promise in ipairs(promises) do
      promise:_unsubscribe(reactions[index])
    end
  end
end

-- Calls `onSettled(promise)` for each entry, which returns whether the entry counts, and a result.
-- Ends at the first entry that does not count. If all count, calls `whenAll` with the results by
-- position.
local function gather(list, onSettled, whenAll)
  local length = check.length(list)
  local results, missing = {}, length
  local finish
  finish = each(list, length, function(index, source)
    local counts, result = onSettled(source)
    if not counts then
      finish()
      return
    end
    results[index] = result
    missing = missing - 1
    if missing == 0 then
      whenAll(results)
    end
  end)
  if missing == 0 then
    whenAll(results)
  end
end

--- A promise that is fulfilled with a table of the first value of each promise, by position. It is
--- rejected like the first that is rejected.
---@param list any[] promises or other values
---@return Promise
function groups.all(list)
  check.dot(list, Promise, "Promise.all")
  check.type("promises", "table", list)
  local promise, resolve = Promise.withResolvers()
  gather(list, function(source)
    local isFulfilled, value = source:_outcome()
    if isFulfilled then
      return true, value
    end
    resolve(source)
    return false
  end, resolve)
  return promise
end

--- A promise that is fulfilled when all are settled, with a table for each:
--- {status = "fulfilled", value = ...} or {status = "rejected", reason = ...}.
---@param list any[]
---@return Promise
function groups.allSettled(list)
  check.dot(list, Promise, "Promise.allSettled")
  check.type("promises", "table", list)
  local promise, resolve = Promise.withResolvers()
  gather(list, function(source)
    local isFulfilled, outcome = source:_outcome()
    return true, isFulfilled and {status = "fulfilled", value = outcome}
      or {status = "rejected", reason = outcome}
  end, resolve)
  return promise
end

--- A promise that is settled like the first that is settled.
---@param list any[]
---@return Promise
function groups.race(list)
  check.dot(list, Promise, "Promise.race")
  check.type("promises", "table", list)
  local promise, resolve = Promise.withResolvers()
  local finish
  finish = each(list, check.length(list), function(_, source)
    resolve(source)
    finish()
  end)
  return promise
end

--- A promise that is fulfilled like the first that is fulfilled. If all are rejected, it is
--- rejected with an AggregateError that has the reasons in its field `errors`.
---@param list any[]
---@return Promise
function groups.any(list)
  check.dot(list, Promise, "Promise.any")
  check.type("promises", "table", list)
  local promise, resolve, reject = Promise.withResolvers()
  gather(list, function(source)
    local isFulfilled, reason = source:_outcome()
    if not isFulfilled then
      return true, reason
    end
    resolve(source)
    return false
  end, function(reasons)
    reject(errors.aggregate("All promises were rejected", reasons))
  end)
  return promise
end

return groups
