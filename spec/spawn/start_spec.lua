-- What a start does to us, to the child's user, and to nobody else; and what it says when it fails.

local support = require("spec.support")
local cp = require("child_process")
local lfs = require("lfs")

local NOBODY = 65534

local folder

--- Runs a script with the module `host` of spec/support/start_host.c and gives what it prints.
local function runHost(text, before)
  folder = folder or support.hostModule("start_host")
  local stdout, stderr = support.runScript(([[
    package.cpath = "%s/?.so;" .. package.cpath
    local host = require("start_host")
    local process = require("child_process.process")
    -- some hundred milliseconds between a child's birth and its failing to execute
    local SLOW = {PATH = ("/nonexistent:"):rep(200000)}
    %s
  ]]):format(folder, text), before)
  assert.equal("", stderr)
  return stdout
end

--- For scripts whose child is to have a copy of our memory, as any with another user has.
local COPYING = "export CHILD_PROCESS_NO_VFORK=1"

describe("A start with uid or gid", function()
  it("leaves the parent as it is: it can be dumped and looked into", function()
    support.needRoot()
    local output = runHost([[
      io.write(host.dumpable())
      for _, options in ipairs({{}, {uid = 65534, gid = 65534}, {gid = 65534}, {uid = 65534}}) do
        options.stdio = "ignore"
        assert(cp.spawnSync("true", {}, options).status == 0)
        cp.spawn("true", {}, options):wait("close")
        io.write(host.dumpable())
      end
    ]])
    assert.equal("11111", output)
  end)

  it("lets the child open /dev/stdin, /dev/stdout and /dev/stderr", function()
    support.needRoot()
    local script = "cat /dev/stdin; echo out > /dev/stdout; echo err > /dev/stderr"
    for _, options in ipairs({{}, {uid = NOBODY}, {gid = NOBODY}, {uid = NOBODY, gid = NOBODY}}) do
      options.input = "in "
      local result = cp.spawnSync("sh", {"-c", script}, options)
      assert.same({"in out\n", "err\n"}, result.output)
      options.input = nil
      local child = cp.spawn("sh", {"-c", script}, options)
      child.stdin:finish("in ")
      local stdout, stderr = support.output(child)
      assert.same({"in out\n", "err\n"}, {stdout, stderr})
    end
  end)

  it("lets the child open them where we may change users but no owners", function()
    support.needRoot()
    assert.equal("in out\n\n", runHost([[
      host.dropCapability("chown")
      local result = cp.spawnSync("sh", {"-c", "cat /dev/stdin; echo out > /dev/stdout"},
        {uid = 65534, input = "in "})
      print(result.stdout .. result.stderr)
    ]]))
  end)

  it("gives the child the pipes that were made for it, and nothing else", function()
    support.needRoot()
    local path = support.tmpdir() .. "/file"
    support.writeFile(path, "")
    local file = assert(io.open(path))
    local other = cp.spawn("cat", {stdio = {"pipe", "pipe", "inherit"}})
    local child = cp.spawn("sh", {
      "-c", "for fd in 0 1 3 4 5; do stat -L -c %u:%g /proc/self/fd/$fd || echo none; done",
    }, {
      uid = NOBODY, gid = NOBODY - 1,
      stdio = {"pipe", "pipe", "inherit", file, "pipe", other.stdout},
    })
    other.stdin:finish()
    local stdout = support.output(child)
    file:close()
    assert.equal("65534:65533\n65534:65533\n0:0\n0:0\n0:0\n", stdout)
    assert.equal(0, lfs.attributes(path, "uid"))
  end)

  it("does not stop us when somebody stops the child before it executes", function()
    local output = runHost([[
      cp.spawnSync("true") -- the first start takes another child, which shares our memory
      if not host.signalChildren(19) then return print("no children") end
      local options = {env = SLOW, stdio = "ignore", timeout = 300, killSignal = "SIGKILL"}
      options.uid = host.uid() == 0 and 65534 or nil
      local result
      repeat -- until it was seen in time
        result = cp.spawnSync("nothing", {}, options)
      until result.error.code ~= "ENOENT"
      host.leaveChildren()
      print(result.error.code, result.signal, result.pid > 0)
    ]], not support.isRoot and COPYING or nil)
    if output == "no children\n" then pending("the system does not list children") end
    assert.equal("ETIMEDOUT\tSIGKILL\ttrue\n", output)
  end)

  it("counts as done when the child is stopped: a later failure is the exit code 127", function()
    if support.isEmulated() then pending("a child of an emulator is rarely caught in time") end
    local output = runHost([[
      cp.spawnSync("true") -- the first start takes another child, which shares our memory
      if not host.signalChildren(19) then return print("no children") end
      local options = {env = SLOW, stdio = "ignore"}
      options.uid = host.uid() == 0 and 65534 or nil
      local child, seen
      repeat
        seen = {}
        child = cp.spawn("nothing", {}, options)
        for _, event in ipairs({"spawn", "error", "exit", "close"}) do
          child:on(event, function(value) seen[#seen + 1] = event .. " " .. tostring(value) end)
        end
        if child.pid then child:kill("SIGCONT") end
        cp.run()
      until child.pid
      host.leaveChildren()
      print(table.concat(seen, ", "))
    ]], not support.isRoot and COPYING or nil)
    if output == "no children\n" then pending("the system does not list children") end
    assert.equal("spawn nil, exit 127, close 127\n", output)
  end)

  it("fails where the supplementary groups would stay with another user", function()
    support.needRoot()
    local output = runHost([[
      host.setGroups(4, 27)
      host.dropCapability("setgid")
      local result = cp.spawnSync("true", {}, {uid = 65534})
      print(result.error, result.error.code, result.error.syscall, result.error.path)
      local child = cp.spawn("true", {}, {uid = 65534})
      child:on("error", print)
      cp.run()
      print(cp.spawnSync("true", {}, {uid = 0, gid = 0}).status)
    ]])
    local message = "spawn%s true EPERM: cannot drop the supplementary groups (options.uid)"
    assert.equal(("Error: %s\tEPERM\tspawnSync true\ttrue\nError: %s\n0\n")
      :format(message:format("Sync"), message:format("")), output)
  end)

  it("works where there are no supplementary groups to drop", function()
    support.needRoot()
    assert.equal("0\t65534\n", runHost([[
      host.setGroups()
      host.dropCapability("setgid")
      local result = cp.spawnSync("id", {"-u"}, {uid = 65534})
      io.write(result.status, "\t", result.stdout)
    ]]))
  end)

  it("works for everybody with the own ids", function()
    local uid, gid = lfs.attributes("/proc/self", "uid"), lfs.attributes("/proc/self", "gid")
    local result = cp.spawnSync("id", {"-u"}, {uid = uid, gid = gid})
    assert.equal(uid .. "\n", result.stdout)
    if support.isRoot then
      assert.equal("65534\n", runHost([[
        host.setGroups(4, 27)
        cp.spawnSync("true")
        host.setUid(65534)
        io.write(cp.spawnSync("id", {"-u"}, {uid = 65534}).stdout)
      ]]))
    end
  end)
end)

describe("A child that shares our memory", function()
  --- Sends a real-time signal, for which there is a handler, to children that are being started.
  local function sendRealTimeSignal(prepare)
    if support.isEmulated() then pending("an emulator makes a thread in each process") end
    local output = runHost(([[
      %s
      local signum = host.realTimeSignal()
      host.handle(signum)
      if not host.signalChildren(signum) then return print("no children") end
      local result
      repeat -- until the signal has come in time
        result = cp.spawnSync("nothing", {}, {env = SLOW, stdio = "ignore"})
      until not result.error or host.callsElsewhere() > 0
      host.leaveChildren()
      print(host.callsElsewhere(), result.error, result.status)
    ]]):format(prepare))
    if output == "no children\n" then pending("the system does not list children") end
    assert.equal("0\tnil\tnil\n", output)
  end

  it("runs no handler of ours, not even of a real-time signal", function()
    sendRealTimeSignal("")
  end)

  it("runs none either where the system cannot clear all handlers at once", function()
    sendRealTimeSignal("host.forbidThreads() -- and clone3 with them")
  end)

  it("starts with standard signals in their default disposition, and none blocked", function()
    local output = runHost([[
      host.handle(10)
      io.write(cp.execFileSync("cat", {"/proc/self/status"}))
    ]], "trap '' USR2 PIPE")
    for _, name in ipairs({"SigBlk", "SigIgn"}) do
      assert.same({}, support.signals(output:match(name .. ":%s*(%x+)")), name)
    end
  end)
end)

describe("A start that fails says what has failed:", function()
  --- Starts in both ways what cannot be started, and checks the error.
  local function check(message, path, ...)
    local file = ...
    local result = cp.spawnSync(...)
    local child = cp.spawn(...)
    local failure
    child:on("error", function(err) failure = err end)
    support.run()
    for call, err in pairs({spawn = failure, spawnSync = result.error}) do
      assert.equal(("%s %s %s"):format(call, file, message), err.message)
      assert.equal(message:match("^%u+"), err.code)
      assert.equal(call .. " " .. file, err.syscall)
      assert.equal(path, err.path)
      assert.is_true(err.errno < 0)
    end
  end

  --- Writes an executable file and gives its path.
  local function program(text)
    local path = support.tmpdir() .. "/program"
    support.executable(path, text)
    return path
  end

  it("a working directory", function()
    check("ENOENT: no such directory '/no/such/dir' (options.cwd)", "/no/such/dir", "ls",
      {cwd = "/no/such/dir"})
    check("ENOTDIR: not a directory '/etc/passwd' (options.cwd)", "/etc/passwd", "ls",
      {cwd = "/etc/passwd"})
    check("ENOENT: no such directory '~/src' (options.cwd, where ~ is not expanded)", "~/src", "ls",
      {cwd = "~/src"})
    local _, err = pcall(cp.execSync, "ls", {cwd = "/no/such/dir"})
    assert.equal("spawnSync /bin/sh ENOENT: no such directory '/no/such/dir' (options.cwd)",
      err.message)
  end)

  it("a user or a group", function()
    if support.isRoot then
      local output = runHost([[
        cp.spawn("nothing"):on("error", function() end)
        cp.run()
        host.setUid(65534)
        print(cp.spawnSync("true", {uid = 0}).error)
        print(cp.spawnSync("true", {gid = 5}).error)
      ]])
      assert.equal("Error: spawnSync true EPERM: cannot switch to the user 0 (options.uid)\n"
        .. "Error: spawnSync true EPERM: cannot switch to the group 5 (options.gid)\n", output)
    else
      check("EPERM: cannot switch to the user 0 (options.uid)", "true", "true", {uid = 0})
      check("EPERM: cannot switch to the group 0 (options.gid)", "true", "true", {gid = 0})
    end
  end)

  it("a descriptor", function()
    check("EBADF: descriptor 999 is not open (options.stdio, for the child's 1)", "true", "true",
      {stdio = {"ignore", 999}})
  end)

  it("the interpreter of a script", function()
    local path = program("#!/bin/no-such-interpreter -x\n")
    check("ENOENT: bad interpreter '/bin/no-such-interpreter'", path, path)
    path = program("#!/etc/passwd\n")
    check("EACCES: bad interpreter '/etc/passwd'", path, path)
    path = program("#! /bin/sh\r\necho\r\n")
    check("ENOENT: bad interpreter '/bin/sh\\r', the file's lines end as on Windows", path, path)
    path = program("#!no-such-interpreter\n")
    check("ENOENT: bad interpreter 'no-such-interpreter'", "./program", "./program",
      {cwd = path:match("^(.*)/")})
  end)

  it("the interpreter of a script that was found in PATH", function()
    local path = program("#!/bin/no-such-interpreter\n")
    check("ENOENT: bad interpreter '/bin/no-such-interpreter'", "program", "program",
      {env = {PATH = "/nonexistent:" .. path:match("^(.*)/")}})
  end)

  it("the interpreter of an interpreter", function()
    local path = program("#!/bin/no-such-interpreter\n")
    local script = program("#!" .. path .. "\n")
    check("ENOENT: bad interpreter '/bin/no-such-interpreter'", script, script)
  end)

  it("the interpreter of a file of more than 2 GiB", function()
    local path = program("#!/bin/no-such-interpreter\n")
    if not os.execute("truncate -s 3G " .. path) then pending("needs a file system with holes") end
    check("ENOENT: bad interpreter '/bin/no-such-interpreter'", path, path)
  end)

  it("a file that the user may not execute", function()
    support.needRoot()
    local path = program("#!/bin/sh\n")
    assert(os.execute("chmod 700 " .. path))
    check("EACCES: permission denied for the user 65534 (options.uid)", path, path, {uid = NOBODY})
  end)

  it("the loader of a binary", function()
    local path = support.tmpdir() .. "/program"
    local compiled = cp.spawnSync("sh", {"-c", [[
      echo 'int main(void) { return 0; }' |
        ${CC:-cc} -x c - -o "$0" -Wl,--dynamic-linker=/lib/no-such-loader.so
    ]], path})
    if compiled.status ~= 0 then pending("needs a compiler that takes --dynamic-linker") end
    check("ENOENT: bad interpreter '/lib/no-such-loader.so'", path, path)
  end)

  it("a file that is not executable, and a directory", function()
    local path = support.tmpdir() .. "/plain"
    support.writeFile(path, "")
    check(("EACCES: '%s' is not executable"):format(path), path, path)
    check("EACCES: '/tmp' is a directory", "/tmp", "/tmp")
  end)

  it("nothing more than that where there is no such program", function()
    check("ENOENT", "/no/such/program", "/no/such/program")
    check("ENOENT", "no-such-program", "no-such-program")
  end)

  it("what a command line is for, which is not the name of a program", function()
    check("ENOENT: the name of the program has spaces: arguments are a list of their own, and a "
      .. "command line is for exec or command.shell", "ls -l /tmp", "ls -l /tmp")
    local path = support.executable(support.tmpdir() .. "/a name", "#!/bin/echo\n")
    assert.equal(path .. "\n", cp.execFileSync(path))
  end)
end)

describe("Children that outlive their state", function()
  local LEAVE_TWO = [==[
    local text = host.inOtherState([[
      local cp = require("child_process")
      local pids = {}
      for n = 1, 2 do pids[n] = cp.spawn("cat", {stdio = {"pipe", "ignore", "inherit"}}).pid end
      return table.concat(pids, " ") -- they end when their input does, with the state
    ]])
    local function left()
      local count = 0
      for pid in text:gmatch("%d+") do
        local file = io.open("/proc/" .. pid .. "/stat")
        if file then count = count + 1 file:close() end
      end
      return count
    end
  ]==]

  --- A library whose thread-local data every thread has to have on its stack, or nil.
  local function threadLocalData()
    if os.getenv("ASAN_OPTIONS") then pending("the sanitizer has to be the first library") end
    local path = support.tmpdir() .. "/data.so"
    local compiled = cp.spawnSync("sh", {"-c", [[
      echo '__thread char data[400000] = {1};' | ${CC:-cc} -shared -fPIC -x c - -o "$0"
    ]], path})
    if compiled.status ~= 0 then pending("needs a compiler") end
    if cp.spawnSync("true", {}, {env = {LD_PRELOAD = path}}).stderr ~= "" then
      pending("other programs have another C library")
    end
    return "export LD_PRELOAD=" .. path
  end

  it("are reaped", function()
    assert.equal("0\n", runHost(LEAVE_TWO .. [[
      while left() > 0 do cp.spawnSync("sleep", {"0.01"}) end
      print(left())
    ]]))
  end)

  it("are reaped in a program with much thread-local data", function()
    assert.equal("0\n", runHost(LEAVE_TWO .. [[
      local ticks = 0
      while left() > 0 and ticks < 1000 do
        os.execute("sleep 0.02") -- which is not ours: nobody else reaps
        ticks = ticks + 1
      end
      print(left())
    ]], threadLocalData()))
  end)

  it("are reaped at the next start where no thread can be made", function()
    local output = runHost([[
      cp.spawnSync("true") -- what makes threads of its own does so now
      if not host.forbidThreads() then return print("no filters") end
    ]] .. LEAVE_TWO .. [[
      while left() > 0 do cp.spawnSync("sleep", {"0.01"}) end
      print(left())
    ]])
    if output == "no filters\n" then pending("the system has no filters for system calls") end
    assert.equal("0\n", output)
  end)

  it("do not keep names from being looked up in a program with much thread-local data", function()
    local output = runHost([[
      local socket = require("child_process.net").connect(1, "localhost")
      socket:on("error", function(err) print(err.code == "EINVAL" or err.code == "EAGAIN") end)
      socket:on("connect", function() print(false) socket:destroy() end)
      cp.run()
    ]], threadLocalData())
    assert.equal("false\n", output)
  end)
end)
