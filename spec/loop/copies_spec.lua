-- Copies of the process that the program makes by fork(2), with our loop in them.

local copies = require("spec.support.copies")
local cp = require("child_process")
local support = require("spec.support")

local run, EVERYTHING = copies.run, copies.EVERYTHING

describe("a copy of the process", function()
  local worker

  before_each(function()
    worker = copies.worker()
  end)

  it("uses everything while the original does, too", function()
    assert.equal("copy done\noriginal done\n", run(EVERYTHING .. [[
      cp.spawn("true")
      cp.run() -- the loop was used before
      io.stdout:flush()
      local pid = host.fork()
      everything(pid == 0 and "copy" or "original")
      if pid == 0 then host.exit() end
      assert(host.await(pid) == 0)
    ]], worker):gsub("original done\ncopy done\n", "copy done\noriginal done\n"), nil)
  end)

  it("may have copies, too", function()
    assert.equal("3 done\n2 done\n1 done\n0 done\n", run(EVERYTHING .. [[
      local function deep(depth)
        cp.spawn("true")
        cp.run("nowait")
        if depth < 3 then
          assert(inCopy(function() deep(depth + 1) end) == 0)
        end
        everything(depth)
      end
      deep(0)
    ]], worker))
  end)

  for how, ending in pairs({
    ["by _exit"] = "host.exit()",
    ["by exit"] = "os.exit(0)",
    ["by closing its state"] = "host.close()",
    ["after it has closed everything"] = [[
      worker:on("error", function() end) worker:disconnect()
      child.stdin:destroy() child.stdout:destroy() child:kill() worker:kill()
      server:close() os.exit(0, true)]],
    ["after it has run the loop"] = [[server:close() interval:close() cp.run() host.exit()]],
  }) do
    it("takes nothing from the original that ends " .. how, function()
      assert.equal("hello from us\nmessages: 2\nconnected\nexit: 3 nil\n", run([[
        local child = cp.spawn("sh", {"-c", "read line; echo hello $line; exit 3"})
        local worker = cp.fork(%q)
        local server = net.createServer(function(socket) socket:finish("connected") end)
        local interval = timers.setInterval(function() end, 10)
        local output, messages, client, code, signal = "", 0, "", nil, nil
        child.stdout:on("data", function(data) output = output .. data end)
        child:on("exit", function(...) code, signal = ... end)
        worker:on("message", function() messages = messages + 1 end)
        worker:send({number = 1})
        server:listen(0, "127.0.0.1")
        server:wait("listening")
        io.stdout:flush()
        local pid = host.fork()
        if pid == 0 then %s end
        assert(host.await(pid) == 0, "the copy")
        worker:send({number = 2})
        child.stdin:finish("from us\n")
        local socket = net.connect(server:address().port, "127.0.0.1")
        socket:on("data", function(data) client = client .. data end)
        socket:on("close", function() server:close() end)
        timers.setImmediate(function() interval:close() end)
        worker:on("message", function() if messages == 2 then worker:disconnect() end end)
        cp.run()
        io.write(output)
        print("messages: " .. messages)
        print(client)
        print("exit: " .. tostring(code) .. " " .. tostring(signal))
      ]], worker, ending))
    end)
  end

  it("may be made by a listener, and goes on from there", function()
    assert.equal("copy: 0 bytes, 2 ticks\noriginal: 6 bytes, 2 ticks\n", run([[
      local child = cp.spawn("echo", {"hello"})
      local bytes, ticks, pid = 0, 0, nil
      child.stdout:on("data", function(data) bytes = bytes + #data end)
      child.stdout:pause()
      child:on("exit", function()
        io.stdout:flush()
        pid = host.fork()
        if pid ~= 0 then assert(host.await(pid) == 0) end
        ticks = 1
        timers.setTimeout(function() ticks = ticks + 1 end, 1)
        child.stdout:resume()
      end)
      cp.run()
      say((pid == 0 and "copy" or "original") .. ": " .. bytes .. " bytes, " .. ticks .. " ticks")
      if pid == 0 then host.exit() end
    ]]))
  end)

  it("has no children of the original's", function()
    assert.equal([[
kill false
wait ECHILD
connected false
closed ERR_IPC_CHANNEL_CLOSED
stdin EPIPE
events none
original exit 0
]], run([[
      local child = cp.fork(%q, {}, {stdio = {"pipe", "pipe", "inherit", "ipc"}, timeout = 600000})
      local told = "none"
      for _, event in ipairs({"exit", "close", "disconnect", "message"}) do
        child:on(event, function() told = event end)
      end
      child.stdout:on("end", function() told = "end" end)
      assert(inCopy(function()
        child:dispose()
        say("kill", child:kill("SIGKILL"))
        local ok, err = pcall(child.wait, child, "exit")
        say("wait", not ok and err.code)
        say("connected", child.connected)
        child:send("x", function(problem) say("closed", problem.code) end)
        child.stdin:on("error", function(problem) say("stdin", problem.code) end)
        child.stdin:write("x")
        cp.run()
        say("events", told)
      end) == 0)
      child:disconnect()
      child:on("exit", function(code) say("original exit", code) end)
      cp.run()
    ]], worker):gsub("\t", " "), nil)
  end)

  it("keeps no pipe of the original's open once it has used the module", function()
    assert.equal("cat ended\ncopy ended\n", run([[
      local cat = cp.spawn("cat")
      local server = net.createServer()
      server:listen(0, "127.0.0.1")
      server:wait("listening")
      local port = server:address().port
      local pid = host.fork()
      if pid == 0 then -- lives for as long as the connection
        server:close()
        net.connect(port, "127.0.0.1")
        cp.run()
        say("copy ended")
        host.exit()
      end
      server:on("connection", function(socket)
        server:close()
        cat:on("close", function()
          say("cat ended")
          socket:finish()
        end)
        cat.stdin:finish()
      end)
      cp.run()
      assert(host.await(pid) == 0)
    ]]))
  end)

  it("gets its own signals, and the original does not", function()
    assert.equal("copy SIGUSR2\noriginal 1\n", run([[
      local count, who = 0, "original"
      process:on("SIGUSR2", function() count = count + 1 end)
      cp.run("nowait")
      assert(inCopy(function()
        process:kill(process.pid, "SIGUSR2") -- before anything else has happened to the loop
        process:on("SIGUSR2", function(name) say("copy", name) end)
        timers.setTimeout(function() end, 1)
        cp.run()
      end) == 0)
      cp.run("nowait")
      process:kill(process.pid, "SIGUSR2")
      timers.setTimeout(function() end, 50)
      cp.run()
      say("original", count)
    ]]):gsub("\t", " "), nil)
  end)

  it("does not wait for a signal that the original has caught", function()
    assert.equal("copy: 0\noriginal: 1\n", run([[
      local calls = 0
      local function count()
        calls = calls + 1
        process:off("SIGUSR1", count)
      end
      process:on("SIGUSR1", count)
      process:kill(process.pid, "SIGUSR1") -- is delivered in the next iteration
      assert(inCopy(function()
        process:off("SIGUSR1", count)
        collectgarbage() -- closes the handle
        cp.run()
        say("copy: " .. calls)
      end) == 0)
      while calls == 0 do cp.run("nowait") end
      print("original: " .. calls)
    ]]))
  end)

  it("made by a listener of a signal receives its own signals from then on", function()
    assert.equal("SIGUSR2\nSIGUSR1\nover\nover\n", run([[
      local interval = timers.setInterval(function() end, 1000)
      local function send(name, listener)
        process:once(name, listener)
        process:kill(process.pid, name)
      end
      send("SIGUSR1", function()
        local pid = host.fork()
        if pid ~= 0 then
          assert(host.await(pid) == 0)
          interval:close()
          return
        end
        send("SIGUSR2", function(name)
          say(name)
          send("SIGUSR1", function(again)
            say(again)
            interval:close()
          end)
        end)
      end)
      cp.run()
      say("over")
    ]]))
  end)

  it("writes nothing that the original has queued", function()
    assert.equal("the copy wrote 4 bytes\n", run([[
      local server, accepted, total = net.createServer(), nil, 0
      server:listen(0, "127.0.0.1")
      local socket = net.connect(server:address().port, "127.0.0.1")
      server:on("connection", function(connection)
        accepted = connection
        accepted:pause()
        server:close()
      end)
      socket:wait("connect")
      while not accepted do cp.run("once") end
      local big = 8000000
      socket:write(("x"):rep(big))
      assert(socket.writableLength > 0, "nothing is queued")
      local pid = host.fork()
      if pid == 0 then
        accepted:destroy()
        socket:once("drain", function()
          -- The original may have filled the socket again.
          socket:write("copy", function() host.exit() end)
        end)
        cp.run()
      end
      accepted:resume()
      accepted:on("data", function(data)
        local whole = total >= big + 4
        total = total + #data
        if total >= big + 4 and not whole then
          assert(host.await(pid) == 0)
          socket:finish()
        end
      end)
      cp.run()
      say("the copy wrote " .. total - big .. " bytes")
    ]]))
  end)

  it("accepts connections of a server, and leaves its path to the original", function()
    local path = os.tmpname()
    os.remove(path)
    assert.equal("served by the copy\npath is there\n", run([[
      local path = %q
      local server = net.createServer()
      server:listen(path)
      server:wait("listening")
      local pid = host.fork()
      if pid == 0 then
        server:on("connection", function(socket)
          socket:on("finish", function()
            server:close()
            host.exit()
          end)
          socket:finish("served by the copy")
        end)
        cp.run()
      end
      server:unref()
      local handle = net.connect(path)
      -- not served by us: our loop does not accept before the copy has ended
      handle:on("data", say)
      host.await(pid)
      local file = cp.spawnSync("test", {"-S", path})
      server:close()
      cp.run()
      say(file.status == 0 and "path is there" or "path is gone")
    ]], path))
  end)

  it("looks up what the original is looking up", function()
    copies.needsBusyThreads()
    assert.equal("20 copies, 20 originals\n", run([[
      local answered = 0
      for _ = 1, 20 do
        local failed
        net.connect(1, "localhost"):on("error", function() failed = true end)
        assert(inCopy(function()
          cp.run()
          assert(failed, "no answer in the copy")
        end) == 0)
        cp.run()
        answered = answered + (failed and 1 or 0)
      end
      say("20 copies, " .. answered .. " originals")
    ]]))
  end)

  it("needs no free descriptor to begin with", function()
    local script = support.script(([[
      package.cpath = "%s/?.so;" .. package.cpath
      local host = require("host")
      local cp = require("child_process")
      local child = cp.spawn("cat")
      local pid = host.fork()
      if pid == 0 then
        local files = {}
        repeat
          local file = io.open("/dev/null")
          files[#files + 1] = file
        until not file
        cp.run()
        child.stdin:destroy()
        files = nil
        collectgarbage()
        host.exit(cp.execFileSync("echo", {"x"}, {encoding = "utf8"}) == "x\n" and 7 or 1)
      end
      print(math.floor(host.await(pid) / 256))
      child.stdin:finish()
      cp.run()
      print(child.exitCode)
    ]]):format(support.hostModule()))
    local command = 'ulimit -n 64; exec "$0" "$1"'
    local stdout = cp.execFileSync("sh", {"-c", command, support.lua, script}, {encoding = "utf8"})
    assert.equal("7\n0\n", stdout)
  end)

  it("works beside luv", function()
    -- in a process of its own, as luv once loaded stays
    if cp.spawnSync(support.lua, {"-e", "require('luv')"}).status ~= 0 then
      pending("luv is not installed")
      return
    end
    assert.equal("copy done\noriginal done\n", run(EVERYTHING .. [[
      local uv = require("luv")
      local function both(who)
        local luvs = 0
        uv.new_timer():start(1, 0, function() luvs = luvs + 1 end)
        everything(who)
        local out
        cp.exec("echo x", function(_, stdout) out = stdout end)
        uv.run()
        assert(out == "x\n" and luvs == 1)
      end
      cp.spawn("true")
      cp.run()
      assert(inCopy(function() both("copy") end) == 0)
      both("original")
    ]], worker))
  end)

  -- The C library's exit moves files that others are reading, so the threads have loaded all of
  -- their files before.
  it("ends while threads of the original open and close channels", function()
    copies.needsBusyThreads()
    local busy = [[
      local cp = require("child_process")
      local function openAndClose()
        cp.spawn("true", {}, {stdio = {"ignore", "ignore", "ignore", "ipc"}})
        cp.run()
      end
      openAndClose()
      require("child_process.net").connect(%d, "127.0.0.1"):resume()
      cp.run()
      for _ = 1, 100 do openAndClose() end
    ]]
    local path = support.script("")
    assert.equal("", run([[
      local server, threads, ready = net.createServer(), {}, {}
      server:on("connection", function(socket) ready[#ready + 1] = socket end)
      server:listen(0, "127.0.0.1")
      local file = assert(io.open(%q, "w"))
      file:write((%q):format(server:address().port))
      file:close()
      for i = 1, 2 do threads[i] = host.startThread(%q) end
      while #ready < 2 do cp.run("once") end
      for i = 1, 2 do ready[i]:destroy() end
      server:close()
      cp.run()
      for _ = 1, 300 do
        local pid = host.fork()
        if pid == 0 then os.exit(0) end -- takes the list of channels
        assert(host.await(pid) == 0, "a copy")
      end
      for i = 1, 2 do assert(host.joinThread(threads[i]) == nil, "a thread") end
    ]], path, busy, path))
  end)
end)
