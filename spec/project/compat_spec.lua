-- What is the same in every Lua.

local cp = require("child_process")
local abort = require("child_process.abort")
local clone = require("child_process.clone")
local events = require("child_process.events")
local net = require("child_process.net")
local process = require("child_process.process")
local support = require("spec.support")
local timers = require("child_process.timers")

describe("In every Lua", function()
  it("objects are shown with the names of their classes", function()
    local child = cp.spawn("true")
    local timer, server = timers.setTimeout(function() end, 1), net.createServer()
    for name, object in pairs({
      ChildProcess = child, Stream = child.stdout, Timeout = timer, Server = server,
      AbortController = abort.AbortController(), EventEmitter = events.EventEmitter(),
      Map = clone.Map(), Set = clone.Set(), Promise = cp.async(function() end),
    }) do
      assert.matches("^" .. name, tostring(object))
    end
    support.run()
  end)

  it("whole floats count as integers", function()
    assert.same({"a", "b"}, {cp.execFileSync("printf", {"%s", "a", n = 2.0}), "b"})
    assert.is_true(process:kill(process.pid + 0.0, 0.0))
    assert.is_true(process:hrtime({0.0, 1.0})[1] >= 0)
    assert.equal("0x2", clone.BigInt(2.0).hex)
    local child = cp.spawn("printf", {"abc"})
    local taken
    child.stdout:on("readable", function()
      taken = taken or child.stdout:read(2.0)
      child.stdout:read()
    end)
    support.run()
    assert.equal("ab", taken)
  end)

  it("the module needs no global that is not there", function()
    local result = cp.spawnSync(support.lua, {support.script([[
      setmetatable(_G, {__index = function(_, name) error("undeclared " .. name, 2) end})
      local cp = require("child_process")
      local child = cp.fork(arg[0]:gsub("script.lua", "child.lua"), {execArgv = {}})
      child:on("message", function(message) print(message) child:disconnect() end)
      cp.async(function() print(cp.promises.exec("echo hi"):await().stdout) end)
      cp.run()
    ]])})
    assert.equal("", result.stderr:match("undeclared[^\n]*") or "")
  end)
end)
