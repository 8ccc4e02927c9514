-- An output handler for busted: its usual output for people, with what was skipped summed up by
-- reason, and one line for each test in a file, as soon as the test has ended, for counting. The
-- file is its only argument (-Xoutput FILE).

local busted = require("busted")
local terminal = require("busted.outputHandlers.utfTerminal")

--- Why a test was skipped, without the place in the code that busted puts before it.
local function reasonOf(pending)
  local message = pending.message
  if type(message) ~= "string" then return "no reason is given" end
  return message:match("^[^\n]-:%d+: (.*)") or message
end

--- Prints how many tests were skipped for each reason, the most frequent first:
--- "151 skipped: Node 20 is not installed".
local function summarize(pendings)
  local counts, reasons = {}, {}
  for _, pending in ipairs(pendings) do
    local reason = reasonOf(pending)
    if not counts[reason] then reasons[#reasons + 1] = reason end
    counts[reason] = (counts[reason] or 0) + 1
  end
  table.sort(reasons, function(a, b)
    return counts[a] > counts[b] or counts[a] == counts[b] and a < b
  end)
  for _, reason in ipairs(reasons) do
    io.write(("%d skipped: %s\n"):format(counts[reason], reason))
  end
end

return function(options)
  local path = options.arguments[1]
  local handler = terminal(setmetatable({arguments = {}}, {__index = options}))

  --- Appends one line to the record. The file is not kept open, so that tests which look at the
  --- descriptors of this process find only what they expect.
  local function record(mark, element, note)
    local file = assert(io.open(path, "a"))
    file:write(mark, " ", handler.getFullName(element):gsub("%s+", " "), note or "", "\n")
    file:close()
  end

  local marks = {success = "ok -", pending = "ok -", failure = "not ok -", error = "not ok -"}

  busted.subscribe({"test", "start"}, function(element)
    record("#", element)
    return nil, true
  end)

  busted.subscribe({"test", "end"}, function(element, _, status)
    record(marks[status], element, status == "pending" and " # SKIP" or nil)
    return nil, true
  end)

  -- What goes wrong outside of a test: a file that does not load, a setup that raises.
  local function outside(element)
    if element.descriptor ~= "it" then record("not ok -", element) end
    return nil, true
  end
  busted.subscribe({"failure"}, outside)
  busted.subscribe({"error"}, outside)

  -- The usual output would show each skipped test in three lines, and so does not see them.
  local pendings
  busted.subscribe({"suite", "end"}, function()
    pendings, handler.pendings = handler.pendings, {}
    return nil, true
  end, {priority = 1})
  busted.subscribe({"suite", "end"}, function()
    summarize(pendings)
    return nil, true
  end)

  return handler
end
