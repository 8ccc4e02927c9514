-- What a program may rely on when Lua gets no memory. `make test-faults` has more of this.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local support = require("spec.support")

local folder

-- Part of scripts: lets `require` load again what could not be loaded, as it does from Lua 5.2 on.
local REMOVE_MARKS = [[
  local function removeMarks()
    for name, value in pairs(package.loaded) do
      local isMark = type(value) == "userdata" or type(value) == "number" -- in 5.1, in LuaJIT
      if isMark and name:find("^child_process") then package.loaded[name] = nil end
    end
  end
]]

-- Runs a script in which `memory` lets allocations fail.
local function run(text)
  folder = folder or support.hostModule("memory_host")
  local stdout, stderr = support.runScript(support.withoutCompiler .. ([[
    package.cpath = "%s/?.so;" .. package.cpath
    local memory = require("memory_host")
    local lfs = require("lfs")

    local function openDescriptors()
      collectgarbage()
      local count = 0
      for _ in lfs.dir("/proc/self/fd") do count = count + 1 end
      return count
    end

    -- Calls a function that returns a child over and over, each time with the next allocation
    -- failing. Where it raises, the loop has to end by itself.
    local function startWithout(start)
      start():kill("SIGKILL") -- everything is loaded then
      cp.run()
      local before, raised, number, refused = openDescriptors(), 0, 0, nil
      repeat
        number = number + 1
        local ok, result
        ok, result, refused = memory.refuse(number, start)
        if ok then
          result:kill("SIGKILL")
        else
          assert(result == "not enough memory", result)
          raised = raised + 1
        end
        cp.run()
      until not refused
      print(raised > 0, openDescriptors() == before)
    end

    %s
  ]]):format(folder, text))
  assert.equal("", stderr)
  return stdout
end

describe("without memory", function()
  it("a start that raises leaves neither a program nor a descriptor behind", function()
    assert.equal("true\ttrue\n", run([[
      startWithout(function()
        return cp.spawn("sleep", {"1000"}, {timeout = 1000000, stdio = {nil, nil, nil, "ipc"}})
      end)
    ]]))
  end)

  it("nor does one of exec", function()
    assert.equal("true\ttrue\n", run([[
      startWithout(function()
        return cp.exec("exec sleep 1000", {timeout = 1000000}, function() end)
      end)
    ]]))
  end)

  it("loading the module fails as a whole, and succeeds later", function()
    folder = folder or support.hostModule("memory_host")
    local script = support.script(support.withoutCompiler .. REMOVE_MARKS .. ([[
      package.cpath = "%s/?.so;" .. package.cpath
      local memory = require("memory_host")

      local function load()
        removeMarks()
        return require("child_process.core")
      end

      -- The first long string makes a metatable for Lua's buffers. When memory runs out meanwhile,
      -- Lua keeps half of it.
      local _ = ("long"):rep(1000)

      local number, ok, core, refused = 0, nil, nil, nil
      repeat
        number = number + (arg[1] and 1 or 1e9)
        ok, core, refused = memory.refuse(number, load)
        assert(ok or core:find("not enough memory"), core)
      until ok

      local names = {}
      for name in pairs(core) do names[#names + 1] = name end
      table.sort(names)
      assert(not arg[1] or number > 1)
      print(table.concat(names, " "))
      print(core.kindOf(core.ChildProcess.new()), core.kindOf(core.channel(0)),
        core.kindOf(core.stream(0, true, true)), core.kindOf(core.datagram(4)))
    ]]):format(folder))
    local whole = cp.execFileSync(support.lua, {script}, {encoding = "utf8"})
    local refused = cp.execFileSync(support.lua, {script, "one by one"}, {encoding = "utf8"})
    assert.equal(whole, refused)
  end)

  -- Each allocation fails in a program of its own, since files are loaded only once.
  it("files that could not be loaded are loaded later", function()
    folder = folder or support.hostModule("memory_host")
    local script = support.script(support.withoutCompiler .. REMOVE_MARKS .. ([[
      package.cpath = "%s/?.so;" .. package.cpath
      local memory = require("memory_host")

      local function useAll()
        local cp = require("child_process")
        local child = cp.spawn("echo", {"out"})
        child.stdout:on("data", io.write)
        child:on("close", print)
        cp.run()
        cp.exec("echo exec", function(_, out) io.write(out) end)
        cp.run()
        io.write(cp.spawnSync("echo", {"sync"}).stdout)
        print(select(2, pcall(child.kill, child, "x")).code)
        require("child_process.timers").setTimeout(print, 1, "timer")
        cp.run()
      end

      local _, _, refused = memory.refuse(tonumber(arg[1]), useAll)
      if refused then
        removeMarks()
        pcall(require("child_process").run) -- what was started nevertheless
        print("again")
        useAll()
      end
    ]]):format(folder))
    local function output(number)
      return cp.execFileSync(support.lua, {script, number}, {encoding = "utf8"})
    end
    local expected = output(compat.maxInteger)
    assert.equal("out\n0\tnil\nexec\nsync\nERR_UNKNOWN_SIGNAL\ntimer\n", expected)
    local number = 1
    repeat
      local text = output(number)
      assert.equal(expected, text:match("again\n(.*)") or text, "allocation " .. number)
      number = number + 71
    until text == expected
    assert.is_true(number > 1000, number .. " allocations")
  end)
end)
