-- The least that messages of many rows can take: the receiver has to make the tables and
-- their strings. Here nothing is decoded, and the numbers are there already.
--
--   rows=N     in each message
--   seconds=S  how long to go on

local options = {}
for _, argument in ipairs(arg) do
  local name, value = argument:match("^(%w+)=(.*)$")
  options[name] = tonumber(value)
end

local numbers = {}
for i = 1, options.rows do
  numbers[i] = tostring(i)
end

local function build()
  local rows = {}
  for i, number in ipairs(numbers) do
    rows[i] = {id = i, name = "the name of row " .. number, value = i / 8, ok = i % 2 == 0}
  end
  return rows
end

-- Microseconds of processor time, which is all that this takes, for each message.
local function buildFor(seconds)
  local began, count = os.clock(), 0
  repeat
    build()
    count = count + 1
  until os.clock() - began >= seconds
  return (os.clock() - began) / count * 1e6
end

buildFor(options.seconds / 5)
print(buildFor(options.seconds))
