-- examples/hosts/prosody in a real Prosody: a bridge between the two loops, and a module that uses
-- it.

local hosts = require("spec.support.hosts")
local lfs = require("lfs")
local process = require("child_process.process")
local support = require("spec.support")

local CONFIG = [[
plugin_paths = { "%s/examples/hosts/prosody", "." }
data_path = "."
pidfile = "./pid"
run_as_root = true
modules_enabled = { "posix", %s "probe" }
modules_disabled = { "s2s", "c2s", "tls", "offline" }
http_ports = { %d }
http_interfaces = { "127.0.0.1" }
https_ports = {}
log = { { levels = { min = "info" }, to = "console" } }
VirtualHost "localhost"
]]

-- A module whose answers the tests choose.
local PROBE = [[
  local cp = require("child_process")
  local timers = require("child_process.timers")
  local function answer(event)
    local function reply(text) event.response:send(tostring(text)) end
    do %s end
    return true
  end
  module:depends("http")
  module:provides("http", {route = {GET = answer}})
]]

describe("Prosody", function()
  --- Starts Prosody with the modules of the example, and one of the test's that answers requests to
  --- /probe.
  ---@param probe? string Lua code, with functions `reply` and the event
  ---@param modules? string what modules_enabled has besides
  ---@return Host
  ---@return integer port
  local function prosody(probe, modules)
    hosts.need("prosody", "lua5.4")
    local folder, port = support.tmpdir(), hosts.port()
    support.writeFile(folder .. "/prosody.cfg.lua",
      CONFIG:format(lfs.currentdir(), modules or '"child_process", "uptime",', port))
    support.writeFile(folder .. "/mod_probe.lua", PROBE:format(probe or ""))
    local host = hosts.start("prosody", {"-F", "--config", folder .. "/prosody.cfg.lua"}, {
      cwd = folder, env = hosts.environment("5.4"),
    })
    host:waitFor("Activated service 'http'")
    return host, port
  end

  after_each(hosts.stop)

  it("runs a command when it has started, and one for a request", function()
    local host, port = prosody()
    host:waitFor("The system is Linux ")
    local status, body = hosts.get(port, "/uptime")
    assert.equal(200, status)
    assert.matches("load average", body)
  end)

  it("answers twenty requests at once", function()
    local _, port = prosody([[
      cp.exec("sleep 0.1; echo $0", function(_, stdout) reply(stdout) end)
    ]])
    local paths = {}
    for index = 1, 20 do paths[index] = "/probe" end
    for _, answer in ipairs(hosts.getAll(port, paths)) do
      assert.same({status = 200, body = "/bin/sh\n"}, answer)
    end
  end)

  it("serves timers and children that are started in its own callbacks", function()
    local _, port = prosody([[
      require("util.timer").add_task(0.01, function()
        timers.setTimeout(function()
          require("util.timer").add_task(0.01, function()
            cp.spawn("sh", {"-c", "exit 3"}):on("close", reply)
          end)
        end, 20)
      end)
    ]])
    assert.same({200, "3"}, {hosts.get(port, "/probe")})
  end)

  it("keeps children when the module that drives the loop is reloaded", function()
    local _, port = prosody([[
      local modules = require("core.modulemanager")
      local child = cp.spawn("cat")
      child:on("close", function(code) reply("closed with " .. code) end)
      timers.setTimeout(function()
        assert(modules.reload("*", "child_process"))
        child.stdin:finish()
      end, 10)
    ]])
    assert.same({200, "closed with 0"}, {hosts.get(port, "/probe")})
    assert.equal(200, (hosts.get(port, "/uptime")))
  end)

  it("lets handlers of requests wait, one of them several times", function()
    local _, port = prosody([[
      local child = cp.spawn("sh", {"-c", "echo a; sleep 0.02; echo b; exit 3"})
      local text = ""
      for line in child.stdout:lines() do text = text .. line end
      text = text .. child:wait("close")
      return text .. cp.promises.exec("echo $0 >&2; echo c"):await().stdout
    ]])
    local answers = hosts.getAll(port, {"/probe", "/uptime", "/probe"})
    assert.same({status = 200, body = "ab3c\n"}, answers[1])
    assert.same(answers[1], answers[3])
    assert.equal(200, answers[2].status)
  end)

  it("lets other coroutines wait, too, which get nothing from a wait but its result", function()
    local _, port = prosody([[
      local first = select("#", coroutine.wrap(function()
        reply(cp.promises.exec("echo d"):await().stdout .. cp.spawn("true"):wait("exit"))
      end)())
      assert(first == 0)
    ]])
    assert.same({200, "d\n0"}, {hosts.get(port, "/probe")})
  end)

  it("answers with status 500 when a handler has waited for what failed", function()
    local host, port = prosody([[return cp.promises.exec("exit 3"):await()]])
    assert.equal(500, (hosts.get(port, "/probe")))
    assert.matches("Command failed: exit 3 %(exit code 3%)", host.log)
    assert.equal(200, (hosts.get(port, "/uptime")))
  end)

  it("has waiting raise an error before the module that drives the loop is loaded", function()
    local _, port = prosody([[
      local promise = cp.promises.exec("echo late")
      local ok, err = pcall(promise.await, promise)
      if ok then return err.stdout end
      assert(err.message:find("Prosody"))
      module:depends("child_process")
      return err.code .. " " .. promise:await().stdout
    ]], "")
    assert.same({200, "ERR_WAIT_IN_SCHEDULER late\n"}, {hosts.get(port, "/probe")})
    assert.same({200, "late\n"}, {hosts.get(port, "/probe")})
  end)

  it("loads the module that drives the loop for one that depends on it", function()
    local host, port = prosody(nil, '"uptime",')
    host:waitFor("The system is Linux ")
    assert.equal(200, (hosts.get(port, "/uptime")))
  end)

  it("logs the error of a listener, with its line, and goes on", function()
    local host, port = prosody([[
      cp.spawn("true"):on("exit", function() error("from a listener") end)
        :on("close", function() reply("closed") end)
    ]])
    assert.same({200, "closed"}, {hosts.get(port, "/probe")})
    local log = host:waitFor("from a listener")
    assert.matches("mod_child_process%s+error%s[^\n]*mod_probe.lua:5: from a listener", host.log)
    assert.matches("stack traceback:\n%s*[^\n]*mod_probe.lua:5:", log)
    assert.equal(200, (hosts.get(port, "/uptime")))
  end)

  it("ends although a child runs, which goes on", function()
    local host, port = prosody([[reply(cp.spawn("sleep", {"60"}, {stdio = "ignore"}).pid)]])
    local _, pid = hosts.get(port, "/probe")
    host:kill("SIGTERM")
    assert.equal(0, (host:wait()))
    assert.is_true(process:kill(tonumber(pid), "SIGTERM"))
  end)
end)
