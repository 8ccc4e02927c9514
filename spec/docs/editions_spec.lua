-- What older editions of the documentation had, and what has become of it.

local cp = require("child_process")
local support = require("spec.support")

--- Runs a script that has the module and gives its stdout and stderr.
local function outputOfScript(text)
  local script = support.script('local cp = require("child_process")\n' .. text .. "\ncp.run()\n")
  local child = cp.spawn(support.lua, {script})
  child.stdin:finish()
  local stdout, stderr = support.output(child)
  assert.equal(0, child.exitCode, stderr)
  return stdout, stderr
end

local function count(text, word)
  return select(2, text:gsub(word, ""))
end

describe("setsid (v0.6)", function()
  local text = [[
    for _ = 1, 2 do
      local child = cp.spawn("cat", {setsid = true})
      local stat = assert(io.open("/proc/" .. child.pid .. "/stat")):read("*a")
      print(stat:match("%) %a %d+ %d+ (%d+)") == tostring(child.pid))
      child.stdin:finish()
    end
  ]]

  it("is accepted as detached", function()
    assert.equal("true\ntrue\n", (outputOfScript(text)))
  end)

  it("gives one deprecation warning", function()
    local _, stderr = outputOfScript(text)
    assert.equal(1, count(stderr, "DeprecationWarning"))
    assert.matches("setsid", stderr, 1, true)
    assert.matches("detached", stderr, 1, true)
  end)
end)

describe("customFds (v0.6 to v0.10)", function()
  local text = [[
    for _ = 1, 2 do
      local child = cp.spawn("sh", {"-c", "cat; echo direct >&2"}, {customFds = {-1, -1, 1}})
      assert(child.stdin and child.stdout and not child.stderr)
      io.stdout:setvbuf("no")
      child.stdout:on("data", function(data) io.stdout:write(data) end)
      child.stdin:finish("piped\n")
      cp.run()
    end
  ]]

  it("has entries of -1 that mean a new pipe, others an fd", function()
    local stdout, stderr = outputOfScript(text)
    assert.equal(2, count(stdout, "piped\n"))
    assert.equal(2, count(stdout, "direct\n"))
    assert.is_nil(stderr:find("direct\n", 1, true))
  end)

  it("gives one deprecation warning", function()
    local _, stderr = outputOfScript(text)
    assert.equal(1, count(stderr, "DeprecationWarning"))
    assert.matches("customFds", stderr, 1, true)
    assert.matches("stdio", stderr, 1, true)
  end)

  it("may be given to exec", function()
    local stdout, stderr = outputOfScript([[
      cp.exec("echo problem >&2", {customFds = {-1, -1, 1}}, function(err, stdout, stderr)
        assert(not err and stdout == "" and stderr == "")
        print("called")
      end)
    ]])
    assert.equal("problem\ncalled\n", stdout)
    assert.equal(1, count(stderr, "DeprecationWarning"))
  end)

  it("gives way to stdio", function()
    local stdout = outputOfScript([[
      local child = cp.spawn("echo", {"text"}, {customFds = {0, 1, 2}, stdio = "pipe"})
      child.stdout:on("data", function(data) print("piped " .. data) end)
    ]])
    assert.equal("piped text\n\n", stdout)
  end)
end)

describe("a failed exec shown on the child's stderr as execvp() (v0.6)", function()
  it("is superseded: the 'error' event", function()
    local child = cp.spawn("/nonexistent/command")
    local events = support.events(child)
    local _, stderr = support.output(child)
    assert.equal("", stderr)
    assert.same({"error Error: spawn /nonexistent/command ENOENT", "close -2 nil"}, events)
  end)
end)

describe("an empty options table that means an empty environment (v0.6 to v0.10)", function()
  it("is superseded: env absent inherits", function()
    local child = cp.spawn("sh", {"-c", 'echo "$PATH"'}, {})
    assert.equal(os.getenv("PATH") .. "\n", (support.output(child)))
  end)

  it("is superseded: env = {} is empty", function()
    assert.equal("", (support.output(cp.spawn("/usr/bin/env", {env = {}}))))
  end)
end)

describe("maxBuffer of 200 KiB (v0.6 to v6)", function()
  it("is superseded: 1 MiB", function()
    local failure, size
    cp.execFile("head", {"-c", "1048576", "/dev/zero"}, function(err, stdout)
      failure, size = err, #stdout
    end)
    support.run()
    assert.is_nil(failure)
    assert.equal(1048576, size)
  end)

  it("is superseded: the output is truncated to the limit and handed over", function()
    local failure, size
    cp.execFile("head", {"-c", "1048577", "/dev/zero"}, function(err, stdout)
      failure, size = err, #stdout
    end)
    support.run()
    assert.equal("ERR_CHILD_PROCESS_STDIO_MAXBUFFER", failure.code)
    assert.equal(1048576, size)
  end)
end)

describe("the defaults of exec, customFds, env = nil, cwd = nil (v0.6 to v0.10)", function()
  it("are the same", function()
    assert.equal(require("child_process.process"):cwd() .. "\n", (outputOfScript([[
      cp.exec("pwd", {customFds = {-1, -1, -1}, env = nil, cwd = nil}, function(err, stdout)
        io.write(err and tostring(err) or stdout)
      end)
    ]])))
  end)
end)
