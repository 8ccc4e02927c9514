-- spawnSync in callbacks and coroutines, in hosts with their own ways, and what it leaves behind

local compat = require("child_process.base.compat")
local cp = require("child_process")
local process = require("child_process.process")
local support = require("spec.support")
local timers = require("child_process.timers")
local ways = require("spec.support.sync_ways")

local function sh(script, options) return cp.spawnSync("sh", {"-c", script}, options) end

describe("spawnSync works", function()
  it("inside a coroutine", function()
    local call = coroutine.wrap(function()
      coroutine.yield(cp.spawnSync("cat", {input = "first"}).stdout)
      return cp.spawnSync("cat", {input = "second"}).stdout
    end)
    assert.equal("first", call())
    assert.equal("second", call())
  end)

  it("inside the callbacks of a running loop, where nothing else runs meanwhile", function()
    local log, within = {}, nil
    local function note(name)
      assert.is_nil(within, name .. " came within " .. tostring(within))
      log[#log + 1] = name
    end
    local function synchronously(name)
      note(name)
      within = name
      assert.equal("x\n", sh("sleep 0.03; echo x").stdout)
      within = nil
    end
    local child = cp.spawn("sh", {"-c", "echo data; exit 5"})
    child:on("spawn", function() synchronously("spawn") end)
    child.stdout:on("data", function() synchronously("data") end)
    child.stdout:on("end", function() synchronously("end") end)
    child:on("exit", function(code) synchronously("exit " .. code) end)
    child:on("close", function() synchronously("close") end)
    cp.exec("echo y", function(_, stdout) synchronously("exec " .. stdout) end)
    timers.setTimeout(function() synchronously("timeout") end, 1)
    timers.setImmediate(function() synchronously("immediate") end)
    process:nextTick(function() synchronously("tick") end)
    local ticks = 0
    local interval
    interval = timers.setInterval(function()
      note("interval")
      table.remove(log)
      ticks = ticks + 1
      if #log == 9 then timers.clearInterval(interval) end
    end, 1)
    support.run()
    table.sort(log)
    assert.same({
      "close", "data", "end", "exec y\n", "exit 5", "immediate", "spawn", "tick", "timeout",
    }, log)
    assert.is_true(ticks > 0)
  end)

  it("beside children that run at the same time, whose output and status stay theirs", function()
    local seen = {}
    for i = 1, 5 do
      local child = cp.spawn("sh", {"-c", "cat; exit " .. i})
      local output = support.collect(child.stdout)
      child:on("close", function(code) seen[#seen + 1] = output() .. " " .. code end)
      child.stdin:finish("child " .. i)
    end
    for i = 1, 5 do assert.equal(10 + i, sh("sleep 0.02; exit " .. 10 + i).status) end
    support.run()
    table.sort(seen)
    assert.same({"child 1 1", "child 2 2", "child 3 3", "child 4 4", "child 5 5"}, seen)
  end)

  it("in a finalizer", function()
    assert.equal("last words\n", support.runScript(support.withoutCompiler .. [[
      require("child_process.base.compat").finalizer(function()
        print(cp.spawnSync("cat", {input = "last words"}).stdout)
      end)
      collectgarbage()
      collectgarbage()
      os.exit(0, false)
    ]]))
  end)

  it("in finalizers that run while a large output becomes a string", function()
    local output = support.runScript(support.withoutCompiler .. [[
      local compat = require("child_process.base.compat")
      cp.exec("true") -- in Lua 5.1 a finalizer cannot load a file that is being loaded
      local expected, got = 0, 0
      for _ = 1, 30 do
        compat.finalizer(function()
          expected = expected + 300000
          cp.exec("head -c 300000 /dev/zero", function(_, out) got = got + #out end)
        end)
        assert(#cp.spawnSync("head", {"-c", "200000", "/dev/zero"}).stdout == 200000)
      end
      collectgarbage()
      cp.run()
      print(expected > 0, got == expected)
    ]])
    assert.equal("true\ttrue\n", output)
  end)

  it("with a hook that makes strings of its own", function()
    local kept, text = {}, ("a"):rep(100000)
    debug.sethook(function() kept[#kept % 50 + 1] = ("y"):rep(#text) end, "c")
    local result = cp.spawnSync("cat", {input = text})
    debug.sethook()
    assert.is_true(text == result.stdout)
  end)

  it("in the finalizers of a state that is being closed, without a word on stderr", function()
    local stdout, stderr = support.runScript(support.withoutCompiler .. [[
      local function last(name)
        return require("child_process.base.compat").finalizer(function()
          print(name, cp.spawnSync("cat", {input = "x"}).stdout)
        end)
      end
      kept = {last("after")}
      local child = cp.spawn("cat", {stdio = {"pipe", "ignore", "ignore"}})
      child.stdin:finish()
      cp.run()
      kept[2] = last("before")
    ]])
    assert.equal("before\tx\nafter\tx\n", stdout)
    assert.equal("", stderr)
  end)

  it("before any loop exists, and makes none run", function()
    local stdout, stderr = support.runScript([[
      print(cp.spawnSync("cat", {input = "one"}).stdout)
      print(cp.spawnSync("sleep", {"60"}, {timeout = 20}).error.code)
      print(cp.execSync("echo two"))
      print(cp.run())
    ]])
    assert.equal("one\nETIMEDOUT\ntwo\n\nfalse\n", stdout)
    assert.equal("", stderr)
  end)

  it("in a callback of luv's loop", function()
    if cp.spawnSync(support.lua, {"-e", "require('luv')"}).status ~= 0 then
      pending("luv is not installed")
    end
    local stdout = support.runScript([[
      local uv = require("luv")
      local other, timer = uv.new_timer(), uv.new_timer()
      timer:start(1, 0, function()
        timer:close()
        local ran = false
        other:start(1, 0, function()
          ran = true
          other:close()
        end)
        print(cp.spawnSync("sh", {"-c", "sleep 0.05; cat"}, {input = "x"}).stdout, ran)
      end)
      uv.run()
      print(other:is_closing())
    ]])
    assert.equal("x\tfalse\ntrue\n", stdout)
  end)

  it("where stdin, stdout and stderr of this process are closed", function()
    local folder = support.tmpdir()
    support.runScript(([[
      local result = cp.spawnSync("sh", {"-c", "cat; echo e >&2; echo f >&3; exit 3"}, {
        input = "in", stdio = {"pipe", "pipe", "pipe", "pipe"},
      })
      local file = assert(io.open("%s/report", "w"))
      file:write(result.stdout, result.stderr, result.output[3], result.status)
      file:close()
    ]]):format(folder), "exec 0<&- 1>&- 2>&-")
    assert.equal("ine\nf\n3", support.readFile(folder .. "/report"))
  end)

  it("with a collector that runs at every moment", function()
    local function garbage()
      local input = ("x"):rep(100000)
      compat.finalizer(function() collectgarbage() end)
      return cp.spawnSync("cat", {input = input .. "y"}).stdout
    end
    for _ = 1, 5 do
      assert.equal(100001, #garbage())
      collectgarbage()
    end
  end)
end)

describe("spawnSync in a host program with its own ways:", function()
  --- Runs a script that has the module `host` and gives what it prints.
  local function outputOfHost(text)
    return support.runHost([[
      local function show(result)
        print(result.status, result.signal, result.error and result.error.code, result.stdout)
      end
    ]] .. text)
  end

  it("signals that interrupt system calls disturb nothing", function()
    local output = outputOfHost([[
      host.interrupt(500)
      local input = ("0123456789abcde\n"):rep(200000)
      for _ = 1, 3 do
        local result = cp.spawnSync("cat", {input = input, maxBuffer = math.huge})
        assert(result.status == 0 and not result.error and result.stdout == input)
      end
      for i = 1, 20 do
        assert(cp.spawnSync("sh", {"-c", "exit " .. i}).status == i)
        assert(cp.spawnSync("does_not_exist").error.code == "ENOENT")
        assert(cp.spawnSync("true", {stdio = "ignore"}).status == 0)
      end
      local slow = cp.spawnSync("sh", {"-c", "sleep 0.2; echo x"}, {timeout = 60000})
      local late = cp.spawnSync("sleep", {"60"}, {timeout = 50})
      local mute = cp.spawnSync("sh", {"-c", "exec >&- 2>&-; sleep 0.1; exit 4"}, {timeout = 60000})
      host.interrupt(0)
      print(host.interruptions() > 100)
      show(slow)
      show(late)
      show(mute)
    ]])
    assert.equal("true\n0\tnil\tnil\tx\n\nnil\tSIGTERM\tETIMEDOUT\t\n4\tnil\tnil\t\n", output)
  end)

  it("signals that the loop listens for are reported afterwards", function()
    local output = outputOfHost([[
      local count = 0
      process:on("SIGUSR1", function() count = count + 1 end)
      local input = ("x"):rep(1000000)
      local flood = [=[i=0; while [ $i -lt 100 ]; do kill -USR1 $PPID; i=$((i+1)); done]=]
      local result = cp.spawnSync("sh", {"-c", flood .. "; cat; " .. flood}, {input = input})
      print(result.status, result.error, result.stdout == input, count)
      require("child_process.timers").setTimeout(cp.stop, 50)
      cp.run()
      print(count > 0)
    ]])
    assert.equal("0\tnil\ttrue\t0\ntrue\n", output)
  end)

  local function expectedStatus()
    return support.keepsStatus() and "7\tnil\tnil" or "nil\tnil\tECHILD"
  end

  it("it may ignore SIGCHLD", function()
    local output = outputOfHost([[
      host.ignoreSigchld()
      show(cp.spawnSync("sh", {"-c", "cat; exit 7"}, {input = "in"}))
      show(cp.spawnSync("sh", {"-c", "exit 7"}, {stdio = "ignore"}))
      show(cp.spawnSync("sleep", {"60"}, {timeout = 30}))
      print((host.sigchld()))
    ]])
    local status = expectedStatus()
    assert.equal(("%s\tin\n%s\tnil\n"):format(status, status), output:match("^.-\n.-\n"))
    assert.matches("ETIMEDOUT\t\nignored\n$", output)
  end)

  it("it may reap with waitpid(-1) in a handler of its own", function()
    local output = outputOfHost([[
      host.reapInHandler()
      show(cp.spawnSync("sh", {"-c", "cat; exit 7"}, {input = "in"}))
      show(cp.spawnSync("sh", {"-c", "exit 7"}, {stdio = "ignore"}))
      local late = cp.spawnSync("sleep", {"60"}, {timeout = 30})
      assert(late.error.code == "ETIMEDOUT")
      local failed = cp.spawnSync("does_not_exist")
      print(failed.error.code, failed.pid)
    ]])
    local status = expectedStatus()
    if not support.keepsStatus() then
      -- who of the two was faster is open there
      output = output:gsub("7\tnil\tnil\t", status .. "\t")
    end
    assert.equal(("%s\tin\n%s\tnil\nENOENT\t0\n"):format(status, status), output)
  end)

  it("its own SIGCHLD handler is not broken by us, nor are we by it", function()
    local output = outputOfHost([[
      host.handleSigchld()
      show(cp.spawnSync("sh", {"-c", "cat; exit 7"}, {input = "in"}))
      local handler, calls = host.sigchld()
      print(handler, calls > 0)
    ]])
    assert.equal("7\tnil\tnil\tin\nhost\ttrue\n", output)
  end)

  it("it gets no signal handler from us", function()
    local output = outputOfHost([[
      show(cp.spawnSync("sh", {"-c", "cat; exit 7"}, {input = "in", timeout = 10000}))
      print((host.sigchld()))
    ]])
    assert.equal("7\tnil\tnil\tin\ndefault\n", output)
  end)

  it("it may have given up its rights: EPERM in the result", function()
    local output = outputOfHost([[
      require("child_process.spawn.sync") -- while we may read it
      pcall(host.setUid, 65534)
      local result = cp.spawnSync("true", {uid = 0})
      print(result.error, result.pid, result.status)
    ]])
    assert.equal("Error: spawnSync true EPERM: cannot switch to the user 0 (options.uid)\t0\tnil\n",
      output)
  end)

  it("it may have children of its own: they are left to it", function()
    local output = outputOfHost([[
      local own = cp.spawn("sh", {"-c", "exit 3"}, {stdio = "ignore"})
      own:on("exit", function(code) print("exit", code) end)
      show(cp.spawnSync("sh", {"-c", "sleep 0.1; exit 7"}))
      cp.run()
    ]])
    assert.equal("7\tnil\tnil\t\nexit\t3\n", output)
  end)

  it("a child that it kills before it could execute anything is a child that was killed", function()
    local output = outputOfHost([[
      if not host.killAtExec() then return print("no filters") end
      show(cp.spawnSync("true"))
    ]])
    if output == "no filters\n" then pending("the system has no filters for system calls") end
    assert.equal("nil\tSIGSYS\tnil\t\n", output)
  end)
end)

describe("spawnSync leaves nothing behind:", function()
  it("no descriptor and no zombie, after some hundred calls that succeed or fail in every way "
    .. "there is", function()
    local function takeAll()
      for _, way in ipairs(ways.successes) do ways.take(way) end
      for _, way in ipairs(ways.failures) do ways.take(way) end
    end
    takeAll()
    local fds = support.openFds()
    local began = os.time()
    for _ = 1, 9 do
      takeAll()
      if os.time() - began > 5 then break end -- tools can make all slow
    end
    assert.same(fds, support.openFds())
    assert.same({}, support.zombies())
    assert.is_false(cp.run("nowait"))
  end)

  it("where descriptors are scarce: EMFILE in the result, and the next call works", function()
    local stdout, stderr = support.runScript([[
      local function openAll()
        local files = {}
        repeat
          local file = io.open("/dev/null")
          files[#files + 1] = file
        until not file
        return files
      end
      local function closeAll(files)
        for _, file in ipairs(files) do file:close() end
        collectgarbage()
      end
      local options = {input = "x", stdio = {"pipe", "pipe", "pipe", "pipe"}}
      assert(cp.spawnSync("cat", options).stdout == "x")
      collectgarbage()
      local files = openAll()
      local count = #files
      local failed = cp.spawnSync("cat", options)
      print(failed.error, failed.pid, failed.status, failed.stdout)
      print(pcall(cp.execSync, "echo x"))
      -- with every number of free descriptors
      local ends = {}
      while #files > 0 do
        table.remove(files):close()
        local result = cp.spawnSync("cat", options)
        assert(result.error or result.stdout == "x" and result.status == 0)
        ends[result.error and result.error.code or "fine"] = true
      end
      print(ends.EMFILE, ends.fine)
      ends.EMFILE, ends.fine = nil, nil
      print(next(ends))
      files = openAll()
      print(#files == count)
      closeAll(files)
      print(cp.execSync("echo again"))
    ]], "ulimit -n 32")
    assert.equal("", stderr)
    assert.equal(table.concat({
      "Error: spawnSync cat EMFILE\t0\tnil\tnil",
      "false\tError: spawnSync /bin/sh EMFILE",
      "true\ttrue",
      "nil",
      "true",
      "again\n\n",
    }, "\n"), stdout)
  end)

  it("where processes are scarce: EAGAIN in the result", function()
    -- the limit is the user's, and does not hold for root: it needs a user with no other process,
    -- not even of a run of this spec at the same time
    if not support.isRoot then pending("needs the right to be another user") end
    local options = {uid = 200000 + process.pid, gid = 65534}
    local module = assert(compat.searchPath("child_process.core", package.cpath))
    if cp.spawnSync("test", {"-r", module}, options).status ~= 0 then return end
    local script = support.script([[
      local cp = require("child_process")
      local failed = cp.spawnSync("true")
      print(failed.error, failed.pid, failed.status)
    ]])
    local command = [[
      export ASAN_OPTIONS=detect_leaks=0
      ulimit -u 1 2>/dev/null || ulimit -p 1
      exec "$0" "$1"
    ]]
    local result = cp.spawnSync("sh", {"-c", command, support.lua, script}, options)
    assert.equal("", result.stderr)
    assert.equal("Error: spawnSync true EAGAIN\t0\tnil\n", result.stdout)
  end)

  it("no child that runs on after a timeout, and none that is waited for by the loop", function()
    local result = cp.spawnSync("sleep", {"60"}, {timeout = 20})
    local there, err = pcall(process.kill, process, result.pid, 0)
    assert.is_false(there)
    assert.equal("ESRCH", err.code)
    assert.is_false(cp.run("nowait"))
  end)
end)
