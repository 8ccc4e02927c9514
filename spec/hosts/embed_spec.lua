-- Programs in C that contain the module: the library, its header and its pkg-config file, from an
-- installation of their own; and the programs of examples/embed/.

local cp = require("child_process")
local lfs = require("lfs")
local pages = require("spec.support.pages")
local process = require("child_process.process")
local support = require("spec.support")

-- Our environment with changes.
local function environment(changes)
  return setmetatable(changes, {__index = process.env})
end

-- Runs a shell command with positional arguments. Returns what it has printed.
local function sh(command, ...)
  local env = environment({MAKEFLAGS = cp.null, MFLAGS = cp.null, MAKELEVEL = cp.null})
  local result = cp.spawnSync("sh", {"-ec", command, "sh", ...}, {env = env, encoding = "utf8"})
  if result.status ~= 0 or result.stderr ~= "" then
    error(("%s\nstatus %s: %s%s"):format(command, result.status, result.stdout, result.stderr), 2)
  end
  return result.stdout
end

local folder, root, host, luaPath

-- Compiles programs in the folder with what pkg-config says, and as the module was compiled.
local function compile(...)
  sh([[
    folder=$1 settings=$2; shift 2
    eval "make -C '$folder/embed' $settings PKG_CONFIG_PATH='$folder/the root/lib/pkgconfig' $*"
  ]], folder, process.env.BUILD_VARIABLES or "LUA=" .. support.lua, ...)
end

-- Installs with DESTDIR, and moves the tree to its place, as a package does.
setup(function()
  folder = os.tmpname()
  os.remove(folder)
  root = folder .. "/the root" -- names with spaces work, too
  sh([[
    mkdir -p "$1/embed"
    eval "make install $3 DESTDIR='$1/stage' PREFIX='$2'"
    mv "$1/stage$2" "$2"
    cp examples/embed/*.c examples/embed/Makefile spec/support/embed_host.c "$1/embed"
  ]], folder, root, process.env.BUILD_VARIABLES or "LUA=" .. support.lua)
  compile("all", "embed_host")
  host = folder .. "/embed/embed_host"
  luaPath = sh([[PKG_CONFIG_PATH="$1/lib/pkgconfig" pkg-config --variable=luadir child_process]],
    root):gsub("\n", "/?.lua")
end)

teardown(function()
  sh('rm -rf "$1"', folder)
end)

-- Starts one of the programs, which finds the installed Lua files, and no C module.
local function start(program, args, options)
  options = support.merge({encoding = "utf8", timeout = 120000, env = environment({
    LUA_PATH = luaPath, LUA_CPATH = "/none/?.so", LUA_INIT = "",
  })}, options)
  return cp.spawnSync(program, args, options)
end

local function check(result)
  assert.equal("", result.stderr)
  assert.is_nil(result.signal)
  assert.equal(0, result.status)
  return result.stdout
end

-- Runs a script in the host for tests, with more arguments.
local function run(text, ...)
  return check(start(host, {support.script(text), ...}))
end

-- The same, with the installed C module on package.cpath. Forked interpreters load that.
local function runForking(text, ...)
  local cpath = luaPath:gsub("/share/", "/lib/"):gsub("%.lua$", ".so")
  local env = environment({LUA_PATH = luaPath, LUA_CPATH = cpath})
  return check(start(host, {support.script([[
    local _, cp = host.open()
    require("child_process.process").execPath = ...
  ]] .. text), support.lua, ...}, {env = env}))
end

-- Runs a program under valgrind, which must find neither leaks nor errors.
local function checkMemory(program)
  if process.env.ASAN_OPTIONS or process.env.TSAN_OPTIONS then
    pending("valgrind does not run programs that are built with sanitizers")
  end
  if cp.spawnSync("valgrind", {"--version"}).status ~= 0 then
    pending("valgrind is not installed")
  end
  -- valgrind knows neither pidfds nor the way in which programs are started
  return check(start("env", {
    "CHILD_PROCESS_NO_PIDFD=1", "CHILD_PROCESS_NO_VFORK=1", "valgrind", "--quiet",
    -- not "possible": the stacks of threads that wait for children when the program ends
    "--leak-check=full", "--show-leak-kinds=definite,indirect,reachable",
    "--errors-for-leak-kinds=definite,indirect,reachable",
    "--error-exitcode=99", "--child-silent-after-fork=yes", "--trace-children=no", program,
  }))
end

local EXAMPLES = {
  epoll = {
    "C: its child has exited with 7",
    "C: no child is left",
    "Lua: its child has exited with 3",
    "Lua: its child says hello",
  },
  uv = {
    "C: uv_loop_close has returned 0",
    "Lua: hello",
    "Lua: the state is still open",
  },
  threads = {
    "one thread: the sum is 55",
    "the other thread: the sum is 55",
  },
}

local function sortedLines(text)
  local lines = support.lines(text)
  table.sort(lines)
  return lines
end

describe("The example", function()
  for name, lines in pairs(EXAMPLES) do
    it("embed/" .. name .. ".c runs", function()
      assert.same(lines, sortedLines(check(start(folder .. "/embed/" .. name))))
    end)

    it("embed/" .. name .. ".c leaves no memory behind", function()
      assert.same(lines, sortedLines(checkMemory(folder .. "/embed/" .. name)))
    end)
  end

  it("embed/threads.c runs again and again", function()
    for _ = 1, 10 do check(start(folder .. "/embed/threads")) end
  end)

  it("in embed/ is listed in examples/README.md", function()
    local text = support.readFile("examples/README.md")
    for file in lfs.dir("examples/embed") do
      if file:find("%.c$") then
        assert.truthy(text:find(("[embed/%s](embed/%s)"):format(file, file), 1, true), file)
      end
    end
  end)
end)

describe("The manual's chapter for C programs", function()
  it("has a whole program, which prints what stands below it", function()
    local tried = 0
    for _, block in ipairs(pages.blocks("doc/manual/hosts.md")) do
      if block.language == "c" and block.text:find("int main", 1, true) then
        tried = tried + 1
        support.writeFile(folder .. "/embed/manual.c", block.text)
        compile("manual")
        assert.equal(block.output, check(start(folder .. "/embed/manual")))
      end
    end
    assert.equal(1, tried)
  end)
end)

describe("The library", function()
  it("has no other names for the program than those of its header", function()
    local names = {}
    for name in support.readFile("include/child_process.h"):gmatch("([%w_]+)%(struct lua_State") do
      names[#names + 1] = name
    end
    names[#names + 1] = "child_process_version"
    table.sort(names)
    local found = sh([[
      nm -g --defined-only "$(PKG_CONFIG_PATH="$1/lib/pkgconfig" pkg-config --variable=libdir \
        child_process)/libchild_process.a" | sed -n 's/.* T //p' | LC_ALL=C sort]], root)
    assert.same(names, support.lines(found))
  end)

  it("has a header that any compiler of C or C++ takes", function()
    sh([[
      echo '#include <child_process.h>' >"$1/header.c"
      cpp=
      if ${CC:-cc} -x c++ -fsyntax-only /dev/null 2>/dev/null; then cpp="-x c++"; fi
      for options in "-std=c89 -pedantic" "-std=c11 -pedantic" "$cpp"; do
        ${CC:-cc} -Wall -Wextra -Werror $options -I"$1/the root/include" -fsyntax-only "$1/header.c"
      done]], folder)
  end)

  it("says its version, which is that of the module and of the pkg-config file", function()
    local version = cp._VERSION:match("^child_process (.*)$")
    local printed = run("print(host.version())")
    assert.equal(("%s\t%s\t"):format(version, version), printed:match("^(.*\t)%d+\n$"))
    assert.equal(version .. "\n", sh(
      [[PKG_CONFIG_PATH="$1/lib/pkgconfig" pkg-config --modversion child_process]], root))
  end)
end)

describe("child_process_open", function()
  it("pushes the module, which scripts then find", function()
    assert.equal("0\ttrue\n7\n", run([[
      local status, cp = host.open()
      print(status, cp == require("child_process"))
      print(cp.spawnSync("sh", {"-c", "exit 7"}).status)
    ]]))
  end)

  it("may be called again", function()
    assert.equal("true\n", run("print(select(2, host.open()) == select(2, host.open()))"))
  end)

  it("fails where the Lua files are not found", function()
    local out = run([[
      package.path = "/none/?.lua"
      print(host.open())
    ]])
    assert.truthy(out:find("^2\t.*module 'child_process' not found"), out)
  end)

  it("fails where the standard libraries were not opened", function()
    assert.equal('2\tchild_process: the Lua state has no library "package" with the function '
      .. '"require": call luaL_openlibs before child_process_open\n',
      run("package = nil print(host.open())"))
    assert.equal("2\tchild_process needs parts of Lua's standard library that this program has "
      .. "removed or not opened: debug\n", run("debug = nil print(host.open())"))
  end)

  it("fails with Lua files of another version", function()
    assert.equal("2\tchild_process: the Lua files are of another version: "
      .. ('"child_process 0.1", not "%s"\n'):format(cp._VERSION), run([[
      package.loaded.child_process = {_VERSION = "child_process 0.1"}
      print(host.open())
    ]]))
  end)

  it("fails where a script has loaded another C part", function()
    local text = ([[
      package.cpath = %q
      require("child_process")
      print(host.open())
    ]]):format(package.cpath)
    if process.env.ASAN_OPTIONS or process.env.TSAN_OPTIONS then
      pending("two modules with sanitizers in one program")
    end
    assert.equal("2\tchild_process: the module was loaded before, with another C part\n", run(text))
  end)

  it("is not needed where the C part is preloaded", function()
    assert.equal("from a child\n", run([[
      host.preload()
      local cp = require("child_process")
      io.write(cp.execFileSync("echo", {"from a child"}, {encoding = "utf8"}))
    ]]))
  end)

  it("does for programs whose scripts fork an interpreter", function()
    local worker = support.script([[
      process:on("message", function(message)
        process:send(message * 2)
        process:disconnect()
      end)
    ]])
    assert.equal("42\n", runForking([[
      local child = cp.fork((select(2, ...)))
      child:on("message", print)
      child:send(21)
      cp.run()
    ]], worker))
  end)
end)

describe("child_process_set_loop", function()
  it("has the host's loop call back", function()
    assert.equal("0\nhello\nfalse\n0\n0\n", run([[
      print(host.useLoop())
      local _, cp = host.open()
      cp.exec("echo hello", function(_, stdout) io.write(stdout) end)
      print(host.runLoop())
      print(host.close())
      host.runLoop()
      print(host.closeLoop())
    ]]))
  end)

  it("lets cp.activeHandles() list the host's handles in one entry", function()
    assert.equal("child\nhost\thandles of the program around this one: timer\n-\n0\n", run([[
      host.useLoop()
      local _, cp = host.open()
      local child = cp.spawn("sleep", {"60"}, {stdio = "ignore"})
      host.startTimer()
      cp.run("nowait")
      local list = cp.activeHandles()
      print(list[1].kind)
      print(list[2].kind, list[2].description)
      child:kill()
      host.closeTimer()
      host.runLoop()
      for _, handle in ipairs(cp.activeHandles()) do print(handle.kind, handle.description) end
      print("-")
      host.close()
      host.runLoop()
      print(host.closeLoop())
    ]]))
  end)

  it("has no effect with NULL, and fails once the module is loaded", function()
    assert.equal("0\n0\ntrue\n0\n", run([[
      print(host.useLoop())
      print(host.useOwnLoop())
      host.open()
      print(host.useLoop() < 0)
      print(host.closeLoop())
    ]]))
  end)
end)

-- Opens something of everything. `objects` has what has methods that can be called.
local EVERYTHING = [[
  local _, cp = host.open()
  local function note() if noted then print("called back") end end
  local dgram = require("child_process.dgram")
  local net = require("child_process.net")
  local process = require("child_process.process")
  local timers = require("child_process.timers")
  local abort = require("child_process.abort")
  local cat, shell = cp.spawn("cat"), cp.spawn("sh", {"-c", "read line"}, {stdio = {
    "pipe", "ignore", "ignore", "ipc"}})
  cat.stdout:on("data", note)
  cat.stdin:write("hello")
  local from = cp.spawn("sh", {"-c", "read x; echo late"})
  from.stdout:pipe(cp.spawn("cat").stdin)
  local server = net.createServer(function() end)
  server:listen(0, "127.0.0.1")
  local client = net.connect(server:address().port, "127.0.0.1")
  local lookup = net.connect(1, "localhost")
  lookup:on("error", note)
  local socket = dgram.createSocket("udp4", note)
  socket:bind(0, "127.0.0.1")
  local timer, interval = timers.setTimeout(note, 1000), timers.setInterval(note, 1000)
  local immediate = timers.setImmediate(note)
  process:on("SIGUSR1", note)
  cp.exec("sleep 0.01", note)
  local execution = cp.promises.execFile("true")
  local signal = abort.AbortSignal.timeout(1000)
  cp.nextTick = require("child_process.loop").nextTick
  cp.nextTick(note)
  cp.async(function() cat:wait("exit") end)
  local objects = {
    cat, cat.stdin, cat.stdout, shell, from.stdout, server, client, lookup, socket, timer, interval,
    immediate, execution, signal, process, process.stdout, cp, net, dgram, timers,
    require("child_process.loop"),
  }
]]

describe("child_process_close", function()
  it("does nothing where the module was never loaded", function()
    assert.equal("0\n", run("print(host.close())"))
  end)

  it("closes everything, and calls nothing back", function()
    assert.equal("0\n0\n", run("noted = true\n" .. EVERYTHING .. [[
      print(host.close())
      print(host.close())
    ]]))
  end)

  it("leaves nothing in the host's loop", function()
    assert.equal("0\nfalse\n0\n", run("host.useLoop()\n" .. EVERYTHING .. [[
      cp.nextTick(host.stopLoop)
      host.runLoop()
      print(host.close())
      print(host.runLoop())
      print(host.closeLoop())
    ]]))
  end)

  it("closes all descriptors", function()
    assert.equal("2\n", run([[
      local before = host.descriptors()
    ]] .. EVERYTHING .. [[
      cp.run("nowait")
      host.close()
      -- libuv keeps a pipe for signals for good; children that have not ended yet are waited for
      while host.descriptors() - before > 2 do os.execute("sleep 0.01") end
      print(host.descriptors() - before)
    ]]))
  end)

  it("ends the input of children, which are reaped when they end", function()
    assert.equal("true\n", run([[
      local _, cp = host.open()
      local cat = cp.spawn("cat")
      host.close()
      local function isThere()
        local file = io.open("/proc/" .. cat.pid)
        if file then file:close() end
        return file ~= nil
      end
      while isThere() do os.execute("sleep 0.01") end
      print(not isThere())
    ]]))
  end)

  it("writes the messages that were accepted", function()
    local worker = support.script([[
      local count, size = 0, 0
      process:on("message", function(message) count, size = count + 1, size + #message end)
      process:on("disconnect", function()
        local file = io.open(arg[1], "w")
        file:write(count, " messages, ", size, " bytes")
        file:close()
        os.rename(arg[1], arg[1] .. ".done")
      end)
    ]])
    local report = support.tmpdir() .. "/report"
    runForking([[
      local _, worker, report = ...
      local child = cp.fork(worker, {report})
      for _ = 1, 100 do child:send(("x"):rep(100000)) end
      host.close()
      while not io.open(report .. ".done") do os.execute("sleep 0.01") end
    ]], worker, report)
    assert.equal("100 messages, 10000000 bytes", support.readFile(report .. ".done"))
  end)

  it("makes everything raise afterwards that would need the loop", function()
    assert.equal("true\nfalse\nfalse\n0\n", run(EVERYTHING .. [[
      host.close()
      local ok, err = pcall(cp.run)
      print(not ok and tostring(err):find("closed") ~= nil)
      print((pcall(cp.spawn, "true")))
      print((host.open()) == 0)
      print(host.close())
    ]]))
  end)

  it("leaves objects whose methods may be called", function()
    assert.equal("over\n", run(EVERYTHING .. [[
      host.close()
      local harmful = {exit = true, kill = true, chdir = true, abort = true}
      local function callAll(object, methods)
        for name, method in pairs(methods) do
          if type(name) == "string" and type(method) == "function" and not harmful[name]
            and not name:find("^_") and not name:find("^on%l") then
            pcall(method, object)
            pcall(method, object, "x")
            pcall(method, object, note)
            pcall(method, object, 1, "x", note)
          end
        end
      end
      for _, object in ipairs(objects) do
        local methods = object
        while methods do
          if type(methods) == "table" then callAll(object, methods) end
          local meta = debug.getmetatable(methods)
          local index = meta and rawget(meta, "__index")
          methods = type(index) == "table" and index ~= methods and index or nil
        end
        collectgarbage()
      end
      print("over")
    ]]))
  end)

  it("refuses while a callback of the module or cp.run is running", function()
    assert.equal("true\ntrue\n0\n", run([[
      local _, cp = host.open()
      cp.exec("true", function() print(host.close() < 0) end)
      cp.run()
      require("child_process.loop").nextTick(function() print(host.close() < 0) end)
      cp.run()
      print(host.close())
    ]]))
  end)

  it("leaves nothing that the state could not collect", function()
    assert.equal("true\n", run([[
      local _, cp = host.open()
      local cat, server = cp.spawn("cat"), require("child_process.net").createServer()
      server:listen(0, "127.0.0.1")
      server:on("close", function() return cat end)
      cat:on("exit", function() return server end)
      local gone = setmetatable({cat = cat, server = server}, {__mode = "v"})
      cp.run("nowait") -- ticks hold what they are about
      host.close()
      cat, server = nil
      for _ = 1, 5 do collectgarbage() end
      print(gone.cat == nil and gone.server == nil)
    ]]))
  end)
end)

describe("A program that forks itself", function()
  it("closes the module in the copy, and goes on in the original", function()
    local path = support.tmpdir() .. "/socket"
    assert.equal("0\nhello\naccepted\n0\n", run([[
      local _, cp = host.open()
      local net = require("child_process.net")
      local cat = cp.spawn("cat")
      local server = net.createServer(function(socket) socket:finish("accepted\n") end)
      server:listen(...)
      local pid = host.fork()
      if pid == 0 then
        local before = host.descriptors()
        assert(host.close() == 0)
        os.exit(host.descriptors() < before and 0 or 1, true)
      end
      print(host.await(pid))
      cat.stdout:on("data", print)
      cat:on("close", function()
        local client = net.connect(server:address())
        client:on("data", io.write)
        client:on("close", function() server:close() end)
      end)
      cat.stdin:finish("hello")
      cp.run()
      print(host.close())
    ]], path))
  end)

  for how, fork in pairs({["calls uv_loop_fork"] = "host.forkLoop()", ["does not"] = ""}) do
    it("may use its libuv loop in both, whether it " .. how, function()
      local turn = [[
        cp.exec("echo " .. who, function(_, stdout) io.write(stdout) end)
        assert(host.runLoop() == false)
        assert(host.close() == 0 and host.runLoop() == false and host.closeLoop() == 0)
        io.stdout:flush()
      ]]
      assert.equal("copy\n0\noriginal\nhello\n", run([[
        host.useLoop()
        local _, cp = host.open()
        cp.exec("true", function() end)
        host.runLoop()
        local cat = cp.spawn("cat")
        local pid = host.fork()
        local who = pid == 0 and "copy" or "original"
        if pid == 0 then
          ]] .. fork .. turn .. [[
          os.exit(0, true)
        end
        print(host.await(pid))
        cat.stdout:on("data", print)
        cat.stdin:finish("hello")
      ]] .. turn):gsub("hello\noriginal", "original\nhello"), nil)
    end)
  end
end)
