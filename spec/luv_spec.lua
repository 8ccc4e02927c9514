-- luv in the same state: one loop for its handles and ours, whoever runs it. Each test is a script
-- of its own, since luv once loaded stays.

local cp = require("child_process")
local support = require("spec.support")

local probe = cp.spawn(support.lua, {"-e", "require('luv')"}, {stdio = "ignore"})
support.run()
local hasLuv = probe.exitCode == 0

--- Runs a script that has luv and the module, and gives what it prints. Whatever fails in it fails
--- the test.
local function outputOf(text)
  if not hasLuv then pending("luv is not installed") end
  local script = support.script(([[
    local uv = require("luv")
    local cp = require("child_process")
    %s
  ]]):format(text))
  local child = cp.spawn(support.lua, {script})
  local stdout, stderr = support.output(child)
  assert.equal("", stderr)
  assert.equal(0, child.exitCode)
  return stdout
end

-- a luv timer and a child of ours that ends another timer
local mixed = [[
  local seen = {}
  local timer = uv.new_timer()
  timer:start(1, 1, function() seen.timer = true end)
  local child = cp.spawn("sh", {"-c", "cat; exit 3"})
  child.stdout:on("data", function(data) seen.data = (seen.data or "") .. data end)
  child:on("close", function(code)
    seen.code = code
    timer:close()
  end)
  require("child_process.process"):nextTick(function() child.stdin:finish("input") end)
]]

describe("luv in the same state", function()
  it("has its loop used, so that uv.run() drives both", function()
    assert.equal("true\tinput\t3\n", outputOf(mixed .. [[
      uv.run()
      print(seen.timer, seen.data, seen.code)
    ]]))
  end)

  it("has its loop used, so that cp.run() drives both", function()
    assert.equal("true\tinput\t3\n", outputOf(mixed .. [[
      cp.run()
      print(seen.timer, seen.data, seen.code)
    ]]))
  end)

  it("has awaiting in one of its callbacks raise ERR_WAIT_IN_CALLBACK", function()
    assert.equal("ERR_WAIT_IN_CALLBACK\n", outputOf([[
      local cp = require("child_process")
      local uv = require("luv")
      local timer = uv.new_timer()
      timer:start(1, 0, function()
        timer:close()
        local promise = cp.promises.exec("true")
        local _, err = pcall(promise.await, promise)
        print(err.code)
      end)
      uv.run()
    ]]))
  end)

  it("is driven by either in turns", function()
    assert.equal("true\tinput\t3\n", outputOf(mixed .. [[
      local ours = false
      while uv.loop_alive() do
        if ours then cp.run("once") else uv.run("once") end
        ours = not ours
      end
      print(seen.timer, seen.data, seen.code)
    ]]))
  end)

  it("keeps cp.run() alive with its handles, and ours keep uv.run() alive", function()
    assert.equal("luv\tours\n", outputOf([[
      local luv, ours
      local timer = uv.new_timer()
      timer:start(5, 0, function() luv = "luv" timer:close() end)
      cp.run()
      require("child_process.timers").setTimeout(function() ours = "ours" end, 5)
      uv.run()
      print(luv, ours)
    ]]))
  end)

  it("runs immediates and ticks of ours under uv.run()", function()
    assert.equal("immediate\ttick\n", outputOf([[
      local seen = {}
      require("child_process.timers").setImmediate(function()
        seen[1] = "immediate"
        require("child_process.process"):nextTick(function() seen[2] = "tick" end)
      end)
      uv.run()
      print(table.unpack(seen))
    ]]))
  end)

  it("runs ticks that a callback of luv has queued", function()
    assert.equal("tick\n", outputOf([[
      local timer = uv.new_timer()
      timer:start(1, 0, function()
        timer:close()
        require("child_process.process"):nextTick(function() print("tick") end)
      end)
      uv.run()
    ]]))
  end)

  it("is alive again with whatever of ours ref() is called on while it stands still", function()
    assert.equal("", outputOf([[
      local net, timers = require("child_process.net"), require("child_process.timers")
      local cat = cp.spawn("cat")
      for _, stream in pairs(cat.stdio) do stream:unref() end
      local objects = {
        child = cat,
        stream = cat.stdout:resume(),
        timer = timers.setTimeout(print, 60000),
        immediate = timers.setImmediate(print),
        server = net.createServer():listen(0, "127.0.0.1"),
        datagrams = require("child_process.dgram").createSocket("udp4"):bind(0, "127.0.0.1"),
      }
      objects.socket = net.connect(objects.server:address().port, "127.0.0.1")
      for _, object in pairs(objects) do object:unref() end
      uv.run()
      for name, object in pairs(objects) do
        if uv.loop_alive() then print(name, "is alive without ref()") end
        object:ref()
        if not uv.loop_alive() then print(name, "is not alive after ref()") end
        object:unref()
        uv.run()
      end
      cat:kill()
    ]]))
  end)

  it("lets a child that was spawned in a callback of luv emit its events", function()
    assert.equal("spawn\nexit\t4\n", outputOf([[
      local timer = uv.new_timer()
      timer:start(1, 0, function()
        timer:close()
        cp.spawn("sh", {"-c", "exit 4"})
          :on("spawn", function() print("spawn") end)
          :on("exit", function(code) print("exit", code) end)
      end)
      uv.run()
    ]]))
  end)

  it("starts and watches its own children beside ours", function()
    assert.equal("luv\t5\nours\t6\n", outputOf([[
      local result = {}
      local handle
      handle = uv.spawn("sh", {args = {"-c", "exit 5"}}, function(code)
        result.luv = code
        handle:close()
      end)
      cp.spawn("sh", {"-c", "exit 6"}):on("close", function(code) result.ours = code end)
      cp.run()
      print("luv", result.luv)
      print("ours", result.ours)
    ]]))
  end)

  it("has an error of our listener come out of cp.run() as it was raised", function()
    assert.equal("false\tin a listener\nnil\nexit 0\n", outputOf([[
      local child = cp.spawn("true", {stdio = "ignore"})
      child:on("exit", function(code) print("exit " .. code) end)
      child:on("spawn", function() error("in a listener", 0) end)
      print(pcall(cp.run))
      print(child.exitCode)
      cp.run()
    ]]))
  end)

  it("has the ticks that an error leaves behind run with the next cp.run()", function()
    assert.equal("false\tone\ntwo\ntrue\tfalse\n", outputOf([[
      local process = require("child_process.process")
      process:nextTick(function() error("one", 0) end)
      process:nextTick(function() print("two") end)
      print(pcall(cp.run))
      print(pcall(cp.run))
    ]]))
  end)

  it("may be turned in a callback of ours: cp.run() goes on", function()
    assert.equal("a\nb\ntrue\tfalse\n", outputOf([[
      cp.exec("echo a", function(_, stdout)
        io.write(stdout)
        cp.exec("echo b", function(_, rest) io.write(rest) end)
        local timer = uv.new_timer()
        timer:start(1, 0, function() timer:close() end)
        pcall(uv.run, "once")
      end)
      print(pcall(cp.run))
    ]]))
  end)

  it("has cp.run() refuse to be called in its callbacks", function()
    local stdout = outputOf([[
      cp.spawn("sh", {"-c", "exit 3"}):on("close", function(code) print("close", code) end)
      local timer = uv.new_timer()
      timer:start(1, 0, function()
        timer:close()
        print(pcall(cp.run))
      end)
      print(pcall(uv.run))
    ]])
    assert.matches("false\t[^\n]*run was called from a callback of the running loop\n", stdout)
    assert.matches("close\t3\n", stdout, 1, true)
    assert.matches("true\tfalse\n", stdout, 1, true)
  end)

  it("can have an empty loop after ours has ended: nothing of ours keeps it alive", function()
    assert.equal("false\n", outputOf([[
      cp.spawn("true")
      cp.run()
      print(uv.run())
    ]]))
  end)

  it("may be closed with everything open", function()
    assert.equal("done\n", outputOf([[
      local timer = uv.new_timer()
      timer:start(1000000, 0, function() end)
      local child = cp.spawn("cat")
      child.stdout:on("data", function() end)
      require("child_process.timers").setTimeout(function() end, 1000000)
      cp.run("nowait")
      print("done")
    ]]))
  end)
end)

describe("a luv handle in options.stdio", function()
  it("may be a pipe that the child writes to", function()
    assert.equal("from the child\n", outputOf([[
      local fds = uv.pipe({nonblock = true}, {})
      local reader, writer = uv.new_pipe(false), uv.new_pipe(false)
      reader:open(fds.read)
      writer:open(fds.write)
      local child = cp.spawn("echo", {"from the child"}, {stdio = {"ignore", writer, "inherit"}})
      assert(not child.stdout)
      writer:close()
      reader:read_start(function(err, data)
        assert(not err, err)
        if data then io.write(data) else reader:close() end
      end)
      uv.run()
    ]]))
  end)

  it("may be a pipe that the child reads from", function()
    assert.equal("from luv", outputOf([[
      local fds = uv.pipe({}, {nonblock = true})
      local reader, writer = uv.new_pipe(false), uv.new_pipe(false)
      reader:open(fds.read)
      writer:open(fds.write)
      local child = cp.spawn("cat", {stdio = {reader, "pipe", "inherit"}})
      child.stdout:on("data", function(data) io.write(data) end)
      reader:close()
      writer:write("from luv", function() writer:close() end)
      cp.run()
    ]]))
  end)

  it("may be a TCP socket", function()
    assert.equal("over a socket\n", outputOf([[
      local server = uv.new_tcp()
      server:bind("127.0.0.1", 0)
      server:listen(1, function()
        local peer = uv.new_tcp()
        server:accept(peer)
        server:close()
        cp.spawn("echo", {"over a socket"}, {stdio = {"ignore", peer, "inherit"}})
        peer:close()
      end)
      local client = uv.new_tcp()
      client:connect("127.0.0.1", server:getsockname().port, function(err)
        assert(not err, err)
        client:read_start(function(_, data)
          if data then io.write(data) else client:close() end
        end)
      end)
      uv.run()
    ]]))
  end)

  it("must have an underlying descriptor", function()
    assert.equal(("ERR_INVALID_ARG_VALUE\n"):rep(3), outputOf([[
      local closed = uv.new_pipe(false)
      closed:close()
      uv.run()
      local timer = uv.new_timer()
      for _, handle in ipairs({uv.new_pipe(false), closed, timer}) do
        local ok, err = pcall(cp.spawn, "true", {stdio = {handle}})
        print(ok or err.code)
      end
    ]]))
  end)
end)
