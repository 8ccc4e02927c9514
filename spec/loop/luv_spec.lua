-- luv in the same state: one loop for its handles and ours, whichever of them runs it. Each test is
-- a script of its own, since luv once loaded stays.

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
  return support.outputOfSuccess(cp.spawn(support.lua, {script}))
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

  it("is driven by both loops alternately", function()
    assert.equal("true\tinput\t3\n", outputOf(mixed .. [[
      local ours = false
      while uv.loop_alive() do
        if ours then cp.run("once") else uv.run("once") end
        ours = not ours
      end
      print(seen.timer, seen.data, seen.code)
    ]]))
  end)

  for _, run in ipairs({"uv.run()", "cp.run()"}) do
    it("may be loaded when children of ours run already, and joins with the next start: "
      .. run, function()
      if not hasLuv then pending("luv is not installed") end
      assert.equal("ours\nluv\nlast\n", support.runScript([[
        local seen = {}
        cp.exec("echo ours", function(_, stdout) seen[1] = stdout end)
        local uv = require("luv")
        local timer = uv.new_timer()
        timer:start(1, 0, function()
          timer:close()
          seen[2] = "luv\n"
        end)
        require("child_process.timers").setTimeout(function() seen[3] = "last\n" end, 5)
        ]] .. run .. [[

        io.write(seen[1], seen[2], seen[3])
      ]]))
    end)
  end

  for name, start in pairs({
    ["the next start in the callback"] = [[cp.exec("sleep .2", function() print("second") end)]],
    ["the end of ours, if nothing is started"] = "",
  }) do
    it("may be loaded in a callback of cp.run(), which goes on with its loop from " .. name,
      function()
        if not hasLuv then pending("luv is not installed") end
        assert.equal("stat\n" .. (start == "" and "" or "second\n") .. "end\tfalse\n",
          support.runScript(([[
            cp.exec("echo a", function()
              require("luv").fs_stat("/", function() print("stat") end)
              %s
            end)
            print("end", cp.run())
          ]]):format(start)))
      end)
  end

  it("may be loaded in a callback while something of ours is awaited", function()
    if not hasLuv then pending("luv is not installed") end
    assert.equal("stat\nawaited\nleft\n", support.runScript([[
      local left = cp.spawn("cat")
      local again = cp.promises.exec("true"):andThen(function()
        require("luv").fs_stat("/", function() print("stat") end)
        return cp.promises.exec("sleep 0.2; echo awaited")
      end)
      io.write(again:await().stdout)
      left:on("close", function() print("left") end)
      left.stdin:finish()
      cp.run()
    ]]))
  end)

  it("lets a coroutine that its callback starts wait for what is ours", function()
    assert.equal("hello\n3\n", outputOf([[
      local timer = uv.new_timer()
      timer:start(1, 0, function()
        timer:close()
        coroutine.wrap(function()
          io.write(cp.promises.exec("echo hello"):await().stdout)
          print(("%d"):format(cp.spawn("sh", {"-c", "exit 3"}):wait("close")))
        end)()
      end)
      uv.run()
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
      print(seen[1], seen[2])
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

  it("prints an error that comes out of uv.run() as text, and ends the program", function()
    if not hasLuv then pending("luv is not installed") end
    local script = support.script([[
      local uv = require("luv")
      local cp = require("child_process")
      cp.spawn("no-such-program")
      uv.run()
    ]])
    local child = cp.spawn(support.lua, {script})
    local _, stderr = support.output(child)
    assert.matches("script.lua:3: Error: spawn no%-such%-program ENOENT\n", stderr)
    assert.not_equal(0, child.exitCode)
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

  it("has all errors of one iteration come out of cp.run(), one after another", function()
    assert.equal("20\n", outputOf([[
      for i = 1, 10 do
        local child = cp.spawn("true", {stdio = "ignore"})
        child:on("exit", function() error("exit " .. i, 0) end)
        child:on("close", function() error("close " .. i, 0) end)
      end
      local raised, count = {}, 0
      while true do
        local ok, err = pcall(cp.run)
        if ok then break end
        if not raised[err] then count = count + 1 end
        raised[err] = true
      end
      print(count)
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

  it("may be a terminal", function()
    if cp.spawnSync("script", {"-qec", "true", "/dev/null"}).status ~= 0 then
      pending("there is no program `script`, or there are no pseudo-terminals")
    elseif not hasLuv then
      pending("luv is not installed")
    end
    local script = support.script([[
      local uv, cp = require("luv"), require("child_process")
      local tty = assert(uv.new_tty(1, false))
      local stdio = {"ignore", tty, "inherit"}
      local child = cp.spawn("sh", {"-c", "test -t 1 && echo a terminal"}, {stdio = stdio})
      child:wait("close")
      print(cp.spawnSync("test", {"-t", "1"}, {stdio = stdio}).status)
    ]])
    local shell = cp.spawnSync("script", {"-qec", support.lua .. " " .. script, "/dev/null"})
    assert.equal("a terminal\r\n0\r\n", shell.stdout)
  end)

  it("may be a pipe between a child of luv's and one of ours, in either direction", function()
    assert.equal("from ours\nfrom luv's\n", outputOf([[
      local function connect(start, follow)
        local ends = uv.pipe()
        local writer, reader = uv.new_pipe(false), uv.new_pipe(false)
        writer:open(ends.write)
        reader:open(ends.read)
        start(writer)
        follow(reader)
        writer:close()
        reader:close()
        uv.run()
      end

      local function ours(file, args, stdio) cp.spawn(file, args, {stdio = stdio}) end

      local function theirs(file, args, stdio)
        local handle
        handle = assert(uv.spawn(file, {args = args, stdio = stdio}, function() handle:close() end))
      end

      connect(function(writer) ours("echo", {"from ours"}, {"ignore", writer, 2}) end,
        function(reader) theirs("cat", {}, {reader, 1, 2}) end)
      connect(function(writer) theirs("echo", {"from luv's"}, {0, writer, 2}) end,
        function(reader) ours("cat", {}, {reader, 1, 2}) end)
    ]]))
  end)

  it("may be a pipe that a synchronous call writes to", function()
    assert.equal("0\nsynchronous\n", outputOf([[
      local ends = uv.pipe({nonblock = true}, {})
      local reader, writer = uv.new_pipe(false), uv.new_pipe(false)
      reader:open(ends.read)
      writer:open(ends.write)
      print(cp.spawnSync("echo", {"synchronous"}, {stdio = {"ignore", writer, "inherit"}}).status)
      writer:close()
      reader:read_start(function(err, data)
        assert(not err, err)
        if data then io.write(data) else reader:close() end
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
