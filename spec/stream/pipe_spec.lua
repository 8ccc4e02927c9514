-- readable:pipe(destination[, options]), unpipe, and what is moved in the kernel behind them.

local cp = require("child_process")
local net = require("child_process.net")
local sockets = require("spec.support.sockets")
local support = require("spec.support")
local timers = require("child_process.timers")

local function sh(script, options) return cp.spawn("sh", {"-c", script}, options) end

--- What `seq first last` prints.
local function sequence(first, last)
  local seq = assert(io.popen(("seq %d %d"):format(first, last)))
  local text = seq:read("*a")
  seq:close()
  return text
end

local FIRST, SECOND = sequence(1, 50000), sequence(50001, 100000)
local ALL = FIRST .. SECOND

--- Prints the numbers up to 50000, waits for a line on fd 3, and prints those up to 100000.
local function twoHalves()
  return sh("seq 1 50000; read x <&3; seq 50001 100000", {
    stdio = {"ignore", "pipe", "inherit", "pipe"},
  })
end

--- Calls back when all of the first half has come out at the end.
local function afterFirstHalf(output, fn)
  local poll
  poll = timers.setInterval(function()
    if #output() < #FIRST then return end
    timers.clearInterval(poll)
    fn()
  end, 1)
end

describe("readable:pipe(destination[, options])", function()
  it("writes what one child prints to the other's stdin, and ends it", function()
    local source, destination = sh("seq 1 100000"), cp.spawn("cat")
    local output = support.collect(destination.stdout)
    source.stdout:pipe(destination.stdin)
    support.run()
    assert.is_true(output() == ALL)
    assert.equal(0, destination.exitCode)
  end)

  it("returns the destination", function()
    local source, destination = sh("exit 0"), cp.spawn("cat")
    assert.equal(destination.stdin, source.stdout:pipe(destination.stdin))
    support.run()
  end)

  it("switches to flowing mode", function()
    local source, destination = sh("exit 0"), cp.spawn("cat")
    source.stdout:pipe(destination.stdin)
    assert.is_true(source.stdout.readableFlowing)
    support.run()
  end)

  it("emits pipe and unpipe on the destination, with the source", function()
    local source, destination = sh("echo x"), cp.spawn("cat")
    local log = {}
    for _, name in ipairs({"pipe", "unpipe", "finish"}) do
      destination.stdin:on(name, function(stream)
        log[#log + 1] = name
        if name ~= "finish" then assert.equal(source.stdout, stream) end
      end)
    end
    source.stdout:pipe(destination.stdin)
    support.run()
    assert.equal("pipe", log[1])
    table.sort(log)
    assert.same({"finish", "pipe", "unpipe"}, log)
  end)

  it("emits end and close on the source as ever", function()
    local source, destination = sh("echo x"), cp.spawn("cat")
    local log = {}
    for _, name in ipairs({"end", "close", "error"}) do
      source.stdout:on(name, function() log[#log + 1] = name end)
    end
    source.stdout:pipe(destination.stdin)
    support.run()
    assert.same({"end", "close"}, log)
  end)

  it("counts in bytesRead and bytesWritten what was moved", function()
    local source, destination = sh("seq 1 100000"), cp.spawn("cat")
    destination.stdout:resume()
    source.stdout:pipe(destination.stdin)
    support.run()
    assert.equal(#ALL, source.stdout.bytesRead)
    assert.equal(#ALL, destination.stdin.bytesWritten)
    assert.equal(#ALL, destination.stdout.bytesRead)
  end)

  it("works in chains of three and more", function()
    local children = {sh("seq 1 100000"), sh("cat"), sh("sort -rn"), sh("cat")}
    local output = support.collect(children[4].stdout)
    for i = 1, 3 do children[i].stdout:pipe(children[i + 1].stdin) end
    support.run()
    assert.equal(#ALL, #output())
    assert.equal("100000\n99999\n", output():sub(1, 13))
    for _, child in ipairs(children) do assert.equal(0, child.exitCode) end
  end)

  for _, when in ipairs({"before", "afterwards", "in the middle"}) do
    it("flows although somebody has once listened to readable, " .. when, function()
      local source, destination = sh("seq 1 100000"), cp.spawn("cat")
      local output = support.collect(destination.stdout)
      local function pipe() source.stdout:pipe(destination.stdin) end
      if when == "afterwards" then pipe() end
      source.stdout:once("readable", when == "in the middle" and pipe or function()
        if when == "before" then timers.setImmediate(pipe) end
      end)
      support.run()
      assert.is_true(output() == ALL)
    end)
  end

  it("hands over what was read before", function()
    local source, destination = twoHalves(), cp.spawn("cat")
    local output = support.collect(destination.stdout)
    local seen
    source.stdout:once("data", function(chunk)
      seen = chunk
      source.stdout:pause()
      support.afterTurns(3, function()
        source.stdout:pipe(destination.stdin)
        source.stdio[3]:write("go\n")
      end)
    end)
    support.run()
    assert.is_true(seen .. output() == ALL)
  end)

  it("writes behind what was written to the destination before", function()
    local source, destination = sh("echo second"), cp.spawn("cat")
    local output = support.collect(destination.stdout)
    local first = ("x"):rep(2000000)
    destination.stdin:write(first)
    source.stdout:pipe(destination.stdin)
    support.run()
    assert.is_true(output() == first .. "second\n")
  end)

  it("lets others write to the destination meanwhile", function()
    local source, destination = twoHalves(), cp.spawn("cat")
    local output = support.collect(destination.stdout)
    source.stdout:pipe(destination.stdin)
    afterFirstHalf(output, function()
      destination.stdin:write("between\n")
      source.stdio[3]:write("go\n")
    end)
    support.run()
    assert.is_true(output() == FIRST .. "between\n" .. SECOND)
  end)

  it("writes to several destinations", function()
    local source = sh("seq 1 100000")
    local first, second = cp.spawn("cat"), cp.spawn("cat")
    local one, two = support.collect(first.stdout), support.collect(second.stdout)
    source.stdout:pipe(first.stdin)
    source.stdout:pipe(second.stdin)
    support.run()
    assert.is_true(one() == ALL)
    assert.is_true(two() == ALL)
  end)

  it("writes what several sources print to one destination", function()
    local sources = {sh("echo a"), sh("echo b"), sh("echo c")}
    local destination = cp.spawn("sort")
    local output = support.collect(destination.stdout)
    local open = #sources
    for _, source in ipairs(sources) do
      source.stdout:pipe(destination.stdin, {["end"] = false})
      source.stdout:on("end", function()
        open = open - 1
        if open == 0 then destination.stdin:finish() end
      end)
    end
    support.run()
    assert.equal("a\nb\nc\n", output())
  end)

  it("pipes stderr as well", function()
    local source, destination = sh("echo oops >&2"), cp.spawn("cat")
    local output = support.collect(destination.stdout)
    source.stderr:pipe(destination.stdin)
    support.run()
    assert.equal("oops\n", output())
  end)

  it("pipes to and from a two-way pipe", function()
    local both = {stdio = {"ignore", "ignore", "inherit", "pipe"}}
    local source, middle, destination = sh("seq 1 100000"), sh("cat <&3 >&3", both), cp.spawn("cat")
    local output = support.collect(destination.stdout)
    source.stdout:pipe(middle.stdio[3])
    middle.stdio[3]:pipe(destination.stdin)
    support.run()
    assert.is_true(output() == ALL)
  end)

  it("with end = false leaves the destination open", function()
    local source, destination = sh("echo x"), cp.spawn("cat")
    local output = support.collect(destination.stdout)
    source.stdout:pipe(destination.stdin, {["end"] = false})
    source.stdout:on("end", function()
      timers.setImmediate(function()
        assert.is_true(destination.stdin.writable)
        destination.stdin:finish("y\n")
      end)
    end)
    support.run()
    assert.equal("x\ny\n", output())
  end)

  for _, how in ipairs({"in the kernel", "where somebody listens, too"}) do
    it("waits for a slow destination: the source's child is stopped, " .. how, function()
      local source = sh("for i in 0 1 2 3 4 5; do head -c 1000000 /dev/zero; echo $i >&2; done")
      local destination = sh("read x <&3; wc -c", {stdio = {"pipe", "pipe", "inherit", "pipe"}})
      local progress, output = support.collect(source.stderr), support.collect(destination.stdout)
      source.stdout:pipe(destination.stdin)
      if how ~= "in the kernel" then source.stdout:on("data", function() end) end
      local before
      timers.setTimeout(function()
        before = progress()
        assert.is_true(destination.stdin.writableLength <= 128 * 1024)
        destination.stdio[3]:write("go\n")
      end, 50)
      support.run()
      assert.is_nil(before:find("5"))
      assert.equal(6000000, tonumber(output()))
    end)
  end

  it("leaves a source paused that its user has paused, when the destination drains of what others "
    .. "wrote", function()
    local source, destination = sh("echo later"), cp.spawn("cat")
    local output = support.collect(destination.stdout)
    local first = ("x"):rep(3000000)
    source.stdout:pipe(destination.stdin)
    source.stdout:pause()
    assert.is_false(destination.stdin:write(first))
    local paused
    destination.stdin:once("drain", function()
      paused = source.stdout:isPaused()
      source.stdout:resume()
    end)
    support.run()
    assert.is_true(paused)
    assert.is_true(output() == first .. "later\n")
  end)

  it("to a destination that is corked holds back until uncork()", function()
    local source, destination = twoHalves(), cp.spawn("cat")
    local output = support.collect(destination.stdout)
    local length, more
    source.stdout:pipe(destination.stdin)
    afterFirstHalf(output, function()
      destination.stdin:cork()
      source.stdio[3]:write("go\n")
      local poll
      poll = timers.setInterval(function()
        if destination.stdin.writableLength == 0 and #output() == #FIRST then return end
        timers.clearInterval(poll)
        length, more = destination.stdin.writableLength, #output() - #FIRST
        destination.stdin:uncork()
      end, 1)
    end)
    support.run()
    assert.is_true(length > 0)
    assert.equal(0, more)
    assert.is_true(output() == ALL)
  end)

  it("hands over what one sees with a data listener, from its addition on", function()
    local source, destination = twoHalves(), cp.spawn("cat")
    local output = support.collect(destination.stdout)
    local seen
    source.stdout:pipe(destination.stdin)
    afterFirstHalf(output, function()
      seen = support.collect(source.stdout)
      source.stdio[3]:write("go\n")
    end)
    support.run()
    assert.is_true(output() == ALL)
    assert.is_true(seen() == SECOND)
  end)

  it("loses no byte to a data listener that is added in the middle", function()
    for turns = 0, 20, 2 do
      local source, destination = sh("seq 1 100000"), cp.spawn("cat")
      local output = support.collect(destination.stdout)
      local seen
      source.stdout:pipe(destination.stdin)
      support.afterTurns(turns, function() seen = support.collect(source.stdout) end)
      support.run()
      assert.is_true(output() == ALL)
      assert.is_true(ALL:sub(#ALL - #seen() + 1) == seen())
    end
  end)

  it("loses no byte to a data listener that is added while everything is full", function()
    local source = sh("seq 1 100000")
    local destination = sh("read x <&3; cat", {stdio = {"pipe", "pipe", "inherit", "pipe"}})
    local output = support.collect(destination.stdout)
    local seen
    source.stdout:pipe(destination.stdin)
    timers.setTimeout(function()
      seen = support.collect(source.stdout)
      timers.setTimeout(function() destination.stdio[3]:write("go\n") end, 10)
    end, 20)
    support.run()
    assert.is_true(output() == ALL)
    assert.is_true(#seen() > 0)
    assert.is_true(ALL:sub(#ALL - #seen() + 1) == seen())
  end)

  it("goes on when that listener is removed again", function()
    local source, destination = twoHalves(), cp.spawn("cat")
    local output = support.collect(destination.stdout)
    local function listener()
      source.stdout:off("data", listener)
      source.stdio[3]:write("go\n")
    end
    source.stdout:pipe(destination.stdin)
    source.stdout:on("data", listener)
    support.run()
    assert.is_true(output() == ALL)
  end)

  it("hands on the text of an encoding that is set in the middle", function()
    local source, destination = twoHalves(), cp.spawn("cat")
    local output = support.collect(destination.stdout)
    source.stdout:pipe(destination.stdin)
    afterFirstHalf(output, function()
      source.stdout:setEncoding("hex")
      source.stdio[3]:write("go\n")
    end)
    support.run()
    local hex = SECOND:gsub(".", function(c) return ("%02x"):format(c:byte()) end)
    assert.is_true(output() == FIRST .. hex)
  end)

  it("hands on the text of an encoding that was set before", function()
    local source, destination = sh([[printf '\351']]), cp.spawn("cat")
    local output = support.collect(destination.stdout)
    source.stdout:setEncoding("latin1")
    source.stdout:pipe(destination.stdin)
    support.run()
    assert.equal("é", output())
  end)

  it("is undone when the destination closes before", function()
    local source, destination = cp.spawn("seq", {"1000000"}), sh("head -n 1")
    local output = support.collect(destination.stdout)
    local log = {}
    destination.stdin:on("unpipe", function(stream)
      assert.equal(source.stdout, stream)
      log[#log + 1] = "unpipe"
    end)
    destination.stdin:on("error", function(err) assert.equal("EPIPE", err.code) end)
    destination.stdin:on("close", function()
      log[#log + 1] = "close"
      source.stdout:destroy()
    end)
    source.stdout:pipe(destination.stdin)
    support.run()
    table.sort(log)
    assert.same({"close", "unpipe"}, log)
    assert.equal("1\n", output())
    assert.equal("SIGPIPE", source.signalCode)
  end)

  -- A socket between two others, s and u, that are piped into each other.
  local function proxied(use)
    local echo = net.createServer(function(socket) use.echo(socket) end)
    local proxy = net.createServer()
    local seen = {}
    proxy:on("connection", function(s)
      local u = net.connect(echo:address().port, "127.0.0.1")
      s:pipe(u)
      u:pipe(s)
      u:on("error", function() end)
      s:on("error", function(err) seen[#seen + 1] = err.code end)
      s:on("close", function(hadError)
        seen[#seen + 1] = hadError
        u:destroy()
        proxy:close()
        echo:close()
      end)
    end)
    sockets.listen(echo, function()
      sockets.listen(proxy, function(port)
        use.client(net.connect(port, "127.0.0.1"):resume())
      end)
    end)
    support.run()
    return seen
  end

  it("to a socket whose other end has finished is an error when there is more to write", function()
    assert.same({"EPIPE", true}, proxied({
      echo = function(socket)
        local function more()
          repeat until not socket:write(ALL)
          socket:once("drain", more)
        end
        socket:on("error", function() end)
        socket:resume()
        more()
      end,
      client = function(client)
        client:on("error", function() end)
        client:once("data", function() client:finish() end)
      end,
    }))
  end)

  it("to a socket whose other end has finished is no error when everything was written", function()
    assert.same({false}, proxied({
      echo = function(socket) socket:pipe(socket) end,
      client = function(client)
        client:once("data", function() client:finish() end)
        client:write("x")
      end,
    }))
  end)

  it("lets the destination end where the source is destroyed", function()
    local source, destination = cp.spawn("yes"), cp.spawn("cat")
    local bytes = 0
    destination.stdout:on("data", function(chunk)
      if bytes == 0 then
        source.stdout:destroy()
        destination.stdin:finish()
      end
      bytes = bytes + #chunk
    end)
    source.stdout:pipe(destination.stdin)
    support.run()
    assert.equal("SIGPIPE", source.signalCode)
    assert.equal(0, destination.exitCode)
    assert.equal(destination.stdin.bytesWritten, bytes)
  end)

  it("to process.stdout shows what a child prints, and does not end process.stdout", function()
    local script = support.script([[
      local cp = require("child_process")
      local process = require("child_process.process")
      local child = cp.spawn("seq", { "1", "100000" })
      child.stdout:pipe(process.stdout)
      child:on("close", function() process.stdout:write("after\n") end)
      cp.run()
    ]])
    local host = cp.spawn(support.lua, {script}, {stdio = {"ignore", "pipe", "inherit"}})
    local output = support.collect(host.stdout)
    support.run()
    assert.is_true(output() == ALL .. "after\n")
    assert.equal(0, host.exitCode)
  end)

  it("from process.stdin hands on what comes in", function()
    local script = support.script([[
      local cp = require("child_process")
      local process = require("child_process.process")
      local child = cp.spawn("tr", { "a-z", "A-Z" }, { stdio = { "pipe", "inherit", "inherit" } })
      process.stdin:pipe(child.stdin)
      cp.run()
    ]])
    local host = cp.spawn(support.lua, {script}, {stdio = {"pipe", "pipe", "inherit"}})
    local output = support.collect(host.stdout)
    host.stdin:finish("loud\n")
    support.run()
    assert.equal("LOUD\n", output())
    assert.equal(0, host.exitCode)
  end)
end)

describe("readable:unpipe([destination])", function()
  it("ends the flow to that destination; the rest can go elsewhere, no byte is lost", function()
    local source, first, second = twoHalves(), cp.spawn("cat"), cp.spawn("cat")
    local one, two = support.collect(first.stdout), support.collect(second.stdout)
    source.stdout:pipe(first.stdin)
    afterFirstHalf(one, function()
      assert.equal(source.stdout, source.stdout:unpipe(first.stdin))
      first.stdin:finish()
      source.stdout:pipe(second.stdin)
      source.stdio[3]:write("go\n")
    end)
    support.run()
    assert.is_true(one() == FIRST)
    assert.is_true(two() == SECOND)
  end)

  it("loses no byte at any moment", function()
    for turns = 0, 20, 2 do
      local source, first, second = sh("seq 1 100000"), cp.spawn("cat"), cp.spawn("cat")
      local one, two = support.collect(first.stdout), support.collect(second.stdout)
      source.stdout:pipe(first.stdin)
      support.afterTurns(turns, function()
        source.stdout:unpipe(first.stdin)
        first.stdin:finish()
        source.stdout:pipe(second.stdin)
      end)
      support.run()
      assert.is_true(one() .. two() == ALL)
    end
  end)

  it("leaves the other destinations", function()
    local source, first, second = twoHalves(), cp.spawn("cat"), cp.spawn("cat")
    local one, two = support.collect(first.stdout), support.collect(second.stdout)
    source.stdout:pipe(first.stdin)
    source.stdout:pipe(second.stdin)
    afterFirstHalf(one, function()
      source.stdout:unpipe(first.stdin)
      first.stdin:finish()
      source.stdio[3]:write("go\n")
    end)
    support.run()
    assert.is_true(one() == FIRST)
    assert.is_true(two() == ALL)
  end)

  it("without a destination leaves all of them, and the stream is paused", function()
    local source, first, second = twoHalves(), cp.spawn("cat"), cp.spawn("cat")
    local one, two = support.collect(first.stdout), support.collect(second.stdout)
    source.stdout:pipe(first.stdin)
    source.stdout:pipe(second.stdin)
    local rest = 0
    afterFirstHalf(one, function()
      afterFirstHalf(two, function()
        source.stdout:unpipe()
        assert.is_false(source.stdout.readableFlowing)
        first.stdin:finish()
        second.stdin:finish()
        source.stdio[3]:write("go\n")
        source.stdout:on("data", function(chunk) rest = rest + #chunk end)
        source.stdout:resume()
      end)
    end)
    support.run()
    assert.is_true(one() == FIRST)
    assert.is_true(two() == FIRST)
    assert.equal(#SECOND, rest)
  end)

  local ways = {
    ["was left"] = function(source, slow)
      source.stdout:unpipe(slow.stdin)
      slow.stdin:destroy()
    end,
    ["was destroyed"] = function(_, slow) slow.stdin:destroy() end,
    ["was closed by its child"] = function(_, slow) slow:kill() end,
  }
  for way, leave in pairs(ways) do
    it("lets the other destinations have the rest when the one that was waited for "
      .. way, function()
      local source, slow, fast = sh("seq 1 100000"), cp.spawn("sleep", {"60"}), cp.spawn("cat")
      local output = support.collect(fast.stdout)
      slow.stdin:on("error", function(err) assert.equal("EPIPE", err.code) end)
      source.stdout:on("data", function() end) -- so that data waits in slow.stdin
      source.stdout:pipe(slow.stdin)
      source.stdout:pipe(fast.stdin)
      local poll
      poll = timers.setInterval(function()
        if slow.stdin.writableLength == 0 or fast.stdin.writableLength > 0
          or source.stdout.readableFlowing then return end
        timers.clearInterval(poll)
        leave(source, slow)
        fast.stdin:on("finish", function() slow:kill() end)
      end, 1)
      support.run()
      assert.is_true(output() == ALL)
    end)
  end

  it("does nothing for a stream that is not a destination", function()
    local source, destination, other = sh("echo x"), cp.spawn("cat"), cp.spawn("cat")
    local output = support.collect(destination.stdout)
    source.stdout:pipe(destination.stdin)
    source.stdout:unpipe(other.stdin)
    other.stdin:finish()
    support.run()
    assert.equal("x\n", output())
  end)
end)
