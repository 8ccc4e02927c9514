--- fork: spawns another Lua with a message channel.

local arguments = require("child_process.spawn.arguments")
local check = require("child_process.base.check")
local ChildProcess = require("child_process.spawn.child")
local compat = require("child_process.base.compat")
local core = require("child_process.core")
local errors = require("child_process.errors")
local known = require("child_process.spawn.options")
local locate = require("child_process.base.locate")
local process = require("child_process.process")
local processArgv = require("child_process.process.argv")
local stdio = require("child_process.spawn.stdio")
local io = require("child_process.base.standard").io

local given = known.given

---@class child_process.fork
local fork = {}

local function missing(name)
  error(errors.Error(("fork cannot find its own module '%s'"):format(name)))
end

local function pathOf(name)
  local path = name:gsub("%.", "/")
  return locate.folder and ("%s/%s.lua"):format(locate.folder, path) or missing(name)
end

-- The files that every child needs. Compiling them takes as long as starting the interpreter, so
-- they are sent compiled, ahead of the messages.
local HANDED_OVER = {
  "base.standard", "base.compat", "errors", "base.assign", "base.queue",
  "base.ticks", "loop", "events.listeners", "events.emitter", "channel.incoming",
  "channel.outgoing", "channel.channel", "channel.end", "channel.send", "json", "process",
  "fork.script",
}

-- Further files for a serialization.
local HANDED_OVER_FOR = {json = {}, advanced = {"clone"}}

local function compile(name)
  local chunk = core.loadFile(pathOf(name)) or missing(name)
  return string.dump(chunk, true)
end

-- Puts the length of a text before it.
local function netstring(text)
  return ("%d:%s"):format(#text, text)
end

-- Returns name and compiled code of each file, as start.lua reads them.
local function bundle(names)
  local parts = {}
  for _, name in ipairs(names) do
    parts[#parts + 1] = netstring("child_process." .. name) .. netstring(compile(name))
  end
  return table.concat(parts)
end

local preambles = {} -- by serialization, from the first fork on

local function preambleFor(serialization)
  serialization = HANDED_OVER_FOR[serialization] and serialization or "json"
  if not preambles[serialization] then
    preambles[serialization] = netstring(compile("fork.start")) .. bundle(HANDED_OVER)
      .. bundle(HANDED_OVER_FOR[serialization])
  end
  return preambles[serialization]
end

-- launch.lua with its arguments: the version of Lua, the path of the C module, and the number of
-- bytes on the channel. It finds our other files beside itself, so the child needs no settings.
local function launcher(preamble)
  return {pathOf("fork.launch"), _VERSION, locate.core or missing("core"), tostring(#preamble)}
end

-- An application that embeds Lua cannot run the launcher.
local function checkInterpreter(path)
  if path == core.execPath() and not path:match("[^/]*$"):find("^lua") then
    error(errors.Error(("'%s' does not seem to be a Lua interpreter that fork could start: set "
      .. "options.execPath or process.execPath"):format(path)))
  end
end

local function appendFlags(command, value, default)
  if not given(value) then
    value = default
  elseif type(value) ~= "table" then
    error(errors.invalidArgType("options.execArgv", "table", value))
  end
  return arguments.append(command, "options.execArgv", value)
end

local function isSilent(options)
  return given(options.silent) and check.type("options.silent", "boolean", options.silent)
end

-- Returns options.stdio, or the entries for `silent`, with the channel.
local function withChannel(entries, options, hasTerminal)
  local silent = isSilent(options)
  if entries == nil and hasTerminal and not silent then
    return {[4] = "ipc"}
  elseif entries == nil then
    entries = silent and "pipe" or "inherit"
  end
  if type(entries) == "string" then
    stdio.checkWord(entries)
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

-- `encoding` was documented in old editions, and had no effect then.
---@type CallKind
local FORK = {
  name = "fork",
  takes = known.taking({"execPath", "execArgv", "silent", "encoding", "sendSource"},
    {"shell", "argv0", "customFds"}),
  stdio = withChannel,
}

local function extend(list, items)
  return compat.move(items, 1, #items, #list + 1, list)
end

-- Returns the interpreter's arguments with those of the script, the launcher's among them unless
-- options.execPath is given; the command without the launcher; and what is sent ahead.
local function commandFor(modulePath, args, options, source)
  args = arguments.append({modulePath}, "args", args)
  local execPath = options.execPath
  local command = {}
  if given(execPath) then
    arguments.checkCommand("options.execPath", execPath)
    appendFlags(command, options.execArgv, {})
    return execPath, extend(command, args)
  end
  local preamble = preambleFor(options.serialization)
  if source then
    preamble = preamble .. netstring("") .. netstring(source)
  end
  execPath = process.execPath
  arguments.checkCommand("process.execPath", execPath)
  checkInterpreter(execPath)
  appendFlags(command, options.execArgv, processArgv.forkArgv(process))
  local shown = compat.move(command, 1, #command, 2, {execPath:match("[^/]*$")})
  arguments.append(command, "launcher", launcher(preamble))
  return execPath, extend(command, args), extend(shown, args), preamble
end

--- Checks the arguments of a script that is to be started by an agent.
---@param modulePath string
---@param args string[]
---@param how {execPath: string?, execArgv: string[]?, serialization: string?, source: string?}
---@param options table of spawn
---@return table # for ChildProcess:_start
function fork.prepare(modulePath, args, how, options)
  local execPath, command, shown, preamble = commandFor(modulePath, args, how, how.source)
  local call = arguments.normalize(execPath, command, options)
  call.preamble, call.shownArgs = preamble, shown
  return call
end

-- Reads a script, whose extension may be omitted.
local function readScript(path)
  local file, problem, errno = io.open(path, "rb")
  local text
  if file then
    text, problem, errno = file:read("*a")
    file:close()
  end
  if not text and not path:find("%.lua$") then
    local ok, result = pcall(readScript, path .. ".lua")
    text = ok and result or nil
  end
  return text or error(errors.system(errno or core.errno.EIO, "open", {path = path,
    reason = problem}))
end

-- The script's source, if it is to be sent.
local function sourceOf(modulePath, options)
  if not given(options.sendSource)
    or not check.type("options.sendSource", "boolean", options.sendSource) then
    return nil
  elseif given(options.execPath) then
    error(errors.invalidArgValue("options.sendSource", true,
      "cannot be combined with options.execPath, whose program reads the script itself"))
  end
  return readScript(modulePath)
end

-- The agent of another host knows the interpreter there.
local function startThere(modulePath, args, options, done, argument)
  args = arguments.append({}, "args", args)
  local call = arguments.normalize(modulePath, args, options, FORK)
  local execArgv = given(options.execArgv) and appendFlags({}, options.execArgv) or nil
  if given(options.execPath) then
    arguments.checkCommand("options.execPath", options.execPath)
  end
  call.forkThere = {
    modulePath = modulePath, args = args, execArgv = execArgv,
    execPath = given(options.execPath) and options.execPath or nil,
    source = sourceOf(modulePath, options),
  }
  return ChildProcess.new():_start(call, done, argument)
end

--- See child_process.fork.
---@param modulePath string
---@param args? (string|number|boolean)[]
---@param options? ForkOptions
---@param done? fun(child: ChildProcess, argument: any, err?: Error) see ChildProcess:_start
---@param argument? any
---@return ChildProcess
function fork.fork(modulePath, args, options, done, argument)
  arguments.checkCommand("modulePath", modulePath)
  args, options = arguments.split(args, options)
  if given(options.host) then
    return startThere(modulePath, args, options, done, argument)
  end
  local execPath, command, shown, preamble = commandFor(modulePath, args, options)
  local call = arguments.normalize(execPath, command, options, FORK)
  call.preamble = preamble
  call.shownArgs = shown -- the command without the launcher
  return ChildProcess.new():_start(call, done, argument)
end

return fork
