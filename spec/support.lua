-- What specs need: a loop that cannot hang, temporary files, and a look at what the process holds.

local assert = require("luassert")
local busted = require("busted")
local compat = require("child_process.base.compat")
local cp = require("child_process")
local encoding = require("child_process.encoding")
local lfs = require("lfs")
local loop = require("child_process.loop")
local process = require("child_process.process")
local timers = require("child_process.timers")

local support = {}

--- The interpreter that child scripts are started with.
---@type string
support.lua = os.getenv("CHILD_PROCESS_LUA") or "lua5.4"

--- The version of Lua, and whether that is LuaJIT.
---@type string
support.luaVersion = _VERSION:match("%d%.%d")
support.isLuaJIT = rawget(_G, "jit") ~= nil

--- Whether this is Lua 5.1 of its authors, which formats and prints no error objects.
---@type boolean
support.isPuc51 = support.luaVersion == "5.1" and not support.isLuaJIT

--- Whether Lua has integers of 64 bits, which it distinguishes from floats.
---@type boolean
support.hasIntegers = math.type ~= nil

--- Whether Lua closes variables, coroutines, and the values of loops that are left.
---@type boolean
support.closesVariables = coroutine.close ~= nil

--- Whether a coroutine can yield in a function that pcall or a loop's iterator has called.
---@type boolean
support.yieldsAnywhere = not support.isPuc51

--- Skips the rest of a test that needs variables and coroutines to be closed.
function support.needClosing()
  if not support.closesVariables then
    local name = support.isLuaJIT and "LuaJIT" or "Lua " .. support.luaVersion
    support.skip(name .. " does not close variables and coroutines")
  end
end

--- Skips the rest of a test in which a coroutine yields in what pcall or an iterator has called.
function support.needYields()
  if not support.yieldsAnywhere then support.skip("Lua 5.1 cannot yield there") end
end

--- Calls a function while a to-be-closed variable holds a value. Before Lua 5.4 there are none.
---@param value any with a metamethod `__close`
---@param fn fun(value: any)
function support.closing(value, fn)
  assert(load("local value, fn = ... local closed <close> = value fn(value)"))(value, fn)
end

--- Compiles a text, in every Lua. Raises an error if it cannot be compiled.
---@param text string
---@param name? string of the chunk
---@param globals? table
---@return function
function support.load(text, name, globals)
  if not support.isPuc51 then return assert(load(text, name, "t", globals or _G)) end
  local chunk = assert(loadstring(text, name))
  return globals and setfenv(chunk, globals) or chunk
end

--- Whether the module was built for Linux, and not for any POSIX system.
---@type boolean
support.forLinux = os.getenv("CHILD_PROCESS_SPEC_SYS") ~= "posix"

--- Whether this process has the rights of root.
---@type boolean
support.isRoot = lfs.attributes("/proc/self", "uid") == 0

--- Skips the rest of a test that needs the rights of root.
function support.needRoot()
  if not support.isRoot then support.skip("needs root") end
end

--- Whether the garbage collector is always at work: what is done often takes ten times as long.
---@type boolean
support.collecting = os.getenv("CHILD_PROCESS_SPEC_GC") == "1"

--- Whether code takes many times as long as usual: so, too, under valgrind.
---@type boolean
support.isSlow = support.collecting
  or (os.getenv("LD_PRELOAD") or ""):find("valgrind", 1, true) ~= nil

local pendingOfTest

--- Skips the rest of the running test, which is counted as skipped. Files that a spec requires have
--- no `pending`: busted gives that to the test alone.
---@param reason string "Node 20 is not installed"
function support.skip(reason)
  pendingOfTest(reason)
end

local nodeFound

--- Whether a real Node is there to be asked. Older ones lack what the specs ask for.
---@return boolean
function support.hasNode()
  if nodeFound == nil then
    local version = cp.spawnSync("node", {"--version"}).stdout or ""
    nodeFound = (tonumber(version:match("^v(%d+)")) or 0) >= 20
  end
  return nodeFound
end

--- A copy of a table in which the fields of another one are set.
---@param fields? table
---@param changes? table
---@return table
function support.merge(fields, changes)
  local all = {}
  for name, value in compat.pairs(fields or {}) do all[name] = value end
  for name, value in pairs(changes or {}) do all[name] = value end
  return all
end

--- Bytes the way printf in a shell takes them.
---@param bytes string
---@return string
function support.octal(bytes)
  return (bytes:gsub(".", function(byte) return ("\\%03o"):format(byte:byte()) end))
end

local temporary = {}

--- Removes a file, or a folder with all it contains.
local function remove(path)
  if lfs.symlinkattributes(path, "mode") == "directory" then
    for name in lfs.dir(path) do
      if name ~= "." and name ~= ".." then remove(path .. "/" .. name) end
    end
  end
  os.remove(path)
end

--- Makes an empty folder that is removed, with its contents, after the test.
---@return string path absolute
function support.tmpdir()
  local path = os.tmpname()
  os.remove(path)
  assert(lfs.mkdir(path))
  temporary[#temporary + 1] = path
  return path
end

--- Writes a file, and replaces one that exists already.
---@param path string
---@param text string
function support.writeFile(path, text)
  local file = assert(io.open(path, "w"))
  assert(file:write(text))
  file:close()
end

--- Reads a file to its end.
---@param path string
---@return string
function support.readFile(path)
  local file = assert(io.open(path))
  local text = file:read("*a")
  file:close()
  return text
end

--- A character in UTF-8.
---@param code integer below 0x10000
---@return string
function support.character(code)
  if code < 0x80 then return string.char(code) end
  local last = string.char(0x80 + code % 64)
  code = math.floor(code / 64)
  if code < 32 then return string.char(0xC0 + code) .. last end
  return string.char(0xE0 + math.floor(code / 64), 0x80 + code % 64) .. last
end

--- Whether bytes are text in UTF-8.
---@param bytes string
---@return boolean
function support.isText(bytes)
  return encoding.decode(bytes, "utf8") == bytes
end

--- Writes a Lua script that is removed after the test.
---@param text string the whole script
---@return string path absolute
function support.script(text)
  local path = support.tmpdir() .. "/script.lua"
  support.writeFile(path, text)
  return path
end

--- Writes a script that can be executed.
---@param path string
---@param text string the whole script, with the line that names its interpreter
---@return string path
function support.executable(path, text)
  support.writeFile(path, text)
  assert(os.execute(("chmod +x '%s'"):format(path)))
  return path
end

-- How long the loop may take, in seconds: ten times as long as on a slow machine. Once a test has
-- left something behind that keeps the loop alive, every test after it would take all of that.
local patience = 120

--- Calls a function that runs the loop. Fails, naming what is still alive, when it has not returned
--- in time.
---@generic T
---@param fn fun(): T
---@param seconds? number how long it may take at most (default 120)
---@return T
function support.inTime(fn, seconds)
  seconds = seconds or patience
  local watchdog = timers.setTimeout(function()
    local alive = table.concat(loop.handles(), "\n  ")
    error(("the loop did not end within %g s; still alive:\n  %s"):format(seconds, alive), 0)
  end, seconds * 1000)
  watchdog:unref()
  local ok, result = pcall(fn)
  timers.clearTimeout(watchdog)
  if not ok then error(result, 0) end
  return result
end

--- Runs the loop to its end, as inTime.
---@param seconds? number how long it may take at most (default 120)
---@return any # what `cp.run()` returned
function support.run(seconds)
  return support.inTime(cp.run, seconds)
end

--- Runs a Lua script in an interpreter of its own, to its end. Fails with what the script said of
--- itself when its exit code is not 0.
---@param text string in which `cp` is the module
---@param before? string shell commands that come first, "ulimit -n 20" for instance
---@param options? table of spawn
---@return string stdout
---@return string stderr
function support.runScript(text, before, options)
  local script = support.script('local cp = require("child_process")\n' .. text)
  local command = (before or ":") .. '; exec "$0" "$1"'
  local child = cp.spawn("sh", {"-c", command, support.lua, script}, options)
  child.stdin:finish()
  local stdout, stderr = support.output(child)
  if child.exitCode ~= 0 then
    error(("the script ended with %s: %s"):format(child.exitCode or child.signalCode, stderr), 2)
  end
  return stdout, stderr
end

--- Repeats a call with doubled timeouts until its child was fast enough.
local function untilFast(wasFast, call, script, options)
  options = options or {}
  local timeout = 50
  repeat
    timeout = timeout * 2
    options.timeout = timeout
    local result = call(script, options)
    if wasFast(result) then return result end
  until timeout > 20000
  error("the child did not get there in time", 2)
end

local function isReady(result) return result.stdout:find("ready", 1, true) end

--- Makes a synchronous call with a timeout that leaves the script the time to print "ready".
---@param call fun(script: string, options: table): table gives its result, or its error
---@param script string
---@param options? table of the call; `timeout` is set in them
---@return table # the result or error
function support.onceReady(call, script, options)
  return untilFast(isReady, call, script, options)
end

--- Kills the process that a script has left behind; its pid is the first number of the output.
---@param output string
function support.killPrinted(output)
  assert(process:kill(tonumber(output:match("%d+")), "SIGKILL"))
end

local function endedByItself(result) return result.signal == nil end

--- Makes a synchronous call of a script that leaves a process behind and prints its pid, with a
--- timeout that leaves the script the time to end by itself. Then ends that process.
---@param call fun(script: string, options: table): table gives its result, or its error
---@param script string
---@param options? table of the call; `timeout` is set in them
---@return table # the result or error
function support.leaveBehind(call, script, options)
  return untilFast(endedByItself, function(...)
    local result = call(...)
    local pid = (result.stdout .. result.stderr):match("%d+")
    if pid then process:kill(tonumber(pid), "SIGKILL") end
    return result
  end, script, options)
end

--- Expects of a result of spawnSync that the program ran and exited with 0.
---@param result table
function support.assertSucceeded(result)
  assert.is_nil(result.error)
  assert.is_nil(result.signal)
  assert.equal(0, result.status)
end

--- Compares texts that are too long to be shown.
---@param expected string
---@param actual string
function support.assertSameText(expected, actual)
  assert.equal(#expected, #actual)
  assert.is_true(expected == actual, "the texts have the same length, and differ")
end

--- Has a program started that lists its descriptors.
---@generic T
---@param start fun(file: string, args: string[]): T starts it, and waits until it has ended
---@return table<integer, string> targets by descriptor: "pipe", "socket" or the path of a file
---@return T # what `start` returned
function support.childFds(start)
  local report = support.tmpdir() .. "/report"
  -- ls runs in a shell of its own, so that the one that is looked at keeps what it was given
  local started = start("sh", {"-c", '(ls -l /proc/$$/fd > "$0"); exit 0', report})
  local found = {}
  for line in io.lines(report) do
    local fd, target = line:match("(%d+) %-> (.*)$")
    if fd then found[tonumber(fd)] = target:match("^(%a+):%[") or target end
  end
  return found, started
end

--- Gathers everything that a stream emits as `data`.
---@return fun(): string # gives what has come so far
function support.collect(stream)
  local chunks = {}
  stream:on("data", function(chunk) chunks[#chunks + 1] = chunk end)
  return function() return table.concat(chunks) end
end

--- Runs the loop to its end and gives what a child wrote meanwhile.
---@return string? stdout nil where it is no pipe
---@return string? stderr the same
function support.output(child)
  local stdout = child.stdout and support.collect(child.stdout)
  local stderr = child.stderr and support.collect(child.stderr)
  support.run()
  return stdout and stdout(), stderr and stderr()
end

--- Runs the loop to its end, and asserts that a child has ended with 0 and has written nothing to
--- its stderr.
---@return string stdout
function support.outputOfSuccess(child)
  local stdout, stderr = support.output(child)
  assert.equal("", stderr)
  assert.equal(0, child.exitCode)
  return stdout --[[@as string]]
end

--- Notes events from now on, each with its arguments: "exit 0 nil".
---@param emitter EventEmitter
---@param counts table<string, integer> for each event, how many of its arguments are noted
---@param describe? fun(value: any): string default: tostring
---@return string[] # grows as they come
function support.note(emitter, counts, describe)
  local seen = {}
  for name, count in pairs(counts) do
    emitter:on(name, function(...)
      local words = {name}
      for i = 1, count do words[i + 1] = (describe or tostring)((select(i, ...))) end
      seen[#seen + 1] = table.concat(words, " ")
    end)
  end
  return seen
end

--- Notes the events that a child emits from now on.
---@return string[] # grows as they come
function support.events(child)
  return support.note(child, {spawn = 0, error = 1, exit = 2, close = 2})
end

--- Notes the names of events as they come.
---@param emitter EventEmitter
---@param ... string
---@return string[] # grows as they come
function support.names(emitter, ...)
  local counts = {}
  for _, name in ipairs({...}) do counts[name] = 0 end
  return support.note(emitter, counts)
end

--- Calls back after `count` iterations of the loop.
---@param count integer
---@param fn function
function support.afterTurns(count, fn)
  if count == 0 then fn() else timers.setImmediate(support.afterTurns, count - 1, fn) end
end

--- Runs the loop until it ends without raising.
---@return any[] what was raised
function support.runThrough()
  local raised = {}
  while true do
    local ok, err = pcall(support.run)
    if ok then return raised end
    raised[#raised + 1] = err
    assert(#raised < 100, err)
  end
end

--- The lines of a text, but for empty ones.
---@param text string
---@return string[]
function support.lines(text)
  local list = {}
  for line in text:gmatch("[^\n]+") do list[#list + 1] = line end
  return list
end

--- The signals of a set as the kernel prints it, in hexadecimal digits. Leaves out 32 and 33: these
--- are the C library's own, and programs that started ours may have left them ignored.
---@param set string
---@return integer[]
function support.signals(set)
  local list = {}
  for place, digit in set:reverse():gmatch("()(%x)") do
    for bit = 0, 3 do
      local signal = 4 * place - 3 + bit
      local isIn = math.floor(tonumber(digit, 16) / 2 ^ bit) % 2 == 1
      if isIn and signal ~= 32 and signal ~= 33 then list[#list + 1] = signal end
    end
  end
  return list
end

--- Checks that options are refused, in a synchronous call, too.
---@param code string of the error
---@param part string of its message
---@param options table
function support.refuseOptions(code, part, options)
  for _, call in ipairs({cp.spawn, cp.spawnSync}) do
    local err = support.error(call, "true", {}, options)
    assert.equal(code, err.code)
    assert.match(part, err.message, 1, true)
  end
end

--- Calls a function that has to raise an error.
---@return any # the error as it was raised
function support.error(fn, ...)
  local ok, err = pcall(fn, ...)
  if ok then error("an error was expected, none was raised", 2) end
  return err
end

--- Part of scripts: turns LuaJIT's compiler off, which crashes when there is no memory. In
--- finalizers, loops over a table that it has compiled may not end.
support.withoutCompiler = "if jit then jit.off() end\n"

--- Compiles the module `host`, which lets scripts behave like a host program (spec/support/host.c),
--- or another one like it.
---@param name? string default "host"
---@return string folder of the module, for package.cpath
function support.hostModule(name)
  name = name or "host"
  local abi = support.isLuaJIT and "luajit" or support.luaVersion
  local folder = ("%s/build/%s/spec"):format(lfs.currentdir(), abi)
  local compiler = cp.spawn("sh", {"-ec", [[
    mkdir -p "$0"
    if [ -n "$LUA_INCDIR" ]; then
      cflags="-I$LUA_INCDIR"
    else
      cflags=$(pkg-config --cflags "$(scripts/lua_package.sh "$2")")
    fi
    cflags="$cflags ${UV_CFLAGS-$(pkg-config --cflags libuv)}"
    libs=${UV_LIBS-$(pkg-config --libs libuv)}
    # closing a Lua state must not unmap what has called for that;
    # moved into its place, as a run at the same time may be loading the one that is there
    ${CC:-cc} -shared -fPIC -Wl,-z,nodelete -Isrc $cflags -o "$0/$1.so.$$" \
      "spec/support/$1.c" src/compat/lua.c $libs
    mv "$0/$1.so.$$" "$0/$1.so"
  ]], folder, name, abi}, {stdio = {"ignore", "inherit", "inherit"}})
  support.run()
  assert(compiler.exitCode == 0, ("spec/support/%s.c could not be compiled"):format(name))
  return folder
end

local hostFolder

--- Runs a Lua script as runScript does, in which also `host`, the module of support.hostModule, and
--- `process` are there. Fails when the script writes to stderr.
---@param text string
---@return string stdout
function support.runHost(text)
  hostFolder = hostFolder or support.hostModule()
  local stdout, stderr = support.runScript(([[
    package.cpath = "%s/?.so;" .. package.cpath
    local host = require("host")
    local process = require("child_process.process")
    %s
  ]]):format(hostFolder, text))
  assert.equal("", stderr)
  return stdout
end

--- The descriptors that this process has open, each as "NUMBER TARGET", sorted by name.
---@return string[]
function support.openFds()
  local fds = {}
  for name in lfs.dir("/proc/self/fd") do
    local target = lfs.symlinkattributes("/proc/self/fd/" .. name, "target")
    -- the folder that is being listed holds a descriptor of its own
    if target and not target:find("^/proc/%d+/fd$") then fds[#fds + 1] = name .. " " .. target end
  end
  table.sort(fds)
  return fds
end

local pidfdsFound

--- Whether children are watched through pidfds: a kernel, a sandbox or an emulator may have none.
--- Asks a program, since the loop of a test must not run meanwhile.
---@return boolean
function support.hasPidfds()
  if pidfdsFound == nil then
    local listed = cp.execFileSync(support.lua, {"-"}, {input = [[
      require("child_process").spawn("true")
      os.execute("ls -l /proc/$PPID/fd")
    ]], encoding = "utf8"})
    pidfdsFound = listed:find("pidfd", 1, true) ~= nil
  end
  return pidfdsFound
end

--- Whether qemu runs this process on another processor. It makes up what a process reads of itself
--- in /proc, but not by this path.
---@return boolean
function support.isEmulated()
  local exe = ("/proc/self/task/%d/exe"):format(process.pid)
  return lfs.symlinkattributes(exe, "target"):find("qemu", 1, true) ~= nil
end

--- Whether a child shares our memory until it executes a program.
---@type boolean
support.sharesMemory = support.forLinux and not os.getenv("CHILD_PROCESS_NO_VFORK")
  and not support.isEmulated()

--- Whether the kernel keeps the status of a child that somebody else has waited for. (Emulators do
--- not ask it.)
---@return boolean
function support.keepsStatus()
  if not support.hasPidfds() or support.isEmulated() then return false end
  local major, minor = support.readFile("/proc/sys/kernel/osrelease"):match("^(%d+)%.(%d+)")
  major, minor = tonumber(major), tonumber(minor)
  return major > 6 or major == 6 and minor >= 15
end

local function countThreads()
  local count = 0
  for name in lfs.dir("/proc/self/task") do count = count + (name:find("^%d") and 1 or 0) end
  return count
end

local usualThreads = countThreads()

--- The same when nothing of earlier tests is left: garbage is collected, and the threads that look
--- up hosts have ended, since the C library opens files and sockets in them. Children that outlive
--- their tests have threads, too, so it gives up waiting after a while.
---@return string[]
function support.settledFds()
  collectgarbage()
  local attempts = 0
  while countThreads() > usualThreads and attempts < 200 do
    cp.spawnSync("sleep", {"0.01"})
    attempts = attempts + 1
  end
  return support.openFds()
end

--- Number, state and parent of a process, as the kernel reports them.
local function status(pid)
  local file = io.open("/proc/" .. pid .. "/stat")
  if not file then return end
  local own, state, parent = (file:read("*a") or ""):match("^(%d+) %(.*%) (%a) (%d+)")
  file:close()
  return own, state, parent
end

--- Calls a function with number and state of each child of a process.
local function eachChild(ofWhom, fn)
  local self = tostring(ofWhom)
  for name in lfs.dir("/proc") do
    if name:find("^%d+$") then
      local pid, state, parent = status(name)
      if parent == self then fn(pid, state) end
    end
  end
end

--- The children of a process that have ended and were not waited for.
---@param parent? integer default this process
---@return string[] pids
function support.zombies(parent)
  local pids = {}
  eachChild(parent or process.pid, function(pid, state)
    if state == "Z" then pids[#pids + 1] = pid end
  end)
  return pids
end

local function beforeTest(element)
  pendingOfTest = element.env.pending
  return nil, true
end

local function afterTest(_, _, result)
  while #temporary > 0 do remove(table.remove(temporary)) end
  if result == "failure" or result == "error" then
    -- what a failed test has left running must not let the next ones fail as well
    eachChild(process.pid, function(pid) process:kill(tonumber(pid), "SIGKILL") end)
    if not pcall(support.run, 1) then patience = 5 end
  end
  return nil, true
end

-- The programs of spec/stress run without busted: they have no tests that end.
if busted.subscribe then
  busted.subscribe({"test", "start"}, beforeTest)
  busted.subscribe({"test", "end"}, afterTest)
end

return support
