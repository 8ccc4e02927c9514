--- Reports options that nobody knows, as spawn does: an error in strict mode, otherwise a warning.
--- Commands are written with what programs can use, so they do not share the code with spawn.

local cp = require("child_process")
local errors = require("child_process.errors")

---@class child_process.command.unknown_options
local unknownOptions = {}

-- The options of spawn.
local ofSpawn = {}
for name in ([[
  affinity argv0 customFds cwd detached disposeWaits env forceKillAfterDelay gid groups host
  killOnParentExit killSignal limits maxMessageSize nice noNewPrivileges processGroup serialization
  setsid shell signal stdio terminal terminalForeground timeout tree uid umask waitDelay
  windowsHide windowsVerbatimArguments
]]):gmatch("%w+") do
  ofSpawn[name] = true
end

--- The options of spawn, which has them checked.
---@type table<string, true>
unknownOptions.ofSpawn = ofSpawn

-- How many letters have to be inserted, removed or replaced to turn one word into the other.
local function distance(one, other)
  local last = {}
  for column = 0, #other do
    last[column] = column
  end
  for row = 1, #one do
    local current = {[0] = row}
    for column = 1, #other do
      local cost = one:byte(row) == other:byte(column) and 0 or 1
      current[column] = math.min(last[column] + 1, current[column - 1] + 1,
        last[column - 1] + cost)
    end
    last = current
  end
  return last[#other]
end

-- The known name that was probably meant.
local function nearest(word, ...)
  local best, bestCost = nil, math.max(1, math.floor(#word / 3)) + 1
  for index = 1, select("#", ...) do
    for name in pairs((select(index, ...))) do
      local cost = distance(word:lower(), name:lower())
      if cost < bestCost or cost == bestCost and best and name < best then
        best, bestCost = name, cost
      end
    end
  end
  return best
end

local warned = {}

local function report(name, value, own)
  local meant = #name <= 64 and nearest(name, own, ofSpawn)
  local reason = "is not an option of commands"
    .. (meant and (" (did you mean '%s'?)"):format(meant) or "")
  if cp.strict() then
    error(errors.invalidArgValue("options." .. name, value, reason))
  elseif not warned[name] then
    warned[name] = true
    require("child_process.events").warn(("options.%s %s"):format(name, reason),
      "UnknownOptionWarning")
  end
end

--- Reports the options that are neither those of spawn nor our own, and removes them.
---@param merged table
---@param own table<string, any> the names are the keys
function unknownOptions.check(merged, own)
  local unknown
  for name, value in pairs(merged) do
    if type(name) == "string" and own[name] == nil and not ofSpawn[name] then
      unknown = unknown or {}
      unknown[#unknown + 1] = name
      report(name, value, own)
    end
  end
  for _, name in ipairs(unknown or {}) do
    merged[name] = nil
  end
end

return unknownOptions
