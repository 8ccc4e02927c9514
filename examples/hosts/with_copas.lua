-- A program with Copas. `attach` is what to copy: it lets Copas drive our loop, and lets coroutines
-- of Copas wait for what is ours.

local copas = require("copas")
local socket = require("socket")
local loop = require("child_process.loop")

-- Coroutines of Copas. It does not report them, so they are noted as they start: `attach` belongs
-- before the program's first use of Copas. In Lua 5.1 coxpcall runs protected calls in coroutines
-- inside these.
local own = setmetatable({}, {__mode = "k"})
local running = (package.loaded.coxpcall or coroutine).running

local function noted(what)
  if type(what) == "thread" then
    own[what] = true
  elseif type(what) == "function" then
    return function(...)
      own[running()] = true
      return what(...)
    end
  end
  return what
end

local function noteCoroutines()
  for _, name in ipairs({"addthread", "addnamedthread", "addserver"}) do
    local add = copas[name]
    copas[name] = add and function(first, second, ...)
      if type(first) == "function" then
        return add(noted(first), second, ...)
      end
      return add(noted(first), noted(second), ...)
    end
  end
end

-- Copas takes `events` for a socket, and calls its `receive` when our descriptor is readable.
-- Errors of our listeners go to the error handler of Copas.
local function attach()
  noteCoroutines()
  local driving, hasWaited
  local events = {getfd = loop.fd, dirty = function() return false end, close = function() end}

  function events.receive()
    if not hasWaited then -- some versions of Copas call it in the middle of what starts something
      hasWaited = true
      return nil, "timeout"
    end
    local ok, alive = pcall(loop.run, "nowait")
    if not ok then
      copas.addthread(function() error(alive, 0) end)
      return events.receive()
    end
    return not alive or nil, "timeout"
  end

  loop.handleStart(function()
    if not driving then
      driving, hasWaited = true, false
      copas.addthread(function()
        copas.receive(events)
        driving = false
      end)
    end
  end)

  loop.handleWait(function()
    local thread = running()
    if not own[thread] then return end
    if copas.wakeup then
      return function() copas.sleep(-1) end, function() copas.wakeup(thread) end
    end
    local bell, address, port -- Copas before 2.0 waits for sockets alone
    local function sleep()
      bell = socket.udp()
      bell:settimeout(0)
      bell:setsockname("127.0.0.1", 0)
      address, port = bell:getsockname()
      copas.receivefrom(bell)
      bell:close()
    end
    return sleep, function() bell:sendto("", address, port) end
  end)
end

-- Demonstration: commands run while Copas serves a client.

local cp = require("child_process")

attach()

local server = assert(socket.bind("127.0.0.1", 0))
local _, port = server:getsockname()
local done = false

-- Runs each line that it gets as a command, and answers with the output.
copas.addserver(server, function(connection)
  local client = copas.wrap(connection)
  local command = client:receive()
  client:send(cp.promises.exec(command):await().stdout)
end)

copas.addthread(function()
  local connection = socket.tcp()
  connection:settimeout(0)
  assert(copas.connect(connection, "127.0.0.1", port))
  local client = copas.wrap(connection)
  client:send("sleep 0.1; echo hello\n")
  print("the server has answered " .. client:receive())
  done = true
end)

while not done do
  copas.step()
end
