-- The callbacks of send report the right outcome, and nothing that was accepted or has come is lost
-- when one side ends the channel.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local messages = require("spec.support.messages")
local net = require("child_process.net")
local support = require("spec.support")

--- Notes what a callback of send gets: "name" or "name CODE".
local function noting(list, name)
  return function(err) list[#list + 1] = err and name .. " " .. err.code or name end
end

describe("A callback of send learns that its message was written", function()
  it("when disconnect() follows in a listener", function()
    local child = messages.fork([[
      process:on("message", function(message)
        if message == "talk" then process:send("go") else print(message) end
      end)
    ]], {stdio = {"ignore", "pipe", "inherit", "ipc"}})
    local told = {}
    child:on("message", function()
      child:send("last words", noting(told, "last words"))
      child:disconnect()
    end)
    child:send("talk")
    assert.equal("last words\n", (support.output(child)))
    assert.same({"last words"}, told)
  end)

  it("when disconnect() follows in the child's listener", function()
    local child = messages.fork([[
      process:on("message", function()
        process:send("answer", function(err) print(err) end)
        process:disconnect()
      end)
    ]], {stdio = {"ignore", "pipe", "inherit", "ipc"}})
    local received = messages.received(child)
    child:send("ask")
    assert.equal("nil\n", (support.output(child)))
    assert.same({"answer"}, received)
  end)

  it("when disconnect() follows while a handle is on its way", function()
    local child = messages.fork([[
      process:on("message", function(message, handle)
        print(message)
        if handle then handle:close() end
      end)
    ]], {stdio = {"ignore", "pipe", "inherit", "ipc"}})
    local told = {}
    local server = net.createServer()
    server:listen(0, "127.0.0.1", function()
      child:send("a server", server, nil, noting(told, "a server"))
      child:send("after it", noting(told, "after it"))
      child:disconnect()
      server:close()
    end)
    assert.equal("a server\nafter it\n", (support.output(child)))
    assert.same({"a server", "after it"}, told)
  end)

  it("when it was written at once, and disconnect() follows in the same tick", function()
    local child = messages.shell("cat <&3 >/dev/null")
    local told = {}
    child:send(("x"):rep(70000), noting(told, "large"))
    child:disconnect()
    support.run()
    assert.same({"large"}, told)
  end)

  it("each of several that take long, when disconnect() follows", function()
    local child = messages.shell("read line; cat <&3 >/dev/null")
    local told = {}
    for _, name in ipairs({"first", "second", "third"}) do
      child:send(("x"):rep(2 ^ 20), noting(told, name))
    end
    child:disconnect()
    child.stdin:finish("go\n")
    support.run()
    assert.same({"first", "second", "third"}, told)
  end)

  it("when both sides send much and disconnect", function()
    local MUCH = 2 ^ 22
    local child = messages.fork(([[
      process:send(("c"):rep(%d))
      process:disconnect()
    ]]):format(MUCH))
    local told, events = {}, messages.events(child, {message = true})
    child:on("spawn", function()
      child:send(("p"):rep(MUCH), noting(told, "much"))
      child:disconnect()
    end)
    support.run()
    assert.same({"disconnect", "exit 0 nil", "close 0 nil"}, events)
    assert.equal("much", told[1]:sub(1, 4))
  end)
end)

describe("When the other side has gone", function()
  it("each callback learns whether its own message was written", function()
    local child = messages.shell("read line <&3; exec 3>&-; echo gone; read line")
    local told = {}
    child:send("short", noting(told, "short"))
    child.stdout:on("data", function()
      child:send("late", noting(told, "late"))
      child:send("later", noting(told, "later"))
      child.stdin:finish()
    end)
    support.run()
    assert.same("short", told[1])
    assert.equal(3, #told)
    assert.matches("^late E", told[2])
    assert.matches("^later E", told[3])
  end)

  it("a callback that was due before the failure gets no error", function()
    local child = messages.shell("head -c 8 <&3 >/dev/null; exec 3>&-; echo gone; read line")
    local told = {}
    child:on("spawn", function() child:send("first", noting(told, "first")) end)
    child.stdout:on("data", function()
      child:send(("x"):rep(2 ^ 20), noting(told, "large"))
      child.stdin:finish()
    end)
    support.run()
    assert.equal("first", told[1])
    assert.matches("^large E", told[2])
  end)

  -- Hands out eight jobs to a worker, and disconnects. They are too large to be read at once, and
  -- small enough to wait in the channel together.
  local function work(script)
    local gone = support.tmpdir() .. "/gone"
    local child = messages.fork(([[
      -- Begins with a job: with the first one when the parent has gone.
      local function begin(job)
        if job.n == 1 then
          io.popen("until [ -e %s ]; do sleep 0.01; done"):close()
        end
        io.write(job.n, " ")
      end
    ]]):format(gone) .. script, {stdio = {"ignore", "pipe", "pipe", "ipc"}})
    child:on("disconnect", function() support.writeFile(gone, "") end)
    for n = 1, 8 do child:send({n = n, data = ("x"):rep(10000)}) end
    child:disconnect()
    local stdout, stderr = support.output(child)
    return stdout, stderr, child
  end

  it("a worker that answers with callbacks does all jobs that wait", function()
    local stdout, stderr, child = work([[
      local failed = 0
      process:on("message", function(job)
        begin(job)
        process:send(job.n, function(err) if err then failed = failed + 1 end end)
      end)
      process:on("disconnect", function() io.write("disconnect ", failed) end)
    ]])
    assert.equal("", stderr)
    assert.equal("1 2 3 4 5 6 7 8 disconnect 8", stdout)
    assert.equal(0, child.exitCode)
  end)

  it("a worker without callbacks does all jobs that wait, and gets one 'error'", function()
    local stdout, stderr, child = work([[
      process:on("message", function(job)
        begin(job)
        process:send(job.n)
      end)
      process:on("error", function(err) io.write(err.syscall, " ") end)
      process:on("disconnect", function() io.write("disconnect") end)
    ]])
    assert.equal("", stderr)
    assert.equal("1 2 3 4 5 6 7 8 write disconnect", stdout)
    assert.equal(0, child.exitCode)
  end)

  it("a worker that nobody listens to for errors does all jobs before it fails", function()
    local stdout, stderr, child = work([[
      process:on("message", function(job)
        begin(job)
        process:send(job.n)
      end)
    ]])
    assert.matches("write E", stderr, 1, true)
    assert.equal("1 2 3 4 5 6 7 8 ", stdout)
    assert.equal(1, child.exitCode)
  end)
end)

describe("The end of a channel", function()
  it("comes when only a reply of the protocol is left to be written", function()
    -- not fork, which sends something ahead
    local child = cp.spawn(support.lua, {support.script([[
      local cp = require("child_process")
      local process = require("child_process.process")
      local server = require("child_process.net").createServer()
      server:listen(0, "127.0.0.1", function()
        process:send("first")
        process:send(("x"):rep(150000), server)
        server:close()
      end)
      process:on("message", function() end)
      cp.run()
    ]])}, {stdio = {"ignore", "inherit", "inherit", "ipc"}})
    local seen = {}
    child:on("message", function(message, handle)
      seen[#seen + 1] = #message .. (handle and "+" or "")
      if handle then handle:close() else child:disconnect() end
    end)
    for _, name in ipairs({"disconnect", "exit", "close"}) do
      child:on(name, function() seen[#seen + 1] = name end)
    end
    cp.spawnSync("sleep", {"0.3"}) -- most likely both have begun to come then
    support.run()
    assert.equal("5", seen[1])
    assert.same({"disconnect", "exit", "close"}, {compat.unpack(seen, #seen - 2)})
    assert.is_false(cp.run("nowait"))
  end)
end)
