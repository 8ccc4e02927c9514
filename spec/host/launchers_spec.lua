-- host.connect with launchers that misbehave: what a person then reads.

local agents = require("spec.support.agents")
local cp = require("child_process")
local host = require("child_process.host")
local support = require("spec.support")

local failure = agents.failure

describe("host.connect(launcher[, options])", function()
  it("returns at once, and emits 'connect'", function()
    local h = agents.connect()
    assert.equal("connecting", h.state)
    local seen = support.note(h, {connect = 0, close = 0})
    support.inTime(function() return h:wait("connect") end)
    assert.equal("connected", h.state)
    assert.equal(support.luaName or h.lua, h.lua)
    agents.close(h)
    support.run()
    assert.same({"connect", "close"}, seen)
  end)

  it("checks its arguments", function()
    local function code(...) return support.error(host.connect, ...).code end
    assert.equal("ERR_INVALID_ARG_TYPE", code("ssh"))
    assert.equal("ERR_INVALID_ARG_VALUE", code({}))
    assert.equal("ERR_INVALID_ARG_VALUE", code({""}))
    assert.equal("ERR_INVALID_ARG_TYPE", code({"ssh"}, {lua = 5}))
    assert.equal("ERR_OUT_OF_RANGE", code({"ssh"}, {connectTimeout = -1}))
    assert.equal("ERR_INVALID_ARG_TYPE", code({"ssh"}, {pingInterval = "1"}))
  end)

  it("goes by ssh, which passes the words through a shell", function()
    local folder = support.tmpdir()
    support.executable(folder .. "/ssh", [[
#!/bin/sh
while [ "$1" != -- ]; do echo "$1" >> "$0.log"; shift; done
echo "$2" >> "$0.log"
shift 2
exec sh -c "$*"
]])
    local h = host.ssh("user@n1", {
      lua = support.lua, env = support.merge(support.environment, {
        PATH = folder .. ":" .. os.getenv("PATH"), LUA_PATH = os.getenv("LUA_PATH"),
        LUA_CPATH = os.getenv("LUA_CPATH"),
      }),
    })
    assert.equal("fine\n", support.output(cp.spawn("echo", {"fine"}, {host = h})))
    agents.close(h)
    assert.same({"-T", "-o", "BatchMode=yes", "-o", "ServerAliveInterval=15", "-o",
      "ServerAliveCountMax=3", "user@n1"}, support.lines(support.readFile(folder .. "/ssh.log")))
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(host.ssh, {}).code)
  end)

  it("skips what comes before the answer", function()
    local h = agents.connect({"sh", "-c",
      'printf "Welcome\\0child_process agent "; echo; exec "$@"', "sh"})
    assert.equal("fine\n", support.output(cp.spawn("echo", {"fine"}, {host = h})))
    agents.close(h)
  end)

  it("keeps what the agent prints away from the frames", function()
    local h = agents.connect(nil, {lua = {support.lua, "-e", [[
      print("noise before the agent")
      local core = require("child_process.core")
      local agentLink = core.agentLink
      function core.agentLink()
        local link = agentLink()
        print("stray output", io.read("*a"))
        io.stdout:flush()
        return link
      end
    ]]}})
    assert.equal("fine\n", support.output(cp.spawn("echo", {"fine"}, {host = h})))
    agents.close(h)
  end)

  it("fails when the launcher cannot be started", function()
    local h = host.connect({"/nonexistent/launcher"})
    local err
    h:on("error", function(e) err = e end)
    support.run()
    assert.equal("ERR_HOST_CONNECT", err.code)
    assert.match("cannot connect to host '/nonexistent/launcher': the launcher could not be "
      .. "started", err.message, 1, true)
    assert.match("ENOENT", err.message)
  end)

  it("fails when the launcher ends at once, with its exit code and what it has printed", function()
    local err = failure("echo some banner; echo no route to host >&2; exit 255")
    assert.equal("ERR_HOST_CONNECT", err.code)
    assert.equal(255, err.exitCode)
    assert.match("the connection was closed, and the launcher has ended with exit code 255",
      err.message, 1, true)
    assert.match("some banner", err.message, 1, true)
    assert.match("no route to host", err.message, 1, true)
  end)

  it("says what to do when Lua, or the module, is missing there", function()
    local err = failure('exec "$@"', {lua = "nonexistent-lua"})
    assert.match("there seems to be no command 'nonexistent-lua' there (options.lua), and the "
      .. "launcher has ended with exit code 127", err.message, 1, true)
    err = failure('export LUA_PATH=/nonexistent/?.lua LUA_CPATH=/nonexistent/?.so; exec "$@"')
    assert.match("child_process is not installed there", err.message, 1, true)
  end)

  it("fails when there is no answer in time", function()
    local err = failure("exec sleep 600", {connectTimeout = 100})
    assert.equal("ERR_HOST_CONNECT", err.code)
    assert.match("no answer within 100 ms (options.connectTimeout)", err.message, 1, true)
  end)

  it("fails when too much comes before the answer", function()
    local err = failure("yes noise | head -c 100000; cat > /dev/null")
    assert.match("more than 64 KiB came before its answer", err.message, 1, true)
    assert.match("noise", err.message, 1, true)
  end)

  it("does not take an echo for an answer", function()
    local err = failure("head -c 100; exit 0")
    assert.equal("ERR_HOST_CONNECT", err.code)
    assert.match("the connection was closed", err.message, 1, true)
  end)

  it("fails when the answer is cut short, or no frame", function()
    local mark = [[printf '\0child_process agent  \0\n'; ]]
    assert.match("the connection was closed", failure(mark .. [[printf '\0\0\0\5']]).message, 1,
      true)
    assert.match("not a frame", failure(mark .. "head -c 100 /dev/zero; cat >/dev/null").message, 1,
      true)
    assert.match("does not introduce itself", failure(mark
      .. [[printf '\0\0\0\0\0\0\0\0\31\0\0\0'; cat >/dev/null]]).message, 1, true)
    assert.match("not that of an agent of this connection", failure(mark
      .. [[printf '\0\0\0\2\0\0\0\0\20\0\0\0{}'; cat >/dev/null]]).message, 1, true)
  end)

  it("fails when the agent is of another version", function()
    local err = failure('exec "$@"', {lua = {support.lua, "-e",
      'require("child_process.link.protocol").VERSION = 99'}})
    assert.equal("ERR_HOST_VERSION", err.code)
    assert.match("the agent speaks version 99 of the protocol", err.message, 1, true)
    assert.match("install the same version", err.message, 1, true)
  end)

  it("passes the failure on to children that were to be started", function()
    local h = agents.connect({"sh", "-c", "exit 9"})
    local codes = {}
    for i = 1, 3 do
      local child = cp.spawn("true", {host = h})
      local seen = support.names(child, "spawn", "error", "exit", "close")
      child:on("error", function(err) codes[i] = err.code end)
      child:on("close", function() assert.same({"error", "close"}, seen) end)
    end
    local result
    cp.exec("true", {host = h}, function(err) result = err end)
    support.run()
    assert.same({"ERR_HOST_CONNECT", "ERR_HOST_CONNECT", "ERR_HOST_CONNECT"}, codes)
    assert.equal("ERR_HOST_CONNECT", result.code)
    local late
    cp.spawn("true", {host = h}):on("error", function(err) late = err end)
    support.run()
    assert.equal(result, late)
  end)

  it("raises the error from the loop if nobody listens", function()
    agents.connect({"sh", "-c", "exit 9"})
    local err = support.error(cp.run)
    assert.equal("ERR_HOST_CONNECT", err.code)
    support.run()
  end)
end)
