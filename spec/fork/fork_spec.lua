-- child_process.fork: another Lua with a message channel.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local messages = require("spec.support.messages")
local process = require("child_process.process")
local support = require("spec.support")

local CAPTURED = {"ignore", "pipe", "pipe", "ipc"}

--- Forks a script to its end and gives its output. Fails if its code is not 0.
local function outputOf(text, options, args)
  local child = messages.fork(text, support.merge({stdio = CAPTURED}, options), args)
  local stdout, stderr = support.output(child)
  assert.equal(0, child.exitCode, stderr)
  return stdout, child
end

--- Runs a parent script that forks, and gives what all print.
local function outputOfParent(text, before)
  return support.runScript(text .. "\ncp.run()", before)
end

describe("child_process.fork(modulePath[, args][, options])", function()
  it("spawns a new process and invokes a specified module with an IPC channel established that "
    .. "allows sending messages between parent and child", function()
    local child = messages.fork([[
      process:on("message", function(message)
        process:send(message .. " and back")
        process:disconnect()
      end)
    ]])
    local received = messages.received(child)
    child:send("there")
    support.run()
    assert.same({"there and back"}, received)
    assert.equal(0, child.exitCode)
  end)

  it("is a special case of spawn, used specifically to spawn new processes of the same "
    .. "interpreter", function()
    local stdout = outputOf("print(_VERSION, process.execPath)")
    assert.equal(_VERSION .. "\t" .. process.execPath .. "\n", stdout)
  end)

  it("returns a ChildProcess, like spawn", function()
    local child = messages.fork("")
    assert.equal(getmetatable(cp.spawn("true")), getmetatable(child))
    assert.is_true(child.pid > 0)
    support.run()
  end)

  it("returns a ChildProcess with an additional communication channel built-in that allows "
    .. "messages to be passed back and forth", function()
    local child = messages.fork("")
    assert.is_true(child.connected)
    assert.is_not_nil(child.channel)
    assert.is_function(child.send)
    support.run()
  end)

  it("starts processes that are independent of the parent: each has its own memory", function()
    local child = messages.fork([[
      message = "of the child"
      process:send({process.pid, process.ppid, message})
    ]])
    local received = messages.received(child)
    support.run()
    assert.same({{child.pid, process.pid, "of the child"}}, received)
    assert.is_nil(rawget(_G, "message"))
  end)

  it("does not clone the current process, unlike the fork(2) POSIX system call", function()
    rawset(_G, "forkSpecValue", "of the parent")
    local stdout = outputOf("print(forkSpecValue)")
    rawset(_G, "forkSpecValue", nil)
    assert.equal("nil\n", stdout)
  end)

  it("will spawn by default using the process.execPath of the parent process", function()
    local wrapper = support.executable(support.tmpdir() .. "/lua wrapper",
      ("#!/bin/sh\necho wrapped\nexec %q \"$@\"\n"):format(process.execPath))
    local execPath = process.execPath
    process.execPath = wrapper
    local ok, stdout, child = pcall(outputOf, "print('hello')")
    process.execPath = execPath
    assert.is_true(ok, tostring(stdout))
    assert.equal("wrapped\nhello\n", stdout)
    assert.equal(wrapper, child.spawnfile)
  end)

  it("has child.spawnfile equal to process.execPath", function()
    local child = messages.fork("")
    assert.equal(process.execPath, child.spawnfile)
    assert.equal(process.execPath, child.spawnargs[1])
    support.run()
  end)

  it("raises a TypeError for a modulePath or args or options of the wrong type", function()
    for _, arguments in ipairs({
      {}, {5}, {{}}, {""}, {"a\0b"}, {"script", "text"}, {"script", 5}, {"script", {}, "text"},
      {"script", {5, {}}}, {"script", {stdio = 5}}, {"script", {stdio = "nonsense"}},
      {"script", {stdio = {"ipc", "nonsense"}}}, {"script", {execPath = 5}},
      {"script", {execArgv = "text"}}, {"script", {cwd = 5}}, {"script", {serialization = "x"}},
      {"script", {killSignal = {}}}, {"script", {env = 5}},
    }) do
      local err = support.error(cp.fork, compat.unpack(arguments))
      assert.equal("TypeError", err.name, table.concat({tostring(err), #arguments}, " "))
      assert.matches("^ERR_", err.code)
    end
  end)
end)

describe("What is wrong with the arguments of fork", function()
  for name, arguments in pairs({
    ["args[1]"] = {"script", {{}}},
    ["args[2]"] = {"script", {"a", "b\0"}, {execPath = "sh", execArgv = {"-e", "-u"}}},
    ["options.execArgv[1]"] = {"script", {execArgv = {{}}}},
    ["options.execArgv[2]"] = {"script", {execPath = "sh", execArgv = {"-e", "\0"}}},
    ["options.execPath"] = {"script", {execPath = ""}},
    ["process.execPath"] = {"script"},
    ["stdio"] = {"script", {stdio = "ipc"}}, -- as Node has it
  }) do
    it("is named in the error: " .. name, function()
      local execPath = process.execPath
      if name == "process.execPath" then process.execPath = 5 end
      local err = support.error(cp.fork, compat.unpack(arguments))
      process.execPath = execPath
      assert.equal("TypeError", err.name)
      assert.matches("^ERR_INVALID_ARG_", err.code)
      local quoted = err.message:match("^The %l* ?'(.-)'") or err.message:match('^The "(.-)"')
      assert.equal(name, quoted)
    end)
  end
end)

describe("modulePath", function()
  it("is the module to run in the child", function()
    assert.equal("running\n", (outputOf("print('running')")))
  end)

  it("may be relative to the child's working directory", function()
    local folder = support.script("print('found')"):match("^(.*)/")
    for _, path in ipairs({"script.lua", "./script.lua", "script"}) do
      local child = cp.fork(path, {stdio = CAPTURED, cwd = folder})
      assert.equal("found\n", (support.output(child)), path)
    end
  end)
end)

describe("args", function()
  it("is the list of string arguments", function()
    local stdout = outputOf("print(select('#', ...), ...)", nil, {"one", "two words", ""})
    assert.equal("3\tone\ttwo words\t\n", stdout)
  end)

  it("may be left out, also before options", function()
    local path = support.script("print(#arg, select('#', ...))")
    local child = cp.fork(path, {stdio = CAPTURED})
    assert.equal("0\t0\n", (support.output(child)))
    child = cp.fork(path, nil, {stdio = CAPTURED})
    assert.equal("0\t0\n", (support.output(child)))
  end)
end)

describe("options", function()
  it("cwd is the current working directory of the child process", function()
    local folder = support.tmpdir()
    local stdout = outputOf("print(process:cwd())", {cwd = folder})
    assert.equal(cp.execFileSync("pwd", {"-P"}, {cwd = folder}), stdout)
  end)

  it("detached prepares the child to run independently of its parent process", function()
    local child = messages.fork("process:on('message', function() process:disconnect() end)",
      {detached = true})
    local group = cp.execSync("ps -o pgid= -p " .. child.pid)
    assert.equal(child.pid, tonumber(group))
    child:send("end")
    support.run()
  end)

  it("env holds the environment key-value pairs", function()
    local stdout = outputOf([[
      for name, value in process.env() do print(name, value) end
    ]], {env = {FORK_SPEC = "value"}})
    assert.equal("FORK_SPEC\tvalue\n", stdout)
  end)

  it("env is process.env by default", function()
    process.env.FORK_SPEC = "inherited"
    local ok, stdout = pcall(outputOf, "print(process.env.FORK_SPEC, os.getenv('HOME'))")
    process.env.FORK_SPEC = nil
    assert.is_true(ok, tostring(stdout))
    assert.equal("inherited\t" .. tostring(os.getenv("HOME")) .. "\n", stdout)
  end)

  it("env may be empty", function()
    local stdout = outputOf([[
      require("child_process") -- is found all the same
      print(next(process.env))
      for name, value in process.env() do print(name, value) end
    ]], {env = {}})
    assert.equal("nil\n", stdout)
  end)

  it("execPath is the executable used to create the child process", function()
    local path = support.script("print('started', select('#', ...), ...)")
    local child = cp.fork(path, {"argument"}, {execPath = support.lua, stdio = CAPTURED})
    assert.equal(support.lua, child.spawnfile)
    assert.same({support.lua, path, "argument"}, child.spawnargs)
    assert.equal("started\t1\targument\n", (support.output(child)))
  end)

  it("execPath that does not exist is an ENOENT error event", function()
    local child = cp.fork("script", {execPath = "/does/not/exist"})
    local seen = messages.events(child)
    support.run()
    assert.equal("error ENOENT", seen[1])
  end)

  it("execPath has the process communicate using the file descriptor (fd) identified using the "
    .. "environment variable NODE_CHANNEL_FD on the child process", function()
    local path = support.script([[
      printf '"%s %s"\n' "$NODE_CHANNEL_FD" "$NODE_CHANNEL_SERIALIZATION_MODE" >&$NODE_CHANNEL_FD
    ]])
    local child = cp.fork(path, {execPath = "sh"})
    local received = messages.received(child)
    support.run()
    assert.same({"3 json"}, received)
  end)

  it("execPath may be a Lua whose script loads the module itself", function()
    local path = support.script([[
      local cp = require("child_process")
      local process = require("child_process.process")
      process:on("message", function(message)
        process:send({message, rawget(_G, "process") == nil, os.getenv("NODE_CHANNEL_FD") == nil})
        process:disconnect()
      end)
      cp.run()
    ]])
    local child = cp.fork(path, {execPath = support.lua})
    local received = messages.received(child)
    child:send("hello")
    support.run()
    assert.same({{"hello", true, true}}, received)
  end)

  it("execArgv is the list of string arguments passed to the executable", function()
    local folder = support.tmpdir()
    support.writeFile(folder .. "/extra.lua", "extraLoaded = true")
    local stdout = outputOf("print(extraLoaded, process.execArgv[1], process.execArgv[2])", {
      execArgv = {"-l", "extra"},
      env = messages.environment({
        LUA_PATH = folder .. "/?.lua;" .. (os.getenv("LUA_PATH") or ";"),
      }),
    })
    assert.equal("true\t-l\textra\n", stdout)
  end)

  it("execArgv comes before the module where there is an execPath, and is empty by default",
    function()
      local path = support.script("printf '%s\\n' \"$-\" \"$@\"")
      local child = cp.fork(path, {"a"}, {execPath = "sh", execArgv = {"-u"}, stdio = CAPTURED})
      assert.same({"sh", "-u", path, "a"}, child.spawnargs)
      assert.matches("u.*\na\n$", (support.output(child)))
      child = cp.fork(path, {"a"}, {execPath = "sh", stdio = CAPTURED})
      assert.same({"sh", path, "a"}, child.spawnargs)
      support.output(child)
    end)

  it("execArgv is process.execArgv by default", function()
    local script = support.script("print(table.concat(process.execArgv, ' '), extraLoaded)")
    local folder = support.tmpdir()
    support.writeFile(folder .. "/extra.lua", "extraLoaded = true")
    local parent = support.script(([[
      require("child_process").fork(%q)
      require("child_process").run()
    ]]):format(script))
    local stdout = cp.execFileSync(support.lua, {"-l", "extra", parent}, {
      env = messages.environment({
        LUA_PATH = folder .. "/?.lua;" .. (os.getenv("LUA_PATH") or ";"),
      }),
    })
    assert.equal("-l extra\ttrue\n", stdout)
  end)

  it("execArgv has the -e chunk that a child was given, and fork does not pass that on", function()
    local again = support.script("print(#process.execArgv, given)")
    local stdout = outputOf(([[
      print(process.execArgv[1], process.execArgv[2], given)
      require("child_process").fork(%q)
    ]]):format(again), {execArgv = {"-e", "given = 'given'"}})
    assert.equal("-e\tgiven = 'given'\tgiven\n0\tnil\n", stdout)
  end)

  it("process.execArgv that was set is passed on as it is", function()
    local again = support.script("print(#process.execArgv, given)")
    assert.equal("2\ttrue\n", outputOf(([[
      process.execArgv = {"-e", "given = true"}
      require("child_process").fork(%q)
    ]]):format(again)))
  end)

  it("stdio as a string is one of four words", function()
    for _, word in ipairs({"ipc", "pipes", ""}) do
      local err = support.error(cp.fork, "script", {stdio = word})
      assert.equal("ERR_INVALID_ARG_VALUE", err.code)
      assert.matches("'inherit'", err.message, 1, true)
    end
  end)

  it("gid and uid set the identity of the process", function()
    local id = tonumber(cp.execSync("id -u"))
    if id ~= 0 then pending("needs root") end
    -- the script and the module may lie where nobody else can look
    local child = cp.fork("-c", {"id -u; id -g"}, {
      execPath = "sh", uid = 65534, gid = 65534, stdio = CAPTURED,
    })
    assert.equal("65534\n65534\n", (support.output(child)))
  end)

  it("serialization may be 'json' or 'advanced'", function()
    for _, serialization in ipairs({"json", "advanced"}) do
      local path = support.script('echo "$NODE_CHANNEL_SERIALIZATION_MODE"')
      local child = cp.fork(path,
        {execPath = "sh", serialization = serialization, stdio = CAPTURED})
      assert.equal(serialization .. "\n", (support.output(child)))
    end
  end)

  it("killSignal is used when the process is killed by timeout", function()
    local child = messages.fork("process.channel:ref()", {timeout = 50, killSignal = "SIGKILL"})
    support.run()
    assert.equal("SIGKILL", child.signalCode)
  end)

  it("timeout is in milliseconds the maximum amount of time the process is allowed to run, and "
    .. "killSignal by default 'SIGTERM'", function()
    local child = messages.fork("process.channel:ref()", {timeout = 50})
    local seen = messages.events(child, {exit = true})
    support.run()
    assert.same({"disconnect", "close nil SIGTERM"}, seen)
  end)

  it("timeout is by default undefined", function()
    local child = messages.fork("process:on('message', function() process:disconnect() end)")
    assert.is_nil(child._timer)
    child:send("end")
    support.run()
    assert.equal(0, child.exitCode)
  end)

  it("shell is not supported and will be ignored if set", function()
    for _, shell in ipairs({true, "/bin/sh", "/does/not/exist"}) do
      assert.equal("$HOME; exit 3\n", (outputOf("print((...))", {shell = shell},
        {"$HOME; exit 3"})))
    end
  end)

  it("windowsVerbatimArguments is ignored on Unix", function()
    assert.equal("a b\n", (outputOf("print((...))", {windowsVerbatimArguments = true}, {"a b"})))
  end)

  it("are not changed", function()
    local options = {stdio = {"ignore", "ignore", "inherit", "ipc"}, env = {}, silent = true}
    messages.fork("", options)
    support.run()
    assert.same({stdio = {"ignore", "ignore", "inherit", "ipc"}, env = {}, silent = true}, options)
  end)
end)

describe("options.silent", function()
  local SCRIPT = "io.write(io.read('*a') or 'nil') io.stderr:write('problem')"

  it("if true, has stdin, stdout, and stderr of the child piped to the parent", function()
    local child = messages.fork(SCRIPT, {silent = true})
    child.stdin:finish("input")
    local stdout, stderr = support.output(child)
    assert.equal("input", stdout)
    assert.equal("problem", stderr)
  end)

  it("is by default false: they are inherited from the parent", function()
    local script = support.script(SCRIPT)
    for _, options in ipairs({"", ", {silent = false}", ", {silent = cp.null}"}) do
      local parent = support.script(([[
        local cp = require("child_process")
        local child = cp.fork(%q%s)
        assert(not child.stdin and not child.stdout and not child.stderr)
        cp.run()
      ]]):format(script, options))
      local child = cp.spawn(support.lua, {parent})
      child.stdin:finish("input")
      local stdout, stderr = support.output(child)
      assert.equal("input", stdout)
      assert.equal("problem", stderr)
    end
  end)
end)

describe("options.stdio of fork", function()
  it("overrides silent when it is provided", function()
    local child = messages.fork("", {silent = true, stdio = {"ignore", "ignore", "ignore", "ipc"}})
    assert.is_nil(child.stdin or child.stdout or child.stderr)
    support.run()
    child = messages.fork("print('out')", {silent = false, stdio = "pipe"})
    assert.equal("out\n", (support.output(child)))
  end)

  it("may be a string, to which the channel is added", function()
    local child = messages.fork("print(process.connected)", {stdio = "pipe"})
    assert.is_true(child.connected)
    assert.equal("true\n", (support.output(child)))
    child = messages.fork("", {stdio = "ignore"})
    assert.is_true(child.connected)
    assert.is_nil(child.stdout)
    support.run()
    outputOfParent(([[
      assert(cp.fork(%q, {stdio = "inherit"}).connected)
    ]]):format(support.script("")))
  end)

  it("as an array must contain an item with value 'ipc' or an error will be thrown", function()
    for _, stdio in ipairs({{}, {"pipe", "pipe", "pipe"}, {0, 1, 2}}) do
      local err = support.error(cp.fork, "script", {stdio = stdio})
      assert.equal("ERR_CHILD_PROCESS_IPC_REQUIRED", err.code)
      assert.equal("Forked processes must have an IPC channel, missing value 'ipc' in "
        .. "options.stdio", err.message)
    end
  end)

  it("as an array must contain exactly one item with value 'ipc' or an error will be thrown",
    function()
      assert.equal("ERR_IPC_ONE_PIPE",
        support.error(cp.fork, "script", {stdio = {0, "ipc", "ipc"}}).code)
    end)

  it("may be for instance {0, 1, 2, 'ipc'}", function()
    local script = support.script("print('out') process:send('message')")
    local stdout = outputOfParent(([[
      local child = cp.fork(%q, {stdio = {0, 1, 2, "ipc"}})
      child:on("message", print)
    ]]):format(script))
    assert.matches("out\n", stdout, 1, true)
    assert.matches("message\n", stdout, 1, true)
  end)

  it("may have a key [0]", function()
    local child = messages.fork("print('out')",
      {stdio = {[0] = "ignore", [1] = "pipe", [2] = "inherit", [7] = "ipc"}})
    assert.equal("out\n", (support.output(child)))
    assert.equal(0, child.exitCode)
  end)
end)

describe("The 'ipc' entry of options.stdio", function()
  it("creates an IPC channel for passing messages between parent and child", function()
    local child = cp.spawn("sh", {"-c", "read -r line <&3; echo \"$line\" >&3"},
      {stdio = {"ignore", "inherit", "inherit", "ipc"}})
    local received = messages.received(child)
    child:send("hello")
    support.run()
    assert.same({"hello"}, received)
  end)

  it("may be there at most once", function()
    assert.equal("ERR_IPC_ONE_PIPE",
      support.error(cp.spawn, "true", {stdio = {"ipc", "pipe", "pipe", "ipc"}}).code)
  end)

  it("enables the child:send() method", function()
    local child = cp.spawn("true", {stdio = {"ignore", "inherit", "inherit", "ipc"}})
    assert.is_true(child.connected)
    assert.is_true(child:send("hello", function() end))
    support.run()
  end)

  it("will enable process:send() and process:disconnect(), and 'disconnect' and 'message' events "
    .. "within the child, if that uses the module", function()
    local path = support.script([[
      local process = require("child_process.process")
      process:on("message", function(message)
        process:send(message)
        process:disconnect()
      end)
      process:on("disconnect", function() print("disconnect") end)
      require("child_process").run()
    ]])
    local child = cp.spawn(support.lua, {path}, {stdio = {"ignore", "pipe", "inherit", "ipc"}})
    local received = messages.received(child)
    child:send("hello")
    assert.equal("disconnect\n", (support.output(child)))
    assert.same({"hello"}, received)
  end)

  for _, fd in ipairs({0, 1, 2, 3, 4, 9, 50}) do
    it("may be at fd " .. fd, function()
      local stdio = {[0] = "ignore", [1] = "inherit", [2] = "inherit"}
      stdio[fd] = "ipc"
      local child = messages.fork([[
        process:send({"hello", os.getenv("NODE_CHANNEL_FD")})
        process:on("message", function(message)
          process:send(message)
          process:disconnect()
        end)
      ]], {stdio = stdio})
      assert.is_nil(child.stdio[fd])
      local received = messages.received(child)
      child:send("back")
      support.run()
      -- the variable has been taken out
      assert.same({{"hello"}, "back"}, received)
      assert.equal(0, child.exitCode)
    end)
  end

  it("passes the descriptor to the child in its environment, with env given, too", function()
    local child = cp.spawn("/bin/sh", {"-c",
      "echo $NODE_CHANNEL_FD $NODE_CHANNEL_SERIALIZATION_MODE $OTHER"},
      {stdio = {"ignore", "pipe", "inherit", "ignore", "ipc"}, env = {OTHER = "own"}})
    assert.equal("4 json own\n", (support.output(child)))
  end)

  it("is not inherited by the children of the child, nor are its variables", function()
    local child = messages.fork([[
      local cp = require("child_process")
      local other = cp.spawn("sh",
        {"-c", "env | grep NODE_CHANNEL; ls -l /proc/$$/fd | grep socket"},
        {stdio = {"ignore", "pipe", "inherit"}})
      local found = ""
      other.stdout:on("data", function(data) found = found .. data end)
      other:on("close", function() process:send({found = found}) end)
    ]])
    local received = messages.received(child)
    support.run()
    assert.same({{found = ""}}, received)
  end)

  it("does not hold the child open: it is launched with the channel unreferenced until it listens "
    .. "for 'disconnect' or 'message'", function()
    local child = messages.fork("")
    support.run()
    assert.equal(0, child.exitCode)
  end)

  it("is ERR_IPC_SYNC_FORK for the synchronous functions", function()
    for _, call in ipairs({cp.spawnSync, cp.execFileSync}) do
      assert.equal("ERR_IPC_SYNC_FORK",
        support.error(call, "true", {}, {stdio = {"pipe", "pipe", "pipe", "ipc"}}).code)
    end
  end)
end)

describe("A forked script", function()
  it("may fork in turn", function()
    local inner = support.script("process:send('from the inside')")
    local child = messages.fork(([[
      local cp = require("child_process")
      cp.fork(%q):on("message", function(message) process:send(message) end)
    ]]):format(inner))
    local received = messages.received(child)
    support.run()
    assert.same({"from the inside"}, received)
  end)

  it("is found and started wherever the parent has been before", function()
    local path = support.script("print('started')")
    local stdout = outputOfParent(([[
      local process = require("child_process.process")
      process:chdir("/")
      cp.fork(%q)
    ]]):format(path))
    assert.equal("started\n", stdout)
  end)

  it("cannot be started by a program that is no Lua interpreter, and the error names the options",
    function()
      local folder = support.tmpdir()
      local application = folder .. "/application"
      cp.execFileSync("cp", {process.execPath, application})
      local script = support.script([[
        local cp = require("child_process")
        local ok, err = pcall(cp.fork, "script")
        print(ok, err.name, err.message)
        cp.fork("-c", {"echo started"}, {execPath = "sh"})
        cp.run()
      ]])
      local stdout = cp.execFileSync(application, {script})
      assert.matches("^false\tError\t", stdout)
      assert.matches("options.execPath", stdout, 1, true)
      assert.matches("process.execPath", stdout, 1, true)
      assert.matches("started\n$", stdout)
    end)

  it("is given no -e chunk of the parent", function()
    local path = support.script("print('started', #process.execArgv)")
    local stdout = cp.execFileSync(support.lua, {"-e", ([[
      local cp = require("child_process")
      cp.fork(%q)
      cp.run()
    ]]):format(path)})
    assert.equal("started\t0\n", stdout)
  end)

  it("leaves nothing behind: no descriptor, no process", function()
    messages.fork("")
    support.run()
    local before = support.openFds()
    for _ = 1, 20 do messages.fork("") end
    support.run()
    assert.same(before, support.openFds())
    assert.same({}, support.zombies())
  end)
end)
