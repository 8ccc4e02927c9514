-- command.all: many commands, a few at a time.

local abort = require("child_process.abort")
local command = require("child_process.command")
local cp = require("child_process")
local Promise = require("child_process.promise")
local support = require("spec.support")

local all = command.all

local function outputs(results)
  local list = {}
  for index, result in ipairs(results) do list[index] = result.stdout end
  return list
end

describe("command.all", function()
  it("returns the results in the order of the commands", function()
    local commands = {}
    for index, delay in ipairs({"0.3", "0", "0.1", "0", "0"}) do
      commands[index] = {"sh", {"-c", ("sleep %s; echo %d"):format(delay, index)}}
    end
    assert.same({"1", "2", "3", "4", "5"}, outputs(all(commands)))
    assert.same({}, all({}))
  end)

  it("runs four at a time, or as many as concurrency says", function()
    local commands = {}
    for index = 1, 6 do commands[index] = {"echo", {index}} end
    local ways = {[4] = {}, [2] = {concurrency = 2}, [1] = {concurrency = 1},
      [6] = {concurrency = math.huge}}
    for concurrency, options in pairs(ways) do
      local count, most = 0, 0
      function options.verbose(event)
        count = count + (event.type == "start" and 1 or event.type == "end" and -1 or 0)
        most = math.max(most, count)
      end
      assert.same({"1", "2", "3", "4", "5", "6"}, outputs(all(commands, options)))
      assert.equal(concurrency, most)
    end
  end)

  it("starts no more after the first failure, and raises it when the others have ended", function()
    local folder = support.tmpdir()
    local hasFailed, resolve = Promise.withResolvers()
    local err = support.error(all, {
      {"sh", {"-c", "cat; touch slow"}, {input = function() hasFailed:await() end}},
      {"sh", {"-c", "echo bad >&2; exit 3"}, {verbose = function(event)
        if event.type == "end" then resolve() end
      end}},
      {"touch", {"never"}},
    }, {concurrency = 2, cwd = folder})
    assert.equal("CommandError", err.name)
    assert.equal(3, err.exitCode)
    assert.matches("\nbad$", err.message)
    assert.equal(0, err.results[1].exitCode)
    assert.equal(err, err.results[2])
    assert.is_nil(err.results[3])
    assert.equal("slow", cp.execFileSync("ls", {folder}):gsub("\n", ""))
  end)

  it("with reject = false runs all of them", function()
    local results = all({{"false"}, {"no-such-program"}, {"true"}},
      {reject = false, concurrency = 1})
    assert.equal(1, results[1].exitCode)
    assert.equal("ENOENT", results[2].code)
    assert.is_false(results[3].failed)
  end)

  it("has options for all, and each command its own", function()
    local results = all({{"pwd"}, {"pwd", {cwd = "/"}}, {"pwd", {}, {lines = true}}},
      {cwd = "/usr"})
    assert.same({"/usr", "/", {"/usr"}}, outputs(results))
    local err = support.error(all, {{"sleep", {"600"}}}, {timeout = 50})
    assert.is_true(err.timedOut)
  end)

  it("may have one target for all, which is finished after the last", function()
    local path = support.tmpdir() .. "/log"
    local commands = {{"echo", {1}}, {"echo", {2}}, {"echo", {3}}}
    for _ = 1, 2 do
      all(commands, {stdout = {file = path}, concurrency = 2})
      assert.equal(3, select(2, support.readFile(path):gsub("%d\n", "")))
    end
    local sort = command.start("sort", {stdin = "pipe"})
    all(commands, {stdout = {"pipe", sort.child.stdin}, concurrency = 2})
    assert.equal("1\n2\n3", sort:await().stdout)
  end)

  it("ends all by a signal", function()
    local commands = {}
    for index = 1, 5 do commands[index] = {"sleep", {"600"}} end
    local err = support.error(all, commands, {
      concurrency = 3, signal = abort.AbortSignal.timeout(100),
    })
    assert.is_true(err.isCanceled)
    assert.is_true(err.results[3].isCanceled)
    assert.is_nil(err.results[4])
  end)

  it("checks all commands before any is started", function()
    local path = support.tmpdir() .. "/started"
    for _, wrong in ipairs({5, {}, {5}, {"true", {lines = 5}}}) do
      assert.equal("ERR_INVALID_ARG_TYPE",
        support.error(all, {{"touch", {path}}, wrong}, {concurrency = 1}).code)
    end
    assert.is_nil(io.open(path))
  end)

  it("raises errors of the arguments", function()
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(all).code)
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(all, {"true"}).code)
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(all, {{"true"}, {1}}).code)
    assert.matches("commands[2][1]", support.error(all, {{"true"}, {1}}).message, 1, true)
    assert.equal("ERR_OUT_OF_RANGE", support.error(all, {}, {concurrency = 0}).code)
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(all, {}, {concurrency = "4"}).code)
  end)
end)
