-- options.stdio, where a call is synchronous

local cp = require("child_process")
local support = require("spec.support")

local function sh(script, options) return cp.spawnSync("sh", {"-c", script}, options) end

--- What the descriptors of a child are, and the result of its run.
local function descriptors(stdio)
  return support.childFds(function(file, args)
    local result = cp.spawnSync(file, args, {stdio = stdio})
    support.assertSucceeded(result)
    return result
  end)
end

describe("child_process.spawnSync: options.stdio", function()
  it("is the child's stdio configuration: pipes by default, 'pipe' and 'overlapped'", function()
    for _, stdio in ipairs({
      false, "pipe", "overlapped", {}, {"pipe", "overlapped", false}, {cp.null, nil, "pipe"},
    }) do
      local found, result = descriptors(stdio or nil)
      assert.same({[0] = "pipe", "pipe", "pipe"}, found)
      assert.same({"", ""}, result.output)
    end
  end)

  it("'ignore' attaches /dev/null, and there is no output", function()
    for _, stdio in ipairs({"ignore", {"ignore", "ignore", "ignore"}}) do
      local found, result = descriptors(stdio)
      assert.same({[0] = "/dev/null", "/dev/null", "/dev/null"}, found)
      assert.same({}, result.output)
      assert.is_nil(result.stdout)
      assert.is_nil(result.stderr)
    end
    support.assertSucceeded(sh("cat && echo text && echo text >&2", {stdio = "ignore"}))
  end)

  it("'inherit' passes through the corresponding stdio stream of the parent process", function()
    for _, stdio in ipairs({
      "'inherit'", "{'inherit', 'inherit', 'inherit'}", "{0, 1, 2}",
      "{io.stdin, io.stdout, io.stderr}",
      "{process.stdin, process.stdout, process.stderr}",
    }) do
      local path = support.tmpdir() .. "/input"
      support.writeFile(path, "input\n")
      local stdout, stderr = support.runScript(([[
        local process = require("child_process.process")
        io.write("before\n") -- is still in the buffer of the file
        local result = cp.spawnSync("sh", {"-c", "cat; echo problem >&2; exit 3"}, {stdio = %s})
        io.write("after\n")
        assert(result.status == 3 and result.stdout == nil and result.stderr == nil)
        assert(next(result.output) == nil)
      ]]):format(stdio), "exec <" .. path)
      assert.equal("before\ninput\nafter\n", stdout)
      assert.equal("problem\n", stderr)
    end
  end)

  it("'inherit' is in any other position equivalent to 'ignore'", function()
    local found, result = descriptors({"ignore", "ignore", "ignore", "inherit", "ignore"})
    assert.same({[0] = "/dev/null", "/dev/null", "/dev/null"}, found)
    assert.same({}, result.output)
  end)

  it("has an index for each fd in the child, or is indexed by fd when it has a key [0]",
    function()
      local result = sh("echo out; echo err >&2", {stdio = {"ignore", "ignore", "pipe"}})
      assert.same({[2] = "err\n"}, result.output)
      assert.is_nil(result.stdout)
      assert.equal("err\n", result.stderr)
      result = sh("echo out; echo err >&2", {stdio = {[0] = "ignore", [2] = "ignore"}})
      assert.same({"out\n"}, result.output)
    end)

  it("may have files", function()
    local folder = support.tmpdir()
    support.writeFile(folder .. "/in", "from a file\n")
    local input = assert(io.open(folder .. "/in"))
    local out = assert(io.open(folder .. "/out", "w"))
    out:write("ours first\n")
    local result = sh("cat; echo problem >&2; exit 4", {stdio = {input, out, out}})
    out:write("and last\n")
    out:close()
    input:close()
    assert.equal(4, result.status)
    assert.is_nil(result.stdout)
    assert.equal("ours first\nfrom a file\nproblem\nand last\n", support.readFile(folder .. "/out"))
  end)

  it("may have file descriptors that are open in the parent process", function()
    local folder = support.tmpdir()
    support.writeFile(folder .. "/in", "from a descriptor\n")
    local stdout, stderr = support.runScript([[
      local result = cp.spawnSync("sh", {"-c", "cat; echo problem >&2; echo five >&5"}, {
        stdio = {8, 9, 1, "ignore", "ignore", 9},
      })
      assert(result.status == 0 and next(result.output) == nil)
      result = cp.spawnSync("sh", {"-c", "echo out; echo err >&2"}, {stdio = {"ignore", 2, 1}})
      assert(result.status == 0 and next(result.output) == nil)
    ]], ("exec 8<%s/in 9>%s/out"):format(folder, folder))
    assert.equal("from a descriptor\nfive\n", support.readFile(folder .. "/out"))
    assert.equal("problem\nerr\n", stdout)
    assert.equal("out\n", stderr)
  end)

  it("may have streams of ours", function()
    local cat = cp.spawn("cat")
    local received = support.collect(cat.stdout)
    local result = sh("echo straight into stdin; echo e >&2", {
      stdio = {"ignore", cat.stdin, "pipe"},
    })
    support.assertSucceeded(result)
    assert.same({[2] = "e\n"}, result.output)
    cat.stdin:finish("and from us\n")
    support.run()
    assert.equal("straight into stdin\nand from us\n", received())

    local source = cp.spawn("sh", {"-c", "echo from one child; echo to another"})
    result = cp.spawnSync("cat", {stdio = {source.stdout, "pipe", "pipe"}})
    assert.equal("from one child\nto another\n", result.stdout)
    support.run()
    assert.equal(0, source.exitCode)
  end)

  it("may have streams of ours, which we can read again without making the loop wait", function()
    -- The child takes the first line and leaves the stream in blocking mode. The third line is
    -- asked for only after the second was read. A loop that waits in there is ended by the limit.
    local stdout = support.runScript([[
      local source = cp.spawn("sh", {"-c", "echo a; read x <&3; echo b; read x <&3; echo c"}, {
        stdio = {"ignore", "pipe", "inherit", "pipe"},
      })
      io.write(cp.spawnSync("sh", {"-c", "read x; echo child $x"}, {
        stdio = {source.stdout, "pipe", "inherit"},
      }).stdout)
      source.stdout:on("data", function(data)
        io.write("parent ", data)
        if data == "b\n" then source.stdio[3]:write("\n") end
      end)
      source.stdout:resume()
      source.stdio[3]:write("\n")
      cp.run()
    ]], nil, {timeout = 20000, killSignal = "SIGKILL"})
    assert.equal("child a\nparent b\nparent c\n", stdout)
  end)

  it("may have streams of ours, whose rest stays for the next child, when their own has exited",
    function()
      local source = cp.spawn("sh", {"-c", "echo one; echo two"})
      local first = sh("read x; echo $x", {stdio = {source.stdout}})
      local second
      source:on("exit", function() second = sh("cat", {stdio = {source.stdout}}) end)
      support.run()
      assert.equal("one\n", first.stdout)
      assert.equal("two\n", second.stdout)
    end)

  it("may have streams of ours, which do not block afterwards and are read on", function()
    local cat = cp.spawn("cat")
    local text = ("x"):rep(1000000)
    cp.spawnSync("true", {stdio = {"ignore", cat.stdin}})
    cat.stdin:finish(text)
    assert.is_true(text == (support.output(cat)))

    local lines = cp.spawn("sh", {"-c", "echo one; read _; echo two"})
    local first = cp.spawnSync("head", {"-n1"}, {stdio = {lines.stdout, "pipe"}}).stdout
    assert.equal("one\n", first)
    lines.stdin:finish("go\n")
    assert.equal("two\n", (support.output(lines)))
  end)

  it("may have streams of ours, which stay ours where the child cannot be started", function()
    local source = cp.spawn("echo", {"still ours"})
    local result = cp.spawnSync("does_not_exist", {stdio = {source.stdout}})
    assert.equal("ENOENT", result.error.code)
    assert.equal("still ours\n", (support.output(source)))
  end)

  it("may have additional fds: what the child writes there is in output", function()
    local result = sh("echo three >&3; echo five >&5; echo one", {
      stdio = {"pipe", "pipe", "pipe", "pipe", "ignore", "pipe"},
    })
    support.assertSucceeded(result)
    assert.same({[1] = "one\n", [2] = "", [3] = "three\n", [5] = "five\n"}, result.output)
  end)

  it("may have many additional fds, all of which are read", function()
    local stdio = {"ignore", "pipe", "pipe"}
    for fd = 3, 40 do stdio[fd + 1] = "pipe" end
    -- backwards, so that nothing comes in the order in which one could wait for it
    local result = sh([[
      for fd in 9 8 7 6 5 4 3; do head -c 500000 /dev/zero | tr '\0' $fd >&$fd; done
    ]], {stdio = stdio})
    support.assertSucceeded(result)
    for fd = 3, 9 do support.assertSameText(tostring(fd):rep(500000), result.output[fd]) end
    for fd = 10, 40 do assert.equal("", result.output[fd]) end
  end)

  it("has additional fds that are closed for writing: a child that reads them gets to the end",
    function()
      local result = sh("cat <&3; echo end of 3; cat <&4 >&4; echo done >&4", {
        stdio = {"ignore", "pipe", "pipe", "pipe", "pipe"}, input = "only for stdin",
      })
      support.assertSucceeded(result)
      assert.equal("end of 3\n", result.stdout)
      assert.equal("done\n", result.output[4])
      assert.equal("", result.stderr)
    end)

  it("gives the child no descriptor that it did not name", function()
    local file = assert(io.open("/dev/null"))
    local found = descriptors({"ignore"})
    file:close()
    assert.same({[0] = "/dev/null", "pipe", "pipe"}, found)
  end)

  it("'ipc' cannot be used: ERR_IPC_SYNC_FORK", function()
    for _, stdio in ipairs({{"ipc"}, {"pipe", "pipe", "pipe", "ipc"}}) do
      for _, call in ipairs({cp.spawnSync, cp.execFileSync, cp.execSync}) do
        local folder = support.tmpdir()
        local err = support.error(call, "pwd", {stdio = stdio, cwd = folder})
        assert.equal("ERR_IPC_SYNC_FORK", err.code)
        assert.equal("Error", err.name)
        assert.equal("IPC cannot be used with synchronous forks", err.message)
      end
    end
  end)

  it("takes the shapes that a child can open again as /dev/stdin, /dev/stdout", function()
    local result = sh("cat /dev/stdin > /dev/stdout; echo e > /dev/stderr", {input = "in"})
    assert.equal("in", result.stdout)
    assert.equal("e\n", result.stderr)
  end)
end)
