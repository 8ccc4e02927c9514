-- fork with options.host: messages pass an agent unchanged, in both serializations.

local agents = require("spec.support.agents")
local cp = require("child_process")
local messages = require("spec.support.messages")
local net = require("child_process.net")
local process = require("child_process.process")
local support = require("spec.support")

local h

local function fork(text, options, args)
  return messages.fork(text, support.merge({host = h}, options), args)
end

describe("fork with options.host", function()
  setup(function() h = agents.connect() end)
  teardown(function() agents.close(h) end)

  it("exchanges messages", function()
    for _, serialization in ipairs({"json", "advanced"}) do
      local child = fork([[
        process:on("message", function(message)
          process:send({message, arg[1], "and back"})
          process:disconnect()
        end)
      ]], {serialization = serialization}, {"argument"})
      local received = messages.received(child)
      local seen = support.names(child, "spawn", "message", "disconnect", "exit", "close")
      child:send({"there", {1, 2.5}})
      support.run()
      assert.same({{{"there", {1, 2.5}}, "argument", "and back"}}, received)
      assert.same({"spawn", "message", "disconnect", "exit", "close"}, seen)
      assert.equal(0, child.exitCode)
    end
  end)

  it("delivers all messages before the exit", function()
    local child = fork([[
      for i = 1, 20000 do process:send({i, ("x"):rep(i % 100)}) end
      os.exit(7)
    ]])
    local count, last, before = 0, nil, nil
    child:on("message", function(message)
      count, last = count + 1, message[1]
    end)
    child:on("exit", function() before = count end)
    support.run()
    assert.equal(20000, before)
    assert.equal(20000, last)
    assert.equal(7, child.exitCode)
  end)

  it("reports the exit although another process holds the channel, and reads nothing", function()
    local child = cp.spawn("sh", {"-c", "sleep 600 >/dev/null 2>&1 & echo $!; read line; exit 5"}, {
      host = h, stdio = {"pipe", "pipe", "inherit", "ipc"},
    })
    local pid
    local codes = {}
    child:on("error", function(err) codes[#codes + 1] = err.code end)
    child.stdout:once("data", function(data)
      pid = tonumber(data)
      for _ = 1, 3000 do child:send(("x"):rep(1000)) end
      child.stdin:finish("\n")
    end)
    support.inTime(function() assert.equal(5, child:wait("exit")) end)
    assert.same({}, codes)
    process:kill(pid, "SIGKILL")
    support.run()
    assert.same({"EPIPE"}, codes) -- for the messages that nobody will read, as here
    assert.equal(5, child.exitCode)
  end)

  it("stops a sender that is not read, and loses nothing", function()
    local child = fork([[
      process:on("message", function(message) process:send(#message) end)
    ]])
    local received, text = messages.received(child), ("y"):rep(1000)
    for _ = 1, 5000 do child:send(text) end
    child:once("message", function() end)
    support.inTime(function()
      while #received < 5000 do cp.run("once") end
    end)
    child:disconnect()
    support.run()
    for i = 1, 5000 do assert.equal(1000, received[i]) end
  end)

  it("answers requests, and rejects those of a host that is lost", function()
    local other = agents.connect()
    other:on("error", function() end)
    local child = fork([[
      process:handle(function(value)
        if value == "never" then
          process:send("asked")
          return require("child_process.promise").new(function() end):await()
        end
        return value * 2
      end)
    ]], {host = other})
    child:on("error", function() end)
    assert.equal(42, support.inTime(function() return child:request(21):await() end))
    local reasons = {}
    local function note(err) reasons[#reasons + 1] = err end
    child:request("never"):catch(note)
    child:on("message", function() other:kill("SIGKILL") end)
    support.run()
    child:request("later"):catch(note)
    support.run()
    assert.equal(2, #reasons)
    for _, err in ipairs(reasons) do
      assert.equal("ERR_CHILD_ENDED", err.code)
      assert.equal("ERR_HOST_LOST", err.cause.code)
      assert.match("The child ended before it replied: host ", err.message, 1, true)
    end
  end)

  it("rejects requests to a child that could not be started there", function()
    local other = agents.connect({"sh", "-c", "exit 7"})
    local child = fork("process:handle(function() end)", {host = other})
    child:on("error", function() end)
    local err = select(2, pcall(support.inTime, function()
      return child:request("anything"):await()
    end))
    assert.equal("ERR_CHILD_ENDED", err.code)
    assert.equal("ERR_HOST_CONNECT", err.cause.code)
    assert.match("The child could not be started: ", err.message, 1, true)
    support.run()
  end)

  it("rejects a request to a child that we have disconnected before it was started", function()
    local child = fork("process:handle(function() end)", {host = h})
    child:disconnect()
    local err = select(2, pcall(support.inTime, function()
      return child:request("anything"):await()
    end))
    assert.equal("ERR_CHILD_ENDED", err.code)
    assert.equal(0, err.exitCode)
    support.run()
  end)

  it("prints to our standard output, like any forked child", function()
    local stdout = support.runScript(([[
      local agents = require("spec.support.agents")
      local h = agents.connect()
      local child = cp.fork(%q, {host = h})
      child:on("close", function() h:close() end)
      cp.run()
    ]]):format(support.script("print('printed')")))
    assert.equal("printed\n", stdout)
  end)

  it("runs the interpreter of options.execPath with options.execArgv", function()
    local child = fork([[print(arg[-1])]], {
      execPath = support.lua, execArgv = {"-W"}, silent = true,
    })
    support.output(child)
    assert.is_not_nil(child.exitCode)
  end)

  it("sends the source of the script with options.sendSource", function()
    local folder = support.tmpdir()
    local path = folder .. "/script.lua"
    support.writeFile(path, "#!/usr/bin/lua\nprocess:send({arg[0], arg[1], (...)})\n"
      .. "process:disconnect()\nerror('line 4')\n")
    local child = cp.fork(folder .. "/script", {"argument"},
      {host = h, sendSource = true, stdio = {"ignore", "ignore", "pipe", "ipc"}})
    os.remove(path)
    local received = messages.received(child)
    local _, stderr = support.output(child)
    assert.same({{folder .. "/script", "argument", "argument"}}, received)
    assert.match("script:4: line 4", stderr, 1, true)
    assert.equal("ENOENT", support.error(cp.fork, path, {host = h, sendSource = true}).code)
    local err = support.error(cp.fork, path, {host = h, sendSource = true, execPath = "lua"})
    assert.equal("ERR_INVALID_ARG_VALUE", err.code)
  end)

  it("refuses handles", function()
    local child = fork([[process:on("message", function() end)]])
    local server = net.createServer()
    server:listen(0, "127.0.0.1")
    support.inTime(function() return server:wait("listening") end)
    local err = support.error(child.send, child, "server", server)
    assert.equal("ERR_INVALID_HANDLE_TYPE", err.code)
    server:close()
    child:disconnect()
    support.run()
    assert.equal(0, child.exitCode)
  end)
end)
