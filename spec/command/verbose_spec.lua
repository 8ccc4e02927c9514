-- options.verbose and CHILD_PROCESS_VERBOSE: what was run, how long it took and how it ended.

local command = require("child_process.command")
local cp = require("child_process")
local support = require("spec.support")

--- What a script reports on stderr, with "TIME" for times and "1 ms" for durations.
local function reported(text, env)
  local before = support.script("local command = require('child_process').command\n" .. text)
  local result = command.run(support.lua, {before}, {env = env or {}, stripFinalNewline = false})
  local shown = ("\n" .. result.stderr):gsub("\n%d%d:%d%d:%d%d", "\nTIME"):sub(2)
  return (shown:gsub("%d+ ms", "1 ms"):gsub("%d+%.%d s", "1 ms")), result.stderr
end

describe("options.verbose", function()
  it("\"short\" is a line for each command that has ended", function()
    local text = reported([[
      local loud = command.with({verbose = "short", reject = false})
      loud.run("printf", {"a b"})
      loud.run("sh", {"-c", "exit 3"})
      loud.run("sh", {"-c", "kill -9 $$"})
      loud.run("sleep", {"60"}, {timeout = 10})
      loud.run("no-such-program")
      loud.shell("echo %s | cat", "a b")
      loud.pipeline({{"echo", {"x"}}, {"cat"}})
      loud.all({{"true"}})
      loud.start("true"):await()
    ]])
    assert.equal(table.concat({
      "TIME printf 'a b' (exit code 0, 1 ms)",
      "TIME sh -c 'exit 3' (exit code 3, 1 ms)",
      "TIME sh -c 'kill -9 $$' (SIGKILL, 1 ms)",
      "TIME sleep 60 (timed out, SIGTERM, 1 ms)",
      "TIME no-such-program (ENOENT, 1 ms)",
      "TIME echo 'a b' | cat (exit code 0, 1 ms)",
      "TIME echo x | cat (exit code 0, 1 ms)",
      "TIME true (exit code 0, 1 ms)",
      "TIME true (exit code 0, 1 ms)",
    }, "\n") .. "\n", text)
  end)

  it("\"full\" has the start and the output, too", function()
    local text = reported([[
      local running
      running = command.start("sh", {"-c", "echo out; read x; echo err >&2"}, {
        verbose = "full", stdin = "pipe", stdout = function() running.child.stdin:finish("\n") end,
      })
      running:await()
    ]])
    assert.equal(table.concat({
      "TIME $ sh -c 'echo out; read x; echo err >&2'",
      "TIME | out",
      "TIME | err",
      "TIME sh -c 'echo out; read x; echo err >&2' (exit code 0, 1 ms)",
    }, "\n") .. "\n", text)
  end)

  it("is taken from CHILD_PROCESS_VERBOSE", function()
    local line = "TIME true (exit code 0, 1 ms)\n"
    assert.equal(line, reported('command.run("true")', {CHILD_PROCESS_VERBOSE = "short"}))
    assert.equal(line, reported('command.run("true")', {CHILD_PROCESS_VERBOSE = "1"}))
    assert.equal("TIME $ true\n" .. line,
      reported('command.run("true")', {CHILD_PROCESS_VERBOSE = "full"}))
    assert.equal("", reported('command.run("true")', {CHILD_PROCESS_VERBOSE = "0"}))
    assert.equal(line, reported('command.run("true", {verbose = true})'))
    assert.equal("",
      reported('command.run("true", {verbose = false})', {CHILD_PROCESS_VERBOSE = "1"}))
  end)

  it("has colours on a terminal only", function()
    local text, raw = reported('command.run("true", {verbose = "short"})')
    assert.equal("TIME true (exit code 0, 1 ms)\n", text)
    assert.is_nil(raw:find("\27", 1, true))
    if cp.spawnSync("script", {"-qec", "true", "/dev/null"}).status ~= 0 then
      support.skip("there are no pseudo-terminals")
    end
    local script = support.script([[
      local command = require("child_process").command
      command.run("true", {verbose = "short"})
      command.run("false", {verbose = "short", reject = false})
    ]])
    local line = command.quote("env", "TERM=xterm", support.lua, script)
    local shown = command.run("script", {"-qec", line, "/dev/null"}).stdout
    assert.matches("true \27[32m(exit code 0, ", shown, 1, true)
    assert.matches("false \27[31m(exit code 1, ", shown, 1, true)
    shown = command.run("script", {"-qec", line, "/dev/null"}, {env = {NO_COLOR = "1"}}).stdout
    assert.is_nil(shown:find("\27[3", 1, true))
  end)

  it("may be a function, which gets events", function()
    local events = {}
    local result = command.run("sh", {"-c", "echo out; exit 3"}, {reject = false, cwd = "/usr",
      verbose = function(event) events[#events + 1] = event end})
    assert.equal(3, #events)
    assert.equal("start", events[1].type)
    assert.equal("sh -c 'echo out; exit 3'", events[1].command)
    assert.equal("/usr", events[1].cwd)
    assert.is_true(math.abs(os.time() - events[1].time) < 60)
    assert.equal("output", events[2].type)
    assert.equal("stdout", events[2].stream)
    assert.equal("out", events[2].line)
    assert.equal("end", events[3].type)
    assert.equal(result, events[3].result)
  end)

  it("makes the command fail if the function raises an error", function()
    for _, type in ipairs({"start", "output", "end"}) do
      local function raise(event)
        if event.type == type then error("no " .. type, 0) end
      end
      local err = support.error(command.run, "echo", {"x"}, {verbose = raise})
      assert.equal("CommandError", err.name)
      assert.matches("^echo x: failed: no " .. type, err.message)
      err = support.error(command.pipeline, {{"echo", {"x"}}, {"cat"}}, {verbose = raise})
      assert.matches("no " .. type, tostring(err))
      support.run()
    end
    assert.equal("x", command.run("echo", {"x"}).stdout)
  end)

  it("does not change what is collected, or where it goes", function()
    local quiet = {verbose = function() end}
    assert.equal("x", command.run("echo", {"x"}, quiet).stdout)
    assert.is_nil(command.run("echo", {"x"}, {verbose = quiet.verbose, stdout = "ignore"}).stdout)
    local lines = {}
    local result = command.pipeline({{"echo", {"x"}}, {"cat"}}, {verbose = function(event)
      lines[#lines + 1] = event.line
    end})
    assert.equal("x", result.stdout)
    assert.same({"x"}, lines)
  end)
end)
