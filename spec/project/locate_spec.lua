-- Where the module's own files come from, whatever a program does to what `require` looks at.

local compat = require("child_process.base.compat")
local cp = require("child_process")
local messages = require("spec.support.messages")
local support = require("spec.support")

-- Patterns that find the files that are under test, and nothing else.
local PATH = compat.searchPath("child_process.loop", package.path)
  :gsub("child_process/loop%.lua$", "?.lua")
local CPATH = compat.searchPath("child_process.core", package.cpath)
  :gsub("child_process/core%.so$", "?.so")

--- Runs a script to its end and gives what it prints. Fails if it ends with another code than 0.
local function outputOf(text, env)
  return support.runScript(text, nil, {env = messages.environment(env or {}), cwd = "/"})
end

-- A parent's part: a child that sends something and then has an error.
local function forking(tell)
  return ([[
    local tell = %s
    local child = cp.fork(%q, {silent = true})
    child:on("message", tell)
    child.stderr:on("data", function(text) tell((text:match("(broken)\nstack"))) end)
  ]]):format(tell or "print", support.script("process:send(1) error('broken', 0)"))
end

-- Uses what is loaded late.
local USE = [[
  cp.exec("echo exec", function(_, out) io.write(out) end)
  cp.spawn("/nonexistent/command"):on("error", function(err) print(err.code) end)
  io.write(cp.spawnSync("echo", {"sync"}).stdout)
  print(process.env.WORD .. " " .. tostring(process:uptime() > 0))
]]

local function sorted(list)
  table.sort(list, function(a, b) return tostring(a) < tostring(b) end)
  return list
end

local function assertUsable(output)
  assert.same({"1", "ENOENT", "broken", "exec", "sync", "word true"}, sorted(support.lines(output)))
end

describe("What is loaded late is found", function()
  it("when the working directory has changed and LUA_PATH is relative", function()
    assertUsable((outputOf([[
      local process = require("child_process.process")
      process:chdir("/tmp")
    ]] .. USE .. forking() .. "cp.run()", {
      LUA_PATH = "." .. PATH, LUA_CPATH = "." .. CPATH, WORD = "word",
    })))
  end)

  it("when package.path, package.cpath and the environment's have become useless", function()
    assertUsable((outputOf([[
      local process = require("child_process.process")
      package.path, package.cpath = "", ""
      process.env.LUA_PATH, process.env.LUA_CPATH = "", ""
    ]] .. USE .. forking() .. "cp.run()", {WORD = "word"})))
  end)

  it("in a child without LUA_PATH, which may fork as well", function()
    local child = messages.fork([[
      local cp = require("child_process")
      cp.spawn("/nonexistent/command"):on("error", function(err) process:send(err.code) end)
    ]] .. forking("function(value) process:send(value) end"), {
      env = messages.environment({LUA_PATH = false, LUA_CPATH = false}),
    })
    local received = messages.received(child)
    support.run()
    assert.same({1, "ENOENT", "broken"}, sorted(received))
  end)

  it("in a parent that sets package.path itself", function()
    local path = support.script(([[
      package.path, package.cpath = %q, %q
      local cp = require("child_process")
      %s
      cp.run()
    ]]):format(PATH, CPATH, forking()))
    local child = cp.spawn(support.lua, {path}, {
      env = messages.environment({LUA_PATH = false, LUA_CPATH = false}),
    })
    local stdout = support.output(child)
    assert.same({"1", "broken"}, sorted(support.lines(stdout)))
  end)

  it("not in the directory that the program has gone to, whatever package.path says", function()
    local folder = support.tmpdir()
    cp.execFileSync("mkdir", {"-p", folder .. "/child_process/spawn"})
    for _, name in ipairs({"", "/errors", "/timers", "/spawn/sync", "/core"}) do
      support.writeFile(("%s/child_process%s.lua"):format(folder, name), "print('not ours')")
    end
    assertUsable((outputOf(([[
      local process = require("child_process.process")
      process:chdir(%q)
      package.path = "./?.lua;" .. package.path
    ]]):format(folder) .. USE .. forking() .. "cp.run()", {WORD = "word"})))
    assert.equal("ours\n", (outputOf(([[
      require("child_process.process"):chdir(%q)
      package.path = "./?.lua;" .. package.path
      for name in pairs(package.loaded) do
        if name:find("^child_process") then package.loaded[name] = nil end
      end
      io.write(require("child_process").execFileSync("echo", {"ours"}))
    ]]):format(folder))))
  end)

  it("elsewhere, where somebody else provides it", function()
    assert.equal("mine\tmine too\n", (outputOf([[
      package.preload["child_process.timers"] = function() return "mine" end
      table.insert(package.searchers or package.loaders, 2, function(name)
        return name == "child_process.encoding" and function() return "mine too" end or nil
      end)
      print(require("child_process.timers"), (require("child_process.encoding")))
    ]])))
  end)

  it("not, where there is no such part, and 'require' says so", function()
    local _, message = pcall(require, "child_process.nonexistent")
    assert.matches("module 'child_process.nonexistent' not found", message, 1, true)
    assert.matches("cannot open [^\n]*/child_process/nonexistent.lua", message)
  end)
end)

describe("The Lua modules that are loaded a second time", function()
  local RELOAD = [[
    for name in pairs(package.loaded) do
      if name:find("^child_process") and not keep[name] then package.loaded[name] = nil end
    end
    return require("child_process")
  ]]
  local USES = [[
    local process = require("child_process.process")
    local reload = function(keep) %s end
    local old = cp.spawn("sh", {"-c", "echo old; exit 3"})
    old.stdout:on("data", io.write)
    old:on("close", function(code) print("closed", code) end)
    cp = reload(%s)
    cp.execFile("echo", {"new"}, function(_, out) io.write(out) end)
    io.write(cp.spawnSync("echo", {"sync"}).stdout)
    print(pcall(cp.spawn, "true", 5) or "raises")
    print(process == require("child_process.process"))
    cp.run()
  ]]

  for kept, keep in pairs({
    ["without the C module"] = '{["child_process.core"] = true}',
    ["together with the C module"] = "{}",
  }) do
    it("work " .. kept .. ", beside what was started before", function()
      local output = outputOf(USES:format(RELOAD, keep))
      assert.same({"closed\t3", "new", "old", "raises", "sync", "true"},
        sorted(support.lines(output)))
    end)
  end

  it("search for files as before, in a program and in a forked child", function()
    local text = ([[
      local cp = require("child_process")
      local searchers = package.searchers or package.loaders
      local count = #searchers
      local reload = function(keep) %s end
      reload({})
      reload({["child_process.core"] = true})
      io.write(cp.spawnSync("echo", {"sync"}).stdout)
      print(#searchers - count)
    ]]):format(RELOAD)
    assert.equal("sync\n0\n", (outputOf(text)))
    assert.equal("sync\n0\n", (outputOf(("cp.fork(%q) cp.run()"):format(support.script(text)))))
  end)
end)

-- Takes all descriptors that are left.
local EXHAUST = [[
  local files = {}
  local function exhaust()
    local file
    repeat
      file = io.open("/dev/null")
      files[#files + 1] = file
    until not file
  end
  local function release()
    while #files > 0 do table.remove(files):close() end
  end
]]

-- With the larger one more of them are kept in reserve.
for _, limit in ipairs({20, 300}) do
  describe(("Without a free descriptor, of %d, the first"):format(limit), function()
    local COUNT = [[
      local list = cp.spawnSync("sh", {"-c", "ls -l /proc/$PPID/fd"}).stdout
      print(select(2, list:gsub("/dev/null", "")))
    ]]
    local before = "ulimit -n " .. limit

    for call, expected in pairs({
      ['cp.spawn("true"):on("error", function(err) print(err.code) end)'] = "EMFILE\n",
      ['cp.exec("true", function(err) print(err.code) end)'] = "EMFILE\n",
      ['cp.fork("script"):on("error", function(err) print(err.code) end)'] = "EMFILE\n",
      ['print(cp.spawnSync("true").error.code)'] = "EMFILE\n",
      ['print(select(2, pcall(cp.spawn, "")).code)'] = "ERR_INVALID_ARG_VALUE\n",
    }) do
      it("call reports what is wrong, and the next one works: " .. call, function()
        local output = support.runScript(EXHAUST .. "exhaust()" .. call
          .. " cp.run() release()" .. COUNT, before)
        -- what the module keeps in reserve is there again
        assert.equal(expected .. support.runScript(COUNT, before), output)
      end)
    end
  end)
end

describe("A forked script without a free descriptor", function()
  it("has its errors reported", function()
    local path = support.script(EXHAUST .. "exhaust() error('broken', 0)")
    local _, output = support.runScript(([[
      cp.fork(%q)
      cp.run()
    ]]):format(path), "ulimit -n 20")
    assert.matches(": broken\nstack traceback:\n", output, 1, true)
  end)
end)
