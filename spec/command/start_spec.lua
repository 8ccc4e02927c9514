-- command.start: a command that runs beside the program.

local command = require("child_process.command")
local cp = require("child_process")
local support = require("spec.support")

local start = command.start

describe("command.start", function()
  it("returns the running command at once", function()
    local running = start("sh", {"-c", "echo x; exit 3"})
    assert.is_true(running.child.pid > 0)
    local err = support.error(running.await, running)
    assert.equal("x", err.stdout)
    assert.equal(3, err.exitCode)
    assert.equal(err, support.error(running.await, running))
  end)

  it("collects what is printed before somebody waits", function()
    local running = start("echo", {"early"})
    support.run()
    assert.equal("early", running:await().stdout)
  end)

  it("raises a failure only where somebody waits", function()
    local first, second = start("sleep", {"0.1"}), start("false")
    assert.equal(0, first:await().exitCode)
    assert.equal(1, support.error(second.await, second).exitCode)
    start("false")
    support.run()
  end)

  it("can be awaited by several coroutines", function()
    local running = start("echo", {"x"})
    local outputs = {}
    for _ = 1, 3 do
      cp.async(function()
        local result = running:await()
        outputs[#outputs + 1] = result.stdout
      end)
    end
    support.run()
    assert.same({"x", "x", "x"}, outputs)
  end)

  it("is not for retry", function()
    assert.equal("ERR_INVALID_ARG_VALUE", support.error(start, "true", {retry = {}}).code)
  end)

  it("has methods that take a colon", function()
    local running = start("true")
    for _, method in ipairs({"await", "kill", "lines", "pipe"}) do
      assert.equal("ERR_INVALID_THIS", support.error(running[method]).code)
    end
    running:await()
  end)
end)

describe("running:kill", function()
  it("ends the command with what it has started", function()
    local running = start("sh", {"-c", "sleep 600 & sleep 600"})
    assert.is_true(running:kill())
    local err = support.error(running.await, running)
    assert.equal("SIGTERM", err.signalCode)
    assert.is_true(err.isTerminated)
    assert.matches(": was killed by SIGTERM$", err.message)
    assert.is_false(running:kill())
  end)

  it("takes the arguments of child:kill", function()
    local running = start("sh", {"-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"})
    running.child.stdout:wait("readable")
    assert.is_true(running:kill("SIGTERM", {forceKillAfterDelay = 1}))
    local err = support.error(running.await, running)
    assert.is_true(err.isForcefullyTerminated)
    assert.matches("was killed by SIGKILL, which had to follow SIGTERM$", err.message)
  end)
end)

describe("A running command in a to-be-closed variable", function()
  it("is ended when the block is left", function()
    support.needClosing()
    local running = start("sh", {"-c", "sleep 600 & sleep 600"})
    support.closing(running, function() end)
    assert.equal("SIGTERM", support.error(running.await, running).signalCode)
  end)

  it("has gone then with disposeWaits", function()
    support.needClosing()
    local running = start("sleep", {"600"}, {disposeWaits = true})
    support.closing(running, function() end)
    assert.equal("SIGTERM", running.child.signalCode)
    support.run()
  end)

  it("that has ended is left alone", function()
    support.needClosing()
    local running = start("true")
    support.closing(running, function() running:await() end)
    assert.equal(0, running:await().exitCode)
  end)
end)

describe("running:lines", function()
  local function collect(running, options)
    local list = {}
    for line in running:lines(options) do list[#list + 1] = line end
    return list
  end

  it("gives each line as it comes", function()
    local running = start("sh", {"-c", "echo one; read answer; echo $answer"}, {stdin = "pipe"})
    local list = {}
    for line in running:lines() do
      list[#list + 1] = line
      if line == "one" then running.child.stdin:finish("two\n") end
    end
    assert.same({"one", "two"}, list)
    assert.is_nil(running:await().stdout)
  end)

  it("gives what was printed before", function()
    local running = start("printf", {"a\nb\n"})
    support.run()
    assert.same({"a", "b"}, collect(running))
  end)

  it("gives the last line without an end, and the ends with keepNewline", function()
    assert.same({"a", "", "b"}, collect(start("printf", {"a\r\n\nb"})))
    assert.same({"a\r\n", "\n", "b"}, collect(start("printf", {"a\r\n\nb"}), {keepNewline = true}))
    assert.same({}, collect(start("true")))
  end)

  it("reads stderr, or both outputs", function()
    local running = start("sh", {"-c", "echo out; echo err >&2"})
    assert.same({"err"}, collect(running, {from = "stderr"}))
    assert.equal("out", running:await().stdout)
    running = start("sh", {"-c", "echo out; read x; echo err >&2"}, {all = true, stdin = "pipe"})
    local lines = running:lines({from = "all"})
    assert.equal("out", lines())
    running.child.stdin:finish("\n")
    assert.equal("err", lines())
    assert.is_nil(lines())
  end)

  it("raises the command's failure after the last line", function()
    local list = {}
    local err = support.error(function()
      for line in start("sh", {"-c", "echo a; echo b; exit 3"}):lines() do
        list[#list + 1] = line
      end
    end)
    assert.equal("CommandError", err.name)
    assert.equal(3, err.exitCode)
    assert.same({"a", "b"}, list)
    assert.same({}, collect(start("false", {reject = false})))
  end)

  it("lets the command wait while nobody takes lines", function()
    local running = start("yes", {maxBuffer = math.huge})
    local lines = running:lines()
    assert.equal("y", lines())
    command.run("sleep", {"0.2"})
    assert.is_true(running.child.stdout.bytesRead < 2 ^ 20)
    local count = 0
    while count < 2 ^ 17 do
      assert.equal("y", lines())
      count = count + 1
    end
    running:kill()
    repeat until not select(2, pcall(lines))
      or running.child.signalCode
  end)

  it("has lines that are longer than what it keeps", function()
    local long = ("x"):rep(2 ^ 20)
    local list
    support.inTime(function() list = collect(start("cat", {input = long .. "\n" .. long})) end)
    assert.equal(2, #list)
    support.assertSameText(long, list[1])
    support.assertSameText(long, list[2])
  end)

  it("closes the output when the loop is left", function()
    support.needClosing()
    local running = start("yes")
    local count = 0
    for line in running:lines() do
      count = count + 1
      assert.equal("y", line)
      if count == 3 then break end
    end
    assert.equal("SIGPIPE", support.error(running.await, running).signalCode)
  end)

  it("suspends a coroutine", function()
    support.needYields()
    local list = {}
    for name = 1, 2 do
      cp.async(function()
        for line in start("sh", {"-c", "for i in 1 2; do sleep 0.05; echo $i; done"}):lines() do
          list[#list + 1] = name .. line
        end
      end)
    end
    support.run()
    table.sort(list)
    assert.same({"11", "12", "21", "22"}, list)
  end)

  it("checks its options", function()
    local running = start("true", {stdout = "ignore"})
    for _, wrong in ipairs({{from = "x"}, {x = 1}, {from = "all"}, {from = "stdout"}}) do
      local err = support.error(running.lines, running, wrong)
      assert.equal("ERR_INVALID_ARG_VALUE", err.code)
    end
    running:await()
    running = start("true")
    running:lines()
    assert.equal("ERR_INVALID_ARG_VALUE", support.error(running.lines, running).code)
    running:await()
  end)
end)

describe("running:pipe", function()
  it("starts a command that reads the output", function()
    local result = start("printf", {"b\na\n"}):pipe("sort"):pipe("head", {"-n1"}):await()
    assert.equal("a", result.stdout)
    assert.equal("head -n1", result.command)
    assert.equal("sort", result.pipedFrom[1].command)
    assert.equal("printf b\na\n", result.pipedFrom[1].pipedFrom[1].command)
    assert.equal(3, #result.stages)
  end)

  it("also gives what was printed before", function()
    local running = start("printf", {"b\na\n"})
    support.run()
    assert.equal("a\nb", running:pipe("sort"):await().stdout)
    running = start("sh", {"-c", "echo early; read line; echo $line"}, {stdin = "pipe"})
    running.child.stdout:wait("data")
    local cat = running:pipe("cat")
    running.child.stdin:finish("late\n")
    assert.equal("early\nlate", cat:await().stdout)
    assert.equal("early\nlate", running:await().stdout)
  end)

  it("fails if the first command fails", function()
    local err = support.error(function()
      start("sh", {"-c", "echo x; exit 3"}):pipe("cat"):await()
    end)
    assert.equal(3, err.exitCode)
    assert.equal("x", err.stdout)
    assert.equal("sh -c 'echo x; exit 3': failed with exit code 3 "
      .. "(stage 1 of ... | cat)", err.shortMessage)
    err = support.error(function() start("no-such-program"):pipe("cat"):await() end)
    assert.equal("ENOENT", err.code)
    err = support.error(function() start("sleep", {"600"}):pipe("no-such-program"):await() end)
    assert.equal("ENOENT", err.code)
  end)

  it("is refused if the output goes elsewhere", function()
    local running = start("true", {stdout = "ignore"})
    assert.equal("ERR_INVALID_ARG_VALUE", support.error(running.pipe, running, "cat").code)
    running:await()
    running = start("true")
    local cat = running:pipe("cat")
    assert.equal("ERR_INVALID_ARG_VALUE", support.error(running.pipe, running, "cat").code)
    cat:await()
  end)
end)
