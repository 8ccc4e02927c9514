-- examples/hosts/with_lighttpd.lua, and scripts like it, in a real lighttpd with its module magnet.

local hosts = require("spec.support.hosts")
local lfs = require("lfs")
local process = require("child_process.process")
local support = require("spec.support")

local CONFIG = [[
server.modules = ("mod_magnet")
server.bind = "127.0.0.1"
server.port = %d
server.document-root = "%s"
server.errorlog = "/dev/stderr"
magnet.attract-raw-url-to = ("%s")
]]

-- What a script of the tests begins with.
local START = [[
  local cp = require("child_process")
  local ok, err = pcall(cp.run, "nowait")
  if not ok then print(tostring(err)) end
  local path = lighty.r.req_attr["uri.path"]
  local function reply(text) lighty.r.resp_body:set(tostring(text)) end
]]

local EXAMPLE = lfs.currentdir() .. "/examples/hosts/with_lighttpd.lua"

describe("lighttpd", function()
  --- Starts lighttpd with a script that answers all requests.
  ---@param script string a path, or Lua code
  ---@return Host
  ---@return integer port
  local function lighttpd(script)
    hosts.need("lighttpd", "lua5.4")
    if not lfs.attributes("/usr/lib/lighttpd/mod_magnet.so") then
      pending("lighttpd's module magnet is not installed")
    end
    local folder, port = support.tmpdir(), hosts.port()
    if script ~= EXAMPLE then
      support.writeFile(folder .. "/script.lua", START .. script .. "\nreturn 200\n")
      script = folder .. "/script.lua"
    end
    support.writeFile(folder .. "/conf", CONFIG:format(port, folder, script))
    local host = hosts.start("lighttpd", {"-D", "-f", folder .. "/conf"}, {
      env = hosts.environment("5.4"),
    })
    host:waitFor("server started")
    return host, port
  end

  after_each(hosts.stop)

  it("answers with the output of a command", function()
    local _, port = lighttpd(EXAMPLE)
    local status, body = hosts.get(port, "/uptime")
    assert.equal(200, status)
    assert.matches("load average", body)
  end)

  it("answers twenty requests at once, one after the other", function()
    local _, port = lighttpd([[reply(cp.execFileSync("sh", {"-c", "sleep 0.01; echo $0", path}))]])
    local paths = {}
    for index = 1, 20 do paths[index] = "/" .. index end
    for index, answer in ipairs(hosts.getAll(port, paths)) do
      assert.same({status = 200, body = paths[index] .. "\n"}, answer)
    end
  end)

  it("notices the end of a command at a later request", function()
    local host, port = lighttpd(EXAMPLE)
    assert.equal(202, (hosts.get(port, "/job")))
    local code
    repeat
      assert.equal(200, (hosts.get(port, "/uptime")))
      code = host.log:match("job %d+ has ended with (%-?%d+)")
    until code
    -- lighttpd waits for all its children, also for ours
    if support.keepsStatus() then assert.equal("3", code) end
    assert.same({}, support.zombies(host.child.pid))
  end)

  it("logs the error of a listener, and answers the request that it came in", function()
    local host, port = lighttpd([[
      if path == "/start" then
        cp.spawn("true"):on("close", function() error("from a listener") end)
      end
      reply(path)
    ]])
    hosts.get(port, "/start")
    while not host.log:find("from a listener", 1, true) do
      assert.same({200, "/next"}, {hosts.get(port, "/next")})
    end
    assert.same({200, "/next"}, {hosts.get(port, "/next")})
    assert.matches("script.lua\"%]:%d+: from a listener", host.log)
  end)

  it("goes on with children when it is restarted, and with a new state", function()
    local host, port = lighttpd([[
      if path == "/start" then
        reply(cp.spawn("cat", {stdio = {"pipe", "ignore", "ignore"}}).pid)
      else
        reply(cp.execSync("echo new"))
      end
    ]])
    local _, pid = hosts.get(port, "/start")
    host:kill("SIGUSR1")
    host:waitFor("server started")
    assert.same({200, "new\n"}, {hosts.get(port, "/again")})
    -- the pipe to cat was closed with the state
    while lfs.attributes("/proc/" .. pid) do
      assert.same({200, "new\n"}, {hosts.get(port, "/again")})
    end
  end)

  it("ends although a child runs, which goes on", function()
    local host, port = lighttpd([[reply(cp.spawn("sleep", {"60"}, {stdio = "ignore"}).pid)]])
    local _, pid = hosts.get(port, "/start")
    host:kill("SIGTERM")
    local _, signal = host:wait()
    assert.is_nil(signal) -- the code is 1 now and then, with any script
    assert.is_true(process:kill(tonumber(pid), "SIGTERM"))
  end)
end)
