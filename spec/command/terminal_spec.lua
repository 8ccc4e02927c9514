-- Commands with options.terminal.

local command = require("child_process.command")
local cp = require("child_process")
local support = require("spec.support")

local run = command.run
local BOTH = {"-c", "test -t 1 && test -t 2 && echo out; echo err >&2"}

describe("A command at a terminal", function()
  it("has what came from the terminal as stdout", function()
    local result = run("sh", BOTH, {terminal = true})
    assert.equal("out\r\nerr", result.stdout)
    assert.is_nil(result.stderr)
    assert.same({"out", "err"}, run("sh", BOTH, {terminal = true, lines = true}).stdout)
    local err = support.error(run, "sh", {"-c", "echo wrong >&2; exit 3"}, {terminal = true})
    assert.matches("failed with exit code 3\nwrong$", err.message)
  end)

  it("gives it to the targets of stdout", function()
    local lines = {}
    local result = run("sh", BOTH, {terminal = true, stdout = {"pipe", function(line)
      lines[#lines + 1] = line
    end}})
    assert.equal("out\r\nerr", result.stdout)
    assert.same({"out", "err"}, lines)
    lines = {}
    for line in command.start("sh", BOTH, {terminal = true}):lines() do
      lines[#lines + 1] = line
    end
    assert.same({"out", "err"}, lines)
  end)

  it("may have one output elsewhere", function()
    local both = {"-c", "echo out; echo err >&2; echo more >/dev/tty"}
    local result = run("sh", both, {terminal = true, stderr = "pipe"})
    assert.equal("out\r\nmore", result.stdout)
    assert.equal("err", result.stderr)
    local path = support.tmpdir() .. "/out"
    result = run("sh", both, {terminal = true, stdout = {file = path}})
    assert.is_nil(result.stdout)
    assert.equal("err\r\nmore", result.stderr)
    assert.equal("out\n", support.readFile(path))
    result = run("sh", both, {terminal = true, stdout = "ignore", stderr = "ignore"})
    assert.is_nil(result.stdout)
    assert.is_nil(result.stderr)
    result = run("sh", both, {terminal = true, stderr = {fd = 1}})
    assert.equal("out\r\nerr\r\nmore", result.stdout)
  end)

  it("reads its end there, or the input that it is given, or what is typed", function()
    assert.equal("tty 1", run("sh", {"-c", "test -t 0 && echo tty; read x; echo $?"},
      {terminal = true}).stdout:gsub("\r\n", " "))
    assert.equal("in", run("cat", {terminal = true, input = "in"}).stdout)
    local running = command.start("sh", {"-c", "read answer; echo got $answer"}, {
      terminal = {echo = false},
    })
    running.child.terminal:write("it\n")
    assert.equal("got it", running:await().stdout)
  end)

  it("may be one of several in a pipeline", function()
    local result = command.pipeline({
      {"sh", {"-c", "test -t 2 && echo yes; echo err >&2"}},
      {"sh", {"-c", "cat; test -t 1; echo $?"}},
    }, {terminal = true})
    assert.equal("yes\r\n0", result.stdout)
    assert.equal("err", result.stages[1].stderr)
    local piped = command.start("sh", BOTH, {terminal = {rawMode = true}}):pipe("sort")
    assert.equal("err\nout", piped:await().stdout)
  end)

  it("may share that of another child, which reads it", function()
    local child = cp.spawn("cat", {terminal = {echo = false}})
    local shown = support.collect(child.terminal)
    local result = run("sh", BOTH, {terminal = child.terminal})
    assert.is_nil(result.stdout)
    child.terminal:finish()
    support.run()
    assert.equal("out\r\nerr\r\n", shown())
  end)

  it("is ended as any other", function()
    local err = support.error(run, "sh", {"-c", "echo ready; sleep 600"},
      {terminal = true, timeout = 300})
    assert.is_true(err.timedOut)
    assert.equal("SIGTERM", err.signalCode) -- and not the hangup of the terminal
    err = support.error(run, "yes", {terminal = true, maxBuffer = 1000})
    assert.is_true(err.isMaxBuffer)
    assert.equal("SIGTERM", err.signalCode)
    assert.equal(1000, #err.stdout)
    assert.equal("ENOENT", support.error(run, "no-such-program", {terminal = true}).code)
  end)
end)
