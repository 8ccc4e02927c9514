-- stream:readLine(), and iterators that are called by hand: asking a program line by line.

local abort = require("child_process.abort")
local cp = require("child_process")
local support = require("spec.support")

--- A program that answers each line with two, at once.
local function echo()
  return cp.spawn("sh", {"-c", "while read x; do printf \"got $x\\nmore $x\\n\"; done"})
end

local function printf(text) return cp.spawn("printf", {text}).stdout end

local ways = {
  ["stream:readLine()"] = function(stream) return stream:readLine() end,
  ["a new iterator for each line"] = function(stream) return stream:lines()() end,
}

for way, nextLine in pairs(ways) do
  describe("A dialogue by " .. way, function()
    it("loses no line", function()
      local child = echo()
      for number = 1, 30 do
        child.stdin:write(number .. "\n")
        assert.equal("got " .. number, nextLine(child.stdout))
        assert.equal("more " .. number, nextLine(child.stdout))
      end
      child.stdin:finish()
      assert.is_nil(nextLine(child.stdout))
      assert.is_nil(nextLine(child.stdout))
      support.run()
    end)

    it("gives what is left when the program has ended", function()
      local child = cp.spawn("printf", {"a\nb\nc"})
      assert.equal("a", nextLine(child.stdout))
      for _ = 1, 20 do cp.run("nowait") end
      child:on("exit", function() end)
      assert.equal("b", nextLine(child.stdout))
      assert.equal("c", nextLine(child.stdout))
      assert.is_nil(nextLine(child.stdout))
      support.run()
    end)

    it("leaves the rest to other ways of reading", function()
      local stream = printf("a\nb\nc\nd\ne")
      assert.equal("a", nextLine(stream))
      assert.equal("b\n", stream:read(2))
      assert.equal("c", nextLine(stream))
      local rest = {}
      for line in stream:lines() do rest[#rest + 1] = line end
      assert.same({"d", "e"}, rest)
      support.run()
    end)

    it("leaves the rest to readAll()", function()
      local stream = printf("a\nb\nc")
      assert.equal("a", nextLine(stream))
      assert.equal("b\nc", stream:readAll())
      support.run()
    end)

    it("adds no more listeners with every line", function()
      local stream = printf(("x\n"):rep(50))
      for _ = 1, 20 do nextLine(stream) end
      assert.is_true(stream:listenerCount("readable") <= 1)
      stream:destroy()
      support.run()
    end)

    it("works for several coroutines on one stream", function()
      local child = cp.spawn("sh", {"-c", "read x; seq 1 9"})
      local seen = {}
      for i = 1, 3 do
        cp.async(function()
          local line = nextLine(child.stdout)
          while line do
            seen[#seen + 1] = i .. ":" .. line
            line = nextLine(child.stdout)
          end
        end)
      end
      child.stdin:finish("go\n")
      support.run()
      assert.equal(9, #seen)
      for number = 1, 9 do assert.truthy(seen[number]:find(":" .. number, 1, true)) end
    end)
  end)
end

describe("stream:readLine([options])", function()
  it("leaves the rest to a data listener", function()
    local child = cp.spawn("sh", {"-c", "printf 'header\nbody '; read x; printf end"})
    assert.equal("header", child.stdout:readLine())
    local output = support.collect(child.stdout)
    child.stdin:finish("go\n")
    support.run()
    assert.equal("body end", output())
  end)

  it("leaves the rest to a pipe", function()
    local child, cat = cp.spawn("sh", {"-c", "printf 'header\nbody '; read x; printf end"}),
      cp.spawn("cat")
    local output = support.collect(cat.stdout)
    assert.equal("header", child.stdout:readLine())
    child.stdout:pipe(cat.stdin)
    child.stdin:finish("go\n")
    support.run()
    assert.equal("body end", output())
  end)

  it("keeps the end of the line if asked", function()
    local stream = printf("a\r\nb\r\nc\r")
    assert.equal("a\r\n", stream:readLine({keepNewline = true}))
    assert.equal("b", stream:readLine())
    assert.equal("c\r", stream:readLine({keepNewline = true}))
    support.run()
  end)

  it("gives lines that are longer than the stream reads ahead", function()
    local long = ("x"):rep(1000000)
    local child = cp.spawn("cat")
    child.stdin:finish(long .. "\nshort\n" .. long)
    support.assertSameText(long, child.stdout:readLine())
    assert.equal("short", child.stdout:readLine())
    support.assertSameText(long, child.stdout:readLine())
    assert.is_nil(child.stdout:readLine())
    support.run()
  end)

  it("raises the stream's error", function()
    local child = cp.spawn("cat")
    support.afterTurns(2, function() child.stdout:destroy() end)
    assert.equal("ERR_STREAM_PREMATURE_CLOSE",
      support.error(child.stdout.readLine, child.stdout).code)
    child:kill()
    support.run()
  end)

  it("is what read() names to a caller that passes a format of io", function()
    local stream = printf("x")
    local err = support.error(stream.read, stream, "l")
    assert.equal("ERR_INVALID_ARG_TYPE", err.code)
    assert.truthy(err.message:find("readLine()", 1, true))
    stream:readAll()
    support.run()
  end)

  local waits = {
    ["readLine"] = function(stream, options) return stream:readLine(options) end,
    ["an iterator over lines"] = function(stream, options) return stream:lines(options)() end,
    ["a step of an iterator over lines"] = function(stream, options)
      return stream:lines()(options)
    end,
    ["a step of an iterator over chunks"] = function(stream, options)
      return stream:chunks()(options)
    end,
    ["readAll"] = function(stream, options) return stream:readAll(options) end,
  }
  for name, wait in pairs(waits) do
    it("takes a signal, as do others: " .. name, function()
      local child = cp.spawn("cat")
      local controller = abort.AbortController()
      support.afterTurns(3, function() controller:abort("enough") end)
      local err = support.error(wait, child.stdout, {signal = controller.signal})
      assert.equal("AbortError", err.name)
      assert.equal("enough", err.cause)
      err = support.error(wait, child.stdout, {signal = controller.signal})
      assert.equal("AbortError", err.name)
      child:kill()
      child.stdout:destroy()
      support.run()
    end)

    it("takes no other options: " .. name, function()
      local stream = printf("x")
      assert.equal("ERR_INVALID_ARG_TYPE", support.error(wait, stream, "signal").code)
      assert.equal("ERR_INVALID_ARG_TYPE", support.error(wait, stream, {signal = 5}).code)
      stream:destroy()
      support.run()
    end)
  end

  it("loses nothing when it is aborted in the middle of a line", function()
    local child = cp.spawn("cat")
    local controller = abort.AbortController()
    child.stdin:write("be")
    local function abortIt()
      if child.stdout.readableLength < 2 then return support.afterTurns(1, abortIt) end
      controller:abort()
    end
    abortIt()
    support.error(child.stdout.readLine, child.stdout, {signal = controller.signal})
    child.stdin:finish("gin\n")
    assert.equal("begin", child.stdout:readLine())
    assert.is_nil(child.stdout:readLine())
    support.run()
  end)

  it("goes on rightly when something was read while the end of the line was missing", function()
    local child = cp.spawn("cat")
    local function await(text)
      local controller = abort.AbortController()
      local length = child.stdout.readableLength + #text
      child.stdin:write(text)
      local function abortIt()
        if child.stdout.readableLength < length then return support.afterTurns(1, abortIt) end
        controller:abort()
      end
      abortIt()
      support.error(child.stdout.readLine, child.stdout, {signal = controller.signal})
    end
    await("one")
    await("two")
    assert.equal("onet", child.stdout:read(4))
    child.stdin:finish(" three\n")
    assert.equal("wo three", child.stdout:readLine())
    assert.is_nil(child.stdout:readLine())
    support.run()
  end)
end)
