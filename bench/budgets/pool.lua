-- A request that a pool of one child answers.

local more = ...
local pools = require("child_process.pool")
require("child_process.process").execPath = os.getenv("CHILD_PROCESS_INTERPRETER")

local pool = pools("bench/budgets/pool_child.lua", {size = 1})
repeat
  pool:run({id = 1, type = "ping"}):await()
until not more()
pool:terminate()
