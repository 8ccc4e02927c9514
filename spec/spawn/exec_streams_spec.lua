-- The streams of exec's child, which its captures read, and pipes that the kernel moves: each
-- reader gets all of the data, by whichever method it asks.

local cp = require("child_process")
local events = require("child_process.events")
local support = require("spec.support")

-- What `seq 20000` prints.
local TEXT = ""
for number = 1, 20000 do TEXT = TEXT .. number .. "\n" end

--- Runs exec to its end and gives what its callback got.
local function exec(command, options, prepare)
  local result
  local child = cp.exec(command, options, function(...) result = {...} end)
  prepare(child)
  support.run()
  assert.is_nil(result[1])
  return result[2], result[3]
end

local function newSink()
  local sink = events.EventEmitter()
  local chunks = {}
  function sink.write(_, chunk) chunks[#chunks + 1] = chunk return true end
  function sink.finish(self) self.finished = true end
  function sink.text() return table.concat(chunks) end
  return sink
end

describe("exec(...).stdout", function()
  it("can be piped, and the callback still gets everything", function()
    local sink = newSink()
    local output = exec("seq 20000", nil, function(child) child.stdout:pipe(sink) end)
    support.assertSameText(TEXT, output)
    support.assertSameText(TEXT, sink.text())
    assert.is_true(sink.finished)
  end)

  it("can be piped into another child", function()
    local other = cp.spawn("cat")
    local copy = support.collect(other.stdout)
    local output = exec("seq 20000", nil, function(child) child.stdout:pipe(other.stdin) end)
    support.assertSameText(TEXT, output)
    support.assertSameText(TEXT, copy())
  end)

  it("can be piped in the middle: the pipe gets the rest", function()
    local sink = newSink()
    local output = exec("echo one; read x; echo two", nil, function(child)
      support.afterTurns(3, function()
        child.stdout:pipe(sink)
        child.stdin:finish("go\n")
      end)
    end)
    assert.equal("one\ntwo\n", output)
    assert.truthy(sink.text():find("two\n$"))
  end)

  it("has its stderr piped as well", function()
    local sink = newSink()
    local _, stderr = exec("echo oops >&2", nil, function(child) child.stderr:pipe(sink) end)
    assert.equal("oops\n", stderr)
    assert.equal("oops\n", sink.text())
  end)

  for _, method in ipairs({"once", "prependOnceListener"}) do
    it("comes to its end after a readable listener that " .. method .. "() has added", function()
      local heard = 0
      local output = exec("seq 20000", nil, function(child)
        child.stdout[method](child.stdout, "readable", function() heard = heard + 1 end)
      end)
      support.assertSameText(TEXT, output)
      assert.equal(1, heard)
    end)
  end

  it("comes to its end although all listeners were removed", function()
    local output = exec("seq 20000", nil, function(child)
      child.stdout:once("data", function() child.stdout:removeAllListeners() end)
    end)
    support.assertSameText(TEXT, output)
  end)

  for _, method in ipairs({
    "on", "addListener", "once", "prependListener", "prependOnceListener",
  }) do
    it("reaches a data listener that " .. method .. "() adds", function()
      local seen = {}
      local output = exec("echo x", nil, function(child)
        child.stdout[method](child.stdout, "data", function(chunk) seen[#seen + 1] = chunk end)
      end)
      assert.equal("x\n", output)
      assert.same({"x\n"}, seen)
    end)

    it("spliced to another child reaches one that " .. method .. "() adds", function()
      local source = cp.spawn("sh", {"-c", "read x; echo heard"})
      local destination = cp.spawn("cat")
      local output = support.collect(destination.stdout)
      local seen = {}
      source.stdout:pipe(destination.stdin)
      support.afterTurns(3, function()
        source.stdout[method](source.stdout, "data", function(chunk) seen[#seen + 1] = chunk end)
        source.stdin:finish("go\n")
      end)
      support.run()
      assert.equal("heard\n", output())
      assert.same({"heard\n"}, seen)
    end)
  end
end)
