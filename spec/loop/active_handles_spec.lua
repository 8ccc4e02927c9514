-- cp.activeHandles(): what keeps `run` from returning.

local cp = require("child_process")
local dgram = require("child_process.dgram")
local loop = require("child_process.loop")
local net = require("child_process.net")
local process = require("child_process.process")
local support = require("spec.support")
local timers = require("child_process.timers")

--- The entries, each in a line: "child: cat (pid 12)".
local function lines()
  local list = {}
  for index, entry in ipairs(cp.activeHandles()) do
    assert.is_nil(entry.where) -- nothing was recorded
    list[index] = ("%s: %s"):format(entry.kind, entry.description)
  end
  return list
end

--- Expects the entries, in which % stands for any number.
local function assertActive(expected)
  local found = lines()
  for index, line in ipairs(found) do
    if not (expected[index] or ""):find("%d") then found[index] = line:gsub("%d+", "%%") end
  end
  assert.same(expected, found)
end

--- Runs the loop until a condition holds, and no longer.
local function runUntil(condition)
  support.inTime(function()
    while not condition() do
      assert.is_true(cp.run("once"), "the loop has ended")
    end
  end)
end

-- Ticks are called, and closed handles are freed.
local function settle()
  cp.run("nowait")
  cp.run("nowait")
end

describe("cp.activeHandles()", function()
  before_each(function()
    collectgarbage()
    settle()
    assertActive({})
  end)

  after_each(function()
    support.run()
    assertActive({})
    settle()
    assert.same({}, loop.handles())
  end)

  it("has a child with its command and pid, until it has ended or is unreferenced", function()
    local child = cp.spawn("sleep", {"60"}, {stdio = "ignore"})
    settle()
    assert.same({("child: sleep 60 (pid %d)"):format(child.pid)}, lines())
    child:unref()
    assert.same({}, lines())
    child:ref()
    assert.equal(1, #lines())
    child:kill()
    support.run()
    assert.same({}, lines())
  end)

  it("has the line of a shell, and quotes words where they need it", function()
    local shell = cp.spawn("sh", {"-c", "exec sleep 60"}, {stdio = "ignore"})
    local other = cp.spawn("sh", {"-c", "exec sleep 60", "a word", "a\nb's"}, {stdio = "ignore"})
    local long = cp.spawn("sleep", {"60." .. ("0"):rep(99)}, {stdio = "ignore"})
    settle()
    local list = cp.activeHandles()
    table.sort(list, function(a, b) return a.description < b.description end)
    assert.equal(("exec sleep 60 (pid %d)"):format(shell.pid), list[1].description)
    assert.equal([[sh -c 'exec sleep 60' 'a word' 'a\nb'\''s']],
      list[2].description:match("^(.*) %("))
    assert.equal("sleep 60." .. ("0"):rep(48) .. "...", list[3].description:match("^(.*) %("))
    for _, child in ipairs({shell, other, long}) do child:kill() end
  end)

  it("has the pipes that are read, or wait for room", function()
    local child = cp.spawn("sleep", {"60"}, {stdio = {"pipe", "pipe", "pipe", "pipe"}})
    settle()
    assertActive({"child: sleep % (pid %)"})
    child.stdout:on("data", function() end)
    child.stdio[3]:on("data", function() end)
    child.stderr:on("data", function() end):unref()
    child.stdin:write(("x"):rep(1024 * 1024))
    settle()
    assertActive({
      "child: sleep % (pid %)", "pipe: stdin of sleep % (pid %)",
      "pipe: stdio[%] of sleep % (pid %)", "pipe: stdout of sleep % (pid %)",
    })
    child.stdin:on("error", function() end)
    child:kill()
  end)

  it("has both ends of a pipe in the kernel only while they wait", function()
    local source = cp.spawn("sleep", {"60"})
    local target = cp.spawn("cat")
    source.stdout:pipe(target.stdin)
    target:unref()
    settle()
    assertActive({"child: sleep % (pid %)", "pipe: stdout of sleep % (pid %)"})
    source:kill()
    target:ref()
  end)

  it("has the limits of a child by the names of the options", function()
    local child = cp.spawn("sleep", {"600"}, {stdio = "ignore", timeout = 60000})
    settle()
    assertActive({
      "child: sleep % (pid %)", "timer: options.timeout of % ms for sleep % (pid %)",
    })
    child:kill()
    support.run()

    child = cp.spawn("sh", {"-c", "sleep 600 & exit"}, {
      waitDelay = 50000, tree = true, stdio = {"ignore", "pipe", "ignore"},
    })
    child.stdout:on("data", function() end)
    child:wait("exit")
    settle()
    settle()
    assertActive({
      "pipe: stdout of sleep % & exit (pid %)",
      "timer: options.waitDelay of % ms for sleep % & exit (pid %)",
    })
    child:kill("SIGKILL")
    support.run()

    child = cp.spawn("sh", {"-c", "seq 1000; echo ready >&2"})
    child.stdout:on("readable", function() end)
    child.stderr:readLine()
    child:wait("exit")
    child:dispose({grace = 70000})
    settle()
    assertActive({"timer: options.grace of % ms for seq %; echo ready >&% (pid %)"})
    child.stdout:destroy()
  end)

  it("has timers, unless they are unreferenced or over", function()
    local timeout = timers.setTimeout(function() end, 60000)
    local interval = timers.setInterval(function() end, 1234)
    local other = timers.setTimeout(function() end, 5000):unref()
    assert.same({"timer: setInterval of 1234 ms", "timer: setTimeout of 60000 ms"}, lines())
    timers.clearTimeout(timeout)
    timers.clearInterval(interval)
    assert.same({}, lines())
    other:ref()
    assert.same({"timer: setTimeout of 5000 ms"}, lines())
    other:close()
    local never = timers.setTimeout(function() end, math.huge)
    assert.same({"timer: setTimeout that never goes off"}, lines())
    never:close()
    local during
    timers.setTimeout(function() during = lines() end, 1)
    support.run()
    assert.same({}, during)
  end)

  it("has each immediate", function()
    local first = timers.setImmediate(function() end)
    timers.setImmediate(function() end)
    timers.setImmediate(function() end):unref()
    assert.same({"immediate: setImmediate", "immediate: setImmediate"}, lines())
    timers.clearImmediate(first)
    assert.same({"immediate: setImmediate"}, lines())
  end)

  it("has ticks", function()
    process:nextTick(function() end)
    assert.equal(1, #lines())
    assert.truthy(lines()[1]:find("^tick: "))
  end)

  it("has servers and connected sockets with their addresses", function()
    local server = net.createServer():listen(0, "127.0.0.1")
    local accepted
    server:on("connection", function(socket)
      accepted = socket:on("data", function() end)
    end)
    local client = net.connect(server:address().port, "127.0.0.1"):on("data", function() end)
    runUntil(function() return accepted and not client.connecting end)
    settle()
    local expected = {"server: listens on 127.0.0.1:" .. server:address().port}
    for _, socket in ipairs({accepted, client}) do
      expected[#expected + 1] = "socket: connected with 127.0.0.1:" .. socket.remotePort
    end
    table.sort(expected)
    assert.same(expected, lines())
    client:unref()
    server:unref()
    assert.equal(1, #lines())
    server:close()
    client:destroy()
  end)

  it("has servers on paths, and sockets that connect to them", function()
    local path = support.tmpdir() .. "/socket"
    local server = net.createServer():listen(path)
    settle()
    assert.same({"server: listens on " .. path}, lines())
    local client = net.connect(path)
    client:on("connect", function()
      client:destroy()
      server:close()
    end)
    assert.truthy(table.concat(lines(), "\n"):find("socket: connects to " .. path, 1, true))
  end)

  it("has lookups of hosts", function()
    local socket = net.connect({host = "localhost", port = 9}):on("error", function() end)
    local server = net.createServer():listen(0, "localhost")
    local udp = dgram.createSocket("udp4")
    udp:send("x", 9, "localhost", function() udp:close() end)
    server:on("listening", function() server:close() end)
    local found = {}
    for _, line in ipairs(lines()) do
      if line:find("^lookup") then found[#found + 1] = line end
    end
    assert.same({
      "lookup: of the host localhost", "lookup: of the host localhost:0",
      "lookup: of the host localhost:9",
    }, found)
    socket:destroy()
  end)

  it("has UDP sockets", function()
    local socket = dgram.createSocket("udp4")
    socket:bind(0, "127.0.0.1")
    settle()
    assert.same({"udp: bound to 127.0.0.1:" .. socket:address().port}, lines())
    socket:unref()
    assert.same({}, lines())
    socket:ref()
    socket:close()
  end)

  it("has channels", function()
    local child = cp.fork(support.script([[
      local cp = require("child_process")
      process:on("message", function()
        local list = {}
        for index, entry in ipairs(cp.activeHandles()) do
          list[index] = entry.kind .. ": " .. entry.description
        end
        process:send(list)
        process:disconnect()
      end)
    ]]))
    local theirs
    child:on("message", function(message) theirs = message end)
    child:send("show")
    local found = table.concat(lines(), "\n")
    assert.truthy(found:find(("channel: to [^\n]*%%(pid %d%%)"):format(child.pid)))
    support.run()
    assert.same({"channel: to the parent"}, theirs)
  end)

  it("has a closed channel with messages that are not read", function()
    local child = cp.spawn("sh", {"-c", "echo garbage >&3; exec sleep 60"}, {
      stdio = {"ignore", "ignore", "ignore", "ipc"},
    })
    local failed
    child:on("error", function(err) failed = err end)
    child:send(("x"):rep(2 * 1024 * 1024))
    runUntil(function() return failed end)
    assert.equal("ERR_IPC_INVALID_MESSAGE", failed.code)
    assertActive({
      "channel: closed, with messages that the other side has not read",
      "child: echo garbage >&%; exec sleep % (pid %)",
    })
    child:kill()
  end)

  it("has our standard input while it is read", function()
    local child = cp.spawn(support.lua, {support.script([[
      local cp = require("child_process")
      local process = require("child_process.process")
      process.stdin:on("data", function()
        for _, entry in ipairs(cp.activeHandles()) do print(entry.kind, entry.description) end
        process.stdin:destroy()
      end)
      cp.run()
      print(#cp.activeHandles())
    ]])})
    child.stdin:write("x")
    assert.equal("stdio\tstdin of this program\n0\n", support.outputOfSuccess(child))
  end)

  it("has no listeners of signals, which keep nothing alive", function()
    local function listener() end
    process:on("SIGUSR2", listener)
    assert.same({}, lines())
    process:off("SIGUSR2", listener)
  end)

  it("has a signal that was caught and is not delivered yet", function()
    local caught, name
    local function listener(signal) name = signal end
    process:on("SIGUSR2", listener)
    process:kill(process.pid, "SIGUSR2")
    local keeper = timers.setInterval(function() end, 1)
    runUntil(function()
      caught = table.concat(lines(), "\n"):match("signal: [^\n]*")
      return caught or name
    end)
    assert.equal("signal: a listener of process is about to be called", caught)
    runUntil(function() return name end)
    process:off("SIGUSR2", listener)
    keeper:close()
  end)

  it("has a hundred children", function()
    local children = {}
    for index = 1, 100 do
      children[index] = cp.spawn("sleep", {"60"}, {stdio = "ignore"})
    end
    settle()
    assert.equal(100, #lines())
    for _, child in ipairs(children) do child:kill() end
  end)

  it("can be called in a listener, in a coroutine, and when the loop was never run", function()
    local seen = {}
    -- another process holds the output when the child has ended
    local child = cp.spawn("sh", {"-c", "sleep 60 & exit"},
      {tree = true, stdio = {"ignore", "pipe", "ignore"}})
    child.stdout:resume()
    seen.start = #lines()
    child:on("exit", function()
      seen.exit = lines()
      assert.is_true(child:kill("SIGKILL"))
    end)
    cp.async(function()
      child:wait("close")
      seen.coroutine = #lines()
    end)
    support.run()
    assert.equal(2, seen.start)
    assert.equal(1, #seen.exit)
    assert.matches("^pipe: stdout of sleep 60 & exit ", seen.exit[1])
    assert.equal(0, seen.coroutine)
  end)

  it("is loop.activeHandles, too", function()
    assert.equal(loop.activeHandles, cp.activeHandles)
  end)

  it("makes a list of its own each time", function()
    local timer = timers.setTimeout(function() end, 60000)
    local first = cp.activeHandles()
    first[1].kind = "changed"
    first[2] = 5
    assert.same({"timer: setTimeout of 60000 ms"}, lines())
    timer:close()
  end)
end)

describe("cp.activeHandles() beside luv", function()
  it("has one entry for the handles that keep luv's loop alive", function()
    local probe = cp.spawnSync(support.lua, {"-e", "require('luv')"}, {stdio = "ignore"})
    if probe.status ~= 0 then pending("luv is not installed") end
    local output = support.runScript([[
      local uv = require("luv")
      local function show()
        for _, entry in ipairs(cp.activeHandles()) do print(entry.kind, entry.description) end
        print("-")
      end
      local first, second, tcp = uv.new_timer(), uv.new_timer(), uv.new_tcp()
      first:start(60000, 0, function() end)
      second:start(60000, 0, function() end)
      tcp:bind("127.0.0.1", 0)
      tcp:listen(1, function() end)
      local child = cp.spawn("sleep", {"60"}, {stdio = "ignore"})
      cp.run("nowait")
      show()
      first:unref()
      second:close()
      tcp:close()
      child:kill()
      cp.run()
      show()
    ]])
    assert.equal("child\tsleep 60 (pid N)\nluv\thandles of luv: 2 timer, tcp\n-\n-\n",
      (output:gsub("pid %d+", "pid N")))
  end)
end)
