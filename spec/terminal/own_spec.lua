-- The terminal of this program itself: process.stdin in raw mode, the size of process.stdout.

local cp = require("child_process")
local support = require("spec.support")
local terminals = require("spec.support.terminals")

--- Runs a Lua script at a terminal, where `mode()` returns the mode of that.
---@return string # what was printed
---@return string status
---@return boolean # whether the terminal was in its usual mode afterwards
local function run(text, keys, options)
  local script = support.script([[
    local cp = require("child_process")
    local process = require("child_process.process")
    io.stdout:setvbuf("no")
    local function mode()
      local file = io.popen("stty -a </dev/tty")
      local all = file:read("*a")
      file:close()
      return (all:find("-icanon", 1, true) and "raw" or "usual")
        .. (all:find("-opost", 1, true) and " both" or "")
    end
  ]] .. text)
  local child = cp.spawn("sh", {"-c", [[
    ulimit -c 0
    "$0" "$1"
    echo "status $?"
    stty -a | grep -o -- '-*icanon'
    stty -a | grep -o -- '-*opost'
  ]], support.lua, script}, support.merge({terminal = {echo = false}}, options))
  local printed = terminals.converse(child, keys):gsub("\r", "")
  return printed, printed:match("status (%d+)"), printed:find("\nicanon\nopost\n", 1, true) ~= nil
end

describe("process.stdin:setRawMode", function()
  it("passes keys on at once", function()
    local printed, status, isUsual = run([[
      print(process.stdin.isTTY, process.stdin.isRaw, process.stdin:setRawMode(true).isRaw, mode())
      process.stdin:on("data", function(data)
        print("key " .. data:byte() .. ".")
        if data == "q" then
          process.stdin:setRawMode(false)
          print(process.stdin.isRaw, mode())
          process.stdin:pause()
        end
      end)
      print("ready")
      cp.run()
    ]], {"ready", "a", "97.", "\3", "key 3.", "q"})
    assert.truthy(printed:find("true\tfalse\ttrue\traw\n", 1, true), printed)
    assert.truthy(printed:find("false\tusual\n", 1, true), printed)
    assert.equal("0", status)
    assert.is_true(isUsual)
  end)

  it("leaves output as it is only where that is asked for", function()
    local printed = run([[
      process.stdin:setRawMode(true, {output = true})
      io.write(mode(), "\n")
      process.stdin:setRawMode(true)
      io.write(mode(), "\n")
    ]], {})
    assert.truthy(printed:find("^raw both\nraw\n"), printed)
  end)

  for name, ending in pairs({
    ["the end of the script"] = "",
    ["os.exit"] = "os.exit(0)",
    ["an error"] = "error('wrong')",
    ["process:exit"] = "process:exit(0)",
    ["an error in a callback"] = "process:nextTick(error, 'wrong') cp.run()",
    ["SIGTERM"] = "process:kill(process.pid, 'SIGTERM') cp.run()",
    ["SIGINT"] = "require('child_process.core').resetInterrupt() process.stdin:setRawMode(true) "
      .. "process:kill(process.pid, 'SIGINT') cp.run()",
    ["SIGQUIT while there are trees"] = "local child = cp.spawn('sleep', {'600'}, {tree = true, "
      .. "stdio = 'ignore'}) process:kill(process.pid, 'SIGQUIT') cp.run()",
    ["SIGQUIT after there were trees"] = "cp.spawnSync('true', {tree = true}) "
      .. "process:kill(process.pid, 'SIGQUIT') cp.run()",
    ["SIGHUP, which had a listener"] = "local function f() end process:on('SIGHUP', f) "
      .. "process:off('SIGHUP', f) process:kill(process.pid, 'SIGHUP') cp.run()",
    ["SIGABRT"] = "process:kill(process.pid, 'SIGABRT') cp.run()",
  }) do
    it("is undone by " .. name, function()
      local printed, status, isUsual = run([[
        process.stdin:setRawMode(true)
        print(mode())
      ]] .. ending, {})
      assert.truthy(printed:find("^raw\n"), printed)
      assert.is_true(isUsual, printed)
      assert.equal(name:find("^SIG") ~= nil, tonumber(status) > 128)
    end)
  end

  it("is not undone by a copy of the process", function()
    local folder = support.hostModule()
    local printed, _, isUsual = run(([[
      package.cpath = "%s/?.so;" .. package.cpath
      local host = require("host")
      process.stdin:setRawMode(true)
      local copy = host.fork()
      if copy == 0 then os.exit(0) end
      host.await(copy)
      print(mode())
    ]]):format(folder), {})
    assert.truthy(printed:find("^raw\n"), printed)
    assert.is_true(isUsual)
  end)

  it("needs a terminal, and a boolean", function()
    local stdout = support.runScript([[
      local process = require("child_process.process")
      local stdin = process.stdin
      print(stdin.isTTY, process.stdout.columns)
      local ok, err = pcall(stdin.setRawMode, stdin, true)
      print(err.code, err.message)
      ok, err = pcall(stdin.setRawMode, stdin)
      print(err.code)
      ok, err = pcall(stdin.setRawMode, stdin, true, {output = 1})
      print(err.code)
    ]])
    assert.same({"false\tnil", "ENOTTY\tsetRawMode ENOTTY: "
      .. "descriptor 0 is not a terminal (isTTY)", "ERR_INVALID_ARG_TYPE", "ERR_INVALID_ARG_TYPE"},
      support.lines(stdout))
  end)
end)

describe("process.stdout at a terminal", function()
  it("has its size", function()
    local printed = run([[
      print(process.stdout.columns, process.stdout.rows, process.stderr.columns)
      os.execute("stty cols 50")
      print(process.stdout.columns, process.stdout.rows)
    ]], {}, {terminal = {columns = 99, rows = 22}})
    assert.truthy(printed:find("^99\t22\t99\n50\t22\n"), printed)
  end)

  it("has a size that cannot be set", function()
    local printed = run([[
      for _, stream in ipairs({process.stdout, process.stderr}) do
        stream.own = "own"
        print(stream.own, pcall(function() stream.columns = 10 end))
        print(stream.columns)
      end
    ]], {}, {terminal = {columns = 99}})
    for _, name in ipairs({"stdout", "stderr"}) do
      assert.truthy(printed:find(("own\tfalse\tTypeError [ERR_INVALID_ARG_VALUE]: The property "
        .. "'process.%s.columns' cannot be set: it is what the terminal says. Received 10\n99\n")
        :format(name), 1, true), printed)
    end
  end)

  it("emits resize", function()
    local script = support.script([[
      local cp = require("child_process")
      local process = require("child_process.process")
      local timers = require("child_process.timers")
      io.stdout:setvbuf("no")
      local alive = timers.setInterval(function() end, 1000)
      local function listener()
        print("resized", process.stdout.columns, process.stdout.rows)
        process.stdout:off("resize", listener)
        alive:close()
      end
      process.stdout:once("resize", function() print("once") end)
      process.stdout:on("resize", listener)
      print("ready")
      cp.run()
      print(process.stdout:listenerCount("resize"))
    ]])
    local child = cp.spawn(support.lua, {script}, {terminal = true})
    local printed = terminals.converse(child, {"ready", function()
      child.terminal:resize(90, 30)
    end})
    assert.equal("ready\r\nonce\r\nresized\t90\t30\r\n0\r\n", printed)
  end)

  it("lets the loop end although it is listened to", function()
    local printed = run([[
      process.stdout:on("resize", print)
      cp.run()
      print("over")
    ]], {})
    assert.truthy(printed:find("^over\n"), printed)
  end)

  it("lets trees know of the new size, too", function()
    local script = support.script([[
      local cp = require("child_process")
      local process = require("child_process.process")
      process.stdout:on("resize", function() end)
      cp.spawn("sh", {"-c", "trap 'echo tree; exit' WINCH; echo ready; "
          .. "while :; do sleep 0.01; done"},
        {tree = true, stdio = {"ignore", "inherit", "inherit"}})
      cp.run()
    ]])
    local child = cp.spawn(support.lua, {script}, {terminal = true})
    local printed = terminals.converse(child, {"ready", function()
      child.terminal:resize(90, 30)
    end})
    assert.equal("ready\r\ntree\r\n", printed)
  end)
end)

describe("A program at our terminal", function()
  it("that passes on its own to a child gets keys and sizes through", function()
    local script = support.script([[
      local cp = require("child_process")
      local process = require("child_process.process")
      local stdin, stdout = process.stdin, process.stdout
      local child = cp.spawn("sh", {"-c", "stty size; trap 'stty size' WINCH; echo inner; "
          .. "until read a; do :; done; echo got $a; read b; echo got $b"},
        {terminal = {columns = stdout.columns, rows = stdout.rows}})
      stdin:setRawMode(true, {output = true})
      stdin:pipe(child.terminal)
      child.terminal:pipe(stdout)
      stdout:on("resize", function() child.terminal:resize(stdout.columns, stdout.rows) end)
      child:on("close", function() stdin:pause() end)
      cp.run()
    ]])
    local child = cp.spawn(support.lua, {script}, {terminal = {columns = 71, rows = 17}})
    local printed = terminals.converse(child, {
      "17 71", "",
      "inner", function() child.terminal:resize(72, 18) end,
      "18 72", "", "", "one\n", "got one", "two\n",
    })
    assert.truthy(printed:find("got two\r\n", 1, true), printed)
    assert.equal(0, child.exitCode)
  end)
end)

