-- options.retry: a command that is started again when it has failed.

local abort = require("child_process.abort")
local command = require("child_process.command")
local support = require("spec.support")
local timers = require("child_process.timers")

local run = command.run

--- A command that prints how often it was started, and succeeds the third time.
local function counting(folder, after)
  local script = ("cd %s; echo >>n; wc -l <n; test $(wc -l <n) -ge %d"):format(folder, after or 3)
  return "sh", {"-c", script}
end

local function attempts(folder)
  return select(2, support.readFile(folder .. "/n"):gsub("\n", ""))
end

describe("options.retry", function()
  it("starts the command again until it succeeds", function()
    local folder = support.tmpdir()
    local file, args = counting(folder)
    local result = run(file, args, {retry = {delay = 1}})
    assert.equal("3", result.stdout:match("%d+"))
    assert.equal(3, result.attempts)
  end)

  it("fails like the last attempt", function()
    local folder = support.tmpdir()
    local file, args = counting(folder, 9)
    local err = support.error(run, file, args, {retry = {attempts = 2, delay = 1, jitter = false}})
    assert.equal(2, err.attempts)
    assert.equal(2, attempts(folder))
    assert.matches("failed with exit code 1 (attempt 2)", err.message, 1, true)
  end)

  it("asks `when`, with the error", function()
    local folder = support.tmpdir()
    local file, args = counting(folder, 9)
    local seen = {}
    local err = support.error(run, file, args, {retry = {attempts = 5, delay = 1, when = function(e)
      seen[#seen + 1] = e.stdout:match("%d+")
      return e.exitCode == 1 and #seen < 2
    end}})
    assert.same({"1", "2"}, seen)
    assert.equal(2, err.attempts)
  end)

  it("does not try again what cannot succeed", function()
    local err = support.error(run, "no-such-program", {retry = {delay = 60000}})
    assert.equal("ENOENT", err.code)
    assert.equal(1, err.attempts)
  end)

  it("ends with the signal, also between two attempts", function()
    local controller = abort.AbortController()
    local err = support.error(run, "false", {signal = controller.signal, retry = {
      delay = 3600000,
      when = function()
        timers.setTimeout(function() controller:abort() end, 1)
        return true
      end,
    }})
    assert.equal(1, err.exitCode)
    assert.equal(1, err.attempts)
    err = support.error(run, "sleep", {"600"}, {
      retry = {delay = 1}, signal = abort.AbortSignal.timeout(50),
    })
    assert.is_true(err.isCanceled)
    assert.equal(1, err.attempts)
  end)

  it("works for shells, pipelines and many", function()
    for _, call in ipairs({
      function(text, options) return command.shell(text, options) end,
      function(text, options)
        return command.pipeline({{"true"}, {"sh", {"-c", text}}}, options)
      end,
      function(text, options) return command.all({{"sh", {"-c", text}}}, options)[1] end,
    }) do
      local _, args = counting(support.tmpdir())
      assert.equal(3, call(args[2], {retry = {delay = 1}}).attempts)
    end
  end)

  it("is checked", function()
    local policy = {attempts = 0, delay = -1, factor = "x", jitter = 1, when = 1, x = 1}
    for name, wrong in pairs(policy) do
      local err = support.error(run, "true", {retry = {[name] = wrong}})
      assert.matches("options.retry." .. name, err.message:gsub('"', ""), 1, true)
    end
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(run, "true", {retry = 3}).code)
    local err = support.error(run, "cat", {retry = {}, input = function() end})
    assert.equal("ERR_INVALID_ARG_VALUE", err.code)
  end)
end)
