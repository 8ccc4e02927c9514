-- What a child has sent before it ended is delivered before its "exit", and "disconnect" as well.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local messages = require("spec.support.messages")
local support = require("spec.support")

--- Notes the events of a child in short: "message" with its first argument, and with "+" if a
--- handle came with it; "disconnect", "exit", "close".
local function noted(child)
  local seen = {}
  child:on("message", function(message, handle)
    local text = type(message) == "string" and #message > 20 and "#" .. #message or message
    seen[#seen + 1] = tostring(text) .. (handle and "+" or "")
    if handle then handle:close() end
  end)
  for _, name in ipairs({"disconnect", "exit", "close"}) do
    child:on(name, function() seen[#seen + 1] = name end)
  end
  return seen
end

local END = {"disconnect", "exit", "close"}

--- What is expected of a child that has sent these.
local function before(...)
  return compat.move(END, 1, #END, select("#", ...) + 1, {...})
end

describe("What a child has sent before it ended comes before 'exit'", function()
  for _, serialization in ipairs({"json", "advanced"}) do
    it("with many children at once, " .. serialization, function()
      local script = support.script("for n = 1, 3 do process:send('m' .. n) end")
      local all = {}
      for i = 1, 50 do
        all[i] = noted(cp.fork(script, {}, {serialization = serialization}))
      end
      support.run(600)
      for i = 1, 50 do assert.same(before("m1", "m2", "m3"), all[i]) end
    end)

    it("with large messages, " .. serialization, function()
      local script = support.script("for _ = 1, 3 do process:send(('x'):rep(2 ^ 20)) end")
      local all = {}
      for i = 1, 5 do
        all[i] = noted(cp.fork(script, {}, {serialization = serialization}))
      end
      support.run(600)
      for i = 1, 5 do assert.same(before("#1048576", "#1048576", "#1048576"), all[i]) end
    end)
  end

  for _, variable in ipairs({"CHILD_PROCESS_NO_PIDFD", "CHILD_PROCESS_NO_VFORK"}) do
    it("with " .. variable, function()
      local script = support.script("for n = 1, 3 do process:send(n) end")
      local stdout = support.runScript(([[
        local function start()
          local child, text = cp.fork(%q), ""
          child:on("message", function(m) text = text .. m end)
          child:on("disconnect", function() text = text .. " disconnect" end)
          child:on("exit", function() print(text, "exit") end)
        end
        for _ = 1, 30 do start() end
        cp.run()
      ]]):format(script), nil, {env = messages.environment({[variable] = "1"})})
      assert.equal(("123 disconnect\texit\n"):rep(30), stdout)
    end)
  end

  it("with handles", function()
    local script = support.script([[
      local server = require("child_process.net").createServer()
      server:listen(0, "127.0.0.1", function()
        process:send("one", server)
        process:send("two")
        process:send("three", server)
        process:exit(0)
      end)
    ]])
    local all = {}
    for i = 1, 20 do all[i] = noted(cp.fork(script)) end
    support.run(600)
    for i = 1, 20 do assert.same(before("one+", "two", "three+"), all[i]) end
  end)

  it("when a signal ends it right after", function()
    local script = support.script([[
      process:send("last", function()
        process:kill(process.pid, "SIGKILL")
      end)
    ]])
    local all = {}
    for i = 1, 20 do
      local child = cp.fork(script)
      all[i] = noted(child)
      child:on("exit", function(_, signal) all[i].signal = signal end)
    end
    support.run(600)
    for i = 1, 20 do
      assert.equal("SIGKILL", all[i].signal)
      assert.same(before("last"), {compat.unpack(all[i])})
    end
  end)

  it("for listeners that are added when it is spawned", function()
    local seen
    local child = messages.fork("process:send('early')")
    child:on("spawn", function() seen = noted(child) end)
    support.run()
    assert.same(before("early"), seen)
  end)

  it("when a listener takes its time", function()
    local script = support.script("for n = 1, 3 do process:send('m' .. n) end")
    local all = {}
    for i = 1, 5 do
      local child = cp.fork(script)
      child:on("message", function() cp.spawnSync("true") end)
      all[i] = noted(child)
    end
    support.run(600)
    for i = 1, 5 do assert.same(before("m1", "m2", "m3"), all[i]) end
  end)

  it("when a listener raises", function()
    local child = messages.fork("for n = 1, 3 do process:send('m' .. n) end")
    local seen = noted(child)
    child:on("message", function(message) error(message, 0) end)
    cp.spawnSync("sleep", {"0.1"}) -- most likely all has come then, and the child has ended
    assert.same({"m1", "m2", "m3"}, support.runThrough())
    assert.same(before("m1", "m2", "m3"), seen)
  end)

  it("when we have disconnected meanwhile", function()
    local child = messages.shell("printf '1\\n2\\n\"' >&3; printf 'ten thousand\"\\n' >&3")
    local seen = noted(child)
    child:on("message", function(message)
      if message == 1 then child:disconnect() end
    end)
    cp.spawnSync("sleep", {"0.1"})
    support.run()
    assert.same("1", seen[1])
    assert.same(END, {compat.unpack(seen, #seen - 2)})
  end)

  it("when what we have sent will never be read", function()
    local child = messages.shell("echo '\"bye\"' >&3; exit")
    local seen = noted(child)
    local err
    child:send(("x"):rep(2 ^ 20), function(e) err = e end)
    child:disconnect()
    support.run()
    assert.same(END, {compat.unpack(seen, #seen - 2)})
    assert.equal("Error", err and err.name)
  end)

  it("and exitCode shows that it has ended only then", function()
    local child = messages.fork("process:send('m') process:exit(3)")
    local codes = {}
    child:on("message", function() codes[#codes + 1] = child.exitCode or "runs" end)
    child:on("disconnect", function() codes[#codes + 1] = child.exitCode or "runs" end)
    child:on("exit", function() codes[#codes + 1] = child.exitCode end)
    support.run()
    assert.same({"runs", "runs", 3}, codes)
  end)
end)

describe("A descendant that holds the channel", function()
  it("does not put off 'exit', and 'disconnect' comes when it has ended", function()
    local child = messages.shell("exec 4<&0; cat <&4 >/dev/null & printf '1\\n2\\n' >&3")
    local seen = noted(child)
    child:on("exit", function() child.stdin:finish() end)
    support.run()
    assert.same({"1", "2", "exit", "disconnect", "close"}, seen)
  end)

  it("does not put off 'exit' by sending without end", function()
    local child = messages.shell("yes 1 >&3 2>&- & echo 2 >&3; exec 3>&-")
    local seen = {}
    child:on("message", function(message) seen[message] = true end)
    child:on("exit", function()
      seen.exit = true
      child:disconnect()
    end)
    support.run()
    assert.is_true(seen.exit)
    assert.is_true(seen[2])
  end)
end)
