-- options.terminal: a child at a terminal of its own, and child.terminal.

local cp = require("child_process")
local process = require("child_process.process")
local support = require("spec.support")
local terminals = require("spec.support.terminals")

local converse = terminals.converse

--- Runs a shell script at a terminal, to its end.
---@return string # what was printed
---@return ChildProcess
local function run(script, options, keys)
  local child = cp.spawn("sh", {"-c", script}, support.merge({terminal = true}, options))
  return converse(child, keys or {}), child
end

describe("options.terminal", function()
  it("gives the child a terminal as its descriptors 0, 1 and 2", function()
    local printed, child = run("test -t 0 && test -t 1 && test -t 2 && tty")
    assert.truthy(printed:find("^/dev/[%w/]+\r\n$"), printed)
    assert.equal(0, child.exitCode)
    assert.is_nil(child.stdin)
    assert.is_nil(child.stdout)
    assert.is_nil(child.stderr)
    assert.same({}, child.stdio)
    assert.is_nil(cp.spawn("true", {terminal = false, stdio = "ignore"}).terminal)
    support.run()
  end)

  it("makes it the controlling terminal of a new session", function()
    local printed, child = run("set -- $(cat /proc/$$/stat); "
      .. "test $1 = $5 && test $1 = $6 && test $1 = $8 && echo leads; echo more >/dev/tty")
    assert.equal("leads\r\nmore\r\n", printed)
    assert.equal(0, child.exitCode)
  end)

  it("has a size, and sets TERM", function()
    assert.equal("24 80\r\nxterm-256color\r\n", (run("stty size; echo $TERM")))
    assert.equal("30 100\r\nvt100\r\n",
      (run("stty size; echo $TERM", {terminal = {columns = 100, rows = 30, name = "vt100"}})))
    local env = {PATH = process.env.PATH, TERM = "dumb", COLUMNS = "7"}
    assert.equal("dumb 7\r\n", (run("echo $TERM $COLUMNS", {env = env})))
    env.TERM = nil
    assert.equal("xterm-256color 7\r\n", (run("echo $TERM $COLUMNS", {env = env})))
  end)

  it("does not pass on the variables that describe our terminal", function()
    local stdout = support.runScript([[
      local child = cp.spawn("sh", {"-c", "echo $TERM $COLUMNS $LINES $OTHER"}, {terminal = true})
      child.terminal:on("data", function(data) io.write(data) end)
      cp.run()
    ]], "export TERM=dumb COLUMNS=7 LINES=8 OTHER=9")
    assert.equal("xterm-256color 9\r\n", stdout)
  end)

  it("leaves descriptors that stdio names to stdio", function()
    local child = cp.spawn("sh",
      {"-c", "test -t 0; echo $?; test -t 1; echo $? >&2; tty -s; echo $?"},
      {terminal = true, stdio = {nil, "pipe"}})
    assert.is_nil(child.stdin)
    assert.is_nil(child.stderr)
    local stdout = support.collect(child.stdout)
    assert.equal("1\r\n", converse(child, {}))
    assert.equal("0\n0\n", stdout())
  end)

  it("is there for programs that open /dev/tty, now and then", function()
    local child = cp.spawn("sh", {"-c", "printf 'first: ' >/dev/tty; read a </dev/tty; "
      .. "printf 'second: ' >/dev/tty; read b </dev/tty; echo $a $b"},
      {terminal = true, stdio = {"ignore", "pipe", "ignore"}})
    local stdout = support.collect(child.stdout)
    local printed = converse(child, {"first: ", "1\n", "second: ", "2\n"})
    assert.equal("first: 1\r\nsecond: 2\r\n", printed)
    assert.equal("1 2\n", stdout())
  end)

  it("is not what a word in stdio replaces", function()
    local child = cp.spawn("sh", {"-c", "test -t 0 || test -t 1; echo $?; echo more >/dev/tty"},
      {terminal = true, stdio = "pipe"})
    local stdout = support.collect(child.stdout)
    child.stdin:finish()
    assert.equal("more\r\n", converse(child, {}))
    assert.equal("1\n", stdout())
  end)

  it("belongs to the user of the child", function()
    if not support.isRoot then support.skip("only root may change the user") end
    local printed = run("stat -c %u $(tty); echo by its path >$(tty)", {uid = 65534, gid = 65534})
    assert.equal("65534\r\nby its path\r\n", printed)
  end)

  it("leaves a process group to the child", function()
    local child = cp.spawn("sh", {"-c", "echo ready; read a"}, {terminal = true, tree = true})
    converse(child, {"ready", function() process:kill(-child.pid, "SIGTERM") end})
    assert.equal("SIGTERM", child.signalCode)
  end)

  it("works with fork", function()
    local child = cp.fork(support.script([[
      print(process.stdout.isTTY, process.stdout.columns)
      process:send("sent")
    ]]), {terminal = {columns = 90}})
    local message
    child:on("message", function(value) message = value end)
    assert.equal("true\t90\r\n", converse(child, {}))
    assert.equal("sent", message)
    child = cp.fork(support.script("print(process.stdin.isTTY, process.stdout.isTTY)"),
      {terminal = true, stdio = {nil, "pipe", nil, "ipc"}})
    assert.is_nil(child.stderr)
    assert.equal("true\tfalse\n", support.output(child))
  end)

  it("works with ChildProcess:spawn", function()
    local child = cp.ChildProcess()
    child:spawn({file = "sh", args = {"sh", "-c", "echo $TERM $A"}, envPairs = {"A=1"},
      terminal = {name = "vt52"}})
    assert.equal("vt52 1\r\n", converse(child, {}))
  end)

  it("is checked", function()
    local function message(terminal, options)
      return support.error(cp.spawn, "true",
        support.merge({terminal = terminal}, options)).message
    end
    assert.equal('The "options.terminal" property must be one of type boolean or table or an '
      .. "instance of Terminal. Received type number (80)", message(80))
    assert.equal('The value of "options.terminal.columns" is out of range. It must be an integer '
      .. ">= 1 and <= 65535. Received 0", message({columns = 0}))
    assert.equal('The value of "options.terminal.rows" is out of range. It must be an integer '
      .. ">= 1 and <= 65535. Received 65536", message({rows = 65536}))
    assert.equal('The "options.terminal.columns" property must be of type number. '
      .. "Received type string ('80')", message({columns = "80"}))
    assert.truthy(message({columns = 80.5}):find("Received 80.5", 1, true))
    assert.truthy(message({columns = 0 / 0}):find("out of range", 1, true))
    assert.equal('The "options.terminal.echo" property must be of type boolean. '
      .. "Received type number (1)", message({echo = 1}))
    assert.truthy(message({name = "a\0b"}):find("options.terminal.name", 1, true))
    assert.equal("The property 'options.terminal.name' cannot be empty. Received ''",
      message({name = ""}))
    assert.truthy(message({80, 24}):find("has the key 1", 1, true))
    for name, object in pairs({Stream = process.stdin, ChildProcess = cp.ChildProcess()}) do
      assert.equal('The "options.terminal" property must be one of type boolean or table or an '
        .. "instance of Terminal. Received an instance of " .. name, message(object))
    end
    assert.truthy(message(true, {processGroup = 0}):find("options.terminal", 1, true))
  end)

  it("notices misspelt fields", function()
    local strict = cp.strict()
    cp.strict(true)
    local err = support.error(cp.spawn, "true", {terminal = {colums = 80}})
    cp.strict(strict)
    assert.equal("ERR_INVALID_ARG_VALUE", err.code)
    assert.truthy(err.message:find("did you mean 'columns'?", 1, true))
  end)

  it("leaves a destroyed terminal where the program cannot be started", function()
    local child = cp.spawn("/nonexistent", {terminal = true})
    local seen = support.events(child)
    assert.is_true(child.terminal.destroyed)
    assert.equal(80, child.terminal.columns)
    local err
    child:on("error", function(e) err = e end)
    support.run()
    assert.equal("ENOENT", err.code)
    assert.equal(2, #seen)
  end)

  it("names itself where no terminal can be opened", function()
    local stdout = support.runScript([[
      local files = {}
      while true do
        local file = io.open("/dev/null")
        if not file then break end
        files[#files + 1] = file
      end
      cp.spawn("true", {terminal = true}):on("error", function(err)
        print(err.code, err.syscall, err.message)
      end)
      cp.run()
      files[1]:close()
      local result = cp.spawnSync("true", {terminal = true})
      print(result.error.code, result.error.message)
    ]], "ulimit -n 40")
    local lines = support.lines(stdout)
    assert.truthy(lines[1]:find("^EMFILE\t"), stdout)
    assert.truthy(lines[1]:find("options.terminal", 1, true), stdout)
    assert.truthy(lines[2]:find("^EMFILE\t"), stdout)
  end)
end)

describe("child.terminal", function()
  it("types what is written, and echoes it", function()
    assert.equal("one\r\ngot one\r\n", (run("read a; echo got $a", {}, {"", "one\n"})))
    assert.equal("got one\r\n",
      (run("read a; echo got $a", {terminal = {echo = false}}, {"", "one\n"})))
  end)

  it("ends with the child, after all that was written", function()
    local child = cp.spawn("sh", {"-c", "printf first; exit 3"}, {terminal = true})
    local seen = support.events(child)
    local printed = ""
    child.terminal:on("data", function(data) printed = printed .. data end)
    child.terminal:on("end", function() seen[#seen + 1] = "end " .. printed end)
    child.terminal:on("error", function(err) seen[#seen + 1] = "terminal " .. err.message end)
    child.terminal:on("close", function(hadError)
      seen[#seen + 1] = "closed " .. tostring(hadError)
    end)
    support.run()
    table.sort(seen)
    assert.same({"close 3 nil", "closed false", "end first", "exit 3 nil", "spawn"}, seen)
    assert.is_true(child.terminal.destroyed)
    assert.equal(24, child.terminal.rows)
  end)

  it("ends although nobody reads it", function()
    local child = cp.spawn("sh", {"-c", "seq 100"}, {terminal = true})
    local seen = support.events(child)
    support.run()
    assert.equal("close 0 nil", seen[#seen])
  end)

  it("is read piece by piece, in lines, and after a pause", function()
    local lines = {}
    local child = cp.spawn("seq", {"3"}, {terminal = true})
    child.terminal:pause()
    child:on("exit", function() child.terminal:resume() end)
    cp.async(function()
      for line in child.terminal:lines() do lines[#lines + 1] = line end
    end)
    support.run()
    assert.same({"1", "2", "3"}, lines)
  end)

  it("presses Ctrl-D at its end", function()
    local script = "cat; echo then; cat; echo done"
    local child = cp.spawn("sh", {"-c", script}, {terminal = {echo = false}})
    child.terminal:finish("a line\n")
    local printed = converse(child, {"then", function() child:kill() end})
    assert.truthy(printed:find("^a line\r\nthen\r\n"), printed)
    child = cp.spawn("cat", {terminal = {echo = false}})
    child.terminal:finish("no line")
    assert.equal("no line", converse(child, {}))
    assert.equal(0, child.exitCode)
    assert.is_true(child.terminal.writableFinished)
  end)

  it("takes more than a terminal holds", function()
    local text = ("x"):rep(99) .. "\n"
    local child = cp.spawn("wc", {"-c"}, {terminal = {echo = false}})
    local source = cp.spawn("sh", {"-c", ("yes %s | head -n 5000"):format(("x"):rep(99))})
    source.stdout:pipe(child.terminal)
    assert.equal(tostring(5000 * #text) .. "\r\n", (converse(child, {}):gsub(" ", "")))
  end)

  it("can be resized, which the child notices", function()
    local child = cp.spawn("sh", {"-c",
      "trap 'stty size; exit' WINCH; echo ready; while :; do sleep 0.01; done"}, {terminal = true})
    local printed = converse(child, {"ready", function()
      assert.equal(child.terminal, child.terminal:resize(132, 50))
      assert.equal(132, child.terminal.columns)
      assert.equal(50, child.terminal.rows)
    end})
    assert.equal("ready\r\n50 132\r\n", printed)
  end)

  it("sees a size that the child has set", function()
    local child = cp.spawn("sh", {"-c", "stty cols 70 rows 7; echo set; read a"}, {terminal = true})
    converse(child, {"set", function()
      assert.equal(70, child.terminal.columns)
      assert.equal(7, child.terminal.rows)
      child.terminal:write("\n")
    end})
    assert.equal(70, child.terminal.columns)
  end)

  it("has a raw mode, and the usual one again", function()
    local flags = "stty -a | grep -o -- '-*[a-z]*\\(canon\\|echo\\|opost\\|isig\\|icrnl\\)\\>'"
    local script = ("echo ready; read a; %s; echo half; read a; %s"):format(flags, flags)
    local child = cp.spawn("sh", {"-c", script}, {terminal = true})
    local printed = converse(child, {
      "ready", function() child.terminal:setRawMode(true):write("\n") end,
      "half", function() child.terminal:setRawMode(false):write("\n") end,
    })
    local raw, usual = printed:match("^ready\r\n(.*)half(.*)$")
    assert.equal("-icrnl\n-opost\n-isig\n-icanon\n-echo\n", raw)
    assert.equal("\n\r\nicrnl\r\nopost\r\nisig\r\nicanon\r\necho\r\n", usual)
  end)

  it("shows what is typed or not", function()
    local child = cp.spawn("sh", {"-c", "printf 'a: '; read a; printf 'b: '; read b; echo $a $b"},
      {terminal = true})
    child.terminal:setEcho(false)
    assert.equal("a: \r\nb: 2\r\n1 2\r\n", (converse(child, {
      "a: ", "1\n", "b: ", function() child.terminal:setEcho(true):write("2\n") end,
    }):gsub("^a: b", "a: \r\nb")))
  end)

  it("passes Ctrl-C on as a signal", function()
    local child = cp.spawn("sh", {"-c", "trap 'echo got; exit 5' INT; echo ready; "
      .. "while :; do sleep 0.01; done"}, {terminal = true})
    assert.equal("ready\r\n^Cgot\r\n", converse(child, {"ready", terminals.CTRL_C}))
    assert.equal(5, child.exitCode)
  end)

  it("checks the arguments of its methods", function()
    local child = cp.spawn("cat", {terminal = true})
    local terminal = child.terminal
    assert.equal("ERR_OUT_OF_RANGE", support.error(terminal.resize, terminal, 0, 1).code)
    assert.equal("ERR_OUT_OF_RANGE", support.error(terminal.resize, terminal, 1, 2 ^ 16).code)
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(terminal.resize, terminal, 80).code)
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(terminal.setRawMode, terminal).code)
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(terminal.setEcho, terminal, 1).code)
    assert.equal("ERR_INVALID_THIS", support.error(terminal.resize, 1, 2).code)
    terminal:finish()
    support.run()
    terminal:resize(1, 1):setRawMode(true):setEcho(false) -- has no effect any more
    assert.equal(80, terminal.columns)
  end)

  it("has a size that cannot be set like a field", function()
    local child = cp.spawn("cat", {terminal = true})
    for _, name in ipairs({"columns", "rows"}) do
      local err = support.error(function() child.terminal[name] = 10 end)
      assert.equal("ERR_INVALID_ARG_VALUE", err.code)
      assert.equal(("The property 'terminal.%s' cannot be set: resize(columns, rows) changes the "
        .. "size. Received 10"):format(name), err.message)
    end
    child.terminal.own = "field"
    assert.equal("field", child.terminal.own)
    child.terminal:resize(90, 30)
    assert.equal(90, child.terminal.columns)
    child.terminal:finish()
    support.run()
  end)

  it("hangs up when it is destroyed", function()
    -- the leader of the session, and another process of its group, which follows
    local child = cp.spawn("sh", {"-c", [[
      (trap 'echo job >&3; exit' HUP; echo ready; while :; do sleep 0.01; done) &
      trap 'echo leader >&3; exit 4' HUP; echo ready; while :; do sleep 0.01; done
    ]]}, {terminal = true, stdio = {nil, nil, nil, "pipe"}})
    local report = support.collect(child.stdio[3])
    converse(child, {"ready", "", "ready", function() child.terminal:destroy() end})
    assert.equal("leader\njob\n", report())
    assert.equal(4, child.exitCode)
  end)

  it("hangs up when this program ends", function()
    local report = support.tmpdir() .. "/report"
    support.runScript(([[
      local child = cp.spawn("sh", {"-c", "trap 'echo hangup >%s; exit' HUP; echo ready; "
        .. "while :; do sleep 0.01; done"}, {terminal = true})
      child.terminal:once("data", function() os.exit(0) end)
      cp.run()
    ]]):format(report))
    while not io.open(report) or support.readFile(report) == "" do
      cp.spawnSync("sleep", {"0.01"})
    end
    assert.equal("hangup\n", support.readFile(report))
  end)

  it("keeps the program from ending while it is open", function()
    local child = cp.spawn("sh", {"-c", "echo ready; read a"}, {terminal = true})
    local found = {}
    converse(child, {"ready", function()
      for _, handle in ipairs(cp.activeHandles()) do found[handle.kind] = handle.description end
      child.terminal:write("\n")
    end})
    assert.equal(("terminal of echo ready; read a (pid %d)"):format(child.pid), found.terminal)
  end)

  it("leaves no descriptor open", function()
    run("true")
    local before = support.settledFds()
    run("echo some")
    cp.spawn("/nonexistent", {terminal = true}):on("error", function() end)
    support.run()
    cp.spawnSync("/nonexistent", {terminal = true})
    cp.spawnSync("true", {terminal = true})
    assert.same(before, support.settledFds())
  end)

  it("is not inherited by other children", function()
    local child = cp.spawn("cat", {terminal = true})
    local found = support.childFds(function(file, args)
      return cp.spawnSync(file, args, {stdio = "ignore"})
    end)
    for _, target in pairs(found) do
      assert.is_nil(target:find("^/dev/p"), target)
    end
    child.terminal:finish()
    support.run()
  end)

  it("is closed in a copy of the process", function()
    local printed = support.runHost([[
      local child = cp.spawn("sh", {"-c", "read a; echo got $a"}, {terminal = true})
      local copy = host.fork()
      if copy == 0 then
        child.terminal:on("data", function() print("data in the copy") end)
        cp.run()
        io.stdout:flush()
        host.exit(0)
      end
      host.await(copy)
      child.terminal:on("data", function(data) io.write(data) end)
      child.terminal:write("it\n")
      cp.run()
    ]])
    assert.equal("it\r\ngot it\r\n", printed)
  end)
end)

describe("A terminal that others use", function()
  it("ends when a job that the child has left behind has closed it", function()
    local child = cp.spawn("sh", {"-c",
      "trap '' HUP; exec 3<&0; (read a <&3; echo job has read $a) & echo left"}, {terminal = true})
    local seen = support.events(child)
    child:on("exit", function() child.terminal:write("it\n") end)
    local printed = converse(child, {})
    assert.truthy(printed:find("left\r\n", 1, true), printed)
    assert.truthy(printed:find("job has read it\r\n", 1, true), printed)
    assert.equal("close 0 nil", seen[#seen])
  end)

  it("is cut after options.waitDelay", function()
    for _, delay in ipairs({0, 1, 50}) do
      local child = cp.spawn("sh", {"-c", "trap '' HUP; sleep 600 & echo $!; echo rest"},
        {terminal = true, waitDelay = delay})
      local printed = converse(child, {})
      local pid = printed:match("^(%d+)\r\nrest\r\n$")
      assert.truthy(pid, printed)
      process:kill(tonumber(pid), "SIGKILL")
      assert.equal(0, child.exitCode)
    end
  end)

  it("is cut after options.waitDelay although nobody reads it", function()
    local child = cp.spawn("sh", {"-c", "trap '' HUP; sleep 600 & echo $! >&3"},
      {terminal = true, waitDelay = 1, stdio = {[4] = "pipe"}})
    local pid = support.collect(child.stdio[3])
    support.run()
    process:kill(tonumber(pid()), "SIGKILL")
    assert.equal(0, child.exitCode)
  end)

  it("is closed by dispose", function()
    local child = cp.spawn("sh", {"-c", "trap '' HUP; sleep 600 & echo ready; wait"},
      {terminal = true})
    local done
    converse(child, {"ready", function()
      child:dispose():andThen(function(code, signal) done = {code, signal} end)
    end})
    assert.same({nil, "SIGTERM"}, done)
    assert.is_true(child.terminal.destroyed)
  end)

  it("is left by a tree", function()
    if not support.forLinux then support.skip("only Linux finds jobs in groups of their own") end
    terminals.need("bash", "--version")
    local child = cp.spawn("bash", {"-c", "set -m; trap '' HUP; sleep 600 & echo ready; wait"},
      {terminal = true, tree = true})
    converse(child, {"ready", function() child:kill("SIGKILL") end})
    assert.equal("SIGKILL", child.signalCode)
  end)

  it("may be that of another child, which shares it", function()
    local first = cp.spawn("sh", {"-c", "echo first; read a; echo $a"}, {terminal = true})
    local second = cp.spawn("sh", {"-c", "tty; echo second; exit 2"}, {terminal = first.terminal})
    assert.equal(first.terminal, second.terminal)
    local seen = support.events(second)
    local printed = converse(first, {{"first", "second"}, "it\n"})
    for _, text in ipairs({"first\r\n", "/dev/", "second\r\n", "it\r\nit\r\n"}) do
      assert.truthy(printed:find(text, 1, true), printed)
    end
    assert.equal("close 2 nil", seen[#seen])
    local err = support.error(cp.spawn, "true", {terminal = first.terminal})
    assert.truthy(err.message:find("whose child has ended", 1, true))
  end)

  it("may not be a destroyed one", function()
    local first = cp.spawn("sleep", {600}, {terminal = true})
    first.terminal:destroy()
    local err = support.error(cp.spawn, "true", {terminal = first.terminal})
    assert.truthy(err.message:find("that was destroyed", 1, true))
    support.run()
    err = support.error(cp.spawn, "true", {terminal = first.terminal})
    assert.truthy(err.message:find("that was destroyed", 1, true))
    assert.equal("SIGHUP", first.signalCode)
  end)

  it("is named if nobody reads on, and a wait for the end of the child has no end", function()
    local child = cp.spawn("sh", {"-c", "echo line; echo more"}, {terminal = true})
    assert.equal("line", child.terminal:readLine())
    local err = support.error(child.wait, child, "close")
    assert.equal("ERR_WAIT_WITHOUT_END", err.code)
    assert.truthy(err.message:find("(its terminal was not read to its end)", 1, true), err.message)
    child.terminal:destroy()
    assert.equal(0, (child:wait("close")))
  end)

  it("does not end before the last of them", function()
    local first = cp.spawn("sh", {"-c", "echo first"}, {terminal = true})
    local second = cp.spawn("sh", {"-c", "read a; echo got $a"}, {terminal = first.terminal})
    first:on("exit", function() second.terminal:write("it\n") end)
    local printed = converse(first, {})
    assert.truthy(printed:find("got it\r\n", 1, true), printed)
    assert.equal(0, second.exitCode)
  end)

  it("may be used by synchronous calls, exec and failed starts", function()
    local first = cp.spawn("sh", {"-c", "read a"}, {terminal = {columns = 44}})
    local result = cp.spawnSync("stty", {"size"}, {terminal = first.terminal})
    assert.equal(0, result.status)
    assert.is_nil(result.stdout)
    local stdout
    cp.exec("tty", {terminal = first.terminal}, function(_, out) stdout = out end)
    cp.spawn("/nonexistent", {terminal = first.terminal}):on("error", function() end)
    assert.is_false(first.terminal.destroyed)
    local printed = converse(first, {"/dev/", "\n"})
    assert.equal("", stdout)
    assert.truthy(printed:find("24 44\r\n", 1, true), printed)
  end)
end)
