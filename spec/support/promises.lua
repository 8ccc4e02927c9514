--- Promises that are settled later, and functions that note their calls.

local compat = require("child_process.base.compat")
local timers = require("child_process.timers")
local Promise = require("child_process.promise")

local promises = {}

--- A function that notes its arguments, and the list of them.
function promises.recorder(result)
  local calls = {}
  return function(...)
    calls[#calls + 1] = compat.pack(...)
    return result
  end, calls
end

function promises.nothing() end

--- A promise that is fulfilled after other events.
function promises.later(...)
  local promise, resolve = Promise.withResolvers()
  timers.setTimeout(resolve, 1, ...)
  return promise
end

--- A promise that is rejected after other events.
function promises.failing(reason)
  local promise, _, reject = Promise.withResolvers()
  timers.setTimeout(reject, 1, reason)
  return promise
end

return promises
