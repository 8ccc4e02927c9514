-- command.pipeline: commands that read each other's output.

local abort = require("child_process.abort")
local command = require("child_process.command")
local cp = require("child_process")
local process = require("child_process.process")
local support = require("spec.support")
local timers = require("child_process.timers")
local trees = require("spec.support.trees")

local pipeline = command.pipeline

local function sh(script, options)
  return {"sh", {"-c", script}, options}
end

describe("command.pipeline", function()
  it("returns the result of the last command, with all stages", function()
    local result = pipeline({
      {"printf", {"b\na\nb\n"}}, {"sort"}, {"uniq", {"-c"}}, {"tr", {"-d", " "}},
    })
    assert.equal("1a\n2b", result.stdout)
    assert.equal("tr -d ' '", result.escapedCommand)
    assert.equal(4, #result.stages)
    for index, stage in ipairs(result.stages) do
      assert.equal(0, stage.exitCode, index)
      assert.is_false(stage.failed)
    end
    assert.is_nil(result.stages[1].stdout)
    assert.equal(result.stages[3], result.pipedFrom[1])
    assert.is_true(result.durationMs >= result.stages[1].durationMs)
    assert.equal("x", pipeline({{"echo", {"x"}}}).stdout)
  end)

  it("hands the pipes on, so that no byte passes us", function()
    if not support.forLinux or cp.spawnSync("strace", {"-V"}).status ~= 0 then
      support.skip("strace is not installed")
    end
    local script = support.script([[
      local result = require("child_process").command.pipeline({
        {"head", {"-c", "3000000", "/dev/zero"}}, {"cat"}, {"cat"}, {"wc", {"-c"}},
      })
      assert(result.stdout:match("%d+") == "3000000")
    ]])
    local log = support.tmpdir() .. "/log"
    local traced = cp.spawnSync("strace", {
      "-e", "trace=read,write,readv,writev,splice,tee,sendfile,recvmsg", "-o", log, support.lua,
      script,
    }, {env = support.merge(process.env, {
      ASAN_OPTIONS = (process.env.ASAN_OPTIONS or "") .. ":detect_leaks=0", -- cannot be traced
    })})
    if traced.status ~= 0 and traced.stderr:find("ptrace", 1, true) then
      support.skip("nothing can be traced here")
    end
    assert.equal(0, traced.status, traced.stderr)
    local most = 0
    for count in support.readFile(log):gmatch("= (%d+)\n") do
      most = math.max(most, tonumber(count))
    end
    assert.is_true(most > 0 and most < 100000, "a call moved " .. most .. " bytes")
  end)

  it("gives the programs blocking pipes", function()
    if not support.forLinux then support.skip("there is no /proc") end
    local flags = "grep flags /proc/self/fdinfo/%d >&2; cat"
    local result = pipeline({sh(flags:format(1)), sh(flags:format(0) .. ";" .. flags:format(1)),
      sh(flags:format(0))}, {input = "x"})
    for _, stage in ipairs(result.stages) do
      for digits in stage.stderr:gmatch("flags:%s*(%d+)") do
        assert.equal(0, math.floor(tonumber(digits, 8) / 2048) % 2, digits) -- O_NONBLOCK
      end
    end
  end)

  it("ends a command when nobody reads what it prints", function()
    local result = pipeline({{"yes"}, {"cat"}, {"head", {"-n2"}}})
    assert.equal("y\ny", result.stdout)
    assert.equal("SIGPIPE", result.stages[1].signalCode)
    assert.is_true(result.stages[1].failed)
    result = pipeline({{"yes"}, sh("exec <&-; sleep 0.1; echo done")})
    assert.equal("done", result.stdout)
  end)

  it("fails like the last command that fails", function()
    local err = support.error(pipeline, {
      sh("echo first >&2; exit 3"), sh("cat; echo second >&2; exit 4"), {"cat"},
    })
    assert.equal(4, err.exitCode)
    assert.equal("second", err.stderr)
    assert.equal("sh -c cat; echo second >&2; exit 4", err.command)
    assert.equal("sh -c 'cat; echo second >&2; exit 4': failed with exit code 4 (stage 2 of "
      .. "sh -c 'echo first >&2; exit 3' | ... | cat)\nsecond\n"
      .. "stage 1, sh -c 'echo first >&2; exit 3': failed with exit code 3\nfirst",
      err.message)
    assert.equal(3, err.stages[1].exitCode)
    assert.equal(0, err.stages[3].exitCode)
  end)

  it("names no command that failed only because another one did", function()
    local message = support.error(pipeline, {{"yes"}, sh("read line; exit 5")}).message
    assert.equal("sh -c 'read line; exit 5': failed with exit code 5 (stage 2 of yes | ...)",
      message)
    message = support.error(pipeline, {{"sleep", {600}}, {"cat"}}, {timeout = 100}).message
    assert.is_nil(message:find("\n", 1, true))
    message = support.error(pipeline, {sh("exit 3"), sh("cat; exit 4")}, {pipefail = false}).message
    assert.is_nil(message:find("\n", 1, true))
  end)

  it("has what the last command has printed although another one has failed", function()
    assert.equal("x", support.error(pipeline, {sh("echo x; exit 3"), {"cat"}}).stdout)
  end)

  it("counts SIGPIPE as a failure if no later command has succeeded", function()
    local err = support.error(pipeline, {{"yes"}, sh("read line; exit 5")})
    assert.equal(5, err.exitCode)
    err = support.error(pipeline, {sh("kill -PIPE $$"), sh("kill -PIPE $$")})
    assert.equal("SIGPIPE", err.signalCode)
  end)

  it("with pipefail = false looks at the last command only", function()
    assert.equal("x", pipeline({sh("echo x; exit 3"), {"cat"}}, {pipefail = false}).stdout)
    local err = support.error(pipeline, {sh("exit 3"), sh("exit 4")}, {pipefail = false})
    assert.equal(4, err.exitCode)
  end)

  it("returns the failure with reject = false", function()
    local result = pipeline({sh("exit 3"), {"cat"}}, {reject = false})
    assert.is_true(result.failed)
    assert.equal(3, result.exitCode)
  end)

  it("fails if a command cannot be started, and ends the others", function()
    for position = 1, 3 do
      local stages = {{"sleep", {"600"}}, {"sleep", {"600"}}, {"sleep", {"600"}}}
      stages[position] = {"no-such-program"}
      local err = support.error(pipeline, stages)
      assert.equal("ENOENT", err.code)
      assert.equal("no-such-program", err.command)
      assert.matches(("(stage %d of "):format(position), err.message, 1, true)
      assert.equal(3, #err.stages)
    end
  end)

  it("fails if a file cannot be opened, and ends the others", function()
    local missing = {inputFile = "/no/such", stderr = {fd = 1}}
    local err = support.error(pipeline, {{"cat", {}, missing}, {"sleep", {"600"}}})
    assert.equal("ENOENT", err.code)
    assert.equal("cat", err.command)
    err = support.error(pipeline, {{"sleep", {"600"}}, {"cat"}}, {stdout = {file = "/no/such/x"}})
    assert.equal("ENOENT", err.code)
    err = support.error(function()
      command.start("sleep", {"600"}):pipe("cat", {stdout = {file = "/no/such/x"}}):await()
    end)
    assert.equal("ENOENT", err.code)
  end)

  it("does not start the commands before one that cannot be started", function()
    local path = support.tmpdir() .. "/started"
    local err = support.error(pipeline, {{"touch", {path}}, {"no-such-program"}})
    assert.equal("ENOENT", err.code)
    assert.matches("was not started, as a later command could not be", err.stages[1].message)
    assert.is_nil(io.open(path))
  end)

  it("raises errors of the arguments, and leaves nothing behind", function()
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(pipeline).code)
    assert.equal("ERR_INVALID_ARG_VALUE", support.error(pipeline, {}).code)
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(pipeline, {"true"}).code)
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(pipeline, {{"true"}, {1}}).code)
    local err = support.error(pipeline, {{"cat", {{}}}, {"sleep", {"600"}}})
    assert.equal("ERR_INVALID_ARG_TYPE", err.code)
    for name, value in pairs({retry = {}, verbose = "short", reject = false, pipefail = false}) do
      err = support.error(pipeline, {{"true", {}, {[name] = value}}})
      assert.equal("ERR_INVALID_ARG_VALUE", err.code)
      assert.matches("stages[1].options." .. name, err.message, 1, true)
    end
    err = support.error(pipeline, {{"true"}, {"cat", {}, {input = "x"}}})
    assert.matches("stages[2].options.input", err.message, 1, true)
    err = support.error(pipeline, {{"true", {}, {stdout = "ignore"}}, {"cat"}})
    assert.matches("options.stdout", err.message, 1, true)
    err = support.error(pipeline, {{"true"}}, {stdio = "pipe"})
    assert.equal("ERR_INVALID_ARG_VALUE", err.code)
    support.run()
  end)

  it("leaves no descriptor open", function()
    local before = support.openFds()
    pipeline({{"echo", {"x"}}, {"cat"}, {"cat"}})
    pcall(pipeline, {{"true"}, {"no-such-program"}, {"cat"}})
    pcall(pipeline, {{"cat", {{}}}, {"true"}})
    support.run()
    assert.same(before, support.openFds())
  end)
end)

describe("The options of a pipeline", function()
  it("are for all commands, and each may have its own", function()
    local result = pipeline({
      {"pwd"}, sh('cat; pwd; echo "$X$Y"', {cwd = "/", env = {Y = "2"}}),
    }, {cwd = "/usr", env = {X = "1"}, lines = true})
    assert.same({"/usr", "/", "12"}, result.stdout)
  end)

  it("give the first one input, and take the output of the last one", function()
    local path = support.tmpdir() .. "/out"
    local result = pipeline({{"sort"}, {"uniq"}}, {input = "b\na\nb\n", stdout = {file = path}})
    assert.is_nil(result.stdout)
    assert.equal("a\nb\n", support.readFile(path))
    assert.equal("A", pipeline({{"cat", {}, {input = "a"}}, {"tr", {"a", "A"}}}).stdout)
  end)

  it("may send the errors of all to one place, which is finished after the last", function()
    local path = support.tmpdir() .. "/log"
    local stages = {sh("echo first >&2; echo x"), sh("cat; echo last >&2"), {"cat"}}
    pipeline(stages, {stderr = {file = path}})
    local list = support.lines(support.readFile(path))
    table.sort(list)
    assert.same({"first", "last"}, list)
    for _, isAlone in ipairs({true, false}) do
      local sort = command.start("sort", {stdin = "pipe"})
      local stream = sort.child.stdin
      pipeline(stages, {stderr = isAlone and stream or {"pipe", stream}})
      assert.equal("first\nlast", sort:await().stdout)
    end
  end)

  it("join errors to the output on the way to the next command", function()
    local result = pipeline({sh("echo out; echo err >&2", {stderr = {fd = 1}}), {"cat"}})
    assert.equal("out\nerr", result.stdout)
  end)

  it("copy what one command gives to the next", function()
    local path = support.tmpdir() .. "/copy"
    local lines = {}
    local result = pipeline({
      {"printf", {"b\na\n"}, {stdout = {"pipe", {file = path}, function(line)
        lines[#lines + 1] = line
      end}}},
      {"sort"},
    })
    assert.equal("a\nb", result.stdout)
    assert.equal("b\na\n", support.readFile(path))
    assert.same({"b", "a"}, lines)
  end)

  it("end a command whose reader has had enough, although we copy", function()
    local result = pipeline({{"yes", {}, {stdout = {"pipe", function() end}}}, {"head", {"-n1"}}})
    assert.equal("y", result.stdout)
    assert.equal("SIGPIPE", result.stages[1].signalCode)
  end)

  it("have one timeout for all", function()
    local err = support.error(pipeline, {{"sleep", {"600"}}, {"sleep", {"601"}}}, {timeout = 100})
    assert.is_true(err.timedOut)
    assert.matches("^sleep 601: timed out after 100 ms, killed by SIGTERM", err.message)
    assert.is_true(err.stages[1].timedOut)
  end)

  it("have one signal for all", function()
    local controller = abort.AbortController()
    timers.setTimeout(function() controller:abort() end, 50)
    local err = support.error(pipeline, {{"sleep", {"600"}}, {"sleep", {"601"}}},
      {signal = controller.signal})
    assert.is_true(err.isCanceled)
    assert.equal("SIGTERM", err.stages[1].signalCode)
    assert.equal("SIGTERM", err.stages[2].signalCode)
  end)

  it("have one maxBuffer for each, and end all", function()
    local err = support.error(pipeline, {{"yes"}, {"cat"}}, {maxBuffer = 1000})
    assert.is_true(err.isMaxBuffer)
    assert.equal("cat", err.command)
    assert.equal(999, #err.stdout)
  end)

  it("end the trees of all", function()
    local witness = trees.witness()
    local jobs = sh("sleep 600 & sleep 600", {stdio = {[0] = "ignore", [3] = witness.stream}})
    assert.is_true(support.error(pipeline, {jobs, jobs}, {timeout = 300}).timedOut)
    witness:awaitEnd()
  end)
end)
