--- child_process: start programs, watch them, talk to them; as Node.js has it.
--
--   local cp = require("child_process")
--   local ls = cp.spawn("ls", {"-lh", "/usr"})
--   ls.stdout:on("data", function(data) io.write(data) end)
--   ls:on("close", function(code) print("exit code", code) end)
--   cp.run()
local core = require("child_process.core")
local loop = require("child_process.loop")

---@class child_process
---@field ChildProcess ChildProcess the class of what spawn returns
---@field _VERSION string
---@field run fun(mode?: "default"|"once"|"nowait"): boolean turns the loop, see loop.lua
---@field stop fun() makes `run` return
---@field array fun(list?: table): table marks a table as an array in messages, see json.lua
---@field async fun(fn: function, ...: any): Promise calls a function in a coroutine, see async.lua
---@field promisify fun(original: function): function see promisify.lua
---@field promises child_process.promises exec and execFile with promises, see promisify.lua
---@field null lightuserdata stands for JavaScript's null; equal to lua-cjson's
local cp = {
  _VERSION = "child_process scm",
  null = core.null,
  run = loop.run,
  stop = loop.stop,
}

local normalize, ChildProcess -- loaded with the first child

--- Starts a program. What goes wrong with starting it is an "error" event of the result.
--- Node text: child_process.spawn(command[, args][, options]).
---@param command string a path, or a name that is looked up in PATH (options.env.PATH if given)
---@param args? string[]
---@param options? SpawnOptions
---@return ChildProcess
---@overload fun(command: string, options: SpawnOptions): ChildProcess
function cp.spawn(command, args, options)
  if not normalize then
    normalize = require("child_process.arguments").normalize
    ChildProcess = require("child_process.child")
  end
  local normalized = normalize(command, args, options)
  return ChildProcess.new():spawn(normalized)
end

---@class StartOptions what spawn and fork have in common
---@field cwd? string working directory
---@field env? table<string, string|number|boolean> environment; absent: ours
---@field detached? boolean leader of a new session and process group
---@field uid? integer
---@field gid? integer
---@field timeout? integer milliseconds after which killSignal is sent
---@field killSignal? string|integer default "SIGTERM"
---@field signal? AbortSignal aborting it sends killSignal
---@field serialization? "json"|"advanced" how messages are written; default "json"
---@field maxMessageSize? number bytes of a message from the child; default 1 GiB

---@class SpawnOptions : StartOptions
---@field argv0? string default: the command
---@field stdio? string|table see options.stdio in the Node text
---@field shell? boolean|string run the command by /bin/sh, or by this shell
---@field windowsHide? boolean without effect
---@field windowsVerbatimArguments? boolean without effect
---@field setsid? boolean deprecated: detached
---@field customFds? integer[] deprecated: stdio

--- Runs a command line in a shell and collects what it prints.
--- Node text: child_process.exec(command[, options][, callback]).
---@param command string
---@param options? ExecOptions
---@param callback? fun(err: Error?, stdout: string, stderr: string)
---@return ChildProcess
---@overload fun(command: string, callback: function): ChildProcess
function cp.exec(command, options, callback)
  return require("child_process.exec").exec(command, options, callback)
end

---@class ExecOptions
---@field cwd? string
---@field env? table<string, string|number|boolean>
---@field uid? integer
---@field gid? integer
---@field shell? boolean|string
---@field timeout? integer milliseconds
---@field killSignal? string|integer default "SIGTERM"
---@field signal? AbortSignal aborting it sends killSignal
---@field encoding? string of stdout and stderr; by default they are bytes
---@field maxBuffer? number bytes of stdout or stderr; more kills the child; default 1024 * 1024,
---math.huge for no limit
---@field windowsHide? boolean without effect
---@field windowsVerbatimArguments? boolean without effect

--- Runs a program without a shell and collects what it prints.
--- Node text: child_process.execFile(file[, args][, options][, callback]).
---@param file string
---@param args? string[]
---@param options? ExecOptions
---@param callback? fun(err: Error?, stdout: string, stderr: string)
---@return ChildProcess
---@overload fun(file: string, options: ExecOptions, callback?: function): ChildProcess
---@overload fun(file: string, args: string[], callback: function): ChildProcess
---@overload fun(file: string, callback: function): ChildProcess
function cp.execFile(file, args, options, callback)
  return require("child_process.exec").execFile(file, args, options, callback)
end

--- Runs a program to its end, while nothing else happens in this Lua state. What goes wrong is in
--- the field `error` of the result.
--- Node text: child_process.spawnSync(command[, args][, options]).
---@param command string
---@param args? string[]
---@param options? SyncOptions
---@return SyncResult
---@overload fun(command: string, options: SyncOptions): SyncResult
function cp.spawnSync(command, args, options)
  return require("child_process.sync").spawnSync(command, args, options)
end

---@class SyncOptions : SpawnOptions `serialization` and `maxMessageSize` have no meaning here
---@field input? string what the child reads from its stdin, whatever stdio[0] says
---@field maxBuffer? number bytes of each output; more kills the child; default 1024 * 1024,
---math.huge for no limit
---@field encoding? string of the input and the outputs; by default they are bytes

---@class SyncResult
---@field pid integer 0 if the program could not be started
---@field output? table<integer, string> by the child's descriptor, for each that was a new pipe;
---absent if the program could not be started
---@field stdout? string output[1]
---@field stderr? string output[2]
---@field status? integer exit code; nil if a signal ended it, or it could not be started
---@field signal? string
---@field error? Error it could not be started, or exceeded a limit (ETIMEDOUT, ENOBUFS), or did not
---take its input (EPIPE), or another part of the program took its status (ECHILD)

--- Runs a program without a shell and returns what it prints. Raises an error with all fields of
--- spawnSync's result when that has an error or a status other than 0.
--- Node text: child_process.execFileSync(file[, args][, options]).
---@param file string
---@param args? string[]
---@param options? SyncOptions without `stdio`, stderr goes to ours
---@return string? stdout nil where that is no pipe
---@overload fun(file: string, options: SyncOptions): string?
function cp.execFileSync(file, args, options)
  return require("child_process.sync").execFileSync(file, args, options)
end

--- The same for a command line, run by a shell.
--- Node text: child_process.execSync(command[, options]).
---@param command string
---@param options? SyncOptions
---@return string? stdout
function cp.execSync(command, options)
  return require("child_process.sync").execSync(command, options)
end

--- Starts another Lua with a message channel. The script finds `process` as a global, and its loop
--- runs when it has ended.
--- Node text: child_process.fork(modulePath[, args][, options]).
---@param modulePath string the script
---@param args? string[]
---@param options? ForkOptions
---@return ChildProcess
---@overload fun(modulePath: string, options: ForkOptions): ChildProcess
function cp.fork(modulePath, args, options)
  return require("child_process.fork").fork(modulePath, args, options)
end

---@class ForkOptions : StartOptions
---@field execPath? string what is run in the place of this interpreter; it is given the script and
---the arguments, and speaks the protocol by itself
---@field execArgv? string[] flags of the interpreter; default process.execArgv
---@field silent? boolean pipes for stdin, stdout and stderr in the place of ours
---@field stdio? string|table with exactly one 'ipc'; comes before `silent`

-- Loaded when first asked for: a module, or a field of one.
local parts = {
  ChildProcess = {"child"}, array = {"json", "array"}, async = {"async"},
  promisify = {"promisify", "promisify"}, promises = {"promisify", "promises"},
}

return setmetatable(cp, {
  __index = function(_, name)
    local part = parts[name]
    if part then
      local module = require("child_process." .. part[1])
      cp[name] = part[2] == nil and module or module[part[2]]
    end
    return rawget(cp, name)
  end,
})
