--- The options of commands: those that spawn does not have, defaults, and what spawn gets.

local cp = require("child_process")
local errors = require("child_process.errors")
local unknownOptions = require("child_process.command.unknown_options")

---@class child_process.command.options
local options = {}

local null = cp.null
local DEFAULT_MAX_BUFFER = 100 * 1000 * 1000
local DEFAULT_FORCE_KILL = 5000

local function given(value)
  return value ~= nil and value ~= null
end

options.given = given

-- Checks ------------------------------------------------------------------------------------------

local function typeCheck(kind)
  return function(name, value)
    if type(value) ~= kind then
      error(errors.invalidArgType("options." .. name, kind, value))
    end
  end
end

local isBoolean = typeCheck("boolean")

local function checkMaxBuffer(name, value)
  typeCheck("number")(name, value)
  if value < 0 or value ~= value then
    error(errors.outOfRange("options." .. name, "a positive number", value))
  end
end

local function isStream(value)
  return type(value) == "table" and type(value.pipe) == "function"
end

options.isStream = isStream

--- Raises if a stream has no side that can be read. It may have ended.
---@param name string of the option
---@param stream Stream
function options.checkReadable(name, stream)
  if not (stream.readable or stream.readableEnded or stream.destroyed) then
    error(errors.invalidArgValue("options." .. name, stream,
      "is a stream that can only be written"))
  end
end

--- Raises if a stream has no side that can be written. It may have ended.
---@param name string of the option
---@param stream Stream
function options.checkWritable(name, stream)
  if not (stream.writable or stream.writableEnded or stream.destroyed) then
    error(errors.invalidArgValue("options." .. name, stream, "is a stream that can only be read"))
  end
end

local function checkInput(name, value)
  local kind = type(value)
  if isStream(value) then
    options.checkReadable(name, value)
  elseif kind ~= "string" and kind ~= "function" then
    error(errors.invalidArgType("options." .. name, {"string", "function", "Stream"}, value))
  end
end

local function checkVerbose(name, value)
  local kind = type(value)
  if kind ~= "function" and kind ~= "boolean" and value ~= "short" and value ~= "full" then
    error(errors.invalidArgValue("options." .. name, value,
      "must be 'short', 'full', a boolean or a function"))
  end
end

local function countCheck(least, text)
  return function(name, value)
    typeCheck("number")(name, value)
    if value < least or value % 1 ~= 0 and value ~= math.huge then
      error(errors.outOfRange("options." .. name, text, value))
    end
  end
end

local function checkEncoding(name, value)
  typeCheck("string")(name, value)
  local encoding = require("child_process.encoding") -- few programs need it
  if value ~= "buffer" and not encoding.normalize(value) then
    error(errors.unknownEncoding(value))
  end
end

local RETRY = {
  attempts = countCheck(1, "an integer >= 1"),
  delay = countCheck(0, "a non-negative integer"),
  factor = typeCheck("number"),
  jitter = isBoolean,
  when = typeCheck("function"),
}

local function checkRetry(name, policy)
  typeCheck("table")(name, policy)
  for key, value in pairs(policy) do
    local check = RETRY[key]
    if not check then
      error(errors.invalidArgValue(("options.retry.%s"):format(tostring(key)), value,
        "is not a field of options.retry: attempts, delay, factor, jitter and when are"))
    end
    check("retry." .. key, value)
  end
end

-- The options that spawn does not have. False: targets.lua and stdin.lua check them.
local own = {
  all = isBoolean, encoding = checkEncoding, extendEnv = isBoolean, input = checkInput,
  inputFile = typeCheck("string"), lines = isBoolean, maxBuffer = checkMaxBuffer,
  reject = isBoolean, retry = checkRetry, stderr = false, stdin = false, stdout = false,
  stripFinalNewline = isBoolean, verbose = checkVerbose,
}

-- The options of functions that run several commands.
local ofGroups = {
  pipefail = isBoolean, concurrency = countCheck(1, "an integer >= 1"),
}

-- Merging -----------------------------------------------------------------------------------------

-- Copies a table with what it inherits, as spawn reads its options.
local function copy(source, target)
  local meta = debug.getmetatable(source)
  local parent = meta and rawget(meta, "__index")
  if type(parent) == "table" and parent ~= meta then
    copy(parent, target)
  end
  for name, value in next, source do
    target[name] = value
  end
  return target
end

local function mergeEnv(base, env, extends)
  if extends == false or type(base) ~= "table" or type(env) ~= "table" then
    return env
  end
  return copy(env, copy(base, {}))
end

--- Puts options over others. A variable of `env` counts by itself.
---@param base table
---@param over? table
---@return table # a new one
function options.merge(base, over)
  local merged = copy(base, {})
  if given(over) then
    if type(over) ~= "table" then
      error(errors.invalidArgType("options", "table", over))
    end
    local env = merged.env
    copy(over, merged)
    if env ~= nil then
      merged.env = mergeEnv(env, merged.env, merged.extendEnv)
    end
  end
  return merged
end

--- Takes the options of a group of commands out of those of each command.
---@param merged table
---@param name "pipefail"|"concurrency"
---@return any
function options.take(merged, name)
  local value = merged[name]
  merged[name] = nil
  if given(value) then
    ofGroups[name](name, value)
    return value
  end
end

--- Checks the options that spawn does not have, and removes unknown ones.
---@param merged table
function options.check(merged)
  unknownOptions.check(merged, own)
  for name, value in next, merged do
    local check = own[name]
    if check and value ~= null then
      check(name, value)
    end
  end
end

-- Arguments ---------------------------------------------------------------------------------------

--- Sorts (args, options), either of which may be left out, as spawn does.
---@param args any
---@param over any
---@return any args
---@return any options
function options.split(args, over)
  if over == nil and type(args) == "table" and #args == 0 then
    local key = next(args)
    local meta = debug.getmetatable(args)
    if type(key) == "string" and key ~= "n" or key == nil and meta and rawget(meta, "__index") then
      return nil, args
    end
  end
  return args, over
end

--- Checks one command of several: a table with the arguments of `run`.
---@param name string of the table, for errors
---@param item any
function options.checkItem(name, item)
  if type(item) ~= "table" then
    error(errors.invalidArgType(name, "table", item))
  elseif type(item[1]) ~= "string" then
    error(errors.invalidArgType(name .. "[1]", "string", item[1]))
  end
end

-- The environment of the host, or ours, with the variables.
local function extended(env, host)
  local ours = not given(host) and require("child_process.process").env
  return setmetatable(copy(env, {}), {__index = ours or host.env})
end

--- The options that spawn gets.
---@param merged table
---@param stdio table
---@return table
function options.forSpawn(merged, stdio)
  -- A tree has a process group of its own.
  local result = {
    tree = not given(merged.processGroup) or merged.processGroup == 0,
    forceKillAfterDelay = DEFAULT_FORCE_KILL,
  }
  for name, value in next, merged do
    if own[name] == nil and value ~= null then
      result[name] = value
    end
  end
  if type(result.env) == "table" and merged.extendEnv ~= false then
    result.env = extended(result.env, result.host)
  end
  result.stdio = stdio
  return result
end

--- How many bytes of each output are kept.
---@param merged table
---@return number
function options.maxBuffer(merged)
  return given(merged.maxBuffer) and merged.maxBuffer or DEFAULT_MAX_BUFFER
end

return options
