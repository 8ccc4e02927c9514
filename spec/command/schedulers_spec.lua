-- Commands in coroutines of other schedulers, and in other loops.

local compat = require("child_process.base.compat")
local command = require("child_process.command")
local loop = require("child_process.loop")
local support = require("spec.support")

--- Resumes all coroutines until all have ended, and runs the loop between the rounds.
local function roundRobin(threads)
  support.inTime(function()
    while #threads > 0 do
      for index = #threads, 1, -1 do
        assert(coroutine.resume(threads[index]))
        if coroutine.status(threads[index]) == "dead" then table.remove(threads, index) end
      end
      loop.run("nowait")
    end
  end)
end

--- What each of the functions returns, when all run in coroutines of one scheduler.
local function results(functions)
  local got, threads = {}, {}
  for index, fn in ipairs(functions) do
    threads[index] = coroutine.create(function() got[index] = fn() end)
  end
  roundRobin(threads)
  return got
end

describe("In the coroutines of a scheduler that knows nothing of us", function()
  it("every function waits", function()
    assert.same({"run", "A B", "PIPE", "3", "2", "line", 1}, results({
      function() return (command.run("echo", {"run"}).stdout) end,
      function() return (command.shell("echo %s | tr a-z A-Z", "a b").stdout) end,
      function() return (command.pipeline({{"echo", {"pipe"}}, {"tr", {"a-z", "A-Z"}}}).stdout) end,
      function()
        local all = command.all({{"echo", {1}}, {"echo", {2}}, {"echo", {3}}}, {concurrency = 2})
        return all[3].stdout
      end,
      function()
        local result = command.start("printf", {"b\\na\\n"}):pipe("wc", {"-l"}):await()
        return result.stdout:match("%d+")
      end,
      function()
        local lines = command.start("echo", {"line"}):lines()
        local line = lines()
        return line
      end,
      function()
        local result = command.run("false", {reject = false, retry = {attempts = 2, delay = 1}})
        return result.exitCode
      end,
    }))
    support.run()
  end)

  it("an iterator of the input may wait", function()
    local got = results({function()
      local lines = command.start("printf", {"b\\na\\n"}):lines({keepNewline = true})
      local result = command.run("sort", {input = function()
        local line = lines()
        return line
      end})
      return result.stdout
    end})
    assert.equal("a\nb", got[1])
    support.run()
  end)
end)

describe("With luv's loop", function()
  it("commands run in it", function()
    if not compat.searchPath("luv", package.cpath) then support.skip("luv is not installed") end
    assert.equal("x\nended\n", support.runScript([[
      local uv = require("luv")
      cp.async(function()
        print(cp.command.pipeline({{"echo", {"x"}}, {"cat"}}).stdout)
      end)
      uv.run()
      print("ended")
    ]]))
  end)
end)
