-- What a command reads: the options input, inputFile and stdin.

local cp = require("child_process")
local command = require("child_process.command")
local support = require("spec.support")

local run = command.run

local function hash(result) return result.stdout:match("%x+") end

describe("options.input", function()
  it("may be a string, which may be longer than a pipe holds", function()
    local text = ("0123456789abcdef"):rep(2 ^ 16)
    support.assertSameText(text, run("cat", {input = text}).stdout)
    assert.equal("", run("cat", {input = ""}).stdout)
  end)

  it("may be an iterator, which is asked when there is room", function()
    local count = 0
    local result = run("cksum", {input = function()
      count = count + 1
      return count <= 100 and ("x"):rep(10000) or nil
    end})
    assert.equal(hash(run("cksum", {input = ("x"):rep(1000000)})), hash(result))
    local asked = 0
    run("head", {"-c1"}, {input = function()
      asked = asked + 1
      return asked <= 1000 and ("x"):rep(65536) or nil
    end})
    assert.is_true(asked < 1000)
  end)

  it("may be an iterator that waits", function()
    local source = command.start("sh", {"-c", "for i in 1 2 3; do echo $i; sleep 0.05; done"})
    local lines = source:lines({keepNewline = true})
    local result = run("tac", {input = function()
      local line = lines()
      return line
    end})
    assert.equal("3\n2\n1", result.stdout)
  end)

  it("may be a stream", function()
    local source = cp.spawn("printf", {"b\na\n"}, {stdio = {"ignore", "pipe", "inherit"}})
    assert.equal("a\nb", run("sort", {input = source.stdout}).stdout)
  end)

  it("need not be read to its end", function()
    assert.equal("x", run("head", {"-n1"}, {input = ("x\n"):rep(2 ^ 20)}).stdout)
    assert.equal("", run("true", {input = ("x\n"):rep(2 ^ 20)}).stdout)
    local source = cp.spawn("yes", {stdio = {"ignore", "pipe", "inherit"}})
    assert.equal("y", run("head", {"-n1"}, {input = source.stdout}).stdout)
    source:kill()
    support.run()
  end)

  it("that raises an error makes the command fail", function()
    local err = support.error(run, "cat", {input = function() error("no more", 0) end})
    assert.equal("cat: failed: no more, killed by SIGTERM", err.message)
    assert.equal("no more", err.cause)
    err = support.error(run, "cat", {input = function() return 1 end})
    assert.equal("ERR_INVALID_ARG_TYPE", err.cause.code)
  end)

  it("of a program that cannot be started is no error of its own", function()
    assert.equal("ENOENT", support.error(run, "no-such-program", {input = "x"}).code)
    local err = support.error(run, "no-such-program", {input = function() return "x" end})
    assert.equal("ENOENT", err.code)
  end)

  it("that is closed before its end makes the command fail", function()
    local source = cp.spawn("cat")
    source.stdout:once("data", function() source.stdout:destroy() end)
    source.stdin:finish("x")
    local err = support.error(run, "cat", {input = source.stdout})
    assert.matches("failed: the stream of options.input was closed before its end", err.message)
    err = support.error(run, "cat", {input = source.stdout})
    assert.matches("was closed before its end", err.message)
    support.run()
  end)

  it("is checked", function()
    local child = cp.spawn("true")
    for _, name in ipairs({"input", "stdin"}) do
      local err = support.error(run, "cat", {[name] = child.stdin})
      assert.matches(("options.%s' is a stream that can only be written"):format(name), err.message,
        1, true)
    end
    support.run()
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(run, "cat", {input = 1}).code)
    local err = support.error(run, "cat", {input = "x", inputFile = "y"})
    assert.equal("ERR_INVALID_ARG_VALUE", err.code)
    assert.matches("options.input", err.message)
  end)
end)

describe("options.inputFile", function()
  it("is a file that the command reads itself", function()
    local path = support.tmpdir() .. "/input"
    support.writeFile(path, "b\na\n")
    assert.equal("a\nb", run("sort", {inputFile = path}).stdout)
    assert.equal("a", command.pipeline({{"sort"}, {"head", {"-n1"}}}, {inputFile = path}).stdout)
  end)

  it("that cannot be opened is the reason of a failure", function()
    local err = support.error(run, "cat", {"-"}, {inputFile = "/no/such"})
    assert.equal("cat -: could not be started: options.inputFile '/no/such': "
      .. "No such file or directory (ENOENT)", err.message)
    assert.equal("ENOENT", err.code)
    assert.equal("/no/such", err.path)
    assert.is_true(run("cat", {inputFile = "/no/such", reject = false}).failed)
  end)
end)

describe("options.stdin", function()
  it("is an entry of options.stdio", function()
    local file = assert(io.tmpfile())
    file:write("from a file")
    file:seek("set")
    assert.equal("from a file", run("cat", {stdin = file}).stdout)
    local source = cp.spawn("echo", {"from a child"}, {stdio = {"ignore", "pipe", "inherit"}})
    assert.equal("from a child", run("cat", {stdin = source.stdout}).stdout)
    support.run()
  end)

  it("\"pipe\" leaves the input of a started command to us", function()
    local cat = command.start("cat", {stdin = "pipe"})
    cat.child.stdin:write("one ")
    cat.child.stdin:finish("two")
    assert.equal("one two", cat:await().stdout)
    assert.equal("", command.start("cat"):await().stdout)
  end)
end)
