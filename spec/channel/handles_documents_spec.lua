-- The examples of Node's documentation on sending handles, as they stand there: "Example: sending a
-- server object" and "Example: sending a socket object". Only the port and the special address
-- differ.

local cp = require("child_process")
local net = require("child_process.net")
local process = require("child_process.process")
local support = require("spec.support")

local SERVER = [[
  local cp = require("child_process")
  local subprocess = cp.fork("subprocess.lua")

  -- Open up the server object and send the handle.
  local server = require("child_process.net").createServer()
  server:on("connection", function(socket)
    socket:finish("handled by parent")
  end)
  server:listen(1337, function()
    subprocess:send("server", server)
  end)
  cp.run()
]]

local SERVER_CHILD = [[
  process:on("message", function(m, server)
    if m == "server" then
      server:on("connection", function(socket)
        socket:finish("handled by child")
      end)
    end
  end)
]]

local SOCKET = [[
  local cp = require("child_process")
  local normal = cp.fork("subprocess.lua", {"normal"})
  local special = cp.fork("subprocess.lua", {"special"})

  -- Open up the server and send sockets to child. Use pauseOnConnect to prevent
  -- the sockets from being read before they are sent to the child process.
  local server = require("child_process.net").createServer({pauseOnConnect = true})
  server:on("connection", function(socket)

    -- If this is special priority...
    if socket.remoteAddress == "74.125.127.100" then
      special:send("socket", socket)
      return
    end
    -- This is normal priority.
    normal:send("socket", socket)
  end)
  server:listen(1337)
  cp.run()
]]

local SOCKET_CHILD = [[
  process:on("message", function(m, socket)
    if m == "socket" then
      if socket then
        -- Check that the client socket exists.
        -- It is possible for the socket to be closed between the time it is
        -- sent and the time it is received in the child process.
        socket:finish("Request handled with " .. process.argv[2] .. " priority")
      end
    end
  end)
]]

-- Finds a free port, and what a server on it calls a client at 127.0.0.2.
local function findPlace()
  local port, special
  local server = net.createServer()
  server:on("connection", function(socket)
    special = socket.remoteAddress
    socket:destroy()
    server:close()
  end)
  server:listen(0, function()
    port = server:address().port
    net.connect({port = port, host = "127.0.0.1", localAddress = "127.0.0.2"}):resume()
  end)
  support.run()
  return port, special
end

-- Asks from an address, again and again until somebody listens.
local function ask(port, from, callback)
  local socket = net.connect({port = port, host = "127.0.0.1", localAddress = from})
  local answer
  socket:on("data", function(data) answer = (answer or "") .. data end)
  socket:on("error", function(err) assert.equal("ECONNREFUSED", err.code) end)
  socket:on("close", function()
    if answer then
      callback(answer)
    else
      ask(port, from, callback)
    end
  end)
end

-- Runs an example, and ends it and its children when `talk` calls back.
local function runExample(parent, child, talk)
  local port, special = findPlace()
  local folder = support.tmpdir()
  local text = parent:gsub("1337", port):gsub("74%.125%.127%.100", special)
  support.writeFile(folder .. "/parent.lua", text)
  support.writeFile(folder .. "/subprocess.lua", child)
  local running = cp.spawn(support.lua, {"parent.lua"},
    {cwd = folder, detached = true, stdio = {"ignore", "inherit", "inherit"}})
  talk(port, function()
    process:kill(-running.pid, "SIGKILL")
  end)
  support.run()
  assert.equal("SIGKILL", running.signalCode)
end

describe("The example of the documents that sends", function()
  it("a server shares it between the parent and the child", function()
    local answers = {["handled by parent"] = 0, ["handled by child"] = 0}
    runExample(SERVER, SERVER_CHILD, function(port, finish)
      local function askSome()
        local left = 4
        local function answered(text)
          answers[text] = answers[text] + 1
          left = left - 1
          local both = answers["handled by parent"] > 0 and answers["handled by child"] > 0
          if left == 0 and both then
            finish()
          elseif left == 0 then
            askSome()
          end
        end
        for _ = 1, left do ask(port, "127.0.0.1", answered) end
      end
      askSome()
    end)
    assert.is_true(answers["handled by parent"] > 0 and answers["handled by child"] > 0)
  end)

  it("a socket has special ones and normal ones handled by two children", function()
    local answers = {}
    runExample(SOCKET, SOCKET_CHILD, function(port, finish)
      ask(port, "127.0.0.1", function(normal)
        ask(port, "127.0.0.2", function(special)
          answers = {normal, special}
          finish()
        end)
      end)
    end)
    assert.same({
      "Request handled with normal priority", "Request handled with special priority",
    }, answers)
  end)
end)
