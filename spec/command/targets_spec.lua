-- Where the outputs of a command go: the options stdout and stderr.

local command = require("child_process.command")
local cp = require("child_process")
local diagnostics = require("child_process.diagnostics")
local keepers = require("spec.support.keepers")
local support = require("spec.support")

local run = command.run

local BOTH = {"-c", "echo out; echo err >&2"}

describe("options.stdout and options.stderr", function()
  it("are entries of options.stdio", function()
    local result = run("sh", BOTH, {stdout = "ignore"})
    assert.is_nil(result.stdout)
    assert.equal("err", result.stderr)
    local file = assert(io.tmpfile())
    result = run("sh", BOTH, {stdout = file, stderr = "ignore"})
    assert.is_nil(result.stdout)
    file:seek("set")
    assert.equal("out\n", file:read("*a"))
    local cat = cp.spawn("cat", {stdio = {"pipe", "pipe", "inherit"}})
    run("sh", BOTH, {stdout = cat.stdin})
    cat.stdin:finish()
    assert.equal("out\n", cat.stdout:readAll())
  end)

  it("\"inherit\" is ours", function()
    local stdout, stderr = support.runScript(
      [[cp.command.run("sh", {"-c", "echo out; echo err >&2"},
        {stdout = "inherit", stderr = "inherit"})]])
    assert.equal("out\n", stdout)
    assert.equal("err\n", stderr)
  end)

  it("may be a file, which the command writes itself", function()
    local path = support.tmpdir() .. "/log"
    run("sh", BOTH, {stdout = {file = path}})
    run("sh", BOTH, {stdout = {file = path, append = true}})
    assert.equal("out\nout\n", support.readFile(path))
    run("sh", BOTH, {stdout = {file = path}, stderr = {fd = 1}})
    assert.equal("out\nerr\n", support.readFile(path))
  end)

  it("may be a function, which gets each line", function()
    local lines = {}
    local result = run("printf", {"a\n\nb\r\nc"}, {
      stdout = function(line) lines[#lines + 1] = line end,
    })
    assert.same({"a", "", "b", "c"}, lines)
    assert.is_nil(result.stdout)
  end)

  it("make the command fail if the function raises an error", function()
    local err = support.error(run, "yes", {stdout = function() error("enough", 0) end})
    assert.equal("yes: failed: enough, killed by SIGTERM", err.message)
    assert.equal("enough", err.cause)
  end)

  it("make the command fail if a file cannot be opened", function()
    local err = support.error(run, "true", {stdout = {file = "/no/such/log"}})
    assert.equal("true: could not be started: options.stdout '/no/such/log': "
      .. "No such file or directory (ENOENT)", err.message)
    err = support.error(run, "true", {stderr = {"pipe", {file = "/no/such/log"}}})
    assert.equal("ENOENT", err.code)
  end)

  it("make the command fail if a file cannot be written", function()
    if not support.forLinux then support.skip("there is no /dev/full") end
    local err = support.error(run, "echo", {"x"}, {stdout = {"pipe", {file = "/dev/full"}}})
    assert.matches("^echo x: failed: cannot write to /dev/full: No space left on device",
      err.message)
  end)

  it("are checked", function()
    for _, wrong in ipairs({true, "x", {}, {file = 1}, {file = "/x", mode = "w"}, {fd = 1},
      {fd = 3}, {{fd = 2}, "pipe"}, {"pipe", "x"}, {"pipe", {"pipe"}}, {"pipe", 7}}) do
      local err = support.error(run, "true", {stdout = wrong})
      assert.matches("^ERR_", err.code)
      assert.matches("options.stdout", err.message, 1, true)
    end
    local err = support.error(run, "true", {stdout = {fd = 2}, stderr = {fd = 1}})
    assert.equal("ERR_INVALID_ARG_VALUE", err.code)
    err = support.error(run, "true", {stdin = "x"})
    assert.equal("ERR_INVALID_ARG_VALUE", err.code)
    assert.matches("options.stdin.*options.input", err.message)
  end)
end)

describe("A target that both outputs have", function()
  it("may be a file, to which both are appended", function()
    local path = support.tmpdir() .. "/log"
    for _, stdout in ipairs({{file = path}, {"pipe", {file = path}}}) do
      support.writeFile(path, "before")
      run("sh", BOTH, {stdout = stdout, stderr = {file = path}})
      local list = support.lines(support.readFile(path))
      table.sort(list)
      assert.same({"err", "out"}, list)
    end
    run("sh", BOTH, {stdout = {file = path, append = true}, stderr = {file = path, append = true}})
    assert.equal(4, #support.lines(support.readFile(path)))
  end)
end)

describe("A stream as a target", function()
  it("is finished at the end, also if the command writes to it itself", function()
    for _, targets in ipairs({"one", "list"}) do
      local sort = command.start("sort", {stdin = "pipe"})
      local stream = sort.child.stdin
      run("sh", BOTH, {stdout = targets == "one" and stream or {stream, "pipe"}, stderr = stream})
      assert.equal("err\nout", sort:await().stdout)
    end
  end)

  it("may be one of many, without a warning", function()
    local _, stderr = support.runScript([[
      local readers, streams = {}, {}
      for index = 1, 12 do
        readers[index] = cp.command.start("cat", {stdin = "pipe"})
        streams[index] = readers[index].child.stdin
      end
      cp.command.run("echo", {"x"}, {stdout = streams})
      for _, reader in ipairs(readers) do assert(reader:await().stdout == "x") end
    ]])
    assert.equal("", stderr)
  end)

  it("has to be one that can be written", function()
    local child = cp.spawn("true")
    for _, stdout in ipairs({child.stdout, {"pipe", child.stdout}}) do
      local err = support.error(run, "true", {stdout = stdout})
      assert.equal("ERR_INVALID_ARG_VALUE", err.code)
      assert.matches("options.stdout' is a stream that can only be read", err.message, 1, true)
    end
    support.run()
  end)
end)

describe("{fd = 1} at stderr", function()
  it("joins the errors to the output, in order", function()
    local script = "for i in 1 2 3 4 5 6 7 8 9; do echo o$i; echo e$i >&2; done"
    local result = run("sh", {"-c", script}, {stderr = {fd = 1}, lines = true})
    local expected = {}
    for index = 1, 9 do
      expected[#expected + 1] = "o" .. index
      expected[#expected + 1] = "e" .. index
    end
    assert.same(expected, result.stdout)
    assert.is_nil(result.stderr)
  end)

  it("takes no other process", function()
    local starts = {}
    local function note(event) starts[#starts + 1] = event end
    diagnostics.subscribe("child_process", note)
    run("sh", BOTH, {stderr = {fd = 1}})
    run("sh", BOTH, {stderr = {fd = 1}, stdout = {"pipe", function() end}})
    diagnostics.unsubscribe("child_process", note)
    assert.equal(2, #starts)
  end)

  it("may be written as an entry of stdio", function()
    assert.equal("out\nerr", run("sh", BOTH, {stdio = {nil, "pipe", {childFd = 1}}}).stdout)
    assert.equal("out\nerr", run("sh", BOTH, {stderr = {childFd = 1}}).stdout)
    local err = support.error(run, "sh", BOTH, {stderr = {childFd = 9}})
    assert.equal("ERR_INVALID_ARG_VALUE", err.code)
  end)

  it("goes wherever stdout goes", function()
    local stdout, stderr = support.runScript(
      [[cp.command.run("sh", {"-c", "echo out; echo err >&2"},
        {stdout = "inherit", stderr = {fd = 1}})]])
    assert.equal("out\nerr\n", stdout)
    assert.equal("", stderr)
    local lines = {}
    run("sh", BOTH, {stdout = function(line) lines[#lines + 1] = line end, stderr = {fd = 1}})
    assert.same({"out", "err"}, lines)
    assert.is_nil(run("sh", BOTH, {stdout = "ignore", stderr = {fd = 1}}).stdout)
  end)

  it("works in the other direction", function()
    local result = run("sh", BOTH, {stdout = {fd = 2}})
    assert.equal("out\nerr", result.stderr)
    assert.is_nil(result.stdout)
  end)

  it("leaves the errors of a start and the exit code as they are", function()
    assert.equal("ENOENT", support.error(run, "no-such-program", {stderr = {fd = 1}}).code)
    local err = support.error(run, "sh", {"-c", "echo wrong >&2; exit 3"}, {stderr = {fd = 1}})
    assert.equal(3, err.exitCode)
    assert.matches("\nwrong$", err.message)
  end)

  it("does not wait for processes that hold the output after a limit", function()
    local keeper = keepers.new()
    local err = support.error(run, "sh", {"-c", "exec 3<&0; cat <&3 & exec cat"},
      {stderr = {fd = 1}, timeout = 100, tree = false, stdin = keeper.stream})
    keeper:release()
    assert.is_true(err.timedOut)
  end)
end)

describe("A function as a target", function()
  it("gets the same lines as options.lines and a loop over them", function()
    for text, lines in pairs({
      [""] = {}, ["a"] = {"a"}, ["a\n"] = {"a"}, ["a\r\nb\r\n"] = {"a", "b"}, ["\n\n"] = {"", ""},
      ["\r\n\r\n"] = {"", ""}, ["a\rb\n"] = {"a\rb"}, ["a\r"] = {"a\r"}, ["\n\nb"] = {"", "", "b"},
    }) do
      local called, looped = {}, {}
      run("printf", {"%s", text}, {stdout = function(line) called[#called + 1] = line end})
      for line in command.start("printf", {"%s", text}):lines() do looped[#looped + 1] = line end
      assert.same(lines, called, ("%q"):format(text))
      assert.same(called, looped)
      assert.same(called, run("printf", {"%s", text}, {lines = true}).stdout)
    end
  end)
end)

describe("A line that does not end", function()
  local ENDLESS = {"-c", "echo x; yes | tr -d '\\n'"}

  it("ends the command when it is longer than maxBuffer", function()
    local lines = {}
    local err = support.error(run, "sh", ENDLESS, {maxBuffer = 10000, stdout = function(line)
      lines[#lines + 1] = line
    end})
    assert.matches("failed: a line is longer than 10000 bytes (options.maxBuffer)", err.message, 1,
      true)
    assert.same({"x"}, lines)
    lines = {}
    err = support.error(function()
      for line in command.start("sh", ENDLESS, {maxBuffer = 200000}):lines() do
        lines[#lines + 1] = line
      end
    end)
    assert.is_true(err.isMaxBuffer)
    assert.equal("x", lines[1])
  end)

  it("is no matter of the number of lines", function()
    local count = 0
    run("seq", {100000}, {maxBuffer = 10, stdout = function() count = count + 1 end})
    for _ in command.start("seq", {100000}, {maxBuffer = 10}):lines() do count = count + 1 end
    assert.equal(200000, count)
  end)
end)

describe("A list of targets", function()
  it("gets everything in each of them", function()
    local path = support.tmpdir() .. "/log"
    local file = assert(io.tmpfile())
    local lines = {}
    local cat = cp.spawn("cat", {stdio = {"pipe", "pipe", "inherit"}})
    local copied = support.collect(cat.stdout) -- from the start: cat may end before `run` returns
    local result = run("printf", {"a\nb\n"}, {
      stdout = {"pipe", {file = path}, file, function(line) lines[#lines + 1] = line end,
        cat.stdin, "ignore"},
    })
    assert.equal("a\nb", result.stdout)
    assert.equal("a\nb\n", support.readFile(path))
    file:seek("set")
    assert.equal("a\nb\n", file:read("*a"))
    assert.same({"a", "b"}, lines)
    support.run()
    assert.equal("a\nb\n", copied()) -- the stream was finished
  end)

  it("may have our own outputs", function()
    local stdout, stderr = support.runScript([[
      local result = cp.command.run("sh", {"-c", "echo out; echo err >&2"},
        {stdout = {"pipe", "inherit", 2}, stderr = {"inherit", "pipe"}})
      io.write("stdout: ", result.stdout, ", stderr: ", result.stderr, "\n")
    ]])
    assert.equal("out\nstdout: out, stderr: err\n", stdout)
    local list = support.lines(stderr)
    table.sort(list)
    assert.same({"err", "out"}, list)
  end)

  it("of one target is that target", function()
    assert.equal("out", run("sh", BOTH, {stdout = {"pipe"}}).stdout)
    assert.is_nil(run("sh", BOTH, {stdout = {"ignore"}}).stdout)
  end)

  it("may share a stream with the other output", function()
    local cat = cp.spawn("cat", {stdio = {"pipe", "pipe", "inherit"}})
    local copied = support.collect(cat.stdout)
    run("sh", BOTH, {stdout = {"pipe", cat.stdin}, stderr = {"pipe", cat.stdin}})
    support.run()
    local list = support.lines(copied())
    table.sort(list)
    assert.same({"err", "out"}, list)
  end)

  it("is written as fast as the slowest target takes it", function()
    -- The second target reads only when the first has had everything that fits.
    local slow = cp.spawn("sh", {"-c", "read line; cat >/dev/null"}, {
      stdio = {"pipe", "ignore", "inherit"},
    })
    local count = 0
    local running = command.start("yes", {stdout = {function() count = count + 1 end, slow.stdin}})
    -- `slow` has read a line and waits for the rest. Stop it, and the command has to wait.
    slow:kill("SIGSTOP")
    local before
    repeat
      before = count
      command.run("sleep", {"0.1"})
    until count == before and count > 0 or slow.stdin.writableLength > 2 ^ 24
    assert.is_true(slow.stdin.writableLength < 2 ^ 20)
    slow:kill("SIGCONT")
    repeat command.run("true") until count > before
    running:kill()
    assert.equal("SIGTERM", support.error(running.await, running).signalCode)
    support.run()
  end)

  it("makes the command fail if a stream fails", function()
    local gone = cp.spawn("true", {stdio = {"pipe", "ignore", "inherit"}})
    local err = support.error(run, "yes", {stdout = {"pipe", gone.stdin}, maxBuffer = 2 ^ 40})
    assert.matches("^yes: failed: .*, killed by SIGTERM", err.shortMessage)
    assert.is_not_nil(err.cause)
    support.run()
    err = support.error(run, "echo", {"x"}, {stdout = {"pipe", gone.stdin}})
    assert.equal("a stream was closed before it had everything", err.cause)
  end)
end)
