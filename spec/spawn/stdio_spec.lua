-- options.stdio: what the child's descriptors are, and what the parent sees of them.

local cp = require("child_process")
local support = require("spec.support")

local PIPES = {[0] = "pipe", [1] = "pipe", [2] = "pipe"}
local NULLS = {[0] = "/dev/null", [1] = "/dev/null", [2] = "/dev/null"}

--- What the descriptors of a child are, and the child.
local function descriptors(stdio)
  return support.childFds(function(file, args)
    local child = cp.spawn(file, args, {stdio = stdio})
    support.run()
    assert.equal(0, child.exitCode)
    return child
  end)
end

--- Runs a script that requires the module, and gives its stdout and stderr.
local function outputOfScript(text, input)
  local script = support.script('local cp = require("child_process")\n' .. text .. "\ncp.run()\n")
  local child = cp.spawn(support.lua, {script})
  child.stdin:finish(input)
  return support.output(child)
end

--- Opens a file in the way of any program that does not know close-on-exec.
---@return file* file
---@return integer fd
local function openWithFd(path, mode)
  local before = {}
  for _, entry in ipairs(support.openFds()) do before[entry] = true end
  local file = assert(io.open(path, mode))
  for _, entry in ipairs(support.openFds()) do
    if not before[entry] then return file, tonumber(entry:match("^%d+")) end
  end
end

describe("options.stdio", function()
  it("is by default equal to {'pipe', 'pipe', 'pipe'}", function()
    local plain, child = descriptors(nil)
    assert.same(PIPES, plain)
    assert.same(plain, (descriptors({"pipe", "pipe", "pipe"})))
    assert.same(plain, (descriptors({})))
    assert.equal(child.stdin, child.stdio[0])
    assert.equal(child.stdout, child.stdio[1])
    assert.equal(child.stderr, child.stdio[2])
  end)

  it("redirects stdin, stdout, and stderr by default to streams on the ChildProcess object",
    function()
      local child = cp.spawn("sh", {"-c", "cat; cat nothing"}, {cwd = "/proc/self/fd"})
      child.stdin:finish("input")
      local stdout, stderr = support.output(child)
      assert.equal("input", stdout)
      assert.matches("nothing", stderr, 1, true)
    end)

  describe("as a string", function()
    it("'pipe' is equivalent to {'pipe', 'pipe', 'pipe'} (the default)", function()
      local child = cp.spawn("cat", {stdio = "pipe"})
      child.stdin:finish("piped")
      assert.equal("piped", (support.output(child)))
      assert.is_not_nil(child.stderr)
    end)

    it("'overlapped' is equivalent to {'overlapped', 'overlapped', 'overlapped'}", function()
      assert.same(PIPES, (descriptors("overlapped")))
    end)

    it("'ignore' is equivalent to {'ignore', 'ignore', 'ignore'}", function()
      local found, child = descriptors("ignore")
      assert.same(NULLS, found)
      assert.same(found, (descriptors({"ignore", "ignore", "ignore"})))
      assert.is_nil(child.stdin)
      assert.is_nil(child.stdout)
      assert.is_nil(child.stderr)
    end)

    it("'inherit' is equivalent to {'inherit', 'inherit', 'inherit'} or {0, 1, 2}", function()
      for _, stdio in ipairs({"'inherit'", "{'inherit', 'inherit', 'inherit'}", "{0, 1, 2}"}) do
        local stdout, stderr = outputOfScript(([[
          local child = cp.spawn("sh", {"-c", "cat; echo problem >&2"}, {stdio = %s})
          assert(not child.stdin and not child.stdout and not child.stderr)
        ]]):format(stdio), "input")
        assert.equal("input", stdout)
        assert.equal("problem\n", stderr)
      end
    end)
  end)

  describe("as an array", function()
    it("has an index for each fd in the child, the first entry being fd 0", function()
      assert.same({[0] = "/dev/null", [1] = "pipe", [2] = "/dev/null"},
        (descriptors({"ignore", "pipe", "ignore"})))
    end)

    it("is indexed by fd when it has a key [0]", function()
      local found, child = descriptors({[0] = "ignore", [1] = "ignore", [2] = "pipe"})
      assert.same({[0] = "/dev/null", [1] = "/dev/null", [2] = "pipe"}, found)
      assert.is_nil(child.stdout)
      assert.is_not_nil(child.stderr)
    end)

    it("has the fds 0, 1, and 2 correspond to stdin, stdout, and stderr, respectively", function()
      local child = cp.spawn("sh", {"-c", "cat; echo problem >&2"},
        {stdio = {"pipe", "pipe", "pipe"}})
      child.stdio[0]:finish("input")
      local stdout, stderr = support.collect(child.stdio[1]), support.collect(child.stdio[2])
      support.run()
      assert.equal("input", stdout())
      assert.equal("problem\n", stderr())
    end)

    it("may have additional fds that create additional pipes between the parent and "
      .. "child", function()
      local child = cp.spawn("sh", {"-c", "cat <&3 >&4"},
        {stdio = {"ignore", "ignore", "ignore", "pipe", "pipe"}})
      child.stdio[3]:finish("by other ways")
      local received = support.collect(child.stdio[4])
      support.run()
      assert.equal("by other ways", received())
    end)

    it("leaves out what it does not list, up to a high fd", function()
      local found, child = descriptors({[0] = "ignore", [1] = "ignore", [40] = "pipe"})
      assert.same({[0] = "/dev/null", [1] = "/dev/null", [2] = "pipe", [40] = "socket"}, found)
      assert.is_not_nil(child.stdio[40])
      assert.is_nil(child.stdio[39])
    end)
  end)

  describe("'pipe'", function()
    it("creates a pipe between the child process and the parent process", function()
      assert.same(PIPES, (descriptors({"pipe", "pipe", "pipe"})))
    end)

    it("exposes the parent end as child.stdio[fd]", function()
      local child = cp.spawn("sh", {"-c", "echo five >&5"},
        {stdio = {[0] = "ignore", [5] = "pipe"}})
      local received = support.collect(child.stdio[5])
      support.run()
      assert.equal("five\n", received())
    end)

    it("makes pipes for fds 0, 1, and 2 also available as stdin, stdout and stderr, "
      .. "respectively", function()
      local child = cp.spawn("true", {stdio = {"pipe", "pipe", "pipe"}})
      assert.is_not_nil(child.stdin)
      assert.equal(child.stdio[0], child.stdin)
      assert.equal(child.stdio[1], child.stdout)
      assert.equal(child.stdio[2], child.stderr)
      assert.are_not.equal(child.stdout, child.stderr)
      support.run()
    end)

    it("is two-way on fd 3 and up", function()
      local child = cp.spawn("sh", {"-c", 'read word <&3; echo "got $word" >&3'},
        {stdio = {"ignore", "ignore", "inherit", "pipe"}})
      local received = support.collect(child.stdio[3])
      child.stdio[3]:write("hello\n")
      support.run()
      assert.equal("got hello\n", received())
    end)
  end)

  it("'overlapped' is exactly the same as 'pipe' on non-Windows systems", function()
    local child = cp.spawn("sh", {"-c", "cat; cat <&3 >&2"},
      {stdio = {"overlapped", "overlapped", "overlapped", "overlapped"}})
    child.stdin:finish("first")
    child.stdio[3]:finish("second")
    local stdout, stderr = support.output(child)
    assert.equal("first", stdout)
    assert.equal("second", stderr)
  end)

  describe("'ignore'", function()
    it("ignores the fd in the child", function()
      local found = descriptors({"pipe", "pipe", "pipe", "ignore", "pipe"})
      assert.is_nil(found[3])
      assert.equal("socket", found[4])
    end)

    it("opens /dev/null and attaches it to the child's fds 0, 1 and 2, which are always "
      .. "open", function()
      assert.same(NULLS, (descriptors("ignore")))
    end)

    it("gives a /dev/null that can be read as stdin and written as stdout", function()
      local child = cp.spawn("sh", {"-c", "cat && echo text && echo text >&2"}, {stdio = "ignore"})
      support.run()
      assert.equal(0, child.exitCode)
    end)
  end)

  describe("'inherit'", function()
    it("passes through the corresponding stdio stream to the parent process", function()
      local stdout, stderr = outputOfScript([[
        cp.spawn("sh", {"-c", "echo out; echo err >&2"}, {stdio = {"ignore", "ignore", "inherit"}})
      ]])
      assert.equal("", stdout)
      assert.equal("err\n", stderr)
    end)

    it("is in the first three positions equivalent to process.stdin, .stdout, and .stderr",
      function()
        local stdout, stderr = outputOfScript([[
          local process = require("child_process.process")
          cp.spawn("sh", {"-c", "cat; echo problem >&2"},
            {stdio = {process.stdin, process.stdout, process.stderr}})
        ]], "input")
        assert.equal("input", stdout)
        assert.equal("problem\n", stderr)
      end)

    it("is in any other position equivalent to 'ignore'", function()
      local file = assert(io.open("/dev/null"))
      local found = descriptors({"ignore", "ignore", "ignore", "inherit", "inherit", "inherit"})
      file:close()
      assert.same(NULLS, found)
    end)
  end)

  describe("a Stream object", function()
    it("shares a readable stream with the child process", function()
      local echo = cp.spawn("echo", {"from one child to another"})
      local cat = cp.spawn("cat", {stdio = {echo.stdout, "pipe", "pipe"}})
      assert.is_nil(cat.stdin)
      assert.equal("from one child to another\n", (support.output(cat)))
    end)

    it("shares a writable stream with the child process", function()
      local cat = cp.spawn("cat")
      local echo = cp.spawn("echo", {"straight into stdin"},
        {stdio = {"ignore", cat.stdin, "ignore"}})
      local stdout = support.collect(cat.stdout)
      echo:on("exit", function() cat.stdin:finish() end)
      support.run()
      assert.equal("straight into stdin\n", stdout())
    end)

    it("lets us write to a shared stream without blocking", function()
      local cat = cp.spawn("cat")
      local other = cp.spawn("true", {stdio = {"ignore", cat.stdin}})
      local text = ("x"):rep(1000000)
      local collected = support.collect(cat.stdout)
      other:on("close", function() cat.stdin:finish(text) end)
      support.run()
      assert.is_true(text == collected())
    end)

    it("leaves data of a shared stream to the child, also after the child that wrote it has ended",
      function()
        local echo = cp.spawn("echo", {"not drained"})
        local stdout
        echo:on("exit", function()
          local cat = cp.spawn("cat", {stdio = {echo.stdout, "pipe", "inherit"}})
          stdout = support.collect(cat.stdout)
        end)
        support.run()
        assert.equal("not drained\n", stdout())
      end)

    it("keeps its data for us where the child that should get it cannot be started", function()
      local echo = cp.spawn("echo", {"still ours"})
      local output
      cp.spawn("/nonexistent/command", {stdio = {echo.stdout}}):on("error", function()
        output = support.collect(echo.stdout)
      end)
      support.run()
      assert.equal("still ours\n", output())
    end)

    it("keeps its data for us beside an entry that is invalid", function()
      local echo = cp.spawn("echo", {"still ours"})
      local err = support.error(cp.spawn, "cat", {stdio = {echo.stdout, "nonsense"}})
      assert.equal("ERR_INVALID_SYNC_FORK_INPUT", err.code)
      assert.is_true(echo.stdout.readableFlowing ~= false)
      assert.equal("still ours\n", (support.output(echo)))
    end)

    it("can be read again by us, which does not make the loop wait for its data", function()
      -- The child takes its first line and leaves it in blocking mode. The third line is asked for
      -- only after the second was read. A loop that waits in there is ended by the limit.
      local child = cp.spawn(support.lua, {support.script([[
        local cp = require("child_process")
        local source = cp.spawn("sh", {"-c", "echo a; read x <&3; echo b; read x <&3; echo c"},
          {stdio = {"ignore", "pipe", "inherit", "pipe"}})
        local reader = cp.spawn("sh", {"-c", "read x; echo child $x"},
          {stdio = {source.stdout, "inherit", "inherit"}})
        reader:on("exit", function()
          source.stdout:on("data", function(data)
            io.write("parent ", data)
            if data == "b\n" then source.stdio[3]:write("\n") end
          end)
          source.stdout:resume()
          source.stdio[3]:write("\n")
        end)
        cp.run()
      ]])}, {timeout = 20000, killSignal = "SIGKILL", stdio = {"ignore", "pipe", "inherit"}})
      assert.equal("child a\nparent b\nparent c\n", (support.output(child)))
      assert.equal(0, child.exitCode)
    end)

    it("has its underlying descriptor duplicated to the fd that corresponds to the "
      .. "index", function()
      local cat = cp.spawn("cat")
      local echo = cp.spawn("sh", {"-c", "echo seven >&7"},
        {stdio = {[0] = "ignore", [7] = cat.stdin}})
      assert.is_nil(echo.stdio[7])
      local stdout = support.collect(cat.stdout)
      echo:on("exit", function() cat.stdin:finish() end)
      support.run()
      assert.equal("seven\n", stdout())
    end)

    it("may be a file", function()
      local path = support.tmpdir() .. "/out.log"
      local file = assert(io.open(path, "w"))
      local child = cp.spawn("sh", {"-c", "echo out; echo err >&2"},
        {stdio = {"ignore", file, file}})
      assert.is_nil(child.stdout)
      file:close()
      support.run()
      assert.equal("out\nerr\n", support.readFile(path))
    end)

    it("may be one of the files that Lua opens", function()
      local stdout, stderr = outputOfScript([[
        cp.spawn("sh", {"-c", "cat; echo problem >&2"}, {stdio = {io.stdin, io.stdout, io.stderr}})
      ]], "input")
      assert.equal("input", stdout)
      assert.equal("problem\n", stderr)
    end)

    it("must have an underlying descriptor", function()
      local child = cp.spawn("true")
      support.run()
      local err = support.error(cp.spawn, "true", {stdio = {child.stdin}})
      assert.equal("ERR_INVALID_ARG_VALUE", err.code)
    end)
  end)

  describe("an integer", function()
    it("is a file descriptor that is currently open in the parent process, shared with the "
      .. "child", function()
      local path = support.tmpdir() .. "/out.log"
      local file, fd = openWithFd(path, "w")
      local child = cp.spawn("sh", {"-c", "echo out; echo three >&3"},
        {stdio = {"ignore", fd, "inherit", fd}})
      support.run()
      file:close()
      assert.equal(0, child.exitCode)
      assert.equal("out\nthree\n", support.readFile(path))
    end)

    it("may be the number at which the child gets it", function()
      local file, fd = openWithFd("/dev/null")
      local found = descriptors({[0] = "ignore", [1] = "ignore", [2] = "ignore", [fd] = fd})
      file:close()
      assert.equal("/dev/null", found[fd])
    end)

    it("may change places with another", function()
      local stdout, stderr = outputOfScript([[
        cp.spawn("sh", {"-c", "echo out; echo err >&2"}, {stdio = {"ignore", 2, 1}})
      ]])
      assert.equal("err\n", stdout)
      assert.equal("out\n", stderr)
    end)

    it("may be named several times and rotated", function()
      local stdout, stderr = outputOfScript([[
        cp.spawn("sh", {"-c", "cat <&2; echo one >&1; echo zero >&0; echo five >&5"},
          {stdio = {[0] = 1, [1] = 2, [2] = 0, [5] = 2}})
      ]], "input\n")
      assert.equal("zero\n", stdout)
      assert.equal("input\none\nfive\n", stderr)
    end)

    it("that is not open gives an EBADF error event", function()
      local child = cp.spawn("true", {stdio = {"pipe", 999}})
      local events = support.events(child)
      support.run()
      assert.same({
        "error Error: spawn true EBADF: "
          .. "descriptor 999 is not open (options.stdio, for the child's 1)",
        "close -9 nil",
      }, events)
    end)
  end)

  describe("nil, false and cp.null", function()
    it("use the default value: a pipe for stdio fds 0, 1, and 2", function()
      assert.same(PIPES, (descriptors({[0] = false})))
      assert.same(PIPES, (descriptors({false, cp.null, nil})))
      assert.same({[0] = "/dev/null", [1] = "pipe", [2] = "pipe"}, (descriptors({"ignore"})))
      local found = descriptors({nil, nil, "ignore"})
      assert.same({[0] = "pipe", [1] = "pipe", [2] = "/dev/null"}, found)
    end)

    it("use the default value: 'ignore' for fd 3 and up", function()
      local found, child = descriptors({"pipe", "pipe", "pipe", false, cp.null, nil, "pipe"})
      assert.same({[0] = "pipe", [1] = "pipe", [2] = "pipe", [6] = "socket"}, found)
      assert.is_nil(child.stdio[3])
      assert.is_not_nil(child.stdio[6])
    end)
  end)

  describe("examples", function()
    it("the child will use parent's stdios", function()
      local stdout, stderr = outputOfScript([[
        cp.spawn("sh", {"-c", "echo out; echo err >&2"}, {stdio = "inherit"})
      ]])
      assert.equal("out\n", stdout)
      assert.equal("err\n", stderr)
    end)

    it("spawn a child sharing only stderr", function()
      local stdout, stderr = outputOfScript([[
        local process = require("child_process.process")
        local child = cp.spawn("sh", {"-c", "echo hidden; echo err >&2"},
          {stdio = {"pipe", "pipe", process.stderr}})
        child.stdout:on("data", function(data) io.write("seen by the parent: ", data) end)
      ]])
      assert.equal("seen by the parent: hidden\n", stdout)
      assert.equal("err\n", stderr)
    end)

    it("open an extra fd=4, to interact with programs presenting a startd-style "
      .. "interface", function()
      local child = cp.spawn("sh", {"-c", 'read line <&4; echo "started $line" >&4'},
        {stdio = {"pipe", nil, nil, nil, "pipe"}})
      assert.is_not_nil(child.stdout)
      assert.is_nil(child.stdio[3])
      local received = support.collect(child.stdio[4])
      child.stdio[4]:write("service\n")
      support.run()
      assert.equal("started service\n", received())
    end)
  end)

  it("gives the child ends that block, as programs expect", function()
    local child = cp.spawn("grep", {"-h", "^flags:", "/proc/self/fdinfo/0", "/proc/self/fdinfo/1",
      "/proc/self/fdinfo/3"}, {stdio = {"pipe", "pipe", "inherit", "pipe"}})
    local nonblocking = {}
    for octal in (support.output(child)):gmatch("(%d+)\n") do
      nonblocking[#nonblocking + 1] = octal:find("[4-7]...$") ~= nil
    end
    assert.same({false, false, false}, nonblocking)
  end)

  it("closes the parent's copies of what it gave to the child", function()
    local before = support.openFds()
    for _ = 1, 5 do
      local child = cp.spawn("true", {stdio = {"pipe", "ignore", "pipe", "pipe", 1}})
      support.output(child)
    end
    assert.same(before, support.openFds())
  end)
end)

describe("where Node surprises", function()
  it("a child that opens /dev/stdin, /dev/stdout or /dev/stderr gets what it expects", function()
    local child = cp.spawn("sh", {"-c", "cat /dev/stdin > /dev/stdout; echo problem > /dev/stderr"})
    child.stdin:finish("reopened")
    local stdout, stderr = support.output(child)
    assert.equal("reopened", stdout)
    assert.equal("problem\n", stderr)
  end)

  it("a child inherits no descriptor that stdio did not name, whatever the host left "
    .. "open", function()
    local files = {}
    for i = 1, 20 do files[i] = assert(io.open("/dev/zero")) end
    local other = cp.spawn("cat", {stdio = {"pipe", "pipe", "pipe", "pipe"}})
    other:unref()
    local found = descriptors({"pipe", "pipe", "pipe", files[20]})
    other:ref()
    other.stdin:finish()
    for _, file in ipairs(files) do file:close() end
    support.run()
    assert.same({[0] = "pipe", [1] = "pipe", [2] = "pipe", [3] = "/dev/zero"}, found)
  end)

  it("a child inherits no high descriptor that the host inherited itself", function()
    local script = support.script([[
      local cp = require("child_process")
      cp.spawn("sh", {"-c", "for fd in 3 9 30 300; do [ -e /proc/$$/fd/$fd ] && echo $fd; done; :"},
        {stdio = "inherit"})
      cp.run()
    ]])
    local command = 'exec 9</dev/null 300</dev/null; exec "$0" "$1"'
    local child = cp.spawn("bash", {"-c", command, support.lua, script},
      {stdio = {"ignore", "pipe", "inherit", "pipe"}})
    assert.equal("", (support.output(child)))
    assert.equal(0, child.exitCode)
  end)

  it("stdin emits 'close' at once when the child closes it, not at the next write", function()
    local child = cp.spawn("sh", {"-c", "exec 0<&-; cat <&3"},
      {stdio = {"pipe", "pipe", "pipe", "pipe"}})
    local stillRunning
    child.stdin:on("close", function()
      stillRunning = child.exitCode == nil
      child.stdio[3]:finish("after stdin")
    end)
    assert.equal("after stdin", (support.output(child)))
    assert.is_true(stillRunning)
  end)

  it("'close' always comes: streams that nobody reads are drained after 'exit'", function()
    local command = "head -c 60000 /dev/zero; echo unread >&2; echo unread >&3; exit 3"
    local child = cp.spawn("sh", {"-c", command},
      {stdio = {"pipe", "pipe", "pipe", "pipe"}})
    local events = support.events(child)
    support.run()
    assert.same({"spawn", "exit 3 nil", "close 3 nil"}, events)
  end)

  it("a script that was started without stdin, stdout or stderr can spawn as any other", function()
    local folder = support.tmpdir()
    local script = support.script(([[
      local cp = require("child_process")
      local child = cp.spawn("sh", {"-c", "cat; echo problem >&2"})
      local seen = {}
      child.stdout:on("data", function(data) seen[#seen + 1] = data end)
      child.stderr:on("data", function(data) seen[#seen + 1] = data end)
      child.stdin:finish("input\n")
      cp.run()
      local file = io.open("%s/report", "w")
      table.sort(seen)
      file:write(table.concat(seen))
      file:close()
    ]]):format(folder))
    local child = cp.spawn("sh", {"-c", '"$0" "$1" 0<&- 1>&- 2>&-', support.lua, script})
    support.run()
    assert.equal(0, child.exitCode)
    assert.equal("input\nproblem\n", support.readFile(folder .. "/report"))
  end)
end)
