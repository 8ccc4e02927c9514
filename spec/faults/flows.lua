-- The flows that `make test-faults` runs over and over, with one failure in each run. A flow is a
-- function that gets `note`, for the errors that the program receives, and returns a function that
-- checks whether the result is right. It registers what it starts by `own`, so that this can be
-- ended after an error was raised, when some listeners may not have been called.

local here = (arg and arg[0] or "spec/faults/x"):match("^(.*)/[^/]*$")

local flows = {}
local cp, net, dgram, abort, timers, process -- loaded by prepare

-- Allocated beforehand, as there may be no memory when something is started.
local owned, count = {}, 0
for i = 1, 128 do
  owned[i] = false
end

local function own(object)
  count = count + 1
  owned[count] = object
  return object
end

local function finish(object)
  if object.kill and object.close then -- a host: the loop does not wait for it unless it is closed
    repeat -- until there is memory for it
      local isClosing = pcall(object.close, object)
    until isClosing
  elseif object.kill then
    object:kill("SIGKILL")
    if object._ending or object.terminal then
      object:dispose({grace = 0}) -- the group of a tree is forgotten when it has gone
    end
    if object.connected then
      object:disconnect()
    end
  elseif object.destroy then
    object:destroy()
  else
    object:close()
  end
end

--- Ends what the flow has started.
function flows.abandon()
  for i = 1, count do
    if owned[i] then
      pcall(finish, owned[i])
    end
    owned[i] = false
  end
end

--- Runs the loop, if there is one.
function flows.run()
  local module = package.loaded["child_process"]
  return module and module.run()
end

local function add(name, run, loads)
  flows[#flows + 1] = {name = name, run = run, loads = loads}
end

--- Loads what a flow needs. Returns the function that runs it, and whether it loads the module
--- itself.
function flows.prepare(number)
  local flow = flows[number]
  if not flow.loads then
    cp = require("child_process")
    net = require("child_process.net")
    dgram = require("child_process.dgram")
    abort = require("child_process.abort")
    timers = require("child_process.timers")
    process = require("child_process.process")
    process.execPath = os.getenv("CHILD_PROCESS_INTERPRETER")
  end
  return function(note)
    count = 0
    return flow.run(note)
  end, flow.loads
end

-- A child whose errors, and those of its streams, are noted.
local function watched(child, note)
  own(child)
  child:on("error", note)
  for _, stream in pairs(child.stdio) do
    stream:on("error", note)
  end
  if child.terminal then
    own(child.terminal):on("error", note)
  end
  return child
end

local function collect(stream, got, name)
  got[name] = ""
  stream:on("data", function(data)
    got[name] = got[name] .. data
  end)
end

add("load", function(note)
  local module, got = require("child_process"), {}
  local child = watched(module.spawn("true"), note)
  child:on("close", function(code)
    got.code = code
  end)
  return function()
    return got.code == 0
  end
end, true)

-- The alarm stays until the state is closed.
add("alarm", function(note)
  require("child_process")
  local got = {}
  local ok, err = pcall(require("child_process.loop").fd)
  if not ok then
    note(err)
  end
  own(require("child_process.timers").setTimeout(function()
    got.called = true
  end, 1))
  return function()
    return got.called
  end
end, true)

add("spawn", function(note)
  local got = {}
  local child = watched(cp.spawn("sh", {"-c", "cat; echo err >&2; exit 3"}), note)
  collect(child.stdout, got, "out")
  collect(child.stderr, got, "err")
  child:on("close", function(code)
    got.code = code
  end)
  child.stdin:finish("hello")
  return function()
    return got.out == "hello" and got.err == "err\n" and got.code == 3
  end
end)

add("terminal", function(note)
  local got = {}
  local child = watched(cp.spawn("sh", {"-c", "test -t 1; echo $?; read a; echo got $a; exit 3"},
    {terminal = {echo = false}}), note)
  collect(child.terminal, got, "out")
  child:on("close", function(code)
    got.code = code
    child:dispose() -- forgets its group, where the system could not tell that it has gone
  end)
  child.terminal:finish("hello\n")
  return function()
    return got.out == "0\r\ngot hello\r\n" and got.code == 3
  end
end)

add("terminal-sync", function(note)
  local result = cp.spawnSync("sh", {"-c", "cat; test -t 1 && echo out; exit 3"}, {terminal = true})
  if result.error then
    note(result.error)
  end
  return function()
    return result.stdout == "out\r\n" and result.status == 3
  end
end)

add("ignored", function(note)
  local got = {}
  local child = watched(cp.spawn("true", {}, {stdio = "ignore", cwd = "/", detached = true}), note)
  child:on("exit", function(code)
    got.code = code
  end)
  return function()
    -- Asks once more whether its group has members, in case that the first answer was a failure.
    child:kill(0, {tree = true})
    return got.code == 0
  end
end)

add("write", function(note)
  local piece, got, length = ("x"):rep(50000), {}, 0
  local child = watched(cp.spawn("cat", {}, {stdio = {"pipe", "pipe", "ignore"}}), note)
  child.stdout:on("data", function(data)
    length = length + #data
  end)
  for _ = 1, 6 do
    child.stdin:write(piece)
  end
  child.stdin:finish(nil, nil, function(err)
    got.finished = not err
  end)
  child:on("close", function(code)
    got.code = code
  end)
  return function()
    return length == 300000 and got.finished and got.code == 0
  end
end)

add("exec", function(note)
  local got = {}
  own(cp.exec("echo out; echo err >&2", function(err, stdout, stderr)
    if err then
      note(err)
    end
    got.done = not err and stdout == "out\n" and stderr == "err\n"
  end))
  return function()
    return got.done
  end
end)

add("limits", function(note)
  local got, child = {}, nil
  child = own(cp.exec("exec sleep 100", {timeout = 20}, function(err)
    if err.killed then
      got.killed = true
    else
      note(err)
      child:kill("SIGKILL")
    end
  end))
  return function()
    return got.killed
  end
end)

add("promises", function(note)
  local got = {}
  local task = cp.async(function()
    local first = cp.promises.execFile("echo", {"one"}):await()
    local second = cp.promises.exec("cat /dev/null; echo two"):await()
    got.text = first.stdout .. second.stdout
  end)
  task:catch(note)
  return function()
    return got.text == "one\ntwo\n"
  end
end)

add("sync", function(note)
  local result = cp.spawnSync("sh", {"-c", "cat; echo err >&2"}, {input = "in", timeout = 20000})
  if result.error then
    note(result.error)
  end
  local text = cp.execFileSync("echo", {"text"})
  return function()
    return result.stdout == "in" and result.stderr == "err\n" and text == "text\n"
  end
end)

-- Two processes that ignore SIGTERM, and one that holds a pipe.
add("sync tree", function(note)
  local forced = cp.spawnSync("sh", {"-c", "trap '' TERM; sleep 100 & sleep 100"},
    {tree = true, timeout = 20, forceKillAfterDelay = 1})
  if forced.error and forced.error.code ~= "ETIMEDOUT" then
    note(forced.error)
  end
  local held = cp.spawnSync("sh", {"-c", "echo out; sleep 1 & exit 0"}, {waitDelay = 0})
  if held.error and held.error.code ~= "ERR_WAIT_DELAY" then
    note(held.error)
  end
  return function()
    return forced.timedOut and forced.signal and held.stdout == "out\n"
  end
end)

local function messages(options)
  return function(note)
    local got = {}
    local child = watched(cp.fork(here .. "/child.lua", options), note)
    child:on("message", function(message)
      got[#got + 1] = type(message) == "table" and message.answer
      if #got == 3 then
        child:disconnect()
      end
    end)
    child:on("disconnect", function()
      got.over = true
    end)
    child:on("close", function(code)
      got.code = code
    end)
    child:send("one", function(err)
      if err then
        note(err)
      end
    end)
    child:send("two")
    child:send(("three"):rep(1000))
    return function()
      return got[1] == "one" and got[2] == "two" and got[3] == ("three"):rep(1000)
        and got.over and got.code == 0
    end
  end
end

add("json", messages({}))
add("advanced", messages({serialization = "advanced"}))

add("request", function(note)
  local got = {}
  local child = watched(cp.fork(here .. "/answers.lua"), note)
  child:on("close", function(code)
    got.code = code
  end)
  local function leave()
    if child.connected then
      child:disconnect()
    end
  end
  for index, value in ipairs({"one", ("two"):rep(1000)}) do
    child:request(value):andThen(function(reply)
      got[index] = reply
      if index == 2 then
        leave()
      end
    end):catch(function(err)
      note(err)
      leave()
    end)
  end
  return function()
    return got[1] == "one" and got[2] == ("two"):rep(1000) and got.code == 0
  end
end)

add("handles", function(note)
  local got = {}
  local child = watched(cp.fork(here .. "/child.lua"), note)
  local server = own(net.createServer())
  local function failed(err)
    note(err)
    child:kill() -- it may have the server, and wait
  end
  child:on("error", failed)
  server:on("error", failed)
  child:on("close", function()
    if server.listening then
      server:close()
    end
  end)
  child:on("message", function(message)
    if message.answer == "server" then
      local place = {port = server:address().port, host = "127.0.0.1"}
      server:close(function()
        local client = own(net.connect(place))
        client:on("error", failed)
        collect(client, got, "text")
        client:on("close", function()
          if child.connected then
            child:disconnect()
          end
        end)
      end)
    end
  end)
  server:listen(0, "127.0.0.1", function()
    child:send("server", server, function(err)
      if err then
        failed(err)
      end
    end)
  end)
  return function()
    return got.text == "from the child"
  end
end)

local function piped(listens)
  return function(note)
    local got = {}
    local source = watched(cp.spawn("echo", {("data"):rep(1000)}), note)
    local target = watched(cp.spawn("wc", {"-c"}), note)
    if listens then
      source.stdout:on("data", function() end)
    end
    -- what a source that has failed leaves undone
    local function giveUp()
      target.stdin:destroy()
    end
    source:on("error", giveUp)
    source.stdout:on("error", giveUp)
    source.stdout:pipe(target.stdin)
    collect(target.stdout, got, "size")
    target:on("close", function(code)
      got.code = code
    end)
    return function()
      return tonumber(got.size) == 4001 and got.code == 0
    end
  end
end

add("pipe", piped(true))
add("splice", piped(false))

add("tee", function(note)
  local got = {}
  local source = watched(cp.spawn("echo", {("data"):rep(1000)}), note)
  local targets = {}
  local function giveUp()
    for _, target in ipairs(targets) do
      target.stdin:destroy()
    end
  end
  source:on("error", giveUp)
  source.stdout:on("error", giveUp)
  for index = 1, 2 do
    local target = watched(cp.spawn("wc", {"-c"}), note)
    targets[index] = target
    source.stdout:pipe(target.stdin)
    collect(target.stdout, got, index)
  end
  return function()
    return tonumber(got[1]) == 4001 and tonumber(got[2]) == 4001
  end
end)

add("share", function(note)
  local got = {}
  local source = watched(cp.spawn("echo", {("data"):rep(1000)}), note)
  local target = source.stdout.destroyed and source
    or watched(cp.spawn("wc", {"-c"}, {stdio = {source.stdout}}), note)
  collect(target.stdout, got, "size")
  return function()
    return tonumber(got.size) == 4001
  end
end)

local status = io.open("/proc/self/status")
local isRoot = status and status:read("*a"):find("\nUid:%s+0%s") ~= nil
if status then status:close() end

-- As another user, where we may.
add("user", function(note)
  local got, id = {}, isRoot and 65534 or nil
  local child = watched(cp.spawn("true", {}, {uid = id, gid = id}), note)
  child:on("close", function(code)
    got.code = code
  end)
  return function()
    return got.code == 0
  end
end)

-- With what it may use, and who it is. The first of our CPUs, as its number may be any.
add("setup", function(note)
  local got = {}
  local file = io.open("/proc/self/status")
  local cpu = file and tonumber(file:read("*a"):match("Cpus_allowed_list:%s*(%d+)"))
  if file then file:close() end
  local child = watched(cp.spawn("sh", {"-c", "umask; ulimit -n"}, {
    limits = {nofile = 40, core = 0}, nice = 19, umask = "077", affinity = cpu and {cpu},
    groups = isRoot and {4} or nil, noNewPrivileges = true,
    killOnParentExit = true,
  }), note)
  collect(child.stdout, got, "text")
  return function()
    return got.text == "0077\n40\n"
  end
end)

-- Children that a helper would end after us.
add("guard", function(note)
  local got = {}
  local options = {tree = true, killOnParentExit = true}
  local child = watched(cp.spawn("cat", {}, options), note)
  collect(child.stdout, got, "text")
  child:on("close", function()
    child:kill("SIGKILL", {tree = true}) -- it may be taken for the leader of a group that is left
  end)
  child.stdin:finish("input")
  local result = cp.spawnSync("echo", {"text"}, options)
  if result.error then note(result.error) end
  return function()
    return got.text == "input" and result.stdout == "text\n"
  end
end)

-- A server that answers one connection and a client that asks; `place` is where, for both.
local function connection(listen, connect)
  return function(note)
    local got = {}
    local server = own(net.createServer())
    server:on("error", note)
    server:on("connection", function(socket)
      own(socket)
      socket:on("error", note)
      socket:on("data", function(data)
        socket:finish(data:upper())
      end)
      socket:on("close", function()
        server:close()
      end)
    end)
    listen(server, function()
      local client = own(connect(server))
      client:on("error", function(err)
        note(err)
        server:close()
      end)
      collect(client, got, "text")
      client:write("question")
    end)
    return function()
      return got.text == "QUESTION"
    end
  end
end

add("net", connection(function(server, callback)
  server:listen(0, "127.0.0.1", callback)
end, function(server)
  return net.connect({port = server:address().port, host = "127.0.0.1"})
end))

add("unix", connection(function(server, callback)
  server:listen(("\0child_process-faults-%d"):format(process.pid), callback)
end, function()
  return net.connect(("\0child_process-faults-%d"):format(process.pid))
end))

add("lookup", connection(function(server, callback)
  server:listen(0, "localhost", callback)
end, function(server)
  return net.connect({port = server:address().port, host = "localhost"})
end))

add("dgram", function(note)
  local got = {}
  local receiver, sender = own(dgram.createSocket("udp4")), own(dgram.createSocket("udp4"))
  local function close()
    if not got.closed then
      got.closed = true
      receiver:close()
      sender:close()
    end
  end
  local function failed(err)
    note(err)
    close()
  end
  receiver:on("error", failed)
  sender:on("error", failed)
  receiver:on("message", function(message)
    got.message = message
    close()
  end)
  receiver:bind(0, "127.0.0.1", function()
    sender:send("datagram", receiver:address().port, "127.0.0.1", function(err)
      if err then
        failed(err)
      end
    end)
  end)
  return function()
    return got.message == "datagram"
  end
end)

add("abort", function(note)
  local got = {}
  local controller = abort.AbortController()
  local child = own(cp.spawn("sleep", {"100"}, {signal = controller.signal}))
  child:on("error", function(err)
    if err.name == "AbortError" then
      got.aborted = true
    else
      note(err)
      child:kill("SIGKILL")
    end
  end)
  child:on("exit", function(_, signal)
    got.signal = signal
  end)
  child:on("spawn", function()
    controller:abort()
  end)
  return function()
    return got.aborted and got.signal == "SIGTERM"
  end
end)

add("pool", function(note)
  local got = {}
  local pool = require("child_process.pool")(here .. "/answers.lua", {size = 1})
  own({close = function()
    pool:terminate()
  end})
  for index, value in ipairs({"one", "two"}) do
    pool:run(value):andThen(function(reply)
      got[index] = reply
    end):catch(note)
  end
  pool:close():andThen(function()
    got.over = true
  end)
  return function()
    return got[1] == "one" and got[2] == "two" and got.over
  end
end)

-- A child that an agent on this machine starts.
add("host", function(note)
  local got = {}
  local host = own(require("child_process.host").connect({"env"}, {
    lua = process.execPath, grace = 100,
  }))
  host:on("error", note)
  local child = watched(cp.spawn("cat", {}, {host = host}), note)
  collect(child.stdout, got, "text")
  child.stdin:finish("text")
  child:on("close", function(code)
    got.code = code
    host:close()
  end)
  return function()
    return got.text == "text" and got.code == 0 and host.state == "closed"
  end
end)

-- A shell that ends when it is asked to, and a process that does not.
add("tree", function(note)
  local got = {}
  local child = watched(cp.spawn("sh", {"-c", "(trap '' TERM; echo ready; exec sleep 100) & wait"},
    {tree = true}), note)
  local function failed()
    child:dispose({grace = 0})
  end
  child:on("error", failed)
  child.stdout:on("error", failed)
  child.stdout:once("data", function()
    child:dispose({grace = 20}):andThen(function(_, signal)
      got.signal = signal
    end)
  end)
  return function()
    -- A group that has refused SIGKILL once is kept until it has gone.
    while child:kill("SIGKILL") do
      cp.spawnSync("true")
    end
    return got.signal ~= nil
  end
end)

add("held", function(note)
  local got = {}
  own(cp.exec("sleep 100 & echo out", {waitDelay = 20}, function(err, stdout)
    if not err or err.code ~= "ERR_WAIT_DELAY" then
      note(err)
    end
    got.out = stdout
  end))
  return function()
    return got.out == "out\n"
  end
end)

add("many", function(note)
  local closed = 0
  for i = 1, 12 do
    local child = watched(cp.spawn("sh", {"-c", "read x; exit $x"}), note)
    child.stdin:finish(i .. "\n")
    child:on("close", function(code)
      closed = closed + (code == i and 1 or 0)
    end)
  end
  return function()
    return closed == 12
  end
end)

add("timers", function(note)
  local got = {ticks = 0}
  local child = watched(cp.spawn("sleep", {"100"}, {timeout = 20}), note)
  child:on("error", function()
    child:kill("SIGKILL")
  end)
  child:on("exit", function(_, signal)
    got.signal = signal
  end)
  local interval
  interval = timers.setInterval(function()
    got.ticks = got.ticks + 1
    if got.ticks == 2 then
      timers.clearInterval(interval)
    end
  end, 1)
  own(interval)
  timers.setImmediate(function()
    got.immediate = true
  end)
  return function()
    return got.ticks == 2 and got.immediate and got.signal == "SIGTERM"
  end
end)

return flows
