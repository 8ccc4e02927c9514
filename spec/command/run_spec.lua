-- command.run: one call, one result.

local cp = require("child_process")
local command = require("child_process.command")
local keepers = require("spec.support.keepers")
local loop = require("child_process.loop")
local process = require("child_process.process")
local support = require("spec.support")

local run = command.run

describe("cp.command", function()
  it("is the module, and is loaded when it is first used", function()
    assert.equal(command, cp.command)
    assert.equal("false\ntrue\n", support.runScript([[
      print(package.loaded["child_process.command"] ~= nil)
      print(cp.command == require("child_process.command"))
    ]]))
  end)

  it("knows nothing but what programs can use", function()
    local private = {}
    for path in cp.execSync("ls lua/child_process/command.lua lua/child_process/command/*")
      :gmatch("[^\n]+") do
      for name in support.readFile(path):gmatch('require%("(child_process[%w_.]*)"%)') do
        local isOwn = name:find("^child_process%.command")
        if not isOwn and name:find("%..*%.") or name == "child_process.core" then
          private[#private + 1] = path .. ": " .. name
        end
      end
    end
    assert.same({}, private)
  end)
end)

describe("command.run", function()
  it("returns a result with all that is to be known", function()
    local result = run("printf", {"%s\n", "a b"})
    assert.equal("a b", result.stdout)
    assert.equal("", result.stderr)
    assert.equal(0, result.exitCode)
    assert.is_nil(result.signalCode)
    assert.equal("printf %s\n a b", result.command)
    assert.equal("printf '%s\n' 'a b'", result.escapedCommand)
    assert.equal(process:cwd(), result.cwd)
    assert.is_true(result.durationMs > 0)
    assert.is_true(result.resourceUsage.userCPUTime >= 0)
    assert.same({}, result.pipedFrom)
    for _, name in ipairs({"failed", "timedOut", "isCanceled", "isMaxBuffer", "isTerminated",
      "isForcefullyTerminated"}) do
      assert.is_false(result[name], name)
    end
  end)

  it("returns a result that prints as a line", function()
    local function shown(result)
      return (tostring(result):gsub("%d+ ms%)$", "N ms)"):gsub("%d+%.%d s%)$", "N ms)"))
    end
    assert.equal("echo 'a b' (exit code 0, N ms)", shown(run("echo", {"a b"})))
    assert.equal("echo x (exit code 0, N ms)", shown(command.start("echo", {"x"}):await()))
    assert.equal("echo 'it''s' (exit code 0, N ms)", shown(command.shell("echo 'it''s'")))
    local piped = command.pipeline({{"yes"}, {"head", {"-n1"}}})
    assert.equal("yes | head -n1 (exit code 0, N ms)", shown(piped))
    assert.equal("head -n1 (exit code 0, N ms)", shown(piped.stages[2]))
    assert.matches("^CommandError: ", tostring(run("false", {reject = false})))
    local longest = tostring(run("true", {("x"):rep(10000)}))
    assert.is_true(#longest < 300 and not longest:find("\n", 1, true), longest)
  end)

  it("takes options in the place of the arguments", function()
    assert.equal("x", run("cat", {input = "x"}).stdout)
    assert.equal("x", run("cat", setmetatable({}, {__index = {input = "x"}})).stdout)
    assert.equal("2", run("printf", {"%s", 2.0}).stdout)
    assert.equal("", run("true", {}).stdout)
    assert.equal("", run("true", nil, nil).stdout)
  end)

  it("raises errors of the arguments at once", function()
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(run).code)
    assert.equal("ERR_INVALID_ARG_VALUE", support.error(run, "").code)
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(run, "true", {}, "x").code)
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(run, "true", {}, {lines = 1}).code)
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(run, "true", {}, {cwd = 1}).code)
    assert.equal("ERR_OUT_OF_RANGE", support.error(run, "true", {}, {maxBuffer = -1}).code)
    assert.equal("ERR_INVALID_ARG_VALUE", support.error(run, "true", {}, {verbose = "x"}).code)
  end)

  it("keeps the bytes of the output", function()
    local bytes = {}
    for byte = 0, 255 do bytes[#bytes + 1] = string.char(byte) end
    local text = table.concat(bytes):rep(1000)
    support.assertSameText(text, run("cat", {input = text}).stdout)
  end)

  it("waits in a coroutine while others run", function()
    local log = {}
    local scripts = {
      "while ! test -e fast; do sleep 0.01; done; echo slow", "touch fast; echo fast",
    }
    local folder = support.tmpdir()
    for _, script in ipairs(scripts) do
      cp.async(function()
        local result = run("sh", {"-c", script}, {cwd = folder})
        log[#log + 1] = result.stdout
      end)
    end
    support.run()
    table.sort(log)
    assert.same({"fast", "slow"}, log)
  end)

  it("ends the command if it cannot wait, or its coroutine is closed", function()
    support.needYields()
    local child
    local function note(options)
      options.verbose = function(event)
        if event.type == "end" then child = event.result end
      end
      return options
    end
    local err
    process:nextTick(function() err = support.error(run, "sleep", {"600"}, note({})) end)
    support.run()
    assert.equal("ERR_WAIT_IN_CALLBACK", err.code)
    assert.equal("SIGTERM", child.signalCode)
    support.needClosing()
    local thread = coroutine.create(function() run("sleep", {"600"}, note({})) end)
    child = nil
    assert(coroutine.resume(thread))
    coroutine.close(thread)
    support.run()
    assert.equal("SIGTERM", child.signalCode)
  end)

  it("reads nothing unless it is told what", function()
    assert.equal("", run("cat").stdout)
    assert.equal("", run("cat", {stdin = "pipe"}).stdout)
  end)
end)

describe("The options of command.run", function()
  it("stripFinalNewline = false keeps the last end of a line", function()
    assert.equal("a\n", run("printf", {"a\n\n"}).stdout)
    assert.equal("a\n\n", run("printf", {"a\n\n"}, {stripFinalNewline = false}).stdout)
    assert.equal("a", run("printf", {"a\r\n"}).stdout)
  end)

  it("lines makes lists of lines", function()
    local function lines(text) return run("printf", {text}, {lines = true}).stdout end
    assert.same({"a", "", "b"}, lines("a\n\nb"))
    assert.same({"a", "b"}, lines("a\r\nb\r\n"))
    assert.same({""}, lines("\n"))
    assert.same({}, lines(""))
  end)

  it("encoding decodes the outputs", function()
    assert.equal("\195\169", run("printf", {"\\351"}, {encoding = "latin1"}).stdout)
    assert.equal("6869", run("printf", {"hi"}, {encoding = "hex"}).stdout)
    assert.equal("hi", run("printf", {"hi"}, {encoding = "buffer"}).stdout)
    assert.equal("ERR_UNKNOWN_ENCODING", support.error(run, "true", {encoding = "utf7"}).code)
  end)

  it("env adds to our environment, and extendEnv = false replaces it", function()
    local shown = run("sh", {"-c", 'echo "$X"; test -n "$HOME$PATH" && echo ours'}, {env = {X = 1}})
    assert.equal("1\nours", shown.stdout)
    shown = run("/usr/bin/env", {env = {X = 1}, extendEnv = false})
    assert.equal("X=1", shown.stdout)
    shown = run("sh", {"-c", 'echo "${HOME-none}"'}, {env = {HOME = cp.null}})
    assert.equal("none", shown.stdout)
  end)

  it("cwd is where the command runs, and what the result has", function()
    local result = run("pwd", {cwd = "/usr"})
    assert.equal("/usr", result.stdout)
    assert.equal("/usr", result.cwd)
    assert.equal(process:cwd() .. "/lua", run("pwd", {cwd = "lua"}).cwd)
  end)

  it("stdio is taken, too, with descriptors from 3 on", function()
    local file = assert(io.tmpfile())
    run("sh", {"-c", "echo three >&3"}, {stdio = {[0] = "ignore", [3] = file}})
    file:seek("set")
    assert.equal("three\n", file:read("*a"))
    local result = run("echo", {"x"}, {stdio = "ignore"})
    assert.is_nil(result.stdout)
    assert.is_nil(result.stderr)
  end)

  it("all has both outputs as they came", function()
    --- Runs a shell that prints a line each time we have read one.
    local function alternate(lines)
      local running
      local function answer() running.child.stdin:write("\n") end
      running = command.start("sh", {"-c", "echo 1; read x; echo 2 >&2; read x; echo 3"}, {
        all = true, lines = lines, stdin = "pipe", stdout = {"pipe", answer},
        stderr = {"pipe", answer},
      })
      return running:await()
    end
    local result = alternate(false)
    assert.equal("1\n2\n3", result.all)
    assert.equal("1\n3", result.stdout)
    assert.equal("2", result.stderr)
    assert.same({"1", "2", "3"}, alternate(true).all)
  end)

  it("tree is on: nothing is left that the command has started", function()
    local stdout = support.runScript([[
      local err = select(2, pcall(cp.command.run, "sh", {"-c", "sleep 600 & sleep 600"},
        {timeout = 100}))
      print(err.timedOut)
    ]])
    assert.equal("true\n", stdout) -- the shell's sleep would hold the output
  end)

  it("tree is off in a process group that exists already", function()
    local group = cp.execFileSync("sh", {"-c", "ps -o pgid= -p $PPID"}):match("%d+")
    local result = run("sh", {"-c", "ps -o pgid= -p $$"}, {processGroup = tonumber(group)})
    assert.equal(group, result.stdout:match("%d+"))
    assert.equal(0, run("true", {processGroup = 0}).exitCode)
    assert.equal(0, run("true", {detached = true}).exitCode)
  end)

  it("forceKillAfterDelay follows, by 5 seconds unless it is set", function()
    local err
    local timeout = 100
    repeat -- until it was ready in time
      timeout = 2 * timeout
      local script = "trap '' TERM; echo ready; while :; do sleep 0.1; done"
      err = support.error(run, "sh", {"-c", script}, {timeout = timeout, forceKillAfterDelay = 50})
    until err.stdout == "ready"
    assert.is_true(err.timedOut)
    assert.is_true(err.isForcefullyTerminated)
    assert.equal("SIGKILL", err.signalCode)
  end)

  it("waitDelay limits how long others may hold the outputs", function()
    for _, options in ipairs({{}, {stderr = {fd = 1}}}) do
      local keeper = keepers.new()
      options.waitDelay, options.tree, options.stdin = 100, false, keeper.stream
      local err = support.error(run, "sh", {"-c", "exec 3<&0; echo x; cat <&3 & exit 0"}, options)
      keeper:release()
      assert.equal("ERR_WAIT_DELAY", err.code)
      assert.equal("x", err.stdout)
      assert.equal(0, err.exitCode)
      assert.matches("ended, but a process that it has left running held its stdout.* for more "
        .. "than 100 ms %(options.waitDelay%)$", err.shortMessage)
    end
    local keeper = keepers.new()
    local err = support.error(run, "sh", {"-c", "exec 3<&0; cat <&3 & exit 3"},
      {waitDelay = 10, tree = false, stdin = keeper.stream})
    keeper:release()
    assert.matches("failed with exit code 3$", err.message)
  end)

  it("waitDelay ends with the command", function()
    assert.equal("x", run("echo", {"x"}, {waitDelay = 60000}).stdout)
    while loop.timeout() == 0 do loop.run("nowait") end
    local ms = loop.timeout()
    -- without pidfds, children are looked after from time to time
    assert.is_true(ms == nil or not support.hasPidfds() and ms < 1000)
  end)

  it("unknown ones are noticed, with the name that was probably meant", function()
    cp.strict(true)
    finally(function() cp.strict(false) end)
    for wrong, meant in pairs({
      cwdd = "cwd", stripFinalNewlines = "stripFinalNewline", Timeout = "timeout",
    }) do
      local err = support.error(run, "true", {[wrong] = 1})
      assert.equal("ERR_INVALID_ARG_VALUE", err.code)
      assert.matches(("options.%s' is not an option of commands (did you mean '%s'?)"):format(wrong,
        meant), err.message, 1, true)
    end
    for _, call in ipairs({command.start, command.shell, command.pipeline, command.all}) do
      local first = (call == command.pipeline or call == command.all) and {{"true"}} or "true"
      assert.equal("ERR_INVALID_ARG_VALUE", support.error(call, first, {nothing = 1}).code)
    end
    cp.strict(false)
    local _, stderr = support.runScript([[
      for _ = 1, 2 do cp.command.run("true", {cwdd = 1}) end
    ]])
    assert.equal("(lua) UnknownOptionWarning: options.cwdd is not an option of commands "
      .. "(did you mean 'cwd'?)\n", stderr)
  end)

  it("are those of spawn and those that the annotations name", function()
    local classes = dofile("scripts/types/annotations.lua").read().classes
    local known = {}
    local ofSpawn = require("child_process.command.unknown_options").ofSpawn
    for name in pairs(ofSpawn) do known[name] = true end
    local function remove(class)
      for _, field in ipairs(classes[class].fields) do known[field.name] = nil end
      if classes[classes[class].parent] then remove(classes[class].parent) end
    end
    remove("SpawnOptions")
    assert.same({}, known)
    cp.strict(true)
    finally(function() cp.strict(false) end)
    local function accept(class)
      for _, field in ipairs(classes[class].fields) do
        assert.equal("", run("true", {[field.name] = cp.null}).stdout, field.name)
      end
      if classes[classes[class].parent] then accept(classes[class].parent) end
    end
    accept("CommandOptions")
    accept("SpawnOptions")
  end)
end)

describe("command.with", function()
  it("returns a copy of the module with defaults", function()
    local usr = command.with({cwd = "/usr", env = {A = "1"}})
    assert.equal("/usr", usr.run("pwd").stdout)
    assert.equal("/", usr.run("pwd", {cwd = "/"}).stdout)
    assert.equal("/usr", usr.shell("pwd").stdout)
    assert.equal("/usr", usr.start("pwd"):await().stdout)
    assert.equal("/usr", usr.pipeline({{"pwd"}, {"cat"}}).stdout)
    assert.equal("/usr", usr.all({{"pwd"}})[1].stdout)
    assert.equal("'a b'", usr.quote("a b"))
    assert.equal(process:cwd(), run("pwd").stdout)
  end)

  it("adds to the variables of env, and to the defaults of a copy", function()
    local first = command.with({env = {A = "1", B = "1"}, lines = true})
    local second = first.with({env = {B = "2"}})
    local shown = second.run("sh", {"-c", 'echo "$A$B$C"'}, {env = {C = "3"}})
    assert.same({"123"}, shown.stdout)
    assert.same({"1"}, first.run("sh", {"-c", 'echo "$B"'}).stdout)
  end)

  it("checks the options when they are used", function()
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(command.with, "x").code)
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(command.with({lines = 1}).run, "true").code)
  end)
end)
