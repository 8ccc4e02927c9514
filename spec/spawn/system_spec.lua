-- cp.system(cmd[, opts][, on_exit]), which takes what Neovim's vim.system takes

local cp = require("child_process")
local support = require("spec.support")

--- Runs a command to its end, with `wait`.
---@return SystemCompleted
local function system(cmd, opts)
  return support.inTime(function()
    return cp.system(cmd, opts):wait()
  end)
end

--- Runs a shell script to its end.
---@return SystemCompleted
local function sh(script, opts)
  return system({"sh", "-c", script}, opts)
end

--- What a function raises.
local function raised(fn, ...)
  local ok, err = pcall(fn, ...)
  assert.is_false(ok)
  return err
end

describe("cp.system", function()
  it("gives code, signal, stdout and stderr to wait", function()
    assert.same({code = 3, signal = 0, stdout = "a\n", stderr = "b\n"},
      sh("echo a; echo b >&2; exit 3"))
  end)

  it("gives the same table to on_exit, before wait returns", function()
    local seen
    local object = cp.system({"echo", "a"}, {}, function(completed) seen = completed end)
    local completed = support.inTime(function() return object:wait() end)
    assert.equal("a\n", completed.stdout)
    assert.equal(seen, completed)
    assert.equal(completed, object:wait())
  end)

  it("takes on_exit in the place of opts", function()
    local seen
    cp.system({"echo", "a"}, function(completed) seen = completed end)
    support.run()
    assert.equal("a\n", seen.stdout)
  end)

  it("returns an object with the command and the pid", function()
    local cmd = {"sh", "-c", "echo $$"}
    local object = cp.system(cmd)
    assert.equal(cmd, object.cmd)
    assert.is_false(object:is_closing())
    local completed = support.inTime(function() return object:wait() end)
    assert.equal(object.pid .. "\n", completed.stdout)
    assert.is_true(object:is_closing())
  end)

  it("collects output of any size, and bytes as they are", function()
    assert.equal(3 * 1024 * 1024, #sh("head -c 3145728 /dev/zero").stdout)
    assert.equal("\255\0\r\n", sh([[printf '\377\0\r\n']]).stdout)
  end)

  it("can be waited for in several coroutines at once", function()
    local seen = {}
    for index = 1, 3 do
      cp.async(function()
        local completed = cp.system({"echo", index}):wait()
        seen[#seen + 1] = completed.stdout
      end)
    end
    support.run()
    table.sort(seen)
    assert.same({"1\n", "2\n", "3\n"}, seen)
  end)

  it("raises an error if the command cannot be started", function()
    local err = raised(cp.system, {"no-such-program"})
    assert.equal("ENOENT", err.code)
    assert.equal("spawn no-such-program ENOENT", err.message)
    assert.truthy(err.traceback:find("system_spec.lua", 1, true))
    assert.matches("'/no/such/dir'", raised(cp.system, {"true"}, {cwd = "/no/such/dir"}).message)
    support.run() -- no "error" event comes later
  end)

  it("has an error of on_exit come out of the run, and nothing else lost", function()
    local object = cp.system({"echo", "a"}, nil, function() error("in on_exit", 0) end)
    assert.equal("in on_exit", raised(support.run))
    assert.equal("a\n", object:wait().stdout)
  end)

  it("has opts.cwd, and opts.env over our environment", function()
    assert.equal("/\n", sh("pwd", {cwd = "/"}).stdout)
    local ours = os.getenv("PATH")
    assert.equal(ours .. " 1 x\n", sh("echo $PATH $A $B", {env = {A = 1, B = "x"}}).stdout)
    assert.equal("/nowhere\n", sh("echo $HOME", {env = {HOME = "/nowhere"}}).stdout)
  end)

  it("has opts.clear_env make opts.env the whole environment", function()
    assert.equal("A=1\n", system({"/usr/bin/env"}, {env = {A = 1}, clear_env = true}).stdout)
    assert.equal(os.getenv("PATH") .. "\n", sh("echo $PATH", {clear_env = true}).stdout)
  end)

  it("has opts.detach make the command the leader of a session", function()
    local script = "read -r _ _ _ _ _ session _ </proc/$$/stat; echo $$ $session"
    local pid, session = sh(script, {detach = true}).stdout:match("(%d+) (%d+)")
    assert.equal(pid, session)
  end)

  it("turns CR LF into LF in collected output with opts.text", function()
    local opts = {text = true}
    assert.equal("a\nb\r", sh([[printf 'a\r\nb\r']], opts).stdout)
    assert.equal("a\n", sh([[printf 'a\r'; sleep 0.01; printf '\n']], opts).stdout)
  end)

  it("turns numbers and booleans of the command into text", function()
    assert.equal("1 2 true\n", system({"echo", 1, 2.0, true}).stdout)
  end)
end)

describe("The input of cp.system", function()
  it("is empty by default", function()
    assert.same({code = 0, signal = 0, stdout = "", stderr = ""}, system({"cat"}))
    assert.equal("", system({"cat"}, {stdin = false}).stdout)
  end)

  it("is a string, or a list of lines", function()
    assert.equal("a\0b", system({"cat"}, {stdin = "a\0b"}).stdout)
    assert.equal("a\nb\n", system({"cat"}, {stdin = {"a", "b"}}).stdout)
    assert.equal("", system({"cat"}, {stdin = {}}).stdout)
  end)

  it("is written by write with opts.stdin = true, until write(nil)", function()
    local object = cp.system({"cat"}, {stdin = true})
    object:write("a")
    object:write({"b", "c"})
    object:write(nil)
    object:write("after the end")
    assert.equal("ab\nc\n", support.inTime(function() return object:wait() end).stdout)
    object:write("after the command")
  end)

  it("need not be read by the command", function()
    assert.equal(0, system({"true"}, {stdin = ("x"):rep(1024 * 1024)}).code)
  end)
end)

describe("The output of cp.system", function()
  it("is nil if it is false", function()
    assert.same({code = 0, signal = 0, stderr = "/dev/null\n"},
      sh("exec 3>&1; echo a; readlink /proc/$$/fd/3 >&2", {stdout = false}))
  end)

  it("goes to a function, whose last call has two nils", function()
    local out, err = {}, {}
    local completed = sh("printf a; echo b >&2", {
      stdout = function(...) out[#out + 1] = {n = select("#", ...), ...} end,
      stderr = function(failure, data)
        assert.is_nil(failure)
        err[#err + 1] = data or "end"
      end,
    })
    assert.same({code = 0, signal = 0}, completed)
    assert.same({{n = 2, nil, "a"}, {n = 2}}, out)
    assert.same({"b\n", "end"}, err)
  end)

  it("is complete before on_exit is called", function()
    local seen = {}
    cp.system({"sh", "-c", "echo a"}, {
      stdout = function(_, data) seen[#seen + 1] = data or "end" end,
    }, function() seen[#seen + 1] = "exit" end)
    support.run()
    assert.same({"a\n", "end", "exit"}, seen)
  end)
end)

describe("The end of a command of cp.system", function()
  it("has the code 0 and the number of the signal", function()
    assert.same({code = 0, signal = 9, stdout = "", stderr = ""}, sh("kill -9 $$"))
  end)

  it("is brought about by kill, with SIGTERM, a name or a number", function()
    for signal, number in pairs({[false] = 15, sigint = 2, SIGHUP = 1, [9] = 9}) do
      local object = cp.system({"sleep", "60"})
      object:kill(signal or nil)
      local completed = support.inTime(function() return object:wait() end)
      assert.same({0, number}, {completed.code, completed.signal})
      object:kill("sigterm") -- does nothing
    end
  end)

  it("comes with SIGTERM after opts.timeout, and has the code 124", function()
    local seen
    cp.system({"sleep", "60"}, {timeout = 20}, function(completed) seen = completed end)
    support.run()
    local expected = {code = 124, signal = 15, stdout = "", stderr = ""}
    assert.same(expected, seen)
    assert.same(expected, system({"sleep", "60"}, {timeout = 20}))
    assert.same(expected, system({"sleep", "60"}, {timeout = 0}))
  end)

  it("keeps an exit code above 1 after opts.timeout, and output up to then", function()
    local script = "trap 'exit %d' TERM; echo a; while :; do sleep 0.01; done"
    local timeout = 50
    local completed
    repeat
      timeout = timeout * 2
      completed = sh(script:format(3), {timeout = timeout})
    until completed.stdout == "a\n" or timeout > 20000
    assert.same({3, 0, "a\n"}, {completed.code, completed.signal, completed.stdout})
    assert.equal(124, sh(script:format(1), {timeout = timeout}).code)
  end)

  it("comes with SIGKILL when wait has waited in vain", function()
    local object = cp.system({"sh", "-c", "trap '' TERM; sleep 60 & while :; do wait; done"})
    local completed = support.inTime(function() return object:wait(20) end)
    assert.same({124, 9}, {completed.code, completed.signal})
  end)

  it("comes with SIGKILL if a command ignores the SIGTERM of opts.timeout", function()
    local script = "trap '' TERM; echo a; while :; do sleep 0.01; done"
    assert.equal(9, sh(script, {timeout = 200}).signal)
  end)

  it("comes in time although another process holds the output", function()
    local object = cp.system({"sh", "-c", "sleep 60 & echo $!"})
    local completed = support.inTime(function() return object:wait(500) end)
    assert.equal(124, completed.code)
    cp.execFileSync("kill", {completed.stdout:match("%d+")})
  end)

  it("leaves no timer of a wait behind", function()
    local object = cp.system({"true"})
    support.inTime(function() return object:wait(3600000) end)
    support.run(20)
  end)
end)

describe("cp.system refuses", function()
  local function code(...)
    return raised(cp.system, ...).code
  end

  it("a command that is not a list of strings", function()
    for _, cmd in ipairs({"ls", {}, {1}, {"ls", {}}, {false}}) do
      assert.equal("ERR_INVALID_ARG_TYPE", code(cmd))
    end
    assert.equal("ERR_INVALID_ARG_TYPE", code(nil))
    assert.equal("ERR_INVALID_ARG_VALUE", code({""}))
    assert.equal("ERR_INVALID_ARG_VALUE", code({"ls", "a\0b"}))
  end)

  it("options of the wrong type", function()
    for name, wrong in pairs({
      cwd = 1, env = "A=1", clear_env = 1, stdin = 1, stdout = "x", stderr = {}, text = 1,
      timeout = "1", detach = 1,
    }) do
      local err = raised(cp.system, {"true"}, {[name] = wrong, env = name == "env" and wrong or {}})
      assert.equal("ERR_INVALID_ARG_TYPE", err.code, name)
      assert.truthy(err.message:find('"options.' .. name .. '"', 1, true), err.message)
    end
    assert.equal("ERR_OUT_OF_RANGE", code({"true"}, {timeout = -1}))
    assert.equal("ERR_INVALID_ARG_TYPE", code({"true"}, {stdin = {1}}))
    assert.equal("ERR_INVALID_ARG_TYPE", code({"true"}, "x"))
    assert.equal("ERR_INVALID_ARG_TYPE", code({"true"}, nil, "x"))
  end)

  it("options that it does not have, in strict mode", function()
    local before = cp.strict()
    cp.strict(true)
    local err = raised(cp.system, {"true"}, {detached = true})
    cp.strict(before)
    assert.equal("ERR_INVALID_ARG_VALUE", err.code)
    assert.matches("is not an option of system %(did you mean 'detach'%?%)", err.message)
  end)

  it("write without opts.stdin, and other calls of methods that are wrong", function()
    local object = cp.system({"true"})
    assert.equal("ERR_INVALID_ARG_VALUE", raised(object.write, object, "x").code)
    assert.equal("ERR_UNKNOWN_SIGNAL", raised(object.kill, object, "SIGNONE").code)
    assert.equal("ERR_INVALID_ARG_TYPE", raised(object.wait, object, "x").code)
    assert.equal("ERR_INVALID_THIS", raised(object.wait).code)
    local cat = cp.system({"cat"}, {stdin = true})
    assert.equal("ERR_INVALID_ARG_TYPE", raised(cat.write, cat, 1).code)
    cat:write(nil)
    support.run()
  end)
end)
