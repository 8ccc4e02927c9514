-- exec, execFile and the synchronous calls with options.terminal.

local cp = require("child_process")
local support = require("spec.support")
local terminals = require("spec.support.terminals")
local trees = require("spec.support.trees")

-- The calls, each as a function that gives err, stdout, stderr.
local ways = {
  exec = function(script, options)
    local results
    cp.exec(script, options, function(...) results = {...} end)
    support.run()
    return results[1], results[2], results[3]
  end,
  spawnSync = function(script, options)
    local result = cp.spawnSync("sh", {"-c", script}, options)
    return result.error, result.stdout, result.stderr, result
  end,
}

for name, call in pairs(ways) do
  describe(name .. " at a terminal", function()
    it("collects from it into stdout", function()
      local err, stdout, stderr = call("test -t 0 && test -t 1 && echo out; echo err >&2",
        {terminal = true})
      assert.is_nil(err)
      assert.equal("out\r\nerr\r\n", stdout)
      assert.is_true(stderr == "" or stderr == nil)
    end)

    it("does not convert the ends of lines in raw mode", function()
      local _, stdout = call("echo out; echo err >&2", {terminal = {rawMode = true}})
      assert.equal("out\nerr\n", stdout)
    end)

    it("collects from pipes besides", function()
      local _, stdout, stderr = call("echo out; echo err >&2; echo more >/dev/tty",
        {terminal = true, stdio = {nil, nil, "pipe"}})
      assert.equal("out\r\nmore\r\n", stdout)
      assert.equal("err\n", stderr)
      _, stdout, stderr = call("echo out; echo err >&2", {terminal = true, stdio = {nil, "pipe"}})
      assert.equal("out\n", stdout)
      assert.equal("err\r\n", stderr)
      local err
      err, stdout, stderr = call("echo out; echo err >&2; seq 1000 >/dev/tty",
        {terminal = true, stdio = {nil, "pipe", "pipe"}, maxBuffer = 100})
      assert.is_nil(err)
      assert.equal("out\n", stdout)
      assert.equal("err\n", stderr)
    end)

    it("reads its input from a pipe", function()
      local _, stdout = call("test -t 0; echo $?; cat; tty -s <&1; echo $?",
        {terminal = true, input = "in\n"})
      assert.equal("1\r\nin\r\n0\r\n", stdout)
    end)

    it("limits what it collects", function()
      local err, stdout = call("exec seq 1000000", {terminal = true, maxBuffer = 1000})
      assert.truthy(err)
      assert.equal(1000, #stdout)
    end)

    it("loses nothing of what was written before the end", function()
      local count = support.isSlow and 2000 or 30000
      for _ = 1, 5 do
        local err, stdout = call("exec seq " .. count, {terminal = true})
        assert.is_nil(err)
        assert.equal(count, select(2, stdout:gsub("\r\n", "")))
      end
    end)

    it("ends when others hold it for longer than options.waitDelay", function()
      for _, delay in ipairs({0, 1, 50}) do
        local err, stdout = call("trap '' HUP; sleep 600 & echo $!",
          {terminal = true, waitDelay = delay})
        cp.spawnSync("kill", {"-9", (stdout:gsub("%s", ""))})
        assert.equal("ERR_WAIT_DELAY", err.code)
        assert.truthy(err.message:find("its terminal stayed open", 1, true), err.message)
      end
    end)

    it("names the terminal among what others hold", function()
      for held, entry in pairs({
        ["its stderr and terminal"] = false, ["its stdout, stderr and terminal"] = "pipe",
      }) do
        local err, stdout = call("trap '' HUP; exec 3<>/dev/tty; sleep 600 & echo $!",
          {terminal = true, waitDelay = 20, stdio = {"ignore", entry, "pipe"}})
        cp.spawnSync("kill", {"-9", (stdout:gsub("%s", ""))})
        assert.truthy(err.message:find(held .. " stayed open", 1, true), err.message)
      end
    end)

    it("ends the child by the signal that the options name", function()
      for _, signal in ipairs({"SIGTERM", "SIGUSR1", "SIGKILL"}) do
        local err, _, _, result = call("exec sleep 600",
          {terminal = true, timeout = 50, killSignal = signal})
        assert.equal(signal, (result or err).signal)
        err, _, _, result = call("exec yes",
          {terminal = true, maxBuffer = 1000, killSignal = signal})
        if result then assert.equal(signal, result.signal) end
        assert.truthy(err)
      end
    end)

    it("hangs up where that signal is ignored", function()
      local err, _, _, result = call("exec sleep 600",
        {terminal = true, timeout = 50, killSignal = "SIGURG", forceKillAfterDelay = 60000})
      assert.equal("SIGHUP", (result or err).signal)
    end)

    it("decodes what it collects", function()
      local _, stdout = call("printf 'gr\\303\\274n'", {terminal = true, encoding = "latin1"})
      assert.equal("gr\195\131\194\188n", stdout)
    end)
  end)
end

describe("execFile at a terminal", function()
  it("collects line ends as the terminal makes them, which the caller may change", function()
    local stdout = {}
    for index, isRaw in ipairs({false, true}) do
      local child = cp.execFile("sh", {"-c", "read a; echo $a"}, {terminal = {echo = false}},
        function(err, out)
          assert.is_nil(err)
          stdout[index] = out
        end)
      if isRaw then child.terminal:setRawMode(true) end
      child.terminal:write("typed\n")
    end
    support.run()
    assert.same({"typed\r\n", "typed\n"}, stdout)
  end)

  it("waits until somebody types, unlike a synchronous call", function()
    local stdout
    local child = cp.execFile("sh", {"-c", "read a || echo end"}, {terminal = {echo = false}},
      function(_, out) stdout = out end)
    child:wait("spawn")
    for _ = 1, 3 do cp.promises.execFile("sleep", {0.05}):await() end
    assert.is_nil(stdout)
    child.terminal:finish()
    support.run()
    assert.equal("end\r\n", stdout)
  end)
end)

describe("A synchronous call at a terminal", function()
  it("has nobody who types: each attempt to read finds the end", function()
    local result = cp.spawnSync("sh", {"-c", "cat; cat; read a; echo $?"}, {terminal = true})
    assert.equal("1\r\n", result.stdout)
    terminals.need("bash", "--version")
    result = cp.spawnSync("bash", {"--norc", "-i"}, {terminal = true})
    assert.equal(0, result.status)
  end)

  it("returns or raises like others", function()
    assert.equal("24 80\r\n", cp.execFileSync("stty", {"size"}, {terminal = true}))
    assert.equal("20 40\r\n", cp.execSync("stty size", {terminal = {columns = 40, rows = 20}}))
    local err = support.error(cp.execSync, "echo why >&2; exit 3", {terminal = true})
    assert.equal(3, err.status)
    assert.equal("why\r\n", err.stdout)
  end)

  it("does not wait for a child that closes the terminal", function()
    local result = cp.spawnSync("sh", {"-c", "echo before; exec <&- >&- 2>&-; "
      .. "echo after >/dev/tty; exit 2"}, {terminal = true})
    assert.equal("before\r\nafter\r\n", result.stdout)
    assert.equal(2, result.status)
  end)

  it("ends the tree at a limit", function()
    local witness = trees.witness()
    local result = cp.spawnSync("sh", {"-c", "trap '' HUP; sleep 600 & wait"},
      {terminal = true, tree = true, timeout = 500, stdio = {nil, nil, nil, witness.stream}})
    assert.equal("ETIMEDOUT", result.error.code)
    witness:awaitEnd()
  end)
end)
