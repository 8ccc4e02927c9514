-- What child_process.events has besides the class: errorMonitor, setMaxListeners, the default
-- limit; and what errors and warnings of emitters carry.

local cp = require("child_process")
local events = require("child_process.events")
local process = require("child_process.process")
local support = require("spec.support")

local EventEmitter = events.EventEmitter

local function ignore() end

describe("events.errorMonitor", function()
  it("is emitted before 'error', with its values, and does not handle it", function()
    local emitter, seen = EventEmitter(), {}
    emitter:on(events.errorMonitor, function(...) seen[#seen + 1] = {"monitor", ...} end)
    assert.equal("x", support.error(emitter.emit, emitter, "error", "x").context)
    emitter:on("error", function(...) seen[#seen + 1] = {"error", ...} end)
    assert.is_true(emitter:emit("error", "y", 2))
    assert.same({{"monitor", "x"}, {"monitor", "y", 2}, {"error", "y", 2}}, seen)
    assert.equal(EventEmitter.errorMonitor, events.errorMonitor)
    assert.same({events.errorMonitor, "error"}, emitter:eventNames())
  end)

  it("works with once, off and prependListener, and for classes of ours", function()
    local child, seen = cp.spawn("/nonexistent/command"), {}
    child:prependListener(events.errorMonitor, function(err) seen[#seen + 1] = err.code end)
    child:once(events.errorMonitor, function(err) seen[#seen + 1] = err.code end)
    child:on("error", ignore)
    support.run()
    assert.same({"ENOENT", "ENOENT"}, seen)
    child:emit("error", {code = "again"})
    assert.same({"ENOENT", "ENOENT", "again"}, seen)
    child:removeAllListeners(events.errorMonitor)
    child:emit("error", {code = "unseen"})
    assert.equal(3, #seen)
  end)

  it("leaves emitters without such listeners as they are", function()
    local emitter = EventEmitter():on("error", ignore)
    assert.is_nil(rawget(emitter, "emit"))
  end)
end)

describe("ERR_UNHANDLED_ERROR", function()
  it("shows what was emitted, and has it as context", function()
    local long = {}
    for index = 1, 100 do long[index] = index end
    for text, value in pairs({
      ["nil"] = nil, ["'text'"] = "text", ["5"] = 5, ["{}"] = {},
      ["{1, 'x', [true] = 3, name = {deep = {2}}}"] = {1, "x", name = {deep = {2}}, [true] = 3},
      ["{{{a table}}}"] = {{{{}}}},
    }) do
      local err = support.error(EventEmitter().emit, EventEmitter(), "error", value)
      assert.equal(("Unhandled error. (%s)"):format(text), err.message)
      assert.equal(value, err.context)
    end
    local err = support.error(EventEmitter().emit, EventEmitter(), "error", long)
    assert.matches(", 19, 20, 80 more}", err.message, 1, true)
  end)
end)

describe("events.setMaxListeners", function()
  after_each(function() EventEmitter.defaultMaxListeners = 10 end)

  it("sets the limit of some emitters, or of all without their own", function()
    local one, two = EventEmitter(), EventEmitter()
    events.setMaxListeners(1, one, two)
    assert.same({1, 1, 10},
      {one:getMaxListeners(), two:getMaxListeners(), EventEmitter():getMaxListeners()})
    events.setMaxListeners(2)
    assert.same({1, 2}, {one:getMaxListeners(), EventEmitter():getMaxListeners()})
    assert.same({2, 2}, {EventEmitter.defaultMaxListeners, events.defaultMaxListeners})
    events.defaultMaxListeners = 3
    assert.equal(3, EventEmitter():getMaxListeners())
  end)

  it("is checked, as is the default limit", function()
    assert.equal("ERR_OUT_OF_RANGE", support.error(events.setMaxListeners, -1).code)
    assert.matches('^The "eventTargets" argument must be an instance of EventEmitter',
      support.error(events.setMaxListeners, 1, EventEmitter(), {}).message)
    for _, class in ipairs({events, EventEmitter}) do
      local err = support.error(function() class.defaultMaxListeners = -1 end)
      assert.equal('The value of "defaultMaxListeners" is out of range. It must be >= 0. '
        .. "Received -1", err.message)
      err = support.error(function() class.defaultMaxListeners = "5" end)
      assert.equal("ERR_INVALID_ARG_TYPE", err.code)
    end
    assert.equal(10, EventEmitter():getMaxListeners())
  end)
end)

describe("The warning of many listeners", function()
  it("has the emitter, the event and the count as fields", function()
    local stdout = support.runScript([[
      local events = require("child_process.events")
      local emitter = events.EventEmitter()
      require("child_process.process"):on("warning", function(warning)
        print(warning.name, warning.type, warning.count, warning.emitter == emitter)
      end)
      for _ = 1, 11 do emitter:on("data", function() end) end
      cp.run()
    ]])
    assert.equal("MaxListenersExceededWarning\tdata\t11\ttrue\n", stdout)
    assert.equal(0, process:listenerCount("warning"))
  end)
end)

describe("A wrapper of once", function()
  it("has the listener as a field, and can be called", function()
    local emitter, called = EventEmitter(), 0
    local function listener() called = called + 1 end
    emitter:once("x", listener)
    local wrapper = emitter:rawListeners("x")[1]
    assert.equal(listener, wrapper.listener)
    wrapper()
    assert.equal(1, called)
    assert.is_false(emitter:emit("x"))
  end)
end)
