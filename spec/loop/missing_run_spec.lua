-- A script that ends without cp.run(), although something waits to be called.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local support = require("spec.support")

--- What a script says on stderr, in an interpreter of its own.
local function said(text, options)
  local script = support.script('local cp = require("child_process")\n' .. text)
  return cp.spawnSync(support.lua, {script}, options).stderr
end

-- With musl, and everywhere by POSIX, a process does not know at its end how that is.
local hasStatus = support.forLinux
  and not support.readFile("/proc/self/maps"):find("musl", 1, true)

local function warning(what)
  return "(lua) MissingRunWarning: the script has ended without cp.run(), so the listeners or "
    .. "callbacks of " .. what .. " were never called\n"
end

describe("A script that ends without cp.run()", function()
  it("is told that a generator must not wait", function()
    if not compat.yieldsAnywhere then pending("a generator waits inside for") end
    local generator = [[
      local child = cp.spawn("printf", {"a\\n"})
      for line in coroutine.wrap(function()
        for line in child.stdout:lines() do coroutine.yield(line) end
      end) do print(line) end
    ]]
    assert.matches('ERR_STRAY_YIELD.*A generator.*must not wait: see "Generators"',
      said(generator .. "cp.run()"))
    if not hasStatus then pending("the status is not known at the end") end
    assert.equal("(lua) MissingRunWarning: the script has ended without cp.run(), so a coroutine "
      .. "that waits for data of a stream was never resumed. If it is a generator, which yields "
      .. 'values to a loop of the script, it must not wait: see "Generators" in the manual\n',
      said(generator))
  end)

  for name, case in pairs({
    ["listens to a child"] = {"child 'true'", 'cp.spawn("true"):on("exit", print)'},
    ["listens to a child's output"] = {"child 'true'", 'cp.spawn("true").stdout:on("data", print)'},
    ["waits for a callback of exec"] = {"child 'true; true'", 'cp.exec("true; true", print)'},
    ["listens to standard input"] = {"standard input",
      'require("child_process.process").stdin:on("data", print)'},
    ["connects a socket"] = {"a socket",
      'require("child_process.net").connect("/nonexistent/socket"):on("error", print)'},
    ["has a socket for datagrams"] = {"a socket", [[
      require("child_process.dgram").createSocket("udp4", print):bind(0, "127.0.0.1")
    ]]},
    ["waits in a coroutine"] = {"child 'true'",
      'cp.async(function() cp.spawn("true"):wait("close") end)'},
    ["has set a timer"] = {"a timer", 'require("child_process.timers").setTimeout(print, 1)'},
    ["has a server"] = {"a server", 'require("child_process.net").createServer(print):listen(0)'},
    ["has all of these"] = {"a server and 2 more", [[
      cp.spawn("true"):on("exit", print)
      require("child_process.timers").setTimeout(print, 1)
      require("child_process.net").createServer(print):listen(0)
    ]]},
  }) do
    it("says so at its end if it " .. name, function()
      if not hasStatus then pending("the status is not known at the end") end
      assert.equal(warning(case[1]), said(case[2]))
    end)
  end

  it("says so at its end if it has called a function by cp.async that has failed", function()
    if not hasStatus then pending("the status is not known at the end") end
    local stderr = said([[
      cp.async(error, "caught"):catch(print)
      cp.async(function() error("in vain", 0) end)
      cp.spawn("true"):on("exit", print)
    ]])
    assert.equal("(lua) MissingRunWarning: the script has ended without cp.run(), so an error was "
      .. "not raised: in vain\n", stderr)
  end)

  for name, text in pairs({
    ["has caught what a promise was rejected with"] =
      'cp.async(error, "in vain"):catch(function() end)',
    ["has run it"] = 'cp.spawn("true"):on("exit", function() end)\ncp.run()',
    ["has waited"] = 'cp.spawn("true"):wait("exit")\ncp.spawn("true"):on("exit", print)',
    ["has turned it in another way"] = [[
      cp.spawn("true"):on("exit", print)
      cp.run("nowait")
    ]],
    ["has the loop driven by another"] = [[
      cp.spawn("true"):on("exit", print)
      require("child_process.loop").fd()
    ]],
    ["starts nothing"] = "",
    ["uses synchronous calls"] = 'cp.execSync("true")',
    ["leaves children that nobody listens to"] = 'cp.spawn("true")\ncp.exec("true")',
    ["leaves children that were unrefed"] = [[
      local child = cp.spawn("true", {detached = true, stdio = "ignore"})
      child:on("error", print)
      child:unref()
    ]],
    ["leaves timers that were unrefed or cleared"] = [[
      local timers = require("child_process.timers")
      timers.setTimeout(print, 1):unref()
      timers.clearTimeout(timers.setTimeout(print, 1))
    ]],
    ["has sockets and an input that nobody listens to"] = [[
      local process = require("child_process.process")
      local socket = require("child_process.dgram").createSocket("udp4")
      socket:bind(0, "127.0.0.1")
      require("child_process.net").connect("/nonexistent/socket")
      return process.stdin
    ]],
    ["has closed or unrefed its sockets and servers"] = [[
      local dgram, net = require("child_process.dgram"), require("child_process.net")
      for _, method in ipairs({"close", "unref"}) do
        local socket = dgram.createSocket("udp4", print)
        socket:bind(0, "127.0.0.1")
        socket[method](socket)
        local server = net.createServer(print):listen(0)
        server[method](server)
      end
      net.connect("/nonexistent/socket"):on("error", print):destroy()
      net.connect("/nonexistent/socket"):on("error", print):unref()
    ]],
    ["ends by os.exit"] = 'cp.spawn("true"):on("exit", print)\nos.exit(0)',
    ["ends by os.exit, and closes"] = 'cp.spawn("true"):on("exit", print)\nos.exit(0, true)',
    ["ends by os.exit in a coroutine, and closes"] = [[
      cp.spawn("true"):on("exit", print)
      coroutine.wrap(function() os.exit(0, true) end)()
    ]],
    ["ends by os.exit with a failure, and closes"] = [[
      cp.spawn("true"):on("exit", print)
      os.exit(1, true)
    ]],
    ["could start nothing"] = 'cp.spawn("/nonexistent/command"):on("error", print)',
  }) do
    it("says nothing if it " .. name, function()
      assert.equal("", said(text))
    end)
  end

  it("says nothing but the error that ends it", function()
    local stderr = said('cp.spawn("true"):on("exit", print)\nerror("why", 0)')
    assert.matches("^[^\n]*: why\nstack traceback:", stderr)
    assert.is_nil(stderr:find("MissingRun", 1, true))
  end)

  it("says nothing if luv is there to drive the loop", function()
    local stderr = said('pcall(require, "luv")\ncp.spawn("true"):on("exit", print)')
    if not stderr:find("MissingRun", 1, true) then return end
    if compat.searchPath("luv", package.cpath) then error(stderr) end
    pending("luv is not installed")
  end)

  it("says nothing if it was forked, as its loop is run", function()
    local script = support.script([[
      require("child_process").spawn("true"):on("exit", function() end)
    ]])
    local child = cp.fork(script, {silent = true})
    local _, stderr = support.output(child)
    assert.equal("", stderr)
  end)
end)
