-- Collects what a check finds, and ends the program with it.

local problems = {}
local lines = {}

--- Notes that a line of a file breaks a rule.
---@param path string
---@param line integer
---@param message string a format for the other arguments
function problems.add(path, line, message, ...)
  lines[#lines + 1] = ("%s:%d: %s"):format(path, line, message:format(...))
end

--- Prints the problems and ends the program, with status 1 if there are any.
function problems.finish()
  for _, line in ipairs(lines) do
    print(line)
  end
  os.exit(#lines == 0 and 0 or 1)
end

return problems
