-- Pools: pool:run, retries, deadlines, the start and the end of children, and the end of the pool,
-- with real scripts.

local AbortController = require("child_process.abort").AbortController
local copies = require("spec.support.copies")
local cp = require("child_process")
local messages = require("spec.support.messages")
local pool = require("child_process.pool")
local pools = require("spec.support.pools")
local process = require("child_process.process")
local Promise = require("child_process.promise")
local support = require("spec.support")
local trees = require("spec.support.trees")

--- What the children of most tests do.
local SCRIPT = pools.AWAIT .. [[
  local count = 0
  process:handle(function(task)
    count = count + 1
    if type(task) ~= "table" then return task end
    if task.exit then os.exit(task.exit) end
    if task.raise then error(task.raise, 0) end
    if task.hang then while true do end end
    if task.kill then process:kill(process.pid, task.kill) end
    if task.count then return count end
    if task.pid then return process.pid end
    if task.once then -- ends the first child that gets it
      if exists(task.once) then return "done" end
      io.open(task.once, "w"):close()
      os.exit(9)
    end
    if task.wait then await(task.wait) return "waited" end
    if task.tree then
      local child = require("child_process").spawn("sleep", {"1000"})
      return child.pid
    end
    if task.disconnect then process:disconnect() end
  end)
]]

local await, reason, touch = pools.await, pools.reason, pools.touch

local function new(options, text)
  return pools.new(support.script(text or SCRIPT), options)
end

local function endAll()
  pools.terminateAll()
  support.run()
end

describe("a pool in a copy of the process", function()
  it("has children and tasks of its own", function()
    local output = copies.run([[
      local p = require("child_process.pool")(%q, {size = 1})
      local function ask() return p:run({pid = true}):await() end
      local before = ask()
      local pending = p:run({pid = true})
      local status = inCopy(function()
        local other, stats = ask(), p.stats
        say(other ~= before, other == ask(), stats.started, stats.completed, stats.waiting)
        p:close():await()
        say("closed")
      end)
      say(status, pending:await() == before, ask() == before, p.stats.started)
      p:close():await()
      say("closed")
    ]], support.script(SCRIPT))
    assert.same({"true\ttrue\t1\t1\t0", "closed", "0\ttrue\ttrue\t1", "closed"},
      support.lines(output))
  end)
end)

describe("pool:run(value)", function()
  after_each(endAll)

  it("is a promise of what the function of process:handle returns", function()
    local p = new({size = 1})
    assert.equal("text", await(p:run("text")))
    assert.equal(false, await(p:run(false)))
    assert.is_nil(await(p:run({})))
  end)

  it("is rejected with the error that the function raises, and the child goes on", function()
    local p = new({size = 1})
    local pid = await(p:run({pid = true}))
    local err = reason(p:run({raise = "no"}))
    assert.equal("no", err.message)
    assert.equal(pid, await(p:run({pid = true})))
    assert.equal(1, p.stats.failed)
  end)

  it("has figures that cannot be set", function()
    local p = new({size = 1})
    assert.equal("ERR_INVALID_ARG_VALUE", support.error(function() p.stats = {} end).code)
    assert.equal(1, p.stats.size)
  end)

  it("starts children when tasks wait for them, and not more than size", function()
    local p = new({size = 2})
    assert.equal(0, p.stats.children)
    local file = support.tmpdir() .. "/go"
    local all = {}
    for n = 1, 5 do all[n] = p:run({wait = file}) end
    local online = 0
    p:on("online", function() online = online + 1 end)
    messages.await(function() return online == 2 end)
    local stats = p.stats
    assert.same({2, 2, 3, 2}, {stats.children, stats.busy, stats.waiting, stats.started})
    touch(file)
    await(Promise.all(all))
    stats = p.stats
    assert.same({2, 0, 0, 5}, {stats.idle, stats.busy, stats.waiting, stats.completed})
  end)

  it("does the tasks in the order in which they came", function()
    local p = new({size = 1})
    local order, all = {}, {}
    for n = 1, 20 do
      all[n] = p:run(n):andThen(function(value) order[#order + 1] = value end)
    end
    await(Promise.all(all))
    for n = 1, 20 do assert.equal(n, order[n]) end
  end)

  it("is rejected with a value that cannot be sent, and others are done", function()
    local p = new({size = 1})
    local cycle = {}
    cycle.cycle = cycle
    local bad, good = p:run(cycle), p:run("good")
    bad:catch(function() end)
    assert.equal("good", await(good))
    assert.equal("ERR_INVALID_ARG_VALUE", reason(bad).code)
  end)

  it("passes options.args, and options to fork", function()
    local p = new({size = 1, args = {"one"}, options = {serialization = "advanced", env = {A = "b"},
      execArgv = {}}}, "process:handle(function(v) return {arg[1], os.getenv('A'), v} end)")
    assert.same({"one", "b", "\255"}, await(p:run("\255")))
  end)

  it("checks its arguments", function()
    local function code(...)
      return select(2, pcall(...)).code
    end
    assert.equal("ERR_INVALID_ARG_TYPE", code(pool))
    assert.equal("ERR_INVALID_ARG_TYPE", code(pool, "x", "y"))
    assert.equal("ERR_OUT_OF_RANGE", code(pool, "x", {size = 0}))
    assert.equal("ERR_OUT_OF_RANGE", code(pool, "x", {retries = -1}))
    assert.equal("ERR_INVALID_ARG_TYPE", code(pool, "x", {args = "a"}))
    assert.equal("ERR_OUT_OF_RANGE", code(pool, "x", {taskTimeout = 0}))
    local p = new({size = 1})
    assert.equal("ERR_MISSING_ARGS", code(p.run, p))
    assert.equal("ERR_INVALID_ARG_TYPE", code(p.run, p, 1, {signal = 1}))
    assert.equal("ERR_INVALID_ARG_TYPE", code(p.map, p, 1))
    assert.equal("ERR_OUT_OF_RANGE", code(p.map, p, {}, {window = 0}))
    assert.equal("ERR_INVALID_THIS", code(p.run, {}, 1))
  end)
end)

describe("A child that ends at a task", function()
  after_each(endAll)

  it("is replaced, and the task is tried again", function()
    local p = new({size = 1})
    local events = {}
    p:on("retry", function(err, value, attempt)
      events[#events + 1] = ("retry %s %s %d"):format(err.code, type(value), attempt)
    end)
    p:on("exit", function(_, code, signal)
      events[#events + 1] = ("exit %s %s"):format(tostring(code), tostring(signal))
    end)
    assert.equal("done", await(p:run({once = support.tmpdir() .. "/once"})))
    assert.same({"retry ERR_CHILD_ENDED table 2", "exit 9 nil"}, events)
    local stats = p.stats
    assert.same({1, 1, 1, 2}, {stats.retried, stats.completed, stats.ended, stats.started})
  end)

  it("fails the task with the reason when options.retries are used up", function()
    local p = new({size = 1, retries = 0})
    local err = reason(p:run({exit = 4}))
    assert.equal("ERR_CHILD_ENDED", err.code)
    assert.equal(4, err.exitCode)
    assert.equal(1, err.attempts)
    assert.equal("The child ended at the task (exit code 4)", err.message)
    err = reason(p:run({kill = "SIGKILL"}))
    assert.equal("SIGKILL", err.signalCode)
  end)

  it("has what it has written to stderr in the error", function()
    local child = support.script(
      "process:handle(function() io.stderr:write('no paper\\n') os.exit(4) end)")
    local stdout, stderr = support.runScript(([[
      local p = require("child_process.pool")(%q, {size = 1, retries = 0})
      local _, err = pcall(function() p:run(1):await() end)
      io.write(err.message)
    ]]):format(child))
    assert.equal("The child ended at the task (exit code 4)\nno paper", stdout)
    assert.equal("no paper\n", stderr)
  end)

  it("three times in a row: the task is given up, however many retries there are", function()
    local p = new({size = 2, retries = 4})
    local good = p:run("good")
    local err = reason(p:run({exit = 1}))
    assert.equal(3, err.attempts)
    assert.matches("3 children in a row ended at the task", err.message, 1, true)
    assert.equal("good", await(good))
    assert.equal("after", await(p:run("after")))
  end)

  it("by disconnecting counts as one that has ended", function()
    local p = new({size = 1, retries = 0})
    local err = reason(p:run({disconnect = true}))
    assert.equal("ERR_CHILD_ENDED", err.code)
    assert.equal("after", await(p:run("after")))
  end)

  it("because its result is too long says so", function()
    local p = new({size = 1, retries = 0, options = {maxMessageSize = 1000}})
    local err = reason(p:run(("x"):rep(2000)))
    assert.equal("ERR_CHILD_ENDED", err.code)
    assert.equal("EMSGSIZE", err.cause.code)
    assert.match("The child ended at the task (", err.message, 1, true)
    assert.match(err.cause.message, err.message, 1, true)
    await(p:run("short"))
    err = reason(p:run({exit = 3}))
    assert.is_nil(err.cause)
    assert.equal("The child ended at the task (exit code 3)", err.message)
  end)

  it("loses no other task", function()
    local p = new({size = 2, retries = 0})
    local all, failed = {}, 0
    for n = 1, 40 do
      all[n] = p:run(n % 10 == 0 and {exit = 1} or n):catch(function() failed = failed + 1 end)
    end
    local results = await(Promise.all(all))
    for n = 1, 40 do
      if n % 10 ~= 0 then assert.equal(n, results[n]) end
    end
    assert.equal(4, failed)
  end)

  it("while it is idle is replaced for the next task", function()
    local p = new({size = 1})
    local pid = await(p:run({pid = true}))
    local gone = false
    p:on("exit", function() gone = true end)
    process:kill(pid, "SIGKILL")
    assert.not_equal(pid, await(p:run({pid = true})))
    assert.is_true(gone)
  end)

  it("leaves nothing behind of what it has started", function()
    local p = new({size = 1, retries = 0})
    local pid = await(p:run({tree = true}))
    assert.is_true(trees.isRunning(pid))
    reason(p:run({exit = 1}))
    trees.awaitEnd(pid)
  end)
end)

describe("A deadline", function()
  after_each(endAll)

  it("of options.taskTimeout ends the child, fails the task, and is not tried again", function()
    local p = new({size = 1, taskTimeout = 200, retries = 5})
    local err = reason(p:run({hang = true}))
    assert.equal("TimeoutError", err.name)
    assert.equal("ETIMEDOUT", err.code)
    assert.equal("The task was not done within 200 ms", err.message)
    assert.equal(0, p.stats.retried)
  end)

  it("may be set for a task, and does not concern the next one", function()
    local p = new({size = 1})
    assert.equal("ETIMEDOUT", reason(p:run({hang = true}, {timeout = 50})).code)
    assert.equal("after", await(p:run("after")))
  end)

  it("does not count the time in which the task waits for a child", function()
    local p = new({size = 1})
    local file = support.tmpdir() .. "/go"
    local first = p:run({wait = file})
    local second = p:run("second", {timeout = 5000})
    assert.equal(2, p.stats.waiting)
    touch(file)
    await(first)
    assert.equal("second", await(second))
  end)

  it("by a signal gives a task up that waits, or that is worked on", function()
    local p = new({size = 1})
    local one, two = AbortController(), AbortController()
    local online = false
    p:on("online", function() online = true end)
    local running = p:run({hang = true}, {signal = one.signal})
    local waiting = p:run("never", {signal = two.signal})
    local last = p:run("last")
    messages.await(function() return online end)
    two:abort()
    assert.equal("AbortError", reason(waiting).name)
    assert.equal(1, p.stats.waiting)
    one:abort()
    assert.equal("AbortError", reason(running).name)
    assert.equal("last", await(last))
    assert.equal("AbortError", reason(p:run("x", {signal = one.signal})).name)
  end)
end)

describe("A script that never gets ready", function()
  after_each(endAll)

  it("fails the tasks after three children in a row, with its stderr", function()
    local log = support.tmpdir() .. "/log"
    local p = new({size = 8}, ([[
      local file = io.open(%q, "a") file:write("started\n") file:close()
      error("out of order", 0)
    ]]):format(log))
    local all = {}
    for n = 1, 20 do
      all[n] = p:run(n)
      all[n]:catch(function() end)
    end
    local err = reason(all[20])
    assert.equal("ERR_POOL_START", err.code)
    assert.equal(1, err.exitCode)
    assert.matches("^3 children in a row ended before they were ready: ", err.message)
    assert.matches("script.lua (exit code 1)", err.message, 1, true)
    assert.matches("out of order", err.message, 1, true)
    assert.matches("out of order", err.stderr, 1, true)
    assert.equal("started\nstarted\nstarted\n", support.readFile(log))
    for n = 1, 20 do assert.equal(err, reason(all[n])) end
    -- The next task is one more try, and no more.
    assert.equal("ERR_POOL_START", reason(p:run("again")).code)
    assert.equal(("started\n"):rep(4), support.readFile(log))
    assert.is_false(p._places:all()[1].backoff:hasRef())
  end)

  it("is started again after a failure that does not last", function()
    local folder = support.tmpdir()
    local p = new({size = 1}, ([[
      local file = io.open(%q)
      if not file then
        io.open(%q, "w"):close()
        os.exit(1)
      end
      process:handle(function(v) return v end)
    ]]):format(folder .. "/once", folder .. "/once"))
    assert.equal("fine", await(p:run("fine")))
  end)

  it("with options that fork does not take fails the tasks", function()
    local p = new({size = 1, options = {cwd = 5}})
    assert.equal("ERR_INVALID_ARG_TYPE", reason(p:run("x")).code)
    assert.equal(0, p.stats.children)
  end)

  it("that makes a pool of itself in the children, too, is noticed", function()
    local script = support.script([[
      local p = require("child_process.pool")(arg[0], {size = 1})
      print(p:run("x"):await())
    ]])
    local p = pools.new(script, {size = 1})
    local err = reason(p:run("x"))
    assert.equal("ERR_POOL_START", err.code)
    assert.matches("[ERR_POOL_RECURSION]: " .. script .. " would start itself without end",
      err.stderr, 1, true)
  end)

  it("may use a pool of itself to answer a task", function()
    local p = pools.new(support.script([[
      process:handle(function(depth)
        if depth == 0 then return "bottom" end
        local p = require("child_process.pool")(arg[0], {size = 1})
        local result = p:run(depth - 1):await()
        p:close():await()
        return result
      end)
    ]]), {size = 1})
    assert.equal("bottom", await(p:run(2)))
  end)

  it("that cannot be started at all says why", function()
    local p = new({size = 1, options = {execPath = "/nowhere/lua"}})
    local err = reason(p:run("x"))
    assert.equal("ERR_POOL_START", err.code)
    assert.equal("ENOENT", err.cause.code)
    assert.matches("spawn /nowhere/lua ENOENT", err.message, 1, true)
  end)
end)

describe("The children of a pool", function()
  after_each(endAll)

  it("are replaced after options.maxTasksPerChild", function()
    local p = new({size = 1, maxTasksPerChild = 2})
    local counts = {}
    for n = 1, 5 do counts[n] = await(p:run({count = true})) end
    assert.same({1, 2, 1, 2, 1}, counts)
    assert.equal(0, p.stats.ended)
    assert.equal(3, p.stats.started)
  end)

  it("are let go when they have no task for options.idleTimeout", function()
    local p = new({size = 2, idleTimeout = 20})
    local file = support.tmpdir() .. "/go"
    local all = {p:run({wait = file}), p:run({wait = file})}
    local online, gone = 0, 0
    p:on("online", function() online = online + 1 end)
    p:on("exit", function(_, code) gone = gone + (code == 0 and 1 or 100) end)
    messages.await(function() return online == 2 end)
    touch(file)
    await(Promise.all(all))
    local timer = require("child_process.timers").setInterval(function() end, 1000)
    messages.await(function() return gone == 2 end)
    timer:close()
    assert.equal(0, p.stats.children)
    assert.equal(0, p.stats.ended)
    assert.equal("after", await(p:run("after")))
  end)

  it("do not keep the loop alive while they are idle", function()
    local p = new({size = 1})
    assert.equal("x", await(p:run("x")))
    support.run()
    assert.equal(1, p.stats.idle)
    assert.equal("y", await(p:run("y")))
  end)

  it("write to our stderr, and read nothing of our stdin", function()
    local child = support.script([[
      process:handle(function()
        io.stderr:write("from the child\n")
        return io.read("*a") or "nothing"
      end)
    ]])
    local stdout, stderr = support.runScript(([[
      local p = require("child_process.pool")(%q, {size = 1})
      io.write("[", p:run(1):await(), "]")
      p:close():await()
    ]]):format(child))
    assert.equal("[]", stdout)
    assert.equal("from the child\n", stderr)
  end)

  it("end with a program that does not close its pool", function()
    local child = support.script("process:handle(function() return process.pid end)")
    local stdout = support.runScript(([[
      local p = require("child_process.pool")(%q, {size = 1})
      io.write(p:run(1):await())
    ]]):format(child))
    trees.awaitEnd(tonumber(stdout))
  end)

  it("end when a signal ends the program, with all that they have started", function()
    local child = support.script([[
      process:handle(function()
        local sleep = require("child_process").spawn("sleep", {"1000"})
        return process.pid .. " " .. sleep.pid
      end)
    ]])
    local parent = support.script(([[
      local cp = require("child_process")
      local p = require("child_process.pool")(%q, {size = 1})
      io.write(p:run(1):await(), "\n")
      io.flush()
      p:run(1):await()
      require("child_process.timers").setInterval(function() end, 1000)
      cp.run()
    ]]):format(child))
    local started = cp.spawn(support.lua, {parent}, {stdio = {"ignore", "pipe", "inherit"}})
    local line = support.inTime(function() return started.stdout:readLine() end)
    started:kill("SIGINT")
    support.run()
    assert.is_truthy(started.signalCode == "SIGINT" or started.exitCode ~= 0)
    for pid in line:gmatch("%d+") do
      trees.awaitEnd(tonumber(pid))
    end
  end)
end)

describe("The end of a pool", function()
  after_each(endAll)

  it("by close finishes what was given, and refuses more", function()
    local p = new({size = 2})
    local all = {}
    for n = 1, 10 do all[n] = p:run(n) end
    local closed = p:close()
    assert.equal("ERR_POOL_CLOSED", reason(p:run("more")).code)
    await(closed)
    assert.same({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, await(Promise.all(all)))
    assert.equal(0, p.stats.children)
    support.run()
  end)

  it("by close comes at once without children, and when they are idle", function()
    await(new({size = 1}):close())
    local p = new({size = 1})
    await(p:run("x"))
    await(p:close())
    assert.equal(0, p.stats.ended)
    await(p:close())
  end)

  it("by terminate fails all tasks, and ends the children with their trees", function()
    local p = new({size = 1})
    local pid = await(p:run({tree = true}))
    local running, waiting = p:run({hang = true}), p:run("never")
    local ended = p:terminate()
    assert.equal("ERR_POOL_TERMINATED", reason(running).code)
    assert.equal("ERR_POOL_TERMINATED", reason(waiting).code)
    await(ended)
    trees.awaitEnd(pid)
    assert.equal(0, p.stats.children)
    support.run()
  end)

  it("by terminate before a child is ready", function()
    local p = new({size = 1})
    local promise = p:run("x")
    local ended = p:terminate()
    assert.equal("ERR_POOL_TERMINATED", reason(promise).code)
    await(ended)
    support.run()
  end)

  it("comes with a variable that is closed", function()
    support.needClosing()
    local p = new({size = 1})
    local promise = p:run({hang = true})
    promise:catch(function() end)
    support.closing(p, function() end)
    assert.equal("ERR_POOL_TERMINATED", reason(promise).code)
    support.run()
  end)
end)

describe("pool.cpus()", function()
  it("counts what the affinity mask allows", function()
    if not support.forLinux then support.skip("options.affinity needs Linux") end
    local one = support.runScript([[
      io.write(require("child_process.pool").cpus())
    ]], nil, {affinity = {0}})
    assert.equal("1", one)
    assert.is_true(pool.cpus() >= 1)
  end)
end)

describe("A pool of programs in Node", function()
  after_each(endAll)

  it("has them answer the documented messages", messages.withNode(function()
    local p = pools.new(messages.javascript([[
      process.on("message", async ({child_process, id, value}) => {
        if (child_process !== "request") return
        if (value === "die") process.exit(3)
        process.send({child_process: "reply", id, value: value && value + " from Node"})
      })
    ]]), {size = 2, retries = 0, options = {execPath = "node"}})
    assert.equal("hello from Node", await(p:run("hello")))
    assert.equal(3, reason(p:run("die")).exitCode)
    await(p:close())
  end))
end)
