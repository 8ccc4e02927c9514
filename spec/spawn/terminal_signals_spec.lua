-- Signals of the terminal, which are passed on to trees.

local support = require("spec.support")
local terminals = require("spec.support.terminals")
local trees = require("spec.support.trees")

local CTRL_C, CTRL_BACKSLASH = terminals.CTRL_C, terminals.CTRL_BACKSLASH
local CTRL_Z, runScript = terminals.CTRL_Z, terminals.runScript

-- Lua code: `count` starts a shell that prints how often it got a signal, as soon as its stdin has
-- ended, which is when this program ends.
local COUNT = [=[
  local COUNTER = [[
    n=0
    trap "n=\$((n + 1)); echo got \$n" %s
    exec 3<&0
    cat <&3 >/dev/null & cat=$!
    echo ready
    while kill -0 $cat 2>/dev/null; do wait $cat; done
    echo total $n
  ]]

  local function count(signal, options)
    options = options or {tree = true}
    options.stdio = options.stdio or {"pipe", "inherit", "inherit", 3}
    local child = cp.spawn("sh", {"-c", COUNTER:format(signal)}, options)
    print("started")
    return child
  end
]=]

local STARTED = {"ready", "started"}

-- The stock interpreter handles SIGINT.
local DEFAULT = "require('child_process.core').resetInterrupt()\n"

local function total(text, keys, command)
  return tonumber(runScript(COUNT .. text, keys, command):match("total (%d+)"))
end

describe("Ctrl-C", function()
  it("reaches a tree once", function()
    assert.equal(1, total("count('INT') cp.run()", {STARTED, CTRL_C}))
    assert.equal(1, total(DEFAULT .. "count('INT') cp.run()", {STARTED, CTRL_C}))
    assert.equal(1, total("count('INT', {processGroup = 0, tree = true}) cp.run()",
      {STARTED, CTRL_C}))
  end)

  it("reaches all trees, and other children as always", function()
    local texts = {}
    for i = 1, 70 do texts[2 * i - 1], texts[2 * i] = "ready", "started" end
    local printed = runScript(COUNT .. "for i = 1, 70 do count('INT') end cp.run()",
      {texts, CTRL_C})
    assert.equal(70, select(2, printed:gsub("total 1\n", "")))
    assert.equal(1, total("count('INT', {}) cp.run()", {STARTED, CTRL_C}))
  end)

  it("does to this program what it does without trees", function()
    local script = "cp.spawn('sh', {'-c', 'echo ready; exec sleep 600'}, {tree = %s, "
      .. "stdio = {'pipe', 'inherit', 'inherit'}}) print('started') cp.run()"
    for _, interrupt in ipairs({"", DEFAULT}) do
      local statuses = {}
      for index, tree in ipairs({"true", "false"}) do
        local printed = runScript(interrupt .. script:format(tree), {STARTED, CTRL_C})
        statuses[index] = printed:match("ended with (%d+)\n")
      end
      assert.equal(statuses[2], statuses[1])
      if interrupt == DEFAULT then assert.equal("130", statuses[1]) end
    end
  end)

  it("reaches the tree of a synchronous call", function()
    assert.truthy(runScript(
      [[local result = cp.spawnSync("sh", {"-c", "trap 'echo got; exit 3' INT; echo ready; "
          .. "while :; do sleep 0.01; done"},
          {tree = true, stdio = {"ignore", "inherit", "inherit"}})
        print("status", result.status)]], {"ready", CTRL_C}):find("got\n", 1, true))
  end)

  it("reaches a tree while Lua code runs", function()
    -- code that LuaJIT has compiled cannot be interrupted
    local text = support.withoutCompiler .. "count('INT') while true do end"
    assert.equal(1, total(text, {STARTED, CTRL_C}))
    assert.equal(1, total(DEFAULT .. text, {STARTED, CTRL_C}))
  end)

  it("reaches a tree each time, the first one being an error in the stock interpreter", function()
    local printed = runScript(COUNT .. [[
      count("INT")
      print(pcall(function() print("on") cp.run() end))
      for i = 1, 2 do print(pcall(cp.run)) end
    ]], {{"ready", "on\r\n"}, CTRL_C, {"got 1", "interrupted!"}, CTRL_C})
    if not printed:find("interrupted!", 1, true) then
      support.skip("this interpreter does not handle SIGINT")
    end
    assert.matches("total 2\n", printed, 1, true)
    assert.matches("ended with 130\n", printed, 1, true)
  end)

  it("is not passed on while process listens for it", function()
    local text = [[
      local child = count("INT")
      local function listener() print("heard") child.stdin:finish() end
    ]]
    assert.equal(0, total(text .. "process:on('SIGINT', listener) print('on') cp.run()",
      {{"ready", "on\r\n"}, CTRL_C}))
    -- before the first tree
    assert.equal(0, total("process:on('SIGINT', function() os.exit() end)" .. text .. "cp.run()",
      {STARTED, CTRL_C}))
    -- and again when the last listener was removed
    assert.equal(1, total(text .. [[
      process:on("SIGINT", listener)
      process:off("SIGINT", listener)
      print("off")
      cp.run()
    ]], {{"ready", "off\r\n"}, CTRL_C}))
  end)

  it("is not passed on with terminalForeground = false, or to a detached child", function()
    assert.equal(0, total("count('INT', {tree = true, terminalForeground = false}) cp.run()",
      {STARTED, CTRL_C}))
    assert.equal(0, total("count('INT', {tree = true, detached = true}) cp.run()",
      {STARTED, CTRL_C}))
  end)

  it("reaches nobody who is not asked to pass it on: copies of this program do not", function()
    local hostModule = support.hostModule()
    assert.equal(0, total(([[
      package.cpath = "%s/?.so;" .. package.cpath
      local host = require("host")
      local child = count("INT")
      io.stdout:flush()
      local pid = host.fork()
      if pid == 0 then
        os.execute("kill -INT $PPID")
        print("copy goes on")
        host.exit(0)
      end
      host.await(pid)
    ]]):format(hostModule), {}))
  end)
end)

describe("Ctrl-\\", function()
  it("reaches a tree once, and ends this program", function()
    local printed = runScript(COUNT .. "count('QUIT') cp.run()", {STARTED, CTRL_BACKSLASH})
    assert.matches("total 1\n", printed, 1, true)
    assert.matches("ended with 131\n", printed, 1, true)
  end)
end)

describe("Ctrl-Z", function()
  local STOPPED = [[
    set -m
    "$0" "$1"
    echo stopped with $?
    read line
    fg >/dev/null
    echo ended with $?
  ]]

  it("stops a tree with this program, and both go on together", function()
    local printed = runScript([[
      local child = cp.spawn("sh", {"-c", "trap 'echo continued; exit 3' CONT; echo ready; "
        .. "while :; do sleep 0.01; done"}, {tree = true, stdio = {"ignore", "inherit", "inherit"}})
      child:on("exit", function(code) print("exit", code) end)
      cp.run()
    ]], {"ready", CTRL_Z, "stopped", "\n"}, STOPPED)
    assert.matches("stopped with 148\n\ncontinued\nexit\t3\nended with 0\n", printed, 1, true)
  end)

  it("stops a tree once, and continues it once", function()
    local printed = runScript([[
      local child = cp.spawn("sh", {"-c", "trap 'echo stop >&2' TSTP; trap 'echo continued' CONT; "
        .. "sleep 600 & echo ready >&2; while :; do wait $!; done"},
        {tree = true, stdio = {"ignore", "pipe", "inherit"}})
      child.stdout:on("data", function(data)
        io.write(data)
        child:kill("SIGKILL")
      end)
      child:on("exit", function(_, signal) print("exit", signal) end)
      cp.run()
    ]], {"ready", CTRL_Z, "stop\r\n", "\n"}, STOPPED)
    assert.equal(1, select(2, printed:gsub("stop\n", "")))
    assert.equal(1, select(2, printed:gsub("continued\n", "")))
    assert.matches("exit\tSIGKILL\n", printed, 1, true)
  end)

  it("stops nobody if no shell could continue us", function()
    local printed = runScript([[
      local child = cp.spawn("sh", {"-c", "trap 'exit 3' CONT; echo ready; "
        .. "while :; do sleep 0.01; done"}, {tree = true, stdio = {"ignore", "inherit", "inherit"}})
      child:on("exit", function(code) print("exit", code) end)
      cp.run()
    ]], {"ready", CTRL_Z}, '"$0" "$1"; echo ended with $?')
    assert.matches("exit\t3\nended with 0\n", printed, 1, true)
  end)
end)

describe("a new size of the terminal", function()
  it("is told to a tree, once", function()
    local printed = runScript([[
      local child = cp.spawn("sh", {"-c", "trap 'echo resized' WINCH; "
        .. "sleep 600 & echo ready; while :; do wait $!; done"},
        {tree = true, stdio = {"ignore", "pipe"}})
      child.stdout:on("data", function(data)
        io.write(data)
        if data == "ready\n" then
          cp.spawn("stty", {"rows", "33"}, {stdio = "inherit"})
        else
          child:kill("SIGKILL")
        end
      end)
      child:on("exit", function(_, signal) print("exit", signal) end)
      cp.run()
    ]], {})
    assert.matches("resized\n", printed, 1, true)
    assert.equal(1, select(2, printed:gsub("resized\n", "")))
    assert.matches("exit\tSIGKILL\n", printed, 1, true)
  end)
end)

describe("a tree whose stdin is our terminal", function()
  it("reads from it, since it stays in our process group, and is told by the terminal", function()
    local printed = runScript([[
      local child = cp.spawn("sh", {"-c", "trap 'echo got; exit 3' INT; echo ready; read line; "
        .. "echo $line; read line; echo $line"}, {tree = true, stdio = "inherit"})
      child:on("exit", function(code) print("exit", code) end)
      process:on("SIGINT", function() end)
      print("on")
      cp.run()
    ]], {{"ready", "on\r\n"}, "hello\n", "hello\r\nhello", CTRL_C})
    assert.matches("\nhello\nhello\n^Cgot\nexit\t3\n", printed, 1, true)
  end)

  it("can be ended with all its descendants", function()
    trees.needList()
    local printed = runScript([[
      local child = cp.spawn("sh", {"-c", "sleep 600 & (sleep 600; :) & echo ready; wait"},
        {tree = true, stdio = {"inherit", "pipe", "inherit"}})
      child.stdout:on("data", function() print(child:kill()) end)
      child:on("close", function(_, signal) print("close", signal) end)
      cp.run()
    ]], {})
    assert.matches("true\nclose\tSIGTERM\n", printed, 1, true)
  end)

  it("ends with this program and killOnParentExit", function()
    trees.needList()
    -- runScript waits for all of the tree
    local printed = runScript([[
      local child = cp.spawn("sh", {"-c", "sleep 600 & (sleep 600; :) & echo ready; wait"},
        {tree = true, killOnParentExit = true, stdio = {"inherit", "pipe", "inherit", 3}})
      child.stdout:on("data", function() process:kill(process.pid, "SIGKILL") end)
      cp.run()
    ]], {})
    assert.matches("ended with 137\n", printed, 1, true)
  end)
end)

describe("handlers of the terminal's signals", function()
  --- Lua code: `handled` gives the signals that this process handles.
  local HANDLED = [[
    local function handled()
      return io.open("/proc/self/status"):read("*a"):match("SigCgt:%s*(%x+)")
    end
    local before = handled()
  ]]

  local function itHandles(name, fn)
    it(name, function()
      if not support.forLinux then support.skip("only Linux reports what a process handles") end
      fn()
    end)
  end

  itHandles("are there only while there are trees", function()
    local printed = runScript(HANDLED .. [[
      cp.spawn("true")
      assert(handled() == before or os.getenv("CHILD_PROCESS_NO_PIDFD"))
      cp.run()
      local one, two = cp.spawn("cat", {tree = true}), cp.spawn("cat", {tree = true})
      assert(handled() ~= before)
      one:on("exit", function() assert(handled() ~= before) two.stdin:finish() end)
      one.stdin:finish()
      cp.run()
      assert(handled() == before)
      cp.spawnSync("true", {tree = true})
      assert(handled() == before)
      cp.spawn("no such program", {tree = true}):on("error", function() end)
      assert(handled() == before)
      cp.run()
      print("fine")
    ]], {})
    assert.matches("fine\n", printed, 1, true)
  end)

  itHandles("are never there without a terminal", function()
    assert.equal("fine\n", support.runScript(HANDLED .. [[
      local child = cp.spawn("cat", {tree = true})
      assert(handled() == before or os.getenv("CHILD_PROCESS_NO_PIDFD"))
      child.stdin:finish()
      cp.run()
      print("fine")
    ]], nil, {detached = true}))
  end)

  itHandles("are not there for a tree that needs none", function()
    local printed = runScript(HANDLED .. [[
      local pidfds = not os.getenv("CHILD_PROCESS_NO_PIDFD")
      for _, options in ipairs({
        {tree = true, detached = true}, {tree = true, terminalForeground = false},
        {tree = true, stdio = "inherit"}, {detached = true}, {processGroup = 0},
      }) do
        cp.spawn("true", options)
        assert(handled() == before or not pidfds)
        cp.run()
      end
      print("fine")
    ]], {})
    assert.matches("fine\n", printed, 1, true)
  end)

  itHandles("leave an ignored signal ignored", function()
    local printed = runScript(COUNT .. [[
      process:on("SIGINT", function() os.exit(0) end)
      count("QUIT")
      cp.run()
    ]], {STARTED, CTRL_BACKSLASH .. CTRL_C}, [[
        trap "" QUIT
        trap : INT
        (trap : INT; "$0" "$1" 3>&1 >&4) 4>&1 | (trap "" INT; exec cat)
      ]])
    assert.matches("total 0\n", printed, 1, true)
  end)
end)
