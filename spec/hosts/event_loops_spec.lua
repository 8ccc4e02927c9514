-- Event loops of Lua that drive ours: the examples, and their adapters (the part above the
-- demonstration) in programs with many children, with errors, and with nothing to do.

local cp = require("child_process")
local hosts = require("spec.support.hosts")
local lfs = require("lfs")
local process = require("child_process.process")
local support = require("spec.support")

local FOLDER = assert(lfs.currentdir()) .. "/examples/hosts"

-- Debian has Copas and lua-http in the folder of Lua 5.1 alone, but they run in every version.
local OTHERS = ";/usr/share/lua/5.3/?.lua;/usr/share/lua/5.1/?.lua"

local ENV = setmetatable({LUA_PATH = (process.env.LUA_PATH or ";") .. OTHERS},
  {__index = process.env})

-- What each host needs, and a program with its adapter. There `go(fn)` calls a function in a
-- coroutine of the host, `work(count)` has the host do something else as well, which `worked`
-- counts, and `main(isDone)` runs the host's loop.
local HOSTS = {
  cqueues = {
    needs = {"cqueues"},
    text = [[
      local cq = cqueues.new()
      attach(cq)

      local function go(fn) cq:wrap(fn) end

      local function work(count)
        worked = 0
        cq:wrap(function()
          for _ = 1, count do
            cqueues.sleep(0.005)
            worked = worked + 1
          end
        end)
      end

      local function main(isDone)
        while not isDone() do
          local ok, err = cq:step()
          if not ok then errors[#errors + 1] = tostring(err) end
        end
      end
    ]],
  },
  copas = {
    needs = {"copas", "socket"},
    text = [[
      attach()

      local function go(fn) copas.addthread(fn) end

      local original, left = print, 0
      function print(...) -- which old versions of Copas call with errors
        local err, thread = ...
        if type(thread) ~= "thread" then return original(...) end
        errors[#errors + 1] = tostring(err)
      end
      if copas.seterrorhandler then copas.seterrorhandler(print, true) end

      local function work(count) worked, left = 0, count end

      local function main(isDone)
        while not isDone() do
          copas.step(left > 0 and 0.005 or nil)
          if left > 0 then worked, left = worked + 1, left - 1 end
        end
      end
    ]],
  },
  poll = {
    needs = {"posix.poll"}, otherwise = {"socket"},
    text = [[
      local go = cp.async

      local original, left = print, 0
      function print(text, ...)
        local err = tostring(text):match("^an error: (.*)")
        if err then errors[#errors + 1] = err else original(text, ...) end
      end

      local function work(count) worked, left = 0, count end

      local function main(isDone)
        while not isDone() do
          step(left > 0 and 0.005 or nil)
          if left > 0 then worked, left = worked + 1, left - 1 end
        end
      end
    ]],
  },
}

local function succeeds(text)
  return cp.spawnSync(support.lua, {"-e", text}, {env = ENV}).status == 0
end

local found = {}

local function has(modules)
  for _, name in ipairs(modules) do
    if found[name] == nil then found[name] = succeeds(("require(%q)"):format(name)) end
    if not found[name] then return false end
  end
  return true
end

local function need(modules, otherwise)
  if not has(modules) and not (otherwise and has(otherwise)) then
    pending(table.concat(modules, " and ") .. " for Lua " .. support.luaVersion
      .. " is not installed")
  end
end

-- The part of an example above its demonstration.
local function adapterOf(name)
  local text = support.readFile(("%s/with_%s.lua"):format(FOLDER, name))
  return (assert(text:match("^(.-)\n%-%- Demonstration")))
end

-- Runs a script to its end, perhaps in a folder. Gives what it prints.
local function run(text, env, folder)
  local child = cp.spawn(support.lua, {support.script(text)}, {env = env or ENV, cwd = folder})
  child.stdin:finish()
  return support.outputOfSuccess(child)
end

-- Runs a program in which the adapter of a host is at work. `runs` counts the runs of our loop.
local function runIn(name, text)
  local host = HOSTS[name]
  need(host.needs, host.otherwise)
  return run([[
    local cp = require("child_process")
    local timers = require("child_process.timers")
    local errors, worked, runs = {}, 0, 0
    local ours = require("child_process.loop")
    local runOurs = ours.run
    function ours.run(...)
      runs = runs + 1
      return runOurs(...)
    end
    ]] .. adapterOf(name):gsub("local cp = [^\n]*\n", "") .. host.text .. text)
end

for name in pairs(HOSTS) do
  describe("With the adapter for " .. name, function()
    it("a hundred children run at once, and the host goes on meanwhile", function()
      assert.equal("297\t10\ttrue\n", runIn(name, [[
        local sum, count = 0, 0
        for index = 1, 100 do
          go(function()
            local code = cp.spawn("sh", {"-c", "exit " .. index % 7}):wait("close")
            sum, count = sum + code, count + 1
          end)
        end
        work(10)
        main(function() return count == 100 and worked == 10 end)
        print(sum, worked, runs < 1000 or runs)
      ]]))
    end)

    it("callbacks are called, whoever starts something, and when", function()
      assert.equal("one\ntwo\nthree\n", runIn(name, [[
        local text = ""
        local function add(_, stdout) text = text .. stdout end
        cp.exec("echo one", add)
        main(function() return #text == 4 end)
        work(2)
        main(function() return worked == 2 end)
        go(function() cp.exec("echo two", add) end)
        main(function() return #text == 8 end)
        timers.setTimeout(function() cp.exec("echo three", add) end, 5)
        main(function() return #text == 14 end)
        io.write(text)
      ]]))
    end)

    it("coroutines of the host wait for promises, events and streams", function()
      assert.equal("hi\n3\nall\tof it\n7\n", runIn(name, [[
        local seen = {}
        go(function()
          seen[1] = cp.promises.exec("printf hi"):await().stdout
          seen[2] = cp.promises.exec("exit 3"):catch(function(err) return err.code end):await()
          local child = cp.spawn("sh", {"-c", "echo 'all\tof it'; exit 7"})
          seen[3] = child.stdout:readAll():gsub("\n", "")
          seen[4] = child:wait("close")
        end)
        main(function() return seen[4] end)
        print(table.concat(seen, "\n"))
      ]]))
    end)

    it("a failure that a coroutine waits for is its error", function()
      assert.equal("Command failed: exit 3\t1\n", runIn(name, [[
        go(function() cp.promises.exec("exit 3"):await() end)
        main(function() return errors[1] end)
        print(errors[1]:match("Command failed: exit 3"), #errors)
      ]]))
    end)

    it("workers exchange messages with us", function()
      local worker = support.script([[
        process:on("message", function(message) process:send(message * 2) end)
      ]])
      assert.equal("110\n", runIn(name, ([[
        local worker = cp.fork(%q)
        local sum, isOver = 0, false
        worker:on("message", function(number)
          sum = sum + number
          if number == 20 then worker:disconnect() end
        end)
        worker:on("exit", function() isOver = true end)
        go(function()
          for number = 1, 10 do worker:send(number) end
        end)
        main(function() return isOver end)
        print(("%%d"):format(sum))
      ]]):format(worker)))
    end)

    it("errors of listeners reach the host, and our loop goes on", function()
      assert.equal("in a timer\nin another\non exit\nthe rest\n", runIn(name, [[
        local rest
        timers.setTimeout(function() error("in a timer", 0) end, 1)
        timers.setTimeout(function() error("in another", 0) end, 1)
        cp.spawn("true"):on("exit", function() error("on exit", 0) end)
        cp.exec("echo the rest", function(_, stdout) rest = stdout end)
        main(function() return rest and #errors == 3 end)
        for index, err in ipairs(errors) do
          errors[index] = err:match("in a%l* *%l*") or "on exit"
        end
        table.sort(errors)
        print(table.concat(errors, "\n"))
        io.write(rest)
      ]]))
    end)

    it("our loop is not run while it has nothing to do", function()
      assert.equal("true\n", runIn(name, [[
        local child = cp.spawn("sleep", {"1000"})
        local code
        go(function() code = select(2, child:wait("close")) end)
        work(5)
        main(function() return worked == 5 end)
        local before = runs
        work(20)
        main(function() return worked == 20 end)
        print(runs - before <= 25 or runs - before) -- with_poll.lua runs it in each of its steps
        child:kill()
        main(function() return code end)
      ]]))
    end)

    it("the host may end its loop while a child runs", function()
      assert.equal("true\n", runIn(name, [[
        local child = cp.spawn("sleep", {"1000"})
        go(function() child:wait("close") end)
        work(3)
        main(function() return worked == 3 end)
        print(child.exitCode == nil)
        child:kill()
      ]]))
    end)
  end)
end

describe("With the adapter for cqueues", function()
  it("the controller ends when nothing of its own and nothing of ours is left", function()
    assert.equal("hello\nagain\n0\n", runIn("cqueues", [[
      cp.exec("echo hello", function(_, stdout) io.write(stdout) end)
      timers.setTimeout(error, 1e6):unref()
      assert(cq:loop())
      cq:wrap(function()
        cqueues.sleep(0.005)
        cp.exec("echo again", function(_, stdout) io.write(stdout) end)
      end)
      assert(cq:loop())
      print(cq:count())
    ]]))
  end)
end)

describe("With the adapter for Copas", function()
  it("a coroutine inside one of its own can wait, or gets an error", function()
    assert.equal("true\n", runIn("copas", [[
      local got, err, ended
      go(function()
        local promise = cp.promises.exec("echo d")
        local ok, failure = pcall(coroutine.wrap(function() got = promise:await().stdout end))
        err = not ok and failure
        ended = promise:await()
      end)
      main(function() return ended and (got or err) end)
      print(got == "d\\n" or err.code == "ERR_WAIT_IN_SCHEDULER")
    ]]))
  end)

  it("waits leave no descriptors behind", function()
    need({"lfs"})
    assert.equal("true\n", runIn("copas", [[
      local function count()
        local number = 0
        for _ in require("lfs").dir("/proc/self/fd") do number = number + 1 end
        return number
      end

      collectgarbage("stop")
      local before, after
      go(function()
        for _ = 1, 300 do
          local promise, resolve = require("child_process.promise").withResolvers()
          timers.setImmediate(resolve)
          promise:await()
          before = before or count()
        end
        after = count()
      end)
      main(function() return after or errors[1] end)
      print(errors[1] or after <= before or after - before)
    ]]))
  end)
end)

for name in pairs({cqueues = true, copas = true}) do
  describe("In Lua 5.1, with the adapter for " .. name, function()
    it("a wait where no coroutine can be suspended is an error, and the host goes on", function()
      if support.yieldsAnywhere then support.skip("this Lua can wait there") end
      assert.equal("ERR_WAIT_IN_SCHEDULER\nERR_WAIT_IN_SCHEDULER\ntrue\n", runIn(name, [[
        local child = cp.spawn("cat")
        local seen = {}
        go(function()
          local ok, err = pcall(child.wait, child, "close")
          assert(not ok and err.message:find("In Lua 5.1 .*Waiting in Lua 5.1"))
          seen[1] = err.code
          ok, err = pcall(function()
            for line in child.stdout:lines() do print(line) end
          end)
          assert(not ok)
          seen[2] = err.code
        end)
        work(3)
        main(function() return worked == 3 and seen[2] end)
        child.stdin:finish()
        go(function() seen[3] = child:wait("exit") == 0 end)
        main(function() return seen[3] ~= nil end)
        print(seen[1] .. "\n" .. seen[2] .. "\n" .. tostring(seen[3]))
      ]]))
    end)
  end)
end

describe("The example", function()
  for name, example in pairs({
    cqueues = {
      needs = {"cqueues"},
      output = "tick 1\ntick 2\ntick 3\nthe command has printed hello\n\n",
    },
    copas = {needs = {"copas", "socket"}, output = "the server has answered hello\n"},
    lua_http = {
      yields = true,
      needs = {"cqueues", "http.server"},
      output = "you have asked for /1\nyou have asked for /2\nyou have asked for /3\n",
    },
    poll = {
      needs = {"posix.poll"}, otherwise = {"socket"},
      output = "tick 1\ntick 2\ntick 3\nthe command has printed hello\n\n",
    },
  }) do
    local function test(env)
      need(example.needs, example.otherwise)
      if example.yields and not support.yieldsAnywhere then
        pending(("lua-http protects its handlers, which cannot yield in Lua %s then")
          :format(support.luaVersion))
      end
      local text = support.readFile(("%s/with_%s.lua"):format(FOLDER, name))
      assert.equal(example.output, run(text, env, FOLDER))
    end

    it("with_" .. name .. ".lua runs in its folder", function()
      test(setmetatable({LUA_PATH = "./?.lua;" .. ENV.LUA_PATH}, {__index = ENV}))
    end)

    it("with_" .. name .. ".lua runs with the module that LuaRocks installs", function()
      hosts.need()
      local env = hosts.environment("5.4")
      env.LUA_PATH = env.LUA_PATH .. OTHERS
      test(env)
    end)
  end

  it("with_lua_http.lua has the adapter of with_cqueues.lua", function()
    local adapter = adapterOf("cqueues"):match("\n(%-%- The controller.*)")
    assert.truthy(support.readFile(FOLDER .. "/with_lua_http.lua"):find(adapter, 1, true))
  end)
end)

describe("Without an adapter, waiting is an error in the coroutine that waits", function()
  it("in Copas", function()
    support.needYields()
    need({"copas"})
    assert.equal("ERR_WAIT_IN_SCHEDULER\tthe host goes on\n", run([[
      local copas = require("copas")
      local cp = require("child_process")
      local err
      local server = require("socket").bind("127.0.0.1", 0)
      copas.addserver(server, function(client)
        local promise = cp.promises.exec("true")
        err = select(2, pcall(promise.await, promise))
        copas.send(client, "the host goes on\n")
      end)
      copas.addthread(function()
        local client = require("socket").tcp()
        copas.connect(client, server:getsockname())
        local answer = copas.receive(client)
        assert(err.message:find("Copas.*in the manual"))
        print(err.code, answer)
        os.exit(true, true)
      end)
      copas.loop()
    ]]))
  end)

  it("in a handler of lua-http", function()
    need({"cqueues", "http.server"})
    assert.equal("ERR_WAIT_IN_SCHEDULER\nERR_WAIT_IN_SCHEDULER\n",
      run((support.readFile(FOLDER .. "/with_lua_http.lua")
        :gsub("\nattach%(cq%)\n", "\n", 1)
        :gsub("local output = [^\n]*", [[
          local promise = cp.promises.exec("true")
          local _, output = pcall(promise.await, promise)
          output = output.code .. "\n"]])
        :gsub("for number = 1, 3 do", "for number = 1, 2 do")) .. "cp.run()\n"))
  end)
end)
