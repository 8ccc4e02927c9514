-- pool:map: the results of many tasks, of lists and of sources that wait or have no end.

local cp = require("child_process")
local messages = require("spec.support.messages")
local pools = require("spec.support.pools")
local Promise = require("child_process.promise")
local support = require("spec.support")

local SCRIPT = pools.AWAIT .. [[
  process:handle(function(task)
    if type(task) ~= "table" then return task end
    if task.exit then os.exit(task.exit) end
    if task.raise then error(task.raise, 0) end
    if task.wait then await(task.wait) return "waited" end
  end)
]]

local await, gather, touch = pools.await, pools.gather, pools.touch

local function new(options)
  return pools.new(support.script(SCRIPT), options)
end

describe("pool:map(tasks)", function()
  after_each(function()
    pools.terminateAll()
    support.run()
  end)

  it("iterates over the results of a list, with the numbers of the tasks", function()
    local p = new({size = 2})
    local results, numbers = gather(p:map({"a", "b", "c", "d", "e"}))
    local byNumber = {}
    for n, number in ipairs(numbers) do byNumber[number] = results[n] end
    assert.same({"a", "b", "c", "d", "e"}, byNumber)
  end)

  it("has the order of the tasks with options.ordered", function()
    local p = new({size = 2})
    local file = support.tmpdir() .. "/go"
    local step = p:map({{wait = file}, "b", "c", "d"}, {ordered = true})
    messages.await(function() return p.stats.completed >= 2 end)
    touch(file)
    assert.same({"waited", "b", "c", "d"}, (gather(step)))
  end)

  it("gives an empty list no result, and cp.null for nil", function()
    local p = new({size = 1})
    assert.same({}, (gather(p:map({}))))
    assert.same({cp.null, 1}, (gather(p:map({{}, 1}, {ordered = true}))))
  end)

  it("takes no more from a source without end than is being worked on", function()
    local p = new({size = 2})
    local taken, got = 0, 0
    local step, state, control, closing = p:map(function()
      taken = taken + 1
      return taken
    end, {window = 6})
    support.inTime(function()
      for _ in step, state, control, closing do
        got = got + 1
        assert.is_true(taken - got <= 6, taken - got)
        assert.is_true(p.stats.waiting + p.stats.busy <= 2)
        if got == 500 then break end
      end
    end)
    assert.equal(500, got)
    if closing and not support.closesVariables then closing:__close() end
    local before = taken
    assert.equal("other", await(p:run("other")))
    assert.is_true(taken <= before + 1)
  end)

  it("takes no more than options.window beyond what the loop has got", function()
    local p = new({size = 2})
    local file = support.tmpdir() .. "/go"
    local taken = 0
    local step = p:map(function()
      taken = taken + 1
      if taken == 1 then return {wait = file} end
      return taken <= 8 and taken or nil
    end, {ordered = true, window = 3})
    messages.await(function() return p.stats.completed == 2 end)
    assert.equal(3, taken)
    touch(file)
    assert.same({"waited", 2, 3, 4, 5, 6, 7, 8}, (gather(step)))
  end)

  it("takes from a source that waits", function()
    local p = new({size = 2})
    local n = 0
    local results = gather(p:map(function()
      n = n + 1
      if n > 5 then return nil end
      return Promise.resolve(n):andThen(function(value) return value * 10 end):await()
    end, {ordered = true}))
    assert.same({10, 20, 30, 40, 50}, results)
  end)

  it("raises the error of a task, and gives up those that wait", function()
    local p = new({size = 1})
    local step = p:map({"a", {raise = "bad"}, "c"}, {ordered = true})
    assert.equal("a", support.inTime(step))
    local ok, err = pcall(support.inTime, step)
    assert.is_false(ok)
    assert.equal("bad", err.message)
    assert.is_nil(step())
    assert.equal("after", await(p:run("after")))
  end)

  it("gives errors as results where options.reject is false", function()
    local p = new({size = 1, retries = 0})
    local results = gather(p:map({"a", {raise = "bad"}, {exit = 3}, "d"},
      {ordered = true, reject = false}))
    assert.equal("a", results[1])
    assert.equal("bad", results[2].message)
    assert.equal(3, results[3].exitCode)
    assert.equal("d", results[4])
  end)

  it("raises an error of the source after the results of what was taken", function()
    local p = new({size = 1})
    local n = 0
    local step = p:map(function()
      n = n + 1
      if n == 3 then error("the source is dry", 0) end
      return n
    end, {ordered = true})
    assert.equal(1, support.inTime(step))
    assert.equal(2, support.inTime(step))
    local ok, err = pcall(support.inTime, step)
    assert.is_false(ok)
    assert.equal("the source is dry", err)
  end)

  it("shares the children with other calls, in turn", function()
    local p = new({size = 1})
    local log = {}
    local n = 0
    local step, state, control, closing = p:map(function()
      n = n + 1
      return n <= 50 and n or nil
    end)
    support.inTime(function()
      for result in step, state, control, closing do
        log[#log + 1] = result
        if result == 5 then
          p:run("other"):andThen(function(value) log[#log + 1] = value end)
        end
      end
    end)
    for index, entry in ipairs(log) do
      if entry == "other" then
        assert.is_true(index < 15, index)
        return
      end
    end
    error("the other task was not done in between")
  end)

  it("waits in coroutines, beside one another", function()
    support.needYields()
    local p = new({size = 2})
    local function sum(first)
      local total = 0
      for result in p:map({first, first + 1, first + 2}) do total = total + result end
      return total
    end
    assert.same({6, 33}, await(Promise.all({cp.async(sum, 1), cp.async(sum, 10)})))
  end)
end)
