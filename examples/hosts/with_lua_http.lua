-- A server of lua-http whose handler waits for a command. lua-http runs its handlers in coroutines
-- of cqueues, so `attach` is the same as in with_cqueues.lua.

local cqueues = require("cqueues")
local condition = require("cqueues.condition")
local headers = require("http.headers")
local request = require("http.request")
local server = require("http.server")
local cp = require("child_process")
local loop = require("child_process.loop")

-- The controller ends when its other coroutines have ended and nothing keeps our loop alive. Errors
-- of our listeners come out of cq:loop(), like those of its coroutines.
local function attach(cq)
  local driving = false

  local function drive()
    local ok, alive
    repeat
      ok, alive = pcall(loop.run, "nowait")
      if not ok then
        cq:wrap(error, alive, 0)
      elseif alive then
        cqueues.poll({pollfd = loop.fd(), events = "r"})
      end
    until ok and not alive
    driving = false
  end

  loop.handleStart(function()
    if not driving then
      driving = true
      cq:wrap(drive)
    end
  end)

  loop.handleWait(function()
    if select(2, cqueues.running()) then
      local woken = condition.new()
      return function() woken:wait() end, function() woken:signal() end
    end
  end)
end

-- Demonstration: each request is answered with what a command prints.

local cq = cqueues.new()
attach(cq)

local http = assert(server.listen({
  cq = cq,
  host = "127.0.0.1",
  port = 0,
  onstream = function(_, stream)
    local path = stream:get_headers():get(":path")
    local output = cp.promises.execFile("echo", {"you have asked for", path}):await().stdout
    local response = headers.new()
    response:append(":status", "200")
    stream:write_headers(response, false)
    stream:write_body_from_string(output)
  end,
}))
assert(http:listen())
local _, _, port = http:localname()

cq:wrap(function()
  for number = 1, 3 do
    local _, stream = request.new_from_uri(("http://127.0.0.1:%d/%d"):format(port, number)):go()
    io.write(stream:get_body_as_string())
  end
  http:close()
end)

assert(cq:loop())
