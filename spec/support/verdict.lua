-- What the programs of spec/stress have found.

local verdict = {}

local failed = false

--- Prints a sentence, and whether it is right that it is so.
---@param right boolean
---@param format string
---@param ... any
function verdict.check(right, format, ...)
  print((right and "ok      " or "FAILED  ") .. format:format(...))
  failed = failed or not right
end

--- Ends the program: with 1 if something was not right.
function verdict.exit()
  os.exit(failed and 1 or 0)
end

return verdict
