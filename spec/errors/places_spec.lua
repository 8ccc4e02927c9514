-- What errors say about where they come from: when they are caught, and when they end a program.

local cp = require("child_process")
local errors = require("child_process.errors")
local events = require("child_process.events")
local loop = require("child_process.loop")
local net = require("child_process.net")
local sockets = require("spec.support.sockets")
local support = require("spec.support")
local timers = require("child_process.timers")
local Promise = require("child_process.promise")

-- Whether a line of a traceback is one of the module's files.
local function isOurs(line)
  return line:find("child_process[%w_/]*%.lua:%d+: in ") ~= nil
end

--- The first lines of a traceback, without its head: those that come before the one that matches.
local function linesBefore(traceback, pattern)
  local lines = {}
  for line in traceback:gmatch("\n(\t[^\n]*)") do
    if line:find(pattern) then return lines end
    lines[#lines + 1] = line
  end
  error("no line with " .. pattern .. " in " .. traceback)
end

local function assertBeginsHere(traceback)
  assert.same({}, linesBefore(traceback, "errors/places_spec%.lua:%d+: in "))
end

describe("An Error that is raised", function()
  it("has a traceback that begins with the line that has called us", function()
    for _, call in ipairs({
      function() cp.spawn(1) end,
      function() cp.spawn("true", {}, {uid = -1}) end,
      function() cp.execSync("exit 3") end,
      function() cp.execFileSync("/nonexistent/command") end,
      function() cp.fork(1) end,
      function() cp.spawn("true").kill() end,
      function() cp.async(5) end,
      function() timers.setTimeout("x") end,
      function() net.connect({port = 0x100000}) end,
      function() events.EventEmitter():emit("error", "a text") end,
      function() events.EventEmitter():emit("error", errors.Error("made before")) end,
      function() Promise.reject(errors.Error("x")):await() end,
      function() events.EventEmitter():wait("never") end,
    }) do
      local err = support.error(function() call() end)
      assert.is_true(errors.isError(err))
      assertBeginsHere(err.traceback)
    end
    support.run()
  end)

  it("keeps the first one when it is raised again", function()
    local err = support.error(cp.spawn, 1)
    local traceback = err.traceback
    timers.setImmediate(error, err, 0)
    assert.equal(err, support.error(cp.run))
    assert.equal(traceback, err.traceback)
    assert.equal(traceback, loop.traceback())
  end)

  it("has the same text as in Node when it is caught", function()
    local err = support.error(cp.exec, 5)
    local text = 'TypeError [ERR_INVALID_ARG_TYPE]: The "command" argument must be of type string. '
      .. "Received type number (5)"
    assert.equal(text, tostring(err))
    if not support.isPuc51 then assert.equal(text, ("%s"):format(err)) end
    local function call() cp.exec(5) end
    assert.same({false, text}, {xpcall(call, tostring)})
    assert.same({false, text}, {xpcall(call, function(raised) return tostring(raised) end)})
  end)

  it("may be concatenated", function()
    local err = errors.Error("why")
    assert.equal("failed: Error: why", "failed: " .. err)
    assert.equal("Error: why!", err .. "!")
    assert.equal("Error: why1", err .. 1)
    assert.equal("Error: whyError: why", err .. err)
    local _, message = pcall(function() return err .. {} end)
    assert.matches("errors/places_spec.lua:%d+: attempt to concatenate a table value", message)
  end)
end)

describe("An error that comes out of run", function()
  it("shows the call of spawn that failed", function()
    local function start() cp.spawn("/nonexistent/command") end
    start()
    local err = support.error(cp.run)
    assert.equal("ENOENT", err.code)
    assertBeginsHere(err.traceback)
    assert.matches("in .*'start'", err.traceback)
    assertBeginsHere(loop.traceback())
    support.run()
  end)

  it("shows the call of listen that failed", function()
    local server = net.createServer()
    sockets.listen(server, function(port)
      local function listenAgain() net.createServer():listen(port, "127.0.0.1") end
      listenAgain()
    end)
    local err = support.error(cp.run)
    server:close()
    assert.equal("EADDRINUSE", err.code)
    assert.matches("^stack traceback:\n\tspec/errors/places_spec.lua:%d+: in .*'listenAgain'",
      err.traceback)
    support.run()
  end)

  it("begins with the listener that has raised it", function()
    cp.spawn("true"):on("exit", function() cp.exec(5) end)
    assertBeginsHere(support.error(cp.run).traceback)
    support.run()
    timers.setImmediate(function() error("a text", 0) end)
    support.error(cp.run)
    assertBeginsHere(loop.traceback())
  end)

  it("begins with the line of an async function", function()
    cp.async(function() cp.execSync("exit 3") end)
    assertBeginsHere(support.error(cp.run).traceback)
    cp.async(function() error("a text", 0) end)
    support.error(cp.run)
    assertBeginsHere(loop.traceback())
  end)
end)

describe("The interpreter that an error ends", function()
  --- Runs a script that fails; gives what it says first and the lines of its traceback.
  local function lastWords(text)
    local script = support.script('local cp = require("child_process")\n' .. text)
    local result = cp.spawnSync(support.lua, {script})
    assert.equal(1, result.status)
    local said = result.stderr:gsub(script:gsub("%p", "%%%0"), "script.lua")
    local message, traceback = said:match("^[^\n]-: (.-)\n(stack traceback:\n.*)$")
    return message or said, traceback or said
  end

  it("says where, and shows the user's lines first", function()
    for text, message in pairs({
      ["cp.spawn(1)"] = 'script.lua:2: TypeError [ERR_INVALID_ARG_TYPE]: The "file" argument must '
        .. "be of type string. Received type number (1)",
      ["cp.execSync('exit 3')"] = "script.lua:2: Error: Command failed: exit 3",
      ["cp.spawn('/nonexistent/command')\ncp.run()"]
        = "script.lua:2: Error: spawn /nonexistent/command ENOENT",
      ["cp.spawn('/nonexistent/command'):wait('exit')"]
        = "script.lua:2: Error: spawn /nonexistent/command ENOENT",
      ["cp.async(function()\ncp.execSync('exit 3')\nend)\ncp.run()"]
        = "script.lua:3: Error: Command failed: exit 3",
      ["cp.promises.exec('exit 3'):await()"] = "script.lua:2: Error: Command failed: exit 3",
      ["\ncoroutine.wrap(function() cp.execSync('exit 3') end)()"]
        = "script.lua:3: Error: Command failed: exit 3",
      ["cp.spawn('true'):on('exit', function()\nerror('why')\nend)\ncp.run()"]
        = "script.lua:3: why",
      ["error(require('child_process.errors').Error('why'))"] = "script.lua:2: Error: why",
      ["assert(false, require('child_process.errors').Error('why'))"] = "script.lua:2: Error: why",
    }) do
      if not (support.isPuc51 and message:find("Error")) then
        local said, traceback = lastWords(text)
        assert.equal(message, said:sub(1, #message))
        for _, line in ipairs(linesBefore(traceback, "script%.lua:%d+: in ")) do
          assert.is_false(isOurs(line), traceback)
        end
      end
    end
  end)
end)
