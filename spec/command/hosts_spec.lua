-- Commands with options.host: the whole command runs over there, and its result is the same.

local abort = require("child_process.abort")
local agents = require("spec.support.agents")
local command = require("child_process.command")
local cp = require("child_process")
local process = require("child_process.process")
local support = require("spec.support")
local trees = require("spec.support.trees")

local h, other

local PARENT = "echo $PPID"

local function run(script, options)
  return command.run("sh", {"-c", script}, support.merge({host = h}, options))
end

local function failure(script, options)
  return support.inTime(function() return support.error(run, script, options) end)
end

describe("command.run with options.host", function()
  setup(function()
    h, other = agents.connect(), agents.connect()
    for _, each in ipairs({h, other}) do
      if not each.pid then support.inTime(function() return each:wait("connect") end) end
    end
  end)
  teardown(function()
    agents.close(h)
    agents.close(other)
  end)

  it("runs the command over there", function()
    local result = run(PARENT .. "; echo err >&2")
    assert.equal(tostring(h.pid), result.stdout)
    assert.equal("err", result.stderr)
    assert.equal(h, result.host)
    assert.is_nil(result.cwd)
    assert.equal(0, result.exitCode)
    assert.is_not_nil(result.resourceUsage.userCPUTime)
  end)

  it("does so for start, shell, pipeline, all and with", function()
    local running = command.start("sh", {"-c", PARENT}, {host = h})
    assert.equal(tostring(h.pid), support.inTime(function() return running:await() end).stdout)
    assert.equal(tostring(h.pid), command.shell("echo $PPID", {host = h}).stdout)
    assert.equal(tostring(h.pid), command.pipeline({{"sh", {"-c", PARENT}}}, {host = h}).stdout)
    assert.equal(tostring(h.pid), command.with({host = h}).run("sh", {"-c", PARENT}).stdout)
    local results = command.all({
      {"sh", {"-c", PARENT}}, {"sh", {"-c", PARENT}, {host = other}},
      {"sh", {"-c", PARENT}, {host = cp.null}},
    }, {host = h})
    assert.same({tostring(h.pid), tostring(other.pid), tostring(process.pid)},
      {results[1].stdout, results[2].stdout, results[3].stdout})
  end)

  it("fails with an error that names the host", function()
    local err = failure("echo why >&2; exit 3", {cwd = "/"})
    assert.equal(3, err.exitCode)
    assert.equal(("sh -c 'echo why >&2; exit 3': failed with exit code 3 (in /, on host '%s')\nwhy")
      :format(h.name), err.message)
    err = support.inTime(function()
      return support.error(command.run, "nonexistent-program", {host = h})
    end)
    assert.equal("ENOENT", err.code)
    assert.match("nonexistent-program: could not be started: no such program in PATH", err.message,
      1, true)
  end)

  it("says why the host cannot be connected, or was lost", function()
    local bad = agents.connect({"sh", "-c", "echo no route >&2; exit 7", "sh"})
    local err = support.inTime(function()
      return support.error(command.run, "true", {host = bad})
    end)
    assert.equal("ERR_HOST_CONNECT", err.code)
    assert.match("true: could not be started: cannot connect to host 'sh", err.message, 1, true)
    assert.match("no route", err.cause.message, 1, true)
    local lost = agents.connect()
    lost:on("error", function() end)
    local running = command.start("sh", {"-c", "echo ready; exec sleep 600"}, {host = lost})
    running.child.stdout:once("data", function() process:kill(lost.pid, "SIGKILL") end)
    err = support.inTime(function() return support.error(running.await, running) end)
    assert.equal("ERR_HOST_LOST", err.cause.code)
    assert.equal("ready", err.stdout)
    err = support.inTime(function()
      return support.error(command.run, "true", {host = lost})
    end)
    assert.equal("ERR_HOST_LOST", err.code)
  end)

  it("sends input of every kind", function()
    assert.equal("text", run("cat", {input = "text"}).stdout)
    local pieces = {"one", "two"}
    assert.equal("onetwo", run("cat", {input = function() return table.remove(pieces, 1) end})
      .stdout)
    local from = cp.spawn("printf", {"from a stream"})
    assert.equal("from a stream", run("cat", {input = from.stdout}).stdout)
    local path = support.tmpdir() .. "/input"
    support.writeFile(path, ("x"):rep(200000))
    assert.equal("200000", run("wc -c", {inputFile = path}).stdout:match("%d+"))
    assert.equal("ENOENT", failure("cat", {inputFile = path .. ".none"}).code)
    assert.equal("", run("cat").stdout)
  end)

  it("writes outputs to files, functions, streams and lists of these", function()
    local path = support.tmpdir() .. "/output"
    local script = "head -c 300000 /dev/zero; echo err >&2"
    run(script, {stdout = {file = path}})
    assert.equal(300000, #support.readFile(path))
    run("echo more", {stdout = {file = path, append = true}})
    assert.equal(300005, #support.readFile(path))
    local lines = {}
    run("echo a; echo b", {stdout = function(line) lines[#lines + 1] = line end})
    assert.same({"a", "b"}, lines)
    for _, targets in ipairs({{1, "ignore"}, {1}}) do
      local to = cp.spawn("wc", {"-c"})
      local counted = support.collect(to.stdout)
      targets[1] = to.stdin
      run("head -c 200000 /dev/zero", {stdout = targets})
      support.run()
      assert.equal("200000", counted():match("%d+"))
    end
    local result = run(script, {stdout = {"pipe", {file = path}}, stderr = {fd = 1}})
    assert.equal(300003, #result.stdout)
    assert.equal(300004, #support.readFile(path))
    assert.equal("a\nb", run("echo a; sleep 0.01; echo b >&2", {all = true}).all)
    local file = assert(io.open(path, "w"))
    run("echo to a file of Lua", {stdout = file})
    file:close()
    assert.equal("to a file of Lua\n", support.readFile(path))
    assert.equal("", run("echo x", {stdout = "ignore", stderr = "pipe"}).stderr)
  end)

  it("passes outputs on to ours", function()
    local stdout, stderr = support.runScript([[
      local h = require("spec.support.agents").connect()
      local command = cp.command.with({host = h})
      command.run("sh", {"-c", "echo out; echo err >&2"}, {stdout = "inherit", stderr = "inherit"})
      command.run("sh", {"-c", "echo err >&2"}, {stdout = {"pipe", "inherit"}, stderr = 1})
      h:close():await()
    ]])
    assert.equal("out\nerr\n", stdout)
    assert.equal("err\n", stderr)
  end)

  it("refuses what is open here as its input, and a terminal", function()
    local file = assert(io.open("/dev/null"))
    for _, value in ipairs({"inherit", 0, file}) do
      local err = failure("cat", {stdin = value})
      assert.equal("ERR_INVALID_ARG_VALUE", err.code)
      assert.match("options.stdin", err.message, 1, true)
      assert.match("cannot be combined with options.host: it may be 'pipe' or 'ignore'",
        err.message, 1, true)
    end
    assert.match("options.stdio[3]",
      failure("cat", {stdio = {"pipe", "pipe", "pipe", file}}).message, 1, true)
    file:close()
    assert.match("options.terminal", failure("cat", {terminal = true}).message, 1, true)
    assert.match("options.host", failure("cat", {host = "n1"}).message, 1, true)
  end)

  it("adds options.env to the environment over there", function()
    local marked = agents.connect(nil, {env = support.merge(process.env, {THERE = "yes"})})
    local script = "echo $THERE $ADDED $PATH"
    assert.equal("yes 1 " .. process.env.PATH, run(script, {host = marked, env = {ADDED = "1"}})
      .stdout)
    assert.equal("1 /bin:/usr/bin", run(script, {
      host = marked, env = {ADDED = "1", PATH = "/bin:/usr/bin"}, extendEnv = false,
    }).stdout)
    assert.equal("yes " .. process.env.PATH, run(script, {host = marked}).stdout)
    assert.equal("[]", run("echo [$THERE]", {host = marked, env = {THERE = cp.null}}).stdout)
    local spawned = cp.spawn("sh", {"-c", "echo [$THERE]"}, {host = marked, env = {A = "1"}})
    assert.equal("[]\n", support.output(spawned))
    agents.close(marked)
  end)

  it("ends the tree of a command after its timeout, an abort, or too much output", function()
    local pid
    local function note(line) pid = tonumber(line) end
    local err = failure("exec sleep 600", {timeout = 20})
    assert.is_true(err.timedOut)
    assert.equal("SIGTERM", err.signalCode)

    local running
    running = command.start("sh", {"-c", "trap '' TERM; sleep 600 & echo $!; wait; sleep 600"}, {
      host = h, forceKillAfterDelay = 20, reject = false, stdout = function(line)
        note(line)
        running:kill()
      end,
    })
    assert.is_true(support.inTime(function() return running:await() end).isForcefullyTerminated)
    trees.awaitEnd(pid)

    local controller = abort.AbortController()
    err = failure("sleep 600 & echo $!; wait", {signal = controller.signal, stdout = function(line)
      note(line)
      controller:abort()
    end})
    assert.is_true(err.isCanceled)
    trees.awaitEnd(pid)
    -- Before it is known whether the command could be started.
    controller:abort()
    err = failure("sleep 600", {signal = controller.signal})
    assert.is_true(err.isCanceled)
    assert.match("was canceled", err.message, 1, true)

    err = failure("yes", {maxBuffer = 1000})
    assert.is_true(err.isMaxBuffer)
    assert.equal(("y\n"):rep(500):sub(1, -2), err.stdout)
  end)

  it("retries", function()
    local path = support.tmpdir() .. "/once"
    local result = run(("[ -e %s ] && echo again || { touch %s; exit 1; }"):format(path, path),
      {retry = {attempts = 2, delay = 1}})
    assert.equal("again", result.stdout)
    assert.equal(2, result.attempts)
  end)

  it("can be piped on, wherever the next command runs", function()
    for _, places in ipairs({{h, h}, {h, other}, {h}, {nil, h}}) do
      local from = command.start("seq", {"20000"}, {host = places[1]})
      local to = from:pipe("wc", {"-l"}, {host = places[2]})
      assert.equal("20000", support.inTime(function() return to:await() end).stdout:match("%d+"))
    end
    local running = command.start("cat", {host = h, stdin = "pipe"})
    running.child.stdin:finish("by hand")
    assert.equal("by hand", support.inTime(function() return running:await() end).stdout)
    running = command.start("sleep", {"600"}, {host = h, reject = false})
    assert.is_true(running:kill())
    assert.equal("SIGTERM", support.inTime(function() return running:await() end).signalCode)
  end)
end)

describe("command.pipeline with options.host", function()
  setup(function() h, other = agents.connect(), agents.connect() end)
  teardown(function()
    agents.close(h)
    agents.close(other)
  end)

  -- Every combination of places for three stages.
  local function eachPlacing(fn)
    for code = 0, 26 do
      local places, rest = {}, code
      for stage = 1, 3 do
        places[stage] = ({{}, {host = h}, {host = other}})[rest % 3 + 1]
        rest = math.floor(rest / 3)
      end
      fn(places)
    end
  end

  it("connects stages on any hosts", function()
    eachPlacing(function(places)
      local result = support.inTime(function()
        return command.pipeline({
          {"head", {"-c", "500000", "/dev/zero"}, places[1]}, {"cat", places[2]},
          {"wc", {"-c"}, places[3]},
        })
      end)
      assert.equal("500000", result.stdout:match("%d+"))
      for stage = 1, 3 do assert.equal(places[stage].host, result.stages[stage].host) end
    end)
  end)

  it("ends stages whose output nobody reads", function()
    eachPlacing(function(places)
      local result = support.inTime(function()
        return command.pipeline({{"yes", places[1]}, {"cat", places[2]},
          {"head", {"-n2"}, places[3]}})
      end)
      assert.equal("y\ny", result.stdout)
      assert.equal("SIGPIPE", result.stages[1].signalCode)
    end)
  end)

  it("fails as the stages that do, and ends the others", function()
    local err = support.inTime(function()
      return support.error(command.pipeline, {{"echo"}, {"sh", {"-c", "cat; exit 4"}}, {"cat"}},
        {host = h})
    end)
    assert.equal(4, err.exitCode)
    assert.match("stage 2 of", err.message, 1, true)
    err = support.inTime(function()
      return support.error(command.pipeline, {{"yes"}, {"nonexistent-program"}, {"cat"}},
        {host = h})
    end)
    assert.equal("ENOENT", err.code)
  end)

  it("passes no byte between stages of one host through here", function()
    local before = h._link:received()
    local result = command.pipeline({
      {"head", {"-c", "5000000", "/dev/zero"}}, {"cat"}, {"wc", {"-c"}},
    }, {host = h})
    assert.equal("5000000", result.stdout:match("%d+"))
    assert.is_true(h._link:received() - before < 100000)
  end)

  it("sends input to the first stage, and gives the programs blocking pipes", function()
    if not support.forLinux then support.skip("there is no /proc") end
    local flags = "grep flags /proc/self/fdinfo/%d >&2; cat"
    local function sh(script) return {"sh", {"-c", script}} end
    local result = command.pipeline({
      sh(flags:format(1)), sh(flags:format(0) .. ";" .. flags:format(1)), sh(flags:format(0)),
    }, {input = "x", host = h})
    assert.equal("x", result.stdout)
    for _, stage in ipairs(result.stages) do
      for digits in stage.stderr:gmatch("flags:%s*(%d+)") do
        assert.equal(0, math.floor(tonumber(digits, 8) / 2048) % 2, digits) -- O_NONBLOCK
      end
    end
  end)
end)
