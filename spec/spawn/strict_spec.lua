-- Options that a function does not have.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local support = require("spec.support")

--- The warnings of a script, without what comes before their text.
local function warnings(script, before)
  local _, stderr = support.runScript(script .. "\ncp.run()", before)
  local list = {}
  for text in stderr:gmatch("UnknownOptionWarning: ([^\n]+)") do list[#list + 1] = text end
  return list
end

describe("An unknown option", function()
  it("is warned of, once for each name, with the name that was probably meant", function()
    local suggestion = require("child_process.base.suggestion")
    local names = {tree = 1, killOnParentExit = 1, forceKillAfterDelay = 1, timeout = 1, stdio = 1}
    for word, name in pairs({
      killTree = "tree", killOnExit = "killOnParentExit", forceKillDelay = "forceKillAfterDelay",
    }) do
      assert.equal((" (did you mean '%s'?)"):format(name), suggestion(word, names))
    end
    assert.equal("", suggestion("something", names))
    assert.same({"options.cdw is not an option of spawn (did you mean 'cwd'?)"}, warnings([[
      cp.spawn("true", {cdw = "/"})
      cp.spawn("true", {}, {cdw = "/tmp"})
      cp.execSync("true", {cdw = "/"})
    ]]))
    assert.same({
      "options.timeOut is not an option of exec (did you mean 'timeout'?)",
      "options.maxbuffer is not an option of execFile (did you mean 'maxBuffer'?)",
      "options.environment is not an option of spawnSync (did you mean 'env'?)",
      "options.execpath is not an option of fork (did you mean 'execPath'?)",
      "options.xyzzy is not an option of execFileSync",
    }, warnings([[
      cp.exec("true", {timeOut = 5})
      cp.execFile("true", {}, {maxbuffer = 5})
      cp.spawnSync("true", {environment = {}})
      cp.fork("/dev/null", {execpath = "x"})
      cp.execFileSync("true", {xyzzy = true})
    ]]))
  end)

  it("is also one that only another function has", function()
    assert.same({
      "options.input is not an option of spawn (write it to child.stdin, or use exec, execFile or "
        .. "a synchronous call)",
      "options.detached is not an option of exec",
      "options.signal is not an option of spawnSync",
      "options.stderr is not an option of exec (use the list options.stdio for stdin, stdout and "
        .. "stderr)",
    }, warnings([[
      cp.spawn("true", {input = "x"})
      cp.exec("true", {detached = true})
      cp.spawnSync("true", {signal = require("child_process.abort").AbortController().signal})
      cp.exec("true", {stderr = "inherit"})
    ]]))
  end)

  it("is a \"warning\" event of process", function()
    local stdout = support.runScript([[
      require("child_process.process"):on("warning", function(err)
        print(err.name, err.message)
      end)
      cp.spawn("true", {cdw = "/"})
      cp.run()
    ]])
    assert.equal("UnknownOptionWarning\toptions.cdw is not an option of spawn (did you mean "
      .. "'cwd'?)\n", stdout)
  end)

  it("is an error with CHILD_PROCESS_STRICT=1", function()
    local stdout = support.runScript([[
      for _, name in ipairs({"spawn", "exec", "execFile", "fork", "spawnSync", "execSync",
        "execFileSync"}) do
        local ok, err = pcall(cp[name], "true", {cdw = "/"})
        print(err.code, err.message:match("'options.cdw' is not an option of (%w+) "))
      end
    ]], "export CHILD_PROCESS_STRICT=1")
    local expected = {}
    for _, name in ipairs({"spawn", "exec", "execFile", "fork", "spawnSync", "execSync",
      "execFileSync"}) do
      expected[#expected + 1] = "ERR_INVALID_ARG_VALUE\t" .. name .. "\n"
    end
    assert.equal(table.concat(expected), stdout)
  end)

  it("is an error after cp.strict(true)", function()
    finally(function() cp.strict(false) end)
    assert.is_true(cp.strict(true))
    assert.is_true(cp.strict())
    local err = support.error(cp.spawn, "true", {cdw = "/"})
    assert.equal("TypeError", err.name)
    assert.equal("ERR_INVALID_ARG_VALUE", err.code)
    assert.equal("The property 'options.cdw' is not an option of spawn (did you mean 'cwd'?). "
      .. "Received '/'", err.message)
    assert.equal("ERR_INVALID_ARG_VALUE",
      support.error(cp.exec, "true", {stdio = {"pipe", "inherit"}}).code)
    assert.is_false(cp.strict(false))
    assert.equal("ERR_INVALID_ARG_TYPE", support.error(cp.strict, 1).code)
  end)
end)

describe("An unknown option of other functions", function()
  it("is noticed, too", function()
    finally(function() cp.strict(false) end)
    cp.strict(true)
    local events = require("child_process.events")
    local net = require("child_process.net")
    local dgram = require("child_process.dgram")
    local child = cp.spawn("true")
    local fork = cp.fork("/dev/null")
    for name, call in pairs({
      signl = {child.wait, child, "exit", {signl = 1}},
      sinal = {events.once, child, "exit", {sinal = 1}},
      clos = {events.on, child, "exit", {clos = {}}},
      keepNewLine = {child.stdout.lines, child.stdout, {keepNewLine = true}},
      close = {child.stdout.pipe, child.stdout, child.stdin, {close = false}},
      allowhalfopen = {net.createServer, {allowhalfopen = true}},
      keepopen = {fork.send, fork, 1, nil, {keepopen = true}},
      reuseaddr = {dgram.createSocket, {type = "udp4", reuseaddr = true}},
    }) do
      local err = support.error(compat.unpack(call, 1, 5))
      assert.equal("ERR_INVALID_ARG_VALUE", err.code)
      assert.matches(("'options.%s' is not an option of "):format(name), err.message, 1, true)
    end
    support.run()
  end)
end)

describe("An option that is documented", function()
  it("is never warned of", function()
    assert.same({}, warnings([[
      local process = require("child_process.process")
      local signal = require("child_process.abort").AbortController().signal
      local function with(more)
        local options = {cwd = "/", env = process.env, timeout = 0, killSignal = "SIGTERM",
          windowsHide = true}
        for name, value in pairs(more) do options[name] = value end
        return options
      end
      cp.strict(true)
      cp.spawn("true", {}, with{argv0 = "x", stdio = "pipe", detached = false,
        serialization = "json", maxMessageSize = 5, shell = false, signal = signal,
        windowsVerbatimArguments = true})
      cp.exec("true", with{encoding = "utf8", shell = "/bin/sh", signal = signal, maxBuffer = 5,
        input = "x", stdio = {"pipe"}})
      cp.execFile("true", {}, with{encoding = "utf8", shell = false, signal = signal, maxBuffer = 5,
        windowsVerbatimArguments = true})
      cp.fork("/dev/null", with{detached = false, execPath = "true", execArgv = {}, silent = true,
        serialization = "json", signal = signal, stdio = "pipe", windowsVerbatimArguments = true})
      cp.spawnSync("true", {}, with{input = "x", argv0 = "x", stdio = "pipe", maxBuffer = 5,
        encoding = "utf8", shell = false, windowsVerbatimArguments = true})
      cp.execFileSync("true", {}, with{input = "x", stdio = "pipe", maxBuffer = 5,
        encoding = "utf8", shell = false})
      cp.execSync("true", with{input = "x", stdio = "pipe", maxBuffer = 5, encoding = "utf8",
        shell = "/bin/sh"})
    ]]))
  end)
end)

describe("A ChildProcess of one's own", function()
  it("starts a program with spawn(options)", function()
    local child = cp.ChildProcess()
    assert.equal(child, child:spawn({
      file = "sh", args = {"other name", "-c", 'echo "$0 $A $1"', "zero", 1.0},
      envPairs = {"A=b", "PATH=/bin:/usr/bin"}, cwd = "/",
    }))
    assert.same({"other name", "-c", 'echo "$0 $A $1"', "zero", "1"}, child.spawnargs)
    assert.equal("zero b 1\n", (support.output(child)))
    assert.equal(0, child.exitCode)
    child = cp.ChildProcess.new():spawn({file = "pwd", cwd = "/", env = {PATH = os.getenv("PATH")}})
    assert.equal("/\n", (support.output(child)))
  end)

  it("starts only one", function()
    local child = cp.ChildProcess():spawn({file = "true"})
    assert.matches("starts one program", support.error(child.spawn, child, {file = "true"}).message)
    support.run()
    local other = cp.spawn("true")
    assert.matches("starts one program", support.error(other.spawn, other, {file = "true"}).message)
    support.run()
  end)

  it("reports what is wrong with its options", function()
    for name, options in pairs({
      options = 5, ["options.file"] = {args = {"x"}}, ["options.args"] = {file = "x", args = "x"},
      ["options.envPairs"] = {file = "x", envPairs = "A=b"},
      ["options.cwd"] = {file = "x", cwd = 5},
    }) do
      local child = cp.ChildProcess()
      local err = support.error(child.spawn, child, options)
      assert.equal("ERR_INVALID_ARG_TYPE", err.code)
      assert.matches(('"%s"'):format(name), err.message, 1, true)
    end
  end)
end)

describe("An event with a misspelt name", function()
  local SCRIPT = [[
    local child = cp.spawn("true")
    child:on("exti", print)
    child:on("exti", print)
    child:on("an event of my own", print)
    child:on("exit", print)
    child.stdout:once("dta", print)
    require("child_process.net").createServer():on("conection", print)
    for _, event in ipairs({"SIGUSR1", "SIGTRM", "TERM"}) do
      require("child_process.process"):on(event, print)
    end
    require("child_process.events").EventEmitter():on("exti", print)
    child:removeAllListeners()
    cp.run()
  ]]

  local function eventWarnings(script, before)
    local _, stderr = support.runScript(script, before)
    local list = {}
    for text in stderr:gmatch("UnknownEventWarning: ([^\n]+)") do list[#list + 1] = text end
    return list
  end

  it("is warned of in strict mode, once, with the name that was probably meant", function()
    local expected = {
      "ChildProcess has no event 'exti' (did you mean 'exit'?)",
      "Stream has no event 'dta' (did you mean 'data'?)",
      "Server has no event 'conection' (did you mean 'connection'?)",
      "process has no event 'SIGTRM' (did you mean 'SIGTERM'?)",
      "process has no event 'TERM' (did you mean 'SIGTERM'?)",
    }
    assert.same(expected, eventWarnings("cp.strict(true)\n" .. SCRIPT))
    assert.same(expected, eventWarnings(SCRIPT, "export CHILD_PROCESS_STRICT=1"))
  end)

  it("is not otherwise", function()
    assert.same({}, eventWarnings(SCRIPT))
    assert.same({}, eventWarnings("cp.strict(true)\ncp.strict(false)\n" .. SCRIPT))
  end)
end)
