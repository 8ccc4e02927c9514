-- What the streams of a child have in common; two-way pipes on fd 3 and above.

local cp = require("child_process")
local support = require("spec.support")

local function sh(script, options) return cp.spawn("sh", {"-c", script}, options) end

describe("The streams of a child", function()
  it("are writable only as stdin, readable only as stdout and stderr", function()
    local child = sh("exit 0")
    assert.is_true(child.stdin.writable)
    assert.is_false(child.stdin.readable)
    assert.is_true(child.stdout.readable)
    assert.is_false(child.stdout.writable)
    assert.is_true(child.stderr.readable)
    assert.is_false(child.stderr.writable)
    support.run()
  end)

  it("close, too, where the child process could not be spawned", function()
    local child = cp.spawn("does_not_exist")
    local closed = 0
    for fd = 0, 2 do child.stdio[fd]:on("close", function() closed = closed + 1 end) end
    child:on("error", function() end)
    support.run()
    assert.equal(3, closed)
  end)

  it("stay what they are after the child has closed", function()
    local child = sh("exit 0")
    local stdout = child.stdout
    support.run()
    assert.equal(stdout, child.stdout)
    assert.is_true(child.stdin.destroyed)
    assert.is_true(child.stdout.destroyed)
    assert.is_true(child.stderr.destroyed)
  end)

  it("are found in subprocess.stdio at their positions, further ones too", function()
    local child = sh("echo four >&4; echo six >&6", {
      stdio = {[0] = "ignore", [4] = "pipe", [6] = "pipe"},
    })
    for _, fd in ipairs({0, 3, 5, 7}) do assert.is_nil(child.stdio[fd]) end
    local four, six = support.collect(child.stdio[4]), support.collect(child.stdio[6])
    support.run()
    assert.equal("four\n", four())
    assert.equal("six\n", six())
  end)

  it("do not hand out the metatable of what they have from the system", function()
    local child = sh("exit 0")
    for fd = 0, 2 do
      assert.equal("userdata", type(child.stdio[fd]._handle))
      assert.are_not.equal("table", type(getmetatable(child.stdio[fd]._handle)))
    end
    support.run()
  end)

  it("raise a TypeError where one that is only readable is written to, and go on", function()
    local child = sh("echo from the child")
    local output = support.collect(child.stdout)
    for _, method in ipairs({"write", "finish"}) do
      local err = support.error(child.stdout[method], child.stdout, "x")
      assert.equal("TypeError", err.name)
      assert.equal("ERR_INVALID_THIS", err.code)
    end
    support.run()
    assert.equal("from the child\n", output())
  end)
end)

describe("A pipe on fd 3 or above", function()
  local function twoWay(script)
    return sh(script, {stdio = {"pipe", "pipe", "inherit", "pipe"}})
  end

  it("goes both ways", function()
    local child = twoWay("read line <&3; echo got $line >&3; read line <&3; echo and $line >&3")
    local pipe = child.stdio[3]
    assert.is_true(pipe.readable)
    assert.is_true(pipe.writable)
    local lines = {}
    pipe:on("data", function(line)
      lines[#lines + 1] = line
      if #lines == 1 then pipe:write("two\n") end
    end)
    pipe:write("one\n")
    support.run()
    assert.same({"got one\n", "and two\n"}, lines)
  end)

  it("can be written to its end, and read on", function()
    local child = twoWay("wc -c <&3 >&3")
    local output = support.collect(child.stdio[3])
    local log = {}
    for _, name in ipairs({"finish", "end", "close", "error"}) do
      child.stdio[3]:on(name, function() log[#log + 1] = name end)
    end
    child.stdio[3]:write(("x"):rep(1000000))
    child.stdio[3]:finish()
    support.run()
    assert.equal(1000000, tonumber(output()))
    assert.same({"finish", "end", "close"}, log)
  end)

  it("carries large data in both directions at once", function()
    local child = twoWay("cat <&3 >&3")
    local pipe = child.stdio[3]
    local data = ("0123456789"):rep(200000)
    local output = support.collect(pipe)
    pipe:finish(data)
    support.run()
    assert.is_true(output() == data)
    assert.equal(#data, pipe.bytesRead)
    assert.equal(#data, pipe.bytesWritten)
  end)

  it("ends for both when the child closes it", function()
    local child = twoWay("exec 3>&-; cat")
    local log = {}
    for _, name in ipairs({"data", "end", "close"}) do
      child.stdio[3]:on(name, function() log[#log + 1] = name end)
    end
    -- the child ends only when this close has come
    child.stdio[3]:on("close", function() child.stdin:finish() end)
    support.run()
    assert.same({"end", "close"}, log)
    assert.is_true(child.stdio[3].destroyed)
    assert.equal(0, child.exitCode)
  end)

  it("gives an error to a write that the child does not read any more", function()
    local child = twoWay("exec 3>&-; echo closed; cat")
    local code, event
    child.stdio[3]:on("error", function(err) event = err.code end)
    child.stdout:once("data", function()
      child.stdio[3]:write("late", function(err) code = err and err.code end)
      child.stdin:finish()
    end)
    support.run()
    assert.equal("EPIPE", code)
    assert.equal("EPIPE", event)
  end)

  it("is drained where nobody reads, so that close comes", function()
    local child = twoWay("head -c 20000 /dev/zero >&3; exit 3")
    local code
    child:on("close", function(c) code = c end)
    support.run()
    assert.equal(3, code)
    assert.is_true(child.stdio[3].destroyed)
  end)
end)
