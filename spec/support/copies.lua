-- Scripts that fork copies of their process.

local support = require("spec.support")

local copies = {}

-- A thread that allocates holds a lock of the address sanitizer's allocator. A copy that is made at
-- that moment would wait for it for ever.
local isSanitized = os.getenv("CHILD_PROCESS_SPEC_MODE") == "test-asan"

--- The host that tests of copies connect to: a name is looked up by a thread.
copies.HOST = isSanitized and "127.0.0.1" or "localhost"

--- Ends a test that copies the process while threads of it allocate, where that cannot work.
function copies.needsBusyThreads()
  if isSanitized then
    support.skip("a copy would wait for a lock of the sanitizer that a thread held")
  end
end

--- Runs a script with `host`. What the copies print comes first if they are waited for.
---@param text string with formats for the other arguments
---@return string stdout
function copies.run(text, ...)
  return support.runHost([[
    local cp = require("child_process")
    local net = require("child_process.net")
    local timers = require("child_process.timers")
    local timeout = timers.setTimeout(function() print("STUCK") os.exit(1) end, 60000)
    timeout:unref()
    local HOST = "]] .. copies.HOST .. [["

    local function say(...)
      print(...)
      io.stdout:flush()
    end

    -- Calls a function in a copy, which ends after it, and returns its status.
    local function inCopy(callback)
      io.stdout:flush()
      local pid = host.fork()
      if pid == 0 then
        local ok, err = pcall(callback)
        if not ok then say(tostring(err)) end
        host.exit(ok and 0 or 1)
      end
      return host.await(pid)
    end
  ]] .. text:format(...))
end

--- Lua code: a function `everything` that uses much of the module in one process, and says what has
--- gone wrong. To be formatted with the path of copies.worker().
copies.EVERYTHING = [[
  local function everything(who)
    for i = 1, 10 do
      local result = cp.promises.exec("echo " .. i):await()
      assert(result.stdout == i .. "\n", "exec")
    end
    assert(cp.execFileSync("echo", {"x"}, {encoding = "utf8"}) == "x\n", "execFileSync")
    local failed
    local worker = cp.fork(arg[0] == "" and "" or %q)
    worker:on("message", function(message)
      failed = message.twice ~= 42
      worker:disconnect()
    end)
    worker:send({number = 21})
    worker:on("exit", function(code) assert(code == 0, "worker") end)
    local server = net.createServer(function(socket) socket:pipe(socket) end)
    local echoed
    server:listen(0, "127.0.0.1", function()
      local client = net.connect(server:address().port, HOST)
      client:on("data", function(data)
        echoed = data
        client:finish()
        server:close()
      end)
      client:write("hello")
    end)
    local ticked
    timers.setTimeout(function() ticked = true end, 1)
    cp.run()
    assert(failed == false and echoed == "hello" and ticked, "loop")
    say(who .. " done")
  end
]]

--- A script to be forked: it answers each message with `twice` its `number`.
---@return string path
function copies.worker()
  return support.script([[
    local process = require("child_process.process")
    process:on("message", function(message) process:send({twice = message.number * 2}) end)
  ]])
end

return copies
