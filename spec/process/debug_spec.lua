-- CHILD_PROCESS_DEBUG=1: lines on stderr about children, messages and streams; and where the
-- entries of cp.activeHandles() were made.

local process = require("child_process.process")
local support = require("spec.support")

---@class DebugLine
---@field pid integer of the process that has written it
---@field time number seconds since its start
---@field event "start"|"exit"|"end"|"send"|"receive"
---@field text string

--- Reads the lines of a text, all of which have to be of this kind.
---@param text string
---@return DebugLine[]
local function parse(text)
  local list = {}
  for index, line in ipairs(support.lines(text)) do
    local pid, time, event, rest = line:match("^child_process (%d+) (%d+%.%d+) (%l+): (.+)$")
    assert.truthy(pid, line)
    list[index] = {pid = tonumber(pid), time = tonumber(time), event = event, text = rest}
  end
  return list
end

local function environment(value)
  return setmetatable({CHILD_PROCESS_DEBUG = value}, {__index = process.env})
end

--- Runs a script with the variable. Numbers that differ from run to run become N in the texts.
---@param text string
---@param before? string as for support.runScript
---@return string stdout
---@return string[] lines "event: text", in the order in which they came
---@return DebugLine[]
local function run(text, before)
  local stdout, stderr = support.runScript(text, before, {env = environment("1")})
  local lines, seen = parse(stderr), {}
  for index, line in ipairs(lines) do
    seen[index] = ("%s: %s"):format(line.event, line.text):gsub("pid %d+", "pid N")
      :gsub("%d+ us", "N us"):gsub("[%d.]+ ms", "N ms"):gsub(", at most %d+ KiB", "")
      :gsub(", N ms of processor time", "") -- an emulator may not tell
  end
  return stdout, seen, lines
end

local function sorted(list)
  table.sort(list)
  return list
end

describe("CHILD_PROCESS_DEBUG=1", function()
  it("writes a line for the start and for the end of a child, and for the end of each stream",
    function()
      local _, seen, lines = run([[
        cp.spawn("sh", {"-c", "cat; exit 3"}):on("spawn", function(child) end)
          .stdin:finish("hello")
        cp.run()
      ]])
      assert.equal("start: cat; exit 3 (pid N), took N us", seen[1])
      assert.same({
        "end: stderr of cat; exit 3 (pid N), 0 bytes read",
        "end: stdin of cat; exit 3 (pid N), 5 bytes written",
        "end: stdout of cat; exit 3 (pid N), 5 bytes read",
        "exit: cat; exit 3 (pid N), code 3, after N ms",
        "start: cat; exit 3 (pid N), took N us",
      }, sorted(seen))
      for index, line in ipairs(lines) do
        assert.equal(lines[1].pid, line.pid)
        assert.is_true(line.time >= 0 and (index == 1 or line.time >= lines[index - 1].time))
      end
    end)

  it("tells of children on another host", function()
    local _, seen = run([[
      local h = require("spec.support.agents").connect(nil, {env = setmetatable(
        {CHILD_PROCESS_DEBUG = "0"}, {__index = require("child_process.process").env})})
      cp.spawn("sh", {"-c", "exit 3"}, {host = h, stdio = "ignore"}):on("close", function()
        local missing = cp.spawn("nonexistent", {host = h, stdio = "ignore"})
        missing:on("error", function() end)
        missing:on("close", function() h:close() end)
      end)
      cp.run()
    ]])
    local host = [[host 'sh -c 'exec "$@"' sh']]
    local told = {}
    for _, line in ipairs(seen) do
      if line:find("on " .. host, 1, true) then told[#told + 1] = line end
    end
    assert.same({
      "start: exit 3 (pid N on " .. host .. "), took N us",
      "exit: exit 3 (pid N on " .. host .. "), code 3, after N ms",
      "start: nonexistent failed: ENOENT, on " .. host,
    }, told)
  end)

  it("has the pid that child.pid is, and the signal that ended the child", function()
    local stdout, _, lines = run([[
      local child = cp.spawn("sleep", {"60"}, {stdio = "ignore"})
      print(child.pid)
      child:kill("SIGKILL")
      cp.run()
    ]])
    local pid = stdout:match("%d+")
    assert.equal(2, #lines)
    assert.equal(("sleep 60 (pid %s), "):format(pid), lines[1].text:match("^(.*)took"))
    assert.truthy(lines[2].text:find(("sleep 60 (pid %s), signal SIGKILL, "):format(pid), 1, true))
  end)

  it("has the processor time, and the memory where it is known", function()
    if support.isEmulated() then pending("an emulator counts what it uses itself") end
    -- A child of the shell does not take over the peak of the process that runs the specs.
    local _, _, lines = run(([[
      cp.spawn(%q, {"-e", "text = ('x'):rep(64 * 1024 * 1024)"}, {stdio = "ignore"})
      cp.run()
    ]]):format(support.lua), '"$0" "$1"; exit')
    local time, memory = lines[2].text:match(", ([%d.]+) ms of processor time, at most (%d+) KiB$")
    assert.is_true(tonumber(time) > 0 and tonumber(memory) >= 64 * 1024)
  end)

  it("writes a line for a program that cannot be started", function()
    local _, seen = run([[
      cp.spawn("no such program", {"a", "b c"}):on("error", function() end)
      cp.spawnSync("no such program")
      cp.run()
    ]])
    assert.same({
      "start: 'no such program' a 'b c' failed: ENOENT", "start: 'no such program' failed: ENOENT",
    }, seen)
  end)

  it("writes lines for exec and for the synchronous calls", function()
    local _, seen = run([[
      cp.exec("printf 1234567", function(_, stdout) assert(stdout == "1234567") end)
      cp.run()
      cp.execSync("printf 123")
      cp.spawnSync("sh", {"-c", "kill -KILL $$"}, {stdio = "ignore"})
    ]])
    assert.same({
      "end: stderr of printf 1234567 (pid N), 0 bytes read",
      "end: stdin of printf 1234567 (pid N), 0 bytes written",
      "end: stdout of printf 1234567 (pid N), 7 bytes read",
      "exit: printf 1234567 (pid N), code 0, after N ms",
      "start: printf 1234567 (pid N), took N us",
    }, sorted({seen[1], seen[2], seen[3], seen[4], seen[5]}))
    assert.same({
      "end: stderr of printf 123 (pid N), 0 bytes read",
      "end: stdout of printf 123 (pid N), 3 bytes read",
      "exit: kill -KILL $$ (pid N), signal SIGKILL, after N ms",
      "exit: printf 123 (pid N), code 0, after N ms",
      "start: kill -KILL $$ (pid N), synchronous", "start: printf 123 (pid N), synchronous",
    }, sorted({seen[6], seen[7], seen[8], seen[9], seen[10], seen[11]}))
    assert.equal(11, #seen)
  end)

  it("counts what is piped from child to child", function()
    local _, seen = run([[
      local head = cp.spawn("head", {"-c", "100000", "/dev/zero"})
      local count = cp.spawn("wc", {"-c"}, {stdio = {"pipe", "inherit", "inherit"}})
      head.stdout:pipe(count.stdin)
      cp.run()
    ]])
    local text = table.concat(seen, "\n")
    assert.truthy(text:find("end: stdout of head -c 100000 /dev/zero (pid N), 100000 bytes read", 1,
      true))
    assert.truthy(text:find("end: stdin of wc -c (pid N), 100000 bytes written", 1, true))
  end)

  for _, serialization in ipairs({"json", "advanced"}) do
    it("writes lines for messages, in the child, too, with the same sizes: " .. serialization,
      function()
        local script = support.script([[
          process:on("message", function(message)
            process:send(message .. message)
            if message == "last" then process:disconnect() end
          end)
        ]])
        local stdout, _, lines = run(([[
          local child = cp.fork(%q, {}, {serialization = %q})
          child:on("message", function(message) print(message) end)
          child:send(("x"):rep(1000))
          child:send("last")
          cp.run()
        ]]):format(script, serialization))
        assert.equal(("x"):rep(2000) .. "\nlastlast\n", stdout)
        local sizes = {}
        for _, line in ipairs(lines) do
          local bytes, peer = line.text:match("^(%d+) bytes %l+ (.*)$")
          if bytes then
            local who = peer == "the parent" and "child" or "parent"
            local key = who .. " " .. line.event
            sizes[key] = (sizes[key] or "") .. bytes .. " "
            if who == "parent" then
              assert.equal(script, peer:match("^%S+ (%S+) %(pid %d+%)$"))
              assert.equal(lines[1].pid, line.pid)
            else
              assert.equal(tonumber(lines[1].text:match("pid (%d+)")), line.pid)
            end
          end
        end
        assert.equal(sizes["parent send"], sizes["child receive"])
        assert.equal(sizes["child send"], sizes["parent receive"])
        assert.is_true(tonumber(sizes["parent send"]:match("%d+")) > 1000)
        assert.truthy(sizes["parent receive"]:find("^2%d%d%d %d+ $"))
      end)
  end

  it("writes a line for a message with a handle", function()
    local script = support.script([[
      process:on("message", function(_, server)
        server:close()
        process:disconnect()
      end)
    ]])
    local _, _, lines = run(([[
      local server = require("child_process.net").createServer():listen(0)
      local child = cp.fork(%q)
      child:send("server", server, function() server:close() end)
      cp.run()
    ]]):format(script))
    local received, sent
    for _, line in ipairs(lines) do
      local bytes = tonumber(line.text:match("^(%d+) bytes"))
      if line.event == "send" and bytes then sent = (sent or 0) + bytes end
      if line.event == "receive" and line.pid ~= lines[1].pid then received = bytes end
    end
    assert.equal(sent, received)
  end)

  it("writes the lines of two children that run at once", function()
    local _, seen = run([[
      for _ = 1, 2 do cp.spawn("true", {stdio = "ignore"}) end
      cp.run()
    ]])
    assert.same({
      "exit: true (pid N), code 0, after N ms", "exit: true (pid N), code 0, after N ms",
      "start: true (pid N), took N us", "start: true (pid N), took N us",
    }, sorted(seen))
  end)

  it("keeps a command with line ends in one line, and shortens a long one", function()
    local _, seen = run([[
      cp.spawn("true", {"a\nb", ("c"):rep(300)}, {stdio = "ignore"})
      cp.run()
    ]])
    assert.equal(2, #seen)
    assert.truthy(seen[1]:find("^start: true 'a\\nb' c+%.%.%. %(pid N%), took N us$"))
    assert.is_true(#seen[1] < 250)
  end)

  it("does not mind a closed stderr", function()
    assert.equal("0\n", (support.runScript([[
      io.stderr:close()
      cp.spawn("true", {stdio = "ignore"}):on("exit", function(code) print(code) end)
      cp.run()
    ]], "exec 2>&-", {env = environment("1")})))
  end)

  it("lets programs work as without it", function()
    local text = [[
      local net = require("child_process.net")
      local server = net.createServer(function(socket) socket:finish("from the server") end)
      server:listen(0, "127.0.0.1", function()
        net.connect(server:address().port):on("data", print):on("close", function()
          server:close()
        end)
      end)
      local child = cp.spawn("cat")
      child.stdout:on("data", print)
      child.stdin:finish("through cat")
      cp.exec("echo $0 >&2; exit 4", function(err, _, stderr)
        print(err.code, stderr)
        print(pcall(cp.execSync, "exit 3", {stdio = "pipe"}))
      end)
      local promise = cp.promises.exec("echo awaited")
      print(promise:await().stdout)
      cp.run()
    ]]
    local without = support.runScript(text)
    local with = support.runScript(text, nil, {env = environment("1")})
    assert.same(sorted(support.lines(without)), sorted(support.lines(with)))
  end)
end)

describe("Without CHILD_PROCESS_DEBUG=1", function()
  for _, value in ipairs({"0", "", "true"}) do
    it(("nothing is written, recorded or loaded: %q"):format(value), function()
      local stdout, stderr = support.runScript([[
        require("child_process.timers").setTimeout(function() end, 1)
        cp.spawn("true", {stdio = "ignore"})
        for _, handle in ipairs(cp.activeHandles()) do assert(handle.where == nil) end
        cp.run()
        cp.execSync("true")
        for name in pairs(package.loaded) do
          if name:find("debug$") or name:find("origins$") then print(name) end
        end
      ]], nil, {env = environment(value)})
      assert.equal("debug\n", stdout) -- that of Lua
      assert.equal("", stderr)
    end)
  end
end)

describe("`where` of cp.activeHandles() with CHILD_PROCESS_DEBUG=1", function()
  it("is the traceback of the creation, from the program's first line on", function()
    local stdout = support.runScript([[
      local dgram = require("child_process.dgram")
      local net = require("child_process.net")
      local timers = require("child_process.timers")
      local function make(name)
        local line = debug.getinfo(1, "l").currentline + 1
        local result = ({
          child = function() return cp.spawn("sleep", {"60"}, {stdio = "ignore"}) end,
          timer = function() return timers.setTimeout(function() end, 60000) end,
          immediate = function() return timers.setImmediate(function() end) end,
          server = function() return net.createServer():listen(0) end,
          udp = function() return dgram.createSocket("udp4"):bind(0) end,
          lookup = function() return net.connect({host = "localhost", port = 9}) end,
        })[name]()
        return result, line
      end
      local objects = {}
      for _, name in ipairs({"child", "timer", "immediate", "server", "udp", "lookup"}) do
        objects[name] = make(name)
      end
      for _, handle in ipairs(cp.activeHandles()) do
        local where = handle.where
        print(handle.kind, where and where:match("^stack traceback:\n\t[^\n]-script%.lua:(%d+): in")
          and where:find("in main chunk", 1, true) and "known" or "unknown")
      end
      objects.child:kill()
      objects.timer:close()
      objects.server:close()
      objects.udp:close()
      objects.lookup:destroy()
      cp.run()
    ]], nil, {env = environment("1")})
    assert.equal("child\tknown\nimmediate\tknown\nlookup\tknown\nserver\tknown\ntick\tunknown\n"
      .. "timer\tknown\nudp\tknown\n", stdout)
  end)

  it("is the same for a child and its pipes", function()
    local stdout = support.runScript([[
      local child = cp.spawn("sleep", {"60"})
      child.stdout:on("data", function() end)
      cp.run("nowait")
      local list = cp.activeHandles()
      print(#list, list[1].kind, list[2].kind, list[1].where == list[2].where)
      child:kill()
      cp.run()
    ]], nil, {env = environment("1")})
    assert.equal("2\tchild\tpipe\ttrue\n", stdout)
  end)
end)
