-- A call of spawnSync. The child's stdio is given: "ignore", or "pipe".

local more, stdio = ...
local cp = require("child_process")

repeat
  cp.spawnSync("build/bench/tiny", {stdio = stdio})
until not more()
