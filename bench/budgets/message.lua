-- A message sent to a forked child and received from it, the next one with the next child. What is
-- given: the serialization; "ping", or the number of the message's rows; the number of children.
--
-- A child sends the fields of a message back in the order that they have in its tables. It is not
-- the same in each child, and some orders take more than others.

local more, serialization, size, count = ...
local cp = require("child_process")
require("child_process.process").execPath = os.getenv("CHILD_PROCESS_INTERPRETER")

local function makeMessage()
  if size == "ping" then
    return {id = 1, type = "ping"}
  end
  local rows = {}
  for i = 1, tonumber(size) do
    rows[i] = {id = i, name = "the name of row " .. i, value = i / 8, ok = i % 2 == 0}
  end
  return rows
end

local message = makeMessage()
local children, ready, turn = {}, 0, 0

local function sendNext()
  turn = turn % #children + 1
  children[turn]:send(message)
end

local function onMessage()
  if more() then
    sendNext()
  else
    for _, child in ipairs(children) do
      child:disconnect()
    end
  end
end

local function onReady(child)
  ready = ready + 1
  child:on("message", onMessage)
  if ready == #children then
    sendNext()
  end
end

for i = 1, tonumber(count) do
  local child = cp.fork("bench/ours_child.lua", {"echo"}, {serialization = serialization})
  children[i] = child:once("message", function()
    onReady(child)
  end)
end
cp.run()
