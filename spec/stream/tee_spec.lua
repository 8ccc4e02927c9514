-- A stream that is piped into several pipes: the kernel copies the data.

local cp = require("child_process")
local process = require("child_process.process")
local support = require("spec.support")
local timers = require("child_process.timers")

local MEGABYTE = 1024 * 1024
local PRINTER = "yes 0123456789abcdefghi | head -c %d"
local SIZE = 3 * MEGABYTE
local ALL = ("0123456789abcdefghi\n"):rep(math.ceil(SIZE / 20)):sub(1, SIZE)

local function sh(script)
  return cp.spawn("sh", {"-c", script}, {stdio = {"pipe", "pipe", "inherit", "pipe"}})
end

local function printer(size) return sh("exec <&-; " .. PRINTER:format(size)) end

--- Calls back once the output has at least this many bytes.
local function after(child, size, fn)
  local count = 0
  local function listen(chunk)
    count = count + #chunk
    if count >= size then
      child.stdout:off("data", listen)
      process:nextTick(fn)
    end
  end
  child.stdout:on("data", listen)
end

--- A source that is piped into a child that reads nothing until it gets a line on fd 3, and into
--- one that reads. Returns the three, and functions that return what the two have printed.
local function unequal(slowIsFirst)
  local source, slow, fast = printer(SIZE), sh("read x <&3; cat"), sh("cat")
  local slowOutput, fastOutput = support.collect(slow.stdout), support.collect(fast.stdout)
  source.stdout:pipe((slowIsFirst and slow or fast).stdin)
  source.stdout:pipe((slowIsFirst and fast or slow).stdin)
  return source, slow, fast, slowOutput, fastOutput
end

local function go(slow) slow.stdio[3]:finish("go\n") end

describe("A stream piped into several", function()
  for count = 2, 3 do
    it(("gives all of 100 MB to each of %d children"):format(count), function()
      local size = 100 * MEGABYTE
      local want = cp.execSync(PRINTER:format(size) .. " | cksum")
      local source, children, outputs = printer(size), {}, {}
      for index = 1, count do
        children[index] = sh(index == 2 and "cat | cksum" or "cksum")
        outputs[index] = support.collect(children[index].stdout)
        source.stdout:pipe(children[index].stdin)
      end
      support.run(600)
      for index = 1, count do
        assert.equal(want, outputs[index]())
        assert.equal(size, children[index].stdin.bytesWritten)
      end
      assert.equal(size, source.stdout.bytesRead)
    end)
  end

  for _, text in ipairs({"", "short"}) do
    it("ends all of them after " .. (text == "" and "nothing" or "a few bytes"), function()
      local source, one, two = sh("printf '" .. text .. "'"), sh("cat"), sh("cat")
      local first, second = support.collect(one.stdout), support.collect(two.stdout)
      source.stdout:pipe(one.stdin)
      source.stdout:pipe(two.stdin)
      support.run()
      assert.equal(text, first())
      assert.equal(text, second())
    end)
  end

  it("waits for the slowest", function()
    local _, slow, _, slowOutput, fastOutput = unequal(false)
    local before, stopped = 0, nil
    local poll
    poll = timers.setInterval(function()
      local now = #fastOutput()
      if now > 0 and now == before then
        timers.clearInterval(poll)
        stopped = now
        go(slow)
      end
      before = now
    end, 100)
    support.run()
    assert.is_true(stopped <= 2 * MEGABYTE, stopped)
    assert.is_true(slowOutput() == ALL and fastOutput() == ALL)
  end)

  for _, slowIsFirst in ipairs({true, false}) do
    describe("of which the " .. (slowIsFirst and "first" or "last") .. " is slow", function()
      it("loses nothing when a listener is added", function()
        local source, slow, fast, slowOutput, fastOutput = unequal(slowIsFirst)
        local seen
        after(fast, 50000, function()
          seen = support.collect(source.stdout)
          go(slow)
        end)
        support.run()
        assert.is_true(slowOutput() == ALL and fastOutput() == ALL)
        assert.is_true(#seen() > 0 and seen() == ALL:sub(-#seen()))
      end)

      it("loses nothing when it leaves both for another", function()
        local source, slow, fast, slowOutput, fastOutput = unequal(slowIsFirst)
        local other = sh("cat")
        local rest = support.collect(other.stdout)
        after(fast, 50000, function()
          source.stdout:unpipe()
          slow.stdin:finish()
          fast.stdin:finish()
          source.stdout:pipe(other.stdin)
          go(slow)
        end)
        support.run()
        assert.is_true(slowOutput() == fastOutput())
        assert.is_true(#rest() > 0 and fastOutput() .. rest() == ALL)
      end)

      for _, which in ipairs({"slow", "fast"}) do
        it("loses nothing when it leaves the " .. which .. " one", function()
          local source, slow, fast, slowOutput, fastOutput = unequal(slowIsFirst)
          after(fast, 50000, function()
            local left = which == "slow" and slow or fast
            source.stdout:unpipe(left.stdin)
            left.stdin:finish()
            go(slow)
          end)
          support.run()
          local part = which == "slow" and slowOutput() or fastOutput()
          local whole = which == "slow" and fastOutput() or slowOutput()
          assert.is_true(whole == ALL)
          assert.is_true(#part < SIZE and #part >= 50000 and part == ALL:sub(1, #part))
        end)

        it("lets others write to the " .. which .. " one meanwhile", function()
          local _, slow, fast, slowOutput, fastOutput = unequal(slowIsFirst)
          after(fast, 50000, function()
            local chosen = which == "slow" and slow or fast
            chosen.stdin:write("<>")
            go(slow)
          end)
          support.run()
          local written = which == "slow" and slowOutput or fastOutput
          local text, count = written():gsub("<>", "")
          assert.equal(1, count)
          assert.is_true(text == ALL)
          assert.is_true((which == "slow" and fastOutput or slowOutput)() == ALL)
        end)

        it("goes on when the " .. which .. " one is killed", function()
          local source, slow, fast, slowOutput, fastOutput = unequal(slowIsFirst)
          local code
          for _, child in ipairs({slow, fast}) do
            child.stdin:on("error", function(err) assert.equal("EPIPE", err.code) end)
          end
          source:on("exit", function(exitCode) code = exitCode end)
          after(fast, 50000, function()
            local gone = which == "slow" and slow or fast
            gone:kill("SIGKILL")
            go(slow)
          end)
          slow.stdio[3]:on("error", function() end)
          support.run()
          assert.is_true((which == "slow" and fastOutput or slowOutput)() == ALL)
          assert.equal(0, code)
        end)
      end

      it("gives both the same when it is destroyed", function()
        local source, slow, fast, slowOutput, fastOutput = unequal(slowIsFirst)
        after(fast, 50000, function()
          source.stdout:destroy()
          slow.stdin:finish()
          fast.stdin:finish()
          go(slow)
        end)
        support.run()
        assert.is_true(slowOutput() == fastOutput())
        assert.is_true(#fastOutput() < SIZE and fastOutput() == ALL:sub(1, #fastOutput()))
      end)
    end)
  end

  it("goes on when one has read enough, and ends when all have", function()
    for _ = 1, 20 do -- it learns in one of two ways that a child has closed its stdin
      local source, one, two = cp.spawn("yes"), sh("head -c 10"), sh("head -c 200000")
      local first, second = support.collect(one.stdout), support.collect(two.stdout)
      for _, child in ipairs({one, two}) do
        child.stdin:on("error", function(err) assert.equal("EPIPE", err.code) end)
        source.stdout:pipe(child.stdin)
      end
      support.run()
      assert.equal(10, #first())
      assert.equal(200000, #second())
      assert.equal("SIGPIPE", source.signalCode)
    end
  end)

  it("is copied by the kernel, so that no byte passes us", function()
    if not support.forLinux or cp.spawnSync("strace", {"-V"}).status ~= 0 then
      support.skip("strace is not installed")
    end
    local script = support.script([[
      local cp = require("child_process")
      local function reader() return cp.spawn("cksum", {stdio = {"pipe", "ignore", "inherit"}}) end
      local source = cp.spawn("head", {"-c", "3000000", "/dev/zero"})
      source.stdout:pipe(reader().stdin)
      source.stdout:pipe(reader().stdin)
      cp.run()
      cp.command.run("head", {"-c", "3000000", "/dev/zero"},
        {stdout = {reader().stdin, reader().stdin}})
      cp.run()
    ]])
    local log = support.tmpdir() .. "/log"
    local traced = cp.spawnSync("strace", {
      "-e", "trace=read,write,readv,writev,splice,tee,sendfile,recvmsg", "-o", log, support.lua,
      script,
    }, {env = support.merge(process.env, {
      ASAN_OPTIONS = (process.env.ASAN_OPTIONS or "") .. ":detect_leaks=0", -- cannot be traced
    })})
    if traced.status ~= 0 and traced.stderr:find("ptrace", 1, true) then
      support.skip("nothing can be traced here")
    end
    assert.equal(0, traced.status, traced.stderr)
    local moved = {tee = 0, splice = 0, other = 0}
    for line in support.readFile(log):gmatch("[^\n]+") do
      local call, count = line:match("^(%l+)%(.*= (%d+)$")
      if call == "tee" or call == "splice" then
        moved[call] = moved[call] + tonumber(count)
      elseif call then
        moved.other = math.max(moved.other, tonumber(count))
      end
    end
    assert.equal(6000000, moved.tee)
    assert.equal(6000000, moved.splice)
    assert.is_true(moved.other < 100000, moved.other)
  end)
end)
