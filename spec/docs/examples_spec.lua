-- Every program of examples/ runs, from any folder, and prints what it is there to show.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local json = require("child_process.json")
local lfs = require("lfs")
local passing = require("spec.support.passing")
local process = require("child_process.process")
local support = require("spec.support")
local terminals = require("spec.support.terminals")

local FOLDER = assert(lfs.currentdir()) .. "/examples"

-- By name; children are tested with their parents.
local tested = {sub = true, shared_server_child = true, priority_sockets_child = true}

--- Runs an example to its end in a folder of its own.
---@param name string
---@param args? string[]
---@param code? integer that it ends with (default 0)
---@return string stdout
---@return string stderr
---@return table process
local function run(name, args, code)
  local command = {FOLDER .. "/" .. name .. ".lua", compat.unpack(args or {})}
  local folder = support.tmpdir()
  assert(io.open(folder .. "/a_file", "w")):close()
  local example = cp.spawn(support.lua, command, {cwd = folder})
  local stdout, stderr = support.collect(example.stdout), support.collect(example.stderr)
  example.stdin:finish()
  support.run()
  assert.equal(code or 0, example.exitCode, stderr())
  return stdout(), stderr(), example
end

--- Runs examples/deploy.lua, with a folder of its own for temporary files, in which it must leave
--- nothing. Pending where there is no git.
---@param revision? string
---@return integer code
---@return string stdout
---@return string stderr
local function deploy(revision)
  if cp.spawnSync("git", {"--version"}).error then
    pending("needs git")
  end
  local folder = support.tmpdir()
  local deployment = cp.spawnSync("env", {
    "TMPDIR=" .. folder, support.lua, FOLDER .. "/deploy.lua", revision,
  })
  assert.is_nil(deployment.error)
  for name in lfs.dir(folder) do
    assert.is_true(name == "." or name == "..", name)
  end
  return deployment.status, deployment.stdout, deployment.stderr
end

--- Runs an example that serves, with its children in a group that is ended after the test.
---@param name string
---@param args string[]
---@param onPort fun(port: integer, finish: function)
local function serve(name, args, onPort)
  local command = {FOLDER .. "/" .. name .. ".lua", compat.unpack(args)}
  local serving = cp.spawn(support.lua, command,
    {detached = true, stdio = {"ignore", "pipe", "inherit"}})
  serving.stdout:once("data", function(line)
    local port = line:match("^listening on (%d+); to connect: nc 127%.0%.0%.1 %1\n$")
    onPort(tonumber(port), function()
      process:kill(-serving.pid, "SIGTERM")
    end)
  end)
  support.run()
end

--- A test of one example.
local function example(name, fn)
  tested[name] = true
  it(name .. ".lua", function() fn(name) end)
end

describe("The examples", function()
  it("are listed in examples/README.md, all of them", function()
    local text = support.readFile(FOLDER .. "/README.md")
    for file in lfs.dir(FOLDER) do
      if file:find("%.lua$") then
        assert.truthy(text:find(("[%s](%s)"):format(file, file), 1, true), file)
      end
    end
    for file in text:gmatch("%]%(([^#)]+)") do
      assert.equal("file", lfs.attributes(FOLDER .. "/" .. file, "mode"), file)
    end
  end)

  for child, parent in pairs({
    sub = "send", shared_server_child = "shared_server",
    priority_sockets_child = "priority_sockets",
  }) do
    it("say whose child they are, if they are one and are run directly: " .. child, function()
      local stdout, stderr = run(child, nil, 1)
      assert.equal("", stdout)
      assert.equal(
        ("This script is the child of another: run %s.lua instead.\n"):format(parent), stderr)
    end)
  end
end)

describe("The example", function()
  example("test_runner", function(name)
    if os.getenv("ASAN_OPTIONS") then pending("the sanitizer needs more memory than a test may") end
    local function report(timeout, ...)
      local files = {...}
      for i, file in ipairs(files) do files[i] = ("%s/tests/%s.lua"):format(FOLDER, file) end
      local result = cp.spawnSync("env", {
        "TIMEOUT=" .. timeout, support.lua, ("%s/%s.lua"):format(FOLDER, name),
        compat.unpack(files),
      })
      assert.equal("", result.stderr)
      return result.stdout
    end
    local stdout = report(60000, "computes", "fails", "leaves_a_job", "needs_memory", "passes")
    for _, line in ipairs({
      "computes.lua *SIGXCPU", "fails.lua *fails.lua:3: 1 %+ 1 is not 3",
      "leaves_a_job.lua *left a job, killed", "needs_memory.lua *not enough memory",
      "passes.lua *passed", "1 of 5 passed",
    }) do
      assert.matches("\n" .. line:gsub(" %*", " [^\n]* ") .. "\n", stdout)
    end
    assert.matches("\nhangs.lua [^\n]* timed out\n", report(300, "hangs"))
  end)

  example("record", function(name)
    local path = support.tmpdir() .. "/cast"
    local script = "stty size; printf '\\303\\274\\n'; read a; echo got $a; exit 3"
    local recording = cp.spawn(support.lua,
      {("%s/%s.lua"):format(FOLDER, name), path, "sh", "-c", script})
    recording.stdin:finish("typed\n")
    local stdout, stderr = support.output(recording)
    assert.equal("", stderr)
    assert.truthy(stdout:find("got typed\r\nrecorded in " .. path .. "\n", 1, true), stdout)
    assert.equal(3, recording.exitCode)
    local shown, last = "", 0
    for line in io.lines(path) do
      local value = json.decode(line)
      if value.version then
        assert.equal(2, value.version)
        assert.same({80, 24}, {value.width, value.height})
      else
        assert.equal("o", value[2])
        assert.is_true(value[1] >= last)
        last, shown = value[1], shown .. value[3]
      end
    end
    -- the echo of what is typed may come anywhere between these
    for _, text in ipairs({"24 80\r\n", "\195\188\r\n", "got typed\r\n"}) do
      assert.truthy(shown:find(text, 1, true), shown)
    end
  end)

  it("record.lua passes on keys and sizes to an editor", function()
    terminals.need("vi", "--version")
    local folder = support.tmpdir()
    support.writeFile(folder .. "/file", "one\ntwo\n")
    local child = cp.spawn(support.lua,
      {FOLDER .. "/record.lua", folder .. "/cast", "vi", folder .. "/file"},
      {terminal = {columns = 61, rows = 17},
        env = support.merge(process.env, {VIMINIT = "set nocompatible nomodeline", HOME = folder})})
    terminals.converse(child, {
      "two", function() child.terminal:resize(62, 18) end,
      "\27[18;", "Gofirst\27", -- the editor, which draws the new last line, is done with the size
      "first", "oafter\27", "after", ":wq\r", "recorded", "",
    })
    assert.equal(0, child.exitCode)
    assert.equal("one\ntwo\nfirst\nafter\n", support.readFile(folder .. "/file"))
    local header, sizes
    for line in io.lines(folder .. "/cast") do
      local value = json.decode(line)
      header = header or value
      if value[2] == "r" then sizes = (sizes or "") .. value[3] end
    end
    assert.same({2, 61, 17}, {header.version, header.width, header.height})
    assert.equal("62x18", sizes)
  end)

  example("expect", function(name)
    local stdout, stderr = run(name)
    assert.equal("logged in\nanswer: 42\nthe program has ended with 0\n", stdout)
    assert.equal("", stderr)
    local refused = cp.spawnSync("env",
      {"PASSWORD=wrong", support.lua, ("%s/%s.lua"):format(FOLDER, name)})
    assert.equal("The password was refused.\n", refused.stdout)
  end)

  example("ls", function(name)
    local stdout, stderr = run(name)
    assert.equal("", stderr)
    assert.truthy(stdout:find("^stdout: .*bin.*\nchild process exited with code 0\n$"))
  end)

  example("stdout_data", function(name)
    local stdout, stderr = run(name)
    assert.equal("Received chunk a_file\n\n", stdout)
    assert.equal("", stderr)
  end)

  example("ps_grep", function(name)
    local stdout, stderr = run(name, {"lua"})
    assert.equal("", stderr)
    assert.truthy(stdout:find("lua", 1, true))
    stdout = run(name, {"^a pattern that no line has$"})
    assert.equal("grep process exited with code 1\n", stdout)
  end)

  example("bad_command", function(name)
    local stdout, stderr = run(name)
    assert.equal("Failed to start subprocess.\n", stderr)
    assert.equal("Error: spawn bad_command ENOENT\n", stdout)
  end)

  example("spawn_defaults", function(name)
    local stdout = run(name)
    local folder, path = stdout:match("^(/.*)\n(.*)\n$")
    assert.truthy(folder)
    assert.equal(os.getenv("PATH"), path)
  end)

  example("exec_quoting", function(name)
    local home = tostring(os.getenv("HOME") or "")
    assert.equal("2 arguments: arg1 arg2\nThe $HOME variable is " .. home .. "\n", (run(name)))
  end)

  example("script_with_spaces", function(name)
    local lines = {}
    for line in run(name):gmatch("[^\n]+") do lines[#lines + 1] = line end
    assert.equal("exec: a and b", table.remove(lines))
    -- the exit may be known before the output is read
    table.sort(lines)
    assert.same({"Child exited with code 0", "spawn: a and b"}, lines)
  end)

  example("exec_pipeline", function(name)
    local stdout, stderr = run(name)
    assert.truthy(stdout:find("^stdout: %s*%d+\n\n$"))
    assert.truthy(stderr:find("^stderr: .*missing_file"))
  end)

  example("exec_options", function(name)
    local stdout = run(name)
    assert.truthy(stdout:find("\nkilled: true\nsignal: SIGTERM\n$"))
    assert.is_nil(stdout:find("two"))
  end)

  example("exec_file", function(name)
    assert.equal(_VERSION .. "\n\n", (run(name)))
  end)

  example("close_and_exit", function(name)
    local stdout = run(name)
    assert.truthy(stdout:find("stdout: from the shell\n", 1, true))
    local exit = stdout:find("child process exited with code 0\n", 1, true)
    local cat = stdout:find("from the cat\n", 1, true)
    assert.truthy(exit and cat and exit < cat)
    assert.truthy(stdout:find("\nchild process close all stdio with code 0\n$"))
  end)

  example("kill", function(name)
    assert.equal("child process terminated due to receipt of signal SIGHUP\n", (run(name)))
  end)

  example("kill_shell", function(name)
    local lines = {}
    for line in run(name):gmatch("[^\n]+") do lines[#lines + 1] = line end
    assert.truthy(lines[1]:find("^%d+\tis alive$"))
    assert.equal("the program in the shell has ended too", lines[#lines])
    local killed, after = false, 0
    for _, line in ipairs(lines) do
      if line == "the shell was terminated by SIGTERM" then
        killed = true
      elseif killed and line:find("is alive$") then
        after = after + 1
      end
    end
    assert.is_true(after >= 3)
  end)

  example("pid", function(name)
    assert.truthy(run(name):find("^Spawned child pid: %d+\n$"))
  end)

  example("detached", function(name)
    local pid = run(name):match("^left running: (%d+)\n$")
    local stat = support.readFile("/proc/" .. pid .. "/stat")
    local state, session = stat:match("%) (%a) %d+ %d+ (%d+)")
    cp.spawn("kill", {pid})
    support.run()
    assert.are_not.equal("Z", state)
    assert.equal(pid, session)
  end)

  example("detached_log", function(name)
    -- a named pipe instead of the log shows when the program that is left behind has ended
    local log = support.tmpdir() .. "/log"
    cp.spawn("mkfifo", {log})
    support.run()
    local reader = cp.spawn("cat", {log})
    local written = support.collect(reader.stdout)
    assert.equal("writes to " .. log .. "\n", (run(name, {log})))
    support.run()
    assert.equal("to stdout\nto stderr\n", written())
  end)

  example("ref", function(name)
    assert.equal("waited for the child, which exited with code 0\n", (run(name)))
  end)

  example("stdio", function(name)
    local stdout, stderr = run(name)
    assert.truthy(stdout:find("on the parent's stdout\n", 1, true))
    assert.truthy(stdout:find("on fd 4: ready: start\n", 1, true))
    assert.equal("on the parent's stderr\n", stderr)
  end)

  example("sparse_stdio", function(name)
    assert.equal("child process exited with code 0\n", (run(name)))
  end)

  example("pipeline", function(name)
    local folder = support.tmpdir()
    support.writeFile(folder .. "/a.lua", ("b = c\n"):rep(1000) .. "C()\n")
    local stdout, stderr = run(name, {folder})
    assert.equal("", stderr)
    local title, words, summary = stdout:match("^(.-)\n(.-)\n\n(.*)$")
    assert.equal("The words that are used most in the sources of " .. folder
      .. ", counted by 8 programs in a row:", title)
    assert.truthy(words:find("^%s*1001 c\n%s*1000 b$"))
    local programs, moved = 0, 0
    for bytes in summary:gmatch("(%d+) bytes  code 0 ") do
      programs, moved = programs + 1, moved + bytes
    end
    assert.equal(8, programs)
    assert.equal(moved, tonumber(summary:match("8 programs, (%d+) bytes moved in %d")))
  end)

  it("pipeline.lua, over the sources of the project", function()
    local stdout, stderr = run("pipeline")
    assert.equal("", stderr)
    local words, summary = stdout:match("^.-\n(.-)\n\n(.*)$")
    local lines = select(2, words:gsub("[^\n]+", ""))
    assert.equal(15, lines)
    assert.truthy(summary:find("8 programs, %d+ bytes moved"))
    assert.equal(summary:find("SIGPIPE  ", 1, true) ~= nil,
      summary:find("\n(That is no failure: SIGPIPE ends", 1, true) ~= nil)
  end)

  example("spawn_sync", function(name)
    local stdout, stderr = run(name)
    assert.equal("", stderr)
    assert.equal("apple\npear\nsort exited with code 0\n"
      .. "sleep was ended by SIGTERM: ETIMEDOUT\n"
      .. "Error: spawnSync bad_command ENOENT\n", stdout)
  end)

  example("exec_sync", function(name)
    local stdout, stderr = run(name)
    assert.equal("a warning\n", stderr)
    assert.truthy(stdout:find("^%s*3\nfalse\tError: Command failed: echo half of it; "))
    assert.truthy(stdout:find("\nno more\n\nstatus: 3\nstdout: half of it\n\n$"))
  end)

  example("exec_file_sync", function(name)
    assert.equal("no $HOME, no *\ngrep exited with code 1\n", (run(name)))
  end)

  example("deploy", function()
    local code, stdout, stderr = deploy()
    assert.equal("", stderr)
    assert.equal(0, code)
    assert.truthy(stdout:find("\ndeployed: <p>This is v2, built from %x+.</p>\n"))
  end)

  it("deploy.lua, with an older revision", function()
    local code, stdout = deploy("v1")
    assert.equal(0, code)
    assert.truthy(stdout:find("\ndeployed: <p>This is v1, built from %x+.</p>\n"))
  end)

  it("deploy.lua, which stops at the first command that fails and says why", function()
    local code, stdout, stderr = deploy("no_such_revision")
    assert.equal(1, code)
    assert.matches("^\nThe deployment has stopped%.\n", stderr)
    assert.matches("git archive no_such_revision: failed with exit code 128[^\n]*\n"
      .. "fatal: not a valid object name: no_such_revision\n", stderr) -- tar may have failed, too
    assert.matches("\n%$ git archive no_such_revision | tar [^\n]*\n%$ rm %-rf ", stdout)
    assert.is_nil(stdout:find("deployed", 1, true))
  end)

  example("send", function(name)
    local stdout, stderr = run(name)
    assert.equal("", stderr)
    local lines = {}
    for line in stdout:gmatch("[^\n]+") do lines[#lines + 1] = line end
    -- each process writes on its own
    table.sort(lines)
    assert.same({
      "CHILD got message: hello = world", "PARENT got message: foo = bar, baz = null",
    }, lines)
  end)

  example("advanced", function(name)
    local path = support.tmpdir() .. "/bytes"
    support.writeFile(path, "\0\255\0a\n\255\0")
    local stdout, stderr = run(name, {path})
    assert.equal("", stderr)
    local lines = support.lines(stdout)
    assert.matches("^counted at %d%d:%d%d:%d%d$", table.remove(lines, 1))
    assert.same({"00  3 times", "ff  2 times", "0a  1 times", "61  1 times"}, lines)
    assert.matches("\n20  %d+ times\n", (run(name)))
  end)

  example("pool", function(name)
    local stdout, stderr = run(name, {"50000"})
    assert.equal("", stderr)
    assert.truthy(stdout:find(
      "^5133 primes up to 50000, in 5 jobs by %d+ children; %d+ died on the way, 0 jobs "
        .. "failed\n$"))
    assert.matches("in 20 jobs by %d+ children; [1-9]%d* died on the way, 0 jobs failed",
      (run(name, {"200000"})))
  end)

  example("word_count", function(name)
    local folder, bin = support.tmpdir(), support.tmpdir()
    for index, text in ipairs({"one", "one two", "\255 two\nthree", ""}) do
      support.writeFile(("%s/%d"):format(folder, index), text)
    end
    -- An ssh that reaches no other host than this one.
    support.writeFile(bin .. "/ssh", '#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift 2\n'
      .. 'exec "$@"\n')
    cp.execFileSync("chmod", {"+x", bin .. "/ssh"})
    local env = support.merge(process.env, {PATH = bin .. ":" .. process.env.PATH})
    for _, where in ipairs({{}, {"one"}, {"ssh", "n1", "n2"}}) do
      local result = cp.spawnSync(support.lua, {
        FOLDER .. "/" .. name .. ".lua", folder, compat.unpack(where),
      }, {env = env})
      assert.equal("", result.stderr)
      assert.equal(([[
       1 %s/1
       2 %s/2
       3 %s/3
       0 %s/4
       6 in all
]]):gsub("%%s", folder), result.stdout)
    end
    assert.matches("^usage: ", select(2, run(name, {folder, "elsewhere"}, 2)))
  end)

  example("checksums", function(name)
    local stdout, stderr = run(name, {"-j", "2", "a_file", "no_file", FOLDER .. "/ls.lua"}, 1)
    assert.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a_file\n",
      stdout:match("^.-\n"))
    assert.equal(FOLDER .. "/ls.lua", stdout:match("\n%x+  ([^\n]*)\n$"))
    assert.matches("no_file: No such file", stderr)
  end)

  it("checksums.lua, which gives up at its deadline", function()
    local _, stderr, child = run("checksums", {"-t", "0.05", "/dev/zero", "/dev/zero"}, 124)
    assert.equal("checksums: The operation was aborted due to timeout, 0 of 2 done\n", stderr)
    assert.is_nil(child.signalCode)
  end)

  it("checksums.lua, which prints any name as sha256sum does", function()
    local folder = support.tmpdir()
    local names = {"-j", "-name", "a b", "back\\slash", "new\nline"}
    for _, name in ipairs(names) do support.writeFile(folder .. "/" .. name, name) end
    local command = {FOLDER .. "/checksums.lua", "-t", "60.5", "--", compat.unpack(names)}
    local result = cp.spawnSync(support.lua, command, {cwd = folder})
    assert.equal("", result.stderr)
    assert.equal(0, result.status)
    local expected = cp.execFileSync("sha256sum", {"--", compat.unpack(names)}, {cwd = folder})
    assert.equal(expected, result.stdout)
  end)

  it("checksums.lua, which says how it is called when it is called in a wrong way", function()
    local jobs = "-j takes a number of jobs, 1 at least"
    local seconds = "-t takes a number of seconds, 2147483 at most"
    for _, wrong in ipairs({
      {jobs, "-j"}, {jobs, "-j", "x"}, {jobs, "-j", "0"}, {jobs, "-j", "--", "a_file"},
      {seconds, "-t", "1e9", "a_file"}, {seconds, "-t", "-1", "a_file"},
      {"there is no option -x", "-x", "a_file"},
    }) do
      local stdout, stderr = run("checksums", {compat.unpack(wrong, 2)}, 2)
      assert.equal("", stdout)
      assert.equal("checksums: " .. wrong[1]
        .. "\nusage: checksums.lua [-j JOBS] [-t SECONDS] [--] [FILE...]\n", stderr)
    end
  end)

  it("checksums.lua, which is interrupted as a terminal does it, its children at once", function()
    local folder = support.tmpdir()
    local command, writers = {FOLDER .. "/checksums.lua", "-j", "8"}, {}
    for number = 1, 8 do
      command[#command + 1] = ("%s/fifo%d"):format(folder, number)
      assert(os.execute(("mkfifo '%s/fifo%d'"):format(folder, number)))
    end
    for _ = 1, support.collecting and 1 or 5 do
      local child = cp.spawn(support.lua, command, {detached = true})
      local open = 0
      for number = 1, 8 do
        local fifo = ("%s/fifo%d"):format(folder, number)
        writers[number] = cp.spawn("sh", {"-c", 'exec >"$0"; echo open >&2; exec sleep 60', fifo})
        writers[number].stderr:once("data", function()
          open = open + 1
          if open == 8 then process:kill(-child.pid, "SIGINT") end
        end)
      end
      local stdout, stderr = support.collect(child.stdout), support.collect(child.stderr)
      child:on("close", function()
        for _, writer in ipairs(writers) do writer:kill("SIGKILL") end
      end)
      support.run()
      assert.equal("", stdout())
      assert.equal("checksums: interrupted, 0 of 8 done\n", stderr())
      assert.equal(130, child.exitCode)
    end
  end)

  it("checksums.lua, which ends with all its children when it is interrupted", function()
    local folder = support.tmpdir()
    assert(os.execute(("mkfifo '%s/fifo'"):format(folder)))
    local child = cp.spawn(support.lua, {FOLDER .. "/checksums.lua", folder .. "/fifo"})
    -- opens the pipe together with sha256sum, and ends when that has gone
    local writer = cp.spawn("sh", {"-c", 'exec >"$0"; echo open >&2; exec yes', folder .. "/fifo"})
    writer.stderr:once("data", function() child:kill("SIGINT") end)
    local seen = support.collect(child.stderr)
    support.run()
    assert.equal("checksums: interrupted, 0 of 1 done\n", seen())
    assert.equal(130, child.exitCode)
    assert.equal("SIGPIPE", writer.signalCode)
  end)

  example("shared_server", function(name)
    local answers = {["handled by parent"] = 0, ["handled by child"] = 0}
    serve(name, {"0"}, function(port, finish)
      local function ask()
        local left = 10
        for _ = 1, left do
          passing.ask({port = port, host = "127.0.0.1"}, function(text)
            answers[text] = answers[text] + 1
            left = left - 1
            if left > 0 then return end
            local both = answers["handled by parent"] > 0 and answers["handled by child"] > 0
            if both then finish() else ask() end
          end)
        end
      end
      ask()
    end)
    assert.is_true(answers["handled by parent"] > 0 and answers["handled by child"] > 0)
  end)

  example("priority_sockets", function(name)
    local answers = {}
    serve(name, {"0", "127.0.0.2"}, function(port, finish)
      for _, from in ipairs({"127.0.0.1", "127.0.0.2"}) do
        local place = {port = port, host = "127.0.0.1", localAddress = from}
        passing.ask(place, function(text)
          answers[#answers + 1] = from .. " " .. text
          if #answers == 2 then finish() end
        end)
      end
    end)
    table.sort(answers)
    assert.same({
      "127.0.0.1 Request handled with normal priority",
      "127.0.0.2 Request handled with special priority",
    }, answers)
  end)

  example("listen_fds", function(name)
    local answer
    serve(name, {"0"}, function(port, finish)
      passing.ask({port = port, host = "127.0.0.1"}, function(text)
        answer = text
        finish()
      end)
    end)
    assert.truthy(answer:find("^handled by %d+\n$"))
  end)

  it("has a test here, whichever it is", function()
    for file in lfs.dir(FOLDER) do
      local name = file:match("^(.*)%.lua$")
      if name then assert.is_true(tested[name] or false, name) end
    end
  end)
end)
