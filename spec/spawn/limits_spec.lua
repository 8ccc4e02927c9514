-- options.limits, nice, affinity and umask: what a child may use.

local cp = require("child_process")
local lfs = require("lfs")
local support = require("spec.support")

local refuse = support.refuseOptions

--- Runs a command in a shell and gives its output, which has to be one of success.
local function output(command, options)
  local result = cp.spawnSync("sh", {"-c", command}, options)
  support.assertSucceeded(result)
  return result.stdout
end

--- The error of a command that fails.
local function failure(command, options)
  local ok, err = pcall(cp.execSync, command, options)
  assert.is_false(ok)
  return err
end

--- Starts in both ways what cannot be started, and checks the error.
local function check(message, syscall, options)
  local result = cp.spawnSync("true", {}, options)
  local child = cp.spawn("true", {}, options)
  local seen
  child:on("error", function(err) seen = err end)
  support.run()
  for call, err in pairs({spawn = seen, spawnSync = result.error}) do
    assert.equal(("%s true %s"):format(call, message), err.message)
    assert.equal(message:match("^%w+"), err.code)
    assert.equal(syscall or call .. " true", err.syscall)
    assert.is_true(err.errno < 0)
  end
end

--- The limits of this process, or of one that prints its own, by their names in /proc.
---@return table<string, string[]> soft and hard
local function limitsIn(text)
  local found = {}
  for line in text:gmatch("[^\n]+") do
    local name, soft, hard = line:match("^Max (.-)%s%s+(%w+)%s+(%w+)")
    if name then found[name] = {soft, hard} end
  end
  return found
end

local function needsOwnLimits()
  if os.getenv("CHILD_PROCESS_SPEC_MODE") == "test-valgrind" then
    support.skip("valgrind has limits of its own")
  end
end

local function limitsOf(limits)
  needsOwnLimits()
  return limitsIn(output("cat /proc/$$/limits", {limits = limits}))
end

local function needsLinux()
  if not support.forLinux then pending("the build for POSIX cannot do that") end
end

local function needsRealMemory()
  if support.isEmulated() or os.getenv("ASAN_OPTIONS") then
    pending("an emulator and a sanitizer need much memory")
  end
end

describe("options.limits", function()
  it("takes numbers, which are the soft and the hard limit", function()
    local limits = limitsOf({nofile = 50, core = 0, fsize = 1000})
    assert.same({"50", "50"}, limits["open files"])
    assert.same({"0", "0"}, limits["core file size"])
    assert.same({"1000", "1000"}, limits["file size"])
  end)

  it("takes units, in both cases", function()
    local limits = limitsOf({fsize = "3K", data = "200m", as = "2G", core = "1T", nofile = "70"})
    assert.same({"3072", "3072"}, limits["file size"])
    assert.same({tostring(200 * 2 ^ 20):match("%d+"), "209715200"}, limits["data size"])
    assert.same({"2147483648", "2147483648"}, limits["address space"])
    assert.same({"1099511627776", "1099511627776"}, limits["core file size"])
    assert.same({"70", "70"}, limits["open files"])
  end)

  it("takes a soft and a hard limit, or a soft one alone", function()
    local ours = limitsIn(support.readFile("/proc/self/limits"))
    local limits = limitsOf({nofile = {40, 50}, core = {"1K"}, fsize = {0, "unlimited"}})
    assert.same({"40", "50"}, limits["open files"])
    assert.same({"1024", ours["core file size"][2]}, limits["core file size"])
    assert.same({"0", "unlimited"}, limits["file size"])
  end)

  it("takes 'unlimited' and math.huge", function()
    local limits = limitsOf({fsize = "unlimited", cpu = math.huge})
    assert.same({"unlimited", "unlimited"}, limits["file size"])
    assert.same({"unlimited", "unlimited"}, limits["cpu time"])
  end)

  it("gives the CPU time a hard limit of one second more, so that SIGXCPU comes", function()
    local limits = limitsOf({cpu = 10})
    assert.same({"10", "11"}, limits["cpu time"])
    assert.same({"10", "10"}, limitsOf({cpu = {10, 10}})["cpu time"])
    local inner = ([[
      local cp = require("child_process")
      io.write(cp.execSync("cat /proc/$$/limits", {limits = {cpu = 10}}))
    ]])
    local script = support.script(inner)
    local text = cp.execFileSync(support.lua, {script}, {limits = {cpu = {10, 10}}})
    assert.same({"10", "10"}, limitsIn(text)["cpu time"])
  end)

  it("takes every limit that the system has", function()
    local core = require("child_process.core")
    local all = {}
    for name, resource in pairs(core.limits()) do
      all[name] = {core.limit(resource) or "unlimited"}
    end
    assert.is_true(all.cpu ~= nil and all.nofile ~= nil and all.as ~= nil)
    local before = limitsIn(support.readFile("/proc/self/limits"))
    assert.same(before, limitsOf(all))
  end)

  it("may inherit from another table, and leave limits out with cp.null", function()
    local base = {nofile = 60, fsize = 5}
    local limits = limitsOf(setmetatable({fsize = cp.null}, {__index = base}))
    assert.same({"60", "60"}, limits["open files"])
    assert.same(limitsIn(support.readFile("/proc/self/limits"))["file size"], limits["file size"])
    support.assertSucceeded(cp.spawnSync("true", {}, {limits = {}}))
  end)

  it("works in all calls", function()
    needsOwnLimits()
    local command = "ulimit -n"
    local options = {limits = {nofile = 50}}
    assert.equal("50\n", cp.execSync(command, options))
    assert.equal("50\n", cp.execFileSync("sh", {"-c", command}, options))
    assert.equal("50\n", cp.promises.exec(command, options):await().stdout)
    assert.equal("50\n", cp.promises.execFile("sh", {"-c", command}, options):await().stdout)
    assert.equal("50\n", (support.output(cp.spawn("sh", {"-c", command}, options))))
    local child = cp.ChildProcess():spawn({file = "sh", args = {"sh", "-c", command},
      limits = {nofile = 50}})
    assert.equal("50\n", (support.output(child)))
    local script = support.script('io.write(io.popen("ulimit -n"):read("*a"))')
    child = cp.fork(script, {}, {limits = {nofile = 50}, silent = true})
    assert.equal("50\n", (support.output(child)))
  end)

  it("leaves the child its descriptors, however low `nofile` is", function()
    needsOwnLimits()
    local child = cp.spawn("sh", {"-c", "echo three >&3; echo nine >&9"}, {
      limits = {nofile = 16}, -- the shell needs some above 9
      stdio = {"ignore", "ignore", "inherit", "pipe", [10] = "pipe"},
    })
    local three, nine = support.collect(child.stdio[3]), support.collect(child.stdio[9])
    support.run()
    assert.equal("three\nnine\n", three() .. nine())
    -- the numbers that it has may be above the limit
    local path = support.tmpdir() .. "/file"
    support.writeFile(path, "sixty\n")
    local file = assert(io.open(path))
    local entries = {[0] = "ignore", "pipe", "inherit", [60] = file}
    child = cp.spawn("cat", {"/proc/self/fd/60"}, {limits = {nofile = 4}, stdio = entries})
    file:close()
    assert.equal("sixty\n", (support.output(child)))
  end)

  it("ends a child that has used its CPU time by SIGXCPU, which exec says", function()
    local busy = "while :; do :; done"
    local message = ("Command failed: %s (killed by SIGXCPU, options.limits.cpu is 1)\n")
      :format(busy)
    local seen
    cp.exec(busy, {limits = {cpu = 1}}, function(err) seen = err end)
    support.run()
    assert.equal(message, seen.message)
    assert.equal("SIGXCPU", seen.signal)
    local err = failure(busy, {limits = {cpu = 1}})
    assert.equal(message, err.message .. "\n")
    assert.equal("SIGXCPU", err.signal)
  end)

  it("ends a child that writes too long a file by SIGXFSZ, which exec says", function()
    local path = support.tmpdir() .. "/file"
    local options = {limits = {fsize = "4K"}, stdio = "pipe"}
    local err = failure(("exec yes > '%s'"):format(path), options)
    assert.equal(4096, lfs.attributes(path, "size"))
    assert.match("(killed by SIGXFSZ, options.limits.fsize is 4K)", err.message, 1, true)
    -- the shell goes on after its command, and returns 128 and the number of the signal
    err = failure(("yes > '%s'; exit $?"):format(path), options)
    assert.match("(exit code 153, perhaps for SIGXFSZ in a shell, options.limits.fsize is 4K)",
      err.message, 1, true)
    options.limits = {fsize = {4096, 8192}}
    err = failure(("yes > '%s'; exit $?"):format(path), options)
    assert.match("options.limits.fsize is {4096, 8192})", err.message, 1, true)
  end)

  it("says nothing about limits after other ends", function()
    local err = failure("kill -9 $$", {limits = {fsize = 1}})
    assert.equal("Command failed: kill -9 $$ (killed by SIGKILL)", err.message)
    err = failure("exec sleep 1000", {limits = {data = "1G"}, timeout = 1, killSignal = "SIGKILL"})
    assert.is_nil(err.message:find("limits", 1, true))
    local seen
    cp.exec("exec sleep 1000", {limits = {data = "1G"}}, function(killed) seen = killed end)
      :kill("SIGKILL")
    support.run()
    assert.is_nil(seen.message:find("limits", 1, true))
    for _, options in ipairs({
      {timeout = 1, killSignal = "SIGKILL"}, {timeout = 1, killSignal = "SIGXCPU"},
      {maxBuffer = 1, killSignal = "SIGKILL"}, {maxBuffer = 1, killSignal = "SIGXCPU"},
      {timeout = 1, forceKillAfterDelay = 0},
    }) do
      options.limits = {cpu = 600, data = "1G"}
      err = support.error(cp.execSync, "trap '' TERM; echo line; exec sleep 1000", options)
      assert.matches("E%u+: .*%(options%.", err.message)
      assert.is_nil(err.message:find("limits", 1, true))
    end
    err = failure("exit 153", {limits = {cpu = 1}})
    assert.equal("Command failed: exit 153 (exit code 153)", err.message)
  end)

  it("lets opening files fail", function()
    needsOwnLimits()
    local script = support.script([[
      local files, message = {}, nil
      while not message do
        files[#files + 1], message = io.open("/dev/null")
      end
      io.write(message)
    ]])
    local text = cp.execFileSync(support.lua, {script}, {limits = {nofile = 20}})
    assert.match("Too many open files", text)
  end)

  it("lets a program that needs too much memory fail", function()
    needsRealMemory()
    local result = cp.spawnSync(support.lua, {"-e", "local s = ('x'):rep(500 * 2^20)"},
      {limits = {as = "200M"}})
    assert.equal(1, result.status)
    assert.match("memory", result.stderr)
  end)

  it("tells where a program may not have got enough memory to start", function()
    needsOwnLimits()
    needsRealMemory()
    local err = failure("true", {limits = {as = 1, nofile = 100}})
    assert.match("perhaps for options.limits %(as = 1%)", err.message)
    err = failure("true", {limits = {stack = 4096}})
    assert.match("perhaps for options.limits %(stack = 4096%)", err.message)
  end)

  it("makes a start fail if the arguments need more than the stack", function()
    local text = ("x"):rep(100000)
    check("E2BIG: its arguments and environment need more than a quarter of the stack that "
      .. "options.limits allows (stack = 64K)", nil,
      {limits = {stack = "64K"}, env = {A = text, B = text}})
  end)

  it("makes a start fail if the user has too many processes", function()
    support.needRoot()
    local NOBODY = 65534
    local other = cp.spawn("cat", {}, {uid = NOBODY, stdio = {"pipe", "ignore", "inherit"}})
    other:unref()
    check("EAGAIN: its user has as many processes as options.limits allows (nproc = 0)", nil,
      {uid = NOBODY, limits = {nproc = 0}})
    other.stdin:finish()
    other:ref():wait("close")
  end)

  it("emits \"error\" for a limit above our hard limit", function()
    needsOwnLimits()
    local hard = limitsIn(support.readFile("/proc/self/limits"))["open files"][2]
    if hard == "unlimited" then pending("we have no limit") end
    local above = ("%d0"):format(hard)
    check(("EINVAL: cannot set the limit nofile to {%s}: our hard limit is %s "):format(above, hard)
      .. "(options.limits.nofile)", "setrlimit", {limits = {cpu = 1, nofile = {above}}})
    if support.isRoot then
      local err = cp.spawnSync("true", {limits = {nofile = "1T"}}).error
      assert.match("EPERM: cannot set the limit nofile to 1T: ", err.message, 1, true)
    end
  end)

  it("refuses everything else at once", function()
    refuse("ERR_INVALID_ARG_TYPE", "options.limits", {limits = 5})
    refuse("ERR_INVALID_ARG_VALUE", "did you mean 'nofile'?", {limits = {nofiles = 5}})
    refuse("ERR_INVALID_ARG_VALUE", "did you mean 'cpu'?", {limits = {RLIMIT_CPU = 1}})
    refuse("ERR_INVALID_ARG_VALUE", "must be a whole number, one with K", {limits = {as = "1.5G"}})
    refuse("ERR_INVALID_ARG_VALUE", "no limit of this system; it has as, core, cpu, data, fsize",
      {limits = {[1] = 5}})
    refuse("ERR_INVALID_ARG_VALUE", "options.limits", {limits = {5}})
    refuse("ERR_INVALID_ARG_TYPE", "options.limits.cpu", {limits = {cpu = true}})
    refuse("ERR_OUT_OF_RANGE", "options.limits.cpu", {limits = {cpu = -1}})
    refuse("ERR_OUT_OF_RANGE", 'The value of "options.limits.cpu" is out of range. '
      .. "It must be an integer >= 0. Received 1.5", {limits = {cpu = 1.5}})
    refuse("ERR_OUT_OF_RANGE", "options.limits.cpu", {limits = {cpu = 0 / 0}})
    refuse("ERR_INVALID_ARG_VALUE", "options.limits.as", {limits = {as = "2X"}})
    refuse("ERR_INVALID_ARG_VALUE", "options.limits.as", {limits = {as = ""}})
    refuse("ERR_INVALID_ARG_VALUE", "options.limits.as", {limits = {as = "1.5G"}})
    refuse("ERR_INVALID_ARG_TYPE", "options.limits.as[1]", {limits = {as = {}}})
    refuse("ERR_INVALID_ARG_TYPE", "must be one of type number or string.",
      {limits = {as = {{1}, 2}}})
    refuse("ERR_OUT_OF_RANGE", "options.limits.as", {limits = {as = "99999999999999T"}})
    refuse("ERR_OUT_OF_RANGE", "options.limits.as", {limits = {as = ("9"):rep(400)}})
    refuse("ERR_OUT_OF_RANGE", "options.limits.as", {limits = {as = 2 ^ 70}})
    refuse("ERR_INVALID_ARG_VALUE", "a soft limit above the hard one", {limits = {as = {2, 1}}})
    refuse("ERR_INVALID_ARG_VALUE", "{soft, hard}", {limits = {as = {1, 2, 3}}})
    refuse("ERR_INVALID_ARG_VALUE", "{soft, hard}", {limits = {as = {soft = 1}}})
  end)
end)

describe("options.nice", function()
  it("is the niceness of the child", function()
    local ours = tonumber(output("nice"))
    assert.equal("19\n", output("nice", {nice = 19}))
    assert.equal(ours .. "\n", output("nice", {nice = ours}))
    if support.isRoot then assert.equal("-3\n", output("nice", {nice = -3})) end
  end)

  it("emits \"error\" if we may not lower it", function()
    support.needRoot()
    local script = support.script([[
      local cp = require("child_process")
      local result = cp.spawnSync("true", {nice = -20})
      print(result.error, result.error.code, result.error.syscall)
    ]])
    local text = cp.execFileSync(support.lua, {script},
      {uid = 65534, gid = 65534, limits = {nice = 0}})
    assert.equal("Error: spawnSync true EACCES: cannot set the niceness to -20: we may only raise "
      .. "it (options.nice)\tEACCES\tsetpriority\n", text)
  end)

  it("must be an integer from -20 to 19", function()
    refuse("ERR_OUT_OF_RANGE", 'The value of "options.nice" is out of range. '
      .. "It must be >= -20 and <= 19. Received 20", {nice = 20})
    refuse("ERR_OUT_OF_RANGE", "options.nice", {nice = -21})
    refuse("ERR_OUT_OF_RANGE", "options.nice", {nice = 0.5})
    refuse("ERR_INVALID_ARG_TYPE", "options.nice", {nice = "5"})
  end)
end)

describe("options.affinity", function()
  --- The CPUs of a process: "0-3".
  local function cpusIn(status)
    return status:match("Cpus_allowed_list:%s*(%S+)")
  end

  it("is the list of CPUs on which the child may run, counted from 0", function()
    needsLinux()
    local first = cpusIn(support.readFile("/proc/self/status")):match("%d+")
    local text = output("cat /proc/self/status", {affinity = {tonumber(first)}})
    assert.equal(first, cpusIn(text))
  end)

  it("emits \"error\" for a CPU that is not there", function()
    needsLinux()
    local first = tonumber(cpusIn(support.readFile("/proc/self/status")):match("%d+"))
    local message = "EINVAL: cannot run on CPU 8191: we may not use it, or it does not exist "
      .. "(options.affinity)"
    check(message, "sched_setaffinity", {affinity = {8191}})
    check(message, "sched_setaffinity", {affinity = {first, 8191}})
  end)

  it("emits \"error\" where the build cannot do it", function()
    if support.forLinux then pending("the build for Linux can") end
    check("ENOTSUP: this system does not bind processes to CPUs (options.affinity)",
      "sched_setaffinity", {affinity = {0}})
  end)

  it("must be a list of numbers", function()
    refuse("ERR_INVALID_ARG_TYPE", "options.affinity", {affinity = 0})
    refuse("ERR_INVALID_ARG_VALUE", "options.affinity", {affinity = {}})
    refuse("ERR_INVALID_ARG_VALUE", "options.affinity", {affinity = {[0] = 0}})
    refuse("ERR_INVALID_ARG_VALUE", "options.affinity", {affinity = {cpu = 0}})
    refuse("ERR_INVALID_ARG_TYPE", "options.affinity[2]", {affinity = {0, "1"}})
    refuse("ERR_OUT_OF_RANGE", "options.affinity[1]", {affinity = {-1}})
    refuse("ERR_OUT_OF_RANGE", "options.affinity[1]", {affinity = {8192}})
  end)
end)

describe("options.umask", function()
  it("is octal digits, or a number", function()
    assert.equal("0077\n", output("umask", {umask = "077"}))
    assert.equal("0007\n", output("umask", {umask = "7"}))
    assert.equal("0022\n", output("umask", {umask = 18}))
    assert.equal("0000\n", output("umask", {umask = 0}))
    assert.equal("0777\n", output("umask", {umask = "0777"}))
  end)

  it("refuses what is not a mask", function()
    refuse("ERR_INVALID_ARG_VALUE", "options.umask", {umask = "088"})
    refuse("ERR_INVALID_ARG_VALUE", "options.umask", {umask = ""})
    refuse("ERR_INVALID_ARG_VALUE", "options.umask", {umask = "1000"})
    refuse("ERR_OUT_OF_RANGE", "options.umask", {umask = 512})
    refuse("ERR_OUT_OF_RANGE", "options.umask", {umask = -1})
    refuse("ERR_INVALID_ARG_TYPE", "options.umask", {umask = true})
  end)
end)

describe("What a child may use", function()
  --- A script that prints what it has itself before and after a hundred starts at once.
  local SCRIPT = [[
    local cp = require("child_process")
    local function state()
      return cp.execSync("cat /proc/$PPID/limits; grep -E '^(Cpus_allowed_list|Groups|Umask|NoNew"
        .. "Privs|Uid|Gid)' /proc/$PPID/status; nice; umask; readlink /proc/$PPID/cwd; "
        .. "cut -d' ' -f5,19 /proc/$PPID/stat")
    end
    local before = state()
    local code = 0
    for n = 1, 100 do
      local options = {
        limits = {cpu = 10, nofile = 20, fsize = 5, core = 0, as = "900M"}, nice = 19,
        umask = "077", cwd = "/", processGroup = 0, stdio = "ignore",
      }
      if %s then options.affinity, options.noNewPrivileges = {%s}, true end
      if %s then options.groups = {4, 27} end
      local child = cp.spawn(n %% 2 == 0 and "true" or "/no/such", {}, options)
      child:on("error", function() end)
      child:on("exit", function(status) code = math.max(code, status or 255) end)
    end
    cp.run()
    print(code, before == state())
  ]]

  it("does not touch the parent, in both kinds of start", function()
    needsRealMemory()
    local cpu = support.readFile("/proc/self/status"):match("Cpus_allowed_list:%s*(%d+)")
    local script = support.script(SCRIPT:format(tostring(support.forLinux), cpu,
      tostring(support.isRoot)))
    for _, value in ipairs({"", "1"}) do
      local text = cp.execFileSync("env", {"CHILD_PROCESS_NO_VFORK=" .. value, support.lua, script})
      assert.equal("0\ttrue\n", text)
    end
  end)
end)
