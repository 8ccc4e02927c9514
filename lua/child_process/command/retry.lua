--- Runs a command again when it has failed: options.retry.

local errors = require("child_process.errors")
local options = require("child_process.command.options")
local Promise = require("child_process.promise")
local result = require("child_process.command.result")
local timers = require("child_process.timers")

local given = options.given

local DEFAULTS = {attempts = 3, delay = 100, factor = 2, jitter = true}

---@class CommandRetry
---@field attempts? integer how often the command is started at most; default 3
---@field delay? integer milliseconds before the second attempt; default 100
---@field factor? number by which the delay grows; default 2
---@field jitter? boolean each delay is shortened by up to a half, at random; default true
---@field when? fun(err: CommandError): any whether to try again; default: unless it was canceled,
---or could not be started for a reason that will be the same next time

-- Codes of starts that may succeed later.
local PASSING = {EAGAIN = true, EMFILE = true, ENFILE = true, ENOMEM = true, ETXTBSY = true}

local function mayHelp(err)
  return not err.isCanceled and (err.code == nil or PASSING[err.code])
end

-- Waits, or returns earlier when the signal is aborted.
local function sleep(ms, signal)
  local promise, resolve = Promise.withResolvers()
  local timer = timers.setTimeout(resolve, ms)
  if given(signal) then
    signal:on("abort", resolve)
  end
  promise:await()
  timer:close()
  if given(signal) then
    signal:off("abort", resolve)
  end
end

local function pauseBefore(policy, attempt)
  local delay = policy.delay * policy.factor ^ (attempt - 2)
  return policy.jitter and delay * (1 - math.random() / 2) or delay
end

local function read(retry)
  local policy = {when = mayHelp}
  for name, value in pairs(DEFAULTS) do
    policy[name] = value
  end
  for name, value in pairs(retry) do
    policy[name] = value
  end
  return policy
end

-- What has been read once cannot be read again.
local function checkInput(merged)
  if given(merged.input) and type(merged.input) ~= "string" then
    error(errors.invalidArgValue("options.input", merged.input,
      "must be a string with options.retry, as it is written again for each attempt"))
  end
end

--- Runs a command until it succeeds, or as often as options.retry allows.
---@param merged table
---@param attempt fun(number?: integer): table runs it once, and returns the fields of its result
---@return table # the fields of the last attempt
return function(merged, attempt)
  if not given(merged.retry) then
    return attempt()
  end
  checkInput(merged)
  local policy = read(merged.retry)
  local number = 1
  while true do
    local fields = attempt(number)
    if not fields.failed or number >= policy.attempts or not policy.when(result.of(fields)) then
      return fields
    end
    number = number + 1
    sleep(pauseBefore(policy, number), merged.signal)
    if given(merged.signal) and merged.signal.aborted then
      return fields
    end
  end
end
