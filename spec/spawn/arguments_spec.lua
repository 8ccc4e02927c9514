-- Arguments that spawn, exec and execFile refuse: raised at once, with Node's codes and an error
-- that names the argument.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local support = require("spec.support")

local function noop() end

-- those that are no TypeError
local classes = {ERR_OUT_OF_RANGE = "RangeError", ERR_IPC_ONE_PIPE = "Error"}

--- Calls a function and checks the error that it raises.
---@param message string how the message has to begin
local function refuse(code, message, fn, ...)
  local class = classes[code] or "TypeError"
  local err = support.error(fn, ...)
  assert.equal("table", type(err), "not an Error object: " .. tostring(err))
  assert.equal(code, err.code)
  assert.equal(class, err.name)
  assert.equal(message, err.message:sub(1, #message))
  assert.equal(("%s [%s]: %s"):format(class, code, err.message), tostring(err))
end

--- Checks that each of the values is refused as an option of spawn.
local function refuseOption(name, values, code, message)
  for _, value in ipairs(values) do
    refuse(code, message, cp.spawn, "true", {}, {[name] = value})
    refuse(code, message, cp.spawn, "true", {[name] = value})
  end
end

local function typeError(what)
  return ('The %s of type '):format(what)
end

describe("argument errors", function()
  after_each(function()
    -- whatever was refused has left nothing behind
    support.run()
    assert.same({}, support.zombies())
  end)

  it("are raised at once as a TypeError or RangeError with Node's codes", function()
    local err = support.error(cp.spawn, "")
    assert.equal("TypeError", err.name)
    assert.equal("ERR_INVALID_ARG_VALUE", err.code)
    assert.matches("^TypeError %[ERR_INVALID_ARG_VALUE%]: ", tostring(err))
  end)

  it("leave no descriptor open", function()
    local before = support.openFds()
    support.error(cp.spawn, "true", {stdio = {"pipe", "pipe", "pipe", "nonsense"}})
    support.error(cp.spawn, "true", {stdio = {"pipe", true}})
    support.error(cp.spawn, "true", {env = {["A=B"] = "c"}})
    assert.same(before, support.openFds())
  end)

  describe("for the command", function()
    it("name it when it is not a string", function()
      local message = typeError('"file" argument must be') .. "string. Received"
      refuse("ERR_INVALID_ARG_TYPE", message, cp.spawn)
      for _, value in ipairs({1, true, {}, noop, cp.null}) do
        refuse("ERR_INVALID_ARG_TYPE", message, cp.spawn, value)
        refuse("ERR_INVALID_ARG_TYPE", message, cp.execFile, value)
      end
    end)

    it("say what was received", function()
      local err = support.error(cp.spawn, 12)
      assert.matches("Received type number (12)", err.message, 1, true)
      err = support.error(cp.spawn, true)
      assert.matches("Received type boolean (true)", err.message, 1, true)
    end)

    it("name the command of exec", function()
      local message = typeError('"command" argument must be') .. "string. Received"
      for _, value in ipairs({1, true, {}, noop}) do
        refuse("ERR_INVALID_ARG_TYPE", message, cp.exec, value)
      end
    end)

    it("are ERR_INVALID_ARG_VALUE when it is empty", function()
      local message = "The argument 'file' cannot be empty. Received ''"
      refuse("ERR_INVALID_ARG_VALUE", message, cp.spawn, "")
      refuse("ERR_INVALID_ARG_VALUE", message, cp.execFile, "")
    end)

    it("are ERR_INVALID_ARG_VALUE when it has a NUL byte", function()
      local message = "The argument 'file' must be a string without null bytes. Received"
      refuse("ERR_INVALID_ARG_VALUE", message, cp.spawn, "tr\0ue")
      refuse("ERR_INVALID_ARG_VALUE", message, cp.execFile, "tr\0ue")
    end)
  end)

  describe("for args", function()
    it("name args when they are not a table", function()
      local message = 'The "args" argument must be '
      for _, value in ipairs({"x", 5, true, noop}) do
        refuse("ERR_INVALID_ARG_TYPE", message, cp.spawn, "true", value)
      end
    end)

    it("name the argument that is not a string, number or boolean, counted from 1", function()
      for _, value in ipairs({{}, noop, cp.null}) do
        local first = '"args[1]" argument must be one of type string, number, or boolean.'
        local second = '"args[2]" argument must be one of type string, number, or boolean.'
        first, second = "The " .. first, "The " .. second
        refuse("ERR_INVALID_ARG_TYPE", first, cp.spawn, "true", {value})
        refuse("ERR_INVALID_ARG_TYPE", second, cp.spawn, "true", {"a", value})
      end
    end)

    it("name the argument that has a NUL byte", function()
      refuse("ERR_INVALID_ARG_VALUE",
        "The argument 'args[2]' must be a string without null bytes. Received",
        cp.spawn, "true", {"a", "b\0"})
    end)
  end)

  describe("for options", function()
    it("name options when they are not a table", function()
      local message = typeError('"options" argument must be')
      for _, value in ipairs({"x", 1, false, noop}) do
        refuse("ERR_INVALID_ARG_TYPE", message, cp.spawn, "true", {}, value)
      end
    end)

    it("name options.cwd", function()
      refuseOption("cwd", {1, true, {}, noop}, "ERR_INVALID_ARG_TYPE",
        typeError('"options.cwd" property must be') .. "string")
      refuseOption("cwd", {"/\0"}, "ERR_INVALID_ARG_VALUE", "The property 'options.cwd' must be ")
    end)

    it("name options.detached", function()
      refuseOption("detached", {1, "yes", {}}, "ERR_INVALID_ARG_TYPE",
        typeError('"options.detached" property must be') .. "boolean.")
    end)

    it("name options.uid and options.gid", function()
      for _, name in ipairs({"uid", "gid"}) do
        refuseOption(name, {true, {}}, "ERR_INVALID_ARG_TYPE",
          ('The "options.%s" property must be '):format(name))
        refuseOption(name, {-1, 0x100000000, 1.5, 0 / 0}, "ERR_OUT_OF_RANGE",
          ('The value of "options.%s" is out of range. It must be '):format(name))
      end
    end)

    it("name options.shell", function()
      refuseOption("shell", {1, {}, noop}, "ERR_INVALID_ARG_TYPE",
        'The "options.shell" property must be one of type boolean or string.')
      refuseOption("shell", {"/bin/sh\0"}, "ERR_INVALID_ARG_VALUE",
        "The property 'options.shell' must be a string without null bytes.")
    end)

    it("name options.argv0", function()
      refuseOption("argv0", {1, true, {}}, "ERR_INVALID_ARG_TYPE",
        typeError('"options.argv0" property must be') .. "string.")
      refuseOption("argv0", {"a\0b"}, "ERR_INVALID_ARG_VALUE",
        "The property 'options.argv0' must be a string without null bytes.")
    end)

    it("name options.windowsHide and options.windowsVerbatimArguments", function()
      for _, name in ipairs({"windowsHide", "windowsVerbatimArguments"}) do
        refuseOption(name, {1, "yes", {}}, "ERR_INVALID_ARG_TYPE",
          typeError(('"options.%s" property must be'):format(name)) .. "boolean.")
      end
    end)

    it("name options.env when it is not a table", function()
      refuseOption("env", {"A=b", 1, true, noop}, "ERR_INVALID_ARG_TYPE",
        'The "options.env" property must be ')
    end)

    it("name the variable whose key holds an equals sign, is empty or no string", function()
      refuseOption("env", {{["A=B"] = "c"}}, "ERR_INVALID_ARG_VALUE",
        "The property 'options.env['A=B']' ")
      refuseOption("env", {{[""] = "c"}}, "ERR_INVALID_ARG_VALUE",
        "The property 'options.env['']' ")
      local err = support.error(cp.spawn, "true", {env = {"A=B"}})
      assert.matches("^ERR_INVALID_ARG_", err.code)
      assert.matches("options.env", err.message, 1, true)
    end)

    it("name the variable that has a NUL byte", function()
      local message = "The property 'options.env['A']' must be a string without null bytes."
      refuseOption("env", {{A = "b\0"}}, "ERR_INVALID_ARG_VALUE", message)
      refuseOption("env", {{["A\0"] = "b"}}, "ERR_INVALID_ARG_VALUE",
        "The property 'options.env['A")
    end)

    it("name the variable whose value is neither string, number nor boolean", function()
      refuseOption("env", {{A = {}}, {A = noop}}, "ERR_INVALID_ARG_TYPE",
        'The "options.env[\'A\']" property must be ')
    end)

    it("name stdio when it is an unknown string, a number, a boolean or a function", function()
      refuseOption("stdio", {"nonsense", "ipc", 1, true, noop}, "ERR_INVALID_ARG_VALUE",
        "The argument 'stdio' is invalid: it is a table with an entry for each descriptor, or one "
        .. "of 'pipe', 'ignore', 'inherit', 'overlapped'. Received ")
    end)

    it("name stdio when an entry is nothing that can be a descriptor", function()
      local entries = {{"pipe", true}, {"pipe", {}}, {"pipe", noop}, {1.5}, {-1}}
      refuseOption("stdio", entries, "ERR_INVALID_ARG_VALUE",
        "The argument 'stdio' is invalid. Received ")
    end)

    it("name stdio when an entry is a closed file or a destroyed stream", function()
      local file = assert(io.open("/dev/null"))
      file:close()
      local child = cp.spawn("true")
      support.run()
      refuseOption("stdio", {{file}, {child.stdin}}, "ERR_INVALID_ARG_VALUE",
        "The argument 'stdio' ")
    end)

    it("are ERR_INVALID_SYNC_FORK_INPUT for an unknown string in stdio, and list the words",
      function()
        local message = "The entry of options.stdio for descriptor 1 must be one of 'pipe', "
          .. "'ignore', 'inherit', 'overlapped', 'ipc', or a descriptor, file, stream, socket or "
          .. "server. Received "
        refuseOption("stdio", {{"pipe", "nonsense"}, {"pipe", ""}}, "ERR_INVALID_SYNC_FORK_INPUT",
          message)
        refuse("ERR_INVALID_SYNC_FORK_INPUT", message, cp.spawnSync, "true",
          {stdio = {[0] = "pipe", [1] = "nonsense"}})
    end)

    it("are ERR_IPC_ONE_PIPE for a second IPC channel", function()
      refuseOption("stdio", {{"ipc", "pipe", "pipe", "ipc"}}, "ERR_IPC_ONE_PIPE",
        "Child process can have only one IPC pipe")
    end)

    it("name timeout", function()
      refuseOption("timeout", {-1, 1.5, 0 / 0, -math.huge}, "ERR_OUT_OF_RANGE",
        'The value of "timeout" is out of range. It must be an unsigned integer. Received')
      refuseOption("timeout", {"1", true, {}}, "ERR_INVALID_ARG_TYPE",
        'The "options.timeout" property must be of type number. Received')
    end)

    it("name maxBuffer", function()
      local message = 'The value of "options.maxBuffer" is out of range. It must be a positive '
      for _, value in ipairs({-1, 0 / 0}) do
        refuse("ERR_OUT_OF_RANGE", message, cp.exec, "true", {maxBuffer = value})
        refuse("ERR_OUT_OF_RANGE", message, cp.execFile, "true", {maxBuffer = value})
      end
      message = 'The "options.maxBuffer" property must be of type number. Received'
      for _, value in ipairs({"1", true, {}}) do
        refuse("ERR_INVALID_ARG_TYPE", message, cp.exec, "true", {maxBuffer = value})
        refuse("ERR_INVALID_ARG_TYPE", message, cp.spawnSync, "true", {maxBuffer = value})
      end
    end)

    it("name input and encoding", function()
      for name, values in pairs({input = {1, true, {}}, encoding = {1, true, {}}}) do
        local message = ('The "options.%s" property must be of type string. Received'):format(name)
        for _, value in ipairs(values) do
          for _, call in ipairs({cp.exec, cp.execFile, cp.execSync, cp.spawnSync}) do
            refuse("ERR_INVALID_ARG_TYPE", message, call, "true", {[name] = value})
          end
        end
      end
    end)

    it("name an unknown killSignal", function()
      refuseOption("killSignal", {"SIGNONE", "x"}, "ERR_UNKNOWN_SIGNAL", "Unknown signal: ")
      refuseOption("killSignal", {0, -1, 1000, 1.5}, "ERR_UNKNOWN_SIGNAL", "Unknown signal: ")
      refuseOption("killSignal", {true, {}}, "ERR_INVALID_ARG_TYPE",
        'The "options.killSignal" property must be one of type string or number.')
    end)

    it("name the callback of exec and execFile when it is not a function", function()
      local message = typeError('"callback" argument must be') .. "function."
      for _, value in ipairs({1, "x", true}) do
        refuse("ERR_INVALID_ARG_TYPE", message, cp.exec, "true", {}, value)
        refuse("ERR_INVALID_ARG_TYPE", message, cp.execFile, "true", {}, {}, value)
      end
    end)
  end)

  it("take nil, and cp.null where an option may be null, as not given", function()
    local options = {}
    for _, name in ipairs({"cwd", "env", "argv0", "stdio", "detached", "uid", "gid", "shell",
      "timeout", "killSignal", "windowsHide", "windowsVerbatimArguments"}) do
      options[name] = cp.null
    end
    local child = cp.spawn("true", options)
    support.run()
    assert.equal(0, child.exitCode)
  end)
end)

describe("calling a method with a dot instead of a colon", function()
  it("raises an error that says so", function()
    local child = cp.spawn("true")
    for name, call in pairs({
      on = function() child.on("exit", noop) end,
      kill = function() child.kill() end,
      write = function() child.stdin.write("x") end,
      resume = function() child.stdout.resume() end,
      pipe = function() child.stdout.pipe(child.stdin) end,
      cwd = function() require("child_process.process").cwd() end,
    }) do
      local message = tostring(support.error(call))
      assert.matches("colon", message, 1, true, name)
    end
    support.run()
    assert.equal(0, child.exitCode)
  end)

  it("raises it for other userdata as well, and does nothing", function()
    local child = cp.spawn("true")
    for _, name in ipairs({"spawn", "kill", "send", "disconnect", "ref", "unref"}) do
      for _, value in ipairs({io.stdout, child.stdin._handle}) do
        assert.equal("ERR_INVALID_THIS", support.error(child[name], value, {}).code, name)
      end
    end
    support.run()
    assert.equal(0, child.exitCode)
  end)
end)

describe("the arguments of ChildProcess methods", function()
  local child
  before_each(function() child = cp.spawn("cat") end)
  after_each(function()
    child.stdin:finish()
    support.run()
    assert.equal(0, child.exitCode)
  end)

  it("are refused by kill when the signal is unknown", function()
    for _, signal in ipairs({"SIGNONE", "", 1000, -1, 1.5, true, {}}) do
      refuse("ERR_UNKNOWN_SIGNAL", "Unknown signal: ", child.kill, child, signal)
    end
    assert.is_false(child.killed)
  end)

  it("are refused by on when the listener is not a function", function()
    local message = typeError('"listener" argument must be') .. "function."
    for _, name in ipairs({"on", "once", "prependListener", "off"}) do
      refuse("ERR_INVALID_ARG_TYPE", message, child[name], child, "exit", 1)
    end
  end)
end)

describe("a function of a module that is called with a colon", function()
  local abort = require("child_process.abort")
  local dgram = require("child_process.dgram")
  local events = require("child_process.events")
  local net = require("child_process.net")
  local timers = require("child_process.timers")
  local Promise = require("child_process.promise")

  it("says that it takes a dot", function()
    local calls = {
      {cp.spawn, cp, "true"}, {cp.exec, cp, "true"}, {cp.execFile, cp, "true"},
      {cp.execFile, cp, "true", {}, noop}, {cp.fork, cp, "script"}, {cp.spawnSync, cp, "true"},
      {cp.execSync, cp, "true"}, {cp.execFileSync, cp, "true"}, {cp.run, cp}, {cp.async, cp, noop},
      {cp.promises.exec, cp.promises, "true"}, {cp.promises.execFile, cp.promises, "true", {}},
      {cp.promisify, cp, noop}, {cp.strict, cp, true}, {timers.setTimeout, timers, noop, 1},
      {timers.setInterval, timers, noop}, {timers.setImmediate, timers, noop},
      {timers.clearTimeout, timers}, {timers.clearInterval, timers},
      {timers.clearImmediate, timers}, {net.createServer, net}, {net.connect, net, 1},
      {net.createConnection, net, "/path"},
      {dgram.createSocket, dgram, "udp4"}, {events.once, events, cp, "exit"},
      {events.on, events, cp, "exit"}, {Promise.all, Promise, {}}, {Promise.any, Promise, {}},
      {Promise.race, Promise, {}}, {Promise.allSettled, Promise, {}}, {Promise.resolve, Promise, 1},
      {Promise.reject, Promise, 1}, {abort.AbortSignal.abort, abort.AbortSignal},
      {abort.AbortSignal.any, abort.AbortSignal, {}},
      {abort.AbortSignal.timeout, abort.AbortSignal, 1},
    }
    for index, call in ipairs(calls) do
      local err = support.error(compat.unpack(call))
      assert.equal("TypeError", err.name, index)
      assert.is_truthy(err.message:find("with a dot", 1, true), index .. ": " .. err.message)
    end
  end)
end)

describe("a signal that is unknown", function()
  it("is reported with the name that may have been meant", function()
    for word, name in pairs({TERM = "SIGTERM", kill = "SIGKILL", SIGTEM = "SIGTERM"}) do
      refuse("ERR_UNKNOWN_SIGNAL", ("Unknown signal: %s (did you mean '%s'?)"):format(word, name),
        cp.spawn, "true", {killSignal = word})
    end
    assert.equal("Unknown signal: nothing like it",
      support.error(cp.spawn, "true", {killSignal = "nothing like it"}).message)
  end)
end)
