-- Accepts 100,000 connections and passes them to 4 children, which answer them. Prints what it
-- finds, and exits with 1 when a connection was not answered, when one child had none, or when
-- descriptors, processes or memory are left. Takes less than a minute.
--
--   lua5.4 spec/stress/handles.lua

local cp = require("child_process")
local held = require("spec.support.held")
local net = require("child_process.net")
local support = require("spec.support")
local verdict = require("spec.support.verdict")

local check = verdict.check

local WARM, COUNT = 20000, 100000
local CHILDREN = 4
-- 20 bytes lost with each connection would be more.
local MARGIN_KIB = 1536

local SCRIPT = [[
  local answered = 0
  process:on("message", function(message, socket)
    if socket then
      answered = answered + 1
      socket:finish("ok")
      socket:resume()
    else
      process:send(answered)
    end
  end)
]]

local CLIENT = "build/bench/client"
local make = cp.spawnSync("make", {"-s", "-C", "bench", "../" .. CLIENT}, {stdio = "inherit"})
if make.status ~= 0 then
  os.exit(1)
end

local descriptors = #support.openFds()
local script = support.script(SCRIPT)
local children = {}
for number = 1, CHILDREN do children[number] = cp.fork(script) end

local accepted = 0
local server = net.createServer({pauseOnConnect = true})
server:on("connection", function(socket)
  accepted = accepted + 1
  children[accepted % CHILDREN + 1]:send("socket", socket)
end)

local function memory()
  local list = {held.residentKiB()}
  for _, child in ipairs(children) do list[#list + 1] = held.residentKiB(child.pid) end
  return list
end

local function clients(count, callback)
  local client = cp.spawn(CLIENT, {
    "port=" .. server:address().port, "count=" .. count, "atonce=32",
  }, {stdio = "inherit"})
  client:on("close", callback)
end

local function finish(before)
  for number, now in ipairs(memory()) do
    check(now - before[number] <= MARGIN_KIB, "memory of process %d: %d KiB, %+d KiB since %d",
      number, now, now - before[number], WARM)
  end
  local sum = 0
  for number, child in ipairs(children) do
    child:on("message", function(answered)
      sum = sum + answered
      check(answered > 0, "child %d: %d connections", number, answered)
      child:disconnect()
    end)
    child:send("count")
  end
  server:close(function()
    check(accepted == COUNT and sum == COUNT, "accepted: %d, answered: %d", accepted, sum)
  end)
end

server:listen(0, "127.0.0.1", function()
  clients(WARM, function(code)
    check(code == 0, "%d connections", WARM)
    local before = memory()
    clients(COUNT - WARM, function(code2)
      check(code2 == 0, "%d connections more", COUNT - WARM)
      finish(before)
    end)
  end)
end)

support.run(120)
check(held.children() == 0, "processes: %d", held.children())
children, server = nil, nil
collectgarbage()
local left = #support.openFds()
check(left <= descriptors, "descriptors: %d, before the first child %d", left, descriptors)
verdict.exit()
