-- Reading streams in a loop: chunks, lines, readAll, in coroutines and outside of them.

local cp = require("child_process")
local errors = require("child_process.errors")
local loop = require("child_process.loop")
local support = require("spec.support")
local timers = require("child_process.timers")

--- A stream of what a shell script prints.
local function outputOf(script, ...) return cp.spawn("sh", {"-c", script, ...}).stdout end

local function listOf(stream, options)
  local list = {}
  for line in stream:lines(options) do list[#list + 1] = line end
  return list
end

local function printf(text) return cp.spawn("printf", {"%b", text}).stdout end

describe("stream:chunks()", function()
  it("gives what the stream brings, as it comes", function()
    local child = cp.spawn("cat")
    local chunks = {}
    child.stdin:write("first")
    for chunk in child.stdout:chunks() do
      chunks[#chunks + 1] = chunk
      if chunk == "first" then child.stdin:write("second") else child.stdin:finish() end
    end
    assert.same({"first", "second"}, chunks)
    support.run()
  end)

  it("gives text where an encoding was set", function()
    local stream = cp.spawn("printf", {"\\303"}).stdout
    stream:setEncoding("hex")
    for chunk in stream:chunks() do assert.equal("c3", chunk) end
    support.run()
  end)

  it("gives what was read before and handed to nobody", function()
    local child = cp.spawn("sh", {"-c", "echo early; exec cat"})
    child.stdout:once("readable", function() cp.stop() end)
    cp.run()
    assert.equal(6, child.stdout.readableLength)
    child.stdin:finish("late")
    assert.equal("early\nlate", child.stdout:readAll())
    support.run()
  end)

  it("suspends a coroutine, while others run", function()
    support.needYields()
    local order = {}
    local function task(name)
      for chunk in outputOf("echo 1; sleep 0.05; echo 2"):chunks() do
        order[#order + 1] = name .. chunk:sub(1, 1)
      end
    end
    local one, other = cp.async(task, "a"), cp.async(task, "b")
    one:await()
    other:await()
    assert.equal(4, #order)
    assert.same({a1 = true, b1 = true}, {[order[1]] = true, [order[2]] = true})
    support.run()
  end)

  it("ends when the stream has ended before", function()
    local stream = outputOf("echo x")
    assert.equal("x\n", stream:readAll())
    assert.equal("", stream:readAll())
    for _ in stream:chunks() do error("there is nothing left") end
    support.run()
  end)

  it("says so when it is called with a dot, or in a callback of the loop", function()
    local child = cp.spawn("cat")
    local stream = child.stdout
    for _, name in ipairs({"chunks", "lines", "readAll"}) do
      assert.equal("ERR_INVALID_THIS", support.error(stream[name]).code)
    end
    local err
    timers.setTimeout(function()
      err = support.error(stream.readAll, stream)
      child:kill()
    end, 1)
    support.run()
    assert.equal("ERR_WAIT_IN_CALLBACK", err.code)
    assert.is_true(stream.destroyed)
  end)
end)

describe("A stream that can only be written", function()
  it("raises an error for a reader instead of letting it wait", function()
    local child, failed = cp.spawn("cat"), cp.spawn("/nonexistent/command")
    failed:on("error", function() end)
    for _, stream in ipairs({child.stdin, failed.stdin}) do
      for _, name in ipairs({"chunks", "lines", "readAll"}) do
        local err = support.error(stream[name], stream)
        assert.equal("TypeError", err.name)
        assert.equal("ERR_INVALID_THIS", err.code)
        assert.equal("The stream can only be written", err.message)
      end
    end
    assert.same({}, child.stdin:eventNames())
    child.stdin:finish("still written")
    assert.equal("still written", child.stdout:readAll())
    support.run()
  end)
end)

describe("A loop over a stream", function()
  it("that is left destroys it", function()
    support.needClosing()
    for _, name in ipairs({"chunks", "lines"}) do
      local child = cp.spawn("yes")
      for _ in child.stdout[name](child.stdout) do
        if child.stdout then break end
      end
      assert.is_true(child.stdout.destroyed)
      assert.same({}, child.stdout:eventNames())
      support.run()
      assert.is_not_nil(child.signalCode or child.exitCode)
    end
  end)

  it("that is left by an error destroys it", function()
    support.needClosing()
    local child = cp.spawn("yes")
    local err = support.error(function()
      for _ in child.stdout:chunks() do error("mine", 0) end
    end)
    assert.equal("mine", err)
    assert.is_true(child.stdout.destroyed)
    support.run()
  end)

  it("that comes to the end removes its listeners", function()
    local stream = outputOf("echo x")
    for _ in stream:lines() do assert.is_true(stream:listenerCount("error") > 0) end
    assert.same({}, stream:eventNames())
    support.run()
  end)

  it("raises the error of the stream", function()
    local child = cp.spawn("yes")
    local err = support.error(function()
      for _ in child.stdout:chunks() do child.stdout:destroy("broken") end
    end)
    assert.equal("broken", err)
    support.run()
  end)

  it("raises an error when the stream is destroyed before its end", function()
    local child = cp.spawn("yes")
    local err = support.error(function()
      for _ in child.stdout:chunks() do child.stdout:destroy() end
    end)
    assert.equal("ERR_STREAM_PREMATURE_CLOSE", err.code)
    err = support.error(child.stdout.readAll, child.stdout)
    assert.equal("ERR_STREAM_PREMATURE_CLOSE", err.code)
    support.run()
  end)

  it("over the output of a program that does not exist raises why", function()
    local err = support.error(function()
      for _ in cp.spawn("/nonexistent/command").stdout:lines() do error("no line") end
    end)
    assert.equal("ENOENT", err.code)
    support.run()
  end)

  it("over such output ends at once where somebody listens to the error", function()
    local child = cp.spawn("/nonexistent/command")
    child:on("error", function() end)
    assert.equal("", child.stdout:readAll())
    support.run()
  end)

  it("is not disturbed by a listener that raises", function()
    local stream = outputOf("echo x")
    stream:on("end", function() error("mine", 0) end)
    local promise = cp.async(function() return stream:readAll() end)
    assert.equal("mine", support.error(cp.run))
    assert.equal("x\n", promise:await())
    support.run()
  end)

  it("reads no more than it hands over, up to the high water mark", function()
    local child = cp.spawn("yes")
    local stream = child.stdout
    local step = stream:chunks()
    step()
    local before
    repeat -- until nothing more comes
      before = stream.bytesRead
      for _ = 1, 50 do cp.run("nowait") end
    until stream.bytesRead == before
    assert.is_true(stream.readableLength < 2 * stream.readableHighWaterMark)
    child:kill()
    stream:destroy()
    support.run()
  end)

  it("serves a whole program without run", function()
    local script = support.script([[
      for line in require("child_process").spawn("printf", {"a\nb\n"}).stdout:lines() do
        print(line)
      end
    ]])
    local child = cp.spawn(support.lua, {script})
    local stdout, stderr = support.output(child)
    assert.equal("a\nb\n", stdout)
    assert.equal("", stderr)
    assert.equal(0, child.exitCode)
  end)
end)

describe("stream:lines()", function()
  it("gives lines without their ends, which are LF or CRLF", function()
    assert.same({"a", "", "b", "c\rd", ""}, listOf(printf("a\\n\\nb\\r\\nc\\rd\\n\\r\\n")))
  end)

  it("gives a last line that has no end", function()
    assert.same({"a", "b"}, listOf(printf("a\\nb")))
    assert.same({"a", "b"}, listOf(printf("a\\nb\\r")))
    assert.same({"a\n", "b\r"}, listOf(printf("a\\nb\\r"), {keepNewline = true}))
  end)

  it("gives nothing for an empty stream", function()
    assert.same({}, listOf(printf("")))
    assert.same({}, listOf(printf(""), {keepNewline = true}))
  end)

  it("keeps the ends if asked", function()
    assert.same({"a\n", "b\r\n", "c"}, listOf(printf("a\\nb\\r\\nc"), {keepNewline = true}))
  end)

  it("joins lines that come in pieces, and CR and LF that do", function()
    local child = cp.spawn("cat")
    local pieces = {"be", "gin\nmid", "dle\r", "\nend", "\n"}
    local function writeNext()
      if #pieces == 0 then
        child.stdin:finish()
      else
        child.stdin:write(table.remove(pieces, 1))
      end
    end
    child.stdout:on("data", writeNext)
    writeNext()
    assert.same({"begin", "middle", "end"}, listOf(child.stdout))
    support.run()
  end)

  it("gives lines of any length", function()
    local long = ("x"):rep(3000000)
    local child = cp.spawn("cat")
    child.stdin:write(long)
    child.stdin:write("\nshort\n")
    child.stdin:finish(long)
    local lines = listOf(child.stdout)
    assert.equal(3, #lines)
    support.assertSameText(long, lines[1])
    assert.equal("short", lines[2])
    support.assertSameText(long, lines[3])
    support.run()
  end)

  it("gives the lines of real files", function()
    local path = "spec/stream/iterators_spec.lua"
    local expected = {}
    for line in io.lines(path) do expected[#expected + 1] = line end
    assert.same(expected, listOf(cp.spawn("cat", {path}).stdout))
    support.run()
  end)

  it("raises an error in the middle of a line once, and ends", function()
    local stream = printf("one\\ntwo")
    local step = stream:lines()
    assert.equal("one", step())
    stream:destroy(errors.Error("broken"))
    assert.equal("broken", support.error(step).message)
    assert.is_nil(step())
    support.run()
  end)

  it("takes a table of options", function()
    local stream = printf("")
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(stream.lines, stream, "L").code)
    stream:readAll()
    support.run()
  end)
end)

describe("stream:readAll()", function()
  it("gives everything up to the end", function()
    local child = cp.spawn("head", {"-c", "300000", "/dev/zero"})
    support.assertSameText(("\0"):rep(300000), child.stdout:readAll())
    support.run()
  end)

  it("gives the rest after others have read", function()
    local child = cp.spawn("cat")
    child.stdin:write("one\ntwo")
    child.stdout:wait("readable")
    assert.equal("one\n", child.stdout:read(4))
    child.stdin:finish()
    assert.equal("two", child.stdout:readAll())
    support.run()
  end)

  it("works in coroutines, on all outputs at once", function()
    local child = cp.spawn("sh", {"-c", "cat; echo err >&2"})
    local promise = cp.async(function()
      local stderr = cp.async(child.stderr.readAll, child.stderr)
      child.stdin:finish("out")
      return child.stdout:readAll(), stderr:await()
    end)
    assert.same({"out", "err\n"}, {promise:await()})
    support.run()
  end)

  it("reads our own stdin", function()
    local script = support.script([[
      local process = require("child_process.process")
      for line in process.stdin:lines() do print("[" .. line .. "]") end
    ]])
    local child = cp.spawn(support.lua, {script})
    child.stdin:finish("a\nb")
    assert.equal("[a]\n[b]\n", child.stdout:readAll())
    support.run()
  end)

  it("raises an error where the loop is stopped", function()
    local child = cp.spawn("cat")
    timers.setTimeout(loop.stop, 1)
    assert.equal("ERR_WAIT_STOPPED", support.error(child.stdout.readAll, child.stdout).code)
    child:kill()
    support.run()
  end)
end)
