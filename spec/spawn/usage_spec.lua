-- What a child has used: child:resourceUsage(), `resourceUsage` of the synchronous calls, and
-- process:resourceUsage().

local compat = require("child_process.base.compat")
local cp = require("child_process")
local process = require("child_process.process")
local support = require("spec.support")

local TICK = 10000 -- microseconds: the kernel may round each time by as much

local COUNTERS = {
  "minorPageFault", "majorPageFault", "fsRead", "fsWrite", "voluntaryContextSwitches",
  "involuntaryContextSwitches",
}

--- Microseconds of a clock that all processes share.
local function now()
  local time = process:hrtime()
  return time[1] * 1e6 + time[2] / 1e3
end

-- Uses the processor for as many milliseconds as the first argument says, and prints a table: the
-- time of the clock, then what it has used.
local BURN = [[
  local process = process or require("child_process.process")
  local milliseconds = tonumber((...))
  local usage
  repeat
    for _ = 1, 1000 do end
    usage = process:resourceUsage()
  until usage.userCPUTime + usage.systemCPUTime >= milliseconds * 1000
  local time = process:hrtime()
  io.write("at=", ("%.0f"):format(time[1] * 1e6 + time[2] / 1e3), "\n")
  usage = process:resourceUsage()
  for name, value in pairs(usage) do io.write(name, "=", ("%.0f"):format(value), "\n") end
]]

local function parse(text)
  local fields = {}
  for name, value in text:gmatch("(%w+)=(%d+)\n") do fields[name] = tonumber(value) end
  return fields
end

--- Expects what each table of this kind has.
local function assertFields(usage)
  assert.equal("table", type(usage))
  for _, name in ipairs({"userCPUTime", "systemCPUTime", compat.unpack(COUNTERS)}) do
    local value = usage[name]
    assert.is_true(type(value) == "number" and value >= 0 and value % 1 == 0, name)
  end
  assert.is_true(usage.maxRSS == nil or usage.maxRSS > 0 and usage.maxRSS % 1 == 0)
end

local function processorTime(usage) return usage.userCPUTime + usage.systemCPUTime end

--- Expects of what we are told of a child that it is what the child has printed of itself, and what
--- it may have used between that and its end.
---@param printed string by BURN
---@param usage table
---@param ended number the time at which we knew that it had ended
local function assertSame(printed, usage, ended)
  local own = parse(printed)
  assertFields(usage)
  assert.is_true(usage.userCPUTime >= own.userCPUTime - TICK)
  assert.is_true(usage.systemCPUTime >= own.systemCPUTime - TICK)
  assert.is_true(processorTime(usage) <= processorTime(own) + ended - own.at + 2 * TICK)
  for _, name in ipairs(COUNTERS) do assert.is_true(usage[name] >= own[name], name) end
  assert.is_true(usage.maxRSS == nil or usage.maxRSS >= own.maxRSS)
end

--- Emulators report what they have used themselves.
local function needKernel()
  if support.isEmulated() then support.skip("an emulator counts what it uses itself") end
end

local function ended(child)
  local at
  child:on("exit", function() at = now() end)
  return function() return at end
end

describe("child:resourceUsage()", function()
  it("is nil before \"exit\", and then a table", function()
    local child = cp.spawn("cat")
    assert.is_nil(child:resourceUsage())
    local seen = {}
    child:on("spawn", function()
      seen.spawn = child:resourceUsage()
      child.stdin:finish("x")
    end)
    child.stdout:on("data", function() seen.data = child:resourceUsage() end)
    child:on("exit", function() seen.exit = child:resourceUsage() end)
    child:on("close", function() seen.close = child:resourceUsage() end)
    support.run()
    assert.is_nil(seen.spawn)
    assert.is_nil(seen.data)
    assertFields(seen.exit)
    assertFields(seen.close)
    assert.equal(seen.exit.minorPageFault, seen.close.minorPageFault)
    assert.not_equal(seen.exit, child:resourceUsage()) -- the caller may change it
  end)

  it("is nil for a child that could not be started", function()
    local child = cp.spawn("no such program")
    local failed
    child:on("error", function(err) failed = err end)
    support.run()
    assert.equal("ENOENT", failed.code)
    assert.is_nil(child:resourceUsage())
    assert.is_nil(cp.ChildProcess():resourceUsage())
  end)

  it("must be called with a colon", function()
    assert.equal("ERR_INVALID_THIS", support.error(cp.ChildProcess.resourceUsage, {}).code)
  end)

  local function burn(milliseconds) return {support.script(BURN), milliseconds} end

  local starts = {
    spawn = function() return cp.spawn(support.lua, burn(60)) end,
    execFile = function() return cp.execFile(support.lua, burn(60)) end,
    exec = function()
      local args = burn(60)
      return cp.exec(("exec '%s' '%s' %d"):format(support.lua, args[1], args[2]))
    end,
    fork = function()
      return cp.fork(support.script(BURN), {60}, {silent = true})
    end,
    ["ChildProcess:spawn"] = function()
      local args = burn(60)
      return cp.ChildProcess():spawn({file = support.lua, args = {support.lua, args[1], args[2]}})
    end,
  }
  for name, start in pairs(starts) do
    it("has what the child says of itself, after " .. name, function()
      needKernel()
      local child = start()
      local at = ended(child)
      assertSame(support.outputOfSuccess(child), child:resourceUsage(), at())
    end)
  end

  it("belongs to each of four children that run at once", function()
    needKernel()
    local children, outputs, times = {}, {}, {}
    for index = 1, 4 do
      local child = cp.spawn(support.lua, burn(40 * (index - 1)))
      children[index], outputs[index] = child, support.collect(child.stdout)
      times[index] = ended(child)
    end
    support.run()
    for index, child in ipairs(children) do
      assertSame(outputs[index](), child:resourceUsage(), times[index]())
    end
  end)

  it("is there for each of a hundred children", function()
    local children, count = {}, 0
    for index = 1, 100 do
      children[index] = cp.spawn("true", {stdio = "ignore"})
      children[index]:on("exit", function() count = count + 1 end)
    end
    support.run()
    assert.equal(100, count)
    for _, child in ipairs(children) do assertFields(child:resourceUsage()) end
  end)

  local ends = {
    ["an exit code"] = {"exit 3"},
    ["a signal"] = {"kill -KILL $$"},
    ["a timeout"] = {"sleep 60", {timeout = 1}},
    ["too much output"] = {"yes", {maxBuffer = 1}},
  }
  for name, call in pairs(ends) do
    it("is there after " .. name, function()
      local failed
      local child = cp.exec(call[1], call[2] or {}, function(err) failed = err end)
      support.run()
      assert.truthy(failed)
      assertFields(child:resourceUsage())
    end)
  end

  it("includes descendants that the child has waited for, and no others", function()
    needKernel()
    local args = burn(100)
    local command = ("'%s' '%s' %d"):format(support.lua, args[1], args[2])
    local child = cp.spawn("sh", {"-c", command .. "; exit 0"})
    local at = ended(child)
    assertSame(support.outputOfSuccess(child), child:resourceUsage(), at())

    child = cp.spawn("sh", {"-c", command .. " & exit 0"})
    local own = parse(support.outputOfSuccess(child))
    assert.is_true(processorTime(child:resourceUsage()) < processorTime(own))
  end)
end)

describe("`resourceUsage`", function()
  it("is a field of what spawnSync returns, and has what the child says of itself", function()
    needKernel()
    local result = cp.spawnSync(support.lua, {support.script(BURN), 60})
    local at = now()
    support.assertSucceeded(result)
    assertSame(result.stdout, result.resourceUsage, at)
    assert.equal(result.resourceUsage, result.resourceUsage)
  end)

  it("belongs to each result, whichever is asked first", function()
    needKernel()
    local results, times = {}, {}
    for index = 1, 3 do
      results[index] = cp.spawnSync(support.lua, {support.script(BURN), 40 * (index - 1)})
      times[index] = now()
    end
    collectgarbage()
    for index = 3, 1, -1 do
      assertSame(results[index].stdout, results[index].resourceUsage, times[index])
    end
  end)

  it("is a field of the errors of execSync and execFileSync", function()
    assertFields(support.error(cp.execSync, "exit 3").resourceUsage)
    assertFields(support.error(cp.execFileSync, "false").resourceUsage)
    assertFields(support.error(cp.execSync, "kill -KILL $$").resourceUsage)
    local err = support.error(cp.execSync, "exec sleep 60", {timeout = 1})
    assert.equal("ETIMEDOUT", err.code)
    assertFields(err.resourceUsage)
    err = support.error(cp.execSync, "exec yes", {maxBuffer = 10})
    assert.equal("ENOBUFS", err.code)
    assertFields(err.resourceUsage)
  end)

  it("is nil for a program that could not be started", function()
    assert.is_nil(cp.spawnSync("no such program").resourceUsage)
    assert.is_nil(support.error(cp.execFileSync, "no such program").resourceUsage)
  end)

  it("may be set and removed like any field", function()
    local result = cp.spawnSync("true")
    result.resourceUsage = 5
    assert.equal(5, result.resourceUsage)
    assertFields(cp.spawnSync("true").resourceUsage)
    assert.is_nil(result.noSuchField)
  end)
end)

describe("`maxRSS` of a child", function()
  -- 24 MiB were in use once, and are no more.
  local WAS_BIG = ([[
    local interpreter = %q
    local text = ("x"):rep(24 * 1024 * 1024)
    text = nil
    collectgarbage()
    local function usage(script)
      local child = cp.spawn(%q, {"-e", script}, {stdio = {"ignore", "inherit", "inherit"}})
      local emitted
      child:on("exit", function() emitted = child:resourceUsage() end)
      cp.run()
      local result = cp.spawnSync(%q, {"-e", script}, {stdio = {"ignore", "inherit", "inherit"}})
      return emitted, result.resourceUsage
    end
  ]]):format(support.lua, support.lua, support.lua)

  it("is nil if this process has used as much: the kernel lets a child take over our peak",
    function()
      local output = support.runScript(WAS_BIG .. [[
        local a, b = usage("print(1)")
        print(a.maxRSS, b.maxRSS, a.minorPageFault > 0, b.minorPageFault > 0)
      ]])
      assert.equal("1\n1\nnil\tnil\ttrue\ttrue\n", output)
    end)

  it("is there if the child has used more than this process ever has", function()
    -- A child of the shell does not take over the peak of the process that runs the specs.
    local output = support.runScript(WAS_BIG .. [[
      local a, b = usage("text = ('x'):rep(100 * 1024 * 1024)")
      print(a.maxRSS >= 100 * 1024, b.maxRSS >= 100 * 1024)
    ]], '"$0" "$1"; exit')
    assert.equal("true\ttrue\n", output)
  end)

  it("is there in a program that was itself started by one which has used more", function()
    if not support.forLinux then pending("POSIX does not tell the peaks apart") end
    local output = support.runScript(WAS_BIG .. [[
      usage(([=[
        local cp = require("child_process")
        local result = cp.spawnSync(%q, {"-e", "text = ('x'):rep(20 * 1024 * 1024)"})
        print(result.resourceUsage.maxRSS >= 20 * 1024)
      ]=]):format(interpreter))
    ]])
    assert.equal("true\ntrue\n", output)
  end)

  it("is not that of the parent in process:resourceUsage() of the child", function()
    if not support.forLinux then pending("POSIX does not tell the peaks apart") end
    local output = support.runScript(WAS_BIG .. ([[
      print(require("child_process.process"):resourceUsage().maxRSS >= 24 * 1024)
      io.stdout:flush()
      usage([=[
        print(require("child_process.process"):resourceUsage().maxRSS < 24 * 1024)
      ]=])
    ]]))
    assert.equal("true\ntrue\ntrue\n", output)
  end)
end)

describe("process:resourceUsage()", function()
  it("has what this process has used", function()
    local before = process:resourceUsage()
    assertFields(before)
    assert.is_true(before.maxRSS > 0)
    local text = ("x"):rep(16 * 1024 * 1024)
    local after
    repeat
      for _ = 1, 1000 do end
      after = process:resourceUsage()
    until processorTime(after) > processorTime(before)
    assert.equal(16 * 1024 * 1024, #text)
    for _, name in ipairs(COUNTERS) do assert.is_true(after[name] >= before[name], name) end
    assert.is_true(after.maxRSS >= before.maxRSS)
  end)

  it("has what the kernel says in /proc", function()
    needKernel()
    local output = support.runScript([[
      local process = require("child_process.process")
      local file = io.tmpfile()
      for _ = 1, 64 do file:write(("x"):rep(65536)) end
      file:flush()
      for _ = 1, 20 do cp.spawnSync("true") end
      local function read(path)
        local opened = io.open(path)
        local text = opened and opened:read("*a") or ""
        if opened then opened:close() end
        return text
      end
      local before = process:resourceUsage()
      local stat, status = read("/proc/self/stat"):match("%) (.*)"), read("/proc/self/status")
      local io = read("/proc/self/io")
      local after = process:resourceUsage()
      local fields = {}
      for field in stat:gmatch("%S+") do fields[#fields + 1] = tonumber(field) or 0 end
      local function check(name, value, slack)
        if value and (value < before[name] - slack or value > after[name] + slack) then
          print(name, before[name], value, after[name])
        end
      end
      check("minorPageFault", fields[8], 0)
      check("majorPageFault", fields[10], 0)
      check("userCPUTime", fields[12] * 10000, 20000)
      check("systemCPUTime", fields[13] * 10000, 20000)
      for name, field in pairs({voluntary = "voluntary", involuntary = "nonvoluntary"}) do
        check(name .. "ContextSwitches",
          tonumber(status:match("\n" .. field .. "_ctxt_switches:%s*(%d+)")), 0)
      end
      -- There the kernel adds what children have used that were waited for.
      for name, field in pairs({fsRead = "read_bytes", fsWrite = "write_bytes"}) do
        local value = tonumber(io:match("\n" .. field .. ": (%d+)"))
        if value and value / 512 < before[name] - 1 then print(name, before[name], value / 512) end
      end
      print("checked")
    ]])
    assert.equal("checked\n", output)
  end)

  it("must be called with a colon", function()
    assert.equal("ERR_INVALID_THIS", support.error(process.resourceUsage, nil).code)
  end)
end)
