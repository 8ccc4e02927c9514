-- Makes several events ready at a time, and stops the loop in the listener of each. Scripts use it,
-- in interpreters that know nothing of the spec.

local cp = require("child_process")
local dgram = require("child_process.dgram")
local net = require("child_process.net")
local process = require("child_process.process")
local timers = require("child_process.timers")

local stopping = {}

local HERE = "127.0.0.1"

local names = {} -- of the events that have come
local closers = {} -- functions that close what is left

local function listener(name)
  return function()
    names[#names + 1] = name
    cp.stop()
  end
end

local function atEnd(fn) closers[#closers + 1] = fn end

-- Waits, without the loop, until children have ended.
local function awaitEnd(children)
  local script = 'for pid; do until [ "$(ps -o stat= -p $pid | cut -c1)" = Z ]; do :; done; done'
  local arguments = {"-c", script, "sh"}
  for _, child in ipairs(children) do arguments[#arguments + 1] = ("%d"):format(child.pid) end
  assert(cp.spawnSync("sh", arguments).status == 0)
end

-- Waits, without the loop, until some milliseconds have passed.
local function pass(milliseconds)
  local function now()
    local time = process:hrtime()
    return time[1] * 1e3 + time[2] / 1e6
  end
  local last = now() + milliseconds
  while now() < last do end -- luacheck: ignore 542
end

-- Starts three children and waits until they have ended.
local function children(command, observe)
  local list = {}
  for number = 1, 3 do
    list[number] = cp.spawn("sh", {"-c", command}, {stdio = {"ignore", "pipe", "ignore"}})
    observe(list[number], number)
  end
  awaitEnd(list)
end

local function boundSocket(fn)
  local socket = dgram.createSocket("udp4")
  socket:bind(0, HERE)
  socket:on("message", fn)
  atEnd(function() socket:close() end)
  return socket
end

-- Sends datagrams when the sockets are bound.
local function send(sockets, texts)
  local client = dgram.createSocket("udp4")
  local missing = #sockets
  for _, socket in ipairs(sockets) do
    socket:on("listening", function()
      missing = missing - 1
      if missing > 0 then return end
      for index, text in ipairs(texts) do
        client:send(text, sockets[math.min(index, #sockets)]:address().port, HERE)
      end
      client:close()
    end)
  end
end

---@type table<string, fun()> each makes three events ready
stopping.kinds = {
  ["datagrams of one socket"] = function()
    local socket = boundSocket(function(message) listener(message)() end)
    send({socket}, {"1", "2", "3"})
  end,
  ["datagrams of three sockets"] = function()
    local sockets = {}
    for number = 1, 3 do sockets[number] = boundSocket(listener(number)) end
    send(sockets, {"", "", ""})
  end,
  ["connections"] = function()
    local path = os.tmpname()
    os.remove(path)
    local server = net.createServer(function(socket)
      socket:destroy()
      listener("connection")()
    end)
    atEnd(function() server:close() end)
    server:listen(path, function()
      for _ = 1, 3 do
        local client = net.connect(path)
        atEnd(function() client:destroy() end)
      end
    end)
  end,
  ["ends of children"] = function()
    children("exit", function(child, number) child:on("exit", listener(number)) end)
  end,
  ["data of streams"] = function()
    children("echo text", function(child, number) child.stdout:on("data", listener(number)) end)
  end,
  ["ends of streams"] = function()
    children("exit", function(child, number) child.stdout:on("end", listener(number)):resume() end)
  end,
  ["messages"] = function()
    local path = os.tmpname()
    local file = assert(io.open(path, "w"))
    assert(file:write([[
      local process = require("child_process.process")
      process:send("a")
      process:send("b", function() process:disconnect() end)
    ]]))
    file:close()
    local list = {}
    for number = 1, 2 do
      list[number] = cp.fork(path)
      list[number]:on("message", function(message)
        if number == 1 or message == "a" then listener(number)() end
      end)
    end
    awaitEnd(list)
    os.remove(path)
  end,
  ["timers"] = function()
    for number = 1, 3 do timers.setTimeout(listener(number), number) end
    pass(5)
  end,
  ["immediates"] = function()
    for number = 1, 3 do timers.setImmediate(listener(number)) end
  end,
  ["signals"] = function()
    local waiting = timers.setInterval(function() end, 1e6)
    atEnd(function() waiting:close() end)
    for _, signal in ipairs({"SIGUSR1", "SIGUSR2", "SIGHUP"}) do
      process:on(signal, listener(signal))
      atEnd(function() process:removeAllListeners(signal) end)
      process:kill(process.pid, signal)
    end
  end,
  ["lookups"] = function()
    for number = 1, 3 do
      local socket = net.connect(1, "localhost")
      socket:once("lookup", function() listener(number)() end)
      socket:on("error", function() end)
    end
    pass(20)
  end,
}

-- Starts a timer that goes off in every run, and ends the run. Returns a function that ends the
-- timer.
local function stopAlways()
  local timer = timers.setInterval(cp.stop, 1)
  return function() timer:close() end
end

--- Makes three events ready while a timer ends every run, and waits until they have come.
---@param kind string
function stopping.runBesideTimer(kind)
  local endTimer = stopAlways()
  stopping.kinds[kind]()
  for _ = 1, 1000 do
    if #names >= 3 then break end
    pass(2) -- longer than the timer
    cp.run()
  end
  endTimer()
  for _, close in ipairs(closers) do close() end
  cp.run()
  print(#names)
end

--- Makes three events ready, runs the loop until each has stopped it, and then to its end. Prints
--- the number of events that each of these runs has reported.
---@param kind string
function stopping.run(kind)
  stopping.kinds[kind]()
  local counts = {}
  repeat
    local before = #names
    cp.run()
    counts[#counts + 1] = #names - before
  until #names >= 3 or #counts == 10
  for _, close in ipairs(closers) do close() end
  cp.run()
  print(table.concat(counts, " "))
end

return stopping
