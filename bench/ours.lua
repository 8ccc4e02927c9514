-- child_process, as a user would write it. Options as name=value, see rows.lua. What is forked is
-- ours_child.lua.

local cp = require("child_process")
local command = require("child_process.command")
local process = require("child_process.process")

local HERE = arg[0]:match("^(.*)/[^/]*$")
local CHILD, POOL_CHILD = HERE .. "/ours_child.lua", HERE .. "/pool_child.lua"
-- How many round trips there are between two looks at the clock.
local ROUNDS_PER_LOOK = 100

local options = {}
for _, argument in ipairs(arg) do
  local name, value = argument:match("^(%w+)=(.*)$")
  options[name] = value
end

local function number(name, fallback)
  return tonumber(options[name]) or fallback
end

local function now()
  local time = process:hrtime()
  return time[1] + time[2] / 1e9
end

local host -- where children are started, with the option of this name

local function start()
  local child = cp.spawn(options.program, {
    stdio = options.pipes and "pipe" or "ignore", host = host,
  })
  if options.pipes then
    child.stdout:resume()
    child.stderr:resume()
  end
  return child
end

-- Keeps `atonce` children running for a time; microseconds that each took.
local function spawnFor(seconds)
  local began, ended = now(), 0
  local function next()
    start():on("close", function()
      ended = ended + 1
      if now() - began < seconds then
        next()
      end
    end)
  end
  for _ = 1, number("atonce", 1) do
    next()
  end
  cp.run()
  return (now() - began) / ended * 1e6
end

-- Microseconds that each child took, one after the other.
local function syncFor(seconds)
  local stdio = {stdio = options.pipes and "pipe" or "ignore"}
  local began, count = now(), 0
  repeat
    cp.spawnSync(options.program, stdio)
    count = count + 1
  until now() - began >= seconds
  return (now() - began) / count * 1e6
end

local function collect(stream)
  local parts = {}
  stream:on("data", function(data)
    parts[#parts + 1] = data
  end)
  return parts
end

-- Starts the program, reads what it prints, and waits for it.
local function runByHand()
  local child = cp.spawn(options.program)
  child.stdin:finish()
  local stdout, stderr = collect(child.stdout), collect(child.stderr)
  local code, signal = child:wait("close")
  if code ~= 0 then
    error(("%s has failed: %s\n%s"):format(options.program, code or signal, table.concat(stderr)))
  end
  return table.concat(stdout)
end

local function runCommand()
  return command.run(options.program).stdout
end

-- Microseconds that each call of a function took.
local function callsFor(seconds, run)
  local began, count = now(), 0
  repeat
    run()
    count = count + 1
  until now() - began >= seconds
  return (now() - began) / count * 1e6
end

-- Microseconds that the call of cp.spawn itself took.
local function callFor(seconds)
  local began, inCalls, count = now(), 0, 0
  local function next()
    local before = now()
    local child = start()
    inCalls = inCalls + now() - before
    count = count + 1
    child:on("close", function()
      if now() - began < seconds then
        next()
      end
    end)
  end
  next()
  cp.run()
  return inCalls / count * 1e6
end

local function residentKiB()
  local file = assert(io.open("/proc/self/statm"))
  local pages = select(2, file:read("*n", "*n"))
  file:close()
  return pages * 4
end

-- KiB of memory, microseconds to start, microseconds to end, for each child.
local function keepAlive(count)
  cp.spawn("/bin/true", {stdio = "ignore"})
  cp.run()
  collectgarbage()
  local memory, began = residentKiB(), now()
  local children, spawned, started, ending = {}, 0, nil, nil
  local function onSpawn()
    spawned = spawned + 1
    if spawned < count then
      return
    end
    started = now() - began
    collectgarbage()
    memory = residentKiB() - memory
    ending = now()
    for _, child in ipairs(children) do
      child:kill()
    end
  end
  for i = 1, count do
    children[i] = start():on("spawn", onSpawn)
  end
  cp.run()
  local ended = now() - ending
  return memory / count, started / count * 1e6, ended / count * 1e6
end

local function readAll(total)
  local count, began = 0, now()
  local child = cp.spawn(options.program, {options.piece, ("%.0f"):format(total)}, {host = host})
  child.stdout:on("data", function(data)
    count = count + #data
  end)
  cp.run()
  return count / (now() - began) / 1e9
end

local function readTerminal(total)
  local count, began = 0, now()
  local child = cp.spawn(options.program, {options.piece, ("%.0f"):format(total)},
    {terminal = true})
  child.terminal:on("data", function(data)
    count = count + #data
  end)
  cp.run()
  assert(count == total)
  return count / (now() - began) / 1e9
end

local function captureAll(total)
  local began = now()
  local result = cp.spawnSync(options.program, {options.piece, ("%.0f"):format(total)}, {
    maxBuffer = math.huge,
  })
  return #result.stdout / (now() - began) / 1e9
end

local function writeAll(total)
  local piece = ("x"):rep(number("piece"))
  local count, began = 0, now()
  local child = cp.spawn(options.program, {stdio = {"pipe", "ignore", "ignore"}})
  local function feed()
    while count < total do
      count = count + #piece
      if not child.stdin:write(piece) then
        child.stdin:once("drain", feed)
        return
      end
    end
    child.stdin:finish()
  end
  feed()
  cp.run()
  return count / (now() - began) / 1e9
end

local function pipeAll(total)
  local began = now()
  local from = cp.spawn(options.from, {options.piece, ("%.0f"):format(total)})
  local to = cp.spawn(options.to, {stdio = {"pipe", "ignore", "ignore"}})
  from.stdout:pipe(to.stdin)
  cp.run()
  return total / (now() - began) / 1e9
end

local function pipelineAll(total)
  local began = now()
  command.pipeline({
    {options.from, {options.piece, ("%.0f"):format(total)}}, {"cat"}, {options.to},
  })
  return total / (now() - began) / 1e9
end

-- Microseconds from one send to the next, the message being sent back in between.
local function roundTripsFor(seconds)
  local child = cp.fork(CHILD, {"echo"}, {host = host})
  local count, began, ended = 0, nil, nil
  local function onEcho(message)
    count = count + 1
    if count % ROUNDS_PER_LOOK == 0 and now() - began >= seconds then
      ended = now()
      child:disconnect()
    else
      child:send(message)
    end
  end
  child:once("message", function()
    child:on("message", onEcho)
    began = now()
    child:send({id = 12345, type = "message"})
  end)
  cp.run()
  return (ended - began) / count * 1e6
end

local function makeMessage()
  if options.binary then
    return {bytes = ("\xFF"):rep(number("binary"))}
  end
  local count = number("rows", 0)
  if count == 0 then
    return {id = 1, type = "ping"}
  end
  local rows = {}
  for i = 1, count do
    rows[i] = {id = i, name = "the name of row " .. i, value = i / 8, ok = i % 2 == 0}
  end
  return rows
end

-- Microseconds for each message, until the child has got them all.
local function sendFor(seconds)
  local message, burst = makeMessage(), number("burst")
  local child = cp.fork(CHILD, {"count"}, {serialization = options.serialization})
  local began, ended, count
  local function sendBurst()
    if now() - began >= seconds then
      child:send({stop = true})
      return
    end
    for _ = 2, burst do
      child:send(message)
    end
    child:send(message, sendBurst)
  end
  child:once("message", function()
    child:once("message", function(received)
      count, ended = received, now()
      child:disconnect()
    end)
    began = now()
    sendBurst()
  end)
  cp.run()
  return (ended - began) / count * 1e6
end

-- Microseconds of each connection that is accepted here and answered by a child.
local function passAll(count)
  local workers, began, ended = {}, nil, nil
  local server = require("child_process.net").createServer({pauseOnConnect = true})
  for i = 1, number("workers") do
    workers[i] = cp.fork(CHILD, {"answer"})
  end
  local accepted = 0
  server:on("connection", function(socket)
    accepted = accepted + 1
    workers[accepted % #workers + 1]:send("socket", socket)
  end)
  server:listen(0, "127.0.0.1", function()
    began = now()
    local client = cp.spawn(options.program,
      {"port=" .. server:address().port, ("count=%.0f"):format(count), "atonce=16"},
      {stdio = "inherit"})
    client:on("exit", function(code)
      assert(code == 0)
      ended = now()
      server:close()
      for _, worker in ipairs(workers) do
        worker:disconnect()
      end
    end)
  end)
  cp.run()
  return (ended - began) / count * 1e6
end

-- Microseconds from fork to the first message, one child at a time.
local function firstFor(seconds)
  local began, waited, count = now(), 0, 0
  local function next()
    local before = now()
    local child = cp.fork(CHILD, {"idle"})
    child:once("message", function()
      waited = waited + now() - before
      count = count + 1
      child:disconnect()
    end)
    child:on("close", function()
      if now() - began < seconds then
        next()
      end
    end)
  end
  next()
  cp.run()
  return waited / count * 1e6
end

-- The memory of a process in KiB; of what others use, too, its share.
local function proportionalKiB(pid)
  local file = assert(io.open(("/proc/%d/smaps_rollup"):format(pid)))
  local text = file:read("*a")
  file:close()
  return tonumber(text:match("\nPss:%s*(%d+)"))
end

-- KiB of memory of each child that waits for messages.
local function forkIdle(count)
  local children, ready, memory = {}, 0, 0
  local function onReady()
    ready = ready + 1
    if ready < count then
      return
    end
    for _, child in ipairs(children) do
      memory = memory + proportionalKiB(child.pid)
    end
    for _, child in ipairs(children) do
      child:disconnect()
    end
  end
  for i = 1, count do
    children[i] = cp.fork(CHILD, {"idle"}):once("message", onReady)
  end
  cp.run()
  return memory / count
end

-- Has a pool of 2 children do tasks of a millisecond each; microseconds that one takes beyond that.
local function doTasks(count)
  local pool = require("child_process.pool")(POOL_CHILD, {size = 2})
  local function source(last)
    local index = 0
    return function()
      index = index + 1
      return index <= last and index or nil
    end
  end
  local results = 0
  for _ in pool:map(source(100)) do
    results = results + 1 -- a warm-up
  end
  local began = now()
  for _ in pool:map(source(count)) do
    results = results + 1
  end
  local taken = now() - began
  pool:terminate()
  return (taken * 2 / count - 1e-3) * 1e6
end

-- Microseconds from spawn to close through an agent, without those of a round trip of a message.
local function spawnThereFor(seconds)
  return spawnFor(seconds) - roundTripsFor(seconds)
end

-- A work: measures with the argument of this name.
local function once(measure, name)
  return function()
    return measure(number(name))
  end
end

-- The same after a warm-up with a fifth of it.
local function twice(measure, name, argument)
  return function()
    measure(number(name) / 5, argument)
    return measure(number(name), argument)
  end
end

local works = {
  spawn = twice(spawnFor, "seconds"),
  spawnThere = twice(spawnThereFor, "seconds"),
  sync = twice(syncFor, "seconds"),
  call = twice(callFor, "seconds"),
  await = twice(callsFor, "seconds", runByHand),
  command = twice(callsFor, "seconds", runCommand),
  alive = once(keepAlive, "alive"),
  read = twice(readAll, "bytes"),
  terminal = twice(readTerminal, "bytes"),
  capture = twice(captureAll, "bytes"),
  write = twice(writeAll, "bytes"),
  pipe = twice(pipeAll, "bytes"),
  pipeline = twice(pipelineAll, "bytes"),
  roundtrip = twice(roundTripsFor, "seconds"),
  send = twice(sendFor, "seconds"),
  first = twice(firstFor, "seconds"),
  idle = once(forkIdle, "alive"),
  pass = twice(passAll, "count"),
  pool = once(doTasks, "count"),
}

local heap, opened = {}, {}
for i = 1, number("heap", 0) * 1024 do
  heap[i] = ("x"):rep(1000)
end
for i = 1, number("open", 0) do
  opened[i] = assert(io.open("/dev/null"))
end
collectgarbage()

-- Does the work with an agent at the end of a command.
local function workThere(launcher, lua)
  host = require("child_process.host").connect(launcher, {lua = lua, connectTimeout = 60000})
  print(works[options.work]())
  host:close():await()
end

if options.host == "ssh" then
  local quote, env = command.quote, process.env
  if not options.program:find("^/") then -- programs over there start in another folder
    options.program = process:cwd() .. "/" .. options.program
  end
  dofile(HERE .. "/sshd.lua").with(function(words)
    workThere(words, {"env", quote("LUA_PATH=" .. env.LUA_PATH), quote("LUA_CPATH="
      .. env.LUA_CPATH), quote(process.execPath)})
  end)
elseif options.host then
  workThere({"sh", "-c", 'exec "$@"', "sh"}, process.execPath)
else
  print(works[options.work]())
end
-- `heap` and `opened` are named here so that they live until now.
os.exit(#heap + #opened >= 0 and 0 or 1)
