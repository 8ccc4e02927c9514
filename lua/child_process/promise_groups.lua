--- Promises for the outcome of several others.
local errors = require("child_process.lazy_errors")
local expect = require("child_process.expect")

---@param Promise Promise the class, which gets the functions
---@param subscribe fun(promise: Promise, reaction: table) see promise.lua
---@param unsubscribe fun(promise: Promise, reaction: table)
return function(Promise, subscribe, unsubscribe)
  -- Calls `onSettled(index, promise)` for each entry. What is no promise counts as fulfilled.
  -- Returns a function that ends this: an entry may never be settled, and live as long as the
  -- program.
  local function each(list, onSettled)
    local promises, reactions = {}, {}
    for index = 1, #list do
      promises[index] = Promise.resolve(list[index])
      reactions[index] = {settled = function(_, source)
        onSettled(index, source)
      end}
      subscribe(promises[index], reactions[index])
    end
    return function()
      for index, promise in ipairs(promises) do
        unsubscribe(promise, reactions[index])
      end
    end
  end

  -- Calls `onSettled(promise)` for each entry until one does not count; it returns whether it does,
  -- and a result. When all count, `whenAll` is called with a table of the results by position.
  local function gather(list, onSettled, whenAll)
    local results, missing = {}, #list
    local finish
    finish = each(list, function(index, source)
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

  local function isFulfilled(promise)
    return promise._state == "fulfilled"
  end

  --- Fulfilled with a table of the first values of all promises, by their positions. Rejected as
  --- the first that is rejected.
  ---@param list any[] promises or other values
  ---@return Promise
  function Promise.all(list)
    expect.type("promises", "table", list)
    local promise, resolve = Promise.withResolvers()
    gather(list, function(source)
      if isFulfilled(source) then
        return true, source._values[1]
      end
      resolve(source)
      return false
    end, resolve)
    return promise
  end

  --- Fulfilled when all are settled, with a table for each: {status = "fulfilled", value = ...} or
  --- {status = "rejected", reason = ...}.
  ---@param list any[]
  ---@return Promise
  function Promise.allSettled(list)
    expect.type("promises", "table", list)
    local promise, resolve = Promise.withResolvers()
    gather(list, function(source)
      return true, isFulfilled(source)
        and {status = "fulfilled", value = source._values[1]}
        or {status = "rejected", reason = source._reason}
    end, resolve)
    return promise
  end

  --- The outcome of the one that is settled first.
  ---@param list any[]
  ---@return Promise
  function Promise.race(list)
    expect.type("promises", "table", list)
    local promise, resolve = Promise.withResolvers()
    local finish
    finish = each(list, function(_, source)
      resolve(source)
      finish()
    end)
    return promise
  end

  --- Fulfilled as the first that is fulfilled. Rejected when none is, with an AggregateError that
  --- has the reasons in its field `errors`.
  ---@param list any[]
  ---@return Promise
  function Promise.any(list)
    expect.type("promises", "table", list)
    local promise, resolve, reject = Promise.withResolvers()
    gather(list, function(source)
      if not isFulfilled(source) then
        return true, source._reason
      end
      resolve(source)
      return false
    end, function(reasons)
      reject(errors.aggregate("All promises were rejected", reasons))
    end)
    return promise
  end
end
