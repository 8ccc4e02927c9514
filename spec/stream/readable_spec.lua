-- The reading side of a stream: child.stdout, child.stderr, pipes on fd 3 and above.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local errors = require("child_process.errors")
local support = require("spec.support")
local timers = require("child_process.timers")

local function sh(script, options) return cp.spawn("sh", {"-c", script}, options) end

local octal = support.octal

--- Starts a child that prints one piece, waits for a line on its stdin, and prints another.
local function twoPieces(first, second)
  return sh(("printf '%s'; read x; printf '%s'"):format(octal(first), octal(second)))
end

--- Starts a child that prints 1 MB in ten pieces. It says on stderr how many went into the pipe.
local function tenPieces()
  return sh("for i in 0 1 2 3 4 5 6 7 8 9; do head -c 100000 /dev/zero; echo $i >&2; done")
end

describe("A readable stream", function()
  it("represents the child process's stdout, another one its stderr", function()
    local child = sh("echo out; echo err >&2")
    local stdout, stderr = support.collect(child.stdout), support.collect(child.stderr)
    support.run()
    assert.equal("out\n", stdout())
    assert.equal("err\n", stderr())
  end)

  it("hands over bytes unchanged, whatever they are", function()
    local all = {}
    for byte = 0, 255 do all[#all + 1] = string.char(byte) end
    all = table.concat(all)
    local child = sh("printf '" .. octal(all) .. "'")
    local output = support.collect(child.stdout)
    support.run()
    assert.equal(all, output())
  end)

  it("hands over chunks of at most 64 KiB, in order and whole", function()
    local child = sh("seq 1 100000")
    local largest = 0
    child.stdout:on("data", function(chunk) largest = math.max(largest, #chunk) end)
    local output = support.collect(child.stdout)
    support.run()
    local seq = assert(io.popen("seq 1 100000"))
    assert.is_true(output() == seq:read("*a"))
    seq:close()
    assert.is_true(largest <= 65536)
  end)

  it("emits data before end, end once, and close last", function()
    local child = sh("head -c 200000 /dev/zero")
    local log = support.names(child.stdout, "data", "end", "close", "error")
    support.run()
    assert.equal("close", table.remove(log))
    assert.equal("end", table.remove(log))
    assert.is_true(#log > 0)
    for _, event in ipairs(log) do assert.equal("data", event) end
  end)

  it("emits end for a child that prints nothing", function()
    local child = sh("exit 0")
    local log = support.names(child.stdout, "data", "end", "close")
    support.run()
    assert.same({"end", "close"}, log)
  end)

  it("counts what it read in bytesRead", function()
    local child = sh("head -c 123456 /dev/zero")
    assert.equal(0, child.stdout.bytesRead)
    child.stdout:resume()
    support.run()
    assert.equal(123456, child.stdout.bytesRead)
    assert.equal(0, child.stderr.bytesRead)
  end)

  it("shows its state in readable, readableEnded and destroyed", function()
    local child = sh("echo x")
    local stdout = child.stdout
    assert.is_true(stdout.readable)
    assert.is_false(stdout.readableEnded)
    assert.is_false(stdout.destroyed)
    local atEnd, ended, destroyed
    stdout:on("end", function() atEnd, ended = stdout.readable, stdout.readableEnded end)
    stdout:on("close", function() destroyed = stdout.destroyed end)
    stdout:on("data", function()
      assert.is_true(stdout.readable)
      assert.is_false(stdout.readableEnded)
    end)
    support.run()
    assert.is_false(atEnd)
    assert.is_true(ended)
    assert.is_true(destroyed)
    assert.is_false(stdout.readable)
  end)

  it("takes further fields, as a table does", function()
    local child = sh("exit 0")
    child.stdout.label = "mine"
    assert.equal("mine", child.stdout.label)
    support.run()
    assert.equal("mine", child.stdout.label)
  end)

  describe("before somebody wants data", function()
    it("is neither flowing nor paused: readableFlowing is nil", function()
      local child = sh("exit 0")
      assert.is_nil(child.stdout.readableFlowing)
      assert.is_false(child.stdout:isPaused())
      support.run()
    end)

    it("reads nothing: a child that writes 1 MB blocks until then", function()
      local child = tenPieces()
      local progress = support.collect(child.stderr)
      local output, before
      timers.setTimeout(function()
        before = progress()
        assert.equal(0, child.stdout.bytesRead)
        output = support.collect(child.stdout)
      end, 50)
      support.run()
      assert.is_nil(before:find("9"))
      assert.equal(1000000, #output())
      assert.equal("0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n", progress())
    end)

    it("loses nothing to a listener that comes late", function()
      local child = sh("printf early; read x")
      local output
      child:on("spawn", function()
        support.afterTurns(5, function()
          output = support.collect(child.stdout)
          child.stdin:finish("\n")
        end)
      end)
      support.run()
      assert.equal("early", output())
    end)

    it("is drained once the child has exited, so that close comes", function()
      local child = sh("head -c 30000 /dev/zero; exit 4")
      local code
      child:on("close", function(c) code = c end)
      support.run()
      assert.equal(4, code)
      assert.is_true(child.stdout.destroyed)
    end)
  end)

  describe("in flowing mode", function()
    it("is switched to by adding a data listener", function()
      local child = sh("exit 0")
      child.stdout:on("data", function() end)
      assert.is_true(child.stdout.readableFlowing)
      assert.is_false(child.stdout:isPaused())
      support.run()
    end)

    it("is switched to by resume(), and without a listener the data is dropped", function()
      local child = sh("printf dropped")
      local log = support.names(child.stdout, "end", "close")
      assert.equal(child.stdout, child.stdout:resume())
      assert.is_true(child.stdout.readableFlowing)
      support.run()
      assert.same({"end", "close"}, log)
      assert.equal(7, child.stdout.bytesRead)
    end)

    it("is not switched to by a data listener where pause() was called before", function()
      local child = sh("printf abc")
      child.stdout:pause()
      local output = support.collect(child.stdout)
      assert.is_false(child.stdout.readableFlowing)
      child:on("exit", function()
        support.afterTurns(5, function()
          assert.equal("", output())
          child.stdout:resume()
        end)
      end)
      support.run()
      assert.equal("abc", output())
    end)

    it("goes on when its listeners are removed: the data is lost", function()
      local child = twoPieces("one", "two")
      local seen = {}
      local function listener(chunk)
        seen[#seen + 1] = chunk
        child.stdout:off("data", listener)
        child.stdin:finish("\n")
      end
      child.stdout:on("data", listener)
      local log = support.names(child.stdout, "end")
      support.run()
      assert.same({"one"}, seen)
      assert.same({"end"}, log)
      assert.equal(6, child.stdout.bytesRead)
    end)

    it("gives every listener every chunk", function()
      local child = sh("seq 1 20000")
      local first, second = support.collect(child.stdout), support.collect(child.stdout)
      support.run()
      assert.equal(108894, #first())
      assert.is_true(first() == second())
    end)
  end)

  describe("in paused mode", function()
    it("emits no data from the moment of pause() on, though more was there", function()
      local child = sh("head -c 300000 /dev/zero")
      local stdout, chunks, bytes = child.stdout, 0, 0
      local paused = false
      stdout:on("data", function(chunk)
        assert.is_false(paused)
        chunks, bytes = chunks + 1, bytes + #chunk
        assert.equal(stdout, stdout:pause())
        paused = true
        assert.is_true(stdout:isPaused())
        assert.is_false(stdout.readableFlowing)
        support.afterTurns(2, function()
          paused = false
          assert.equal(bytes, stdout.bytesRead)
          stdout:resume()
          assert.is_false(stdout:isPaused())
          assert.is_true(stdout.readableFlowing)
        end)
      end)
      support.run()
      assert.equal(300000, bytes)
      assert.is_true(chunks >= 5)
    end)

    it("stops the child, not the memory", function()
      local child = tenPieces()
      local progress = support.collect(child.stderr)
      local bytes, whilePaused = 0, nil
      child.stdout:on("data", function(chunk)
        bytes = bytes + #chunk
        if whilePaused then return end
        child.stdout:pause()
        timers.setTimeout(function()
          whilePaused = progress()
          child.stdout:resume()
        end, 50)
      end)
      support.run()
      assert.is_nil(whilePaused:find("9"))
      assert.equal(1000000, bytes)
    end)

    it("keeps what the child left behind at its exit until resume(); close comes after", function()
      local child = sh("head -c 50000 /dev/zero")
      local log = {}
      local bytes = 0
      child.stdout:on("data", function(chunk) bytes = bytes + #chunk end)
      child.stdout:on("end", function() log[#log + 1] = "end with " .. bytes end)
      child.stdout:pause()
      child:on("close", function() log[#log + 1] = "close" end)
      child:on("exit", function()
        timers.setTimeout(function()
          log[#log + 1] = "resumed with " .. bytes
          child.stdout:resume()
        end, 20)
      end)
      support.run()
      assert.same({"resumed with 0", "end with 50000", "close"}, log)
    end)

    it("is left by any number of resume() in one iteration", function()
      local child = sh("printf abc")
      local output = support.collect(child.stdout)
      child.stdout:pause():resume():pause():resume():resume()
      support.run()
      assert.equal("abc", output())
    end)
  end)

  describe("with a readable listener", function()
    it("is read by read(): all that is there, then nil", function()
      local child = sh("head -c 200000 /dev/zero")
      local bytes = 0
      child.stdout:on("readable", function()
        for chunk in function() return child.stdout:read() end do bytes = bytes + #chunk end
      end)
      local log = support.names(child.stdout, "end", "close")
      support.run()
      assert.equal(200000, bytes)
      assert.same({"end", "close"}, log)
    end)

    it("is not flowing", function()
      local child = sh("printf abc")
      child.stdout:on("readable", function() child.stdout:read() end)
      assert.is_false(child.stdout.readableFlowing)
      support.run()
    end)

    it("gives exactly n bytes for read(n), and keeps the rest", function()
      local child = twoPieces("abcdefghij", "")
      local seen = {}
      child.stdout:once("readable", function()
        seen = compat.pack(child.stdout:read(3), child.stdout:read(1), child.stdout:read())
        seen[4] = child.stdout:read()
        child.stdout:on("readable", function() child.stdout:read() end)
        child.stdin:finish("\n")
      end)
      support.run()
      assert.same({"abc", "d", "efghij", n = 3}, seen)
    end)

    it("gives nil for read(n) where fewer than n bytes are there", function()
      local child = twoPieces("abcde", "fghij")
      local seen = {}
      child.stdout:on("readable", function()
        local piece = child.stdout:read(8)
        seen[#seen + 1] = piece or "nil"
        if #seen == 1 then child.stdin:finish("\n") end
      end)
      support.run()
      assert.equal("nil", seen[1])
      assert.equal("abcdefgh", seen[2])
      assert.equal("ij", seen[3])
    end)

    it("gives what remains for read(n) at the end", function()
      local child = sh("printf abcde")
      local seen = {}
      child.stdout:on("readable", function()
        local piece = child.stdout:read(100)
        if piece then seen[#seen + 1] = piece end
      end)
      local log = support.names(child.stdout, "end")
      support.run()
      assert.same({"abcde"}, seen)
      assert.same({"end"}, log)
    end)

    it("gives n bytes for read(n) where n is larger than the high water mark", function()
      local child = sh("head -c 300000 /dev/zero")
      local sizes = {}
      child.stdout:on("readable", function()
        for piece in function() return child.stdout:read(200000) end do
          sizes[#sizes + 1] = #piece
        end
      end)
      local log = support.names(child.stdout, "end", "close")
      support.run()
      assert.same({200000, 100000}, sizes)
      assert.same({"end", "close"}, log)
    end)

    it("gives nil for read(0), which takes nothing", function()
      local child = sh("printf abc")
      local output = ""
      child.stdout:on("readable", function()
        assert.is_nil(child.stdout:read(0))
        output = output .. (child.stdout:read() or "")
      end)
      support.run()
      assert.equal("abc", output)
    end)

    it("emits readable at the end of the data too, before end", function()
      local child = sh("exit 0")
      local log = {}
      child.stdout:on("readable", function()
        log[#log + 1] = "readable " .. tostring(child.stdout:read())
      end)
      child.stdout:on("end", function() log[#log + 1] = "end" end)
      support.run()
      assert.same({"readable nil", "end"}, log)
    end)

    it("emits what read() returns as data too", function()
      local child = sh("printf abc")
      local data, read = {}, {}
      child.stdout:on("data", function(chunk) data[#data + 1] = chunk end)
      child.stdout:on("readable", function() read[#read + 1] = child.stdout:read() end)
      support.run()
      assert.same({"abc"}, data)
      assert.same({"abc"}, read)
    end)

    it("does not emit end before everything was read", function()
      local child = sh("printf abcdef")
      local log = {}
      child.stdout:on("end", function() log[#log + 1] = "end" end)
      child.stdout:on("readable", function() end)
      child:on("exit", function()
        timers.setTimeout(function()
          log[#log + 1] = child.stdout:read()
          child.stdout:read()
        end, 10)
      end)
      support.run()
      assert.same({"abcdef", "end"}, log)
    end)

    it("flows again when that listener is removed and a data listener is there", function()
      local child = twoPieces("one", "two")
      local data = {}
      local function readable()
        child.stdout:read()
        child.stdout:off("readable", readable)
        child.stdin:finish("\n")
      end
      child.stdout:on("readable", readable)
      child.stdout:on("data", function(chunk) data[#data + 1] = chunk end)
      support.run()
      assert.same({"one", "two"}, data)
    end)

    it("stops the child while nobody reads", function()
      local child = tenPieces()
      local progress = support.collect(child.stderr)
      local bytes, before = 0, nil
      local function take()
        for chunk in function() return child.stdout:read() end do bytes = bytes + #chunk end
      end
      child.stdout:once("readable", function()
        timers.setTimeout(function()
          before = progress()
          take()
          child.stdout:on("readable", take)
        end, 50)
      end)
      support.run()
      assert.is_nil(before:find("9"))
      assert.equal(1000000, bytes)
    end)
  end)

  describe("setEncoding(encoding)", function()
    local cases = {
      {"utf8", "a\195", "\169b", {"a", "éb"}, "a character of two bytes"},
      {"utf-8", "a\228\184", "\173", {"a", "中"}, "a character of three bytes"},
      {"utf8", "a\240", "\159\152\128", {"a", "😀"}, "four bytes, split after one"},
      {"utf8", "a\240\159\152", "\128", {"a", "😀"}, "four bytes, split after three"},
      {"utf8", "a\195", "b", {"a", "�b"}, "a character that never ends"},
      {"utf8", "a\255", "b", {"a�", "b"}, "a byte that is never valid"},
      {"utf8", "a\228\184", "", {"a", "�"}, "an incomplete character at the end"},
      {"utf16le", "a\0b", "\0", {"a", "b"}, "a code unit"},
      {"ucs2", "a\0\61\216", "\0\222", {"a", "😀"}, "a surrogate pair"},
      {"utf16le", "a\0\61", "\216\0\222", {"a", "😀"}, "half a surrogate"},
      {"latin1", "\233", "\255", {"é", "ÿ"}, "single bytes"},
      {"binary", "\233", "\255", {"é", "ÿ"}, "single bytes, by the other name"},
      {"hex", "\0\255", "\16", {"00ff", "10"}, "digits"},
      {"base64", "abcd", "ef", {"YWJj", "ZGVm"}, "a group of three bytes"},
      {"base64", "abcd", "", {"YWJj", "ZA=="}, "an incomplete group at the end"},
      {"base64url", "abc\255", "\255", {"YWJj", "__8"}, "the other alphabet"},
    }
    for _, case in ipairs(cases) do
      it(("never splits over two chunks: %s, %s"):format(case[1], case[5]), function()
        local child = twoPieces(case[2], case[3])
        local chunks = {}
        child.stdout:setEncoding(case[1])
        child.stdout:on("data", function(chunk)
          chunks[#chunks + 1] = chunk
          if #chunks == 1 then child.stdin:finish("\n") end
        end)
        support.run()
        assert.same(case[4], chunks)
      end)
    end

    it("returns the stream", function()
      local child = sh("exit 0")
      assert.equal(child.stdout, child.stdout:setEncoding("utf8"))
      support.run()
    end)

    it("holds for read() too: n is counted in what comes out", function()
      local child = sh([[printf 'h\351llo']])
      local read = {}
      child.stdout:setEncoding("hex")
      child.stdout:on("readable", function()
        for piece in function() return child.stdout:read(4) end do read[#read + 1] = piece end
      end)
      support.run()
      assert.equal("68e96c6c6f", table.concat(read))
      assert.equal("68e9", read[1])
    end)

    it("counts the child's bytes in bytesRead, whatever comes out", function()
      local child = sh("printf abc")
      child.stdout:setEncoding("hex")
      local output = support.collect(child.stdout)
      support.run()
      assert.equal("616263", output())
      assert.equal(3, child.stdout.bytesRead)
    end)

    it("leaves bytes alone for 'buffer' and names that nobody knows", function()
      for _, encoding in ipairs({"buffer", "klingon"}) do
        local child = sh([[printf '\377\303']])
        child.stdout:setEncoding(encoding)
        local output = support.collect(child.stdout)
        support.run()
        assert.equal("\255\195", output())
      end
    end)

    for _, case in ipairs({
      {"buffer", "\228\184\150z"}, {"latin1", "ä¸\194\150z"}, {"hex", "e4b8967a"},
      {"utf8", "世z"},
    }) do
      it("loses no byte in the middle of a character: to " .. case[1], function()
        local child = twoPieces("\228\184", "\150z")
        local output = support.collect(child.stdout)
        child.stdout:setEncoding("utf8")
        local function change()
          if child.stdout.bytesRead < 2 then return timers.setImmediate(change) end
          child.stdout:setEncoding(case[1])
          child.stdin:finish("go\n")
        end
        change()
        support.run()
        assert.equal(case[2], output())
      end)
    end

    it("loses nothing of half a pair of UTF-16", function()
      local child = twoPieces("\61\216\0", "\222")
      local output = support.collect(child.stdout)
      child.stdout:setEncoding("utf16le")
      local function change()
        if child.stdout.bytesRead < 3 then return timers.setImmediate(change) end
        child.stdout:setEncoding("buffer")
        child.stdin:finish("go\n")
      end
      change()
      support.run()
      assert.equal("\61\216\0\222", output())
    end)

    it("leaves what was read ahead in another encoding as it is", function()
      local child = sh([[printf '\344\270\226']])
      child.stdout:setEncoding("utf8")
      child.stdout:once("readable", function()
        child.stdout:setEncoding("latin1")
        assert.equal("世", child.stdout:read())
      end)
      support.run()
    end)

    it("makes a large text whole, however it was cut", function()
      local line = "naïve 中文 😀\n"
      local child = sh("yes '" .. line:sub(1, -2) .. "' | head -n 20000")
      child.stdout:setEncoding("utf8")
      local pieces = {}
      child.stdout:on("data", function(chunk)
        assert.is_true(support.isText(chunk))
        pieces[#pieces + 1] = chunk
      end)
      support.run()
      assert.is_true(table.concat(pieces) == line:rep(20000))
    end)
  end)

  describe("destroy([err])", function()
    it("closes the pipe: a child that goes on writing gets SIGPIPE", function()
      local child = cp.spawn("yes")
      child.stdout:once("data", function() child.stdout:destroy() end)
      local signal
      child:on("exit", function(_, s) signal = s end)
      support.run()
      assert.equal("SIGPIPE", signal)
    end)

    it("emits close, and no data or end after it", function()
      local child = cp.spawn("yes")
      local log = support.names(child.stdout, "end", "close", "error")
      local destroyed = false
      child.stdout:on("data", function()
        assert.is_false(destroyed)
        assert.equal(child.stdout, child.stdout:destroy())
        destroyed = true
        assert.is_true(child.stdout.destroyed)
        assert.is_false(child.stdout.readable)
      end)
      support.run()
      assert.same({"close"}, log)
      assert.is_false(child.stdout.readableEnded)
    end)

    it("with an error emits that, then close", function()
      local child = sh("exit 0")
      local log = {}
      child.stdout:on("error", function(err) log[#log + 1] = err end)
      child.stdout:on("close", function() log[#log + 1] = "close" end)
      local err = errors.Error("mine")
      child.stdout:destroy(err)
      assert.same({}, log)
      support.run()
      assert.equal(err, log[1])
      assert.same({err, "close"}, log)
    end)

    it("with an error that nobody listens for raises it", function()
      local child = sh("exit 0")
      local err = errors.Error("mine")
      child.stdout:destroy(err)
      assert.equal(err, support.error(support.run))
      support.run()
    end)

    it("may be called again, which does nothing", function()
      local child = sh("exit 0")
      local log = support.names(child.stdout, "close", "error")
      child.stdout:destroy()
      child.stdout:destroy(errors.Error("late"))
      support.run()
      child.stdout:destroy()
      support.run()
      assert.same({"close"}, log)
    end)

    it("leaves nothing for read()", function()
      local child = sh("printf abc")
      child.stdout:once("readable", function()
        child.stdout:destroy()
        assert.is_nil(child.stdout:read())
      end)
      support.run()
    end)
  end)
end)
