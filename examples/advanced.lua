-- Counts the bytes of a file in a child. With serialization = "advanced", messages can hold values
-- that JSON cannot: bytes, a table whose keys are numbers from 0 on, and a date.
--
--   lua5.4 examples/advanced.lua [FILE]

local clone = require("child_process.clone")
local cp = require("child_process")
local process = require("child_process.process")

if process.send then -- we are the child
  process:once("message", function(message)
    local counts = {}
    for position = 1, #message.bytes do
      local byte = message.bytes:byte(position)
      counts[byte] = (counts[byte] or 0) + 1
    end
    process:send({counts = counts, counted = clone.Date()})
  end)
  return
end

local file = assert(io.open(arg[1] or arg[0], "rb"))
local child = cp.fork(arg[0], {serialization = "advanced"})
child:send({bytes = file:read("*a")})
file:close()

local answer = child:wait("message")
local bytes = {}
for byte in pairs(answer.counts) do
  bytes[#bytes + 1] = byte
end
table.sort(bytes, function(one, other)
  local difference = answer.counts[one] - answer.counts[other]
  return difference > 0 or difference == 0 and one < other
end)

print(os.date("counted at %H:%M:%S", math.floor(answer.counted.time / 1000)))
for rank = 1, math.min(#bytes, 5) do
  print(("%02x  %d times"):format(bytes[rank], answer.counts[bytes[rank]]))
end
cp.run() -- until the child has ended
