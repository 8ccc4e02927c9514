-- What must not happen, whatever children, listeners, limits and the collector do.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local support = require("spec.support")
local timers = require("child_process.timers")

local LONG = os.getenv("CHILD_PROCESS_SPEC_LONG") == "1"
-- the address sanitizer keeps what was freed for a while
local RSS_TELLS = not os.getenv("ASAN_OPTIONS")

local MB = 1024 * 1024

local function sh(script, options) return cp.spawn("sh", {"-c", script}, options) end

--- Memory of this process in MB: what it has, and what Lua holds of that.
local function memory()
  local rss = support.readFile("/proc/self/status"):match("VmRSS:%s*(%d+) kB")
  return rss / 1024, collectgarbage("count") / 1024
end

--- Starts measuring. The result gives by how many MB memory has grown at most, at the times when
--- its method `look` was called, and now.
local function growth()
  collectgarbage()
  local rss, lua = memory()
  local most = {rss = 0, lua = 0}
  function most.look()
    collectgarbage() -- beside the rest of the spec the collector may wait for 100 MB of garbage
    local r, l = memory()
    most.rss, most.lua = math.max(most.rss, r - rss), math.max(most.lua, l - lua)
  end
  return most
end

local function assertBounded(most)
  most.look()
  assert.is_true(most.lua < 48, ("Lua's memory has grown by %.1f MB"):format(most.lua))
  if RSS_TELLS then
    assert.is_true(most.rss < 64, ("memory has grown by %.1f MB"):format(most.rss))
  end
end

--- Runs a script in an interpreter of its own, to its end.
---@param text string
---@param limits? string shell commands that come before, "ulimit -n 20" for instance
---@param options? table
---@return string stdout
---@return table host
---@return string stderr
local function host(text, limits, options)
  local script = support.script(text)
  local command = (limits or ":") .. '; exec "$0" "$1"'
  local child = cp.spawn("sh", {"-c", command, support.lua, script}, options)
  local stdout, stderr = support.collect(child.stdout), support.collect(child.stderr)
  support.run(600) -- 1,000 programs take minutes in an emulated machine
  return stdout(), child, stderr()
end

local function alive(pid)
  local known, stat = pcall(support.readFile, "/proc/" .. pid .. "/stat")
  return known and stat:match("%) (%a)") ~= "Z"
end

describe("A child", function()
  it("may exit before its stdin is written", function()
    local child = cp.spawn("true")
    local codes = {}
    local function callback(err) codes[#codes + 1] = err.code end
    child.stdin:on("error", function(err) codes[#codes + 1] = err.code end)
    child.stdin:write(("x"):rep(4 * MB), callback)
    child.stdin:finish("more", callback)
    local closed
    child:on("close", function(code) closed = code end)
    support.run()
    assert.equal(0, closed)
    assert.is_true(#codes >= 2)
    for _, code in ipairs(codes) do
      assert.truthy(code == "EPIPE" or code == "ERR_STREAM_DESTROYED")
    end
  end)

  it("may never read while 100 MB are written: memory is bounded if write is heeded", function()
    local child = cp.spawn("sleep", {"60"})
    child.stdin:on("error", function(err) assert.equal("EPIPE", err.code) end)
    local most = growth()
    local written = 0
    local function write()
      while written < 100 * MB do
        written = written + 65536
        if not child.stdin:write(("%016d"):format(written):rep(4096)) then return end
      end
    end
    child.stdin:on("drain", write)
    write()
    timers.setTimeout(function()
      most.look()
      child:kill()
    end, 30)
    support.run()
    assert.is_true(written < 4 * MB)
    assertBounded(most)
  end)

  it("may read 100 MB as it likes: memory is bounded if write is heeded", function()
    local child = cp.spawn("wc", {"-c"})
    local output = support.collect(child.stdout)
    local most = growth()
    local written, drains = 0, 0
    local function write()
      while written < 100 * MB do
        written = written + 65536
        if not child.stdin:write(("%016d"):format(written):rep(4096)) then return end
      end
      child.stdin:finish()
    end
    child.stdin:on("drain", function()
      drains = drains + 1
      if drains % 50 == 0 then most.look() end
      write()
    end)
    write()
    support.run()
    assert.equal(100 * MB, tonumber(output()))
    assertBounded(most)
  end)

  it("may write 256 MB to a slow reader, in constant memory (2 GB in the long run)", function()
    local megabytes = LONG and 2048 or support.collecting and 32 or 256
    local child = cp.spawn("head", {"-c", megabytes .. "M", "/dev/zero"})
    local most
    local bytes, chunks = 0, 0
    local function resume() child.stdout:resume() end
    child.stdout:on("data", function(chunk)
      bytes, chunks = bytes + #chunk, chunks + 1
      most = most or growth()
      if chunks % 100 == 0 then most.look() end
      child.stdout:pause()
      timers.setImmediate(resume)
    end)
    support.run(600)
    assert.equal(megabytes * MB, bytes)
    assertBounded(most)
  end)

  it("may ignore SIGTERM, and still ends by SIGKILL", function()
    local child = sh("trap '' TERM; echo ready; read x; echo still here; read x")
    local lines = {}
    child.stdout:on("data", function(line)
      lines[#lines + 1] = line
      assert.is_true(child:kill(#lines == 1 and "SIGTERM" or "SIGKILL"))
      if #lines == 1 then child.stdin:write("\n") end
    end)
    support.run()
    assert.same({"ready\n", "still here\n"}, lines)
    assert.equal("SIGKILL", child.signalCode)
  end)

  it("may close all its ends and live on", function()
    local child = sh("exec 0<&- 1>&- 2>&-; read x <&3; exit 7", {
      stdio = {"pipe", "pipe", "pipe", "pipe"},
    })
    local open = 3
    for fd = 0, 2 do
      child.stdio[fd]:resume():on("close", function()
        open = open - 1
        if open == 0 then child.stdio[3]:write("go\n") end
      end)
    end
    support.run()
    assert.equal(7, child.exitCode)
  end)

  it("may be killed after its exit: nothing happens", function()
    local child = sh("exit 0")
    support.run()
    for _, signal in ipairs({"SIGTERM", "SIGKILL", 0}) do
      assert.is_false(child:kill(signal))
    end
    assert.is_false(child.killed)
    support.run()
    assert.equal(0, child.exitCode)
    assert.is_nil(child.signalCode)
  end)

  it("may be killed in its own exit and close listeners", function()
    local child = sh("exit 0")
    local results = {}
    child:on("exit", function() results[#results + 1] = child:kill() end)
    child:on("close", function() results[#results + 1] = child:kill() end)
    support.run()
    assert.same({false, false}, results)
  end)

  it("may be unref'd: the parent ends, the child lives on", function()
    local stdout, parent, stderr = host([[
      local cp = require("child_process")
      for _, detached in ipairs({true, false}) do
        local child = cp.spawn("sleep", {"60"}, {stdio = "ignore", detached = detached})
        child:unref()
        print(child.pid)
      end
      cp.run()
    ]])
    assert.equal("", stderr)
    assert.equal(0, parent.exitCode)
    local pids = 0
    for pid in stdout:gmatch("%d+") do
      pids = pids + 1
      assert.is_true(alive(pid))
      cp.spawn("kill", {pid})
    end
    support.run()
    assert.equal(2, pids)
  end)

  it("may be unref'd, and is still no zombie once it has ended", function()
    local child = cp.spawn("true", {stdio = "ignore"})
    child:unref()
    local other = cp.spawn("cat")
    child:on("exit", function() other.stdin:finish() end)
    support.run()
    assert.equal(0, child.exitCode)
    assert.same({}, support.zombies())
  end)

  it("may be one of 1,000 that are alive at once", function()
    if support.isEmulated() then pending("an emulator takes minutes for them") end
    local stdout, parent, stderr = host([[
      local cp = require("child_process")
      local answered, closed, children = 0, 0, {}
      for i = 1, 1000 do
        local child = cp.spawn("cat", {stdio = {"pipe", "pipe", "inherit"}})
        children[i] = child
        child.stdout:on("data", function(data)
          assert(data == tostring(i))
          answered = answered + 1
          if answered < 1000 then return end
          print(answered .. " alive")
          for _, other in ipairs(children) do other.stdin:finish() end
        end)
        child:on("close", function(code)
          assert(code == 0)
          closed = closed + 1
        end)
        child.stdin:write(tostring(i))
      end
      cp.run()
      print(closed .. " closed")
    ]], "ulimit -S -n $(ulimit -H -n)")
    assert.equal("", stderr)
    assert.equal("1000 alive\n1000 closed\n", stdout)
    assert.equal(0, parent.exitCode)
  end)
end)

describe("A listener", function()
  it("may raise in any event: run() raises that, and goes on when it is called again", function()
    local before = support.openFds()
    local events = {
      child = {"spawn", "exit", "close"},
      stdin = {"finish", "close", "drain"},
      stdout = {"data", "end", "close", "readable"},
      stderr = {"data", "end", "close"},
    }
    for emitter, names in pairs(events) do
      for _, name in ipairs(names) do
        local child = sh("cat; echo e >&2; exit 3")
        local bytes, code = 0, nil
        if name == "readable" then
          child.stdout:on("readable", function()
            for chunk in function() return child.stdout:read() end do bytes = bytes + #chunk end
          end)
        else
          child.stdout:on("data", function(chunk) bytes = bytes + #chunk end)
        end
        child.stdin:on("drain", function() child.stdin:finish("end") end)
        child:on("close", function(c) code = c end)
        -- the one that raises comes last: those after it are not called
        local target = emitter == "child" and child or child[emitter]
        target:once(name, function() error(emitter .. " " .. name, 0) end)
        child.stdin:write(("x"):rep(500000))
        assert.same({emitter .. " " .. name}, support.runThrough())
        assert.equal(500003, bytes)
        assert.equal(3, code)
      end
    end
    assert.same({}, support.zombies())
    assert.same(before, support.openFds())
  end)

  it("may raise, and so may another one in the same iteration: no error is lost", function()
    local raised
    for i = 1, 10 do
      local child = cp.spawn("true", {stdio = "ignore"})
      child:on("exit", function() error("exit " .. i, 0) end)
      child:on("close", function() error("close " .. i, 0) end)
    end
    raised = support.runThrough()
    assert.equal(20, #raised)
    table.sort(raised)
    for i = 2, 20 do assert.are_not.equal(raised[i - 1], raised[i]) end
  end)

  it("may raise while others wait for the rest of the output: no byte is lost", function()
    local child = sh("head -c 1000000 /dev/zero")
    local bytes = 0
    child.stdout:on("data", function(chunk)
      bytes = bytes + #chunk
      error("again", 0)
    end)
    local raised = 0
    while not pcall(support.run) do raised = raised + 1 end
    assert.equal(1000000, bytes)
    assert.is_true(raised > 0)
  end)

  it("may kill its child, which then ends once", function()
    local child = cp.spawn("yes")
    local log = {}
    child.stdout:on("data", function() child:kill() end)
    child:on("exit", function(_, signal) log[#log + 1] = "exit " .. signal end)
    child:on("close", function(_, signal) log[#log + 1] = "close " .. signal end)
    support.run()
    assert.same({"exit SIGTERM", "close SIGTERM"}, log)
  end)

  it("may spawn the next child, and so on", function()
    local depth = 0
    local function again()
      depth = depth + 1
      if depth > 100 then return end
      cp.spawn("true", {stdio = "ignore"}):on(depth % 2 == 0 and "exit" or "close", again)
    end
    again()
    support.run()
    assert.equal(101, depth)
  end)

  it("may spawn children in a data listener", function()
    local outputs = {}
    local child = sh("echo a; read x; echo b")
    child.stdout:on("data", function(line)
      if #outputs == 0 then child.stdin:write("\n") end
      outputs[#outputs + 1] = support.collect(cp.spawn("echo", {line}).stdout)
    end)
    support.run()
    assert.equal("a\n\n", outputs[1]())
    assert.equal("b\n\n", outputs[2]())
  end)

  it("may remove itself and others while the event is emitted", function()
    local child = sh("head -c 300000 /dev/zero")
    local stdout, once, removed, all = child.stdout, 0, 0, 0
    local function other() removed = removed + 1 end
    local function first()
      once = once + 1
      stdout:off("data", first)
      stdout:off("data", other)
    end
    stdout:on("data", first)
    stdout:on("data", other)
    stdout:on("data", function(chunk) all = all + #chunk end)
    support.run()
    assert.equal(1, once)
    assert.equal(1, removed)
    assert.equal(300000, all)
  end)

  it("may destroy the stream that emits, in any event", function()
    for _, event in ipairs({"data", "end", "close", "readable"}) do
      local child = sh("head -c 300000 /dev/zero")
      child.stdout:on(event, function() child.stdout:destroy() end)
      if event ~= "readable" then child.stdout:resume() end
      local closed = 0
      child.stdout:on("close", function() closed = closed + 1 end)
      support.run()
      assert.equal(1, closed)
    end
    for _, event in ipairs({"drain", "finish", "close"}) do
      local child = cp.spawn("cat")
      child.stdout:resume()
      child.stdin:on(event, function() child.stdin:destroy() end)
      child.stdin:write(("x"):rep(500000))
      if event ~= "drain" then child.stdin:finish() end
      support.run()
      assert.is_true(child.stdin.destroyed)
    end
  end)

  it("may stop the loop; run() goes on with what is left", function()
    local child = sh("echo one; read x; echo two")
    local lines = {}
    child.stdout:on("data", function(line)
      lines[#lines + 1] = line
      cp.stop()
    end)
    support.run()
    assert.same({"one\n"}, lines)
    child.stdin:finish("\n")
    support.run()
    support.run()
    assert.same({"one\n", "two\n"}, lines)
    assert.equal(0, child.exitCode)
  end)
end)

describe("A limit", function()
  it("of 20 descriptors is an EMFILE error event; the next spawn after closing works", function()
    local stdout, parent, stderr = host([[
      local cp = require("child_process")
      local children = {}
      local function last()
        cp.spawn("echo", {"again"}, {stdio = {"ignore", "inherit", "inherit"}})
      end
      local function closeAll()
        local open = #children
        for _, child in ipairs(children) do
          child:on("close", function()
            open = open - 1
            if open == 0 then last() end
          end)
          child.stdin:finish()
        end
      end
      repeat
        local child = cp.spawn("cat", {stdio = {"pipe", "ignore", "inherit"}})
        children[#children + 1] = child
      until not child.pid
      local failed = table.remove(children)
      assert(#children > 0)
      failed:on("spawn", function() error("spawn") end)
      failed:on("exit", function() error("exit") end)
      failed:on("error", function(err)
        print(err, err.code, err.syscall, err.path)
        failed:on("close", function(code)
          print("close", code == err.errno)
          cp.exec("true", function(e, out, errors)
            print("exec", e.code, #out, #errors)
            closeAll()
          end)
        end)
      end)
      cp.run()
    ]], "ulimit -n 20")
    assert.equal("", stderr)
    assert.equal(table.concat({
      "Error: spawn cat EMFILE\tEMFILE\tspawn cat\tcat",
      "close\ttrue",
      "exec\tEMFILE\t0\t0",
      "again",
    }, "\n") .. "\n", stdout)
    assert.equal(0, parent.exitCode)
  end)

  it("of 20 descriptors leaves room for a child with three pipes", function()
    local stdout, parent, stderr = host([[
      local cp = require("child_process")
      cp.exec("cat; echo problem >&2", print).stdin:finish("input")
      cp.run()
    ]], "ulimit -n 20")
    assert.equal("", stderr)
    assert.equal("nil\tinput\tproblem\n\n", stdout)
    assert.equal(0, parent.exitCode)
  end)

  it("of 22 descriptors does not hide that a child with a higher one cannot be started", function()
    for _, variable in ipairs({"WITH_ALL", "CHILD_PROCESS_NO_VFORK"}) do
      local stdout, parent, stderr = host([[
        local cp = require("child_process")
        local stdio = {"inherit", "inherit", "inherit", [26] = "ignore"}
        local child = cp.spawn("does_not_exist", {stdio = stdio})
        for _, name in ipairs({"spawn", "exit"}) do
          child:on(name, function() print(name) end)
        end
        child:on("error", function(err) print("error", err.syscall) end)
        child:on("close", function(code) print("close", code < 0) end)
        cp.run()
      ]], "export " .. variable .. "=1; ulimit -n 22")
      assert.equal("", stderr)
      assert.equal("error\tspawn does_not_exist\nclose\ttrue\n", stdout)
      assert.equal(0, parent.exitCode)
    end
  end)

  it("of 9 descriptors makes the module refuse to be loaded, and say why", function()
    local stdout, parent, stderr = host([[
      print(pcall(require, "child_process.core"))
    ]], "ulimit -n 9")
    assert.equal("", stderr)
    assert.matches("^false\t.*too many open files", stdout)
    assert.equal(0, parent.exitCode)
  end)

  it("of processes is an EAGAIN error event; the next spawn after closing works", function()
    -- the limit is the user's, and does not hold for root: it needs a user with no other process,
    -- not even of a run of this spec at the same time
    local process = require("child_process.process")
    if not support.isRoot then pending("needs the right to be another user") end
    if support.isEmulated() then pending("an emulator makes a thread in each process") end
    local options = {uid = 100000 + process.pid, gid = 65534}
    local module = assert(compat.searchPath("child_process.core", package.cpath))
    local readable = cp.spawn("test", {"-r", module}, options)
    support.run()
    if readable.exitCode ~= 0 then return end

    local stdout, parent, stderr = host([[
      local cp = require("child_process")
      local children = {}
      repeat
        local child = cp.spawn("cat", {stdio = {"pipe", "ignore", "inherit"}})
        children[#children + 1] = child
      until not child.pid
      local failed = table.remove(children)
      failed:on("exit", function() error("exit") end)
      failed:on("error", function(err)
        print(err)
        local open = #children
        for _, child in ipairs(children) do
          child:on("close", function()
            open = open - 1
            if open > 0 then return end
            cp.execFile("echo", {"again"}, function(e, out) print(e, (out:gsub("\n", ""))) end)
          end)
          child.stdin:finish()
        end
      end)
      cp.run()
    ]], "export ASAN_OPTIONS=detect_leaks=0; ulimit -u 3 2>/dev/null || ulimit -p 3", options)
    assert.equal("", stderr)
    assert.equal("Error: spawn cat EAGAIN\nnil\tagain\n", stdout)
    assert.equal(0, parent.exitCode)
  end)

  it("on memory, or whatever else fails, leaves no descriptor and no zombie behind", function()
    local function spawnAll()
      for _ = 1, 20 do
        sh("cat; exit 1").stdin:finish("x")
        cp.spawn("true", {stdio = "ignore"})
        cp.spawn("does_not_exist"):on("error", function() end)
        cp.spawn("true", {cwd = "/does/not/exist"}):on("error", function() end)
        cp.spawn("/"):on("error", function() end)
        cp.exec("exit 1", function() end)
      end
      support.run()
    end
    spawnAll()
    local before = support.openFds()
    -- thousands, but fewer of them under tools that make all slow
    local began = os.time()
    for _ = 1, 20 do
      spawnAll()
      if os.time() - began > 5 then break end
    end
    assert.same(before, support.openFds())
    assert.same({}, support.zombies())
  end)
end)

describe("Signals", function()
  it("that interrupt system calls disturb nothing", function()
    local stdout, parent, stderr = host([[
      local cp = require("child_process")
      local process = require("child_process.process")
      local signals, read = 0, 0
      process:on("SIGUSR1", function() signals = signals + 1 end)
      local flood = cp.spawn("sh", {
        "-c", "i=0; while [ $i -lt 500 ]; do kill -USR1 $PPID; i=$((i+1)); done",
      }, {stdio = "ignore"})
      local cat = cp.spawn("cat")
      cat.stdout:on("data", function(chunk) read = read + #chunk end)
      for _ = 1, 20 do cat.stdin:write(("x"):rep(1000000)) end
      cat.stdin:finish()
      for _ = 1, 50 do cp.spawn("true", {stdio = "ignore"}) end
      cp.run()
      print(flood.exitCode, signals > 0, read)
    ]])
    assert.equal("", stderr)
    assert.equal("0\ttrue\t20000000\n", stdout)
    assert.equal(0, parent.exitCode)
  end)
end)

describe("The garbage collector", function()
  it("may run at every moment: what is needed stays, though nobody refers to it", function()
    local closed, bytes, execs = 0, 0, 0
    local failures = 0
    for i = 1, 10 do
      do
        local child = sh("cat; echo err >&2; exit 3")
        child.stdout:on("data", function(chunk)
          collectgarbage()
          bytes = bytes + #chunk
        end)
        child.stderr:on("data", function() collectgarbage() end)
        child:on("exit", function() collectgarbage() end)
        child:on("close", function(code)
          collectgarbage()
          assert.equal(3, code)
          closed = closed + 1
        end)
        child.stdin:write((i .. "-"):rep(200000), function() collectgarbage() end)
        child.stdin:finish(function() collectgarbage() end)
      end
      collectgarbage()
      sh("printf 12345").stdout:pipe(sh("cat >/dev/null").stdin)
      collectgarbage()
      cp.exec("echo x", function(err, stdout)
        collectgarbage()
        assert.is_nil(err)
        execs = execs + #stdout
      end)
      collectgarbage()
      cp.spawn("does_not_exist"):on("error", function()
        collectgarbage()
        failures = failures + 1
      end)
      collectgarbage()
    end
    support.run(600) -- each collection looks at all that the specs before have loaded
    assert.equal(10, closed)
    assert.equal(20, execs)
    assert.equal(10, failures)
    assert.equal(9 * 400000 + 600000, bytes)
  end)

  it("gets everything back when a child has closed", function()
    local weak = setmetatable({}, {__mode = "k"})
    local function watch(...)
      for _, object in ipairs({...}) do weak[object] = true end
    end
    for _ = 1, 20 do
      local child = sh("cat", {stdio = {"pipe", "pipe", "pipe", "pipe"}})
      watch(child, child.stdin, child.stdout, child.stderr, child.stdio[3])
      child.stdout:on("data", function() watch(child) end)
      child.stdin:finish("x")
      local other = cp.spawn("cat")
      child.stderr:pipe(other.stdin)
      watch(other, other.stdin, other.stdout)
      watch(cp.exec("echo x", function() watch(child) end))
      watch(cp.spawn("does_not_exist"):on("error", function() watch(child) end))
      watch(timers.setTimeout(function() watch(child) end, 1))
    end
    support.run()
    for _ = 1, 3 do collectgarbage() end
    local left = 0
    for _ in pairs(weak) do left = left + 1 end
    -- the last one may still stand on the stack
    assert.is_true(left <= 5, left .. " objects are left")
  end)

  it("gets back what many children used: memory does not grow", function()
    local function batch()
      for _ = 1, 20 do sh("cat").stdin:finish(("x"):rep(10000)) end
      support.run()
      for _ = 1, 3 do collectgarbage() end
    end
    for _ = 1, 3 do batch() end
    local most = growth()
    for _ = 1, 10 do batch() end
    most.look()
    assert.is_true(most.lua < 0.25, ("Lua's memory has grown by %.3f MB"):format(most.lua))
  end)
end)

describe("Closing the Lua state", function()
  -- everything is open: children that are read, written, piped, waited for, left alone
  local everything = [[
    local cp = require("child_process")
    local process = require("child_process.process")
    local timers = require("child_process.timers")

    local function leave() os.exit(0, true) end

    local alone = cp.spawn("sleep", {"60"}, {stdio = "ignore"})
    local unrefd = cp.spawn("sleep", {"60"}, {stdio = "ignore", detached = true})
    unrefd:unref()
    local unread = cp.spawn("sleep", {"60"}, {stdio = {"pipe", "ignore", "ignore"}})
    unread.stdin:write(("x"):rep(4000000), function() end)
    io.stderr:write(alone.pid, " ", unrefd.pid, " ", unread.pid, "\n")

    local yes = cp.spawn("yes")
    yes.stdout:on("data", function() end)
    local source, destination = cp.spawn("yes"), cp.spawn("cat")
    source.stdout:pipe(destination.stdin)
    destination.stdout:resume()
    local paused = cp.spawn("yes")
    paused.stdout:on("data", function() paused.stdout:pause() end)
    local twoWay = cp.spawn("cat", {stdio = {"pipe", "pipe", "pipe", "pipe", "pipe"}})
    twoWay.stdio[3]:on("data", function() end)
    twoWay.stdio[4]:on("readable", function() end)
    local gone = cp.spawn("true")
    local answer = cp.exec("cat; exit 1", {timeout = 50000}, function() end)
    cp.spawn("does_not_exist"):on("error", function() end)
    process:on("SIGUSR2", function() end)
    timers.setTimeout(function() end, 50000)
    timers.setInterval(function() end, 5)
  ]]

  local moments = {
    ["before the loop has run"] = "leave()",
    ["in a data listener"] = "yes.stdout:on('data', leave) cp.run()",
    ["in an exit listener"] = "gone:on('exit', leave) cp.run()",
    ["in a close listener"] = "gone:on('close', leave) cp.run()",
    ["in a spawn listener"] = "gone:on('spawn', leave) cp.run()",
    ["in a timer"] = "timers.setTimeout(leave, 20) cp.run()",
    ["in an immediate"] = "timers.setImmediate(leave) cp.run()",
    ["in a tick"] = "process:nextTick(leave) cp.run()",
    ["in the callback of exec"] = "cp.exec('echo x', leave) cp.run()",
    ["in a callback of write"] = "twoWay.stdin:write('x', leave) cp.run()",
    ["in a signal listener"] = "process:on('SIGUSR1', leave) cp.exec('kill -USR1 $PPID') cp.run()",
    ["after some turns"] = "for _ = 1, 20 do cp.run('nowait') end leave()",
    ["by an error"] = "timers.setTimeout(function() error('mine', 0) end, 20) cp.run()",
    ["by returning"] = "timers.setTimeout(cp.stop, 20) cp.run()",
    ["in a finalizer"] = [[
      timers.setTimeout(function()
        require("child_process.base.compat").finalizer(leave)
        collectgarbage()
      end, 20)
      cp.run()
    ]],
  }

  for order, code in pairs({
    ["before the module was loaded"] = "",
    ["after the module was loaded"] = [[require("child_process.timers")]],
  }) do
    it("may find a timer closed in the finalizer of an object that was made " .. order, function()
      local _, parent, stderr = host(code .. [[

        local timer
        local holder = require("child_process.base.compat").finalizer(function()
          io.stderr:write("closing")
          timer:close()
        end)
        timer = require("child_process.timers").setTimeout(function() end, 1)
      ]])
      assert.equal("closing", stderr:match("^%l+")) -- and a warning may follow
      assert.equal(0, parent.exitCode)
    end)
  end

  local before
  for moment, code in pairs(moments) do
    it(moment .. " with everything open ends well, and kills nobody", function()
      before = before or support.openFds()
      local _, parent, stderr = host(everything .. code)
      local pids, message = stderr:match("^([%d ]+)\n(.*)$")
      local left = 0
      for pid in (pids or ""):gmatch("%d+") do
        assert.is_true(alive(pid))
        cp.spawn("kill", {pid})
        left = left + 1
      end
      support.run()
      assert.equal(3, left, stderr)
      assert.is_nil(parent.signalCode)
      if moment:find("error") then
        assert.equal(1, parent.exitCode)
        assert.truthy(message:find("mine", 1, true))
      else
        assert.equal(0, parent.exitCode)
        assert.equal("", message)
      end
      assert.same({}, support.zombies())
    end)
  end
end)
