--- promisify: converts functions with a callback into functions that return promises.

local compat = require("child_process.base.compat")
local emitters = require("child_process.events.emitter")
local Promise = require("child_process.promise.promise")

local function withCallback(original, ...)
  local values = compat.pack(...)
  return Promise.new(function(resolve, reject)
    local count = values.n + 1
    values[count] = function(err, ...)
      if err then
        reject(err)
      else
        resolve(...)
      end
    end
    original(compat.unpack(values, 1, count))
  end)
end

--- Converts a function whose last argument is `callback(err, ...)` into one that returns a promise.
---@param original function
---@return fun(...: any): Promise # fulfilled with what the callback gets after `err`
return function(original)
  emitters.checkCallable("original", original)
  return function(...)
    return withCallback(original, ...)
  end
end
