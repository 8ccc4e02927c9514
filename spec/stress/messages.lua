-- Sends 1,000,000 messages each way between a parent and a forked child and checks the number in
-- each; one message of 256 MB each way; then forks 200 children at once, has each of them answer,
-- and disconnects them all. Prints what it finds, and exits with 1 when a message was lost or came
-- out of order, or when memory has grown, or when a descriptor or a process is left. Takes half a
-- minute.
--
--   lua5.4 spec/stress/messages.lua

local cp = require("child_process")
local held = require("spec.support.held")
local support = require("spec.support")
local verdict = require("spec.support.verdict")

local check = verdict.check

local COUNT = 1000000
-- The numbers from here on have to do with the memory that is there by then.
local WARM = 100000
local WINDOW = 1000
local CHILDREN = 200
-- Of 4000 children; 132 bytes lost with each of them would be more.
local MARGIN_KIB = 512

--- Both sides send as fast as they may: at most WINDOW messages are ahead of what the other has
--- acknowledged, so that memory shows leaks and not a slow reader. Each message has
--- its number, and that of the last one received.
local EXCHANGE = [[
local COUNT, WINDOW = ...
return function(target, onReceived)
  local sent, received, told = 0, 0, 0
  local function sendMore()
    while sent < COUNT and sent - told < WINDOW do
      sent = sent + 1
      target:send({number = sent, received = received, text = "some text"})
    end
  end
  target:on("message", function(message)
    if message.received > told then told = message.received end
    if message.number then
      received = received + 1
      if message.number ~= received then
        error(("message %d came in place %d"):format(message.number, received))
      end
      if received % 100 == 0 then target:send({received = received}) end
      onReceived(received)
    end
    sendMore()
  end)
  sendMore()
end
]]

local function million()
  local script = support.script(([[
    local exchange = (loadstring or load)(%q)(%d, %d)
    exchange(process, function(received)
      if received == %d then process:send({received = received, all = true}) end
    end)
  ]]):format(EXCHANGE, COUNT, WINDOW, COUNT))
  local child = cp.fork(script)
  local warm, last, received = nil, nil, 0
  local childHasAll = false
  local function finish()
    if childHasAll and received == COUNT and child.connected then child:disconnect() end
  end
  local function memory()
    return {ours = held.residentKiB(), child = held.residentKiB(child.pid)}
  end
  support.load(EXCHANGE)(COUNT, WINDOW)(child, function(count)
    received = count
    if count == WARM then warm = memory() end
    if count == COUNT then last = memory() end
    finish()
  end)
  child:on("message", function(message)
    childHasAll = childHasAll or message.all
    finish()
  end)
  support.run(600)
  check(received == COUNT, "parent: %d messages in order", received)
  check(childHasAll and child.exitCode == 0, "child: %s messages in order",
    childHasAll and COUNT or "not all")
  if warm and last then
    for _, name in ipairs({"ours", "child"}) do
      local grown = last[name] - warm[name]
      check(grown <= MARGIN_KIB, "memory, %s: %d KiB after %d messages, %+d KiB after %d", name,
        warm[name], WARM, grown, COUNT)
    end
  end
end

local function long()
  local child = cp.fork(support.script([[
    process:on("message", function(message) process:send(message) process:disconnect() end)
  ]]))
  local text = ("0123456789abcdef"):rep(16 * 1024 * 1024)
  local same
  child:on("message", function(message) same = message == text end)
  child:send(text)
  support.run(600)
  check(same, "a message of %d MiB went both ways", #text / 2 ^ 20)
end

local function crowd()
  local script = support.script([[
    process:on("message", function(number) process:send(number) end)
  ]])
  local function round()
    local answered, ended, good = 0, 0, true
    local all = {}
    for number = 1, CHILDREN do
      local child = cp.fork(script)
      all[number] = child
      child:send(number)
      child:on("message", function(answer)
        good = good and answer == number
        answered = answered + 1
        if answered == CHILDREN then
          for _, other in ipairs(all) do other:disconnect() end
        end
      end)
      child:on("close", function(code)
        ended = ended + 1
        good = good and code == 0
      end)
    end
    support.run(600)
    return answered, ended, good
  end
  local function rounds(count)
    for _ = 1, count do
      local answered, ended, good = round()
      check(answered == CHILDREN and ended == CHILDREN and good,
        "of %d children at once %d answered and %d ended with 0", CHILDREN, answered, ended)
      collectgarbage()
    end
    return #support.openFds(), held.residentKiB()
  end
  -- after some rounds the allocator gets by with what it has
  local descriptors, resident = rounds(10)
  local descriptorsLeft, residentThen = rounds(20)
  check(descriptorsLeft == descriptors, "descriptors: %d, before %d", descriptorsLeft, descriptors)
  check(held.children() == 0, "processes: %d", held.children())
  local grown = residentThen - resident
  check(grown <= MARGIN_KIB, "memory: %d KiB, %+d KiB since then", resident, grown)
end

million()
crowd()
long() -- last, since it leaves the allocator with much to give back
verdict.exit()
