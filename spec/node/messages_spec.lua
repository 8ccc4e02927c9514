-- The channel with a real Node at the other end: a Lua parent with a child in Node, and a parent in
-- Node with a child in Lua.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local messages = require("spec.support.messages")
local process = require("child_process.process")
local support = require("spec.support")

local withNode = messages.withNode

local forkNode = messages.forkNode

--- Runs a program in Node, with paths as process.argv[2] and so on, and gives what it prints; the
--- interpreter to start is in the environment as LUA.
local function outputOfNode(text, ...)
  local env = messages.environment({LUA = support.lua})
  local child = cp.spawn("node", {messages.javascript(text), ...}, {env = env})
  child.stdin:finish()
  local stdout, stderr = support.output(child)
  assert.equal(0, child.exitCode, stderr)
  return stdout
end

--- A Lua script for a parent in Node, which starts no launcher.
local function luaChild(text)
  return support.script([[
    local cp = require("child_process")
    local process = require("child_process.process")
  ]] .. text .. "\ncp.run()\n")
end

describe("A Lua parent with a child in Node", function()
  it("has it started through execPath with nothing in between", withNode(function()
    local child = forkNode("console.log(process.argv.slice(2).join(), process.connected)", nil,
      {"a", "b c"})
    assert.equal("node", child.spawnfile)
    local stdout, stderr = support.output(child)
    assert.equal("", stderr)
    assert.equal("a,b c true\n", stdout)
  end))

  it("may start it by its own name for the interpreter", withNode(function()
    local execPath = process.execPath
    local node = cp.execFileSync("node", {"-p", "process.execPath"}):gsub("\n", "")
    local child = cp.fork(messages.javascript("process.send(process.execPath)"),
      {execPath = node})
    local received = messages.received(child)
    support.run()
    assert.same({node}, received)
    assert.equal(execPath, process.execPath)
  end))

  it("gets messages of every JSON type back as it has sent them", withNode(function()
    local values = {
      "text", "", "ü\0\n\226\128\168😀", 0, 1, -1, 1.5, -2.25e-10, 1e300, 5e-324, true,
      false, {}, cp.array(), {1, 2, {3, {4}}}, {a = {b = {c = cp.array()}}}, {cp.null, 1},
      9007199254740991, -9007199254740991, {["key with \" and \\"] = "value"},
      {["1"] = "one", ["2"] = "two"}, ("long"):rep(100000), cp.null,
    }
    local child = forkNode(messages.ECHO_NODE)
    local received = messages.exchange(child, values)
    local _, stderr = support.output(child)
    assert.equal("", stderr)
    for place, value in ipairs(values) do
      assert.same(value, received[place], "value " .. place)
    end
    assert.equal(#values, #received)
  end))

  it("gets the numbers of JavaScript: whole ones as integers", withNode(function()
    local child = forkNode([[
      const numbers = [1, 1.0, 1.5, -0, 2 ** 53, 2 ** 63, 2 ** 64, 1e21, 1e300, NaN, Infinity,
        0.1 + 0.2];
      for (const n of numbers) process.send([n]);
    ]])
    local received = messages.received(child)
    support.output(child)
    local numbers = {}
    for place, message in ipairs(received) do numbers[place] = message[1] end
    assert.same({
      1, 1, 1.5, 0, 2 ^ 53, 2.0 ^ 63, 2.0 ^ 64, 1e21, 1e300, cp.null, cp.null, 0.1 + 0.2,
    }, numbers)
    assert.equal("integer", compat.mathType(numbers[1]))
    assert.equal("float", compat.mathType(numbers[3]))
    assert.equal("integer", compat.mathType(numbers[5]))
  end))

  it("is understood when it sends integers of 64 bits, but for what JavaScript cannot "
    .. "tell apart", withNode(function()
    local child = forkNode([[
      process.on('message', message => { console.log(message); process.disconnect(); });
    ]])
    child:send(math.maxinteger or 2 ^ 63)
    assert.equal("9223372036854776000\n", (support.output(child)))
  end))

  it("keeps the order of messages both ways", withNode(function()
    local child = forkNode(messages.ECHO_NODE)
    local expected = 0
    child:on("message", function(message)
      expected = expected + 1
      assert.equal(expected, message)
      if message == 20000 then child:disconnect() end
    end)
    for n = 1, 20000 do child:send(n) end
    support.output(child)
    assert.equal(20000, expected)
    assert.equal(0, child.exitCode)
  end))

  it("may exchange a message of many megabytes", withNode(function()
    local child = forkNode(messages.ECHO_NODE)
    local long = ("€uro "):rep(3 * 1024 * 1024)
    local same
    child:on("message", function(message)
      same = message == long
      child:disconnect()
    end)
    child:send(long)
    support.output(child)
    assert.is_true(same)
  end))

  it("ends it gracefully by disconnecting", withNode(function()
    local child = forkNode([[
      process.on('message', message => console.log('message', message));
      process.on('disconnect', () => { console.log('disconnect', process.connected); });
      process.on('exit', () => { process.exitCode = 5; });
    ]])
    local seen = messages.events(child, {exit = true})
    child:send("hello")
    child:disconnect()
    assert.equal("message hello\ndisconnect false\n", (support.output(child)))
    assert.same({"disconnect", "close 5 nil"}, seen)
  end))

  it("sees it disconnect, after all its messages", withNode(function()
    local child = forkNode([[
      for (let n = 1; n < 1000; n++) process.send(n);
      process.send(1000, () => process.disconnect()); // it does not write what waits then
    ]])
    local received = messages.received(child)
    local count
    child:on("disconnect", function()
      count = #received
      assert.is_false(child.connected)
    end)
    support.output(child)
    assert.equal(1000, count)
    for n = 1, 1000 do assert.equal(n, received[n]) end
  end))

  it("sees its exit code, its signal and its death by an error", withNode(function()
    for text, close in pairs({
      [""] = "close 0 nil", ["process.exit(3)"] = "close 3 nil",
      ["process.kill(process.pid, 'SIGKILL')"] = "close nil SIGKILL",
      ["throw new Error('problem')"] = "close 1 nil",
    }) do
      local child = forkNode(text)
      local seen = messages.events(child, {exit = true})
      support.output(child)
      assert.same({"disconnect", close}, seen)
    end
  end))

  it("may be silent", withNode(function()
    local path = messages.javascript([[
      process.stdin.on('data', data => console.log('out ' + data));
      process.stdin.on('end', () => console.error('err'));
    ]])
    local child = cp.fork(path, {execPath = "node", silent = true})
    child.stdin:finish("in")
    local stdout, stderr = support.output(child)
    assert.equal("out in\n", stdout)
    assert.equal("err\n", stderr)
  end))

  it("may have the channel on another fd than 3", withNode(function()
    for _, fd in ipairs({0, 4, 9}) do
      local stdio = {[0] = "ignore", [1] = "pipe", [2] = "inherit"}
      stdio[fd] = "ipc"
      local child = forkNode("process.send('hello'); process.once('message', m => console.log(m))",
        {stdio = stdio})
      local received = messages.received(child)
      child:send("back")
      assert.equal("back\n", (support.output(child)))
      assert.same({"hello"}, received)
    end
  end))

  it("may spawn it with 'ipc'", withNode(function()
    local child = cp.spawn("node", {"-e", "process.send({hello: 'world'})"},
      {stdio = {"ignore", "inherit", "inherit", "ipc"}})
    local received = messages.received(child)
    support.run()
    assert.same({{hello = "world"}}, received)
  end))

  it("keeps commands of the protocol from its messages", withNode(function()
    local child = forkNode([[
      process.on('message', message => console.log('message', JSON.stringify(message)));
      process.on('internalMessage', message => console.log('internal', JSON.stringify(message)));
      process.send({cmd: 'NODE_foo'});
      process.send({cmd: 'foo'});
    ]])
    local seen = messages.events(child, {exit = true, close = true, disconnect = true})
    child:send({cmd = "NODE_bar"})
    child:send({cmd = "bar"})
    child:on("message", function() child:disconnect() end)
    local stdout = support.output(child)
    assert.equal('internal {"cmd":"NODE_bar"}\nmessage {"cmd":"bar"}\n', stdout)
    assert.same({'internalMessage {"cmd":"NODE_foo"}', 'message {"cmd":"foo"}'}, seen)
  end))

  it("may end while it is sending: what was sent arrives", withNode(function()
    local path = messages.javascript([[
      let count = 0;
      process.on('message', message => { if (message[0] == count + 1) count++; });
      process.on('disconnect', () => console.log(count));
    ]])
    for ending, code in pairs({["os.exit(3)"] = 3, [""] = 0, ["error('x')"] = 1}) do
      local script = support.script(([[
        local child = require("child_process").fork(%q, {execPath = "node"})
        for n = 1, 2000 do child:send({n, ("x"):rep(1000)}) end
        %s
      ]]):format(path, ending))
      local parent = cp.spawn(support.lua, {script})
      parent.stdin:finish()
      assert.equal("2000\n", (support.output(parent)))
      assert.equal(code, parent.exitCode)
    end
  end))
end)

describe("A parent in Node with a child in Lua", function()
  --- A parent that prints what the child does; `CHILD` is its handle.
  local function parent(body)
    return [[
      const {fork, spawn} = require('child_process');
      const child = fork(process.argv[2], process.argv.slice(3), {execPath: process.env.LUA});
      child.on('exit', (code, signal) => console.log('exit', code, signal));
      child.on('close', () => console.log('close', child.connected));
      child.on('disconnect', () => console.log('disconnect', child.connected));
      child.on('error', err => console.log('error', err.code));
    ]] .. body
  end

  it("gives it process.send, messages and arguments", withNode(function()
    local stdout = outputOfNode(parent([[
      child.on('message', message => {
        console.log(JSON.stringify(message));
        if (message === 'end') return;
        child.send({hello: 'world'});
      });
    ]]), luaChild([[
      process:send({process.connected, arg[1], process.argv[2] })
      process:on("message", function(message)
        process:send({got = message})
        process:send("end", function() process:disconnect() end)
      end)
    ]]), "argument")
    assert.matches('[true,"argument","argument"]\n{"got":{"hello":"world"}}\n"end"\n', stdout, 1,
      true)
    assert.matches("exit 0 null\n", stdout, 1, true)
    assert.matches("disconnect false\n", stdout, 1, true)
  end))

  it("gets messages of every JSON type back as it has sent them", withNode(function()
    local stdout = outputOfNode(parent([=[
      const assert = require('assert');
      const values = [
        'text', '', '\u00fc\0\n\u2028\u{1f600}', 0, 1, -1, 1.5, -2.25e-10, 1e300, 5e-324, 1e21,
        2 ** 53, -(2 ** 63), 2 ** 64, 0.1 + 0.2, true, false, {}, [], [1, 2, [3, [4], 5], 6], null,
        {a: {b: {c: []}}}, [null, 1], {'key with " and \\': 'value'}, {1: 'one', 2: 'two'},
        'long'.repeat(100000), [[], {}, [{}] ], {length: 3, constructor: 1},
      ];
      let count = 0;
      child.on('message', message => {
        assert.deepStrictEqual(message, values[count]);
        if (++count === values.length) { console.log('all'); child.disconnect(); }
      });
      for (const value of values) child.send(value);
    ]=]), luaChild([[
      process:on("message", function(message) process:send(message) end)
    ]]))
    assert.matches("all\n", stdout, 1, true)
    assert.matches("exit 0 null\n", stdout, 1, true)
  end))

  it("keeps the order of messages both ways", withNode(function()
    local stdout = outputOfNode(parent([[
      let expected = 0;
      child.on('message', message => {
        if (message !== ++expected) throw new Error('order');
        if (message === 20000) { console.log('all'); child.disconnect(); }
      });
      for (let n = 1; n <= 20000; n++) child.send(n);
    ]]), luaChild([[
      process:on("message", function(message) process:send(message) end)
    ]]))
    assert.matches("all\n", stdout, 1, true)
  end))

  it("sees it disconnect, after all its messages", withNode(function()
    local stdout = outputOfNode(parent([[
      let count = 0;
      child.on('message', message => { if (message === count + 1) count++; });
      child.on('disconnect', () => console.log('count', count));
    ]]), luaChild([[
      for n = 1, 5000 do process:send(n) end
      process:disconnect()
    ]]))
    assert.matches("count 5000\n", stdout, 1, true)
  end))

  it("ends it gracefully by disconnecting", withNode(function()
    local stdout = outputOfNode(parent([[
      child.send(1);
      child.on('message', () => child.disconnect());
    ]]), luaChild([[
      process:on("message", function(message) process:send(message) end)
      process:on("disconnect", function()
        io.stdout:write("disconnected ", tostring(process.connected), "\n")
        process.exitCode = 6
      end)
      process:on("exit", function(code) io.stdout:write("exit event ", code, "\n") end)
      cp.run()
      process:exit()
    ]]))
    assert.matches("disconnected false\nexit event 6\n", stdout, 1, true)
    assert.matches("exit 6 null\n", stdout, 1, true)
  end))

  it("sees its exit codes, and gets what was sent before", withNode(function()
    for ending, exit in pairs({
      ["os.exit(3)"] = "exit 3 null", ["error('problem')"] = "exit 1 null",
      ["process:exit(4)"] = "exit 4 null", [""] = "exit 0 null",
      ["os.exit(5, true)"] = "exit 5 null",
    }) do
      local child = luaChild([[
        for n = 1, 2000 do process:send({n, ("x"):rep(1000)}) end
      ]] .. (ending ~= "" and "do " .. ending .. " end" or ""))
      local stdout = outputOfNode(parent([[
        let count = 0;
        child.on('message', message => { if (message[0] === count + 1) count++; });
        child.on('disconnect', () => console.log('count', count));
      ]]), child)
      assert.matches("count 2000\n", stdout, 1, true)
      assert.matches(exit .. "\n", stdout, 1, true)
    end
  end))

  it("may be silent", withNode(function()
    local stdout = outputOfNode([[
      const {fork} = require('child_process');
      const child = fork(process.argv[2], [], {execPath: process.env.LUA, silent: true});
      child.stdout.on('data', data => console.log('stdout', String(data)));
      child.stderr.on('data', data => console.log('stderr', String(data)));
      child.stdin.end('input');
    ]], luaChild([[
      io.write(io.read("*a"))
      io.stdout:flush()
      process:send("done", function() io.stderr:write("problem") end)
    ]]))
    assert.matches("stdout input\n", stdout, 1, true)
    assert.matches("stderr problem\n", stdout, 1, true)
  end))

  it("may have the channel on another fd than 3", withNode(function()
    for _, fd in ipairs({4, 9}) do
      local stdout = outputOfNode(([[
        const {spawn} = require('child_process');
        const stdio = Array(%d).fill('ignore').concat('ipc');
        stdio[1] = stdio[2] = 'inherit';
        const child = spawn(process.env.LUA, process.argv.slice(2), {stdio});
        child.on('message', message => console.log(message));
        child.on('exit', code => console.log('exit', code));
      ]]):format(fd), luaChild("process:send('hello')"))
      assert.matches("hello\n", stdout, 1, true)
      assert.matches("exit 0\n", stdout, 1, true)
    end
  end))

  it("does not keep a child that listens to nothing", withNode(function()
    local stdout = outputOfNode(parent(""), luaChild(""))
    assert.matches("exit 0 null\n", stdout, 1, true)
  end))

  it("has the variables of the channel taken out of the child's environment", withNode(function()
    local stdout = outputOfNode(parent("child.on('message', m => console.log(JSON.stringify(m)))"),
      luaChild([[
        process:send({os.getenv("NODE_CHANNEL_FD") == nil,
          os.getenv("NODE_CHANNEL_SERIALIZATION_MODE") == nil})
      ]]))
    assert.matches("[true,true]\n", stdout, 1, true)
  end))

  it("keeps commands of the protocol from its messages", withNode(function()
    local stdout = outputOfNode(parent([[
      child.on('message', message => console.log('message', JSON.stringify(message)));
      child.on('internalMessage', message => console.log('internal', JSON.stringify(message)));
      child.send({cmd: 'NODE_bar'});
      child.send({cmd: 'bar'});
    ]]), luaChild([[
      process:on("internalMessage", function(message) process:send({internal = message.cmd}) end)
      process:on("message", function(message)
        process:send({message = message.cmd})
        process:send({cmd = "NODE_foo"})
        process:disconnect()
      end)
    ]]))
    assert.matches('message {"internal":"NODE_bar"}\nmessage {"message":"bar"}\n'
      .. 'internal {"cmd":"NODE_foo"}\n', stdout, 1, true)
  end))
end)
