-- Blocking mode belongs to the open file, which other programs may have, too: what they do to it
-- never makes our loop wait, and what we write to our own output is out when we end.

local cp = require("child_process")
local support = require("spec.support")

-- A loop that waits within a system call is ended by this.
local LIMIT = {timeout = 30000, killSignal = "SIGKILL"}

describe("A server that a child has as its stdin", function()
  it("goes on accepting here, and does not make the loop wait", function()
    local output = support.runScript([[
      local net = require("child_process.net")
      local timers = require("child_process.timers")
      local child
      local server = net.createServer(function(socket)
        socket:destroy()
        timers.setTimeout(function()
          print("the loop goes on")
          child:kill()
        end, 1)
      end)
      server:listen(0, "127.0.0.1", function()
        child = cp.spawn("sleep", {"60"}, {stdio = {server, "ignore", "inherit"}})
        child:on("close", function() server:close() end)
        net.connect(server:address().port, "127.0.0.1"):resume()
      end)
      cp.run()
    ]], nil, LIMIT)
    assert.equal("the loop goes on\n", output)
  end)

  it("is shared between both: each connection is served once", function()
    local output = support.runScript([[
      local net = require("child_process.net")
      local child
      local served, ended = {}, 0
      local server = net.createServer(function(socket) socket:finish("parent") end)
      server:listen(0, "127.0.0.1", function()
        local port = server:address().port
        child = cp.spawn(arg[-1], {"-e", [=[
          local net = require("child_process.net")
          local server = net.createServer(function(socket) socket:finish("child") end)
          server:listen({fd = 0}, function() io.write("ready") io.stdout:flush() end)
          require("child_process").run()
        ]=]}, {stdio = {server, "pipe", "inherit"}})
        child.stdout:once("data", function()
          for i = 1, 50 do
            net.connect(port, "127.0.0.1"):on("data", function(who)
              served[#served + 1] = who
            end):on("close", function()
              ended = ended + 1
              if ended == 50 then
                print(#served)
                child:kill()
                server:close()
              end
            end)
          end
        end)
      end)
      cp.run()
    ]], nil, LIMIT)
    assert.equal("50\n", output)
  end)
end)

describe("A server that went to another process with a message", function()
  it("does not make the loop wait when it is given to a program there", function()
    local output = support.runScript([[
      local net = require("child_process.net")
      local process = require("child_process.process")
      local timers = require("child_process.timers")
      if process.send then
        process:on("message", function(_, server)
          local child = cp.spawn("sleep", {"60"}, {stdio = {server, "ignore", "inherit"}})
          server:close()
          process:on("disconnect", function() child:kill() end)
          process:send("shared")
        end)
        return
      end
      local worker = cp.fork(arg[0])
      local server = net.createServer(function(socket)
        socket:destroy()
        timers.setTimeout(function()
          print("the loop goes on")
          worker:disconnect()
        end, 1)
      end)
      server:listen(0, "127.0.0.1", function() worker:send("a server", server) end)
      worker:on("message", function() net.connect(server:address().port, "127.0.0.1"):resume() end)
      worker:on("close", function() server:close() end)
      cp.run()
    ]], nil, LIMIT)
    assert.equal("the loop goes on\n", output)
  end)
end)

describe("A server that several have, with a program that makes it block", function()
  -- Each connection wakes all workers, and one gets it.
  it("makes none of them wait", function()
    local output = support.runScript([[
      local net = require("child_process.net")
      local WORKERS, CONNECTIONS = 3, 1000
      local script = arg[0] .. ".worker"
      local file = assert(io.open(script, "w"))
      file:write([=[
        local cp = require("child_process")
        local net = require("child_process.net")
        local process = require("child_process.process")
        local server = net.createServer(function(socket) socket:destroy() end)
        process:on("message", function(message) process:send(message) end)
        server:listen({fd = 0}, function()
          -- what it is shared with; the other workers begin as well with a socket that blocks
          cp.spawn("true", {stdio = {server, "ignore", "inherit"}}):on("exit", function()
            process:send("ready")
          end)
        end)
        cp.run()
      ]=])
      file:close()

      local workers, answers, connections = {}, 0, 0
      local blocking, port

      local function connect()
        connections = connections + 1
        local socket = net.connect(port, "127.0.0.1")
        socket:on("error", function() end):resume()
        socket:on("close", function()
          for _, worker in ipairs(workers) do worker:send("ping") end
        end)
      end

      local function start(server)
        port = server:address().port
        blocking = cp.spawn("sh", {"-c", "read x <&3"}, {
          stdio = {server, "ignore", "inherit", "pipe"},
        })
        blocking:on("spawn", function()
          server:close()
          connect()
        end)
      end

      local server = net.createServer()
      server:listen(0, "127.0.0.1", function()
        for i = 1, WORKERS do
          workers[i] = cp.spawn(arg[-1], {script}, {stdio = {server, "inherit", "inherit", "ipc"}})
          workers[i]:on("message", function()
            answers = answers + 1
            if answers == WORKERS then
              start(server)
            elseif answers % WORKERS == 0 and connections < CONNECTIONS then
              connect()
            elseif answers % WORKERS == 0 then
              for _, worker in ipairs(workers) do worker:kill() end
              blocking:kill()
              print("all answered")
            end
          end)
        end
      end)
      cp.run()
    ]], nil, LIMIT)
    assert.equal("all answered\n", output)
  end)
end)

describe("A socket that a child has as its stdin and stdout", function()
  it("can be read and written here without waiting", function()
    local output = support.runScript([[
      local net = require("child_process.net")
      local timers = require("child_process.timers")
      local server
      server = net.createServer({pauseOnConnect = true}, function(socket)
        local child = cp.spawn("sh", {"-c", "read x; echo child $x"}, {
          stdio = {socket, socket, "inherit"},
        })
        child:on("close", function()
          socket:on("data", function(data) socket:write("parent " .. data) end)
          socket:on("end", function() socket:finish() end)
          socket:resume()
          timers.setTimeout(function() io.write("the loop goes on\n") end, 1)
        end)
        server:close()
      end)
      server:listen(0, "127.0.0.1", function()
        local client, step = net.connect(server:address().port, "127.0.0.1"), 0
        client:on("data", function(data)
          io.write(data)
          step = step + 1
          if step == 1 then
            timers.setTimeout(function() client:write("two\n") end, 50)
          else
            client:finish()
          end
        end)
        client:write("one\n")
      end)
      cp.run()
    ]], nil, LIMIT)
    assert.equal("child one\nthe loop goes on\nparent two\n", output)
  end)
end)

describe("What was written to process.stdout and process.stderr", function()
  local SIZE = 1000000
  -- The socket makes the open file non-blocking, as another program may have done.
  local script = [[
    local cp = require("child_process")
    local process = require("child_process.process")
    local fd, way = tonumber(arg[1]), arg[2]
    local other = require("child_process.net").Socket({fd = 3})
    local stream = fd == 1 and process.stdout or process.stderr
    stream:write(("x"):rep(]] .. SIZE .. [[))
    if way == "os.exit()" then
      os.exit(0)
    elseif way == "process:exit()" then
      process:exit(0)
    elseif way == "an error" then
      error("broken")
    end
  ]]
  local function start(fd, way)
    local command = ('exec "$0" "$@" 3>&%d'):format(fd)
    return cp.spawn("sh", {"-c", command, support.lua, support.script(script), tostring(fd), way},
      LIMIT)
  end

  for fd, name in ipairs({"stdout", "stderr"}) do
    for _, way in ipairs({"os.exit()", "process:exit()", "an error", "the end of the script"}) do
      it("leaves before " .. way .. ", also where it does not block: " .. name, function()
        local child = start(fd, way)
        local stdout, stderr = support.output(child)
        local written = (fd == 1 and stdout or stderr):match("^x*")
        assert.equal(SIZE, #written)
      end)

      it("does not keep us where nobody reads: " .. name .. " before " .. way, function()
        local child = start(fd, way)
        child[name]:destroy()
        support.output(child)
        assert.are_not.equal("SIGKILL", child.signalCode)
      end)
    end
  end
end)
