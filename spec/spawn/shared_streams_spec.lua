-- Streams of one child that are given to another in options.stdio: what becomes of our own copy.

local cp = require("child_process")
local loop = require("child_process.loop")
local support = require("spec.support")

local function reader(source, script, stdout)
  return cp.spawn("sh", {"-c", script}, {stdio = {source.stdout, stdout or "pipe", "inherit"}})
end

describe("An end to read from that a child was given", function()
  it("is closed after that child, so that the program that writes to it learns of it", function()
    local source = cp.spawn("yes")
    local head = cp.spawn("head", {"-n", "1"}, {stdio = {source.stdout, "pipe", "inherit"}})
    assert.equal("y\n", (support.output(head)))
    assert.equal("SIGPIPE", source.signalCode)
    assert.is_true(source.stdout.destroyed)
  end)

  it("is that child's alone after a readLine, or with a listener of readable", function()
    for _, listen in ipairs({
      function() end,
      function(stdout) stdout:on("readable", function() end) end,
    }) do
      local source = cp.spawn("sh", {"-c", "echo one; read x; echo two"})
      assert.equal("one", source.stdout:readLine())
      listen(source.stdout)
      local other = reader(source, "cat")
      local output = support.collect(other.stdout)
      support.afterTurns(3, function() source.stdin:finish("go\n") end)
      support.run()
      assert.equal("two\n", output())
    end
  end)

  it("is kept while something that was read ahead here is not taken", function()
    local source = cp.spawn("sh", {"-c", [[printf 'one\ntwo\n'; read x]]})
    assert.equal("one", source.stdout:readLine())
    local rest
    reader(source, "exit 0"):on("close", function()
      support.afterTurns(3, function()
        rest = source.stdout:read()
        source.stdin:finish("go\n")
      end)
    end)
    support.run()
    assert.equal("two\n", rest)
  end)

  it("comes to its close after a readLine", function()
    for _, event in ipairs({"spawn", "exit"}) do
      local source = cp.spawn("sh", {"-c", [[printf 'one\ntwo\n']]})
      assert.equal("one", source.stdout:readLine())
      source:wait(event)
      reader(source, "cat")
      assert.equal(0, source:wait("close"))
      support.run()
    end
  end)

  it("is closed so in chains", function()
    local source = cp.spawn("yes")
    local middle = cp.spawn("cat", {stdio = {source.stdout, "pipe", "inherit"}})
    local last = cp.spawn("head", {"-n", "1"}, {stdio = {middle.stdout, "pipe", "inherit"}})
    assert.equal("y\n", (support.output(last)))
    assert.equal("SIGPIPE", source.signalCode)
    assert.equal("SIGPIPE", middle.signalCode)
  end)

  it("is closed after the last of several", function()
    local source = cp.spawn("sh", {"-c", "echo one; read x; echo two; exec yes"})
    local second = cp.spawn("sh", {"-c", "read go <&3; read x; echo second $x"}, {
      stdio = {source.stdout, "pipe", "inherit", "pipe"},
    })
    local output = support.collect(second.stdout)
    reader(source, "read x", "ignore"):on("close", function()
      support.afterTurns(3, function()
        source.stdin:finish("go\n")
        second.stdio[3]:finish("go\n")
      end)
    end)
    support.run()
    assert.equal("second two\n", output())
    assert.equal("SIGPIPE", source.signalCode)
  end)

  for _, event in ipairs({"exit", "close"}) do
    it("can be given to another one then, in " .. event, function()
      local source = cp.spawn("sh", {"-c", "echo one; echo two; exec yes"})
      local outputs = {}
      local first = reader(source, "read x; echo first $x")
      outputs[1] = support.collect(first.stdout)
      first:on(event, function()
        outputs[2] = support.collect(reader(source, "read x; echo second $x").stdout)
      end)
      support.run()
      assert.equal("first one\n", outputs[1]())
      assert.equal("second two\n", outputs[2]())
      assert.equal("SIGPIPE", source.signalCode)
    end)
  end

  it("can be given to another child once the first was awaited", function()
    local source = cp.spawn("sh", {"-c", "echo one; echo two; exec yes"})
    local promise = cp.async(function()
      local text = ""
      for _ = 1, 2 do
        local child = reader(source, "read x; echo $x")
        local output = support.collect(child.stdout)
        child:wait("close")
        text = text .. output()
      end
      return text
    end)
    assert.equal("one\ntwo\n", promise:await())
    support.run()
    assert.equal("SIGPIPE", source.signalCode)
  end)

  it("stays open where it was paused before", function()
    local source = cp.spawn("sh", {"-c", "echo one; read x; echo two"})
    source.stdout:pause()
    local first = reader(source, "read x; echo $x")
    local output = support.collect(first.stdout)
    first:wait("close")
    assert.equal("one\n", output())
    for _ = 1, 5 do loop.run("nowait") end
    assert.is_false(source.stdout.destroyed)
    source.stdin:finish("go\n")
    assert.equal("two\n", source.stdout:readAll())
    support.run()
  end)

  it("stays open where somebody listens to it", function()
    local source = cp.spawn("sh", {"-c", "read x; echo ours"})
    local other = cp.spawn("true", {stdio = {source.stdout, "inherit", "inherit"}})
    local output = support.collect(source.stdout)
    other:on("close", function()
      source.stdout:resume()
      source.stdin:finish("go\n")
    end)
    support.run()
    assert.equal("ours\n", output())
  end)

  it("is reported as closed where it is given to a child after that", function()
    local source = cp.spawn("yes")
    reader(source, "read x", "ignore")
    support.run()
    local err = support.error(reader, source, "cat")
    assert.equal("ERR_INVALID_ARG_VALUE", err.code)
    assert.truthy(err.message:find("is a closed stream", 1, true))
  end)

  it("stays open after a synchronous call", function()
    local source = cp.spawn("sh", {"-c", "echo one; read x; echo two"})
    local options = {stdio = {source.stdout, "pipe", "inherit"}}
    assert.equal("one\n", cp.spawnSync("sh", {"-c", "read x; echo $x"}, options).stdout)
    source.stdin:finish("go\n")
    assert.equal("two\n", source.stdout:readAll())
    support.run()
  end)
end)

describe("An end to write to that a child was given", function()
  it("stays open for us to write and to finish", function()
    local cat = cp.spawn("cat")
    local echo = cp.spawn("echo", {"theirs"}, {stdio = {"ignore", cat.stdin, "inherit"}})
    local output = support.collect(cat.stdout)
    echo:on("close", function() support.afterTurns(3, function()
      cat.stdin:finish("ours\n")
    end) end)
    support.run()
    assert.equal("theirs\nours\n", output())
  end)
end)
