-- {childFd = n} as an entry of options.stdio: what another descriptor of the child is.

local cp = require("child_process")
local support = require("spec.support")

local BOTH = "echo one; echo two >&2; echo three"
local IN_ORDER = "one\ntwo\nthree\n"

--- Starts `sh -c script`, and returns what came at each pipe, and the child.
local function run(script, stdio)
  local child = cp.spawn("sh", {"-c", script}, {stdio = stdio})
  local collected = {}
  for fd, stream in pairs(child.stdio) do
    collected[fd] = fd > 0 and support.collect(stream) or nil
  end
  support.run()
  assert.equal(0, child.exitCode)
  for fd, text in pairs(collected) do collected[fd] = text() end
  return collected, child
end

--- Asserts that spawn raises, and that the error has all of the texts.
local function assertRefused(stdio, ...)
  local err = support.error(cp.spawn, "true", {stdio = stdio})
  assert.equal("ERR_INVALID_ARG_VALUE", err.code)
  for _, text in ipairs({"'options.stdio'", ...}) do
    assert.matches(text, err.message, 1, true)
  end
end

describe("{childFd = 1} at standard error", function()
  it("joins it to standard output, in the order in which both were written", function()
    local printed, child = run(BOTH, {"ignore", "pipe", {childFd = 1}})
    assert.same({[1] = IN_ORDER}, printed)
    assert.is_nil(child.stderr)
    assert.is_nil(child.stdio[2])
  end)

  it("goes to a file, a stream or a descriptor of ours as well", function()
    local path = support.tmpdir() .. "/log"
    local file = assert(io.open(path, "w"))
    run(BOTH, {"ignore", file, {childFd = 1}})
    file:close()
    assert.equal(IN_ORDER, support.readFile(path))

    local cat = cp.spawn("cat", {stdio = {"pipe", "pipe", "inherit"}})
    local copied = support.collect(cat.stdout)
    cp.spawn("sh", {"-c", BOTH}, {stdio = {"ignore", cat.stdin, {childFd = 1}}})
    cat.stdin:destroy()
    support.run()
    assert.equal(IN_ORDER, copied())

    local stdout, stderr = support.runScript(([[
      cp.spawn("sh", {"-c", %q}, {stdio = {"ignore", "inherit", {childFd = 1}}})
      cp.run()
    ]]):format(BOTH))
    assert.equal(IN_ORDER, stdout)
    assert.equal("", stderr)
  end)

  it("is discarded with it", function()
    assert.same({}, (run(BOTH, {"ignore", "ignore", {childFd = 1}})))
  end)

  it("works with exec and execFile, whose errors end with both then", function()
    local options = {stdio = {"ignore", "pipe", {childFd = 1}}}
    local called = 0
    local function check(err, stdout, stderr)
      called = called + 1
      assert.equal(3, err.code)
      assert.equal(IN_ORDER, stdout)
      assert.equal("", stderr)
      assert.equal("\n" .. IN_ORDER, err.message:match("\n.*"))
    end
    cp.exec(BOTH .. "; exit 3", options, check)
    cp.execFile("sh", {"-c", BOTH .. "; exit 3"}, options, check)
    support.run()
    assert.equal(2, called)
  end)

  it("works with the synchronous calls, whose errors end with both then", function()
    local options = {stdio = {"ignore", "pipe", {childFd = 1}}}
    local result = cp.spawnSync("sh", {"-c", BOTH}, options)
    assert.equal(IN_ORDER, result.stdout)
    assert.is_nil(result.stderr)
    assert.same({[1] = IN_ORDER}, result.output)
    assert.equal(IN_ORDER, cp.execSync(BOTH, options))
    local err = support.error(cp.execFileSync, "sh", {"-c", BOTH .. "; exit 3"}, options)
    assert.equal(3, err.status)
    assert.equal("\n" .. IN_ORDER, err.message:match("\n.*"))
  end)

  it("works with fork", function()
    local script = support.script([[
      io.stdout:write("one\n")
      io.stdout:flush()
      io.stderr:write("two\n")
    ]])
    local child = cp.fork(script, {stdio = {"ignore", "pipe", {childFd = 1}, "ipc"}})
    local printed = support.collect(child.stdout)
    support.run()
    assert.equal("one\ntwo\n", printed())
    assert.equal(0, child.exitCode)
  end)
end)

describe("{childFd = n}", function()
  it("may name a descriptor of any number", function()
    assert.same({[2] = IN_ORDER}, (run(BOTH, {"ignore", {childFd = 2}, "pipe"})))
    assert.same({[3] = IN_ORDER},
      (run(BOTH, {[0] = "ignore", {childFd = 3}, {childFd = 3}, "pipe"})))
    assert.same({[1] = "one\ntwo\n"},
      (run("echo one >&5; echo two", {[0] = "ignore", [2] = "ignore", [5] = {childFd = 1}})))
    assert.same({[1] = "", [2] = ""},
      (run("echo gone >&3", {[0] = "ignore", [3] = {childFd = 0}})))
  end)

  it("may name one that names another, in any order", function()
    assert.same({[3] = IN_ORDER},
      (run(BOTH, {[0] = "ignore", {childFd = 2}, {childFd = 3}, "pipe"})))
    assert.same({[1] = IN_ORDER, [2] = ""}, (run("{ " .. BOTH .. "; } >&4 2>&3",
      {[0] = "ignore", [3] = {childFd = 4}, [4] = {childFd = 1}})))
  end)

  it("gives standard input to another descriptor", function()
    local child = cp.spawn("sh", {"-c", "cat <&3"}, {stdio = {[0] = "pipe", [3] = {childFd = 0}}})
    child.stdin:finish("read at 3")
    assert.equal("read at 3", (support.output(child)))
  end)

  it("leaves no descriptor open, neither here nor in the child", function()
    local stdio = {"ignore", "pipe", {childFd = 1}, {childFd = 1}}
    local before = support.openFds()
    local found = support.childFds(function(file, args)
      local child = cp.spawn(file, args, {stdio = stdio})
      support.run()
      return child
    end)
    assert.same({[0] = "/dev/null", "pipe", "pipe", "pipe"}, found)
    assert.same(before, support.openFds())
  end)

  it("is not {fd = n}, a descriptor of ours", function()
    local stdout, stderr = support.runScript([[
      cp.spawn("sh", {"-c", "echo one; echo two >&2"}, {stdio = {"ignore", {fd = 2}, {fd = 1}}})
      cp.run()
    ]])
    assert.equal("two\n", stdout)
    assert.equal("one\n", stderr)
  end)

  it("has to lead to a descriptor that the child can use for that", function()
    assertRefused({"pipe", "pipe", {childFd = 7}}, "{childFd = 7} for descriptor 2", "leads to 7")
    assertRefused({[0] = "pipe", [2] = {childFd = 5}, [9] = "pipe"}, "leads to 5")
    assertRefused({"pipe", {childFd = 0}}, "leads to 0, a pipe that the child can only read")
    assertRefused({{childFd = 2}}, "leads to 2, a pipe that the child can only write")
    assertRefused({"pipe", "pipe", {childFd = 2}}, "leads back to itself")
    assertRefused({"pipe", {childFd = 2}, {childFd = 1}}, "leads back to itself")
    assertRefused({"pipe", {childFd = 2}, {childFd = 3}, {childFd = 2}}, "leads back to itself")
    assertRefused({"pipe", "pipe", {childFd = 3}, "ipc"}, "leads to 3, the channel")
    for _, wrong in ipairs({-1, 1.5, "one", true, 2 ^ 53}) do
      assertRefused({"pipe", "pipe", {childFd = wrong}}, tostring(wrong))
    end
    assertRefused({"pipe", "pipe", {childFd = 1, fd = 1}}, "has other fields")
  end)
end)
