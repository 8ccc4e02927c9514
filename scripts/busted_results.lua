-- An output handler for busted: its usual output for people, and one line for each test in a file,
-- as soon as the test has ended, for counting. The file is its only argument (-Xoutput FILE).

local busted = require("busted")
local terminal = require("busted.outputHandlers.utfTerminal")

return function(options)
  local path = options.arguments[1]
  local handler = terminal(setmetatable({ arguments = {} }, { __index = options }))

  --- Appends one line to the record. The file is not kept open, so that tests which look at the
  --- descriptors of this process find only what they expect.
  local function record(mark, element, note)
    local file = assert(io.open(path, "a"))
    file:write(mark, " ", handler.getFullName(element):gsub("%s+", " "), note or "", "\n")
    file:close()
  end

  local marks = { success = "ok -", pending = "ok -", failure = "not ok -", error = "not ok -" }

  busted.subscribe({ "test", "start" }, function(element)
    record("#", element)
    return nil, true
  end)

  busted.subscribe({ "test", "end" }, function(element, _, status)
    record(marks[status], element, status == "pending" and " # SKIP" or nil)
    return nil, true
  end)

  -- What goes wrong outside of a test: a file that does not load, a setup that raises.
  local function outside(element)
    if element.descriptor ~= "it" then record("not ok -", element) end
    return nil, true
  end
  busted.subscribe({ "failure" }, outside)
  busted.subscribe({ "error" }, outside)

  return handler
end
