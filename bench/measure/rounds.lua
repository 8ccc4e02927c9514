-- Measures a row in rounds: the limit, each peer, ours in other Luas, ours. A machine that is
-- slower for a while is so for all contestants of a round.

local array = require("child_process.json").array
local shell = require("bench.measure.shell")

local SECONDS = os.getenv("BENCH_SECONDS") or "0.3"
local SCALE = tonumber(SECONDS) / 0.3
local DESCRIPTORS = 20000
local TIMEOUT = 60000 -- milliseconds

---@class bench.rounds
local rounds = {seconds = tonumber(SECONDS)}

-- The first processor that we may use.
local function processor()
  return tonumber(shell.output("cat /proc/self/status"):match("Cpus_allowed_list:%s*(%d+)"))
end

-- What the numbers are multiples of: a warm-up is a fifth, and in pieces of 64 KiB.
local UNITS = {bytes = 5 * 65536, count = 5}

-- With other seconds there is as much more or less to do.
local function scale(arguments)
  return (arguments:gsub("(%f[%w]%w+)=([%d.e]+)", function(name, value)
    local unit = SCALE ~= 1 and UNITS[name]
    return unit and ("%s=%d"):format(name, math.max(1, math.floor(value * SCALE / unit)) * unit)
  end))
end

-- Runs a contestant for a row; the numbers that it printed, none where it failed.
local function measure(contestant, row)
  local line = ("ulimit -n %d 2>/dev/null; %sexec %s %s seconds=%s"):format(DESCRIPTORS,
    contestant.setup or "", shell.substitute(contestant.command),
    shell.substitute(scale(row.arguments)), SECONDS)
  local text = shell.output(line, {
    timeout = TIMEOUT, affinity = row.pinned and {processor()} or nil,
  })
  local numbers = array()
  for word in (text or ""):gmatch("%S+") do
    numbers[#numbers + 1] = tonumber(word)
  end
  return numbers
end

-- Has the row a call that the peer lacks?
local function isWithout(row, peer)
  if row.alone or peer.works and not peer.works[row.arguments:match("work=(%w+)")] then
    return true
  end
  for _, name in ipairs(row.without or {}) do
    if name == peer.name then
      return true
    end
  end
  return false
end

local function limitOf(row)
  local isLua = row.limit:find("%.lua$")
  return {command = (isLua and "LUA HERE/limit/" or "BIN/limit-") .. row.limit}
end

-- The row that another one is compared with; of several with that name the last.
local function find(rows, name)
  local found
  for _, row in ipairs(rows) do
    found = row.row == name and row or found
  end
  return found
end

--- Everything that was measured for a row: by the contestants' names a list of rounds, each of them
--- a list of numbers. "against" is our own other row, if the row is compared with one.
---@param row table one of rows.lua
---@param rows table[] all of them
---@param setup {rounds: integer, peers: bench.contestant[], others: bench.contestant[]}
---@return table<string, number[][]>
function rounds.measure(row, rows, setup)
  local ours = {name = "ours", command = "LUA HERE/ours.lua"}
  local against = find(rows, row.against)
  local measured = {}
  local function add(name, contestant, what)
    measured[name] = measured[name] or array()
    table.insert(measured[name], measure(contestant, what))
  end
  for round = 1, setup.rounds do
    if row.limit then
      add("limit", limitOf(row), row)
    end
    for _, peer in ipairs(setup.peers) do
      if not isWithout(row, peer) and (round == 1 or not row.seldom) then
        add(peer.name, peer, row)
      end
    end
    for _, other in ipairs(setup.others) do
      add(other.name, other, row)
    end
    add("ours", ours, row)
    if against then
      add("against", ours, against)
    end
  end
  return measured
end

return rounds
