-- Copies of the process made in more ways: by listeners, as daemons, by other threads, many in a
-- row; and copies that execute another program.

local copies = require("spec.support.copies")
local support = require("spec.support")

-- Starts everything that has listeners. `at(kind)` is called in them: it makes a copy in the
-- listeners of one kind. The copy goes on in the running loop with the function `copied`. The
-- original sees that it gets all that it would have got.
local LISTENERS = [[
  local dgram = require("child_process.dgram")
  local KIND = %q
  local pid, isCopy, done, shared = nil, false, {}, {}

  local function copied()
    isCopy = true
    %s
    for _, object in ipairs(shared) do pcall(object.destroy or object.close, object) end
    timers.setTimeout(function()
      assert(cp.execFileSync("echo", {"x"}, {encoding = "utf8"}) == "x\n")
      cp.exec("echo copy; exit 3", function(err, stdout)
        host.exit(stdout == "copy\n" and err.code == 3 and 0 or 2)
      end)
    end, 5)
  end

  local function at(kind)
    if isCopy then return end
    done[kind] = (done[kind] or 0) + 1
    if kind == KIND and not pid then
      pid = host.fork()
      if pid == 0 then copied() end
    end
  end

  local worker, answers = cp.fork(%q), 0
  worker:on("message", function(message)
    at("message")
    answers = answers + 1
    assert(message.twice == answers * 2)
    if answers == 3 then worker:disconnect() end
  end)
  worker:on("disconnect", function() at("disconnect") end)
  worker:on("exit", function() at("exit") end)
  for i = 1, 3 do worker:send({number = i}) end

  local shell, output = cp.spawn("sh", {"-c", "echo a; read line; echo b$line; exit 3"}), ""
  shell.stdout:on("data", function(data)
    if output == "" and not isCopy then shell.stdin:finish("c\n") end
    output = output .. data
    at("data")
  end)
  shell.stdout:on("end", function() at("end") end)
  shell:on("close", function(code)
    at("close")
    assert(output == "a\nbc\n" and code == 3, output)
  end)
  cp.async(function()
    shell:wait("exit")
    at("coroutine")
  end)
  cp.exec("echo hello", function(_, stdout)
    at("exec")
    assert(stdout == "hello\n")
  end)

  local from, to, piped = cp.spawn("cat"), cp.spawn("cat"), 0
  from.stdout:pipe(to.stdin)
  to.stdout:on("data", function(data) piped = piped + #data end)
  to.stdout:on("end", function()
    at("piped")
    assert(isCopy or piped == 100000)
  end)
  from.stdin:finish(("x"):rep(100000))
  local counting = cp.spawn("wc", {"-c"})
  counting.stdin:write(("x"):rep(300000))
  counting.stdin:on("drain", function()
    at("drain")
    if not isCopy then counting.stdin:finish() end
  end)
  counting.stdout:on("data", function(data) assert(tonumber(data) == 300000) end)

  local server, echoed = net.createServer(function(socket)
    shared[#shared + 1] = socket
    at("connection")
    if not isCopy then socket:pipe(socket) end
  end), ""
  shared[1] = server
  server:listen(0, "127.0.0.1", function()
    at("listening")
    if isCopy then return end
    local client = net.connect(server:address().port, HOST)
    shared[#shared + 1] = client
    client:on("connect", function()
      at("connect")
      if not isCopy then client:write("hello") end
    end)
    client:on("data", function(data)
      at("received")
      echoed = echoed .. data
      if not isCopy then client:finish() end
    end)
    client:on("close", function()
      at("closed")
      if isCopy then return end
      assert(echoed == "hello")
      server:close()
    end)
  end)
  local receiver, sender = dgram.createSocket("udp4"), dgram.createSocket("udp4")
  shared[#shared + 1], shared[#shared + 2] = receiver, sender
  receiver:on("message", function()
    at("datagram")
    if isCopy then return end
    receiver:close()
    sender:close()
  end)
  receiver:bind(0, "127.0.0.1", function()
    at("bound")
    if not isCopy then sender:send("datagram", receiver:address().port, "127.0.0.1") end
  end)

  timers.setTimeout(function() at("timer") end, 1)
  timers.setImmediate(function() at("immediate") end)
  process:nextTick(function() at("tick") end)
  process:once("SIGUSR1", function() at("signal") end)
  process:kill(process.pid, "SIGUSR1")
  cp.run()
  assert(not isCopy, "the copy's loop has ended")
  assert(host.await(pid) == 0, "the copy")
  assert(done[KIND])
]]

local KINDS = {
  "message", "disconnect", "exit", "data", "end", "close", "coroutine", "exec", "piped", "drain",
  "connection", "listening", "connect", "received", "closed", "datagram", "bound", "timer",
  "immediate", "tick", "signal",
}

describe("A copy that a listener makes", function()
  for _, kind in ipairs(KINDS) do
    for how, ending in pairs({
      ["goes on"] = "",
      ["ends by exit"] = "os.exit(0)",
      ["closes its state"] = "host.close()",
    }) do
      it(("takes nothing from the original: %s, %s"):format(kind, how), function()
        assert.equal("", copies.run(LISTENERS, kind, ending, copies.worker()))
      end)
    end
  end

  it("may make copies in its listeners, too", function()
    assert.equal("2 x\n1 x\n0 x\nover\n", copies.run([[
      local depth, pid = 0, nil
      local function try()
        cp.exec("echo x", function(_, stdout)
          if depth < 2 then
            pid = host.fork()
            if pid == 0 then
              depth, pid = depth + 1, nil
              return try()
            end
            assert(host.await(pid) == 0)
          end
          io.write(depth, " ", stdout)
          io.stdout:flush()
          if depth > 0 then host.exit() end
        end)
      end
      try()
      cp.run()
      print("over")
    ]]))
  end)
end)

describe("A copy", function()
  it("of a copy, and so on, has as many descriptors as the first process", function()
    assert.equal("40 generations\n", copies.run([[
      local server = net.createServer()
      server:listen(0, "127.0.0.1")
      process:on("SIGUSR2", print)
      local function count()
        cp.promises.exec("true"):await()
        collectgarbage()
        return host.descriptors()
      end
      local first = count()
      local function generation(number)
        if number == 40 then return say(number .. " generations") end
        assert(inCopy(function()
          local counted = count()
          assert(counted == first, counted .. " descriptors, not " .. first)
          generation(number + 1)
        end) == 0)
      end
      generation(0)
    ]]))
  end)

  it("leaves no descriptor of ours to a program that it executes", function()
    local list = support.executable(support.tmpdir() .. "/list", "#!/bin/sh\nls /proc/$$/fd\n")
    local out = copies.run([[
      local list = %q
      local child, server = cp.spawn("cat"), net.createServer()
      server:listen(0, "127.0.0.1")
      process:on("SIGUSR2", print)
      net.connect(1, HOST):on("error", function() end)
      local pid = host.fork()
      if pid == 0 then host.execute(list) end
      assert(host.await(pid) == 0)
      say("and")
      cp.spawnSync(list, {stdio = "inherit"})
      child.stdin:finish()
      server:close()
      cp.run()
    ]], list)
    local executed, started = out:match("^(.*)and\n(.*)$")
    assert.equal(started, executed)
  end)

  it("may run as a daemon, whose originals have ended", function()
    local worker = support.script([[
      local count = 0
      process:on("message", function() count = count + 1 end)
      process:on("disconnect", function() print("received", count) end)
    ]])
    -- the standard output of the first process is open until the last of them has ended
    local lines = support.lines(copies.run(copies.EVERYTHING .. [[
      local worker = cp.fork(%q)
      for i = 1, 3 do worker:send(i) end
      if host.fork() ~= 0 then os.exit(0) end -- writes the messages
      if host.fork() ~= 0 then host.exit(0) end
      process:chdir("/")
      everything("daemon")
    ]], copies.worker(), worker))
    table.sort(lines)
    assert.same({"daemon done", "received\t3"}, lines)
  end)

  for how, ending in pairs({
    ["by exit"] = "os.exit(0)",
    ["by process:exit"] = "process:exit(0)",
    ["with its loop"] = "",
  }) do
    it("of a forked script leaves the channel to that, and ends " .. how, function()
      local script = support.script(([[
        package.cpath = %q .. "/?.so;" .. package.cpath
        local host = require("host")
        process:on("message", function(number)
          process:send(number)
          if number ~= 2 then return end
          local pid = host.fork()
          if pid == 0 then
            process:send("copy", function(err) assert(err.code == "ERR_IPC_CHANNEL_CLOSED") end)
            assert(not process.connected)
            %s
            return
          end
          process:send(host.await(pid) == 0 and "copy has ended" or "copy has failed")
        end)
      ]]):format(support.hostModule(), ending))
      assert.equal("1, 2, copy has ended, 3, 4, 0\n", copies.run([[
        local child = cp.fork(%q)
        child:on("message", function(message)
          io.write(message, ", ")
          if message == 4 then child:disconnect() end
        end)
        child:on("close", print)
        for number = 1, 4 do child:send(number) end
        cp.run()
      ]], script):gsub("\tnil", ""), nil)
    end)
  end

  it("may be made by another thread", function()
    assert.equal("copy done\noriginal done\n", copies.run(copies.EVERYTHING .. [[
      cp.spawn("true")
      cp.run("nowait")
      local pid = host.forkInThread(function() everything("copy") end)
      assert(host.await(pid) == 0)
      everything("original")
    ]], copies.worker()))
  end)
end)
