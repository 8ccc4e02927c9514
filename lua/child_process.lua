--- Node.js's child_process for Lua: starts programs, watches them, exchanges messages with them.
--
--   local cp = require("child_process")
--   local ls = cp.spawn("ls", {"-lh", "/usr"})
--   ls.stdout:on("data", function(data) io.write(data) end)
--   ls:on("close", function(code) print("exit code", code) end)
--   cp.run()

require("child_process.base.standard") -- first, since it names what is missing
local core = require("child_process.core")
local loop = require("child_process.loop")

---@class child_process
---@field ChildProcess ChildProcess the class of the objects that spawn returns
---@field _VERSION string
---@field run fun(mode?: "default"|"once"|"nowait"): boolean runs the loop, see loop.lua
---@field stop fun() makes `run` return
---@field activeHandles fun(): ActiveHandle[] lists what keeps `run` from returning
---@field array fun(list?: table): table marks a table as an array in messages, see json.lua
---@field async fun(fn: function, ...: any): Promise calls a function in a coroutine, see async.lua
---@field command child_process.command commands with one rich result, see command.lua
---@field promises child_process.promises exec and execFile with promises
---@field int64 boolean whether integers of messages beyond 2^53 keep all their digits. In LuaJIT
---the default is false; if set to true, they arrive as cdata of the type int64_t, which can also be
---sent
---@field null lightuserdata represents JavaScript's null; equal to lua-cjson's
local cp = {
  _VERSION = "child_process 1.0.0",
  null = core.null,
  run = loop.run,
  stop = loop.stop,
  activeHandles = loop.activeHandles,
}

local normalize, ChildProcess -- loaded when the first child is started

--- Starts a program. If that fails the result emits "error".
--- In Node: child_process.spawn(command[, args][, options]).
---@param command string a path, or a name that is looked up in PATH (options.env.PATH if given)
---@param args? (string|number|boolean)[]
---@param options? SpawnOptions
---@return ChildProcess
---@overload fun(command: string, options: SpawnOptions): ChildProcess
function cp.spawn(command, args, options)
  if not normalize then
    ChildProcess = require("child_process.spawn.child")
    normalize = require("child_process.spawn.arguments").normalize
  end
  local normalized = normalize(command, args, options)
  return ChildProcess.new():_start(normalized)
end

---@class ProcessOptions of all functions that start programs
---@field cwd? string working directory
---@field env? table<string, string|number|boolean> environment; default ours; inherited
---fields count
---@field uid? integer|string id or name of the user
---@field gid? integer|string id or name of the group
---@field groups? (integer|string)[] supplementary groups; default: none if uid or gid is given,
---otherwise ours
---@field umask? string|integer octal digits ("077"), or a number; default ours
---@field limits? table<string, number|string|table> what the child may use, see options.limits in
---the manual
---@field nice? integer niceness from -20 to 19; default ours
---@field affinity? integer[] the CPUs to run on, from 0; default ours
---@field killOnParentExit? boolean killed when this process has ended, in whatever way; with
---`tree`, all that it has started, too
---@field noNewPrivileges? boolean programs get no rights by set-user-id bits and the like
---@field processGroup? integer process group to join; 0: a new one, which the child leads
---@field stdio? string|table see options.stdio in the manual; {childFd = 1} as an entry is 2>&1
---@field terminal? boolean|TerminalOptions|Terminal a terminal of its own as descriptors 0 to 2,
---unless stdio says otherwise; or that of another child
---@field timeout? number milliseconds, an integer, after which killSignal is sent; math.huge: none
---@field killSignal? string|integer default "SIGTERM"
---@field tree? boolean whatever ends the child also ends the processes that it has started
---@field terminalForeground? boolean false: Ctrl-C and the like are not passed on to the tree
---@field forceKillAfterDelay? number milliseconds, an integer, after which SIGKILL follows SIGTERM
---or killSignal; math.huge, the default: never
---@field waitDelay? number milliseconds, an integer, after the child's end until its streams are
---closed although other processes hold them; math.huge, the default: never
---@field windowsHide? boolean without effect
---@field windowsVerbatimArguments? boolean without effect
---@field setsid? boolean deprecated; use detached

---@class StartOptions : ProcessOptions of the functions that return before the program has ended
---@field host? Host where the child runs; default here
---@field signal? AbortSignal aborting it sends killSignal
---@field serialization? "json"|"advanced" how messages are encoded; default "json"
---@field maxMessageSize? number bytes that a message from the child may have; default 1 GiB
---@field disposeWaits? boolean a block that ends the child, which is in a to-be-closed variable,
---waits until it has ended

---@class SpawnOptions : StartOptions
---@field argv0? string the child's argv[0]; default: the command
---@field detached? boolean leader of a new session and process group
---@field shell? boolean|string run the command with /bin/sh, or with this shell
---@field customFds? integer[] deprecated; use stdio

--- Runs a command line in a shell and collects what it prints.
--- In Node: child_process.exec(command[, options][, callback]).
---@param command string
---@param options? ExecOptions
---@param callback? fun(err: Error?, stdout: string, stderr: string)
---@return ChildProcess
---@overload fun(command: string, callback: function): ChildProcess
function cp.exec(command, options, callback)
  return require("child_process.spawn.exec").exec(command, options, callback)
end

---@class ExecOptions : StartOptions
---@field shell? boolean|string
---@field encoding? string of stdout and stderr; by default they are bytes
---@field maxBuffer? number bytes of stdout or of stderr; a child that writes more is killed;
---default 1024 * 1024, math.huge for no limit
---@field input? string written to the child's stdin, whatever stdio[0] says
---@field stdio? string|table stdin and descriptors from 3 on; stdout and stderr are collected, in
---one with {childFd = 1}
---@field customFds? integer[] deprecated; use stdio

--- Runs a program without a shell and collects what it prints.
--- In Node: child_process.execFile(file[, args][, options][, callback]).
---@param file string
---@param args? (string|number|boolean)[]
---@param options? ExecOptions
---@param callback? fun(err: Error?, stdout: string, stderr: string)
---@return ChildProcess
---@overload fun(file: string, options: ExecOptions, callback?: function): ChildProcess
---@overload fun(file: string, args: string[], callback: function): ChildProcess
---@overload fun(file: string, callback: function): ChildProcess
function cp.execFile(file, args, options, callback)
  return require("child_process.spawn.exec").execFile(file, args, options, callback)
end

--- Runs a program to its end, while nothing else runs in this Lua state. The result has a field
--- `error` if that fails.
--- In Node: child_process.spawnSync(command[, args][, options]).
---@param command string
---@param args? (string|number|boolean)[]
---@param options? SyncOptions
---@return SyncResult
---@overload fun(command: string, options: SyncOptions): SyncResult
function cp.spawnSync(command, args, options)
  return require("child_process.spawn.sync").spawnSync(command, args, options)
end

---@class SyncOptions : ProcessOptions
---@field argv0? string the child's argv[0]; default: the command
---@field detached? boolean leader of a new session and process group
---@field shell? boolean|string run the command with /bin/sh, or with this shell
---@field customFds? integer[] deprecated; use stdio
---@field input? string written to the child's stdin, whatever stdio[0] says
---@field maxBuffer? number bytes of each output; a child that writes more is killed; default
---1024 * 1024, math.huge for no limit
---@field encoding? string of the input and the outputs; by default they are bytes

---@class SyncResult
---@field pid integer 0 if the program could not be started
---@field output? table<integer, string> by the child's descriptors, for each that was a new pipe;
---absent if the program could not be started
---@field stdout? string output[1]
---@field stderr? string output[2]
---@field status? integer exit code; nil if a signal ended it, or it could not be started
---@field signal? string
---@field error? Error the program could not be started, or exceeded a limit (ETIMEDOUT, ENOBUFS),
---or other processes held its outputs for too long (ERR_WAIT_DELAY), or another part of this
---process took its exit status (ECHILD)
---@field timedOut? boolean true if the timeout was exceeded
---@field isForcefullyTerminated? boolean true if SIGKILL had to follow `killSignal`, see
---`forceKillAfterDelay`
---@field resourceUsage? ResourceUsage what it has used; nil if it could not be started, or its exit
---status was taken

---@class ResourceUsage what a process has used
---@field userCPUTime integer microseconds
---@field systemCPUTime integer microseconds
---@field maxRSS integer? the most memory that was resident, in KiB; of a child, nil unless it has
---had more than this process
---@field minorPageFault integer page faults that read nothing
---@field majorPageFault integer page faults that read from a disk
---@field fsRead integer blocks of 512 bytes that were read from file systems
---@field fsWrite integer the same for writing
---@field voluntaryContextSwitches integer how often it waited
---@field involuntaryContextSwitches integer how often it was made to wait

--- Runs a program without a shell and returns what it prints. Raises an error with all fields of
--- spawnSync's result if that has an error or a status other than 0.
--- In Node: child_process.execFileSync(file[, args][, options]).
---@param file string
---@param args? (string|number|boolean)[]
---@param options? SyncOptions without `stdio`, the child's stderr goes to ours
---@return string? stdout nil if stdout is not a pipe
---@overload fun(file: string, options: SyncOptions): string?
function cp.execFileSync(file, args, options)
  return require("child_process.spawn.sync").execFileSync(file, args, options)
end

--- Runs a command line in a shell and returns what it prints. Raises errors as execFileSync does.
--- In Node: child_process.execSync(command[, options]).
---@param command string
---@param options? SyncOptions
---@return string? stdout
function cp.execSync(command, options)
  return require("child_process.spawn.sync").execSync(command, options)
end

--- Runs a command as Neovim's vim.system does. Raises an error if it cannot be started.
---@param cmd string[] the command and its arguments
---@param opts? SystemOpts
---@param on_exit? fun(completed: SystemCompleted) called when the command has ended and its output
---was read
---@return SystemObj
---@overload fun(cmd: string[], on_exit: fun(completed: SystemCompleted)): SystemObj
function cp.system(cmd, opts, on_exit)
  return require("child_process.spawn.system")(cmd, opts, on_exit)
end

---@class SystemOpts
---@field cwd? string
---@field env? table<string, string|number|boolean> variables to add to our environment
---@field clear_env? boolean `env` is the whole environment
---@field stdin? string|string[]|boolean the input; a list is lines; true: `write` writes it;
---default false: none
---@field stdout? boolean|fun(err: string?, data: string?) default true: collected; false:
---discarded; a function is called with each piece, and with two nils at the end
---@field stderr? boolean|fun(err: string?, data: string?)
---@field text? boolean CR LF in collected output becomes LF
---@field timeout? integer milliseconds after which SIGTERM is sent
---@field detach? boolean leader of a new session and process group

--- Starts another Lua interpreter with a message channel. The script has a global `process`, and
--- the loop runs at the end of the script.
--- In Node: child_process.fork(modulePath[, args][, options]).
---@param modulePath string the script
---@param args? (string|number|boolean)[]
---@param options? ForkOptions
---@return ChildProcess
---@overload fun(modulePath: string, options: ForkOptions): ChildProcess
function cp.fork(modulePath, args, options)
  return require("child_process.fork.fork").fork(modulePath, args, options)
end

---@class ForkOptions : StartOptions
---@field detached? boolean leader of a new session and process group
---@field execPath? string the program to run instead of this interpreter; it gets the script and
---the arguments, and implements the protocol itself
---@field execArgv? string[] flags of the interpreter; default process.execArgv
---@field silent? boolean pipes for stdin, stdout and stderr instead of ours
---@field encoding? string without effect
---@field sendSource? boolean with `host`: the script is read here, and sent
---@field stdio? string|table with exactly one 'ipc'; overrides `silent`

--- Pipes streams into one another, and calls back when all have ended. If one fails, or closes
--- before its end, all are destroyed, and the callback gets the error. A child is used as its stdin
--- and stdout. In Node: stream.pipeline.
---@param ... Stream|ChildProcess|PipelineOptions|function at least two parts, in order, or a list
---of them; then perhaps options; then `callback(err)`
---@return Stream|ChildProcess # the last part
function cp.pipeline(...)
  return require("child_process.stream.pipeline").pipeline(...)
end

--- Turns strict mode on or off. In strict mode unknown options and arguments without effect raise
--- errors instead of causing warnings, and misspelt events cause warnings.
---@param on? boolean default: no change
---@return boolean # whether strict mode is on
function cp.strict(on)
  local strict = require("child_process.base.strict")
  if on ~= nil then
    strict.set(require("child_process.base.check").type("on", "boolean", on))
    require("child_process.events.emitter").checkNames(on)
  end
  return strict.isOn()
end

--- Converts a function whose last argument is `callback(err, ...)` into one that returns a promise.
--- For cp.exec, cp.execFile and cp.pipeline, returns the function of cp.promises.
---@param original function
---@return fun(...: any): Promise # fulfilled with what the callback gets after `err`
function cp.promisify(original)
  for name, promised in pairs(cp.promises) do
    if rawequal(cp[name], original) then
      return promised
    end
  end
  return require("child_process.promise.promisify")(original)
end

-- Fields that are loaded when they are first looked up: a module, or a field of one.
local parts = {
  ChildProcess = {"child_process.spawn.child"},
  array = {"child_process.json", "array"},
  async = {"child_process.promise.async"},
  command = {"child_process.command"},
  promises = {"child_process.spawn.promises"},
}

-- Setting the field `int64` has effects elsewhere, so the table itself must not have it.
local function int64()
  return require("child_process.base.int64")
end

return setmetatable(cp, {
  __newindex = function(_, name, value)
    if name == "int64" then
      int64().set(value)
    else
      rawset(cp, name, value)
    end
  end,
  __index = function(_, name)
    local part = parts[name]
    if name == "int64" then
      return int64().isOn()
    elseif part then
      local module = require(part[1])
      cp[name] = part[2] == nil and module or module[part[2]]
    end
    return rawget(cp, name)
  end,
})
