--- The events of our own classes, for strict mode: a name that is close to one of them is probably
--- misspelt. All other names are the program's own.

local core = require("child_process.core")
local suggestion = require("child_process.base.suggestion")
local values = require("child_process.errors.value_text")
local warnings = require("child_process.base.warnings")

local function set(names)
  local result = {newListener = true, removeListener = true, error = true}
  for name in names:gmatch("%S+") do
    result[name] = true
  end
  return result
end

local STREAM = " data end close readable drain finish pipe unpipe pause resume"

-- By the names of the classes in messages. Those of net and of dgram are both called "Socket".
local known = {
  ChildProcess = set("spawn exit close message internalMessage disconnect"),
  Stream = set(STREAM),
  Socket = set(STREAM .. " connect ready timeout lookup listening message"),
  Pool = set("online exit retry"),
  Server = set("listening connection close drop"),
  process = set("exit beforeExit uncaughtException warning message internalMessage disconnect"),
  AbortSignal = set("abort"),
}

for name in pairs(core.signals) do
  known.process[name] = true
end

local warned = {}

--- Warns of a misspelt event of an emitter, once for each name and class.
---@param emitter EventEmitter
---@param event any
return function(emitter, event)
  local class = values.emitterName(emitter)
  local names = known[class]
  if not names or type(event) ~= "string" or names[event] then
    return
  end
  local hint, key = suggestion(event, names), class .. " " .. event
  if hint ~= "" and not warned[key] then
    warned[key] = true
    warnings.warn(("%s has no event '%s'%s"):format(class, event, hint), "UnknownEventWarning")
  end
end
