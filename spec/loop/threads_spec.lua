-- Several Lua states, each in a thread of its own, use the module at the same time. `make
-- test-tsan` runs this with a tool that finds what two threads do to the same memory or descriptor.

local support = require("spec.support")

local THREADS, ROUNDS = 3, 5

-- Runs the text in several threads at once, each in a state of its own, which is closed where the
-- text ends. In it `round` runs a function several times, and `worker` is a script to be forked.
local function inThreads(text)
  local worker = support.script([[
    local process = require("child_process.process")
    process:on("message", function(message, handle)
      process:send({twice = message.number * 2}, function() end)
      if handle then handle:finish("from the worker") end
    end)
  ]])
  local script = support.script(([[
    local abort = require("child_process.abort")
    local cp = require("child_process")
    local dgram = require("child_process.dgram")
    local net = require("child_process.net")
    local process = require("child_process.process")
    local timers = require("child_process.timers")
    local worker = %q
    local function round(callback)
      for i = 1, %d do
        callback(i)
        cp.run()
      end
    end
  ]]):format(worker, ROUNDS) .. text)
  assert.equal("", support.runHost(([[
    local threads = {}
    for i = 1, %d do threads[i] = host.startThread(%q) end
    for i = 1, %d do
      local failure = host.joinThread(threads[i])
      assert(failure == nil, failure)
    end
  ]]):format(THREADS, script, THREADS)))
end

describe("states in several threads", function()
  it("start programs, read and write them", function()
    inThreads([[
      round(function(i)
        local child = cp.spawn("cat")
        local output, code = "", nil
        child.stdout:on("data", function(data) output = output .. data end)
        child:on("close", function(status)
          code = status
          assert(code == 0 and output == "input " .. i)
        end)
        child.stdin:finish("input " .. i)
        cp.exec("echo " .. i .. "; exit 3", function(err, stdout)
          assert(err.code == 3 and stdout == i .. "\n")
        end)
        cp.spawn("/no/such/program"):on("error", function(err) assert(err.code == "ENOENT") end)
      end)
    ]])
  end)

  it("run programs to their end", function()
    inThreads([[
      round(function(i)
        assert(cp.execFileSync("echo", {i}, {encoding = "utf8"}) == i .. "\n")
        assert(cp.spawnSync("sleep", {"60"}, {timeout = 20}).signal == "SIGTERM")
      end)
    ]])
  end)

  it("share the helper that ends children after us", function()
    inThreads([[
      round(function()
        for _, tree in ipairs({true, false}) do
          local options = {tree = tree, killOnParentExit = true, stdio = "ignore"}
          for _ = 1, 5 do
            cp.spawn("true", {}, options):on("exit", function(code) assert(code == 0) end)
          end
          assert(cp.spawnSync("true", {}, options).status == 0)
        end
      end)
      cp.spawn("sleep", {"1000"}, {tree = true, killOnParentExit = true, stdio = "ignore"})
    ]])
  end)

  it("exchange messages and sockets with children", function()
    inThreads([[
      local child = cp.fork(worker)
      local server = net.createServer(function(socket)
        child:send({number = 21}, socket)
      end)
      server:listen(0, "127.0.0.1", function()
        local client = net.connect(server:address().port, "127.0.0.1")
        local got = ""
        client:on("data", function(data) got = got .. data end)
        client:on("close", function()
          assert(got == "from the worker")
          server:close()
          child:disconnect()
        end)
        client:on("end", function() client:finish() end)
      end)
      local answer
      child:on("message", function(message) answer = message.twice end)
      cp.run()
      assert(answer == 42 and child.exitCode == 0)
    ]])
  end)

  it("connect, look up, and send datagrams", function()
    inThreads([[
      round(function()
        local server = net.createServer(function(socket) socket:pipe(socket) end)
        server:listen(0, "127.0.0.1", function()
          local client = net.connect(server:address().port, "localhost")
          client:on("error", function() server:close() end) -- no such name here
          client:on("data", function(data)
            assert(data == "hello")
            client:finish()
          end)
          client:on("end", function() server:close() end)
          client:write("hello")
        end)
        local receiver, sender = dgram.createSocket("udp4"), dgram.createSocket("udp4")
        receiver:bind(0, "127.0.0.1", function()
          sender:send("datagram", receiver:address().port, "127.0.0.1")
        end)
        receiver:on("message", function()
          receiver:close()
          sender:close()
        end)
      end)
    ]])
  end)

  it("set timers, abort, and handle signals", function()
    inThreads([[
      round(function()
        local count = 0
        local interval = timers.setInterval(function() count = count + 1 end, 1)
        local controller = abort.AbortController()
        local child = cp.spawn("sleep", {"60"}, {signal = controller.signal})
        child:on("error", function(err) assert(err.name == "AbortError") end)
        child:on("close", function() interval:close() end)
        process:on("SIGUSR2", function() end)
        process:removeAllListeners("SIGUSR2")
        timers.setTimeout(function() controller:abort() end, 2)
      end)
    ]])
  end)

  it("are closed with everything open", function()
    inThreads([[
      for _ = 1, 3 do cp.spawn("sh", {"-c", "read line"}) end
      local child = cp.fork(worker)
      child:send({number = 1})
      net.createServer():listen(0, "127.0.0.1")
      net.connect(1, "localhost"):on("error", function() end)
      timers.setInterval(function() end, 1)
      cp.execFile("cat", function() end)
      process:on("SIGUSR2", function() end)
      cp.run("nowait")
    ]])
  end)

  it("come and go, one after the other", function()
    local script = support.script([[
      local cp = require("child_process")
      cp.spawn("true")
      cp.fork(arg and "" or "/no/such/script", {}, {silent = true, execPath = "true"})
      cp.run()
    ]])
    assert.equal("", support.runHost(([[
      for _ = 1, 5 do
        local threads = {}
        for i = 1, 3 do threads[i] = host.startThread(%q) end
        for i = 1, 3 do
          local failure = host.joinThread(threads[i])
          assert(failure == nil, failure)
        end
      end
    ]]):format(script)))
  end)
end)
