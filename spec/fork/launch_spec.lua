-- Scripts that fork starts: how they are found, run and ended.

local cp = require("child_process")
local lfs = require("lfs")
local messages = require("spec.support.messages")
local process = require("child_process.process")
local support = require("spec.support")

--- Forks a script file and runs the loop to its end.
---@return ChildProcess child
---@return string stdout
---@return string stderr
---@return any[] received its messages
local function forkFile(path, args)
  local child = cp.fork(path, args, {silent = true})
  local received = messages.received(child)
  local stdout, stderr = support.output(child)
  return child, stdout, stderr, received
end

--- The same with the text of the script.
local function fork(text)
  return forkFile(support.script(text))
end

--- A traceback without the words for the interpreter's C function at its end, which are an address
--- in LuaJIT.
local function withoutLast(text)
  return (text:gsub("\n\t%[C%]: [^\n]+\n$", "\n\t[C]\n"))
end

--- What the interpreter would have written about an error.
local function report(text)
  return ("%s: %s\n"):format(process.execPath, text)
end

describe("A forked script", function()
  it("is run with the arguments as '...' and in 'arg', as if the interpreter had been started on "
    .. "it", function()
    local path = support.script([[
      print(...)
      local indices = {}
      for index in pairs(arg) do indices[#indices + 1] = index end
      table.sort(indices)
      for _, index in ipairs(indices) do print(index, arg[index]) end
    ]])
    local _, stdout = forkFile(path, {"first", "", "second word"})
    assert.equal(("first\t\tsecond word\n-1\t%s\n0\t%s\n1\tfirst\n2\t\n3\tsecond word\n")
      :format(process.execPath, path), stdout)
  end)

  it("finds the interpreter and itself at the start of process.argv", function()
    local path = support.script([[
      for index = 0, 3 do print(process.argv[index]) end
      print(process.argv0)
    ]])
    local _, stdout = forkFile(path, {"first"})
    assert.equal(("%s\n%s\nfirst\nnil\n%s\n"):format(process.execPath, path, process.execPath),
      stdout)
  end)

  it("finds no other new global than process", function()
    local _, stdout = fork([[
      local names = {}
      for name in pairs(_G) do names[#names + 1] = name end
      table.sort(names)
      print(table.concat(names, " "))
      print(process == require("child_process.process"))
    ]])
    local plain = support.output(cp.spawn(support.lua, {support.script([[
      process = 1
      local names = {}
      for name in pairs(_G) do names[#names + 1] = name end
      table.sort(names)
      print(table.concat(names, " "))
    ]])}))
    assert.equal(plain .. "true\n", stdout)
  end)

  it("may declare process as a global without a value", function()
    if support.luaVersion ~= "5.5" then pending("declarations of globals came with Lua 5.5") end
    local _, stdout, stderr = fork([[
      global process, print
      print(process.connected)
    ]])
    assert.equal("", stderr)
    assert.equal("true\n", stdout)

    local child
    child, stdout, stderr = fork([[
      global require
      global process = require("child_process.process")
    ]])
    assert.equal(1, child.exitCode)
    assert.equal("", stdout)
    assert.matches("global 'process' already defined", stderr, 1, true)
  end)

  it("may begin with a #! line", function()
    local _, stdout = fork("#!/usr/bin/env lua\nprint(debug.getinfo(1).currentline)")
    assert.equal("2\n", stdout)
  end)

  it("may be named without its extension", function()
    local path = support.script("print(arg[0])")
    local _, stdout = forkFile((path:gsub("%.lua$", "")))
    assert.equal(path .. "\n", stdout)
  end)

  it("that does not exist gives an error on stderr and the code 1", function()
    local child, stdout, stderr = forkFile("/nonexistent/script")
    assert.equal(1, child.exitCode)
    assert.equal("", stdout)
    assert.matches("^[^\n]*: cannot open /nonexistent/script[^\n]*\n$", stderr)
  end)

  it("that cannot be compiled gives the error on stderr and the code 1", function()
    local path = support.script("x = = 1")
    local child, _, stderr = forkFile(path)
    assert.equal(1, child.exitCode)
    assert.equal(report(path .. ":1: unexpected symbol near '='"), stderr)
  end)

  it("is no folder, nor another script where it cannot be compiled itself", function()
    local folder = support.tmpdir()
    local child, _, stderr = forkFile(folder)
    assert.equal(1, child.exitCode)
    assert.matches("cannot read " .. folder, stderr, 1, true)

    local path = support.script("print('with its extension')")
    local name = path:gsub("%.lua$", "")
    assert(lfs.mkdir(name))
    local _, stdout = forkFile(name)
    assert.equal("with its extension\n", stdout)

    assert(lfs.rmdir(name))
    support.writeFile(name, "x = = 1")
    child, stdout, stderr = forkFile(name)
    assert.equal(1, child.exitCode)
    assert.equal("", stdout)
    assert.matches("unexpected symbol", stderr, 1, true)
  end)

  it("runs the loop when it has come to its end, and ends when nothing is left", function()
    local child, stdout = fork([[
      require("child_process.timers").setTimeout(function() print("timer") end, 1)
      print("script")
    ]])
    assert.equal("script\ntimer\n", stdout)
    assert.equal(0, child.exitCode)
  end)

  it("ends when the loop is stopped", function()
    local child, stdout = fork([[
      local timers = require("child_process.timers")
      timers.setTimeout(function() print("never") end, 1000000)
      timers.setImmediate(require("child_process").stop)
      process:on("beforeExit", function() print("never") end)
      process:on("exit", function(code) print("exit", code) end)
    ]])
    assert.equal("exit\t0\n", stdout)
    assert.equal(0, child.exitCode)
  end)

  it("ends with process.exitCode", function()
    assert.equal(5, (fork("process.exitCode = 5")).exitCode)
    assert.equal(6, (fork([[
      require("child_process.timers").setImmediate(function() process.exitCode = 6 end)
    ]])).exitCode)
  end)

  it("may end by os.exit, with or without closing the state, in the script and in callbacks",
    function()
      for _, call in ipairs({"os.exit(3)", "os.exit(3, true)"}) do
        for _, where in ipairs({"%s", [[
          require("child_process.timers").setImmediate(function() %s end)
        ]]}) do
          local child, _, stderr, received = fork("process:send('sent') " .. where:format(call))
          assert.equal("", stderr)
          assert.equal(3, child.exitCode)
          assert.same({"sent"}, received)
        end
      end
    end)

  it("has its finalizers called at the end, as the interpreter does", function()
    local text = [[
      require("child_process.base.compat").finalizer(function() print("finalized") end)
    ]]
    local _, stdout = fork(text)
    assert.equal("finalized\n", stdout)
    _, stdout = fork(text .. "error('x')")
    assert.equal("finalized\n", stdout)
  end)

  it("is ended by SIGINT while it waits", function()
    local child = cp.fork(support.script([[
      process:on("message", function() end)
      process:send("waiting")
    ]]))
    child:on("message", function() child:kill("SIGINT") end)
    support.run()
    assert.equal("SIGINT", child.signalCode)
  end)
end)

describe("An error of a forked script", function()
  it("is written to stderr with a traceback, as by the interpreter, and the code is 1", function()
    local path = support.script("local function fail() error('broken') end\nfail()")
    local child, stdout, stderr = forkFile(path)
    assert.equal("", stdout)
    local expected = cp.spawnSync(process.execPath, {path}).stderr
    assert.matches("\nstack traceback:\n.*:2: in main chunk", expected)
    assert.equal(withoutLast(expected), withoutLast(stderr))
    assert.equal(1, child.exitCode)
    assert.is_nil(child.signalCode)
  end)

  for value, text in pairs({
    ["'text'"] = "text",
    ["42"] = "42",
    ["nil"] = support.error(error) or "(error object is a nil value)", -- Lua 5.5 has a text for it
    ["{}"] = "(error object is a table value)",
    ["print"] = "(error object is a function value)",
    ["setmetatable({}, {__name = 'Name'})"] = "(error object is a table value)",
    ["setmetatable({}, {__tostring = function() return 'by __tostring' end})"] = "by __tostring",
    ["setmetatable({}, {__tostring = function() return 5 end})"]
      = "(error object is a table value)",
    ["setmetatable({}, {__tostring = error})"] = "(error object is a table value)",
    ["require('child_process.errors').TypeError('of ours', {code = 'ERR_X'})"]
      = "TypeError [ERR_X]: of ours",
  }) do
    it("may be any value: " .. value, function()
      local child, _, stderr = fork(("error(%s, 0)"):format(value))
      local said = stderr:match("^[^\n]*\n")
      if value:find("TypeError", 1, true) then -- ours say where
        said = said:gsub(" %S*script%.lua:1:", "")
      end
      assert.equal(report(text), said)
      assert.matches("stack traceback:\n", stderr, 1, true)
      assert.equal(1, child.exitCode)
    end)
  end

  it("may be an endless recursion", function()
    local child, _, stderr = fork("local function f() return f() + 1 end f()")
    assert.matches("stack overflow", stderr, 1, true)
    if not support.isLuaJIT then -- which may have no stack left for the traceback
      assert.matches("in main chunk\n\t%[C%]: [^\n]+\n$", stderr)
    end
    assert.equal(1, child.exitCode)
  end)

  it("may come from a callback, whose traceback it has", function()
    local child, _, stderr = fork([[
      local function culprit() error("in a callback") end
      require("child_process.timers").setImmediate(function() culprit() end)
      require("child_process.timers").setTimeout(function() print("never") end, 1000000)
    ]])
    assert.matches("script.lua:1: in a callback\nstack traceback:\n", stderr, 1, true)
    assert.matches("culprit", stderr, 1, true)
    assert.equal(1, child.exitCode)
  end)

  it("may be an 'error' event without a listener", function()
    local child, _, stderr = fork([[
      require("child_process").spawn("/nonexistent/command")
    ]])
    local said, where = stderr:match("^[^\n]*\n"):gsub(" %S*script%.lua:1:", "")
    assert.equal(report("Error: spawn /nonexistent/command ENOENT"), said)
    assert.equal(1, where) -- of the call
    assert.equal(1, child.exitCode)
  end)

  it("makes the code 1 whatever process.exitCode was, and listeners of 'exit' get 1", function()
    local child, stdout = fork([[
      process.exitCode = 5
      process:on("exit", function(code) print(code, process.exitCode) end)
      error("broken")
    ]])
    assert.equal("1\t1\n", stdout)
    assert.equal(1, child.exitCode)
  end)

  it("loses no message that was sent before", function()
    local _, _, _, received = fork("for i = 1, 3 do process:send(i) end error('broken')")
    assert.same({1, 2, 3}, received)
  end)
end)

describe("'exit' in a forked script", function()
  it("is emitted at the end, with the code", function()
    local _, stdout = fork([[
      process:on("exit", function(code) print("exit", code) end)
      require("child_process.timers").setImmediate(function() print("immediate") end)
      process.exitCode = 2
    ]])
    assert.equal("immediate\nexit\t2\n", stdout)
  end)

  it("is emitted once", function()
    local child, stdout = fork([[
      process:on("exit", function(code) print("exit", code) end)
      process:exit(2)
    ]])
    assert.equal("exit\t2\n", stdout)
    assert.equal(2, child.exitCode)
  end)

  it("lets its listeners decide on the code, by process.exitCode or process:exit", function()
    for _, how in ipairs({"process.exitCode = 9", "process:exit(9)"}) do
      for _, ending in ipairs({"", "process:exit(2)", "error('broken')"}) do
        local child = fork(([[
          process:on("exit", function() %s end)
          %s
        ]]):format(how, ending))
        assert.equal(9, child.exitCode)
      end
    end
  end)

  it("may send messages", function()
    local _, _, _, received = fork([[process:on("exit", function() process:send("last") end)]])
    assert.same({"last"}, received)
  end)

  it("makes the code 1 when a listener raises at the end, and leaves that of process:exit",
    function()
      local child, _, stderr = fork([[process:on("exit", function() error("in exit") end)]])
      assert.equal(1, child.exitCode)
      assert.matches("in exit\nstack traceback:\n", stderr, 1, true)
      child, _, stderr = fork([[
        process:on("exit", function() error("in exit") end)
        process:exit(3)
      ]])
      assert.equal(3, child.exitCode)
      assert.matches("in exit\nstack traceback:\n", stderr, 1, true)
    end)

  it("hides no error of the script when a listener raises as well", function()
    local child, _, stderr = fork([[
      process:on("exit", function() error("second") end)
      error("first")
    ]])
    assert.equal(1, child.exitCode)
    assert.matches("first", stderr, 1, true)
    assert.is_nil(stderr:find("second", 1, true))
  end)

  it("does not wait for what its listeners start", function()
    local child, stdout = fork([[
      process:on("exit", function()
        require("child_process.timers").setImmediate(function() print("never") end)
        process:nextTick(function() print("never") end)
      end)
    ]])
    assert.equal("", stdout)
    assert.equal(0, child.exitCode)
  end)
end)

describe("'beforeExit'", function()
  it("is emitted with the code when nothing keeps the loop alive, and again after what its "
    .. "listeners have started", function()
    local child, stdout = fork([[
      local timers = require("child_process.timers")
      local rounds = 0
      process:on("beforeExit", function(code)
        rounds = rounds + 1
        print("before", code)
        if rounds < 3 then timers.setImmediate(function() print("immediate") end) end
      end)
      process:on("exit", function(code) print("exit", code) end)
      timers.setTimeout(function() print("timer") end, 1)
      process.exitCode = 4
    ]])
    assert.equal("timer\nbefore\t4\nimmediate\nbefore\t4\nimmediate\nbefore\t4\nexit\t4\n", stdout)
    assert.equal(4, child.exitCode)
  end)

  it("is not emitted again after ticks that start nothing", function()
    local _, stdout = fork([[
      process:on("beforeExit", function()
        print("before")
        process:nextTick(print, "tick")
      end)
    ]])
    assert.equal("before\ntick\n", stdout)
  end)

  for what, listener in pairs({
    ["sent by listeners, which are flushed"] = [[process:send(process.argv0)]],
    ["sent by ticks of listeners"] = [[process:nextTick(process.send, process, "tick")]],
    ["with callbacks"] = [[process:send("sent", print)]],
  }) do
    it("is not emitted again after messages " .. what, function()
      local child, _, stderr, received = fork([[
        local count = 0
        process:on("beforeExit", function()
          count = count + 1
          if count > 3 then process:exit(count) end
          ]] .. listener .. [[
        end)
      ]])
      assert.equal("", stderr)
      assert.equal(0, child.exitCode)
      assert.equal(1, #received)
    end)
  end

  -- Nothing but the message keeps the loop going until the timer ends the reader's wait.
  it("is emitted again after messages that have to wait for their reader", function()
    local child = cp.fork(support.script([[
      local count = 0
      process:on("beforeExit", function()
        count = count + 1
        if count == 1 then
          process:send(("x"):rep(5000000))
          require("child_process.timers").setTimeout(function()
            print("waiting")
            io.stdout:flush() -- print does so from Lua 5.2 on
          end, 1):unref()
        elseif count == 2 then
          process:send(count)
        end
      end)
    ]]), {silent = true})
    local received = messages.received(child)
    cp.execFileSync("head", {"-n1"}, {stdio = {child.stdout}})
    support.output(child)
    assert.equal(0, child.exitCode)
    assert.equal(2, #received)
    assert.equal(2, received[2])
  end)

  it("is emitted again after a tick that starts something", function()
    local _, stdout = fork([[
      process:once("beforeExit", function()
        process:on("beforeExit", print)
        process:nextTick(function()
          require("child_process").spawn("true"):on("close", function() print("close") end)
        end)
      end)
    ]])
    assert.equal("close\n0\n", stdout)
  end)

  it("is not emitted on process:exit, nor after an error", function()
    for _, ending in ipairs({"process:exit()", "error('broken')", [[
      require("child_process.timers").setImmediate(function() error("broken") end)
    ]]}) do
      local _, stdout = fork([[process:on("beforeExit", print) ]] .. ending)
      assert.equal("", stdout)
    end
  end)

  it("may end the program", function()
    local child, stdout = fork([[
      process:on("beforeExit", function() process:exit(2) end)
      process:on("exit", function(code) print("exit", code) end)
    ]])
    assert.equal("exit\t2\n", stdout)
    assert.equal(2, child.exitCode)
  end)

  it("may raise", function()
    local child, stdout, stderr = fork([[
      process:on("beforeExit", function() error("before") end)
      process:on("exit", print)
    ]])
    assert.equal("1\n", stdout)
    assert.matches("script.lua:1: before\nstack traceback:\n", stderr, 1, true)
    assert.equal(1, child.exitCode)
  end)

  it("is emitted again after what a listener has started that raised", function()
    local _, stdout, stderr = fork([[
      process:on("uncaughtException", function() print("caught") end)
      process:once("beforeExit", function()
        process:on("beforeExit", print)
        require("child_process.timers").setTimeout(function() print("timer") end, 1)
        error("before")
      end)
    ]])
    assert.equal("", stderr)
    assert.equal("caught\ntimer\n0\n", stdout)
  end)
end)

describe("'uncaughtException' in a forked script", function()
  it("has an error of the script, and the loop is run nevertheless", function()
    local child, stdout, stderr = fork([[
      process:on("uncaughtException", function(err, origin) print(err, origin) end)
      process:on("exit", function(code) print("exit", code) end)
      require("child_process.timers").setTimeout(function() print("timer") end, 1)
      error("first", 0)
    ]])
    assert.equal("first\tuncaughtException\ntimer\nexit\t0\n", stdout)
    assert.equal("", stderr)
    assert.equal(0, child.exitCode)
  end)

  it("has an error of a listener of 'message', and the next message comes", function()
    local child = cp.fork(support.script([[
      process:on("uncaughtException", function(err) process:send(err) end)
      process:on("message", function(message)
        if message == "end" then process:disconnect() else error("not " .. message, 0) end
      end)
    ]]))
    local received = messages.received(child)
    for _, message in ipairs({"this", "that", "end"}) do child:send(message) end
    support.run()
    assert.same({"not this", "not that"}, received)
    assert.equal(0, child.exitCode)
  end)

  it("has an error of a listener of 'exit'", function()
    local child, stdout, stderr = fork([[
      process:on("uncaughtException", function(err) print(err) end)
      process:on("exit", function() error("in exit", 0) end)
    ]])
    assert.equal("in exit\n", stdout)
    assert.equal("", stderr)
    assert.equal(0, child.exitCode)
  end)

  it("ends the program with the code 7 if a listener raises, without 'exit'", function()
    for _, first in ipairs({"error('first')", [[
      require("child_process.timers").setImmediate(function() error("first") end)
    ]]}) do
      local child, stdout, stderr = fork([[
        process:on("uncaughtException", function() error("second") end)
        process:on("exit", print)
      ]] .. first)
      assert.equal(7, child.exitCode)
      assert.equal("", stdout)
      assert.matches("script.lua:1: second\nstack traceback:\n", stderr, 1, true)
      assert.is_nil(stderr:find("first", 1, true))
    end
  end)

  it("may end the program by process:exit", function()
    local child, stdout = fork([[
      process:on("uncaughtException", function() process:exit(4) end)
      process:on("exit", print)
      error("broken")
    ]])
    assert.equal("4\n", stdout)
    assert.equal(4, child.exitCode)
  end)

  it("lets an error end the program again when no listener is left", function()
    local child, stdout, stderr = fork([[
      process:once("uncaughtException", function(err) print(err) end)
      require("child_process.timers").setImmediate(function() error("second", 0) end)
      error("first", 0)
    ]])
    assert.equal("first\n", stdout)
    assert.matches(": second\n", stderr, 1, true)
    assert.equal(1, child.exitCode)
  end)
end)

describe("Starting", function()
  it("loads no module that is not needed yet", function()
    local _, stdout = fork([[
      process:on("message", function() end)
      process:removeAllListeners("message")
      local names = {}
      for name in pairs(package.loaded) do
        if name:find("^child_process") then names[#names + 1] = name:match("[^.]*$") end
      end
      table.sort(names)
      print(table.concat(names, " "))
    ]])
    assert.equal("assign channel compat core emitter end errors incoming json listeners "
      .. "locate loop outgoing process queue script send standard ticks\n", stdout)
  end)
end)
