-- child_process.diagnostics: the channels of Node's diagnostics_channel that are about children.

local agents = require("spec.support.agents")
local cp = require("child_process")
local diagnostics = require("child_process.diagnostics")
local process = require("child_process.process")
local support = require("spec.support")

local CREATED = "child_process"
local START = "tracing:child_process.spawn:start"
local END = "tracing:child_process.spawn:end"
local ERROR = "tracing:child_process.spawn:error"

describe("child_process.diagnostics", function()
  local subscribed

  local function subscribe(name, fn)
    diagnostics.subscribe(name, fn)
    subscribed[#subscribed + 1] = {name, fn}
  end

  --- Notes all messages: their names, and the message by name.
  local function note()
    local names, messages = {}, {}
    for _, name in ipairs({CREATED, START, END, ERROR}) do
      subscribe(name, function(message, channel)
        assert.equal(name, channel)
        names[#names + 1] = channel:match("[^:]*$")
        messages[name] = message
      end)
    end
    return names, messages
  end

  before_each(function() subscribed = {} end)

  after_each(function()
    for _, entry in ipairs(subscribed) do diagnostics.unsubscribe(entry[1], entry[2]) end
    support.run()
    for _, name in ipairs({CREATED, START, END, ERROR}) do
      assert.is_false(diagnostics.hasSubscribers(name))
    end
  end)

  it("tells of a child, of its start, and of the end of the start", function()
    local names, messages = note()
    local child = cp.spawn("true", {"a"}, {stdio = "ignore"})
    assert.same({"child_process", "start", "end"}, names) -- before spawn returns
    for _, name in ipairs({CREATED, START, END}) do
      assert.equal(child, messages[name].process)
      assert.is_nil(messages[name].error)
    end
    assert.is_nil(messages[CREATED].options)
    assert.is_nil(messages[END].options)
    support.run()
    assert.equal(3, #names)
  end)

  it("tells of the outcome on another host when it is known", function()
    local h = agents.connect()
    support.inTime(function() return h:wait("connect") end)
    local names, messages = note()
    local child = cp.spawn("true", {host = h, stdio = "ignore"})
    assert.same({"child_process", "start"}, names)
    child:on("spawn", function()
      assert.same({"child_process", "start", "end"}, names)
      assert.equal("number", type(messages[END].process.pid))
    end)
    support.run()
    assert.equal(3, #names)
    local missing = cp.spawn("nonexistent", {host = h, stdio = "ignore"})
    local err
    missing:on("error", function(e) err = e end)
    support.run()
    assert.equal(ERROR:match("[^:]*$"), names[6])
    assert.equal("ENOENT", err.code)
    assert.equal(err, messages[ERROR].error)
    agents.close(h)
  end)

  it("has the child without a pid before its start, and with one after it", function()
    local pids = {}
    for index, name in ipairs({CREATED, START, END}) do
      subscribe(name, function(message) pids[index] = message.process.pid or "none" end)
    end
    local child = cp.spawn("true", {stdio = "ignore"})
    assert.same({"none", "none", child.pid}, pids)
  end)

  it("has what the program is started with", function()
    local _, messages = note()
    cp.spawn("sh", {"-c", "exit 0", 5}, {
      cwd = "/", env = {NAME = "value"}, detached = true, killSignal = "SIGKILL", timeout = 60000,
      stdio = "ignore",
    })
    assert.same({
      file = "sh", args = {"sh", "-c", "exit 0", "5"}, cwd = "/", envPairs = {"NAME=value"},
      detached = true, killSignal = 9, timeout = 60000,
    }, messages[START].options)
    cp.exec("exit 0", {shell = "/bin/sh"})
    local options = messages[START].options
    assert.equal("/bin/sh", options.file)
    assert.equal("/bin/sh", options.shell)
    assert.same({"/bin/sh", "-c", "exit 0"}, options.args)
    assert.is_nil(options.envPairs)
  end)

  it("has a copy of the options, so that changes have no effect", function()
    subscribe(START, function(message)
      message.options.args[2] = "changed"
      message.options.file = "no such program"
      message.options.cwd = "/no such folder"
    end)
    local child = cp.spawn("echo", {"kept"})
    assert.equal("kept\n", (support.output(child)))
  end)

  it("tells of a program that cannot be started, instead of the end", function()
    local names, messages = note()
    local child = cp.spawn("no such program")
    assert.same({"child_process", "start", "error"}, names)
    assert.equal(child, messages[ERROR].process)
    assert.equal("ENOENT", messages[ERROR].error.code)
    local emitted
    child:on("error", function(err) emitted = err end)
    support.run()
    assert.equal(messages[ERROR].error, emitted)
    assert.equal(3, #names)
  end)

  local starts = {
    exec = function() return cp.exec("true") end,
    execFile = function() return cp.execFile("true") end,
    fork = function() return cp.fork(support.script("")) end,
    ["promises.exec"] = function() return cp.promises.exec("true").child end,
    ["ChildProcess:spawn"] = function()
      local child = cp.ChildProcess()
      child:spawn({file = "true", stdio = "ignore"})
      return child
    end,
  }
  for name, start in pairs(starts) do
    it("tells of " .. name, function()
      local names, messages = note()
      local child = start()
      assert.same({"child_process", "start", "end"}, names)
      if child then assert.equal(child, messages[END].process) end
      support.run()
    end)
  end

  it("tells of system", function()
    local names = note()
    cp.system({"true"}):wait()
    assert.same({"child_process", "start", "end"}, names)
  end)

  it("tells nothing of synchronous calls and of misuse, as in Node", function()
    local names = note()
    cp.execSync("true")
    pcall(cp.spawn, "true", {}, {cwd = 5})
    pcall(cp.spawn, "")
    assert.same({}, names)
  end)

  it("calls all subscribers of a name in order, one that subscribes twice twice", function()
    local calls = {}
    local function first() calls[#calls + 1] = 1 end
    local function second() calls[#calls + 1] = 2 end
    subscribe(START, first)
    subscribe(START, second)
    subscribe(START, first)
    cp.spawn("true", {stdio = "ignore"})
    assert.same({1, 2, 1}, calls)
    assert.is_true(diagnostics.unsubscribe(START, first))
    cp.spawn("true", {stdio = "ignore"})
    assert.same({1, 2, 1, 2, 1}, calls)
    assert.is_true(diagnostics.unsubscribe(START, first))
    assert.is_false(diagnostics.unsubscribe(START, first))
    assert.is_true(diagnostics.hasSubscribers(START))
  end)

  it("lets subscribers unsubscribe and subscribe meanwhile", function()
    local calls = {}
    local function other() calls[#calls + 1] = "other" end
    local function once()
      calls[#calls + 1] = "once"
      assert.is_true(diagnostics.unsubscribe(START, once))
      subscribe(END, other)
    end
    diagnostics.subscribe(START, once)
    cp.spawn("true", {stdio = "ignore"})
    cp.spawn("true", {stdio = "ignore"})
    assert.same({"once", "other", "other"}, calls)
  end)

  it("lets the start go on although a subscriber raises; the error comes out of run", function()
    local calls = 0
    subscribe(CREATED, function() error("of the first", 0) end)
    subscribe(CREATED, function() calls = calls + 1 end)
    subscribe(END, function() error({code = "OF_THE_END"}) end)
    local child = cp.spawn("echo", {"text"}, {stdio = {"ignore", "pipe", "ignore"}})
    assert.is_truthy(child.pid)
    assert.equal(1, calls)
    local output = support.collect(child.stdout)
    local raised = support.runThrough()
    assert.equal("of the first", raised[1])
    assert.equal("OF_THE_END", raised[2].code)
    assert.equal(2, #raised)
    assert.equal("text\n", output())
    assert.equal(0, child.exitCode)
  end)

  it("passes errors of subscribers to listeners of \"uncaughtException\"", function()
    local seen = {}
    local function listener(err) seen[#seen + 1] = err end
    process:on("uncaughtException", listener)
    subscribe(START, function() error("oops", 0) end)
    cp.spawn("true", {stdio = "ignore"})
    support.run()
    process:off("uncaughtException", listener)
    assert.same({"oops"}, seen)
  end)

  it("costs nothing without subscribers: the functions of children are their own", function()
    local child = cp.ChildProcess
    local new, start = child.new, child._start
    local function nothing() end
    diagnostics.subscribe(ERROR, nothing)
    diagnostics.subscribe(START, nothing)
    assert.not_equal(start, child._start)
    diagnostics.unsubscribe(ERROR, nothing)
    assert.not_equal(start, child._start)
    diagnostics.unsubscribe(START, nothing)
    assert.equal(new, child.new)
    assert.equal(start, child._start)
  end)

  it("is not loaded by the module", function()
    assert.equal("nil\n", (support.runScript([[
      cp.spawn("true", {stdio = "ignore"})
      cp.run()
      print(package.loaded["child_process.diagnostics"])
    ]])))
  end)

  it("tells of a hundred children", function()
    local count = 0
    subscribe(END, function() count = count + 1 end)
    for _ = 1, 100 do cp.spawn("true", {stdio = "ignore"}) end
    assert.equal(100, count)
  end)

  it("refuses names that do not exist, with the one that is meant", function()
    for _, name in ipairs({"subscribe", "unsubscribe", "hasSubscribers"}) do
      local err = support.error(diagnostics[name], "tracing:child_process.spawn:strat", print)
      assert.equal("ERR_INVALID_ARG_VALUE", err.code)
      assert.truthy(err.message:find("did you mean '" .. START .. "'", 1, true))
      assert.equal("ERR_INVALID_ARG_TYPE", support.error(diagnostics[name], 5, print).code)
    end
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(diagnostics.subscribe, START).code)
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(diagnostics.subscribe, START, {}).code)
    assert.is_false(diagnostics.unsubscribe(START, print))
  end)
end)
