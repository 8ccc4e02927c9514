-- Children on other hosts that could not be started there: they close, and nothing of them is left.

local agents = require("spec.support.agents")
local cp = require("child_process")
local support = require("spec.support")

-- More pipes than an agent with few descriptors can open for several children.
local PIPES = {}
for index = 1, 12 do PIPES[index] = "pipe" end

-- Starts children that keep their pipes until one of them fails. Returns its error, once it has
-- closed.
local function failToStart(h)
  local err
  for _ = 1, 10 do
    local child = cp.spawn("sleep", {"600"}, {host = h, stdio = PIPES})
    local seen = support.names(child, "spawn", "error", "exit", "close")
    child:on("error", function(e) err = e end)
    support.inTime(function()
      while #seen < (err and 2 or 1) do cp.run("once") end
    end)
    if err then
      assert.same({"error", "close"}, seen)
      return err
    end
  end
end

describe("a child that cannot be started on another host", function()
  it("closes although its pipes could not be opened, and gives back those that were", function()
    local h = agents.connect({"sh", "-c", 'ulimit -n 64; exec "$@"', "sh"}, {grace = 50})
    assert.equal("EMFILE", failToStart(h).code)
    for _ = 1, 3 do assert.equal("EMFILE", failToStart(h).code) end
    -- The loop does not end: the others go on.
    local result = support.inTime(function()
      return cp.promises.execFile("echo", {"fine"}, {host = h}):await()
    end)
    assert.equal("fine\n", result.stdout)
    agents.close(h)
    support.run()
  end)

  it("is forgotten if it has more arguments than can be sent", function()
    local h = agents.connect()
    local err = support.error(cp.spawn, "true", {("x"):rep(64 * 1024 * 1024)}, {host = h})
    assert.match("too long for a frame", tostring(err), 1, true)
    agents.close(h)
    support.run()
  end)
end)
