-- A byte written to a child, and a piece of the given size that is read from it.

local more, size = ...
local cp = require("child_process")

local child = cp.spawn(os.getenv("CHILD_PROCESS_INTERPRETER"), {
  "bench/budgets/piece_child.lua", size,
})
local left
local function ask()
  left = tonumber(size)
  child.stdin:write("?")
end

child.stdout:on("data", function(data)
  left = left - #data
  if left == 0 then
    if more() then
      ask()
    else
      child.stdin:finish()
    end
  end
end)
ask()
cp.run()
