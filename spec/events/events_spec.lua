-- EventEmitter, sentence by sentence of Node's events documentation.

local compat = require("child_process.base.compat")
local errors = require("child_process.errors")
local events = require("child_process.events")
local steps = require("spec.support.steps")
local support = require("spec.support")

local EventEmitter = events.EventEmitter

local function ignore() end

local function raised(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok, "an error was expected")
  return err
end

-- An emitter, a log, and a maker of listeners that write their name and values into the log.
local function setUp()
  local log = {}
  local function logger(name)
    return function(...)
      log[#log + 1] = table.concat({name, ...}, " ")
    end
  end
  return EventEmitter(), log, logger
end

local callable = setmetatable({}, {
  __metatable = "hidden",
  __call = function(self, value)
    self.value = value
  end,
})

describe("EventEmitter", function()
  it("is made by EventEmitter() and by EventEmitter.new()", function()
    for _, emitter in ipairs({EventEmitter(), EventEmitter.new()}) do
      assert.equal(emitter, emitter:on("x", ignore))
      assert.is_true(emitter:emit("x"))
    end
  end)

  it("has no table of its own until somebody listens", function()
    local emitter = EventEmitter()
    emitter:emit("x")
    emitter:off("x", ignore)
    emitter:removeAllListeners()
    assert.same({}, emitter:listeners("x"))
    assert.is_nil(next(emitter))
  end)

  it("says so when a method is called with a dot", function()
    local emitter = EventEmitter()
    for _, name in ipairs({
      "on", "addListener", "once", "prependListener", "prependOnceListener", "off",
      "removeListener", "removeAllListeners", "emit", "listeners", "rawListeners",
      "listenerCount", "eventNames", "setMaxListeners", "getMaxListeners",
    }) do
      local err = raised(emitter[name], "exit", ignore)
      assert.equal("ERR_INVALID_THIS", err.code)
      assert.matches("must be called with a colon", err.message, 1, true)
    end
  end)
end)

describe("emitter:emit", function()
  it("calls each listener in the order of registration", function()
    local emitter, log, logger = setUp()
    emitter:on("x", logger("a"))
    emitter:on("x", logger("b"))
    emitter:on("x", logger("c"))
    emitter:emit("x")
    assert.same({"a", "b", "c"}, log)
  end)

  it("passes the arguments to each, nil among them", function()
    local emitter, seen = EventEmitter(), {}
    local function listener(...)
      seen[#seen + 1] = compat.pack(...)
    end
    emitter:on("one", listener)
    emitter:on("two", listener)
    emitter:on("two", listener)
    emitter:emit("one", 1, nil, 3, nil)
    emitter:emit("two", nil)
    assert.same({{1, nil, 3, nil, n = 4}, {nil, n = 1}, {nil, n = 1}}, seen)
  end)

  it("returns true if the event had listeners, false otherwise", function()
    local emitter = EventEmitter()
    assert.is_false(emitter:emit("x"))
    emitter:on("x", ignore)
    assert.is_true(emitter:emit("x"))
    assert.is_false(emitter:emit("y"))
    emitter:off("x", ignore)
    assert.is_false(emitter:emit("x"))
  end)

  it("ignores what listeners return", function()
    local emitter, log, logger = setUp()
    emitter:on("x", function() return false end)
    emitter:on("x", logger("a"))
    assert.is_true(emitter:emit("x"))
    assert.same({"a"}, log)
  end)

  it("does not call listeners that are added by a listener", function()
    local emitter, log, logger = setUp()
    emitter:on("x", function()
      log[#log + 1] = "adding"
      emitter:on("x", logger("appended"))
      emitter:prependListener("x", logger("prepended"))
    end)
    emitter:emit("x")
    assert.same({"adding"}, log)
    emitter:removeAllListeners("x")
    emitter:on("x", logger("a"))
    emitter:on("x", function() emitter:on("x", logger("late")) end)
    emitter:emit("x")
    assert.same({"adding", "a"}, log)
    emitter:emit("x")
    assert.same({"adding", "a", "a", "late"}, log)
  end)

  it("calls nobody twice when a listener puts another one first", function()
    local emitter, log, logger = setUp()
    emitter:on("x", function() emitter:prependListener("x", logger("new")) end)
    emitter:on("x", logger("b"))
    emitter:on("x", logger("c"))
    emitter:emit("x")
    assert.same({"b", "c"}, log)
    emitter:emit("x")
    assert.same({"b", "c", "new", "b", "c"}, log)
  end)

  it("still calls listeners that are removed by an earlier listener", function()
    local emitter, log, logger = setUp()
    local b, c = logger("b"), logger("c")
    emitter:on("x", function() emitter:off("x", b):off("x", c) end)
    emitter:on("x", b)
    emitter:on("x", c)
    emitter:emit("x")
    assert.same({"b", "c"}, log)
    emitter:emit("x")
    assert.same({"b", "c"}, log)
  end)

  it("still calls all when a listener removes all", function()
    local emitter, log, logger = setUp()
    emitter:on("x", function() emitter:removeAllListeners() end)
    emitter:on("x", logger("b"))
    emitter:emit("x")
    assert.same({"b"}, log)
    assert.is_false(emitter:emit("x"))
  end)

  it("skips nobody when a listener removes itself", function()
    local emitter, log, logger = setUp()
    local function once()
      emitter:off("x", once)
      log[#log + 1] = "once"
    end
    emitter:on("x", once)
    emitter:on("x", logger("b"))
    emitter:on("x", logger("c"))
    emitter:emit("x")
    emitter:emit("x")
    assert.same({"once", "b", "c", "b", "c"}, log)
  end)

  it("hands on what a listener raises, calls none after it, and works afterwards", function()
    local emitter, log, logger = setUp()
    local failing = true
    emitter:on("x", logger("a"))
    emitter:on("x", function()
      if failing then
        error("broken", 0)
      end
    end)
    emitter:on("x", logger("c"))
    assert.equal("broken", raised(emitter.emit, emitter, "x"))
    assert.same({"a"}, log)
    failing = false
    emitter:on("x", logger("d"))
    emitter:emit("x")
    assert.same({"a", "a", "c", "d"}, log)
  end)

  it("lets a listener yield", function()
    local emitter, log, logger = setUp()
    emitter:on("x", function() log[#log + 1] = coroutine.yield("waiting") end)
    emitter:on("x", logger("b"))
    local co = coroutine.create(function() return emitter:emit("x") end)
    assert.same({true, "waiting"}, {coroutine.resume(co)})
    assert.same({true, true}, {coroutine.resume(co, "resumed")})
    assert.same({"resumed", "b"}, log)
  end)

  it("makes no garbage", function()
    local emitter = EventEmitter()
    emitter:on("one", ignore)
    emitter:on("two", ignore):on("two", ignore)
    collectgarbage()
    collectgarbage("stop")
    local before = collectgarbage("count")
    for i = 1, 1000 do
      emitter:emit("one", i)
      emitter:emit("two", i, i)
      emitter:emit("none", i)
    end
    local growth = collectgarbage("count") - before
    collectgarbage("restart")
    -- LuaJIT keeps the machine code of the loop
    assert.is_true(growth < (support.isLuaJIT and 16 or 0.001), growth)
  end)
end)

describe("the 'error' event", function()
  it("is raised as it is when it has no listener and carries an Error", function()
    local err = errors.Error("boo")
    assert.equal(err, raised(EventEmitter().emit, EventEmitter(), "error", err))
    local emitter = EventEmitter():on("x", ignore)
    assert.equal(err, raised(emitter.emit, emitter, "error", err))
  end)

  it("is wrapped in an ERR_UNHANDLED_ERROR when it carries anything else", function()
    local emitter = EventEmitter()
    local err = raised(emitter.emit, emitter, "error", "text")
    assert.equal("Error [ERR_UNHANDLED_ERROR]: Unhandled error. ('text')", tostring(err))
    assert.equal("text", err.context)
    err = raised(emitter.emit, emitter, "error")
    assert.equal("Unhandled error. (nil)", err.message)
  end)

  it("is an event like others when somebody listens", function()
    local emitter, log, logger = setUp()
    emitter:on("error", logger("seen"))
    assert.is_true(emitter:emit("error", "text"))
    assert.same({"seen text"}, log)
  end)
end)

describe("emitter:on", function()
  it("returns the emitter, so that calls can be chained", function()
    local emitter = EventEmitter()
    for _, name in ipairs({
      "on", "addListener", "once", "prependListener", "prependOnceListener", "off",
      "removeListener",
    }) do
      assert.equal(emitter, emitter[name](emitter, "x", ignore))
    end
    assert.equal(emitter, emitter:removeAllListeners("x"))
    assert.equal(emitter, emitter:removeAllListeners())
    assert.equal(emitter, emitter:setMaxListeners(1))
  end)

  it("does not check whether the listener is there: added twice, it is called twice", function()
    local emitter, log, logger = setUp()
    local listener = logger("a")
    emitter:on("x", listener):on("x", listener)
    emitter:emit("x")
    assert.same({"a", "a"}, log)
  end)

  it("has the alias addListener", function()
    assert.equal(EventEmitter.on, EventEmitter.addListener)
  end)

  it("takes any value but nil and nan as the event", function()
    local emitter, log, logger = setUp()
    local key = setmetatable({}, {__eq = function() return true end})
    local other = setmetatable({}, getmetatable(key))
    emitter:on(1, logger("number")):on(key, logger("table")):on(true, logger("true"))
    assert.is_true(emitter:emit(1))
    assert.is_true(emitter:emit(key))
    assert.is_true(emitter:emit(true))
    assert.is_false(emitter:emit("1"))
    assert.is_false(emitter:emit(other))
    assert.same({"number", "table", "true"}, log)
    emitter:removeAllListeners(other):removeAllListeners(1)
    assert.equal(2, #emitter:eventNames())
    emitter:on(other, ignore):off(other, ignore)
    assert.is_true(rawequal(key, emitter:eventNames()[1]))
    assert.equal("ERR_INVALID_ARG_VALUE", raised(emitter.on, emitter, nil, ignore).code)
    assert.equal("ERR_INVALID_ARG_VALUE", raised(emitter.once, emitter, 0 / 0, ignore).code)
    assert.equal(2, #emitter:eventNames())
  end)

  it("raises a TypeError for a listener that cannot be called", function()
    local emitter = EventEmitter()
    for _, name in ipairs({
      "on", "once", "prependListener", "prependOnceListener", "off",
    }) do
      local err = raised(emitter[name], emitter, "x", 1)
      assert.equal("TypeError", err.name)
      assert.equal('The "listener" argument must be of type function. Received type number (1)',
        err.message)
      assert.equal("ERR_INVALID_ARG_TYPE", raised(emitter[name], emitter, "x", {}).code)
      assert.equal("ERR_INVALID_ARG_TYPE", raised(emitter[name], emitter, "x", io.stdout).code)
      assert.equal("ERR_INVALID_ARG_TYPE", raised(emitter[name], emitter, "x", nil).code)
    end
    assert.is_nil(next(emitter))
  end)

  it("takes tables and userdata that can be called", function()
    local emitter = EventEmitter()
    emitter:on("x", callable)
    emitter:emit("x", 1)
    assert.equal(1, callable.value)
    emitter:prependListener("x", ignore)
    emitter:emit("x", 2)
    assert.equal(2, callable.value)
    assert.same({ignore, callable}, emitter:listeners("x"))
    emitter:off("x", callable):off("x", ignore)
    assert.is_false(emitter:emit("x"))
  end)
end)

describe("emitter:prependListener", function()
  it("adds the listener to the beginning of the list", function()
    local emitter, log, logger = setUp()
    emitter:on("x", logger("a"))
    emitter:prependListener("x", logger("b"))
    emitter:prependListener("x", logger("c"))
    emitter:on("x", logger("d"))
    emitter:emit("x")
    assert.same({"c", "b", "a", "d"}, log)
  end)
end)

describe("emitter:once", function()
  it("calls the listener at most once", function()
    local emitter, log, logger = setUp()
    emitter:once("x", logger("a"))
    assert.is_true(emitter:emit("x", 1))
    assert.is_false(emitter:emit("x", 2))
    assert.same({"a 1"}, log)
  end)

  it("removes the listener, then calls it", function()
    local emitter = EventEmitter()
    local count
    emitter:once("x", function() count = emitter:listenerCount("x") end)
    emitter:emit("x")
    assert.equal(0, count)
  end)

  it("calls the listener once though the event is emitted again by itself", function()
    local emitter, log, logger = setUp()
    emitter:once("x", function()
      log[#log + 1] = "again"
      emitter:emit("x")
    end)
    emitter:emit("x")
    assert.same({"again"}, log)
    local outer = true
    emitter:on("x", function()
      if outer then
        outer = false
        emitter:emit("x")
      end
    end)
    emitter:once("x", logger("once"))
    emitter:emit("x")
    assert.same({"again", "once"}, log)
  end)

  it("has removed a listener that raises", function()
    local emitter = EventEmitter()
    emitter:once("x", function() error("broken", 0) end)
    assert.equal("broken", raised(emitter.emit, emitter, "x"))
    assert.equal(0, emitter:listenerCount("x"))
  end)

  it("is one listener among others", function()
    local emitter, log, logger = setUp()
    emitter:on("x", logger("a"))
    emitter:once("x", logger("b"))
    emitter:on("x", logger("c"))
    emitter:emit("x")
    emitter:emit("x")
    assert.same({"a", "b", "c", "a", "c"}, log)
  end)

  it("has prependOnceListener to put it at the beginning", function()
    local emitter, log, logger = setUp()
    emitter:on("x", logger("a"))
    emitter:prependOnceListener("x", logger("b"))
    emitter:emit("x")
    emitter:emit("x")
    assert.same({"b", "a", "a"}, log)
  end)
end)

describe("emitter:off", function()
  it("removes the listener", function()
    local emitter, log, logger = setUp()
    local listener = logger("a")
    emitter:on("x", listener)
    emitter:off("x", listener)
    emitter:emit("x")
    assert.same({}, log)
  end)

  it("is removeListener", function()
    assert.equal(EventEmitter.off, EventEmitter.removeListener)
  end)

  it("removes at most one instance, the one added last", function()
    local emitter = EventEmitter()
    local function a() end
    local function b() end
    emitter:on("x", a):on("x", b):on("x", a)
    emitter:off("x", a)
    assert.same({a, b}, emitter:listeners("x"))
    emitter:off("x", a)
    assert.same({b}, emitter:listeners("x"))
  end)

  it("changes nothing when the listener was not added", function()
    local emitter = EventEmitter():on("one", print):on("two", print):on("two", print)
    emitter:off("one", ignore):off("two", ignore):off("none", ignore)
    assert.same({print}, emitter:listeners("one"))
    assert.same({print, print}, emitter:listeners("two"))
  end)

  it("removes what once added, by the listener or by its wrapper", function()
    local emitter = EventEmitter()
    emitter:once("x", ignore):off("x", ignore)
    assert.equal(0, emitter:listenerCount("x"))
    emitter:once("x", ignore):off("x", emitter:rawListeners("x")[1])
    assert.equal(0, emitter:listenerCount("x"))
    emitter:on("x", print):once("x", ignore):off("x", ignore)
    assert.same({print}, emitter:listeners("x"))
  end)
end)

describe("Thousands of listeners of one event", function()
  local function emitterWith(method, amount)
    local emitter, listeners = EventEmitter():setMaxListeners(0), {}
    for number = 1, amount do
      listeners[number] = function() return number end -- otherwise Lua 5.3 has one for all
      emitter[method](emitter, "x", listeners[number])
    end
    return emitter, listeners
  end

  it("leave one by one, each for the same work", function()
    for _, method in ipairs({"on", "once"}) do
      steps.assertProportional(function(amount)
        local emitter, listeners = emitterWith(method, amount)
        return function()
          for number = 1, amount do emitter:off("x", listeners[number]) end
          assert.same({}, emitter:eventNames())
        end
      end)
      steps.assertProportional(function(amount)
        local emitter, listeners = emitterWith(method, amount)
        return function()
          for number = amount, 1, -1 do emitter:off("x", listeners[number]) end
          assert.same({}, emitter:eventNames())
        end
      end)
    end
  end)

  it("leave while they are called, each for the same work", function()
    steps.assertProportional(function(amount)
      local emitter = emitterWith("once", amount)
      return function()
        emitter:emit("x")
        assert.same({}, emitter:eventNames())
      end
    end)
    steps.assertProportional(function(amount)
      local emitter, listeners = emitterWith("on", amount)
      emitter:prependListener("x", function()
        for number = 1, amount do emitter:off("x", listeners[number]) end
      end)
      return function() emitter:emit("x") end
    end)
  end)

  it("are called in order, those that are there, after any number has left and come", function()
    local random = math.random
    math.randomseed(71)
    local emitter, model, called = EventEmitter():setMaxListeners(0), {}, {}
    local all = {}
    for number = 1, 60 do
      all[number] = function() called[#called + 1] = number end
    end
    -- a listener twice and more among them; `once` listeners have left when they were called
    local function emit()
      local expected, stay = {}, {}
      for _, entry in ipairs(model) do
        expected[#expected + 1] = entry.number
        if not entry.once then stay[#stay + 1] = entry end
      end
      called = {}
      emitter:emit("x")
      assert.same(expected, called)
      model = stay
    end
    for _ = 1, 5000 do
      local number, kind = random(#all), random(100)
      if kind <= 35 then
        emitter:on("x", all[number])
        model[#model + 1] = {number = number}
      elseif kind <= 45 then
        emitter:once("x", all[number])
        model[#model + 1] = {number = number, once = true}
      elseif kind <= 48 then
        emitter:prependListener("x", all[number])
        table.insert(model, 1, {number = number})
      elseif kind <= 98 then
        emitter:off("x", all[number])
        for place = #model, 1, -1 do
          if model[place].number == number then
            table.remove(model, place)
            break
          end
        end
      else
        emit()
      end
      assert.equal(#model, emitter:listenerCount("x"))
    end
    emit()
  end)
end)

describe("emitter:removeAllListeners", function()
  it("removes those of the event", function()
    local emitter = EventEmitter():on("x", ignore):on("x", ignore):on("y", ignore)
    emitter:removeAllListeners("x"):removeAllListeners("z")
    assert.same({"y"}, emitter:eventNames())
    assert.is_false(emitter:emit("x"))
  end)

  it("removes all without an event", function()
    local emitter = EventEmitter():on("x", ignore):on("x", ignore):on("y", ignore)
    emitter:removeAllListeners()
    assert.same({}, emitter:eventNames())
    emitter:on("z", ignore)
    assert.same({"z"}, emitter:eventNames())
  end)

  it("emits 'removeListener' for each, the last one first", function()
    local emitter, seen = EventEmitter(), {}
    local function a() end
    local function b() end
    local function c() end
    emitter:on("removeListener", function(event, listener)
      seen[#seen + 1] = {event, listener}
    end)
    emitter:on("x", a):on("x", b):once("x", c):on("y", a)
    emitter:removeAllListeners("x")
    assert.same({{"x", c}, {"x", b}, {"x", a}}, seen)
    seen = {}
    emitter:on("x", a):on("x", b)
    emitter:removeAllListeners()
    assert.same({{"y", a}, {"x", b}, {"x", a}}, seen)
    assert.same({}, emitter:eventNames())
  end)
end)

describe("the 'newListener' event", function()
  it("is emitted before a listener is added, with the event and the listener", function()
    local emitter, seen = EventEmitter(), {}
    emitter:on("newListener", function(event, listener)
      seen[#seen + 1] = {event, listener, emitter:listenerCount(event)}
    end)
    emitter:on("x", ignore):prependListener("x", print)
    assert.same({{"x", ignore, 0}, {"x", print, 1}}, seen)
  end)

  it("is not emitted to the listener that is being added for it", function()
    local emitter, log, logger = setUp()
    emitter:on("newListener", logger("first"))
    assert.same({}, log)
  end)

  it("carries the listener itself, not its wrapper, for once", function()
    local emitter, seen = EventEmitter(), {}
    emitter:on("newListener", function(_, listener) seen[#seen + 1] = listener end)
    emitter:once("x", ignore):prependOnceListener("x", print)
    assert.same({ignore, print}, seen)
  end)

  it("lets a listener put another one before the one that is being added", function()
    local emitter, log, logger = setUp()
    emitter:once("newListener", function(event) emitter:on(event, logger("b")) end)
    emitter:on("x", logger("a"))
    emitter:emit("x")
    assert.same({"b", "a"}, log)
  end)

  it("lets a listener remove all", function()
    local emitter = EventEmitter()
    emitter:on("newListener", function() emitter:removeAllListeners() end)
    emitter:on("x", ignore)
    assert.same({"x"}, emitter:eventNames())
  end)
end)

describe("the 'removeListener' event", function()
  it("is emitted after a listener is removed, with the event and the listener", function()
    local emitter, seen = EventEmitter(), {}
    emitter:on("removeListener", function(event, listener)
      seen[#seen + 1] = {event, listener, emitter:listenerCount(event)}
    end)
    emitter:on("x", ignore):on("x", print):on("x", error)
    emitter:off("x", ignore):off("x", print):off("x", error):off("x", error)
    assert.same({{"x", ignore, 2}, {"x", print, 1}, {"x", error, 0}}, seen)
  end)

  it("carries the listener itself, not its wrapper, for once", function()
    local emitter, seen = EventEmitter(), {}
    emitter:on("removeListener", function(_, listener) seen[#seen + 1] = listener end)
    emitter:once("x", ignore)
    emitter:emit("x")
    emitter:once("x", print)
    emitter:off("x", emitter:rawListeners("x")[1])
    assert.same({ignore, print}, seen)
  end)

  it("is not emitted to a listener that was just removed from it", function()
    local emitter, log, logger = setUp()
    local listener = logger("first")
    emitter:on("removeListener", listener)
    emitter:on("removeListener", function() log[#log + 1] = "second" end)
    emitter:off("removeListener", listener)
    assert.same({"second"}, log)
  end)
end)

describe("emitter:listeners", function()
  it("returns a copy of the listeners, without the wrappers of once", function()
    local emitter = EventEmitter():on("x", ignore):once("x", print):once("y", error)
    local list = emitter:listeners("x")
    assert.same({ignore, print}, list)
    list[1] = nil
    assert.same({ignore, print}, emitter:listeners("x"))
    assert.same({error}, emitter:listeners("y"))
    assert.same({}, emitter:listeners("none"))
  end)
end)

describe("emitter:rawListeners", function()
  it("returns a copy of the listeners, with the wrappers of once", function()
    local emitter = EventEmitter():on("x", ignore):once("x", print)
    local list = emitter:rawListeners("x")
    assert.equal(ignore, list[1])
    assert.not_equal(print, list[2])
    assert.equal(print, list[2].listener)
    list[1] = nil
    assert.equal(2, #emitter:rawListeners("x"))
    assert.same({}, emitter:rawListeners("none"))
  end)

  it("gives wrappers whose field listener is called without removing it", function()
    local emitter, log, logger = setUp()
    emitter:once("x", logger("a"))
    emitter:rawListeners("x")[1].listener(1)
    assert.same({"a 1"}, log)
    assert.equal(1, emitter:listenerCount("x"))
  end)

  it("gives wrappers that, called, remove the listener and call it", function()
    local emitter, log, logger = setUp()
    emitter:once("x", logger("a"))
    local wrapper = emitter:rawListeners("x")[1]
    wrapper(1)
    assert.equal(0, emitter:listenerCount("x"))
    wrapper(2)
    assert.same({"a 1"}, log)
  end)
end)

describe("emitter:listenerCount", function()
  it("returns how many listeners listen to the event", function()
    local emitter = EventEmitter():on("x", ignore):on("x", ignore):once("y", ignore)
    assert.equal(2, emitter:listenerCount("x"))
    assert.equal(1, emitter:listenerCount("y"))
    assert.equal(0, emitter:listenerCount("z"))
  end)

  it("returns how many times the listener is there when one is given", function()
    local emitter = EventEmitter():on("x", ignore):once("x", ignore):on("x", print)
    assert.equal(2, emitter:listenerCount("x", ignore))
    assert.equal(1, emitter:listenerCount("x", emitter:rawListeners("x")[2]))
    assert.equal(0, emitter:listenerCount("x", error))
  end)
end)

describe("emitter:eventNames", function()
  it("returns the events that have listeners, in the order they got them", function()
    local emitter, key = EventEmitter(), {}
    assert.same({}, emitter:eventNames())
    emitter:on("foo", ignore)
    assert.same({"foo"}, emitter:eventNames())
    emitter:on("bar", ignore):on(key, ignore):on("foo", ignore)
    assert.same({"foo", "bar", key}, emitter:eventNames())
    emitter:off("foo", ignore)
    assert.same({"foo", "bar", key}, emitter:eventNames())
    emitter:off("foo", ignore):on("foo", ignore)
    assert.same({"bar", key, "foo"}, emitter:eventNames())
    emitter:off("bar", ignore):off(key, ignore):off("foo", ignore)
    assert.same({}, emitter:eventNames())
    emitter:on("a", ignore):on("b", ignore)
    assert.same({"a", "b"}, emitter:eventNames())
  end)

  it("returns a copy", function()
    local emitter = EventEmitter():on("a", ignore):on("b", ignore)
    table.remove(emitter:eventNames())
    assert.same({"a", "b"}, emitter:eventNames())
  end)
end)

describe("the limit of listeners", function()
  local warnings
  local warn = events.warn

  before_each(function()
    warnings = {}
    events.warn = function(message, name)
      warnings[#warnings + 1] = name .. ": " .. message
    end
  end)

  after_each(function()
    events.warn = warn
    EventEmitter.defaultMaxListeners = 10
  end)

  local function add(emitter, count, event)
    for _ = 1, count do
      emitter:on(event or "data", ignore)
    end
  end

  it("is 10 for one event by default; past it a warning is given", function()
    local emitter = EventEmitter()
    assert.equal(10, emitter:getMaxListeners())
    add(emitter, 10)
    assert.same({}, warnings)
    add(emitter, 1)
    assert.same({
      "MaxListenersExceededWarning: Possible EventEmitter memory leak detected. "
        .. "11 data listeners added to [EventEmitter]. "
        .. "Use emitter:setMaxListeners() to increase limit",
    }, warnings)
  end)

  it("does not keep further listeners from being added", function()
    local emitter = EventEmitter()
    add(emitter, 13)
    assert.equal(13, emitter:listenerCount("data"))
  end)

  it("is warned of once per event of an emitter", function()
    local emitter = EventEmitter()
    add(emitter, 13)
    emitter:off("data", ignore):off("data", ignore):off("data", ignore)
    add(emitter, 3)
    emitter:prependListener("data", ignore)
    assert.equal(1, #warnings)
    add(emitter, 11, "end")
    assert.equal(2, #warnings)
    for _ = 1, 12 do
      emitter:prependOnceListener("close", ignore)
    end
    assert.equal(3, #warnings)
    assert.matches("11 close listeners", warnings[3])
  end)

  it("is set for one emitter by setMaxListeners", function()
    local emitter = EventEmitter():setMaxListeners(1)
    assert.equal(1, emitter:getMaxListeners())
    assert.equal(10, EventEmitter():getMaxListeners())
    add(emitter, 1)
    assert.equal(0, #warnings)
    add(emitter, 1)
    assert.equal(1, #warnings)
  end)

  it("is off with 0 or infinity", function()
    add(EventEmitter():setMaxListeners(0), 20)
    add(EventEmitter():setMaxListeners(math.huge), 20)
    assert.same({}, warnings)
  end)

  it("cannot be negative or anything but a number", function()
    local emitter = EventEmitter()
    local err = raised(emitter.setMaxListeners, emitter, -1)
    assert.equal("RangeError [ERR_OUT_OF_RANGE]: The value of \"setMaxListeners\" is out of "
      .. "range. It must be >= 0. Received -1", tostring(err))
    assert.equal("ERR_OUT_OF_RANGE", raised(emitter.setMaxListeners, emitter, 0 / 0).code)
    assert.equal("ERR_INVALID_ARG_TYPE", raised(emitter.setMaxListeners, emitter, "1").code)
    assert.equal(10, emitter:getMaxListeners())
  end)

  it("is set for all emitters by defaultMaxListeners, those made before included", function()
    local emitter, other = EventEmitter(), EventEmitter():setMaxListeners(5)
    EventEmitter.defaultMaxListeners = 2
    assert.equal(2, emitter:getMaxListeners())
    assert.equal(2, events.inherit("Other")():getMaxListeners())
    assert.equal(5, other:getMaxListeners())
    add(emitter, 3)
    add(other, 5)
    assert.equal(1, #warnings)
  end)

  it("is warned of on stderr unless the program sets its own events.warn", function()
    local code = 'local events = require("child_process.events") '
      .. 'local e = events.EventEmitter() for _ = 1, 11 do e:on("x", print) end'
    local interpreter = os.getenv("CHILD_PROCESS_LUA") or "lua5.4"
    local pipe = assert(io.popen(
      ("LUA_PATH='%s' '%s' -e '%s' 2>&1"):format(package.path, interpreter, code)))
    local text = pipe:read("*a")
    pipe:close()
    assert.matches("^%(lua%) MaxListenersExceededWarning: Possible EventEmitter memory leak", text)
  end)
end)

describe("events.inherit", function()
  it("makes a class whose methods hold those of EventEmitter", function()
    local Class = events.inherit("Class")
    for name, method in pairs(EventEmitter) do
      if name ~= "new" and type(method) == "function" then
        assert.equal(method, rawget(Class, name))
      end
    end
    function Class:shout(text)
      self:emit("shout", text:upper())
    end
    local object = Class()
    local _, log, logger = setUp()
    object:on("shout", logger("heard"))
    object:shout("hey")
    assert.same({"heard HEY"}, log)
    assert.is_nil(EventEmitter.shout)
  end)

  it("gives the class a constructor that it may replace", function()
    local Class, metatable = events.inherit("Class")
    function Class.new(value)
      return setmetatable({value = value}, metatable)
    end
    assert.equal(1, Class(1).value)
    assert.equal(2, Class.new(2):on("x", ignore).value)
  end)

  it("calls the object by the class's name in warnings", function()
    local warn = events.warn
    local text
    events.warn = function(message) text = message end
    events.inherit("Parrot")():setMaxListeners(1):on("x", ignore):on("x", ignore)
    events.warn = warn
    assert.matches("2 x listeners added to [Parrot]", text, 1, true)
  end)

  it("works on any object whose fields can be read and set", function()
    local Class = events.inherit("Class")
    local fields = {}
    local object = setmetatable({}, { -- as userdata are: nothing is ever stored in the object
      __index = function(_, key)
        local value = fields[key]
        if value == nil then
          value = Class[key]
        end
        return value
      end,
      __newindex = function(_, key, value) fields[key] = value end,
    })
    local count = 0
    object:on("x", function() count = count + 1 end):once("x", ignore)
    object:once("y", ignore):setMaxListeners(3)
    object:emit("x")
    assert.equal(1, count)
    assert.same({"x", "y"}, object:eventNames())
    object:removeAllListeners()
    assert.same({_maxListeners = 3}, fields)
    assert.is_nil(next(object))
  end)

  it("goes through a class's own on and removeListener for once", function()
    local Class = events.inherit("Class")
    local log = {}
    function Class:on(event, listener)
      log[#log + 1] = "on " .. event
      return EventEmitter.on(self, event, listener)
    end
    function Class:removeListener(event, listener)
      log[#log + 1] = "removeListener " .. event
      return EventEmitter.removeListener(self, event, listener)
    end
    Class():once("x", ignore):emit("x")
    assert.same({"on x", "removeListener x"}, log)
  end)
end)
