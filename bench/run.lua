-- Prints the table of what things cost beside their limit and beside the peers, as Markdown.
--
--   lua5.4 bench/run.lua [ROW ...]   all rows, or those named
--   BENCH_ROUNDS=N                   how many rounds (5)
--   BENCH_SECONDS=S                  how long a contestant goes on, but with bytes (0.3)
--   BENCH_PACKAGES=FOLDER            a folder node_modules with execa and zx (that of npm -g)
--
-- A round is: the limit program, each peer, ours. What counts is the median of the ratios within a
-- round, so that a machine that is slower for a while does not make a difference.

local command = require("child_process.command").with({
  shell = true, reject = false, stderr = "inherit",
})

local HERE = arg[0]:match("^(.*)/[^/]*$") or "."
local BIN = HERE .. "/../build/bench"
local ROUNDS = tonumber(os.getenv("BENCH_ROUNDS")) or 5
local SECONDS = os.getenv("BENCH_SECONDS") or "0.3"
local DESCRIPTORS = 20000
local TIMEOUT = 60000 -- milliseconds

local quote = command.quote

-- The output of a shell command, or nil where it fails.
local function output(line, options)
  local result = command.run(line, options)
  return not result.failed and result.stdout or nil
end

-- The path of the interpreter that runs this file.
local function interpreter()
  local first = 0
  while arg[first - 1] do
    first = first - 1
  end
  return output("command -v " .. quote(arg[first])):match("^[^\n]*")
end

local VALUES = {LUA = quote(interpreter()), HERE = quote(HERE), BIN = quote(BIN)}

local function substitute(text)
  return (text:gsub("%u+", VALUES))
end

-- The first processor that we may use.
local function processor()
  return tonumber(output("cat /proc/self/status"):match("Cpus_allowed_list:%s*(%d+)"))
end

-- Runs a contestant for a row; the numbers that it printed, none where it failed.
local function measure(contestant, row)
  local line = ("ulimit -n %d 2>/dev/null; exec %s %s seconds=%s"):format(
    DESCRIPTORS, substitute(contestant), substitute(row.arguments), SECONDS)
  local text = output(line, {timeout = TIMEOUT, affinity = row.pinned and {processor()} or nil})
  local numbers = {}
  for word in (text or ""):gmatch("%S+") do
    numbers[#numbers + 1] = tonumber(word)
  end
  return numbers
end

local function median(list)
  if #list == 0 then
    return nil
  end
  local sorted = {(table.unpack or unpack)(list)}
  table.sort(sorted)
  local middle = math.floor((#sorted + 1) / 2)
  return (sorted[middle] + sorted[#sorted + 1 - middle]) / 2
end

-- The peers that are installed (with their version in `found`) and the names of those that are not.
local function findPeers()
  local found, missing = {}, {}
  for _, peer in ipairs(dofile(HERE .. "/peers.lua")) do
    local text = output("{ " .. substitute(peer.version) .. "; } 2>/dev/null") or ""
    peer.found = text:match("%d+%.[%d.]*%d")
    table.insert(peer.found and found or missing, peer.found and peer or peer.name)
  end
  return found, missing
end

-- Has the row a call that the peer lacks?
local function isWithout(row, peer)
  if row.alone then
    return true
  end
  local work = row.arguments:match("work=(%w+)")
  if peer.works and not peer.works[work] then
    return true
  end
  for _, name in ipairs(row.without or {}) do
    if name == peer.name then
      return true
    end
  end
  return false
end

local function limitCommand(row)
  return row.limit:find("%.lua$") and "LUA HERE/limit/" .. row.limit or "BIN/limit-" .. row.limit
end

-- Everything that was measured for a row: by contestant a list of rounds, each a list of numbers.
local function measureRow(row, rows, peers)
  local against
  for _, other in ipairs(rows) do
    against = other.row == row.against and other or against
  end
  local measured = {limit = {}, ours = {}, against = {}}
  for round = 1, ROUNDS do
    measured.limit[round] = row.limit and measure(limitCommand(row), row) or {}
    for _, peer in ipairs(peers) do
      measured[peer] = measured[peer] or {}
      if not isWithout(row, peer) and (round == 1 or not row.seldom) then
        measured[peer][round] = measure(peer.command, row)
      end
    end
    measured.ours[round] = measure("LUA HERE/ours.lua", row)
    measured.against[round] = against and measure("LUA HERE/ours.lua", against)
      or measured.limit[round]
  end
  return measured
end

-- The median of a contestant's n-th number, or nil.
local function typical(rounds, n)
  local list = {}
  for _, numbers in pairs(rounds) do
    list[#list + 1] = numbers[n]
  end
  return median(list)
end

-- The median over the rounds of what `compare` makes of our n-th number and that of `base`, or nil.
local function compared(ours, base, n, compare)
  local list = {}
  for round, numbers in ipairs(ours) do
    local other = base[round] and base[round][n]
    list[#list + 1] = other and numbers[n] and compare(numbers[n], other)
  end
  return median(list)
end

local function divide(a, b)
  return a / b
end

local function subtract(a, b)
  return a - b
end

local function show(value, unit)
  if not value then
    return "failed"
  end
  return (value >= 100 and "%.0f %s" or value >= 10 and "%.1f %s" or "%.2f %s"):format(value, unit)
end

-- The peers with their figures, best first.
local function showPeers(measured, peers, n, figure)
  local list = {}
  for _, peer in ipairs(peers) do
    local value = typical(measured[peer], n)
    local text = peer.name .. " " .. show(value, figure.unit)
    list[#list + 1] = value and {value = value, text = text}
  end
  table.sort(list, function(a, b)
    if figure.least then
      return a.value > b.value
    end
    return a.value < b.value
  end)
  for i, peer in ipairs(list) do
    list[i] = peer.text
  end
  return #list > 0 and table.concat(list, ", ") or "-"
end

-- The words of the targets, and whether all of them are met. `ratio` is ours to the limit, `beyond`
-- how much more ours is, `toPeer` ours to the peer of `notBehind`, if it is installed.
local function judge(figure, ours, ratio, beyond, toPeer, against)
  local words, met = {}, ours ~= nil
  local function target(text, holds)
    words[#words + 1] = text
    met = met and holds
  end
  local base = against and "our own row " .. against or "limit"
  if figure.most then
    target(("at most %.2f x %s"):format(figure.most, base), ratio and ratio <= figure.most)
  end
  if figure.least then
    target(("at least %.2f x %s"):format(figure.least, base), ratio and ratio >= figure.least)
  end
  if figure.ceiling then
    target(("at most %g %s"):format(figure.ceiling, figure.unit), ours and ours <= figure.ceiling)
  end
  if figure.beyond then
    local text = ("at most %g %s beyond the limit"):format(figure.beyond, figure.unit)
    target(text, beyond and beyond <= figure.beyond)
  end
  if figure.notBehind then
    target("not behind " .. figure.notBehind, not toPeer or toPeer <= 1)
  end
  return table.concat(words, ", "), met
end

local function printFigure(row, figure, n, measured, peers)
  local ours = typical(measured.ours, n)
  local ratio = (figure.most or figure.least)
    and compared(measured.ours, measured.against, n, divide)
  local beyond = figure.beyond and compared(measured.ours, measured.limit, n, subtract)
  local toPeer
  for _, peer in ipairs(peers) do
    if peer.name == figure.notBehind then
      toPeer = compared(measured.ours, measured[peer], n, divide)
    end
  end
  local target, met = judge(figure, ours, ratio, beyond, toPeer, row.against)
  print("| " .. table.concat({
    row.row,
    row.text .. (figure.what and ": " .. figure.what or ""),
    row.limit and show(typical(measured.limit, n), figure.unit) or "-",
    showPeers(measured, peers, n, figure),
    show(ours, figure.unit),
    ratio and ("%.2f"):format(ratio) or "-",
    target,
    met and "yes" or "no",
  }, " | ") .. " |")
end

-- Which of the rows are wanted, by name. Ends the program if there is no such row.
local function wantedRows(rows)
  local wanted, names = {}, {}
  for _, row in ipairs(rows) do
    names[#names + 1] = not names[row.row] and row.row or nil -- a row may have two lines
    names[row.row] = true
    wanted[row.row] = #arg == 0 or nil
  end
  for _, name in ipairs(arg) do
    if not names[name] then
      local list = table.concat(names, " ")
      io.stderr:write(("bench: no row %q; the rows are %s\n"):format(name, list))
      os.exit(2)
    end
    wanted[name] = true
  end
  return wanted
end

local function main()
  local rows = dofile(HERE .. "/rows.lua")
  local wanted = wantedRows(rows)
  assert(output("make -s -C " .. quote(HERE)), "the limit programs cannot be built")
  local peers, missing = findPeers()
  io.stdout:setvbuf("line")
  print("| row | work | limit | peers, best first | ours | ratio | target | met |")
  print("|---|---|---|---|---|---|---|---|")
  for _, row in ipairs(rows) do
    local isPossible = not row.needs or output(row.needs) ~= nil
    if wanted[row.row] and not isPossible then
      print(("| %s | %s | - | - | left out: needs `%s` | - | - | - |"):format(row.row, row.text,
        row.needs))
    elseif wanted[row.row] then
      local measured = measureRow(row, rows, peers)
      for n, figure in ipairs(row.figures or {row}) do
        figure.unit = figure.unit or "us"
        printFigure(row, figure, n, measured, peers)
      end
    end
  end
  local versions = {}
  for i, peer in ipairs(peers) do
    versions[i] = peer.name .. " " .. peer.found
  end
  print(("\nMedians of %d rounds. Peers: %s. Missing: %s."):format(
    ROUNDS,
    #versions > 0 and table.concat(versions, ", ") or "none",
    #missing > 0 and table.concat(missing, ", ") or "none"
  ))
end

main()
