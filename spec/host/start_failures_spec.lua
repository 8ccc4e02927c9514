-- Children on other hosts that could not be started there: they close, and nothing of them is left.

local agents = require("spec.support.agents")
local cp = require("child_process")
local support = require("spec.support")

local DESCRIPTORS = 64 -- of the agent

-- More pipes than it can open.
local PIPES = {}
for index = 1, DESCRIPTORS do PIPES[index] = "pipe" end

describe("a child that cannot be started on another host", function()
  it("closes although its pipes could not be opened, and gives back those that were", function()
    local h = agents.connect({"sh", "-c", ('ulimit -n %d; exec "$@"'):format(DESCRIPTORS), "sh"})
    for _ = 1, DESCRIPTORS do
      local child = cp.spawn("true", {host = h, stdio = PIPES})
      local seen, err = support.names(child, "spawn", "error", "exit", "close"), nil
      child:on("error", function(e) err = e end)
      support.run()
      assert.same({"error", "close"}, seen)
      assert.equal("pipe EMFILE", err.syscall .. " " .. err.code)
    end
    assert.equal("fine\n", support.output(cp.spawn("echo", {"fine"}, {host = h})))
    agents.close(h)
    support.run()
  end)

  it("closes, and leaves nothing open, if its pipes cannot be opened here", function()
    local stdout = support.runScript(([[
      local h = require("child_process.host").connect({"sh", "-c", 'exec "$@"', "sh"}, {lua = %q})
      local openFds = require("spec.support").openFds
      local seen = {}
      local function start()
        local child = cp.spawn("cat", {host = h, stdio = {"pipe", "pipe", "pipe", "pipe"}})
        child:on("error", function(err) seen[err.syscall .. " " .. err.code] = true end)
        child:on("spawn", function() seen.spawn = true end)
        if child.stdin then child.stdin:finish() end
        child:on("close", function() seen.close = true end)
        cp.run()
        assert(seen.close)
      end
      start()
      local before = #openFds()
      collectgarbage("stop") -- which would close what is left open
      local files = {}
      repeat
        local file = io.open("/dev/null")
        files[#files + 1] = file
      until not file
      repeat
        seen = {}
        table.remove(files):close()
        start()
        assert(seen.spawn or seen["pipe EMFILE"])
      until seen.spawn
      for _, file in ipairs(files) do file:close() end
      print(#openFds() - before)
      h:close()
      cp.run()
    ]]):format(support.lua), "ulimit -n 60")
    assert.equal("0\n", stdout)
  end)

  it("is forgotten if it has more arguments than can be sent", function()
    local h = agents.connect()
    local err = support.error(cp.spawn, "true", {("x"):rep(64 * 1024 * 1024)}, {host = h})
    assert.match("too long for a frame", tostring(err), 1, true)
    agents.close(h)
    support.run()
  end)

  it("is killed if its streams cannot be made here, and emits nothing", function()
    local stdout = support.runScript(([[
      local h = require("child_process.host").connect({"sh", "-c", 'exec "$@"', "sh"}, {lua = %q})
      package.preload["child_process.channel.end"] = function() error("no memory", 0) end
      print(pcall(cp.spawn, "sleep", {"600"}, {host = h, stdio = {"pipe", "pipe", "pipe", "ipc"}}))
      cp.run() -- the child keeps the loop alive
      print(h.state)
      h:close()
      cp.run()
    ]]):format(support.lua))
    assert.equal("false\tno memory\nconnected\n", stdout)
  end)
end)
