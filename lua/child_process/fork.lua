--- fork: spawn of another Lua with a message channel.
local arguments = require("child_process.arguments")
local core = require("child_process.core")
local errors = require("child_process.errors")
local files = require("child_process.files")
local process = require("child_process.process")
local ChildProcess = require("child_process.child")

local given = arguments.given

---@class child_process.fork
local fork = {}

-- What the text does not give to fork.
local ignored = {shell = true, argv0 = true}

local function missing(name)
  error(errors.Error(("fork does not find its own module '%s'"):format(name)))
end

local function pathOf(name)
  return files.folder and ("%s/%s.lua"):format(files.folder, name) or missing(name)
end

-- What every child needs. To compile it takes as long as the interpreter's own start, so it is
-- handed over compiled, ahead of the messages.
local HANDED_OVER = {
  "lazy_errors", "loop", "listeners", "events", "process", "channel", "json", "script",
}

-- And with messages of that serialization.
local HANDED_OVER_FOR = {advanced = {"clone"}}

-- Name and compiled code of each, as launch.lua takes them apart.
local function bundle(names)
  local parts = {}
  for _, name in ipairs(names) do
    local chunk = core.loadFile(pathOf(name)) or missing(name)
    parts[#parts + 1] = ("s4s4"):pack("child_process." .. name, string.dump(chunk, true))
  end
  return table.concat(parts)
end

local bundles = {} -- by names, from their first fork on

local function bundled(names)
  bundles[names] = bundles[names] or bundle(names)
  return bundles[names]
end

local function bundleFor(serialization)
  local more = HANDED_OVER_FOR[serialization]
  return bundled(HANDED_OVER) .. (more and bundled(more) or "")
end

-- The command line of our launcher: it is told where the C module lies, and how much is handed over
-- on the channel. The rest it finds beside itself, so that the child needs no settings.
local function launcher(preamble)
  return {pathOf("launch"), files.core or missing("core"), tostring(#preamble)}
end

-- An application that embeds Lua cannot run our launcher, unless somebody knows better.
local function checkInterpreter(path)
  if path == core.execPath() and not path:match("[^/]*$"):find("^lua") then
    error(errors.Error(("'%s' does not seem to be a Lua interpreter that fork could start: set "
      .. "options.execPath or process.execPath"):format(path)))
  end
end

local function argumentsOrDefault(name, value, default)
  if not given(value) then
    return default
  elseif type(value) ~= "table" then
    error(errors.invalidArgType(name, "table", value))
  end
  arguments.checkArgs(name, value)
  return value
end

-- options.stdio, or what `silent` says, with the channel.
local function stdio(options)
  local entries = options.stdio
  if not given(entries) then
    local word = given(options.silent) and options.silent and "pipe" or "inherit"
    return {word, word, word, "ipc"}
  elseif entries == "ipc" then
    error(errors.invalidArgValue("stdio", entries)) -- a word for all three
  elseif type(entries) == "string" then
    return {entries, entries, entries, "ipc"}
  elseif type(entries) ~= "table" then
    error(errors.invalidArgValue("stdio", entries))
  end
  for _, entry in pairs(entries) do
    if entry == "ipc" then
      return entries
    end
  end
  error(errors.childProcessIpcRequired())
end

local function append(list, more)
  return table.move(more, 1, #more, #list + 1, list)
end

--- See child_process.fork.
---@param modulePath string
---@param args? string[]
---@param options? ForkOptions
---@return ChildProcess
function fork.fork(modulePath, args, options)
  arguments.checkCommand("modulePath", modulePath)
  args, options = arguments.split(args, options)
  arguments.checkArgs("args", args)
  local spawnOptions = {}
  for name, value in pairs(options) do
    spawnOptions[name] = value
  end
  spawnOptions.stdio = stdio(options)

  local execPath = options.execPath
  local command = {}
  local preamble
  if not given(execPath) then
    preamble = bundleFor(options.serialization)
    execPath = process.execPath
    arguments.checkCommand("process.execPath", execPath)
    checkInterpreter(execPath)
    append(command, argumentsOrDefault("options.execArgv", options.execArgv, process.execArgv))
    append(command, launcher(preamble))
  else
    arguments.checkCommand("options.execPath", execPath)
    append(command, argumentsOrDefault("options.execArgv", options.execArgv, {}))
  end
  command[#command + 1] = modulePath
  append(command, args)
  local call = arguments.normalize(execPath, command, spawnOptions, ignored)
  call.preamble = preamble
  return ChildProcess.new():spawn(call)
end

return fork
