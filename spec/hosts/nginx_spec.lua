-- examples/hosts/with_nginx.lua in a real nginx with its module http-lua.

local hosts = require("spec.support.hosts")
local lfs = require("lfs")
local process = require("child_process.process")
local support = require("spec.support")

local CONFIG = [[
load_module %{root}/usr/lib/nginx/modules/ndk_http_module.so;
load_module %{root}/usr/lib/nginx/modules/ngx_http_lua_module.so;
daemon off;
pid %{folder}/pid;
error_log stderr notice;
worker_processes 1;
env CHILD_PROCESS_NO_PIDFD;
env CHILD_PROCESS_NO_VFORK;
%{main}
events {}
http {
  access_log off;
  client_body_temp_path %{folder};
  proxy_temp_path %{folder};
  fastcgi_temp_path %{folder};
  uwsgi_temp_path %{folder};
  scgi_temp_path %{folder};
  lua_package_path "%{path}%{root}/usr/share/lua/5.1/?.lua;;";
  lua_package_cpath "%{cpath}";
  %{init}
  server {
    listen 127.0.0.1:%{port};
    location = /uptime {
      content_by_lua_block {
        local cp = require("child_process")
        ngx.print(cp.promises.execFile("uptime", {}, {timeout = 5000}):await().stdout)
      }
    }
    location = /probe {
      content_by_lua_block {
        local cp = require("child_process")
        %{probe}
      }
    }
  }
}
]]

--- The folder above that of nginx's files; nil if it is not there.
local function rootOfNginx()
  for _, root in ipairs({"", lfs.currentdir() .. "/build/hosts/nginx"}) do
    if lfs.attributes(root .. "/usr/lib/nginx/modules/ngx_http_lua_module.so") then return root end
  end
end

--- The folder with the LuaJIT of an nginx that is not installed.
local function libraries(root)
  for name in lfs.dir(root .. "/usr/lib") do
    local folder = ("%s/usr/lib/%s"):format(root, name)
    if lfs.attributes(folder .. "/libluajit-5.1.so.2") then return folder end
  end
end

describe("nginx", function()
  --- Starts nginx, whose one worker answers requests to /uptime, and to /probe.
  ---@param probe? string Lua code that answers
  ---@param init? string other directives for the start of a worker
  ---@return Host
  ---@return integer port
  local function nginx(probe, init)
    hosts.need("lua5.1")
    local root = rootOfNginx() or pending("nginx with its module for Lua is not there")
    local env = hosts.environment("5.1", {LD_LIBRARY_PATH = libraries(root)})
    local folder, port = support.tmpdir(), hosts.port()
    local values = {
      root = root, folder = folder, port = port, path = env.LUA_PATH:match("(.-;);"),
      cpath = env.LUA_CPATH, main = support.isRoot and "user root;" or "", probe = probe or "",
      init = init or ("init_worker_by_lua_file %s/examples/hosts/with_nginx.lua;"):format(
        lfs.currentdir()),
    }
    support.writeFile(folder .. "/nginx.conf", (CONFIG:gsub("%%{(%a+)}", values)))
    local host = hosts.start(root .. "/usr/sbin/nginx", {
      "-p", folder, "-c", folder .. "/nginx.conf",
    }, {env = env})
    host:waitFor("start worker process ")
    return host, port
  end

  after_each(hosts.stop)

  --- Asks for /probe.
  local function probed(port)
    return {hosts.get(port, "/probe")}
  end

  it("answers with the output of a command", function()
    local _, port = nginx()
    local status, body = hosts.get(port, "/uptime")
    assert.equal(200, status)
    assert.matches("load average", body)
  end)

  it("answers twenty requests at once, with a worker whose commands all run at once", function()
    local folder = support.tmpdir()
    local _, port = nginx(([[
      local script = 'touch "$0"; while [ "$(ls %s | wc -l)" -lt 20 ]; do sleep 0.01; done; echo go'
      local file = "%s/" .. ngx.var.connection
      ngx.print(cp.promises.execFile("sh", {"-c", script, file}):await().stdout)
    ]]):format(folder, folder))
    local paths = {}
    for index = 1, 20 do paths[index] = "/probe" end
    for _, answer in ipairs(hosts.getAll(port, paths)) do
      assert.same({status = 200, body = "go\n"}, answer)
    end
  end)

  it("lets a request read lines, and wait for the end", function()
    local _, port = nginx([[
      local child = cp.spawn("sh", {"-c", "echo a; sleep 0.02; echo b; exit 3"})
      for line in child.stdout:lines() do
        ngx.print(line)
        ngx.flush(true)
      end
      ngx.print(child:wait("close"))
    ]])
    for _ = 1, 10 do
      assert.same({200, "ab3nil"}, probed(port))
    end
  end)

  it("has the exit codes of synchronous calls", function()
    local _, port = nginx([[
      for _ = 1, 20 do
        local result = cp.spawnSync("sh", {"-c", "exit 3"}, {stdio = "ignore"})
        ngx.print(result.status, " ")
      end
    ]])
    assert.same({200, ("3 "):rep(20)}, probed(port))
  end)

  it("goes on with a command when the request has ended", function()
    local host, port = nginx([[
      cp.exec("sleep 0.1; echo late", function(_, stdout) ngx.log(ngx.NOTICE, stdout) end)
      cp.async(function()
        ngx.log(ngx.NOTICE, cp.promises.exec("sleep 0.2; echo later"):await().stdout)
      end)
      ngx.print("answered")
    ]])
    assert.same({200, "answered"}, probed(port))
    hosts.runUntil(function()
      return host.log:find(": late\n", 1, true) and host.log:find(": later\n", 1, true)
    end)
  end)

  it("logs the error of a listener with its line, and the worker goes on", function()
    local host, port = nginx([[
      cp.spawn("true"):on("exit", function() error("from a listener") end)
      ngx.print(ngx.worker.pid())
    ]])
    local first = probed(port)
    for _ = 1, 20 do assert.same(first, probed(port)) end
    host:waitFor("from a listener")
    assert.matches("content_by_lua%(nginx.conf:%d+%):%d+: from a listener\nstack traceback:\n%s+"
      .. "content_by_lua%(nginx.conf:%d+%):%d+:", host.log)
    assert.same(first, probed(port))
  end)

  it("refuses functions for requests in listeners and cp.async, which have no request", function()
    local host, port = nginx([[
      cp.spawn("true"):on("exit", function() ngx.print("too late") end)
      cp.spawn("true"):on("exit", function() ngx.sleep(0.01) end)
      local promise = cp.async(function()
        cp.spawn("true"):wait("close")
        ngx.say("too late")
      end)
      promise:catch(function(err) ngx.log(ngx.NOTICE, "async: ", tostring(err)) end)
      ngx.print(ngx.worker.pid())
    ]])
    local first = probed(port)
    for _ = 1, 20 do assert.same(first, probed(port)) end
    for _, text in ipairs({": no request object found", ": no request found", "async: "}) do
      hosts.runUntil(function() return select(2, host.log:gsub(text, "")) >= 21 end)
    end
    assert.same(first, probed(port))
  end)

  it("has waiting raise an error without the example", function()
    local _, port = nginx([[
      local promise = cp.promises.exec("echo a")
      local _, err = pcall(promise.await, promise)
      ngx.print(err.code)
    ]], "")
    assert.same({200, "ERR_WAIT_IN_SCHEDULER"}, probed(port))
    assert.same({200, "ERR_WAIT_IN_SCHEDULER"}, probed(port))
  end)

  it("finishes requests that wait when it is reloaded, and goes on", function()
    local file = support.tmpdir() .. "/go"
    local host, port = nginx(([[
      local command = "while [ ! -e %s ]; do sleep 0.01; done; echo went"
      local child = cp.exec(command)
      ngx.log(ngx.NOTICE, "waiting for a file")
      ngx.print(child.stdout:readAll())
    ]]):format(file))
    local answer
    hosts.ask(port, "/probe", function(found) answer = found end)
    host:waitFor("waiting for a file")
    host:kill("SIGHUP")
    host:waitFor("gracefully shutting down")
    assert.equal(200, (hosts.get(port, "/uptime")))
    support.writeFile(file, "")
    hosts.runUntil(function() return answer end)
    assert.same({status = 200, body = "went\n"}, answer)
    host:waitFor("exited with code 0")
  end)

  it("ends although a child runs, which goes on", function()
    local host, port = nginx([[ngx.print(cp.spawn("sleep", {"60"}, {stdio = "ignore"}).pid)]])
    local pid = probed(port)[2]
    host:kill("SIGTERM")
    assert.equal(0, (host:wait()))
    assert.is_true(process:kill(tonumber(pid), "SIGTERM"))
  end)
end)
