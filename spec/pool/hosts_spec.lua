-- options.hosts of pools: children on several hosts share the work, and the loss of a host loses no
-- task. The hosts are agents on this machine.

local agents = require("spec.support.agents")
local cp = require("child_process")
local messages = require("spec.support.messages")
local pool = require("child_process.pool")
local pools = require("spec.support.pools")
local process = require("child_process.process")
local Promise = require("child_process.promise")
local support = require("spec.support")
local timers = require("child_process.timers")
local trees = require("spec.support.trees")

--- What the children do. HOST is set in the environment of a host's agent.
local SCRIPT = pools.AWAIT .. [[
  local name = os.getenv("HOST") or "local"
  local start = os.getenv("AT_START")
  if start == "die" then
    error("out of order on " .. name, 0)
  elseif start == "hang" then
    while true do os.execute("sleep 0.01") end
  end
  process:handle(function(task)
    if type(task) ~= "table" then return task end
    if task.host then return name end
    if task.pid then return process.pid end
    if task.wait then await(task.wait) return name end
    if task.hangOn == name then
      io.open(task.touch, "a"):close()
      require("child_process.promise").new(function() end):await()
    end
    if task.slowOn == name or task.first then await(task.go) end
    return {task.number, name}
  end)
]]

local await, gather, reason, touch = pools.await, pools.gather, pools.reason, pools.touch

local hosts = {}

local function connect(name, env, launcher, options)
  local h = agents.connect(launcher, support.merge({
    grace = 50, env = support.merge(process.env, support.merge({HOST = name}, env)),
  }, options))
  hosts[#hosts + 1] = h
  return h
end

local function new(options, text)
  return pools.new(support.script(text or SCRIPT), options)
end

local function endAll()
  local list = hosts
  hosts = {}
  pools.terminateAll()
  for _, h in ipairs(list) do
    if h.state ~= "closed" then agents.close(h) end
  end
  support.run()
end

-- The agent becomes the launcher, so this ends both at once.
local function lose(h) process:kill(h.pid, "SIGKILL") end

local function exists(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

--- Awaits what no event of the loop may report.
local function watch(look)
  local timer = timers.setInterval(function() end, 10)
  messages.await(look)
  timer:close()
end

local function awaitConnection(...)
  for _, h in ipairs({...}) do
    if h.state == "connecting" then support.inTime(function() return h:wait("connect") end) end
  end
end

describe("A pool with options.hosts", function()
  after_each(endAll)

  it("has its children on all of them, and here if that is in the list", function()
    local a, b = connect("a"), connect("b")
    awaitConnection(a, b)
    local p = new({hosts = {a, {host = b, size = 2}, "local"}, size = 1})
    local go = support.tmpdir() .. "/go"
    local all = {}
    for n = 1, 4 do all[n] = p:run({wait = go}) end
    messages.await(function() return p.stats.busy == 4 end)
    assert.same({
      {host = a, size = 1, children = 1, busy = 1}, {host = b, size = 2, children = 2, busy = 2},
      {host = "local", size = 1, children = 1, busy = 1},
    }, p.stats.hosts)
    assert.equal(4, p.stats.size)
    touch(go)
    local names = await(Promise.all(all))
    table.sort(names)
    assert.same({"a", "b", "b", "local"}, names)
  end)

  it("has as many children on a host as that has processors", function()
    local h = connect("a")
    awaitConnection(h)
    assert.equal(pool.cpus(), h.cpus)
    local p = new({hosts = {h}})
    assert.equal(pool.cpus(), p.stats.size)
    assert.equal("a", await(p:run({host = true})))
  end)

  it("waits for hosts that are connecting, and starts with the first", function()
    local go = support.tmpdir() .. "/go"
    local late = connect("late", nil,
      {"sh", "-c", ("while [ ! -e %s ]; do sleep 0.01; done; exec \"$@\""):format(go), "sh"})
    local p = new({hosts = {late, connect("soon")}, size = 1})
    assert.equal("soon", await(p:run({host = true})))
    assert.equal("connecting", late.state)
    touch(go)
    awaitConnection(late)
    local stop = support.tmpdir() .. "/stop"
    local both = {p:run({wait = stop}), p:run({wait = stop})}
    messages.await(function() return p.stats.busy == 2 end)
    touch(stop)
    local names = await(Promise.all(both))
    table.sort(names)
    assert.same({"late", "soon"}, names)
  end)

  it("takes more of the tasks of map once a host is connected", function()
    local a, b = connect("a"), connect("b")
    local p = new({hosts = {a, b}})
    local go = support.tmpdir() .. "/go"
    local tasks = {}
    for n = 1, 2 * pool.cpus() do tasks[n] = {wait = go} end
    local step = p:map(tasks)
    messages.await(function() return p.stats.busy == #tasks end)
    touch(go)
    assert.equal(#tasks, #gather(step))
  end)

  it("does 100 tasks on three hosts, with the results in order", function()
    local p = new({hosts = {connect("a"), connect("b"), connect("c")}, size = 2})
    local source, names, go = 0, {}, support.tmpdir() .. "/go"
    local step = p:map(function()
      source = source + 1
      return source <= 100 and {number = source, first = source <= 6, go = go} or nil
    end, {ordered = true})
    messages.await(function() return p.stats.busy == 6 end) -- so that each has a task
    touch(go)
    support.inTime(function()
      local expected = 0
      for result, number in step do
        expected = expected + 1
        assert.equal(expected, number)
        assert.equal(expected, result[1])
        names[result[2]] = true
      end
      assert.equal(100, expected)
    end)
    assert.same({a = true, b = true, c = true}, names)
    assert.equal(100, p.stats.completed)
    assert.equal(0, p.stats.retried)
  end)

  it("gives a fast host what a slow one does not get done", function()
    local p = new({hosts = {connect("slow"), connect("fast")}, size = 1})
    local go = support.tmpdir() .. "/go"
    local tasks = {}
    for n = 1, 20 do tasks[n] = {number = n, slowOn = "slow", go = go} end
    local step = p:map(tasks, {ordered = true, window = 20})
    -- The slow one sits at its first task, if it got any, and the other does all the rest.
    messages.await(function() return p.stats.completed >= 19 end)
    touch(go)
    local results, bySlow = gather(step), 0
    assert.equal(20, #results)
    for number, result in ipairs(results) do
      assert.equal(number, result[1])
      bySlow = bySlow + (result[2] == "slow" and 1 or 0)
    end
    assert.is_true(bySlow <= 1)
  end)

  it("sends the source of the script with options.sendSource", function()
    local path = support.script(SCRIPT)
    local h = connect("a")
    awaitConnection(h)
    local p = pools.new(path, {hosts = {h, "local"}, size = 1, options = {sendSource = true}})
    local go = support.tmpdir() .. "/go"
    local all = {p:run({wait = go}), p:run({wait = go})}
    messages.await(function() return p.stats.busy == 2 end)
    touch(go)
    local names = await(Promise.all(all))
    table.sort(names)
    assert.same({"a", "local"}, names)
    -- The file that the agent could read is not the one that is run.
    local moved = path .. ".moved"
    os.rename(path, moved)
    local other = pools.new(path, {hosts = {h}, size = 1, options = {sendSource = true}})
    assert.equal("ENOENT", reason(other:run({host = true})).code)
  end)

  it("passes strings that are no text with the serialization of options", function()
    local p = new({hosts = {connect("a")}, size = 1, options = {serialization = "advanced"}})
    assert.equal("\255\0", await(p:run("\255\0")))
  end)

  it("checks the list", function()
    local h = connect("a")
    local function refuse(code, name, list, options)
      local err = support.error(pool, "x", support.merge({hosts = list}, options))
      assert.equal(code, err.code)
      assert.match(name, err.message, 1, true)
    end
    refuse("ERR_INVALID_ARG_TYPE", "options.hosts", h.name)
    refuse("ERR_INVALID_ARG_VALUE", "must name at least one host", {})
    refuse("ERR_INVALID_ARG_TYPE", "options.hosts[2]", {h, "n1"})
    refuse("ERR_INVALID_ARG_TYPE", "options.hosts[1].host", {{size = 2}})
    refuse("ERR_OUT_OF_RANGE", "options.hosts[1].size", {{host = h, size = 0}})
    refuse("ERR_INVALID_ARG_VALUE", "is the same host as options.hosts[1]", {h, {host = h}})
    refuse("ERR_INVALID_ARG_VALUE", "is the same host as options.hosts[1]", {"local", "local"})
    local err = support.error(pool, "x", {options = {host = h}})
    assert.match("options.options.host", err.message, 1, true)
    assert.match("whose hosts are options.hosts", err.message, 1, true)
  end)
end)

describe("A pool that loses a host", function()
  after_each(endAll)

  -- Two hosts with a child each, of which that on "a" is at a task that never ends there.
  local function busy(options)
    local a, b = connect("a"), connect("b")
    awaitConnection(a, b)
    local p = new(support.merge({hosts = {a, b}, size = 1}, options))
    local touched = support.tmpdir() .. "/touched"
    -- Whichever child is ready first gets the first task.
    local promise, isDone
    repeat
      isDone = false
      promise = p:run({hangOn = "a", touch = touched, number = 1})
      promise:andThen(function() isDone = true end, function() end)
      watch(function() return exists(touched) or isDone end)
    until exists(touched)
    return p, a, promise, b
  end

  it("with a child at a task has another one do it", function()
    local p, a, promise = busy()
    local events, lost = {}, nil
    p:on("retry", function(err, _, attempt) events[#events + 1] = {err.code, attempt} end)
    p:on("lost", function(err, h) lost = {err.code, h} end)
    lose(a)
    assert.same({1, "b"}, await(promise))
    assert.same({{"ERR_CHILD_ENDED", 2}}, events)
    assert.same({"ERR_HOST_LOST", a}, lost)
    assert.equal(1, p.stats.retried)
    assert.same({0, 0}, {p.stats.hosts[1].size, p.stats.hosts[1].children})
    assert.equal("b", await(p:run({host = true})))
  end)

  it("does nothing twice without options.retries", function()
    local p, a, promise = busy({retries = 0})
    lose(a)
    local err = reason(promise)
    assert.equal("ERR_CHILD_ENDED", err.code)
    assert.equal("ERR_HOST_LOST", err.cause.code)
    assert.match("The child ended at the task (host '", err.message, 1, true)
    assert.match("is lost: ", err.message, 1, true)
    assert.equal(0, p.stats.retried)
    assert.equal("b", await(p:run({host = true})))
  end)

  it("loses no task of many", function()
    local list = {connect("a"), connect("b"), connect("c")}
    awaitConnection((table.unpack or unpack)(list))
    local p = new({hosts = list, size = 2})
    local seen, count = {}, 0
    local source = 0
    local step = p:map(function()
      source = source + 1
      return source <= 300 and {number = source} or nil
    end)
    support.inTime(function()
      for result in step do
        assert.is_nil(seen[result[1]])
        seen[result[1]], count = true, count + 1
        if count == 50 then lose(list[1]) elseif count == 150 then lose(list[2]) end
      end
    end)
    assert.equal(300, count)
    assert.equal(300, p.stats.completed)
  end)

  it("with idle children goes on elsewhere, and tries nothing again", function()
    local a, b = connect("a"), connect("b")
    awaitConnection(a, b)
    local p = new({hosts = {a, b}, size = 1, retries = 0})
    local go = support.tmpdir() .. "/go"
    local all = {p:run({wait = go}), p:run({wait = go})}
    messages.await(function() return p.stats.busy == 2 end)
    touch(go)
    await(Promise.all(all))
    assert.equal(2, p.stats.idle)
    local lost = false
    p:on("lost", function() lost = true end)
    a:kill("SIGKILL")
    watch(function() return a.state ~= "connected" end)
    local results = {}
    for n = 1, 6 do results[n] = p:run({host = true}) end
    assert.same({"b", "b", "b", "b", "b", "b"}, await(Promise.all(results)))
    watch(function() return lost end)
    assert.equal(0, p.stats.retried + p.stats.failed)
  end)

  it("with children that are starting has others do the tasks", function()
    local a = connect("a", {AT_START = "hang"})
    awaitConnection(a)
    local b = connect("b")
    local p = new({hosts = {a, b}, size = 1, retries = 0})
    local promise = p:run({host = true})
    messages.await(function() return p.stats.hosts[1].children == 1 end)
    lose(a)
    assert.equal("b", await(promise))
    assert.equal(0, p.stats.failed + p.stats.retried)
    messages.await(function() return p.stats.hosts[1].children == 0 end)
  end)

  it("that cannot be connected says so, and goes on elsewhere", function()
    local bad = connect("bad", nil, {"sh", "-c", "echo no route >&2; exit 7", "sh"})
    local p = new({hosts = {bad, connect("b")}, size = 1})
    local lost
    p:on("lost", function(err) lost = err end)
    assert.equal("b", await(p:run({host = true})))
    messages.await(function() return lost end)
    assert.equal("ERR_HOST_CONNECT", lost.code)
    assert.match("no route", lost.message, 1, true)
  end)

  it("that the program closes goes on elsewhere", function()
    local p, a, promise = busy()
    local lost
    p:on("lost", function(err) lost = err end)
    a:close()
    assert.same({1, "b"}, await(promise))
    messages.await(function() return lost end)
    assert.equal("ERR_HOST_CLOSED", lost.code)
  end)

  it("and has no other says so, to all tasks and to later ones", function()
    local p, a, promise, b = busy()
    lose(a)
    lose(b)
    local waiting = p:run("waiting")
    for _, each in ipairs({promise, waiting}) do
      local err = reason(each)
      assert.equal("ERR_POOL_NO_HOST", err.code)
      assert.match("No host of the pool is left: host '", err.message, 1, true)
      assert.equal(2, #err.errors)
      assert.equal("ERR_HOST_LOST", err.errors[1].code)
    end
    assert.equal("ERR_POOL_NO_HOST", reason(p:run("later")).code)
    assert.equal(0, p.stats.waiting)
    await(p:close())
    -- A pool whose hosts have ended before it was made.
    p = new({hosts = {a, b}})
    assert.equal("ERR_POOL_NO_HOST", reason(p:run("x")).code)
    support.run()
  end)

  it("is noticed although a listener of that host raises an error", function()
    local bad = connect("bad", nil, {"sh", "-c", "exit 7", "sh"})
    bad:on("close", function() error("of a listener", 0) end)
    local err
    new({hosts = {bad}}):run("waiting"):catch(function(e) err = e end)
    assert.same({"of a listener"}, support.runThrough())
    assert.equal("ERR_POOL_NO_HOST", err and err.code)
  end)

  it("while it closes finishes what was given", function()
    local p, a, promise = busy()
    local waiting = p:run({number = 2})
    local closed = p:close()
    lose(a)
    await(closed)
    assert.same({1, "b"}, await(promise))
    assert.same({2, "b"}, await(waiting))
    assert.equal(0, p.stats.children)
  end)

  it("while it is terminated has ended when all is over", function()
    local p, a, promise = busy()
    lose(a)
    local ended = p:terminate()
    assert.equal("ERR_POOL_TERMINATED", reason(promise).code)
    await(ended)
    assert.equal(0, p.stats.children)
  end)
end)

describe("A script that dies at its start on a host", function()
  after_each(endAll)

  it("does not matter to tasks that others can do", function()
    local bad = connect("bad", {AT_START = "die"})
    awaitConnection(bad)
    local p = new({hosts = {bad, connect("b")}, size = 1})
    local all = {}
    for n = 1, 10 do all[n] = p:run({host = true}) end
    for _, name in ipairs(await(Promise.all(all))) do assert.equal("b", name) end
    assert.equal(0, p.stats.failed)
  end)

  it("fails the tasks if there is no other", function()
    local p = new({hosts = {connect("a", {AT_START = "die"}), connect("b", {AT_START = "die"})}})
    local err = reason(p:run("x"))
    assert.equal("ERR_POOL_START", err.code)
    assert.match("3 children in a row ended before they were ready", err.message, 1, true)
    assert.match("out of order on ", err.message, 1, true)
  end)
end)

describe("The end of a pool with options.hosts", function()
  after_each(endAll)

  it("by close leaves the hosts as they are", function()
    local h = connect("a")
    local p = new({hosts = {h}, size = 2})
    local before = h:listenerCount("error")
    local pid = await(p:run({pid = true}))
    await(p:close())
    trees.awaitEnd(pid)
    assert.equal("connected", h.state)
    assert.equal(before - 1, h:listenerCount("error"))
    assert.equal("fine\n", support.output(cp.spawn("echo", {"fine"}, {host = h})))
  end)

  it("by terminate ends the children over there with their trees", function()
    local h = connect("a")
    local p = new({hosts = {h}, size = 1}, [[
      local child = require("child_process").spawn("sleep", {"1000"})
      process:handle(function(task)
        if task == "pids" then return {process.pid, child.pid} end
        while true do end
      end)
    ]])
    local pids = await(p:run("pids"))
    local running = p:run("hang")
    local ended = p:terminate()
    assert.equal("ERR_POOL_TERMINATED", reason(running).code)
    await(ended)
    for _, pid in ipairs(pids) do trees.awaitEnd(pid) end
    assert.equal("connected", h.state)
  end)

  it("comes before a host is connected", function()
    local h = connect("a", nil, {"sh", "-c", "exec sleep 1000", "sh"})
    local p = new({hosts = {h}})
    local promise = p:run("x")
    local ended = p:terminate()
    assert.equal("ERR_POOL_TERMINATED", reason(promise).code)
    await(ended)
    h:on("error", function() end)
    h:kill("SIGKILL")
    messages.await(function() return h.state == "closed" end)
  end)

  it("is not needed: an idle pool does not keep the loop alive", function()
    local p = new({hosts = {connect("a")}, size = 1})
    assert.equal("x", await(p:run("x")))
    support.run()
    assert.equal(1, p.stats.idle)
    assert.equal("y", await(p:run("y")))
  end)
end)
