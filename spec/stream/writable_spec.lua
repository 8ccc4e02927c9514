-- The writing side of a stream: child.stdin, pipes on fd 3 and above.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local errors = require("child_process.errors")
local support = require("spec.support")
local timers = require("child_process.timers")

-- more than any pipe holds
local LARGE = ("0123456789abcdef"):rep(256 * 1024)

local function sh(script, options) return cp.spawn("sh", {"-c", script}, options) end

--- A child that reads nothing before a line comes on its fd 3, and then counts its stdin.
local function lateReader()
  return sh("read x <&3; wc -c", {stdio = {"pipe", "pipe", "inherit", "pipe"}})
end

--- A child that closes its stdin, says so on stdout, and ends when a line comes on its fd 3.
local function closesStdin()
  return sh("exec 0<&-; echo closed; read x <&3", {
    stdio = {"pipe", "pipe", "inherit", "pipe"},
  })
end

--- Writes down every event of a stream's end, with the code of the error.
local function record(stream)
  local log = {}
  stream:on("error", function(err) log[#log + 1] = "error " .. (err.code or err.message) end)
  stream:on("finish", function() log[#log + 1] = "finish" end)
  stream:on("close", function() log[#log + 1] = "close" end)
  return log
end

describe("A writable stream", function()
  it("represents the child process's stdin", function()
    local child = cp.spawn("cat")
    local output = support.collect(child.stdout)
    child.stdin:write("some ")
    child.stdin:write("text")
    child.stdin:finish()
    support.run()
    assert.equal("some text", output())
  end)

  it("carries every byte", function()
    local all = {}
    for byte = 0, 255 do all[#all + 1] = string.char(byte) end
    all = table.concat(all)
    local child = cp.spawn("cat")
    local output = support.collect(child.stdout)
    child.stdin:finish(all)
    support.run()
    assert.equal(all, output())
  end)

  it("must be closed before a child that waits for all of its input continues", function()
    local child = cp.spawn("sort")
    local output = support.collect(child.stdout)
    local before
    child.stdin:write("b\na\n")
    timers.setTimeout(function()
      before = output()
      child.stdin:finish()
    end, 30)
    support.run()
    assert.equal("", before)
    assert.equal("a\nb\n", output())
  end)

  it("keeps the order of many small pieces", function()
    local child = cp.spawn("cat")
    local output = support.collect(child.stdout)
    local expected = {}
    for i = 1, 20000 do
      expected[i] = i .. " "
      child.stdin:write(expected[i])
    end
    child.stdin:finish()
    support.run()
    assert.is_true(output() == table.concat(expected))
  end)

  it("carries one large piece whole", function()
    local child = cp.spawn("cat")
    local output = support.collect(child.stdout)
    child.stdin:finish(LARGE)
    support.run()
    assert.is_true(output() == LARGE)
  end)

  it("carries a large piece whose only holder it is", function()
    local child = cp.spawn("cat")
    local output = support.collect(child.stdout)
    child.stdin:write(("x"):rep(3000000) .. tostring(child.pid))
    collectgarbage()
    collectgarbage()
    child.stdin:finish()
    support.run()
    assert.is_true(output() == ("x"):rep(3000000) .. child.pid)
  end)

  it("shows its state in writable, writableEnded and destroyed", function()
    local child = cp.spawn("cat")
    local stdin = child.stdin
    assert.is_true(stdin.writable)
    assert.is_false(stdin.writableEnded)
    assert.is_false(stdin.destroyed)
    local destroyed
    stdin:on("close", function() destroyed = stdin.destroyed end)
    stdin:finish()
    assert.is_false(stdin.writable)
    assert.is_true(stdin.writableEnded)
    support.run()
    assert.is_true(destroyed)
    assert.is_false(stdin.writable)
  end)

  it("counts what it wrote in bytesWritten", function()
    local child = cp.spawn("cat")
    child.stdout:resume()
    assert.equal(0, child.stdin.bytesWritten)
    child.stdin:write("abc")
    child.stdin:write("c3a9", "hex")
    child.stdin:finish(LARGE)
    support.run()
    assert.equal(5 + #LARGE, child.stdin.bytesWritten)
  end)

  describe("write(data[, encoding][, callback])", function()
    it("calls back when the data was handed over, in order, and not from within", function()
      local child = lateReader()
      local output = support.collect(child.stdout)
      local log = {}
      for i = 1, 3 do
        child.stdin:write(LARGE, function(err)
          assert.is_nil(err)
          log[#log + 1] = i
        end)
      end
      child.stdin:write("", function() log[#log + 1] = 4 end)
      child.stdin:write("end", "utf8", function() log[#log + 1] = 5 end)
      assert.same({}, log)
      child.stdin:finish(function() log[#log + 1] = 6 end)
      child.stdio[3]:write("go\n")
      support.run()
      assert.same({1, 2, 3, 4, 5, 6}, log)
      assert.equal(3 * #LARGE + 3, tonumber(output()))
    end)

    it("calls back with nothing for a small piece too", function()
      local child = cp.spawn("cat")
      local calls = {}
      child.stdin:write("x", function(...) calls[#calls + 1] = compat.pack(...) end)
      assert.equal(0, #calls)
      child.stdin:finish()
      support.run()
      assert.equal(1, #calls)
      assert.is_nil(calls[1][1])
    end)

    it("raises ERR_INVALID_ARG_TYPE for data that is not a string", function()
      local child = cp.spawn("cat")
      for _, data in ipairs({5, true, {}, print}) do
        local err = support.error(child.stdin.write, child.stdin, data)
        assert.equal("ERR_INVALID_ARG_TYPE", err.code)
      end
      child.stdin:finish()
      support.run()
    end)

    it("raises ERR_INVALID_ARG_TYPE for a callback that is not a function", function()
      local child = cp.spawn("cat")
      local output = support.collect(child.stdout)
      for _, method in ipairs({"write", "finish"}) do
        local err = support.error(child.stdin[method], child.stdin, "x", "utf8", 5)
        assert.equal("ERR_INVALID_ARG_TYPE", err.code)
        assert.matches('"callback"', err.message, 1, true)
      end
      child.stdin:finish("not written before")
      support.run()
      assert.equal("not written before", output())
    end)

    it("raises ERR_STREAM_NULL_VALUES for nil", function()
      local child = cp.spawn("cat")
      local err = support.error(child.stdin.write, child.stdin, nil)
      assert.equal("ERR_STREAM_NULL_VALUES", err.code)
      child.stdin:finish()
      support.run()
    end)

    it("raises ERR_UNKNOWN_ENCODING for an encoding that nobody knows", function()
      local child = cp.spawn("cat")
      local err = support.error(child.stdin.write, child.stdin, "x", "klingon")
      assert.equal("ERR_UNKNOWN_ENCODING", err.code)
      child.stdin:finish()
      support.run()
    end)

    local cases = {
      {"utf8", "é\255", "é\255"},
      {"latin1", "é", "\233"},
      {"binary", "ÿ", "\255"},
      {"utf16le", "é😀", "\233\0\61\216\0\222"},
      {"ucs2", "a", "a\0"},
      {"hex", "00ff10", "\0\255\16"},
      {"base64", "YWJjZA==", "abcd"},
      {"base64url", "__8", "\255\255"},
    }
    for _, case in ipairs(cases) do
      it("converts text into bytes: " .. case[1], function()
        local child = cp.spawn("cat")
        local output = support.collect(child.stdout)
        child.stdin:write(case[2], case[1])
        child.stdin:finish(case[2], case[1])
        support.run()
        assert.equal(case[3]:rep(2), output())
      end)
    end
  end)

  describe("back pressure", function()
    it("is a high water mark of 16 KiB", function()
      local child = cp.spawn("cat")
      assert.equal(16384, child.stdin.writableHighWaterMark)
      child.stdin:finish()
      support.run()
    end)

    it("lets write return true while the kernel takes the data", function()
      local child = lateReader()
      child.stdout:resume()
      assert.is_true(child.stdin:write(("x"):rep(60000)))
      assert.equal(0, child.stdin.writableLength)
      local drained = false
      child.stdin:on("drain", function() drained = true end)
      child.stdio[3]:write("go\n")
      child.stdin:finish()
      support.run()
      assert.is_false(drained)
    end)

    it("lets write return false when the buffered amount reaches it; drain follows", function()
      local child = lateReader()
      local output = support.collect(child.stdout)
      local stdin, written = child.stdin, 0
      local function write(n)
        written = written + n
        return stdin:write(("x"):rep(n))
      end
      -- fill the pipe, but stay below the mark
      while stdin.writableLength == 0 do assert.is_true(write(4096)) end
      while stdin.writableLength + 1000 < 16384 do assert.is_true(write(1000)) end
      assert.is_false(write(16384 - stdin.writableLength))
      assert.equal(16384, stdin.writableLength)
      assert.is_false(write(1))
      local drains = 0
      stdin:on("drain", function()
        drains = drains + 1
        assert.equal(0, stdin.writableLength)
        stdin:finish()
      end)
      child.stdio[3]:write("go\n")
      support.run()
      assert.equal(1, drains)
      assert.equal(written, tonumber(output()))
    end)

    it("emits drain each time that the mark was reached", function()
      local child = cp.spawn("cat")
      child.stdout:resume()
      local drains = 0
      local function again()
        assert.is_false(child.stdin:write(LARGE))
      end
      child.stdin:on("drain", function()
        drains = drains + 1
        if drains < 3 then again() else child.stdin:finish() end
      end)
      again()
      support.run()
      assert.equal(3, drains)
      assert.equal(3 * #LARGE, child.stdout.bytesRead)
    end)

    it("shows the buffered amount in writableLength", function()
      local child = lateReader()
      child.stdout:resume()
      child.stdin:write(LARGE)
      local length = child.stdin.writableLength
      assert.is_true(length > 0 and length < #LARGE)
      child.stdin:write("abc")
      assert.equal(length + 3, child.stdin.writableLength)
      child.stdin:on("finish", function() length = child.stdin.writableLength end)
      child.stdin:finish()
      child.stdio[3]:write("go\n")
      support.run()
      assert.equal(0, length)
    end)
  end)

  describe("close()", function()
    it("is finish where the stream is to be written", function()
      local child = lateReader()
      local output = support.collect(child.stdout)
      child.stdin:write(LARGE)
      assert.equal(child.stdin, child.stdin:close())
      child.stdio[3]:write("go\n")
      support.run()
      assert.equal(#LARGE, tonumber(output()))
    end)

    it("ends a stream that is only read", function()
      local child = cp.spawn("yes")
      child.stdout:close()
      support.run()
      assert.equal("SIGPIPE", child.signalCode)
    end)

    it("ends both sides of one that goes both ways, once all is written", function()
      local child = cp.spawn("sh", {"-c", "cat <&3; exec yes >&3"},
        {stdio = {"ignore", "pipe", "ignore", "pipe"}})
      local output = support.collect(child.stdout)
      child.stdio[3]:write(LARGE)
      child.stdio[3]:close()
      support.run()
      assert.is_true(output() == LARGE)
      assert.is_true(child.stdio[3].destroyed)
      -- or ECONNRESET, where something had come that we have not read
      assert.is_true(child.signalCode == "SIGPIPE" or child.exitCode == 1)
    end)
  end)

  describe("finish([data][, encoding][, callback])", function()
    it("is end() of Node: stdin['end'] is the same function", function()
      local child = cp.spawn("cat")
      local output = support.collect(child.stdout)
      assert.equal(child.stdin.finish, child.stdin["end"])
      child.stdin["end"](child.stdin, "x")
      support.run()
      assert.equal("x", output())
    end)

    it("takes data, an encoding and a callback, each of them or none", function()
      local calls = 0
      local function callback(err)
        assert.is_nil(err)
        calls = calls + 1
      end
      local forms = {
        {{}, ""},
        {{"a"}, "a"},
        {{"a", "utf8"}, "a"},
        {{"61", "hex"}, "a"},
        {{"61", "hex", callback}, "a"},
        {{"a", callback}, "a"},
        {{callback}, ""},
        {{nil, nil, callback}, ""},
      }
      for _, form in ipairs(forms) do
        local child = cp.spawn("cat")
        local output = support.collect(child.stdout)
        child.stdin:finish(compat.unpack(form[1], 1, 3))
        support.run()
        assert.equal(form[2], output())
      end
      assert.equal(4, calls)
    end)

    it("emits finish when everything was handed over, then close", function()
      local child = lateReader()
      child.stdout:resume()
      local log = record(child.stdin)
      child.stdin:write(LARGE, function() log[#log + 1] = "written" end)
      child.stdin:finish(function() log[#log + 1] = "called" end)
      timers.setTimeout(function()
        log[#log + 1] = "read"
        child.stdio[3]:write("go\n")
      end, 20)
      support.run()
      assert.same({"read", "written", "called", "finish", "close"}, log)
    end)

    it("has its finish event although the callback raises", function()
      local child = cp.spawn("cat")
      local log = record(child.stdin)
      child.stdout:resume()
      child.stdin:finish(function() error("mine", 0) end)
      assert.same({"mine"}, support.runThrough())
      assert.same({"finish", "close"}, log)
    end)

    it("called again calls back with ERR_STREAM_ALREADY_FINISHED once it has finished", function()
      local child = cp.spawn("cat")
      local log = record(child.stdin)
      local code
      child.stdin:on("finish", function()
        child.stdin:finish(function(err) code = err.code end)
      end)
      child.stdin:finish()
      support.run()
      assert.equal("ERR_STREAM_ALREADY_FINISHED", code)
      assert.same({"finish", "close"}, log)
    end)

    it("called again, with nothing, does no harm", function()
      local child = cp.spawn("cat")
      local log = record(child.stdin)
      local output = support.collect(child.stdout)
      child.stdin:finish("x")
      child.stdin:finish()
      support.run()
      child.stdin:finish()
      support.run()
      assert.equal("x", output())
      assert.same({"finish", "close"}, log)
    end)

    it("makes a later write ERR_STREAM_WRITE_AFTER_END, to listener and callback", function()
      local child = cp.spawn("cat")
      local log = record(child.stdin)
      child.stdout:resume()
      child.stdin:finish("x")
      child.stdin:write("late", function(err) log[#log + 1] = "callback " .. err.code end)
      support.run()
      table.sort(log)
      assert.same({
        "callback ERR_STREAM_WRITE_AFTER_END",
        "close",
        "error ERR_STREAM_WRITE_AFTER_END",
      }, log)
    end)
  end)

  describe("cork() and uncork()", function()
    it("hold back what is written meanwhile", function()
      local child = cp.spawn("cat")
      local output = support.collect(child.stdout)
      local before
      child.stdin:cork()
      child.stdin:write("one ")
      child.stdin:write("two ")
      assert.equal(8, child.stdin.writableLength)
      timers.setTimeout(function()
        before = output()
        child.stdin:uncork()
        assert.equal(0, child.stdin.writableLength)
        child.stdin:finish("three")
      end, 30)
      support.run()
      assert.equal("", before)
      assert.equal("one two three", output())
    end)

    it("nest: each cork() needs its uncork()", function()
      local child = cp.spawn("cat")
      local output = support.collect(child.stdout)
      child.stdin:cork()
      child.stdin:cork()
      child.stdin:write("x")
      child.stdin:uncork()
      assert.equal(1, child.stdin.writableLength)
      child.stdin:uncork()
      assert.equal(0, child.stdin.writableLength)
      child.stdin:uncork()
      child.stdin:finish()
      support.run()
      assert.equal("x", output())
    end)

    it("are ended by finish()", function()
      local child = cp.spawn("cat")
      local output = support.collect(child.stdout)
      child.stdin:cork()
      child.stdin:cork()
      child.stdin:write(LARGE)
      child.stdin:finish("end")
      support.run()
      assert.is_true(output() == LARGE .. "end")
    end)

    it("count towards the high water mark", function()
      local child = cp.spawn("cat")
      child.stdout:resume()
      child.stdin:cork()
      assert.is_true(child.stdin:write(("x"):rep(16383)))
      assert.is_false(child.stdin:write("x"))
      local drained = false
      child.stdin:on("drain", function()
        drained = true
        child.stdin:finish()
      end)
      child.stdin:uncork()
      support.run()
      assert.is_true(drained)
    end)

    it("call the callbacks of what was held back", function()
      local child = cp.spawn("cat")
      child.stdout:resume()
      local log = {}
      child.stdin:cork()
      for i = 1, 3 do child.stdin:write("x", function() log[#log + 1] = i end) end
      timers.setImmediate(function()
        assert.same({}, log)
        child.stdin:uncork()
        child.stdin:finish()
      end)
      support.run()
      assert.same({1, 2, 3}, log)
    end)
  end)

  describe("of a child that has closed its end", function()
    it("emits close at once, not at the next write, and no error", function()
      local child = closesStdin()
      local log = record(child.stdin)
      -- the child ends only when this close has come
      child.stdin:on("close", function() child.stdio[3]:write("go\n") end)
      child.stdout:on("data", function(line) assert.equal("closed\n", line) end)
      local code
      child:on("exit", function(c) code = c end)
      support.run()
      assert.equal(0, code)
      assert.same({"close"}, log)
      assert.is_true(child.stdin.destroyed)
    end)

    it("gives EPIPE as an error event and to the callback of what was not read", function()
      local child = sh("read x <&3; exec 0<&-; read x <&3", {
        stdio = {"pipe", "ignore", "inherit", "pipe"},
      })
      local log = record(child.stdin)
      local codes = {}
      child.stdin:write(LARGE, function(err) codes[#codes + 1] = err.code end)
      child.stdin:write("more", function(err) codes[#codes + 1] = err.code end)
      child.stdio[3]:write("close\n")
      child.stdin:on("close", function() child.stdio[3]:write("go\n") end)
      support.run()
      assert.same({"error EPIPE", "close"}, log)
      assert.same({"EPIPE", "EPIPE"}, codes)
    end)

    it("gives an EPIPE that is a system error", function()
      local child = closesStdin()
      local failure
      child.stdin:on("error", function(err) failure = err end)
      child.stdin:write(LARGE)
      child.stdin:on("close", function() child.stdio[3]:write("go\n") end)
      support.run()
      assert.equal("EPIPE", failure.code)
      assert.equal("write", failure.syscall)
      assert.is_true(failure.errno < 0)
      assert.equal("Error: write EPIPE", tostring(failure))
    end)

    it("raises EPIPE where nobody listens for the error", function()
      local child = closesStdin()
      child.stdin:write(LARGE)
      child.stdin:on("close", function() child.stdio[3]:write("go\n") end)
      assert.equal("EPIPE", support.error(support.run).code)
      support.run()
    end)

    it("gives ERR_STREAM_DESTROYED to the callback alone after close", function()
      local child = closesStdin()
      local log = record(child.stdin)
      child.stdin:on("close", function()
        assert.is_false(child.stdin:write("late", function(err)
          log[#log + 1] = "callback " .. err.code
          child.stdio[3]:write("go\n")
        end))
      end)
      support.run()
      assert.same({"close", "callback ERR_STREAM_DESTROYED"}, log)
    end)

    it("gives ERR_STREAM_DESTROYED to the callback alone after the child has exited", function()
      local child = sh("exit 0")
      local log = record(child.stdin)
      local code
      child:on("close", function()
        child.stdin:write("late", function(err) code = err.code end)
        child.stdin:write("late, without a callback")
      end)
      support.run()
      assert.equal("ERR_STREAM_DESTROYED", code)
      assert.same({"close"}, log)
    end)

    it("never kills the host by SIGPIPE", function()
      local script = support.script([[
        local cp = require("child_process")
        local child = cp.spawn("sh", { "-c", "exec 0<&-; echo closed; read x <&3" }, {
          stdio = { "pipe", "pipe", "inherit", "pipe" },
        })
        child.stdin:on("error", function(err) print(err.code) end)
        child.stdin:on("close", function() child.stdio[3]:write("go\n") end)
        child.stdin:write(("x"):rep(4000000))
        cp.run()
        print("alive")
      ]])
      local host = cp.spawn(support.lua, {script})
      local output = support.collect(host.stdout)
      support.run()
      assert.is_nil(host.signalCode)
      assert.equal("EPIPE\nalive\n", output())
    end)
  end)

  describe("destroy([err])", function()
    it("closes the child's stdin without handing over what is buffered", function()
      local child = lateReader()
      local output = support.collect(child.stdout)
      local log = record(child.stdin)
      child.stdin:write(LARGE, function(err) log[#log + 1] = "callback " .. err.code end)
      local held = #LARGE - child.stdin.writableLength
      assert.equal(child.stdin, child.stdin:destroy())
      assert.is_true(child.stdin.destroyed)
      assert.is_false(child.stdin.writable)
      child.stdio[3]:write("go\n")
      support.run()
      table.sort(log)
      assert.same({"callback ERR_STREAM_DESTROYED", "close"}, log)
      assert.equal(held, tonumber(output()))
    end)

    it("makes a later write ERR_STREAM_DESTROYED to the callback alone", function()
      local child = cp.spawn("cat")
      local log = record(child.stdin)
      child.stdin:destroy()
      child.stdin:write("late", function(err) log[#log + 1] = "callback " .. err.code end)
      child.stdin:write("late, without a callback")
      support.run()
      table.sort(log)
      assert.same({"callback ERR_STREAM_DESTROYED", "close"}, log)
    end)

    it("makes a later finish call back with an error", function()
      local child = cp.spawn("cat")
      local log = record(child.stdin)
      local failure
      child.stdin:destroy()
      child.stdin:finish(function(err) failure = err end)
      support.run()
      assert.equal("ERR_STREAM_DESTROYED", failure.code)
      assert.same({"close"}, log)
    end)

    it("with an error passes it to the event and to the waiting callbacks", function()
      local child = lateReader()
      child.stdout:resume()
      local log = record(child.stdin)
      local failure = errors.Error("mine")
      local seen
      child.stdin:write(LARGE, function(err) seen = err end)
      child.stdin:destroy(failure)
      child.stdin:destroy(errors.Error("second"))
      child.stdio[3]:write("go\n")
      support.run()
      assert.equal(failure, seen)
      assert.same({"error mine", "close"}, log)
    end)
  end)
end)
